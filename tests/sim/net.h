/* SPDX-License-Identifier: MIT */
/*
 * A network in memory and in virtual time: sockets behind the dgram interface, joined by
 * links that lose, delay, reorder and limit as they are told, from one seed.
 *
 *   socket --> [ rate, queue ] --> [ loss ] --> [ delay, jitter ] --> socket
 *              what it sends goes by its own link; a duplicate takes the way twice
 *
 * Any weft_task can be run in it: those of endpoints find their socket by the task's fd,
 * which is a number of the simulation's own; others have deadlines only. Nothing sleeps.
 *
 *     struct sim *sim = sim_new(1);
 *     struct dgram *server = sim_socket(sim, "10.0.0.1:443");
 *     ... make an endpoint with it ...
 *     sim_add(sim, quic_endpoint_task(endpoint));
 *     sim_run(sim, sim_now(sim) + sim_ms(500));
 *     sim_free(sim);                                  // after the endpoints
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "io/dgram.h"

#include <weft/addr.h>
#include <weft/loop.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;

/** How a link treats what is sent over it. All zero: instant and perfect. */
struct sim_link {
	uint64_t delay_ns;  /**< One way. */
	uint64_t jitter_ns; /**< Up to this much is added, so that packets overtake. */
	double loss;        /**< Probability 0..1. */
	double duplication; /**< Probability 0..1. */
	uint64_t rate_bps;  /**< Bits per second; 0 for no limit. */
	size_t queue_len;   /**< Bytes that wait for the rate; 0 for 64 KiB. */
	size_t payload_max; /**< Longer datagrams vanish, as behind a small MTU; 0 for none. */
	bool is_down;       /**< Nothing passes. */
};

/** What has become of the datagrams. */
struct sim_stats {
	uint64_t sent, delivered, lost, too_long, overflowed, unreachable;
};

/** Makes a network; the seed decides every random choice. Ends the program without memory. */
struct sim *sim_new(uint64_t seed);

/** Frees it; sockets that were not freed are freed too. */
void sim_free(struct sim *sim);

/** Virtual time in ns; it begins at one second. */
uint64_t sim_now(const struct sim *sim);

/** Milliseconds in ns. */
static inline uint64_t sim_ms(uint64_t ms)
{
	return ms * 1000000u;
}

/** Opens a socket at an address as weft_hostport_parse reads it: "10.0.0.1:443". */
struct dgram *sim_socket(struct sim *sim, const char *address);

/** The link that new sockets get. */
void sim_set_default_link(struct sim *sim, const struct sim_link *link);

/** The link by which a socket sends. */
void sim_set_link(struct dgram *d, const struct sim_link *link);

/** What others see as the socket's address from now on: a NAT has changed its mind. */
void sim_set_public(struct dgram *d, const char *address);

/** While full, a socket takes nothing (its send returns 0). */
void sim_set_full(struct dgram *d, bool is_full);

/** Puts a datagram on the way as if from had sent it, whoever holds that address. */
void sim_inject(struct sim *sim, const char *from, const union weft_sockaddr *to,
		const uint8_t *data, size_t len);

/** Sees (and may change the bytes of) each datagram that is sent; NULL for nobody. */
void sim_set_tap(struct sim *sim, void (*tap)(void *user, const struct dgram_msg *msg),
		 void *user);

/** Puts a task into the simulation; it stays the caller's. */
void sim_add(struct sim *sim, struct weft_task *task);

/** Takes it out; harmless if it is not in. Allowed from within its own run. */
void sim_remove(struct sim *sim, struct weft_task *task);

/** Runs all tasks until virtual time is `until`. */
void sim_run(struct sim *sim, uint64_t until);

/** Runs until done(user), at most until `until`. Returns what done said last. */
bool sim_run_until(struct sim *sim, bool (*done)(void *user), void *user, uint64_t until);

struct sim_stats sim_stats(const struct sim *sim);

#endif
