/* SPDX-License-Identifier: MIT */
/*
 * The distance is that of Damerau and Levenshtein (optimal string alignment): letters left
 * out, put in, mistaken or swapped with their neighbour count one each. A word is near if
 * no more than a third of it is wrong, or if it begins with what was typed.
 */
#include <weft/nearest.h>

#include <string.h>

/* Longer words are near to nothing. */
#define WORD_MAX 32u

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The distance; both words are at most WORD_MAX long. Row i holds a[0..i) against b[0..j). */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[WORD_MAX + 1][WORD_MAX + 1];
	for (size_t i = 0; i <= a_len; i++)
		row[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			cost = least(cost, row[i - 1][j] + 1);
			cost = least(cost, row[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				cost = least(cost, row[i - 2][j - 2] + 1);
			row[i][j] = cost;
		}
	}
	return row[a_len][b_len];
}

void weft_nearest_offer(struct weft_nearest *nearest, const char *typed, const char *word)
{
	size_t typed_len = strlen(typed), word_len = strlen(word);
	if (typed_len == 0 || typed_len > WORD_MAX || word_len > WORD_MAX)
		return;
	size_t cost = distance(typed, typed_len, word, word_len);
	if (strncmp(typed, word, typed_len) == 0)
		cost = 1;
	if (cost > (word_len + 2) / 3 || (nearest->word && cost >= nearest->cost))
		return;
	*nearest = (struct weft_nearest){ .word = word, .cost = cost };
}
