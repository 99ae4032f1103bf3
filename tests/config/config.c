/* SPDX-License-Identifier: MIT */
/*
 * Configurations: that the original's are taken unchanged and mean what they meant, and for
 * each thing that can be wrong, that it is told where it stands.
 */
#include "expect.h"

/* ---- what the original takes ------------------------------------------------------------- */

static const char every_field[] =
	"[\n"
	"  {\n"
	"    \"name\": \"tun0\",\n"
	"    \"port\": 8080,\n"
	"    \"net\": \"10.50.10.1/24\",\n"
	"    \"mtu\": 1500,\n"
	"    \"mark\": { \"value\": 100, \"table\": 100 },\n"
	"    \"ips\": [ \"10.60.0.1/16\" ],\n"
	"    \"routes\": [ \"192.168.0.0/24\" ],\n"
	"    \"clients\": [\n"
	"      { \"token\": \"" TEST "\", \"ip\": \"10.50.10.2\",\n"
	"        \"routes\": [ \"192.168.7.0/24\", \"172.16.0.0/12\" ],\n"
	"        \"sources\": [ \"10.50.10.3/32\" ] },\n"
	"      { \"token\": \"" FOO "\", \"ip\": \"10.50.10.3\" }\n"
	"    ]\n"
	"  },\n"
	"  {\n"
	"    \"name\": \"tun1\",\n"
	"    \"server\": \"https://tunnel.example.org/path\",\n"
	"    \"token\": \"test\",\n"
	"    \"mark\": { \"value\": 0, \"table\": 0 }\n"
	"  }\n"
	"]\n";

static void takes_every_field_of_a_server(void **state)
{
	(void)state;
	struct weft_tunnel_config *config =
		read_with(every_field, (const char *const[]){ NULL });
	assert_int_equal(config->interfaces_n, 2);
	const struct weft_tunnel_interface *server = &config->interfaces[0];
	assert_string_equal(server->name, "tun0");
	assert_true(server->is_server);
	assert_int_equal(server->line, 2);
	assert_int_equal(server->port, 8080);
	assert_int_equal(server->mtu, 1500);
	assert_int_equal(server->mark.value, 100);
	assert_int_equal(server->mark.table, 100);
	assert_ip(&server->net, "10.50.10.1/24");
	assert_int_equal(server->ips_n, 1);
	assert_ip(&server->ips[0], "10.60.0.1/16");
	assert_int_equal(server->routes_n, 1);
	assert_ip(&server->routes[0], "192.168.0.0/24");
	assert_int_equal(server->clients_n, 2);
	const struct weft_tunnel_client *client = &server->clients[0];
	assert_string_equal(client->token, TEST);
	assert_string_equal(client->name, "10.50.10.2");
	assert_int_equal(client->ips_n, 1);
	assert_ip(&client->ips[0], "10.50.10.2");
	assert_int_equal(client->routes_n, 2);
	assert_ip(&client->routes[1], "172.16.0.0/12");
	assert_int_equal(client->sources_n, 1);
	assert_ip(&client->sources[0], "10.50.10.3");
	assert_int_equal(server->clients[1].routes_n, 0);
	weft_tunnel_config_free(config);
}

static void takes_every_field_of_a_client(void **state)
{
	(void)state;
	struct weft_tunnel_config *config =
		read_with(every_field, (const char *const[]){ NULL });
	const struct weft_tunnel_interface *client = &config->interfaces[1];
	assert_string_equal(client->name, "tun1");
	assert_false(client->is_server);
	assert_int_equal(client->line, 17);
	assert_string_equal(client->url, "https://tunnel.example.org/path");
	assert_string_equal(client->raw_token, "test");
	assert_int_equal(client->mark.value, 0);
	weft_tunnel_config_free(config);
}

static void takes_defaults(void **state)
{
	static const char text[] = "[{\"name\":\"t\",\"port\":1,\"net\":\"10.1.0.1/24\","
				   "\"clients\":[{\"token\":\"" TEST
				   "\",\"ip\":\"10.1.0.2\",\"name\":\"site\"}]}]";
	(void)state;
	struct weft_tunnel_config *config =
		read_with(text, (const char *const[]){ NULL });
	assert_int_equal(config->interfaces[0].mtu, 1500);
	assert_int_equal(config->interfaces[0].mark.value, 0);
	assert_int_equal(config->interfaces[0].ips_n, 0);
	assert_string_equal(config->interfaces[0].clients[0].name, "site");
	weft_tunnel_config_free(config);
}

