/* SPDX-License-Identifier: BSD-2-Clause */
/* See codec_trial.h. */
#include "fuzz/codec_trial.h"

#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define CUTS_MAX    16
#define FLAG_PACK   1
#define FLAG_MEND   2
#define FLAG_LONGER 0x1c /* all three: what is compressed is made longer than a block */

bool kl_codec_trial_same(const uint8_t *out, size_t made, kloop_slice content)
{
    if (!content.data)
        return made <= content.len;
    return made == content.len && (made == 0 || memcmp(out, content.data, made) == 0);
}

/* ---- Decompressing ---- */

typedef struct unpacked {
    kl_codec_status status;
    size_t fault_at;
    kl_buf out;
} unpacked;

static const char mark[] = "there already";

static void unpack(kl_decompressor *d, const kloop_slice *in, size_t count, size_t limit,
                   const kloop_allocator *alloc, unpacked *u)
{
    kl_buf_init(&u->out, alloc);
    KL_FUZZ_CHECK(kl_buf_append(&u->out, mark, sizeof mark));
    u->fault_at = 0;
    u->status = kl_decompress(d, in, count, limit, &u->out, &u->fault_at);
    KL_FUZZ_CHECK(!u->out.failed && u->out.limit == KL_BUF_NO_LIMIT);
    KL_FUZZ_CHECK(memcmp(u->out.data, mark, sizeof mark) == 0);
    KL_FUZZ_CHECK(u->out.len - sizeof mark <= (u->status == KL_CODEC_OK ? limit : 0));
    KL_FUZZ_CHECK(u->status != KL_CODEC_NO_MEMORY && u->status != KL_CODEC_LIBRARY &&
                  u->status != KL_CODEC_BAD_LEVEL);
}

static kloop_slice content_of(const unpacked *u)
{
    return (kloop_slice){u->out.data + sizeof mark, u->out.len - sizeof mark};
}

