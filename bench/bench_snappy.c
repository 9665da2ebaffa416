/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw snappy blocks: kloop's own code against Google's library, which only this program needs. Each
 * operation goes through 1 MiB, as one block or in the chunks of 32 KiB that Kafka's framing uses,
 * so that the processor cannot learn the data by heart. Both sides write to the same memory, and
 * both decompress what the library wrote.
 */
#include "bench/bench.h"

#include "base/check.h"
#include "codecs/snappy_raw.h"

#include <snappy-c.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KIB        1024u
#define MIB        (1024u * KIB)
#define CHUNKS_MAX (MIB / (32u * KIB))
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

/* Large moves between places whose low address bits are nearly the same can be ten times slower;
 * where the linker puts things must not decide about that. */
#define PAGE  4096
#define APART (PAGE / 2)

struct corpus {
    _Alignas(PAGE) uint8_t bytes[MIB];
    const char *name;
};

static struct corpus text = {.name = "text"};
static struct corpus noise = {.name = "noise"};

/* A corpus cut into blocks, and the blocks as the library compresses them. */
struct work {
    const struct corpus *corpus;
    size_t block_len;
    size_t ours_bytes;
    size_t theirs_bytes;
    size_t lens[CHUNKS_MAX];
    _Alignas(PAGE) uint8_t blocks[2 * MIB];
};

static struct work text_chunks = {.corpus = &text, .block_len = 32 * KIB};
static struct work text_whole = {.corpus = &text, .block_len = MIB};
static struct work noise_chunks = {.corpus = &noise, .block_len = 32 * KIB};
static struct work noise_whole = {.corpus = &noise, .block_len = MIB};

static _Alignas(PAGE) uint8_t pages[2 * MIB];
static uint8_t *const out = pages + APART;
static const size_t out_size = sizeof pages - APART;
static uint16_t table[KL_SNAPPY_TABLE_SIZE];

static void compress_ours(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    while (iterations--) {
        for (size_t at = 0; at < MIB; at += w->block_len)
            kl_snappy_compress_block(w->corpus->bytes + at, w->block_len, out, table);
        bench_keep(out);
    }
}

static void compress_theirs(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    while (iterations--) {
        for (size_t at = 0; at < MIB; at += w->block_len) {
            size_t n = out_size;
            KL_ASSERT(snappy_compress((const char *)w->corpus->bytes + at, w->block_len,
                                      (char *)out, &n) == SNAPPY_OK);
        }
        bench_keep(out);
    }
}

static void decompress_ours(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    while (iterations--) {
        const uint8_t *block = w->blocks;
        for (size_t i = 0; i < MIB / w->block_len; i++) {
            size_t n, fault_at;
            KL_ASSERT(kl_snappy_decompress_block(block, w->lens[i], out, w->block_len, &n,
                                                 &fault_at) == KL_SNAPPY_OK);
            block += w->lens[i];
        }
        bench_keep(out);
    }
}

static void decompress_theirs(void *ctx, uint64_t iterations)
{
    const struct work *w = ctx;
    while (iterations--) {
        const uint8_t *block = w->blocks;
        for (size_t i = 0; i < MIB / w->block_len; i++) {
            size_t n = w->block_len;
            KL_ASSERT(snappy_uncompress((const char *)block, w->lens[i], (char *)out, &n) ==
                      SNAPPY_OK);
            block += w->lens[i];
        }
        bench_keep(out);
    }
}

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Lines as services log them: a frame that repeats, words of which few are frequent, numbers. */
static void fill_text(uint8_t *to, size_t len)
{
    static char words[1024][12];
    uint32_t state = 1;
    for (size_t i = 0; i < COUNT(words); i++) {
        size_t n = 2 + next(&state) % 9;
        for (size_t k = 0; k < n; k++)
            words[i][k] =
                "etaoinshrdlucmfwypvbgkjqxz"[next(&state) % 26 * (next(&state) % 26) / 26];
    }
    size_t at = 0;
    while (at < len) {
        char line[256];
        int n = snprintf(
            line, sizeof line, "{\"ts\":17000%08u,\"host\":\"node-%u\",\"ms\":%u.%u,\"text\":\"",
            next(&state) % 100000000, next(&state) % 40, next(&state) % 90, next(&state) % 1000);
        size_t used = (size_t)n;
        for (uint32_t count = 4 + next(&state) % 12; count > 0; count--) {
            const char *word = words[(next(&state) & next(&state) & next(&state)) % COUNT(words)];
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", word,
                                     count > 1 ? " " : "\"}\n");
        }
        size_t part = used < len - at ? used : len - at;
        memcpy(to + at, line, part);
        at += part;
    }
}

