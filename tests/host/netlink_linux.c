/* SPDX-License-Identifier: MIT */
/*
 * The host on the running kernel, in a network namespace of this process's own:
 *
 *     +------------- namespace --------------+
 *     |  weft0 (down) --veth-- peer0 (up)    |
 *     +--------------------------------------+
 *
 * What the kernel then has is read by ip(8), which shares no code with us; "as before" means
 * that every word it prints about links, addresses, routes and rules is the same. Where
 * namespaces are not permitted, or ip is missing, the tests are skipped and say so. Without
 * root a user namespace is made as well.
 */
#include "../platform/netns.h"
#include "../unit.h"
#include "host/netlink.h"
#include "state_dir.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SNAPSHOT_LEN 16384u

/* Up and down once, because only then the kernel gives a fresh device its queue. */
static int set_up(void **state)
{
	sh("ip link add weft0 address 02:00:00:00:00:07 type veth peer name "
	   "peer0 && ip link set peer0 addrgenmode none up && "
	   "ip link set weft0 up && ip link set weft0 down");
	return state_dir_make(state);
}

static int tear_down(void **state)
{
	(void)try_sh("ip link del weft0 2>/dev/null");
	return state_dir_drop(state);
}

/* What ip(8) says */

struct snapshot {
	char text[SNAPSHOT_LEN];
};

/*
 * Without what the kernel derives from the operational state, which it does later and by
 * itself: that state, and routes of IPv6 multicast.
 */
static void take_snapshot(struct snapshot *ret_snapshot)
{
	FILE *f = popen("{ ip -o link; ip -o addr; ip route show table all; "
			"ip -6 route show table all; ip rule; ip -6 rule; } | "
			"sed 's/NO-CARRIER,//; s/ state [A-Z]*//; s/ linkdown//; "
			"/^multicast ff00::/d'",
			"r");
	assert_non_null(f);
	size_t n = fread(ret_snapshot->text, 1, SNAPSHOT_LEN - 1, f);
	assert_true(n > 0 && n < SNAPSHOT_LEN - 1);
	ret_snapshot->text[n] = '\0';
	assert_int_equal(pclose(f), 0);
}

static void assert_kernel_says(const char *words)
{
	struct snapshot now;
	take_snapshot(&now);
	if (!strstr(now.text, words))
		fail_msg("no \"%s\" in:\n%s", words, now.text);
}

/* Shows the first line that differs. */
static void assert_same(const struct snapshot *before)
{
	struct snapshot now;
	take_snapshot(&now);
	const char *a = before->text;
	const char *b = now.text;
	while (*a || *b) {
		int a_len = (int)strcspn(a, "\n");
		int b_len = (int)strcspn(b, "\n");
		if (a_len != b_len || strncmp(a, b, (size_t)a_len) != 0)
			fail_msg("before: %.*s\nnow:    %.*s", a_len, a, b_len, b);
		a += a_len + (a[a_len] == '\n');
		b += b_len + (b[b_len] == '\n');
	}
}

/* The host */

static struct weft_ip ip(const char *text)
{
	struct weft_ip value;
	assert_int_equal(weft_ip_parse(text, &value), 0);
	return value;
}

static struct weft_host *new_host(const struct state_dir *dir)
{
	const struct weft_host_opts opts = { .state_dir = dir->path };
	struct weft_host *host;
	struct weft_error err;
	if (weft_host_new(&opts, &err, &host) < 0)
		fail_msg("%s", err.text);
	return host;
}

#define assert_done(call)                               \
	do {                                            \
		struct weft_error err = { .text = "" }; \
		if ((call) != 0)                        \
			fail_msg("%s", err.text);       \
	} while (0)

static void add_address(struct weft_host *host, const char *text)
{
	const struct weft_ip address = ip(text);
	assert_done(weft_host_add_address(host, "weft0", &address, &err));
}

static void add_route(struct weft_host *host, const char *dest, const char *gateway,
		      uint32_t metric, uint32_t table)
{
	struct weft_route route = { .dest = ip(dest), .metric = metric, .table = table };
	if (gateway)
		route.gateway = ip(gateway);
	else
		memcpy(route.ifname, "weft0", sizeof("weft0"));
	assert_done(weft_host_add_route(host, &route, &err));
}

