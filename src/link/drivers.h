/* SPDX-License-Identifier: MIT */
/*
 * The kinds of link that a spec can name, and their options as indices into spec->values.
 * The rows themselves are in drivers.c; what opens them is in each driver's file, chosen by
 * platform.
 */
#ifndef LINK_DRIVERS_H
#define LINK_DRIVERS_H

#include "link/spec.h"

enum tap_option { TAP_PERSIST, TAP_MULTIQUEUE, TAP_OFFLOAD, TAP_MAC };
enum packet_option { PACKET_PROMISC, PACKET_BUFFER };
enum replay_option { REPLAY_RATE, REPLAY_LOOP };
enum capture_option { CAPTURE_SNAP };

enum impair_option {
	IMPAIR_LOSS,
	IMPAIR_DELAY,
	IMPAIR_JITTER,
	IMPAIR_DUPLICATE,
	IMPAIR_REORDER,
	IMPAIR_RATE,
	IMPAIR_LIMIT,
	IMPAIR_DIR,
	IMPAIR_SEED,
};

/** Every kind, in the order of the help text. Ends with NULL. */
extern const struct spec_driver *const link_drivers[];

int tap_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
	     struct weft_link **ret_link);
int tun_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
	     struct weft_link **ret_link);
int packet_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link);
int replay_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link);
int capture_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		 struct weft_link **ret_link);
int impair_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link);

#endif
