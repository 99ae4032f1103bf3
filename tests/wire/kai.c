/* SPDX-License-Identifier: MIT */
/*
 * The words of XLink Kai as Dolphin and the engine say them.
 */
#include "wire/kai.h"

#include "bytes.h"

#include <errno.h>

static int parse_text(const char *text, struct kai_msg *ret_msg)
{
	size_t len = strlen(text);
	uint8_t *copy = bytes_exactly((const uint8_t *)text, len);
	int r = kai_msg_parse(copy, len, ret_msg);
	free(copy);
	return r;
}

static void expect(const char *text, enum kai_type type, const char *id, const char *rest)
{
	struct kai_msg msg;
	assert_int_equal(parse_text(text, &msg), 0);
	assert_int_equal(msg.type, type);
	assert_string_equal(msg.id, id);
	assert_string_equal(msg.text, rest);
}

static void what_is_said(void **state)
{
	(void)state;
	expect("connect;dolphin-1;dolphin;000000000000", KAI_CONNECT, "dolphin-1",
	       "dolphin");
	expect("connected;dolphin-1;", KAI_CONNECTED, "dolphin-1", "");
	expect("disconnect;dolphin-1;0000000000", KAI_DISCONNECT, "dolphin-1", "");
	expect("disconnect;", KAI_DISCONNECT, "", "");
	expect("disconnected;dolphin-1;bye bye;", KAI_DISCONNECTED, "dolphin-1",
	       "bye bye");
	expect("disconnected;", KAI_DISCONNECTED, "", "");
	expect("discover;", KAI_DISCOVER, "", "");
	expect("xlink_here;", KAI_HERE, "", "");
	expect("keepalive;", KAI_KEEPALIVE, "", "");
	expect("keepalive", KAI_KEEPALIVE, "", "");
	expect("chat;hello there;", KAI_CHAT, "", "hello there");
	expect("directmessage;x", KAI_CHAT, "", "x");
	expect("setting;chat;true;", KAI_SETTING, "", "chat");
}

static void what_is_not(void **state)
{
	static const char *const texts[] = {
		"",
		";",
		"hello",
		"connect",
		"connect;",
		"connect;;a;",
		"connec;t;a;",
		"CONNECT;a;b;",
		"connect;a\tb;c;",
		"e;e;connect;a;b;",
		"connected;;",
		"e;",
		"keepalive ;",
	};
	struct kai_msg msg = { .text = "untouched" };
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (parse_text(texts[i], &msg) != -EBADMSG)
			fail_msg("took \"%s\"", texts[i]);
	}
	assert_string_equal(msg.text, "untouched");
}

static void lengths_have_bounds(void **state)
{
	char text[600] = "connect;";
	struct kai_msg msg;
	(void)state;
	memset(text + 8, 'i', KAI_ID_LEN - 1);
	strcpy(text + 8 + KAI_ID_LEN - 1, ";app;");
	assert_int_equal(parse_text(text, &msg), 0);
	assert_int_equal(strlen(msg.id), KAI_ID_LEN - 1);
	memset(text + 8, 'i', KAI_ID_LEN);
	strcpy(text + 8 + KAI_ID_LEN, ";app;");
	assert_int_equal(parse_text(text, &msg), -EBADMSG);
	strcpy(text, "chat;");
	memset(text + 5, 'c', 500);
	text[505] = '\0';
	assert_int_equal(parse_text(text, &msg), 0);
	assert_int_equal(strlen(msg.text), KAI_TEXT_LEN - 1);
}

static void text_is_made_printable(void **state)
{
	(void)state;
	expect("chat;a\033[31mb\377;", KAI_CHAT, "", "a?[31mb?");
}

static void frames_have_a_prefix(void **state)
{
	uint8_t buf[KAI_PREFIX_LEN];
	(void)state;
	kai_prefix_emit(buf);
	assert_memory_equal(buf, "e;e;", 4);
	assert_true(kai_is_frame(buf, 4));
	assert_false(kai_is_frame(buf, 3));
	assert_false(kai_is_frame((const uint8_t *)"e;x;", 4));
}

static void what_is_emitted_is_read_again(void **state)
{
	char buf[KAI_LEN_MAX];
	(void)state;
	for (int type = KAI_CONNECT; type <= KAI_SETTING; type++) {
		struct kai_msg msg = { .type = (enum kai_type)type }, again;
		strcpy(msg.id, "id");
		strcpy(msg.text, "te;xt");
		size_t len = kai_msg_emit(buf, &msg);
		assert_int_equal(kai_msg_parse((const uint8_t *)buf, len, &again), 0);
		assert_int_equal(again.type, type);
		assert_true(again.id[0] == '\0' || strcmp(again.id, "id") == 0);
		assert_true(again.text[0] == '\0' || strcmp(again.text, "te,xt") == 0);
	}
}

static void the_longest_fits(void **state)
{
	char buf[KAI_LEN_MAX];
	struct kai_msg msg = { .type = KAI_CONNECT }, again;
	(void)state;
	memset(msg.id, 'i', sizeof(msg.id) - 1);
	memset(msg.text, 't', sizeof(msg.text) - 1);
	size_t len = kai_msg_emit(buf, &msg);
	assert_true(len < KAI_LEN_MAX);
	assert_int_equal(kai_msg_parse((const uint8_t *)buf, len, &again), 0);
	assert_string_equal(again.id, msg.id);
	assert_string_equal(again.text, msg.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said),
		cmocka_unit_test(what_is_not),
		cmocka_unit_test(lengths_have_bounds),
		cmocka_unit_test(text_is_made_printable),
		cmocka_unit_test(frames_have_a_prefix),
		cmocka_unit_test(what_is_emitted_is_read_again),
		cmocka_unit_test(the_longest_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