static void change_everything(struct weft_host *host)
{
	const struct weft_mac mac = { { 2, 1, 2, 3, 4, 5 } };
	const struct weft_rule rule4 = { AF_INET, 0x77, 100, 1000 };
	const struct weft_rule rule6 = { AF_INET6, 0, 100, 0 };
	assert_done(weft_host_set_mac(host, "weft0", mac, &err));
	assert_done(weft_host_set_mtu(host, "weft0", 1400, &err));
	assert_done(weft_host_set_up(host, "weft0", true, &err));
	add_address(host, "192.0.2.1/24");
	add_address(host, "2001:db8::1/64");
	add_route(host, "198.51.100.0/24", NULL, 0, 0);
	add_route(host, "203.0.113.0/24", "192.0.2.254", 50, 100);
	add_route(host, "2001:db8:1::/48", NULL, 0, 0);
	add_route(host, "0.0.0.0/0", "192.0.2.254", 0, 100);
	assert_done(weft_host_add_rule(host, &rule4, &err));
	assert_done(weft_host_add_rule(host, &rule6, &err));
}

#define CHANGES 11

static void assert_changed(void)
{
	assert_kernel_says("link/ether 02:01:02:03:04:05");
	assert_kernel_says("UP,LOWER_UP> mtu 1400");
	assert_kernel_says("inet 192.0.2.1/24 brd 192.0.2.255 scope global weft0");
	assert_kernel_says("inet6 2001:db8::1/64 scope global");
	assert_kernel_says("\n198.51.100.0/24 dev weft0 proto static scope link");
	assert_kernel_says(
		"203.0.113.0/24 via 192.0.2.254 dev weft0 table 100 proto static "
		"metric 50");
	assert_kernel_says("default via 192.0.2.254 dev weft0 table 100 proto static");
	assert_kernel_says("2001:db8:1::/48 dev weft0 proto static metric 1024");
	assert_kernel_says("1000:\tfrom all fwmark 0x77 lookup 100");
	assert_kernel_says("32765:\tfrom all lookup 100");
}

static void test_everything_is_set_and_undone(void **state)
{
	struct snapshot before;
	take_snapshot(&before);
	struct weft_host *host = new_host(*state);
	change_everything(host);
	assert_changed();
	weft_host_free(host);
	assert_same(&before);
	assert_int_equal(state_dir_files(*state), 0);
}

static void test_asking_twice_changes_and_undoes_once(void **state)
{
	struct snapshot before;
	struct snapshot changed;
	take_snapshot(&before);
	struct weft_host *first = new_host(*state);
	struct weft_host *second = new_host(*state);
	change_everything(first);
	take_snapshot(&changed);
	change_everything(second);
	assert_same(&changed);
	weft_host_free(second);
	assert_same(&changed);
	weft_host_free(first);
	assert_same(&before);
}

static void test_an_address_that_was_there_stays(void **state)
{
	sh("ip addr add 192.0.2.1/24 dev weft0");
	struct snapshot before;
	take_snapshot(&before);
	struct weft_host *host = new_host(*state);
	add_address(host, "192.0.2.1/24");
	weft_host_free(host);
	assert_same(&before);
}

static void test_the_same_address_with_another_prefix_is_ours(void **state)
{
	sh("ip addr add 192.0.2.1/25 dev weft0");
	struct snapshot before;
	take_snapshot(&before);
	struct weft_host *host = new_host(*state);
	add_address(host, "192.0.2.1/24");
	assert_kernel_says("192.0.2.1/24");
	weft_host_free(host);
	assert_same(&before);
}

static void test_a_route_in_the_way_is_an_error_and_stays(void **state)
{
	sh("ip link set weft0 up && ip addr add 192.0.2.1/24 dev weft0 && "
	   "ip route add 198.51.100.0/24 via 192.0.2.253");
	struct snapshot before;
	take_snapshot(&before);
	struct weft_host *host = new_host(*state);
	struct weft_error err;
	const struct weft_route route = { .dest = ip("198.51.100.0/24"),
					  .gateway = ip("192.0.2.254") };
	assert_int_equal(weft_host_add_route(host, &route, &err), -EEXIST);
	assert_string_equal(err.text, "cannot set route to 198.51.100.0/24 by way of "
				      "192.0.2.254: something else is in its place");
	weft_host_free(host);
	assert_same(&before);
}

static void test_a_device_that_has_gone_needs_no_undoing(void **state)
{
	struct weft_host *host = new_host(*state);
	assert_done(weft_host_set_mtu(host, "weft0", 1400, &err));
	add_address(host, "192.0.2.1/24");
	sh("ip link del weft0");
	struct snapshot before;
	take_snapshot(&before);
	weft_host_free(host);
	assert_same(&before);
	assert_int_equal(state_dir_files(*state), 0);
}

