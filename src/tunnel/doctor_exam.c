/* SPDX-License-Identifier: MIT */
/*
 * The course of an examination: stages, one after the other, each with a few requests side by
 * side (*trials*, doctor_trial.h). When all of a stage are over, the next one begins; what must
 * not wait for ever is broken off at the stage's end. Then what they tell is put together
 * (doctor_facts) and judged (doctor_verdict.h).
 *
 *     reach ---> turns ---> streams ---> loads ---> report ---> verdict
 *       |      (how long    (small      (as much     |
 *       |       one takes,   pieces,     as goes)    |
 *       |       headers,     silence)                |
 *       |       HTTP/2)         ^                    |
 *       |                       '--------------------'  something was busy: the pieces again
 *       '-- no answer, or not a server's: verdict at once
 *
 * While small pieces are under way, small requests go beside them, one after the other: how long
 * those take tells pieces that a proxy holds back from a machine that is busy. What is busy cuts
 * silence short as well, so that goes with the pieces, unless it takes minutes.
 */
#include "tunnel/doctor_exam.h"

#include "base/container.h"
#include "base/time.h"
#include "tunnel/ballast.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MIB 1048576ull

/* Beyond what a stage takes when all goes well. */
#define GRACE_NS (15 * NS_PER_S)

#define TURNS     4u
#define ROUNDS    3u /* of small pieces, at most */
#define PAD_LEN   3000
#define ASKED_LEN 160u

/* From the end of a small request to the next. */
#define PACE_GAP_NS (NS_PER_S / 10)

#define DRIP                                          \
	{                                             \
		.count = 13, .size = 2, .gap_ms = 250 \
	}
#define HUSH                                          \
	{                                             \
		.count = 2, .size = 2, .gap_ms = 7000 \
	}
#define HUSH_LONG                                      \
	{                                              \
		.count = 2, .size = 2, .gap_ms = 65000 \
	}
#define LONG                                           \
	{                                              \
		.count = 61, .size = 2, .gap_ms = 5000 \
	}

/* What a trial asks for; that of long ones has gap_ms put in. */
struct plan {
	enum exam_stage stage;
	const char *test;
	struct trial_spec spec;
	const char *header; /* another one */
	bool is_http2;
	bool needs_tls, needs_http2, needs_anonymous, needs_long;
	bool is_again; /* in each round */
};

static const struct plan plans[EXAM_TRIALS] = {
	[EXAM_LOOK] = { .stage = EXAM_REACH, .test = "look" },
	[EXAM_TURN] = { .stage = EXAM_TURNS, .test = "look" },
	[EXAM_HEAD] = { .stage = EXAM_TURNS, .test = "look; pad=3000" },
	[EXAM_ODD] = { .stage = EXAM_TURNS,
		       .test = "look",
		       .header = "x-od(d: 1", /* no name of a header */
		       .needs_anonymous = true },
	[EXAM_LOOK2] = { .stage = EXAM_TURNS,
			 .test = "look",
			 .is_http2 = true,
			 .needs_tls = true },
	[EXAM_DRIP] = { .stage = EXAM_STREAMS,
			.test = "drip",
			.spec.pieces = DRIP,
			.is_again = true },
	[EXAM_SIP] = { .stage = EXAM_STREAMS,
		       .test = "sip",
		       .spec = { .is_put = true, .pieces = DRIP },
		       .is_again = true },
	[EXAM_DRIP2] = { .stage = EXAM_STREAMS,
			 .test = "drip",
			 .spec.pieces = DRIP,
			 .is_http2 = true,
			 .needs_http2 = true,
			 .is_again = true },
	[EXAM_SIP2] = { .stage = EXAM_STREAMS,
			.test = "sip",
			.spec = { .is_put = true, .pieces = DRIP },
			.is_http2 = true,
			.needs_http2 = true,
			.is_again = true },
	[EXAM_PACE] = { .stage = EXAM_STREAMS, .test = "look", .is_again = true },
	[EXAM_HUSH_DOWN] = { .stage = EXAM_STREAMS,
			     .test = "drip",
			     .spec.pieces = HUSH,
			     .is_again = true },
	[EXAM_HUSH_UP] = { .stage = EXAM_STREAMS,
			   .test = "sip",
			   .spec = { .is_put = true, .pieces = HUSH },
			   .is_again = true },
	[EXAM_LONG_DOWN] = { .stage = EXAM_STREAMS,
			     .test = "drip",
			     .spec.pieces = LONG,
			     .needs_long = true },
	[EXAM_LONG_UP] = { .stage = EXAM_STREAMS,
			   .test = "sip",
			   .spec = { .is_put = true, .pieces = LONG },
			   .needs_long = true },
	[EXAM_FLOOD_DOWN] = { .stage = EXAM_LOADS,
			      .test = "flood; ms=1500; size=67108864" },
	[EXAM_FLOOD_UP] = { .stage = EXAM_LOADS,
			    .test = "sip",
			    .spec = { .is_put = true,
				      .flood_ns = 3 * NS_PER_S / 2,
				      .flood_min = 12 * MIB,
				      .flood_max = 64 * MIB } },
	[EXAM_REPORT] = { .stage = EXAM_NOTES, .test = "report", .is_again = true },
};

