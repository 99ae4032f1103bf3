/* SPDX-License-Identifier: MIT */
/*
 * Command lines from tables. A verb describes itself once, as a static struct command; the
 * parser, the error messages and the help text all come from there, so that none of them can
 * say something else than the others.
 *
 *     struct args { uint64_t ageing_ns; struct output_opts output; };
 *     static const struct option options[] = {
 *             { .name = "ageing", .letter = 'a', .type = OPTION_DURATION,
 *               .syntax = "TIME", .offset = OFFSET(struct args, ageing_ns),
 *               .help = "forget an address that was silent for TIME [300s]" },
 *             OUTPUT_OPTIONS(struct args),
 *             { 0 }
 *     };
 *     static const struct command command = { .verb = "bridge", .options = options, ... };
 *
 *     struct args args = { .ageing_ns = 300 * NS_PER_S };
 *     int status;
 *     int n = options_parse(&command, argc, argv, &args, &status);
 *     if (n < 0)
 *             return status;
 *     // the operands are argv[1] ... argv[n]
 *
 * The forms are GNU's: `--name VALUE`, `--name=VALUE`, `-nVALUE`, `-n VALUE`, letters of
 * flags together, options and operands in any order, `--` before operands that begin with
 * `-`. Names are not to be shortened: a script must not break when an option is added.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <weft/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_LIST_MAX 64u

/** Stands after each line break in the help of an option: the column where it begins. */
#define OPTION_INDENT "                          "

/** What an option takes and where it is stored: the type of the member at its offset. */
enum option_type {
	OPTION_FLAG,   /**< Nothing. bool */
	OPTION_TEXT,   /**< Anything. const char *, into argv */
	OPTION_LINK,   /**< A link, of which a secret is blanked. char *, into argv */
	OPTION_LIST,   /**< Anything, again and again. struct option_list */
	OPTION_NUMBER, /**< From min (1) to max (UINT32_MAX), or "word|N": 0. uint32_t */
	OPTION_DURATION, /**< "20ms", see cli/units.h; not 0. uint64_t, in ns */
	OPTION_CHOICE, /**< One of the words of the syntax "a|b|c". unsigned: its index */
	OPTION_MAC,    /**< The address of one station. struct weft_mac */
	OPTION_IP,     /**< A word of "a|b|IP/LEN" or an address. struct option_ip */
	OPTION_NAME,   /**< What a room or member can be called. const char * */
	OPTION_NAMES,  /**< Such names, again and again. struct option_list */
	OPTION_HOST,   /**< "relay.example.org", "192.0.2.1:443". const char * */
	OPTION_LISTEN, /**< "443", "192.0.2.1:443/udp". union weft_sockaddr */
};

struct option_list {
	char *items[OPTIONS_LIST_MAX]; /**< Into argv. */
	size_t n;
};

struct option_ip {
	unsigned word;     /**< Its index, as for OPTION_CHOICE. */
	struct weft_ip ip; /**< family 0 where another word than IP/LEN was given. */
};

struct option {
	const char *name; /**< Without dashes; NULL ends a table. */
	char letter;      /**< 0 for none. */
	enum option_type type;
	/** What stands for the value in the help; NULL for a flag. */
	const char *syntax;
	size_t offset;     /**< Of the member in the verb's struct. */
	const char *help;  /**< Half a sentence, the default in brackets. */
	uint32_t min, max; /**< Of a number; 0: see OPTION_NUMBER. */
};

#define OFFSET(type, member) offsetof(type, member)

struct command {
	const char *verb;
	const char *operands; /**< As in the help: "LINK LINK..."; NULL for none. */
	unsigned operands_min, operands_max;
	const char *summary; /**< A sentence or two, in lines of at most 79 columns. */
	const struct option *options;
	const char *notes; /**< Stands under the options; may be NULL. */
};

/**
 * Parses argv[1] ... into the struct at values, which holds the defaults, and moves the
 * operands to the front, from argv[1] on and in their order. --help and -h are known to
 * every command.
 *
 * Returns how many operands there are. If the program has nothing more to do, returns -1
 * with the exit status: help was asked for, or the command line is wrong. Both have then
 * been answered, on stdout and on stderr.
 */
int options_parse(const struct command *command, int argc, char **argv, void *values,
		  int *ret_status) __attribute__((warn_unused_result));

/** Says what is wrong with the command line, and where the help is; returns STATUS_USAGE. */
int options_fail(const struct command *command, const char *text);

#endif
