/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots: what is in them, what was measured in virtual time, slices, parts, and memory. */
#include "core/engine_state.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_topic *t;
static kloop_snapshot *s;

static void begin(const char *linger_ms)
{
    host_new(&h, "linger.ms", linger_ms, "client.id", "me", "batch.size", "20000",
             "retry.backoff.ms", "100", "retry.backoff.max.ms", "100", "reconnect.backoff.ms", "10",
             "reconnect.backoff.max.ms", "10", NULL);
    h.cluster_id = "the-cluster";
    t = host_add_topic(&h, "t", 3);
}

static void take(unsigned parts, const host_topic *topic)
{
    kloop_snapshot_del(s);
    assert_int_equal(kloop_engine_snapshot(h.e, parts, topic ? topic->handle : NULL, &s), KLOOP_OK);
    assert_true(s->whole);
}

static void end(void)
{
    kloop_snapshot_del(s);
    s = NULL;
    host_close(&h, 0, 0);
    host_end(&h);
}

static const kloop_broker_stats *broker(int32_t id)
{
    for (size_t i = 0; i < s->broker_count; i++)
        if (s->brokers[i].id == id)
            return &s->brokers[i];
    fail_msg("broker %d is not there", (int)id);
    return NULL;
}

static void text_is(kloop_string text, const char *what)
{
    assert_string_equal(text.data, what);
    assert_int_equal(text.len, strlen(what));
}

/* Of a producer that has done nothing yet. */
static void of_the_beginning(void **state)
{
    (void)state;
    host_new(&h, "client.id", "me", "enable.idempotence", "false", NULL);
    assert_int_equal(kloop_engine_snapshot(h.e, KLOOP_SNAPSHOT_ALL, NULL, &s), KLOOP_OK);
    assert_true(s->whole);
    text_is(s->client_id, "me");
    text_is(s->cluster_id, "");
    text_is(s->fatal, "");
    assert_false(s->idempotent);
    assert_int_equal(s->producer_id, -1);
    assert_int_equal(s->age_ns, 0);
    assert_true(s->metadata_age_ns == UINT64_MAX);
    assert_int_equal(s->memory_bytes, 64 << 20);
    assert_null(s->age_us);
    assert_null(s->batch_bytes);
    assert_int_equal(s->topic_count, 0);
    assert_int_equal(s->partition_count, 0);
    /* What bootstrap.servers names. */
    assert_int_equal(s->broker_count, 1);
    assert_int_equal(s->brokers[0].id, -1);
    text_is(s->brokers[0].host, "b1");
    assert_int_equal(s->brokers[0].port, 9091);
    assert_int_equal(s->brokers[0].connects, 0);
    assert_null(s->brokers[0].rtt_us);
    end();
}

