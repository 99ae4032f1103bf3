/* SPDX-License-Identifier: MIT */
/* The row is a line of a table, with a line more for each reason why frames were lost. */
#include "rooms_row.h"

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

static uint64_t fifth_number(char *text)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < 5; i++)
		number = strtoull(text, &text, 10);
	return number;
}

uint64_t row_kernel_drops(void)
{
	char line[512];
	uint64_t drops = 0;
	FILE *file = fopen("/proc/net/snmp", "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Udp: ", 5) == 0)
			drops = fifth_number(line + 5); /* The last such line's count. */
	if (file)
		(void)fclose(file);
	return drops;
}

/* One more line for each reason that there was. */
static void print_reason(uint64_t n, const char *what)
{
	if (n > 0)
		printf("    %llu %s\n", (unsigned long long)n, what);
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
	print_reason(row->kernel_drops, "packets found no room in a socket: the machine "
					"was too busy to read them");
	(void)fflush(stdout);
}
