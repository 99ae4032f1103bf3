/* SPDX-License-Identifier: MIT */
/*
 * Who is told what is small and made at once (look, report) has it as text; drip and flood make
 * theirs while they go. Time is what the loop says when bytes are handed over or come: a few
 * milliseconds of it are nobody's fault.
 */
#include "tunnel/doctor.h"

#include "base/container.h"
#include "base/list.h"
#include "base/time.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER       "x-weft-doctor"
#define COUNT_MAX    64u
#define GAP_MS_MAX   180000u
#define FLOOD_MAX    67108864u
#define PIECE_MAX    65536u
#define FLOOD_MS_MAX 10000u
#define RUN_LEN      16u

/* When how many bytes had come, in all. */
struct note {
	uint32_t ms;
	uint64_t bytes;
};

struct visit {
	struct list node;
	struct doctor *doctor;
	struct http_stream *stream; /* NULL once it is over */
	char run[RUN_LEN + 1];
	uint64_t begin, last; /* when it came, and when its last byte did */
	/* of a PUT */
	bool is_put, is_whole;
	unsigned part, version;
	char coding[16]; /* its transfer-encoding */
	struct note notes[DOCTOR_NOTES_MAX];
	size_t notes_n;
	uint64_t bytes;
	/* of a GET */
	char *text; /* NULL: drip or flood */
	size_t text_len, text_at;
	uint64_t due; /* of the next piece; WEFT_NEVER for none */
	uint64_t gap_ns;
	uint64_t count;      /* pieces that are to come */
	uint64_t size, left; /* bytes of a piece; those that can go out now */
	uint64_t until;      /* end of a flood */
};

struct doctor {
	struct weft_task task;
	uint64_t since; /* Tells it from one that takes its place. */
	struct list visits;
	unsigned visits_n;
	char pad[DOCTOR_PAD_MAX + 1]; /* of the answer that is being made */
};

/* ---- what is asked ----------------------------------------------------------------------- */

/* The text behind "; name=", or NULL. */
static const char *find_field(const char *asked, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = asked; (at = strchr(at, ';'));) {
		at += 1 + strspn(at + 1, " ");
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return at + len + 1;
	}
	return NULL;
}

