/* SPDX-License-Identifier: MIT */
/*
 * One rule after the other, each of which says at most one thing. Where one ailment explains
 * another (HTTP/1.0 has no chunks, so uploads are gathered), only the first is told.
 */
#include "tunnel/doctor_verdict.h"

#include "base/time.h"
#include "tunnel/doctor_remedy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Bytes that come late by less are not held. By more they are, if nothing else was late: who
 * buffers pieces does not keep a request that is complete, and a machine that is busy keeps both.
 * What is late on its way there and back is late twice at most.
 */
#define HELD_MS_MAX 1500u
#define LATE_TIMES  2u

/* Slower than that, and a ping between the two ends of a tunnel feels it. */
#define RTT_SLOW_NS (NS_PER_S / 2)

struct judge {
	const struct doctor_facts *facts;
	void (*fn)(void *user, const struct weft_doctor_finding *finding);
	void *user;
	bool has_error;
};

static const char *const names[] = {
	[DOCTOR_NGINX] = "nginx",     [DOCTOR_CADDY] = "Caddy",
	[DOCTOR_HAPROXY] = "HAProxy", [DOCTOR_APACHE] = "Apache httpd",
	[DOCTOR_OTHER] = "a proxy",   [DOCTOR_NO_PROXY] = NULL,
};

const char *doctor_proxy_name(enum doctor_proxy proxy)
{
	return names[proxy];
}

/* ---- saying ------------------------------------------------------------------------------ */

/* What is said, but for its text. */
struct claim {
	enum weft_doctor_severity severity;
	const char *id;
	enum remedy remedy;
};

static void say(struct judge *j, const struct claim *claim, const char *fmt, ...)
	WEFT_PRINTF(3, 4);

static void say(struct judge *j, const struct claim *claim, const char *fmt, ...)
{
	struct weft_doctor_finding finding = { .severity = claim->severity,
					       .id = claim->id };
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(finding.text, sizeof(finding.text), fmt, args);
	va_end(args);
	remedy_add(claim->remedy, j->facts->proxy, &finding);
	j->has_error |= claim->severity == WEFT_DOCTOR_ERROR;
	if (j->fn)
		j->fn(j->user, &finding);
}

#define ERROR(id, remedy)                              \
	&(const struct claim)                          \
	{                                              \
		WEFT_DOCTOR_ERROR, id, REMEDY_##remedy \
	}
#define WARNING(id, remedy)                              \
	&(const struct claim)                            \
	{                                                \
		WEFT_DOCTOR_WARNING, id, REMEDY_##remedy \
	}
#define NOTE(id, remedy)                              \
	&(const struct claim)                         \
	{                                             \
		WEFT_DOCTOR_NOTE, id, REMEDY_##remedy \
	}

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* " (504)", or nothing. */
static const char *status_text(unsigned status, char buf[16])
{
	buf[0] = '\0';
	if (status >= 300)
		(void)snprintf(buf, 16, " (%u)", status);
	return buf;
}

/* ---- whether there is a server at all ---------------------------------------------------- */

/* Whoever is cut by that is no proxy's victim, or nobody can tell. */
static void judge_gone(struct judge *j)
{
	const char *failure = j->facts->failure;
	say(j, ERROR("gone", NONE),
	    "The server answered at first, and at the end no more: it, or what is before it, "
	    "has ended meanwhile, which cuts all streams. Examine again when it runs%s%s%s",
	    failure[0] ? " (" : "", failure, failure[0] ? ")" : "");
}

