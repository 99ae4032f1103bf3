/* SPDX-License-Identifier: MIT */
/*
 * What two ends of a tunnel say of themselves in headers and control records. What is understood
 * is written, and read again as the same.
 */
#include "tunnel/hello.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

static void check_hello(const char *text)
{
	struct hello hello, again;
	char printed[HELLO_TEXT];
	if (hello_parse(text, &hello) < 0)
		return;
	CHECK(hello.lane < hello.lanes && hello.lanes <= WEFT_TUNNEL_STREAMS_MAX);
	hello_print(&hello, printed);
	CHECK(hello_parse(printed, &again) == 0);
	CHECK(hello.mode == again.mode && hello.lane == again.lane &&
	      hello.lanes == again.lanes && hello.session == again.session);
}

static void check_same(const struct hello_conf *a, const struct hello_conf *b)
{
	CHECK(a->mode == b->mode && a->mtu == b->mtu && a->lanes == b->lanes);
	CHECK(a->ips_n == b->ips_n && a->routes_n == b->routes_n);
	CHECK(memcmp(a->ips, b->ips, a->ips_n * sizeof(a->ips[0])) == 0);
	CHECK(memcmp(a->routes, b->routes, a->routes_n * sizeof(a->routes[0])) == 0);
}

static void check_conf(const struct hello_conf *conf, struct hello_conf *again)
{
	static char header[HELLO_CONF_TEXT];
	CHECK(conf->ips_n <= HELLO_IPS_MAX && conf->routes_n <= HELLO_ROUTES_MAX);
	char *record = hello_conf_record(conf);
	CHECK(record && hello_conf_parse_record(record, strlen(record), again) == 0);
	check_same(conf, again);
	free(record);
	int r = hello_conf_print(conf, header);
	CHECK(r >= 0 && hello_conf_parse(header, again) == 0);
	if (r == 0)
		check_same(conf, again);
	else
		CHECK(again->has_more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct hello_conf conf, again;
	char *text = malloc(len + 1);
	CHECK(text);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	check_hello(text);
	if (hello_conf_parse_record(text, len, &conf) == 0)
		check_conf(&conf, &again);
	if (hello_conf_parse(text, &conf) == 0)
		check_conf(&conf, &again);
	free(text);
	return 0;
}
