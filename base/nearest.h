/* SPDX-License-Identifier: BSD-2-Clause */
/* "Did you mean": which of the known words is near enough to what was typed. */
#ifndef KL_BASE_NEAREST_H
#define KL_BASE_NEAREST_H

#include <kloop/types.h>

/*
 * The nearer one to word of best, which may be NULL, and candidate; NULL when neither is near. Case
 * does not count as a difference, and half of the letters may differ.
 */
const char *kl_nearest_of(const char *best, const char *candidate, kloop_string word);

#endif
