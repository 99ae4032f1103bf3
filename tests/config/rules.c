/* SPDX-License-Identifier: MIT */
/*
 * Access lists and exits: what they are read as, and what is said of rules that speak of
 * nobody, are never needed, or contradict each other.
 *
 * The server has two clients: "a" with the tag "office", and "b" with 10.9.0.0/16 behind it.
 */
#include "expect.h"

#include <netinet/in.h>

#define RULES(more)                                                                \
	"[{'name':'t','port':80,'net':'10.1.0.1/24','routes':['192.168.0.0/"       \
	"24'],'clients':["                                                         \
	"{'token':'" TEST "','ip':'10.1.0.2','name':'a','tags':['office','all']}," \
	"{'token':'" FOO                                                           \
	"','ip':'10.1.0.3','name':'b','routes':['10.9.0.0/16']}],\n" more "}]"
#define ACL(rules)   RULES("'acl':[" rules "]")
#define EXITS(exits) RULES("'exits':[" exits "]")

static void takes_an_access_list(void **state)
{
	(void)state;
	struct weft_tunnel_config *config =
		read_good(ACL("{'from':'office','to':['b','__self__'],'protocol':'tcp',"
			      "'ports':[22,'8000-8100']},\n{'from':['10.9.0.0/"
			      "16','10.1.0.3'],'to':'*'}"));
	const struct weft_tunnel_interface *server = &config->interfaces[0];
	assert_true(server->has_acl);
	assert_int_equal(server->acl_n, 2);
	const struct weft_tunnel_acl_rule *rule = &server->acl[0];
	assert_int_equal(rule->from.n, 1);
	assert_string_equal(rule->from.items[0], "office");
	assert_int_equal(rule->to.n, 2);
	assert_string_equal(rule->to.items[1], WEFT_TUNNEL_SELF);
	assert_int_equal(rule->protocol, IPPROTO_TCP);
	assert_int_equal(rule->ports_n, 2);
	assert_int_equal(rule->ports[0].first, 22);
	assert_int_equal(rule->ports[0].last, 22);
	assert_int_equal(rule->ports[1].first, 8000);
	assert_int_equal(rule->ports[1].last, 8100);
	assert_int_equal(rule->line, 2);
	assert_int_equal(server->acl[1].line, 3);
	assert_int_equal(server->acl[1].protocol, 0);
	assert_int_equal(server->acl[1].ports_n, 0);
	weft_tunnel_config_free(config);
}

static void takes_protocols(void **state)
{
	static const struct {
		const char *text;
		int protocol;
	} rows[] = { { "any", 0 }, { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP } };
	char text[TEXT_LEN];
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       ACL("{'from':'*','to':'*','protocol':'%s'}"),
			       rows[i].text);
		struct weft_tunnel_config *config = read_good(text);
		assert_int_equal(config->interfaces[0].acl[0].protocol, rows[i].protocol);
		weft_tunnel_config_free(config);
	}
}

static void refuses_rules(void **state)
{
	(void)state;
	EXPECT(ACL(""), "2:7 warning [0].acl: nobody may talk to anybody");
	EXPECT(RULES("'acl':{'from':'a'}"), "2:7 error [0].acl: must be an array");
	EXPECT(ACL("{'from':'a'}"), "2:8 error [0].acl[0]: \"to\" is missing");
	EXPECT(ACL("'*'"), "2:8 error [0].acl[0]: a rule is an object");
	EXPECT(ACL("{'from':[],'to':'b'}"),
	       "2:16 error [0].acl[0].from: names nobody; every client is \"*\"");
	EXPECT(ACL("{'from':7,'to':'b'}"), "2:16 error [0].acl[0].from: found a number");
	EXPECT(ACL("{'from':'a','to':['b',{}]}"),
	       "2:30 error [0].acl[0].to[1]: found an object");
	EXPECT(ACL("{'from':'a','to':['b','b']}"),
	       "2:30 warning [0].acl[0].to[1]: take one of the two out");
	EXPECT(ACL("{'from':'10.9.0.1/16','to':'b'}"),
	       "2:16 error [0].acl[0].from: the network is \"10.9.0.0/16\"");
	EXPECT(ACL("{'from':'10.9.0.256','to':'b'}"),
	       "2:16 error [0].acl[0].from: is not an address");
	EXPECT(ACL("{'from':'__slef__','to':'b'}"),
	       "2:16 error [0].acl[0].from: the server itself is \"__self__\"");
	EXPECT(ACL("{'from':'','to':'b'}"), "2:16 error [0].acl[0].from: 1 to 64 bytes");
	EXPECT(ACL("{'from':'a','to':'b','port':80}"),
	       "2:29 error [0].acl[0].port: did you mean \"ports\"?");
}

