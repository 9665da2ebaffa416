/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples and round trips for the tests of the codecs. See codec_trip.h. */
#include "tests/support/codec_trip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

uint32_t kl_sample_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill_noise(uint32_t *state, uint8_t *dst, size_t len)
{
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)(kl_sample_next(state) >> 9);
}

static void fill_letters(uint32_t *state, uint32_t count, uint8_t *dst, size_t len)
{
    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)('a' + (kl_sample_next(state) >> 9) % count);
}

static void fill_records(uint32_t *state, uint8_t *dst, size_t len)
{
    static const char *const said[] = {"request completed", "cache miss", "retrying upstream call",
                                       "connection reset by peer"};
    uint64_t time_ms = 1700000000000;
    while (len > 0) {
        char line[160];
        /* One after the other: the order in which arguments are computed is the compiler's. */
        time_ms += kl_sample_next(state) % 40;
        unsigned user = kl_sample_next(state) % 3000;
        const char *what = said[kl_sample_next(state) % 4];
        unsigned took_ms = kl_sample_next(state) % 900;
        int n = snprintf(
            line, sizeof line,
            "{\"ts\":%llu,\"level\":\"INFO\",\"user\":\"u%05u\",\"msg\":\"%s\",\"ms\":%u}\n",
            (unsigned long long)time_ms, user, what, took_ms);
        size_t step = (size_t)n < len ? (size_t)n : len;
        memcpy(dst, line, step);
        dst += step;
        len -= step;
    }
}

static void fill_patches(uint32_t *state, uint8_t *dst, size_t len)
{
    while (len > 0) {
        size_t step = 1 + kl_sample_next(state) % 9000;
        if (step > len)
            step = len;
        kl_sample kind = (kl_sample)(kl_sample_next(state) % KL_SAMPLE_PATCHES);
        kl_sample_fill(kind, kl_sample_next(state), dst, step);
        dst += step;
        len -= step;
    }
}

void kl_sample_fill(kl_sample sample, uint32_t seed, uint8_t *dst, size_t len)
{
    uint32_t state = seed;
    switch (sample) {
    case KL_SAMPLE_ZEROES:
        if (len > 0)
            memset(dst, 0, len);
        break;
    case KL_SAMPLE_RECORDS:
        fill_records(&state, dst, len);
        break;
    case KL_SAMPLE_NOISE:
        fill_noise(&state, dst, len);
        break;
    case KL_SAMPLE_PERIOD:
        fill_noise(&state, dst, len < 1009 ? len : 1009);
        for (size_t i = 1009; i < len; i++)
            dst[i] = dst[i - 1009];
        break;
    case KL_SAMPLE_TWO_LETTERS:
        fill_letters(&state, 2, dst, len);
        break;
    case KL_SAMPLE_FOUR_LETTERS:
        fill_letters(&state, 4, dst, len);
        break;
    case KL_SAMPLE_PATCHES:
        fill_patches(&state, dst, len);
        break;
    }
}

uint8_t *kl_sample_new(kl_sample sample, size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    kl_sample_fill(sample, 4711, bytes, len);
    return bytes;
}

void kl_codec_pack(kl_codec_id id, int32_t level, const void *data, size_t len, kl_buf *out)
{
    kl_pool pool;
    kl_pool_init(&pool, &kl_mem_libc, 0);
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    kl_compressor *c;
    kloop_slice in = {data, len};
    assert_int_equal(kl_compressor_new(&c, id, level, &kl_mem_libc), KL_CODEC_OK);
    assert_int_equal(kl_compress_begin(c, len, &chain), KL_CODEC_OK);
    assert_int_equal(kl_compress_some(c, &in, 1), KL_CODEC_OK);
    assert_int_equal(kl_compress_end(c), KL_CODEC_OK);
    kl_compressor_del(c);
    size_t n = kl_chain_len(&chain);
    uint8_t *to = kl_buf_reserve(out, n, NULL);
    assert_non_null(to);
    kl_chain_copy(&chain, to);
    kl_buf_commit(out, n);
    kl_chain_clear(&chain);
    kl_pool_deinit(&pool);
}

kl_codec_status kl_codec_unpack(kl_codec_id id, const void *bytes, size_t len, size_t limit,
                                kl_buf *out, size_t *fault_at)
{
    kl_decompressor *d;
    kloop_slice in = {bytes, len};
    assert_int_equal(kl_decompressor_new(&d, id, &kl_mem_libc), KL_CODEC_OK);
    kl_codec_status status = kl_decompress(d, &in, 1, limit, out, fault_at);
    kl_decompressor_del(d);
    return status;
}

void kl_codec_expect_at(kl_codec_id id, const void *bytes, size_t len, const void *data,
                        size_t data_len, const char *file, int line)
{
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    size_t fault_at = 0;
    kl_codec_status status = kl_codec_unpack(id, bytes, len, data_len, &out, &fault_at);
    bool same = status == KL_CODEC_OK && out.len == data_len &&
                (data_len == 0 || memcmp(out.data, data, data_len) == 0);
    if (!same)
        print_error("%s: %s at %zu, %zu bytes came out of %zu, %zu expected\n",
                    kl_codec_by_id((int)id)->name, kl_codec_status_text(status), fault_at, out.len,
                    len, data_len);
    kl_buf_deinit(&out);
    if (!same)
        _fail(file, line);
}

void kl_codec_refuse_at(kl_codec_id id, const void *bytes, size_t len, size_t limit,
                        kl_codec_status status, const char *file, int line)
{
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    size_t fault_at = SIZE_MAX;
    kl_codec_status answer = kl_codec_unpack(id, bytes, len, limit, &out, &fault_at);
    bool as_asked = answer == status && out.len == 0 && !out.failed && fault_at <= len;
    if (!as_asked)
        print_error("%s: \"%s\" and not \"%s\", at %zu of %zu, %zu bytes came out\n",
                    kl_codec_by_id((int)id)->name, kl_codec_status_text(answer),
                    kl_codec_status_text(status), fault_at, len, out.len);
    kl_buf_deinit(&out);
    if (!as_asked)
        _fail(file, line);
}
