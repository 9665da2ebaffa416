/* SPDX-License-Identifier: BSD-2-Clause */
/* HOST:PORT with names, addresses and brackets. */
#include "cli/host_port.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void good_ones(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {
        {"localhost:9092", "localhost", 9092},
        {"127.0.0.1:0", "127.0.0.1", 0},
        {"a:65535", "a", 65535},
        {"[::1]:9092", "::1", 9092},
        {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[KL_HOST_MAX];
        uint16_t port = 1;
        assert_true(kl_host_port_parse(kloop_text(cases[i].text), host, &port));
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
    }
}

static void bad_ones(void **state)
{
    (void)state;
    char long_host[KL_HOST_MAX + 8];
    memset(long_host, 'a', sizeof long_host);
    strcpy(long_host + KL_HOST_MAX, ":1");
    const char *const cases[] = {
        "",        ":",    ":9092", "host",   "host:",         "host:65536",
        "host:-1", "h:1x", "::1:1", "[::1:1", "[]:1",          "[a:1",
        "a:b:1",   "h: 1", "h:+1",  "[::1]",  "h:99999999999", long_host};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char host[KL_HOST_MAX];
        uint16_t port;
        if (kl_host_port_parse(kloop_text(cases[i]), host, &port))
            fail_msg("'%s' was taken", cases[i]);
    }
}

static void the_longest_host(void **state)
{
    (void)state;
    char text[KL_HOST_MAX + 8], host[KL_HOST_MAX];
    uint16_t port;
    memset(text, 'a', sizeof text);
    strcpy(text + KL_HOST_MAX - 1, ":1");
    assert_true(kl_host_port_parse(kloop_text(text), host, &port));
    assert_int_equal(strlen(host), KL_HOST_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(the_longest_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
