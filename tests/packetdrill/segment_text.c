/* SPDX-License-Identifier: MIT */
/*
 * The language: packetdrill's syntax of packets, as far as transcripts of ours and the usual
 * ones of others need it.
 *
 *     [ecn, tos n or ttl n] FLAGS seq:end(len) [ack n] [win n] [urg n] [<options>]
 *     udp (len)
 *     icmp TYPE CODE [mtu n] [[seq:end(len)]]
 */
#include "base/array.h"
#include "segment.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	char letter;
	uint16_t flag;
} flag_letters[] = { { 'S', TCP_SYN }, { 'F', TCP_FIN }, { 'R', TCP_RST },
		     { 'P', TCP_PSH }, { '.', TCP_ACK }, { 'E', TCP_ECE },
		     { 'W', TCP_CWR }, { 'U', TCP_URG } };

static const struct {
	const char *word;
	uint8_t kind, numbers_n;
} option_words[] = {
	{ "eol", TCP_OPT_END, 0 },
	{ "nop", TCP_OPT_NOP, 0 },
	{ "mss", TCP_OPT_MSS, 1 },
	{ "wscale", TCP_OPT_WSCALE, 1 },
	{ "sackOK", TCP_OPT_SACK_PERMITTED, 0 },
	{ "TS val", TCP_OPT_TIMESTAMPS, 2 },
	{ "sack", TCP_OPT_SACK, 0 },
};

static const struct {
	const char *words;
	bool is_ip6;
	uint8_t type, code;
} icmp_words[] = {
	{ "unreachable net_unreachable", false, ICMP4_UNREACHABLE, 0 },
	{ "unreachable host_unreachable", false, ICMP4_UNREACHABLE, 1 },
	{ "unreachable protocol_unreachable", false, ICMP4_UNREACHABLE, 2 },
	{ "unreachable port_unreachable", false, ICMP4_UNREACHABLE, 3 },
	{ "unreachable frag_needed", false, ICMP4_UNREACHABLE, 4 },
	{ "source_quench", false, ICMP4_SOURCE_QUENCH, 0 },
	{ "unreachable no_route", true, ICMP6_UNREACHABLE, 0 },
	{ "unreachable address_unreachable", true, ICMP6_UNREACHABLE, 3 },
	{ "unreachable port_unreachable", true, ICMP6_UNREACHABLE, 4 },
	{ "packet_too_big", true, ICMP6_PACKET_TOO_BIG, 0 },
};

/* ---- reading ----------------------------------------------------------------------------- */

static void skip_space(const char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
}

static bool take(const char **at, const char *word)
{
	size_t len = strlen(word);
	skip_space(at);
	if (strncmp(*at, word, len) != 0)
		return false;
	if (isalnum((unsigned char)word[len - 1]) &&
	    (isalnum((unsigned char)(*at)[len]) || (*at)[len] == '_'))
		return false;
	*at += len;
	return true;
}

static bool take_number(const char **at, uint32_t *ret_number)
{
	char *end;
	skip_space(at);
	if (!isdigit((unsigned char)**at))
		return false;
	*ret_number = (uint32_t)strtoul(*at, &end, 0);
	*at = end;
	return true;
}

static bool take_u16(const char **at, uint16_t *ret_number)
{
	uint32_t number;
	if (!take_number(at, &number) || number > UINT16_MAX)
		return false;
	*ret_number = (uint16_t)number;
	return true;
}

/* seq:end(len) */
static bool take_range(const char **at, uint32_t *ret_seq, uint32_t *ret_len)
{
	uint32_t end;
	return take_number(at, ret_seq) && take(at, ":") && take_number(at, &end) &&
	       take(at, "(") && take_number(at, ret_len) && take(at, ")") &&
	       end == *ret_seq + *ret_len;
}

static uint16_t flag_of(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(flag_letters); i++) {
		if (flag_letters[i].letter == letter)
			return flag_letters[i].flag;
	}
	return 0;
}

/* At least one, or "-" for none. */
static bool take_flags(const char **at, uint16_t *ret_flags)
{
	uint16_t flag, flags = 0;
	if (!take(at, "-")) {
		while ((flag = flag_of(**at)) != 0) {
			flags |= flag;
			(*at)++;
		}
		if (flags == 0)
			return false;
	}
	*ret_flags = flags;
	return true;
}