static void test_what_others_set_meanwhile_stays(void **state)
{
	struct weft_host *host = new_host(*state);
	const struct weft_mac mac = { { 2, 1, 2, 3, 4, 5 } };
	assert_done(weft_host_set_mtu(host, "weft0", 1400, &err));
	assert_done(weft_host_set_mac(host, "weft0", mac, &err));
	sh("ip link set weft0 mtu 1280 address 02:00:00:00:00:99");
	weft_host_free(host);
	assert_kernel_says("mtu 1280");
	assert_kernel_says("link/ether 02:00:00:00:00:99");
}

static void test_an_address_is_taken_away_before_the_end(void **state)
{
	struct snapshot before;
	take_snapshot(&before);
	struct weft_host *host = new_host(*state);
	const struct weft_ip address = ip("192.0.2.1/24");
	add_address(host, "192.0.2.1/24");
	assert_done(weft_host_remove_address(host, "weft0", &address, &err));
	assert_same(&before);
	weft_host_free(host);
	assert_same(&before);
}

/* Bridges that a kernel without them cannot make leave nothing to be tested. */
static void test_a_bridge_gets_a_port_and_loses_it(void **state)
{
	if (!try_sh("ip link add br0 type bridge 2>/dev/null && "
		    "ip link add br1 type bridge"))
		skip();
	sh("ip link set weft0 master br1");
	struct weft_host *host = new_host(*state);
	assert_done(weft_host_set_bridge(host, "weft0", "br0", &err));
	assert_kernel_says("master br0");
	weft_host_free(host);
	assert_kernel_says("master br1");
	sh("ip link set weft0 nomaster");
	host = new_host(*state);
	assert_done(weft_host_set_bridge(host, "weft0", "br0", &err));
	assert_kernel_says("master br0");
	assert_done(weft_host_undo_interface(host, "weft0", &err));
	assert_false(try_sh("ip -o link show weft0 | grep -q master"));
	struct weft_error refusal;
	assert_int_equal(weft_host_set_bridge(host, "weft0", "peer0", &refusal), -EINVAL);
	assert_string_equal(refusal.text, "peer0 is no bridge");
	/* A bridge that has gone takes the port's being one along. */
	assert_done(weft_host_set_bridge(host, "weft0", "br0", &err));
	sh("ip link del br0");
	weft_host_free(host);
	sh("ip link del br1");
	assert_int_equal(state_dir_files(*state), 0);
}

static void test_ways_are_found_and_routes_taken_away(void **state)
{
	struct weft_host *host = new_host(*state);
	const struct weft_ip near = ip("192.0.2.77/32"), far = ip("198.51.100.5/32");
	const struct weft_route route = { .dest = ip("198.51.100.0/24"),
					  .gateway = ip("192.0.2.254"),
					  .ifname = "weft0" };
	struct weft_route found;
	struct weft_error refusal;
	add_address(host, "192.0.2.1/24");
	assert_done(weft_host_set_up(host, "weft0", true, &err));
	assert_done(weft_host_find_route(host, &near, &err, &found));
	assert_string_equal(found.ifname, "weft0");
	assert_int_equal(found.gateway.family, 0);
	assert_done(weft_host_add_route(host, &route, &err));
	assert_done(weft_host_find_route(host, &far, &err, &found));
	assert_memory_equal(found.gateway.octet, route.gateway.octet, 4);
	assert_done(weft_host_remove_route(host, &route, &err));
	assert_int_equal(weft_host_find_route(host, &far, &refusal, &found),
			 -ENETUNREACH);
	assert_non_null(strstr(refusal.text, "no route to 198.51.100.5"));
	weft_host_free(host);
}

static void test_a_rule_of_one_family_is_none_of_the_other(void **state)
{
	struct weft_host *host = new_host(*state);
	const struct weft_rule four = { AF_INET, 77, 7700, 0 };
	const struct weft_rule six = { AF_INET6, 77, 7700, 0 };
	assert_done(weft_host_add_rule(host, &four, &err));
	assert_done(weft_host_add_rule(host, &six, &err));
	sh("ip -4 rule | grep -q 'fwmark 0x4d lookup 7700'");
	sh("ip -6 rule | grep -q 'fwmark 0x4d lookup 7700'");
	weft_host_free(host);
	sh("! ip -4 rule | grep -q fwmark && ! ip -6 rule | grep -q fwmark");
}

