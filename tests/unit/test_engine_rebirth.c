/* SPDX-License-Identifier: BSD-2-Clause */
/* Topics that are deleted and made anew, that vanish for a while, that grow and shrink. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BY_NAME 12
#define BY_ID   13

static host h;
static host_seen seen;

/* Broker 1 leads all partitions and has acked a record of each. Broker 2 is connected too, so that
 * Metadata has somewhere to go while broker 1 is busy. */
static host_topic *settled_topic(int16_t produce_version, int32_t partitions)
{
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "retry.backoff.ms", "100",
             "delivery.timeout.ms", "60000", NULL);
    h.max_version[KLOOP_PRODUCE] = produce_version;
    host_topic *u = host_add_topic(&h, "u", 2);
    host_topic *t = host_add_topic(&h, "t", partitions);
    for (int32_t i = 0; i < partitions; i++) {
        t->leaders[i] = 1;
        t->epochs[i] = 7;
    }
    host_send(&h, u, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, 0);
    for (int32_t i = 0; i < partitions; i++) {
        host_send(&h, t, i, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
    }
    /* The next question need not wait. */
    host_sleep(&h, 1500);
    return t;
}

static void make_anew(host_topic *t, int32_t partitions)
{
    t->incarnation++;
    t->partition_count = partitions;
    for (int32_t i = 0; i < partitions; i++)
        t->epochs[i] = 0;
}

static void expect_batch(size_t first, int16_t epoch, int32_t sequence)
{
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 1);
    assert_int_equal(seen.batches[0].first, first);
    assert_int_equal(seen.batches[0].epoch, epoch);
    assert_int_equal(seen.batches[0].sequence, sequence);
}

/* Idle partitions too: under their old numbers, the first batch could be taken for one of the new
 * log's that has them. And the new log is one that knows nothing of us: one batch at a time. */
static void numbers_begin_anew(void **state)
{
    (void)state;
    static const int16_t versions[] = {BY_NAME, BY_ID};
    for (int i = 0; i < 2; i++) {
        host_topic *t = settled_topic(versions[i], 2);
        make_anew(t, 2);
        host_sleep(&h, 1100);
        host_expect_line(&h, "topic 't' was deleted and made anew");
        for (int32_t p = 0; p < 2; p++) {
            for (int n = 0; n < 3; n++) {
                host_send(&h, t, p, 1);
                host_run(&h);
            }
            assert_int_equal(host_produces(&h, 1), 1);
            expect_batch((size_t)(4 + 3 * p), 1, 0);
            assert_int_equal(seen.batches[0].incarnation, versions[i] == BY_ID ? 1 : -1);
            while (host_produces(&h, 1))
                HOST_ANSWER(&h, 1, 0);
        }
        host_expect_acked(&h, 1, 9);
        assert_int_equal(host_stats(&h).epoch_bumps, 1);
        host_end(&h);
    }
}

/* Refused, so not stored anywhere: sent anew to the new id, under new numbers. */
static void refused_for_its_id(void **state)
{
    (void)state;
    static const int16_t codes[] = {KLOOP_BROKER_UNKNOWN_TOPIC_ID,
                                    KLOOP_BROKER_INCONSISTENT_TOPIC_ID};
    for (int i = 0; i < 2; i++) {
        host_topic *t = settled_topic(BY_ID, 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        expect_batch(3, 0, 1);
        make_anew(t, 1);
        int answers = h.metadata_answers;
        HOST_ANSWER(&h, 1, codes[i]);
        host_sleep(&h, 500);
        assert_true(h.metadata_answers > answers);
        expect_batch(3, 1, 0);
        assert_int_equal(seen.batches[0].incarnation, 1);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 3);
        host_end(&h);
    }
}

/* Nobody knows what became of it: under its old numbers a log that has it knows it again, and a new
 * one takes it as its first. What comes behind it has new ones. */
static void in_doubt_it_keeps_its_numbers(void **state)
{
    (void)state;
    static const int16_t versions[] = {BY_NAME, BY_ID};
    for (int i = 0; i < 2; i++) {
        host_topic *t = settled_topic(versions[i], 1);
        for (int n = 0; n < 2; n++) {
            host_send(&h, t, 0, 1);
            host_run(&h);
        }
        make_anew(t, 1);
        host_lose_connection(&h, 1, "reset");
        host_send(&h, t, 0, 1);
        host_sleep(&h, 1200);
        host_expect_line(&h, "made anew");
        expect_batch(3, 0, 1);
        assert_int_equal(host_produces(&h, 1), 1);
        HOST_ANSWER(&h, 1, 0);
        expect_batch(4, 0, 2);
        HOST_ANSWER(&h, 1, 0);
        expect_batch(5, 1, 0);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 5);
        host_end(&h);
    }
}

