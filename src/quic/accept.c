/* SPDX-License-Identifier: MIT */
/*
 * Packets that belong to no connection, and what a server answers before it keeps any state
 * (RFC 9000, 5.2.2, 6.1, 8.1.2, 10.3):
 *
 *   Initial, version 1      -> a connection; Retry first when many handshakes are unfinished,
 *                              or have begun within a second, unless it shows a token of an
 *                              earlier connection; refused beyond an address's quota
 *   unknown version, 1,200+ -> Version Negotiation
 *   short header            -> stateless reset, at most 100 a second
 *   everything else         -> dropped, counted
 *
 * Whoever forges source addresses gets no more bytes than he sends, and costs no memory.
 */
#include "quic/compat.h"
#include "quic/conn.h"
#include "quic/endpoint.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

#define SHORT_ANSWER_LEN 256u

/* A server answers an unknown version only where a version 1 client would have padded. */
#define INITIAL_LEN_MIN 1200u

#define RESETS_PER_SECOND 100u

/* A reset looks like a short packet of 22 to 43 bytes, and is shorter than its cause. */
#define RESET_LEN_MIN \
	(NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN)
#define RESET_LEN_MAX 43u

static void answer(struct quic_endpoint *endpoint, const struct packet *packet,
		   ngtcp2_ssize len, uint64_t *counter)
{
	if (len <= 0)
		return;
	endpoint_tx_add(endpoint, &packet->path, (size_t)len, 0);
	(*counter)++;
}

static void negotiate_version(struct quic_endpoint *endpoint, const struct packet *packet,
			      const ngtcp2_version_cid *ids)
{
	static const uint32_t versions[] = { NGTCP2_PROTO_VER_V1 };
	uint8_t *room = endpoint_tx_room(endpoint, SHORT_ANSWER_LEN);
	uint8_t unused = 0;
	if (!room || gnutls_rnd(GNUTLS_RND_NONCE, &unused, 1) < 0)
		return;
	ngtcp2_ssize n = ngtcp2_pkt_write_version_negotiation(
		room, SHORT_ANSWER_LEN, unused, ids->scid, ids->scidlen, ids->dcid,
		ids->dcidlen, versions, sizeof(versions) / sizeof(versions[0]));
	answer(endpoint, packet, n, &endpoint->stats.version_negotiations);
}

/* True if one more reset may be sent now. */
static bool may_reset(struct quic_endpoint *endpoint)
{
	if (endpoint->now - endpoint->resets_from >= NGTCP2_SECONDS) {
		endpoint->resets_from = endpoint->now;
		endpoint->resets_sent = 0;
	}
	return endpoint->resets_sent++ < RESETS_PER_SECOND;
}

static void reset(struct quic_endpoint *endpoint, const struct packet *packet,
		  const ngtcp2_version_cid *ids)
{
	if (packet->len <= RESET_LEN_MIN || !may_reset(endpoint))
		return;
	size_t len = packet->len <= RESET_LEN_MAX ? packet->len - 1 : RESET_LEN_MAX;
	uint8_t *room = endpoint_tx_room(endpoint, SHORT_ANSWER_LEN);
	ngtcp2_cid cid;
	ngtcp2_cid_init(&cid, ids->dcid, ids->dcidlen);
	uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN], rand[RESET_LEN_MAX];
	if (!room || gnutls_rnd(GNUTLS_RND_NONCE, rand, sizeof(rand)) < 0 ||
	    ngtcp2_crypto_generate_stateless_reset_token(token, endpoint->reset_secret,
							 QUIC_SECRET_LEN, &cid) != 0)
		return;
	ngtcp2_ssize n = ngtcp2_pkt_write_stateless_reset(room, SHORT_ANSWER_LEN, token,
							  rand, len - sizeof(token));
	answer(endpoint, packet, n, &endpoint->stats.resets);
}

static union weft_sockaddr peer_of(const struct packet *packet)
{
	union weft_sockaddr peer = { 0 };
	memcpy(&peer, packet->path.remote.addr, packet->path.remote.addrlen);
	return peer;
}

static struct compat_retry retry_of(const struct quic_endpoint *endpoint,
				    const union weft_sockaddr *peer,
				    const ngtcp2_pkt_hd *hd, const ngtcp2_cid *retry_scid)
{
	return (struct compat_retry){
		.secret = endpoint->token_secret,
		.version = hd->version,
		.peer = peer,
		.retry_scid = retry_scid,
		.now = endpoint->now,
	};
}

static void retry(struct quic_endpoint *endpoint, const struct packet *packet,
		  const ngtcp2_pkt_hd *hd)
{
	ngtcp2_cid scid;
	const union weft_sockaddr peer = peer_of(packet);
	struct compat_retry retry = retry_of(endpoint, &peer, hd, &scid);
	uint8_t token[COMPAT_RETRY_TOKEN_LEN_MAX];
	uint8_t *room = endpoint_tx_room(endpoint, endpoint->opts.udp_payload_max);
	if (!room || endpoint_make_cid(&scid, QUIC_CID_LEN) < 0)
		return;
	int token_len = compat_make_retry_token(&retry, &hd->dcid, token);
	if (token_len < 0)
		return;
	ngtcp2_ssize n = ngtcp2_crypto_write_retry(room, endpoint->opts.udp_payload_max,
						   hd->version, &hd->scid, &scid,
						   &hd->dcid, token, (size_t)token_len);
	answer(endpoint, packet, n, &endpoint->stats.retries);
}

