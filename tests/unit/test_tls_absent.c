/* SPDX-License-Identifier: BSD-2-Clause */
/* driver/tls_absent.c: a build without OpenSSL says so when it is asked for TLS. Built only there.
 */
#include <kloop/tls.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void refuses_tls_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *protocol;
        kloop_status status;
    } rows[] = {
        {"PLAINTEXT", KLOOP_OK},
        {"SASL_PLAINTEXT", KLOOP_OK},
        {"SSL", KLOOP_BAD_CONFIG},
        {"sasl_ssl", KLOOP_BAD_CONFIG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kloop_config *config = kloop_config_new(NULL);
        kloop_tls *tls = (kloop_tls *)&config;
        kloop_error error;
        assert_int_equal(kloop_config_set(config, "security.protocol", rows[i].protocol), KLOOP_OK);
        assert_int_equal(kloop_tls_new(&tls, config, NULL, (kloop_now){0}, &error), rows[i].status);
        assert_null(tls);
        assert_int_equal(error.status, rows[i].status);
        assert_int_equal(strstr(error.text, "-DKLOOP_TLS=ON") != NULL, rows[i].status != KLOOP_OK);
        assert_int_equal(kloop_tls_new(&tls, config, NULL, (kloop_now){0}, NULL), rows[i].status);
        assert_false(kloop_tls_take_note(tls, &error));
        kloop_tls_del(tls);
        kloop_config_del(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_tls_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