/* ---- a server ---------------------------------------------------------------------------- */

/* One without the keys that the second line has. */
#define WITHOUT_PORT(more) \
	"[{'name':'t0','net':'10.1.0.1/24','clients':[" ONE "],\n" more "}]"
#define WITHOUT_NET(more) "[{'name':'t0','port':80,'clients':[" ONE "],\n" more "}]"
#define WITHOUT_NAME(more) \
	"[{'port':80,'net':'10.1.0.1/24','clients':[" ONE "],\n" more "}]"

static void refuses_ports(void **state)
{
	(void)state;
	EXPECT_NONE(WITHOUT_PORT("'port':65535"));
	EXPECT(WITHOUT_PORT("'port':0"),
	       "2:8 error [0].port: found 0; it must be 1 to 65535");
	EXPECT(WITHOUT_PORT("'port':65536"), "2:8 error [0].port: found 65536");
	EXPECT(WITHOUT_PORT("'port':-1"), "2:8 error [0].port: found -1");
	EXPECT(WITHOUT_PORT("'port':'80'"), "2:8 error [0].port: found a text; it must "
					    "be a TCP port from 1 to 65535; write "
					    "80 without the quotes");
	EXPECT(WITHOUT_PORT("'port':80.5"), "2:8 error [0].port: found a fraction");
	EXPECT(WITHOUT_PORT("'port':null"), "2:8 error [0].port: leave out");
	EXPECT(WITHOUT_PORT("'port':[80]"), "2:8 error [0].port: found an array");
}

static void refuses_mtus(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'mtu':68"));
	EXPECT_NONE(SERVER("'mtu':9000"));
	EXPECT(SERVER("'mtu':67"), "2:8 error [0].mtu: found 67; it must be 68 to 9000");
	EXPECT(SERVER("'mtu':9001"), "2:8 error [0].mtu: found 9001");
	EXPECT(SERVER("'mtu':true"),
	       "2:8 error [0].mtu: found true; it must be a number");
}

static void refuses_names(void **state)
{
	(void)state;
	EXPECT_NONE(WITHOUT_NAME("'name':'123456789012345'"));
	EXPECT(WITHOUT_NAME("'name':'1234567890123456'"),
	       "2:8 error [0].name: 1 to 15 characters");
	EXPECT(WITHOUT_NAME("'name':''"), "2:8 error [0].name: 1 to 15 characters");
	EXPECT(WITHOUT_NAME("'name':'tun 0'"), "2:8 error [0].name: letters, digits");
	EXPECT(WITHOUT_NAME("'name':'tun/0'"), "2:8 error [0].name: letters, digits");
	EXPECT(WITHOUT_NAME("'name':'tun%d'"), "2:8 error [0].name: letters, digits");
	EXPECT(WITHOUT_NAME("'name':'lo'"), "2:8 error [0].name: the system has a use");
	EXPECT(WITHOUT_NAME("'name':7"), "2:8 error [0].name: put it in double quotes");
}

static void refuses_nets(void **state)
{
	(void)state;
	EXPECT(WITHOUT_NET("'net':'10.1.0.1'"),
	       "2:7 error [0].net: the prefix is missing; write \"10.1.0.1/32\"");
	EXPECT(WITHOUT_NET("'net':'10.1.0.0/24'"),
	       "2:7 error [0].net: the network address of its net; the server needs one "
	       "of its "
	       "own, such as \"10.1.0.1/24\"");
	EXPECT(WITHOUT_NET("'net':'10.1.0.255/24'"),
	       "2:7 error [0].net: the broadcast address");
	EXPECT(WITHOUT_NET("'net':'10.1.0.1/33'"),
	       "2:7 error [0].net: a number from 0 to 32");
	EXPECT(WITHOUT_NET("'net':'10.1.0.1/255.255.255.0'"),
	       "2:7 error [0].net: write \"10.1.0.1/24\"");
	EXPECT(WITHOUT_NET("'net':'127.0.0.1/24'"),
	       "2:7 error [0].net: no machine can have");
	EXPECT(WITHOUT_NET("'net':'10.1.0/24'"),
	       "2:7 error [0].net: \"10.1.0/24\" is not");
	EXPECT(WITHOUT_NET("'net':'10.1.0.1 /24'"),
	       "2:7 error [0].net: take the spaces out");
	EXPECT(WITHOUT_NET("'net':'fd00::1/64'"), "2:7 error [0].net: room for IPv4");
}

