/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions that end (KIP-368): a connection that is ready says again who we are, behind what is in
 * flight, and in front of everything else; nothing is lost by it, and no order is.
 */
#include "tests/support/engine_host.h"
#include "tests/support/scripted_sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static scripted_sasl sasl;
static host_topic *topic;

static void begin_with(const char *script, int64_t session_ms, const char *const *pairs)
{
    host_prepare(&h, 0);
    scripted_sasl_init(&sasl, script, strchr(script, 't') != NULL);
    h.session_ms = session_ms;
    h.sasl_rounds = 0;
    for (const char *at = script; *at; at++)
        h.sasl_rounds += *at == 's';
    if (host_open_sasl(&h, &sasl.mechanism, pairs))
        fail_msg("%s", h.error.text);
    topic = host_add_topic(&h, "t", 1);
    host_send(&h, topic, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
}

/* A record is acked, and the session lasts so long from now on. */
static void begin(const char *script, int64_t session_ms)
{
    static const char *const pairs[] = {"linger.ms", "0", NULL};
    begin_with(script, session_ms, pairs);
}

static void finish(void)
{
    host_close(&h, 0, 0);
    assert_int_equal(sasl.begun, sasl.ended);
    host_end(&h);
}

/* How many of this API were asked on this connection. */
static size_t count_of(const host_conn *c, int16_t api)
{
    size_t n = 0;
    for (size_t i = 0; i < c->request_count; i++)
        n += c->requests[i].api == api;
    return n;
}

/* Milliseconds. */
static uint64_t until_it_is_renewed(uint64_t nth)
{
    uint64_t from = h.now.mono_ns;
    while (host_stats(&h).reauthentications < nth)
        host_sleep(&h, host_deadline(&h));
    return (h.now.mono_ns - from) / 1000000;
}

static void again_and_again(void **state)
{
    (void)state;
    begin("sd", 10000);
    host_conn *c = host_at(&h, 1);
    /* Each time at 85 to 95 % of the session. */
    for (uint64_t n = 1; n <= 5; n++) {
        assert_in_range(until_it_is_renewed(n), 8500, 9500);
        assert_int_equal(host_stats(&h).reauthentications, n);
        assert_int_equal(count_of(c, KLOOP_SASL_HANDSHAKE), n + 1);
        assert_int_equal(count_of(c, KLOOP_SASL_AUTHENTICATE), n + 1);
    }
    /* ApiVersions may be asked once. */
    assert_int_equal(count_of(c, KLOOP_API_VERSIONS), 1);
    assert_int_equal(host_stats(&h).authentications, 6);
    assert_int_equal(host_stats(&h).connects, 1);
    finish();
}

/* The connections of a producer do not all do it at once. */
static void not_all_at_once(void **state)
{
    (void)state;
    uint64_t first = 0;
    int differing = 0;
    for (int i = 0; i < 10; i++) {
        host_prepare(&h, 0);
        h.seed = (uint64_t)i + 1;
        h.session_ms = 1000000;
        scripted_sasl_init(&sasl, "sd", false);
        static const char *const pairs[] = {
            "linger.ms", "0", "connections.max.idle.ms", "-1", "metadata.max.age.ms",
            "86400000",  NULL};
        assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
        topic = host_add_topic(&h, "t", 1);
        host_send(&h, topic, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        uint64_t ms = until_it_is_renewed(1);
        assert_in_range(ms, 850000, 950001);
        differing += first != ms;
        first = ms;
        finish();
    }
    assert_true(differing > 5);
}

static void lifetimes_that_mean_nothing(void **state)
{
    (void)state;
    static const int64_t none[] = {0, -1, INT64_MIN, INT64_MAX, INT64_MAX / 1000000 + 1};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        static const char *const pairs[] = {"linger.ms", "0", "connections.max.idle.ms", "-1",
                                            NULL};
        begin_with("sd", none[i], pairs);
        for (int day = 0; day < 20; day++)
            host_sleep(&h, 86400000);
        assert_int_equal(host_stats(&h).authentications, 1);
        assert_int_equal(host_stats(&h).connects, 1);
        finish();
    }
}

/* A broker takes no second one within a second, so the shortest sessions are not renewed in time;
 * it hangs up then, and nothing comes of it but another connection. */
static void lifetime_of_a_millisecond(void **state)
{
    (void)state;
    for (int64_t ms = 1; ms <= 1000; ms *= 10) {
        begin("sd", ms);
        assert_int_equal(host_deadline(&h), 1000);
        host_sleep(&h, 10500);
        assert_int_equal(host_stats(&h).reauthentications, 10);
        host_lose_connection(&h, 1, "the session has expired");
        host_send(&h, topic, 0, 1);
        host_sleep(&h, 200);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 2, 2);
        finish();
    }
}

