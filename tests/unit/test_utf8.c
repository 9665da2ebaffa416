/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8: every character is valid, no other sequence is, and the first fault is told wherever it
 * stands. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t valid(const uint8_t *bytes, size_t n)
{
    return kl_utf8_valid_len((const char *)bytes, n);
}

/* By the definition of the encoding, without a table of ranges. */
static size_t encode(uint8_t *out, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(marks[n] | c);
    return n;
}

static void every_character_is_valid(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        uint8_t bytes[4];
        size_t n = encode(bytes, c);
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        if (valid(bytes, n) != (surrogate ? 0 : n))
            fail_msg("U+%04x", c);
        for (size_t k = 1; k < n; k++)
            if (valid(bytes, k) != 0)
                fail_msg("U+%04x, cut to %zu", c, k);
    }
}

/* Of all sequences of three bytes, and of four with a given last one, as many are valid as there
 * are characters. */
static void nothing_else_is_valid(void **state)
{
    (void)state;
    const size_t one = 128;
    const size_t two = 0x800 - 0x80;
    const size_t three = 0x10000 - 0x800 - 0x800;
    size_t valid_three = 0;
    size_t valid_four = 0;
    for (uint32_t i = 0; i < 0x1000000; i++) {
        uint8_t bytes[4] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0xbf};
        valid_three += valid(bytes, 3) == 3;
        valid_four += valid(bytes, 4) == 4;
    }
    assert_int_equal(valid_three, one * one * one + 2 * one * two + three);
    /* The last byte continues: it ends a character of two, three or four bytes. */
    assert_int_equal(valid_four,
                     (one * one + two) * (two / 64) + one * (three / 64) + 0x100000 / 64);
    for (int last = 0; last < 256; last++) {
        uint8_t bytes[4] = {0xf0, 0x9f, 0x98, (uint8_t)last};
        assert_int_equal(valid(bytes, 4), last >= 0x80 && last < 0xc0 ? 4 : 0);
    }
}

static void the_first_fault_is_found_anywhere(void **state)
{
    (void)state;
    assert_int_equal(kl_utf8_valid_len(NULL, 0), 0);
    for (size_t n = 1; n < 40; n++) {
        for (size_t at = 0; at < n; at++) {
            uint8_t text[40];
            memset(text, 'a', sizeof(text));
            assert_int_equal(valid(text, n), n);
            text[at] = 0xff;
            assert_int_equal(valid(text, n), at);
            text[at] = 0xc3; /* the second byte is missing */
            assert_int_equal(valid(text, n), at);
            if (at + 1 < n) {
                text[at + 1] = 0xa4;
                assert_int_equal(valid(text, n), n);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_valid),
        cmocka_unit_test(nothing_else_is_valid),
        cmocka_unit_test(the_first_fault_is_found_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
