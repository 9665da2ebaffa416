/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and addresses that nobody has to be asked for; DNS itself is tests/cli/test_meta_cli.py's.
 */
#include "cli/name_lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_at(const kl_name_lookup *l, size_t index, const char *wanted)
{
    char text[KL_ADDRESS_TEXT_MAX];
    socklen_t len;
    const struct sockaddr *address = kl_name_lookup_at(l, index, &len);
    assert_true(len > 0);
    kl_address_text(address, text);
    assert_string_equal(text, wanted);
}

static void expect_one(const char *host, uint16_t port, const char *wanted)
{
    kl_name_lookup *l = kl_name_lookup_new(host, port);
    assert_non_null(l);
    assert_true(kl_name_lookup_is_over(l));
    assert_int_equal(kl_name_lookup_count(l), 1);
    assert_string_equal(kl_name_lookup_why(l), "");
    expect_at(l, 0, wanted);
    kl_name_lookup_del(l);
}

static void test_addresses(void **state)
{
    (void)state;
    expect_one("127.0.0.1", 9092, "127.0.0.1:9092");
    expect_one("::1", 1, "[::1]:1");
    expect_one("2001:db8::7", 65535, "[2001:db8::7]:65535");
}

static void test_localhost_is_both(void **state)
{
    static const char *const names[] = {"localhost", "LocalHost", "localhost."};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        kl_name_lookup *l = kl_name_lookup_new(names[i], 9092);
        assert_true(kl_name_lookup_is_over(l));
        assert_int_equal(kl_name_lookup_count(l), 2);
        expect_at(l, 0, "127.0.0.1:9092");
        expect_at(l, 1, "[::1]:9092");
        kl_name_lookup_del(l);
    }
}

static void test_one_that_is_given_up(void **state)
{
    struct pollfd fds[KL_NAME_LOOKUP_FDS_MAX];
    int timeout_ms = 60000;
    (void)state;
    /* With a server it is under way, without one it is over; neither may leave anything behind. */
    kl_name_lookup *l = kl_name_lookup_new("no-such-name.invalid", 9092);
    assert_non_null(l);
    size_t count = kl_name_lookup_watch(l, fds, &timeout_ms);
    assert_true(count <= KL_NAME_LOOKUP_FDS_MAX);
    assert_true(timeout_ms >= 0 && timeout_ms <= 60000);
    for (size_t i = 0; i < count; i++)
        fds[i].revents = 0;
    kl_name_lookup_step(l, fds, count);
    assert_int_equal(kl_name_lookup_count(l), 0);
    kl_name_lookup_del(l);
    kl_name_lookup_del(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_localhost_is_both),
        cmocka_unit_test(test_one_that_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