/* Acks from the log that is gone say nothing of what the new one counts. */
static void acks_of_the_former_log(void **state)
{
    (void)state;
    static const int16_t versions[] = {BY_NAME, BY_ID};
    for (int i = 0; i < 2; i++) {
        host_topic *t = settled_topic(versions[i], 1);
        for (int n = 0; n < 2; n++) {
            host_send(&h, t, 0, 1);
            host_run(&h);
        }
        assert_int_equal(host_produces(&h, 1), 2);
        make_anew(t, 1);
        host_sleep(&h, 1100);
        host_expect_line(&h, "made anew");
        /* Not before all that is in flight has come to an end. */
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        assert_int_equal(host_produces(&h, 1), 1);
        HOST_ANSWER(&h, 1, 0);
        host_send(&h, t, 0, 1);
        host_run(&h);
        assert_int_equal(host_produces(&h, 1), 1);
        expect_batch(5, 1, 0);
        HOST_ANSWER(&h, 1, 0);
        expect_batch(6, 1, 1);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 6);
        host_end(&h);
    }
}

/*
 * B is surely not stored, of C behind it nobody knows. In one log the gap would prove that C is not
 * stored either; but the log that was made meanwhile may have taken C as its first, if the request
 * named the topic. With an id it cannot.
 */
static void doubt_behind_a_gap(void **state)
{
    (void)state;
    static const int16_t versions[] = {BY_NAME, BY_ID};
    for (int i = 0; i < 2; i++) {
        for (int told_before = 0; told_before < 2; told_before++) {
            host_topic *t = settled_topic(versions[i], 1);
            for (int n = 0; n < 2; n++) {
                host_send(&h, t, 0, 1);
                host_run(&h);
            }
            make_anew(t, 1);
            if (told_before)
                host_sleep(&h, 1100);
            HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
            host_lose_connection(&h, 1, "reset");
            host_sleep(&h, 1200);
            host_expect_line(&h, "made anew");
            host_send(&h, t, 0, 1);
            host_run(&h);
            expect_batch(3, 1, 0);
            HOST_ANSWER(&h, 1, 0);
            bool by_id = versions[i] == BY_ID;
            expect_batch(by_id ? 4 : 5, 1, 1);
            HOST_ANSWER(&h, 1, 0);
            if (by_id)
                HOST_ANSWER(&h, 1, 0);
            host_expect_acked(&h, 1, 3);
            host_expect_acked(&h, 5, 5);
            host_expect_fate(&h, 4, 4, by_id ? KLOOP_OUTCOME_ACKED : KLOOP_OUTCOME_UNKNOWN,
                             by_id ? KLOOP_CAUSE_NONE : KLOOP_CAUSE_BROKER);
            host_end(&h);
        }
    }
}

/* Refuses the oldest Produce, of one batch to t, for this record of it. */
static void blame(host_topic *t, int32_t record)
{
    kloop_record_error error = {.batch_index = record};
    kloop_produce_partition_response p = {.error_code = KLOOP_BROKER_INVALID_RECORD,
                                          .base_offset = -1,
                                          .log_append_time_ms = -1,
                                          .log_start_offset = -1,
                                          .record_errors = kloop_array_of(&error, 1),
                                          .current_leader = {-1, -1}};
    kloop_produce_topic_response topic = {.name = kloop_text(t->name),
                                          .partition_responses = kloop_array_of(&p, 1)};
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    m.responses = kloop_array_of(&topic, 1);
    host_respond(&h, host_at(&h, 1), &m, sizeof m);
    host_run(&h);
}

/* The same where B was split, or is sent without a record that was refused. Behind a hole its
 * pieces have no numbers. They were passed over, C was numbered anew and stored twice. */
