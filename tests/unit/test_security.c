/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command needs to be safe, out of a configuration; and tokens from files. */
#define _GNU_SOURCE
#include "cli/security.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void set(kloop_config *c, const char *key, const char *value)
{
    if (kloop_config_set(c, key, value))
        fail_msg("%s", kloop_config_error(c));
}

static void without_any(void **state)
{
    kl_security s;
    kloop_error error;
    kloop_config *c = kloop_config_new(NULL);
    (void)state;
    assert_int_equal(kl_security_init(&s, c, &error), KLOOP_OK);
    assert_null(s.tls);
    assert_null(s.mechanism);
    kl_security_deinit(&s);
    kl_security_deinit(&s);
    kloop_config_del(c);
}

static void what_cannot_be(void **state)
{
    kl_security s;
    kloop_error error;
    kloop_config *c = kloop_config_new(NULL);
    (void)state;
    set(c, "security.protocol", "SASL_PLAINTEXT");
    assert_int_equal(kl_security_init(&s, c, &error), KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "sasl.mechanism"));
    kl_security_deinit(&s);
    kloop_config_del(c);
}

static void a_login(void **state)
{
    kl_security s;
    kloop_error error;
    kloop_config *c = kloop_config_new(NULL);
    (void)state;
    set(c, "security.protocol", "SASL_PLAINTEXT");
    set(c, "sasl.mechanism", "SCRAM-SHA-256");
    set(c, "sasl.username", "me");
    set(c, "sasl.password", "secret");
    assert_int_equal(kl_security_init(&s, c, &error), KLOOP_OK);
    kloop_config_del(c);
    assert_string_equal(s.mechanism->name, "SCRAM-SHA-256");
    /* It needs no token, and has no file of one. */
    assert_false(kl_security_fetch_token(&s, &error));
    assert_non_null(strstr(error.text, "sasl.oauthbearer.token.endpoint.url"));
    kl_security_deinit(&s);
}

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void tokens(void **state)
{
    static char large[(64 << 10) + 2];
    char path[] = "/tmp/kloop-token-XXXXXX", url[64];
    kl_security s;
    kloop_error error;
    kloop_config *c = kloop_config_new(NULL);
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(url, sizeof url, "file://%s", path);
    set(c, "security.protocol", "SASL_PLAINTEXT");
    set(c, "sasl.mechanism", "OAUTHBEARER");
    set(c, "sasl.oauthbearer.token.endpoint.url", url);
    assert_int_equal(kl_security_init(&s, c, &error), KLOOP_OK);
    kloop_config_del(c);

    assert_false(kl_security_fetch_token(&s, &error));
    assert_non_null(strstr(error.text, "it is empty"));
    write_file(path, " \n\t ", 4);
    assert_false(kl_security_fetch_token(&s, &error));
    assert_non_null(strstr(error.text, "it is empty"));
    memset(large, 'a', sizeof large);
    write_file(path, large, sizeof large);
    assert_false(kl_security_fetch_token(&s, &error));
    assert_non_null(strstr(error.text, "64 KiB"));
    write_file(path,
               "a\x01"
               "b",
               3);
    assert_false(kl_security_fetch_token(&s, &error));
    assert_null(strstr(error.text, "a\x01"));
    write_file(path, " abc.def \n", 10);
    assert_true(kl_security_fetch_token(&s, &error));
    unlink(path);
    assert_false(kl_security_fetch_token(&s, &error));
    assert_non_null(strstr(error.text, "No such file"));
    assert_non_null(strstr(error.text, path));
    /* It looked like a file that is empty, or busy. */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(kl_security_fetch_token(&s, &error));
    assert_non_null(strstr(error.text, "it is no plain file"));
    unlink(path);
    kl_security_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_any),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(a_login),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
