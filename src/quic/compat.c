/* SPDX-License-Identifier: MIT */
/*
 * Between 0.12 and 1.0 ngtcp2 renamed much and changed little. Each function here has one
 * body per side; where the sides differ in more than names, the comment says how.
 */
#include "quic/compat.h"

#include "quic/conn.h"

#include <assert.h>
#include <errno.h>
#include <ngtcp2/ngtcp2_crypto.h>

#if NGTCP2_VERSION_NUM >= 0x010000
#define HAVE_NGTCP2_1 1
#else
#define HAVE_NGTCP2_1 0
#endif

/* A Retry is answered at once; more than this is a replay (RFC 9000, 8.1.4). */
#define RETRY_TOKEN_LIFETIME_NS (10 * NGTCP2_SECONDS)

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

void compat_set_token(ngtcp2_settings *settings, const ngtcp2_pkt_hd *hd)
{
#if HAVE_NGTCP2_1
	settings->token = hd->token;
	settings->tokenlen = hd->tokenlen;
	settings->token_type = NGTCP2_TOKEN_TYPE_RETRY;
#else
	settings->token = hd->token;
#endif
}

/*
 * 0.12 has its own list, which ends at 1,444. It is repeated here to know the largest that
 * will be tried. 1.x takes ours: the largest first, because Ethernet end to end is the usual
 * case and then one probe settles it.
 */
size_t compat_set_probes(ngtcp2_settings *settings, uint16_t *probes)
{
	static const uint16_t usual[] = { 1444, 1406, 1342, 1232 };
	const size_t max = settings->max_tx_udp_payload_size;
	size_t n = 0, largest = NGTCP2_MAX_UDP_PAYLOAD_SIZE;
#if HAVE_NGTCP2_1
	if (max > NGTCP2_MAX_UDP_PAYLOAD_SIZE)
		probes[n++] = (uint16_t)max;
#endif
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] < max + !HAVE_NGTCP2_1)
			probes[n++] = usual[i];
	if (n > 0)
		largest = probes[0];
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

#define RETRY_SECRET_LEN 32u

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
		generate_token(ret_token, retry->secret, RETRY_SECRET_LEN, retry->version,
			       &retry->peer->sa, weft_sockaddr_len(retry->peer),
			       retry->retry_scid, odcid, retry->now);
	return n < 0 ? -EINVAL : (int)n;
}

int compat_check_retry_token(const struct compat_retry *retry, const ngtcp2_pkt_hd *hd,
			     ngtcp2_cid *ret_odcid)
{
	size_t len;
	const uint8_t *token = compat_token(hd, &len);
	int r = verify_token(ret_odcid, token, len, retry->secret, RETRY_SECRET_LEN,
			     retry->version, &retry->peer->sa,
			     weft_sockaddr_len(retry->peer), retry->retry_scid,
			     RETRY_TOKEN_LIFETIME_NS, retry->now);
	return r == 0 ? 0 : -EINVAL;
}

#if HAVE_NGTCP2_1
bool compat_path_may_read(const struct compat_path_guard *guard, ngtcp2_conn *conn,
			  const ngtcp2_path *path, uint64_t now)
{
	(void)guard;
	(void)conn;
	(void)path;
	(void)now;
	return true;
}

void compat_path_watch(struct compat_path_guard *guard, ngtcp2_conn *conn, uint64_t now)
{
	(void)guard;
	(void)conn;
	(void)now;
}

void compat_path_validated(struct compat_path_guard *guard, ngtcp2_conn *conn,
			   uint64_t now)
{
	compat_path_watch(guard, conn, now);
}
#else
bool compat_path_may_read(const struct compat_path_guard *guard, ngtcp2_conn *conn,
			  const ngtcp2_path *path, uint64_t now)
{
	if (ngtcp2_path_eq(ngtcp2_conn_get_path(conn), path))
		return true;
	if (now < guard->third_until)
		return false;
	return now >= guard->back_until ||
	       !(ngtcp2_path_eq(&guard->previous.path, path) ||
		 ngtcp2_path_eq(&guard->open.path, path));
}

/*
 * Longest time for one validation: three times the larger of the probe time-out and its
 * initial value (RFC 9000, 8.2.4), and half as much again for what may be late here.
 */
static uint64_t validation_max(ngtcp2_conn *conn)
{
	const ngtcp2_transport_params *params =
		ngtcp2_conn_get_remote_transport_params(conn);
	uint64_t initial_pto = 3 * NGTCP2_DEFAULT_INITIAL_RTT;
	if (params)
		initial_pto += params->max_ack_delay;
	uint64_t pto = ngtcp2_conn_get_pto(conn);
	return 9 * (pto > initial_pto ? pto : initial_pto) / 2;
}

static void copy_path(ngtcp2_path_storage *dest, const ngtcp2_path *path)
{
	ngtcp2_path_storage_init(dest, path->local.addr, path->local.addrlen,
				 path->remote.addr, path->remote.addrlen, NULL);
}

void compat_path_watch(struct compat_path_guard *guard, ngtcp2_conn *conn, uint64_t now)
{
	const ngtcp2_path *path = ngtcp2_conn_get_path(conn);
	const ngtcp2_cid *dcid = ngtcp2_conn_get_dcid(conn);
	bool is_first = guard->dcid.datalen == 0;
	if (!is_first && ngtcp2_path_eq(&guard->path.path, path))
		return;
	if (!is_first && ngtcp2_cid_eq(&guard->dcid, dcid))
		guard->third_until = now + validation_max(conn);
	if (is_first || now >= guard->back_until)
		copy_path(&guard->open, is_first ? path : &guard->path.path);
	if (!is_first)
		guard->back_until = now + validation_max(conn);
	copy_path(&guard->previous, is_first ? path : &guard->path.path);
	copy_path(&guard->path, path);
	guard->dcid = *dcid;
}

void compat_path_validated(struct compat_path_guard *guard, ngtcp2_conn *conn,
			   uint64_t now)
{
	uint64_t until = now + validation_max(conn);
	if (guard->third_until > now && guard->third_until < until)
		guard->third_until = until;
	if (guard->back_until > now && guard->back_until < until)
		guard->back_until = until;
}
#endif

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
	return ngtcp2_conn_write_connection_close(conn, path, &pi, buf, len, &frame, now);
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

void compat_stats(ngtcp2_conn *conn, struct quic_conn_stats *stats)
{
#if HAVE_NGTCP2_1
	ngtcp2_conn_info info;
	ngtcp2_conn_get_conn_info(conn, &info);
#else
	ngtcp2_conn_stat info;
	ngtcp2_conn_get_conn_stat(conn, &info);
#endif
	stats->srtt_ns = info.smoothed_rtt;
	stats->rttvar_ns = info.rttvar;
	stats->min_rtt_ns = info.min_rtt == UINT64_MAX ? 0 : info.min_rtt;
	stats->cwnd = info.cwnd;
	stats->bytes_in_flight = info.bytes_in_flight;
}
