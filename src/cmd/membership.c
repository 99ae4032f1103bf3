/* SPDX-License-Identifier: MIT */
/*
 * Order matters at both ends. Opening: state and journal, then the link, then the member,
 * then root's rights are given up, and only then does the loop read its first byte. Closing
 * is the reverse: the member says goodbye while its link still stands, and what was set on
 * the link is undone before it goes.
 */
#include "cmd/membership.h"

#include "cli/facts.h"
#include "cli/privilege.h"
#include "cli/units.h"
#include "cmd/cmd.h"
#include "cmd/conflict.h"
#include "cmd/invitation.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int membership_invitation(const struct command *command, char *operand,
			  struct weft_invite *ret_invite, int *ret_status)
{
	struct weft_error err = { .text = "" };
	int r = invitation_read(command->verb, operand, &err, ret_invite);

	if (r < 0 && err.text[0] == '\0')
		*ret_status = STATUS_FAILED;
	else if (r < 0)
		*ret_status = r == -EINVAL ? options_fail(command, err.text)
					   : output_fail(command->verb, err.text);
	return r;
}

int membership_secrets(const struct command *command, char *operand, struct membership *m,
		       int *ret_status)
{
	int r = membership_invitation(command, operand, &m->invite, ret_status);

	if (r < 0)
		return r;
	r = secret_read_open_token(command->verb, m->args->open_token, m->open_token);
	if (r < 0)
		*ret_status = STATUS_FAILED;
	return r < 0 ? r : 0;
}

static void report_recovered(void *user, const char *text)
{
	struct membership *m = user;

	weft_log_info(&m->output.log, "after an earlier crash: %s", text);
}

int membership_open(struct membership *m, struct weft_error *err)
{
	const struct weft_loop_opts loop_opts = { .busy_poll = m->args->busy_poll };
	struct weft_host_opts host_opts = { .state_dir = NULL };
	char runtime[STATE_PATH_LEN];
	int r = state_open(m->args->state, err, &m->state);

	if (r < 0)
		return r;
	r = weft_loop_new(&loop_opts, &m->loop);
	if (r == 0 && !m->leaves_signals)
		r = stop_on_signals(m->loop);
	if (r < 0)
		return weft_error_set(err, r, "cannot make an event loop: %s",
				      strerror(-r));
	host_opts.state_dir = state_runtime_dir(runtime);
	r = weft_host_new(&host_opts, err, &m->host);
	if (r < 0)
		return r;
	(void)weft_host_recover(m->host, report_recovered, m);
	return 0;
}

const char *membership_device(const struct membership *m)
{
	return m->place ? NULL : weft_link_name(m->link);
}

const char *membership_place(const struct membership *m)
{
	return m->place ? m->place : weft_link_name(m->link);
}

/* Everything that was counted, of the room and of the link; NULL where memory is short. */
static json_t *facts_of(const struct membership *m)
{
	char *text = weft_member_json(m->member, weft_loop_now(m->loop));
	json_t *facts = text ? json_loads(text, 0, NULL) : NULL;

	(void)json_object_set_new(facts, "link",
				  facts_link(membership_place(m), m->link));
	free(text);
	return facts;
}

/* ---- what is asked of it while it runs --------------------------------------------------- */

static json_t *on_asked(void *user, const char *what, const json_t *request,
			struct weft_error *err)
{
	const struct membership *m = user;
	(void)request;
	if (strcmp(what, "status") != 0) {
		(void)weft_error_set(err, -ENOTSUP, "a member does not understand \"%s\"",
				     what);
		return NULL;
	}
	return json_pack("{s:s, s:s?, s:s, s:s, s:o}", "command", m->verb, "device",
			 membership_device(m), "place", membership_place(m), "address",
			 m->address, "facts", facts_of(m));
}

/* A member is one without it, too. What those before it have left is looked for here. */
static void listen_for_questions(struct membership *m)
{
	char runtime[STATE_PATH_LEN];
	struct weft_error err;
	const struct remote_opts opts = { .dir = state_runtime_dir(runtime),
					  .name = m->verb,
					  .fn = on_asked,
					  .user = m };
	struct remote_place left;

	int r = remote_find(runtime, m->verb, &left, 1, &err);
	if (r >= 0)
		r = remote_new(m->loop, &opts, &err, &m->remote);
	if (r < 0)
		weft_log_warning(&m->output.log, "`weft status` will not find this: %s",
				 err.text);
}

/* ---- what is told ------------------------------------------------------------------------ */

