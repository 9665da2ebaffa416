/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XXH32 against published values, at every length around its strides, and against forbidden memory.
 */
#include "codecs/xxh32.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void published_values(void **state)
{
    (void)state;
    static const char *const spam = "Nobody inspects the spammish repetition";
    assert_int_equal(kl_xxh32(NULL, 0, 0), 0x02cc5d05);
    assert_int_equal(kl_xxh32("", 0, 0x9e3779b1u), 0x36b78ae7);
    assert_int_equal(kl_xxh32("a", 1, 0), 0x550d7456);
    assert_int_equal(kl_xxh32("abc", 3, 0), 0x32d153ff);
    assert_int_equal(kl_xxh32(spam, strlen(spam), 0), 0xe2293b2f);
}

/* What makes byte 3 of each lz4 frame of Kafka's Java client 0x82. */
static void hash_of_a_frame_header(void **state)
{
    (void)state;
    static const uint8_t descriptor[] = {0x60, 0x40};
    assert_int_equal(kl_xxh32(descriptor, 2, 0) >> 8 & 0xff, 0x82);
}

/* The bytes and the results of the self-test that the reference publishes. */
static void sanity_buffer(void **state)
{
    (void)state;
    uint8_t bytes[222];
    uint64_t g = 0x9e3779b1u;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(g >> 56);
        g *= UINT64_C(11400714785074694797);
    }
    assert_int_equal(kl_xxh32(bytes, 1, 0), 0xcf65b03e);
    assert_int_equal(kl_xxh32(bytes, 14, 0), 0x1208e7e2);
    assert_int_equal(kl_xxh32(bytes, 222, 0), 0x5bd11dbd);
    assert_int_equal(kl_xxh32(bytes, 222, 0x9e3779b1u), 0x58803c5f);
}

/*
 * Every length, at every alignment to a word: the same value wherever the bytes lie, and none read
 * beside them.
 */
static void stays_inside(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    kl_guard g;
    kl_guard_init(&g, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        uint32_t expected = kl_xxh32(bytes, n, 1);
        assert_int_equal(kl_xxh32(kl_guard_copy_at_end(&g, bytes, n), n, 1), expected);
        assert_int_equal(kl_xxh32(kl_guard_copy_at_begin(&g, bytes, n), n, 1), expected);
    }
    kl_guard_deinit(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(hash_of_a_frame_header),
        cmocka_unit_test(sanity_buffer),
        cmocka_unit_test(stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
