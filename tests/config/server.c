/* SPDX-License-Identifier: MIT */
/*
 * What weft's servers have and the original's do not, but for their rules: where they listen,
 * IPv6, several addresses per client, tags, pushed routes, TLS, Ethernet.
 */
#include "expect.h"

#define HEAD "[{'name':'t0','port':80,"
#define ETHER \
	"[{'name':'t0','port':80,'mode':'ethernet','clients':[{'token':'" TEST "'}],\n"
#define NET6 HEAD "'net':'10.1.0.1/24','net6':'fd00:1::1/64','clients':[\n"

static void takes_all_of_a_server(void **state)
{
	(void)state;
	struct weft_tunnel_config *config = read_good(
		HEAD "'net':'10.1.0.1/24','net6':'fd00:1::1/64','listen':'::1',"
		     "'congestion':'bbr','push':['10.9.0.0/16','fd09::/16'],"
		     "'tls':{'cert':'/c','key':'/k'},"
		     "'clients':[{'token':'" TEST "','ips':['fd00:1::2','10.1.0.3'],"
		     "'ip':'10.1.0.2','tags':['a','b'],'push':['10.8.0.0/16'],"
		     "'source_check':false,'name':'site'},"
		     "{'token':'" FOO "','ips':['fd00:1::4']}]}]");
	const struct weft_tunnel_interface *server = &config->interfaces[0];
	assert_int_equal(server->mode, WEFT_TUNNEL_IP);
	assert_ip(&server->net6, "fd00:1::1/64");
	assert_ip(&server->listen, "::1");
	assert_string_equal(server->congestion, "bbr");
	assert_int_equal(server->push.n, 2);
	assert_ip(&server->push.items[1], "fd09::/16");
	assert_string_equal(server->tls_cert, "/c");
	assert_string_equal(server->tls_key, "/k");
	assert_false(server->has_acl);
	assert_null(server->bridge);
	const struct weft_tunnel_client *client = &server->clients[0];
	assert_int_equal(client->ips_n, 3);
	assert_ip(&client->ips[0], "10.1.0.2"); /* "ip" wherever it stands, */
	assert_ip(&client->ips[1], "10.1.0.3"); /* IPv4 in front of IPv6. */
	assert_ip(&client->ips[2], "fd00:1::2");
	assert_int_equal(client->tags_n, 2);
	assert_string_equal(client->tags[1], "b");
	assert_ip(&client->push.items[0], "10.8.0.0/16");
	assert_true(client->no_source_check);
	assert_int_equal(client->line, 1);
	assert_false(server->clients[1].no_source_check);
	assert_string_equal(server->clients[1].name, "fd00:1::4");
	weft_tunnel_config_free(config);
}

static void refuses_where_to_listen(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'listen':'127.0.0.1'"));
	EXPECT_NONE(SERVER("'listen':'::','compat':true"));
	EXPECT(SERVER("'listen':'localhost'"),
	       "2:11 error [0].listen: write \"127.0.0.1\" or \"::1\"");
	EXPECT(SERVER("'listen':'127.0.0.1:8080'"),
	       "2:11 error [0].listen: stands in \"port\"; write \"127.0.0.1\"");
	EXPECT(SERVER("'listen':'[::1]:80'"), "2:11 error [0].listen: write \"::1\"");
	EXPECT(SERVER("'listen':'*'"), "2:11 error [0].listen: at all addresses");
	EXPECT(SERVER("'listen':'eth0'"),
	       "2:11 error [0].listen: \"eth0\" is not an address of this machine");
	EXPECT(SERVER("'listen':'10.0.0.1/24'"),
	       "2:11 error [0].listen: no prefix; write \"10.0.0.1\"");
	EXPECT(SERVER("'listen':80"), "2:11 error [0].listen: found a number");
}

/* The port of a server at an address. */
#define AT(name, port, listen)                                                   \
	"{'name':'" name "','port':" port ",'net':'10.1.0.1/24','clients':[" ONE \
	"]" listen "}"

static void tells_ports_that_are_taken(void **state)
{
	(void)state;
	EXPECT_NONE("[" AT("a", "1", ",'listen':'127.0.0.1'") "," AT(
		"b", "1", ",'listen':'10.0.0.1'") "," AT("c", "2", "") "]");
	EXPECT("[" AT("a", "1", ",'listen':'::1'") ",\n" AT("b", "1",
							    ",'listen':'::1'") "]",
	       "2:20 error [1].port: this port is also that of [0].port (line 1); each");
	EXPECT("[" AT("a", "1", ",'listen':'::1'") ",\n" AT("b", "1", "") "]",
	       "1:21 error [0].port: of [1].port (line 2), which listens at all "
	       "addresses");
}

