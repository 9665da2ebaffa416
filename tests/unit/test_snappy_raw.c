/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The raw snappy block against a slow and plain twin of the decompressor: what the compressor
 * writes, hand-made blocks of every form, and every way in which a block can be wrong. Inputs and
 * outputs lie right at closed pages.
 */
#include "codecs/snappy_raw.h"

#include "tests/support/guard.h"
#include "tests/support/snappy_samples.h"
#include "tests/support/snappy_twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANNOUNCED_MAX 400000u
#define HUGE_LITERAL  0x01000003u

static uint16_t table[KL_SNAPPY_TABLE_SIZE];
static kl_guard plain_at, packed_at, out_at;
static uint8_t *sample, *packed, *twin_out;

static int set_up(void **state)
{
    (void)state;
    kl_guard_init(&plain_at, ANNOUNCED_MAX);
    kl_guard_init(&packed_at, kl_snappy_bound(ANNOUNCED_MAX));
    kl_guard_init(&out_at, ANNOUNCED_MAX);
    sample = malloc(ANNOUNCED_MAX);
    packed = malloc(kl_snappy_bound(ANNOUNCED_MAX));
    twin_out = malloc(ANNOUNCED_MAX);
    return sample && packed && twin_out ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(sample);
    free(packed);
    free(twin_out);
    kl_guard_deinit(&plain_at);
    kl_guard_deinit(&packed_at);
    kl_guard_deinit(&out_at);
    return 0;
}

/* ---- blocks as read ---- */

/* The subject says what the twin says, with room for exactly cap bytes. */
static kl_snappy_twin_outcome check_block(const uint8_t *block, size_t len, size_t cap)
{
    kl_snappy_twin_outcome o = kl_snappy_twin(block, len, twin_out, cap);
    for (int end = 0; end < 2; end++) {
        const uint8_t *src = end ? kl_guard_copy_at_end(&packed_at, block, len)
                                 : kl_guard_copy_at_begin(&packed_at, block, len);
        uint8_t *dst = end ? kl_guard_at_end(&out_at, cap) : kl_guard_at_begin(&out_at, cap);
        size_t written = SIZE_MAX, fault_at = SIZE_MAX;
        kl_snappy_error error = kl_snappy_decompress_block(src, len, dst, cap, &written, &fault_at);
        assert_int_equal(error, o.error);
        assert_int_equal(written, o.written);
        assert_int_equal(fault_at, error ? o.fault_at : SIZE_MAX);
        if (written)
            assert_memory_equal(dst, twin_out, written);
    }
    return o;
}

static void expect(const uint8_t *block, size_t len, size_t cap, kl_snappy_error error,
                   size_t fault_at)
{
    kl_snappy_twin_outcome o = check_block(block, len, cap);
    if (o.error != error || (error && o.fault_at != fault_at))
        fail_msg("%s at %zu instead of %s at %zu", kl_snappy_error_text(o.error), o.fault_at,
                 kl_snappy_error_text(error), fault_at);
}

#define BLOCK(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* ---- blocks made by hand ---- */

typedef struct maker {
    uint8_t *p;
    size_t len;
} maker;

static maker begin(uint64_t announced)
{
    maker m = {packed, 0};
    for (; announced >= 128; announced /= 128)
        m.p[m.len++] = (uint8_t)(announced % 128 + 128);
    m.p[m.len++] = (uint8_t)announced;
    return m;
}

static void put_number(maker *m, uint64_t v, size_t size)
{
    for (; size > 0; size--, v /= 256)
        m->p[m->len++] = (uint8_t)v;
}

/* length_size 0: in the tag. */
static void put_literal(maker *m, const uint8_t *bytes, size_t n, size_t length_size)
{
    put_number(m, length_size == 0 ? (n - 1) * 4 : (59 + length_size) * 4, 1);
    put_number(m, n - 1, length_size);
    memcpy(m->p + m->len, bytes, n);
    m->len += n;
}

static void put_copy(maker *m, unsigned kind, size_t offset, size_t n)
{
    if (kind == 1) {
        put_number(m, 1 + (n - 4) * 4 + offset / 256 * 32, 1);
        put_number(m, offset, 1);
    } else {
        put_number(m, kind + (n - 1) * 4, 1);
        put_number(m, offset, kind == 2 ? 2 : 4);
    }
}

/* ---- the compressor ---- */

