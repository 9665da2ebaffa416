/* SPDX-License-Identifier: BSD-2-Clause */
/* Varints against a slow and plain twin: sizes, bytes and readings of every length, bound and
 * oddity. */
#include "protocol/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the twin: bit by bit, no shortcuts ---- */

static size_t plain_put(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    do {
        uint8_t group = 0;
        for (int bit = 0; bit < 7; bit++) {
            group = (uint8_t)(group | (v % 2) << bit);
            v /= 2;
        }
        p[n++] = (uint8_t)(group + (v ? 128 : 0));
    } while (v);
    return n;
}

/* Answers as a getter does; *v is the low bits, *surplus whether bits were set beyond them. */
static int plain_get(const uint8_t *p, size_t len, int max, int bits, uint64_t *v, bool *surplus)
{
    *v = 0;
    *surplus = false;
    int at = 0;
    for (int i = 0; i < max; i++) {
        if ((size_t)i == len)
            return 0;
        for (int bit = 0; bit < 7; bit++, at++) {
            if (!(p[i] >> bit & 1))
                continue;
            if (at < bits)
                *v += UINT64_C(1) << at;
            else
                *surplus = true;
        }
        if (p[i] < 128)
            return i + 1;
    }
    return -1;
}

static uint64_t plain_zigzag(int64_t v)
{
    /* 0, -1, 1, -2, 2, ... counted through. */
    return v >= 0 ? 2 * (uint64_t)v : 2 * (uint64_t)(-(v + 1)) + 1;
}

/* ---- helpers ---- */

static uint64_t state = 1;

