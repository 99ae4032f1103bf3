/* SPDX-License-Identifier: MIT */
/*
 * The host on a machine in memory: what it changes, what it leaves alone, and what it finds
 * and undoes after a crash.
 *
 * A crash is told by a child process that makes its changes and ends without a word; the
 * machine is shared with it, so that its changes are still there afterwards.
 */
#include "host/host.h"

#include "../unit.h"
#include "machine.h"
#include "state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HERE      100u
#define ELSEWHERE 200u

static struct weft_ip ip(const char *text)
{
	struct weft_ip value;
	assert_int_equal(weft_ip_parse(text, &value), 0);
	return value;
}

static struct weft_host *new_host(const struct state_dir *dir, struct netlink *nl)
{
	const struct weft_host_opts opts = { .state_dir = dir->path };
	struct weft_host *host;
	struct weft_error err;
	if (host_new_on(&opts, nl, &err, &host) < 0)
		fail_msg("%s", err.text);
	return host;
}

/* One of each kind, on weft0. */
static void change_everything(struct weft_host *host)
{
	const struct weft_ip address = ip("192.0.2.1/24");
	const struct weft_route route = { .dest = ip("198.51.100.0/24"),
					  .gateway = ip("192.0.2.254"),
					  .ifname = "weft0" };
	const struct weft_rule rule = { AF_INET, 1, 100, 1000 };
	const struct weft_mac mac = { { 2, 1, 2, 3, 4, 5 } };
	assert_int_equal(weft_host_set_mac(host, "weft0", mac, NULL), 0);
	assert_int_equal(weft_host_set_mtu(host, "weft0", 1400, NULL), 0);
	assert_int_equal(weft_host_set_up(host, "weft0", true, NULL), 0);
	assert_int_equal(weft_host_add_address(host, "weft0", &address, NULL), 0);
	assert_int_equal(weft_host_add_route(host, &route, NULL), 0);
	assert_int_equal(weft_host_add_rule(host, &rule, NULL), 0);
	assert_int_equal(weft_host_refuse_default_route(host, "weft0", NULL), 0);
}

static void assert_changed(struct machine *machine)
{
	const struct weft_interface *weft0 = machine_interface(machine, "weft0");
	assert_int_equal(weft0->mtu, 1400);
	assert_int_equal(weft0->mac.octet[5], 5);
	assert_true(weft0->is_up);
	assert_int_equal(machine->n_things, 4);
	assert_true(
		machine_has(machine, "refusal of default routes by routers on weft0"));
}

static void assert_as_before(struct machine *machine)
{
	struct machine fresh;
	machine_init(&fresh);
	assert_memory_equal(machine->interfaces, fresh.interfaces,
			    sizeof(fresh.interfaces));
	assert_int_equal(machine->n_things, 0);
}

static void test_everything_is_undone_at_the_end(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	change_everything(host);
	assert_changed(&machine);
	assert_int_equal(state_dir_files(dir), 1);
	weft_host_free(host);
	assert_as_before(&machine);
	assert_int_equal(state_dir_files(dir), 0);
}

static void test_what_is_forgotten_stays(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	change_everything(host);
	weft_host_forget(host);
	assert_changed(&machine);
	assert_int_equal(state_dir_files(dir), 0);
}

static void test_an_address_with_a_metric_brings_its_own_route(void **state)
{
	const struct state_dir *dir = *state;
	const struct weft_ip address = ip("172.30.77.1/20");
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	assert_int_equal(weft_host_add_address_metric(host, "weft0", &address, 50, NULL),
			 0);
	assert_int_equal(machine.n_things, 2);
	assert_true(machine.things[0].without_route);
	assert_int_equal(machine.things[1].route.metric, 50);
	assert_true(machine_has(&machine, "address 172.30.77.1/20 on weft0"));
	assert_memory_equal(machine.things[1].route.dest.octet,
			    ip("172.30.64.0/20").octet, 4);
	weft_host_free(host);
	assert_as_before(&machine);
}

static void test_what_is_so_already_is_not_ours(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *first = new_host(dir, machine_netlink(&machine, HERE));
	struct weft_host *second = new_host(dir, machine_netlink(&machine, HERE));
	change_everything(first);
	change_everything(second);
	const struct weft_ip address = ip("192.0.2.1/24");
	assert_int_equal(weft_host_remove_address(second, "weft0", &address, NULL), 0);
	assert_changed(&machine);
	weft_host_free(second);
	assert_changed(&machine);
	weft_host_free(first);
	assert_as_before(&machine);
}

