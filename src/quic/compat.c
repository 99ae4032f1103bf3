/* SPDX-License-Identifier: MIT */
/*
 * Between 0.12 and 1.0 ngtcp2 renamed much and changed little. Each function here has one
 * body per side; where the sides differ in more than names, the comment says how.
 */
#include "quic/compat.h"

#include "quic/conn.h"
#include "quic/route.h"

#include <assert.h>
#include <errno.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#if NGTCP2_VERSION_NUM >= 0x010000
#define HAVE_NGTCP2_1 1
#else
#define HAVE_NGTCP2_1 0
#endif

/* A Retry is answered at once; more than this is a replay (RFC 9000, 8.1.4). */
#define RETRY_TOKEN_LIFETIME_NS (10 * NGTCP2_SECONDS)

/* Of a token for later: an evening's, and those who come back on the next. */
#define TOKEN_LIFETIME_NS (UINT64_C(86400) * NGTCP2_SECONDS)

/* A PING is repeated after this and two probe time-outs. */
#define REPEAT_NS (500 * NGTCP2_MILLISECONDS)

void compat_set_cc(ngtcp2_settings *settings, enum quic_cc cc)
{
	switch (cc) {
	case QUIC_CC_BBR:
#if HAVE_NGTCP2_1
		settings->cc_algo = NGTCP2_CC_ALGO_BBR;
#else
		settings->cc_algo = NGTCP2_CC_ALGO_BBR2;
#endif
		break;
	case QUIC_CC_CUBIC:
		settings->cc_algo = NGTCP2_CC_ALGO_CUBIC;
		break;
	case QUIC_CC_RENO:
		settings->cc_algo = NGTCP2_CC_ALGO_RENO;
		break;
	}
}

void compat_set_token(ngtcp2_settings *settings, const uint8_t *token, size_t len,
		      enum compat_token_kind kind)
{
#if HAVE_NGTCP2_1
	settings->token = token;
	settings->tokenlen = len;
	settings->token_type = kind == COMPAT_TOKEN_RETRY ? NGTCP2_TOKEN_TYPE_RETRY
							  : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
#else
	(void)kind;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): it is not written to, only not const. */
	settings->token = (ngtcp2_vec){ (uint8_t *)(uintptr_t)token, len };
#endif
}

/*
 * 0.12 has its own list, which ends at 1,444. It is repeated here to know the largest that
 * will be tried. 1.x takes ours: the largest first, because Ethernet end to end is the usual
 * case and then one probe settles it; then the middle one, because each that fails takes five
 * probe time-outs, and after two of them a path is to be settled.
 */
size_t compat_set_probes(ngtcp2_settings *settings, uint16_t *probes)
{
	static const uint16_t usual[] = { 1444, 1342, 1406, 1232 };
	const size_t max = settings->max_tx_udp_payload_size;
	size_t n = 0, largest = NGTCP2_MAX_UDP_PAYLOAD_SIZE;
#if HAVE_NGTCP2_1
	if (max > NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		probes[n++] = (uint16_t)max;
#endif
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] < max + !HAVE_NGTCP2_1)
			probes[n++] = usual[i];
	for (size_t i = 0; i < n; i++)
		if (probes[i] > largest)
			largest = probes[i];
#if HAVE_NGTCP2_1
	settings->pmtud_probes = probes;
	settings->pmtud_probeslen = n;
#endif
	return largest;
}

void compat_set_original_dcid(ngtcp2_transport_params *params, const ngtcp2_cid *odcid)
{
	params->original_dcid = *odcid;
#if HAVE_NGTCP2_1
	params->original_dcid_present = 1;
#endif
}

const uint8_t *compat_token(const ngtcp2_pkt_hd *hd, size_t *ret_len)
{
#if HAVE_NGTCP2_1
	*ret_len = hd->tokenlen;
	return hd->token;
#else
	*ret_len = hd->token.len;
	return hd->token.base;
#endif
}

/* 1.x has a second form of token, bound to the connection ids in another way; both check. */
#ifdef NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2
#define RETRY_MAGIC    NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2
#define generate_token ngtcp2_crypto_generate_retry_token2
#define verify_token   ngtcp2_crypto_verify_retry_token2
static_assert(NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2 <= COMPAT_RETRY_TOKEN_LEN_MAX,
	      "token fits");
