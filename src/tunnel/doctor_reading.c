/* SPDX-License-Identifier: MIT */
/*
 * From trials to facts. What the server tells (JSON) is read as somebody else's text: what is
 * missing or of another type counts as zero.
 */
#include "base/time.h"
#include "tunnel/doctor_exam.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REQUEST_TIMEOUT     408u
#define SERVICE_UNAVAILABLE 503u

/* What weft answers to a wrong token, and nobody else. */
#define WEFT_FORBIDDEN_LEN "9"

/* ---- who answers ------------------------------------------------------------------------- */

static bool has_word(const char *text, const char *word)
{
	for (; *text; text++)
		if (strncasecmp(text, word, strlen(word)) == 0)
			return true;
	return false;
}

static enum doctor_proxy named_proxy(const char *text)
{
	static const char *const words[DOCTOR_KNOWN] = {
		[DOCTOR_NGINX] = "nginx",
		[DOCTOR_CADDY] = "caddy",
		[DOCTOR_HAPROXY] = "haproxy",
		[DOCTOR_APACHE] = "apache",
	};
	for (unsigned i = 0; i < DOCTOR_KNOWN; i++)
		if (has_word(text, words[i]))
			return (enum doctor_proxy)i;
	return DOCTOR_OTHER;
}

/* HAProxy gives no name, and its own pages have these headers. */
static bool is_haproxy_page(const struct trial *trial)
{
	return trial->status >= 400 && !trial->server[0] &&
	       strcmp(trial->cache, "no-cache") == 0 &&
	       strcmp(trial->type, "text/html") == 0;
}

static json_t *text_json(const struct trial *trial)
{
	json_t *object = trial_is_good(trial) ? json_loads(trial->text, 0, NULL) : NULL;
	return object ? object : json_object();
}

static bool has_traces(const struct trial *look)
{
	static const char *const names[] = { "via", "x-forwarded-for", "forwarded",
					     "x-forwarded-proto" };
	json_t *object = text_json(look);
	const json_t *headers = json_object_get(object, "headers");
	bool has = look->server[0] || look->via[0];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		has |= json_object_get(headers, names[i]) != NULL;
	json_decref(object);
	return has;
}

static enum doctor_proxy find_proxy(const struct exam *exam)
{
	const struct trial *look = &exam->trials[EXAM_LOOK];
	enum doctor_proxy proxy = named_proxy(look->server);
	if (proxy == DOCTOR_OTHER)
		proxy = named_proxy(look->via);
	if (proxy != DOCTOR_OTHER)
		return proxy;
	if (is_haproxy_page(look) || is_haproxy_page(&exam->trials[EXAM_ODD]))
		return DOCTOR_HAPROXY;
	return has_traces(look) ? DOCTOR_OTHER : DOCTOR_NO_PROXY;
}

bool exam_is_anonymous(const struct exam *exam)
{
	return find_proxy(exam) >= DOCTOR_OTHER;
}

/* ---- whether there is a server ----------------------------------------------------------- */

static enum doctor_reach reach_of(const struct trial *look)
{
	if (look->has_doctor && trial_is_good(look))
		return DOCTOR_REACHED;
	if (look->has_doctor && look->status == SERVICE_UNAVAILABLE)
		return DOCTOR_FULL;
	if (look->status == 0)
		return DOCTOR_NO_ANSWER;
	if (look->has_conf)
		return DOCTOR_OLD_SERVER;
	if (look->status >= 300 && look->status < 400 && look->location[0])
		return DOCTOR_REDIRECTED;
	if (look->status == 403 && !look->type[0] &&
	    strcmp(look->length, WEFT_FORBIDDEN_LEN) == 0)
		return DOCTOR_WRONG_TOKEN;
	if (look->status == 401 || look->status == 403 || look->status == 407)
		return DOCTOR_BARRED;
	return look->status >= 502 && look->status <= 504 ? DOCTOR_NO_BACKEND
							  : DOCTOR_ELSEWHERE;
}

static json_int_t since(const struct trial *trial)
{
	json_t *object = text_json(trial);
	json_int_t value = json_integer_value(json_object_get(object, "since"));
	json_decref(object);
	return value;
}

static bool is_readable(const struct trial *report)
{
	json_t *object = text_json(report);
	const bool has_puts = json_is_array(json_object_get(object, "puts"));
	json_decref(object);
	return has_puts;
}

static bool has_room(const struct exam *exam)
{
	for (unsigned i = 0; i < EXAM_TRIALS; i++)
		if (reach_of(&exam->trials[i]) == DOCTOR_FULL)
			return false;
	return true;
}

