/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: bombs stop at the limit, every allocation may fail, and a codec in steady use makes none.
 */
#include "tests/support/codec_trip.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static bool pack_with(const kloop_allocator *alloc, int id, const uint8_t *data, size_t len,
                      kl_chain *chain)
{
    kl_compressor *c;
    if (kl_compressor_new(&c, (kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, alloc) != KL_CODEC_OK) {
        assert_null(c);
        return false;
    }
    const size_t before = kl_chain_len(chain);
    bool ok = false;
    kloop_slice halves[2] = {{data, len / 2}, {data + len / 2, len - len / 2}};
    if (kl_compress_begin(c, len, chain) == KL_CODEC_OK &&
        kl_compress_some(c, &halves[0], 1) == KL_CODEC_OK &&
        kl_compress_some(c, &halves[1], 1) == KL_CODEC_OK && kl_compress_end(c) == KL_CODEC_OK)
        ok = true;
    if (!ok) {
        assert_int_equal(kl_chain_len(chain), before);
        /* Only one call was refused, and the compressor is as good as new. */
        assert_int_equal(kl_compress_begin(c, len, chain), KL_CODEC_OK);
        assert_int_equal(kl_compress_some(c, halves, 2), KL_CODEC_OK);
        assert_int_equal(kl_compress_end(c), KL_CODEC_OK);
    }
    kl_compressor_del(c);
    return ok;
}

static void each_allocation_may_fail_in_compression(void **state)
{
    (void)state;
    const size_t len = 150000;
    uint8_t *data = kl_sample_new(KL_SAMPLE_PATCHES, len);
    FOR_EACH_CODEC(id)
    {
        kl_buf good;
        kl_buf_init(&good, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, len, &good);
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, 0);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kl_pool pool;
            kl_pool_init(&pool, &alloc, 0);
            kl_chain chain;
            kl_chain_init(&chain, &pool);
            assert_true(kl_chain_append(&chain, "head", 4));
            f.nth = f.calls + nth;
            bool ok = pack_with(&alloc, id, data, len, &chain);
            uint8_t *all = malloc(4 + good.len);
            assert_non_null(all);
            if (kl_chain_len(&chain) > 4) {
                assert_int_equal(kl_chain_len(&chain), 4 + good.len);
                kl_chain_copy(&chain, all);
                assert_memory_equal(all, "head", 4);
                assert_memory_equal(all + 4, good.data, good.len);
            } else {
                assert_false(ok);
            }
            free(all);
            kl_chain_clear(&chain);
            kl_pool_deinit(&pool);
            kl_fail_alloc_check(&f);
            assert_int_equal(ok, f.refused == 0);
            if (ok)
                break;
        }
        kl_buf_deinit(&good);
    }
    free(data);
}

static void each_allocation_may_fail_in_decompression(void **state)
{
    (void)state;
    const size_t len = 150000;
    uint8_t *data = kl_sample_new(KL_SAMPLE_PERIOD, len);
    FOR_EACH_CODEC(id)
    {
        kl_buf packed;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, len, &packed);
        /* In two slices, so that blocks have to be gathered. */
        kloop_slice in[2] = {{packed.data, packed.len / 2},
                             {packed.data + packed.len / 2, packed.len - packed.len / 2}};
        for (size_t nth = 1;; nth++) {
            kl_fail_alloc f;
            kl_fail_alloc_init(&f, nth);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kl_decompressor *d;
            kl_buf out;
            kl_buf_init(&out, &alloc);
            kl_codec_status status = kl_decompressor_new(&d, (kl_codec_id)id, &alloc);
            if (status == KL_CODEC_OK) {
                status = kl_decompress(d, in, 2, MIB, &out, NULL);
                if (status != KL_CODEC_OK) {
                    assert_int_equal(out.len, 0);
                    assert_false(out.failed);
                    assert_int_equal(kl_decompress(d, in, 2, MIB, &out, NULL), KL_CODEC_OK);
                }
                assert_int_equal(out.len, len);
                assert_memory_equal(out.data, data, len);
            } else {
                assert_null(d);
            }
            kl_decompressor_del(d);
            kl_buf_deinit(&out);
            kl_fail_alloc_check(&f);
            assert_int_equal(status, f.refused ? KL_CODEC_NO_MEMORY : KL_CODEC_OK);
            if (f.refused == 0)
                break;
        }
        kl_buf_deinit(&packed);
    }
    free(data);
}

