/* SPDX-License-Identifier: MIT */
/*
 * The automaton's transitions: one function for each event of RFC 1661, 4.1, named for what
 * happened, whose cases are the columns of that table. The table's abbreviations for actions
 * (irc, scr, sca ...) are in the comments where the code does not say the same.
 */
#include "serve/negotiation.h"

#include "base/array.h"

#include <weft/loop.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Most bytes of options in a packet that fits everybody's MRU. */
#define OPTIONS_MAX (PPP_MRU - PPP_PACKET_LEN)

const char *negotiation_state_name(enum negotiation_state state)
{
	static const char *const names[] = {
		[NEGOTIATION_STARTING] = "starting", [NEGOTIATION_STOPPED] = "stopped",
		[NEGOTIATION_STOPPING] = "stopping", [NEGOTIATION_REQ_SENT] = "req-sent",
		[NEGOTIATION_ACK_RCVD] = "ack-rcvd", [NEGOTIATION_ACK_SENT] = "ack-sent",
		[NEGOTIATION_OPENED] = "opened",
	};
	static_assert(ARRAY_LEN(names) == NEGOTIATION_STATES, "a name for each state");
	return names[state];
}

/* States */

#define TO(state) (1u << NEGOTIATION_##state)

/* In these the restart timer runs; entering one does not set it, sending does. */
static bool has_timer(enum negotiation_state state)
{
	return state != NEGOTIATION_STARTING && state != NEGOTIATION_STOPPED &&
	       state != NEGOTIATION_OPENED;
}

static void enter(struct negotiation *n, enum negotiation_state state)
{
	static const unsigned allowed[] = {
		[NEGOTIATION_STARTING] = TO(STARTING) | TO(STOPPED) | TO(REQ_SENT),
		[NEGOTIATION_STOPPED] =
			TO(STARTING) | TO(STOPPED) | TO(REQ_SENT) | TO(ACK_SENT),
		[NEGOTIATION_STOPPING] = TO(STARTING) | TO(STOPPED),
		[NEGOTIATION_REQ_SENT] = TO(STARTING) | TO(STOPPED) | TO(REQ_SENT) |
					 TO(ACK_RCVD) | TO(ACK_SENT),
		[NEGOTIATION_ACK_RCVD] =
			TO(STARTING) | TO(STOPPED) | TO(REQ_SENT) | TO(OPENED),
		[NEGOTIATION_ACK_SENT] = TO(STARTING) | TO(STOPPED) | TO(REQ_SENT) |
					 TO(ACK_SENT) | TO(OPENED),
		[NEGOTIATION_OPENED] =
			TO(STARTING) | TO(STOPPING) | TO(REQ_SENT) | TO(ACK_SENT),
	};
	static_assert(ARRAY_LEN(allowed) == NEGOTIATION_STATES, "a row for each state");
	assert(allowed[n->state] & (1u << state));
	n->state = state;
	if (!has_timer(state))
		n->due = WEFT_NEVER;
}

/* OPENED is left, whatever comes next: tld. */
static void leave_opened(struct negotiation *n, enum negotiation_state state,
			 uint64_t now)
{
	enter(n, state);
	n->events->down(n->user, n, now);
}

/* The peer is silent, or has had enough: tlf. */
static void finish(struct negotiation *n, uint64_t now)
{
	enter(n, NEGOTIATION_STOPPED);
	n->events->finished(n->user, n, now);
}

/* Sending */

static void send_packet(struct negotiation *n, const struct ppp_packet *packet,
			uint64_t now)
{
	n->events->send(n->user, n->ops->protocol, packet, now);
}

void negotiation_send(struct negotiation *n, uint8_t code, const uint8_t *data,
		      size_t len, uint64_t now)
{
	const struct ppp_packet packet = { code, ++n->last_id, data, len };
	send_packet(n, &packet, now);
}

/* Sends our Configure-Request as it is: each counts, and the answer has its time. */
static void repeat_request(struct negotiation *n, uint64_t now)
{
	const struct ppp_packet packet = { PPP_CONFIGURE_REQUEST, n->request_id,
					   n->request, n->request_len };
	if (n->restarts > 0)
		n->restarts--;
	n->due = now + NEGOTIATION_RESTART_NS;
	n->is_asking = true;
	send_packet(n, &packet, now);
}

