/* SPDX-License-Identifier: BSD-2-Clause */
/* A message made up for a corpus: of each kind, in each version and direction, one with as little
 * in it as there can be, one with something in every field, and one whose fields are at their
 * borders. Always the same bytes. */
#ifndef KL_FUZZ_SEED_MESSAGE_H
#define KL_FUZZ_SEED_MESSAGE_H

#include "base/buf.h"
#include "fuzz/selection.h"

typedef enum kl_seed_grade {
    KL_SEED_MINIMAL,
    KL_SEED_FULL,
    KL_SEED_MAX,
    KL_SEED_GRADES
} kl_seed_grade;

/* Appends the message's body. */
void kl_seed_message(const kl_selection *s, kl_seed_grade grade, kl_buf *out);

#endif
