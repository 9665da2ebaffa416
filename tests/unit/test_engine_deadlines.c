/* SPDX-License-Identifier: BSD-2-Clause */
/* Every clock there is, and that nothing happens before its time. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

static void warm(void)
{
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    kloop_engine_flush(h.e, NULL, h.now);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
}

/* In every state: parked, lingering, without a leader, without a connection, in flight, being tried
 * again. */
static void delivery_timeout_holds_everywhere(void **state)
{
    (void)state;
    for (int where = 0; where < 7; where++) {
        host_new(&h, "linger.ms", where == 1 ? "4000" : "0", "delivery.timeout.ms", "10000",
                 "request.timeout.ms", "6000", "max.block.ms", "20000", NULL);
        bool unknown = false;
        if (where == 0) {
            t = host_add_topic(&h, "t", 1);
            t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
        } else if (where == 1) {
            t = host_add_topic(&h, "t", 1);
            h.hold_versions = true;
        } else {
            warm();
            host_sleep(&h, 2000);
        }
        if (where == 2) {
            t->leaders[0] = -1;
            t->epochs[0] = 5;
            host_send(&h, t, 0, 1);
            host_run(&h);
            HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
        } else if (where == 3) {
            h.manual_connect = true;
            host_lose_connection(&h, 1, "gone");
            host_send(&h, t, 0, 1);
        } else if (where == 4) {
            host_send(&h, t, 0, 1);
            unknown = true;
        } else if (where == 5) {
            host_send(&h, t, 0, 1);
            host_run(&h);
            HOST_ANSWER(&h, 1, 7);
            unknown = true;
        } else if (where == 6) {
            h.manual_resolve = true;
            host_lose_connection(&h, 1, "gone");
            host_send(&h, t, 0, 1);
        } else {
            host_send(&h, t, 0, 1);
        }
        size_t user = h.user_count;
        /* In the case of retries each of them is refused. */
        for (int ms = 0; ms < 9990; ms += 10) {
            host_sleep(&h, 10);
            if (where == 5 && host_produces(&h, 1))
                HOST_ANSWER(&h, 1, 19);
        }
        host_expect_pending(&h, user, user);
        host_sleep(&h, 9);
        host_expect_pending(&h, user, user);
        host_sleep(&h, 1);
        host_expect_fate(&h, user, user, unknown ? KLOOP_OUTCOME_UNKNOWN : KLOOP_OUTCOME_FAILED,
                         KLOOP_CAUSE_TIMEOUT);
        host_expect_text(&h, user, "delivery.timeout.ms=10000");
        host_close(&h, 0, 1000);
        host_end(&h);
    }
}

static void topic_that_never_comes(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "max.block.ms", "5000", NULL);
    t = host_add_topic(&h, "nowhere", 1);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, t, 0, 2);
    host_sleep(&h, 4999);
    host_expect_pending(&h, 1, 2);
    host_sleep(&h, 1);
    host_expect_fate(&h, 1, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 1, "topic 'nowhere'");
    host_expect_text(&h, 1, "max.block.ms=5000");
    host_expect_text(&h, 1, "UNKNOWN_TOPIC_OR_PARTITION");
    assert_int_equal(host_report_of(&h, 1)->partition, -1);
    host_end(&h);
}

static void request_timeout_closes(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "3000", "delivery.timeout.ms", "60000",
             NULL);
    warm();
    host_sleep(&h, 2000);
    const host_conn *c = host_at(&h, 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 2999);
    assert_int_equal(c->state, HOST_UP);
    host_sleep(&h, 1);
    assert_int_equal(c->state, HOST_CLOSED);
    assert_non_null(strstr(c->why, "b1:9091: no answer to Produce within request.timeout.ms=3000"));
    host_sleep(&h, 2000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    host_end(&h);
}

/* The clock of a request begins with the answer before it: the broker was busy with that one. */
static void each_answer_renews_the_clock(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "3000", "delivery.timeout.ms", "60000",
             NULL);
    warm();
    for (int i = 0; i < 4; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 4);
    for (int i = 0; i < 4; i++) {
        host_sleep(&h, 2900);
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 2, 5);
    assert_int_equal(host_stats(&h).disconnects, 0);
    host_end(&h);
}

/* A slow line: while bytes get on there is no timeout, and without progress there is one. */
static void progress_in_writing_renews_the_clock(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "3000", "delivery.timeout.ms", "60000",
             NULL);
    warm();
    h.manual_write = true;
    host_send(&h, t, 0, 10);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[8];
    for (int i = 0; i < 10; i++) {
        host_sleep(&h, 2900);
        assert_true(kloop_engine_write_vec(h.e, c->id, slices, 8) > 0);
        kloop_engine_on_wrote(h.e, c->id, 1, h.now);
    }
    assert_int_equal(c->state, HOST_UP);
    host_sleep(&h, 3000);
    assert_int_equal(c->state, HOST_CLOSED);
    assert_non_null(strstr(c->why, "no progress in writing Produce within request.timeout.ms"));
    host_end(&h);
}

