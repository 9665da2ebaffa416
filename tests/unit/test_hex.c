/* SPDX-License-Identifier: BSD-2-Clause */
/* Hexadecimal text, both ways. */
#include "wiretools/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void encodes_in_lower_case(void **state)
{
    (void)state;
    char out[8];
    kl_hex_encode(out, (const uint8_t[]){0x00, 0x9a, 0xbc, 0xff}, 4);
    assert_memory_equal(out, "009abcff", 8);
    kl_hex_encode(out, NULL, 0);
    assert_memory_equal(out, "009abcff", 8);
}

static void every_byte_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[256], back[256];
    char text[512];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)(i * 37);
    kl_hex_encode(text, bytes, 256);
    kl_hex_fault fault;
    assert_true(kl_hex_decode(back, text, 512, &fault));
    assert_memory_equal(bytes, back, 256);
    for (size_t i = 0; i < 512; i++)
        if (text[i] >= 'a' && i % 3 != 0)
            text[i] = (char)(text[i] - 'a' + 'A');
    assert_true(kl_hex_decode(back, text, 512, &fault));
    assert_memory_equal(bytes, back, 256);
    assert_true(kl_hex_decode((uint8_t *)text, text, 512, &fault)); /* in place */
    assert_memory_equal(text, bytes, 256);
}

static void an_empty_text_is_no_bytes(void **state)
{
    (void)state;
    uint8_t out = 7;
    kl_hex_fault fault;
    assert_true(kl_hex_decode(&out, "", 0, &fault));
    assert_true(kl_hex_decode(NULL, NULL, 0, &fault));
    assert_int_equal(out, 7);
}

/* Every value that is no digit, at every place of a text of even and of odd length. */
static void tells_the_first_wrong_digit(void **state)
{
    (void)state;
    kl_hex_fault fault;
    uint8_t out[4];
    for (size_t len = 1; len <= 7; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                char text[8] = "0aF19bC";
                text[at] = (char)c;
                bool digit = c != 0 && strchr("0123456789abcdefABCDEF", c);
                bool ok = kl_hex_decode(out, text, len, &fault);
                assert_true(ok == (digit && len % 2 == 0));
                if (!ok) {
                    assert_int_equal(fault.offset, digit ? len : at);
                    assert_string_equal(fault.reason,
                                        digit ? "an odd number of hex digits" : "not a hex digit");
                }
            }
        }
    }
    assert_false(kl_hex_decode(out, "0g0g", 4, &fault)); /* the first of two */
    assert_int_equal(fault.offset, 1);
    assert_false(kl_hex_decode(out, "gg", 2, &fault));
    assert_int_equal(fault.offset, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_in_lower_case),
        cmocka_unit_test(every_byte_there_and_back),
        cmocka_unit_test(an_empty_text_is_no_bytes),
        cmocka_unit_test(tells_the_first_wrong_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
