/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mistakes of the program that must meet an assertion.
 *
 *     assert_true(kl_asserted(put_twice, &list));
 *
 * The mistake runs until KL_ASSERT stops it; what it did until then stays done, and memory it took
 * is its own affair. Owns nothing, fails never; one at a time, as the hook is the whole process's.
 */
#ifndef KL_TESTS_ASSERTED_H
#define KL_TESTS_ASSERTED_H

#include <stdbool.h>

/* Whether an assertion stopped it. */
bool kl_asserted(void (*mistake)(void *ctx), void *ctx);

#endif