/* Beside the stages' own rows, one for further rounds. */
#define EXAM_STREAMS_AGAIN EXAM_STAGES

static const struct stage {
	const char *text;
	unsigned seconds, seconds_long;
} stages[EXAM_STAGES + 1] = {
	[EXAM_REACH] = { "asking the server", 1, 1 },
	[EXAM_TURNS] = { "asking again, with long headers, over HTTP/2", 1, 1 },
	[EXAM_STREAMS] = { "sending small pieces both ways, and being silent", 7, 300 },
	[EXAM_LOADS] = { "sending as much as goes", 3, 3 },
	[EXAM_NOTES] = { "asking what has arrived when", 1, 1 },
	[EXAM_STREAMS_AGAIN] = { "sending small pieces again, as something was busy", 7,
				 4 },
};

struct weft_doctor {
	struct exam exam;
	struct weft_loop *loop;
	struct weft_task task;
	struct http_client *clients[2]; /* HTTP/1.1, HTTP/2 */
	const struct weft_doctor_events *events;
	void *user;
	char *url, *key_header;
	char run[17];
	enum exam_stage stage;
	unsigned open, turns, rounds;
	bool is_due, is_done, is_ending;
	uint64_t stage_end;
	uint64_t pace_due; /* of the next small request, or the one under way */
};

/* ---- trials ------------------------------------------------------------------------------ */

static void on_over(void *user, struct trial *trial, uint64_t now)
{
	struct weft_doctor *d = user;
	d->open--;
	d->is_due = true;
	if (trial != &d->exam.trials[EXAM_PACE])
		return;
	exam_note_pace(&d->exam, d->pace_due, now);
	d->pace_due = now + PACE_GAP_NS;
}

/* A part of a test's name stands for the number of its trial. */
static void print_asked(const struct weft_doctor *d, enum exam_trial which,
			char ret_text[ASKED_LEN])
{
	const struct trial_pieces *pieces = &d->exam.trials[which].spec.pieces;
	(void)snprintf(
		ret_text, ASKED_LEN,
		"x-weft: doctor; test=%s; run=%s; part=%u; count=%u; size=%u; gap=%u",
		plans[which].test, d->run, (unsigned)which, pieces->count, pieces->size,
		pieces->gap_ms);
	/* A flood has its own size, and a look none. */
	if (pieces->count == 0)
		(void)snprintf(ret_text, ASKED_LEN,
			       "x-weft: doctor; test=%s; run=%s; part=%u",
			       plans[which].test, d->run, (unsigned)which);
}

/* Uploads go as a tunnel's do. */
static void load_pieces(const struct weft_doctor *d, struct trial_spec *spec)
{
	const size_t least = ballast_least(d->exam.trials[EXAM_LOOK].server);
	if (spec->is_put && spec->pieces.count > 0 && spec->pieces.size < least)
		spec->pieces.size = (unsigned)least;
}

static bool is_hush(enum exam_trial which)
{
	return which == EXAM_HUSH_DOWN || which == EXAM_HUSH_UP;
}