static size_t round_trip(const uint8_t *bytes, size_t len)
{
    size_t bound = kl_snappy_bound(len);
    size_t sizes[2];
    for (int end = 0; end < 2; end++) {
        const uint8_t *src = end ? kl_guard_copy_at_end(&plain_at, bytes, len)
                                 : kl_guard_copy_at_begin(&plain_at, bytes, len);
        uint8_t *dst = kl_guard_at_end(&packed_at, bound);
        /* What an earlier block left in the table must not matter. */
        memset(table, end ? 0xff : 0x5a, sizeof table);
        sizes[end] = kl_snappy_compress_block(src, len, dst, table);
        assert_true(sizes[end] <= len + len / 64 + 8);
        if (end) {
            assert_int_equal(sizes[0], sizes[1]);
            assert_memory_equal(packed, dst, sizes[1]);
        }
        memcpy(packed, dst, sizes[end]);
    }
    kl_snappy_twin_outcome o = check_block(packed, sizes[0], len);
    assert_int_equal(o.error, KL_SNAPPY_OK);
    assert_int_equal(o.written, len);
    if (len)
        assert_memory_equal(twin_out, bytes, len);
    assert_int_equal(o.tags[3], 0);
    assert_false(o.copy_left_fragment);
    return sizes[0];
}

static void test_round_trip_of_every_small_size(void **state)
{
    (void)state;
    for (int kind = 0; kind < KL_SNAPPY_SAMPLE_COUNT; kind++) {
        for (size_t len = 0; len <= 2000; len++) {
            kl_snappy_sample_fill((kl_snappy_sample_kind)kind, len, sample, len);
            round_trip(sample, len);
        }
    }
}

static void test_round_trip_of_large_sizes(void **state)
{
    (void)state;
    static const size_t borders[] = {32768, 65535, 65536, 65537, 65552, 65553, 131072, 300 * 1024};
    const size_t border_count = sizeof borders / sizeof borders[0];
    uint64_t seed = 1;
    for (int kind = 0; kind < KL_SNAPPY_SAMPLE_COUNT; kind++) {
        for (size_t i = 0; i < border_count + 30; i++) {
            size_t len =
                i < border_count ? borders[i] : kl_snappy_sample_below(&seed, 300 * 1024 + 1);
            kl_snappy_sample_fill((kl_snappy_sample_kind)kind, seed, sample, len);
            round_trip(sample, len);
        }
    }
}

static void test_round_trip_of_periods(void **state)
{
    (void)state;
    for (size_t period = 1; period <= 300; period++) {
        kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, period, sample, period);
        for (size_t i = period; i < 3000; i++)
            sample[i] = sample[i - period];
        size_t n = round_trip(sample, 3000);
        /* The period once, then 3 bytes for 64. */
        assert_true(n <= period + 5 + (3000 - period) * 3 / 64 + 12);
    }
}

/* Literals as short as can be for their head, each with the shortest copy: the worst there is. */
static void test_worst_case_stays_in_bound(void **state)
{
    (void)state;
    static const size_t literals[] = {1, 16, 17, 60, 61, 62, 256, 257, 258};
    const size_t len = 200000;
    for (size_t k = 0; k < sizeof literals / sizeof literals[0]; k++) {
        kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, k, sample, len);
        for (size_t i = 0; i + literals[k] + 4 <= len; i += literals[k] + 4)
            memcpy(sample + i + literals[k], "same", 4);
        round_trip(sample, len);
    }
}

static void test_what_repeats_gets_small(void **state)
{
    (void)state;
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_ZEROS, 0, sample, 100000);
    assert_true(round_trip(sample, 100000) < 100000 / 20);
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_TEXT, 0, sample, 100000);
    assert_true(round_trip(sample, 100000) < 100000 / 2);
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, 0, sample, 100000);
    assert_true(round_trip(sample, 100000) <= 100000 + 3 + 2 * 3);
}

static void test_blocks_as_written(void **state)
{
    (void)state;
    uint8_t out[256];
    assert_int_equal(kl_snappy_compress_block(NULL, 0, out, table), 1);
    assert_memory_equal(out, "\x00", 1);
    assert_int_equal(kl_snappy_compress_block((const uint8_t *)"kloop", 5, out, table), 7);
    assert_memory_equal(out, "\x05\x10kloop", 7);
    /* 99 = 64 + 35, from one back. */
    memset(sample, 'a', 100);
    static const uint8_t run[] = {100, 0, 'a', 63 << 2 | 2, 1, 0, 34 << 2 | 2, 1, 0};
    assert_int_equal(kl_snappy_compress_block(sample, 100, out, table), sizeof run);
    assert_memory_equal(out, run, sizeof run);
    /* 66 in one piece of 64 would leave 2; the piece that is left takes the short form. */
    memset(sample, 'a', 67);
    static const uint8_t pieces[] = {67, 0, 'a', 59 << 2 | 2, 1, 0, (6 - 4) << 2 | 1, 1};
    assert_int_equal(kl_snappy_compress_block(sample, 67, out, table), sizeof pieces);
    assert_memory_equal(out, pieces, sizeof pieces);
}

