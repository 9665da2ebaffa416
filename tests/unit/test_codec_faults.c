/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every codec answers to input that is too long, cut off, changed, or none at all: an error,
 * nothing appended, nothing read beside the input, and a decompressor that goes on as before.
 */
#include "tests/support/codec_trip.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- limits --- */

static void the_limit_is_exact(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 100, 16384, 32768, 65536, 65537, 131072};
    for (int kind = 0; kind < KL_SAMPLE_COUNT; kind++) {
        uint8_t *data = kl_sample_new((kl_sample)kind, 131072);
        FOR_EACH_CODEC(id)
        {
            for (size_t i = 0; i < COUNT(lens); i++) {
                kl_buf packed;
                kl_buf_init(&packed, &kl_mem_libc);
                kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, lens[i], &packed);
                kl_codec_expect((kl_codec_id)id, packed.data, packed.len, data, lens[i]);
                for (size_t less = 1; less <= lens[i]; less *= 7)
                    kl_codec_refuse((kl_codec_id)id, packed.data, packed.len, lens[i] - less,
                                    KL_CODEC_TOO_LARGE);
                kl_buf_deinit(&packed);
            }
        }
        free(data);
    }
}

static void the_buffers_own_limit_holds(void **state)
{
    (void)state;
    uint8_t *data = kl_sample_new(KL_SAMPLE_RECORDS, 5000);
    FOR_EACH_CODEC(id)
    {
        kl_buf packed;
        kl_buf out;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_buf_init(&out, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, 5000, &packed);
        assert_true(kl_buf_append_str(&out, "ab"));
        kl_buf_set_limit(&out, 5001);
        assert_int_equal(
            kl_codec_unpack((kl_codec_id)id, packed.data, packed.len, SIZE_MAX, &out, NULL),
            KL_CODEC_TOO_LARGE);
        assert_int_equal(out.limit, 5001);
        kl_buf_set_limit(&out, 5002);
        assert_int_equal(
            kl_codec_unpack((kl_codec_id)id, packed.data, packed.len, SIZE_MAX, &out, NULL),
            KL_CODEC_OK);
        assert_int_equal(out.limit, 5002);
        assert_int_equal(out.len, 5002);

        /* A buffer that failed before is refused, and not repaired behind its owner's back. */
        assert_false(kl_buf_append_byte(&out, 'x'));
        size_t fault_at = 1;
        assert_int_equal(
            kl_codec_unpack((kl_codec_id)id, packed.data, packed.len, SIZE_MAX, &out, &fault_at),
            KL_CODEC_TOO_LARGE);
        assert_int_equal(fault_at, 0);
        assert_true(out.failed);
        kl_buf_deinit(&packed);
        kl_buf_deinit(&out);
    }
    free(data);
}

/* --- faults --- */

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    /* Below one snappy chunk: that stream may end after any chunk. */
    for (size_t len = 0; len <= 32768; len = len ? len * 32 : 32) {
        uint8_t *data = kl_sample_new(KL_SAMPLE_RECORDS, len);
        FOR_EACH_CODEC(id)
        {
            kl_buf packed;
            kl_buf_init(&packed, &kl_mem_libc);
            kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, len, &packed);
            for (size_t n = 0; n < packed.len; n++) {
                /* A snappy header alone is an empty stream. */
                if (id == KL_CODEC_SNAPPY && n == 16)
                    continue;
                kl_codec_refuse((kl_codec_id)id, packed.data, n, len, KL_CODEC_TRUNCATED);
            }
            kl_buf_deinit(&packed);
        }
        free(data);
    }
}

static void bytes_behind_the_end_are_corrupt(void **state)
{
    (void)state;
    uint8_t *data = kl_sample_new(KL_SAMPLE_RECORDS, 3000);
    FOR_EACH_CODEC(id)
    {
        kl_buf packed;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, 3000, &packed);
        assert_true(kl_buf_append(&packed, "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
        kl_codec_refuse((kl_codec_id)id, packed.data, packed.len, MIB, KL_CODEC_CORRUPT);
        kl_buf_deinit(&packed);
    }
    free(data);
}

/*
 * Whatever byte is changed, the answer is an error or at most limit bytes; and a checksum does what
 * it is for.
 */
static void flipped_bytes(void **state)
{
    (void)state;
    const size_t len = 2500;
    uint8_t *data = kl_sample_new(KL_SAMPLE_PATCHES, len);
    static const uint8_t masks[] = {0x01, 0x10, 0x80, 0xff};
    FOR_EACH_CODEC(id)
    {
        kl_buf packed;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, len, &packed);
        kl_decompressor *d;
        assert_int_equal(kl_decompressor_new(&d, (kl_codec_id)id, &kl_mem_libc), KL_CODEC_OK);
        for (size_t i = 0; i < packed.len; i++) {
            for (size_t m = 0; m < COUNT(masks); m++) {
                kl_buf out;
                kl_buf_init(&out, &kl_mem_libc);
                packed.data[i] ^= masks[m];
                kloop_slice in = {packed.data, packed.len};
                size_t fault_at = SIZE_MAX;
                kl_codec_status status = kl_decompress(d, &in, 1, 2 * len, &out, &fault_at);
                packed.data[i] ^= masks[m];
                if (status == KL_CODEC_OK) {
                    assert_true(out.len <= 2 * len);
                    /*
                     * gzip's CRC leaves out the header and a few bits of padding: the content is
                     * whole.
                     */
                    if (id == KL_CODEC_GZIP) {
                        assert_int_equal(out.len, len);
                        assert_memory_equal(out.data, data, len);
                    }
                    /*
                     * lz4: the header is guarded, and a block's length by what follows; its bit 31
                     * means "stored".
                     */
                    if (id == KL_CODEC_LZ4)
                        assert_true(i >= 11 || (i == 10 && masks[m] == 0x80));
                } else {
                    assert_int_equal(out.len, 0);
                    assert_true(fault_at <= packed.len);
                    assert_true(status == KL_CODEC_CORRUPT || status == KL_CODEC_TRUNCATED ||
                                status == KL_CODEC_TOO_LARGE);
                }
                kl_buf_deinit(&out);
            }
        }
        kl_decompressor_del(d);
        kl_buf_deinit(&packed);
    }
    free(data);
}

