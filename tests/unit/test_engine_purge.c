/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that the user gives up: which, with what outcome, in which order, and what comes after.
 */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

/* b1 leads both partitions of t and has acked user 1 in partition 0. One batch in a request. */
static void begin(const char *key, const char *value)
{
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "60000", "request.timeout.ms", "5000",
             "reconnect.backoff.ms", "10", key, value, NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1500);
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

static uint64_t purge(host_topic *topic, unsigned what)
{
    uint64_t records = kloop_engine_purge(h.e, topic ? topic->handle : NULL, what, h.now);
    host_run(&h);
    return records;
}

/* Five are under way, so that what is sent next stays queued. */
static void fill_window(void)
{
    for (int i = 0; i < 5; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 5);
}

static void queued_ones_fail_behind_those_under_way(void **state)
{
    (void)state;
    begin("acks", "all");
    fill_window();
    host_send(&h, t, 0, 10);
    assert_int_equal(purge(t, KLOOP_PURGE_QUEUED), 10);
    /* Not before the five that were sent earlier. */
    host_expect_pending(&h, 2, 16);
    for (int i = 0; i < 5; i++)
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 6);
    host_expect_fate(&h, 7, 16, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    assert_non_null(strstr(host_report_of(&h, 7)->text, "given up by the program"));
    /* They were never numbered: nothing is missing. */
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].epoch, 0);
    assert_int_equal(seen.batches[0].sequence, 6);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 17, 17);
    end();
}

static void those_under_way_are_unknown_at_once(void **state)
{
    (void)state;
    begin("acks", "all");
    fill_window();
    assert_int_equal(purge(t, KLOOP_PURGE_IN_FLIGHT), 5);
    host_expect_fate(&h, 2, 6, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_PURGED);
    /* What comes next waits for the answers to what is a ghost now, and has a new epoch. */
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 5);
    for (int i = 0; i < 5; i++)
        HOST_ANSWER(&h, 1, 0);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].epoch, 1);
    assert_int_equal(seen.batches[0].sequence, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 7, 7);
    end();
}

static void what_was_tried_before_is_unknown(void **state)
{
    (void)state;
    begin("retry.backoff.ms", "1000");
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_REQUEST_TIMED_OUT);
    host_send(&h, t, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    /* Both wait for their next attempt; one may be stored, the other surely is not. */
    assert_int_equal(purge(NULL, KLOOP_PURGE_QUEUED), 2);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_PURGED);
    host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    assert_int_equal(host_report_of(&h, 3)->broker_error, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    end();
}

static void only_what_is_asked_for(void **state)
{
    (void)state;
    begin("acks", "all");
    host_topic *other = host_add_topic(&h, "other", 1);
    other->leaders[0] = 1;
    host_send(&h, other, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_send(&h, other, 0, 1);
    host_run(&h);
    assert_int_equal(purge(t, KLOOP_PURGE_QUEUED), 0);
    assert_int_equal(purge(t, 0), 0);
    assert_int_equal(purge(t, KLOOP_PURGE_IN_FLIGHT), 1);
    host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_PURGED);
    host_expect_pending(&h, 4, 4);
    assert_int_equal(purge(t, KLOOP_PURGE_IN_FLIGHT | KLOOP_PURGE_QUEUED), 0);
    host_expect_produce(&h, 1, &seen);
    host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    if (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 4);
    end();
}

/* Of a topic that nobody knows yet, half moved or not at all, lingering or in the codec's queue. */
static void whatever_state_they_are_in(void **state)
{
    (void)state;
    static const char *const lingers[] = {"0", "1000"};
    static const char *const codecs[] = {"none", "gzip"};
    for (int i = 0; i < 4; i++) {
        host_new(&h, "linger.ms", lingers[i % 2], "compression.type", codecs[i / 2], NULL);
        t = host_add_topic(&h, "t", 1);
        h.hold_metadata = true;
        host_send(&h, t, 0, 2000);
        host_run(&h);
        assert_int_equal(purge(t, KLOOP_PURGE_QUEUED), 2000);
        host_expect_fate(&h, 1, 2000, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
        host_send(&h, t, 0, 2000);
        h.hold_metadata = false;
        h.deaf = true;
        host_run(&h);
        h.deaf = false;
        uint64_t purged = purge(t, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
        assert_true(purged <= 2000);
        host_close(&h, 0, 0);
        assert_int_equal(h.reported, 4000);
        host_end(&h);
    }
}

/* Room for others, and the flush that waited for them. */
static void memory_and_flushes_are_released(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", "buffer.memory", "200000", "batch.size", "20000",
             "max.request.size", "60000", NULL);
    t = host_add_topic(&h, "t", 1);
    h.hold_metadata = true;
    uint64_t taken = 0;
    while (host_send_bytes(&h, t, 0, 5000) == KLOOP_OK)
        taken++;
    assert_int_equal(kloop_engine_flush(h.e, NULL, h.now), KLOOP_OK);
    host_run(&h);
    assert_int_equal(h.writables, 0);
    assert_int_equal(h.flushed_count, 0);
    assert_int_equal(purge(NULL, KLOOP_PURGE_QUEUED), taken);
    assert_int_equal(h.writables, 1);
    assert_int_equal(h.flushed_count, 1);
    assert_int_equal(host_send_bytes(&h, t, 0, 5000), KLOOP_OK);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_ones_fail_behind_those_under_way),
        cmocka_unit_test(those_under_way_are_unknown_at_once),
        cmocka_unit_test(what_was_tried_before_is_unknown),
        cmocka_unit_test(only_what_is_asked_for),
        cmocka_unit_test(whatever_state_they_are_in),
        cmocka_unit_test(memory_and_flushes_are_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
