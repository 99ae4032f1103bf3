/* SPDX-License-Identifier: MIT */
/*
 * Words of XLink Kai, one table for both directions. A last field may or may not have its
 * ";": emulators differ.
 */
#include "wire/kai.h"

#include "base/array.h"
#include "base/fmt.h"
#include "wire/cursor.h"

#include <errno.h>
#include <string.h>

/* Applications have always sent some bytes more than they need; so do we. */
#define PADDING "000000000000000000000000000000000000000000"

static const struct word {
	const char *text;
	enum kai_type type;
	bool has_id, needs_id, has_text;
} words[] = {
	{ "connect", KAI_CONNECT, true, true, true },
	{ "connected", KAI_CONNECTED, true, true, false },
	{ "disconnect", KAI_DISCONNECT, true, false, false },
	{ "disconnected", KAI_DISCONNECTED, true, false, true },
	{ "discover", KAI_DISCOVER, false, false, false },
	{ "xlink_here", KAI_HERE, false, false, false },
	{ "keepalive", KAI_KEEPALIVE, false, false, false },
	{ "chat", KAI_CHAT, false, false, true },
	{ "message", KAI_CHAT, false, false, true },
	{ "directmessage", KAI_CHAT, false, false, true },
	{ "setting", KAI_SETTING, false, false, true },
};

/* The bytes up to the next ";", which is passed over, or to the end. */
static struct reader field_next(struct reader *r)
{
	const uint8_t *start = r->data + r->off;
	size_t left = reader_left(r);
	const uint8_t *end = left > 0 ? memchr(start, ';', left) : NULL;
	struct reader field = reader_sub(r, end ? (size_t)(end - start) : left);

	if (end)
		reader_skip(r, 1);
	return field;
}

static const struct word *word_find(const struct reader *field)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i].text) == field->len &&
		    memcmp(words[i].text, field->data, field->len) == 0)
			return &words[i];
	}
	return NULL;
}

static bool is_printable(uint8_t byte)
{
	return byte >= ' ' && byte <= '~';
}

/* An identifier is compared, so that it is taken as a whole or not at all. */
static int id_take(const struct reader *field, char ret_id[KAI_ID_LEN])
{
	if (field->len >= KAI_ID_LEN)
		return -EBADMSG;
	for (size_t i = 0; i < field->len; i++) {
		if (!is_printable(field->data[i]))
			return -EBADMSG;
		ret_id[i] = (char)field->data[i];
	}
	ret_id[field->len] = '\0';
	return 0;
}

/* Text is only shown: what cannot be is replaced. */
static void text_take(const struct reader *field, char ret_text[KAI_TEXT_LEN])
{
	size_t n = field->len < KAI_TEXT_LEN ? field->len : KAI_TEXT_LEN - 1;

	for (size_t i = 0; i < n; i++)
		ret_text[i] = (char)(is_printable(field->data[i]) ? field->data[i] : '?');
	ret_text[n] = '\0';
}

int kai_msg_parse(const uint8_t *data, size_t len, struct kai_msg *ret_msg)
{
	struct reader r = reader_of(data, len);
	struct kai_msg msg = { .id = "" };

	if (len == 0 || kai_is_frame(data, len))
		return -EBADMSG;
	struct reader field = field_next(&r);
	const struct word *word = word_find(&field);
	if (!word)
		return -EBADMSG;
	msg.type = word->type;
	if (word->has_id) {
		field = field_next(&r);
		if (id_take(&field, msg.id) < 0 || (word->needs_id && !msg.id[0]))
			return -EBADMSG;
	}
	if (word->has_text) {
		field = field_next(&r);
		text_take(&field, msg.text);
	}
	*ret_msg = msg;
	return 0;
}

static void field_add(struct fmt *f, const char *text)
{
	char copy[KAI_TEXT_LEN];
	size_t n = strnlen(text, sizeof(copy) - 1);

	for (size_t i = 0; i < n; i++)
		copy[i] = (char)(text[i] == ';' ? ',' : text[i]);
	copy[n] = '\0';
	fmt_add(f, "%s;", copy);
}

size_t kai_msg_emit(char buf[KAI_LEN_MAX], const struct kai_msg *msg)
{
	const struct word *word = words;
	struct fmt f;

	while (word->type != msg->type)
		word++;
	fmt_init(&f, buf, KAI_LEN_MAX);
	fmt_add(&f, "%s;", word->text);
	if (word->has_id)
		field_add(&f, msg->id);
	if (word->has_text)
		field_add(&f, msg->text);
	if (word->type == KAI_CONNECT)
		fmt_add(&f, PADDING);
	return strlen(fmt_text(&f));
}
