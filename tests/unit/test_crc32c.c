/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C: published values, every variant against one that works bit by bit, and every constant
 * recomputed from the polynomial. The reference here shares no table and no trick with the code
 * under test.
 */
#include "base/crc32c.h"
#include "base/crc32c_parts.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the reference: polynomials over GF(2), the highest power in bit 0, modulo P --- */

#define P   0x82f63b78u
#define ONE 0x80000000u

static uint32_t times_x(uint32_t a)
{
    return a >> 1 ^ (a & 1 ? P : 0);
}

static uint32_t divided_by_x(uint32_t a)
{
    return a & ONE ? (a ^ P) << 1 | 1 : a << 1;
}

static uint32_t times(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    for (uint32_t bit = ONE; bit; bit >>= 1, a = times_x(a)) {
        if (b & bit)
            sum ^= a;
    }
    return sum;
}

static uint32_t power(uint32_t a, uint64_t n)
{
    uint32_t result = ONE;
    for (; n; n >>= 1, a = times(a, a)) {
        if (n & 1)
            result = times(result, a);
    }
    return result;
}

/* x^(8n - 33), what crc32c_parts.h calls shift(n). */
static uint32_t shift(uint64_t n)
{
    uint32_t a = power(ONE >> 8, n);
    for (int i = 0; i < 33; i++)
        a = divided_by_x(a);
    return a;
}

static uint32_t naive(uint32_t crc, const uint8_t *p, size_t len)
{
    uint32_t c = ~crc;
    for (; len; len--) {
        c ^= *p++;
        for (int i = 0; i < 8; i++)
            c = times_x(c);
    }
    return ~c;
}

static uint32_t naive_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    return times(power(ONE >> 8, len_b), crc_a) ^ crc_b;
}

static uint32_t random_32(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static void fill(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)random_32();
}

/* The variants this processor runs, one after the other, then NULL; *at starts at 0. */
static const kl_crc32c_variant *next_variant(size_t *at)
{
    const kl_crc32c_variant *v;
    while ((v = kl_crc32c_variant_at((*at)++)) != NULL && !v->usable())
        continue;
    return v;
}

/* --- published values --- */

static void check_bytes(const void *bytes, size_t len, uint32_t expected)
{
    const kl_crc32c_variant *v;
    assert_int_equal(naive(0, bytes, len), expected);
    assert_int_equal(kl_crc32c(0, bytes, len), expected);
    for (size_t k = 0; (v = next_variant(&k)) != NULL;)
        assert_int_equal(v->update(0, bytes, len), expected);
}

