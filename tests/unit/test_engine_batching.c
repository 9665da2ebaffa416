/* SPDX-License-Identifier: BSD-2-Clause */
/* When a batch is sent, with whom, and in which order. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

/* A producer with a topic all of whose partitions b1 leads, and which has acked a record of each.
 */
static host_topic *warm(int32_t partitions)
{
    host_topic *t = host_add_topic(&h, "t", partitions);
    for (int32_t i = 0; i < partitions; i++) {
        t->leaders[i] = 1;
        host_send(&h, t, i, 1);
    }
    kloop_engine_flush(h.e, NULL, h.now);
    host_run(&h);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
    host_expect_acked(&h, 1, (size_t)partitions);
    return t;
}

static void first_record_goes_all_the_way(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_send(&h, t, 0, 3);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 1);
    assert_int_equal(seen.acks, -1);
    assert_int_equal(seen.timeout_ms, 30000);
    assert_int_equal(seen.batches[0].count, 3);
    assert_int_equal(seen.batches[0].producer_id, 4000);
    assert_int_equal(seen.batches[0].sequence, 0);
    assert_int_equal(seen.batches[0].codec, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    host_expect_offset(&h, 1, 100);
    host_expect_offset(&h, 2, 101);
    host_expect_offset(&h, 3, 102);
    host_close(&h, 0, 0);
    host_end(&h);
}

static void linger_is_exact(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "20", NULL);
    host_topic *t = warm(1);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_no_produce(&h);
    assert_int_equal(host_deadline(&h), 20);
    host_sleep(&h, 19);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_expect_no_produce(&h);
    host_sleep(&h, 1);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].count, 2);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 3);
    host_end(&h);
}

static void full_batch_does_not_linger(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", "batch.size", "5000", NULL);
    host_topic *t = warm(1);
    for (int i = 0; i < 12; i++)
        assert_int_equal(host_send_bytes(&h, t, 0, 1000), KLOOP_OK);
    host_run(&h);
    /* Four in each; that the third one is full shows when another record comes. */
    assert_int_equal(host_produces(&h, 1), 2);
    host_sleep(&h, 999);
    assert_int_equal(host_produces(&h, 1), 2);
    host_sleep(&h, 1);
    assert_int_equal(host_produces(&h, 1), 3);
    for (size_t i = 0; i < 3; i++) {
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].count, 4);
        assert_true(seen.batches[0].len <= 5000);
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 2, 13);
    host_end(&h);
}

static void record_above_the_batch_size_goes_alone(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "batch.size", "1000", "max.request.size", "5000", NULL);
    host_topic *t = warm(1);
    assert_int_equal(host_send_bytes(&h, t, 0, 4800), KLOOP_OK);
    assert_int_equal(host_send_bytes(&h, t, 0, 10), KLOOP_OK);
    assert_int_equal(host_send_bytes(&h, t, 0, 4990), KLOOP_TOO_LARGE);
    host_run(&h);
    host_expect_produce_at(&h, 1, 0, &seen);
    assert_int_equal(seen.batches[0].count, 1);
    assert_true(seen.batches[0].len > 4800 && seen.batches[0].len <= 5000);
    HOST_ANSWER(&h, 1, 0);
    if (host_produces(&h, 1))
        HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 3);
    host_end(&h);
}

static void flush_ends_lingering(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *t = warm(2);
    size_t flushed = h.flushed_count;
    host_send(&h, t, 0, 2);
    assert_int_equal(kloop_engine_flush(h.e, (void *)5, h.now), KLOOP_OK);
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(h.flushed_count, flushed);
    host_answer(&h, 1, (const int16_t[2]){0}, seen.batch_count);
    assert_int_equal(h.flushed_count, flushed + 1);
    assert_int_equal(h.flushed[flushed], 5);
    host_expect_acked(&h, 3, 4);
    host_end(&h);
}

static void flushes_come_in_order(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "max.in.flight.requests.per.connection", "5", NULL);
    host_topic *t = warm(2);
    h.flushed_count = 0;
    /* Nothing to wait for. */
    kloop_engine_flush(h.e, (void *)1, h.now);
    host_run(&h);
    assert_int_equal(h.flushed_count, 1);
    host_send(&h, t, 0, 1);
    kloop_engine_flush(h.e, (void *)2, h.now);
    kloop_engine_flush(h.e, (void *)3, h.now);
    host_run(&h);
    host_send(&h, t, 1, 1);
    kloop_engine_flush(h.e, (void *)4, h.now);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    assert_int_equal(h.flushed_count, 1);
    HOST_ANSWER(&h, 1, 19);
    HOST_ANSWER(&h, 1, 0);
    /* The second record is done with, but the first flush is not. */
    host_expect_acked(&h, 4, 4);
    assert_int_equal(h.flushed_count, 1);
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(h.flushed_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(h.flushed[i], i + 1);
    host_end(&h);
}

