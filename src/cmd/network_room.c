/* SPDX-License-Identifier: MIT */
/*
 * A room as a program's network. The address is the relay's offer, or with a LAN in the room its
 * DHCP server's, which is the host's own to ask.
 */
#include "cli/secret.h"
#include "cmd/cmd.h"
#include "cmd/invitation.h"
#include "cmd/membership.h"
#include "cmd/network.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Frames on the way between the program and the member. */
#define PAIR_LEN 4096u

/* Why it waits is said once, and not again each time that it is still so. */
static void tell_waiting(struct network *n, const char *reason)
{
	if (strcmp(reason, n->waiting_for) == 0)
		return;
	(void)snprintf(n->waiting_for, sizeof(n->waiting_for), "%s", reason);
	weft_log_warning(&n->output->log, "%s: %s; trying again", n->title, reason);
}

static void on_state(void *user, enum weft_member_state state, const char *reason,
		     uint64_t now)
{
	struct network *n = user;
	(void)now;
	if (state == WEFT_MEMBER_WAITING)
		tell_waiting(n, reason);
	if (state == WEFT_MEMBER_REFUSED)
		network_fail(n, reason);
}

static void on_joined(void *user, const struct weft_joined *joined, uint64_t now)
{
	struct network *n = user;
	(void)now;
	n->waiting_for[0] = '\0';
	weft_log_info(&n->output->log, "joined room %s at %s (MTU %u%s)", n->invite.room,
		      n->invite.host, joined->mtu,
		      joined->has_gateway ? ", with a gateway to a LAN" : "");
	n->terms =
		(struct network_terms){ .mtu = joined->mtu,
					.has_lan = joined->has_gateway,
					.names = names_of_room(joined, n->invite.room) };
	if (joined->address.family && !joined->has_gateway)
		n->terms.ips[n->terms.ips_n++] = joined->address;
	network_entered(n);
}

/* A LAN that comes later has addresses of its own. */
static void on_peer(void *user, const struct weft_peer *peer, bool is_here,
		    const char *reason, uint64_t now)
{
	struct network *n = user;
	(void)reason;
	(void)now;
	if (peer->role != WEFT_ROLE_GATEWAY || !is_here || n->terms.has_lan)
		return;
	n->terms.has_lan = true;
	network_entered(n);
}

/* Locally administered, and of one station. */
static void choose_mac(struct network *n)
{
	if (!weft_mac_is_zero(n->mac))
		return;
	randombytes_buf(n->mac.octet, sizeof(n->mac.octet));
	n->mac.octet[0] = (uint8_t)((n->mac.octet[0] | 0x02) & ~0x01);
}

static int make_member(struct network *n, const char *open_token, struct weft_error *err)
{
	static const struct weft_member_events events = { .state = on_state,
							  .joined = on_joined,
							  .peer = on_peer };
	char name[WEFT_MEMBER_NAME_MAX + 1];
	membership_own_name(name);
	const struct weft_member_opts opts = {
		.invite = n->invite,
		.role = WEFT_ROLE_CLIENT,
		.link = n->far,
		.mac = n->mac,
		.name = n->name ? n->name : name,
		.events = &events,
		.user = n,
		.log = &n->output->log,
		.claims = n->has_stations,
		.open_token = open_token[0] ? open_token : NULL,
	};
	return weft_member_new(&opts, n->loop, err, &n->member);
}

static int join(struct network *n, const char *open_token)
{
	struct weft_error err = { "out of memory" };
	int r = sodium_init();
	if (r >= 0)
		r = weft_link_pair(PAIR_LEN, &n->link, &n->far);
	if (r == 0)
		r = weft_loop_add(n->loop, weft_link_task(n->far));
	if (r < 0)
		return output_fail(n->command->verb, err.text);
	choose_mac(n);
	r = make_member(n, open_token, &err);
	return r < 0 ? output_fail(n->command->verb, err.text) : STATUS_OK;
}

int network_open_room(struct network *n, char *text)
{
	struct weft_error err;
	char open_token[SECRET_LEN] = "";
	const bool is_in_file = strncmp(text, "weft:@", strlen("weft:@")) == 0;
	int r = invitation_read(n->command->verb,
				is_in_file ? text + strlen("weft:") : text, &err,
				&n->invite);
	if (r < 0 && err.text[0] == '\0')
		return STATUS_FAILED;
	if (r < 0)
		return output_fail_link(n->command->verb, r, err.text);
	(void)snprintf(n->title, sizeof(n->title), "room %s", n->invite.room);
	if (secret_read_open_token(n->command->verb, NULL, open_token) < 0)
		return STATUS_FAILED;
	const int status = join(n, open_token);
	sodium_memzero(open_token, sizeof(open_token));
	return status;
}