/* scr, with what we ask for now. */
static void send_request(struct negotiation *n, uint64_t now)
{
	struct writer w = writer_of(n->request, sizeof(n->request));
	n->ops->request(n, &w);
	assert(!w.bad);
	n->request_len = (uint8_t)w.off;
	n->request_id = ++n->last_id;
	repeat_request(n, now);
}

/* irc, scr. */
static void begin_requests(struct negotiation *n, uint64_t now)
{
	n->restarts = NEGOTIATION_CONFIGURE_MAX;
	send_request(n, now);
}

static void send_terminate_request(struct negotiation *n, uint64_t now)
{
	if (n->restarts > 0)
		n->restarts--;
	n->due = now + NEGOTIATION_RESTART_NS;
	negotiation_send(n, PPP_TERMINATE_REQUEST, NULL, 0, now);
}

static void send_terminate_ack(struct negotiation *n, uint8_t id, uint64_t now)
{
	const struct ppp_packet packet = { .code = PPP_TERMINATE_ACK, .id = id };
	send_packet(n, &packet, now);
}

/* The layer below, time, and our own will */

void negotiation_init(struct negotiation *n, const struct negotiation_ops *ops,
		      const struct negotiation_events *events, void *user)
{
	*n = (struct negotiation){
		.ops = ops,
		.events = events,
		.user = user,
		.state = NEGOTIATION_STARTING,
		.due = WEFT_NEVER,
	};
}

void negotiation_up(struct negotiation *n, uint64_t now)
{
	assert(n->state == NEGOTIATION_STARTING);
	n->failures = 0;
	enter(n, NEGOTIATION_REQ_SENT);
	begin_requests(n, now);
}

void negotiation_wait(struct negotiation *n)
{
	assert(n->state == NEGOTIATION_STARTING);
	n->failures = 0;
	enter(n, NEGOTIATION_STOPPED);
}

void negotiation_down(struct negotiation *n, uint64_t now)
{
	if (n->state == NEGOTIATION_OPENED)
		leave_opened(n, NEGOTIATION_STARTING, now);
	else
		enter(n, NEGOTIATION_STARTING);
}

void negotiation_fail(struct negotiation *n, uint64_t now)
{
	if (n->state == NEGOTIATION_STARTING || n->state == NEGOTIATION_STOPPED)
		return;
	if (n->state != NEGOTIATION_OPENED) {
		finish(n, now);
		return;
	}
	leave_opened(n, NEGOTIATION_STOPPING, now);
	n->restarts = NEGOTIATION_TERMINATE_MAX;
	send_terminate_request(n, now);
}

/* TO+ and TO-. The peer's Terminate-Request is acknowledged once, then time runs out. */
void negotiation_run(struct negotiation *n, uint64_t now)
{
	if (now < n->due)
		return;
	if (n->restarts == 0) {
		finish(n, now);
	} else if (n->state == NEGOTIATION_STOPPING) {
		send_terminate_request(n, now);
	} else {
		if (n->state == NEGOTIATION_ACK_RCVD)
			enter(n, NEGOTIATION_REQ_SENT);
		repeat_request(n, now);
	}
}

/* What the peer asks for */

/* The options of a Configure-Request, sorted by what is to be answered. */
struct answer {
	uint8_t code;
	struct writer nak, reject;
	uint8_t nak_buf[OPTIONS_MAX], reject_buf[OPTIONS_MAX];
};

static void judge_option(struct negotiation *n, const struct ppp_option *option,
			 struct answer *a)
{
	size_t nak_off = a->nak.off;
	enum negotiation_verdict verdict = n->ops->judge(n, option, &a->nak);
	/* It will not converge (RFC 1661, 4.6, Max-Failure): without this option, then. */
	if (verdict == NEGOTIATION_NAK && n->failures >= NEGOTIATION_FAILURE_MAX) {
		a->nak.off = nak_off;
		verdict = NEGOTIATION_REJECT;
	}
	if (verdict == NEGOTIATION_REJECT)
		ppp_option_put(&a->reject, option);
}