static bool take_sacks(const char **at, struct segment_option *option)
{
	uint32_t left, right;
	while (option->n < ARRAY_LEN(option->number) && take_number(at, &left)) {
		if (!take(at, ":") || !take_number(at, &right))
			return false;
		option->number[option->n++] = left;
		option->number[option->n++] = right;
	}
	return true;
}

static bool take_option(const char **at, struct segment_option *option)
{
	*option = (struct segment_option){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(option_words); i++) {
		if (!take(at, option_words[i].word))
			continue;
		option->kind = option_words[i].kind;
		if (option->kind == TCP_OPT_SACK)
			return take_sacks(at, option);
		while (option->n < option_words[i].numbers_n) {
			if (option->n == 1 && !take(at, "ecr"))
				return false;
			if (!take_number(at, &option->number[option->n]))
				return false;
			option->n++;
		}
		return true;
	}
	return false;
}

static bool take_options(const char **at, struct segment *segment)
{
	if (!take(at, "<"))
		return true;
	if (take(at, "...")) {
		segment->has_any_options = true;
		return take(at, ">");
	}
	do {
		if (segment->options_n == SEGMENT_OPTIONS_MAX ||
		    !take_option(at, &segment->options[segment->options_n]))
			return false;
		segment->options_n++;
	} while (take(at, ","));
	return take(at, ">");
}

static bool take_u8(const char **at, uint8_t *ret_number)
{
	uint32_t number;
	if (!take_number(at, &number) || number > UINT8_MAX)
		return false;
	*ret_number = (uint8_t)number;
	return true;
}

/* What stands in front: of ECN, TOS and TTL one. */
static bool take_ip(const char **at, struct segment *segment)
{
	static const char *const words[] = { "noecn", "ect1", "ect0", "ce" };
	if (!take(at, "["))
		return true;
	segment->has_tos = take(at, "tos");
	if (segment->has_tos)
		return take_u8(at, &segment->tos) && take(at, "]");
	segment->has_ttl = take(at, "ttl");
	if (segment->has_ttl)
		return take_u8(at, &segment->ttl) && take(at, "]");
	segment->has_ecn = true;
	segment->is_ect = take(at, "ect01");
	if (segment->is_ect)
		return take(at, "]");
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (take(at, words[i])) {
			segment->ecn = (uint8_t)i;
			return take(at, "]");
		}
	}
	return false;
}

static const char *parse_tcp(const char **at, struct segment *segment)
{
	if (!take_flags(at, &segment->flags))
		return "the flags";
	if (!take_range(at, &segment->seq, &segment->len))
		return "seq:end(len)";
	if (take(at, "ack") && !take_number(at, &segment->ack))
		return "the ACK's number";
	segment->has_window = take(at, "win");
	if (segment->has_window && !take_u16(at, &segment->window))
		return "the window";
	segment->has_urgent = take(at, "urg");
	if (segment->has_urgent && !take_u16(at, &segment->urgent))
		return "the urgent pointer";
	return take_options(at, segment) ? NULL : "the options";
}

static const char *parse_udp(const char **at, struct segment *segment)
{
	segment->kind = SEGMENT_UDP;
	return take(at, "(") && take_number(at, &segment->len) && take(at, ")")
		       ? NULL
		       : "udp (length)";
}

/* Each of the words, whatever space is between them. */
static bool take_words(const char **at, const char *words)
{
	char copy[64], *rest = copy, *word;
	const char *try = *at;
	(void)snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		if (!take(&try, word))
			return false;
	}
	*at = try;
	return true;
}

static bool take_icmp_type(const char **at, bool is_ip6, struct segment *segment)
{
	for (size_t i = 0; i < ARRAY_LEN(icmp_words); i++) {
		if (icmp_words[i].is_ip6 != is_ip6 ||
		    !take_words(at, icmp_words[i].words))
			continue;
		segment->type = icmp_words[i].type;
		segment->code = icmp_words[i].code;
		return true;
	}
	return false;
}

static const char *parse_icmp(const char **at, bool is_ip6, struct segment *segment)
{
	segment->kind = SEGMENT_ICMP;
	if (!take_icmp_type(at, is_ip6, segment))
		return "the type and code";
	if (take(at, "mtu") && !take_number(at, &segment->mtu))
		return "the MTU";
	if (!take(at, "["))
		return NULL;
	segment->quotes_udp = take(at, "udp");
	if (segment->quotes_udp)
		return take(at, "(") && take_number(at, &segment->len) && take(at, ")") &&
				       take(at, "]")
			       ? NULL
			       : "[udp (length)]";
	return take_range(at, &segment->seq, &segment->len) && take(at, "]")
		       ? NULL
		       : "[seq:end(len)]";
}

