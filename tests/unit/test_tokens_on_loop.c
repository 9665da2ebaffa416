/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens for OAUTHBEARER on a real loop: out of a file, by a callback that answers at once, late or
 * never, failures of both, and what a loop is left with. No TLS is needed for that.
 */
#define _GNU_SOURCE
#include "tests/support/secure_world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BEARER "security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "OAUTHBEARER"

static const kl_byte_filter_maker no_filter;
static const char *const settings[] = {BEARER, "retry.backoff.ms", "1", "retry.backoff.max.ms", "5",
                                       NULL};

static char folder[64];
static char path[96];

static kloop_token token_of(const char *text)
{
    return (kloop_token){.value = {text, strlen(text)}, .expires_ms = KLOOP_NEVER};
}

static void set_token(secure_world *w, const char *text)
{
    kloop_error error;
    kloop_token token = token_of(text);
    if (kloop_set_token(w->producer, &token, &error))
        fail_msg("%s", error.text);
}

/* ---- The callback ---- */

static void at_once(kloop_producer *p, void *me)
{
    secure_world *w = me;
    assert_ptr_equal(p, w->producer);
    w->tokens_wanted++;
    set_token(w, "good-token");
}

static void later(kloop_producer *p, void *me)
{
    (void)p;
    ((secure_world *)me)->tokens_wanted++;
}

static void fails_twice(kloop_producer *p, void *me)
{
    secure_world *w = me;
    if (++w->tokens_wanted <= 2)
        kloop_token_failed(p, "the identity provider is on strike");
    else
        set_token(w, "good-token");
}

static void closes(kloop_producer *p, void *me)
{
    secure_world *w = me;
    w->tokens_wanted++;
    kloop_close(p, 0, secure_world_on_closed, w);
}

static void open_world(secure_world *w, const char *const *with)
{
    secure_world_cluster(w, 1, KL_LOGIN_OAUTHBEARER, no_filter);
    secure_world_producer(w, with);
}

static void test_at_once(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    kloop_on_token(w.producer, at_once, &w);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 10);
    assert_int_equal(w.tokens_wanted, 1);
    secure_world_close(&w, 1000);
    assert_null(strstr(w.log, "good-token"));
}

/* In the middle of the user's code, long after it was asked for; before that nothing is sent, and
 * the loop sleeps. */
static void test_late(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    kloop_on_token(w.producer, later, &w);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.tokens_wanted == 1);
    for (int i = 0; i < 30; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    assert_int_equal(w.tokens_wanted, 1);
    assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 0);
    set_token(&w, "good-token");
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 10);
    /* One that nobody has asked for. */
    set_token(&w, "good-token");
    secure_world_send(&w, 1);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 11);
    secure_world_close(&w, 1000);
}

static void test_before_it_is_asked_for(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    set_token(&w, "good-token");
    kloop_on_token(w.producer, later, &w);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 10);
    assert_int_equal(w.tokens_wanted, 0);
    secure_world_close(&w, 1000);
}

/* Nobody ever answers: records end by their time, close by its own. */
static void test_never(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    kloop_on_token(w.producer, later, &w);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.tokens_wanted == 1);
    secure_world_close(&w, 30);
    assert_int_equal(w.reported[KLOOP_OUTCOME_FAILED], 10);
    assert_int_equal(w.tokens_wanted, 1);
}

/* Without a token nobody can be asked for a topic, and records that wait for that fail: as long as
 * one does, there is another. */
static bool sent_in_vain(secure_world *w)
{
    uint64_t failed = w->reported[KLOOP_OUTCOME_FAILED];
    if (w->reported[KLOOP_OUTCOME_ACKED])
        return false;
    if (failed == w->wanted) {
        secure_world_send(w, 1);
        w->wanted++;
    }
    return true;
}

static void test_fails_twice(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    kloop_on_token(w.producer, fails_twice, &w);
    SECURE_RUN_UNTIL(&w, !sent_in_vain(&w));
    assert_int_equal(w.tokens_wanted, 3);
    secure_world_expect(w.log, "the identity provider is on strike");
    secure_world_close(&w, 1000);
}

