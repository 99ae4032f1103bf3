/* SPDX-License-Identifier: MIT */
/*
 * Frames of multicast groups: reports and queries of IGMP, MLD reports, and data.
 */
#ifndef TESTS_BRIDGE_GROUPS_H
#define TESTS_BRIDGE_GROUPS_H

#include <weft/frame.h>

#include <stdbool.h>
#include <stdint.h>

#define GROUP_FRAME_MAX 256u

/* 02:00:00:00:00:src says that it is in the group, or has left it. */
struct weft_frame group_report(uint8_t buf[GROUP_FRAME_MAX], unsigned src,
			       const char *group, bool is_member);

/* A general query of a router. */
struct weft_frame group_query(uint8_t buf[GROUP_FRAME_MAX], unsigned src, bool is_ip6);

/* UDP to the group. */
struct weft_frame group_data(uint8_t buf[GROUP_FRAME_MAX], unsigned src,
			     const char *group);

#endif
