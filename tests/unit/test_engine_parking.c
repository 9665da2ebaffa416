/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that were sent before anybody knew the partitions of their topic. */
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

static void begin(const char *linger_ms, int32_t partitions)
{
    host_new(&h, "linger.ms", linger_ms, "max.block.ms", "60000", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", partitions);
    for (int32_t i = 0; i < partitions; i++)
        t->leaders[i] = 1;
    host_run(&h);
}

static void appear(void)
{
    h.hold_metadata = false;
    host_run(&h);
}

static size_t requests;

static void answer_all(void)
{
    for (requests = 0; host_produces(&h, 1); requests++) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

static void order_is_kept(void **state)
{
    (void)state;
    begin("0", 1);
    host_send(&h, t, 0, 3000);
    host_expect_no_produce(&h);
    h.hold_metadata = false;
    /* What comes while they are being moved queues behind them. */
    host_pump(&h);
    host_send(&h, t, 0, 10);
    host_run(&h);
    host_send(&h, t, 0, 10);
    host_run(&h);
    size_t next = 1;
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].first, next);
        next = seen.batches[0].last + 1;
        HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(next, 3021);
    host_expect_acked(&h, 1, 3020);
    end();
}

static void slices_do_not_hold_the_loop(void **state)
{
    (void)state;
    begin("0", 1);
    host_send(&h, t, 0, 30000);
    host_conn *c = host_at(&h, 1);
    host_answer_metadata(&h, c);
    host_pump(&h);
    /* There is work left: the deadline is now, and nothing else is done until the next turn. */
    assert_true(kloop_engine_deadline(h.e) <= h.now.mono_ns);
    int turns = 1;
    while (kloop_engine_deadline(h.e) <= h.now.mono_ns) {
        kloop_engine_on_time(h.e, h.now);
        host_pump(&h);
        turns++;
        assert_true(turns < 100);
    }
    assert_true(turns >= 4);
    host_run(&h);
    answer_all();
    host_expect_acked(&h, 1, 30000);
    end();
}

/* For long they wait together: each of them had a batch of its own once, because each was too old
 * for a batch to stay open. */
static void old_records_share_batches(void **state)
{
    (void)state;
    begin("5", 2);
    host_send(&h, t, -1, 2000);
    host_sleep(&h, 20000);
    appear();
    host_sleep(&h, 10);
    answer_all();
    host_expect_acked(&h, 1, 2000);
    assert_true(host_stats(&h).batches < 20);
    end();
}

/* Nobody dies much too early because of an older neighbour. */
static void old_and_young_do_not_share(void **state)
{
    (void)state;
    begin("0", 1);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 40000);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 10000);
    h.hold_id = true;
    appear();
    host_send(&h, t, 0, 1);
    host_run(&h);
    /* delivery.timeout.ms is 120 s. */
    host_sleep(&h, 69999);
    host_expect_pending(&h, 1, 3);
    host_sleep(&h, 1);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_pending(&h, 2, 3);
    host_sleep(&h, 32400);
    host_expect_pending(&h, 2, 3);
    host_sleep(&h, 7600);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_pending(&h, 3, 3);
    host_sleep(&h, 10001);
    host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    end();
}