/* Of a server that was reached: whether it was the same one all the time. */
static enum doctor_reach reach_in_all(const struct exam *exam)
{
	const struct trial *look = &exam->trials[EXAM_LOOK];
	const struct trial *report = &exam->trials[EXAM_REPORT];
	if (reach_of(look) != DOCTOR_REACHED || !report->is_made)
		return reach_of(look);
	if (!has_room(exam))
		return DOCTOR_FULL;
	if (reach_of(report) != DOCTOR_REACHED)
		return DOCTOR_GONE;
	if (!is_readable(report))
		return report->encoding[0] ? DOCTOR_REACHED : DOCTOR_GONE;
	return since(look) == since(report) ? DOCTOR_REACHED : DOCTOR_RESTARTED;
}

bool exam_is_reached(const struct exam *exam)
{
	return reach_of(&exam->trials[EXAM_LOOK]) == DOCTOR_REACHED;
}

bool exam_has_http2(const struct exam *exam)
{
	const struct trial *look = &exam->trials[EXAM_LOOK2];
	return trial_is_good(look) && look->version == 20;
}

void exam_note_turn(struct exam *exam)
{
	const struct trial *turn = &exam->trials[EXAM_TURN];
	if (!trial_is_good(turn))
		return;
	uint64_t rtt = turn->head_at - turn->begun_at;
	if (exam->rtt_ns == 0 || rtt < exam->rtt_ns)
		exam->rtt_ns = rtt;
}

void exam_note_pace(struct exam *exam, uint64_t due, uint64_t now)
{
	const uint64_t took = now - due;
	if (took > exam->rtt_ns && took - exam->rtt_ns > exam->late_ns)
		exam->late_ns = took - exam->rtt_ns;
}

bool exam_has_pieces(const struct exam *exam)
{
	static const enum exam_trial which[] = { EXAM_DRIP, EXAM_SIP, EXAM_DRIP2,
						 EXAM_SIP2 };
	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++)
		if (exam->trials[which[i]].stream)
			return true;
	return false;
}

/* ---- what the server has noted of a PUT -------------------------------------------------- */

struct noted {
	bool is_there;
	uint64_t bytes, last_ms;
	struct trial_delays delays;
};

/* No examination has more milliseconds or bytes. */
static uint64_t number_at(const json_t *array, size_t i)
{
	json_int_t value = json_integer_value(json_array_get(array, i));
	if (value > UINT32_MAX)
		return UINT32_MAX;
	return value > 0 ? (uint64_t)value : 0;
}

static void read_notes(const json_t *notes, const struct trial *trial,
		       struct noted *ret_noted)
{
	uint64_t before = 0;
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *note = json_array_get(notes, i);
		ret_noted->last_ms = number_at(note, 0);
		ret_noted->bytes = number_at(note, 1);
		trial_delays_note(&ret_noted->delays, &trial->spec.pieces, before,
				  ret_noted->bytes, (int64_t)ret_noted->last_ms);
		before = ret_noted->bytes;
	}
}

/* A report that cannot be read, as it is compressed, blames nobody: all may have come. */
static struct noted noted_of(const struct exam *exam, enum exam_trial which)
{
	json_t *object = text_json(&exam->trials[EXAM_REPORT]);
	const json_t *puts = json_object_get(object, "puts");
	struct noted noted = { .is_there = !puts,
			       .bytes = puts ? 0 : exam->trials[which].out_len };
	for (size_t i = 0; i < json_array_size(puts); i++) {
		const json_t *put = json_array_get(puts, i);
		if (json_integer_value(json_object_get(put, "part")) != (int)which)
			continue;
		noted = (struct noted){ .is_there = true }; /* The last of several. */
		read_notes(json_object_get(put, "notes"), &exam->trials[which], &noted);
	}
	json_decref(object);
	return noted;
}

/* ---- the facts --------------------------------------------------------------------------- */

static uint64_t rate_bps(uint64_t bytes, uint64_t ns)
{
	return ns > 0 ? (uint64_t)((double)bytes * 8.0 * (double)NS_PER_S / (double)ns)
		      : 0;
}

static uint64_t pieces_len(const struct trial *trial)
{
	return (uint64_t)trial->spec.pieces.count * trial->spec.pieces.size;
}

static struct doctor_way way_down(const struct exam *exam, enum exam_trial which)
{
	const struct trial *trial = &exam->trials[which];
	return (struct doctor_way){
		.is_tried = trial->is_made,
		.is_cut = !trial_is_good(trial) || trial->in_len < pieces_len(trial),
		.status = trial->status,
		.held_ms = trial_delays_held_ms(&trial->delays),
	};
}

static struct doctor_way way_up(const struct exam *exam, enum exam_trial which)
{
	const struct trial *trial = &exam->trials[which];
	const struct noted noted = noted_of(exam, which);
	return (struct doctor_way){
		.is_tried = trial->is_made,
		.is_refused = !noted.is_there && trial->status >= 400 &&
			      trial->status != REQUEST_TIMEOUT,
		.is_cut = !trial_is_good(trial) || noted.bytes < pieces_len(trial),
		.status = trial->status,
		.held_ms = trial_delays_held_ms(&noted.delays),
	};
}