static void test_bound(void **state)
{
    (void)state;
    assert_true(kl_snappy_bound(0) >= 1);
    assert_true(kl_snappy_bound(32768) <= 32768 + 32768 / 50);
    for (size_t len = 0; len < 100000; len++)
        assert_true(kl_snappy_bound(len) <= kl_snappy_bound(len + 1));
    assert_int_equal(kl_snappy_bound(SIZE_MAX), 0);
    assert_int_equal(kl_snappy_bound(SIZE_MAX - SIZE_MAX / 65), 0);
    assert_true(kl_snappy_bound(SIZE_MAX - SIZE_MAX / 64) > SIZE_MAX - SIZE_MAX / 64);
    assert_true(kl_snappy_bound(UINT32_MAX) > UINT32_MAX || SIZE_MAX == UINT32_MAX);
}

/* ---- the decompressor: what is right ---- */

static void test_announced_length(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[6];
        size_t len;
        kl_snappy_error error;
        uint32_t value;
        size_t preamble;
    } cases[] = {
        {{0}, 1, KL_SNAPPY_OK, 0, 1},
        {{0x7f}, 1, KL_SNAPPY_OK, 127, 1},
        {{0x80, 0x01}, 2, KL_SNAPPY_OK, 128, 2},
        {{0xff, 0x7f, 0xaa}, 3, KL_SNAPPY_OK, 16383, 2},
        {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, KL_SNAPPY_OK, UINT32_MAX, 5},
        {{0x80, 0x80, 0x80, 0x80, 0x08}, 5, KL_SNAPPY_OK, 0x80000000u, 5},
        {{0x85, 0x80, 0x00}, 3, KL_SNAPPY_OK, 5, 3}, /* longer than needed, yet a number */
        {{0x85, 0x80, 0x80, 0x80, 0x00}, 5, KL_SNAPPY_OK, 5, 5},
        {{0}, 0, KL_SNAPPY_TRUNCATED, 0, 0},
        {{0x80}, 1, KL_SNAPPY_TRUNCATED, 0, 1},
        {{0xff, 0xff, 0xff, 0xff}, 4, KL_SNAPPY_TRUNCATED, 0, 4},
        {{0xff, 0xff, 0xff, 0xff, 0x10}, 5, KL_SNAPPY_BAD_LENGTH, 0, 4},
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 6, KL_SNAPPY_BAD_LENGTH, 0, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *src = kl_guard_copy_at_end(&packed_at, cases[i].bytes, cases[i].len);
        uint32_t value = 77;
        size_t preamble = 77;
        kl_snappy_error error = kl_snappy_uncompressed_len(src, cases[i].len, &value, &preamble);
        assert_int_equal(error, cases[i].error);
        assert_int_equal(value, error ? 77 : cases[i].value);
        assert_int_equal(preamble, error ? 77 : cases[i].preamble);
        if (error)
            expect(cases[i].bytes, cases[i].len, 100, error, cases[i].preamble);
    }
}

static void test_literal_of_every_length(void **state)
{
    (void)state;
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, 1, sample, ANNOUNCED_MAX);
    static const size_t lengths[] = {1,  2,  15, 16,  17,  31,  32,    33,    48,    59,    60,
                                     61, 64, 65, 255, 256, 257, 65535, 65536, 65537, 300000};
    static const uint64_t limits[] = {60, 256, 65536, 16777216, UINT64_MAX};
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        for (size_t size = 0; size <= 4; size++) {
            size_t n = lengths[k];
            if (n > limits[size])
                continue;
            for (size_t behind = 0; behind <= 100; behind += 50) {
                maker m = begin(n + behind);
                put_literal(&m, sample, n, size);
                if (behind)
                    put_literal(&m, sample, behind, behind > 60);
                expect(m.p, m.len, n + behind, KL_SNAPPY_OK, 0);
            }
        }
    }
}

/*
 * All lengths, and all that may lie behind the copy: nothing, so little that no byte too many may
 * be written, or enough. What lies behind is single bytes in their longest form, so that there is
 * always more input left than output.
 */