static void draw_status(struct membership *m, uint64_t now)
{
	struct weft_member_stats stats = weft_member_stats(m->member);
	char text[OUTPUT_STATUS_LEN];

	rates_update(&m->rates, now, stats.rx_bytes, stats.tx_bytes);
	output_status(&m->output, now,
		      status_member(membership_place(m), m->address, &stats, &m->rates,
				    text, sizeof(text)));
}

/* Why it waits is said once, and not again each time that it is still so. */
static void tell_waiting(struct membership *m, const char *reason)
{
	if (strcmp(reason, m->waiting_for) == 0)
		return;
	(void)snprintf(m->waiting_for, sizeof(m->waiting_for), "%s", reason);
	weft_log_warning(&m->output.log, "%s; trying again", reason);
}

static void on_state(void *user, enum weft_member_state state, const char *reason,
		     uint64_t now)
{
	struct membership *m = user;

	(void)now;
	output_event(&m->output, "state",
		     json_pack("{s:s, s:s}", "state", weft_member_state_name(state),
			       "reason", reason));
	if (state == WEFT_MEMBER_CONNECTING)
		relay_way_on_addresses(&m->way);
	if (state == WEFT_MEMBER_WAITING)
		tell_waiting(m, reason);
	if (state != WEFT_MEMBER_REFUSED)
		return;
	weft_error_set(&m->failure, -ECONNREFUSED, "%s", reason);
	weft_loop_stop(m->loop);
}

static void on_joined(void *user, const struct weft_joined *joined, uint64_t now)
{
	struct membership *m = user;

	m->waiting_for[0] = '\0';
	output_event(&m->output, "joined",
		     json_pack("{s:i, s:i, s:i, s:b}", "peer", joined->peer, "room",
			       joined->room, "mtu", (int)joined->mtu, "gateway",
			       joined->has_gateway));
	weft_log_info(&m->output.log, "joined room %s at %s (MTU %u%s)", m->invite.room,
		      joined->relay, joined->mtu,
		      joined->has_gateway ? ", with a gateway to a LAN" : "");
	if (m->on_joined)
		m->on_joined(m, joined, now);
}

/* A gateway has no MAC of its own: it stands for its whole LAN. */
static void on_peer(void *user, const struct weft_peer *peer, bool is_here,
		    const char *reason, uint64_t now)
{
	const char *what = is_here ? "is here" : "has left";
	const char *colon = reason[0] ? ": " : "";
	bool is_client = peer->role == WEFT_ROLE_CLIENT;
	const char *role = is_client ? "client" : "gateway";
	struct membership *m = user;
	char mac[WEFT_MAC_TEXT];

	(void)now;
	weft_mac_print(peer->mac, mac);
	output_event(&m->output, "peer",
		     json_pack("{s:i, s:s, s:s, s:s*, s:b, s:s}", "peer", peer->id,
			       "role", role, "name", peer->name, "mac",
			       is_client ? mac : NULL, "here", is_here, "reason",
			       reason));
	if (is_client)
		weft_log_info(&m->output.log, "%s (%s) %s%s%s",
			      peer->name[0] ? peer->name : "somebody", mac, what, colon,
			      reason);
	else
		weft_log_info(&m->output.log, "gateway %s %s%s%s", peer->name, what,
			      colon, reason);
	if (m->on_peer)
		m->on_peer(m, peer, is_here);
}

static void on_loop(void *user, bool is_blocked, const char *reason, uint64_t now)
{
	struct membership *m = user;

	(void)now;
	output_event(&m->output, "loop",
		     json_pack("{s:b, s:s}", "blocked", is_blocked, "reason", reason));
	if (is_blocked)
		weft_log_warning(&m->output.log, "the LAN is cut off from the room: %s",
				 reason);
	else
		weft_log_info(&m->output.log,
			      "the loop is gone: LAN and room are joined again");
}

static void on_duplicate(void *user, const struct weft_ip *address, struct weft_mac mac,
			 bool is_first)
{
	conflict_tell(user, address, mac,
		      is_first ? "this machine does not use it; give one of you another"
			       : "one of you needs another address");
}

static bool on_frame(void *user, const struct weft_frame *frame, uint64_t now)
{
	struct membership *m = user;

	return m->from_room && m->from_room(m, frame, now);
}

/* With --json: each minute, and as the last word. */
static void print_facts(struct membership *m)
{
	if (m->member && m->output.json)
		output_event(&m->output, "facts", facts_of(m));
}