#else
#define RETRY_MAGIC    NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY
#define generate_token ngtcp2_crypto_generate_retry_token
#define verify_token   ngtcp2_crypto_verify_retry_token
static_assert(NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN <= COMPAT_RETRY_TOKEN_LEN_MAX,
	      "token fits");
#endif

#define TOKEN_SECRET_LEN 32u

bool compat_is_retry_token(const ngtcp2_pkt_hd *hd)
{
	size_t len;
	const uint8_t *token = compat_token(hd, &len);
	return len > 0 && token[0] == RETRY_MAGIC;
}

int compat_make_retry_token(const struct compat_retry *retry, const ngtcp2_cid *odcid,
			    uint8_t ret_token[COMPAT_RETRY_TOKEN_LEN_MAX])
{
	ngtcp2_ssize n =
		generate_token(ret_token, retry->secret, TOKEN_SECRET_LEN, retry->version,
			       &retry->peer->sa, weft_sockaddr_len(retry->peer),
			       retry->retry_scid, odcid, retry->now);
	return n < 0 ? -EINVAL : (int)n;
}

int compat_check_retry_token(const struct compat_retry *retry, const ngtcp2_pkt_hd *hd,
			     ngtcp2_cid *ret_odcid)
{
	size_t len;
	const uint8_t *token = compat_token(hd, &len);
	int r = verify_token(ret_odcid, token, len, retry->secret, TOKEN_SECRET_LEN,
			     retry->version, &retry->peer->sa,
			     weft_sockaddr_len(retry->peer), retry->retry_scid,
			     RETRY_TOKEN_LIFETIME_NS, retry->now);
	return r == 0 ? 0 : -EINVAL;
}

void compat_give_token(ngtcp2_conn *conn, const uint8_t secret[TOKEN_SECRET_LEN],
		       const union weft_sockaddr *peer, uint64_t now)
{
	static_assert(NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN <= COMPAT_TOKEN_LEN_MAX,
		      "token fits");
	uint8_t token[COMPAT_TOKEN_LEN_MAX];
	const ngtcp2_ssize n = ngtcp2_crypto_generate_regular_token(
		token, secret, TOKEN_SECRET_LEN, &peer->sa, weft_sockaddr_len(peer), now);
	if (n > 0)
		(void)ngtcp2_conn_submit_new_token(conn, token, (size_t)n);
}

/* Whether the token is this peer's, and was made later than lifetime ago. */
static bool is_younger(const ngtcp2_pkt_hd *hd, const uint8_t *secret,
		       const union weft_sockaddr *peer, uint64_t lifetime, uint64_t now)
{
	size_t len;
	const uint8_t *token = compat_token(hd, &len);
	return ngtcp2_crypto_verify_regular_token(token, len, secret, TOKEN_SECRET_LEN,
						  &peer->sa, weft_sockaddr_len(peer),
						  lifetime, now) == 0;
}

/* One that is younger than nothing is of before the machine's start, when its clock was ahead. */
bool compat_has_token(const ngtcp2_pkt_hd *hd, const uint8_t secret[TOKEN_SECRET_LEN],
		      const union weft_sockaddr *peer, uint64_t now)
{
	size_t len;
	(void)compat_token(hd, &len);
	return len > 0 && is_younger(hd, secret, peer, TOKEN_LIFETIME_NS, now) &&
	       !is_younger(hd, secret, peer, 0, now);
}

#if HAVE_NGTCP2_1
int compat_on_token(ngtcp2_conn *ng, const uint8_t *token, size_t len, void *user_data)
{
	(void)ng;
	conn_on_token(user_data, token, len);
	return 0;
}
#else
int compat_on_token(ngtcp2_conn *ng, const ngtcp2_vec *token, void *user_data)
{
	(void)ng;
	conn_on_token(user_data, token->base, token->len);
	return 0;
}
#endif

static union weft_sockaddr remote_of(const ngtcp2_path *path)
{
	union weft_sockaddr remote = { 0 };
	memcpy(&remote, path->remote.addr, path->remote.addrlen);
	return remote;
}

static int read_packet(ngtcp2_conn *conn, const ngtcp2_path *path,
		       const struct compat_packet *packet)
{
	return ngtcp2_conn_read_pkt(conn, path, &packet->info, packet->data, packet->len,
				    packet->now);
}

