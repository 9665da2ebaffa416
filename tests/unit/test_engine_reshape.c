/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches that are too large for their broker: pieces, and their numbers. */
#include "core/engine_state.h"
#include "tests/support/equal_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOO_LARGE    KLOOP_BROKER_MESSAGE_TOO_LARGE
#define OUT_OF_ORDER KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER

static host h;
static host_seen seen;
static host_topic *t;

/* ---- Pieces ---- */

static void halves_take_its_place(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        t = equal_begin(&h, 1, "compression.type", codecs[i], NULL, NULL);
        equal_send(&h, t, 8, 1000);
        equal_let_go(&h);
        equal_expect(&h, 0, 2, 9, 0, 1);
        host_expect_produce(&h, 1, &seen);
        size_t whole = seen.batches[0].len;
        HOST_ANSWER(&h, 1, TOO_LARGE);
        host_expect_pending(&h, 2, 9);
        /* At once: nobody was asked twice about the same. One after the other, until the leader has
         * taken one. */
        equal_expect(&h, 0, 2, 5, 0, 1);
        assert_int_equal(host_produces(&h, 1), 1);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].codec, i);
        assert_true(seen.batches[0].len < whole);
        HOST_ANSWER(&h, 1, 0);
        equal_expect(&h, 0, 6, 9, 0, 5);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 2, 9);
        host_expect_offset(&h, 2, 101);
        host_expect_offset(&h, 9, 108);
        kloop_stats s = host_stats(&h);
        assert_int_equal(s.batches_split, 1);
        assert_int_equal(s.batches, 3);
        assert_int_equal(s.retries, 0);
        assert_int_equal(s.epoch_bumps, 0);
        /* What comes next has the number that it would have had. */
        equal_send(&h, t, 1, 100);
        equal_let_go(&h);
        equal_expect(&h, 0, 10, 10, 0, 9);
        HOST_ANSWER(&h, 1, 0);
        equal_end(&h);
    }
}

/* Until one record is refused alone, which is the end of it, and of it alone. */
static void split_goes_down_to_one_record(void **state)
{
    (void)state;
    for (int idempotent = 0; idempotent < 2; idempotent++) {
        t = equal_begin(&h, 1, "enable.idempotence", idempotent ? "true" : "false",
                        "max.in.flight.requests.per.connection", "1");
        equal_send(&h, t, 9, 300);
        equal_let_go(&h);
        size_t requests = 0;
        /* Five is the one that is too large. */
        for (; requests < 30; requests++) {
            equal_await(&h);
            if (!host_produces(&h, 1))
                break;
            host_expect_produce(&h, 1, &seen);
            bool has = seen.batches[0].first <= 5 && seen.batches[0].last >= 5;
            HOST_ANSWER(&h, 1, has ? TOO_LARGE : 0);
        }
        host_expect_acked(&h, 2, 4);
        host_expect_fate(&h, 5, 5, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
        assert_int_equal(host_report_of(&h, 5)->broker_error, TOO_LARGE);
        host_expect_acked(&h, 6, 10);
        assert_true(requests > 5 && requests < 12);
        for (size_t user = 6; user <= 10; user++)
            host_expect_offset(&h, user, (int64_t)(98 + user));
        assert_int_equal(host_stats(&h).epoch_bumps, idempotent);
        equal_end(&h);
    }
}

/* A broker that refuses whatever comes was asked about every half of a half as fast as it could
 * answer. */
static void refusals_of_pieces_are_paced(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 64, 100);
    equal_let_go(&h);
    size_t requests = 0;
    for (int ms = 0; ms < 2000; ms += 10) {
        while (host_produces(&h, 1)) {
            requests++;
            HOST_ANSWER(&h, 1, TOO_LARGE);
        }
        host_sleep(&h, 10);
    }
    assert_in_range(requests, 15, 30);
    equal_end(&h);
}

/* ---- Numbers ---- */