static void of_some_traffic(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 5);
    host_send(&h, t, 1, 2);
    host_run(&h);
    take(KLOOP_SNAPSHOT_ALL, NULL);
    assert_int_equal(s->totals.accepted, 7);
    assert_int_equal(s->totals.pending, 7);
    assert_int_equal(s->partitions[0].in_flight, 5);
    assert_int_equal(s->partitions[0].in_flight_batches, 1);
    assert_int_equal(s->partitions[1].in_flight, 2);
    assert_int_equal(s->partitions[0].waiting, KLOOP_WAITING_ANSWER);
    assert_int_equal(s->partitions[2].waiting, KLOOP_WAITING_NOTHING);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, KLOOP_BROKER_INVALID_TIMESTAMP);
    host_send(&h, t, 0, 1);
    take(KLOOP_SNAPSHOT_ALL, NULL);
    text_is(s->cluster_id, "the-cluster");
    assert_int_equal(s->totals.acked, 5);
    assert_int_equal(s->totals.failed, 2);
    assert_int_equal(s->sent, 7);
    assert_int_equal(s->sent_batches, 2);
    assert_int_equal(s->produce_requests, 2);
    assert_int_equal(s->sent_plain_bytes, s->sent_bytes);
    assert_int_equal(s->topic_count, 1);
    const kloop_topic_stats *row = &s->topics[0];
    text_is(row->name, "t");
    assert_int_equal(row->partition_count, 3);
    assert_int_equal(row->led, 3);
    assert_int_equal(row->acked, 5);
    assert_int_equal(row->failed, 2);
    assert_int_equal(row->unknown, 0);
    assert_int_equal(row->sent, 7);
    assert_int_equal(row->batches_waiting, 1);
    assert_int_equal(row->row_count, 3);
    assert_int_equal(s->partitions[0].acked, 5);
    assert_int_equal(s->partitions[0].leader, 1);
    assert_int_equal(s->partitions[0].queued, 1);
    assert_int_equal(s->partitions[0].queued_batches, 1);
    assert_int_equal(s->partitions[0].next_sequence, 5);
    assert_int_equal(s->partitions[0].last_error, 0);
    assert_int_equal(s->partitions[1].failed, 2);
    assert_int_equal(s->partitions[1].leader, 2);
    assert_int_equal(s->partitions[1].last_error, KLOOP_BROKER_INVALID_TIMESTAMP);
    assert_int_equal(s->partitions[2].index, 2);
    assert_int_equal(s->partitions[2].producer_id, -1);
    assert_true(s->partitions[0].acked_bytes > 61);
    assert_int_equal(s->partitions[0].acked_bytes, row->acked_bytes);
    assert_int_equal(broker(1)->state, KLOOP_BROKER_READY);
    assert_int_equal(broker(1)->batches, 1);
    assert_int_equal(broker(3)->state, KLOOP_BROKER_IDLE);
    /* Brokers add up. */
    uint64_t requests = 0, answers = 0, out = 0, in = 0, connects = 0;
    for (size_t i = 0; i < s->broker_count; i++) {
        requests += s->brokers[i].requests;
        answers += s->brokers[i].answers;
        out += s->brokers[i].bytes_out;
        in += s->brokers[i].bytes_in;
        connects += s->brokers[i].connects;
    }
    assert_int_equal(requests, s->totals.requests);
    assert_int_equal(answers, s->answers);
    assert_int_equal(out, s->totals.bytes_out);
    assert_int_equal(in, s->totals.bytes_in);
    assert_int_equal(connects, s->totals.connects);
    assert_int_equal(kloop_histogram_count(s->batch_records), 2);
    assert_int_equal(s->batch_records->sum, 7);
    assert_int_equal(s->batch_records->max, 5);
    end();
}

/* A slot is no wider than an eighth. */
static void about(const kloop_histogram *is, uint64_t count, uint64_t us)
{
    assert_non_null(is);
    assert_int_equal(kloop_histogram_count(is), count);
    assert_int_equal(is->max, us);
}

static void latencies(void **state)
{
    (void)state;
    begin("30");
    host_send(&h, t, 0, 4);
    host_run(&h);
    host_sleep(&h, 30);
    h.manual_write = true;
    host_sleep(&h, 25);
    /* It has waited for company, the first one of all for an id and a connection as well. */
    HOST_ANSWER(&h, 1, 0);
    h.manual_write = false;
    host_sleep(&h, 1000);
    take(KLOOP_SNAPSHOT_ALL, NULL);
    about(broker(1)->wait_us, 1, 30000);
    about(broker(1)->rtt_us, 1, 25000);
    about(broker(1)->write_us, 1, 0);
    about(s->age_us, 4, 55000);
    assert_null(broker(1)->throttle_us);
    assert_null(broker(2)->rtt_us);
    /* Nobody has asked for them. */
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_null(broker(1)->rtt_us);
    assert_null(s->age_us);
    end();
}

static void a_throttle(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    h.throttle_ms = 700;
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 200);
    take(KLOOP_SNAPSHOT_ALL, NULL);
    assert_int_equal(broker(1)->throttles, 1);
    assert_int_equal(broker(1)->throttled_ns, 500 * KL_MS);
    about(broker(1)->throttle_us, 1, 700000);
    end();
}

