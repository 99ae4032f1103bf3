/* SPDX-License-Identifier: MIT */
/*
 * How the program ends.
 */
#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1, /**< Something went wrong while it ran. */
	STATUS_USAGE = 2,  /**< The command line is wrong; what is wrong was said. */
};

#endif