/*
 * A hidden address: the number of its path for a port, and in sin6_flowinfo, or the padding
 * of sockaddr_in, the port with this mark. ngtcp2 copies both and compares neither.
 */
#define HIDDEN 0x10000u

static in_port_t port_of(const union weft_sockaddr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port;
}

static uint32_t hidden_of(const union weft_sockaddr *addr)
{
	uint32_t hidden;
	if (addr->sa.sa_family == AF_INET6)
		return addr->in6.sin6_flowinfo;
	memcpy(&hidden, addr->in.sin_zero, sizeof(hidden));
	return hidden;
}

static void set_port(union weft_sockaddr *addr, in_port_t port, uint32_t hidden)
{
	if (addr->sa.sa_family == AF_INET6) {
		addr->in6.sin6_port = port;
		addr->in6.sin6_flowinfo = hidden;
		return;
	}
	addr->in.sin_port = port;
	memcpy(addr->in.sin_zero, &hidden, sizeof(hidden));
}

static void hide(union weft_sockaddr *remote, uint16_t number)
{
	set_port(remote, number, HIDDEN | port_of(remote));
}

void compat_path_hide(union weft_sockaddr *remote)
{
	hide(remote, 0);
}

static union weft_sockaddr true_remote_of(const ngtcp2_path *path)
{
	union weft_sockaddr remote = remote_of(path);
	uint32_t hidden = hidden_of(&remote);
	if (hidden & HIDDEN)
		set_port(&remote, (in_port_t)hidden, 0);
	return remote;
}

void compat_path_reveal(ngtcp2_path *path)
{
	const union weft_sockaddr remote = true_remote_of(path);
	memcpy(path->remote.addr, &remote, path->remote.addrlen);
}

union weft_sockaddr compat_path_peer(ngtcp2_conn *conn)
{
	return true_remote_of(ngtcp2_conn_get_path(conn));
}

/* The path, as ngtcp2 would see it with this number; remote is room for its address. */
static ngtcp2_path show(const ngtcp2_path *path, uint16_t number,
			union weft_sockaddr *remote)
{
	*remote = remote_of(path);
	hide(remote, number);
	return (ngtcp2_path){ .local = path->local,
			      .remote = { &remote->sa, path->remote.addrlen } };
}

/* The id of ours in a packet with a short header (RFC 9000, 17.3.1). */
static ngtcp2_cid id_in(const struct compat_packet *packet)
{
	ngtcp2_cid cid = { 0 };
	bool is_short = !(packet->data[0] & 0x80u);
	if (is_short && packet->len > QUIC_CID_LEN)
		ngtcp2_cid_init(&cid, packet->data + 1, QUIC_CID_LEN);
	return cid;
}

/* Reads what comes from another path than the one in use, and sees whether that changes. */
static int read_elsewhere(struct compat_paths *paths, ngtcp2_conn *conn,
			  const struct compat_packet *packet)
{
	if (paths->count == UINT16_MAX)
		return NGTCP2_ERR_NO_VIABLE_PATH;
	union weft_sockaddr remote;
	ngtcp2_path shown = show(packet->path, (uint16_t)(paths->count + 1), &remote);
	const ngtcp2_cid dcid = *ngtcp2_conn_get_dcid(conn);
	int r = read_packet(conn, &shown, packet);
	if (r != 0 || !ngtcp2_path_eq(ngtcp2_conn_get_path(conn), &shown))
		return r;
	paths->count++;
	paths->id = id_in(packet);
	paths->is_rebound |= ngtcp2_cid_eq(&dcid, ngtcp2_conn_get_dcid(conn)) != 0;
	return 0;
}

/* Whether a packet could make ngtcp2 take another id of the peer, after a rebinding. */
static bool may_bring_id(struct compat_paths *paths, const struct compat_packet *packet)
{
	if (!paths->is_rebound)
		return false;
	const ngtcp2_cid id = id_in(packet);
	if (ngtcp2_cid_eq(&id, &paths->id))
		return paths->has_moved && packet->len >= NGTCP2_MAX_UDP_PAYLOAD_SIZE;
	paths->has_moved = true;
	paths->id = id;
	return true;
}

