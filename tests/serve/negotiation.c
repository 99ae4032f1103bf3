/* SPDX-License-Identifier: MIT */
/*
 * The automaton against the table of RFC 1661, 4.1: for each state and each event the actions
 * and the state that follow, in the abbreviations of the RFC. A protocol of one option is
 * negotiated, of which 1 is taken, 2 is answered by "rather 1", and 3 is rejected.
 */
#include "serve/negotiation.h"

#include "../unit.h"
#include "base/array.h"
#include "base/fmt.h"

#include <weft/loop.h>

#include <errno.h>
#include <string.h>

#define OPTION 7

static struct {
	struct negotiation n;
	char text[400];
	struct fmt log; /* Actions. */
	struct ppp_packet last;
	uint8_t last_data[64];
	unsigned refused, rejected;
	uint64_t now;
} fsm;

static void act(const char *action)
{
	fmt_add(&fsm.log, "%s%s", fsm.log.off ? "," : "", action);
}

static void forget(void)
{
	fmt_init(&fsm.log, fsm.text, sizeof(fsm.text));
}

/* ---- the protocol ------------------------------------------------------------------------ */

static void on_begin(struct negotiation *n)
{
	assert_ptr_equal(n, &fsm.n);
}

static enum negotiation_verdict on_judge(struct negotiation *n,
					 const struct ppp_option *option,
					 struct writer *nak)
{
	(void)n;
	if (ppp_option_u16(option) == 1)
		return NEGOTIATION_ACK;
	if (ppp_option_u16(option) == 3)
		return NEGOTIATION_REJECT;
	ppp_option_put_u16(nak, option->type, 1);
	return NEGOTIATION_NAK;
}

static void on_request(struct negotiation *n, struct writer *options)
{
	(void)n;
	ppp_option_put_u16(options, OPTION, 0x1234);
}

static void on_refused(struct negotiation *n, const struct ppp_option *option,
		       bool is_reject)
{
	(void)n;
	assert_int_equal(option->type, OPTION);
	fsm.refused++;
	fsm.rejected += is_reject;
}

static const struct negotiation_ops ops = {
	.protocol = PPP_IPCP,
	.begin = on_begin,
	.judge = on_judge,
	.request = on_request,
	.refused = on_refused,
};

/* ---- its owner --------------------------------------------------------------------------- */

static void on_up(void *user, struct negotiation *n, uint64_t now)
{
	(void)user;
	(void)now;
	assert_int_equal(n->state, NEGOTIATION_OPENED);
	act("tlu");
}

static void on_down(void *user, struct negotiation *n, uint64_t now)
{
	(void)user;
	(void)now;
	assert_int_not_equal(n->state, NEGOTIATION_OPENED);
	act("tld");
}

static void on_finished(void *user, struct negotiation *n, uint64_t now)
{
	(void)user;
	(void)now;
	assert_int_equal(n->state, NEGOTIATION_STOPPED);
	act("tlf");
}

static void on_send(void *user, uint16_t protocol, const struct ppp_packet *packet,
		    uint64_t now)
{
	static const char *const actions[] = { "?",   "scr", "sca", "scn",
					       "scn", "str", "sta", "scj" };
	(void)user;
	assert_int_equal(protocol, PPP_IPCP);
	assert_int_equal(now, fsm.now);
	assert_true(packet->code < ARRAY_LEN(actions));
	act(actions[packet->code]);
	fsm.last = *packet;
	assert_true(packet->len <= sizeof(fsm.last_data));
	if (packet->len > 0)
		memcpy(fsm.last_data, packet->data, packet->len);
	fsm.last.data = fsm.last_data;
}

static const struct negotiation_events events = {
	.up = on_up,
	.down = on_down,
	.finished = on_finished,
	.send = on_send,
};

/* ---- events ------------------------------------------------------------------------------ */

static int input(uint8_t code, uint8_t id, const void *data, size_t len)
{
	const struct ppp_packet packet = { code, id, data, len };
	uint8_t buf[2000];
	int n = ppp_packet_emit(buf, sizeof(buf), &packet);
	assert_true(n > 0);
	return negotiation_input(&fsm.n, buf, (size_t)n, fsm.now);
}

