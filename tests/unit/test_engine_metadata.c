/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked about the cluster and when, and what answers change. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

static void new_topic_is_asked_for_at_once(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *a = host_add_topic(&h, "a", 1);
    assert_int_equal(kloop_topic_partitions(a->handle), 0);
    host_run(&h);
    assert_int_equal(kloop_topic_partitions(a->handle), 1);
    int answers = h.metadata_answers;
    host_topic *b = host_add_topic(&h, "b", 7);
    host_run(&h);
    assert_int_equal(h.metadata_answers, answers + 1);
    assert_int_equal(kloop_topic_partitions(b->handle), 7);
    /* The same name is the same topic, and nothing new. */
    kloop_topic *again;
    assert_int_equal(kloop_engine_topic(h.e, kloop_text("b"), &again), KLOOP_OK);
    assert_ptr_equal(again, b->handle);
    host_run(&h);
    assert_int_equal(h.metadata_answers, answers + 1);
    host_end(&h);
}

static void names_that_kafka_does_not_take(void **state)
{
    (void)state;
    host_new(&h, NULL);
    kloop_topic *t;
    char longest[250];
    memset(longest, 'x', sizeof longest);
    static const char *const bad[] = {"", ".", "..", "a b", "a/b", "\xc3\xa4", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        t = (kloop_topic *)&h;
        assert_int_equal(kloop_engine_topic(h.e, kloop_text(bad[i]), &t), KLOOP_BAD_TOPIC);
        assert_null(t);
    }
    assert_int_equal(kloop_engine_topic(h.e, (kloop_string){NULL, 0}, &t), KLOOP_BAD_TOPIC);
    assert_int_equal(kloop_engine_topic(h.e, (kloop_string){longest, 250}, &t), KLOOP_BAD_TOPIC);
    assert_int_equal(kloop_engine_topic(h.e, (kloop_string){longest, 249}, &t), KLOOP_OK);
    assert_int_equal(kloop_topic_name(t).len, 249);
    assert_int_equal(kloop_engine_topic(h.e, kloop_text("..."), &t), KLOOP_OK);
    assert_ptr_equal(kloop_topic_engine(t), h.e);
    host_end(&h);
}

/* Seed 5465 of the simulator: one topic was gone for good and asked for once in a second; another
 * one, used for the first time, had to wait for that, and its records died of max.block.ms. */
static void new_topic_waits_for_nobody_elses_pause(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "retry.backoff.ms", "100", "retry.backoff.max.ms", "1000",
             "max.block.ms", "60000", NULL);
    host_topic *gone = host_add_topic(&h, "gone", 1);
    gone->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, gone, 0, 1);
    host_sleep(&h, 10000);
    /* Right behind a question for the other one. */
    int before = h.metadata_answers;
    while (h.metadata_answers == before)
        host_sleep(&h, 1);
    host_topic *fresh = host_add_topic(&h, "fresh", 1);
    before = h.metadata_answers;
    host_sleep(&h, 40);
    assert_int_equal(h.metadata_answers, before);
    host_sleep(&h, 10);
    assert_int_equal(h.metadata_answers, before + 1);
    assert_int_equal(kloop_topic_partitions(fresh->handle), 1);
    /* Once: a second one that is not there either waits like the first. */
    host_topic *other = host_add_topic(&h, "other", 1);
    other->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, other, 0, 1);
    before = h.metadata_answers;
    host_sleep(&h, 60);
    assert_int_equal(h.metadata_answers, before + 1);
    host_sleep(&h, 700);
    assert_int_equal(h.metadata_answers, before + 1);
    host_end(&h);
}