/* Those in flight behind it are refused for their numbers, and come again under the same ones. */
static void neighbours_keep_their_numbers(void **state)
{
    (void)state;
    for (int too_large_too = 0; too_large_too < 2; too_large_too++) {
        t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
        for (int i = 0; i < 3; i++) {
            equal_send(&h, t, 4, 200);
            equal_let_go(&h);
        }
        assert_int_equal(host_produces(&h, 1), 3);
        HOST_ANSWER(&h, 1, TOO_LARGE);
        /* Nothing goes while something is in flight whose end nobody knows. */
        assert_int_equal(host_produces(&h, 1), 2);
        HOST_ANSWER(&h, 1, (int16_t)(too_large_too ? TOO_LARGE : OUT_OF_ORDER));
        HOST_ANSWER(&h, 1, OUT_OF_ORDER);
        static const size_t firsts[] = {2, 4, 6, 8, 10, 12};
        static const int32_t sequences[] = {1, 3, 5, 7, 9, 11};
        for (size_t i = 0; i < 6; i++) {
            equal_await(&h);
            /* As large as the one that was refused: they are not tried as they are. */
            equal_expect(&h, 0, firsts[i], firsts[i] + 1, 0, sequences[i]);
            HOST_ANSWER(&h, 1, 0);
        }
        host_expect_acked(&h, 2, 13);
        host_expect_offset(&h, 13, 112);
        assert_int_equal(host_stats(&h).epoch_bumps, 0);
        assert_int_equal(host_stats(&h).batches_split, 3);
        equal_end(&h);
    }
}

static void numbers_wrap_inside_a_split(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    t->handle->partitions[0]->next_sequence = INT32_MAX - 2;
    equal_send(&h, t, 8, 500);
    equal_let_go(&h);
    equal_expect(&h, 0, 2, 9, 0, INT32_MAX - 2);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    equal_expect(&h, 0, 2, 5, 0, INT32_MAX - 2);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    equal_await(&h);
    equal_expect(&h, 0, 2, 3, 0, INT32_MAX - 2);
    HOST_ANSWER(&h, 1, 0);
    equal_expect(&h, 0, 4, 5, 0, INT32_MAX);
    HOST_ANSWER(&h, 1, 0);
    /* As large as the piece before it that was refused. */
    equal_expect(&h, 0, 6, 7, 0, 1);
    HOST_ANSWER(&h, 1, 0);
    equal_expect(&h, 0, 8, 9, 0, 3);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 9);
    equal_send(&h, t, 1, 100);
    equal_let_go(&h);
    equal_expect(&h, 0, 10, 10, 0, 5);
    HOST_ANSWER(&h, 1, 0);
    equal_end(&h);
}

/* A number before it was given up: pieces are numbered with the new epoch, like all that follows.
 */
static void pieces_behind_a_hole_are_numbered_anew(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 1, 200);
    equal_let_go(&h);
    equal_send(&h, t, 4, 200);
    equal_let_go(&h);
    equal_send(&h, t, 1, 100);
    equal_let_go(&h);
    assert_int_equal(host_produces(&h, 1), 3);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_TIMESTAMP);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    HOST_ANSWER(&h, 1, OUT_OF_ORDER);
    equal_await(&h);
    equal_expect(&h, 0, 3, 4, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    equal_await(&h);
    equal_expect(&h, 0, 5, 6, 1, 2);
    HOST_ANSWER(&h, 1, 0);
    equal_await(&h);
    equal_expect(&h, 0, 7, 7, 1, 4);
    HOST_ANSWER(&h, 1, 0);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    host_expect_acked(&h, 3, 7);
    assert_int_equal(host_stats(&h).epoch_bumps, 1);
    equal_end(&h);
}

/* A piece that may be stored keeps its numbers like any batch. */
static void piece_of_unknown_fate_goes_again_as_it_is(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 200);
    equal_let_go(&h);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    host_expect_produce(&h, 1, &seen);
    uint64_t hash = seen.batches[0].hash;
    host_lose_connection(&h, 1, "reset");
    equal_await(&h);
    equal_expect(&h, 0, 2, 3, 0, 1);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].hash == hash);
    /* And is not split any more. */
    HOST_ANSWER(&h, 1, TOO_LARGE);
    host_expect_fate(&h, 2, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    equal_await(&h);
    equal_expect(&h, 0, 4, 4, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    equal_expect(&h, 0, 5, 5, 1, 1);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 4, 5);
    equal_end(&h);
}

static void batch_of_unknown_fate_is_not_split(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 200);
    equal_let_go(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_REQUEST_TIMED_OUT);
    equal_await(&h);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    host_expect_fate(&h, 2, 5, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    assert_int_equal(host_stats(&h).batches_split, 0);
    equal_end(&h);
}

/* The same code to one record is its end. */
static void single_record_fails(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 1, 20000);
    equal_let_go(&h);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    host_expect_text(&h, 2, "MESSAGE_TOO_LARGE");
    host_expect_no_line(&h, "kept to");
    equal_end(&h);
}

/* ---- In the middle ---- */

