/* SPDX-License-Identifier: MIT */
/*
 * The words of the protocol: how enums are spelled in messages, facts and logs. One table for
 * each enum serves both directions.
 */
#ifndef LAN_WORDS_H
#define LAN_WORDS_H

#include <stddef.h>

struct words {
	const char *const *texts;
	size_t n;
};

/**
 * Indexed by enum weft_role, message_type, message_fault, reject_code, leave_code, deny_code,
 * close_code.
 */
extern const struct words role_words, type_words, fault_words, reject_words, leave_words,
	deny_words, close_words;

/** The index of text, or words->n if it is none of them. */
size_t words_find(const struct words *words, const char *text);

#endif
