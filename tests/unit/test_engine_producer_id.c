/* SPDX-License-Identifier: BSD-2-Clause */
/* InitProducerId: slow, silent, refusing. What it costs the records that wait for it. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

/* Nobody ever answers: each record ends at its own time, surely not stored. */
static void deadlines_hold_without_an_id(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "10000", "request.timeout.ms", "4000",
             NULL);
    h.hold_id = true;
    host_topic *t = host_add_topic(&h, "t", 3);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 3000);
    host_send(&h, t, 1, 1);
    host_sleep(&h, 6999);
    host_expect_pending(&h, 1, 2);
    host_sleep(&h, 1);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_pending(&h, 2, 2);
    host_sleep(&h, 2999);
    host_expect_pending(&h, 2, 2);
    host_sleep(&h, 1);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_no_produce(&h);
    host_expect_line(&h, "no answer to InitProducerId within request.timeout.ms=4000");
    host_close(&h, 1000, 2000);
    host_end(&h);
}

/* One broker is silent; another one is asked when its time is over. */
static void silent_broker_is_left(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "2000", "bootstrap.servers",
             "b1:9091,b2:9092,b3:9093", NULL);
    h.hold_id = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1900);
    int silent = 0;
    for (int node = 1; node <= 3; node++)
        if (host_find(&h, node) && host_waiting(host_find(&h, node)))
            silent = node;
    assert_true(silent > 0);
    /* That one goes on being silent, whatever it is asked. */
    h.hold_id = false;
    host_conn *c = host_at(&h, silent);
    c->paused = true;
    host_sleep(&h, 5000);
    assert_true(h.id_answers > 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* An answer that comes when those who waited for it have given up serves those that come later. */
static void late_answer_is_good_enough(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "5000", "request.timeout.ms", "5000",
             NULL);
    h.hold_id = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 4001);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    h.hold_id = false;
    host_run(&h);
    host_sleep(&h, 200);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].first, 2);
    assert_int_equal(seen.batches[0].sequence, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    host_end(&h);
}

/* What may pass, and what nobody knows, is asked again; with a distance. */
static void refusals_that_may_pass(void **state)
{
    (void)state;
    static const int16_t codes[] = {14, 15, 16, 51, 7, 5, 13, -1, 999, -77};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        host_new(&h, "linger.ms", "0", NULL);
        h.id_error = codes[i];
        host_topic *t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_sleep(&h, 5000);
        assert_null(kloop_engine_fatal_text(h.e));
        assert_true(h.id_answers >= 5 && h.id_answers <= 12);
        h.id_error = 0;
        host_sleep(&h, 1500);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 1);
        host_end(&h);
    }
}

static void refusals_that_will_not_pass(void **state)
{
    (void)state;
    static const int16_t codes[] = {31, 35, 42, 50, 53, 58, 90};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        host_new(&h, "linger.ms", "0", NULL);
        h.id_error = codes[i];
        host_topic *t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_sleep(&h, 100);
        assert_non_null(kloop_engine_fatal_text(h.e));
        if (codes[i] == KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED)
            assert_non_null(strstr(kloop_engine_fatal_text(h.e), "enable.idempotence=false"));
        host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_FATAL);
        int asked = h.id_answers;
        host_sleep(&h, 5000);
        assert_int_equal(h.id_answers, asked);
        host_end(&h);
    }
}

/*
 * Each id comes with the last epoch, and each batch leaves a gap: the simulator saw 21 ids asked
 * for within 783 ms, each of them given at once and used up a moment later.
 */
static void ids_that_do_not_last_are_asked_for_slowly(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.producer_epoch = INT16_MAX;
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    size_t sent = 0;
    int after_a_second = 0;
    for (int ms = 0; ms < 3000; ms++) {
        if (sent < 2000) {
            host_send(&h, t, 0, 1);
            sent++;
        }
        host_sleep(&h, 1);
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
        if (ms == 1000)
            after_a_second = h.id_answers;
    }
    assert_true(after_a_second >= 3 && after_a_second <= 8);
    assert_true(h.id_answers > after_a_second && h.id_answers - after_a_second <= 10);
    /* After a time without such trouble the next one comes at once again. */
    host_sleep(&h, 3000);
    while (host_produces(&h, 1)) {
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 300);
    }
    host_sleep(&h, 2000);
    int before = h.id_answers;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(h.id_answers, before + 1);
    host_close(&h, 0, 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_hold_without_an_id),
        cmocka_unit_test(silent_broker_is_left),
        cmocka_unit_test(late_answer_is_good_enough),
        cmocka_unit_test(refusals_that_may_pass),
        cmocka_unit_test(refusals_that_will_not_pass),
        cmocka_unit_test(ids_that_do_not_last_are_asked_for_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