static int input_value(uint8_t code, uint8_t value)
{
	const uint8_t option[] = { OPTION, 4, 0, value };
	return input(code, 40, option, sizeof(option));
}

static int answer(uint8_t code)
{
	return input(code, fsm.n.request_id, fsm.n.request, fsm.n.request_len);
}

/* Time passes until the restart timer is due. */
static void let_time_out(void)
{
	if (fsm.n.due == WEFT_NEVER)
		return;
	fsm.now = fsm.n.due;
	negotiation_run(&fsm.n, fsm.now);
}

static void happen(const char *event)
{
	if (strcmp(event, "Up") == 0)
		negotiation_up(&fsm.n, fsm.now);
	else if (strcmp(event, "Down") == 0)
		negotiation_down(&fsm.n, fsm.now);
	else if (strcmp(event, "TO+") == 0)
		let_time_out();
	else if (strcmp(event, "RCR+") == 0)
		(void)input_value(PPP_CONFIGURE_REQUEST, 1);
	else if (strcmp(event, "RCR-") == 0)
		(void)input_value(PPP_CONFIGURE_REQUEST, 2);
	else if (strcmp(event, "RCA") == 0)
		(void)answer(PPP_CONFIGURE_ACK);
	else if (strcmp(event, "RCN") == 0)
		(void)answer(PPP_CONFIGURE_NAK);
	else if (strcmp(event, "RTR") == 0)
		(void)input(PPP_TERMINATE_REQUEST, 41, NULL, 0);
	else if (strcmp(event, "RTA") == 0)
		(void)input(PPP_TERMINATE_ACK, 42, NULL, 0);
	else if (strcmp(event, "RUC") == 0)
		(void)input(99, 43, "abc", 3);
	else if (strcmp(event, "RXJ-") == 0)
		(void)input(PPP_CODE_REJECT, 44, "\1\1\0\4", 4);
	else if (strcmp(event, "RXJ+") == 0)
		(void)input(PPP_CODE_REJECT, 44, "\x63\1\0\4", 4);
	else
		fail_msg("no such event: %s", event);
}

static void start(void)
{
	memset(&fsm, 0, sizeof(fsm));
	fsm.now = 1000;
	forget();
	negotiation_init(&fsm.n, &ops, &events, &fsm);
}

/* Brings the automaton into a state, by the shortest way there is. */
static void bring_to(enum negotiation_state state)
{
	start();
	if (state == NEGOTIATION_STOPPED)
		negotiation_wait(&fsm.n);
	else if (state != NEGOTIATION_STARTING)
		happen("Up");
	if (state == NEGOTIATION_ACK_RCVD || state == NEGOTIATION_OPENED ||
	    state == NEGOTIATION_STOPPING)
		happen("RCA");
	if (state == NEGOTIATION_ACK_SENT || state == NEGOTIATION_OPENED ||
	    state == NEGOTIATION_STOPPING)
		happen("RCR+");
	if (state == NEGOTIATION_STOPPING)
		negotiation_fail(&fsm.n, fsm.now);
	assert_int_equal(fsm.n.state, state);
	forget();
}

/* ---- the table --------------------------------------------------------------------------- */

#define S(state) NEGOTIATION_##state

/* What RFC 1661 says, but for second answers to a request (its "6x", and RCA and RCN in
   Opened), which are passed over. */
