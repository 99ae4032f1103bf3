/* SPDX-License-Identifier: MIT */
/*
 * The special file that a system of devices in memory has at WEFT_DEVICE_PATH.
 */
#ifndef LINK_DEVICE_TUNNEL_H
#define LINK_DEVICE_TUNNEL_H

#include <weft/device.h>

/**
 * What tunnels do. The user of the registration is a size_t: the most bytes that written
 * frames may hold of each. Its files are struct weft_tunnel.
 */
const struct weft_device_special *tunnel_special(void);

#endif