/* As if it came from the path in use: what it brings is read, and the path stays. */
static int read_here(ngtcp2_conn *conn, const struct compat_packet *packet)
{
	ngtcp2_path_storage ps;
	ngtcp2_path_storage_zero(&ps);
	ngtcp2_path_copy(&ps.path, ngtcp2_conn_get_path(conn));
	return read_packet(conn, &ps.path, packet);
}

int compat_server_read(struct compat_paths *paths, ngtcp2_conn *conn,
		       const struct compat_packet *packet)
{
	union weft_sockaddr remote;
	const ngtcp2_path *in_use = ngtcp2_conn_get_path(conn);
	const union weft_sockaddr remote_in_use = remote_of(in_use);
	ngtcp2_path shown = show(packet->path, port_of(&remote_in_use), &remote);
	if (hidden_of(&remote) == hidden_of(&remote_in_use) &&
	    ngtcp2_path_eq(&shown, in_use))
		return read_packet(conn, &shown, packet);
	return may_bring_id(paths, packet) ? read_here(conn, packet)
					   : read_elsewhere(paths, conn, packet);
}

/*
 * What may_bring_id has not foreseen, because it is against the standard or because ids are
 * retired by the peer's order, ends the connection, and not the process.
 */
int compat_on_dcid_status(ngtcp2_conn *ng, compat_id_status type, uint64_t seq,
			  const ngtcp2_cid *cid, const uint8_t *token, void *user_data)
{
	(void)ng;
	(void)seq;
	(void)cid;
	(void)token;
	const struct quic_conn *conn = user_data;
	bool is_new = type == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE;
	return !HAVE_NGTCP2_1 && is_new && conn->paths.is_rebound
		       ? NGTCP2_ERR_CALLBACK_FAILURE
		       : 0;
}