static uint64_t next_random(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* All values whose size is near a change, and some of each size. */
static size_t telling_values(uint64_t *values)
{
    size_t n = 0;
    for (int bit = 0; bit < 64; bit++) {
        uint64_t edge = UINT64_C(1) << bit;
        values[n++] = edge - 1;
        values[n++] = edge;
        values[n++] = edge + 1;
        for (int i = 0; i < 20; i++)
            values[n++] = edge | (next_random() & (edge - 1));
    }
    values[n++] = 0;
    values[n++] = UINT64_MAX;
    values[n++] = UINT32_MAX;
    values[n++] = (uint64_t)INT64_MAX;
    return n;
}

#define VALUES_MAX (64 * 23 + 4)

/* Reads from a block that ends where the bytes end, so that the address sanitizer sees a step too
 * far. */
static int read_exact(int (*get)(const uint8_t *, const uint8_t *, uint64_t *),
                      const uint8_t *bytes, size_t len, uint64_t *v)
{
    uint8_t *block = malloc(len ? len : 1);
    assert_non_null(block);
    memcpy(block, bytes, len);
    int used = get(block, block + len, v);
    free(block);
    return used;
}

static int get_u32(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint32_t small = 0xabadcafe;
    int used = kl_uvarint32_get(p, end, &small);
    if (used <= 0)
        assert_int_equal(small, 0xabadcafe);
    *v = small;
    return used;
}

static int get_u64(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    uint64_t before = *v;
    int used = kl_uvarint64_get(p, end, v);
    if (used <= 0)
        assert_true(*v == before);
    return used;
}

static int get_s32(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    int32_t small = -77;
    int used = kl_varint32_get(p, end, &small);
    if (used <= 0)
        assert_int_equal(small, -77);
    *v = plain_zigzag(small);
    return used;
}

static int get_s64(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    int64_t big = -77;
    int used = kl_varint64_get(p, end, &big);
    if (used <= 0)
        assert_true(big == -77);
    *v = plain_zigzag(big);
    return used;
}

static void agree(const uint8_t *bytes, size_t len)
{
    uint64_t expected;
    uint64_t got = 0;
    bool surplus;

    int used = plain_get(bytes, len, 5, 32, &expected, &surplus);
    assert_int_equal(read_exact(get_s32, bytes, len, &got), used);
    if (used > 0)
        assert_true(got == expected);
    assert_int_equal(read_exact(get_u32, bytes, len, &got), used > 0 && surplus ? -1 : used);
    if (used > 0 && !surplus)
        assert_true(got == expected);

    used = plain_get(bytes, len, 10, 64, &expected, &surplus);
    assert_int_equal(read_exact(get_s64, bytes, len, &got), used);
    if (used > 0)
        assert_true(got == expected);
    assert_int_equal(read_exact(get_u64, bytes, len, &got), used > 0 && surplus ? -1 : used);
    if (used > 0 && !surplus)
        assert_true(got == expected);
}

/* ---- tests ---- */

static void known_bytes(void **unused)
{
    (void)unused;
    uint8_t p[10];
    assert_ptr_equal(kl_uvarint32_put(p, 300), p + 2);
    assert_memory_equal(p, "\xac\x02", 2);
    assert_ptr_equal(kl_varint32_put(p, -1), p + 1);
    assert_memory_equal(p, "\x01", 1);
    assert_ptr_equal(kl_varint32_put(p, 1), p + 1);
    assert_memory_equal(p, "\x02", 1);
    assert_ptr_equal(kl_varint32_put(p, INT32_MIN), p + 5);
    assert_memory_equal(p, "\xff\xff\xff\xff\x0f", 5);
    assert_ptr_equal(kl_varint64_put(p, INT64_MAX), p + 10);
    assert_memory_equal(p, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
    assert_ptr_equal(kl_varint64_put(p, INT64_MIN), p + 10);
    assert_memory_equal(p, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
}

static void zigzag_is_its_own_undoing(void **unused)
{
    (void)unused;
    uint64_t values[VALUES_MAX];
    size_t n = telling_values(values);
    for (size_t i = 0; i < n; i++) {
        int64_t v = (int64_t)values[i];
        assert_true(kl_zigzag64(v) == plain_zigzag(v));
        assert_true(kl_unzigzag64(kl_zigzag64(v)) == v);
        int32_t small = (int32_t)values[i];
        assert_true(kl_zigzag32(small) == plain_zigzag(small));
        assert_true(kl_unzigzag32(kl_zigzag32(small)) == small);
    }
}

static void sizes_and_bytes_are_the_twins(void **unused)
{
    (void)unused;
    uint64_t values[VALUES_MAX];
    size_t n = telling_values(values);
    for (size_t i = 0; i < n; i++) {
        uint8_t expected[10];
        uint8_t got[11];
        size_t size = plain_put(expected, values[i]);
        memset(got, 0xee, sizeof(got));
        assert_int_equal(kl_uvarint64_size(values[i]), size);
        assert_ptr_equal(kl_uvarint64_put(got, values[i]), got + size);
        assert_memory_equal(got, expected, size);
        assert_int_equal(got[size], 0xee);

        size = plain_put(expected, (uint32_t)values[i]);
        memset(got, 0xee, sizeof(got));
        assert_int_equal(kl_uvarint32_size((uint32_t)values[i]), size);
        assert_ptr_equal(kl_uvarint32_put(got, (uint32_t)values[i]), got + size);
        assert_memory_equal(got, expected, size);
        assert_int_equal(got[size], 0xee);

        int64_t v = (int64_t)values[i];
        size = plain_put(expected, plain_zigzag(v));
        assert_int_equal(kl_varint64_size(v), size);
        assert_ptr_equal(kl_varint64_put(got, v), got + size);
        assert_memory_equal(got, expected, size);

        int32_t small = (int32_t)values[i];
        size = plain_put(expected, plain_zigzag(small));
        assert_int_equal(kl_varint32_size(small), size);
        assert_ptr_equal(kl_varint32_put(got, small), got + size);
        assert_memory_equal(got, expected, size);
    }
}

static void what_was_put_is_got_and_no_cut_of_it(void **unused)
{
    (void)unused;
    uint64_t values[VALUES_MAX];
    size_t n = telling_values(values);
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[10];
        uint64_t got;
        size_t size = (size_t)(kl_uvarint64_put(bytes, values[i]) - bytes);
        assert_int_equal(read_exact(get_u64, bytes, size, &got), size);
        assert_true(got == values[i]);
        assert_int_equal(read_exact(get_s64, bytes, size, &got), size);
        assert_true(got == values[i]);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(read_exact(get_u64, bytes, cut, &got), 0);
            assert_int_equal(read_exact(get_s64, bytes, cut, &got), 0);
        }
        size = (size_t)(kl_uvarint32_put(bytes, (uint32_t)values[i]) - bytes);
        assert_int_equal(read_exact(get_u32, bytes, size, &got), size);
        assert_true(got == (uint32_t)values[i]);
        assert_int_equal(read_exact(get_s32, bytes, size, &got), size);
        assert_true(got == (uint32_t)values[i]);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(read_exact(get_u32, bytes, cut, &got), 0);
            assert_int_equal(read_exact(get_s32, bytes, cut, &got), 0);
        }
    }
}