/* Retries are no second sending, and count for the broker that was the reason. */
static void retries(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
    host_sleep(&h, 300);
    host_lose_connection(&h, 1, "gone");
    host_sleep(&h, 300);
    HOST_ANSWER(&h, 1, 0);
    take(KLOOP_SNAPSHOT_ALL, NULL);
    assert_int_equal(s->totals.retries, 2);
    assert_int_equal(broker(1)->retries, 2);
    assert_int_equal(broker(1)->batches, 3);
    assert_int_equal(broker(1)->disconnects, 1);
    assert_int_equal(s->sent, 1);
    assert_int_equal(s->sent_batches, 1);
    assert_int_equal(s->topics[0].sent, 1);
    assert_int_equal(kloop_histogram_count(broker(1)->wait_us), 1);
    end();
}

/* The connection of a bootstrap entry becomes a node's while an answer is awaited on it: that came
 * to a broker that had asked nothing. */
static void a_connection_that_changes_hands(void **state)
{
    (void)state;
    begin("0");
    h.gone[1] = true;
    for (int i = 0; i < 3; i++)
        t->leaders[i] = 2;
    host_run(&h);
    h.hold_metadata = h.hold_id = true;
    h.gone[1] = false;
    host_add_topic(&h, "u", 1);
    host_sleep(&h, 1000);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 1000);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->in_flight, 2);
    h.hold_metadata = false;
    host_run(&h);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->requests - broker(-1)->answers, 0);
    assert_int_equal(broker(1)->in_flight, 1);
    assert_int_equal(broker(1)->requests - broker(1)->answers, 1);
    h.hold_id = false;
    host_run(&h);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(1)->requests, broker(1)->answers);
    end();
}

static void states_of_a_broker(void **state)
{
    (void)state;
    begin("0");
    h.manual_resolve = h.manual_connect = h.hold_versions = true;
    host_send(&h, t, 0, 1);
    host_pump(&h);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->state, KLOOP_BROKER_RESOLVING);
    host_sleep(&h, 40);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->state_ns, 40 * KL_MS);
    assert_int_equal(broker(-1)->connects, 0);
    kloop_engine_on_resolved(h.e, h.resolving[0], NULL, 0, "no such name", h.now);
    h.resolving_count = 0;
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->state, KLOOP_BROKER_BACKOFF);
    assert_int_equal(broker(-1)->failures, 1);
    assert_true(broker(-1)->retry_ns > 0);
    assert_non_null(strstr(broker(-1)->trouble.data, "no such name"));
    h.manual_resolve = false;
    host_sleep(&h, 60);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->state, KLOOP_BROKER_CONNECTING);
    h.manual_connect = false;
    host_sleep_connecting(&h, 5);
    host_run(&h);
    take(KLOOP_SNAPSHOT_BROKERS, NULL);
    assert_int_equal(broker(-1)->state, KLOOP_BROKER_HANDSHAKE);
    assert_int_equal(broker(-1)->in_flight, 1);
    end();
}

static void without_what_was_not_asked_for(void **state)
{
    (void)state;
    begin("0");
    host_topic *other = host_add_topic(&h, "other", 5);
    host_send(&h, t, 0, 1);
    host_send(&h, other, 0, 1);
    host_run(&h);
    take(0, NULL);
    assert_int_equal(s->broker_count + s->topic_count + s->partition_count, 0);
    assert_int_equal(s->totals.accepted, 2);
    take(KLOOP_SNAPSHOT_TOPICS, NULL);
    assert_int_equal(s->topic_count, 2);
    assert_int_equal(s->topics[1].row_count, 0);
    assert_int_equal(s->partition_count, 0);
    take(KLOOP_SNAPSHOT_PARTITIONS, other);
    assert_int_equal(s->topic_count, 1);
    text_is(s->topics[0].name, "other");
    assert_int_equal(s->topics[0].first_row, 0);
    assert_int_equal(s->partition_count, 5);
    take(KLOOP_SNAPSHOT_PARTITIONS, NULL);
    assert_int_equal(s->topics[1].first_row, 3);
    assert_int_equal(s->topics[1].row_count, 5);
    assert_int_equal(s->partition_count, 8);
    end();
}

