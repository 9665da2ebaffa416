/* SPDX-License-Identifier: BSD-2-Clause */
/* What records wait for, and the sentence: each of the answers, brought about by what brokers do.
 */
#include "core/engine_state.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_topic *t;

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

/* Says so, and a part of the sentence. */
static void expect(const host_topic *topic, int32_t partition, kloop_waiting waiting,
                   const char *part)
{
    char text[600] = "untouched";
    kloop_waiting is = kloop_why_waiting(topic->handle, partition, text, sizeof text);
    if (is != waiting || !strstr(text, part))
        fail_msg("%s, '%s'; not %s, '%s'", kloop_waiting_name(is), text,
                 kloop_waiting_name(waiting), part);
    bool suspended = strncmp(text, "suspended, because ", 19) == 0;
    assert_int_equal(suspended, waiting >= KLOOP_WAITING_METADATA);
    /* The row of a snapshot says the same. */
    kloop_snapshot *s;
    assert_int_equal(kloop_engine_snapshot(h.e, KLOOP_SNAPSHOT_PARTITIONS, topic->handle, &s),
                     KLOOP_OK);
    if (partition >= 0 && (size_t)partition < s->partition_count)
        assert_int_equal(s->partitions[partition].waiting, waiting);
    kloop_snapshot_del(s);
}

static void expect_suspended(bool is, const char *part)
{
    kloop_suspended s;
    bool suspended = kloop_engine_suspended(h.e, &s);
    if (suspended != is || !strstr(s.text, part))
        fail_msg("%d '%s', not %d '%s'", suspended, s.text, is, part);
    assert_int_equal(suspended, s.text[0] != '\0');
}

/* b1 leads one partition and has acked a record: all is well. */
static void begin(const char *linger_ms)
{
    host_new(&h, "linger.ms", linger_ms, "delivery.timeout.ms", "60000", "request.timeout.ms",
             "20000", "retry.backoff.ms", "400", "retry.backoff.max.ms", "400",
             "reconnect.backoff.ms", "1000", "reconnect.backoff.max.ms", "1000", NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 2000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 1);
    host_sleep(&h, 1500);
}

static void nothing_waits(void **state)
{
    (void)state;
    begin("0");
    expect(t, 0, KLOOP_WAITING_NOTHING, "");
    expect(t, 1, KLOOP_WAITING_NOTHING, "");
    expect(t, -1, KLOOP_WAITING_NOTHING, "");
    expect(t, 7, KLOOP_WAITING_NOTHING, "");
    expect_suspended(false, "");
    end();
}

static void for_metadata(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 3);
    host_run(&h);
    host_sleep(&h, 700);
    expect(t, -1, KLOOP_WAITING_METADATA,
           "no broker has told of the topic's partitions for 700 ms");
    /* Whatever partition is asked for, as long as none is known. */
    expect(t, 0, KLOOP_WAITING_METADATA, "the brokers are being asked");
    kloop_suspended s;
    assert_true(kloop_engine_suspended(h.e, &s));
    assert_int_equal(s.parked, 3);
    assert_int_equal(s.pending, 3);
    assert_int_equal(s.topics, 1);
    assert_int_equal(s.brokers, 0);
    assert_non_null(strstr(s.text, "(topic 't')"));
    end();
}

static void for_a_topic_that_is_missing(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    t = host_add_topic(&h, "t", 1);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 20);
    expect(t, -1, KLOOP_WAITING_METADATA, "UNKNOWN_TOPIC_OR_PARTITION");
    expect(t, -1, KLOOP_WAITING_METADATA, "the brokers are asked again in ");
    end();
}

static void for_nobody(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.manual_connect = true;
    h.dead[1] = true;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_sleep_connecting(&h, 300);
    expect(t, -1, KLOOP_WAITING_METADATA, "b1:9091");
    expect_suspended(true, "b1:9091");
    end();
}

static void for_a_leader(void **state)
{
    (void)state;
    begin("0");
    t->leaders[0] = -1;
    t->epochs[0]++;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_sleep(&h, 1000);
    expect(t, 0, KLOOP_WAITING_LEADER, "the partition has no leader");
    expect_suspended(true, "1 of 2 partitions have no leader (topic 't')");
    end();
}

/* A producer was said to be held up for as long as any partition of a topic had no leader and any
 * other of it was busy: who waits for the end of that would wait for ever. */
static void a_leaderless_partition_without_records_holds_nothing_up(void **state)
{
    (void)state;
    begin("0");
    t->leaders[0] = -1;
    t->epochs[0]++;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_sleep(&h, 1000);
    expect_suspended(true, "1 of 2 partitions have no leader");
    kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect(t, 1, KLOOP_WAITING_ANSWER, "1 batches are with broker 1");
    expect_suspended(false, "");
    end();
}