/* Digits, as far as they go; max for more. */
static uint64_t number_field(const char *asked, const char *name, uint64_t max)
{
	const char *at = find_field(asked, name);
	uint64_t value = 0;
	for (; at && *at >= '0' && *at <= '9' && value < max; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value < max ? value : max;
}

static bool is_test(const char *asked, const char *name)
{
	const char *test = find_field(asked, "test");
	size_t len = strlen(name);
	return test && strncmp(test, name, len) == 0 &&
	       (test[len] == ';' || test[len] == '\0');
}

static void copy_run(const char *asked, char ret_run[RUN_LEN + 1])
{
	const char *run = find_field(asked, "run");
	size_t len = run ? strspn(run, "0123456789abcdef") : 0;
	(void)snprintf(ret_run, RUN_LEN + 1, "%.*s", (int)(len > RUN_LEN ? RUN_LEN : len),
		       run ? run : "");
}

bool doctor_is_asked(const struct http_stream *stream)
{
	static const char word[] = "doctor";
	const char *asked = http_stream_header(stream, "x-weft");
	return asked && strncmp(asked, word, sizeof(word) - 1) == 0;
}

/* ---- visits ------------------------------------------------------------------------------ */

static void visit_free(struct visit *v)
{
	list_remove(&v->node);
	v->doctor->visits_n--;
	free(v->text);
	free(v);
}

static struct visit *visit_new(struct doctor *d, struct http_stream *stream,
			       const char *asked, uint64_t now)
{
	struct visit *v = d->visits_n < DOCTOR_VISITS_MAX ? calloc(1, sizeof(*v)) : NULL;
	if (!v)
		return NULL;
	v->doctor = d;
	v->stream = stream;
	v->begin = v->last = now;
	v->due = WEFT_NEVER;
	copy_run(asked, v->run);
	list_push_back(&d->visits, &v->node);
	d->visits_n++;
	return v;
}

static void on_closed(void *user, struct http_stream *stream, enum http_end end,
		      const struct weft_error *err, uint64_t now)
{
	struct visit *v = user;
	(void)stream;
	(void)err;
	v->stream = NULL;
	v->last = now;
	v->is_whole = end == HTTP_ENDED;
	if (!v->is_put)
		visit_free(v);
}

/* ---- PUT --------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): others write over what has come. */
static void on_input(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		     uint64_t now)
{
	struct visit *v = user;
	const uint32_t ms = (uint32_t)((now - v->begin) / NS_PER_MS);
	(void)stream;
	(void)data;
	v->bytes += len;
	v->last = now;
	bool is_same = v->notes_n > 0 && v->notes[v->notes_n - 1].ms == ms;
	if (!is_same && v->notes_n < DOCTOR_NOTES_MAX)
		v->notes_n++;
	v->notes[v->notes_n - 1] = (struct note){ .ms = ms, .bytes = v->bytes };
}

static const struct http_stream_events put_events = {
	.input = on_input,
	.closed = on_closed,
};

static void begin_sip(struct visit *v, const char *asked)
{
	const char *coding = http_stream_header(v->stream, "transfer-encoding");
	v->is_put = true;
	v->part = (unsigned)number_field(asked, "part", COUNT_MAX);
	v->version = http_stream_version(v->stream);
	(void)snprintf(v->coding, sizeof(v->coding), "%s", coding ? coding : "");
}

static json_t *notes_json(const struct visit *v)
{
	json_t *array = json_array();
	for (size_t i = 0; i < v->notes_n; i++)
		(void)json_array_append_new(
			array, json_pack("[I, I]", (json_int_t)v->notes[i].ms,
					 (json_int_t)v->notes[i].bytes));
	return array;
}

static json_t *put_json(const struct visit *v)
{
	return json_pack("{s:i, s:i, s:s, s:I, s:b, s:b, s:o}", "part", (int)v->part,
			 "version", (int)v->version, "coding", v->coding, "bytes",
			 (json_int_t)v->bytes, "open", v->stream != NULL, "whole",
			 v->is_whole, "notes", notes_json(v));
}

/* ---- GET --------------------------------------------------------------------------------- */

static int output_text(struct visit *v, uint8_t *buf, size_t len)
{
	size_t n = v->text_len - v->text_at;
	if (n == 0)
		return -EPIPE;
	if (n > len)
		n = len;
	memcpy(buf, v->text + v->text_at, n);
	v->text_at += n;
	return (int)n;
}

static int output_flood(struct visit *v, uint8_t *buf, size_t len, uint64_t now)
{
	size_t n = v->left < len ? (size_t)v->left : len;
	if (n == 0 || now >= v->until)
		return -EPIPE;
	memset(buf, '.', n);
	v->left -= n;
	return (int)n;
}

static int output_drip(struct visit *v, uint8_t *buf, size_t len)
{
	size_t n = v->left < len ? (size_t)v->left : len;
	memset(buf, '.', n);
	v->left -= n;
	return n == 0 && v->count == 0 ? -EPIPE : (int)n;
}

static void add_piece(struct visit *v)
{
	v->left += v->size;
	v->count--;
	v->due = v->count > 0 ? v->due + v->gap_ns : WEFT_NEVER;
}

static int on_output(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		     uint64_t now)
{
	struct visit *v = user;
	(void)stream;
	if (v->text)
		return output_text(v, buf, len);
	return v->until ? output_flood(v, buf, len, now) : output_drip(v, buf, len);
}

static const struct http_stream_events get_events = {
	.output = on_output,
	.closed = on_closed,
};

static int set_text(struct visit *v, json_t *object)
{
	v->text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	v->text_len = v->text ? strlen(v->text) : 0;
	json_decref(object);
	return v->text ? 0 : -ENOMEM;
}

/* Only headers that say something of the way here; none of them is a secret. */
static int begin_look(struct visit *v, const struct http_request *request)
{
	static const char *const names[] = {
		"host", "via",       "x-forwarded-for", "x-forwarded-proto", "connection",
		"te",   "forwarded", "accept-encoding", "user-agent",        "x-pad"
	};
	json_t *headers = json_object();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = http_stream_header(v->stream, names[i]);
		bool is_pad = strcmp(names[i], "x-pad") == 0;
		if (value && is_pad)
			(void)json_object_set_new(
				headers, names[i],
				json_integer((json_int_t)strlen(value)));
		else if (value)
			(void)json_object_set_new(headers, names[i], json_string(value));
	}
	return set_text(v, json_pack("{s:I, s:i, s:s, s:s, s:o}", "since",
				     (json_int_t)v->doctor->since, "version",
				     (int)http_stream_version(v->stream), "method",
				     request->method, "path", request->path, "headers",
				     headers));
}

static int begin_report(struct visit *v)
{
	json_t *puts = json_array();
	list_for_each (node, &v->doctor->visits) {
		const struct visit *other = container_of(node, struct visit, node);
		if (other->is_put && strcmp(other->run, v->run) == 0)
			(void)json_array_append_new(puts, put_json(other));
	}
	return set_text(v, json_pack("{s:I, s:o}", "since", (json_int_t)v->doctor->since,
				     "puts", puts));
}

