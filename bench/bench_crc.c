/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C: the chosen variant against the plain loop over the crc32 instruction that one would
 * write first, and all variants side by side. Each call continues the checksum of the one before,
 * as the slices of a batch do, so short inputs show the time until the result is there.
 */
#include "base/crc32c.h"
#include "bench/bench.h"

#include <string.h>

#define KIB 1024u
#define MIB (1024u * KIB)

/* What a case works on. variant NULL is the chosen one. */
struct work {
    size_t len;
    const char *variant;
};

static uint8_t bytes[MIB];

static const kl_crc32c_variant *find_variant(const char *name)
{
    const kl_crc32c_variant *v;
    for (size_t i = 0; (v = kl_crc32c_variant_at(i)) != NULL; i++) {
        if (strcmp(v->name, name) == 0)
            return v->usable() ? v : NULL;
    }
    return NULL;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

/* One chain: every step waits for the one before. */
__attribute__((target("sse4.2"))) static uint32_t one_chain(uint32_t crc, const uint8_t *p,
                                                            size_t len)
{
    uint64_t c = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t q;
        memcpy(&q, p, sizeof(q));
        c = _mm_crc32_u64(c, q);
    }
    uint32_t end = (uint32_t)c;
    for (; len; p++, len--)
        end = _mm_crc32_u8(end, *p);
    return ~end;
}

static void run_chain(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    uint32_t crc = 0;
    while (iterations--)
        crc = (uint32_t)bench_use(one_chain(crc, bytes, w->len));
}
#else
#define run_chain NULL
#endif

static void run_chosen(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    uint32_t crc = 0;
    while (iterations--)
        crc = (uint32_t)bench_use(kl_crc32c(crc, bytes, w->len));
}

static void run_variant(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    const kl_crc32c_variant *v = find_variant(w->variant);
    uint32_t crc = 0;
    while (iterations--)
        crc = (uint32_t)bench_use(v->update(crc, bytes, w->len));
}

static void run_combine(void *ctx, uint64_t iterations)
{
    const uint64_t *len = ctx;
    uint32_t crc = 1;
    while (iterations--)
        crc = (uint32_t)bench_use(kl_crc32c_combine(crc, 0x12345678, *len));
}

static void run_combine_plain(void *ctx, uint64_t iterations)
{
    const uint64_t *len = ctx;
    const kl_crc32c_variant *v = find_variant("table");
    uint32_t crc = 1;
    while (iterations--)
        crc = (uint32_t)bench_use(v->combine(crc, 0x12345678, *len));
}

/* A batch gets a new header: the 40 bytes of it that count, joined to the payload's checksum. */
static void run_reseal(void *ctx, uint64_t iterations)
{
    const uint64_t *len = ctx;
    uint32_t crc = 1;
    while (iterations--) {
        bytes[0] = (uint8_t)crc;
        crc = (uint32_t)bench_use(kl_crc32c_combine(kl_crc32c(0, bytes, 40), 0x12345678, *len));
    }
}

static uint64_t payload = 1000000 - 61;
static uint64_t huge = 0x7654321076543210u; /* no digit is zero: the most there is to do */

#define WORK(len, variant) (&(struct work){len, variant})
#define CHAIN(name, len)                                                                           \
    {                                                                                              \
        "one chain, " name, run_chain, WORK(len, "sse42"), len                                     \
    }
#define CHOSEN(name, len)                                                                          \
    {                                                                                              \
        "kl_crc32c, " name, run_chosen, WORK(len, NULL), len                                       \
    }
#define VARIANT(variant, name, len)                                                                \
    {                                                                                              \
        variant ", " name, run_variant, WORK(len, variant), len                                    \
    }

static bench_case cases[] = {
    CHAIN("40 B", 40),
    CHOSEN("40 B", 40),
    CHAIN("100 B", 100),
    CHOSEN("100 B", 100),
    CHAIN("200 B", 200),
    CHOSEN("200 B", 200),
    CHAIN("1 KiB", KIB),
    CHOSEN("1 KiB", KIB),
    CHAIN("16 KiB", 16 * KIB),
    CHOSEN("16 KiB", 16 * KIB),
    CHAIN("64 KiB", 64 * KIB),
    CHOSEN("64 KiB", 64 * KIB),
    CHAIN("1 MiB", MIB),
    CHOSEN("1 MiB", MIB),
    VARIANT("vpclmul", "1 KiB", KIB),
    VARIANT("vpclmul", "64 KiB", 64 * KIB),
    VARIANT("pclmul", "1 KiB", KIB),
    VARIANT("pclmul", "64 KiB", 64 * KIB),
    VARIANT("sse42", "1 KiB", KIB),
    VARIANT("sse42", "64 KiB", 64 * KIB),
    VARIANT("table", "1 KiB", KIB),
    VARIANT("table", "64 KiB", 64 * KIB),
    {"combine, 1 MB", run_combine, &payload, 0},
    {"combine, huge", run_combine, &huge, 0},
    {"combine in plain C, huge", run_combine_plain, &huge, 0},
    {"new header, 1 MB", run_reseal, &payload, 0},
};

static const bench_ratio ratios[] = {
    {.label = "64 KiB: times as fast as one chain",
     .of = "one chain, 64 KiB",
     .by = "kl_crc32c, 64 KiB",
     .at_least = 2.7},
    {.label = "1 KiB: times as fast as one chain",
     .of = "one chain, 1 KiB",
     .by = "kl_crc32c, 1 KiB",
     .at_least = 1.5},
    {.label = "200 B: times as fast as one chain",
     .of = "one chain, 200 B",
     .by = "kl_crc32c, 200 B"},
    {.label = "40 B: times as fast as one chain", .of = "one chain, 40 B", .by = "kl_crc32c, 40 B"},
    {.label = "64 KiB, pclmul: times as fast as one chain",
     .of = "one chain, 64 KiB",
     .by = "pclmul, 64 KiB"},
    {.label = "64 KiB, sse42: times as fast as one chain",
     .of = "one chain, 64 KiB",
     .by = "sse42, 64 KiB"},
    {.label = "combine, 1 MB", .of = "combine, 1 MB", .at_most = 200},
    {.label = "combine, huge", .of = "combine, huge", .at_most = 200},
    {.label = "combine in plain C, huge", .of = "combine in plain C, huge", .at_most = 200},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* Both the variants and the plain loop need what their variant needs. */
        if (cases[i].run != run_variant && cases[i].run != run_chain)
            continue;
        const struct work *w = cases[i].ctx;
        if (!find_variant(w->variant))
            cases[i].run = NULL;
    }
    return bench_main("crc", argc, argv, cases, COUNT(cases), ratios, COUNT(ratios));
}