/* Every length in the list is right, and an answer as long would fit. */
static bool options_are_sound(const struct ppp_packet *packet)
{
	struct reader r = reader_of(packet->data, packet->len);
	struct ppp_option option;
	int more;
	do
		more = ppp_option_next(&r, &option);
	while (more > 0);
	return more == 0 && packet->len <= OPTIONS_MAX;
}

/* Returns 0, or -EBADMSG. */
static int judge(struct negotiation *n, const struct ppp_packet *packet, struct answer *a)
{
	struct reader r = reader_of(packet->data, packet->len);
	struct ppp_option option;
	if (!options_are_sound(packet))
		return -EBADMSG;
	a->nak = writer_of(a->nak_buf, sizeof(a->nak_buf));
	a->reject = writer_of(a->reject_buf, sizeof(a->reject_buf));
	n->ops->begin(n);
	while (ppp_option_next(&r, &option) > 0)
		judge_option(n, &option, a);
	if (n->ops->demand && n->failures < NEGOTIATION_FAILURE_MAX)
		n->ops->demand(n, &a->nak);
	if (a->nak.bad || a->reject.bad)
		return -EBADMSG;
	a->code = PPP_CONFIGURE_ACK;
	if (a->reject.off > 0)
		a->code = PPP_CONFIGURE_REJECT;
	else if (a->nak.off > 0)
		a->code = PPP_CONFIGURE_NAK;
	return 0;
}

/* sca or scn. An Ack repeats the request's options to the letter. */
static void send_answer(struct negotiation *n, const struct ppp_packet *request,
			const struct answer *a, uint64_t now)
{
	struct ppp_packet packet = { a->code, request->id, request->data, request->len };
	if (a->code == PPP_CONFIGURE_REJECT) {
		packet.data = a->reject_buf;
		packet.len = a->reject.off;
	} else if (a->code == PPP_CONFIGURE_NAK) {
		packet.data = a->nak_buf;
		packet.len = a->nak.off;
		n->failures++;
	} else {
		n->failures = 0;
	}
	send_packet(n, &packet, now);
}

/* RCR+ and RCR-. */
static int on_configure_request(struct negotiation *n, const struct ppp_packet *packet,
				uint64_t now)
{
	struct answer answer;
	if (n->state == NEGOTIATION_STOPPING)
		return -ENOMSG;
	int r = judge(n, packet, &answer);
	if (r < 0)
		return r;
	bool agreed = answer.code == PPP_CONFIGURE_ACK;
	bool both = agreed && n->state == NEGOTIATION_ACK_RCVD;
	bool waits = n->state == NEGOTIATION_ACK_RCVD && !agreed;
	enum negotiation_state next =
		agreed ? NEGOTIATION_ACK_SENT : NEGOTIATION_REQ_SENT;

	if (n->state == NEGOTIATION_OPENED) {
		leave_opened(n, next, now);
		begin_requests(n, now);
	} else if (n->state == NEGOTIATION_STOPPED) {
		enter(n, next);
		begin_requests(n, now);
	} else if (both) {
		enter(n, NEGOTIATION_OPENED);
	} else if (!waits) {
		enter(n, next);
	}
	send_answer(n, packet, &answer, now);
	if (both)
		n->events->up(n->user, n, now);
	return 0;
}

/* How the peer answers */

/* RCA. */
static void on_configure_ack(struct negotiation *n, uint64_t now)
{
	n->is_asking = false;
	n->restarts = NEGOTIATION_CONFIGURE_MAX;
	if (n->state == NEGOTIATION_REQ_SENT) {
		enter(n, NEGOTIATION_ACK_RCVD);
		return;
	}
	enter(n, NEGOTIATION_OPENED);
	n->events->up(n->user, n, now);
}

/* RCN. */
static void on_configure_refusal(struct negotiation *n, const struct ppp_packet *packet,
				 uint64_t now)
{
	struct reader r = reader_of(packet->data, packet->len);
	struct ppp_option option;
	while (ppp_option_next(&r, &option) > 0)
		n->ops->refused(n, &option, packet->code == PPP_CONFIGURE_REJECT);
	begin_requests(n, now);
}

