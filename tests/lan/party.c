/* SPDX-License-Identifier: MIT */
/*
 * One identity serves all relays of a test program: making it costs more than many tests.
 */
#include "party.h"

#include "../unit.h"

#include <stdio.h>
#include <string.h>

#define DELAY_MS 5u

const struct weft_mac party_lan_host = { { 0x00, 0x16, 0x3e, 0, 0, 7 } };

/* ---- probes ------------------------------------------------------------------------------ */

static size_t probe_send(struct weft_link *link, const struct weft_frame *frames,
			 size_t n, uint64_t now)
{
	(void)now;
	struct probe *probe = container_of(link, struct probe, link);
	for (size_t i = 0; i < n; i++) {
		assert_in_range(frames[i].len, 14, sizeof(probe->last));
		memcpy(probe->last, frames[i].data, frames[i].len);
		probe->last_len = frames[i].len;
		probe->frames++;
	}
	return n;
}

void probe_init(struct probe *probe)
{
	static const struct link_ops ops = { .send = probe_send };
	const struct weft_link_caps caps = { .frame_len_max = sizeof(probe->last) };
	*probe = (struct probe){ .frames = 0 };
	link_init(&probe->link, &ops, "probe", -1, caps);
}

void probe_sends(struct probe *probe, struct weft_mac src, struct weft_mac dst,
		 size_t len, uint64_t now)
{
	uint8_t bytes[4096];
	assert_in_range(len, 14, sizeof(bytes));
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
	memcpy(bytes, dst.octet, 6);
	memcpy(bytes + 6, src.octet, 6);
	const struct weft_frame frame = { .data = bytes, .len = (uint32_t)len };
	link_deliver(&probe->link, &frame, 1, now);
}

/* ---- the relay --------------------------------------------------------------------------- */

static void on_member(void *user, const char *room, const struct weft_peer *peer,
		      bool is_here, const char *reason)
{
	(void)room, (void)peer;
	struct party *party = user;
	if (is_here) {
		party->joins++;
		return;
	}
	party->leaves++;
	(void)snprintf(party->reason, sizeof(party->reason), "%s", reason);
}

static void on_drained(void *user)
{
	struct party *party = user;
	party->is_drained = true;
}

static const struct party *party_at(const struct venue *venue)
{
	return container_of_const(venue, struct party, venue);
}

static uint64_t venue_now(const struct venue *venue)
{
	return sim_now(party_at(venue)->sim);
}

static struct dgram *venue_socket(const struct venue *venue, uint8_t number)
{
	char address[32];
	(void)snprintf(address, sizeof(address), "10.0.2.%u:999", number);
	return sim_socket(party_at(venue)->sim, address);
}

static void venue_add(const struct venue *venue, struct weft_task *task)
{
	sim_add(party_at(venue)->sim, task);
}

static void venue_remove(const struct venue *venue, struct weft_task *task)
{
	sim_remove(party_at(venue)->sim, task);
}

static struct venue venue_in_memory(void)
{
	struct venue venue = { .invite = { .host = "10.0.0.1",
					   .port = 443,
					   .room = "FRIDAY",
					   .has_pin = true,
					   .secret = "0123456789abcde" },
			       .now = venue_now,
			       .socket = venue_socket,
			       .add = venue_add,
			       .remove = venue_remove };
	assert_int_equal(weft_listen_parse(PARTY_RELAY, &venue.relay), 0);
	return venue;
}

void party_init(struct party *party, uint64_t seed)
{
	static const uint8_t secret[32] = { 7 };
	const struct sim_link link = { .delay_ns = sim_ms(DELAY_MS) };
	*party = (struct party){ .sim = sim_new(seed), .venue = venue_in_memory() };
	sim_set_default_link(party->sim, &link);
	assert_int_equal(weft_relay_make_identity(&party->cert, &party->key), 0);
	party->relay_opts = (struct weft_relay_opts){ .cert_pem = party->cert,
						      .key_pem = party->key,
						      .secret = secret,
						      .member = on_member,
						      .drained = on_drained,
						      .user = party };
}

void party_open_relay(struct party *party)
{
	struct weft_error err = { "" };
	party->relay_socket = sim_socket(party->sim, PARTY_RELAY);
	int r = relay_new_on(&party->relay_opts, party->relay_socket, &err,
			     &party->relay);
	if (r < 0)
		print_error("%s\n", err.text);
	assert_int_equal(r, 0);
	weft_relay_pin(party->relay, party->venue.invite.pin);
	sim_add(party->sim, weft_relay_task(party->relay));
}

void party_close_relay(struct party *party)
{
	if (!party->relay)
		return;
	sim_remove(party->sim, weft_relay_task(party->relay));
	weft_relay_free(party->relay);
	party->relay = NULL;
}

