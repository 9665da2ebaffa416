/* SPDX-License-Identifier: BSD-2-Clause */
/* See expect_message.h. */
#include "tests/support/expect_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES_MAX 400

void kl_expect_message(int16_t key, kloop_half half, int version, const char *hex, void *message,
                       size_t size)
{
    static uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
    size_t len = kl_hex_bytes(hex, bytes, sizeof bytes);
    size_t used;
    kloop_fault fault;
    char text[200];
    memset(message, 0xa5, size);
    if (kloop_decode_sized(key, half, (int16_t)version, bytes, len, message, size, &fault)) {
        kloop_fault_text(&fault, text, sizeof text);
        fail_msg("%s", text);
    }
    assert_int_equal(kloop_encode_sized(key, half, (int16_t)version, message, size, again,
                                        sizeof again, &used, &fault),
                     KLOOP_OK);
    kl_expect_bytes(again, used, hex);
}

void kl_expect_init(int16_t key, kloop_half half, void *message, size_t size)
{
    memset(message, 0xa5, size);
    assert_int_equal(kloop_message_init_sized(key, half, message, size), KLOOP_OK);
}

void kl_expect_element(const kloop_array *array, int index, void *to, size_t size)
{
    kloop_iter it = kloop_iterate(array);
    memset(to, 0xa5, size);
    for (int i = 0; i <= index; i++)
        assert_true(kloop_next_sized(&it, to, size));
}

void kl_expect_number(const kloop_array *array, int index, int32_t number)
{
    int32_t found;
    KL_EXPECT_ELEMENT(array, index, &found);
    assert_int_equal(found, number);
}

void kl_expect_id(const kloop_uuid *id, const char *hex)
{
    kl_expect_bytes(id->bytes, sizeof id->bytes, hex);
}
