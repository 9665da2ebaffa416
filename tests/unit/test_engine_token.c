/* SPDX-License-Identifier: BSD-2-Clause */
/* Tokens: when they are asked for, who waits for them, and what failures make of that. */
#include "tests/support/engine_host.h"
#include "tests/support/scripted_sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static scripted_sasl sasl;
static host_topic *topic;

static void open_with(uint64_t token_ms, const char *const *pairs)
{
    host_prepare(&h, 0);
    h.token_ms = token_ms;
    scripted_sasl_init(&sasl, "tsd", true);
    if (host_open_sasl(&h, &sasl.mechanism, pairs))
        fail_msg("%s", h.error.text);
    topic = host_add_topic(&h, "t", 1);
}

static void open_host(uint64_t token_ms)
{
    static const char *const pairs[] = {"linger.ms", "0", NULL};
    open_with(token_ms, pairs);
}

static void finish(void)
{
    host_close(&h, 0, 0);
    assert_int_equal(sasl.begun, sasl.ended);
    host_end(&h);
}

static void deliver_one(void)
{
    host_send(&h, topic, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, h.user_count, h.user_count);
}

/* ---- The first one ---- */

static void asked_for_when_it_is_needed(void **state)
{
    (void)state;
    open_host(0);
    host_run(&h);
    assert_int_equal(h.tokens, 1); /* bootstrap.servers is connected to at once */
    deliver_one();
    assert_int_equal(h.tokens, 1);
    assert_int_equal(sasl.tokens, 1);
    /* One that does not expire is never asked for again. */
    host_sleep(&h, 86400000);
    assert_int_equal(h.tokens, 1);
    finish();
}

static void not_asked_for_when_it_is_there(void **state)
{
    (void)state;
    open_host(0);
    assert_int_equal(host_give_token(&h), KLOOP_OK);
    deliver_one();
    assert_int_equal(h.tokens, 0);
    finish();
}

static void waited_for_as_long_as_a_setup_may_take(void **state)
{
    (void)state;
    static const char *const pairs[] = {"linger.ms", "0", "socket.connection.setup.timeout.ms",
                                        "3000", NULL};
    open_with(0, pairs);
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 2999);
    assert_int_equal(h.tokens, 1);
    host_expect_no_line(&h, "CLOSE");
    host_sleep(&h, 1);
    host_expect_line(&h, "not ready in time (socket.connection.setup.timeout.ms) while waiting "
                         "for a token");
    /* The next connection waits for the same one. */
    host_sleep(&h, 1000);
    assert_int_equal(h.tokens, 1);
    assert_int_equal(host_give_token(&h), KLOOP_OK);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    finish();
}

static void one_for_all_connections(void **state)
{
    (void)state;
    static const char *const pairs[] = {"linger.ms", "0", "bootstrap.servers",
                                        "b1:9091,b2:9092,b3:9093", NULL};
    open_with(0, pairs);
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    /* One after the other is tried, as none gets on. */
    host_sleep(&h, 4000);
    assert_int_equal(h.tokens, 1);
    assert_int_equal(sasl.running_max, 3);
    assert_int_equal(host_give_token(&h), KLOOP_OK);
    host_run(&h);
    assert_int_equal(host_stats(&h).authentications, 3);
    HOST_ANSWER(&h, 1, 0);
    finish();
}

static void waiting_is_told(void **state)
{
    (void)state;
    open_host(0);
    deliver_one();
    host_lose_connection(&h, 1, "gone");
    sasl.has_token = false;
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 200);
    char text[400];
    assert_int_equal(kloop_why_waiting(topic->handle, 0, text, sizeof text),
                     KLOOP_WAITING_CONNECTION);
    assert_non_null(strstr(text, "waiting for a token"));
    host_give_token(&h);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    finish();
}

/* ---- Refreshing ---- */

/* How long until the next one is asked for, in ms. */
static uint64_t until_the_next(void)
{
    uint64_t from = h.now.mono_ns;
    int had = h.tokens;
    while (h.tokens == had) {
        uint64_t ms = host_deadline(&h);
        assert_int_not_equal(ms, HOST_NEVER);
        host_sleep(&h, ms);
    }
    return (h.now.mono_ns - from) / 1000000;
}

/* As Java has it: 80 to 85 % of the life, not within a minute of the last, 5 minutes before the
 * end at the latest; what is shorter than these together knows the percentage alone. */
