/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers: who gets which, what keeps them, and what becomes of gaps. */
#include "core/engine_state.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

/* b1 leads all partitions of t, and has acked one record of each: user p + 1, sequence 0. */
static void begin(int32_t partitions, const char *delivery_ms)
{
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", delivery_ms, "request.timeout.ms", "5000",
             "retry.backoff.ms", "100", "reconnect.backoff.ms", "10", "reconnect.backoff.max.ms",
             "10", NULL);
    t = host_add_topic(&h, "t", partitions);
    for (int32_t i = 0; i < partitions; i++) {
        t->leaders[i] = 1;
        host_send(&h, t, i, 1);
    }
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
    host_expect_acked(&h, 1, (size_t)partitions);
    /* What metadata is asked for is not what is looked at here. */
    host_sleep(&h, 1500);
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

/* One batch each, as many requests. */
static void send_batches(int n)
{
    for (int i = 0; i < n; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), n);
}

static void expect_batch(size_t nth, size_t first_user, int16_t epoch, int32_t sequence)
{
    host_expect_produce_at(&h, 1, nth, &seen);
    assert_int_equal(seen.batch_count, 1);
    if (seen.batches[0].first != first_user || seen.batches[0].epoch != epoch ||
        seen.batches[0].sequence != sequence)
        fail_msg("user %zu, epoch %d, sequence %d", seen.batches[0].first,
                 (int)seen.batches[0].epoch, (int)seen.batches[0].sequence);
}

static void numbers_go_up_by_the_count(void **state)
{
    (void)state;
    begin(1, "120000");
    host_send(&h, t, 0, 7);
    host_run(&h);
    expect_batch(0, 2, 0, 1);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(0, 9, 0, 8);
    HOST_ANSWER(&h, 1, 0);
    end();
}

static void partitions_count_for_themselves(void **state)
{
    (void)state;
    begin(3, "120000");
    host_send(&h, t, 1, 5);
    host_send(&h, t, 2, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(seen.batches[i].sequence, 1);
    HOST_ANSWER(&h, 1, 0, 0);
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].sequence, 6);
    HOST_ANSWER(&h, 1, 0);
    end();
}

/* Before the leader has acked something, one batch at a time is in flight. */
static void first_batch_goes_alone(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    t = host_add_topic(&h, "t", 1);
    host_run(&h);
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, 0);
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_true(host_produces(&h, 1) > 1);
    end();
}

static void retry_is_the_same_to_the_last_byte(void **state)
{
    (void)state;
    begin(1, "120000");
    host_send(&h, t, 0, 3);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    host_seen before = seen;
    /* An answer that says no, one that says maybe, and none at all. */
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    host_sleep(&h, 1000);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].hash == before.batches[0].hash);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_REQUEST_TIMED_OUT);
    host_sleep(&h, 1500);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].hash == before.batches[0].hash);
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 1500);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].hash == before.batches[0].hash);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 4);
    assert_int_equal(host_stats(&h).retries, 3);
    end();
}

static void duplicate_is_acked_without_an_offset(void **state)
{
    (void)state;
    begin(1, "120000");
    host_send(&h, t, 0, 2);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_DUPLICATE_SEQUENCE_NUMBER);
    host_expect_acked(&h, 2, 3);
    host_expect_offset(&h, 2, -1);
    host_expect_offset(&h, 3, -1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(0, 4, 0, 3);
    HOST_ANSWER(&h, 1, 0);
    end();
}

/* The first of three fails for good. The others were sent behind it under numbers that can never be
 * taken now; they come again from 0 under a new epoch, which costs no request. */
