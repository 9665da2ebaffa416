/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of brokers: what is found in them, and what is said about those that are none. */
#include "core/bootstrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static kloop_string text_of(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

static void good_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *hosts[3];
        uint16_t ports[3];
    } cases[] = {
        {"localhost:9092", {"localhost"}, {9092}},
        {"a:1,b:65535", {"a", "b"}, {1, 65535}},
        {"a:1 ,\t b:2\n,c:00003", {"a", "b", "c"}, {1, 2, 3}},
        {"lo_cal-1.example.:9", {"lo_cal-1.example."}, {9}},
        {"10.0.0.1:9092,[::1]:9093", {"10.0.0.1", "::1"}, {9092, 9093}},
        {"[fe80::1%eth0.5]:9,[::ffff:1.2.3.4]:8", {"fe80::1%eth0.5", "::ffff:1.2.3.4"}, {9, 8}},
        {"[2001:DB8::aF]:9", {"2001:DB8::aF"}, {9}},
        {"a:1,a:1", {"a", "a"}, {1, 1}}, /* doubles are the reader's business */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_error error = {.text = "untouched"};
        kloop_string rest = text_of(cases[i].list);
        assert_int_equal(kl_servers_check(rest, "x", &error), KLOOP_OK);
        assert_string_equal(error.text, "untouched");
        kl_server server;
        for (size_t n = 0; n < 3 && cases[i].hosts[n]; n++) {
            assert_true(kl_servers_next(&rest, &server));
            assert_int_equal(server.host.len, strlen(cases[i].hosts[n]));
            assert_memory_equal(server.host.data, cases[i].hosts[n], server.host.len);
            assert_int_equal(server.port, cases[i].ports[n]);
        }
        assert_false(kl_servers_next(&rest, &server));
        assert_false(kl_servers_next(&rest, &server));
    }
}

static void bad_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list, *says;
    } cases[] = {
        {"", "the list is empty"},
        {",", "entry 1 of the list is empty"},
        {"a:1,", "entry 2 of the list is empty"},
        {"a:1, ,b:2", "entry 2 of the list is empty"},
        {",a:1", "entry 1 of the list is empty"},
        {"localhost", "'localhost' has no port; HOST:PORT is needed, such as localhost:9092"},
        {"a:1,b", "'b' has no port"},
        {"a:", "'a:' has no port"},
        {":", "':' has no port"},
        {":9", "':9' has no host"},
        {"a:0", "'a:0' has a port that is out of range; allowed: 1 to 65535"},
        {"a:65536", "out of range"},
        {"a:655350", "out of range"},
        {"a:99999999999999999999", "out of range"},
        {"a:4295032832", "out of range"}, /* 2^32 + 65536 */
        {"a:9x", "no number"},
        {"a:+9", "no number"},
        {"a:-9", "no number"},
        {"a: 9", "no number"},
        {"a b:9", "a character that no host name has"},
        {"a:9;b:8", "a character that no host name has"},
        {"\xc3\xbc:9", "xn--"},
        {"::1:9", "an IPv6 address stands in brackets"},
        {"::1", "an IPv6 address stands in brackets"},
        {"a:9:9", "too many colons"},
        {"PLAINTEXT://a:9", "'PLAINTEXT://a:9' looks like a URL"},
        {"SSL://a", "looks like a URL"},
        {"[::1]", "has no port"},
        {"[::1]9", "has no port"},
        {"[::1]:", "has no port"},
        {"[::1]x:9", "has no port"},
        {"[::1:9", "a bracket that is not closed"},
        {"[", "a bracket that is not closed"},
        {"[]:9", "has no host"},
        {"[localhost]:9", "something else than an IPv6 address"},
        {"[1234]:9", "something else than an IPv6 address"},
        {"[::g]:9", "something else than an IPv6 address"},
        {"[[::1]]:9", "something else than an IPv6 address"},
        {"[::1%]:9", "no zone after the %"},
        {"[%eth0]:9", "something else than an IPv6 address"},
        {"[::1%e/0]:9", "looks like a URL"},
        {"[::1%e 0]:9", "something else than an IPv6 address"},
        {"[::1]:0", "out of range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_error error = {0};
        assert_int_equal(kl_servers_check(text_of(cases[i].list), "boots", &error),
                         KLOOP_BAD_CONFIG);
        assert_int_equal(error.status, KLOOP_BAD_CONFIG);
        assert_memory_equal(error.text, "boots: ", 7);
        if (!strstr(error.text, cases[i].says))
            fail_msg("of '%s' it is said: %s", cases[i].list, error.text);
        assert_int_equal(kl_servers_check(text_of(cases[i].list), "boots", NULL), KLOOP_BAD_CONFIG);
    }
}

static void the_longest_name(void **state)
{
    (void)state;
    char list[300];
    memset(list, 'a', sizeof list);
    memcpy(list + 255, ":9", 3);
    assert_int_equal(kl_servers_check(text_of(list), "x", NULL), KLOOP_OK);
    list[255] = 'a';
    memcpy(list + 256, ":9", 3);
    kloop_error error;
    assert_int_equal(kl_servers_check(text_of(list), "x", &error), KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "more than 255 bytes"));
}

static void the_longest_list(void **state)
{
    (void)state;
    static char list[4 * (KL_SERVERS_MAX + 1)];
    for (size_t i = 0; i <= KL_SERVERS_MAX; i++)
        memcpy(list + 4 * i, "a:1,", 4);
    assert_int_equal(kl_servers_check((kloop_string){list, 4 * KL_SERVERS_MAX - 1}, "x", NULL),
                     KLOOP_OK);
    kloop_error error;
    assert_int_equal(kl_servers_check((kloop_string){list, sizeof list - 1}, "x", &error),
                     KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "more than 1000 entries"));
}

static void equal_servers(void **state)
{
    (void)state;
    kl_server a = {text_of("LocalHost"), 9};
    kl_server b = {text_of("localhosT"), 9};
    assert_true(kl_server_equal(&a, &b));
    b.port = 10;
    assert_false(kl_server_equal(&a, &b));
    b = (kl_server){text_of("localhos"), 9};
    assert_false(kl_server_equal(&a, &b));
    b = (kl_server){text_of("localhort"), 9};
    assert_false(kl_server_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lists),       cmocka_unit_test(bad_lists),
        cmocka_unit_test(the_longest_name), cmocka_unit_test(the_longest_list),
        cmocka_unit_test(equal_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
