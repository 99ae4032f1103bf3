/* SPDX-License-Identifier: MIT */
/*
 * The kinds of link that a spec can name, and their options as indices into spec->values.
 * The rows themselves are in drivers.c; what opens them is in each driver's file, chosen by
 * platform.
 */
#ifndef LINK_DRIVERS_H
#define LINK_DRIVERS_H

#include "link/spec.h"

enum tap_option { TAP_PERSIST, TAP_MULTIQUEUE, TAP_OFFLOAD, TAP_FD, TAP_MAC };
enum packet_option { PACKET_PROMISC, PACKET_BUFFER, PACKET_SENT };
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

/** The rows of the stream dialects (dialects.c, vpnkit.c, auto.c). */
extern const struct spec_driver tapserver_driver, bare_driver, qemu_driver,
	gvproxy_driver, vde_stream_driver, vpnkit_driver, auto_driver;

/** The rows of modems: PPP over a stream. */
extern const struct spec_driver modem_driver, modem_raw_driver;

/** The rows of the dialects of datagrams, each in a file of its own. */
extern const struct spec_driver qemu_dgram_driver, vfkit_driver, bess_driver, vde_driver,
	vde_p2p_driver, kai_driver, dosbox_driver;

/**
 * Opens the plug at the heart of a spec; its wrappers are left to drivers_wrap.
 * Returns 0, or -Exxx with err: -EINVAL where the kind is no plug.
 */
int drivers_open_plug(const char *spec, struct weft_error *err,
		      struct weft_plug **ret_plug) WEFT_MUST_CHECK;

/**
 * Puts the wrappers of a spec around the number-th link of its plug, from 1 on. link is the
 * outermost that there is, also when it fails: then the caller frees that one.
 */
int drivers_wrap(const char *spec, uint32_t number, struct weft_error *err,
		 struct weft_link **link) WEFT_MUST_CHECK;

/** True if a spec parses and the kind at its heart is a plug. */
bool drivers_is_plug(const char *spec);

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
