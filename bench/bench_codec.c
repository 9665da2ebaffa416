/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codecs at their default levels: batches of 16 KiB and of 1 MiB, there and back, log records
 * and noise, and few letters at random, which are what a compressor likes least; beside them the
 * libraries given the same batch in one call, which shows what steps, segments and flushes cost.
 *
 * With --steps, alone: the dearest step of a batch of 1 MB, by codec, level and data, which is the
 * table in codecs/codec.h.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench/bench.h"
#include "codecs/codec.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#define SMALL      KL_CODEC_STEP_BYTES
#define MIB        (1024u * 1024u)
#define IDLE_BYTES (8u * MIB)

static uint8_t records[MIB];
static uint8_t noise[MIB];
static uint8_t two_letters[MIB];
static uint8_t four_letters[MIB];
static uint8_t sixteen_letters[MIB];
static uint8_t room[2 * MIB]; /* what a library alone writes to */
static kl_pool pool;

typedef struct work {
    kl_codec_id id;
    int32_t level;
    const uint8_t *data;
    size_t len;
    kl_compressor *c;
    kl_decompressor *d;
    kl_buf packed;
    kl_buf plain;
    void *peer; /* the library's own context */
} work;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void pack(work *w, kl_chain *chain)
{
    must(kl_compress_begin(w->c, w->len, chain) == KL_CODEC_OK);
    const size_t most = kl_compressor_step_bytes(w->c);
    for (size_t at = 0; at < w->len; at += most) {
        kloop_slice step = {w->data + at, w->len - at < most ? w->len - at : most};
        must(kl_compress_some(w->c, &step, 1) == KL_CODEC_OK);
    }
    must(kl_compress_end(w->c) == KL_CODEC_OK);
}

static void run_pack(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    while (iterations--) {
        kl_chain chain;
        kl_chain_init(&chain, &pool);
        pack(w, &chain);
        bench_keep(&chain);
        kl_chain_clear(&chain);
    }
}

static void run_unpack(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    kloop_slice in = kl_buf_slice(&w->packed);
    while (iterations--) {
        kl_buf_reset(&w->plain);
        must(kl_decompress(w->d, &in, 1, w->len, &w->plain, NULL) == KL_CODEC_OK);
        bench_keep(w->plain.data);
    }
}

/* --- the libraries alone --- */

static void run_zlib(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    z_stream *z = w->peer;
    while (iterations--) {
        must(deflateReset(z) == Z_OK);
        z->next_in = (Bytef *)(uintptr_t)w->data;
        z->avail_in = (uInt)w->len;
        z->next_out = room;
        z->avail_out = sizeof room;
        must(deflate(z, Z_FINISH) == Z_STREAM_END);
        bench_keep(room);
    }
}

static void run_lz4(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    while (iterations--) {
        size_t used = 0;
        for (size_t at = 0; at < w->len; at += 65536) {
            size_t n = w->len - at < 65536 ? w->len - at : 65536;
            int made = LZ4_compress_default((const char *)w->data + at, (char *)room + used, (int)n,
                                            (int)(sizeof room - used));
            must(made > 0);
            used += (size_t)made;
        }
        bench_keep(room);
    }
}

static void run_zstd(void *ctx, uint64_t iterations)
{
    work *w = ctx;
    while (iterations--) {
        must(!ZSTD_isError(ZSTD_compress2(w->peer, room, sizeof room, w->data, w->len)));
        bench_keep(room);
    }
}

/* --- the table --- */

#define WORK(codec, level, data, len)   (&(work){codec, level, data, len, NULL, NULL, {0}, {0}, NULL})
#define DEFAULT_LEVEL(codec, data, len) WORK(codec, KL_CODEC_LEVEL_DEFAULT, data, len)