void party_kill_relay(struct party *party)
{
	const struct sim_link dead = { .is_down = true };
	sim_set_link(party->relay_socket, &dead);
	party_close_relay(party);
}

void party_fini(struct party *party)
{
	party_close_relay(party);
	sim_free(party->sim);
	free(party->cert);
	free(party->key);
}

void party_run(struct party *party, uint64_t ms)
{
	sim_run(party->sim, sim_now(party->sim) + sim_ms(ms));
}

/* ---- guests ------------------------------------------------------------------------------ */

static void on_state(void *user, enum weft_member_state state, const char *reason,
		     uint64_t now)
{
	(void)now;
	struct guest *guest = user;
	guest->waits_n += state == WEFT_MEMBER_WAITING;
	guest->refusals_n += state == WEFT_MEMBER_REFUSED;
	if (reason[0])
		(void)snprintf(guest->reason, sizeof(guest->reason), "%s", reason);
}

static void on_joined(void *user, const struct weft_joined *joined, uint64_t now)
{
	(void)now;
	struct guest *guest = user;
	guest->joined_n++;
	guest->joined = *joined;
}

static void on_peer(void *user, const struct weft_peer *peer, bool is_here,
		    const char *reason, uint64_t now)
{
	(void)now;
	struct guest *guest = user;
	guest->came_n += is_here;
	guest->left_n += !is_here;
	guest->peer = *peer;
	(void)snprintf(guest->peer_reason, sizeof(guest->peer_reason), "%s", reason);
}

static bool from_room(void *user, const struct weft_frame *frame, uint64_t now)
{
	(void)frame, (void)now;
	struct guest *guest = user;
	guest->seen++;
	return guest->takes_frames;
}

void guest_init(struct guest *guest, struct party *party, const char *name,
		uint8_t number)
{
	static const struct weft_member_events events = {
		.state = on_state,
		.joined = on_joined,
		.peer = on_peer,
		.from_room = from_room,
	};
	*guest = (struct guest){ .party = party };
	probe_init(&guest->probe);
	(void)snprintf(guest->address, sizeof(guest->address), "10.0.1.%u:1000", number);
	struct weft_member_opts *opts = &guest->opts;
	opts->invite = party->venue.invite;
	opts->role = number == 0 ? WEFT_ROLE_GATEWAY : WEFT_ROLE_CLIENT;
	opts->mac = guest_mac(number);
	opts->name = name;
	opts->link = &guest->probe.link;
	opts->no_upkeep = true; /* Tests of other things count frames. */
	opts->events = &events;
	opts->user = guest;
}

void guest_start(struct guest *guest)
{
	static const uint8_t secret[32] = { 9 };
	struct party *party = guest->party;
	struct weft_error err = { "" };
	guest->socket = sim_socket(party->sim, guest->address);
	const struct member_env env = { .dgram = guest->socket,
					.secret = secret,
					.seed = sim_now(party->sim),
					.now = sim_now(party->sim) };
	int r = member_new_on(&guest->opts, &env, &err, &guest->member);
	if (r < 0)
		print_error("%s\n", err.text);
	assert_int_equal(r, 0);
	sim_add(party->sim, member_task(guest->member));
}

struct awaited {
	const struct guest *guest;
	enum weft_member_state state;
};

static bool is_reached(void *user)
{
	const struct awaited *awaited = user;
	return weft_member_stats(awaited->guest->member).state == awaited->state;
}

bool guest_reaches(struct guest *guest, enum weft_member_state state, uint64_t ms)
{
	struct awaited awaited = { .guest = guest, .state = state };
	struct sim *sim = guest->party->sim;
	return sim_run_until(sim, is_reached, &awaited, sim_now(sim) + sim_ms(ms));
}

void guest_join(struct guest *guest, struct party *party, const char *name,
		uint8_t number)
{
	guest_init(guest, party, name, number);
	guest_start(guest);
	if (!guest_reaches(guest, WEFT_MEMBER_JOINED, 5000))
		fail_msg("%s could not join: %s", name, guest->reason);
}

void guest_leave(struct guest *guest)
{
	sim_remove(guest->party->sim, member_task(guest->member));
	weft_member_free(guest->member);
	guest->member = NULL;
}

void guest_crash(struct guest *guest)
{
	const struct sim_link dead = { .is_down = true };
	sim_set_link(guest->socket, &dead);
	guest_leave(guest);
}

void guest_sends(struct guest *guest, struct weft_mac dst)
{
	probe_sends(&guest->probe, guest->opts.mac, dst, 60, sim_now(guest->party->sim));
	party_run(guest->party, 3 * DELAY_MS);
}

unsigned guest_got(struct guest *guest)
{
	unsigned frames = guest->probe.frames;
	guest->probe.frames = 0;
	return frames;
}