static void for_a_connection(void **state)
{
    (void)state;
    begin("0");
    h.manual_connect = true;
    host_lose_connection(&h, 1, "b1:9091 hung up");
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect(t, 0, KLOOP_WAITING_CONNECTION, "broker 1 at b1:9091 is away; attempt 2 in ");
    expect(t, 0, KLOOP_WAITING_CONNECTION, "hung up");
    expect_suspended(true, "broker 1 at b1:9091 is away");
    host_sleep(&h, 1300);
    expect(t, 0, KLOOP_WAITING_CONNECTION, "is being connected, for ");
    end();
}

static void for_a_name(void **state)
{
    (void)state;
    begin("0");
    h.manual_resolve = true;
    host_lose_connection(&h, 1, "gone");
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1300);
    expect(t, 0, KLOOP_WAITING_CONNECTION, "is being looked up, for ");
    end();
}

static void for_the_handshake(void **state)
{
    (void)state;
    begin("0");
    h.hold_versions = true;
    host_lose_connection(&h, 1, "gone");
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1300);
    expect(t, 0, KLOOP_WAITING_CONNECTION, "has not told what it speaks (ApiVersions)");
    end();
}

static void for_an_answer(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 40);
    expect(t, 0, KLOOP_WAITING_ANSWER,
           "1 batches are with broker 1 at b1:9091, which has not answered for 40 ms");
    expect_suspended(false, "");
    end();
}

static void for_room_in_the_window(void **state)
{
    (void)state;
    begin("0");
    for (int i = 0; i < 6; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 5);
    expect(t, 0, KLOOP_WAITING_ROOM, "five batches are not settled");
    end();
}

static void for_room_at_the_broker(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "max.in.flight.requests.per.connection", "1", NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect(t, 1, KLOOP_WAITING_ROOM, "max.in.flight.requests.per.connection=1");
    end();
}

static void for_bytes_to_be_written(void **state)
{
    (void)state;
    begin("0");
    h.manual_write = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect(t, 1, KLOOP_WAITING_ROOM, "the request before it is still being written");
    end();
}

static void for_the_first_answer(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect(t, 0, KLOOP_WAITING_ORDER, "one at a time until the leader has acknowledged something");
    end();
}

static void for_the_former_leader(void **state)
{
    (void)state;
    begin("0");
    /* b2 is there as well, to be asked who leads what. */
    host_topic *other = host_add_topic(&h, "other", 1);
    other->leaders[0] = 2;
    host_send(&h, other, 0, 1);
    host_send(&h, t, 1, 1);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, 0);
    for (int32_t partition = 0; partition < 2; partition++) {
        host_send(&h, t, partition, 1);
        host_run(&h);
    }
    assert_int_equal(host_produces(&h, 1), 2);
    /* The first is refused, so that metadata is asked for; the second stays with b1. */
    t->leaders[0] = t->leaders[1] = 2;
    t->epochs[0]++;
    t->epochs[1]++;
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    host_sleep(&h, 1000);
    host_send(&h, t, 1, 1);
    host_run(&h);
    expect(t, 1, KLOOP_WAITING_ORDER, "1 batches before it are with the former leader");
    end();
}

static void for_an_older_epoch(void **state)
{
    (void)state;
    begin("0");
    for (int i = 0; i < 3; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    /* The first is lost for good, and what follows is still on its way: its answers come first. */
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    host_send(&h, t, 0, 1);
    host_run(&h);
    kloop_waiting is = kloop_why_waiting(t->handle, 0, NULL, 0);
    assert_int_equal(is, KLOOP_WAITING_ORDER);
    end();
}

static void for_a_retry(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int i = 0; i < 3; i++) {
        HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
        if (i < 2)
            host_sleep(&h, 500);
    }
    host_sleep(&h, 100);
    expect(t, 0, KLOOP_WAITING_RETRY, "attempt 4 is made in ");
    expect(t, 0, KLOOP_WAITING_RETRY, "the last answer was NOT_ENOUGH_REPLICAS");
    end();
}

static void for_a_retry_after_the_connection(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    h.manual_connect = true;
    host_lose_connection(&h, 1, "gone");
    /* First of all, there is nobody to send it to. */
    expect(t, 0, KLOOP_WAITING_CONNECTION, "gone");
    end();
}

static void for_linger(void **state)
{
    (void)state;
    begin("50");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 20);
    expect(t, 0, KLOOP_WAITING_LINGER, "it lingers for others, 30 ms more");
    expect_suspended(false, "");
    end();
}

/* The very first batch waits for company, not for the producer id that nobody has asked for yet. */
static void for_linger_before_all_else(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "50", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 0);
    host_run(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    expect(t, 0, KLOOP_WAITING_LINGER, "50 ms more");
    end();
}