static void noise_is_refused(void **state)
{
    (void)state;
    uint8_t *noise = kl_sample_new(KL_SAMPLE_NOISE, 20000);
    noise[0] = 0xff; /* for raw snappy, a length that goes on */
    noise[1] = 0xff;
    FOR_EACH_CODEC(id)
    {
        for (size_t n = 4; n <= 20000; n = n * 3 / 2 + 1) {
            kl_buf out;
            kl_buf_init(&out, &kl_mem_libc);
            kl_codec_status status = kl_codec_unpack((kl_codec_id)id, noise, n, MIB, &out, NULL);
            assert_true(status == KL_CODEC_CORRUPT || status == KL_CODEC_TRUNCATED);
            kl_buf_deinit(&out);
        }
    }
    free(noise);
}

static void a_fault_does_not_spoil_the_decompressor(void **state)
{
    (void)state;
    uint8_t *data = kl_sample_new(KL_SAMPLE_RECORDS, 30000);
    FOR_EACH_CODEC(id)
    {
        kl_buf packed;
        kl_buf out;
        kl_decompressor *d;
        kl_buf_init(&packed, &kl_mem_libc);
        kl_buf_init(&out, &kl_mem_libc);
        kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT, data, 30000, &packed);
        assert_int_equal(kl_decompressor_new(&d, (kl_codec_id)id, &kl_mem_libc), KL_CODEC_OK);
        kloop_slice whole = {packed.data, packed.len};
        for (size_t n = 0; n < packed.len; n += 97) {
            kloop_slice part = {packed.data, n};
            assert_true(kl_buf_append_str(&out, "before"));
            assert_int_equal(kl_decompress(d, &part, 1, MIB, &out, NULL), KL_CODEC_TRUNCATED);
            assert_int_equal(out.len, 6);
            assert_int_equal(kl_decompress(d, &whole, 1, 29999, &out, NULL), KL_CODEC_TOO_LARGE);
            assert_int_equal(out.len, 6);
            assert_false(out.failed);
            assert_int_equal(out.limit, KL_BUF_NO_LIMIT);
            assert_int_equal(kl_decompress(d, &whole, 1, 30000, &out, NULL), KL_CODEC_OK);
            assert_int_equal(out.len, 30006);
            assert_memory_equal(out.data, "before", 6);
            assert_memory_equal(out.data + 6, data, 30000);
            kl_buf_reset(&out);
        }
        kl_decompressor_del(d);
        kl_buf_deinit(&packed);
        kl_buf_deinit(&out);
    }
    free(data);
}

/*
 * Input that ends, or begins, where the page does: nothing beside it is read, by us or by the
 * libraries.
 */
static void nothing_beside_the_input_is_read(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 13, 100, 4097, 16384, 16390, 33000, 66000};
    kl_guard g;
    kl_guard_init(&g, 80000);
    for (int kind = 0; kind < KL_SAMPLE_COUNT; kind++) {
        uint8_t *data = kl_sample_new((kl_sample)kind, 66000);
        FOR_EACH_CODEC(id)
        {
            for (size_t i = 0; i < COUNT(lens); i++) {
                kl_buf packed;
                kl_buf again;
                kl_buf_init(&packed, &kl_mem_libc);
                kl_buf_init(&again, &kl_mem_libc);
                const size_t n = lens[i];
                kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT,
                              kl_guard_copy_at_end(&g, data, n), n, &packed);
                kl_codec_pack((kl_codec_id)id, KL_CODEC_LEVEL_DEFAULT,
                              kl_guard_copy_at_begin(&g, data, n), n, &again);
                assert_int_equal(packed.len, again.len);
                assert_memory_equal(packed.data, again.data, packed.len);
                kl_codec_expect((kl_codec_id)id, kl_guard_copy_at_end(&g, packed.data, packed.len),
                                packed.len, data, n);
                kl_codec_expect((kl_codec_id)id,
                                kl_guard_copy_at_begin(&g, packed.data, packed.len), packed.len,
                                data, n);
                for (size_t less = 1; less < packed.len; less *= 3)
                    kl_codec_refuse((kl_codec_id)id,
                                    kl_guard_copy_at_end(&g, packed.data, packed.len - less),
                                    packed.len - less, n, KL_CODEC_TRUNCATED);
                kl_buf_deinit(&packed);
                kl_buf_deinit(&again);
            }
        }
        free(data);
    }
    kl_guard_deinit(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_does_not_spoil_the_decompressor),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(the_buffers_own_limit_holds),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(bytes_behind_the_end_are_corrupt),
        cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(nothing_beside_the_input_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
