/* SPDX-License-Identifier: MIT */
/*
 * 0.12 lets pass what is due within a millisecond, and forgets what is left of a wait when it is
 * told of more. Slices as short as that would not be paced at all; so there a wait is counted
 * from the end of the one before.
 */
#include "quic/pace.h"

#include "base/time.h"
#include "quic/compat.h"

#define KIB      1024u
#define SLICE_NS NS_PER_MS

/* What a millisecond takes of its rate, where that is less than ngtcp2 would have sent at once. */
static size_t slice_of(const struct pace *pace, size_t quantum)
{
	if (pace->ns_per_kib == 0)
		return quantum;
	const uint64_t slice = SLICE_NS * KIB / pace->ns_per_kib;
	return slice < quantum ? (size_t)slice : quantum;
}

size_t pace_slice(const struct pace *pace, ngtcp2_conn *ng)
{
	return slice_of(pace, ngtcp2_conn_get_send_quantum(ng));
}

void pace_tell(struct pace *pace, ngtcp2_conn *ng, uint64_t now)
{
	const size_t quantum = ngtcp2_conn_get_send_quantum(ng);
	if (pace->unpaid == 0)
		return;
	uint64_t from = now;
	if (COMPAT_PACER_OPENS && pace->next > now && slice_of(pace, quantum) < quantum)
		from = pace->next;
	pace->next = compat_tell_pacer(ng, pace->unpaid, from);
	if (pace->next > from)
		pace->ns_per_kib = (pace->next - from) * KIB / pace->unpaid;
	pace->unpaid = 0;
}

bool pace_open(struct pace *pace, ngtcp2_conn *ng, uint64_t now)
{
	struct quic_conn_stats stats;
	if (pace->next <= now + SLICE_NS || pace->ahead >= PACE_AHEAD_LEN)
		return false;
	compat_stats(ng, &stats);
	return stats.bytes_in_flight < stats.cwnd && compat_open_pacer(ng, pace->next);
}