static void parked_records(void **state)
{
    (void)state;
    begin("0");
    h.hold_metadata = true;
    host_send(&h, t, 0, 3);
    host_run(&h);
    take(KLOOP_SNAPSHOT_PARTITIONS, NULL);
    assert_int_equal(s->topics[0].parked, 3);
    assert_int_equal(s->topics[0].partition_count, 0);
    assert_int_equal(s->partition_count, 0);
    end();
}

/* More batches than one slice looks at, so that it takes several; meanwhile things change. */
static void in_slices(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "batch.size", "1000", NULL);
    t = host_add_topic(&h, "first", 50);
    host_topic *second = host_add_topic(&h, "second", 50);
    host_send(&h, t, 0, 1);
    host_send(&h, second, 0, 1);
    host_run(&h);
    for (int i = 0; i < 60; i++)
        for (int32_t p = 0; p < 50; p++) {
            assert_int_equal(host_send_bytes(&h, t, p, 900), KLOOP_OK);
            assert_int_equal(host_send_bytes(&h, second, p, 900), KLOOP_OK);
        }
    kloop_snapshot *of_slices;
    assert_int_equal(kloop_engine_snapshot_begin(h.e, KLOOP_SNAPSHOT_PARTITIONS, NULL, &of_slices),
                     KLOOP_OK);
    assert_false(of_slices->whole);
    assert_int_equal(of_slices->topic_count, 0);
    int slices = 1;
    while (!kloop_engine_snapshot_go_on(h.e, of_slices)) {
        assert_false(of_slices->whole);
        /* One that came too late is not in it. */
        char name[16];
        snprintf(name, sizeof name, "late%d", slices);
        if (slices < 3)
            host_add_topic(&h, name, 2);
        slices++;
    }
    assert_true(of_slices->whole);
    assert_in_range(slices, 3, 6);
    assert_int_equal(of_slices->topic_count, 2);
    assert_int_equal(of_slices->partition_count, 100);
    for (size_t i = 0; i < 100; i++) {
        const kloop_partition_stats *p = &of_slices->partitions[i];
        assert_int_equal(p->index, i % 50);
        assert_int_equal(p->queued + p->in_flight, 60 + (i % 50 == 0));
        assert_int_equal(p->queued_batches + p->in_flight_batches, 60 + (i % 50 == 0));
    }
    /* Once more is no harm. */
    assert_true(kloop_engine_snapshot_go_on(h.e, of_slices));
    kloop_snapshot_del(of_slices);
    /* And one that nobody goes on with. */
    assert_int_equal(kloop_engine_snapshot_begin(h.e, KLOOP_SNAPSHOT_PARTITIONS, NULL, &of_slices),
                     KLOOP_OK);
    assert_false(kloop_engine_snapshot_go_on(h.e, of_slices));
    kloop_snapshot_del(of_slices);
    end();
}

/* What was given up waits to be reported behind what is still under way, and for nothing else. */
static void what_is_settled_is_not_queued(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 0, 4);
    take(KLOOP_SNAPSHOT_PARTITIONS, NULL);
    assert_int_equal(s->partitions[0].queued, 4);
    assert_int_equal(kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now), 4);
    take(KLOOP_SNAPSHOT_PARTITIONS, NULL);
    assert_int_equal(s->totals.pending, 5);
    assert_int_equal(s->partitions[0].queued, 0);
    assert_int_equal(s->partitions[0].queued_batches, 0);
    assert_int_equal(s->partitions[0].in_flight, 1);
    assert_int_equal(s->topics[0].batches_waiting, 2);
    end();
}