/* Two flushes with nothing between them: neither waits for what is sent afterwards. */
static void flush_does_not_wait_for_later_records(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = warm(2);
    h.flushed_count = 0;
    host_send(&h, t, 0, 1);
    kloop_engine_flush(h.e, (void *)1, h.now);
    kloop_engine_flush(h.e, (void *)2, h.now);
    host_run(&h);
    host_send(&h, t, 1, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    HOST_ANSWER(&h, 1, 0);
    host_expect_pending(&h, 4, 4);
    assert_int_equal(h.flushed_count, 2);
    HOST_ANSWER(&h, 1, 0);
    host_end(&h);
}

/* Once something is due, what merely lingers goes along: a request costs more than it saves. */
static void young_batches_go_along(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "100", NULL);
    host_topic *t = warm(3);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 60);
    host_send(&h, t, 1, 1);
    host_send(&h, t, 2, 1);
    host_sleep(&h, 40);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 3);
    HOST_ANSWER(&h, 1, 0, 0, 0);
    host_expect_acked(&h, 4, 6);
    host_end(&h);
}

static void requests_keep_their_size(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "10", "max.request.size", "10000", "request.bytes.max", "25000",
             "batch.size", "10000", NULL);
    host_topic *t = warm(8);
    for (int32_t i = 0; i < 8; i++)
        assert_int_equal(host_send_bytes(&h, t, i, 9000), KLOOP_OK);
    host_sleep(&h, 10);
    size_t requests = host_produces(&h, 1);
    assert_true(requests >= 4);
    size_t batches = 0;
    for (size_t i = 0; i < requests; i++) {
        host_expect_produce_at(&h, 1, i, &seen);
        assert_true(seen.len <= 25000);
        batches += seen.batch_count;
    }
    assert_int_equal(batches, 8);
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[8]){0}, seen.batch_count);
    }
    host_expect_acked(&h, 9, 16);
    host_end(&h);
}

static void order_of_a_partition_is_kept(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = warm(1);
    for (int i = 0; i < 9; i++) {
        host_send(&h, t, 0, 1);
        host_run(&h);
    }
    /* Five in flight, the rest waits together. */
    assert_int_equal(host_produces(&h, 1), 5);
    size_t next = 2;
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].first, next);
        assert_int_equal(seen.batches[0].sequence, next - 1);
        next = seen.batches[0].last + 1;
        HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(next, 11);
    host_expect_acked(&h, 2, 10);
    host_end(&h);
}

static void in_flight_is_kept(void **state)
{
    (void)state;
    static const char *const most[] = {"1", "2", "5", "20"};
    for (size_t i = 0; i < 4; i++) {
        host_new(&h, "linger.ms", "0", "enable.idempotence", "false",
                 "max.in.flight.requests.per.connection", most[i], NULL);
        host_topic *t = warm(30);
        for (int32_t p = 0; p < 30; p++) {
            host_send(&h, t, p, 1);
            host_run(&h);
        }
        assert_int_equal(host_produces(&h, 1), i == 0 ? 1 : i == 1 ? 2 : i == 2 ? 5 : 20);
        while (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
        }
        host_expect_acked(&h, 31, 60);
        host_end(&h);
    }
}

static void sticky_partition_moves_on(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", "batch.size", "5000", "partitioner.adaptive.partitioning.enable",
             "false", NULL);
    host_topic *t = host_add_topic(&h, "t", 5);
    for (int32_t i = 0; i < 5; i++)
        t->leaders[i] = 1;
    host_run(&h);
    int partitions[5] = {0};
    int32_t last = -1;
    int moves = 0;
    size_t bytes_here = 0;
    for (int i = 0; i < 100; i++) {
        /* Half a batch each time. */
        assert_int_equal(host_send_bytes(&h, t, -1, 2400), KLOOP_OK);
        host_sleep(&h, 6);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batch_count, 1);
        int32_t p = seen.batches[0].partition;
        partitions[p]++;
        if (last >= 0 && p != last) {
            assert_true(bytes_here >= 16384);
            moves++;
            bytes_here = 0;
        }
        bytes_here += 2400;
        last = p;
        HOST_ANSWER(&h, 1, 0);
    }
    assert_true(moves >= 5);
    for (int p = 0; p < 5; p++)
        assert_true(partitions[p] > 0);
    host_end(&h);
}

static void keys_go_where_java_sends_them(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "t", 10);
    for (int32_t i = 0; i < 10; i++)
        t->leaders[i] = 1;
    host_run(&h);
    /* From Kafka's own tests of murmur2: "21" is -973932308, "foobar" -790332482. */
    kloop_record r = {.key = {(const uint8_t *)"21", 2}};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    r.key = (kloop_slice){(const uint8_t *)"foobar", 6};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 2);
    assert_int_equal(seen.batches[0].partition, (-973932308 & INT32_MAX) % 10);
    assert_int_equal(seen.batches[1].partition, (-790332482 & INT32_MAX) % 10);
    HOST_ANSWER(&h, 1, 0, 0);
    host_end(&h);
}