static const struct {
	enum negotiation_state from, to;
	const char *event, *actions;
} table[] = {
	{ S(STARTING), S(REQ_SENT), "Up", "scr" },
	{ S(STARTING), S(STARTING), "RCR+", "" },
	{ S(STARTING), S(STARTING), "RTR", "" },
	{ S(STARTING), S(STARTING), "RUC", "" },

	{ S(STOPPED), S(STARTING), "Down", "" },
	{ S(STOPPED), S(ACK_SENT), "RCR+", "scr,sca" },
	{ S(STOPPED), S(REQ_SENT), "RCR-", "scr,scn" },
	{ S(STOPPED), S(STOPPED), "RCA", "sta" },
	{ S(STOPPED), S(STOPPED), "RCN", "sta" },
	{ S(STOPPED), S(STOPPED), "RTR", "sta" },
	{ S(STOPPED), S(STOPPED), "RTA", "" },
	{ S(STOPPED), S(STOPPED), "RUC", "scj" },
	{ S(STOPPED), S(STOPPED), "RXJ-", "" },

	{ S(STOPPING), S(STARTING), "Down", "" },
	{ S(STOPPING), S(STOPPING), "TO+", "str" },
	{ S(STOPPING), S(STOPPING), "RCR+", "" },
	{ S(STOPPING), S(STOPPING), "RCR-", "" },
	{ S(STOPPING), S(STOPPING), "RCA", "" },
	{ S(STOPPING), S(STOPPING), "RCN", "" },
	{ S(STOPPING), S(STOPPING), "RTR", "sta" },
	{ S(STOPPING), S(STOPPED), "RTA", "tlf" },
	{ S(STOPPING), S(STOPPING), "RUC", "scj" },
	{ S(STOPPING), S(STOPPING), "RXJ+", "" },
	{ S(STOPPING), S(STOPPED), "RXJ-", "tlf" },

	{ S(REQ_SENT), S(STARTING), "Down", "" },
	{ S(REQ_SENT), S(REQ_SENT), "TO+", "scr" },
	{ S(REQ_SENT), S(ACK_SENT), "RCR+", "sca" },
	{ S(REQ_SENT), S(REQ_SENT), "RCR-", "scn" },
	{ S(REQ_SENT), S(ACK_RCVD), "RCA", "" },
	{ S(REQ_SENT), S(REQ_SENT), "RCN", "scr" },
	{ S(REQ_SENT), S(REQ_SENT), "RTR", "sta" },
	{ S(REQ_SENT), S(REQ_SENT), "RTA", "" },
	{ S(REQ_SENT), S(REQ_SENT), "RUC", "scj" },
	{ S(REQ_SENT), S(REQ_SENT), "RXJ+", "" },
	{ S(REQ_SENT), S(STOPPED), "RXJ-", "tlf" },

	{ S(ACK_RCVD), S(STARTING), "Down", "" },
	{ S(ACK_RCVD), S(REQ_SENT), "TO+", "scr" },
	{ S(ACK_RCVD), S(OPENED), "RCR+", "sca,tlu" },
	{ S(ACK_RCVD), S(ACK_RCVD), "RCR-", "scn" },
	{ S(ACK_RCVD), S(ACK_RCVD), "RCA", "" },
	{ S(ACK_RCVD), S(ACK_RCVD), "RCN", "" },
	{ S(ACK_RCVD), S(REQ_SENT), "RTR", "sta" },
	{ S(ACK_RCVD), S(REQ_SENT), "RTA", "" },
	{ S(ACK_RCVD), S(ACK_RCVD), "RUC", "scj" },
	{ S(ACK_RCVD), S(REQ_SENT), "RXJ+", "" },
	{ S(ACK_RCVD), S(STOPPED), "RXJ-", "tlf" },

	{ S(ACK_SENT), S(STARTING), "Down", "" },
	{ S(ACK_SENT), S(ACK_SENT), "TO+", "scr" },
	{ S(ACK_SENT), S(ACK_SENT), "RCR+", "sca" },
	{ S(ACK_SENT), S(REQ_SENT), "RCR-", "scn" },
	{ S(ACK_SENT), S(OPENED), "RCA", "tlu" },
	{ S(ACK_SENT), S(ACK_SENT), "RCN", "scr" },
	{ S(ACK_SENT), S(REQ_SENT), "RTR", "sta" },
	{ S(ACK_SENT), S(ACK_SENT), "RTA", "" },
	{ S(ACK_SENT), S(ACK_SENT), "RUC", "scj" },
	{ S(ACK_SENT), S(ACK_SENT), "RXJ+", "" },
	{ S(ACK_SENT), S(STOPPED), "RXJ-", "tlf" },

	{ S(OPENED), S(STARTING), "Down", "tld" },
	{ S(OPENED), S(OPENED), "TO+", "" },
	{ S(OPENED), S(ACK_SENT), "RCR+", "tld,scr,sca" },
	{ S(OPENED), S(REQ_SENT), "RCR-", "tld,scr,scn" },
	{ S(OPENED), S(OPENED), "RCA", "" },
	{ S(OPENED), S(OPENED), "RCN", "" },
	{ S(OPENED), S(STOPPING), "RTR", "tld,sta" },
	{ S(OPENED), S(REQ_SENT), "RTA", "tld,scr" },
	{ S(OPENED), S(OPENED), "RUC", "scj" },
	{ S(OPENED), S(OPENED), "RXJ+", "" },
	{ S(OPENED), S(STOPPING), "RXJ-", "tld,str" },
};