/* A topic that is not there yet is asked for with a growing distance. */
static void unknown_topic_backs_off(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "retry.backoff.ms", "100", "retry.backoff.max.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, t, 0, 1);
    host_run(&h);
    int first = h.metadata_answers;
    host_sleep(&h, 70);
    assert_int_equal(h.metadata_answers, first);
    host_sleep(&h, 10000);
    int many = h.metadata_answers - first;
    assert_true(many >= 9 && many <= 18);
    assert_int_equal(host_count_lines(&h, "topic 't': UNKNOWN_TOPIC_OR_PARTITION"), 1);
    t->error = 0;
    host_sleep(&h, 1100);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

static void lasting_error_fails_what_waits(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->error = KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED;
    host_send(&h, t, 0, 2);
    host_run(&h);
    host_expect_fate(&h, 1, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    host_expect_text(&h, 1, "topic 't': TOPIC_AUTHORIZATION_FAILED");
    assert_int_equal(host_report_of(&h, 1)->broker_error, 29);
    assert_int_equal(host_report_of(&h, 1)->partition, -1);
    /* Nobody asks again by himself; the next record does, but not at once. */
    int answers = h.metadata_answers;
    host_sleep(&h, 5000);
    assert_true(h.metadata_answers - answers <= 1);
    t->error = 0;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 3, 3);
    host_end(&h);
}

static void known_topic_that_vanishes_keeps_its_partitions(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_sleep(&h, 1500);
    assert_int_equal(kloop_topic_partitions(t->handle), 2);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

static void partitions_are_added(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_run(&h);
    kloop_record r = {.set = KLOOP_SET_PARTITION, .partition = 1};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_BAD_PARTITION);
    t->partition_count = 4;
    host_sleep(&h, 1100);
    assert_int_equal(kloop_topic_partitions(t->handle), 4);
    host_send(&h, t, 3, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    /* They never go away again. */
    t->partition_count = 2;
    host_sleep(&h, 1100);
    assert_int_equal(kloop_topic_partitions(t->handle), 4);
    host_end(&h);
}

static void leader_moves(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "retry.backoff.ms", "100", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    /* Metadata was not asked for just now: so it is at once. */
    host_sleep(&h, 1000);
    host_send(&h, t, 0, 1);
    host_run(&h);
    t->leaders[0] = 2;
    t->epochs[0] = 2;
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_sleep(&h, 1000);
    host_expect_produce(&h, 2, &seen);
    assert_int_equal(seen.batches[0].first, 2);
    assert_int_equal(seen.batches[0].sequence, 1);
    /* One at a time, until the new leader has acked something. */
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 2), 1);
    HOST_ANSWER(&h, 2, 0);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 5);
    host_end(&h);
}

/* What is in flight to the old leader may still be stored: the new one gets nothing before its
 * answer, also without idempotence. */
static void old_leader_is_waited_for(void **state)
{
    (void)state;
    for (int idempotent = 0; idempotent < 2; idempotent++) {
        host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "enable.idempotence",
                 idempotent ? "true" : "false", NULL);
        host_topic *t = host_add_topic(&h, "t", 3);
        for (int32_t i = 0; i < 3; i++)
            host_send(&h, t, i, 1);
        host_run(&h);
        for (int node = 1; node <= 3; node++)
            HOST_ANSWER(&h, node, 0);
        host_send(&h, t, 0, 1);
        host_run(&h);
        t->leaders[0] = 2;
        t->epochs[0] = 2;
        host_sleep(&h, 5000);
        host_send(&h, t, 0, 1);
        host_run(&h);
        assert_int_equal(host_produces(&h, 1), 1);
        assert_int_equal(host_produces(&h, 2), 0);
        HOST_ANSWER(&h, 1, 0);
        assert_int_equal(host_produces(&h, 2), 1);
        HOST_ANSWER(&h, 2, 0);
        host_expect_acked(&h, 4, 5);
        host_end(&h);
    }
}

/* A broker that lags behind tells of an older leader. */
static void old_epoch_is_not_believed(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 2;
    t->epochs[0] = 7;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, 0);
    t->leaders[0] = 1;
    t->epochs[0] = 6;
    host_sleep(&h, 1100);
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 2), 1);
    HOST_ANSWER(&h, 2, 0);
    /* Another topic of the same name begins anew. */
    t->incarnation++;
    host_sleep(&h, 1100);
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    host_end(&h);
}

/* No epoch is not an old one, and neither are those of before version 9, which tell lies while a
 * partition is being moved. What is known stays known. */
static void epochs_that_say_nothing(void **state)
{
    (void)state;
    for (int old_version = 0; old_version < 2; old_version++) {
        host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
        host_topic *t = host_add_topic(&h, "t", 1);
        t->epochs[0] = 7;
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        t->leaders[0] = 2;
        t->epochs[0] = old_version ? 3 : -1;
        if (old_version) {
            h.max_version[KLOOP_METADATA] = 8;
            host_lose_connection(&h, 1, "reset");
        }
        host_sleep(&h, 1500);
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 2, 0);
        h.max_version[KLOOP_METADATA] = 13;
        host_lose_connection(&h, 2, "reset");
        if (host_find(&h, 1))
            host_lose_connection(&h, 1, "reset");
        t->leaders[0] = 3;
        t->epochs[0] = 6;
        host_sleep(&h, 1500);
        host_send(&h, t, 0, 1);
        host_run(&h);
        assert_int_equal(host_produces(&h, 2), 1);
        HOST_ANSWER(&h, 2, 0);
        host_expect_acked(&h, 1, 3);
        host_end(&h);
    }
}

