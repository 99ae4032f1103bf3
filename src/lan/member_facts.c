/* SPDX-License-Identifier: MIT */
/*
 * What a member has to tell, as one JSON object.
 */
#include "lan/facts.h"
#include "lan/member.h"

#include <jansson.h>

static json_t *peers_facts(const struct weft_member *member)
{
	json_t *peers = json_array();
	list_for_each (node, &member->roster.entries)
		(void)json_array_append_new(
			peers,
			facts_of_peer(
				&container_of(node, struct roster_entry, node)->peer));
	return peers;
}

static json_t *session_facts(const struct weft_member *member)
{
	uint64_t counts[SESSION_OUTCOMES];
	for (unsigned i = 0; i < SESSION_OUTCOMES; i++)
		counts[i] = member->gone_counts[i] +
			    (member->room_port ? member->session.counts[i] : 0);
	return facts_of_session(counts);
}

/* What holds only while the member is in the room. */
static void add_joined(json_t *object, const struct weft_member *member)
{
	const struct weft_joined *joined = &member->joined;
	char text[WEFT_IP_TEXT];
	(void)json_object_set_new(object, "id", json_integer(joined->peer));
	(void)json_object_set_new(object, "room_id", json_integer(joined->room));
	(void)json_object_set_new(object, "mtu", json_integer(joined->mtu));
	(void)json_object_set_new(object, "gateway", json_boolean(joined->has_gateway));
	if (joined->address.family != 0)
		(void)json_object_set_new(
			object, "offered_address",
			json_string(weft_ip_print(&joined->address, text)));
	(void)json_object_set_new(object, "peers", peers_facts(member));
}

/* What a gateway has done for its LAN, and heard of loops. */
static json_t *upkeep_facts(const struct weft_member *member)
{
	const struct loopcheck *check = &member->loopcheck;
	json_t *object = json_pack("{s:b, s:I}", "blocked", (int)check->is_blocked,
				   "refreshed", (json_int_t)member->refresh.sent);
	for (unsigned i = LOOPCHECK_FOREIGN; i < LOOPCHECK_VERDICTS; i++)
		if (check->counts[i] > 0)
			(void)json_object_set_new(
				object, loopcheck_verdict_name(i),
				json_integer((json_int_t)check->counts[i]));
	return object;
}

char *weft_member_json(const struct weft_member *member, uint64_t now)
{
	const struct weft_member_stats stats = weft_member_stats(member);
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, "
		"s:o}",
		"state", weft_member_state_name(member->state), "reason", member->reason,
		"room", member->opts.invite.room, "relay", member_relay_host(member),
		"port", (int)member_relay_port(member), "now_ns", (json_int_t)now,
		"rx_frames", (json_int_t)stats.rx_frames, "tx_frames",
		(json_int_t)stats.tx_frames, "rx_bytes", (json_int_t)stats.rx_bytes,
		"tx_bytes", (json_int_t)stats.tx_bytes, "drops", (json_int_t)stats.drops,
		"joins", (json_int_t)member->joins, "session", session_facts(member),
		"bridge", facts_of_port(member->bridge, NULL), "helped",
		facts_of_help(member->bridge));
	if (object && member->room_port)
		add_joined(object, member);
	if (object && member->opts.role == WEFT_ROLE_GATEWAY)
		(void)json_object_set_new(object, "upkeep", upkeep_facts(member));
	if (object && member->conn)
		(void)json_object_set_new(object, "path", facts_of_conn(member->conn));
	return facts_print(object);
}