static void the_last_byte_decides(void **unused)
{
    (void)unused;
    for (int last = 0; last < 256; last++) {
        for (size_t fill = 0; fill < 4; fill++) {
            static const uint8_t fills[] = {0x80, 0xff, 0x81, 0xd5};
            uint8_t bytes[12];
            memset(bytes, fills[fill], sizeof(bytes));
            bytes[4] = (uint8_t)last;
            agree(bytes, 5);
            agree(bytes, 12);
            memset(bytes, fills[fill], sizeof(bytes));
            bytes[9] = (uint8_t)last;
            agree(bytes, 10);
            agree(bytes, 12);
        }
    }
    uint64_t got = 0;
    assert_int_equal(read_exact(get_u32, (const uint8_t *)"\xff\xff\xff\xff\x0f", 5, &got), 5);
    assert_int_equal(read_exact(get_u32, (const uint8_t *)"\xff\xff\xff\xff\x10", 5, &got), -1);
    assert_int_equal(read_exact(get_s32, (const uint8_t *)"\xff\xff\xff\xff\x10", 5, &got), 5);
    assert_int_equal(read_exact(get_s32, (const uint8_t *)"\xff\xff\xff\xff\x80", 5, &got), -1);
    assert_int_equal(read_exact(get_u32, (const uint8_t *)"\x80\x80\x80\x80\x80", 5, &got), -1);
    /* Longer than needed, and taken. */
    assert_int_equal(read_exact(get_u32, (const uint8_t *)"\x81\x80\x00", 3, &got), 3);
    assert_true(got == 1);
}

static void any_bytes_read_as_the_twin_reads_them(void **unused)
{
    (void)unused;
    uint8_t bytes[12];
    for (unsigned two = 0; two < 65536; two++) {
        bytes[0] = (uint8_t)two;
        bytes[1] = (uint8_t)(two >> 8);
        agree(bytes, 2);
    }
    for (int i = 0; i < 50000; i++) {
        /* Long runs of carrying bytes would be rare in plain noise. */
        uint64_t carry = next_random() | next_random();
        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)((next_random() & 0x7f) | (carry >> k & 1) << 7);
        agree(bytes, next_random() % (sizeof(bytes) + 1));
    }
    assert_int_equal(kl_uvarint32_get(NULL, NULL, &(uint32_t){0}), 0);
    assert_int_equal(kl_varint64_get(NULL, NULL, &(int64_t){0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),
        cmocka_unit_test(zigzag_is_its_own_undoing),
        cmocka_unit_test(sizes_and_bytes_are_the_twins),
        cmocka_unit_test(what_was_put_is_got_and_no_cut_of_it),
        cmocka_unit_test(the_last_byte_decides),
        cmocka_unit_test(any_bytes_read_as_the_twin_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
