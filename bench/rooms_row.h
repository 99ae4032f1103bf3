/* SPDX-License-Identifier: MIT */
/*
 * One row of bench-rooms: what was sent and carried in a few seconds, the delay of each small
 * frame, and what became of those that were lost.
 */
#ifndef BENCH_ROOMS_ROW_H
#define BENCH_ROOMS_ROW_H

#include <stddef.h>
#include <stdint.h>

/** Delays that a row can hold. */
#define ROW_DELAYS_MAX 4000000u

/** What the machine has counted so far. */
struct row_machine {
	/** Packets that UDP sockets of this namespace had no room for. */
	uint64_t drops;
	/** Time that processors were to run (of any unit), and how much ... */
	uint64_t wanted;
	uint64_t stolen; /**< ... of it a hypervisor had them stand still. */
};

struct row {
	const char *name;
	unsigned seconds;
	uint64_t sent, received; /**< Small frames. */
	uint64_t bulk_sent, bulk_received;
	uint64_t refused;      /**< By full queues of those who sent them. */
	uint64_t sender_drops; /**< Grown too old in those queues. */
	double relay_cpu_s;
	struct row_machine before, after;
	uint32_t *delays_us; /**< ROW_DELAYS_MAX of them, of which delays_n are set. */
	size_t delays_n;
};

/** A small frame has come; those for which there is no room are left out of the delays. */
static inline void row_add_delay(struct row *row, uint32_t delay_us)
{
	row->received++;
	if (row->delays_n < ROW_DELAYS_MAX)
		row->delays_us[row->delays_n++] = delay_us;
}

/** As proc(5) has it; zeros where it does not. */
struct row_machine row_machine_now(void);

/** Prints what the columns are. */
void row_print_head(void);

/** Prints the row; sorts its delays. */
void row_print(struct row *row);

#endif