/* The same epoch may have another leader: one that was elected again, or a partition that moved. */
static void other_leader_in_the_same_epoch(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    t->leaders[0] = 2;
    host_sleep(&h, 1100);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* A leader that this answer tells no place of is none, also if it was known before: it has left,
 * and whoever says that it leads has not heard of it yet. */
static void leader_that_has_left(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", "connections.max.idle.ms", "500",
             NULL);
    host_topic *t = host_add_topic(&h, "t", 2);
    host_send(&h, t, 1, 1);
    host_run(&h);
    HOST_ANSWER(&h, 2, 0);
    h.gone[2] = true;
    host_sleep(&h, 1500);
    host_forget_lines(&h);
    host_send(&h, t, 1, 1);
    host_sleep(&h, 5000);
    host_expect_no_line(&h, "CONNECT b2");
    h.gone[2] = false;
    host_sleep(&h, 1500);
    HOST_ANSWER(&h, 2, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

static void no_leader_yet(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = -1;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 3000);
    host_expect_no_produce(&h);
    int answers = h.metadata_answers;
    assert_true(answers >= 3 && answers <= 15);
    t->leaders[0] = 3;
    host_sleep(&h, 1500);
    HOST_ANSWER(&h, 3, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* A leader that is not in the list of brokers is none. */
static void leader_that_nobody_knows(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "30000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 99;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 40000);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 1, "topic 't' partition 0");
    host_expect_text(&h, 1, "the partition has no leader");
    host_end(&h);
}

static void answer_with_an_error_is_asked_again(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.metadata_error = KLOOP_BROKER_REBOOTSTRAP_REQUIRED;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_line(&h, "asking for metadata: REBOOTSTRAP_REQUIRED");
    assert_int_equal(h.metadata_answers, 1);
    h.metadata_error = 0;
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* Feeds an answer with this partition list for topic t. */
static void answer_with(host_conn *c, const kloop_metadata_partition *partitions, int32_t count)
{
    static const kloop_metadata_broker broker = {.node_id = 1, .host = {"b1", 2}, .port = 9091};
    kloop_metadata_topic topics[2];
    for (int i = 0; i < 2; i++)
        topics[i] = (kloop_metadata_topic){.name = kloop_text(i ? "stranger" : "t"),
                                           .topic_id = {{9, 9}},
                                           .topic_authorized_operations = INT32_MIN,
                                           .partitions = kloop_array_of(partitions, count)};
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.brokers = kloop_array_of(&broker, 1);
    m.topics = kloop_array_of(topics, 2);
    host_respond(&h, c, &m, sizeof m);
}

/* Numbers below 0 and beyond the count, the same twice. Each was counted as a partition, and
 * records went to partitions that never were. */
static void lying_lists_are_survived(void **state)
{
    (void)state;
    static const kloop_metadata_partition lists[][3] = {
        {{.partition_index = -1, .leader_id = 1},
         {.partition_index = 5, .leader_id = 1},
         {.partition_index = INT32_MAX, .leader_id = 1}},
        {{.partition_index = 0, .leader_id = 1},
         {.partition_index = 0, .leader_id = 2},
         {.partition_index = 0, .leader_id = 77}},
        {{.partition_index = 2, .leader_id = -5},
         {.partition_index = 1, .leader_id = INT32_MAX},
         {.partition_index = 0, .leader_id = INT32_MIN}},
    };
    static const int32_t counts[] = {0, 1, 3};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "30000", NULL);
        h.hold_metadata = true;
        host_topic *t = host_add_topic(&h, "t", 3);
        host_send(&h, t, -1, 5);
        host_run(&h);
        answer_with(host_at(&h, 1), lists[i], 3);
        host_pump(&h);
        assert_int_equal(kloop_topic_partitions(t->handle), counts[i]);
        h.hold_metadata = false;
        t->incarnation = 8;
        host_sleep(&h, 3000);
        for (int node = 1; node <= 3; node++)
            while (host_produces(&h, node)) {
                host_expect_produce(&h, node, &seen);
                host_answer(&h, node, (const int16_t[3]){0}, seen.batch_count);
            }
        host_sleep(&h, 40000);
        assert_int_equal(host_stats(&h).pending, 0);
        host_end(&h);
    }
}

static void old_knowledge_is_renewed(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "10000", "connections.max.idle.ms", "-1",
             NULL);
    host_add_topic(&h, "t", 1);
    host_run(&h);
    int answers = h.metadata_answers;
    assert_true(host_deadline(&h) <= 10000);
    host_sleep(&h, 9999);
    assert_int_equal(h.metadata_answers, answers);
    host_sleep(&h, 2);
    assert_int_equal(h.metadata_answers, answers + 1);
    host_sleep(&h, 100000);
    assert_true(h.metadata_answers >= answers + 10 && h.metadata_answers <= answers + 12);
    host_end(&h);
}

/* With a new topic waiting for a connection, the time at which all was to be asked for stayed in
 * the past, and on_time set the same timer again and again. */
static void age_passes_while_a_new_topic_waits(void **state)
{
    (void)state;
    static const char *const ages[] = {"0", "1000"};
    for (int i = 0; i < 2; i++) {
        host_new(&h, "metadata.max.age.ms", ages[i], "connections.max.idle.ms", "500", "linger.ms",
                 "0", NULL);
        host_add_topic(&h, "a", 1);
        host_run(&h);
        host_sleep(&h, 700);
        h.manual_resolve = true;
        host_topic *b = host_add_topic(&h, "b", 1);
        host_send(&h, b, 0, 1);
        host_sleep(&h, 5000);
        host_end(&h);
    }
}

static void idle_topic_is_not_asked_for(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "10000", "metadata.max.idle.ms", "30000",
             "connections.max.idle.ms", "-1", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 60000);
    h.hold_metadata = true;
    host_sleep(&h, 11000);
    host_conn *c = NULL;
    for (int node = 1; node <= 3; node++)
        if (host_find(&h, node) && host_waiting(host_find(&h, node)))
            c = host_find(&h, node);
    assert_non_null(c);
    const host_request *r = host_first(&h, c);
    kloop_metadata_request q;
    assert_int_equal(kloop_decode(KLOOP_METADATA, KLOOP_REQUEST, r->version, c->stream + r->at,
                                  r->len, &q, NULL),
                     KLOOP_OK);
    assert_int_equal(q.topics.count, 0);
    h.hold_metadata = false;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

static void answer_that_cannot_be_read(void **state)
{
    (void)state;
    for (int16_t api = 0; api < 2; api++) {
        host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "10", NULL);
        h.hold_metadata = api == 0;
        h.hold_id = api == 1;
        host_topic *t = host_add_topic(&h, "t", 1);
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_conn *c = host_at(&h, 1);
        uint8_t answer[16] = {0, 0, 0, 12};
        answer[7] = (uint8_t)host_first(&h, c)->correlation;
        memset(answer + 8, 0xee, 8);
        host_receive(&h, c, answer, sizeof answer);
        host_run(&h);
        assert_int_equal(c->state, HOST_CLOSED);
        host_expect_line(&h, api ? "its answer to InitProducerId version 6 cannot be read"
                                 : "its answer to Metadata version 13 cannot be read");
        h.hold_metadata = h.hold_id = false;
        host_sleep(&h, 2000);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 1, 1);
        host_end(&h);
    }
}