static void fill_noise(uint8_t *to, size_t len)
{
    uint32_t state = 2;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(next(&state) >> 24);
}

static void prepare(struct work *w)
{
    uint8_t *block = w->blocks;
    for (size_t i = 0; i < MIB / w->block_len; i++) {
        const uint8_t *bytes = w->corpus->bytes + i * w->block_len;
        size_t n = snappy_max_compressed_length(w->block_len);
        KL_ASSERT(n <= sizeof w->blocks - (size_t)(block - w->blocks));
        KL_ASSERT(snappy_compress((const char *)bytes, w->block_len, (char *)block, &n) ==
                  SNAPPY_OK);
        block += n;
        w->lens[i] = n;
        w->theirs_bytes += n;
        w->ours_bytes += kl_snappy_compress_block(bytes, w->block_len, out, table);
    }
}

/* The harness compares times; sizes are compared here, in the same form. false: a target is missed.
 */
static bool print_size(const struct work *w, bool json)
{
    const double most = 1.03;
    double value = (double)w->ours_bytes / (double)w->theirs_bytes;
    const char *verdict = value <= most ? "ok" : "MISSED";
    char label[64];
    snprintf(label, sizeof label, "%s, %zu KiB: size against libsnappy's", w->corpus->name,
             w->block_len / KIB);
    if (json)
        printf(
            "{\"suite\":\"snappy\",\"ratio\":\"%s\",\"value\":%.3f,\"unit\":\"x\",\"at_least\":0,"
            "\"at_most\":%.3f,\"verdict\":\"%s\"}\n",
            label, value, most, verdict);
    else
        printf("%-44s %9.3f x   at most %.2f  %s  (%.3f of the input)\n", label, value, most,
               verdict, (double)w->ours_bytes / MIB);
    return value <= most;
}

#define CASE(name, way, side, work)                                                                \
    {                                                                                              \
        name ", " #way ", " #side, way##_##side, &work, MIB                                        \
    }
#define CASES(way, side)                                                                           \
    CASE("text, 32 KiB", way, side, text_chunks), CASE("noise, 32 KiB", way, side, noise_chunks),  \
        CASE("text, 1 MiB", way, side, text_whole), CASE("noise, 1 MiB", way, side, noise_whole)
#define RATIO(name, way, least)                                                                    \
    {                                                                                              \
        .label = name ", " way ": times as fast", .of = name ", " way ", theirs",                  \
        .by = name ", " way ", ours", .at_least = least                                            \
    }
#define RATIOS(name) RATIO(name, "compress", 0.9), RATIO(name, "decompress", 0.6)

/* No case follows one that works on the same memory: the caches are as cold for one side as for the
 * other. */
static const bench_case cases[] = {
    CASES(compress, ours),
    CASES(compress, theirs),
    CASES(decompress, ours),
    CASES(decompress, theirs),
};

static const bench_ratio ratios[] = {
    RATIOS("text, 32 KiB"),
    RATIOS("text, 1 MiB"),
    RATIOS("noise, 32 KiB"),
    RATIOS("noise, 1 MiB"),
};

int main(int argc, char **argv)
{
    struct work *const works[] = {&text_chunks, &text_whole, &noise_chunks, &noise_whole};
    fill_text(text.bytes, sizeof text.bytes);
    fill_noise(noise.bytes, sizeof noise.bytes);
    for (size_t i = 0; i < COUNT(works); i++)
        prepare(works[i]);

    bool json = false;
    bool whole = true;
    for (int i = 1; i < argc; i++) {
        json |= strcmp(argv[i], "--json") == 0;
        whole &= strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "--filter") != 0;
    }
    int end = bench_main("snappy", argc, argv, cases, COUNT(cases), ratios, COUNT(ratios));
    for (size_t i = 0; i < COUNT(works) && whole && end < 2; i++) {
        if (!print_size(works[i], json))
            end = 1;
    }
    return end;
}