/* Ends an attempt before it is one, so that the client need not wait. */
static void refuse(struct quic_endpoint *endpoint, const struct packet *packet,
		   const ngtcp2_pkt_hd *hd, uint64_t code, const char *reason)
{
	uint8_t *room = endpoint_tx_room(endpoint, endpoint->opts.udp_payload_max);
	if (!room)
		return;
	ngtcp2_ssize n = ngtcp2_crypto_write_connection_close(
		room, endpoint->opts.udp_payload_max, hd->version, &hd->scid, &hd->dcid,
		code, (const uint8_t *)reason, strlen(reason));
	answer(endpoint, packet, n, &endpoint->stats.refusals);
}

static void take(struct quic_endpoint *endpoint, const struct packet *packet,
		 const struct conn_initial *initial)
{
	const union weft_sockaddr peer = peer_of(packet);
	const struct quota_key key = quota_key_of(&peer);
	const char *reason = NULL;
	if (endpoint->conns_count >= endpoint->opts.conns_max)
		reason = "there is no room for more connections";
	else
		reason = quota_refuses(&endpoint->quota, &key, endpoint->now);
	if (reason) {
		endpoint->stats.drop_limit++;
		refuse(endpoint, packet, initial->hd, NGTCP2_CONNECTION_REFUSED, reason);
		return;
	}
	struct quic_conn *conn;
	if (conn_new_server(endpoint, initial, &conn) < 0)
		endpoint->stats.drop_limit++;
	else
		conn_receive(conn, &packet->path, packet->ecn, packet->data, packet->len);
}

/* Whether an address has to prove itself before a connection is begun for it. */
static bool wants_retry(struct quic_endpoint *endpoint)
{
	return endpoint->opts.always_retry ||
	       endpoint->handshakes >= endpoint->opts.handshakes_max ||
	       !bucket_take(&endpoint->initials, 1, endpoint->now);
}

static void accept_initial(struct quic_endpoint *endpoint, const struct packet *packet)
{
	ngtcp2_pkt_hd hd;
	struct conn_initial initial = { .hd = &hd, .path = &packet->path };
	if (ngtcp2_accept(&hd, packet->data, packet->len) != 0) {
		endpoint->stats.drop_unknown++;
		return;
	}
	const union weft_sockaddr peer = peer_of(packet);
	if (compat_is_retry_token(&hd)) {
		struct compat_retry retry = retry_of(endpoint, &peer, &hd, &hd.dcid);
		ngtcp2_cid odcid;
		if (compat_check_retry_token(&retry, &hd, &odcid) == 0) {
			initial.odcid = &odcid;
			take(endpoint, packet, &initial);
			return;
		}
		endpoint->stats.drop_unknown++;
		refuse(endpoint, packet, &hd, NGTCP2_INVALID_TOKEN, ""); /* 8.1.2 */
		return;
	}
	/* One that is not right is as good as none (8.1.3). */
	initial.is_known =
		compat_has_token(&hd, endpoint->token_secret, &peer, endpoint->now);
	if (!initial.is_known && wants_retry(endpoint))
		retry(endpoint, packet, &hd);
	else
		take(endpoint, packet, &initial);
}

/*
 * A stateless reset has no id that anybody knows, only a token at its end: each connection
 * with the peer that it comes from looks at it (RFC 9000, 10.3.1).
 */
static void offer_reset(struct quic_endpoint *endpoint, const struct packet *packet)
{
	list_for_each (node, &endpoint->conns) {
		struct quic_conn *conn = container_of(node, struct quic_conn, node);
		const ngtcp2_addr *remote = &packet->path.remote;
		if (memcmp(&conn->peer, remote->addr, remote->addrlen) == 0)
			conn_receive(conn, &packet->path, packet->ecn, packet->data,
				     packet->len);
	}
}

void endpoint_accept(struct quic_endpoint *endpoint, const struct packet *packet,
		     const ngtcp2_version_cid *ids, int decode_result)
{
	if (decode_result != 0 && decode_result != NGTCP2_ERR_VERSION_NEGOTIATION) {
		endpoint->stats.drop_malformed++;
		return;
	}
	bool is_long = (packet->data[0] & 0x80u) != 0;
	if (endpoint->opts.is_server && is_long && decode_result == 0) {
		accept_initial(endpoint, packet);
		return;
	}
	endpoint->stats.drop_unknown++;
	if (!endpoint->opts.is_server) {
		if (!is_long)
			offer_reset(endpoint, packet);
		return;
	}
	if (decode_result == NGTCP2_ERR_VERSION_NEGOTIATION &&
	    packet->len >= INITIAL_LEN_MIN)
		negotiate_version(endpoint, packet, ids);
	else if (!is_long)
		reset(endpoint, packet, ids);
}
