/* SPDX-License-Identifier: MIT */
/*
 * What people are told of two configurations: each key that differs, once, and nothing else.
 */
#include "config/changes.h"

#include "../unit.h"

#include <stdio.h>
#include <string.h>

#define TEXT_LEN 2000u

#define TEST "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
#define FOO  "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"

/* Single quotes stand for double ones. */
static struct weft_tunnel_config *config(const char *text)
{
	struct weft_tunnel_config *config;
	char json[TEXT_LEN];
	size_t len = strlen(text);
	assert_true(len < sizeof(json));
	for (size_t i = 0; i <= len; i++)
		json[i] = text[i];
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_int_equal(weft_tunnel_config_parse(json, len, NULL, NULL, &config), 0);
	return config;
}

static void keep(void *user, const char *text)
{
	char *all = user;
	const size_t len = strlen(all);
	assert_true(len + strlen(text) + 2 < TEXT_LEN);
	(void)snprintf(all + len, TEXT_LEN - len, "%s\n", text);
}

static void assert_told(const char *before, const char *after, const char *told)
{
	char all[TEXT_LEN] = "";
	struct weft_tunnel_config *a = config(before), *b = config(after);
	changes_tell(&a->interfaces[0], &b->interfaces[0], keep, all);
	assert_string_equal(all, told);
	weft_tunnel_config_free(a);
	weft_tunnel_config_free(b);
}

#define SERVER(more) "[{'name':'t0','net':'10.0.0.1/24'," more "}]"
#define ONE          "{'token':'" TEST "','ip':'10.0.0.2'}"
#define CLIENT(more) "[{'name':'t0','server':'http://h/','token':'t'" more "}]"

