/* SPDX-License-Identifier: MIT */
/*
 * What weft's clients have and the original's do not: proxies, whom they believe to be the
 * server, several streams, what they take of the server, and further headers.
 */
#include "expect.h"

#define PLAIN(more) "[{'name':'t1','token':'x','server':'http://x/',\n" more "}]"
#define TLS(more)   "[{'name':'t1','token':'x','server':'https://x/',\n" more "}]"
#define BASE64      "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX         "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void takes_all_of_a_client(void **state)
{
	(void)state;
	struct weft_tunnel_config *config = read_good(TLS(
		"'proxy':'socks5h://me:w@proxy:1080','ca':'/ca','pin':'sha256//" BASE64
		"','http2':true,'family':'ipv6','streams':8,"
		"'accept_routes':['10.0.0.0/8','fd00::/8'],'mode':'ip',"
		"'headers':{'//':'a remark','X-Site':'7','user-agent':'a: b'}"));
	const struct weft_tunnel_interface *client = &config->interfaces[0];
	assert_string_equal(client->proxy, "socks5h://me:w@proxy:1080");
	assert_string_equal(client->ca_file, "/ca");
	assert_true(client->has_pin && client->http2);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(client->pin[i], i);
	assert_int_equal(client->family, AF_INET6);
	assert_int_equal(client->streams, 8);
	assert_false(client->no_routes);
	assert_int_equal(client->accept.n, 2);
	assert_ip(&client->accept.items[0], "10.0.0.0/8");
	assert_int_equal(client->headers_n, 2);
	assert_string_equal(client->headers[0], "X-Site: 7");
	assert_string_equal(client->headers[1], "user-agent: a: b");
	weft_tunnel_config_free(config);
}

static void takes_a_preference_of_a_family(void **state)
{
	(void)state;
	struct weft_tunnel_config *config = read_good(TLS("'family':'prefer-ipv4'"));
	assert_int_equal(config->interfaces[0].family, 0);
	assert_int_equal(config->interfaces[0].first_family, AF_INET);
	weft_tunnel_config_free(config);
	config = read_good(TLS("'family':'prefer-ipv6'"));
	assert_int_equal(config->interfaces[0].family, 0);
	assert_int_equal(config->interfaces[0].first_family, AF_INET6);
	weft_tunnel_config_free(config);
}

static void takes_defaults_of_a_client(void **state)
{
	(void)state;
	struct weft_tunnel_config *config = read_good(PLAIN("'accept_routes':true"));
	const struct weft_tunnel_interface *client = &config->interfaces[0];
	assert_int_equal(client->streams, 1);
	assert_int_equal(client->family, 0);
	assert_int_equal(client->first_family, 0);
	assert_false(client->no_routes || client->http2 || client->has_pin);
	assert_null(client->proxy);
	assert_int_equal(client->accept.n + client->headers_n, 0);
	weft_tunnel_config_free(config);
}

static void refuses_proxies(void **state)
{
	(void)state;
	EXPECT_NONE(PLAIN("'proxy':'HTTP://[2001:db8::1]:3128/'"));
	EXPECT_NONE(PLAIN("'proxy':'socks4://10.0.0.1'"));
	EXPECT(PLAIN("'proxy':'proxy:3128'"),
	       "2:9 error [0].proxy: a URL begins with http://, https://, socks4://, "
	       "socks4a://, socks5:// or socks5h://; write \"http://proxy:3128\"");
	EXPECT(PLAIN("'proxy':'ftp://proxy'"),
	       "2:9 error [0].proxy: a proxy goes over http://");
	EXPECT(PLAIN("'proxy':'http://proxy:99999'"),
	       "2:9 error [0].proxy: such as \"http://proxy.example.org:3128\"");
	EXPECT(PLAIN("'proxy':''"), "2:9 error [0].proxy: begins with");
}

#define WITHOUT_SCHEME(url) "[{'name':'tun0','server':'" url "','token':'t'}]"