static void test_closes(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    kloop_on_token(w.producer, closes, &w);
    secure_world_send(&w, 10);
    SECURE_RUN_UNTIL(&w, w.closed);
    assert_int_equal(w.reported[KLOOP_OUTCOME_FAILED], 10);
    secure_world_close(&w, 0);
}

/* Neither a callback nor a file: the log says what is missing. */
static void test_nobody(void **state)
{
    (void)state;
    secure_world w;
    open_world(&w, settings);
    secure_world_send(&w, 1);
    SECURE_RUN_UNTIL(&w, strstr(w.log, "kloop_on_token()"));
    secure_world_expect(w.log, "sasl.oauthbearer.token.endpoint.url");
    secure_world_close(&w, 0);
}

static void test_arguments(void **state)
{
    (void)state;
    secure_world w;
    kloop_error error;
    const char *const plain[] = {"security.protocol",
                                 "SASL_PLAINTEXT",
                                 "sasl.mechanism",
                                 "PLAIN",
                                 "sasl.username",
                                 "alice",
                                 "sasl.password",
                                 "alice-secret",
                                 NULL};
    kloop_token token = token_of("good-token");
    open_world(&w, settings);
    assert_int_equal(kloop_set_token(w.producer, NULL, &error), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_set_token(w.producer, NULL, NULL), KLOOP_BAD_ARGUMENT);
    kloop_token old = token;
    old.expires_ms = 1000;
    assert_int_equal(kloop_set_token(w.producer, &old, &error), KLOOP_BAD_ARGUMENT);
    assert_true(strlen(error.text) > 10);
    /* Nobody has asked. */
    kloop_token_failed(w.producer, NULL);
    secure_world_close(&w, 0);

    secure_world_cluster(&w, 1, KL_LOGIN_PLAIN, no_filter);
    secure_world_producer(&w, plain);
    assert_int_equal(kloop_set_token(w.producer, &token, &error), KLOOP_BAD_ARGUMENT);
    secure_world_send(&w, 3);
    SECURE_RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 3);
    kloop_close(w.producer, 0, secure_world_on_closed, &w);
    secure_world_close(&w, 0);
}

/* ---- The file ---- */

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/kloop-tokens-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/token", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put_token(const char *text)
{
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

/* A file that comes late, and whose first content is none: it is read anew each time. */
static void test_file(void **state)
{
    (void)state;
    secure_world w;
    char url[128];
    snprintf(url, sizeof url, "file://%s", path);
    const char *const with_file[] = {BEARER, "sasl.oauthbearer.token.endpoint.url",
                                     url,    "retry.backoff.ms",
                                     "1",    "retry.backoff.max.ms",
                                     "5",    NULL};
    open_world(&w, with_file);
    /* Not asked while there is a file. */
    kloop_on_token(w.producer, at_once, &w);
    SECURE_RUN_UNTIL(&w, sent_in_vain(&w) && strstr(w.log, "No such file or directory"));
    secure_world_expect(w.log, path);
    put_token(" \n");
    SECURE_RUN_UNTIL(&w, sent_in_vain(&w) && strstr(w.log, "is empty"));
    put_token("good-token\n");
    SECURE_RUN_UNTIL(&w, !sent_in_vain(&w));
    assert_int_equal(w.tokens_wanted, 0);
    secure_world_close(&w, 1000);
    assert_null(strstr(w.log, "good-token"));
}

/* In each turn of the way to the first record. */
static void test_close_after_turns(void **state)
{
    (void)state;
    for (int turns = 0; turns < 25; turns++) {
        secure_world w;
        open_world(&w, settings);
        kloop_on_token(w.producer, turns % 2 ? at_once : later, &w);
        secure_world_send(&w, 5);
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        secure_world_close(&w, 0);
        assert_int_equal(w.stats.accepted, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_before_it_is_asked_for),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_fails_twice),
        cmocka_unit_test(test_closes),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_close_after_turns),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