/* Old versions tell of no lifetime. */
static void versions_without_a_lifetime(void **state)
{
    (void)state;
    for (int16_t version = -1; version <= 0; version++) {
        host_prepare(&h, 0);
        h.session_ms = 10000;
        h.max_version[KLOOP_SASL_AUTHENTICATE] = version;
        scripted_sasl_init(&sasl, "sd", false);
        static const char *const pairs[] = {"linger.ms", "0", NULL};
        assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
        topic = host_add_topic(&h, "t", 1);
        host_send(&h, topic, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 100000);
        assert_int_equal(host_stats(&h).authentications, 1);
        finish();
    }
}

/* ---- In the middle of work ---- */

/* Three requests are in flight, a fourth waits, and the session nears its end. */
static void come_to_the_end(const char *script)
{
    static const char *const pairs[] = {"linger.ms",
                                        "0",
                                        "batch.size",
                                        "0",
                                        "retry.backoff.ms",
                                        "10",
                                        "reconnect.backoff.ms",
                                        "10",
                                        "reconnect.backoff.max.ms",
                                        "10",
                                        "request.timeout.ms",
                                        "5000",
                                        "delivery.timeout.ms",
                                        "60000",
                                        NULL};
    begin_with(script, 10000, pairs);
    h.hold_sasl = true;
    for (int i = 0; i < 3; i++) {
        host_send(&h, topic, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 3);
    for (uint64_t ms = host_deadline(&h); ms > 0 && ms < 5000; ms = host_deadline(&h))
        host_sleep(&h, ms);
}

static void to_the_end(const char *script)
{
    come_to_the_end(script);
    /* They are answered in time, and others go in their place, until it is time. */
    while (!count_of(host_at(&h, 1), KLOOP_SASL_HANDSHAKE) ||
           count_of(host_at(&h, 1), KLOOP_SASL_HANDSHAKE) < 2) {
        host_expect_produce(&h, 1, &seen);
        HOST_ANSWER(&h, 1, 0);
        host_send(&h, topic, 0, 1);
        host_sleep(&h, 1000);
    }
}

static void behind_what_is_in_flight(void **state)
{
    (void)state;
    to_the_end("ssd");
    host_conn *c = host_at(&h, 1);
    size_t produces = host_produces(&h, 1);
    size_t users = h.user_count;
    assert_true(produces > 0);
    assert_int_equal(c->requests[c->request_count - 1].api, KLOOP_SASL_HANDSHAKE);
    /* Nothing else is asked now, whatever there is to be sent. */
    host_send(&h, topic, 0, 1);
    kloop_engine_flush(h.e, NULL, h.now);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), produces);
    assert_int_equal(c->requests[c->request_count - 1].api, KLOOP_SASL_HANDSHAKE);
    char text[300];
    for (; produces > 0; produces--)
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, users);
    kloop_why_waiting(topic->handle, 0, text, sizeof text);
    assert_non_null(strstr(text, "told anew who we are"));
    assert_int_equal(host_produces(&h, 1), 0);
    host_answer_handshake(&h, c);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 0);
    host_answer_sasl(&h, c);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 0);
    host_answer_sasl(&h, c);
    host_run(&h);
    /* On it goes, with the next number. */
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].sequence, users);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, users + 1, users + 1);
    assert_int_equal(h.flushed_count, 1);
    assert_int_equal(host_stats(&h).retries, 0);
    finish();
}

/* Whatever ends the connection meanwhile: batches go again with the same numbers, in order. */
static void expect_all_again(void)
{
    h.hold_sasl = false;
    h.sasl_error = h.handshake_error = 0;
    host_sleep(&h, 3000);
    for (int i = 0; i < 20 && host_stats(&h).pending; i++) {
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 300);
    }
    host_expect_acked(&h, 1, h.user_count);
    finish();
}