/* The loop is not held: a batch of 900 KB takes several turns, and deadlines pass in between. */
static void begin_slowly(const char *codec)
{
    t = equal_begin(&h, 1, "compression.type", codec, "delivery.timeout.ms", "10000");
    equal_send(&h, t, 4500, 180);
    equal_let_go(&h);
    for (int i = 0; i < 100 && !host_produces(&h, 1); i++)
        host_sleep(&h, 1);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].count, 4500);
    host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
    host_pump(&h);
    assert_int_equal(host_produces(&h, 1), 0);
    assert_int_equal(host_deadline(&h), 0);
    assert_non_null(h.e->reshape.batch);
}

static void turn(void)
{
    h.now.mono_ns += 1000;
    kloop_engine_on_time(h.e, h.now);
    host_pump(&h);
}

static void work_is_done_in_turns(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "lz4"};
    for (size_t i = 0; i < 2; i++) {
        begin_slowly(codecs[i]);
        int turns = 0;
        for (; h.e->reshape.batch; turns++)
            turn();
        assert_in_range(turns, 1, 20);
        for (int k = 0; k < 100 && !host_produces(&h, 1); k++)
            turn();
        host_expect_produce(&h, 1, &seen);
        assert_in_range(seen.batches[0].count, 2200, 2300);
        for (int k = 0; k < 3; k++) {
            equal_await(&h);
            if (host_produces(&h, 1))
                HOST_ANSWER(&h, 1, 0);
        }
        host_expect_acked(&h, 2, 4501);
        equal_end(&h);
    }
}

