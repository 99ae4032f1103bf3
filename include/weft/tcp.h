/* SPDX-License-Identifier: MIT */
/*
 * TCP of a stack (RFC 9293), by callbacks: connections that are opened or accepted, and streams
 * of bytes in both directions.
 *
 *     static void on_readable(void *user, struct weft_tcp *tcp, uint64_t now)
 *     {
 *             char buf[4096];
 *             int n;
 *             while ((n = weft_tcp_receive(tcp, buf, sizeof(buf), now)) > 0)
 *                     write_out(buf, n);
 *             if (n != -EAGAIN)
 *                     weft_tcp_close(tcp, now);              the end, or an error
 *     }
 *     static const struct weft_tcp_events events = { .on_readable = on_readable };
 *     struct weft_tcp_opts opts = { .events = &events, .user = me };
 *     if (weft_tcp_connect(stack, &peer, &opts, now, &tcp) < 0)
 *             fail();
 *
 * Callbacks are made at the end of a batch of segments, never from within one of these calls,
 * and may make any of them. A connection is the program's until it closes it: then no callback
 * is made any more, and it must not be used. What has been given to weft_tcp_send by then is
 * still sent.
 *
 * All is agreed with the peer that both know: window scaling, timestamps, selective
 * acknowledgments, ECN. Lost segments are found by time (RACK-TLP) and sent again under CUBIC
 * or NewReno. Super-segments go to the link whole.
 */
#ifndef WEFT_TCP_H
#define WEFT_TCP_H

#include <weft/addr.h>
#include <weft/frame.h>
#include <weft/stack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weft_tcp;
struct weft_tcp_listener;

/** What happens to a connection. Each may be NULL. user is that of weft_tcp_opts. */
struct weft_tcp_events {
	/** The handshake is over. Not for connections that were accepted: there it was before. */
	void (*on_connected)(void *user, struct weft_tcp *tcp, uint64_t now);
	/** There is more to read: data, or the end of it. Called again only for what is new. */
	void (*on_readable)(void *user, struct weft_tcp *tcp, uint64_t now);
	/** There is room again, after weft_tcp_send has taken less than was offered. */
	void (*on_writable)(void *user, struct weft_tcp *tcp, uint64_t now);
	/**
	 * It has ended: error is 0 after an orderly end of both directions, or -ECONNRESET,
	 * -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH and the like. The last callback; what was
	 * received can still be read, and the connection has still to be closed.
	 */
	void (*on_closed)(void *user, struct weft_tcp *tcp, int error, uint64_t now);
	/**
	 * Something may be wrong, and the connection goes on (ERROR_REPORT of RFC 9293,
	 * 3.9.1.8): error is what an ICMP message has said, such as -EHOSTUNREACH, or -ETIMEDOUT
	 * when the same segment has been sent three times more and not been acknowledged.
	 */
	void (*on_report)(void *user, struct weft_tcp *tcp, int error, uint64_t now);
	/**
	 * The peer has marked data as urgent, or more of it: weft_tcp_info tells how many bytes of
	 * it lie ahead. It comes, or has come, in line with the rest, by on_readable.
	 */
	void (*on_urgent)(void *user, struct weft_tcp *tcp, uint64_t now);
};

/** What TCP may take of a stack. Zero is the default that is named. */
struct weft_tcp_limits {
	uint32_t connections_max; /**< 0 for 65,536; half-open ones do not count. */
	uint32_t time_waits_max;  /**< 0 for 16,384; the oldest gives way. */
	uint32_t segments_max;    /**< Under way, of all connections; 0 for 262,144. */
	uint64_t memory_max;      /**< Bytes in all queues together; 0 for 256 MiB. */
	uint32_t receive_max;     /**< Largest window of a connection; 0 for 6 MiB. */
	uint16_t early_max; /**< Gaps in what a connection has received; 0 for 256. */
	/** Pieces that SACKs make of a connection's segments, beyond two of each; 0 for 32. */
	uint16_t sack_pieces_max;
	uint16_t mss_min; /**< Least MSS, whatever the peer says; 0 for 88, the least. */
	uint16_t spares_max;   /**< Blocks of 64 KiB kept for the next queue; 0 for 16. */
	uint32_t challenge_ms; /**< Between answers to what may be forged; 0 for 500. */
	uint32_t time_wait_ms; /**< 2 MSL; 0 for 60 s. */
	uint32_t fin_wait_ms;  /**< FIN-WAIT-2 after closing; 0 for 60 s. */
	bool ecn;              /**< Ask for ECN; it is agreed to in any case. */
};

