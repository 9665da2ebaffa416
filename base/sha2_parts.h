/* SPDX-License-Identifier: BSD-2-Clause */
/* What the variants of SHA-256 share; only sha2*.c and their test include this. */
#ifndef KL_BASE_SHA2_PARTS_H
#define KL_BASE_SHA2_PARTS_H

#include "base/sha2.h"

/* What is added in each round of SHA-512; the upper halves of the first 64 are those of SHA-256. */
extern const uint64_t kl_sha2_factors[80];

#if defined(__x86_64__)
extern const kl_sha2_variant kl_sha2_x86;
#endif

#endif
