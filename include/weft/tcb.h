/* SPDX-License-Identifier: MIT */
/*
 * TCP's calls as the RFC itself has them (RFC 9293, 3.9.1 and 3.10.1 to 3.10.6, which are those
 * of RFC 793): OPEN, SEND, RECEIVE, CLOSE, ABORT and STATUS, on connections that go by a small
 * number, the "local connection name". For programs that are written from the RFC, or for
 * microps' tcp_open_rfc793. A thin layer on <weft/tcp.h>, beside <weft/socket.h>.
 *
 *     struct weft_tcb_params params = { .local = port 7 of any address };
 *     int c = weft_tcb_open(tcbs, &params, now);                         passive: LISTEN
 *     ...
 *     while ((n = weft_tcb_receive(tcbs, c, buf, sizeof(buf), now)) > 0)
 *             m = weft_tcb_send(tcbs, c, buf, n, now);
 *     weft_tcb_close(tcbs, c, now);
 *
 * Where the RFC has a call wait, it says -EAGAIN: it is to be made again after on_change. An
 * OPEN is for one connection. What it ends with has the RFC's words, which weft_tcb_words knows:
 *
 *     -ENOTCONN       connection does not exist         -ECONNRESET     connection reset
 *     -EADDRINUSE     connection already exists         -ECONNREFUSED   connection refused
 *     -EDESTADDRREQ   remote socket unspecified         -ETIMEDOUT      connection aborted due to
 *     -ENOBUFS        insufficient resources                            user timeout
 *     -EADDRNOTAVAIL  connection illegal for this       -ESHUTDOWN      connection closing
 *                     process
 *
 * A name is the program's until ABORT, a CLOSE in LISTEN or SYN-SENT, or, when the connection
 * has ended, CLOSE and a RECEIVE that has told how. A connection that was closed and has ended,
 * without anybody wanting to know how, gives way to an OPEN when there are too many.
 */
#ifndef WEFT_TCB_H
#define WEFT_TCB_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/stack.h>
#include <weft/tcp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_tcbs;

/** Zero is the defaults. */
struct weft_tcbs_opts {
	uint32_t tcbs_max; /**< Connections; 0 for 1,024. */
	/** A call that said -EAGAIN may say something else now, or the state is another. */
	void (*on_change)(void *user, struct weft_tcbs *tcbs, int name, uint64_t now);
	/** ERROR_REPORT (3.9.1.8): as on_report of struct weft_tcp_events. */
	void (*on_report)(void *user, struct weft_tcbs *tcbs, int name, int error,
			  uint64_t now);
	void *user;
};

/** Makes room for connections of a stack, which must outlive it. Returns 0 or -ENOMEM. */
WEFT_API WEFT_MUST_CHECK int weft_tcbs_new(struct weft_stack *stack,
					   const struct weft_tcbs_opts *opts,
					   struct weft_tcbs **ret_tcbs);

/**
 * Gives up all connections, each as after CLOSE, and frees. NULL is allowed; not from a
 * callback.
 */
WEFT_API void weft_tcbs_free(struct weft_tcbs *tcbs, uint64_t now);

/** What OPEN is given. Zero but for local is a passive OPEN for anybody. */
struct weft_tcb_params {
	/** Local port and address. Unspecified address: any; port of 0 (active): chosen. */
	union weft_sockaddr local;
	/** Remote socket. Family 0, unspecified address, port of 0: not specified (passive). */
	union weft_sockaddr remote;
	bool active;
	uint32_t timeout_ms; /**< Of the user's; 0 for the default of weft_tcp_opts. */
	uint8_t diffserv;    /**< DSCP, in the upper six bits. */
	uint8_t ttl;         /**< 0 for the default. */
};

/**
 * OPEN (3.10.1): active, it sends a SYN; passive, it waits for one of the remote socket, or of
 * anybody's, and takes that alone. Returns the name, -EDESTADDRREQ for an active one without a
 * remote socket, -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL (no local port, families), -ENETUNREACH,
 * -ENOBUFS.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcb_open(struct weft_tcbs *tcbs,
					   const struct weft_tcb_params *params,
					   uint64_t now);

/**
 * SEND (3.10.2): queues data, all of it pushed. In LISTEN with a remote socket, the connection
 * becomes an active one. Returns how many bytes were taken, -EAGAIN for none, -ENOTCONN,
 * -EDESTADDRREQ, -ESHUTDOWN after CLOSE, why the connection has ended, or what OPEN returns.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcb_send(struct weft_tcbs *tcbs, int name,
					   const void *data, size_t len, uint64_t now);

/** SEND with the URGENT flag. len is 1 or more. */
WEFT_API WEFT_MUST_CHECK int weft_tcb_send_urgent(struct weft_tcbs *tcbs, int name,
						  const void *data, size_t len,
						  uint64_t now);

/**
 * RECEIVE (3.10.3); STATUS tells how much of it is urgent. Returns how many bytes; -EAGAIN for
 * none yet; -ESHUTDOWN when the peer has closed and all has been read; -ENOTCONN, or why the
 * connection has ended.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcb_receive(struct weft_tcbs *tcbs, int name, void *buf,
					      size_t len, uint64_t now);

/**
 * CLOSE (3.10.4): "I have no more to send". What was sent before is delivered, and RECEIVE goes
 * on. In LISTEN and SYN-SENT it ends the connection. Returns 0, -ESHUTDOWN the second time, or
 * -ENOTCONN: there is none, or it had ended before.
 */
WEFT_API int weft_tcb_close(struct weft_tcbs *tcbs, int name, uint64_t now);

/** ABORT (3.10.5): ends the connection with a reset, and the name. Returns 0 or -ENOTCONN. */
WEFT_API int weft_tcb_abort(struct weft_tcbs *tcbs, int name, uint64_t now);

/** What STATUS tells. */
struct weft_tcb_status {
	const char *state; /**< "LISTEN", "TIME-WAIT": one of the eleven of 3.3.2. */
	union weft_sockaddr local, remote;    /**< Family 0: not known yet. */
	uint32_t receive_window, send_window; /**< In bytes. */
	size_t awaiting_ack,
		pending_receipt; /**< Bytes that were sent; that were received. */
	size_t urgent;       /**< To be read until nothing is urgent; 0: nothing is. */
	uint32_t timeout_ms; /**< As OPEN was given it. */
	uint8_t diffserv, ttl;
};

/** STATUS (3.10.6). Returns 0 or -ENOTCONN. */
WEFT_API WEFT_MUST_CHECK int weft_tcb_status(const struct weft_tcbs *tcbs, int name,
					     struct weft_tcb_status *ret_status);

/** "error: connection closing" and the like; "ok" for 0 and more; NULL where the RFC has none. */
WEFT_API const char *weft_tcb_words(int error);

#ifdef __cplusplus
}
#endif
#endif