static void topic_without_partitions_is_asked_for_again(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 0);
    host_send(&h, t, -1, 1);
    host_sleep(&h, 3000);
    int answers = h.metadata_answers;
    assert_true(answers >= 3 && answers < 15);
    t->partition_count = 1;
    host_sleep(&h, 1100);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* In version 0 an empty list means all topics; so there is none. */
static void oldest_metadata_is_not_asked_about_nothing(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "5000", "metadata.max.idle.ms", "5000",
             "connections.max.idle.ms", "-1", NULL);
    h.max_version[KLOOP_METADATA] = 0;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 60000);
    assert_true(h.metadata_answers <= 4);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 2);
    host_end(&h);
}

/* Two topics of one id. */
static void id_of_two_topics(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "t", 1);
    host_topic *u = host_add_topic(&h, "stranger", 1);
    host_send(&h, t, 0, 1);
    host_send(&h, u, 0, 1);
    host_run(&h);
    static const kloop_metadata_partition p = {.leader_id = 1, .leader_epoch = 1};
    answer_with(host_at(&h, 1), &p, 1);
    host_pump(&h);
    h.hold_metadata = false;
    host_sleep(&h, 100);
    assert_int_equal(host_stats(&h).pending, 2);
    /* Whoever has no id of its own is named. */
    assert_true(host_waiting(host_at(&h, 1)) > 0);
    host_close(&h, 0, 0);
    host_end(&h);
}

/* ---- What waits for a leader is asked about until there is one ---- */

typedef enum less { OLDER, FORMER_TOPIC, ONE_ENTRY_FEWER, LESSES } less;

/* The answer behind one that tells of no leader comes from a broker that lags behind, or lacks the
 * partition. Nobody asked again, and the records waited for their end. */