/** Sets the limits of a stack's TCP. What exists beyond a lower one stays. */
WEFT_API void weft_tcp_set_limits(struct weft_stack *stack,
				  const struct weft_tcp_limits *limits);

/** How a connection is to be. Zero is the defaults. */
struct weft_tcp_opts {
	const struct weft_tcp_events *events; /**< Must live as long as the connection. */
	void *user;
	/** weft_tcp_connect: from this address and port; family 0: chosen. */
	union weft_sockaddr local;
	bool nodelay;   /**< Small segments do not wait for one another (no Nagle). */
	bool keepalive; /**< Ask a silent peer whether it is there (RFC 9293, 3.8.4). */
	uint16_t keep_idle_s;     /**< After so long; 0 for 7,200 s. */
	uint16_t keep_interval_s; /**< Again after so long; 0 for 75 s. */
	uint8_t keep_probes;      /**< Give up after so many; 0 for 9. */
	/** Give up when nothing is acknowledged; 0 for 5 min. */
	uint32_t user_timeout_ms;
	uint32_t send_max; /**< Bytes that may wait to be acknowledged; 0 for 4 MiB. */
	uint8_t tos;       /**< DSCP, in the upper six bits. */
	uint8_t ttl;       /**< TTL or hop limit; 0 for the default. */
	const char *congestion; /**< "cubic" or "newreno"; NULL for "cubic". */
};

/**
 * Begins to connect to peer; on_connected or on_closed is called some time. opts may be NULL.
 * Returns 0, -EINVAL for no address, a port of 0, an unknown congestion control, or a link-local
 * address of IPv6 with a wrong sin6_scope_id, or with none where there are several interfaces;
 * -EADDRINUSE, -EADDRNOTAVAIL, -ENETUNREACH, or -ENOBUFS at a limit.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_connect(struct weft_stack *stack,
					      const union weft_sockaddr *peer,
					      const struct weft_tcp_opts *opts,
					      uint64_t now, struct weft_tcp **ret_tcp);

/** How to listen. */
struct weft_tcp_listen_opts {
	/** A connection can be accepted. Called once for each. */
	void (*on_acceptable)(void *user, struct weft_tcp_listener *listener,
			      uint64_t now);
	void *user;
	uint32_t backlog; /**< Connections that wait to be accepted; 0 for 128. */
	/** Half-open ones; beyond them, cookies are used. 0 for 1,024. */
	uint32_t syn_max;
	/** A SYN,ACK is sent again so often, after 1, 2, 4 ... s, at most 8 times; 0 for 5. */
	uint8_t synack_retries;
	bool only_ip6; /**< :: is for IPv6 only. */
	/**
	 * Of whom connections are taken; family 0, an unspecified address and a port of 0: of
	 * anybody. Others are refused as if nobody listened.
	 */
	union weft_sockaddr peer;
	uint8_t tos; /**< DSCP of all that is sent until a connection has been accepted. */
	uint8_t ttl; /**< Likewise; 0 for the default. */
};