static void refuses_protocols_and_ports(void **state)
{
	(void)state;
#define RULE(more) ACL("{'from':'a','to':'b'," more "}")
	EXPECT_NONE(RULE("'protocol':'udp','ports':53"));
	EXPECT_NONE(RULE("'protocol':'udp','ports':['1-65535']"));
	EXPECT(RULE("'protocol':'tpc'"), "2:40 error [0].acl[0].protocol: \"any\", "
					 "\"tcp\", \"udp\" or \"icmp\"; did "
					 "you mean \"tcp\"?");
	EXPECT(RULE("'protocol':'icmpv6'"),
	       "2:40 error [0].acl[0].protocol: write \"icmp\"");
	EXPECT(RULE("'protocol':6"), "2:40 error [0].acl[0].protocol: put it in double");
	EXPECT(RULE("'protocol':6,'ports':80"),
	       "2:40 error [0].acl[0].protocol: found a");
	EXPECT(RULE("'protocol':'sctp','ports':80"),
	       "2:40 error [0].acl[0].protocol: found");
	EXPECT(RULE("'ports':80"),
	       "2:37 error [0].acl[0].ports: say which of them, such as \"protocol\": "
	       "\"tcp\"");
	EXPECT(RULE("'protocol':'icmp','ports':80"),
	       "2:55 error [0].acl[0].ports: TCP and UDP alone have ports");
	EXPECT(RULE("'ports':80,'protocol':'any'"),
	       "2:37 error [0].acl[0].ports: TCP and UDP alone have ports");
#define PORTS(ports) RULE("'protocol':'tcp','ports':" ports)
	EXPECT(PORTS("[]"), "2:54 error [0].acl[0].ports: leave \"ports\" out");
	EXPECT(PORTS("0"), "2:54 error [0].acl[0].ports: found 0; it must be 1 to 65535");
	EXPECT(PORTS("[80,65536]"), "2:58 error [0].acl[0].ports[1]: found 65536");
	EXPECT(PORTS("'80'"), "2:54 error [0].acl[0].ports: write 80 without the quotes");
	EXPECT(PORTS("'90-80'"), "2:54 error [0].acl[0].ports: write \"80-90\"");
	EXPECT(PORTS("'http'"), "2:54 error [0].acl[0].ports: found \"http\"");
	EXPECT(PORTS("'1-70000'"), "2:54 error [0].acl[0].ports: from 1 to 65535");
	EXPECT(PORTS("'0-9'"), "2:54 error [0].acl[0].ports: from 1 to 65535");
	EXPECT(PORTS("'1-2-3'"), "2:54 error [0].acl[0].ports: found \"1-2-3\"");
	EXPECT(PORTS("''"), "2:54 error [0].acl[0].ports: found \"\"");
	EXPECT(PORTS("true"), "2:54 error [0].acl[0].ports: found true");
#undef PORTS
#undef RULE
}

static void warns_of_selectors_that_speak_of_nobody(void **state)
{
	(void)state;
	EXPECT_NONE(ACL("{'from':'off*','to':'?'}"));
	EXPECT_NONE(ACL("{'from':'0.0.0.0/0','to':['192.168.0.7','10.9.3.0/24']}"));
	EXPECT(ACL("{'from':'ofice','to':'b'}"),
	       "2:16 warning [0].acl[0].from: no client has the tag or name \"ofice\"; "
	       "did you "
	       "mean \"office\"?");
	EXPECT(ACL("{'from':'self','to':'b'}"),
	       "2:16 warning [0].acl[0].from: did you mean \"__self__\"?");
	EXPECT(ACL("{'from':'a','to':['b','gateway-*']}"),
	       "2:30 warning [0].acl[0].to[1]: give one of them \"tags\"");
	EXPECT(ACL("{'from':'a','to':'172.16.0.0/12'}"),
	       "2:25 warning [0].acl[0].to: in no network of this server and of its "
	       "clients; if "
	       "it lies behind the server itself, say so in the server's \"routes\"");
	/* With an exit, any address can be meant. */
	EXPECT_NONE(
		RULES("'exits':[{'via':'b'}],'acl':[{'from':'a','to':'172.16.0.0/12'}]"));
}