/* Which is proposed: that of a browser, and of a port like that of `weft tunnel server` its own. */
static void proposes_a_scheme(void **state)
{
	(void)state;
	EXPECT(WITHOUT_SCHEME("hub"),
	       "1:26 error [0].server: a URL begins with http:// or https://; write "
	       "\"https://hub\"");
	EXPECT(WITHOUT_SCHEME("hub:443/t"),
	       "1:26 error [0].server: write \"https://hub:443/t\"");
	EXPECT(WITHOUT_SCHEME("hub:8443"),
	       "1:26 error [0].server: write \"https://hub:8443\"");
	EXPECT(WITHOUT_SCHEME("hub:8080"),
	       "1:26 error [0].server: write \"http://hub:8080\", or https:// if that port "
	       "speaks TLS");
	EXPECT(WITHOUT_SCHEME("[2001:db8::1]:80/"),
	       "1:26 error [0].server: write \"http://[2001:db8::1]:80/\", or https://");
	EXPECT(WITHOUT_SCHEME("hub:99999"),
	       "1:26 error [0].server: write \"https://hub:99999\"");
}

static void refuses_pins(void **state)
{
	(void)state;
	EXPECT_NONE(TLS("'pin':'" HEX "'"));
	EXPECT(TLS("'pin':'" BASE64 "'"),
	       "2:7 error [0].pin: write \"sha256//\" in front of it");
	EXPECT(TLS("'pin':'00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:"
		   "14:15:"
		   "16:17:18:19:1a:1b:1c:1d:1e:1f'"),
	       "2:7 error [0].pin: take out what stands between the digits");
	EXPECT(TLS("'pin':'sha256//" BASE64 ";sha256//" BASE64 "'"),
	       "2:7 error [0].pin: one key can be pinned");
	EXPECT(TLS("'pin':'SHA256:" BASE64 "'"), "2:7 error [0].pin: has to begin with");
	EXPECT(TLS("'pin':'sha256//AAECAw=='"), "2:7 error [0].pin: 44 characters");
	EXPECT(TLS("'pin':'" HEX "00'"), "2:7 error [0].pin: 64 hex digits");
	EXPECT(TLS("'pin':''"), "2:7 error [0].pin: 64 hex digits");
}

static void tells_what_is_about_tls(void **state)
{
	(void)state;
	EXPECT(PLAIN("'pin':'" HEX "'"),
	       "2:7 error [0].pin: over http:// the server has no");
	EXPECT(PLAIN("'ca':'/ca'"), "2:6 warning [0].ca: shows no certificate");
	EXPECT(PLAIN("'http2':true"),
	       "2:9 warning [0].http2: HTTP/2 is spoken over https:// alone");
	EXPECT_NONE(PLAIN("'http2':false"));
}

static void refuses_families(void **state)
{
	(void)state;
	EXPECT(TLS("'family':'ipv5'"),
	       "2:10 error [0].family: it must be \"ipv4\", \"ipv6\", "
	       "\"prefer-ipv4\" or \"prefer-ipv6\"; did you mean");
	EXPECT(TLS("'family':4"), "2:10 error [0].family: put it in double quotes");
#define TO(server, more) "[{'name':'t','token':'x','server':'" server "',\n" more "}]"
	EXPECT_NONE(TO("http://10.0.0.1/", "'family':'ipv4'"));
	EXPECT(TO("http://10.0.0.1/", "'family':'ipv6'"),
	       "2:10 error [0].family: of the server, 10.0.0.1, is one of IPv4");
	EXPECT(TO("http://me@[fd00::1]:8/x", "'family':'ipv4'"),
	       "2:10 error [0].family: fd00::1, is one of IPv6");
	/* With a proxy it is the proxy that is found by it. */
	EXPECT_NONE(TO("http://10.0.0.1/", "'family':'ipv6','proxy':'http://p'"));
	EXPECT(TO("http://x/", "'family':'ipv6','proxy':'http://10.0.0.2'"),
	       "2:10 error [0].family: of the proxy, 10.0.0.2");
	EXPECT(TO("http://10.0.0.1/", "'family':'prefer-ipv6'"),
	       "2:10 warning [0].family: the server has one address here, 10.0.0.1");
	EXPECT_NONE(TO("http://10.0.0.1/", "'family':'prefer-ipv6','proxy':'http://p'"));
#undef TO
}