static void doubt_behind_pieces(void **state)
{
    (void)state;
    for (int split = 0; split < 2; split++) {
        for (int told_before = 0; told_before < 2; told_before++) {
            host_topic *t = settled_topic(BY_NAME, 1);
            host_send(&h, t, 0, 4);
            host_run(&h);
            host_send(&h, t, 0, 1);
            host_run(&h);
            assert_int_equal(host_produces(&h, 1), 2);
            make_anew(t, 1);
            if (told_before)
                host_sleep(&h, 1100);
            if (split)
                HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
            else
                blame(t, 0);
            host_lose_connection(&h, 1, "reset");
            host_sleep(&h, 1200);
            host_expect_line(&h, "made anew");
            expect_batch(split ? 3 : 4, 1, 0);
            assert_int_equal(seen.batches[0].count, split ? 2 : 3);
            HOST_ANSWER(&h, 1, 0);
            if (split) {
                expect_batch(5, 1, 2);
                HOST_ANSWER(&h, 1, 0);
            }
            host_expect_acked(&h, split ? 3 : 4, 6);
            host_expect_fate(&h, 7, 7, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
            host_expect_no_produce(&h);
            host_end(&h);
        }
    }
}

/* C left when the request named the topic, and B goes again by the id: that B's request can have
 * come to no other topic says nothing of C. */
static void doubt_from_before_ids(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_NAME, 1);
    for (int n = 0; n < 2; n++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    h.max_version[KLOOP_PRODUCE] = BY_ID;
    host_lose_connection(&h, 1, "reset");
    host_sleep(&h, 500);
    expect_batch(3, 0, 1);
    assert_int_equal(seen.batches[0].incarnation, 0);
    make_anew(t, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
    host_sleep(&h, 1200);
    host_expect_line(&h, "made anew");
    expect_batch(3, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 3, 3);
    host_expect_fate(&h, 4, 4, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    host_expect_no_produce(&h);
    host_end(&h);
}

/* A leader epoch of the log that is gone is no news about the new one. */
static void hint_for_the_former_log(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_NAME, 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    make_anew(t, 1);
    host_sleep(&h, 1100);
    h.hint = (kloop_leader_hint){2, 50};
    host_sleep(&h, 500);
    t->leaders[0] = 3;
    t->epochs[0] = 1;
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_sleep(&h, 2000);
    assert_int_equal(host_produces(&h, 2), 0);
    HOST_ANSWER(&h, 3, 0);
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* Twice while a batch is in flight: its answer names an id that nobody remembers, and tells
 * nothing. */
static void made_anew_twice(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int i = 0; i < 2; i++) {
        make_anew(t, 1);
        host_sleep(&h, 1200);
    }
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 500);
    expect_batch(3, 0, 1);
    assert_int_equal(seen.batches[0].incarnation, 2);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* A broker that lags behind still tells of the topic before. Ids do not come back; one that is told
 * again and again is believed in the end, as nobody knows what went wrong before. */
static void former_id_is_not_believed(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 1);
    make_anew(t, 1);
    t->epochs[0] = 1;
    host_sleep(&h, 1100);
    t->incarnation--;
    t->epochs[0] = 7;
    t->leaders[0] = 3;
    host_sleep(&h, 3000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(3, 1, 0);
    assert_int_equal(seen.batches[0].incarnation, 1);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 5000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_produce(&h, 3, &seen);
    assert_int_equal(seen.batches[0].incarnation, 0);
    assert_int_equal(seen.batches[0].epoch, 2);
    HOST_ANSWER(&h, 3, 0);
    host_expect_acked(&h, 1, 4);
    host_end(&h);
}

/* Where ids are not told, a topic that begins with lower epochs is another one; but not at the
 * first word, for that is also what a broker says that lags behind. */
static void made_anew_without_ids(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    h.max_version[KLOOP_METADATA] = 9;
    host_topic *t = host_add_topic(&h, "t", 3);
    t->leaders[0] = 1;
    t->epochs[0] = 7;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    make_anew(t, 1);
    t->leaders[0] = 3;
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(2, 0, 1);
    for (int i = 0; i < 60 && kloop_topic_partitions(t->handle) == 3; i++) {
        if (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
        host_sleep(&h, 100);
    }
    assert_int_equal(kloop_topic_partitions(t->handle), 1);
    if (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    host_sleep(&h, 100);
    host_expect_produce(&h, 3, &seen);
    HOST_ANSWER(&h, 3, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* An answer in an old version tells no ids, which is no other id. */
static void ids_that_are_not_told_for_a_while(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 1);
    h.max_version[KLOOP_METADATA] = 9;
    host_lose_connection(&h, 1, "reset");
    host_lose_connection(&h, 2, "reset");
    host_sleep(&h, 2000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(3, 0, 1);
    assert_int_equal(seen.batches[0].incarnation, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    assert_int_equal(host_stats(&h).epoch_bumps, 0);
    host_end(&h);
}

/* A cluster of which one broker tells no ids and another takes them: the id known is that of the
 * topic before, and nobody tells another one. The name leads to the new topic. It was asked for by
 * the dead id until the records had died too. */
static void id_that_nobody_knows_any_more(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 1);
    h.max_version[KLOOP_METADATA] = 9;
    host_lose_connection(&h, 1, "reset");
    host_lose_connection(&h, 2, "reset");
    host_sleep(&h, 2000);
    make_anew(t, 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int i = 0; i < 10; i++) {
        if (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            if (seen.batches[0].incarnation < 0)
                break;
            HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
        }
        host_sleep(&h, 500);
    }
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].incarnation, -1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    /* And when ids are told again, it is seen that this one is another topic. */
    h.max_version[KLOOP_METADATA] = 13;
    for (int node = 1; node <= h.broker_count; node++)
        if (host_find(&h, node))
            host_lose_connection(&h, node, "reset");
    host_sleep(&h, 3000);
    host_expect_line(&h, "made anew");
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect_batch(4, 1, 0);
    assert_int_equal(seen.batches[0].incarnation, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 4);
    host_end(&h);
}

/* One topic without an id must not have the others in its request go by their names: the log that
 * was made meanwhile would refuse the first batch, by its id, and store the second. */
static void what_has_an_id_goes_by_it(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 1);
    host_topic *w = host_add_topic(&h, "w", 2);
    w->nameless = true;
    w->leaders[0] = w->leaders[1] = 1;
    host_send(&h, w, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, w, 0, 1);
    host_send(&h, t, 0, 1);
    host_send(&h, w, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    host_expect_produce_at(&h, 1, 0, &seen);
    assert_int_equal(seen.version, BY_NAME);
    assert_int_equal(seen.batch_count, 2);
    assert_string_equal(seen.batches[0].topic, "w");
    assert_string_equal(seen.batches[1].topic, "w");
    host_expect_produce_at(&h, 1, 1, &seen);
    assert_int_equal(seen.version, BY_ID);
    assert_int_equal(seen.batch_count, 1);
    assert_string_equal(seen.batches[0].topic, "t");
    HOST_ANSWER(&h, 1, 0, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 6);
    host_end(&h);
}

/* A was refused, and B behind it was stored: by a log that counts nothing of ours. C beside the
 * retry of A was stored before it too. */
static void ack_behind_a_refusal(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_NAME, 1);
    for (int n = 0; n < 2; n++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 500);
    assert_int_equal(host_produces(&h, 1), 1);
    expect_batch(3, 0, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER);
    host_sleep(&h, 500);
    expect_batch(3, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 5);
    host_end(&h);
}

/* The id was refused in one partition, and nobody tells another one. What left by it in the other
 * partition may be refused as well, and what goes by the name would be stored before that. */
static void the_name_waits_for_the_id(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 3);
    make_anew(t, 2);
    t->nameless = true;
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
    host_sleep(&h, 50);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 1);
    expect_batch(6, 0, 2);
    assert_int_equal(seen.batches[0].incarnation, 0);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 500);
    while (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 7);
    host_end(&h);
}

/* A restarting broker says for seconds that there is no such topic. Numbers that began at 0 again
 * would be taken for repetitions, and the records be lost. */
static void unknown_for_a_while(void **state)
{
    (void)state;
    static const int16_t versions[] = {BY_NAME, BY_ID};
    for (int i = 0; i < 2; i++) {
        host_topic *t = settled_topic(versions[i], 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
        for (int n = 0; n < 5; n++) {
            HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
            host_sleep(&h, 1500);
        }
        host_send(&h, t, 0, 1);
        t->error = 0;
        host_sleep(&h, 1500);
        expect_batch(3, 0, 1);
        HOST_ANSWER(&h, 1, 0);
        expect_batch(4, 0, 2);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 4);
        assert_int_equal(host_stats(&h).epoch_bumps, 0);
        host_end(&h);
    }
}

/* One answer that lacks a partition changes nothing for it. */
static void partition_left_out_once(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 2);
    host_send(&h, t, 1, 1);
    host_run(&h);
    t->partition_count = 1;
    host_sleep(&h, 1100);
    t->partition_count = 2;
    expect_batch(4, 0, 1);
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect_batch(5, 0, 2);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 5);
    host_end(&h);
}