static void several_leaders_and_topics(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *a = host_add_topic(&h, "a", 6);
    host_topic *b = host_add_topic(&h, "b", 6);
    host_run(&h);
    for (int32_t p = 0; p < 6; p++) {
        host_send(&h, a, p, 2);
        host_send(&h, b, p, 1);
    }
    host_run(&h);
    for (int node = 1; node <= 3; node++) {
        host_expect_produce(&h, node, &seen);
        assert_int_equal(seen.batch_count, 4);
        HOST_ANSWER(&h, node, 0, 0, 0, 0);
    }
    host_expect_acked(&h, 1, 18);
    host_end(&h);
}

static void values_headers_and_times_arrive(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = warm(1);
    const kloop_record_header headers[] = {
        {.key = {"one", 3}, .value = {(const uint8_t *)"1", 1}},
        {.key = {"", 0}, .value = {NULL, 0}},
        {.key = {"one", 3}, .value = {(const uint8_t *)"", 0}},
    };
    kloop_record r = {.key = {(const uint8_t *)"", 0},
                      .headers = headers,
                      .header_count = 3,
                      .set = KLOOP_SET_TIMESTAMP | KLOOP_SET_PARTITION,
                      .timestamp_ms = 12345};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    const host_request *q = host_first(&h, c);
    kloop_produce_request m;
    assert_int_equal(
        kloop_decode(KLOOP_PRODUCE, KLOOP_REQUEST, q->version, c->stream + q->at, q->len, &m, NULL),
        KLOOP_OK);
    kloop_iter i = kloop_iterate(&m.topic_data);
    kloop_produce_topic topic;
    kloop_produce_partition p;
    assert_true(kloop_next(&i, &topic));
    i = kloop_iterate(&topic.partition_data);
    assert_true(kloop_next(&i, &p));
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1000000);
    kloop_batch_reader_start(reader, p.records.head.data, p.records.head.len);
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
    assert_int_equal(kloop_batch_reader_record(reader, &record, NULL), KLOOP_OK);
    assert_int_equal(record->timestamp, 12345);
    assert_non_null(record->key.data);
    assert_int_equal(record->key.len, 0);
    assert_null(record->value.data);
    kloop_record_headers rest = record->headers;
    kloop_record_header got;
    for (int n = 0; n < 3; n++) {
        assert_true(kloop_record_headers_next(&rest, &got));
        assert_int_equal(got.key.len, headers[n].key.len);
        assert_int_equal(got.value.data == NULL, headers[n].value.data == NULL);
        assert_int_equal(got.value.len, headers[n].value.len);
    }
    kloop_batch_reader_del(reader);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    host_end(&h);
}

static void record_without_a_time_has_that_of_the_turn(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = warm(1);
    host_sleep(&h, 1234);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    const host_request *q = host_first(&h, c);
    kloop_produce_request m;
    assert_int_equal(
        kloop_decode(KLOOP_PRODUCE, KLOOP_REQUEST, q->version, c->stream + q->at, q->len, &m, NULL),
        KLOOP_OK);
    kloop_iter i = kloop_iterate(&m.topic_data);
    kloop_produce_topic topic;
    kloop_produce_partition p;
    assert_true(kloop_next(&i, &topic));
    i = kloop_iterate(&topic.partition_data);
    assert_true(kloop_next(&i, &p));
    int64_t time = 0;
    for (int n = 27; n < 35; n++)
        time = time << 8 | p.records.head.data[n];
    assert_int_equal(time, h.now.wall_ms);
    HOST_ANSWER(&h, 1, 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_record_goes_all_the_way),
        cmocka_unit_test(linger_is_exact),
        cmocka_unit_test(full_batch_does_not_linger),
        cmocka_unit_test(record_above_the_batch_size_goes_alone),
        cmocka_unit_test(flush_ends_lingering),
        cmocka_unit_test(flushes_come_in_order),
        cmocka_unit_test(flush_does_not_wait_for_later_records),
        cmocka_unit_test(young_batches_go_along),
        cmocka_unit_test(requests_keep_their_size),
        cmocka_unit_test(order_of_a_partition_is_kept),
        cmocka_unit_test(in_flight_is_kept),
        cmocka_unit_test(sticky_partition_moves_on),
        cmocka_unit_test(keys_go_where_java_sends_them),
        cmocka_unit_test(several_leaders_and_topics),
        cmocka_unit_test(values_headers_and_times_arrive),
        cmocka_unit_test(record_without_a_time_has_that_of_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