static void tick(void *user, uint64_t now)
{
	struct membership *m = user;

	draw_status(m, now);
	if (output_facts_are_due(&m->output, now))
		print_facts(m);
	if (m->on_tick)
		m->on_tick(m);
	if (!weft_link_is_down(m->link))
		return;
	weft_error_set(&m->failure, -ENODEV, "%s is gone", membership_place(m));
	weft_loop_stop(m->loop);
}

void membership_own_name(char buf[WEFT_MEMBER_NAME_MAX + 1])
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	name[strcspn(name, ".")] = '\0';
	name[WEFT_MEMBER_NAME_MAX] = '\0';
	(void)snprintf(buf, WEFT_MEMBER_NAME_MAX + 1, "%s",
		       weft_room_name_is_valid(name) ? name : "");
}

static int make_member(struct membership *m, enum weft_role role, struct weft_mac mac,
		       struct weft_error *err)
{
	static const struct weft_member_events events = { .state = on_state,
							  .joined = on_joined,
							  .peer = on_peer,
							  .duplicate = on_duplicate,
							  .loop = on_loop,
							  .from_room = on_frame };
	char name[WEFT_MEMBER_NAME_MAX + 1];
	struct weft_member_opts opts = {
		.invite = m->invite,
		.role = role,
		.link = m->link,
		.mac = mac,
		.claims = m->has_stations,
		.no_upkeep = m->args->no_upkeep,
		.name = m->args->name,
		.ca_file = m->args->ca,
		.events = &events,
		.user = m,
		.log = &m->output.log,
		.cc = (enum weft_cc)m->args->cc,
		.open_token = m->open_token[0] ? m->open_token : NULL,
	};

	membership_own_name(name);
	if (!opts.name)
		opts.name = name;
	int r = weft_member_new(&opts, m->loop, err, &m->member);
	sodium_memzero(m->open_token, sizeof(m->open_token));
	return r;
}

static int watch_link(struct membership *m, struct weft_error *err)
{
	int r = weft_loop_add(m->loop, weft_link_task(m->link));
	if (r == 0)
		r = ticker_start(&m->ticker, m->loop, NS_PER_S, tick, m);
	return r == 0 ? 0
		      : weft_error_set(err, r, "cannot watch %s: %s", membership_place(m),
				       strerror(-r));
}

/* Keeps what this machine's addresses need, and the files that plugs make. */
static int drop_rights(struct membership *m, struct weft_error *err)
{
	struct writable writable = { .n = 0 };
	struct privilege_opts privilege = { .keep_net_admin = !m->has_stations &&
							      !m->args->rootless.is_user,
					    .writable = &writable };
	char runtime[STATE_PATH_LEN];
	writable_add(&writable, state_runtime_dir(runtime));
	for (size_t i = 0; i < m->args->plugs.n; i++)
		privilege.keep_net_admin |=
			writable_add_spec(&writable, m->args->plugs.items[i]);
	return privilege_drop(&privilege, err);
}

int membership_run(struct membership *m, enum weft_role role, struct weft_mac mac,
		   struct weft_error *err)
{
	int r = make_member(m, role, mac, err);
	if (r < 0)
		return r;
	if (m->args->ca && m->invite.has_pin)
		weft_log_warning(
			&m->output.log,
			"--ca is not used: the invitation holds the relay's key");
	r = watch_link(m, err);
	if (r < 0)
		return r;
	listen_for_questions(m);
	m->way = (struct relay_way){ .host = m->host,
				     .loop = m->loop,
				     .member = m->member,
				     .output = &m->output };
	relay_way_begin(&m->way, m->has_device ? weft_link_name(m->link) : NULL);
	r = drop_rights(m, err);
	if (r < 0)
		return r;
	weft_loop_run(m->loop);
	if (m->failure.text[0])
		return weft_error_set(err, -ECONNABORTED, "%s", m->failure.text);
	return 0;
}

void membership_close(struct membership *m)
{
	bool was_in =
		m->member && weft_member_stats(m->member).state == WEFT_MEMBER_JOINED;

	print_facts(m);
	remote_free(m->remote);
	weft_member_free(m->member);
	relay_way_end(&m->way); /* The goodbye still took it. */
	if (m->loop && m->link) {
		weft_loop_remove(m->loop, weft_link_task(m->link));
		ticker_stop(&m->ticker, m->loop);
	}
	weft_host_free(m->host);
	weft_link_free(m->link);
	weft_loop_free(m->loop);
	output_end(&m->output);
	if (was_in)
		weft_log_info(&m->output.log, "left room %s", m->invite.room);
}