/* One that is lacking in each answer is gone, or never was; and may come back. */
static void partition_gone_for_good(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 2);
    host_send(&h, t, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    t->partition_count = 1;
    host_run(&h);
    for (int i = 0; i < 60 && kloop_topic_partitions(t->handle) == 2; i++) {
        host_sleep(&h, 100);
        if (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    }
    assert_int_equal(kloop_topic_partitions(t->handle), 1);
    kloop_record r = {.set = KLOOP_SET_PARTITION, .partition = 1};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_BAD_PARTITION);
    host_sleep(&h, 61000);
    host_expect_fate(&h, 4, 4, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    t->partition_count = 2;
    host_sleep(&h, 1100);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect_batch(5, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 5, 5);
    host_end(&h);
}

/* What waits for a partition that the new topic lacks goes nowhere, keys go to those there are. */
static void made_anew_with_fewer(void **state)
{
    (void)state;
    static const int16_t versions[] = {BY_NAME, BY_ID};
    for (int i = 0; i < 2; i++) {
        host_topic *t = settled_topic(versions[i], 4);
        host_send(&h, t, 3, 1);
        host_run(&h);
        expect_batch(6, 0, 1);
        host_send(&h, t, 2, 1);
        host_run(&h);
        make_anew(t, 2);
        HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
        HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
        host_sleep(&h, 1200);
        assert_int_equal(kloop_topic_partitions(t->handle), 2);
        while (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
            host_sleep(&h, 1500);
        }
        for (int n = 0; n < 20; n++) {
            char key[4];
            int len = snprintf(key, sizeof key, "k%d", n);
            kloop_record r = {.key = {(const uint8_t *)key, (size_t)len}};
            assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
            host_send(&h, t, -1, 1);
        }
        host_run(&h);
        while (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            int16_t codes[2] = {0};
            for (size_t n = 0; n < seen.batch_count; n++)
                assert_true(seen.batches[n].partition < 2);
            host_answer(&h, 1, codes, seen.batch_count);
        }
        host_expect_acked(&h, 8, 47);
        host_sleep(&h, 60000);
        host_expect_fate(&h, 6, 7, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
        host_end(&h);
    }
}

static void made_anew_with_more(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 1);
    make_anew(t, 5);
    host_sleep(&h, 1100);
    assert_int_equal(kloop_topic_partitions(t->handle), 5);
    for (int32_t i = 0; i < 5; i++) {
        t->leaders[i] = 1;
        host_send(&h, t, i, 1);
    }
    host_sleep(&h, 1100);
    for (int node = 1; node <= 3; node++)
        while (host_produces(&h, node)) {
            host_expect_produce(&h, node, &seen);
            for (size_t n = 0; n < seen.batch_count; n++) {
                assert_int_equal(seen.batches[n].sequence, 0);
                assert_int_equal(seen.batches[n].epoch, 1);
            }
            host_answer(&h, node, (const int16_t[5]){0}, seen.batch_count);
        }
    host_expect_acked(&h, 1, 7);
    host_end(&h);
}

/* Old queues stay as they are, and are sent, when a topic grows. */
static void grown_with_queues(void **state)
{
    (void)state;
    host_topic *t = settled_topic(BY_ID, 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_LEADER_NOT_AVAILABLE);
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    t->partition_count = 40;
    for (int32_t i = 2; i < 40; i++)
        t->leaders[i] = 1;
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1100);
    assert_int_equal(kloop_topic_partitions(t->handle), 40);
    host_send(&h, t, 39, 1);
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[4]){0}, seen.batch_count);
    }
    host_expect_acked(&h, 1, 7);
    host_end(&h);
}