static void nothing_of_a_record_is_lost(void **state)
{
    (void)state;
    begin("0", 1);
    enum { COUNT = 40 };
    static uint8_t large[9000];
    memset(large, 'L', sizeof large);
    const kloop_record_header headers[] = {
        {.key = {"", 0}, .value = {NULL, 0}},
        {.key = {"twice", 5}, .value = {(const uint8_t *)"", 0}},
        {.key = {"twice", 5}, .value = {large, 5000}},
    };
    kloop_record sent[COUNT];
    for (int i = 0; i < COUNT; i++) {
        sent[i] = (kloop_record){.set = KLOOP_SET_PARTITION | (i % 3 ? KLOOP_SET_TIMESTAMP : 0),
                                 .timestamp_ms = 1000 + i * 7};
        if (i % 4)
            sent[i].key = (kloop_slice){large, i % 4 == 1 ? 0 : (size_t)i * 100};
        if (i % 5)
            sent[i].value = (kloop_slice){large, i % 5 == 1 ? 0 : (size_t)i * 200};
        sent[i].headers = headers;
        sent[i].header_count = (uint32_t)(i % 4);
        assert_int_equal(host_send_record(&h, t, &sent[i]), KLOOP_OK);
    }
    int64_t sent_at = h.now.wall_ms;
    host_sleep(&h, 500);
    appear();
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 10000000);
    int n = 0;
    while (host_produces(&h, 1)) {
        host_conn *c = host_at(&h, 1);
        const host_request *q = host_first(&h, c);
        kloop_produce_request m;
        assert_int_equal(kloop_decode(KLOOP_PRODUCE, KLOOP_REQUEST, q->version, c->stream + q->at,
                                      q->len, &m, NULL),
                         KLOOP_OK);
        kloop_produce_topic topic;
        kloop_produce_partition p;
        kloop_iter i = kloop_iterate(&m.topic_data);
        assert_true(kloop_next(&i, &topic));
        i = kloop_iterate(&topic.partition_data);
        assert_true(kloop_next(&i, &p));
        kloop_batch_reader_start(reader, p.records.head.data, p.records.head.len);
        const kloop_batch_header *header;
        const kloop_batch_record *r;
        assert_int_equal(kloop_batch_reader_next(reader, &header, NULL), KLOOP_OK);
        while (!kloop_batch_reader_record(reader, &r, NULL) && r) {
            assert_int_equal(r->timestamp, n % 3 ? sent[n].timestamp_ms : sent_at);
            assert_int_equal(r->key.data == NULL, sent[n].key.data == NULL);
            assert_int_equal(r->key.len, sent[n].key.len);
            assert_int_equal(r->value.data == NULL, sent[n].value.data == NULL);
            assert_int_equal(r->value.len, sent[n].value.len);
            if (r->value.len)
                assert_memory_equal(r->value.data, large, r->value.len);
            assert_int_equal(r->headers.count, sent[n].header_count);
            kloop_record_headers rest = r->headers;
            kloop_record_header got;
            for (int k = 0; kloop_record_headers_next(&rest, &got); k++) {
                assert_int_equal(got.key.len, headers[k].key.len);
                assert_int_equal(got.value.data == NULL, headers[k].value.data == NULL);
                assert_int_equal(got.value.len, headers[k].value.len);
            }
            n++;
        }
        HOST_ANSWER(&h, 1, 0);
    }
    kloop_batch_reader_del(reader);
    assert_int_equal(n, COUNT);
    host_expect_acked(&h, 1, COUNT);
    end();
}

static void partition_that_is_not_there(void **state)
{
    (void)state;
    begin("0", 2);
    host_send(&h, t, 1, 1);
    host_send(&h, t, 2, 1);
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1000000, 1);
    appear();
    answer_all();
    host_expect_acked(&h, 1, 1);
    host_expect_acked(&h, 3, 3);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PARTITION);
    host_expect_fate(&h, 4, 4, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PARTITION);
    host_expect_text(&h, 2, "there is no partition 2, the topic has 2 (0 to 1)");
    host_expect_text(&h, 4, "there is no partition 1000000");
    end();
}

static void keys_and_sticky_ones(void **state)
{
    (void)state;
    begin("0", 4);
    for (int i = 0; i < 50; i++) {
        char key[8];
        kloop_record r = {.key = {(const uint8_t *)key, 0}};
        r.key.len = (size_t)snprintf(key, sizeof key, "k%d", i % 10);
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
        host_send(&h, t, -1, 1);
    }
    appear();
    answer_all();
    host_expect_acked(&h, 1, 100);
    for (size_t user = 1; user <= 80; user += 2)
        assert_int_equal(host_report_of(&h, user)->partition,
                         host_report_of(&h, user + 20)->partition);
    end();
}

/* Records that were parked at a flush do not linger later, and FLUSHED comes after their reports;
 * however old they were. */