static void warns_of_rules_that_are_never_needed(void **state)
{
	(void)state;
#define TWO(a, b) ACL("{" a "},\n{" b "}")
#define NEVER \
	"3:1 warning [0].acl[1]: never needed: [0] (line 2) before it allows all of it"
	EXPECT(TWO("'from':'*','to':'*'", "'from':'a','to':'b'"), NEVER);
	EXPECT(TWO("'from':'*','to':'*'", "'from':'off*','to':'b','protocol':'udp'"),
	       NEVER);
	EXPECT(TWO("'from':'10.0.0.0/8','to':'b'", "'from':'10.9.0.0/16','to':'b'"),
	       NEVER);
	EXPECT(TWO("'from':'off*','to':'b'", "'from':'office','to':'b'"), NEVER);
	EXPECT(TWO("'from':'a','to':'b','protocol':'tcp','ports':'80-90'",
		   "'from':'a','to':'b','protocol':'tcp','ports':[80,'85-90']"),
	       NEVER);
	EXPECT_NONE(TWO("'from':'*','to':'*'", "'from':'a','to':'__self__'"));
	EXPECT_NONE(TWO("'from':'*','to':'*'", "'from':'10.9.0.0/16','to':'b'"));
	EXPECT_NONE(TWO("'from':'a','to':'b'", "'from':'b','to':'a'"));
	EXPECT_NONE(TWO("'from':'a','to':'b'", "'from':['a','b'],'to':'b'"));
	EXPECT_NONE(TWO("'from':'10.9.0.0/16','to':'b'", "'from':'10.0.0.0/8','to':'b'"));
	EXPECT_NONE(TWO("'from':'a','to':'b','protocol':'tcp'", "'from':'a','to':'b'"));
	EXPECT_NONE(TWO("'from':'a','to':'b','protocol':'tcp','ports':80",
			"'from':'a','to':'b','protocol':'tcp'"));
	EXPECT_NONE(TWO("'from':'a','to':'b','protocol':'tcp','ports':80",
			"'from':'a','to':'b','protocol':'tcp','ports':'80-81'"));
#undef NEVER
#undef TWO
}

static void limits_rules(void **state)
{
	static const char head[] =
		"[{\"name\":\"t\",\"port\":80,\"net\":\"10.1.0.1/24\","
		"\"clients\":[{\"token\":\"" TEST "\",\"ip\":\"10.1.0.2\"}],\n\"acl\":[";
	const size_t room = 1 << 16;
	char *text = malloc(room);
	(void)state;
	assert_non_null(text);
	size_t len = (size_t)snprintf(text, room, "%s", head);
	for (unsigned i = 0; i < 4097; i++)
		len += (size_t)snprintf(text + len, room - len, "%s{}", i > 0 ? "," : "");
	(void)snprintf(text + len, room - len, "]}]");
	(void)read_with(text,
			(const char *const[]){
				"2:7 error [0].acl: found 4097 rules; there can be at "
				"most 4096",
				NULL });
	free(text);
}

/* ---- exits ------------------------------------------------------------------------------- */

static void takes_exits(void **state)
{
	(void)state;
	struct weft_tunnel_config *config = read_good(EXITS(
		"{'from':['office','10.9.0.0/16'],'via':['a','b'],'mode':'balance'},\n"
		"{'via':'b','mode':'failover'}"));
	const struct weft_tunnel_interface *server = &config->interfaces[0];
	assert_int_equal(server->exits_n, 2);
	assert_int_equal(server->exits[0].from.n, 2);
	assert_string_equal(server->exits[0].via.items[1], "b");
	assert_true(server->exits[0].balance);
	assert_int_equal(server->exits[1].from.n, 0);
	assert_false(server->exits[1].balance);
	assert_int_equal(server->exits[1].line, 3);
	weft_tunnel_config_free(config);
}