const char *segment_parse(const char *text, bool is_ip6, struct segment *ret_segment)
{
	const char *at = text, *wrong;
	*ret_segment = (struct segment){ 0 };
	if (!take_ip(&at, ret_segment))
		return "the ECN bits";
	if (take(&at, "udp"))
		wrong = parse_udp(&at, ret_segment);
	else if (take(&at, "icmp"))
		wrong = parse_icmp(&at, is_ip6, ret_segment);
	else
		wrong = parse_tcp(&at, ret_segment);
	skip_space(&at);
	return wrong ? wrong : *at ? "what stands at the end" : NULL;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Text that grows in a buffer; what does not fit is left out. */
struct writer {
	char *text;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *fmt,
						      ...)
{
	va_list args;
	va_start(args, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses va_start. */
	int n = vsnprintf(w->text + w->len, SEGMENT_TEXT_MAX - w->len, fmt, args);
	va_end(args);
	w->len += n > 0 ? (size_t)n : 0;
	if (w->len >= SEGMENT_TEXT_MAX)
		w->len = SEGMENT_TEXT_MAX - 1;
}

static void put_option(struct writer *w, const struct segment_option *option)
{
	for (size_t i = 0; i < ARRAY_LEN(option_words); i++) {
		if (option_words[i].kind != option->kind)
			continue;
		put(w, "%s", option_words[i].word);
		if (option->kind == TCP_OPT_SACK)
			break;
		for (unsigned n = 0; n < option->n; n++)
			put(w, "%s %u", n == 1 ? " ecr" : "", option->number[n]);
		return;
	}
	if (option->kind != TCP_OPT_SACK) {
		put(w, "kind %u", option->kind);
		return;
	}
	for (unsigned n = 0; n + 1 < option->n; n += 2)
		put(w, " %u:%u", option->number[n], option->number[n + 1]);
}

static void put_tcp(struct writer *w, const struct segment *s)
{
	if (s->flags == 0)
		put(w, "-");
	for (size_t i = 0; i < ARRAY_LEN(flag_letters); i++) {
		if (s->flags & flag_letters[i].flag)
			put(w, "%c", flag_letters[i].letter);
	}
	put(w, " %u:%u(%u)", s->seq, s->seq + s->len, s->len);
	if (s->flags & TCP_ACK)
		put(w, " ack %u", s->ack);
	if (s->has_window)
		put(w, " win %u", s->window);
	if (s->has_urgent)
		put(w, " urg %u", s->urgent);
	if (s->has_any_options)
		put(w, " <...>");
	for (unsigned i = 0; i < s->options_n; i++) {
		put(w, "%s", i == 0 ? " <" : ",");
		put_option(w, &s->options[i]);
	}
	if (s->options_n > 0)
		put(w, ">");
}

static void put_icmp(struct writer *w, const struct segment *s, bool is_ip6)
{
	size_t i = 0;
	while (i < ARRAY_LEN(icmp_words) &&
	       (icmp_words[i].is_ip6 != is_ip6 || icmp_words[i].type != s->type ||
		icmp_words[i].code != s->code))
		i++;
	if (i < ARRAY_LEN(icmp_words))
		put(w, "icmp %s", icmp_words[i].words);
	else
		put(w, "icmp type %u code %u", s->type, s->code);
	if (s->mtu)
		put(w, " mtu %u", s->mtu);
}

const char *segment_print(const struct segment *segment, bool is_ip6,
			  char text[SEGMENT_TEXT_MAX])
{
	static const char *const ecn[] = { "noecn", "ect1", "ect0", "ce" };
	struct writer w = { .text = text };
	text[0] = '\0';
	if (segment->has_ecn)
		put(&w, "[%s] ", segment->is_ect ? "ect01" : ecn[segment->ecn]);
	if (segment->has_tos)
		put(&w, "[tos 0x%x] ", segment->tos);
	if (segment->has_ttl)
		put(&w, "[ttl %u] ", segment->ttl);
	if (segment->kind == SEGMENT_UDP)
		put(&w, "udp (%u)", segment->len);
	else if (segment->kind == SEGMENT_ICMP)
		put_icmp(&w, segment, is_ip6);
	else
		put_tcp(&w, segment);
	return text;
}
