/* SPDX-License-Identifier: MIT */
/*
 * Configurations and what is expected to be said of them. A fault is expected as
 *
 *     "LINE:COLUMN error|warning PATH: part of the text"
 */
#ifndef TESTS_CONFIG_EXPECT_H
#define TESTS_CONFIG_EXPECT_H

#include "../unit.h"

#include <weft/tunnel_config.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEAD_LEN 128u
#define TEXT_LEN 4096u

struct expected {
	const char *const *faults; /* Ends with NULL. */
	size_t seen;
};

static inline void expect_fault(void *user, const struct weft_tunnel_fault *fault)
{
	struct expected *expected = user;
	const char *want = expected->faults[expected->seen];
	char head[HEAD_LEN];
	(void)snprintf(head, sizeof(head), "%u:%u %s %s: ", fault->line, fault->column,
		       fault->is_warning ? "warning" : "error", fault->path);
	if (!want)
		fail_msg("one too many: %s%s", head, fault->text);
	size_t len = strlen(head);
	if (strncmp(want, head, len) != 0 || !strstr(fault->text, want + len))
		fail_msg("want \"%s\", got \"%s%s\"", want, head, fault->text);
	expected->seen++;
}

/* Reads text, which must have these faults and no others. */
static inline struct weft_tunnel_config *read_with(const char *text,
						   const char *const *faults)
{
	struct expected expected = { .faults = faults };
	struct weft_tunnel_config *config = NULL;
	bool is_wrong = false;
	for (size_t i = 0; faults[i]; i++)
		is_wrong |= strstr(faults[i], " error ") != NULL;
	int r = weft_tunnel_config_parse(text, strlen(text), expect_fault, &expected,
					 &config);
	if (faults[expected.seen])
		fail_msg("not told: \"%s\"", faults[expected.seen]);
	assert_int_equal(r, is_wrong ? -EINVAL : 0);
	assert_true(is_wrong == (config == NULL));
	return config;
}

/* The same for a text in which ' stands for ". */
static inline struct weft_tunnel_config *read_quoted(const char *quoted,
						     const char *const *faults)
{
	char text[TEXT_LEN];
	size_t len = strlen(quoted);
	assert_true(len < sizeof(text));
	for (size_t i = 0; i <= len; i++)
		text[i] = (char)(quoted[i] == '\'' ? '"' : quoted[i]);
	return read_with(text, faults);
}

/* A text in which ' stands for ", and the only faults that it has. */
#define EXPECT(text, ...) expect(text, (const char *const[]){ __VA_ARGS__, NULL })
#define EXPECT_NONE(text) expect(text, (const char *const[]){ NULL })

static inline void expect(const char *quoted, const char *const *faults)
{
	weft_tunnel_config_free(read_quoted(quoted, faults));
}

/* One that has none. The caller frees it. */
static inline struct weft_tunnel_config *read_good(const char *quoted)
{
	return read_quoted(quoted, (const char *const[]){ NULL });
}

static inline void assert_ip(const struct weft_ip *ip, const char *want)
{
	char text[WEFT_IP_TEXT];
	assert_string_equal(weft_ip_print(ip, text), want);
}

/* ---- what configurations are made of ----------------------------------------------------- */

#define TEST "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3" /* The hash of "test", */
#define FOO  "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33" /* and of "foo". */

/* A good client, a good server's first line, and a server with more on its second line. */
#define ONE "{'token':'" TEST "','ip':'10.1.0.2'}"
#define SERVER(more) \
	"[{'name':'t0','port':80,'net':'10.1.0.1/24','clients':[" ONE "]\n," more "}]"
/* A server whose clients begin on the second line, and one whose client has more there. */
#define CLIENTS(all) "[{'name':'t0','port':80,'net':'10.1.0.1/24','clients':[\n" all "]}]"
#define CLIENT(more) CLIENTS("{'token':'" FOO "','ip':'10.1.0.3',\n" more "}")

#endif