static void time_is_over_in_the_middle(void **state)
{
    (void)state;
    begin_slowly("none");
    turn();
    size_t held = host_stats(&h).held_bytes;
    assert_true(held > 900000);
    h.now.mono_ns += UINT64_C(10000000000);
    kloop_engine_on_time(h.e, h.now);
    host_pump(&h);
    host_expect_fate(&h, 2, 4501, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 2, "MESSAGE_TOO_LARGE");
    assert_null(h.e->reshape.batch);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    assert_int_equal(host_stats(&h).batches_split, 0);
    /* Its numbers are a hole. */
    equal_send(&h, t, 1, 100);
    host_sleep(&h, 1000);
    equal_expect(&h, 0, 4502, 4502, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    equal_end(&h);
}

static void purged_in_the_middle(void **state)
{
    (void)state;
    begin_slowly("none");
    turn();
    assert_int_equal(kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now), 4500);
    host_run(&h);
    host_expect_fate(&h, 2, 4501, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    equal_end(&h);
}

static void closed_in_the_middle(void **state)
{
    (void)state;
    begin_slowly("zstd");
    turn();
    host_close(&h, 0, 0);
    host_expect_fate(&h, 2, 4501, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_CLOSED);
    host_end(&h);
    /* And with time: it is finished. */
    begin_slowly("none");
    kloop_engine_close(h.e, 20000, h.now);
    for (int i = 0; i < 3; i++) {
        equal_await(&h);
        if (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 2, 4501);
    host_run(&h);
    assert_true(h.closed);
    host_end(&h);
}

static void fatal_in_the_middle(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "1000000", NULL, NULL);
    equal_send(&h, t, 4500, 180);
    equal_let_go(&h);
    host_send(&h, t, 1, 1);
    equal_let_go(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
    host_pump(&h);
    assert_non_null(h.e->reshape.batch);
    host_answer_only(&h, 1, (const int16_t[]){KLOOP_BROKER_PRODUCER_FENCED}, 1);
    host_run(&h);
    host_expect_fate(&h, 2, 4501, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_FATAL);
    assert_null(h.e->reshape.batch);
    equal_end(&h);
}

static void engine_goes_in_the_middle(void **state)
{
    (void)state;
    begin_slowly("none");
    turn();
    host_end(&h);
}

/* Its bytes are still being written when the answer is there: they stay as they are. */
static void husk_lives_as_long_as_its_bytes_are_shown(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 8, 1000);
    h.write_step = 1500;
    h.manual_write = true;
    equal_let_go(&h);
    host_conn *c = host_at(&h, 1);
    kloop_slice slices[64];
    size_t count = kloop_engine_write_vec(h.e, c->id, slices, 64);
    assert_true(count > 1);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += slices[i].len;
    uint8_t *before = malloc(bytes);
    for (size_t i = 0, at = 0; i < count; at += slices[i].len, i++)
        memcpy(before + at, slices[i].data, slices[i].len);
    /* A broker that answers what it has not read. */
    kloop_produce_partition_response p = {.index = 0,
                                          .error_code = TOO_LARGE,
                                          .base_offset = -1,
                                          .log_append_time_ms = -1,
                                          .log_start_offset = -1,
                                          .current_leader = {-1, -1}};
    kl_conn *own = t->handle->partitions[0]->flight_conn;
    kl_request *r =
        KL_CONTAINER_OF(kl_list_first(&t->handle->partitions[0]->flight), kl_batch, in_flight)
            ->request;
    assert_non_null(own);
    kloop_produce_topic_response topic = {.name = kloop_text("t"),
                                          .topic_id = t->handle->id,
                                          .partition_responses = kloop_array_of(&p, 1)};
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    m.responses = kloop_array_of(&topic, 1);
    uint8_t answer[300];
    kloop_size size;
    assert_int_equal(kloop_measure_response_sized(r->api, r->version, &m, sizeof m, &size, NULL),
                     KLOOP_OK);
    assert_true(size.total <= sizeof answer);
    assert_int_equal(kloop_encode_response_sized(r->api, r->version, r->correlation, &m, sizeof m,
                                                 answer, size.total, NULL),
                     KLOOP_OK);
    host_receive(&h, c, answer, size.total);
    host_pump(&h);
    assert_int_equal(host_stats(&h).batches_split, 1);
    for (size_t i = 0, at = 0; i < count; at += slices[i].len, i++)
        assert_memory_equal(before + at, slices[i].data, slices[i].len);
    free(before);
    equal_end(&h);
}

/* ---- Memory ---- */

/* Each allocation from the refusal on fails once: the batch goes again as it is, or in pieces, and
 * all of it is stored in the end. */
static void memory_fails_once_at_each_place(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        for (size_t nth = 1;; nth++) {
            t = equal_begin(&h, 1, "compression.type", codecs[i], NULL, NULL);
            equal_send(&h, t, 40, 600);
            equal_let_go(&h);
            h.memory.nth = h.memory.calls + nth;
            size_t refused_before = h.memory.refused;
            HOST_ANSWER(&h, 1, TOO_LARGE);
            for (int k = 0; k < 40 && host_stats(&h).pending; k++) {
                equal_await(&h);
                if (host_produces(&h, 1)) {
                    host_expect_produce(&h, 1, &seen);
                    HOST_ANSWER(&h, 1, seen.batches[0].count == 40 ? TOO_LARGE : 0);
                }
                host_sleep(&h, 50);
            }
            host_expect_acked(&h, 2, 41);
            for (size_t user = 2; user <= 41; user++)
                host_expect_offset(&h, user, (int64_t)(99 + user));
            bool beyond = h.memory.refused == refused_before;
            equal_end(&h);
            if (beyond)
                break;
            assert_true(nth < 1000);
        }
}

/* Nothing was sent, so no attempt was used up. With retries=0 such a batch failed, with the reason
 * that there was no memory. */
static void want_of_memory_is_no_attempt(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        t = equal_begin(&h, 1, "retries", "0", NULL, NULL);
        equal_send(&h, t, 4, 3000);
        equal_let_go(&h);
        size_t refused_before = h.memory.refused;
        host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
        h.memory.nth = h.memory.calls + nth;
        host_run(&h);
        for (int k = 0; k < 2; k++) {
            equal_await(&h);
            host_expect_produce(&h, 1, &seen);
            assert_int_equal(seen.batches[0].count, 2);
            HOST_ANSWER(&h, 1, 0);
        }
        host_expect_acked(&h, 2, 5);
        assert_int_equal(host_stats(&h).retries, 0);
        bool beyond = h.memory.refused == refused_before;
        equal_end(&h);
        if (beyond)
            break;
        assert_true(nth < 1000);
    }
}