static void test_what_others_set_meanwhile_is_theirs(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	change_everything(host);
	struct weft_interface *weft0 = machine_interface(&machine, "weft0");
	weft0->mtu = 1280;
	weft0->mac.octet[5] = 99;
	machine_drop(&machine, "address 192.0.2.1/24 on weft0");
	weft_host_free(host);
	assert_int_equal(weft0->mtu, 1280);
	assert_int_equal(weft0->mac.octet[5], 99);
	assert_false(weft0->is_up);
	assert_int_equal(machine.n_things, 0);
}

static void test_a_setting_changed_twice_goes_all_the_way_back(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	assert_int_equal(weft_host_set_mtu(host, "weft0", 1400, NULL), 0);
	assert_int_equal(weft_host_set_mtu(host, "weft0", 1300, NULL), 0);
	weft_host_free(host);
	assert_as_before(&machine);
}

static void test_a_new_device_of_the_same_name_is_left_alone(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	assert_int_equal(weft_host_set_mtu(host, "weft0", 1400, NULL), 0);
	machine_interface(&machine, "weft0")->index = 8;
	weft_host_free(host);
	assert_int_equal(machine_interface(&machine, "weft0")->mtu, 1400);
	assert_int_equal(machine.reverts, 0);
	assert_int_equal(state_dir_files(dir), 0);
}

static void test_an_address_can_be_removed_and_added_again(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	const struct weft_ip old = ip("192.0.2.1/24");
	const struct weft_ip new = ip("192.0.2.2/24");
	assert_int_equal(weft_host_add_address(host, "weft0", &old, NULL), 0);
	assert_int_equal(weft_host_add_address(host, "weft0", &new, NULL), 0);
	assert_int_equal(weft_host_remove_address(host, "weft0", &old, NULL), 0);
	assert_false(machine_has(&machine, "address 192.0.2.1/24 on weft0"));
	assert_true(machine_has(&machine, "address 192.0.2.2/24 on weft0"));
	assert_int_equal(weft_host_remove_address(host, "weft0", &old, NULL), 0);
	weft_host_free(host);
	assert_as_before(&machine);
}

static void test_routes_and_rules_can_be_removed(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	const struct weft_route route = { .dest = ip("198.51.100.0/24"),
					  .gateway = ip("192.0.2.254"),
					  .ifname = "weft0" };
	struct weft_route other = route;
	const struct weft_rule rule = { AF_INET6, 1, 100, 0 };
	other.metric = 5;
	assert_int_equal(weft_host_add_route(host, &route, NULL), 0);
	assert_int_equal(weft_host_add_rule(host, &rule, NULL), 0);
	assert_int_equal(machine.n_things, 2);
	assert_int_equal(weft_host_remove_route(host, &other, NULL), 0);
	assert_int_equal(machine.n_things, 2);
	assert_int_equal(weft_host_remove_route(host, &route, NULL), 0);
	assert_int_equal(weft_host_remove_rule(host, &rule, NULL), 0);
	assert_int_equal(machine.n_things, 0);
	assert_int_equal(weft_host_remove_rule(host, &rule, NULL), 0);
	weft_host_free(host);
	assert_as_before(&machine);
}

static void test_all_of_one_interface_is_undone(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	change_everything(host);
	assert_int_equal(weft_host_undo_interface(host, "lo", NULL), 0);
	assert_changed(&machine);
	assert_int_equal(weft_host_undo_interface(host, "weft0", NULL), 0);
	assert_int_equal(machine.n_things, 1); /* the rule, which is nobody's */
	change_everything(host);
	weft_host_free(host);
	assert_as_before(&machine);
}