static void refuses_addresses_of_ipv6(void **state)
{
	(void)state;
	EXPECT(SERVER("'net6':'10.2.0.1/24'"),
	       "2:9 error [0].net6: IPv6 alone; write \"net\": \"10.2.0.1/24\"");
	EXPECT(SERVER("'net6':'fd00::/64'"), "2:9 error [0].net6: the network address of "
					     "its net; the server needs one of "
					     "its own, such as \"fd00::1/64\"");
	EXPECT(SERVER("'net6':'fd00::1'"), "2:9 error [0].net6: write \"fd00::1/128\"");
	EXPECT(SERVER("'net6':'fd00::1/64','ips':['fd00::1/64']"),
	       "2:29 error [0].ips[0]: also that of [0].net6 (line 2)");
	EXPECT(CLIENTS("{'token':'" TEST "','ip':'fd00::2'}"),
	       "2:58 error [0].clients[0].ip: write \"ips\": [\"fd00::2\"] instead");
	EXPECT(CLIENTS("{'token':'" TEST "','ips':['fd00::2']}"),
	       "2:60 error [0].clients[0].ips[0]: has no \"net6\"");
	EXPECT(NET6 "{'token':'" TEST "','ips':['fd00:2::2']}]}]",
	       "2:60 error [0].clients[0].ips[0]: outside the tunnel's net fd00:1::/64");
	EXPECT(NET6 "{'token':'" TEST "','ips':['fd00:1::']}]}]",
	       "2:60 error [0].clients[0].ips[0]: network address");
	EXPECT(NET6 "{'token':'" TEST "','ips':['fd00:1::1']}]}]",
	       "2:60 error [0].clients[0].ips[0]: also that of [0].net6 (line 1)");
	EXPECT_NONE(NET6 "{'token':'" TEST "','ips':['fd00:1::ffff:ffff:ffff:ffff']}]}]");
	EXPECT(NET6 "{'token':'" TEST "','ip':'10.1.0.2',\n'routes':['fd00::/16']}]}]",
	       "3:11 warning [0].clients[0].routes[0]: covers the tunnel's own net "
	       "fd00:1::");
}

static void refuses_addresses_beside_each_other(void **state)
{
	(void)state;
	EXPECT_NONE(CLIENT("'ips':['10.1.0.4']"));
	EXPECT_NONE(CLIENTS("{'token':'" TEST "','ips':['10.1.0.4']}"));
	EXPECT(CLIENT("'ips':['10.1.0.3']"), "3:8 error [0].clients[0].ips[0]: also that "
					     "of [0].clients[0].ip (line 2)");
	EXPECT(CLIENT("'ips':['10.1.0.4','10.1.0.4']"),
	       "3:19 error [0].clients[0].ips[1]: also that of [0].clients[0].ips[0]");
	EXPECT(CLIENT("'ips':['10.1.0.4/24']"),
	       "3:8 error [0].clients[0].ips[0]: write \"10.1.0.4\"");
	EXPECT(CLIENT("'ips':'10.1.0.4'"), "3:7 error [0].clients[0].ips: put it in [ ]");
}

static void refuses_names_and_tags(void **state)
{
	(void)state;
	EXPECT_NONE(CLIENT("'name':'the office, upstairs'"));
	EXPECT(CLIENT("'name':''"), "3:8 error [0].clients[0].name: 1 to 64 bytes");
	EXPECT(CLIENT("'name':'__self__'"),
	       "3:8 error [0].clients[0].name: does not begin with \"__\"");
	EXPECT(CLIENTS(ONE ",\n{'token':'" FOO
			   "','ip':'10.1.0.3','name':'a'},\n{'token':'"
			   "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12','ip':'10.1.0.4',"
			   "'name':'a'}"),
	       "4:76 error [0].clients[2].name: this name is also that of "
	       "[0].clients[1].name (line 3)");
	EXPECT_NONE(CLIENT("'tags':['office','b-2','\\u00fc']"));
	EXPECT(CLIENT("'tags':['a','a']"),
	       "3:13 warning [0].clients[0].tags[1]: take one of the two out");
	EXPECT(CLIENT("'tags':['']"), "3:9 error [0].clients[0].tags[0]: 1 to 64 bytes");
	EXPECT(CLIENT("'tags':['a*']"), "3:9 error [0].clients[0].tags[0]: no \"*\"");
	EXPECT(CLIENT("'tags':['10.0.0.1']"),
	       "3:9 error [0].clients[0].tags[0]: is no address");
	EXPECT(CLIENT("'tags':['__x']"), "3:9 error [0].clients[0].tags[0]: begin with");
	EXPECT(CLIENT("'tags':['a',1]"),
	       "3:13 error [0].clients[0].tags[1]: put it in double quotes");
	EXPECT(CLIENT("'tags':'a'"), "3:8 error [0].clients[0].tags: put it in [ ]");
}