static int begin_drip(struct visit *v, const char *asked)
{
	v->count = number_field(asked, "count", COUNT_MAX);
	v->size = number_field(asked, "size", PIECE_MAX);
	v->gap_ns = number_field(asked, "gap", GAP_MS_MAX) * NS_PER_MS;
	v->due = v->begin;
	if (v->count == 0 || v->size == 0)
		return -EINVAL;
	add_piece(v);
	return 0;
}

static int begin_flood(struct visit *v, const char *asked)
{
	v->left = number_field(asked, "size", FLOOD_MAX);
	v->until = v->begin + number_field(asked, "ms", FLOOD_MS_MAX) * NS_PER_MS;
	return 0;
}

static int begin_get(struct visit *v, const struct http_request *request,
		     const char *asked)
{
	if (is_test(asked, "look"))
		return begin_look(v, request);
	if (is_test(asked, "report"))
		return begin_report(v);
	if (is_test(asked, "drip"))
		return begin_drip(v, asked);
	return is_test(asked, "flood") ? begin_flood(v, asked) : -EINVAL;
}

/* ---- requests ---------------------------------------------------------------------------- */

static void set_headers(struct doctor *d, const char *asked, struct http_answer *answer)
{
	size_t pad = number_field(asked, "pad", DOCTOR_PAD_MAX);
	memset(d->pad, '.', pad);
	d->pad[pad] = '\0';
	answer->headers[0] = (struct http_header){ .name = HEADER, .value = "1" };
	if (pad > 0)
		answer->headers[1] =
			(struct http_header){ .name = "x-pad", .value = d->pad };
}

static int begin(struct visit *v, const struct http_request *request, const char *asked)
{
	if (strcmp(request->method, "PUT") != 0)
		return begin_get(v, request, asked);
	if (!is_test(asked, "sip"))
		return -EINVAL;
	begin_sip(v, asked);
	return 0;
}

void doctor_request(struct doctor *d, struct http_stream *stream,
		    const struct http_request *request, struct http_answer *ret_answer,
		    uint64_t now)
{
	const char *asked = http_stream_header(stream, "x-weft");
	struct visit *v = visit_new(d, stream, asked, now);
	if (!v) {
		*ret_answer = (struct http_answer){
			.status = 503,
			.text = "Too much is examined here at once",
			.headers = { { .name = HEADER, .value = "1" } },
		};
		return;
	}
	if (begin(v, request, asked) < 0) {
		visit_free(v);
		*ret_answer =
			(struct http_answer){ .status = 400, .text = "No such test" };
		return;
	}
	*ret_answer =
		(struct http_answer){ .events = v->is_put ? &put_events : &get_events,
				      .user = v };
	set_headers(d, asked, ret_answer);
}

/* ---- time -------------------------------------------------------------------------------- */

static uint64_t visit_deadline(const struct visit *v)
{
	if (v->is_put)
		return v->stream ? WEFT_NEVER : v->last + DOCTOR_KEPT_NS;
	return v->due;
}

/* Whoever is still there will ask for the notes at last. */
static bool is_under_way(const struct doctor *d, const char *run)
{
	list_for_each (node, &d->visits) {
		const struct visit *v = container_of(node, struct visit, node);
		if (v->stream && strcmp(v->run, run) == 0)
			return true;
	}
	return false;
}

/* The time of a PUT's notes is over. */
static void forget(struct visit *v, uint64_t now)
{
	if (is_under_way(v->doctor, v->run))
		v->last = now;
	else
		visit_free(v);
}

static void doctor_run(struct weft_task *task, uint64_t now)
{
	const struct doctor *d = container_of(task, struct doctor, task);
	list_for_each (node, &d->visits) {
		struct visit *v = container_of(node, struct visit, node);
		if (visit_deadline(v) > now)
			continue;
		if (v->is_put) {
			forget(v, now);
			continue;
		}
		add_piece(v);
		http_stream_wake(v->stream);
	}
}

static uint64_t doctor_deadline(const struct weft_task *task)
{
	const struct doctor *d = container_of_const(task, struct doctor, task);
	uint64_t soonest = WEFT_NEVER;
	list_for_each (node, &d->visits) {
		const struct visit *v = container_of(node, struct visit, node);
		uint64_t due = visit_deadline(v);
		soonest = due < soonest ? due : soonest;
	}
	return soonest;
}

struct weft_task *doctor_task(struct doctor *d)
{
	return &d->task;
}

/* ---- beginning and end ------------------------------------------------------------------- */

int doctor_new(uint64_t now, struct doctor **ret_doctor)
{
	struct doctor *d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->since = now;
	list_init(&d->visits);
	d->task = (struct weft_task){ .fd = -1,
				      .run = doctor_run,
				      .deadline = doctor_deadline };
	*ret_doctor = d;
	return 0;
}

void doctor_free(struct doctor *d)
{
	if (!d)
		return;
	list_for_each (node, &d->visits)
		visit_free(container_of(node, struct visit, node));
	free(d);
}