static void judge_reach(struct judge *j)
{
	const struct doctor_facts *f = j->facts;
	switch (f->reach) {
	case DOCTOR_REACHED:
		return;
	case DOCTOR_NO_ANSWER:
		say(j, ERROR("unreachable", NONE), "%s", f->failure);
		return;
	case DOCTOR_REDIRECTED:
		say(j, ERROR("redirect", NONE),
		    "The answer is %u and leads to %s: name that address, for a tunnel "
		    "follows nowhere",
		    f->status, f->location);
		return;
	case DOCTOR_WRONG_TOKEN:
		say(j, ERROR("token", NONE),
		    "The server of weft does not know this token (or listens to nobody "
		    "from here for a minute, after too many wrong ones): the server's "
		    "configuration must have its hash, "
		    "see printf %%s TOKEN | sha1sum");
		return;
	case DOCTOR_BARRED:
		say(j, ERROR("barred", BARRED),
		    "The answer is %u, and it is not the server of weft that gives it: a "
		    "proxy lets nobody through",
		    f->status);
		return;
	case DOCTOR_NO_BACKEND:
		say(j, ERROR("no-backend", NO_BACKEND),
		    "The proxy answers %u: it does not reach the server of weft behind "
		    "it. Check that `weft tunnel` runs there, and its address and port",
		    f->status);
		return;
	case DOCTOR_ELSEWHERE:
		say(j, ERROR("elsewhere", ELSEWHERE),
		    "The answer (%u) is not that of a tunnel: the path of the URL leads "
		    "to something else, for example a web site",
		    f->status);
		return;
	case DOCTOR_OLD_SERVER:
		say(j, ERROR("old-server", NONE),
		    "There is a tunnel, and its server cannot be examined: it is tapotun "
		    "or an older weft");
		return;
	case DOCTOR_FULL:
		say(j, ERROR("full", NONE),
		    "The server has no room for this examination beside others: examine "
		    "again in two minutes");
		return;
	case DOCTOR_GONE:
		judge_gone(j);
		return;
	case DOCTOR_RESTARTED:
		say(j, ERROR("restarted", NONE),
		    "The server of weft has begun anew meanwhile, which cuts its "
		    "streams: nothing can be said of the way there. Examine again");
		return;
	}
}

/* ---- what a proxy does to the bytes ------------------------------------------------------ */

static void judge_version(struct judge *j)
{
	if (j->facts->summary.version_up == 10)
		say(j, ERROR("http10", HTTP10),
		    "The proxy asks the server in HTTP/1.0, which has no chunks: an "
		    "upload arrives only when it is over");
	if (j->facts->summary.version == 10)
		say(j, ERROR("http10-here", NONE), "The answer here is in HTTP/1.0");
}

static bool is_late(const struct doctor_way *way)
{
	return way->is_tried && way->held_ms > HELD_MS_MAX;
}

static bool is_held(const struct doctor_facts *facts, const struct doctor_way *way)
{
	return is_late(way) && way->held_ms > HELD_MS_MAX + LATE_TIMES * facts->late_ms;
}

bool doctor_is_unclear(const struct doctor_facts *facts)
{
	const struct doctor_way *const ways[] = { &facts->down, &facts->up, &facts->down2,
						  &facts->up2 };
	bool is_unclear = false;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		is_unclear |= is_late(ways[i]) && !is_held(facts, ways[i]);
	return is_unclear && facts->reach == DOCTOR_REACHED;
}

static void judge_busy(struct judge *j)
{
	if (doctor_is_unclear(j->facts))
		say(j, WARNING("busy", NONE),
		    "Whether bytes are held back cannot be told: some came late, and so "
		    "did answers to small requests, by up to %.1f s. Examine again when "
		    "the machines and the path are less busy",
		    (double)j->facts->late_ms / 1000.0);
}

static void judge_down(struct judge *j, const struct doctor_way *way, const char *where)
{
	char status[16];
	if (is_held(j->facts, way))
		say(j, ERROR("response-buffered", RESPONSE_BUFFERED),
		    "Responses are buffered%s: what the server sent was held back for up "
		    "to %.1f s",
		    where, (double)way->held_ms / 1000.0);
	else if (way->is_tried && way->is_cut)
		say(j, ERROR("response-cut", RESPONSE_TIMEOUT),
		    "A response of 3 s is cut%s%s", where,
		    status_text(way->status, status));
}

static void judge_up(struct judge *j, const struct doctor_way *way, const char *where)
{
	char status[16];
	if (way->is_tried && way->is_refused)
		say(j, ERROR("put-refused", BARRED),
		    "PUT is refused%s%s: a tunnel needs GET and PUT", where,
		    status_text(way->status, status));
	else if (is_held(j->facts, way)) {
		if (j->facts->summary.version_up != 10)
			say(j, ERROR("request-buffered", REQUEST_BUFFERED),
			    "Requests are buffered%s: what was sent to the server was "
			    "held back for up to %.1f s",
			    where, (double)way->held_ms / 1000.0);
	} else if (way->is_tried && way->is_cut)
		say(j, ERROR("request-cut", REQUEST_TIMEOUT),
		    "A request of 3 s is cut%s%s", where,
		    status_text(way->status, status));
}