static void begin_trial(struct weft_doctor *d, enum exam_trial which, uint64_t now)
{
	const struct plan *plan = &plans[which];
	struct trial *trial = &d->exam.trials[which];
	char asked[ASKED_LEN], pad[PAD_LEN + 16];
	(void)snprintf(pad, sizeof(pad), "x-pad: %0*d", PAD_LEN, 0);
	const char *const headers[] = { d->key_header, asked,
					which == EXAM_HEAD ? pad : plan->header, NULL };

	*trial = (struct trial){ .spec = plan->spec, .over = on_over, .user = d };
	if (d->exam.is_long && is_hush(which))
		trial->spec.pieces = (struct trial_pieces)HUSH_LONG;
	load_pieces(d, &trial->spec);
	print_asked(d, which, asked);
	int r = trial_begin(trial, d->clients[plan->is_http2], d->url, headers, now);
	if (r == 0)
		d->open++;
}

static bool is_wanted(const struct weft_doctor *d, enum exam_trial which)
{
	const struct plan *plan = &plans[which];
	const struct exam *exam = &d->exam;
	const bool is_again = plan->is_again && !(exam->is_long && is_hush(which));
	return plan->stage == d->stage && (d->rounds == 0 || is_again) &&
	       (!plan->needs_tls || exam->is_tls) &&
	       (!plan->needs_http2 || exam_has_http2(exam)) &&
	       (!plan->needs_anonymous || exam_is_anonymous(exam)) &&
	       (!plan->needs_long || exam->is_long);
}

/* ---- stages ------------------------------------------------------------------------------ */

static void begin_stage(struct weft_doctor *d, enum exam_stage stage, uint64_t now)
{
	const struct stage *s =
		&stages[d->rounds > 0 && stage == EXAM_STREAMS ? EXAM_STREAMS_AGAIN
							       : stage];
	const unsigned seconds = d->exam.is_long ? s->seconds_long : s->seconds;
	d->stage = stage;
	d->stage_end = now + seconds * NS_PER_S + GRACE_NS;
	d->pace_due = stage == EXAM_STREAMS ? now : WEFT_NEVER;
	if (stage == EXAM_STREAMS)
		d->exam.late_ns = 0;
	if (d->events->step)
		d->events->step(d->user, s->text, seconds);
	for (unsigned i = 0; i < EXAM_TRIALS; i++)
		if (is_wanted(d, (enum exam_trial)i))
			begin_trial(d, (enum exam_trial)i, now);
	d->is_due = d->open == 0;
}

static void on_finding(void *user, const struct weft_doctor_finding *finding)
{
	struct weft_doctor *d = user;
	if (d->events->finding)
		d->events->finding(d->user, finding);
}

/* Judges, unless it is worth it to send the pieces again. */
static void finish(struct weft_doctor *d, uint64_t now)
{
	struct doctor_facts facts = { .url = d->url };
	exam_facts(&d->exam, &facts);
	if (doctor_is_unclear(&facts) && ++d->rounds < ROUNDS) {
		begin_stage(d, EXAM_STREAMS, now);
		return;
	}
	facts.summary.is_fit = doctor_judge(&facts, on_finding, d);
	d->is_done = true;
	if (d->events->done)
		d->events->done(d->user, &facts.summary);
}

/* What was under way then is broken off, and nothing more begins in it. */
static bool is_time_over(const struct weft_doctor *d)
{
	return d->stage_end == WEFT_NEVER;
}

/* All trials of the stage are over. */
static void next_stage(struct weft_doctor *d, uint64_t now)
{
	if (d->stage == EXAM_TURNS && !is_time_over(d) && ++d->turns < TURNS) {
		exam_note_turn(&d->exam);
		begin_trial(d, EXAM_TURN, now);
		return;
	}
	if (d->stage == EXAM_NOTES || !exam_is_reached(&d->exam))
		finish(d, now);
	else if (d->stage == EXAM_STREAMS && d->rounds > 0)
		begin_stage(d, EXAM_NOTES, now);
	else
		begin_stage(d, d->stage + 1, now);
}

/* Small requests while small pieces are under way. */
static void run_pace(struct weft_doctor *d, uint64_t now)
{
	const bool goes_on = exam_has_pieces(&d->exam) && !is_time_over(d);
	if (d->exam.trials[EXAM_PACE].stream || now < d->pace_due)
		return;
	if (goes_on)
		begin_trial(d, EXAM_PACE, now);
	if (!d->exam.trials[EXAM_PACE].stream)
		d->pace_due = goes_on ? now + PACE_GAP_NS : WEFT_NEVER;
}

/* ---- the task ---------------------------------------------------------------------------- */