static void refuses_pushed_routes(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'push':['0.0.0.0/0','::/0']"));
	EXPECT(SERVER("'push':['10.9.0.1/16']"),
	       "2:10 error [0].push[0]: the network is \"10.9.0.0/16\"");
	EXPECT(SERVER("'push':['10.9.0.0/16','10.9.0.0/16']"),
	       "2:24 warning [0].push[1]: take one of the two out");
	EXPECT(CLIENT("'routes':['10.9.0.0/16'],'push':['10.8.0.0/16','10.9.3.0/24']"),
	       "3:48 error [0].clients[0].push[1]: 10.9.3.0/24 is behind this client "
	       "itself "
	       "(10.9.0.0/16 in its \"routes\")");
	EXPECT(CLIENT("'source_check':0"),
	       "3:16 error [0].clients[0].source_check: must be true or false");
}

static void limits_what_a_client_is_told(void **state)
{
	const size_t room = 1 << 16;
	char *text = malloc(room);
	(void)state;
	assert_non_null(text);
	size_t len =
		(size_t)snprintf(text, room,
				 "[{\"name\":\"t0\",\"port\":80,\"net\":\"10.1.0.1/16\","
				 "\"push\":[\"10.9.0.0/16\"],\"clients\":[\n"
				 "{\"token\":\"" TEST "\",\"ips\":[");
	for (unsigned i = 0; i < 65; i++)
		len += (size_t)snprintf(text + len, room - len, "%s\"10.1.1.%u\"",
					i > 0 ? "," : "", i + 1);
	len += (size_t)snprintf(text + len, room - len, "],\"push\":[");
	for (unsigned i = 0; i < 1024; i++)
		len += (size_t)snprintf(text + len, room - len, "%s\"10.%u.%u.0/24\"",
					i > 0 ? "," : "", 100 + i / 256, i % 256);
	(void)snprintf(text + len, room - len, "]}]}]");
	(void)read_with(
		text,
		(const char *const[]){
			"2:1 error [0].clients[0]: found 65 addresses; a client has "
			"at most 64",
			"2:1 error [0].clients[0]: found 1025 routes", NULL });
	free(text);
}

static void refuses_tls(void **state)
{
	(void)state;
	EXPECT(SERVER("'tls':{'cert':'/c'}"), "2:8 error [0].tls: \"key\" is missing");
	EXPECT(SERVER("'tls':{'key':'/k'}"), "2:8 error [0].tls: \"cert\" is missing");
	EXPECT(SERVER("'tls':{}"), "2:8 error [0].tls: \"cert\" is missing",
	       "2:8 error [0].tls: \"key\" is missing");
	EXPECT(SERVER("'tls':true"), "2:8 error [0].tls: must be an object");
	EXPECT(SERVER("'tls':{'cert':'','key':'/k'}"),
	       "2:16 error [0].tls.cert: not empty");
	EXPECT(SERVER("'tls':{'cert':'/c','key':'-----BEGIN EC'}"),
	       "2:27 error [0].tls.key: what stands in one");
	EXPECT(SERVER("'tls':{'cert':'/c','keys':'/k'}"), "2:8 error [0].tls: is missing",
	       "2:21 error [0].tls.keys: did you mean \"key\"?");
}

static void refuses_congestion_controls(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'congestion':'cubic'"));
	EXPECT(SERVER("'congestion':'BBR'"),
	       "2:15 error [0].congestion: small letters, digits");
	EXPECT(SERVER("'congestion':''"), "2:15 error [0].congestion: 1 to 15");
	EXPECT(SERVER("'congestion':'cubik'"),
	       "2:15 warning [0].congestion: did you mean \"cubic\"?");
}

/* ---- Ethernet ---------------------------------------------------------------------------- */