static void judge_compression(struct judge *j)
{
	if (j->facts->is_compressed)
		say(j, ERROR("compressed", COMPRESSED),
		    "Responses are compressed although nobody asked for it");
}

/* ---- patience ---------------------------------------------------------------------------- */

/* A time-out of silence, or else a limit of a whole life; claims are what each is called. */
static void judge_patience(struct judge *j, const char *what,
			   const struct doctor_patience *silent,
			   const struct doctor_patience *lasting,
			   const struct claim claims[2])
{
	char status[16];
	if (silent->is_cut)
		say(j, &claims[0],
		    "A %s that is silent is cut after %.1f s%s; a tunnel's can be silent "
		    "for 55 s, and lives for up to 91 minutes",
		    what, seconds(silent->cut_ns), status_text(silent->status, status));
	else if (lasting->is_cut)
		say(j, &claims[1],
		    "A %s is cut after %.1f s%s, although it was not silent", what,
		    seconds(lasting->cut_ns), status_text(lasting->status, status));
}

static void judge_response_patience(struct judge *j)
{
	static const struct claim claims[] = {
		{ WEFT_DOCTOR_ERROR, "response-timeout", REMEDY_RESPONSE_TIMEOUT },
		{ WEFT_DOCTOR_WARNING, "response-length", REMEDY_RESPONSE_TIMEOUT },
	};
	judge_patience(j, "response", &j->facts->down_silent, &j->facts->down_long,
		       claims);
}

static void judge_request_patience(struct judge *j)
{
	static const struct claim claims[] = {
		{ WEFT_DOCTOR_ERROR, "request-timeout", REMEDY_REQUEST_TIMEOUT },
		{ WEFT_DOCTOR_WARNING, "request-length", REMEDY_REQUEST_TIMEOUT },
	};
	judge_patience(j, "request", &j->facts->up_silent, &j->facts->up_long, claims);
}

/* ---- sizes ------------------------------------------------------------------------------- */

static void judge_body(struct judge *j)
{
	const struct doctor_facts *f = j->facts;
	char status[16];
	if (f->is_body_cut)
		say(j, ERROR("body-limit", BODY_LIMIT),
		    "An upload is refused after %.1f MiB%s; a tunnel's has no end",
		    (double)f->body_len / 1048576.0, status_text(f->body_status, status));
}

static void judge_head(struct judge *j)
{
	const struct doctor_facts *f = j->facts;
	if (f->head_status == 0 || (f->head_status == 200 && !f->is_head_cut))
		return;
	say(j, WARNING("head-limit", HEAD_LIMIT),
	    "Headers of 3,000 bytes do not come through%s: what a server pushes to its "
	    "clients may not arrive",
	    f->head_status == 200 ? " whole" : "");
}

/* ---- good to know ------------------------------------------------------------------------ */

static void judge_rest(struct judge *j)
{
	const struct doctor_facts *f = j->facts;
	if (f->is_tls && !f->summary.has_http2)
		say(j, NOTE("no-http2", NO_HTTP2),
		    "HTTP/2 is not spoken here: each stream has a connection of its own, "
		    "which works as well");
	if (f->proxy != DOCTOR_NO_PROXY && !f->has_forwarded)
		say(j, WARNING("no-forwarded-for", FORWARDED),
		    "X-Forwarded-For does not reach the server: to it all clients have "
		    "the proxy's address, and one with wrong tokens silences all of "
		    "them");
	if (f->summary.rtt_ns > RTT_SLOW_NS)
		say(j, NOTE("slow", NONE), "A request takes %.2f s there and back",
		    seconds(f->summary.rtt_ns));
}

bool doctor_judge(const struct doctor_facts *facts,
		  void (*fn)(void *user, const struct weft_doctor_finding *finding),
		  void *user)
{
	struct judge j = { .facts = facts, .fn = fn, .user = user };
	judge_reach(&j);
	if (facts->reach != DOCTOR_REACHED)
		return false;
	judge_version(&j);
	judge_down(&j, &facts->down, "");
	judge_up(&j, &facts->up, "");
	judge_down(&j, &facts->down2, " over HTTP/2");
	judge_up(&j, &facts->up2, " over HTTP/2");
	judge_busy(&j);
	judge_compression(&j);
	judge_response_patience(&j);
	if (!facts->up.is_refused) {
		judge_request_patience(&j);
		judge_body(&j);
	}
	judge_head(&j);
	judge_rest(&j);
	return !j.has_error;
}
