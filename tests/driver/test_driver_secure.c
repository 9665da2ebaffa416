/* SPDX-License-Identifier: BSD-2-Clause */
/* What kloop_open() makes of security.protocol, where it fails closed, and how tokens come to the
 * engine. */
#define _GNU_SOURCE
#include "driver/uv_producer.h"
#include "tests/driver/scripted_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const bearer[] = {"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism",
                                     "OAUTHBEARER", NULL};
static const char *const plain[] = {"security.protocol",
                                    "SASL_PLAINTEXT",
                                    "sasl.mechanism",
                                    "PLAIN",
                                    "sasl.username",
                                    "alice",
                                    "sasl.password",
                                    "alice-secret",
                                    NULL};
static const char *const nobody[] = {"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism",
                                     "PLAIN", NULL};

static int reset(void **state)
{
    (void)state;
    scripted_set_config(NULL);
    return 0;
}

/* Opening fails, with these words in the sentence, and leaves nothing behind. */
static void expect_refused(const char *const *config, kloop_status wanted, const char *words)
{
    uv_loop_t loop;
    kl_fail_alloc memory;
    kloop_producer *p;
    kloop_error error = {.text = ""};
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    scripted_set_config(config);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(kloop_open_with(&p, &loop, kloop_config_new(NULL), &alloc, &error), wanted);
    assert_null(p);
    assert_int_equal(error.status, wanted);
    if (!strstr(error.text, words))
        fail_msg("'%s' is not in: %s", words, error.text);
    assert_int_equal(kloop_open_with(&p, &loop, kloop_config_new(NULL), &alloc, NULL), wanted);
    kl_fail_alloc_check(&memory);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Without random bytes there is no SASL; without SASL nobody needs them. */
static void test_no_entropy(void **state)
{
    (void)state;
    memset(&scripted_sys, 0, sizeof scripted_sys);
    scripted_sys.random_error = UV_EIO;
    expect_refused(plain, KLOOP_BAD_CONFIG, "no random bytes");
    scripted_set_config(NULL);
    scripted_loop l;
    scripted_loop_open(&l);
    scripted_loop_close(&l);
}

static void test_refused(void **state)
{
    (void)state;
    memset(&scripted_sys, 0, sizeof scripted_sys);
    expect_refused(nobody, KLOOP_BAD_CONFIG, "sasl.username");
}

/* Memory that is missing at any point of opening. */
static void test_no_memory(void **state)
{
    (void)state;
    memset(&scripted_sys, 0, sizeof scripted_sys);
    scripted_set_config(plain);
    for (size_t nth = 1;; nth++) {
        uv_loop_t loop;
        kl_fail_alloc memory;
        kloop_producer *p;
        kloop_error error = {.text = ""};
        kl_fail_alloc_init(&memory, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&memory);
        assert_int_equal(uv_loop_init(&loop), 0);
        kloop_status status = kloop_open_with(&p, &loop, kloop_config_new(NULL), &alloc, &error);
        if (status == KLOOP_OK) {
            kloop_close(p, 0, NULL, NULL);
            uv_run(&loop, UV_RUN_DEFAULT);
        } else {
            assert_int_equal(status, KLOOP_NO_MEMORY);
        }
        assert_int_equal(uv_loop_close(&loop), 0);
        size_t refused = memory.refused;
        kl_fail_alloc_check(&memory);
        if (!refused)
            break;
    }
}

/* ---- Tokens ---- */

static int asked;

static void on_token(kloop_producer *p, void *me)
{
    asked++;
    if (me)
        kloop_token_failed(p, me);
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)level;
    strncat(me, text, 500);
}

static void want_token(scripted_loop *l)
{
    kloop_topic *topic;
    scripted_act(l->engine, KLOOP_ACT_TOKEN, (kloop_id){0, 0});
    assert_int_equal(kloop_topic_get(l->producer, "t", &topic, NULL), KLOOP_OK);
    for (int i = 0; i < 3; i++)
        uv_run(&l->loop, UV_RUN_NOWAIT);
}

static const char *failure(scripted_loop *l)
{
    const scripted_event *e = scripted_last(l->engine, SCRIPTED_NO_TOKEN);
    return e ? e->text : "";
}

static void test_callback(void **state)
{
    (void)state;
    scripted_loop l;
    char why[] = "on strike";
    scripted_set_config(bearer);
    scripted_loop_open(&l);
    want_token(&l);
    assert_non_null(strstr(failure(&l), "kloop_on_token()"));
    asked = 0;
    kloop_on_token(l.producer, on_token, why);
    want_token(&l);
    assert_int_equal(asked, 1);
    assert_string_equal(failure(&l), why);
    kloop_on_token(l.producer, on_token, NULL);
    want_token(&l);
    assert_int_equal(asked, 2);
    assert_int_equal(scripted_count(l.engine, SCRIPTED_NO_TOKEN), 2);
    const kloop_token token = {.value = {"abc", 3}, .expires_ms = KLOOP_NEVER};
    assert_int_equal(kloop_set_token(l.producer, &token, NULL), KLOOP_OK);
    assert_string_equal(scripted_last(l.engine, SCRIPTED_TOKEN)->text, "abc");
    kloop_close(l.producer, 0, scripted_loop_on_closed, &l);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    scripted_loop_close(&l);
}

/* What is in the file, without the end of its line; and who refuses it hears which file it was. */
static void test_file(void **state)
{
    (void)state;
    char path[] = "/tmp/kloop-token-XXXXXX", url[64], log[1024] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "abc.def\n", 8), 8);
    close(fd);
    snprintf(url, sizeof url, "file://%s", path);
    const char *const with_file[] = {"security.protocol",
                                     "SASL_PLAINTEXT",
                                     "sasl.mechanism",
                                     "OAUTHBEARER",
                                     "sasl.oauthbearer.token.endpoint.url",
                                     url,
                                     NULL};
    scripted_loop l;
    scripted_set_config(with_file);
    scripted_loop_open(&l);
    kloop_on_log(l.producer, on_log, log);
    want_token(&l);
    assert_string_equal(scripted_last(l.engine, SCRIPTED_TOKEN)->text, "abc.def");
    assert_string_equal(log, "");
    scripted_answer_sends(l.engine, KLOOP_BAD_ARGUMENT);
    want_token(&l);
    assert_int_equal(scripted_count(l.engine, SCRIPTED_TOKEN), 2);
    assert_non_null(strstr(log, path));
    assert_null(strstr(log, "abc"));
    scripted_answer_sends(l.engine, KLOOP_OK);
    unlink(path);
    want_token(&l);
    assert_non_null(strstr(failure(&l), path));
    assert_non_null(strstr(failure(&l), "No such file or directory"));
    /* No memory for reading it. */
    l.memory.nth = l.memory.calls + 1;
    want_token(&l);
    assert_string_equal(failure(&l), "there is no memory for a token");
    scripted_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_no_entropy, reset),
        cmocka_unit_test_teardown(test_refused, reset),
        cmocka_unit_test_teardown(test_no_memory, reset),
        cmocka_unit_test_teardown(test_callback, reset),
        cmocka_unit_test_teardown(test_file, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
