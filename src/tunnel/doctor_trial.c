/* SPDX-License-Identifier: MIT */
/*
 * What is noted of a request is noted when it happens; nothing is judged here.
 */
#include "tunnel/doctor_trial.h"

#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- delays ------------------------------------------------------------------------------ */

static void note_delay(struct trial_delays *delays, int64_t ms)
{
	if (!delays->is_begun || ms < delays->min_ms)
		delays->min_ms = ms;
	if (!delays->is_begun || ms > delays->max_ms)
		delays->max_ms = ms;
	delays->is_begun = true;
}

void trial_delays_note(struct trial_delays *delays, const struct trial_pieces *pieces,
		       uint64_t first, uint64_t end, int64_t ms)
{
	const uint64_t len = (uint64_t)pieces->count * pieces->size;
	end = end < len ? end : len;
	if (end <= first)
		return;
	note_delay(delays, ms - (int64_t)(first / pieces->size * pieces->gap_ms));
	note_delay(delays, ms - (int64_t)((end - 1) / pieces->size * pieces->gap_ms));
}

uint64_t trial_delays_held_ms(const struct trial_delays *delays)
{
	return (uint64_t)(delays->max_ms - delays->min_ms);
}

/* ---- what comes -------------------------------------------------------------------------- */

/* It is shown on terminals and told in JSON: what is no printable ASCII is not for either. */
static void copy_header(const struct http_stream *stream, const char *name,
			char *ret_text, size_t size)
{
	const char *value = http_stream_header(stream, name);
	(void)snprintf(ret_text, size, "%s", value ? value : "");
	for (char *c = ret_text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void on_response(void *user, struct http_stream *stream, unsigned status,
			uint64_t now)
{
	struct trial *p = user;
	p->status = status;
	p->version = http_stream_version(stream);
	p->head_at = now;
	copy_header(stream, "server", p->server, sizeof(p->server));
	copy_header(stream, "via", p->via, sizeof(p->via));
	copy_header(stream, "location", p->location, sizeof(p->location));
	copy_header(stream, "content-encoding", p->encoding, sizeof(p->encoding));
	copy_header(stream, "content-type", p->type, sizeof(p->type));
	copy_header(stream, "content-length", p->length, sizeof(p->length));
	copy_header(stream, "cache-control", p->cache, sizeof(p->cache));
	p->has_doctor = http_stream_header(stream, "x-weft-doctor") != NULL;
	p->has_conf = http_stream_header(stream, "x-tun-conf") != NULL;
	/* An ordinary tunnel: its stream would never end. */
	if (p->has_conf && !p->has_doctor)
		http_stream_abort(stream);
}

static void keep_text(struct trial *p, const uint8_t *data, size_t len)
{
	if (p->in_len >= TRIAL_TEXT_MAX - 1)
		return;
	size_t room = TRIAL_TEXT_MAX - 1 - (size_t)p->in_len;
	memcpy(p->text + p->in_len, data, len < room ? len : room);
}

static void on_input(void *user, struct http_stream *stream, uint8_t *data, size_t len,
		     uint64_t now)
{
	struct trial *p = user;
	(void)stream;
	keep_text(p, data, len);
	trial_delays_note(&p->delays, &p->spec.pieces, p->in_len, p->in_len + len,
			  (int64_t)((now - p->begun_at) / NS_PER_MS));
	p->in_len += len;
	p->in_at = now;
}

static void on_closed(void *user, struct http_stream *stream, enum http_end end,
		      const struct weft_error *err, uint64_t now)
{
	struct trial *p = user;
	(void)stream;
	p->stream = NULL;
	p->is_over = true;
	p->end = end;
	p->err = *err;
	p->over_at = now;
	p->over(p->user, p, now);
}

/* ---- what goes --------------------------------------------------------------------------- */

static void add_piece(struct trial *p)
{
	p->left += p->spec.pieces.size;
	p->sent++;
	p->due = p->sent < p->spec.pieces.count
			 ? p->due + p->spec.pieces.gap_ms * NS_PER_MS
			 : WEFT_NEVER;
}

/* A flood begins when its first byte is asked for: there is a connection then. */
static bool is_flood_over(const struct trial *p, uint64_t now)
{
	return p->out_len >= p->spec.flood_max ||
	       (p->out_len >= p->spec.flood_min && now >= p->due);
}

static size_t flood_room(struct trial *p, size_t len, uint64_t now)
{
	if (p->out_len == 0)
		p->due = now + p->spec.flood_ns;
	return is_flood_over(p, now) ? 0 : len;
}

static int on_output(void *user, struct http_stream *stream, uint8_t *buf, size_t len,
		     uint64_t now)
{
	struct trial *p = user;
	const bool is_flood = p->spec.flood_ns > 0;
	size_t n = is_flood ? flood_room(p, len, now) : (size_t)p->left;
	(void)stream;
	n = n < len ? n : len;
	memset(buf, '.', n);
	p->left -= is_flood ? 0 : n;
	p->out_len += n;
	p->out_at = n > 0 ? now : p->out_at;
	bool is_all = is_flood || p->sent == p->spec.pieces.count;
	return n == 0 && is_all ? -EPIPE : (int)n;
}

static const struct http_stream_events get_events = {
	.response = on_response,
	.input = on_input,
	.closed = on_closed,
};

static const struct http_stream_events put_events = {
	.response = on_response,
	.output = on_output,
	.closed = on_closed,
};

/* ---- the request ------------------------------------------------------------------------- */

int trial_begin(struct trial *trial, struct http_client *client, const char *url,
		const char *const *headers, uint64_t now)
{
	const bool is_put = trial->spec.is_put;
	const struct http_client_request request = {
		.url = url,
		.is_put = is_put,
		.headers = headers,
		.events = is_put ? &put_events : &get_events,
		.user = trial,
	};
	trial->begun_at = now;
	trial->due = now;
	trial->is_made = true;
	if (is_put && trial->spec.pieces.count > 0)
		add_piece(trial);
	return http_client_open(client, &request, &trial->stream);
}

uint64_t trial_deadline(const struct trial *trial)
{
	bool is_sip = trial->spec.is_put && trial->spec.pieces.count > 0;
	return trial->stream && is_sip ? trial->due : WEFT_NEVER;
}

void trial_run(struct trial *trial, uint64_t now)
{
	if (trial_deadline(trial) > now)
		return;
	add_piece(trial);
	http_stream_wake(trial->stream);
}

void trial_abort(struct trial *trial)
{
	if (!trial->stream)
		return;
	trial->is_given_up = true;
	http_stream_abort(trial->stream);
}

bool trial_is_good(const struct trial *trial)
{
	return trial->is_over && trial->end == HTTP_ENDED;
}
