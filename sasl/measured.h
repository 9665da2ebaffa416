/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that is first measured and then written, by the same lines: without a place to write to it
 * is only counted. Nothing is owned, nothing fails; whoever gives the place has measured before.
 */
#ifndef KL_SASL_MEASURED_H
#define KL_SASL_MEASURED_H

#include <stddef.h>
#include <string.h>

typedef struct kl_measured {
    char *to; /* NULL: counts */
    size_t len;
} kl_measured;

static inline void kl_measured_put(kl_measured *m, const char *text, size_t len)
{
    if (m->to)
        memcpy(m->to + m->len, text, len);
    m->len += len;
}

#endif