static void test_a_bridge_gets_and_loses_a_port(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	struct weft_error err;
	machine_init(&machine);
	machine.interfaces[2] =
		(struct weft_interface){ .name = "br0", .index = 9, .is_bridge = true };
	struct weft_interface *weft0 = machine_interface(&machine, "weft0");
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	weft0->master = 5;
	assert_int_equal(weft_host_set_bridge(host, "weft0", "br0", &err), 0);
	assert_int_equal(weft0->master, 9);
	assert_int_equal(weft_host_set_bridge(host, "weft0", "lo", &err), -EINVAL);
	assert_string_equal(err.text, "lo is no bridge");
	assert_int_equal(weft_host_set_bridge(host, "lo", "br0", &err), -EINVAL);
	assert_string_equal(err.text, "lo carries no Ethernet, so no bridge takes it");
	assert_int_equal(weft_host_set_bridge(host, "weft0", "br1", &err), -ENODEV);
	assert_string_equal(err.text, "no interface br1; there are: lo, weft0, br0");
	assert_int_equal(weft_host_leave_bridge(host, "lo", &err), 0);
	assert_int_equal(weft0->master, 9);
	assert_int_equal(weft_host_leave_bridge(host, "weft0", &err), 0);
	assert_int_equal(weft0->master, 5);
	assert_int_equal(weft_host_leave_bridge(host, "weft0", &err), 0);
	assert_int_equal(weft_host_set_bridge(host, "weft0", "br0", &err), 0);
	weft_host_free(host);
	assert_int_equal(weft0->master, 5);
}

static void test_the_way_to_an_address(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	const struct weft_ip near = ip("198.51.100.9"), far = ip("203.0.113.1");
	struct weft_route found;
	struct weft_error err;
	change_everything(host);
	assert_int_equal(weft_host_find_route(host, &near, &err, &found), 0);
	assert_string_equal(found.ifname, "weft0");
	assert_int_equal(found.gateway.octet[3], 254);
	assert_int_equal(found.dest.prefix, 32);
	assert_int_equal(weft_host_find_route(host, &far, &err, &found), -ENETUNREACH);
	assert_non_null(strstr(err.text, "no route to 203.0.113.1"));
	weft_host_free(host);
}

static void test_a_refused_change_is_explained_and_forgotten(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	struct weft_error err;
	machine.refusal = -EPERM;
	assert_int_equal(weft_host_set_mtu(host, "weft0", 1400, &err), -EPERM);
	assert_string_equal(
		err.text,
		"cannot set MTU 1400 of weft0: needs CAP_NET_ADMIN (run as root)");
	machine.refusal = 0;
	machine_interface(&machine, "weft0")->mtu = 1400; /* Somebody else's. */
	weft_host_free(host);
	assert_int_equal(machine_interface(&machine, "weft0")->mtu, 1400);
}

static void test_an_unknown_interface_is_answered_with_those_there_are(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	struct weft_error err;
	assert_int_equal(weft_host_set_up(host, "weft1", true, &err), -ENODEV);
	assert_string_equal(err.text, "no interface weft1; there are: lo, weft0");
	weft_host_free(host);
}

/* After a crash */

/* A machine that parent and child share. */
static struct machine *shared_machine(void)
{
	struct machine *machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(machine != MAP_FAILED);
	machine_init(machine);
	return machine;
}

static void crash_with_changes(const struct state_dir *dir, struct machine *machine,
			       uint64_t netns)
{
	(void)fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		change_everything(new_host(dir, machine_netlink(machine, netns)));
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_changed(machine);
}

struct reports {
	unsigned n;
	char last[300];
};

static void keep_report(void *user, const char *text)
{
	struct reports *reports = user;
	reports->n++;
	snprintf(reports->last, sizeof(reports->last), "%s", text);
}

static void test_a_crash_is_found_and_undone(void **state)
{
	const struct state_dir *dir = *state;
	struct machine *machine = shared_machine();
	struct reports reports = { 0 };
	crash_with_changes(dir, machine, HERE);
	struct weft_host *host = new_host(dir, machine_netlink(machine, HERE));
	assert_int_equal(weft_host_recover(host, keep_report, &reports), 7);
	assert_as_before(machine);
	assert_int_equal(reports.n, 7);
	assert_non_null(
		strstr(reports.last, "undone: MAC 02:01:02:03:04:05 of weft0 (left by "));
	assert_int_equal(state_dir_files(dir), 1); /* The host's own. */
	assert_int_equal(weft_host_recover(host, keep_report, &reports), 0);
	weft_host_free(host);
	munmap(machine, sizeof(*machine));
}

static void test_the_living_are_not_recovered(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	machine_init(&machine);
	struct weft_host *living = new_host(dir, machine_netlink(&machine, HERE));
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	change_everything(living);
	assert_int_equal(weft_host_recover(host, NULL, NULL), 0);
	assert_changed(&machine);
	weft_host_free(host);
	weft_host_free(living);
	assert_as_before(&machine);
}