static struct doctor_patience patience(const struct exam *exam, enum exam_trial which)
{
	const struct trial *trial = &exam->trials[which];
	const struct trial_pieces *pieces = &trial->spec.pieces;
	const uint64_t moved =
		trial->spec.is_put ? noted_of(exam, which).bytes : trial->in_len;
	return (struct doctor_patience){
		.is_tried = trial->is_made,
		.is_cut = trial->is_made &&
			  (!trial_is_good(trial) || moved < pieces_len(trial)),
		.tried_ns = trial->is_made ? (uint64_t)(pieces->count - 1) *
						     pieces->gap_ms * NS_PER_MS
					   : 0,
		.cut_ns = trial->over_at - trial->begun_at,
		.status = trial->status,
	};
}

static const char *failure_of(const struct exam *exam, enum doctor_reach reach)
{
	const struct trial *last =
		&exam->trials[reach == DOCTOR_GONE ? EXAM_REPORT : EXAM_LOOK];
	if (last->is_given_up)
		return "No whole answer came in time";
	return trial_is_good(last) ? "The last answer cannot be read" : last->err.text;
}

static void read_look(const struct exam *exam, struct doctor_facts *facts)
{
	const struct trial *look = &exam->trials[EXAM_LOOK];
	json_t *object = text_json(look);
	const json_t *headers = json_object_get(object, "headers");
	facts->reach = reach_in_all(exam);
	facts->status = look->status;
	(void)snprintf(facts->failure, sizeof(facts->failure), "%s",
		       failure_of(exam, facts->reach));
	(void)snprintf(facts->location, sizeof(facts->location), "%s", look->location);
	facts->has_forwarded = json_object_get(headers, "x-forwarded-for") != NULL;
	facts->is_compressed = look->encoding[0] || exam->trials[EXAM_REPORT].encoding[0];
	facts->summary.version = look->version;
	facts->summary.version_up =
		(unsigned)json_integer_value(json_object_get(object, "version"));
	json_decref(object);
}

static void read_head(const struct exam *exam, struct doctor_facts *facts)
{
	const struct trial *trial = &exam->trials[EXAM_HEAD];
	json_t *object = text_json(trial);
	const json_t *headers = json_object_get(object, "headers");
	facts->head_status = trial->status;
	facts->is_head_cut = json_integer_value(json_object_get(headers, "x-pad")) == 0;
	json_decref(object);
}

static void read_loads(const struct exam *exam, struct doctor_facts *facts)
{
	const struct trial *down = &exam->trials[EXAM_FLOOD_DOWN];
	const struct trial *up = &exam->trials[EXAM_FLOOD_UP];
	const struct noted noted = noted_of(exam, EXAM_FLOOD_UP);
	/* On a slow way our time is over before all of it has gone. */
	facts->is_body_cut =
		up->is_made && !trial_is_good(up) && !up->is_given_up && noted.is_there;
	facts->body_status = up->status;
	facts->body_len = noted.bytes;
	if (trial_is_good(down))
		facts->summary.down_bps =
			rate_bps(down->in_len, down->in_at - down->head_at);
	facts->summary.up_bps = rate_bps(noted.bytes, noted.last_ms * NS_PER_MS);
}

void exam_facts(const struct exam *exam, struct doctor_facts *ret_facts)
{
	struct weft_doctor_summary *summary = &ret_facts->summary;
	const struct trial *look = &exam->trials[EXAM_LOOK];
	ret_facts->is_tls = exam->is_tls;
	ret_facts->proxy = find_proxy(exam);
	read_look(exam, ret_facts);
	read_head(exam, ret_facts);
	ret_facts->down = way_down(exam, EXAM_DRIP);
	ret_facts->up = way_up(exam, EXAM_SIP);
	ret_facts->down2 = way_down(exam, EXAM_DRIP2);
	ret_facts->up2 = way_up(exam, EXAM_SIP2);
	ret_facts->late_ms = exam->late_ns / NS_PER_MS;
	ret_facts->down_silent = patience(exam, EXAM_HUSH_DOWN);
	ret_facts->up_silent = patience(exam, EXAM_HUSH_UP);
	ret_facts->down_long = patience(exam, EXAM_LONG_DOWN);
	ret_facts->up_long = patience(exam, EXAM_LONG_UP);
	read_loads(exam, ret_facts);
	summary->proxy = doctor_proxy_name(ret_facts->proxy);
	(void)snprintf(summary->server, sizeof(summary->server), "%s",
		       look->server[0] ? look->server : look->via);
	summary->has_http2 = exam_has_http2(exam);
	summary->rtt_ns = exam->rtt_ns;
	summary->silent_ns = ret_facts->down_silent.tried_ns;
	summary->long_ns = ret_facts->down_long.tried_ns;
}
