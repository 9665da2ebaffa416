/* SPDX-License-Identifier: BSD-2-Clause */
/* Edit distance between short words, by the usual table of two rows. */
#include "base/nearest.h"
#include "base/ascii.h"

#include <string.h>

#define WORD_MAX 64
#define FAR      1000

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static size_t distance(const char *known, kloop_string word)
{
    size_t known_len = strlen(known);
    size_t row[WORD_MAX + 1];
    if (known_len > WORD_MAX || word.len > WORD_MAX)
        return FAR;
    for (size_t i = 0; i <= known_len; i++)
        row[i] = i;
    for (size_t j = 0; j < word.len; j++) {
        size_t diagonal = row[0];
        row[0] = j + 1;
        for (size_t i = 0; i < known_len; i++) {
            size_t replace = diagonal + (kl_ascii_lower(known[i]) != kl_ascii_lower(word.data[j]));
            diagonal = row[i + 1];
            row[i + 1] = least(replace, row[i + 1] + 1, row[i] + 1);
        }
    }
    return row[known_len];
}

const char *kl_nearest_of(const char *best, const char *candidate, kloop_string word)
{
    size_t away = distance(candidate, word);
    if (away * 2 > strlen(candidate))
        return best;
    return !best || away < distance(best, word) ? candidate : best;
}