static void published_values(void **state)
{
    (void)state;
    uint8_t bytes[32];
    check_bytes("", 0, 0);
    check_bytes("123456789", 9, 0xe3069283);

    /* RFC 3720, B.4 */
    memset(bytes, 0, sizeof(bytes));
    check_bytes(bytes, sizeof(bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    check_bytes(bytes, sizeof(bytes), 0x62a8ab43);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    check_bytes(bytes, sizeof(bytes), 0x46dd794e);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(31 - i);
    check_bytes(bytes, sizeof(bytes), 0x113fdb5c);
    static const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
    };
    check_bytes(read_command, sizeof(read_command), 0xd9963a56);
}

/* Two records; an independent decoder has checked the bytes. The CRC is at 17, over 21 to the end.
 */
static void record_batch(void **state)
{
    (void)state;
    static const uint8_t batch[] = {
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x49, 0xff, 0xff, 0xff,
        0xff, 0x02, 0x76, 0x39, 0x73, 0x6a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01,
        0x8b, 0xcf, 0xe5, 0x68, 0x00, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x05, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x10, 0x92, 0x00, 0x07, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00,
        0x02, 0x10, 0x00, 0x00, 0x00, 0x02, 0x6b, 0x02, 0x76, 0x00, 0x1c, 0x00, 0x0a, 0x02, 0x01,
        0x0a, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x02, 0x02, 0x68, 0x01,
    };
    check_bytes(batch + 21, sizeof(batch) - 21, 0x7639736a);

    /* The same from the header's part and the payload's. */
    uint32_t header = kl_crc32c(0, batch + 21, 61 - 21);
    uint32_t payload = kl_crc32c(0, batch + 61, sizeof(batch) - 61);
    assert_int_equal(kl_crc32c_combine(header, payload, sizeof(batch) - 61), 0x7639736a);
}

/* --- against the reference --- */

#define SHORT_MAX 600

static void short_lengths_at_all_alignments(void **state)
{
    (void)state;
    static uint8_t room[16 + 16 + SHORT_MAX];
    const kl_crc32c_variant *v;
    fill(room, sizeof(room));
    for (size_t offset = 0; offset < 16; offset++) {
        const uint8_t *p = room + (-(uintptr_t)room & 15) + offset;
        uint32_t start = random_32();
        uint32_t expected = start;
        for (size_t len = 0; len <= SHORT_MAX; len++) {
            for (size_t k = 0; (v = next_variant(&k)) != NULL;)
                assert_int_equal(v->update(start, p, len), expected);
            expected = naive(expected, p + len, 1);
        }
    }
}

/* Each input once right before a forbidden page and once right behind one. */
static void never_outside_of_the_input(void **state)
{
    (void)state;
    enum { MAX = 3000 };
    static uint8_t bytes[MAX];
    const kl_crc32c_variant *v;
    kl_guard guard;
    fill(bytes, sizeof(bytes));
    kl_guard_init(&guard, MAX);
    uint32_t expected = 0;
    for (size_t len = 0; len <= MAX; len++) {
        const uint8_t *p = kl_guard_copy_at_end(&guard, bytes, len);
        for (size_t k = 0; (v = next_variant(&k)) != NULL;)
            assert_int_equal(v->update(0, p, len), expected);
        p = kl_guard_copy_at_begin(&guard, bytes, len);
        for (size_t k = 0; (v = next_variant(&k)) != NULL;)
            assert_int_equal(v->update(0, p, len), expected);
        if (len < MAX)
            expected = naive(expected, bytes + len, 1);
    }
    kl_guard_deinit(&guard);
}

#define LARGE_MAX ((1u << 20) + 77)

/* Around the borders between the ways of working, and beyond the largest block. */
static const size_t large[] = {
    1023,   1024,   1025,   1279,          1535,       1536,    4096,      12287,
    12288,  16384,  65535,  65536,         65536 - 61, 100000,  320000,    320000 + 64,
    448000, 448127, 448128, 448129 + 1000, 1000000,    1 << 20, LARGE_MAX,
};

static void large_sizes(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(LARGE_MAX);
    const kl_crc32c_variant *v;
    assert_non_null(bytes);
    fill(bytes, LARGE_MAX);
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        size_t offset = i * 5 % 64;
        size_t len = large[i] - offset;
        uint32_t expected = naive(0, bytes + offset, len);
        for (size_t k = 0; (v = next_variant(&k)) != NULL;)
            assert_int_equal(v->update(0, bytes + offset, len), expected);
    }
    free(bytes);
}

/* A slice list: the pieces of one text, chained, give the checksum of the whole. */
static void random_pieces(void **state)
{
    (void)state;
    enum { LEN = 20000 };
    static uint8_t bytes[LEN];
    const kl_crc32c_variant *v;
    fill(bytes, sizeof(bytes));
    const uint32_t expected = naive(0, bytes, LEN);
    for (size_t k = 0; (v = next_variant(&k)) != NULL;) {
        for (int round = 0; round < 200; round++) {
            uint32_t crc = 0;
            for (size_t at = 0; at < LEN;) {
                size_t piece = random_32() % (1u << random_32() % 14);
                if (piece > LEN - at)
                    piece = LEN - at;
                crc = v->update(crc, bytes + at, piece);
                at += piece;
            }
            assert_int_equal(crc, expected);
        }
    }
}

static void empty_slices(void **state)
{
    (void)state;
    const kl_crc32c_variant *v;
    assert_int_equal(kl_crc32c(0x1234, NULL, 0), 0x1234);
    for (size_t k = 0; (v = next_variant(&k)) != NULL;)
        assert_int_equal(v->update(0x1234, NULL, 0), 0x1234);
}

/* --- combine --- */

static void combine_equals_one_pass(void **state)
{
    (void)state;
    enum { HEAD = 40, MAX = 5000 };
    static uint8_t bytes[HEAD + MAX];
    const kl_crc32c_variant *v;
    fill(bytes, sizeof(bytes));
    const uint32_t head = naive(0, bytes, HEAD);
    uint32_t whole = head;
    uint32_t tail = 0;
    for (size_t len = 0; len <= MAX; len++) {
        assert_int_equal(kl_crc32c_combine(head, tail, len), whole);
        for (size_t k = 0; (v = next_variant(&k)) != NULL;)
            assert_int_equal(v->combine(head, tail, len), whole);
        if (len < MAX) {
            whole = naive(whole, bytes + HEAD + len, 1);
            tail = naive(tail, bytes + HEAD + len, 1);
        }
    }
}