static void refuses_what_lists_hold(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'ips':[],'routes':[]"));
	EXPECT_NONE(SERVER("'ips':['10.9.0.1/16','fd00::1/64'],'routes':['fd01::/64']"));
	EXPECT(SERVER("'ips':'10.9.0.1/16'"), "2:8 error [0].ips: put it in [ ]");
	EXPECT(SERVER("'ips':['10.9.0.1']"),
	       "2:9 error [0].ips[0]: write \"10.9.0.1/32\"");
	EXPECT(SERVER("'ips':['10.9.0.1/16', 7]"),
	       "2:24 error [0].ips[1]: found a number");
	EXPECT(SERVER("'ips':['10.1.0.1/32']"),
	       "2:9 error [0].ips[0]: this address is also that of [0].net (line 1)");
	EXPECT(SERVER("'routes':['10.9.0.1/16']"),
	       "2:12 error [0].routes[0]: the network is \"10.9.0.0/16\"");
	EXPECT(SERVER("'routes':['10.9.0.0']"),
	       "2:12 error [0].routes[0]: the prefix is missing");
	EXPECT(SERVER("'routes':['10.9.0.0/16','10.9.0.0/16']"),
	       "2:26 warning [0].routes[1]: also that of [0].routes[0] (line 2)");
}

static void refuses_marks(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'mark':{'value':0}"));
	EXPECT_NONE(SERVER("'mark':{}"));
	EXPECT_NONE(SERVER("'mark':{'value':4294967295,'table':4294967295}"));
	EXPECT(SERVER("'mark':{'value':4294967296,'table':1}"),
	       "2:18 error [0].mark.value: found");
	EXPECT(SERVER("'mark':{'value':1}"), "2:9 error [0].mark: \"table\" is missing");
	EXPECT(SERVER("'mark':{'value':1,'table':0}"),
	       "2:28 error [0].mark.table: no table 0");
	EXPECT(SERVER("'mark':{'value':1,'table':253}"),
	       "2:28 error [0].mark.table: (default)");
	EXPECT(SERVER("'mark':{'value':1,'table':254}"),
	       "2:28 error [0].mark.table: (main)");
	EXPECT(SERVER("'mark':{'value':1,'table':255}"),
	       "2:28 error [0].mark.table: (local)");
	EXPECT(SERVER("'mark':{'table':100}"), "2:9 warning [0].mark: the mark is off");
	EXPECT(SERVER("'mark':100"),
	       "2:9 error [0].mark: found a number; it must be an object");
	EXPECT(SERVER("'mark':{'val':1}"),
	       "2:10 error [0].mark.val: did you mean \"value\"?");
}

/* ---- a server's clients ------------------------------------------------------------------ */

static void refuses_tokens(void **state)
{
	(void)state;
	EXPECT(CLIENTS("{'ip':'10.1.0.2','token':'test'}"),
	       "2:26 error [0].clients[0].token: its SHA-1 is \"" TEST "\"");
	EXPECT(CLIENTS("{'ip':'10.1.0.2','token':'"
		       "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3'}"),
	       "2:26 error [0].clients[0].token: small letters; write \"" TEST "\"");
	EXPECT(CLIENTS("{'ip':'10.1.0.2','token':'"
		       "a94a8fe5ccb19ba61c4c0873d391e987982fbbd'}"),
	       "2:26 error [0].clients[0].token: found 39 digits; a SHA-1 has 40");
	EXPECT(CLIENTS("{'ip':'10.1.0.2','token':''}"),
	       "2:26 error [0].clients[0].token: an empty token");
	EXPECT(CLIENTS("{'ip':'10.1.0.2','token':'$argon2id$v=19$m=65536'}"),
	       "2:26 error [0].clients[0].token: was a part lost");
	EXPECT(CLIENTS("{'ip':'10.1.0.2','token':5}"),
	       "2:26 error [0].clients[0].token: found a number");
	EXPECT(CLIENTS(ONE ",\n{'ip':'10.1.0.3','token':'" TEST "'}"),
	       "3:26 error [0].clients[1].token: also that of [0].clients[0].token (line "
	       "2)");
}