static void the_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bring_to(table[i].from);
		happen(table[i].event);
		if (strcmp(fmt_text(&fsm.log), table[i].actions) != 0 ||
		    fsm.n.state != table[i].to)
			fail_msg("%s in %s: %s/%s, expected %s/%s", table[i].event,
				 negotiation_state_name(table[i].from),
				 fmt_text(&fsm.log), negotiation_state_name(fsm.n.state),
				 table[i].actions, negotiation_state_name(table[i].to));
	}
}

/* ---- time -------------------------------------------------------------------------------- */

static void ten_requests_then_silence(void **state)
{
	(void)state;
	start();
	happen("Up");
	uint8_t id = fsm.last.id;
	for (unsigned i = 1; i < NEGOTIATION_CONFIGURE_MAX; i++) {
		uint64_t before = fsm.now;
		forget();
		let_time_out();
		assert_string_equal(fmt_text(&fsm.log), "scr");
		assert_int_equal(fsm.last.id, id); /* The same again. */
		assert_int_equal(fsm.now - before, NEGOTIATION_RESTART_NS);
	}
	forget();
	let_time_out();
	assert_string_equal(fmt_text(&fsm.log), "tlf");
	assert_true(fsm.n.due == WEFT_NEVER);
}

static void two_terminate_requests_then_silence(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_STOPPING);
	let_time_out();
	assert_string_equal(fmt_text(&fsm.log), "str");
	let_time_out();
	assert_string_equal(fmt_text(&fsm.log), "str,tlf");
}

/* The peer that ended it gets one restart period to have heard of it. */
static void one_terminate_ack_then_silence(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_OPENED);
	happen("RTR");
	forget();
	let_time_out();
	assert_string_equal(fmt_text(&fsm.log), "tlf");
}

static void nothing_is_due_too_early(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	fsm.now = fsm.n.due - 1;
	negotiation_run(&fsm.n, fsm.now);
	assert_string_equal(fmt_text(&fsm.log), "");
}

/* ---- what is in the answers -------------------------------------------------------------- */

static void an_ack_repeats_the_request(void **state)
{
	const uint8_t options[] = { OPTION, 4, 0, 1, 8, 4, 0, 1 };
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	assert_int_equal(input(PPP_CONFIGURE_REQUEST, 77, options, sizeof(options)), 0);
	assert_int_equal(fsm.last.code, PPP_CONFIGURE_ACK);
	assert_int_equal(fsm.last.id, 77);
	assert_int_equal(fsm.last.len, sizeof(options));
	assert_memory_equal(fsm.last.data, options, sizeof(options));
}

/* Of several faults the worst is answered, with nothing but those options in it. */
static void a_reject_comes_before_a_nak(void **state)
{
	const uint8_t options[] = { 5, 4, 0, 2, 6, 4, 0, 3, OPTION, 4, 0, 1 };
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	assert_int_equal(input(PPP_CONFIGURE_REQUEST, 77, options, sizeof(options)), 0);
	assert_int_equal(fsm.last.code, PPP_CONFIGURE_REJECT);
	assert_int_equal(fsm.last.len, 4);
	assert_memory_equal(fsm.last.data, options + 4, 4);
}

static void a_nak_names_what_would_do(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	happen("RCR-");
	assert_int_equal(fsm.last.code, PPP_CONFIGURE_NAK);
	assert_int_equal(fsm.last.len, 4);
	assert_memory_equal(fsm.last.data, "\7\4\0\1", 4);
}