static void check_copies(unsigned kind, size_t offset, size_t shortest, size_t longest)
{
    size_t most = offset <= 20 ? 20 : 2;
    for (size_t n = shortest; n <= longest; n++) {
        for (size_t i = 0; i <= most; i++) {
            size_t behind = i < most ? i : 150;
            maker m = begin(offset + 2 * n + behind);
            put_literal(&m, sample, offset, 4);
            put_copy(&m, kind, offset, n);
            put_copy(&m, kind, offset, n);
            for (size_t k = 0; k < behind; k++)
                put_literal(&m, sample + 1000 + k, 1, 4);
            expect(m.p, m.len, offset + 2 * n + behind, KL_SNAPPY_OK, 0);
        }
    }
}

static void test_copies_of_every_kind(void **state)
{
    (void)state;
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, 2, sample, ANNOUNCED_MAX);
    for (size_t offset = 1; offset <= 80; offset++) {
        check_copies(1, offset, 4, 11);
        check_copies(2, offset, 1, 64);
        check_copies(3, offset, 1, 64);
    }
    for (size_t offset = 200; offset < 2048; offset += 211)
        check_copies(1, offset, 4, 11);
    check_copies(1, 2047, 4, 11);
    check_copies(2, 2048, 60, 64);
    check_copies(2, 65535, 60, 64);
    check_copies(3, 65535, 60, 64);
    check_copies(3, 65536, 60, 64);
    check_copies(3, 300000, 60, 64);
}

/* All four bytes of a literal's length and of an offset. */
static void test_what_needs_all_four_bytes(void **state)
{
    (void)state;
    const size_t len = HUGE_LITERAL + 64;
    uint8_t *small_packed = packed;
    packed = calloc(1, len + 64);
    uint8_t *out = malloc(len);
    assert_true(packed && out);
    maker m = begin(len);
    uint8_t *bytes = packed + m.len + 5;
    put_number(&m, 63 * 4, 1);
    put_number(&m, HUGE_LITERAL - 1, 4);
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, 3, bytes, 1000);
    m.len += HUGE_LITERAL;
    put_copy(&m, 3, HUGE_LITERAL - 2, 64);
    size_t written = 0, fault_at = 0;
    assert_int_equal(kl_snappy_decompress_block(m.p, m.len, out, len, &written, &fault_at), 0);
    assert_int_equal(written, len);
    assert_memory_equal(out, bytes, HUGE_LITERAL);
    assert_memory_equal(out + HUGE_LITERAL, bytes + 2, 64);
    free(out);
    free(packed);
    packed = small_packed;
}

static void test_more_room_than_announced_is_left_alone(void **state)
{
    (void)state;
    for (size_t len = 0; len < 300; len++) {
        kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_TEXT, len, sample, len);
        size_t n = kl_snappy_compress_block(sample, len, packed, table);
        uint8_t out[600];
        memset(out, 0xee, sizeof out);
        size_t written = 0, fault_at = 0;
        assert_int_equal(kl_snappy_decompress_block(packed, n, out, 600, &written, &fault_at), 0);
        assert_int_equal(written, len);
        for (size_t i = len; i < sizeof out; i++)
            assert_int_equal(out[i], 0xee);
    }
}

static void test_nothing_at_all(void **state)
{
    (void)state;
    size_t written = 1, fault_at = 1;
    const uint8_t empty[] = {0};
    assert_int_equal(kl_snappy_decompress_block(empty, 1, NULL, 0, &written, &fault_at), 0);
    assert_int_equal(written, 0);
    assert_int_equal(kl_snappy_decompress_block(NULL, 0, NULL, 0, &written, &fault_at),
                     KL_SNAPPY_TRUNCATED);
    assert_int_equal(fault_at, 0);
}

/* ---- the decompressor: what is wrong ---- */