static void setup_has_a_limit(void **state)
{
    (void)state;
    /* The name, the transport, the versions: each of them may be what takes too long. */
    for (int where = 0; where < 3; where++) {
        host_new(&h, "linger.ms", "0", "socket.connection.setup.timeout.ms", "2000",
                 "socket.connection.setup.timeout.max.ms", "4000", "reconnect.backoff.ms", "50",
                 "reconnect.backoff.max.ms", "50", NULL);
        h.manual_resolve = where == 0;
        h.manual_connect = where == 1;
        h.hold_versions = where == 2;
        t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_sleep(&h, 1999);
        host_expect_no_line(&h, "setup.timeout");
        host_sleep(&h, 1);
        host_expect_line(&h, "socket.connection.setup.timeout.ms");
        host_expect_line(&h, where == 0 ? "CANCEL" : "CLOSE");
        /* The next attempts have longer. */
        host_sleep(&h, 20000);
        size_t tries = host_count_lines(&h, where == 0 ? "RESOLVE" : "CONNECT");
        assert_true(tries >= 4 && tries <= 12);
        h.manual_resolve = h.manual_connect = h.hold_versions = false;
        host_sleep(&h, 10000);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 1);
        host_end(&h);
    }
}

static void idle_connection_is_closed(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "10000", "metadata.max.age.ms",
             "1000000", NULL);
    warm();
    const host_conn *c = host_at(&h, 1);
    host_sleep(&h, 9999);
    assert_int_equal(c->state, HOST_UP);
    host_sleep(&h, 1);
    assert_int_equal(c->state, HOST_CLOSED);
    assert_non_null(strstr(c->why, "not used for connections.max.idle.ms"));
    /* That is no trouble: nobody is warned, nothing is tried, and the next record gets another one
     * at once. */
    host_expect_no_line(&h, "LOG warn");
    host_sleep(&h, 20000);
    assert_int_equal(host_count_lines(&h, "CONNECT b1"), 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    host_end(&h);
}

/* What waited was given up before it could go: nobody needs the connection any more, and nobody
 * else says so. It stayed open for ever once. */
static void nothing_waits_any_more(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "10000", "enable.idempotence",
             "false", "max.in.flight.requests.per.connection", "1", NULL);
    host_topic *two = host_add_topic(&h, "two", 2);
    two->leaders[1] = 1;
    /* Whoever takes nothing is asked less often. */
    for (int i = 0; i < 6; i++) {
        host_send(&h, two, 0, 1);
        host_run(&h);
        host_sleep(&h, 200);
        if (i == 5)
            host_send(&h, two, 1, 1);
        HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_RECORD);
    }
    assert_int_equal(host_produces(&h, 1), 0);
    assert_int_equal(kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED, h.now), 1);
    host_run(&h);
    const host_conn *c = host_at(&h, 1);
    host_sleep(&h, 9000);
    assert_int_equal(c->state, HOST_UP);
    host_sleep(&h, 1001);
    assert_int_equal(c->state, HOST_CLOSED);
    host_end(&h);
}

/* However short connections.max.idle.ms is: not while something waits for its turn. */
static void not_idle_while_something_waits(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "0", "enable.idempotence", "false",
             "max.in.flight.requests.per.connection", "1", NULL);
    host_topic *two = host_add_topic(&h, "two", 2);
    two->leaders[1] = 1;
    for (int i = 0; i < 6; i++) {
        host_send(&h, two, 0, 1);
        host_run(&h);
        host_sleep(&h, 200);
        if (i == 5)
            host_send(&h, two, 1, 1);
        HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_RECORD);
    }
    const host_conn *c = host_at(&h, 1);
    host_sleep(&h, 90);
    assert_int_equal(c->state, HOST_UP);
    assert_int_equal(host_produces(&h, 1), 0);
    host_sleep(&h, 20);
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 2);
    assert_int_equal(c->state, HOST_CLOSED);
    host_end(&h);
}

static void idle_producer_sleeps(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "connections.max.idle.ms", "-1", "metadata.max.age.ms",
             "9223372036854775807", NULL);
    warm();
    /* A last look, some seconds after the last record, at memory that can go back. */
    host_sleep(&h, 12000);
    assert_false(kloop_engine_busy(h.e));
    assert_true(kloop_engine_deadline(h.e) == KLOOP_NEVER);
    host_end(&h);
}