static void a_steady_producer_allocates_nothing(void **state)
{
    (void)state;
    const size_t len = 200000;
    uint8_t *data = kl_sample_new(KL_SAMPLE_RECORDS, len);
    FOR_EACH_CODEC(id)
    {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_pool pool;
        kl_pool_init(&pool, &alloc, MIB); /* keeps all segments that come back */
        kl_compressor *c;
        assert_int_equal(kl_compressor_new(&c, (kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, &alloc),
                         KL_CODEC_OK);
        size_t calls = 0;
        for (size_t batch = 0; batch < 20; batch++) {
            kl_chain chain;
            kl_chain_init(&chain, &pool);
            /* The first is the largest; the others differ. */
            kloop_slice in = {data, len - 9000 * batch};
            assert_int_equal(kl_compress_begin(c, in.len, &chain), KL_CODEC_OK);
            assert_int_equal(kl_compress_some(c, &in, 1), KL_CODEC_OK);
            assert_int_equal(kl_compress_end(c), KL_CODEC_OK);
            kl_chain_clear(&chain);
            if (batch == 0)
                calls = f.calls;
        }
        assert_int_equal(f.calls, calls);
        kl_compressor_del(c);
        kl_pool_deinit(&pool);
        kl_fail_alloc_check(&f);
    }
    free(data);
}

/* A few KB that unfold to 50 MiB: the memory that is ever held stays near the limit. */
static void a_bomb_stops_at_the_limit(void **state)
{
    (void)state;
    const size_t len = 50 * MIB;
    uint8_t *data = calloc(len, 1);
    assert_non_null(data);
    FOR_EACH_CODEC(id)
    {
        kl_buf bomb;
        kl_buf_init(&bomb, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, len, &bomb);
        kloop_slice in = {bomb.data, bomb.len};
        for (size_t limit = 0; limit <= 4 * MIB; limit = limit ? limit * 8 : 1000) {
            kl_fail_alloc f;
            kl_fail_alloc of_out;
            kl_fail_alloc_init(&f, 0);
            kl_fail_alloc_init(&of_out, 0);
            kloop_allocator alloc = kl_fail_alloc_table(&f);
            kloop_allocator out_alloc = kl_fail_alloc_table(&of_out);
            kl_decompressor *d;
            kl_buf out;
            kl_buf_init(&out, &out_alloc);
            assert_int_equal(kl_decompressor_new(&d, (kl_codec_id)id, &alloc), KL_CODEC_OK);
            assert_int_equal(kl_decompress(d, &in, 1, limit, &out, NULL), KL_CODEC_TOO_LARGE);
            assert_true(of_out.peak_bytes <= limit);
            /* The largest context is zstd's: 160 KiB, and a block of 128 KiB. */
            assert_true(f.peak_bytes <= 320 * KIB);
            kl_decompressor_del(d);
            kl_buf_deinit(&out);
            kl_fail_alloc_check(&f);
            kl_fail_alloc_check(&of_out);
        }
        kl_codec_expect((kl_codec_id)id, bomb.data, bomb.len, data, len);
        kl_buf_deinit(&bomb);
    }
    free(data);
}

/* With all the room in the world, memory is in keeping with what goes in and comes out. */
static void memory_follows_the_bytes(void **state)
{
    (void)state;
    for (size_t len = 100; len <= 1000000; len *= 10) {
        for (int kind = 0; kind < KL_SAMPLE_COUNT; kind++) {
            uint8_t *data = kl_sample_new((kl_sample)kind, len);
            FOR_EACH_CODEC(id)
            {
                kl_buf packed;
                kl_buf_init(&packed, &kl_mem_libc);
                kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, len, &packed);
                kl_fail_alloc f;
                kl_fail_alloc_init(&f, 0);
                kloop_allocator alloc = kl_fail_alloc_table(&f);
                kl_decompressor *d;
                kl_buf out;
                kl_buf_init(&out, &alloc);
                kloop_slice in = {packed.data, packed.len};
                assert_int_equal(kl_decompressor_new(&d, (kl_codec_id)id, &alloc), KL_CODEC_OK);
                assert_int_equal(kl_decompress(d, &in, 1, SIZE_MAX, &out, NULL), KL_CODEC_OK);
                assert_true(out.cap <= 4 * len + 8 * packed.len + 512);
                assert_true(f.peak_bytes <= out.cap + 320 * KIB);
                kl_decompressor_del(d);
                kl_buf_deinit(&out);
                kl_fail_alloc_check(&f);
                kl_buf_deinit(&packed);
            }
            free(data);
        }
    }
}