static void test_refused_offsets(void **state)
{
    (void)state;
    /* 0, in each form. */
    expect(BLOCK(8, 0, 'a', 1, 0), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 2, 0, 0), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 3, 0, 0, 0, 0), 8, KL_SNAPPY_BAD_OFFSET, 3);
    /* One too far. */
    expect(BLOCK(8, 0, 'a', 1, 2), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 2, 2, 0), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 3, 2, 0, 0, 0), 8, KL_SNAPPY_BAD_OFFSET, 3);
    /* Very far. */
    expect(BLOCK(8, 0, 'a', 1 | 7 << 5, 0xff), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 2, 0xff, 0xff), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 3, 1, 0, 0, 0x80), 8, KL_SNAPPY_BAD_OFFSET, 3);
    expect(BLOCK(8, 0, 'a', 6 << 2 | 3, 0xff, 0xff, 0xff, 0xff), 8, KL_SNAPPY_BAD_OFFSET, 3);
    /* As the first tag. */
    expect(BLOCK(4, 1, 1), 4, KL_SNAPPY_BAD_OFFSET, 1);
    /* With much room on both sides. */
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, 4, sample, 1000);
    for (unsigned kind = 1; kind <= 3; kind++) {
        for (size_t before = 1; before < 100; before++) {
            for (int zero = 0; zero < 2; zero++) {
                maker m = begin(2000);
                put_literal(&m, sample, before, 1);
                size_t at = m.len;
                put_copy(&m, kind, zero ? 0 : before + 1, 8);
                put_literal(&m, sample, 500, 2);
                expect(m.p, m.len, 2000, KL_SNAPPY_BAD_OFFSET, at);
            }
        }
    }
}

static void test_refused_lengths(void **state)
{
    (void)state;
    /* A literal beyond the input: in the tag, and with 1 to 4 bytes of length. */
    expect(BLOCK(8, 7 << 2, 'a', 'b', 'c', 'd', 'e', 'f', 'g'), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 60 << 2, 1, 'a'), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 61 << 2, 1, 0, 'a'), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 62 << 2, 1, 0, 0, 'a'), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 63 << 2, 1, 0, 0, 0, 'a'), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 63 << 2, 0xff, 0xff, 0xff, 0x7f, 'a'), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 63 << 2, 0xff, 0xff, 0xff, 0xff, 'a'), 8, KL_SNAPPY_TRUNCATED, 1);
    /* Tags that are cut off. */
    expect(BLOCK(8, 0), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 60 << 2), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 61 << 2, 1), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 62 << 2, 1, 0), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 63 << 2, 1, 0, 0), 8, KL_SNAPPY_TRUNCATED, 1);
    expect(BLOCK(8, 0, 'a', 1), 8, KL_SNAPPY_TRUNCATED, 3);
    expect(BLOCK(8, 0, 'a', 2, 1), 8, KL_SNAPPY_TRUNCATED, 3);
    expect(BLOCK(8, 0, 'a', 3, 1, 0, 0), 8, KL_SNAPPY_TRUNCATED, 3);
    /* More than announced: a literal, a copy of each form; the room does not count. */
    expect(BLOCK(1, 1 << 2, 'a', 'b'), 100, KL_SNAPPY_TOO_LONG, 1);
    expect(BLOCK(0, 0, 'a'), 100, KL_SNAPPY_TOO_LONG, 1);
    expect(BLOCK(4, 0, 'a', 1, 1), 100, KL_SNAPPY_TOO_LONG, 3);
    expect(BLOCK(4, 0, 'a', 3 << 2 | 2, 1, 0), 100, KL_SNAPPY_TOO_LONG, 3);
    expect(BLOCK(4, 0, 'a', 3 << 2 | 3, 1, 0, 0, 0), 100, KL_SNAPPY_TOO_LONG, 3);
    expect(BLOCK(1, 0, 'a', 2, 1, 0), 100, KL_SNAPPY_TOO_LONG, 3);
    /* Less than announced. */
    expect(BLOCK(1), 100, KL_SNAPPY_TOO_SHORT, 1);
    expect(BLOCK(3, 1 << 2, 'a', 'b'), 100, KL_SNAPPY_TOO_SHORT, 4);
    expect(BLOCK(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 'a'), 100, KL_SNAPPY_NO_ROOM, 0);
    /* Less room than announced: nothing is read on. */
    expect(BLOCK(5, 1 << 2, 'a', 'b'), 4, KL_SNAPPY_NO_ROOM, 0);
    expect(BLOCK(5, 1 << 2, 'a', 'b'), 0, KL_SNAPPY_NO_ROOM, 0);
    expect(BLOCK(5, 4 << 2, 'k', 'l', 'o', 'o', 'p'), 5, KL_SNAPPY_OK, 0);
}

