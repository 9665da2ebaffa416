/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of codecs, and what each one must do with good input: round trips, one output for one
 * input whatever the cut, contexts that serve again. What they must do with bad input and little
 * memory is in test_codec_faults.c and test_codec_memory.c; what only one format has in
 * test_gzip_member.c, test_lz4_frame.c, test_xerial.c and test_zstd_frame.c.
 */
#include "tests/support/codec_trip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- the table --- */

static void table_is_kafkas(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, "gzip", "snappy", "lz4", "zstd"};
    assert_null(kl_codec_by_id(KL_CODEC_NONE));
    assert_null(kl_codec_by_id(-1));
    assert_null(kl_codec_by_id(KL_CODEC_COUNT));
    assert_null(kl_codec_by_id(7));
    FOR_EACH_CODEC(id)
    {
        const kl_codec *codec = kl_codec_by_id(id);
        assert_non_null(codec);
        assert_int_equal(codec->id, id);
        assert_string_equal(codec->name, names[id]);
        assert_ptr_equal(kl_codec_by_name(codec->name, strlen(codec->name)), codec);
    }
    assert_null(kl_codec_by_name("none", 4));
    assert_null(kl_codec_by_name("gzi", 3));
    assert_null(kl_codec_by_name("gzip ", 5));
    assert_null(kl_codec_by_name("", 0));
}