/* Without numbers there is nothing to begin anew. */
static void without_idempotence(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "enable.idempotence", "false",
             NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_sleep(&h, 1500);
    host_send(&h, t, 0, 1);
    host_run(&h);
    make_anew(t, 1);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_UNKNOWN_TOPIC_ID);
    host_sleep(&h, 1200);
    expect_batch(1, -1, -1);
    assert_int_equal(seen.batches[0].incarnation, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    assert_int_equal(host_stats(&h).epoch_bumps, 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_begin_anew),
        cmocka_unit_test(refused_for_its_id),
        cmocka_unit_test(in_doubt_it_keeps_its_numbers),
        cmocka_unit_test(acks_of_the_former_log),
        cmocka_unit_test(doubt_behind_a_gap),
        cmocka_unit_test(doubt_behind_pieces),
        cmocka_unit_test(doubt_from_before_ids),
        cmocka_unit_test(hint_for_the_former_log),
        cmocka_unit_test(made_anew_twice),
        cmocka_unit_test(former_id_is_not_believed),
        cmocka_unit_test(made_anew_without_ids),
        cmocka_unit_test(ids_that_are_not_told_for_a_while),
        cmocka_unit_test(id_that_nobody_knows_any_more),
        cmocka_unit_test(what_has_an_id_goes_by_it),
        cmocka_unit_test(ack_behind_a_refusal),
        cmocka_unit_test(the_name_waits_for_the_id),
        cmocka_unit_test(unknown_for_a_while),
        cmocka_unit_test(partition_left_out_once),
        cmocka_unit_test(partition_gone_for_good),
        cmocka_unit_test(made_anew_with_fewer),
        cmocka_unit_test(made_anew_with_more),
        cmocka_unit_test(grown_with_queues),
        cmocka_unit_test(without_idempotence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
