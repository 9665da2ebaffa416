/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Picks the variant of CRC-32C that runs, once.
 *
 * Each entry is a function pointer that first points at its resolver. The resolver asks the
 * processor, stores the answer and does the call. There is no constructor and no lock, and none is
 * needed: threads that come at the same time all find the same answer, and the pointer leads to
 * code and constants only, which nobody ever writes. So the order of other memory accesses does not
 * matter and relaxed atomics do; on the usual machines they are plain loads.
 */
#include "base/crc32c.h"
#include "base/crc32c_parts.h"

#include <stdatomic.h>

typedef uint32_t (*update_fn)(uint32_t crc, const void *data, size_t len);
typedef uint32_t (*combine_fn)(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

static uint32_t resolve_update(uint32_t crc, const void *data, size_t len);
static uint32_t resolve_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

static _Atomic(update_fn) chosen_update = resolve_update;
static _Atomic(combine_fn) chosen_combine = resolve_combine;

/* The best first. ARM's crc32c instructions are not used yet: there the table runs. */
static const kl_crc32c_variant *const variants[] = {
#if defined(__x86_64__)
    &kl_crc32c_vpclmul,
    &kl_crc32c_pclmul,
    &kl_crc32c_sse42,
#endif
    &kl_crc32c_table,
};

static const kl_crc32c_variant *best_variant(void)
{
    size_t i = 0;
    while (!variants[i]->usable()) /* the last one always is */
        i++;
    return variants[i];
}

static uint32_t resolve_update(uint32_t crc, const void *data, size_t len)
{
    update_fn fn = best_variant()->update;
    atomic_store_explicit(&chosen_update, fn, memory_order_relaxed);
    return fn(crc, data, len);
}

static uint32_t resolve_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    combine_fn fn = best_variant()->combine;
    atomic_store_explicit(&chosen_combine, fn, memory_order_relaxed);
    return fn(crc_a, crc_b, len_b);
}

uint32_t kl_crc32c(uint32_t crc, const void *data, size_t len)
{
    return atomic_load_explicit(&chosen_update, memory_order_relaxed)(crc, data, len);
}

uint32_t kl_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    return atomic_load_explicit(&chosen_combine, memory_order_relaxed)(crc_a, crc_b, len_b);
}

const char *kl_crc32c_name(void)
{
    return best_variant()->name;
}

const kl_crc32c_variant *kl_crc32c_variant_at(size_t index)
{
    return index < sizeof(variants) / sizeof(variants[0]) ? variants[index] : NULL;
}