static void at_four_fifths_of_its_life(void **state)
{
    (void)state;
    static const struct {
        uint64_t life, least, most;
    } lives[] = {
        {86400000, 69120000, 73440001},
        {3600000, 2880000, 3060001},
        {1000000, 700000, 700001},
        {360000, 60000, 60001},
        {359000, 287200, 305151},
        {10000, 8000, 8501},
        {2000, 1600, 1701},
    };
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        open_host(lives[i].life);
        host_run(&h);
        assert_int_equal(h.tokens, 1);
        for (int n = 0; n < 5; n++)
            assert_in_range(until_the_next(), lives[i].least, lives[i].most);
        finish();
    }
}

static void as_the_keys_say(void **state)
{
    (void)state;
    static const char *const pairs[] = {"linger.ms",
                                        "0",
                                        "sasl.login.refresh.window.factor",
                                        "0.5",
                                        "sasl.login.refresh.window.jitter",
                                        "0.0",
                                        "sasl.login.refresh.min.period.seconds",
                                        "10",
                                        "sasl.login.refresh.buffer.seconds",
                                        "20",
                                        NULL};
    static const uint64_t lives[][2] = {
        {100000, 50000}, {36000, 16000}, {30000, 10000}, {29000, 14500}, {1000, 1000}};
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        open_with(lives[i][0], pairs);
        host_run(&h);
        assert_int_equal(until_the_next(), lives[i][1]);
        finish();
    }
}

/* However short the life is that an issuer gives, nobody is asked more than once in a second, and
 * nothing goes round and round. */
static void lives_of_no_length(void **state)
{
    (void)state;
    for (uint64_t life = 1; life <= 100; life *= 10) {
        open_host(life);
        host_send(&h, topic, 0, 1);
        host_sleep(&h, 10000);
        assert_in_range(h.tokens, 5, 11);
        finish();
    }
}

static void endless_lives(void **state)
{
    (void)state;
    static const uint64_t lives[] = {UINT64_MAX - 1700000000000 - 1, UINT64_C(1) << 62,
                                     INT64_MAX / 1000000};
    for (size_t i = 0; i < 3; i++) {
        open_host(lives[i]);
        deliver_one();
        host_sleep(&h, UINT64_C(86400000) * 365);
        assert_int_equal(h.tokens, 1);
        finish();
    }
}

/* ---- Failures ---- */

static void failures_back_off(void **state)
{
    (void)state;
    open_host(0);
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    uint64_t waits[12];
    for (int i = 0; i < 12; i++) {
        kloop_engine_token_failed(h.e, "the issuer is away", h.now);
        waits[i] = until_the_next();
    }
    assert_in_range(waits[0], 80, 121);
    assert_in_range(waits[3], 640, 961);
    for (int i = 8; i < 12; i++)
        assert_in_range(waits[i], 8000, 10001);
    host_expect_line(&h, "LOG error: no token for SCRIPT: the issuer is away");
    host_expect_line(&h, "while waiting for a token: the issuer is away");
    /* A failure that nobody was asked for changes nothing. */
    host_give_token(&h);
    host_sleep(&h, 2000);
    kloop_engine_token_failed(h.e, NULL, h.now);
    kloop_engine_token_failed(h.e, NULL, h.now);
    int had = h.tokens;
    host_sleep(&h, 60000);
    assert_int_equal(h.tokens, had);
    finish();
}

static void no_reason_is_a_reason(void **state)
{
    (void)state;
    open_host(0);
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    kloop_engine_token_failed(h.e, NULL, h.now);
    host_run(&h);
    host_expect_line(&h, "no token for SCRIPT: the program has none");
    finish();
}

static void refused_tokens_are_failures(void **state)
{
    (void)state;
    static const kloop_status statuses[] = {KLOOP_BAD_ARGUMENT, KLOOP_NO_MEMORY};
    for (size_t i = 0; i < 2; i++) {
        open_host(0);
        h.hold_token = true;
        host_send(&h, topic, 0, 1);
        host_run(&h);
        sasl.token_status = statuses[i];
        assert_int_equal(host_give_token(&h), statuses[i]);
        assert_int_equal(h.error.status, statuses[i]);
        assert_string_equal(h.error.text, "the token is no good");
        assert_in_range(until_the_next(), 80, 121);
        host_expect_line(&h, "no token for SCRIPT: the token is no good");
        sasl.token_status = KLOOP_OK;
        assert_int_equal(host_give_token(&h), KLOOP_OK);
        assert_int_equal(h.error.status, KLOOP_OK);
        deliver_one();
        finish();
    }
}