static void combine_of_huge_lengths(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {
        0xffffu,
        0x10000u,
        0x7ffffffeu, /* lengths count modulo 2^31 - 1 */
        0x7fffffffu,
        0x80000000u,
        0xfffffffeu,
        0xffffffffu,
        0x100000000u,
        0x100000005u,
        0x7fffffffffffffffu,
        0xfffffffffffffffeu,
        0xffffffffffffffffu,
    };
    const kl_crc32c_variant *v;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint32_t a = random_32();
        uint32_t b = random_32();
        for (size_t k = 0; (v = next_variant(&k)) != NULL;)
            assert_int_equal(v->combine(a, b, lengths[i]), naive_combine(a, b, lengths[i]));
    }
    for (int i = 0; i < 2000; i++) {
        uint32_t a = random_32();
        uint32_t b = random_32();
        uint64_t len = ((uint64_t)random_32() << 32 | random_32()) >> random_32() % 64;
        for (size_t k = 0; (v = next_variant(&k)) != NULL;)
            assert_int_equal(v->combine(a, b, len), naive_combine(a, b, len));
    }
}

static void combine_is_associative(void **state)
{
    (void)state;
    const kl_crc32c_variant *v;
    for (size_t k = 0; (v = next_variant(&k)) != NULL;) {
        for (int i = 0; i < 1000; i++) {
            uint32_t a = random_32();
            uint32_t b = random_32();
            uint32_t c = random_32();
            uint64_t len_b = (uint64_t)random_32() << random_32() % 30;
            uint64_t len_c = (uint64_t)random_32() << random_32() % 30;
            uint32_t left = v->combine(v->combine(a, b, len_b), c, len_c);
            uint32_t right = v->combine(a, v->combine(b, c, len_c), len_b + len_c);
            assert_int_equal(left, right);
        }
    }
}

/* --- constants --- */

static void constants_follow_from_the_polynomial(void **state)
{
    (void)state;
    uint64_t unit = 1;
    for (size_t k = 0; k < 8; k++, unit *= 16) {
        for (uint64_t d = 0; d < 16; d++)
            assert_int_equal(kl_crc32c_digit[k][d], shift(d * unit));
    }
    for (size_t k = 0; k < KL_CRC32C_HOP_COUNT; k++)
        assert_int_equal(kl_crc32c_hop[k], shift(8 * k));
    assert_int_equal(power(ONE >> 1, 0x7fffffff), ONE);
}

static void product_carries_the_extra_factor(void **state)
{
    (void)state;
    const uint32_t x_33 = power(ONE >> 1, 33);
    for (int i = 0; i < 5000; i++) {
        uint32_t a = random_32();
        uint32_t b = random_32();
        assert_int_equal(kl_crc32c_product(a, b), times(times(a, b), x_33));
    }
    assert_int_equal(kl_crc32c_product(0xffffffff, 0xffffffff),
                     times(times(0xffffffff, 0xffffffff), x_33));
}

/* --- choice --- */

static void the_best_usable_variant_runs(void **state)
{
    (void)state;
    size_t at = 0;
    const kl_crc32c_variant *best = next_variant(&at);
    assert_non_null(best);
    assert_string_equal(kl_crc32c_name(), best->name);

    /* The last one is there for every processor. */
    size_t count = 0;
    while (kl_crc32c_variant_at(count))
        count++;
    const kl_crc32c_variant *last = kl_crc32c_variant_at(count - 1);
    assert_string_equal(last->name, "table");
    assert_true(last->usable());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(record_batch),
        cmocka_unit_test(short_lengths_at_all_alignments),
        cmocka_unit_test(never_outside_of_the_input),
        cmocka_unit_test(large_sizes),
        cmocka_unit_test(random_pieces),
        cmocka_unit_test(empty_slices),
        cmocka_unit_test(combine_equals_one_pass),
        cmocka_unit_test(combine_of_huge_lengths),
        cmocka_unit_test(combine_is_associative),
        cmocka_unit_test(constants_follow_from_the_polynomial),
        cmocka_unit_test(product_carries_the_extra_factor),
        cmocka_unit_test(the_best_usable_variant_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