static void test_an_unknown_interface_is_named_with_those_there_are(void **state)
{
	struct weft_host *host = new_host(*state);
	struct weft_error err;
	const struct weft_ip address = ip("192.0.2.1/24");
	assert_int_equal(weft_host_add_address(host, "weft1", &address, &err), -ENODEV);
	assert_non_null(strstr(err.text, "no interface weft1; there are: "));
	assert_non_null(strstr(err.text, "lo"));
	assert_non_null(strstr(err.text, "weft0"));
	/* IFNAMSIZ would cut it to a name that exists. */
	assert_int_equal(weft_host_set_up(host, "", true, &err), -ENODEV);
	assert_int_equal(weft_host_set_up(host, "weft0weft0weft0weft0", true, &err),
			 -ENODEV);
	weft_host_free(host);
}

static void test_the_facts_of_interfaces(void **state)
{
	struct weft_host *host = new_host(*state);
	struct weft_interface weft0;
	struct weft_interface lo;
	char mac[WEFT_MAC_TEXT];
	assert_done(weft_host_interface(host, "weft0", &err, &weft0));
	assert_string_equal(weft0.name, "weft0");
	assert_string_equal(weft_mac_print(weft0.mac, mac), "02:00:00:00:00:07");
	assert_int_equal(weft0.mtu, 1500);
	assert_true(weft0.index > 1 && weft0.is_ethernet);
	assert_false(weft0.is_up || weft0.has_carrier || weft0.is_wireless);
	assert_done(weft_host_set_up(host, "weft0", true, &err));
	assert_done(weft_host_interface(host, "weft0", &err, &weft0));
	assert_true(weft0.is_up && weft0.has_carrier);
	assert_done(weft_host_interface(host, "lo", &err, &lo));
	assert_int_equal(lo.index, 1);
	assert_false(lo.is_ethernet);
	weft_host_free(host);
}

/* Crashes and lost rights: in a child process, which ends without undoing anything. */

static void in_child(void (*fn)(const struct state_dir *dir), const struct state_dir *dir)
{
	(void)fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fn(dir);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child ended with status %#x", (unsigned)status);
}

static int recover(const struct state_dir *dir)
{
	struct weft_host *host = new_host(dir);
	int n = weft_host_recover(host, NULL, NULL);
	weft_host_free(host);
	return n;
}

static void crash(const struct state_dir *dir)
{
	change_everything(new_host(dir));
}

static void test_a_crash_is_undone(void **state)
{
	struct snapshot before;
	take_snapshot(&before);
	in_child(crash, *state);
	assert_changed();
	assert_int_equal(recover(*state), CHANGES);
	assert_same(&before);
	assert_int_equal(state_dir_files(*state), 0);
}

/* Whether routers may give weft0 a default route, as the kernel writes it. */
static int takes_default_routes(void)
{
	FILE *f = fopen("/proc/sys/net/ipv6/conf/weft0/accept_ra_defrtr", "r");
	assert_non_null(f);
	int value = fgetc(f) - '0';
	(void)fclose(f);
	return value;
}

/* Some containers have no IPv6, or switches that are only to be read. */
static void need_switches(void)
{
	if (access("/proc/sys/net/ipv6/conf/weft0/accept_ra_defrtr", W_OK) < 0)
		skip();
}

static void test_default_routes_are_refused_until_the_end(void **state)
{
	need_switches();
	assert_int_equal(takes_default_routes(), 1);
	struct weft_host *host = new_host(*state);
	struct weft_host *second = new_host(*state);
	assert_done(weft_host_refuse_default_route(host, "weft0", &err));
	assert_done(weft_host_refuse_default_route(second, "weft0", &err));
	weft_host_free(second);
	assert_int_equal(takes_default_routes(), 0);
	weft_host_free(host);
	assert_int_equal(takes_default_routes(), 1);
	assert_int_equal(state_dir_files(*state), 0);
}

static void refuse_and_crash(const struct state_dir *dir)
{
	assert_done(weft_host_refuse_default_route(new_host(dir), "weft0", &err));
}

static void test_a_refusal_of_a_crash_is_undone(void **state)
{
	need_switches();
	in_child(refuse_and_crash, *state);
	assert_int_equal(takes_default_routes(), 0);
	assert_int_equal(recover(*state), 1);
	assert_int_equal(takes_default_routes(), 1);
}

