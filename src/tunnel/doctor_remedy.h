/* SPDX-License-Identifier: MIT */
/*
 * The lines that mend things: for each finding, those of each known proxy.
 */
#ifndef TUNNEL_DOCTOR_REMEDY_H
#define TUNNEL_DOCTOR_REMEDY_H

#include "tunnel/doctor_verdict.h"

enum remedy {
	REMEDY_RESPONSE_BUFFERED,
	REMEDY_REQUEST_BUFFERED,
	REMEDY_HTTP10,
	REMEDY_RESPONSE_TIMEOUT,
	REMEDY_REQUEST_TIMEOUT,
	REMEDY_BODY_LIMIT,
	REMEDY_HEAD_LIMIT,
	REMEDY_COMPRESSED,
	REMEDY_NO_HTTP2,
	REMEDY_NO_BACKEND,
	REMEDY_ELSEWHERE,
	REMEDY_BARRED,
	REMEDY_FORWARDED,
	REMEDIES,
	REMEDY_NONE = REMEDIES,
};

/** Adds the proxy's lines, or those of all known ones where it is another. */
void remedy_add(enum remedy remedy, enum doctor_proxy proxy,
		struct weft_doctor_finding *finding);

#endif