static void refuses_streams_and_routes(void **state)
{
	(void)state;
	EXPECT(TLS("'streams':0"), "2:11 error [0].streams: found 0; it must be 1 to 8");
	EXPECT(TLS("'streams':9"), "2:11 error [0].streams: found 9");
	EXPECT(TLS("'http2':'yes'"), "2:9 error [0].http2: must be true or false");
	EXPECT(TLS("'accept_routes':[]"),
	       "2:17 error [0].accept_routes: to take no routes at all, write false");
	EXPECT(TLS("'accept_routes':'10.0.0.0/8'"),
	       "2:17 error [0].accept_routes: true, false or an array of networks: "
	       "[\"192.168.0.0/16\"]; put it in [ ]");
	EXPECT(TLS("'accept_routes':['10.0.0.1/8']"),
	       "2:18 error [0].accept_routes[0]: the network is \"10.0.0.0/8\"");
	EXPECT(TLS("'accept_routes':true,'mode':'ethernet'"),
	       "2:1 error [0].accept_routes: means nothing");
	EXPECT(TLS("'compat':true,'streams':2,'accept_routes':true"),
	       "2:15 warning [0].streams: knows nothing of",
	       "2:27 warning [0].accept_routes: knows nothing of");
	struct weft_tunnel_config *config = read_good(TLS("'accept_routes':false"));
	assert_true(config->interfaces[0].no_routes);
	weft_tunnel_config_free(config);
}

static void refuses_headers(void **state)
{
	(void)state;
#define WITH(header) TLS("'headers':{" header "}")
	EXPECT_NONE(WITH("'authorization':'Basic x'"));
	EXPECT(WITH("'X-Api-Key':'x'"),
	       "2:24 error [0].headers.X-Api-Key: stands in \"token\"");
	EXPECT(WITH("'host':'x'"), "2:19 error [0].headers.host: from the URL");
	EXPECT(WITH("'Content-Length':'1'"),
	       "2:29 error [0].headers.Content-Length: no length");
	EXPECT(WITH("'transfer-encoding':'chunked'"),
	       "2:32 error [0].headers.transfer-encoding: HTTP itself");
	EXPECT(WITH("'proxy-authorization':'x'"),
	       "2:34 error [0].headers.proxy-authorization: URL of \"proxy\"");
	EXPECT(WITH("'a b':'x'"), "2:18 error [0].headers.a b: no spaces");
	EXPECT(WITH("'a:':'x'"), "2:17 error [0].headers.a:: letters, digits");
	EXPECT(WITH("'':'x'"), "2:15 error [0].headers.: the name of a header");
	EXPECT(WITH("'a':'x\\r\\nb: y'"),
	       "2:16 error [0].headers.a: no control characters");
	EXPECT(WITH("'a':' x'"), "2:16 error [0].headers.a: no spaces at its ends");
	EXPECT(WITH("'a':''"), "2:16 error [0].headers.a: not empty");
	EXPECT(WITH("'a':1"), "2:16 error [0].headers.a: put it in double quotes");
	EXPECT(WITH("'a':'x',\n'A':'y'"), "3:5 error [0].headers.A: stands in line 2");
	EXPECT(TLS("'headers':['a: b']"), "2:11 error [0].headers: must be an object");
#undef WITH
}

static void limits_headers(void **state)
{
	char text[TEXT_LEN], value[4200];
	size_t len = (size_t)snprintf(text, sizeof(text),
				      "[{'name':'t','token':'x','server':'http://x/',"
				      "'headers':{");
	(void)state;
	for (unsigned i = 0; i < 33; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s'h%u':'x'",
					i > 0 ? "," : "", i);
	(void)snprintf(text + len, sizeof(text) - len, "}}]");
	EXPECT(text, "1:57 error [0].headers: found 33 headers; there can be at most 32");

	char *whole = malloc(2 * sizeof(value));
	assert_non_null(whole);
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	(void)snprintf(whole, 2 * sizeof(value),
		       "[{\"name\":\"t\",\"token\":\"x\",\"server\":\"http://x/\",\n"
		       "\"headers\":{\"a\":\"%s\"}}]",
		       value);
	(void)read_with(whole,
			(const char *const[]){
				"2:16 error [0].headers.a: longer than 4096", NULL });
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_of_a_client),
		cmocka_unit_test(takes_a_preference_of_a_family),
		cmocka_unit_test(takes_defaults_of_a_client),
		cmocka_unit_test(refuses_proxies),
		cmocka_unit_test(proposes_a_scheme),
		cmocka_unit_test(refuses_pins),
		cmocka_unit_test(tells_what_is_about_tls),
		cmocka_unit_test(refuses_families),
		cmocka_unit_test(refuses_streams_and_routes),
		cmocka_unit_test(refuses_headers),
		cmocka_unit_test(limits_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