/**
 * Listens at an address and port; the unspecified address listens at all, and that of IPv6
 * also at those of IPv4. Of several at one port, the one for the peer decides, then the one at
 * the address. opts may be NULL. Returns 0, -EINVAL (no port, too many retries, or a scope as
 * weft_tcp_connect says), -EADDRINUSE, or -ENOMEM.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_listen(struct weft_stack *stack,
					     const union weft_sockaddr *local,
					     const struct weft_tcp_listen_opts *opts,
					     struct weft_tcp_listener **ret_listener);

/** Stops listening, and resets what was not accepted. NULL is allowed. */
WEFT_API void weft_tcp_listener_close(struct weft_tcp_listener *listener, uint64_t now);

/** What its segments say from now on, of those that are not accepted yet: DSCP. */
WEFT_API void weft_tcp_listener_set_tos(struct weft_tcp_listener *listener, uint8_t tos);

/** TTL or hop limit of its segments from now on; 0 for the default. */
WEFT_API void weft_tcp_listener_set_ttl(struct weft_tcp_listener *listener, uint8_t ttl);

/** Where it listens. */
WEFT_API union weft_sockaddr weft_tcp_listener_local(
	const struct weft_tcp_listener *listener);

/**
 * Takes the connection that has waited longest; opts may be NULL, its local is not looked at.
 * Returns 0, -EAGAIN if none waits, or -EINVAL for an unknown congestion control.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_accept(struct weft_tcp_listener *listener,
					     const struct weft_tcp_opts *opts,
					     uint64_t now, struct weft_tcp **ret_tcp);

/**
 * Queues data to be sent, also before the handshake is over. Returns how many of the len bytes
 * were taken; if not all, on_writable is called when there is room. -EPIPE after
 * SHUT_WR and after the end, -ENOBUFS when the stack's memory is full: on_writable is
 * called then when something of this connection's has been acknowledged.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_send(struct weft_tcp *tcp, const void *data,
					   size_t len, uint64_t now);

/**
 * The same, and tells the peer, also into a closed window, that all up to the last byte taken is
 * urgent (RFC 9293, 3.8.5; MSG_OOB of send(2)). For the protocols that have it: middleboxes clear
 * such marks, so that new ones should not (RFC 6093, 5). len is 1 or more.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_send_urgent(struct weft_tcp *tcp, const void *data,
						  size_t len, uint64_t now);

/**
 * Queues data without a copy: it must stay as it is until release is called, which is once and
 * only if all was taken. Returns len, or 0 when there is no room; else as weft_tcp_send.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_lend(struct weft_tcp *tcp, const void *data,
					   size_t len,
					   void (*release)(void *user, const void *data,
							   size_t len),
					   void *user, uint64_t now);

/**
 * Reads at most len bytes. Returns how many; -EAGAIN while there is nothing, or 0 after SHUT_RD; 0
 * at the end of the stream; or, after all that was received, why the connection has ended.
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_receive(struct weft_tcp *tcp, void *buf, size_t len,
					      uint64_t now);

/**
 * Shows without a copy what can be read: ret_data points to as much of it as lies in one piece,
 * which is what is returned. 0, -EAGAIN and the like as weft_tcp_receive, and ret_data is left
 * alone then. The bytes stay until the next call with the connection, and not beyond the
 * callback in which they were shown. Nothing is read by that: weft_tcp_skip does.
 *
 *     while ((n = weft_tcp_peek(tcp, &data)) > 0) {
 *             ssize_t written = write(fd, data, n);
 *             if (written <= 0)
 *                     break;
 *             weft_tcp_skip(tcp, written, now);
 *     }
 */
WEFT_API WEFT_MUST_CHECK int weft_tcp_peek(const struct weft_tcp *tcp,
					   const void **ret_data);

/** Reads len bytes, at most as many as there are, and forgets them. */
WEFT_API void weft_tcp_skip(struct weft_tcp *tcp, size_t len, uint64_t now);