static void refused_this_time(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        to_the_end("sd");
        host_conn *c = host_at(&h, 1);
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
        host_send(&h, topic, 0, 2);
        host_run(&h);
        if (which == 0)
            h.handshake_error = KLOOP_BROKER_ILLEGAL_SASL_STATE;
        h.sasl_error = KLOOP_BROKER_SASL_AUTHENTICATION_FAILED;
        if (which == 2) {
            h.sasl_error = KLOOP_BROKER_UNKNOWN_SERVER_ERROR;
            host_answer_handshake(&h, c);
            host_run(&h);
            host_answer_sasl(&h, c);
        } else {
            host_answer_handshake(&h, c);
            if (which == 1) {
                host_run(&h);
                host_answer_sasl(&h, c);
            }
        }
        host_run(&h);
        assert_int_equal(c->state, HOST_CLOSED);
        assert_int_equal(host_stats(&h).refusals, which < 2);
        host_expect_no_line(&h, "this listener has no SASL");
        expect_all_again();
    }
}

static void mechanism_gives_up(void **state)
{
    (void)state;
    to_the_end("sd");
    host_conn *c = host_at(&h, 1);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    sasl.script = "f";
    host_answer_handshake(&h, c);
    host_run(&h);
    host_expect_line(&h, "LOG error: b1:9091: SASL SCRIPT: the broker has not proved a thing");
    assert_int_equal(c->state, HOST_CLOSED);
    sasl.script = "sd";
    expect_all_again();
}

static void broker_hangs_up(void **state)
{
    (void)state;
    /* With requests in flight, and asked, and authenticating. */
    for (int which = 0; which < 3; which++) {
        to_the_end("sd");
        host_conn *c = host_at(&h, 1);
        if (which > 0)
            while (host_produces(&h, 1))
                HOST_ANSWER(&h, 1, 0);
        if (which > 1)
            host_answer_handshake(&h, c);
        host_lose_connection(&h, 1, "the session has expired");
        expect_all_again();
    }
}

static void broker_does_not_answer(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        to_the_end("sd");
        host_conn *c = host_at(&h, 1);
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
        if (which)
            host_answer_handshake(&h, c);
        host_sleep(&h, 4999);
        assert_int_equal(c->state, HOST_UP);
        host_sleep(&h, 1);
        assert_int_equal(c->state, HOST_CLOSED);
        host_expect_line(&h, which ? "no answer to SaslAuthenticate within request.timeout.ms"
                                   : "no answer to SaslHandshake within request.timeout.ms");
        expect_all_again();
    }
}

/* The mechanism works, and the loop goes on meanwhile; or it never ends. */
static void mechanism_works_long(void **state)
{
    (void)state;
    static char script[5000];
    memset(script, 'w', sizeof script - 1);
    to_the_end("sd");
    host_conn *c = host_at(&h, 1);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    sasl.script = script;
    host_answer_handshake(&h, c);
    host_pump(&h);
    int worked = sasl.worked;
    assert_in_range(worked, 1, 20);
    /* Beyond what a setup may take it is the end of the connection. */
    h.now.mono_ns += UINT64_C(9999000000);
    kloop_engine_on_time(h.e, h.now);
    host_pump(&h);
    assert_int_equal(c->state, HOST_UP);
    h.now.mono_ns += UINT64_C(1000000);
    kloop_engine_on_time(h.e, h.now);
    host_pump(&h);
    assert_int_equal(c->state, HOST_CLOSED);
    host_expect_line(&h, "not ready in time");
    sasl.script = "sd";
    expect_all_again();
}

static void throttled_meanwhile(void **state)
{
    (void)state;
    to_the_end("sd");
    host_conn *c = host_at(&h, 1);
    h.throttle_ms = 2000;
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    h.throttle_ms = 0;
    host_answer_handshake(&h, c);
    host_run(&h);
    host_answer_sasl(&h, c);
    size_t user = h.user_count;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 0);
    host_sleep(&h, 2000);
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, user + 1, user + 1);
    finish();
}