/* Without one nobody can be asked for metadata: what waits for that need not wait longer. */
static void records_fail_where_no_token_is_to_be_had(void **state)
{
    (void)state;
    open_host(0);
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 1000);
    /* A source of tokens that stumbles once must not cost a record: an example's first command for
     * tokens failed, and so did the first record. */
    for (int failures = 0; failures < 4; failures++) {
        host_expect_pending(&h, 1, 1);
        kloop_engine_token_failed(h.e, "there is no file", h.now);
        host_run(&h);
        if (failures < 3)
            host_sleep(&h, 1000);
    }
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    host_expect_text(&h, 1, "no token for SCRIPT: there is no file");
    host_give_token(&h);
    deliver_one();
    /* Who has had one before will have one again: an issuer that is away for a moment is no reason
     * to give up, be a topic known or not. */
    sasl.has_token = false;
    host_lose_connection(&h, 1, "gone");
    host_send(&h, topic, 0, 1);
    host_send(&h, host_add_topic(&h, "other", 1), 0, 1);
    host_sleep(&h, 2000);
    kloop_engine_token_failed(h.e, "there is no file", h.now);
    host_sleep(&h, 2000);
    host_expect_pending(&h, 3, 4);
    finish();
}

static void mechanism_without_tokens(void **state)
{
    (void)state;
    host_prepare(&h, 0);
    scripted_sasl_init(&sasl, "sd", false);
    static const char *const pairs[] = {"linger.ms", "0", NULL};
    assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
    assert_int_equal(host_give_token(&h), KLOOP_BAD_ARGUMENT);
    assert_string_equal(h.error.text, "nobody takes a token: see sasl.mechanism");
    kloop_token token = {.expires_ms = KLOOP_NEVER};
    assert_int_equal(kloop_engine_set_token(h.e, &token, h.now, NULL), KLOOP_BAD_ARGUMENT);
    kloop_engine_token_failed(h.e, "nobody asked", h.now);
    host_run(&h);
    finish();
    /* Nor is there a mechanism. */
    host_new(&h, NULL);
    assert_int_equal(host_give_token(&h), KLOOP_BAD_ARGUMENT);
    kloop_engine_token_failed(h.e, "nobody asked", h.now);
    host_end(&h);
}

/* While it is good, connections are made with the old one, whoever fails to bring another. */
static void old_one_is_used_while_it_is_good(void **state)
{
    (void)state;
    open_host(3600000);
    deliver_one();
    h.hold_token = true;
    host_sleep(&h, 3100000);
    assert_int_equal(h.tokens, 2);
    host_lose_connection(&h, 1, "gone");
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    /* Then it is not. */
    host_sleep(&h, 600000);
    if (host_find(&h, 1))
        host_lose_connection(&h, 1, "gone");
    uint64_t had = host_stats(&h).authentications;
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 5000);
    assert_int_equal(host_stats(&h).authentications, had);
    host_expect_pending(&h, 3, 3);
    host_give_token(&h);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 3, 3);
    finish();
}

/* Somebody has set the clock. */
static void wall_clock_jumps(void **state)
{
    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        open_host(3600000);
        deliver_one();
        assert_int_equal(h.tokens, 1);
        h.now.wall_ms += ahead ? 7200000 : -7200000;
        host_sleep(&h, 1500);
        host_lose_connection(&h, 1, "gone");
        host_send(&h, topic, 0, 1);
        host_sleep(&h, 1000);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 2, 2);
        /* Ahead, it was expired by then: another one was asked for at once. */
        assert_int_equal(h.tokens, 1 + ahead);
        /* And in any case when four fifths of the time have passed, on the clock that never jumps.
         */
        assert_in_range(until_the_next(), 2800000, 3060001);
        finish();
    }
}