static bool same_slice(kloop_slice a, kloop_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* The limit is exact: what just fits goes through, one byte less does not. */
static void check_limit(kl_decompressor *d, kloop_slice packed, const unpacked *whole,
                        const kloop_allocator *alloc)
{
    unpacked u;
    size_t len = content_of(whole).len;
    unpack(d, &packed, 1, len, alloc, &u);
    KL_FUZZ_CHECK(u.status == KL_CODEC_OK && same_slice(content_of(&u), content_of(whole)));
    kl_buf_deinit(&u.out);
    if (len == 0)
        return;
    unpack(d, &packed, 1, len - 1, alloc, &u);
    KL_FUZZ_CHECK(u.status == KL_CODEC_TOO_LARGE);
    kl_buf_deinit(&u.out);
}

static void run_decompress(const kl_codec_trial *trial, kl_drawn *d, uint8_t how, uint32_t hash)
{
    size_t limit = (size_t)1 << kl_drawn_u8(d) % 20;
    kl_drawn cuts = *d;
    kl_drawn_bytes(d, CUTS_MAX);
    cuts.end = d->pos;
    kloop_slice rest = kl_drawn_rest(d);
    uint8_t *bytes = kl_fuzz_exact_copy(rest.data, rest.len);
    if (how & FLAG_MEND && trial->mend)
        trial->mend(bytes, rest.len);
    kloop_slice packed = {bytes, rest.len};
    kloop_slice slices[CUTS_MAX];
    size_t count = kl_drawn_cuts(&cuts, packed, slices, CUTS_MAX);

    kl_counted_memory memory;
    kl_counted_memory_init(&memory, 0);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kl_decompressor *decompressor;
    unpacked whole;
    unpacked cut;
    KL_FUZZ_CHECK(kl_decompressor_new(&decompressor, trial->id, &alloc) == KL_CODEC_OK);
    unpack(decompressor, &packed, 1, limit, &alloc, &whole);
    kl_fuzz_feature((uint32_t)trial->id << 8 | (uint32_t)whole.status);
    KL_FUZZ_CHECK(memory.peak_bytes <= trial->state_bytes + limit + 2 * packed.len);
    if (whole.status == KL_CODEC_OK) {
        kloop_slice content = content_of(&whole);
        /* In keeping with what went in and came out. */
        KL_FUZZ_CHECK(memory.peak_bytes <= trial->state_bytes + 10 * packed.len + 4 * content.len);
        KL_FUZZ_CHECK(trial->second_opinion(packed, content) != KL_OPINION_OTHER);
        if (hash % 4 == 0)
            check_limit(decompressor, packed, &whole, &alloc);
    } else {
        KL_FUZZ_CHECK(whole.fault_at <= packed.len);
        if (trial->strict && whole.status != KL_CODEC_TOO_LARGE)
            KL_FUZZ_CHECK(trial->second_opinion(packed, (kloop_slice){NULL, limit}) !=
                          KL_OPINION_SAME);
    }
    /* The same decompressor again, from slices. */
    unpack(decompressor, slices, count, limit, &alloc, &cut);
    KL_FUZZ_CHECK(cut.status == whole.status && same_slice(content_of(&cut), content_of(&whole)));
    KL_FUZZ_CHECK(cut.fault_at <= packed.len);
    kl_buf_deinit(&cut.out);
    kl_buf_deinit(&whole.out);
    kl_decompressor_del(decompressor);
    kl_counted_memory_end(&memory);
    free(bytes);
}

/* ---- Compressing ---- */

/* One stream behind what is in the chain; begin stands for how many bytes that is. */
static kl_codec_status pack(kl_compressor *c, const kloop_slice *slices, size_t count, size_t total,
                            kl_chain *out)
{
    kl_codec_status status = kl_compress_begin(c, total, out);
    for (size_t i = 0; i < count && status == KL_CODEC_OK; i++)
        status = kl_compress_some(c, &slices[i], 1);
    return status == KL_CODEC_OK ? kl_compress_end(c) : status;
}

static uint8_t *chain_bytes(const kl_chain *chain, size_t *len)
{
    *len = kl_chain_len(chain);
    uint8_t *bytes = kl_fuzz_exact_room(*len);
    kl_chain_copy(chain, bytes);
    return bytes;
}

static int32_t draw_level(kl_drawn *d, const kl_codec *codec, bool longer)
{
    uint8_t how = kl_drawn_u8(d);
    if (how == 0 || codec->level_min > codec->level_max)
        return KL_CODEC_LEVEL_DEFAULT;
    /* Thorough levels take a hundred times as long; zstd's even to begin. */
    bool slow = longer || codec->id == KL_CODEC_ZSTD;
    int32_t top = slow && how < 0xf0 ? 4 : codec->level_max;
    int32_t level = codec->level_min < 0 ? (how & 31) - 8 : how & 31;
    return level < codec->level_min ? codec->level_min : level > top ? top : level;
}

static void check_pack(const kl_codec_trial *trial, int32_t level, kloop_slice content,
                       const kloop_slice *slices, size_t count, size_t ahead, kl_pool *pool,
                       const kloop_allocator *alloc)
{
    kl_compressor *c;
    kl_chain whole;
    kl_chain cut;
    KL_FUZZ_CHECK(kl_compressor_new(&c, trial->id, level, alloc) == KL_CODEC_OK);
    kl_chain_init(&whole, pool);
    kl_chain_init(&cut, pool);
    KL_FUZZ_CHECK(pack(c, &content, 1, content.len, &whole) == KL_CODEC_OK);
    size_t len;
    uint8_t *packed = chain_bytes(&whole, &len);

    /* The same compressor again, other pieces, another place in its chain, after a stream that was
     * given up. */
    static const uint8_t filler[64];
    for (size_t left = ahead, n; left > 0; left -= n) {
        n = left < sizeof filler ? left : sizeof filler;
        KL_FUZZ_CHECK(kl_chain_append(&cut, filler, n));
    }
    KL_FUZZ_CHECK(kl_compress_begin(c, content.len, &cut) == KL_CODEC_OK);
    KL_FUZZ_CHECK(kl_compress_some(c, slices, count / 2) == KL_CODEC_OK);
    kl_compress_abort(c);
    KL_FUZZ_CHECK(kl_chain_len(&cut) == ahead);
    KL_FUZZ_CHECK(pack(c, slices, count, content.len, &cut) == KL_CODEC_OK);
    size_t cut_len;
    uint8_t *cut_packed = chain_bytes(&cut, &cut_len);
    KL_FUZZ_CHECK(cut_len == ahead + len && memcmp(cut_packed + ahead, packed, len) == 0);
    KL_FUZZ_CHECK(ahead == 0 || memcmp(cut_packed, filler, ahead < 64 ? ahead : 64) == 0);

    KL_FUZZ_CHECK(trial->second_opinion((kloop_slice){packed, len}, content) == KL_OPINION_SAME);
    kl_decompressor *d;
    unpacked u;
    kloop_slice in = {packed, len};
    KL_FUZZ_CHECK(kl_decompressor_new(&d, trial->id, alloc) == KL_CODEC_OK);
    unpack(d, &in, 1, content.len, alloc, &u);
    KL_FUZZ_CHECK(u.status == KL_CODEC_OK && same_slice(content_of(&u), content));
    kl_buf_deinit(&u.out);
    kl_decompressor_del(d);

    free(cut_packed);
    free(packed);
    kl_chain_clear(&cut);
    kl_chain_clear(&whole);
    kl_compressor_del(c);
}

/* The input again and again, with bytes of no pattern in between: a codec shall find something, but
 * not only that. */
static void fill(uint8_t *to, size_t len, kloop_slice rest)
{
    uint32_t noise = 1 + (uint32_t)rest.len;
    for (size_t at = 0; at < len;) {
        size_t n = len - at < rest.len ? len - at : rest.len;
        if (n > 0)
            memcpy(to + at, rest.data, n);
        at += n;
        for (size_t i = 0; i < 24 && at < len; i++, at++) {
            noise = noise * 1664525 + 1013904223;
            to[at] = (uint8_t)(noise >> 24);
        }
    }
}

static void run_compress(const kl_codec_trial *trial, kl_drawn *d, uint8_t how)
{
    bool longer = (how & FLAG_LONGER) == FLAG_LONGER;
    int32_t level = draw_level(d, kl_codec_by_id((int)trial->id), longer);
    size_t ahead = (size_t)kl_drawn_u8(d) * 3;
    kl_drawn cuts = *d;
    kl_drawn_bytes(d, CUTS_MAX);
    cuts.end = d->pos;
    kloop_slice rest = kl_drawn_rest(d);
    size_t len = longer && rest.len < trial->block_bytes
                     ? trial->block_bytes + trial->block_bytes / 4
                     : rest.len;
    uint8_t *bytes = kl_fuzz_exact_room(len);
    fill(bytes, len, rest);
    kloop_slice content = {bytes, len};
    kloop_slice slices[CUTS_MAX];
    size_t count = kl_drawn_cuts(&cuts, content, slices, CUTS_MAX);

    kl_counted_memory memory;
    kl_counted_memory_init(&memory, 0);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kl_pool pool;
    kl_pool_init(&pool, &alloc, 0);
    check_pack(trial, level, content, slices, count, ahead, &pool, &alloc);
    kl_pool_deinit(&pool);
    kl_counted_memory_end(&memory);
    free(bytes);
}

void kl_codec_trial_run(const kl_codec_trial *trial, const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    uint8_t how = kl_drawn_u8(&d);
    if (how & FLAG_PACK)
        run_compress(trial, &d, how);
    else
        run_decompress(trial, &d, how, kl_fuzz_hash(data, size));
}