/* Compressing, and back, of one kind of data in one size. */
#define BOTH(name, codec, data, len)                                                               \
    {"pack " name ", " #data, run_pack, DEFAULT_LEVEL(codec, data, len), len},                     \
    {                                                                                              \
        "unpack " name ", " #data, run_unpack, DEFAULT_LEVEL(codec, data, len), len                \
    }

#define CODEC(name, codec)                                                                         \
    BOTH(name " 16 KiB", codec, records, SMALL), BOTH(name " 1 MiB", codec, records, MIB),         \
        BOTH(name " 16 KiB", codec, noise, SMALL), BOTH(name " 1 MiB", codec, noise, MIB),         \
        BOTH(name " 1 MiB", codec, two_letters, MIB),                                              \
        BOTH(name " 1 MiB", codec, four_letters, MIB)

static bench_case cases[] = {
    CODEC("gzip", KL_CODEC_GZIP),
    CODEC("snappy", KL_CODEC_SNAPPY),
    CODEC("lz4", KL_CODEC_LZ4),
    CODEC("zstd", KL_CODEC_ZSTD),
    {"pack zstd 9 1 MiB, records", run_pack, WORK(KL_CODEC_ZSTD, 9, records, MIB), MIB},
    {"zlib alone 1 MiB, records", run_zlib, DEFAULT_LEVEL(KL_CODEC_GZIP, records, MIB), MIB},
    {"liblz4 alone 1 MiB, records", run_lz4, DEFAULT_LEVEL(KL_CODEC_LZ4, records, MIB), MIB},
    {"libzstd alone 1 MiB, records", run_zstd, WORK(KL_CODEC_ZSTD, 3, records, MIB), MIB},
    {"libzstd alone 9 1 MiB, records", run_zstd, WORK(KL_CODEC_ZSTD, 9, records, MIB), MIB},
};

static const bench_ratio ratios[] = {
    {.label = "gzip in steps against zlib alone",
     .of = "pack gzip 1 MiB, records",
     .by = "zlib alone 1 MiB, records",
     .at_most = 1.15},
    {.label = "lz4 in steps against liblz4 alone",
     .of = "pack lz4 1 MiB, records",
     .by = "liblz4 alone 1 MiB, records",
     .at_most = 1.25},
    {.label = "zstd in steps against libzstd alone",
     .of = "pack zstd 1 MiB, records",
     .by = "libzstd alone 1 MiB, records",
     .at_most = 1.25},
    {.label = "zstd 9 in steps against libzstd alone",
     .of = "pack zstd 9 1 MiB, records",
     .by = "libzstd alone 9 1 MiB, records",
     .at_most = 1.25},
    {.label = "snappy against lz4",
     .of = "pack snappy 1 MiB, records",
     .by = "pack lz4 1 MiB, records",
     .at_most = 2},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Log lines in JSON: what repeats is short and near, numbers go up or are random. */
static void fill_records(void)
{
    static const char *const said[] = {"request completed", "cache miss", "retrying upstream call",
                                       "connection reset by peer"};
    uint64_t state = 88172645463325252u;
    uint64_t time_ms = 1700000000000u;
    for (size_t at = 0; at < sizeof records;) {
        char line[160];
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        time_ms += state % 40;
        int n = snprintf(
            line, sizeof line,
            "{\"ts\":%llu,\"level\":\"INFO\",\"user\":\"u%05u\",\"msg\":\"%s\",\"ms\":%u}\n",
            (unsigned long long)time_ms, (unsigned)(state >> 8 & 4095), said[state >> 20 & 3],
            (unsigned)(state >> 32 & 1023));
        size_t len = sizeof records - at < (size_t)n ? sizeof records - at : (size_t)n;
        memcpy(records + at, line, len);
        at += len;
    }
    for (size_t i = 0; i < sizeof noise; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (uint8_t)(state >> 24);
        two_letters[i] = (uint8_t)('a' + (state >> 32) % 2);
        four_letters[i] = (uint8_t)('a' + (state >> 40) % 4);
        sixteen_letters[i] = (uint8_t)('a' + (state >> 48) % 16);
    }
}

static void prepare_peer(work *w)
{
    if (w->id == KL_CODEC_GZIP) {
        z_stream *z = calloc(1, sizeof *z);
        must(z && deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                               Z_DEFAULT_STRATEGY) == Z_OK);
        w->peer = z;
    } else if (w->id == KL_CODEC_ZSTD) {
        w->peer = ZSTD_createCCtx();
        must(w->peer &&
             !ZSTD_isError(ZSTD_CCtx_setParameter(w->peer, ZSTD_c_compressionLevel, w->level)));
    }
}

static void prepare(const bench_case *c)
{
    work *w = c->ctx;
    if (c->run != run_pack && c->run != run_unpack) {
        prepare_peer(w);
        return;
    }
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    kl_buf_init(&w->packed, &kl_mem_libc);
    kl_buf_init(&w->plain, &kl_mem_libc);
    must(kl_compressor_new(&w->c, w->id, w->level, &kl_mem_libc) == KL_CODEC_OK);
    must(kl_decompressor_new(&w->d, w->id, &kl_mem_libc) == KL_CODEC_OK);
    pack(w, &chain);
    uint8_t *to = kl_buf_reserve(&w->packed, kl_chain_len(&chain), NULL);
    must(to != NULL);
    kl_chain_copy(&chain, to);
    kl_buf_commit(&w->packed, kl_chain_len(&chain));
    kl_chain_clear(&chain);
}

/* --- the dearest step --- */

#define BATCH_BYTES 1000000u
#define ROUNDS      5

static double now_ms(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* Of each step the shortest of some rounds, and the longest of those; begin is no step. */
static void dearest_step(kl_compressor *c, const uint8_t *data, double *begin, double *dearest)
{
    enum { STEPS_MAX = BATCH_BYTES / 1024 + 1 };
    static double shortest[STEPS_MAX];
    const size_t most = kl_compressor_step_bytes(c);
    for (size_t i = 0; i < STEPS_MAX; i++)
        shortest[i] = 1e9;
    *begin = 1e9;
    double spent = 0;
    for (int round = 0; round < ROUNDS && spent < 1000; round++) {
        kl_chain chain;
        kl_chain_init(&chain, &pool);
        const double start = now_ms();
        must(kl_compress_begin(c, BATCH_BYTES, &chain) == KL_CODEC_OK);
        double last = now_ms();
        *begin = least(*begin, last - start);
        for (size_t i = 0; i * most < BATCH_BYTES; i++) {
            const size_t at = i * most;
            kloop_slice step = {data + at, BATCH_BYTES - at < most ? BATCH_BYTES - at : most};
            must(kl_compress_some(c, &step, 1) == KL_CODEC_OK);
            const double t = now_ms();
            shortest[i] = least(shortest[i], t - last);
            last = t;
        }
        must(kl_compress_end(c) == KL_CODEC_OK);
        kl_chain_clear(&chain);
        spent += last - start;
    }
    *dearest = 0;
    for (size_t i = 0; i * most < BATCH_BYTES; i++)
        if (shortest[i] > *dearest)
            *dearest = shortest[i];
}

static int print_steps(void)
{
    static const struct {
        kl_codec_id id;
        int32_t level;
    } rows[] = {
        {KL_CODEC_SNAPPY, KL_CODEC_LEVEL_DEFAULT},
        {KL_CODEC_LZ4, 9}, /* the fast one */
        {KL_CODEC_LZ4, 1},
        {KL_CODEC_LZ4, 4},
        {KL_CODEC_LZ4, 8},
        {KL_CODEC_LZ4, 10},
        {KL_CODEC_LZ4, 12},
        {KL_CODEC_GZIP, 1},
        {KL_CODEC_GZIP, 2},
        {KL_CODEC_GZIP, 3},
        {KL_CODEC_GZIP, 4},
        {KL_CODEC_GZIP, 5},
        {KL_CODEC_GZIP, 6},
        {KL_CODEC_GZIP, 7},
        {KL_CODEC_GZIP, 8},
        {KL_CODEC_GZIP, 9},
        {KL_CODEC_ZSTD, 1},
        {KL_CODEC_ZSTD, 3},
        {KL_CODEC_ZSTD, 6},
        {KL_CODEC_ZSTD, 9},
        {KL_CODEC_ZSTD, 12},
        {KL_CODEC_ZSTD, 15},
        {KL_CODEC_ZSTD, 19},
        {KL_CODEC_ZSTD, 22},
    };
    static const uint8_t *const data[] = {records, noise, sixteen_letters, four_letters,
                                          two_letters};
    static const char *const heads[] = {"codec", "bytes",    "begin",   "records",
                                        "noise", "16 lett.", "4 lett.", "2 lett."};
    printf("The dearest step, ms.\n\n%-12s %6s", heads[0], heads[1]);
    for (size_t k = 2; k < COUNT(heads); k++)
        printf(" %8s", heads[k]);
    printf("\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        kl_compressor *c;
        double begin_max = 0;
        must(kl_compressor_new(&c, rows[i].id, rows[i].level, &kl_mem_libc) == KL_CODEC_OK);
        if (rows[i].level == KL_CODEC_LEVEL_DEFAULT)
            printf("%-12s", kl_codec_by_id((int)rows[i].id)->name);
        else
            printf("%-8s %3d", kl_codec_by_id((int)rows[i].id)->name, (int)rows[i].level);
        double dearest[COUNT(data)];
        for (size_t k = 0; k < COUNT(data); k++) {
            double begin;
            dearest_step(c, data[k], &begin, &dearest[k]);
            if (begin > begin_max)
                begin_max = begin;
        }
        printf(" %6zu %8.2f", kl_compressor_step_bytes(c), begin_max);
        for (size_t k = 0; k < COUNT(data); k++)
            printf(" %8.2f", dearest[k]);
        printf("\n");
        fflush(stdout);
        kl_compressor_del(c);
    }
    return 0;
}

int main(int argc, char **argv)
{
    fill_records();
    kl_pool_init(&pool, &kl_mem_libc, IDLE_BYTES);
    if (argc == 2 && strcmp(argv[1], "--steps") == 0)
        return print_steps();
    for (size_t i = 0; i < COUNT(cases); i++)
        prepare(&cases[i]);
    return bench_main("codec", argc, argv, cases, COUNT(cases), ratios, COUNT(ratios));
}
