/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl_fuzz_feature, in a file of its own: the counters cost each run a little, and are linked only
 * into targets that use them.
 */
#include "fuzz/fuzz.h"

#define COUNT_LOG 13

/* libFuzzer finds the section by its name, takes each byte for a counter and clears them before
 * each run. */
#if defined(__linux__)
__attribute__((section("__libfuzzer_extra_counters")))
#endif
static uint8_t features[1 << COUNT_LOG];

void kl_fuzz_feature(uint32_t number)
{
    features[(number * UINT32_C(0x9e3779b1)) >> (32 - COUNT_LOG)] = 1;
}