static void nothing_said_of_one_without_a_leader(void **state)
{
    (void)state;
    for (int how = 0; how < LESSES; how++) {
        host_new(&h, "linger.ms", "0", NULL);
        host_topic *t = host_add_topic(&h, "t", 2);
        t->leaders[0] = t->leaders[1] = 1;
        t->epochs[0] = t->epochs[1] = 5;
        host_send(&h, t, 1, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_sleep(&h, 5000);
        t->leaders[1] = -1;
        t->epochs[1] = how == FORMER_TOPIC ? 0 : 6;
        t->incarnation += how == FORMER_TOPIC;
        host_send(&h, t, 1, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1,
                    how == FORMER_TOPIC ? KLOOP_BROKER_UNKNOWN_TOPIC_ID
                                        : KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
        host_sleep(&h, 150);
        int answers = h.metadata_answers;
        t->leaders[1] = how == ONE_ENTRY_FEWER ? -1 : 1;
        t->epochs[1] = 5;
        t->partition_count -= how == ONE_ENTRY_FEWER;
        t->incarnation -= how == FORMER_TOPIC;
        for (int ms = 0; ms < 2000 && h.metadata_answers == answers; ms++)
            host_sleep(&h, 1);
        t->leaders[1] = 2;
        t->epochs[1] = 7;
        t->partition_count = 2;
        t->incarnation += how == FORMER_TOPIC;
        host_sleep(&h, 3000);
        HOST_ANSWER(&h, 2, 0);
        host_expect_acked(&h, 1, 2);
        host_end(&h);
    }
}

/* A broken answer with the last epoch there is: no leader was ever new enough again. All others
 * tell the same, time and again, so it is believed in the end; and it is still the same topic. */
static void last_epoch_there_is(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 2;
    t->epochs[0] = INT32_MAX;
    host_send(&h, t, 0, 1);
    host_run(&h);
    t->leaders[0] = 1;
    t->epochs[0] = 5;
    int refused = 0;
    for (int ms = 0; ms < 10000 && !host_produces(&h, 1); ms++) {
        if (host_produces(&h, 2)) {
            HOST_ANSWER(&h, 2, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
            refused++;
        }
        host_sleep(&h, 1);
    }
    assert_true(refused >= 4);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].epoch, 0);
    assert_int_equal(seen.batches[0].sequence, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_no_line(&h, "made anew");
    host_expect_acked(&h, 1, 1);
    host_end(&h);
}

/* However often somebody who lags behind repeats it: the leader that takes records is the one. */
static void leader_that_takes_records(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.age.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 2;
    t->epochs[0] = 7;
    host_send(&h, t, 0, 1);
    host_run(&h);
    t->leaders[0] = 1;
    t->epochs[0] = 6;
    for (size_t i = 1; i <= 12; i++) {
        HOST_ANSWER(&h, 2, 0);
        host_expect_acked(&h, i, i);
        host_sleep(&h, 1100);
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_topic_is_asked_for_at_once),
        cmocka_unit_test(names_that_kafka_does_not_take),
        cmocka_unit_test(new_topic_waits_for_nobody_elses_pause),
        cmocka_unit_test(unknown_topic_backs_off),
        cmocka_unit_test(lasting_error_fails_what_waits),
        cmocka_unit_test(known_topic_that_vanishes_keeps_its_partitions),
        cmocka_unit_test(partitions_are_added),
        cmocka_unit_test(leader_moves),
        cmocka_unit_test(old_leader_is_waited_for),
        cmocka_unit_test(old_epoch_is_not_believed),
        cmocka_unit_test(epochs_that_say_nothing),
        cmocka_unit_test(other_leader_in_the_same_epoch),
        cmocka_unit_test(leader_that_has_left),
        cmocka_unit_test(no_leader_yet),
        cmocka_unit_test(leader_that_nobody_knows),
        cmocka_unit_test(answer_with_an_error_is_asked_again),
        cmocka_unit_test(lying_lists_are_survived),
        cmocka_unit_test(old_knowledge_is_renewed),
        cmocka_unit_test(age_passes_while_a_new_topic_waits),
        cmocka_unit_test(idle_topic_is_not_asked_for),
        cmocka_unit_test(answer_that_cannot_be_read),
        cmocka_unit_test(topic_without_partitions_is_asked_for_again),
        cmocka_unit_test(oldest_metadata_is_not_asked_about_nothing),
        cmocka_unit_test(id_of_two_topics),
        cmocka_unit_test(nothing_said_of_one_without_a_leader),
        cmocka_unit_test(last_epoch_there_is),
        cmocka_unit_test(leader_that_takes_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