static void test_another_namespace_is_left_alone(void **state)
{
	const struct state_dir *dir = *state;
	struct machine *machine = shared_machine();
	crash_with_changes(dir, machine, ELSEWHERE);
	struct weft_host *host = new_host(dir, machine_netlink(machine, HERE));
	assert_int_equal(weft_host_recover(host, NULL, NULL), 0);
	weft_host_free(host);
	assert_changed(machine);
	host = new_host(dir, machine_netlink(machine, ELSEWHERE));
	assert_int_equal(weft_host_recover(host, NULL, NULL), 7);
	weft_host_free(host);
	assert_as_before(machine);
	munmap(machine, sizeof(*machine));
}

static void test_an_earlier_boot_is_forgotten(void **state)
{
	const struct state_dir *dir = *state;
	struct machine *machine = shared_machine();
	crash_with_changes(dir, machine, HERE);
	struct netlink *nl = machine_netlink(machine, HERE);
	memcpy(nl->place.boot, "second-boot", sizeof("second-boot"));
	struct weft_host *host = new_host(dir, nl);
	assert_int_equal(weft_host_recover(host, NULL, NULL), 0);
	assert_int_equal(machine->reverts, 0);
	weft_host_free(host);
	assert_int_equal(state_dir_files(dir), 0);
	munmap(machine, sizeof(*machine));
}

static void test_what_cannot_be_undone_stays_on_record(void **state)
{
	const struct state_dir *dir = *state;
	struct machine *machine = shared_machine();
	struct reports reports = { 0 };
	crash_with_changes(dir, machine, HERE);
	struct weft_host *host = new_host(dir, machine_netlink(machine, HERE));
	machine->refusal = -EPERM;
	assert_int_equal(weft_host_recover(host, keep_report, &reports), -EPERM);
	assert_non_null(
		strstr(reports.last, "could not undo MAC 02:01:02:03:04:05 of weft0: "));
	machine->refusal = 0;
	assert_int_equal(weft_host_recover(host, NULL, NULL), 7);
	weft_host_free(host);
	assert_as_before(machine);
	munmap(machine, sizeof(*machine));
}

static void test_rubbish_is_reported_and_removed(void **state)
{
	const struct state_dir *dir = *state;
	struct machine machine;
	struct reports reports = { 0 };
	machine_init(&machine);
	struct weft_host *host = new_host(dir, machine_netlink(&machine, HERE));
	state_dir_put(dir, "journal-1-0", "rubbish", 7);
	state_dir_put(dir, "journal-1-1", "", 0);
	state_dir_put(dir, "notes.txt", "not ours", 8);
	assert_int_equal(weft_host_recover(host, keep_report, &reports), 0);
	assert_int_equal(reports.n, 1);
	assert_string_equal(reports.last, "journal-1-0: 1 unreadable line skipped");
	weft_host_free(host);
	assert_int_equal(state_dir_files(dir), 1); /* The notes. */
}

#define in_state_dir(test) \
	cmocka_unit_test_setup_teardown(test, state_dir_make, state_dir_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_state_dir(test_everything_is_undone_at_the_end),
		in_state_dir(test_what_is_forgotten_stays),
		in_state_dir(test_an_address_with_a_metric_brings_its_own_route),
		in_state_dir(test_what_is_so_already_is_not_ours),
		in_state_dir(test_what_others_set_meanwhile_is_theirs),
		in_state_dir(test_a_setting_changed_twice_goes_all_the_way_back),
		in_state_dir(test_a_new_device_of_the_same_name_is_left_alone),
		in_state_dir(test_an_address_can_be_removed_and_added_again),
		in_state_dir(test_routes_and_rules_can_be_removed),
		in_state_dir(test_all_of_one_interface_is_undone),
		in_state_dir(test_a_bridge_gets_and_loses_a_port),
		in_state_dir(test_the_way_to_an_address),
		in_state_dir(test_a_refused_change_is_explained_and_forgotten),
		in_state_dir(test_an_unknown_interface_is_answered_with_those_there_are),
		in_state_dir(test_a_crash_is_found_and_undone),
		in_state_dir(test_the_living_are_not_recovered),
		in_state_dir(test_another_namespace_is_left_alone),
		in_state_dir(test_an_earlier_boot_is_forgotten),
		in_state_dir(test_what_cannot_be_undone_stays_on_record),
		in_state_dir(test_rubbish_is_reported_and_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