static void for_the_producer_id(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.id_error = KLOOP_BROKER_COORDINATOR_NOT_AVAILABLE;
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 10);
    expect(t, 0, KLOOP_WAITING_PRODUCER_ID, "no broker has given a producer id yet");
    expect(t, 0, KLOOP_WAITING_PRODUCER_ID, "COORDINATOR_NOT_AVAILABLE");
    kloop_suspended s;
    assert_true(kloop_engine_suspended(h.e, &s));
    assert_true(s.producer_id);
    end();
}

static void for_a_throttle(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    h.throttle_ms = 3000;
    HOST_ANSWER(&h, 1, 0);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 1000);
    expect(t, 0, KLOOP_WAITING_THROTTLE, "broker 1 asks to be left alone for 2000 ms more");
    expect_suspended(true, "left alone");
    end();
}

static void for_the_codec(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "compression.type", "zstd", "compression.zstd.level", "9",
             "batch.size", "900000", NULL);
    t = host_add_topic(&h, "t", 1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(host_send_bytes(&h, t, 0, 800000), KLOOP_OK);
    /* One turn is not enough for it. */
    host_pump(&h);
    expect(t, 0, KLOOP_WAITING_CODEC, "the codec has not got to it yet");
    end();
}

static void to_be_split(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 40);
    host_run(&h);
    host_answer_only(&h, 1, (const int16_t[]){KLOOP_BROKER_MESSAGE_TOO_LARGE}, 1);
    expect(t, 0, KLOOP_WAITING_CODEC, "the broker finds it too large");
    end();
}

static void for_its_share(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "buffer.memory", "3000000", "max.request.size", "50000",
             "batch.size", "20000", "topic.t.buffer.memory", "300000", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", 1);
    while (host_send_bytes(&h, t, 0, 1000) == KLOOP_OK)
        ;
    host_run(&h);
    h.hold_metadata = false;
    host_run(&h);
    /* Some of it has moved, and is with the broker; the rest is behind that. */
    expect(t, -1, KLOOP_WAITING_SHARE, "");
    kloop_suspended s;
    kloop_engine_suspended(h.e, &s);
    assert_true(s.full);
    end();
}

static void for_the_end(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    h.e->fatal = true;
    snprintf(h.e->fatal_text, sizeof h.e->fatal_text, "fenced");
    expect(t, 0, KLOOP_WAITING_END, "the producer cannot go on: fenced");
    expect_suspended(true, "fenced");
    h.e->fatal = false;
    end();
}

/* In the same turn, before anybody had a look. */
static void for_the_turn(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    expect(t, 0, KLOOP_WAITING_TURN, "it leaves in the next turn");
    end();
}

static void without_room_for_the_sentence(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    char whole[600];
    kloop_why_waiting(t->handle, 0, whole, sizeof whole);
    for (size_t size = 1; size < strlen(whole) + 2; size++) {
        char text[600];
        memset(text, '#', sizeof text);
        assert_int_equal(kloop_why_waiting(t->handle, 0, text, size), KLOOP_WAITING_ANSWER);
        assert_int_equal(text[size], '#');
        assert_true(strlen(text) < size);
        assert_memory_equal(text, whole, strlen(text));
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits),
        cmocka_unit_test(for_metadata),
        cmocka_unit_test(for_a_topic_that_is_missing),
        cmocka_unit_test(for_nobody),
        cmocka_unit_test(for_a_leader),
        cmocka_unit_test(a_leaderless_partition_without_records_holds_nothing_up),
        cmocka_unit_test(for_a_connection),
        cmocka_unit_test(for_a_name),
        cmocka_unit_test(for_the_handshake),
        cmocka_unit_test(for_an_answer),
        cmocka_unit_test(for_room_in_the_window),
        cmocka_unit_test(for_room_at_the_broker),
        cmocka_unit_test(for_bytes_to_be_written),
        cmocka_unit_test(for_the_first_answer),
        cmocka_unit_test(for_the_former_leader),
        cmocka_unit_test(for_an_older_epoch),
        cmocka_unit_test(for_a_retry),
        cmocka_unit_test(for_a_retry_after_the_connection),
        cmocka_unit_test(for_linger),
        cmocka_unit_test(for_linger_before_all_else),
        cmocka_unit_test(for_the_producer_id),
        cmocka_unit_test(for_a_throttle),
        cmocka_unit_test(for_the_codec),
        cmocka_unit_test(to_be_split),
        cmocka_unit_test(for_its_share),
        cmocka_unit_test(for_the_end),
        cmocka_unit_test(for_the_turn),
        cmocka_unit_test(without_room_for_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