static void gap_is_closed_under_a_new_epoch(void **state)
{
    (void)state;
    begin(2, "120000");
    send_batches(3);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_expect_pending(&h, 4, 5);
    host_sleep(&h, 1000);
    expect_batch(0, 4, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    if (!host_produces(&h, 1))
        host_sleep(&h, 1000);
    expect_batch(0, 5, 1, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 5);
    assert_int_equal(host_stats(&h).epoch_bumps, 1);
    assert_int_equal(h.id_answers, 1);
    /* A partition that had nothing to do with it takes the new epoch as well. */
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect_batch(0, 6, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    end();
}

/* While one batch of the old epoch is in flight the others wait: its answer may still come, and
 * under the new epoch they would pass it. */
static void new_epoch_waits_for_the_old_one(void **state)
{
    (void)state;
    begin(1, "120000");
    send_batches(3);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_sleep(&h, 3000);
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_sleep(&h, 200);
    expect_batch(0, 3, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1000);
    expect_batch(0, 4, 1, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 3, 4);
    end();
}

/* The last one's connection was lost, and it may be anywhere; but what stood before it was proved
 * absent, so that it cannot be stored either. */
static void doubt_ends_behind_a_proved_gap(void **state)
{
    (void)state;
    begin(1, "120000");
    send_batches(3);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 1500);
    expect_batch(0, 3, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    if (!host_produces(&h, 1))
        host_sleep(&h, 1100);
    expect_batch(0, 4, 1, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    host_expect_acked(&h, 3, 3);
    host_expect_fate(&h, 4, 4, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    end();
}

/* Partition 1 has batches in flight when partition 0 brings the new epoch: it goes on under its own
 * until they are done with. */
static void other_partitions_do_not_wait(void **state)
{
    (void)state;
    begin(2, "120000");
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 3);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    assert_int_equal(host_stats(&h).epoch_bumps, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect_batch(1, 6, 0, 3);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(2, 7, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect_batch(0, 8, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 5, 8);
    end();
}

/* Its time is over in flight: unknown. What comes behind it waits for the ghost, then has another
 * epoch. */
static void ghost_is_waited_for(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "3000", "request.timeout.ms", "3000",
             NULL);
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1000);
    /* The first answer keeps the clock of the request that follows from running out. */
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    h.throttle_ms = 0;
    host_answer_only(&h, 1, (const int16_t[]){19}, 1);
    host_sleep(&h, 990);
    host_expect_pending(&h, 2, 2);
    host_sleep(&h, 20);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    /* The third one is still in flight, behind the gap. */
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_sleep(&h, 300);
    expect_batch(0, 3, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 300);
    expect_batch(0, 4, 1, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 3, 4);
    end();
}

static void ghost_that_is_answered_late_is_not_reported_again(void **state)
{
    (void)state;
    for (int code = 0; code < 2; code++) {
        host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "3000", "request.timeout.ms", "3000",
                 NULL);
        t = host_add_topic(&h, "t", 2);
        t->leaders[0] = t->leaders[1] = 1;
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 1000);
        host_send(&h, t, 1, 1);
        host_run(&h);
        host_sleep(&h, 1500);
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_sleep(&h, 1400);
        /* The clock of the second request begins with the answer to the first. */
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 1700);
        host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
        host_expect_text(&h, 3, "topic 't' partition 0");
        host_expect_text(&h, 3, "delivery.timeout.ms=3000");
        host_expect_text(&h, 3, "b1:9091 has not answered");
        host_send(&h, t, 0, 1);
        host_run(&h);
        assert_int_equal(host_produces(&h, 1), 1);
        assert_int_equal(host_stats(&h).epoch_bumps, 1);
        HOST_ANSWER(&h, 1, (int16_t)(code ? 19 : 0));
        host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
        expect_batch(0, 4, 1, 0);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 4, 4);
        end();
    }
}

/* The broker has forgotten the producer: nothing is in front, nothing is doubtful. */
static void forgotten_producer_begins_again(void **state)
{
    (void)state;
    static const int16_t codes[] = {KLOOP_BROKER_UNKNOWN_PRODUCER_ID,
                                    KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                    KLOOP_BROKER_INVALID_PRODUCER_EPOCH};
    for (size_t i = 0; i < 3; i++) {
        begin(1, "120000");
        host_send(&h, t, 0, 2);
        host_run(&h);
        expect_batch(0, 2, 0, 1);
        host_answer(&h, 1, &codes[i], 1);
        host_sleep(&h, 1000);
        expect_batch(0, 2, 1, 0);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 2, 3);
        end();
    }
}