/* Each request has one answer: where RFC 1661 takes a second one for a sign of crossed
   negotiations and begins anew, it is passed over here, because lines duplicate. */
static int on_configure_answer(struct negotiation *n, const struct ppp_packet *packet,
			       uint64_t now)
{
	if (n->state == NEGOTIATION_STOPPED)
		send_terminate_ack(n, packet->id, now);
	if (n->state != NEGOTIATION_REQ_SENT && n->state != NEGOTIATION_ACK_SENT)
		return -ENOMSG;
	if (!n->is_asking || packet->id != n->request_id)
		return -ENOMSG;
	if (!options_are_sound(packet))
		return -EBADMSG;
	if (packet->code != PPP_CONFIGURE_ACK) {
		on_configure_refusal(n, packet, now);
		return 0;
	}
	if (packet->len != n->request_len ||
	    (packet->len > 0 && memcmp(packet->data, n->request, packet->len) != 0))
		return -EBADMSG;
	on_configure_ack(n, now);
	return 0;
}

/* The end, and what is not understood */

/* RTR. From OPENED the peer gets the time to have heard the answer: zrc. */
static int on_terminate_request(struct negotiation *n, const struct ppp_packet *packet,
				uint64_t now)
{
	if (n->state == NEGOTIATION_OPENED) {
		leave_opened(n, NEGOTIATION_STOPPING, now);
		n->restarts = 0;
		n->due = now + NEGOTIATION_RESTART_NS;
	} else if (n->state == NEGOTIATION_ACK_RCVD || n->state == NEGOTIATION_ACK_SENT) {
		enter(n, NEGOTIATION_REQ_SENT);
	}
	send_terminate_ack(n, packet->id, now);
	return 0;
}

/* RTA. */
static int on_terminate_ack(struct negotiation *n, uint64_t now)
{
	switch (n->state) {
	case NEGOTIATION_STOPPING:
		finish(n, now);
		return 0;
	case NEGOTIATION_ACK_RCVD:
		enter(n, NEGOTIATION_REQ_SENT);
		return 0;
	case NEGOTIATION_OPENED:
		leave_opened(n, NEGOTIATION_REQ_SENT, now);
		begin_requests(n, now);
		return 0;
	default:
		return -ENOMSG;
	}
}

/* RXJ+ and RXJ-: without the codes of this automaton there is nothing to talk about. */
static int on_code_reject(struct negotiation *n, const struct ppp_packet *packet,
			  uint64_t now)
{
	if (packet->len < PPP_PACKET_LEN)
		return -EBADMSG;
	if (packet->data[0] <= PPP_CODE_REJECT)
		negotiation_fail(n, now);
	else if (n->state == NEGOTIATION_ACK_RCVD)
		enter(n, NEGOTIATION_REQ_SENT);
	return 0;
}

/* RUC: the packet goes back as it came. */
static int on_unknown(struct negotiation *n, const uint8_t *data, size_t len,
		      uint64_t now)
{
	negotiation_send(n, PPP_CODE_REJECT, data, len < OPTIONS_MAX ? len : OPTIONS_MAX,
			 now);
	return 0;
}

int negotiation_input(struct negotiation *n, const uint8_t *data, size_t len,
		      uint64_t now)
{
	struct ppp_packet packet;
	int packet_len = ppp_packet_parse(data, len, &packet);
	if (packet_len < 0)
		return packet_len;
	if (n->state == NEGOTIATION_STARTING)
		return -ENOMSG;
	switch (packet.code) {
	case PPP_CONFIGURE_REQUEST:
		return on_configure_request(n, &packet, now);
	case PPP_CONFIGURE_ACK:
	case PPP_CONFIGURE_NAK:
	case PPP_CONFIGURE_REJECT:
		return on_configure_answer(n, &packet, now);
	case PPP_TERMINATE_REQUEST:
		return on_terminate_request(n, &packet, now);
	case PPP_TERMINATE_ACK:
		return on_terminate_ack(n, now);
	case PPP_CODE_REJECT:
		return on_code_reject(n, &packet, now);
	default:
		if (n->ops->extra && n->ops->extra(n, &packet, now))
			return 0;
		return on_unknown(n, data, (size_t)packet_len, now);
	}
}