/* Five Naks, then the option is rejected; an Ack begins the count anew. */
static void what_does_not_converge_is_rejected(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	for (unsigned i = 0; i < NEGOTIATION_FAILURE_MAX; i++) {
		happen("RCR-");
		assert_int_equal(fsm.last.code, PPP_CONFIGURE_NAK);
	}
	happen("RCR-");
	assert_int_equal(fsm.last.code, PPP_CONFIGURE_REJECT);
	happen("RCR+");
	happen("RCR-");
	assert_int_equal(fsm.last.code, PPP_CONFIGURE_NAK);
}

static void refusals_reach_the_protocol(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	uint8_t id = fsm.n.request_id;
	happen("RCN");
	assert_int_equal(fsm.refused, 1);
	assert_int_equal(fsm.rejected, 0);
	assert_int_not_equal(fsm.n.request_id, id);
	assert_int_equal(answer(PPP_CONFIGURE_REJECT), 0);
	assert_int_equal(fsm.rejected, 1);
}

static void an_unknown_packet_goes_back(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_OPENED);
	happen("RUC");
	assert_int_equal(fsm.last.len, 7);
	assert_memory_equal(fsm.last.data, "\x63\x2b\0\7abc", 7);
}

/* ---- what is not to be believed ---------------------------------------------------------- */

static void an_answer_to_another_request_is_none(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	uint8_t id = (uint8_t)(fsm.n.request_id + 1);
	assert_int_equal(input(PPP_CONFIGURE_ACK, id, fsm.n.request, fsm.n.request_len),
			 -ENOMSG);
	assert_int_equal(fsm.n.state, NEGOTIATION_REQ_SENT);
}

static void an_ack_of_something_else_is_none(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_REQ_SENT);
	assert_int_equal(input(PPP_CONFIGURE_ACK, fsm.n.request_id, "\7\4\0\1", 4),
			 -EBADMSG);
	assert_int_equal(input(PPP_CONFIGURE_ACK, fsm.n.request_id, NULL, 0), -EBADMSG);
	assert_int_equal(fsm.n.state, NEGOTIATION_REQ_SENT);
}

static void false_options_are_no_packet(void **state)
{
	(void)state;
	bring_to(NEGOTIATION_OPENED);
	assert_int_equal(input(PPP_CONFIGURE_REQUEST, 1, "\7\1\0\1", 4), -EBADMSG);
	assert_int_equal(input(PPP_CONFIGURE_REQUEST, 1, "\7\0", 2), -EBADMSG);
	assert_int_equal(input(PPP_CONFIGURE_REQUEST, 1, "\7\5\0\1", 4), -EBADMSG);
	assert_int_equal(input(PPP_CODE_REJECT, 1, "\1", 1), -EBADMSG);
	assert_int_equal(fsm.n.state, NEGOTIATION_OPENED);
	bring_to(NEGOTIATION_REQ_SENT);
	assert_int_equal(input(PPP_CONFIGURE_NAK, fsm.n.request_id, "\7\4\0", 3),
			 -EBADMSG);
	assert_int_equal(fsm.refused, 0);
	assert_string_equal(fmt_text(&fsm.log), "");
}

/* More options than an answer has room for. */
static void too_many_options_are_no_packet(void **state)
{
	static uint8_t options[PPP_MRU];
	(void)state;
	for (size_t i = 0; i < sizeof(options); i += 2)
		options[i + 1] = 2;
	bring_to(NEGOTIATION_REQ_SENT);
	assert_int_equal(input(PPP_CONFIGURE_REQUEST, 1, options, sizeof(options)),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds),
		cmocka_unit_test(ten_requests_then_silence),
		cmocka_unit_test(two_terminate_requests_then_silence),
		cmocka_unit_test(one_terminate_ack_then_silence),
		cmocka_unit_test(nothing_is_due_too_early),
		cmocka_unit_test(an_ack_repeats_the_request),
		cmocka_unit_test(a_reject_comes_before_a_nak),
		cmocka_unit_test(a_nak_names_what_would_do),
		cmocka_unit_test(what_does_not_converge_is_rejected),
		cmocka_unit_test(refusals_reach_the_protocol),
		cmocka_unit_test(an_unknown_packet_goes_back),
		cmocka_unit_test(an_answer_to_another_request_is_none),
		cmocka_unit_test(an_ack_of_something_else_is_none),
		cmocka_unit_test(false_options_are_no_packet),
		cmocka_unit_test(too_many_options_are_no_packet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