/* Somebody wrote into our memory: that does not get better, and is no want of it. */
static void own_bytes_are_corrupt(void **state)
{
    (void)state;
    static const char *const codecs[] = {"gzip", "lz4", "zstd"};
    for (size_t i = 0; i < 3; i++) {
        t = equal_begin(&h, 1, "compression.type", codecs[i], NULL, NULL);
        equal_send(&h, t, 8, 1000);
        equal_let_go(&h);
        const kl_batch *b =
            KL_CONTAINER_OF(kl_list_first(&t->handle->partitions[0]->line), kl_batch, in_line);
        host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
        kl_chain_cursor at = kl_chain_read(&b->builder.payload);
        *(uint8_t *)(uintptr_t)kl_chain_read_some(&at, 1).data ^= 0xff;
        host_run(&h);
        host_expect_fate(&h, 2, 9, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
        host_expect_text(&h, 2, "MESSAGE_TOO_LARGE");
        host_expect_line(&h, "the compressed bytes are corrupt");
        assert_int_equal(host_stats(&h).held_bytes, 0);
        assert_int_equal(host_stats(&h).retries, 0);
        equal_end(&h);
    }
}

/* There is none for ever: it fails when its time is over, and nothing goes round meanwhile. */
static void no_memory_at_all(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "retry.backoff.ms", "0", "retry.backoff.max.ms", "0");
    equal_send(&h, t, 4, 3000);
    equal_let_go(&h);
    host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
    h.memory.nth = h.memory.calls + 1;
    h.memory.all_after = true;
    host_pump(&h);
    host_sleep(&h, 31000);
    h.memory.nth = 0;
    host_run(&h);
    host_expect_fate(&h, 2, 5, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    equal_end(&h);
}

/* Words, which each codec makes smaller. */
static void send_words(size_t len)
{
    static const char words[8][9] = {"produce-", "consumer", "a record", "is taken",
                                     "by those", "-batches", "0123abcd", "together"};
    static uint8_t value[60000];
    uint32_t x = (uint32_t)h.user_count + 1;
    for (size_t at = 0; at + 8 <= len; at += 8) {
        x = x * 1664525U + 1013904223U;
        memcpy(value + at, words[x >> 29], 8);
    }
    kloop_record r = {.value = {value, len}, .partition = 0, .set = KLOOP_SET_PARTITION};
    assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
}

/* A folded batch was unfolded at once, in 1 ms for 1 MB, and as much more for a larger one. */
static void unfolded_in_turns(void **state)
{
    (void)state;
    static const char *const codecs[] = {"gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        host_new(&h, "linger.ms", "10", "batch.size", "1000000", "compression.type", codecs[i],
                 NULL);
        t = host_add_topic(&h, "t", 1);
        t->leaders[0] = 1;
        host_run(&h);
        for (int n = 0; n < 15; n++)
            send_words(60000);
        for (int ms = 0; ms < 1000 && !host_produces(&h, 1); ms++)
            host_sleep(&h, 1);
        /* With all of a turn. */
        host_sleep(&h, 1);
        host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
        host_pump(&h);
        size_t turns = 0;
        for (; h.e->reshape.unfolder; turns++) {
            assert_true(turns < 100);
            assert_int_equal(host_deadline(&h), 0);
            assert_int_equal(h.e->turn_work, 0);
            host_sleep(&h, 1);
        }
        /* So many of its slices are no more than a turn's. */
        assert_true(turns >= 1);
        for (int n = 0; n < 1000 && host_stats(&h).pending; n++) {
            while (host_produces(&h, 1))
                HOST_ANSWER(&h, 1, 0);
            host_sleep(&h, 1);
        }
        host_expect_acked(&h, 1, 15);
        assert_int_equal(host_stats(&h).batches_split, 1);

        /* And the engine may go in the midst of it. */
        for (int n = 0; n < 8; n++)
            send_words(50000);
        for (int ms = 0; ms < 1000 && !host_produces(&h, 1); ms++)
            host_sleep(&h, 1);
        host_sleep(&h, 1);
        host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
        h.e->turn_work = 3;
        host_pump(&h);
        assert_non_null(h.e->reshape.unfolder);
        host_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_take_its_place),
        cmocka_unit_test(split_goes_down_to_one_record),
        cmocka_unit_test(refusals_of_pieces_are_paced),
        cmocka_unit_test(neighbours_keep_their_numbers),
        cmocka_unit_test(numbers_wrap_inside_a_split),
        cmocka_unit_test(pieces_behind_a_hole_are_numbered_anew),
        cmocka_unit_test(piece_of_unknown_fate_goes_again_as_it_is),
        cmocka_unit_test(batch_of_unknown_fate_is_not_split),
        cmocka_unit_test(single_record_fails),
        cmocka_unit_test(work_is_done_in_turns),
        cmocka_unit_test(time_is_over_in_the_middle),
        cmocka_unit_test(purged_in_the_middle),
        cmocka_unit_test(closed_in_the_middle),
        cmocka_unit_test(fatal_in_the_middle),
        cmocka_unit_test(engine_goes_in_the_middle),
        cmocka_unit_test(husk_lives_as_long_as_its_bytes_are_shown),
        cmocka_unit_test(memory_fails_once_at_each_place),
        cmocka_unit_test(want_of_memory_is_no_attempt),
        cmocka_unit_test(own_bytes_are_corrupt),
        cmocka_unit_test(no_memory_at_all),
        cmocka_unit_test(unfolded_in_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