static void takes_ethernet(void **state)
{
	(void)state;
	struct weft_tunnel_config *config = read_good(
		ETHER "'bridge':'br0'},{'name':'t1','port':81,'mode':'ethernet',"
		      "'net':'10.1.0.1/24','clients':[" ONE "]}]");
	assert_int_equal(config->interfaces[0].mode, WEFT_TUNNEL_ETHERNET);
	assert_string_equal(config->interfaces[0].bridge, "br0");
	assert_int_equal(config->interfaces[0].net.family, 0);
	assert_int_equal(config->interfaces[0].clients[0].ips_n, 0);
	assert_string_equal(config->interfaces[0].clients[0].name, "client 1");
	assert_ip(&config->interfaces[1].clients[0].ips[0], "10.1.0.2");
	weft_tunnel_config_free(config);
}

static void refuses_modes(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'mode':'ip'"));
	EXPECT(SERVER("'mode':'ethernets'"),
	       "2:9 error [0].mode: it must be \"ip\" or \"ethernet\"; did you mean "
	       "\"ethernet\"?");
	EXPECT(SERVER("'mode':'tap'"), "2:9 error [0].mode: a TAP mode \"ethernet\"");
	EXPECT(SERVER("'mode':1"), "2:9 error [0].mode: put it in double quotes");
	/* Without knowing which was meant, nothing is said of what means nothing. */
	EXPECT(SERVER("'mode':'brigde','bridge':'br0'"), "2:9 error [0].mode: must be");
}

static void refuses_what_means_nothing_in_a_mode(void **state)
{
	(void)state;
	EXPECT(SERVER("'bridge':'br0'"),
	       "2:2 error [0].bridge: in mode \"ethernet\" alone; take it out, or add "
	       "\"mode\": \"ethernet\"");
	EXPECT(ETHER "'acl':[],'exits':[],'routes':[],'push':[]}]",
	       "2:1 error [0].acl: \"acl\" means nothing in mode \"ethernet\"",
	       "2:10 error [0].exits: means nothing",
	       "2:21 error [0].routes: means nothing",
	       "2:33 error [0].push: means nothing");
	EXPECT("[{'name':'t0','port':80,'clients':[{'token':'" TEST "',\n"
	       "'routes':[],'sources':[],'push':[],'source_check':true}],'mode':'"
	       "ethernet'}]",
	       "2:1 error [0].clients[0].routes: means nothing",
	       "2:13 error [0].clients[0].sources: means nothing",
	       "2:26 error [0].clients[0].push: means nothing",
	       "2:36 error [0].clients[0].source_check: means nothing");
	EXPECT(ETHER "'mark':{'value':1,'table':9}}]",
	       "2:8 warning [0].mark: must answer for all of them");
	EXPECT(ETHER "'bridge':'t0'}]", "2:10 error [0].bridge: the interface itself");
	EXPECT(ETHER "'bridge':'br 0'}]", "2:10 error [0].bridge: letters, digits");
	/* An address is still one of a net. */
	EXPECT("[{'name':'t0','port':80,'mode':'ethernet','clients':[\n" ONE "]}]",
	       "2:58 error [0].clients[0].ip: has no \"net\"");
}

static void wants_addresses_with_ip(void **state)
{
	(void)state;
	EXPECT(HEAD "\n'clients':[" ONE "]}]", "1:2 error [0]: \"net\" is missing",
	       "2:69 error [0].clients[0].ip: has no \"net\"");
	EXPECT(CLIENTS("{'token':'" TEST "'}"),
	       "2:1 error [0].clients[0]: \"ip\" is missing");
}

static void warns_of_what_original_clients_lack(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'compat':true,'listen':'::1','acl':[{'from':'*','to':'*'}]"));
	EXPECT(SERVER("'compat':true,'push':[]"),
	       "2:16 warning [0].push: knows nothing of \"push\"");
	EXPECT(SERVER("'compat':true,'mode':'ethernet'"),
	       "2:23 warning [0].mode: carries IP alone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_of_a_server),
		cmocka_unit_test(refuses_where_to_listen),
		cmocka_unit_test(tells_ports_that_are_taken),
		cmocka_unit_test(refuses_addresses_of_ipv6),
		cmocka_unit_test(refuses_addresses_beside_each_other),
		cmocka_unit_test(refuses_names_and_tags),
		cmocka_unit_test(refuses_pushed_routes),
		cmocka_unit_test(limits_what_a_client_is_told),
		cmocka_unit_test(refuses_tls),
		cmocka_unit_test(refuses_congestion_controls),
		cmocka_unit_test(takes_ethernet),
		cmocka_unit_test(refuses_modes),
		cmocka_unit_test(refuses_what_means_nothing_in_a_mode),
		cmocka_unit_test(wants_addresses_with_ip),
		cmocka_unit_test(warns_of_what_original_clients_lack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