static void takes_a_slow_hash(void **state)
{
	(void)state;
	EXPECT_NONE(CLIENTS("{'ip':'10.1.0.2','token':'$argon2id$v=19$m=65536,t=2,p=1$"
			    "MTIzNDU2Nzg5MDEyMzQ1Ng$"
			    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'}"));
}

static void refuses_addresses_of_clients(void **state)
{
	(void)state;
#define IP(ip) CLIENTS("{'token':'" TEST "',\n'ip':'" ip "'}")
	EXPECT_NONE(IP("10.1.0.254"));
	EXPECT(IP("10.1.1.2"),
	       "3:6 error [0].clients[0].ip: outside the tunnel's net 10.1.0.0/24");
	EXPECT(IP("10.1.0.0"), "3:6 error [0].clients[0].ip: the network address");
	EXPECT(IP("10.1.0.255"), "3:6 error [0].clients[0].ip: the broadcast address");
	EXPECT(IP("10.1.0.1"),
	       "3:6 error [0].clients[0].ip: also that of [0].net (line 1)");
	EXPECT(IP("10.1.0.2/24"), "3:6 error [0].clients[0].ip: write \"10.1.0.2\"");
	EXPECT(IP("10.1.0.256"), "3:6 error [0].clients[0].ip: is not an address");
	EXPECT(IP("fd00::2"), "3:6 error [0].clients[0].ip: room for IPv4");
	EXPECT(CLIENTS(ONE ",\n{'token':'" FOO "','ip':'10.1.0.2'}"),
	       "3:58 error [0].clients[1].ip: also that of [0].clients[0].ip (line 2)");
#undef IP
}

static void refuses_routes_of_clients(void **state)
{
	(void)state;
	EXPECT_NONE(CLIENT(
		"'routes':['192.168.0.0/16','172.16.0.0/12'],'sources':['10.1.0.9/32']"));
	EXPECT(CLIENT("'routes':['192.168.0.1/16']"),
	       "3:11 error [0].clients[0].routes[0]: the network is \"192.168.0.0/16\"");
	EXPECT(CLIENT("'routes':['192.168.0.0/16','192.168.0.0/16']"),
	       "3:28 warning [0].clients[0].routes[1]: take one of the two out");
	EXPECT(CLIENT("'routes':['192.168.0.0/16','192.168.3.0/24']"),
	       "3:28 warning [0].clients[0].routes[1]: not needed: it lies in "
	       "192.168.0.0/16, "
	       "[0].clients[0].routes[0] (line 3)");
	EXPECT(CLIENT("'routes':['0.0.0.0/0','192.168.3.0/24']"),
	       "3:11 warning [0].clients[0].routes[0]: covers the tunnel's own net "
	       "10.1.0.0/24");
	EXPECT(CLIENT("'routes':['10.1.0.128/25']"),
	       "3:11 warning [0].clients[0].routes[0]: lies in the tunnel's own net");
	EXPECT(CLIENT("'routes':['10.1.0.2/32']"),
	       "3:11 warning [0].clients[0].routes[0]: lies in the tunnel's own net");
	EXPECT(CLIENT("'sources':['10.1.0.9']"),
	       "3:12 error [0].clients[0].sources[0]: the prefix is missing");
	EXPECT(CLIENT("'sources':['10.1.0.9/24']"),
	       "3:12 error [0].clients[0].sources[0]: the network is \"10.1.0.0/24\"");
}

static void tells_which_routes_overlap(void **state)
{
	(void)state;
#define TWO(key, a, b)                                                      \
	CLIENTS("{'token':'" TEST "','ip':'10.1.0.2','" key "':['" a "']}," \
		"{'token':'" FOO "','ip':'10.1.0.3',\n'" key "':['" b "']}")
	EXPECT_NONE(TWO("routes", "192.168.0.0/24", "192.168.1.0/24"));
	EXPECT(TWO("routes", "192.168.0.0/16", "192.168.0.0/16"),
	       "3:11 error [0].clients[1].routes[0]: 192.168.0.0/16 is also "
	       "[0].clients[0].routes[0] (line 2)");
	EXPECT(TWO("routes", "192.168.0.0/16", "192.168.1.0/24"),
	       "3:11 warning [0].clients[1].routes[0]: 192.168.1.0/24 lies in "
	       "192.168.0.0/16, "
	       "[0].clients[0].routes[0] (line 2)");
	EXPECT(TWO("routes", "192.168.0.0/16", "10.1.0.2/32"),
	       "3:11 error [0].clients[1].routes[0]: 10.1.0.2 is also "
	       "[0].clients[0].ip (line 2), the address of another client; its packets "
	       "can go to one client only: take one of the two out");
	EXPECT(TWO("routes", "10.1.0.3/32", "192.168.0.0/16"),
	       "2:79 error [0].clients[0].routes[0]: 10.1.0.3 is also [0].clients[1].ip "
	       "(line 2)");
	EXPECT(TWO("routes", "192.168.0.0/16", "10.1.0.2/31"),
	       "3:11 warning [0].clients[1].routes[0]: lies in the tunnel's own net");
	EXPECT(TWO("sources", "10.1.0.4/32", "10.1.0.4/32"),
	       "3:12 error [0].clients[1].sources[0]: also [0].clients[0].sources[0] "
	       "(line 2)");
	/* Everything has exceptions by its nature. */
	EXPECT_NONE(TWO("sources", "0.0.0.0/0", "10.1.0.4/32"));
#undef TWO
}

static void warns_where_nobody_can_connect(void **state)
{
	(void)state;
	EXPECT("[{'name':'t0','port':80,'net':'10.1.0.1/24'}]",
	       "1:2 warning [0]: \"clients\" is missing");
	EXPECT(CLIENTS(""), "1:55 warning [0].clients: \"clients\" is empty");
}

/* ---- a client ---------------------------------------------------------------------------- */

#define URL(url)     "[{'name':'t1','token':'test',\n'server':'" url "'}]"
#define TOKEN(token) "[{'name':'t1','server':'http://x/',\n'token':'" token "'}]"

static void refuses_urls(void **state)
{
	(void)state;
	EXPECT_NONE(URL("https://host"));
	EXPECT_NONE(URL("HTTP://user:word@192.0.2.1:8080/path?x#y"));
	EXPECT_NONE(URL("http://[2001:db8::1]:80/"));
	EXPECT(URL("host/path"), "2:10 error [0].server: write \"https://host/path\"");
	EXPECT(URL("ws://host"),
	       "2:10 error [0].server: http:// or https:// and nothing else");
	EXPECT(URL("http://"), "2:10 error [0].server: stands a host");
	EXPECT(URL("http:///path"), "2:10 error [0].server: stands a host");
	EXPECT(URL("http://host:99999/"), "2:10 error [0].server: a port of 1 to 65535");
	EXPECT(URL("http://host/a b"), "2:10 error [0].server: no spaces");
	EXPECT("[{'name':'t1','token':'x'}]", "1:2 error [0]: \"server\" is missing");
}

static void refuses_raw_tokens(void **state)
{
	(void)state;
	EXPECT(TOKEN(TEST), "2:9 warning [0].token: looks like the hash");
	EXPECT(TOKEN(""), "2:9 error [0].token: 1 to 1024 characters");
	EXPECT(TOKEN("x\\r\\ny: z"), "2:9 error [0].token: no control characters");
	EXPECT(TOKEN(" x"), "2:9 error [0].token: no spaces at its ends");
	EXPECT("[{'name':'t1','server':'http://x/'}]",
	       "1:2 error [0]: \"token\" is missing");
}

/* ---- keys -------------------------------------------------------------------------------- */

static void tells_keys_that_nobody_has(void **state)
{
	(void)state;
	EXPECT(SERVER("'mut':1400"), "2:2 error [0].mut: did you mean \"mtu\"?");
	EXPECT(SERVER("'colour':1"), "2:2 error [0].colour: a server has no key "
				     "\"colour\", but name, mark, compat, "
				     "mode, congestion, bridge, port, listen, tls, "
				     "net, net6, mtu, ips, routes, push, acl, exits, "
				     "clients;");
	EXPECT(CLIENT("'route':[]"),
	       "3:1 error [0].clients[0].route: did you mean \"routes\"?");
	EXPECT_NONE(SERVER("'x-rack':{'name':1},'//':'a remark','// more':['of','it']"));
}

static void tells_keys_of_the_other_kind(void **state)
{
	(void)state;
	EXPECT(SERVER("'server':'http://x/'"), "2:2 error [0].server: \"server\" is a "
					       "key of a client, and this is a server");
	EXPECT("[{'name':'t1','server':'http://x/','token':'x',\n'mtu':1400}]",
	       "2:1 error [0].mtu: \"mtu\" is a key of a server, and this is a client");
}

static void tells_what_is_missing(void **state)
{
	(void)state;
	EXPECT("[{}]", "1:2 error [0]: \"name\" is missing", "1:2 error [0]: \"server\"",
	       "1:2 error [0]: \"token\" is missing");
	EXPECT("[{'net':'10.1.0.1/24'}]", "1:2 error [0]: \"name\" is missing",
	       "1:2 error [0]: \"port\" is missing: a TCP port from 1 to 65535",
	       "1:2 warning [0]: nobody can connect");
	EXPECT(CLIENTS("{}"), "2:1 error [0].clients[0]: \"token\" is missing",
	       "2:1 error [0].clients[0]: \"ip\" is missing");
}

/* ---- all interfaces ---------------------------------------------------------------------- */

#define OTHER(name, port, more)                                                  \
	"{'name':'" name "','port':" port ",'net':'10.1.0.1/24','clients':[" ONE \
	"]" more "}"

static void tells_what_interfaces_share(void **state)
{
	(void)state;
	EXPECT("[" OTHER("a", "1", "") ",\n" OTHER("a", "2", "") "]",
	       "2:9 error [1].name: this name is also that of [0].name (line 1)");
	EXPECT("[" OTHER("a", "1", "") ",\n" OTHER("b", "1", "") "]",
	       "2:20 error [1].port: this port is also that of [0].port (line 1)");
	EXPECT("[" OTHER("a", "1", ",\n'mark':{'value':1,'table':5}") "," OTHER(
		       "b", "2", ",\n'mark':{'value':2,'table':5}") "]",
	       "3:27 error [1].mark.table: this table is also that of [0].mark.table "
	       "(line 2)");
	EXPECT("[" OTHER("a", "1", ",\n'mark':{'value':1,'table':5}") "," OTHER(
		       "b", "2", ",\n'mark':{'value':1,'table':6}") "]",
	       "3:17 warning [1].mark.value: this mark is also that of [0].mark.value "
	       "(line 2)");
	/* Tokens and addresses are a server's own. */
	EXPECT_NONE("[" OTHER("a", "1", "") ",\n" OTHER("b", "2", "") "]");
}

static void warns_of_what_the_original_lacks(void **state)
{
	(void)state;
	EXPECT_NONE(SERVER("'compat':false,'routes':['fd00::/64']"));
	EXPECT(SERVER("'routes':['fd00::/64'],'compat':true"),
	       "2:12 warning [0].routes[0]: carries no IPv6");
}

static void wants_an_array_of_interfaces(void **state)
{
	(void)state;
	EXPECT("{'name':'t0'}", "1:1 error : put this one in brackets");
	EXPECT("7", "1:1 error : is an array of interfaces");
	EXPECT("[]", "1:1 error : there is no interface in it");
	EXPECT("[ 7 ]", "1:3 error [0]: found a number; a client is an object");
}

/* ---- the whole --------------------------------------------------------------------------- */

static void tells_all_at_once_in_order(void **state)
{
	(void)state;
	EXPECT("[{'port':0,\n'name':'',\n'net':'x',\n'clients':[{}],\n'mtu':1}]",
	       "1:10 error [0].port: found 0", "2:8 error [0].name: 1 to 15",
	       "3:7 error [0].net: is not", "4:12 error [0].clients[0]: \"token\"",
	       "4:12 error [0].clients[0]: \"ip\"", "5:7 error [0].mtu: found 1;");
}

struct tally {
	size_t n, errors;
	char last[sizeof(((struct weft_tunnel_fault *)0)->text)];
};

static void count_fault(void *user, const struct weft_tunnel_fault *fault)
{
	struct tally *tally = user;
	tally->n++;
	tally->errors += !fault->is_warning;
	memcpy(tally->last, fault->text, sizeof(tally->last));
}

static void refuses_what_is_too_large(void **state)
{
	(void)state;
	const size_t len = WEFT_TUNNEL_CONFIG_LEN_MAX + 1;
	struct weft_tunnel_config *config;
	struct tally tally = { 0 };
	char *text = malloc(len);
	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, every_field, sizeof(every_field) - 1);
	assert_int_equal(
		weft_tunnel_config_parse(text, len, count_fault, &tally, &config),
		-EINVAL);
	assert_int_equal(tally.n, 1);
	assert_int_equal(weft_tunnel_config_parse(text, len - 1, NULL, NULL, &config), 0);
	weft_tunnel_config_free(config);
	free(text);
}

/* However many faults there are, so many are told, and how many not; errors go first. */
static void keeps_so_many_faults(void **state)
{
	static const char end[] = ",{'name':'','server':'http://x/','token':'x'}]";
	struct tally tally = { 0 };
	struct weft_tunnel_config *config;
	char *text = malloc(1 << 17);
	size_t len = 1;
	(void)state;
	assert_non_null(text);
	text[0] = '[';
	for (unsigned i = 0; i < 1010; i++)
		len += (size_t)snprintf(text + len, 96,
					"%s{\"name\":\"t%u\",\"port\":%u,"
					"\"net\":\"10.1.0.1/24\"}",
					i > 0 ? "," : "", i, i + 1);
	for (size_t i = 0; i < sizeof(end) - 1; i++)
		text[len++] = (char)(end[i] == '\'' ? '"' : end[i]);
	assert_int_equal(
		weft_tunnel_config_parse(text, len, count_fault, &tally, &config),
		-EINVAL);
	assert_int_equal(tally.errors, 1);
	assert_int_equal(tally.n, 1001);
	assert_string_equal(tally.last, "11 more are not shown");
	free(text);
}

/* ---- a later tapotun --------------------------------------------------------------------- */

/* Each key of it says what stands for it, and nothing else is said of such an interface. */
static void the_later_generation_is_known_by_its_keys(void **state)
{
	(void)state;
	EXPECT("[{'name':'t0','port':80,'network':'10.1.0.0/24',\n"
	       "'nodes':{'__self__':{'token':'a','ip':'10.1.0.1'}},\n"
	       "'exit_nodes':[{'from':'*','via':'b'}],'acl':[]}]",
	       "1:2 error [0]: this is for a later tapotun",
	       "1:25 error [0].network: write \"net\"",
	       "2:1 error [0].nodes: write \"clients\"",
	       "3:1 error [0].exit_nodes: write \"exits\"");
	EXPECT("{'nodes':{}}", "1:1 error : this is for a later tapotun",
	       "1:2 error .nodes: write \"clients\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_field_of_a_server),
		cmocka_unit_test(takes_every_field_of_a_client),
		cmocka_unit_test(takes_defaults),
		cmocka_unit_test(refuses_ports),
		cmocka_unit_test(refuses_mtus),
		cmocka_unit_test(refuses_names),
		cmocka_unit_test(refuses_nets),
		cmocka_unit_test(refuses_what_lists_hold),
		cmocka_unit_test(refuses_marks),
		cmocka_unit_test(refuses_tokens),
		cmocka_unit_test(takes_a_slow_hash),
		cmocka_unit_test(refuses_addresses_of_clients),
		cmocka_unit_test(refuses_routes_of_clients),
		cmocka_unit_test(tells_which_routes_overlap),
		cmocka_unit_test(warns_where_nobody_can_connect),
		cmocka_unit_test(refuses_urls),
		cmocka_unit_test(refuses_raw_tokens),
		cmocka_unit_test(tells_keys_that_nobody_has),
		cmocka_unit_test(tells_keys_of_the_other_kind),
		cmocka_unit_test(tells_what_is_missing),
		cmocka_unit_test(tells_what_interfaces_share),
		cmocka_unit_test(warns_of_what_the_original_lacks),
		cmocka_unit_test(wants_an_array_of_interfaces),
		cmocka_unit_test(tells_all_at_once_in_order),
		cmocka_unit_test(refuses_what_is_too_large),
		cmocka_unit_test(keeps_so_many_faults),
		cmocka_unit_test(the_later_generation_is_known_by_its_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
