/* SPDX-License-Identifier: BSD-2-Clause */
/* Guesses at peers that are no brokers. */
#include "core/peer_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char text[200];

static void expect(const void *bytes, size_t len, const char *start, const char *part)
{
    memset(text, 0x5a, sizeof text);
    kl_peer_text(bytes, len, text, sizeof text);
    if (strncmp(text, start, strlen(start)) != 0 || !strstr(text, part))
        fail_msg("'%s' should begin with '%s' and have '%s'", text, start, part);
}

static void known_strangers_are_named(void **state)
{
    (void)state;
    expect("HTTP/1.1 400 Bad", 16, "48 54 54 50 2f 31 2e 31 20 34 30 30 ...", "looks like HTTP");
    expect("\x15\x03\x03\x00\x02\x02\x46", 7, "15 03 03 00 02 02 46 looks", "TLS alert");
    expect("\x16\x03\x01\x02\x00", 5, "16 03 01 02 00 looks", "speaks TLS");
    expect("SSH-2.0-x", 9, "53 53 48 2d", "looks like SSH");
    expect("220 mail ready\r\n", 16, "32 32 30 20", "SMTP");
    expect("-ERR unknown", 12, "2d 45 52 52", "Redis");
    expect("\xff\xff\xff\xff", 4, "ff ff ff ff its first four", "receive.message.max.bytes");
}

static void short_ones_are_no_match(void **state)
{
    (void)state;
    expect("", 0, "its first", "receive.message.max.bytes");
    expect("HTT", 3, "48 54 54 its first", "receive.message.max.bytes");
}

static void small_room_is_kept(void **state)
{
    (void)state;
    memset(text, 0x5a, sizeof text);
    kl_peer_text((const uint8_t *)"HTTP/1.1 200", 12, text, 10);
    assert_string_equal(text, "48 54 54 ");
    assert_int_equal((uint8_t)text[10], 0x5a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_strangers_are_named),
        cmocka_unit_test(short_ones_are_no_match),
        cmocka_unit_test(small_room_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
