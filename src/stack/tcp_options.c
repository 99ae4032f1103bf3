/* SPDX-License-Identifier: MIT */
/*
 * RFC 7323, 5.5: a timestamp that has not been refreshed for 24 days may have wrapped, and then
 * "older" means nothing.
 */
#include "stack/tcp_options.h"

#include "base/time.h"
#include "stack/tcp.h"
#include "stack/tcp_window.h"

#define PAWS_LIFE_S    (24u * 86400u)
#define TIMESTAMPS_LEN 12u

uint16_t tcp_mss_of_peer(const struct tcp_flow *flow, const struct tcp_opts *opts)
{
	uint16_t mss = addr_is_ip4(&flow->remote) ? TCP_MSS_IP4 : TCP_MSS_IP6;
	return opts->has_mss ? opts->mss : mss;
}

void tcp_set_mss(struct tcp_conn *conn)
{
	uint16_t path = tcp_mss_of_path(&conn->active->path, &conn->node.flow);
	uint16_t mss = conn->mss_peer < path ? conn->mss_peer : path;
	uint16_t least = conn->tcp->config.mss_min;
	conn->mss_gross = mss < least ? least : mss;
	cc_set_mss(&conn->cc,
		   conn->mss_gross - (conn->has_timestamps ? TIMESTAMPS_LEN : 0u));
}

void tcp_agree(struct tcp_conn *conn, const struct tcp_opts *opts, uint64_t now)
{
	const struct tcp_config *config = &conn->tcp->config;
	conn->mss_peer = tcp_mss_of_peer(&conn->node.flow, opts);
	conn->has_sack = opts->sack_permitted && !config->no_sack;
	conn->has_wscale = opts->has_wscale && !config->no_wscale;
	conn->snd_wscale = conn->has_wscale ? opts->wscale : 0;
	conn->has_timestamps = opts->has_timestamps && !config->no_timestamps;
	if (conn->has_timestamps)
		tcp_note_timestamp(conn, opts->ts_val, now);
	tcp_set_mss(conn);
}

bool tcp_is_old_timestamp(const struct tcp_conn *conn, uint32_t ts_val, uint64_t now)
{
	uint32_t age_s = (uint32_t)(now / NS_PER_S) - conn->ts_recent_s;
	return seq_before(ts_val, conn->ts_recent) && age_s < PAWS_LIFE_S;
}

void tcp_note_timestamp(struct tcp_conn *conn, uint32_t ts_val, uint64_t now)
{
	conn->ts_recent = ts_val;
	conn->ts_recent_s = (uint32_t)(now / NS_PER_S);
}