static void throttle_is_kept(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    warm();
    h.throttle_ms = 2000;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    h.throttle_ms = 0;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1999);
    assert_int_equal(host_produces(&h, 1), 0);
    host_sleep(&h, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 3);
    /* Nobody is told to wait by a number below 0. */
    h.throttle_ms = -1000;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_end(&h);
}

static void reconnecting_backs_off(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "100", "reconnect.backoff.max.ms", "800",
             NULL);
    h.hold_versions = true;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    static const uint64_t least[] = {80, 160, 320, 640, 640};
    static const uint64_t most[] = {120, 240, 480, 800, 800};
    for (size_t i = 0; i < 5; i++) {
        /* The transport is there each time, and lost before anything was said: that is no success.
         */
        host_lose_connection(&h, 1, "closed by the peer");
        host_sleep(&h, least[i] - 1);
        assert_null(host_find(&h, 1));
        host_sleep(&h, most[i] - least[i] + 2);
        assert_non_null(host_find(&h, 1));
    }
    h.hold_versions = false;
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    /* Now it begins anew. */
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_lose_connection(&h, 1, "closed by the peer");
    host_sleep(&h, 79);
    assert_null(host_find(&h, 1));
    host_sleep(&h, 42);
    assert_non_null(host_find(&h, 1));
    host_end(&h);
}

/* on_time before the deadline changes nothing; at the deadline, something; and it is never in the
 * past when there is nothing to do. Through a life with all kinds of waiting. */
static void deadlines_are_exact(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "30", "retry.backoff.ms", "50", "request.timeout.ms", "700",
             "delivery.timeout.ms", "2000", "metadata.max.age.ms", "900", "reconnect.backoff.ms",
             "20", NULL);
    h.receive_step = 0;
    t = host_add_topic(&h, "t", 2);
    int calls = 0;
    for (int turn = 0; turn < 600; turn++) {
        if (turn % 7 == 0 && turn < 500)
            host_send(&h, t, turn % 2, 1);
        host_pump(&h);
        if (turn % 3 == 0)
            host_run(&h);
        for (int node = 1; node <= 2; node++)
            if (host_produces(&h, node) && turn % 5 == 0 &&
                host_first(&h, host_at(&h, node))->api == KLOOP_PRODUCE) {
                host_expect_produce(&h, node, &seen);
                int16_t codes[2] = {turn % 4 == 0 ? 19 : 0, 0};
                host_answer_only(&h, node, codes, seen.batch_count);
            }
        if (turn % 97 == 96 && host_find(&h, 1))
            host_lose_connection(&h, 1, "gone");
        host_pump(&h);
        uint64_t deadline = kloop_engine_deadline(h.e);
        if (deadline == KLOOP_NEVER)
            break;
        assert_true(deadline > h.now.mono_ns);
        size_t len = h.transcript_len;
        kloop_now just_before = {deadline - 1, h.now.wall_ms};
        kloop_engine_on_time(h.e, just_before);
        h.now = just_before;
        host_pump(&h);
        assert_int_equal(h.transcript_len, len);
        assert_true(kloop_engine_deadline(h.e) == deadline);
        h.now.mono_ns = deadline;
        kloop_engine_on_time(h.e, h.now);
        host_pump(&h);
        /* Whatever it was, it is not due any more. */
        assert_true(kloop_engine_deadline(h.e) > deadline);
        calls++;
    }
    assert_true(calls > 100);
    host_sleep(&h, 5000);
    assert_int_equal(host_stats(&h).pending, 0);
    host_end(&h);
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "100", NULL);
    warm();
    host_sleep(&h, 100);
    if (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_run(&h);
    uint64_t deadline = kloop_engine_deadline(h.e);
    kloop_engine_on_time(h.e, (kloop_now){1, 1});
    kloop_engine_clock(h.e, (kloop_now){0, 0});
    host_pump(&h);
    assert_true(kloop_engine_deadline(h.e) == deadline);
    host_end(&h);
}