/* The same, but an attempt may have stored it: under other numbers it could be stored twice. */
static void doubtful_batch_is_never_renumbered(void **state)
{
    (void)state;
    begin(1, "120000");
    host_send(&h, t, 0, 2);
    host_run(&h);
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 1500);
    expect_batch(0, 2, 0, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_expect_fate(&h, 2, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 1000);
    expect_batch(0, 4, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 4);
    end();
}

/* All five are lost with the connection, and come again one by one until the leader has acked one,
 * in order, under their numbers. */
static void lost_window_is_sent_again_in_order(void **state)
{
    (void)state;
    begin(1, "120000");
    send_batches(5);
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 1500);
    for (size_t i = 0; i < 5; i++) {
        if (!host_produces(&h, 1))
            host_sleep(&h, 1100);
        expect_batch(0, 2 + i, 0, (int32_t)(1 + i));
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 2, 6);
    assert_int_equal(host_stats(&h).epoch_bumps, 0);
    end();
}

/* The oldest of five may be stored and is sent again, while those behind it are acked. A sixth one
 * would push it out of what the broker remembers, and its retry would be no duplicate any more. */
static void window_is_five_batches(void **state)
{
    (void)state;
    begin(1, "120000");
    send_batches(5);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_REQUEST_TIMED_OUT);
    for (int i = 0; i < 4; i++)
        HOST_ANSWER(&h, 1, 0);
    host_expect_pending(&h, 2, 6);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    assert_int_equal(host_produces(&h, 1), 1);
    expect_batch(0, 2, 0, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_DUPLICATE_SEQUENCE_NUMBER);
    host_expect_acked(&h, 2, 6);
    expect_batch(0, 7, 0, 6);
    HOST_ANSWER(&h, 1, 0);
    end();
}

/* The oldest is refused and the four behind it are stored by nobody: the order stays. */
static void retry_does_not_overtake(void **state)
{
    (void)state;
    begin(1, "120000");
    send_batches(5);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    for (int i = 0; i < 4; i++)
        HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    for (size_t i = 0; i < 5; i++) {
        if (!host_produces(&h, 1))
            host_sleep(&h, 1100);
        expect_batch(0, 2 + i, 0, (int32_t)(1 + i));
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 2, 6);
    end();
}

static kl_partition *partition_of(int32_t index)
{
    return t->handle->partitions[index];
}

static void sequence_wraps(void **state)
{
    (void)state;
    begin(1, "120000");
    partition_of(0)->next_sequence = INT32_MAX - 2;
    host_send(&h, t, 0, 3);
    host_run(&h);
    expect_batch(0, 2, 0, INT32_MAX - 2);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(0, 5, 0, 0);
    HOST_ANSWER(&h, 1, 0);
    /* And in the middle of a batch. */
    partition_of(0)->next_sequence = INT32_MAX - 1;
    host_send(&h, t, 0, 5);
    host_run(&h);
    expect_batch(0, 6, 0, INT32_MAX - 1);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(partition_of(0)->next_sequence, 3);
    /* And not before. */
    partition_of(0)->next_sequence = INT32_MAX - 100;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(partition_of(0)->next_sequence, INT32_MAX - 99);
    end();
}

/* After epoch 32767 another id is needed, once, however many partitions find out. */
static void last_epoch_asks_for_another_id(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.producer_epoch = INT16_MAX;
    t = host_add_topic(&h, "t", 3);
    t->leaders[0] = t->leaders[1] = t->leaders[2] = 1;
    for (int32_t i = 0; i < 3; i++) {
        host_send(&h, t, i, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 3);
    expect_batch(0, 1, INT16_MAX, 0);
    h.hold_id = true;
    h.producer_epoch = 0;
    /* The second one finds out when the question was asked already. */
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 1, 1);
    host_send(&h, t, 2, 1);
    host_run(&h);
    size_t asked = 0;
    for (int n = 0; n < h.conn_count; n++)
        for (size_t i = h.conns[n].request_first; i < h.conns[n].request_count; i++)
            asked += h.conns[n].requests[i].api == KLOOP_INIT_PRODUCER_ID;
    assert_int_equal(asked, 1);
    h.hold_id = false;
    host_run(&h);
    size_t batches = 0;
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        for (size_t i = 0; i < seen.batch_count; i++, batches++) {
            bool old = seen.batches[i].producer_id == 4000;
            assert_int_equal(seen.batches[i].epoch, old ? INT16_MAX : 0);
            assert_int_equal(seen.batches[i].sequence, old ? 1 : 0);
            if (old)
                assert_int_equal(seen.batches[i].partition, 2);
        }
        host_answer(&h, 1, (const int16_t[3]){0}, seen.batch_count);
    }
    assert_int_equal(batches, 3);
    host_expect_acked(&h, 4, 6);
    assert_int_equal(h.id_answers, 2);
    end();
}

