/* SPDX-License-Identifier: MIT */
/* The row is a line of a table, with a line more for each reason why frames were lost. */
#include "rooms_row.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Of sorted delays. */
static uint32_t percentile(const struct row *row, double part)
{
	size_t at = (size_t)((double)row->delays_n * part);
	if (row->delays_n == 0)
		return 0;
	return row->delays_us[at < row->delays_n ? at : row->delays_n - 1];
}

void row_print_head(void)
{
	printf("%-22s %9s %9s %26s %8s %8s %8s\n", "", "small/s", "large/s",
	       "delay us: p50  p99  most", "lost", "CPU %", "us/frame");
}

/* The last line of a file of /proc that begins so, behind that beginning; or none. */
static bool find_line(const char *path, const char *beginning, char *ret_rest, size_t len)
{
	char line[512];
	bool is_found = false;
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, beginning, strlen(beginning)) != 0)
			continue;
		(void)snprintf(ret_rest, len, "%s", line + strlen(beginning));
		is_found = true;
	}
	if (file)
		(void)fclose(file);
	return is_found;
}

static void split(char *text, uint64_t *numbers, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		numbers[i] = strtoull(text, &text, 10);
}

struct row_machine row_machine_now(void)
{
	enum { DROPS = 4, DATAGRAM_COUNTS };
	enum { IDLE = 3, IOWAIT = 4, STEAL = 7, CPU_TIMES };
	uint64_t datagrams[DATAGRAM_COUNTS] = { 0 }, cpu[CPU_TIMES] = { 0 };
	char rest[512];
	if (find_line("/proc/net/snmp", "Udp: ", rest, sizeof(rest)))
		split(rest, datagrams, DATAGRAM_COUNTS);
	if (find_line("/proc/stat", "cpu ", rest, sizeof(rest)))
		split(rest, cpu, CPU_TIMES);
	struct row_machine machine = { .drops = datagrams[DROPS], .stolen = cpu[STEAL] };
	for (unsigned i = 0; i < CPU_TIMES; i++)
		if (i != IDLE && i != IOWAIT)
			machine.wanted += cpu[i];
	return machine;
}

/* One more line for each reason that there was. */
static void print_reason(uint64_t n, const char *what)
{
	if (n > 0)
		printf("    %llu %s\n", (unsigned long long)n, what);
}

static void print_stolen(const struct row *row)
{
	double wanted = (double)(row->after.wanted - row->before.wanted);
	double stolen = (double)(row->after.stolen - row->before.stolen);
	if (wanted > 0 && stolen / wanted >= 0.005)
		printf("    %.0f %% of the time that processors were to run, the "
		       "hypervisor had "
		       "them stand still\n",
		       stolen / wanted * 100);
}

void row_print(struct row *row)
{
	uint64_t carried = row->received + row->bulk_received;
	uint64_t lost = row->received < row->sent ? row->sent - row->received : 0;
	double seconds = row->seconds;
	qsort(row->delays_us, row->delays_n, sizeof(*row->delays_us), compare_u32);
	printf("%-22s %9.0f %9.0f %8u %8u %8u %8llu %8.0f %8.2f\n", row->name,
	       (double)row->sent / seconds, (double)row->bulk_sent / seconds,
	       percentile(row, 0.5), percentile(row, 0.99), percentile(row, 1.0),
	       (unsigned long long)lost, row->relay_cpu_s / seconds * 100,
	       carried > 0 ? row->relay_cpu_s * 1e6 / (double)carried : 0.0);
	print_reason(row->refused,
		     "frames did not leave their senders, whose queues were full");
	print_reason(row->sender_drops,
		     "of those that were lost had waited too long to leave");
	print_reason(row->after.drops - row->before.drops,
		     "packets found no room in a socket: the machine was too busy to "
		     "read them");
	print_stolen(row);
	(void)fflush(stdout);
}
