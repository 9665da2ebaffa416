/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codecs at their default levels: batches of one step and of 1 MiB, there and back, log records
 * and noise; beside them the libraries given the same batch in one call, which shows what steps,
 * segments and flushes cost.
 */
#include "bench/bench.h"
#include "codecs/codec.h"

#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define STEP       KL_CODEC_STEP_BYTES
#define MIB        (1024u * 1024u)
#define IDLE_BYTES (8u * MIB)

static uint8_t records[MIB];
static uint8_t noise[MIB];
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
    for (size_t at = 0; at < w->len; at += STEP) {
        kloop_slice step = {w->data + at, w->len - at < STEP ? w->len - at : STEP};
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
    BOTH(name " 16 KiB", codec, records, STEP), BOTH(name " 1 MiB", codec, records, MIB),          \
        BOTH(name " 16 KiB", codec, noise, STEP), BOTH(name " 1 MiB", codec, noise, MIB)

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

int main(int argc, char **argv)
{
    fill_records();
    kl_pool_init(&pool, &kl_mem_libc, IDLE_BYTES);
    for (size_t i = 0; i < COUNT(cases); i++)
        prepare(&cases[i]);
    return bench_main("codec", argc, argv, cases, COUNT(cases), ratios, COUNT(ratios));
}