#if HAVE_NGTCP2_1
int compat_on_path_validated(ngtcp2_conn *ng, uint32_t flags, const ngtcp2_path *path,
			     const ngtcp2_path *fallback_path,
			     ngtcp2_path_validation_result result, void *user_data)
{
	(void)fallback_path;
#else
int compat_on_path_validated(ngtcp2_conn *ng, uint32_t flags, const ngtcp2_path *path,
			     ngtcp2_path_validation_result result, void *user_data)
{
#endif
	(void)ng;
	(void)flags;
	(void)path;
	conn_on_path_validated(user_data,
			       result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS);
	return 0;
}

#if HAVE_NGTCP2_1
typedef ngtcp2_ccerr close_frame;
#define close_default       ngtcp2_ccerr_default
#define close_liberr        ngtcp2_ccerr_set_liberr
#define close_alert         ngtcp2_ccerr_set_tls_alert
#define CLOSE_IS_APP(e)     ((e)->type == NGTCP2_CCERR_TYPE_APPLICATION)
#define close_set_app       ngtcp2_ccerr_set_application_error
#define close_set_transport ngtcp2_ccerr_set_transport_error
#else
typedef ngtcp2_connection_close_error close_frame;
#define close_default       ngtcp2_connection_close_error_default
#define close_liberr        ngtcp2_connection_close_error_set_transport_error_liberr
#define close_alert         ngtcp2_connection_close_error_set_transport_error_tls_alert
#define CLOSE_IS_APP(e)     ((e)->type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION)
#define close_set_app       ngtcp2_connection_close_error_set_application_error
#define close_set_transport ngtcp2_connection_close_error_set_transport_error
#endif

static struct compat_close from_frame(const close_frame *frame)
{
	return (struct compat_close){
		.is_application = CLOSE_IS_APP(frame),
		.code = frame->error_code,
		.reason = frame->reason,
		.reason_len = frame->reasonlen,
	};
}

struct compat_close compat_close_of(ngtcp2_conn *conn, int liberr)
{
	close_frame frame;
	close_default(&frame);
	uint8_t alert = ngtcp2_conn_get_tls_alert(conn);
	if (liberr == NGTCP2_ERR_CRYPTO && alert != 0)
		close_alert(&frame, alert, NULL, 0);
	else
		close_liberr(&frame, liberr, NULL, 0);
	return from_frame(&frame);
}

struct compat_close compat_close_received(ngtcp2_conn *conn)
{
#if HAVE_NGTCP2_1
	return from_frame(ngtcp2_conn_get_ccerr(conn));
#else
	close_frame frame;
	ngtcp2_conn_get_connection_close_error(conn, &frame);
	return from_frame(&frame);
#endif
}

ngtcp2_ssize compat_write_close(ngtcp2_conn *conn, ngtcp2_path *path, uint8_t *buf,
				size_t len, const struct compat_close *close,
				uint64_t now)
{
	close_frame frame;
	close_default(&frame);
	if (close->is_application)
		close_set_app(&frame, close->code, close->reason, close->reason_len);
	else
		close_set_transport(&frame, close->code, close->reason,
				    close->reason_len);
	ngtcp2_pkt_info pi;
	ngtcp2_ssize n = ngtcp2_conn_write_connection_close(conn, path, &pi, buf, len,
							    &frame, now);
	compat_path_reveal(path);
	return n;
}

bool compat_is_stuck(ngtcp2_conn *conn)
{
#if HAVE_NGTCP2_1
	(void)conn;
	return false;
#else
	ngtcp2_conn_stat stat;
	ngtcp2_conn_get_conn_stat(conn, &stat);
	return stat.bytes_in_flight >= stat.cwnd &&
	       stat.loss_detection_timer == UINT64_MAX;
#endif
}

void compat_set_keep_alive(ngtcp2_conn *conn, uint64_t period_ns)
{
#if !HAVE_NGTCP2_1
	ngtcp2_conn_stat stat;
	ngtcp2_conn_get_conn_stat(conn, &stat);
	if (stat.bytes_in_flight > 0 && stat.loss_detection_timer == UINT64_MAX) {
		const uint64_t again = REPEAT_NS + 2 * ngtcp2_conn_get_pto(conn);
		if (again < period_ns)
			period_ns = again;
	}
#endif
	ngtcp2_conn_set_keep_alive_timeout(conn, period_ns);
}

/* As if it were then: of all timers the pacer's alone is over by that time. */
bool compat_open_pacer(ngtcp2_conn *conn, uint64_t until)
{
#if HAVE_NGTCP2_1
	(void)conn;
	(void)until;
	return false;
#else
	return ngtcp2_conn_get_expiry(conn) == until &&
	       ngtcp2_conn_handle_expiry(conn, until) == 0;
#endif
}

#if HAVE_NGTCP2_1
typedef ngtcp2_conn_info conn_info;
#define get_conn_info ngtcp2_conn_get_conn_info
#else
typedef ngtcp2_conn_stat conn_info;
#define get_conn_info ngtcp2_conn_get_conn_stat
#endif

void compat_trips(ngtcp2_conn *conn, uint64_t *ret_latest_ns, uint64_t *ret_smoothed_ns)
{
	conn_info info;
	get_conn_info(conn, &info);
	const bool is_measured = info.min_rtt != UINT64_MAX;
	*ret_latest_ns = is_measured ? info.latest_rtt : 0;
	*ret_smoothed_ns = is_measured ? info.smoothed_rtt : 0;
}

/* 1.x does not say its rate: its next deadline is the pacer's, unless another one comes first. */
uint64_t compat_tell_pacer(ngtcp2_conn *conn, size_t len, uint64_t from)
{
#if HAVE_NGTCP2_1
	(void)len;
	const uint64_t other = ngtcp2_conn_get_expiry(conn);
	ngtcp2_conn_update_pkt_tx_time(conn, from);
	const uint64_t next = ngtcp2_conn_get_expiry(conn);
	return next < other ? next : 0;
#else
	conn_info info;
	get_conn_info(conn, &info);
	ngtcp2_conn_update_pkt_tx_time(conn, from);
	return info.pacing_rate > 0 ? from + (uint64_t)((double)len / info.pacing_rate)
				    : 0;
#endif
}

void compat_stats(ngtcp2_conn *conn, struct quic_conn_stats *stats)
{
	conn_info info;
	get_conn_info(conn, &info);
	stats->srtt_ns = info.smoothed_rtt;
	stats->rttvar_ns = info.rttvar;
	stats->min_rtt_ns = info.min_rtt == UINT64_MAX ? 0 : info.min_rtt;
	stats->cwnd = info.cwnd;
	stats->bytes_in_flight = info.bytes_in_flight;
}