/**
 * Ends a direction, as Linux does. SHUT_WR: nothing more will be sent; the peer is told after what
 * is queued, and after the handshake if that is not over (which Linux would break off). SHUT_RD:
 * who reads and finds nothing is told of the end; the peer is not, and what it sends is still
 * taken and can be read. SHUT_RDWR is both, and then nobody waits for data: what comes ends the
 * connection with a reset, here -ECONNRESET. Returns 0, -EINVAL for another how, or -ENOTCONN when
 * it has ended.
 */
WEFT_API int weft_tcp_shutdown(struct weft_tcp *tcp, int how, uint64_t now);

/**
 * The program has done with the connection, which is no longer its. What is queued is still
 * sent; if something received was not read, the peer gets a reset instead (RFC 9293, 3.6).
 */
WEFT_API void weft_tcp_close(struct weft_tcp *tcp, uint64_t now);

/** Ends it at once, with a reset. It is no longer the program's. */
WEFT_API void weft_tcp_abort(struct weft_tcp *tcp, uint64_t now);

/** Small segments do not wait for one another; what waits is sent, whether corked or not. */
WEFT_API void weft_tcp_set_nodelay(struct weft_tcp *tcp, bool on, uint64_t now);

/** Only full segments are sent until it is turned off; a rest waits for a time-out at most. */
WEFT_API void weft_tcp_set_cork(struct weft_tcp *tcp, bool on, uint64_t now);

/** Begins or ends asking a silent peer, by the times of weft_tcp_opts. */
WEFT_API void weft_tcp_set_keepalive(struct weft_tcp *tcp, bool on, uint64_t now);

/** Other times for that, from now on; 0 for the defaults of weft_tcp_opts. */
WEFT_API void weft_tcp_set_keep_times(struct weft_tcp *tcp, uint16_t idle_s,
				      uint16_t interval_s, uint8_t probes, uint64_t now);

/** Gives up when nothing has been acknowledged for so long; 0 for the default. */
WEFT_API void weft_tcp_set_user_timeout(struct weft_tcp *tcp, uint32_t ms);

/** So many bytes may wait to be acknowledged; 0 for the default. What waits beyond them stays. */
WEFT_API void weft_tcp_set_send_max(struct weft_tcp *tcp, uint32_t len_max, uint64_t now);

/** What its segments say from now on: DSCP, in the upper six bits. */
WEFT_API void weft_tcp_set_tos(struct weft_tcp *tcp, uint8_t tos);

/** TTL or hop limit of its segments from now on; 0 for the default. */
WEFT_API void weft_tcp_set_ttl(struct weft_tcp *tcp, uint8_t ttl);

/** This side's address and port. */
WEFT_API union weft_sockaddr weft_tcp_local(const struct weft_tcp *tcp);

/** The peer's. */
WEFT_API union weft_sockaddr weft_tcp_peer(const struct weft_tcp *tcp);

/** How a connection does. Bytes unless said otherwise. */
struct weft_tcp_info {
	const char *state; /**< "ESTABLISHED", as RFC 9293 writes it. */
	const char *congestion;
	bool has_sack, has_timestamps, has_wscale, has_ecn;
	bool is_recovering; /**< Something was lost and is sent again. */
	uint32_t mss;
	uint32_t rtt_us, rttvar_us, min_rtt_us; /**< 0: no sample yet. */
	uint64_t rto_us;
	uint32_t cwnd;
	uint32_t ssthresh; /**< UINT32_MAX: none yet. */
	uint32_t in_flight, lost;
	uint32_t peer_window, window; /**< What may be sent; what may be received. */
	size_t unsent, unacked, unread;
	/**
	 * So many bytes to read, of those that have come and that have not, up to the last that is
	 * urgent; 1: the next is the last; 0: nothing is.
	 */
	size_t urgent;
	/** What ICMP has said since something was acknowledged last; 0: nothing. */
	int soft_error;
};

/** Fills in how it does now. */
WEFT_API void weft_tcp_info(const struct weft_tcp *tcp, struct weft_tcp_info *ret_info);

#ifdef __cplusplus
}
#endif
#endif
