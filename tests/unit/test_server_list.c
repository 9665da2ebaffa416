/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of bootstrap.servers. */
#include "cli/server_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void entries(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
    } wanted[] = {{"a.example", 9092}, {"::1", 1}, {"127.0.0.1", 65535}};
    const char *rest = " a.example:9092 ,[::1]:00001, 127.0.0.1:65535  ";
    char host[KL_HOST_MAX];
    uint16_t port;
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(kl_server_list_next(&rest, host, &port));
        assert_string_equal(host, wanted[i].host);
        assert_int_equal(port, wanted[i].port);
    }
    assert_false(kl_server_list_next(&rest, host, &port));
    assert_false(kl_server_list_next(&rest, host, &port));
}

/* An entry is not longer than its text: one with many zeros once ended the command. */
static void long_ones(void **state)
{
    char text[KL_HOST_MAX + 600], host[KL_HOST_MAX];
    const char *rest = text;
    uint16_t port;
    (void)state;
    memset(text, 'a', KL_HOST_MAX - 1);
    text[KL_HOST_MAX - 1] = ':';
    memset(text + KL_HOST_MAX, '0', 500);
    strcpy(text + KL_HOST_MAX + 500, "7,b:8");
    assert_true(kl_server_list_next(&rest, host, &port));
    assert_int_equal(strlen(host), KL_HOST_MAX - 1);
    assert_int_equal(port, 7);
    assert_true(kl_server_list_next(&rest, host, &port));
    assert_string_equal(host, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries),
        cmocka_unit_test(long_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