static void test_a_refusal_goes_with_its_device(void **state)
{
	need_switches();
	struct weft_host *host = new_host(*state);
	assert_done(weft_host_refuse_default_route(host, "weft0", &err));
	sh("ip link del weft0");
	weft_host_free(host);
	assert_int_equal(state_dir_files(*state), 0);
}

static void crash_elsewhere(const struct state_dir *dir)
{
	netns_enter();
	sh("ip link add weft0 index 77 type veth");
	assert_done(weft_host_set_mtu(new_host(dir), "weft0", 1400, &err));
}

/* A device of the same name and index, with the very MTU that was set over there. */
static void test_a_crash_in_another_namespace_is_left_alone(void **state)
{
	sh("ip link del weft0 && ip link add weft0 index 77 mtu 1400 type veth");
	in_child(crash_elsewhere, *state);
	assert_int_equal(recover(*state), 0);
	assert_kernel_says("mtu 1400");
	assert_int_equal(state_dir_files(*state), 1);
}

static void drop_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	if (syscall(SYS_capset, &head, none) < 0)
		_exit(1);
}

static void refused(const struct state_dir *dir)
{
	struct weft_host *host = new_host(dir);
	struct weft_error err;
	drop_rights();
	assert_int_equal(weft_host_set_mtu(host, "weft0", 1400, &err), -EPERM);
	assert_string_equal(err.text, "cannot set MTU 1400 of weft0: needs CAP_NET_ADMIN "
				      "(run as root)");
	weft_host_free(host);
}

static void test_without_rights_it_says_what_it_needs(void **state)
{
	in_child(refused, *state);
	assert_int_equal(state_dir_files(*state), 0);
}

static void lose_rights(const struct state_dir *dir)
{
	struct weft_host *host = new_host(dir);
	change_everything(host);
	drop_rights();
	weft_host_free(host);
}

static void test_who_lost_the_rights_leaves_it_to_the_next(void **state)
{
	struct snapshot before;
	take_snapshot(&before);
	in_child(lose_rights, *state);
	assert_changed();
	assert_int_equal(recover(*state), CHANGES);
	assert_same(&before);
}

static void assert_pinned(struct weft_host_pin *pin, int changes, const char *by)
{
	struct weft_error err = { .text = "" };
	struct weft_route route = { .ifname = "" };
	assert_int_equal(weft_host_pin_update(pin, NULL, &err), changes);
	assert_int_equal(weft_host_pin_route(pin, &route), by != NULL);
	assert_string_equal(route.ifname, by ? by : "");
}

/* The room is on weft0; the machine's way to the relay is by peer0, then by peer1. */
static void test_a_pin_follows_the_way(void **state)
{
	struct snapshot before;
	sh("ip link add wlan0 type veth peer name ap0 && ip link set ap0 addrgenmode "
	   "none up && ip link set wlan0 addrgenmode none up");
	sh("ip addr add 203.0.113.2/24 dev peer0 && ip addr add 192.0.2.2/24 dev wlan0");
	take_snapshot(&before);
	struct weft_host *host = new_host(*state);
	const struct weft_ip relay = ip("198.51.100.7");
	struct weft_host_pin *pin;
	assert_done(weft_host_pin_new(host, &relay, "weft0", &pin));
	assert_done(weft_host_set_up(host, "weft0", true, &err));
	sh("ip route add default via 203.0.113.1");
	assert_pinned(pin, 0, NULL);
	add_address(host, "198.51.100.33/24");
	assert_pinned(pin, 1, "peer0");
	assert_kernel_says("198.51.100.7 via 203.0.113.1 dev peer0");
	assert_pinned(pin, 0, "peer0");
	sh("ip route replace default via 192.0.2.1");
	assert_pinned(pin, 1, "wlan0");
	assert_kernel_says("198.51.100.7 via 192.0.2.1 dev wlan0");
	sh("ip link set wlan0 down && ip route add default via 203.0.113.1");
	assert_pinned(pin, 1, "peer0");
	sh("ip route del default && ip link set wlan0 up");
	assert_pinned(pin, 1, NULL);
	weft_host_pin_free(pin);
	weft_host_free(host);
	assert_same(&before);
	sh("ip link del wlan0 && ip addr flush dev peer0");
}

