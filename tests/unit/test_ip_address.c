/* SPDX-License-Identifier: BSD-2-Clause */
/* IP addresses as text and as the system's, there and back. */
#define _GNU_SOURCE
#include "driver/ip_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_there_and_back(void **state)
{
    (void)state;
    const char *const texts[] = {"0.0.0.0",       "127.0.0.1", "255.255.255.255", "::",
                                 "2001:db8::1:2", "fe80::1%7", "::ffff:1.2.3.4"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[KL_IP_ADDRESS_TEXT_MAX];
        kloop_address a, b;
        struct sockaddr_storage system;
        assert_true(kl_ip_address_parse(texts[i], &a));
        kl_ip_address_print(&a, text);
        assert_string_equal(text, texts[i]);
        a.port = 9092;
        socklen_t len = kl_ip_address_to_system(&a, &system);
        assert_int_not_equal(len, 0);
        assert_true(kl_ip_address_from_system((const struct sockaddr *)&system, &b));
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(kl_ip_address_same_host(&a, &b));
        b.bytes[3] ^= 1;
        assert_false(kl_ip_address_same_host(&a, &b));
    }
}

static void test_names_are_none(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 "localhost",
                                 "127.1",
                                 "1.2.3.4.5",
                                 "256.0.0.1",
                                 "[::1]",
                                 "::1:9092x",
                                 "10.0.0.1 ",
                                 "1.2.3.4:80",
                                 "::1%",
                                 "fe80::1%0",
                                 "fe80::1%no such interface",
                                 "fe80::1%4294967296",
                                 "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        kloop_address a;
        assert_false(kl_ip_address_parse(texts[i], &a));
    }
}

static void test_no_family(void **state)
{
    (void)state;
    char text[KL_IP_ADDRESS_TEXT_MAX];
    kloop_address a = {.family = 9};
    struct sockaddr_storage system;
    assert_int_equal(kl_ip_address_to_system(&a, &system), 0);
    kl_ip_address_print(&a, text);
    assert_string_equal(text, "?");
    memset(&system, 0, sizeof system);
    system.ss_family = AF_UNIX;
    assert_false(kl_ip_address_from_system((const struct sockaddr *)&system, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_names_are_none),
        cmocka_unit_test(test_no_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