static void test_every_truncation_is_an_error(void **state)
{
    (void)state;
    for (int kind = 0; kind < KL_SNAPPY_SAMPLE_COUNT; kind++) {
        kl_snappy_sample_fill((kl_snappy_sample_kind)kind, 5, sample, 1500);
        size_t n = kl_snappy_compress_block(sample, 1500, packed, table);
        for (size_t cut = 0; cut < n; cut++) {
            kl_snappy_twin_outcome o = check_block(packed, cut, 1500);
            assert_true(o.error == KL_SNAPPY_TRUNCATED || o.error == KL_SNAPPY_TOO_SHORT);
            assert_true(o.fault_at <= cut);
            if (o.written)
                assert_memory_equal(twin_out, sample, o.written);
        }
    }
}

/* One to three bytes changed, in blocks large enough for both readers: the twin is always agreed
 * with. */
static void test_damaged_blocks(void **state)
{
    (void)state;
    uint64_t seed = 6;
    size_t seen[KL_SNAPPY_NO_ROOM + 1] = {0};
    for (int kind = 0; kind < KL_SNAPPY_SAMPLE_COUNT; kind++) {
        for (int round = 0; round < 3000; round++) {
            size_t len = 20 + kl_snappy_sample_below(&seed, 3000);
            kl_snappy_sample_fill((kl_snappy_sample_kind)kind, (uint64_t)round, sample, len);
            size_t n = kl_snappy_compress_block(sample, len, packed, table);
            for (size_t i = kl_snappy_sample_below(&seed, 3) + 1; i > 0; i--)
                packed[kl_snappy_sample_below(&seed, n)] = (uint8_t)kl_snappy_sample_next(&seed);
            kl_snappy_twin_outcome o =
                check_block(packed, n, len + kl_snappy_sample_below(&seed, 200));
            seen[o.error]++;
        }
    }
    for (size_t i = 0; i <= KL_SNAPPY_NO_ROOM; i++)
        assert_true(seen[i] > 0);
}

/* Any tag after any other, most of them sound, some not: both readers and each change between them.
 */
static void test_random_tags(void **state)
{
    (void)state;
    uint64_t seed = 7;
    size_t sound = 0;
    kl_snappy_sample_fill(KL_SNAPPY_SAMPLE_RANDOM, 8, sample, 1000);
    for (int round = 0; round < 20000; round++) {
        unsigned kinds[40];
        size_t lengths[40];
        size_t len = 0;
        for (size_t i = 0; i < 40; i++) {
            kinds[i] = i == 0 ? 0 : (unsigned)kl_snappy_sample_below(&seed, 4);
            lengths[i] = kinds[i] == 1 ? 4 + kl_snappy_sample_below(&seed, 8)
                                       : 1 + kl_snappy_sample_below(&seed, 60);
            len += lengths[i];
        }
        maker m = begin(len - (kl_snappy_sample_below(&seed, 10) == 0));
        for (size_t i = 0, at = 0; i < 40; at += lengths[i++]) {
            size_t far = kl_snappy_sample_below(&seed, 2) ? 40 : 2000;
            far = far < at ? far : at;
            bool bad = kl_snappy_sample_below(&seed, 100) == 0;
            if (kinds[i] == 0)
                put_literal(&m, sample + kl_snappy_sample_below(&seed, 900), lengths[i], 0);
            else
                put_copy(&m, kinds[i], bad ? at + 1 : 1 + kl_snappy_sample_below(&seed, far),
                         lengths[i]);
        }
        sound += check_block(m.p, m.len, len).error == KL_SNAPPY_OK;
    }
    assert_in_range(sound, 5000, 19000);
}

static void test_error_texts(void **state)
{
    (void)state;
    for (int i = 0; i <= KL_SNAPPY_NO_ROOM + 1; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(kl_snappy_error_text((kl_snappy_error)i),
                                    kl_snappy_error_text((kl_snappy_error)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_of_every_small_size),
        cmocka_unit_test(test_round_trip_of_large_sizes),
        cmocka_unit_test(test_round_trip_of_periods),
        cmocka_unit_test(test_worst_case_stays_in_bound),
        cmocka_unit_test(test_what_repeats_gets_small),
        cmocka_unit_test(test_blocks_as_written),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_announced_length),
        cmocka_unit_test(test_literal_of_every_length),
        cmocka_unit_test(test_copies_of_every_kind),
        cmocka_unit_test(test_what_needs_all_four_bytes),
        cmocka_unit_test(test_more_room_than_announced_is_left_alone),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_refused_offsets),
        cmocka_unit_test(test_refused_lengths),
        cmocka_unit_test(test_every_truncation_is_an_error),
        cmocka_unit_test(test_damaged_blocks),
        cmocka_unit_test(test_random_tags),
        cmocka_unit_test(test_error_texts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