static void pin_and_die(const struct state_dir *dir)
{
	struct weft_host *host = new_host(dir);
	const struct weft_ip relay = ip("198.51.100.7"), coming = ip("198.51.100.0/24");
	struct weft_host_pin *pin;
	assert_done(weft_host_pin_new(host, &relay, "weft0", &pin));
	assert_int_equal(weft_host_pin_update(pin, &coming, NULL), 1);
}

static void test_a_pin_of_a_crash_is_undone(void **state)
{
	struct snapshot before;
	sh("ip addr add 203.0.113.2/24 dev peer0 && "
	   "ip route add default via 203.0.113.1");
	take_snapshot(&before);
	in_child(pin_and_die, *state);
	assert_kernel_says("198.51.100.7 via 203.0.113.1 dev peer0");
	assert_int_equal(recover(*state), 1);
	assert_same(&before);
	sh("ip route del default && ip addr flush dev peer0");
}

static void on_change(void *user, uint64_t now)
{
	unsigned *told = user;
	(void)now;
	(*told)++;
}

static void test_a_watch_tells_of_changes(void **state)
{
	static const char *const changes[] = { "ip addr add 203.0.113.2/24 dev peer0",
					       "ip route add default via 203.0.113.1",
					       "ip link set peer0 down" };
	struct weft_host_watch *watch;
	unsigned told = 0;
	uint64_t now = UINT64_C(1000000000);
	(void)state;
	assert_done(weft_host_watch_new(on_change, &told, &err, &watch));
	struct weft_task *task = weft_host_watch_task(watch);
	task->run(task, now);
	assert_int_equal(told, 0);
	for (unsigned i = 0; i < 3; i++) {
		now += UINT64_C(1000000000);
		sh("%s", changes[i]);
		task->run(task, now);
		assert_int_equal(told, i + 1);
	}
	/* A burst is told in two: what comes first, and all that follows. */
	for (unsigned i = 0; i < 4; i++) {
		sh(i % 2 ? "ip link set peer0 down" : "ip link set peer0 up");
		task->run(task, now + UINT64_C(1000) * i);
	}
	assert_int_equal(told, 3);
	assert_true(task->deadline(task) <= now + UINT64_C(100000000));
	task->run(task, now + UINT64_C(100000000));
	assert_int_equal(told, 4);
	assert_true(task->deadline(task) == WEFT_NEVER);
	weft_host_watch_free(watch);
	sh("ip link set peer0 up && ip addr flush dev peer0");
}

/* No duplicate address detection: what ip says then does not change by itself. */
static const char *lacks(void)
{
	const char *lack = netns_lacks();
	if (lack)
		return lack;
	return try_sh("for i in default all; do "
		      "echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad; done 2>/dev/null")
		       ? NULL
		       : "IPv6 is missing";
}

#define with_weft0(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_weft0(test_everything_is_set_and_undone),
		with_weft0(test_asking_twice_changes_and_undoes_once),
		with_weft0(test_an_address_that_was_there_stays),
		with_weft0(test_the_same_address_with_another_prefix_is_ours),
		with_weft0(test_a_route_in_the_way_is_an_error_and_stays),
		with_weft0(test_a_device_that_has_gone_needs_no_undoing),
		with_weft0(test_what_others_set_meanwhile_stays),
		with_weft0(test_an_address_is_taken_away_before_the_end),
		with_weft0(test_a_bridge_gets_a_port_and_loses_it),
		with_weft0(test_ways_are_found_and_routes_taken_away),
		with_weft0(test_a_pin_follows_the_way),
		with_weft0(test_a_pin_of_a_crash_is_undone),
		with_weft0(test_a_watch_tells_of_changes),
		with_weft0(test_a_rule_of_one_family_is_none_of_the_other),
		with_weft0(test_an_unknown_interface_is_named_with_those_there_are),
		with_weft0(test_the_facts_of_interfaces),
		with_weft0(test_a_crash_is_undone),
		with_weft0(test_default_routes_are_refused_until_the_end),
		with_weft0(test_a_refusal_of_a_crash_is_undone),
		with_weft0(test_a_refusal_goes_with_its_device),
		with_weft0(test_a_crash_in_another_namespace_is_left_alone),
		with_weft0(test_without_rights_it_says_what_it_needs),
		with_weft0(test_who_lost_the_rights_leaves_it_to_the_next),
	};
	const char *lack = lacks();
	return lack ? skip_all(lack) : cmocka_run_group_tests(tests, NULL, NULL);
}