/* A session is renewed with the newest token, and waits for one if there is none. */
static void sessions_are_renewed_with_tokens(void **state)
{
    (void)state;
    host_prepare(&h, 0);
    h.session_ms = 10000;
    h.token_ms = 15000;
    scripted_sasl_init(&sasl, "tsd", true);
    static const char *const pairs[] = {"linger.ms", "0", "reconnect.backoff.ms", "10", NULL};
    assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
    topic = host_add_topic(&h, "t", 1);
    deliver_one();
    host_sleep(&h, 60000);
    assert_in_range(host_stats(&h).reauthentications, 5, 7);
    assert_in_range(h.tokens, 4, 6);
    assert_int_equal(host_stats(&h).connects, 1);
    deliver_one();
    /* The issuer is away until the setup has taken too long; then for good. */
    h.hold_token = true;
    host_sleep(&h, 60000);
    assert_true(host_stats(&h).disconnects == 1);
    host_expect_line(&h, "while waiting for a token");
    host_send(&h, topic, 0, 1);
    host_sleep(&h, 1000);
    host_expect_pending(&h, h.user_count, h.user_count);
    host_give_token(&h);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, h.user_count, h.user_count);
    finish();
}

static void refused_by_the_broker(void **state)
{
    (void)state;
    open_host(0);
    h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY);
    host_expect_text(&h, 1, "check the token");
    finish();
}

/* A token of which nothing says when it ends, as one in a file may be: whoever issues it may have
 * put another in its place long ago. It was never looked for. */
static void another_one_for_one_that_is_refused(void **state)
{
    (void)state;
    open_host(0);
    deliver_one();
    assert_int_equal(h.tokens, 1);
    h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
    host_lose_connection(&h, 1, "gone");
    host_sleep(&h, 60000);
    /* Not at each refusal. */
    assert_in_range(h.tokens, 6, 7);
    assert_true(host_stats(&h).refusals > 30);
    h.sasl_error = 0;
    host_sleep(&h, 15000);
    int had = h.tokens;
    deliver_one();
    host_sleep(&h, 86400000);
    assert_int_equal(h.tokens, had);
    finish();
}

/* It is an action of the user's: who takes only those of I/O never sees it. */
static void io_alone_does_not_bring_it(void **state)
{
    (void)state;
    open_host(0);
    h.hold_token = true;
    kloop_action a;
    host_send(&h, topic, 0, 1);
    h.deaf = true;
    host_run(&h);
    h.deaf = false;
    while (kloop_engine_next_io(h.e, &a))
        if (a.kind == KLOOP_ACT_RESOLVE)
            break;
    kloop_address address = {.bytes = {10, 0, 0, 1}, .family = 4};
    kloop_engine_on_resolved(h.e, a.id, &address, 1, NULL, h.now);
    host_run(&h);
    assert_int_equal(h.tokens, 1);
    finish();
}

/* Nor does a refresh that was due later. */
static void closed_before_the_next(void **state)
{
    (void)state;
    open_host(3600000);
    deliver_one();
    host_close(&h, 0, 0);
    assert_int_equal(host_deadline(&h), HOST_NEVER);
    host_end(&h);
}

static void closed_while_it_is_waited_for(void **state)
{
    (void)state;
    open_host(0);
    h.hold_token = true;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    host_close(&h, 0, 0);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_CLOSED);
    /* Whoever brings it now is too late, and nothing comes of it. */
    kloop_engine_token_failed(h.e, NULL, h.now);
    h.token_ms = 1000;
    assert_int_equal(host_give_token(&h), KLOOP_BAD_ARGUMENT);
    host_run(&h);
    assert_int_equal(host_deadline(&h), HOST_NEVER);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_for_when_it_is_needed),
        cmocka_unit_test(not_asked_for_when_it_is_there),
        cmocka_unit_test(waited_for_as_long_as_a_setup_may_take),
        cmocka_unit_test(one_for_all_connections),
        cmocka_unit_test(waiting_is_told),
        cmocka_unit_test(at_four_fifths_of_its_life),
        cmocka_unit_test(as_the_keys_say),
        cmocka_unit_test(lives_of_no_length),
        cmocka_unit_test(endless_lives),
        cmocka_unit_test(failures_back_off),
        cmocka_unit_test(no_reason_is_a_reason),
        cmocka_unit_test(refused_tokens_are_failures),
        cmocka_unit_test(records_fail_where_no_token_is_to_be_had),
        cmocka_unit_test(mechanism_without_tokens),
        cmocka_unit_test(old_one_is_used_while_it_is_good),
        cmocka_unit_test(wall_clock_jumps),
        cmocka_unit_test(sessions_are_renewed_with_tokens),
        cmocka_unit_test(refused_by_the_broker),
        cmocka_unit_test(another_one_for_one_that_is_refused),
        cmocka_unit_test(io_alone_does_not_bring_it),
        cmocka_unit_test(closed_before_the_next),
        cmocka_unit_test(closed_while_it_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
