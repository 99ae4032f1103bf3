/* SPDX-License-Identifier: MIT */
/*
 * How a connection ends: why, in words for a person; the CONNECTION_CLOSE for the peer, if
 * there is still something to say (RFC 9000, 10.2); the event for the user, exactly once.
 */
#include "base/fmt.h"
#include "quic/closing.h"
#include "quic/compat.h"
#include "quic/conn.h"
#include "quic/endpoint.h"
#include "quic/verdict.h"

#include <gnutls/gnutls.h>
#include <string.h>

/* Room for a packet with CONNECTION_CLOSE; a client's Initial is padded to 1,200. */
#define CLOSE_PACKET_LEN 1280u

/* TLS alerts as QUIC codes (RFC 9001, 4.8). */
#define CRYPTO_ERROR_FIRST 0x100u
#define CRYPTO_ERROR_LAST  0x1ffu

static void set_reason_text(struct quic_close *close, const char *text)
{
	conn_set_reason(close, text, strlen(text));
}

/* For a peer that gave a code and no words. */
static void explain_code(struct quic_close *close)
{
	const char *alert = NULL;
	if (close->code >= CRYPTO_ERROR_FIRST && close->code <= CRYPTO_ERROR_LAST)
		alert = gnutls_alert_get_name(
			(gnutls_alert_description_t)(close->code - CRYPTO_ERROR_FIRST));
	set_reason_text(close, alert ? alert : "the peer closed the connection");
}

/* The library's names are all it says; a sentence around them says whose they are. */
static void explain_error(struct quic_close *close, int liberr)
{
	char text[sizeof(close->reason)];
	struct fmt f;
	fmt_init(&f, text, sizeof(text));
	if (liberr == NGTCP2_ERR_RECV_VERSION_NEGOTIATION)
		fmt_add(&f, "the peer speaks another version of QUIC");
	else
		fmt_add(&f, "QUIC error %s", ngtcp2_strerror(liberr));
	set_reason_text(close, fmt_text(&f));
}

static void explain_refusal(const struct quic_conn *conn, struct quic_close *close)
{
	char text[sizeof(close->reason)];
	close->kind = QUIC_CLOSE_IDENTITY;
	close->code = verdict_of(&conn->session, text, sizeof(text));
	set_reason_text(close, text);
}

static void explain_peer_close(struct quic_conn *conn, struct quic_close *close)
{
	struct compat_close frame = compat_close_received(conn->ng);
	close->kind = frame.is_application ? QUIC_CLOSE_PEER_APP : QUIC_CLOSE_TRANSPORT;
	close->code = frame.code;
	if (frame.reason_len > 0)
		conn_set_reason(close, frame.reason, frame.reason_len);
	else if (!frame.is_application)
		explain_code(close);
}

/* Tells the user, if he has ever heard of the connection, and frees it. */
static void conn_finish(struct quic_conn *conn)
{
	const struct quic_endpoint *endpoint = conn->endpoint;
	conn->is_closing = true;
	if (conn->is_established || !endpoint->opts.is_server)
		endpoint->opts.events->closed(endpoint->opts.user, conn, &conn->close,
					      endpoint->now);
	conn_free(conn);
}

/* Sends CONNECTION_CLOSE, and keeps it as the answer to what still comes. */
static void say_goodbye(struct quic_conn *conn, const struct compat_close *frame)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	uint8_t *room = endpoint_tx_room(endpoint, CLOSE_PACKET_LEN);
	if (!room)
		return;
	ngtcp2_path_storage ps;
	ngtcp2_path_storage_zero(&ps);
	ngtcp2_ssize n = compat_write_close(conn->ng, &ps.path, room, CLOSE_PACKET_LEN,
					    frame, endpoint->now);
	if (n <= 0)
		return;
	endpoint_tx_add(endpoint, &ps.path, (size_t)n, 0);
	closing_begin(conn, room, (size_t)n);
}

static void say_close(struct quic_conn *conn)
{
	const char *reason = conn->close.reason;
	say_goodbye(conn, &(struct compat_close){
				  .is_application = true,
				  .code = conn->close.code,
				  .reason = (const uint8_t *)reason,
				  .reason_len = strlen(reason),
			  });
}

void conn_close_now(struct quic_conn *conn)
{
	say_close(conn);
	conn_finish(conn);
}

void conn_abandon(struct quic_conn *conn)
{
	say_close(conn);
	conn_free(conn);
}

/* A protocol or TLS error that was found here. */
static void end_by_error(struct quic_conn *conn, int liberr)
{
	struct compat_close frame = compat_close_of(conn->ng, liberr);
	conn->close =
		(struct quic_close){ .kind = QUIC_CLOSE_TRANSPORT, .code = frame.code };
	if (conn->session.is_refused) {
		explain_refusal(conn, &conn->close);
	} else if (liberr == NGTCP2_ERR_CRYPTO) {
		explain_code(&conn->close);
	} else {
		explain_error(&conn->close, liberr);
	}
	if (!ngtcp2_err_is_fatal(liberr))
		say_goodbye(conn, &frame);
}

void conn_give_up(struct quic_conn *conn)
{
	conn->close = (struct quic_close){ .kind = QUIC_CLOSE_TIMEOUT };
	set_reason_text(&conn->close, "everything on its way was lost; connect again");
	say_goodbye(conn, &(struct compat_close){ .code = NGTCP2_NO_ERROR });
	conn_finish(conn);
}

void conn_fail(struct quic_conn *conn, int liberr)
{
	struct quic_close *close = &conn->close;
	*close = (struct quic_close){ .kind = QUIC_CLOSE_TIMEOUT };
	switch (liberr) {
	case NGTCP2_ERR_IDLE_CLOSE:
		set_reason_text(close, "nothing was heard from the peer for too long");
		break;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		set_reason_text(close, "the handshake was not finished in time");
		break;
	case NGTCP2_ERR_DRAINING:
		if (conn->was_reset) {
			close->kind = QUIC_CLOSE_RESET;
			set_reason_text(close, "the peer has lost its state");
			break;
		}
		explain_peer_close(conn, close);
		closing_begin(conn, NULL, 0);
		break;
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RETRY:
		close->kind = QUIC_CLOSE_TRANSPORT;
		explain_error(close, liberr);
		break;
	default:
		end_by_error(conn, liberr);
	}
	conn_finish(conn);
}
