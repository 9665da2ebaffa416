/* SPDX-License-Identifier: BSD-2-Clause */
/* See mechanism_list.h. */
#include "cli/mechanism_list.h"

#include "base/excerpt.h"

#include <stdio.h>

void kl_mechanism_list(char *to, size_t size, const kloop_array *mechanisms)
{
    kloop_string one;
    size_t len = 0;
    to[0] = '\0';
    for (kloop_iter i = kloop_iterate(mechanisms); kloop_next(&i, &one);) {
        char name[KL_EXCERPT_SIZE];
        kl_excerpt(name, sizeof name, one);
        int n = snprintf(to + len, size - len, "%s%s", len ? ", " : "", name);
        if (n < 0 || (size_t)n >= size - len) {
            to[len] = '\0';
            return;
        }
        len += (size_t)n;
    }
}