static void the_same_is_not_told(void **state)
{
	static const char *const texts[] = {
		SERVER("'port':80,'clients':[" ONE "],'push':['10.9.0.0/16'],'mark':"
		       "{'value':1,'table':2},'acl':[{'from':'a*','to':'*'}]"),
		CLIENT(",'proxy':'http://p:1','headers':{'a':'b'},'streams':2"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_told(texts[i], texts[i], "");
}

static void keys_of_a_server(void **state)
{
	(void)state;
	assert_told(SERVER("'port':80"), SERVER("'port':81,'mtu':1400"),
		    "t0: \"port\" is 81, was 80\nt0: \"mtu\" is 1400, was 1500\n");
	assert_told(SERVER("'port':80,'routes':['10.8.0.0/16']"),
		    SERVER("'port':80,'routes':['10.9.0.0/16'],'listen':'127.0.0.1',"
			   "'net6':'fd00::1/64','ips':['10.7.0.1/24'],"
			   "'push':['10.9.0.0/16'],'congestion':'bbr',"
			   "'mark':{'value':1,'table':2}"),
		    "t0: \"mark\" has changed\nt0: \"congestion\" has changed\n"
		    "t0: \"listen\" has changed\nt0: \"net6\" has changed\n"
		    "t0: \"ips\" has changed\nt0: \"routes\" has changed\n"
		    "t0: \"push\" has changed\n");
}

static void interfaces_of_another_kind(void **state)
{
	(void)state;
	assert_told(SERVER("'port':80"), SERVER("'port':80,'mode':'ethernet'"),
		    "t0: \"mode\" has changed\n");
	assert_told(SERVER("'port':80,'clients':[" ONE "]"), CLIENT(""),
		    "t0: is a client, was a server\n");
	assert_told(CLIENT(""), SERVER("'port':80"), "t0: is a server, was a client\n");
}

static void an_access_list_is_told_once(void **state)
{
	static const char rule[] =
		SERVER("'port':80,'clients':[" ONE "],'acl':[{'from':'*','to':'*'}]");
	(void)state;
	assert_told(SERVER("'port':80,'clients':[" ONE "]"), rule,
		    "t0: \"acl\" has changed\n");
	assert_told(
		rule,
		SERVER("'port':80,'clients':[" ONE
		       "],'acl':[{'from':'*','to':'*','protocol':'tcp','ports':[1]}]"),
		"t0: \"acl\" has changed\n");
	assert_told(SERVER("'port':80,'clients':[" ONE "],'exits':[{'via':'*'}]"),
		    SERVER("'port':80,'clients':[" ONE
			   "],'exits':[{'via':'*','mode':'balance'}]"),
		    "t0: \"exits\" has changed\n");
}

static void clients_of_a_server(void **state)
{
	(void)state;
	assert_told(SERVER("'port':80,'clients':[" ONE "]"),
		    SERVER("'port':80,'clients':[{'token':'" FOO "','ip':'10.0.0.3'}]"),
		    "t0: client 10.0.0.2 is no more\nt0: client 10.0.0.3 is new\n");
	assert_told(SERVER("'port':80,'clients':[" ONE "]"),
		    SERVER("'port':80,'clients':[{'token':'" FOO
			   "','ip':'10.0.0.2','routes':['10.9.0.0/16'],'tags':['x'],"
			   "'source_check':false}]"),
		    "t0: client 10.0.0.2 has other \"token\"\n"
		    "t0: client 10.0.0.2 has other \"routes\"\n"
		    "t0: client 10.0.0.2 has other \"tags\"\n"
		    "t0: client 10.0.0.2 has other \"source_check\"\n");
}

/* By the key that each address stands under. */
static void addresses_of_a_client(void **state)
{
	static const struct {
		const char *before, *after, *told;
	} cases[] = {
		{ "'ip':'10.0.0.2'", "'ip':'10.0.0.3'", "ip" },
		{ "'ip':'10.0.0.2'", "'ip':'10.0.0.2','ips':['10.0.0.3']", "ips" },
		{ "'ips':['10.0.0.2']", "'ips':['10.0.0.3']", "ips" },
		{ "'ips':['fd00::2'],'ip':'10.0.0.2'",
		  "'ip':'10.0.0.3','ips':['fd00::2']", "ip" },
		{ "'ip':'10.0.0.2','ips':['10.0.0.4','fd00::2']",
		  "'ip':'10.0.0.2','ips':['10.0.0.4','fd00::3']", "ips" },
	};
	char before[300], after[300], told[60];
	static const char form[] =
		"[{'name':'t0','net':'10.0.0.1/24','net6':'fd00::1/64',"
		"'port':80,'clients':[{'name':'a','token':'" TEST "',%s}]}]";
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(before, sizeof(before), form, cases[i].before);
		(void)snprintf(after, sizeof(after), form, cases[i].after);
		(void)snprintf(told, sizeof(told), "t0: client a has other \"%s\"\n",
			       cases[i].told);
		assert_told(before, before, "");
		assert_told(before, after, told);
	}
	assert_told("[{'name':'t0','net':'10.0.0.1/24','port':80,'clients':[{'name':'a',"
		    "'token':'" TEST "','ip':'10.0.0.2'}]}]",
		    "[{'name':'t0','net':'10.0.0.1/24','port':80,'clients':[{'name':'a',"
		    "'token':'" TEST "','ips':['10.0.0.2']}]}]",
		    "t0: client a has other \"ip\"\nt0: client a has other \"ips\"\n");
}

static void keys_of_a_client_without_its_secrets(void **state)
{
	(void)state;
	assert_told(CLIENT(""), "[{'name':'t0','server':'http://h2/','token':'geheim'}]",
		    "t0: \"server\" has changed\nt0: \"token\" has changed\n");
	assert_told(CLIENT(""),
		    CLIENT(",'streams':4,'family':'ipv6','accept_routes':"
			   "['10.0.0.0/8'],'headers':{'a':'b'}"),
		    "t0: \"family\" has changed\nt0: \"streams\" is 4, was 1\n"
		    "t0: \"accept_routes\" has changed\nt0: \"headers\" has changed\n");
	assert_told(CLIENT(",'family':'ipv6'"), CLIENT(",'family':'prefer-ipv6'"),
		    "t0: \"family\" has changed\n");
	assert_told(CLIENT(",'headers':{'a':'b'}"), CLIENT(",'headers':{'a':'c'}"),
		    "t0: \"headers\" has changed\n");
}

static void what_comes_and_goes(void **state)
{
	char all[TEXT_LEN] = "";
	struct weft_tunnel_config *a = config(CLIENT(""));
	(void)state;
	changes_tell(NULL, &a->interfaces[0], keep, all);
	changes_tell(&a->interfaces[0], NULL, keep, all);
	changes_tell(NULL, &a->interfaces[0], NULL, NULL);
	assert_string_equal(all, "t0 is new\nt0 is no more\n");
	weft_tunnel_config_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_not_told),
		cmocka_unit_test(keys_of_a_server),
		cmocka_unit_test(interfaces_of_another_kind),
		cmocka_unit_test(an_access_list_is_told_once),
		cmocka_unit_test(clients_of_a_server),
		cmocka_unit_test(addresses_of_a_client),
		cmocka_unit_test(keys_of_a_client_without_its_secrets),
		cmocka_unit_test(what_comes_and_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