/* What begin would get at once is there already, whatever the level and the size; and without
 * memory it goes on later. */
static void memory_is_got_beforehand(void **state)
{
    (void)state;
    static const size_t lens[] = {300000, 1000, 1000000, 1000, 1000000, 2000000, 1000, 1000000};
    for (int32_t level = 1; level <= 12; level++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_pool pool;
        kl_pool_init(&pool, &alloc, 0);
        kl_chain chain;
        kl_chain_init(&chain, &pool);
        kl_compressor *c;
        assert_int_equal(kl_compressor_new(&c, KL_CODEC_ZSTD, level, &alloc), KL_CODEC_OK);
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            bool done = false;
            f.nth = f.calls + 1;
            kl_codec_status status = kl_compressor_prepare(c, lens[i], &done);
            assert_true(status == KL_CODEC_OK || status == KL_CODEC_NO_MEMORY);
            f.nth = 0;
            int steps = 0;
            while (!done) {
                assert_int_equal(kl_compressor_prepare(c, lens[i], &done), KL_CODEC_OK);
                assert_true(++steps < 1000);
            }
            f.largest_bytes = 0;
            assert_int_equal(kl_compress_begin(c, lens[i], &chain), KL_CODEC_OK);
            if (f.largest_bytes >= 512 * 1024)
                fail_msg("level %d, %zu bytes: %zu at once", (int)level, lens[i], f.largest_bytes);
            kl_compress_abort(c);
            /* Many small ones in a row make libzstd give its block back. */
            for (int n = 0; lens[i] == 1000 && n < 300; n++) {
                assert_int_equal(kl_compress_begin(c, lens[i], &chain), KL_CODEC_OK);
                kl_compress_abort(c);
            }
            /* Once it is there nothing more is to be got. */
            done = false;
            size_t calls = f.calls;
            assert_int_equal(kl_compressor_prepare(c, lens[i], &done), KL_CODEC_OK);
            assert_true(done);
            assert_int_equal(f.calls, calls);
        }
        kl_compressor_del(c);
        kl_chain_clear(&chain);
        kl_pool_deinit(&pool);
        kl_fail_alloc_check(&f);
    }
    /* Others need no such thing, and one that is given up in the middle gives all back. */
    FOR_EACH_CODEC(id)
    {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_compressor *c;
        assert_int_equal(kl_compressor_new(&c, (kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, &alloc),
                         KL_CODEC_OK);
        bool done = false;
        assert_int_equal(kl_compressor_prepare(c, 1000000, &done), KL_CODEC_OK);
        assert_int_equal(done, id != KL_CODEC_ZSTD);
        kl_compressor_del(c);
        kl_fail_alloc_check(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(memory_follows_the_bytes),
        cmocka_unit_test(memory_is_got_beforehand),
        cmocka_unit_test(each_allocation_may_fail_in_compression),
        cmocka_unit_test(each_allocation_may_fail_in_decompression),
        cmocka_unit_test(a_steady_producer_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
