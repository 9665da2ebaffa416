/* SPDX-License-Identifier: BSD-2-Clause */
/* A token out of a file: what is taken off it, and what is refused with which words. */
#define _GNU_SOURCE
#include "driver/token_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[128];
static char bytes[KL_TOKEN_FILE_BYTES_MAX + 1];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/kloop-token-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/token", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put(const void *content, size_t len)
{
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    assert_int_equal(fwrite(content, 1, len, to), len);
    fclose(to);
}

static void expect(const char *content, const char *wanted)
{
    kloop_string token;
    char why[512];
    put(content, strlen(content));
    assert_true(kl_token_file_read(path, bytes, &token, why, sizeof why));
    assert_int_equal(token.len, strlen(wanted));
    assert_memory_equal(token.data, wanted, token.len);
}

static void expect_refused(const char *of, const char *wanted)
{
    kloop_string token;
    char why[512], whole[512];
    assert_false(kl_token_file_read(of, bytes, &token, why, sizeof why));
    snprintf(whole, sizeof whole, "the token file %s (sasl.oauthbearer.token.endpoint.url) %s", of,
             wanted);
    assert_string_equal(why, whole);
}

static void test_trimmed(void **state)
{
    (void)state;
    expect("abc.def.ghi", "abc.def.ghi");
    expect("abc.def.ghi\n", "abc.def.ghi");
    expect(" \t\r\n abc def\r\n\r\n", "abc def");
    expect("x", "x");
}

static void test_refused(void **state)
{
    (void)state;
    char missing[160];
    snprintf(missing, sizeof missing, "%s/nothing", folder);
    expect_refused(missing, "cannot be read: No such file or directory");
    put("", 0);
    expect_refused(path, "is empty");
    put(" \n\t\r\n", 5);
    expect_refused(path, "is empty");
    expect_refused(folder, "is no plain file");
}

static void test_longest(void **state)
{
    (void)state;
    kloop_string token;
    char why[512];
    static char large[KL_TOKEN_FILE_BYTES_MAX + 1];
    memset(large, 'a', sizeof large);
    put(large, KL_TOKEN_FILE_BYTES_MAX);
    assert_true(kl_token_file_read(path, bytes, &token, why, sizeof why));
    assert_int_equal(token.len, KL_TOKEN_FILE_BYTES_MAX);
    put(large, KL_TOKEN_FILE_BYTES_MAX + 1);
    expect_refused(path, "is longer than 64 KiB, which no token is");
}

/* Nobody writes to it, so an ordinary open would wait for ever. */
static void test_pipe(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(path, "is no plain file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trimmed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_longest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pipe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