static void exam_run(struct weft_task *task, uint64_t now)
{
	struct weft_doctor *d = container_of(task, struct weft_doctor, task);
	d->is_due = false;
	if (d->is_done || d->is_ending)
		return;
	if (d->stage == EXAM_STAGES)
		begin_stage(d, EXAM_REACH, now);
	for (unsigned i = 0; i < EXAM_TRIALS; i++) {
		trial_run(&d->exam.trials[i], now);
		if (now >= d->stage_end)
			trial_abort(&d->exam.trials[i]);
	}
	if (now >= d->stage_end)
		d->stage_end = WEFT_NEVER;
	run_pace(d, now);
	if (d->open == 0)
		next_stage(d, now);
}

static uint64_t exam_deadline(const struct weft_task *task)
{
	const struct weft_doctor *d = container_of_const(task, struct weft_doctor, task);
	uint64_t soonest = d->stage_end;
	if (!d->exam.trials[EXAM_PACE].stream && d->pace_due < soonest)
		soonest = d->pace_due;
	if (d->is_done)
		return WEFT_NEVER;
	if (d->is_due)
		return 0;
	for (unsigned i = 0; i < EXAM_TRIALS; i++) {
		uint64_t due = trial_deadline(&d->exam.trials[i]);
		soonest = due < soonest ? due : soonest;
	}
	return soonest;
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int copy_texts(struct weft_doctor *d, const struct weft_doctor_opts *opts)
{
	const size_t len = sizeof("x-api-key: ") + strlen(opts->token);
	const uint8_t none[8] = { 0 };
	d->url = strdup(opts->url);
	d->key_header = malloc(len);
	if (!d->url || !d->key_header)
		return -ENOMEM;
	(void)snprintf(d->key_header, len, "x-api-key: %s", opts->token);
	(void)sodium_bin2hex(d->run, sizeof(d->run), opts->secret ? opts->secret : none,
			     sizeof(none));
	return 0;
}

static int make_clients(struct weft_doctor *d, const struct weft_doctor_opts *opts,
			struct weft_error *err)
{
	struct http_client_opts http = { .proxy = opts->proxy,
					 .ca_file = opts->ca_file,
					 .family = opts->family };
	for (unsigned i = 0; i < 2; i++) {
		http.http2 = i > 0;
		int r = http_client_new(&http, err, &d->clients[i]);
		if (r < 0)
			return r;
		r = weft_loop_add(d->loop, http_client_task(d->clients[i]));
		if (r < 0)
			return weft_error_set(err, r, "%s", strerror(-r));
	}
	return 0;
}

int weft_doctor_new(struct weft_loop *loop, const struct weft_doctor_opts *opts,
		    const struct weft_doctor_events *events, void *user,
		    struct weft_error *err, struct weft_doctor **ret_doctor)
{
	struct weft_doctor *d = calloc(1, sizeof(*d));
	if (!d)
		return weft_error_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	d->loop = loop;
	d->events = events;
	d->user = user;
	d->stage = EXAM_STAGES;
	d->exam.is_long = opts->is_long;
	d->exam.is_tls = strncasecmp(opts->url, "https:", 6) == 0;
	d->is_due = true;
	d->pace_due = WEFT_NEVER;
	d->task = (struct weft_task){ .fd = -1,
				      .run = exam_run,
				      .deadline = exam_deadline };
	int r = copy_texts(d, opts);
	if (r < 0)
		(void)weft_error_set(err, r, "%s", strerror(-r));
	if (r == 0)
		r = make_clients(d, opts, err);
	if (r == 0)
		r = weft_loop_add(loop, &d->task);
	if (r < 0) {
		weft_doctor_free(d);
		return r;
	}
	*ret_doctor = d;
	return 0;
}

void weft_doctor_free(struct weft_doctor *doctor)
{
	if (!doctor)
		return;
	doctor->is_ending = true;
	weft_loop_remove(doctor->loop, &doctor->task);
	for (unsigned i = 0; i < 2; i++) {
		if (doctor->clients[i])
			weft_loop_remove(doctor->loop,
					 http_client_task(doctor->clients[i]));
		http_client_free(doctor->clients[i]);
	}
	if (doctor->key_header)
		sodium_memzero(doctor->key_header, strlen(doctor->key_header));
	free(doctor->key_header);
	free(doctor->url);
	free(doctor);
}