static void levels_are_kafkas(void **state)
{
    (void)state;
    static const struct {
        int id;
        int32_t level;
        bool good;
    } cases[] = {
        {KL_CODEC_GZIP, -1, true},      {KL_CODEC_GZIP, 0, false},
        {KL_CODEC_GZIP, 1, true},       {KL_CODEC_GZIP, 9, true},
        {KL_CODEC_GZIP, 10, false},     {KL_CODEC_GZIP, -2, false},
        {KL_CODEC_LZ4, 0, false},       {KL_CODEC_LZ4, 1, true},
        {KL_CODEC_LZ4, 17, true},       {KL_CODEC_LZ4, 18, false},
        {KL_CODEC_LZ4, -1, false},      {KL_CODEC_ZSTD, -131073, false},
        {KL_CODEC_ZSTD, -131072, true}, {KL_CODEC_ZSTD, 0, true},
        {KL_CODEC_ZSTD, 22, true},      {KL_CODEC_ZSTD, 23, false},
        {KL_CODEC_SNAPPY, 0, false},    {KL_CODEC_SNAPPY, 1, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        kl_compressor *c;
        kl_codec_status status =
            kl_compressor_new(&c, (kl_codec_id)cases[i].id, cases[i].level, &kl_mem_libc);
        assert_int_equal(status, cases[i].good ? KL_CODEC_OK : KL_CODEC_BAD_LEVEL);
        if (cases[i].good)
            assert_int_equal(kl_compressor_codec(c)->id, cases[i].id);
        else
            assert_null(c);
        kl_compressor_del(c);
    }
    FOR_EACH_CODEC(id)
    {
        kl_compressor *c;
        assert_true(kl_codec_has_level(kl_codec_by_id(id), KL_CODEC_LEVEL_DEFAULT));
        assert_int_equal(
            kl_compressor_new(&c, (kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, &kl_mem_libc),
            KL_CODEC_OK);
        kl_compressor_del(c);
    }
}

static void each_status_has_words(void **state)
{
    (void)state;
    for (int s = KL_CODEC_OK; s <= KL_CODEC_LIBRARY; s++) {
        assert_true(strlen(kl_codec_status_text((kl_codec_status)s)) > 5);
        for (int t = KL_CODEC_OK; t < s; t++)
            assert_string_not_equal(kl_codec_status_text((kl_codec_status)s),
                                    kl_codec_status_text((kl_codec_status)t));
    }
    assert_non_null(kl_codec_status_text((kl_codec_status)99));
}

/* --- round trips --- */

/* One pool, one chain, one compressor and one decompressor, all of one codec. */
typedef struct kit {
    kl_pool pool;
    kl_chain chain;
    kl_compressor *c;
    kl_decompressor *d;
    kl_buf packed;
    kl_buf plain;
} kit;

static void set_up(kit *t, int id, int32_t level)
{
    kl_pool_init(&t->pool, &kl_mem_libc, MIB);
    kl_chain_init(&t->chain, &t->pool);
    kl_buf_init(&t->packed, &kl_mem_libc);
    kl_buf_init(&t->plain, &kl_mem_libc);
    assert_int_equal(kl_compressor_new(&t->c, (kl_codec_id)id, level, &kl_mem_libc), KL_CODEC_OK);
    assert_int_equal(kl_decompressor_new(&t->d, (kl_codec_id)id, &kl_mem_libc), KL_CODEC_OK);
}

static void tear_down(kit *t)
{
    kl_compressor_del(t->c);
    kl_decompressor_del(t->d);
    kl_buf_deinit(&t->packed);
    kl_buf_deinit(&t->plain);
    kl_chain_clear(&t->chain);
    kl_pool_deinit(&t->pool);
}

/* A random cut of data into slices, empty ones among them. */
static size_t cut(const uint8_t *data, size_t len, uint32_t *seed, kloop_slice *slices, size_t max)
{
    size_t count = 0;
    while (len > 0 && count + 1 < max) {
        uint32_t r = kl_sample_next(seed);
        size_t n = r % 5 == 0 ? 0 : r % 5 == 1 ? 1 : (r >> 8) % 20000;
        if (n > len)
            n = len;
        slices[count++] = (kloop_slice){data, n};
        data += n;
        len -= n;
    }
    slices[count++] = (kloop_slice){data, len};
    return count;
}

/*
 * Compresses into t->chain behind what is there; the input comes as cut, in calls of random size.
 */
static void compress_cut(kit *t, const uint8_t *data, size_t len, uint32_t *seed)
{
    kloop_slice slices[64];
    size_t count = cut(data, len, seed, slices, COUNT(slices));
    assert_int_equal(kl_compress_begin(t->c, len, &t->chain), KL_CODEC_OK);
    for (size_t i = 0; i < count;) {
        size_t n = 1 + kl_sample_next(seed) % 3;
        if (n > count - i)
            n = count - i;
        assert_int_equal(kl_compress_some(t->c, slices + i, n), KL_CODEC_OK);
        i += n;
    }
    assert_int_equal(kl_compress_end(t->c), KL_CODEC_OK);
}

static void compress_whole(kit *t, const uint8_t *data, size_t len)
{
    kloop_slice in = {data, len};
    assert_int_equal(kl_compress_begin(t->c, len, &t->chain), KL_CODEC_OK);
    assert_int_equal(kl_compress_some(t->c, &in, 1), KL_CODEC_OK);
    assert_int_equal(kl_compress_end(t->c), KL_CODEC_OK);
}

static void keep_packed(kit *t)
{
    size_t n = kl_chain_len(&t->chain);
    kl_buf_reset(&t->packed);
    uint8_t *to = kl_buf_reserve(&t->packed, n, NULL);
    assert_non_null(to);
    kl_chain_copy(&t->chain, to);
    kl_buf_commit(&t->packed, n);
    kl_chain_clear(&t->chain);
}

/* The chain holds what keep_packed kept, and is cleared. */
static void expect_the_same(kit *t)
{
    uint8_t *again = malloc(t->packed.len + 1);
    assert_non_null(again);
    assert_int_equal(kl_chain_len(&t->chain), t->packed.len);
    kl_chain_copy(&t->chain, again);
    kl_chain_clear(&t->chain);
    assert_memory_equal(again, t->packed.data, t->packed.len);
    free(again);
}

static void there_and_back(kit *t, const uint8_t *data, size_t len, uint32_t *seed)
{
    compress_whole(t, data, len);
    keep_packed(t);

    /* What lies in the chain before decides where segments end; it must not show. */
    uint8_t before[5000];
    size_t skip = kl_sample_next(seed) % sizeof before;
    memset(before, 0x5a, sizeof before);
    assert_true(kl_chain_append(&t->chain, before, skip));
    compress_cut(t, data, len, seed);
    uint8_t *again = malloc(skip + t->packed.len + 1);
    assert_non_null(again);
    assert_int_equal(kl_chain_len(&t->chain), skip + t->packed.len);
    kl_chain_copy(&t->chain, again);
    kl_chain_clear(&t->chain);
    assert_memory_equal(again, before, skip);
    assert_memory_equal(again + skip, t->packed.data, t->packed.len);
    free(again);

    kloop_slice slices[64];
    size_t count = cut(t->packed.data, t->packed.len, seed, slices, COUNT(slices));
    kl_buf_reset(&t->plain);
    size_t fault_at = 0;
    assert_int_equal(kl_decompress(t->d, slices, count, len, &t->plain, &fault_at), KL_CODEC_OK);
    assert_int_equal(t->plain.len, len);
    if (len > 0)
        assert_memory_equal(t->plain.data, data, len);
}

/* Sizes around what the formats and our blocks of 16, 32 and 64 KiB turn on. */
static const size_t sizes[] = {0,     1,     2,     3,     5,      11,    12,    13,    15,
                               16,    17,    63,    64,    65,     255,   256,   257,   1000,
                               4096,  16383, 16384, 16385, 32767,  32768, 32769, 49152, 65535,
                               65536, 65537, 98304, 99999, 131072, 200000};

static void sizes_and_shapes_round_trip(void **state)
{
    (void)state;
    uint32_t seed = 1;
    FOR_EACH_CODEC(id)
    {
        kit t;
        set_up(&t, id, KL_CODEC_LEVEL_DEFAULT);
        for (int kind = 0; kind < KL_SAMPLE_COUNT; kind++) {
            uint8_t *data = kl_sample_new((kl_sample)kind, 200000);
            for (size_t i = 0; i < COUNT(sizes); i++)
                there_and_back(&t, data, sizes[i], &seed);
            free(data);
        }
        tear_down(&t);
    }
}

static void every_level_round_trips(void **state)
{
    (void)state;
    static const size_t few[] = {1, 100, 16384, 16385, 70000};
    uint32_t seed = 2;
    uint8_t *data = kl_sample_new(KL_SAMPLE_PATCHES, 70000);
    FOR_EACH_CODEC(id)
    {
        const kl_codec *codec = kl_codec_by_id(id);
        for (int32_t level = codec->level_min < -4 ? -4 : codec->level_min;
             level <= codec->level_max; level++) {
            kit t;
            set_up(&t, id, level);
            for (size_t i = 0; i < COUNT(few); i++)
                there_and_back(&t, data, few[i], &seed);
            tear_down(&t);
        }
    }
    kit t;
    set_up(&t, KL_CODEC_ZSTD, kl_codec_by_id(KL_CODEC_ZSTD)->level_min);
    there_and_back(&t, data, 70000, &seed);
    tear_down(&t);
    free(data);
}

static void byte_by_byte_gives_the_same(void **state)
{
    (void)state;
    const size_t len = 66000;
    uint8_t *data = kl_sample_new(KL_SAMPLE_RECORDS, len);
    FOR_EACH_CODEC(id)
    {
        kit t;
        set_up(&t, id, KL_CODEC_LEVEL_DEFAULT);
        compress_whole(&t, data, len);
        keep_packed(&t);
        assert_int_equal(kl_compress_begin(t.c, len, &t.chain), KL_CODEC_OK);
        for (size_t i = 0; i < len; i++) {
            kloop_slice one = {data + i, 1};
            assert_int_equal(kl_compress_some(t.c, &one, 1), KL_CODEC_OK);
        }
        assert_int_equal(kl_compress_end(t.c), KL_CODEC_OK);
        expect_the_same(&t);

        /* And read byte by byte. */
        kloop_slice *ones = calloc(t.packed.len, sizeof *ones);
        assert_non_null(ones);
        for (size_t i = 0; i < t.packed.len; i++)
            ones[i] = (kloop_slice){t.packed.data + i, 1};
        assert_int_equal(kl_decompress(t.d, ones, t.packed.len, len, &t.plain, NULL), KL_CODEC_OK);
        assert_int_equal(t.plain.len, len);
        assert_memory_equal(t.plain.data, data, len);
        free(ones);
        tear_down(&t);
    }
    free(data);
}

/* --- steps --- */

/*
 * What is dear gets small steps, for no caller can know which levels are; and a compressor given
 * just that answers the same bytes as one that is given all at once.
 */
static void steps_follow_the_level(void **state)
{
    (void)state;
    const size_t len = 40000;
    uint8_t *data = kl_sample_new(KL_SAMPLE_FOUR_LETTERS, len);
    FOR_EACH_CODEC(id)
    {
        const kl_codec *codec = kl_codec_by_id(id);
        size_t before = KL_CODEC_STEP_BYTES;
        for (int32_t level = codec->level_min < -4 ? -4 : codec->level_min;
             level <= codec->level_max; level++) {
            kit t;
            set_up(&t, id, level);
            const size_t most = kl_compressor_step_bytes(t.c);
            assert_true(most > 0 && most <= KL_CODEC_STEP_BYTES);
            if (id == KL_CODEC_GZIP) {
                assert_true(most <= before);
                before = most;
            } else {
                /* Less at once would help nothing: the work is done when a block is full. */
                assert_int_equal(most, KL_CODEC_STEP_BYTES);
            }
            compress_whole(&t, data, len);
            keep_packed(&t);
            assert_int_equal(kl_compress_begin(t.c, len, &t.chain), KL_CODEC_OK);
            for (size_t at = 0; at < len; at += most) {
                kloop_slice step = {data + at, len - at < most ? len - at : most};
                assert_int_equal(kl_compress_some(t.c, &step, 1), KL_CODEC_OK);
            }
            assert_int_equal(kl_compress_end(t.c), KL_CODEC_OK);
            expect_the_same(&t);
            tear_down(&t);
        }
    }
    kit t;
    set_up(&t, KL_CODEC_GZIP, 9);
    assert_int_equal(kl_compressor_step_bytes(t.c), KIB);
    tear_down(&t);
    set_up(&t, KL_CODEC_GZIP, KL_CODEC_LEVEL_DEFAULT);
    assert_int_equal(kl_compressor_step_bytes(t.c), 2 * KIB);
    tear_down(&t);
    free(data);
}

/* --- streams that end early, and contexts that go on --- */

static void a_given_up_stream_leaves_no_trace(void **state)
{
    (void)state;
    const size_t len = 150000;
    uint8_t *data = kl_sample_new(KL_SAMPLE_PATCHES, len);
    uint8_t *other = kl_sample_new(KL_SAMPLE_RECORDS, len);
    FOR_EACH_CODEC(id)
    {
        kit t;
        set_up(&t, id, KL_CODEC_LEVEL_DEFAULT);
        compress_whole(&t, data, len);
        keep_packed(&t);
        uint32_t seed = 9;
        for (size_t stop = 0; stop <= len; stop += 1 + kl_sample_next(&seed) % 20000) {
            /* Once left behind, once taken back. */
            kl_chain lost;
            kl_chain_init(&lost, &t.pool);
            kloop_slice some = {other, stop};
            assert_int_equal(kl_compress_begin(t.c, len, &lost), KL_CODEC_OK);
            assert_int_equal(kl_compress_some(t.c, &some, 1), KL_CODEC_OK);
            kl_chain_clear(&lost);

            assert_true(kl_chain_append(&t.chain, "xyz", 3));
            assert_int_equal(kl_compress_begin(t.c, len, &t.chain), KL_CODEC_OK);
            assert_int_equal(kl_compress_some(t.c, &some, 1), KL_CODEC_OK);
            kl_compress_abort(t.c);
            kl_compress_abort(t.c); /* nothing is open now */
            assert_int_equal(kl_chain_len(&t.chain), 3);
            kl_chain_clear(&t.chain);

            compress_whole(&t, data, len);
            expect_the_same(&t);
        }
        tear_down(&t);
    }
    free(data);
    free(other);
}

/* Each step brings a piece, and all of them the whole; what is over-long or given up in the midst
 * is as in one call. */
static void unfolding_in_steps(void **state)
{
    (void)state;
    const size_t len = MIB;
    static const kl_sample samples[] = {KL_SAMPLE_RECORDS, KL_SAMPLE_ZEROES};
    for (size_t s = 0; s < COUNT(samples); s++) {
        uint8_t *data = kl_sample_new(samples[s], len);
        FOR_EACH_CODEC(id)
        {
            kit t;
            set_up(&t, id, KL_CODEC_LEVEL_DEFAULT);
            compress_whole(&t, data, len);
            keep_packed(&t);
            const kloop_slice in = {t.packed.data, t.packed.len};
            assert_true(kl_buf_append(&t.plain, "before", 6));
            const size_t own_limit = t.plain.limit;
            kl_decompress_begin(t.d, &in, 1, len, &t.plain);
            size_t steps = 0;
            for (bool done = false; !done; steps++) {
                size_t had = t.plain.len;
                assert_int_equal(kl_decompress_some(t.d, &done), KL_CODEC_OK);
                /* zstd's blocks come into the light when their frame is whole. */
                assert_true(id == KL_CODEC_ZSTD || t.plain.len - had <= 65536);
            }
            assert_true(steps >= len / 65536);
            assert_int_equal(t.plain.len, 6 + len);
            assert_memory_equal(t.plain.data + 6, data, len);
            assert_int_equal(t.plain.limit, own_limit);

            /* Too long by one byte: nothing of it is left. */
            kl_decompress_begin(t.d, &in, 1, len - 1, &t.plain);
            kl_codec_status status;
            bool done;
            while ((status = kl_decompress_some(t.d, &done)) == KL_CODEC_OK)
                assert_false(done);
            assert_int_equal(status, KL_CODEC_TOO_LARGE);
            assert_int_equal(t.plain.len, 6 + len);
            assert_int_equal(t.plain.limit, own_limit);

            /* Given up in the midst, by the next stream. */
            kl_decompress_begin(t.d, &in, 1, len, &t.plain);
            for (int i = 0; i < 3; i++)
                assert_int_equal(kl_decompress_some(t.d, &done), KL_CODEC_OK);
            kl_buf_reset(&t.plain);
            assert_int_equal(kl_decompress(t.d, &in, 1, len, &t.plain, NULL), KL_CODEC_OK);
            assert_memory_equal(t.plain.data, data, len);
            tear_down(&t);
        }
        free(data);
    }
}

static void begin_writes_nothing(void **state)
{
    (void)state;
    FOR_EACH_CODEC(id)
    {
        kit t;
        set_up(&t, id, KL_CODEC_LEVEL_DEFAULT);
        assert_int_equal(kl_compress_begin(t.c, 100000, &t.chain), KL_CODEC_OK);
        assert_null(t.chain.first);
        tear_down(&t); /* with the stream open: not an error */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_kafkas),
        cmocka_unit_test(levels_are_kafkas),
        cmocka_unit_test(each_status_has_words),
        cmocka_unit_test(sizes_and_shapes_round_trip),
        cmocka_unit_test(every_level_round_trips),
        cmocka_unit_test(byte_by_byte_gives_the_same),
        cmocka_unit_test(steps_follow_the_level),
        cmocka_unit_test(a_given_up_stream_leaves_no_trace),
        cmocka_unit_test(unfolding_in_steps),
        cmocka_unit_test(begin_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