static void closed_meanwhile(void **state)
{
    (void)state;
    /* In time: it is delivered. */
    to_the_end("sd");
    host_send(&h, topic, 0, 1);
    kloop_engine_close(h.e, 5000, h.now);
    host_run(&h);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    h.hold_sasl = false;
    host_run(&h);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, h.user_count);
    host_run(&h);
    assert_true(h.closed);
    assert_int_equal(sasl.begun, sasl.ended);
    host_end(&h);
    /* And without any. */
    to_the_end("sd");
    size_t acked = h.user_count;
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_send(&h, topic, 0, 1);
    host_run(&h);
    host_close(&h, 0, 0);
    host_expect_acked(&h, 1, acked);
    host_expect_fate(&h, acked + 1, acked + 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_CLOSED);
    assert_int_equal(sasl.begun, sasl.ended);
    host_end(&h);
}

static void purged_meanwhile(void **state)
{
    (void)state;
    to_the_end("sd");
    size_t flying = host_produces(&h, 1);
    size_t sent = h.user_count;
    host_send(&h, topic, 0, 3);
    assert_true(flying > 0);
    assert_int_equal(kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED, h.now), 3);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, sent);
    host_expect_fate(&h, sent + 1, sent + 3, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    h.hold_sasl = false;
    host_send(&h, topic, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, sent + 4, sent + 4);
    finish();
}

/* It is no use of a connection: one that nobody needs goes when its time has come. */
static void idle_all_the_same(void **state)
{
    (void)state;
    static const char *const pairs[] = {
        "linger.ms", "0", "connections.max.idle.ms", "30000", "metadata.max.age.ms",
        "3600000",   NULL};
    begin_with("sd", 5000, pairs);
    host_sleep(&h, 29000);
    host_expect_no_line(&h, "connections.max.idle.ms");
    host_sleep(&h, 2000);
    host_expect_line(&h, "connections.max.idle.ms");
    assert_in_range(host_stats(&h).reauthentications, 6, 7);
    finish();
}

static void nothing_waits_for_answers_that_never_come(void **state)
{
    (void)state;
    /* acks=0: requests without answers are in front of it. */
    host_prepare(&h, 0);
    scripted_sasl_init(&sasl, "sd", false);
    h.session_ms = 10000;
    static const char *const pairs[] = {"linger.ms",          "0",     "acks", "0",
                                        "enable.idempotence", "false", NULL};
    assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
    topic = host_add_topic(&h, "t", 1);
    for (int i = 0; i < 30; i++) {
        host_send(&h, topic, 0, 1);
        host_run(&h);
        /* Nobody answers Produce. */
        host_conn *c = host_at(&h, 1);
        while (host_waiting(c) && host_first(&h, c)->api == KLOOP_PRODUCE)
            host_drop(c);
        host_sleep(&h, 1000);
    }
    assert_int_equal(host_stats(&h).acked, 30);
    assert_in_range(host_stats(&h).reauthentications, 3, 3);
    finish();
}

static void memory_runs_out_once_at_each_place(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        host_prepare(&h, 0);
        scripted_sasl_init(&sasl, "wsd", false);
        h.session_ms = 10000;
        static const char *const pairs[] = {"linger.ms", "0", "reconnect.backoff.ms", "10", NULL};
        assert_int_equal(host_open_sasl(&h, &sasl.mechanism, pairs), KLOOP_OK);
        topic = host_add_topic(&h, "t", 1);
        host_send(&h, topic, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        h.memory.nth = h.memory.calls + nth;
        host_sleep(&h, 9600);
        bool refused = h.memory.refused > 0;
        host_sleep(&h, 1000);
        h.memory.nth = 0;
        host_send(&h, topic, 0, 1);
        host_sleep(&h, 1000);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 2);
        finish();
        if (!refused)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(again_and_again),
        cmocka_unit_test(not_all_at_once),
        cmocka_unit_test(lifetimes_that_mean_nothing),
        cmocka_unit_test(lifetime_of_a_millisecond),
        cmocka_unit_test(versions_without_a_lifetime),
        cmocka_unit_test(behind_what_is_in_flight),
        cmocka_unit_test(refused_this_time),
        cmocka_unit_test(mechanism_gives_up),
        cmocka_unit_test(broker_hangs_up),
        cmocka_unit_test(broker_does_not_answer),
        cmocka_unit_test(mechanism_works_long),
        cmocka_unit_test(throttled_meanwhile),
        cmocka_unit_test(closed_meanwhile),
        cmocka_unit_test(purged_meanwhile),
        cmocka_unit_test(idle_all_the_same),
        cmocka_unit_test(nothing_waits_for_answers_that_never_come),
        cmocka_unit_test(memory_runs_out_once_at_each_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