static void refuses_exits(void **state)
{
	(void)state;
	EXPECT(EXITS("{}"), "2:10 error [0].exits[0]: \"via\" is missing");
	EXPECT(EXITS("{'via':[]}"), "2:17 error [0].exits[0].via: names nobody");
	EXPECT(EXITS("{'via':'ofice'}"),
	       "2:17 error [0].exits[0].via: did you mean \"office\"?");
	EXPECT(EXITS("{'via':'__self__'}"),
	       "2:17 error [0].exits[0].via: an exit is a client");
	EXPECT(EXITS("{'via':'10.1.0.3'}"), "2:17 error [0].exits[0].via: write \"b\"");
	EXPECT(EXITS("{'via':'10.1.0.256'}"),
	       "2:17 error [0].exits[0].via: is not an address");
	EXPECT(EXITS("{'via':'10.1.0.9'}"),
	       "2:17 error [0].exits[0].via: none has this address");
	EXPECT(SERVER("'exits':[{'via':'10.1.0.2'}]"),
	       "2:18 error [0].exits[0].via: give the one with this address a \"name\"");
	EXPECT(EXITS("{'via':'b','mode':'balanced'}"),
	       "2:28 error [0].exits[0].mode: did you mean \"balance\"?");
	EXPECT(EXITS("{'via':'b','mode':'balance'}"),
	       "2:28 warning [0].exits[0].mode: one client to go over");
	EXPECT(EXITS("{'from':'ofice','via':'b'}"),
	       "2:18 warning [0].exits[0].from: did you mean \"office\"?");
	EXPECT(RULES("'exits':{'via':'b'}"), "2:9 error [0].exits: must be an array");
}

static void warns_of_exits_that_are_never_used(void **state)
{
	(void)state;
	EXPECT(EXITS("{'via':'b'},\n{'from':'office','via':'a'}"),
	       "3:1 warning [0].exits[1]: never used: [0] (line 2) before it takes all");
	EXPECT(EXITS("{'from':'off*','via':'b'},\n{'from':'office','via':'a'}"),
	       "3:1 warning [0].exits[1]: never used");
	EXPECT_NONE(EXITS("{'from':'office','via':'a'},\n{'via':'b'}"));
}

static void refuses_exits_beside_sources(void **state)
{
	(void)state;
#define WITH(sources, exits)                                                           \
	"[{'name':'t','port':80,'net':'10.1.0.1/24','clients':["                       \
	"{'token':'" TEST "','ip':'10.1.0.2','name':'a','tags':['office']},\n"         \
	"{'token':'" FOO "','ip':'10.1.0.3','name':'b','sources':['" sources "']}],\n" \
	"'exits':[" exits "]}]"
	EXPECT(WITH("10.1.0.2/32", "{'from':'10.1.0.0/24','via':'b'}"),
	       "3:18 error [0].exits[0].from: packets from 10.1.0.2 go to a client "
	       "already, "
	       "[0].clients[1].sources[0] (line 2)");
	EXPECT(WITH("10.1.0.0/24", "{'from':'10.1.0.2','via':'b'}"),
	       "3:18 error [0].exits[0].from: packets from 10.1.0.0/24");
	EXPECT(WITH("10.1.0.2/32", "{'from':['office'],'via':'b'}"),
	       "3:19 error [0].exits[0].from[0]: packets from 10.1.0.2");
	EXPECT_NONE(WITH("10.7.0.0/16", "{'from':['office','10.8.0.0/16'],'via':'b'}"));
	/* For everybody but those. */
	EXPECT_NONE(WITH("10.1.0.2/32", "{'via':'a'}"));
#undef WITH
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_an_access_list),
		cmocka_unit_test(takes_protocols),
		cmocka_unit_test(refuses_rules),
		cmocka_unit_test(refuses_protocols_and_ports),
		cmocka_unit_test(warns_of_selectors_that_speak_of_nobody),
		cmocka_unit_test(warns_of_rules_that_are_never_needed),
		cmocka_unit_test(limits_rules),
		cmocka_unit_test(takes_exits),
		cmocka_unit_test(refuses_exits),
		cmocka_unit_test(warns_of_exits_that_are_never_used),
		cmocka_unit_test(refuses_exits_beside_sources),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