/* A host that is late: the time for connecting was over before it has heard of the connection. */
static void host_that_does_not_come(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "socket.connection.setup.timeout.ms", "1000", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    /* RESOLVE was not taken; then CONNECT was not. */
    h.now.mono_ns += UINT64_C(1500000000);
    kloop_engine_on_time(h.e, h.now);
    kloop_action a;
    kloop_address address = {.bytes = {10, 0, 0, 1}, .family = 4};
    host_expect_no_line(&h, "RESOLVE");
    /* A little later it is tried again. */
    while (!kloop_engine_next_io(h.e, &a)) {
        h.now.mono_ns = kloop_engine_deadline(h.e);
        kloop_engine_on_time(h.e, h.now);
    }
    assert_int_equal(a.kind, KLOOP_ACT_RESOLVE);
    kloop_engine_on_resolved(h.e, a.id, &address, 1, NULL, h.now);
    h.now.mono_ns += UINT64_C(5000000000);
    kloop_engine_on_time(h.e, h.now);
    host_sleep(&h, 3000);
    host_expect_no_line(&h, "CLOSE");
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* Two requests are under way, and the answer to the first says throttle_ms: the other one's time is
 * over that much later, at most. */
static void expect_throttle(int32_t throttle_ms, uint64_t up_ms)
{
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "2000", "delivery.timeout.ms", "60000",
             NULL);
    warm();
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    const host_conn *c = host_at(&h, 1);
    h.throttle_ms = throttle_ms;
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, up_ms);
    assert_int_equal(c->state, HOST_UP);
    host_sleep(&h, 101);
    assert_int_equal(c->state, HOST_CLOSED);
    h.throttle_ms = 0;
    host_sleep(&h, 2000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 3);
    host_end(&h);
}

/* A broker that holds the client back holds its answers back as well. */
static void throttle_moves_the_clock(void **state)
{
    (void)state;
    expect_throttle(1500, 3400);
}

/* A broker that says 24 days: what was under way would never have timed out. */
static void throttle_is_believed_for_a_while_only(void **state)
{
    (void)state;
    expect_throttle(INT32_MAX, 3900);
}

/* Brokers from before KIP-219 have held the answer back themselves: nobody waits twice. */
static void throttle_of_old_versions(void **state)
{
    (void)state;
    for (int16_t version = 5; version < 7; version++) {
        host_new(&h, "linger.ms", "0", NULL);
        h.max_version[KLOOP_PRODUCE] = version;
        warm();
        h.throttle_ms = 2000;
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_send(&h, t, 0, 1);
        host_run(&h);
        assert_int_equal(host_produces(&h, 1), version < 6);
        host_end(&h);
    }
}

/* A shorter time that is told later does not make the first one shorter. */
static void throttle_is_never_shortened(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    warm();
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    h.throttle_ms = 3000;
    HOST_ANSWER(&h, 1, 0);
    h.throttle_ms = 100;
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 2990);
    assert_int_equal(host_produces(&h, 1), 0);
    host_sleep(&h, 20);
    assert_int_equal(host_produces(&h, 1), 1);
    host_end(&h);
}

/* The loop is not held for as many batches as a producer may have: each call settles some, and the
 * deadline stays in the past until all are. Ten thousand of them once were one call. */
static void thousands_expire_in_pieces(void **state)
{
    (void)state;
    enum { RECORDS = 1000 };
    host_new(&h, "linger.ms", "0", "batch.size", "1", "delivery.timeout.ms", "2000",
             "request.timeout.ms", "1500", "reconnect.backoff.max.ms", "10000", NULL);
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = -1;
    host_run(&h);
    host_sleep(&h, 10);
    host_send(&h, t, 0, RECORDS);
    h.now.mono_ns += UINT64_C(2000000000);
    int calls = 0;
    while (h.reported < RECORDS) {
        size_t before = h.reported;
        kloop_engine_on_time(h.e, h.now);
        host_pump(&h);
        assert_true(h.reported > before);
        assert_true(h.reported - before <= 256);
        if (h.reported < RECORDS)
            assert_true(kloop_engine_deadline(h.e) <= h.now.mono_ns);
        calls++;
    }
    assert_true(calls >= 4);
    host_expect_fate(&h, 1, RECORDS, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_close(&h, 0, 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivery_timeout_holds_everywhere),
        cmocka_unit_test(topic_that_never_comes),
        cmocka_unit_test(request_timeout_closes),
        cmocka_unit_test(each_answer_renews_the_clock),
        cmocka_unit_test(progress_in_writing_renews_the_clock),
        cmocka_unit_test(setup_has_a_limit),
        cmocka_unit_test(idle_connection_is_closed),
        cmocka_unit_test(nothing_waits_any_more),
        cmocka_unit_test(not_idle_while_something_waits),
        cmocka_unit_test(idle_producer_sleeps),
        cmocka_unit_test(throttle_is_kept),
        cmocka_unit_test(reconnecting_backs_off),
        cmocka_unit_test(deadlines_are_exact),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(host_that_does_not_come),
        cmocka_unit_test(throttle_moves_the_clock),
        cmocka_unit_test(throttle_is_believed_for_a_while_only),
        cmocka_unit_test(throttle_of_old_versions),
        cmocka_unit_test(throttle_is_never_shortened),
        cmocka_unit_test(thousands_expire_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