static void flush_over_parked_records(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++)
        for (int codec = 0; codec < 2; codec++) {
            host_new(&h, "linger.ms", "3000", "compression.type", codec ? "lz4" : "none", NULL);
            h.hold_metadata = true;
            t = host_add_topic(&h, "t", 2);
            t->leaders[0] = t->leaders[1] = 1;
            host_send(&h, t, 0, 700);
            host_send(&h, t, 1, 1);
            kloop_engine_flush(h.e, (void *)1, h.now);
            host_send(&h, t, 0, 5);
            kloop_engine_flush(h.e, (void *)2, h.now);
            host_send(&h, t, 1, 1);
            host_sleep(&h, late ? 20000 : 100);
            assert_int_equal(h.flushed_count, 0);
            appear();
            while (h.flushed_count < 2) {
                host_expect_produce(&h, 1, &seen);
                host_answer(&h, 1, (const int16_t[2]){0}, seen.batch_count);
                if (h.flushed_count >= 1)
                    host_expect_acked(&h, 1, 701);
            }
            host_expect_acked(&h, 1, 706);
            assert_int_equal(h.flushed[0], 1);
            assert_int_equal(h.flushed[1], 2);
            host_close(&h, 0, 0);
            host_end(&h);
        }
}

static void close_over_parked_records(void **state)
{
    (void)state;
    begin("3000", 2);
    host_send(&h, t, 0, 100);
    kloop_engine_close(h.e, 10000, h.now);
    host_run(&h);
    host_expect_pending(&h, 1, 100);
    appear();
    assert_true(host_produces(&h, 1) > 0);
    answer_all();
    host_expect_acked(&h, 1, 100);
    assert_true(h.closed);
    host_end(&h);
}

static void close_without_waiting_gives_them_up(void **state)
{
    (void)state;
    begin("0", 2);
    host_send(&h, t, 0, 100);
    host_close(&h, 0, 0);
    host_expect_fate(&h, 1, 100, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_CLOSED);
    host_expect_text(&h, 1, "topic 't': the producer was closed before delivery");
    host_end(&h);
}

/* Half of them is moved when a turn comes late. */
static void late_turn_in_the_middle(uint64_t late_ms)
{
    host_new(&h, "linger.ms", "0", "max.block.ms", "1000", "request.timeout.ms", "2000",
             "delivery.timeout.ms", "8000", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    host_run(&h);
    host_send(&h, t, 0, 30000);
    host_answer_metadata(&h, host_at(&h, 1));
    host_pump(&h);
    h.now.mono_ns += late_ms * UINT64_C(1000000);
    kloop_engine_on_time(h.e, h.now);
    h.hold_metadata = false;
    host_run(&h);
    for (int i = 0; i < 20; i++) {
        answer_all();
        host_sleep(&h, 100);
    }
    assert_int_equal(host_stats(&h).pending, 0);
}

/* The topic is there, so it is not metadata that they wait for any more. That max.block.ms went on
 * counting once had a record reported before an earlier one of the partition it had asked for. */
static void max_block_ends_with_the_metadata(void **state)
{
    (void)state;
    late_turn_in_the_middle(5000);
    host_expect_acked(&h, 1, 30000);
    end();
}

/* All of them were sent at one time, moved or not; the host looks at the order. */
static void time_is_over_in_the_middle(void **state)
{
    (void)state;
    late_turn_in_the_middle(9000);
    for (size_t user = 1; user <= 30000; user++)
        assert_int_equal(host_report_of(&h, user)->cause, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 30000, "not delivered within delivery.timeout.ms=8000");
    end();
}

/* The partitions are known; that others are still being moved does not make this one appear. */
static void bad_partition_behind_parked_records(void **state)
{
    (void)state;
    begin("0", 2);
    host_send(&h, t, 0, 30000);
    host_answer_metadata(&h, host_at(&h, 1));
    host_pump(&h);
    kloop_record r = {.set = KLOOP_SET_PARTITION, .partition = 2};
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_BAD_PARTITION);
    host_close(&h, 0, 0);
    host_end(&h);
}