static void id_is_asked_for_until_it_comes(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.id_error = KLOOP_BROKER_COORDINATOR_LOAD_IN_PROGRESS;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 3000);
    host_expect_no_produce(&h);
    assert_true(h.id_answers >= 3 && h.id_answers < 15);
    host_expect_line(&h, "asking for a producer id: COORDINATOR_LOAD_IN_PROGRESS");
    h.id_error = 0;
    host_sleep(&h, 1100);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    end();
}

static void impossible_ids_are_not_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        host_new(&h, "linger.ms", "0", NULL);
        if (i)
            h.producer_id = -7;
        else
            h.producer_epoch = -1;
        t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_expect_no_produce(&h);
        h.producer_id = 5;
        h.producer_epoch = 3;
        host_sleep(&h, 1000);
        expect_batch(0, 1, 3, 0);
        HOST_ANSWER(&h, 1, 0);
        end();
    }
}

static void no_right_to_have_an_id(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.id_error = KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 2);
    host_run(&h);
    host_expect_fate(&h, 1, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_FATAL);
    host_expect_text(&h, 1, "Set enable.idempotence=false, or grant IdempotentWrite");
    kloop_record r = {.key = {NULL, 0}};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_FATAL);
    end();
}

static void connection_lost_while_asking_for_an_id(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_id = true;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_lose_connection(&h, 1, "reset");
    h.hold_id = false;
    host_sleep(&h, 2000);
    expect_batch(0, 1, 0, 0);
    HOST_ANSWER(&h, 1, 0);
    end();
}

static void without_idempotence_there_are_no_numbers(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "enable.idempotence", "false", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].producer_id, -1);
    assert_int_equal(seen.batches[0].epoch, -1);
    assert_int_equal(seen.batches[0].sequence, -1);
    assert_int_equal(h.id_answers, 0);
    HOST_ANSWER(&h, 1, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_go_up_by_the_count),
        cmocka_unit_test(partitions_count_for_themselves),
        cmocka_unit_test(first_batch_goes_alone),
        cmocka_unit_test(retry_is_the_same_to_the_last_byte),
        cmocka_unit_test(duplicate_is_acked_without_an_offset),
        cmocka_unit_test(gap_is_closed_under_a_new_epoch),
        cmocka_unit_test(new_epoch_waits_for_the_old_one),
        cmocka_unit_test(doubt_ends_behind_a_proved_gap),
        cmocka_unit_test(other_partitions_do_not_wait),
        cmocka_unit_test(ghost_is_waited_for),
        cmocka_unit_test(ghost_that_is_answered_late_is_not_reported_again),
        cmocka_unit_test(forgotten_producer_begins_again),
        cmocka_unit_test(doubtful_batch_is_never_renumbered),
        cmocka_unit_test(lost_window_is_sent_again_in_order),
        cmocka_unit_test(window_is_five_batches),
        cmocka_unit_test(retry_does_not_overtake),
        cmocka_unit_test(sequence_wraps),
        cmocka_unit_test(last_epoch_asks_for_another_id),
        cmocka_unit_test(id_is_asked_for_until_it_comes),
        cmocka_unit_test(impossible_ids_are_not_taken),
        cmocka_unit_test(no_right_to_have_an_id),
        cmocka_unit_test(connection_lost_while_asking_for_an_id),
        cmocka_unit_test(without_idempotence_there_are_no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
