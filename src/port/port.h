/* SPDX-License-Identifier: MIT */
/*
 * What protocols and answers need of the port that a packet came in on.
 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <weft/port.h>

#include <stdint.h>

/** Bytes of the port's scratch. */
#define PORT_SCRATCH_LEN WEFT_FRAME_LEN_MAX

/** Counts that a protocol's handler failed, and tells the program. */
void port_report(struct weft_port *port, const struct weft_protocol *protocol,
		 const char *handler, int code);

/** PORT_SCRATCH_LEN bytes to make one packet in, until the next call; NULL without memory. */
uint8_t *port_scratch(struct weft_port *port);

#endif