/* Of a topic that grows in the middle there are as many rows as there was room for. */
static void a_topic_that_grows_meanwhile(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    kloop_snapshot *early;
    assert_int_equal(kloop_engine_snapshot_begin(h.e, KLOOP_SNAPSHOT_PARTITIONS, NULL, &early),
                     KLOOP_OK);
    assert_true(kl_topics_grow(h.e, t->handle, 9));
    assert_true(kloop_engine_snapshot_go_on(h.e, early));
    assert_int_equal(early->partition_count, 3);
    assert_int_equal(early->topics[0].row_count, 3);
    assert_int_equal(early->topics[0].partition_count, 9);
    kloop_snapshot_del(early);
    end();
}

static void it_outlives_the_engine(void **state)
{
    (void)state;
    kloop_config *c = kloop_config_new(NULL);
    kloop_config_set(c, "bootstrap.servers", "somewhere:9092");
    kloop_config_set(c, "client.id", "gone");
    kloop_engine *e;
    kloop_topic *topic;
    const kloop_now now = {.mono_ns = 5, .wall_ms = 7};
    assert_int_equal(kloop_engine_new(&e, c, NULL, 1, now, NULL, NULL), KLOOP_OK);
    kloop_config_del(c);
    assert_int_equal(kloop_engine_topic(e, (kloop_string){"t", 1}, &topic), KLOOP_OK);
    kloop_snapshot *late;
    assert_int_equal(kloop_engine_snapshot(e, KLOOP_SNAPSHOT_ALL, NULL, &late), KLOOP_OK);
    kloop_engine_del(e);
    text_is(late->client_id, "gone");
    text_is(late->topics[0].name, "t");
    text_is(late->brokers[0].host, "somewhere");
    assert_int_equal(late->taken_ms, 7);
    kloop_snapshot_del(late);
    kloop_snapshot_del(NULL);
}

static void without_memory(void **state)
{
    (void)state;
    begin("0");
    host_send(&h, t, 0, 1);
    host_run(&h);
    kloop_stats before = host_stats(&h);
    size_t live = h.memory.live_blocks;
    h.memory.nth = h.memory.calls + 1;
    kloop_snapshot *none = (kloop_snapshot *)(void *)&before;
    assert_int_equal(kloop_engine_snapshot(h.e, KLOOP_SNAPSHOT_ALL, NULL, &none), KLOOP_NO_MEMORY);
    assert_null(none);
    assert_int_equal(h.memory.live_blocks, live);
    kloop_stats after = host_stats(&h);
    assert_memory_equal(&before, &after, sizeof before);
    /* It is one block, whatever is in it. */
    take(KLOOP_SNAPSHOT_ALL, NULL);
    assert_int_equal(h.memory.live_blocks, live + 1);
    end();
}

/* The totals of a topic stay when what is known of its partitions is forgotten. */
static void a_topic_that_was_forgotten(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "metadata.max.idle.ms", "5000", "metadata.max.age.ms", "2000",
             NULL);
    t = host_add_topic(&h, "t", 3);
    host_send(&h, t, 0, 4);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 20000);
    take(KLOOP_SNAPSHOT_ALL, NULL);
    assert_int_equal(s->topics[0].acked, 4);
    assert_int_equal(s->topics[0].partition_count, 0);
    assert_int_equal(s->partition_count, 0);
    assert_int_equal(h.e->meters.rows, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_beginning),
        cmocka_unit_test(of_some_traffic),
        cmocka_unit_test(latencies),
        cmocka_unit_test(a_throttle),
        cmocka_unit_test(retries),
        cmocka_unit_test(a_connection_that_changes_hands),
        cmocka_unit_test(states_of_a_broker),
        cmocka_unit_test(without_what_was_not_asked_for),
        cmocka_unit_test(parked_records),
        cmocka_unit_test(in_slices),
        cmocka_unit_test(what_is_settled_is_not_queued),
        cmocka_unit_test(a_topic_that_grows_meanwhile),
        cmocka_unit_test(it_outlives_the_engine),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(a_topic_that_was_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