static void topics_do_not_wait_for_each_other(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    t = host_add_topic(&h, "t", 1);
    host_topic *other = host_add_topic(&h, "other", 1);
    t->error = KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION;
    host_send(&h, t, 0, 1);
    host_send(&h, other, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    host_expect_pending(&h, 1, 1);
    end();
}

/* Some were moved to their partition already, and the others were reported before them. */
static void purged_while_being_moved(void **state)
{
    (void)state;
    begin("1000", 1);
    host_send(&h, t, 0, 3000);
    host_answer_metadata(&h, host_at(&h, 1));
    h.e->turn_work = 1;
    host_pump(&h);
    assert_true(t->handle->lined_batches > 0 && !kl_list_is_empty(&t->handle->parked));
    kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now);
    host_run(&h);
    host_expect_fate(&h, 1, 3000, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    for (size_t user = 2; user <= 3000; user++)
        assert_true(host_fate_of(&h, user)->report >= host_fate_of(&h, user - 1)->report);
    end();
}

/* And with some of them in flight: what was given up waits for their answer, and what is sent
 * meanwhile for both. The last records of the line were once reported before the first. */
static void purged_behind_those_in_flight(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "enable.idempotence", "false", NULL);
    h.hold_metadata = true;
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
    host_run(&h);
    host_send(&h, t, 0, 3000);
    host_answer_metadata(&h, host_at(&h, 1));
    h.e->turn_work = 1;
    host_pump(&h);
    assert_true(t->handle->partitions[0]->flight_count > 0);
    assert_false(kl_list_is_empty(&t->handle->parked));
    assert_true(kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now) > 0);
    assert_int_equal(kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now), 0);
    host_pump(&h);
    host_expect_pending(&h, 1, 3000);
    host_send(&h, t, 0, 10);
    host_run(&h);
    answer_all();
    host_expect_acked(&h, 1, 1);
    host_expect_fate(&h, 3000, 3000, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    host_expect_acked(&h, 3001, 3010);
    for (size_t user = 2; user <= 3010; user++)
        assert_true(host_fate_of(&h, user)->report >= host_fate_of(&h, user - 1)->report);
    end();
}

/* While records are being moved the age of their batches is not looked at, and then it is, in
 * slices of a turn: a batch that cannot leave takes no more records after a while, whose deadline
 * is its own. */
static void moved_batches_age(void **state)
{
    (void)state;
    begin("0", 2);
    t->leaders[1] = -1;
    host_send(&h, t, 1, 10);
    /* An id, or news of its leader, would be an occasion as well. */
    h.hold_id = true;
    appear();
    h.hold_metadata = true;
    kl_batch *const *open = t->handle->open;
    assert_non_null(open[1]);
    host_sleep(&h, 7000);
    assert_non_null(open[1]);
    host_sleep(&h, 1000);
    assert_null(open[1]);
    t->leaders[1] = 1;
    h.hold_id = false;
    appear();
    host_sleep(&h, 10000);
    answer_all();
    host_expect_acked(&h, 1, 10);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(slices_do_not_hold_the_loop),
        cmocka_unit_test(old_records_share_batches),
        cmocka_unit_test(old_and_young_do_not_share),
        cmocka_unit_test(nothing_of_a_record_is_lost),
        cmocka_unit_test(partition_that_is_not_there),
        cmocka_unit_test(keys_and_sticky_ones),
        cmocka_unit_test(flush_over_parked_records),
        cmocka_unit_test(close_over_parked_records),
        cmocka_unit_test(close_without_waiting_gives_them_up),
        cmocka_unit_test(max_block_ends_with_the_metadata),
        cmocka_unit_test(time_is_over_in_the_middle),
        cmocka_unit_test(bad_partition_behind_parked_records),
        cmocka_unit_test(topics_do_not_wait_for_each_other),
        cmocka_unit_test(moved_batches_age),
        cmocka_unit_test(purged_while_being_moved),
        cmocka_unit_test(purged_behind_those_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
