/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks: one completion for many records, whatever becomes of them, and exactly one. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

static void send_with(host_topic *t, kloop_chunk *chunk, int32_t partition, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char value[24];
        int len = snprintf(value, sizeof value, "v%zu", h.user_count + 1);
        kloop_record r = {.value = {(const uint8_t *)value, (size_t)len},
                          .partition = partition,
                          .set = KLOOP_SET_PARTITION | KLOOP_SET_CHUNK,
                          .chunk = chunk};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    }
}

static void completes_when_all_is_stored(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 2);
    kloop_chunk *chunk = host_begin_chunk(&h, 7);
    send_with(t, chunk, 0, 3);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    /* Another turn, another partition, another broker. */
    send_with(t, chunk, 1, 2);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    assert_int_equal(h.chunk_count, 0);
    HOST_ANSWER(&h, 2, 0);
    host_expect_chunk(&h, 7, 5, 0, 0);
    host_expect_no_line(&h, "DELIVER");
    assert_int_equal(host_stats(&h).acked, 5);
    assert_false(kloop_engine_busy(h.e));
    host_close(&h, 1000, 1000);
    host_end(&h);
}

static void may_be_empty(void **state)
{
    (void)state;
    host_new(&h, NULL);
    kloop_engine_chunk_end(host_begin_chunk(&h, 1));
    assert_true(kloop_engine_busy(h.e));
    host_pump(&h);
    host_expect_chunk(&h, 1, 0, 0, 0);
    assert_false(kloop_engine_busy(h.e));
    host_end(&h);
}

/* Records of two chunks and of none take turns in one batch. */
static void shares_a_batch(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_chunk *a = host_begin_chunk(&h, 1);
    kloop_chunk *b = host_begin_chunk(&h, 2);
    host_send(&h, t, 0, 2);
    send_with(t, a, 0, 3);
    send_with(t, b, 0, 1);
    host_send(&h, t, 0, 1);
    send_with(t, b, 0, 1);
    send_with(t, a, 0, 1);
    host_send(&h, t, 0, 1);
    kloop_engine_chunk_end(a);
    host_sleep(&h, 10);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 1);
    assert_int_equal(seen.batches[0].count, 10);
    HOST_ANSWER(&h, 1, 0);
    host_expect_chunk(&h, 1, 4, 0, 0);
    assert_int_equal(h.chunk_count, 1);
    host_expect_offset(&h, 1, 100);
    host_expect_offset(&h, 2, 101);
    host_expect_offset(&h, 7, 106);
    host_expect_offset(&h, 10, 109);
    assert_int_equal(host_count_lines(&h, "DELIVER"), 3);
    kloop_engine_chunk_end(b);
    host_pump(&h);
    host_expect_chunk(&h, 2, 2, 0, 0);
    host_end(&h);
}

static void tells_the_first_error(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 3);
    host_run(&h);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_with(t, chunk, 0, 1);
    send_with(t, chunk, 1, 2);
    send_with(t, chunk, 2, 4);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    HOST_ANSWER(&h, 2, KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED);
    HOST_ANSWER(&h, 3, KLOOP_BROKER_INVALID_RECORD);
    assert_int_equal(h.chunk_count, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_chunk(&h, 1, 1, 6, 0);
    const host_chunk *c = host_chunk_of(&h, 1);
    assert_int_equal(c->partition, 1);
    assert_int_equal(c->cause, KLOOP_CAUSE_BROKER);
    assert_int_equal(c->broker_error, KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED);
    assert_non_null(strstr(c->text, "topic 'events' partition 1: TOPIC_AUTHORIZATION_FAILED"));
    host_end(&h);
}

/* A record that may be stored makes the whole chunk doubtful. */
static void is_unknown_if_one_is(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "delivery.timeout.ms", "5000", "request.timeout.ms", "3000",
             NULL);
    host_topic *t = host_add_topic(&h, "events", 2);
    host_run(&h);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_with(t, chunk, 0, 2);
    send_with(t, chunk, 1, 1);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    HOST_ANSWER(&h, 2, KLOOP_BROKER_INVALID_RECORD);
    host_sleep(&h, 6000);
    host_expect_chunk(&h, 1, 0, 1, 2);
    assert_int_equal(host_chunk_of(&h, 1)->cause, KLOOP_CAUSE_BROKER);
    host_end(&h);
}

static void waits_for_an_unknown_topic(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "events", 2);
    kloop_chunk *a = host_begin_chunk(&h, 1);
    kloop_chunk *b = host_begin_chunk(&h, 2);
    send_with(t, a, 0, 2);
    send_with(t, b, 1, 2);
    host_send(&h, t, 0, 1);
    send_with(t, a, 9, 1); /* there is no such partition */
    kloop_engine_chunk_end(a);
    kloop_engine_chunk_end(b);
    host_run(&h);
    assert_int_equal(h.chunk_count, 0);
    h.hold_metadata = false;
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    HOST_ANSWER(&h, 2, 0);
    host_expect_chunk(&h, 1, 2, 1, 0);
    assert_int_equal(host_chunk_of(&h, 1)->cause, KLOOP_CAUSE_PARTITION);
    host_expect_chunk(&h, 2, 2, 0, 0);
    host_expect_acked(&h, 5, 5);
    host_end(&h);
}

static void dies_with_a_topic_that_never_shows_up(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "max.block.ms", "1000", NULL);
    h.hold_metadata = true;
    host_topic *t = host_add_topic(&h, "events", 2);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_with(t, chunk, 0, 5);
    kloop_engine_chunk_end(chunk);
    host_run(&h);
    host_sleep(&h, 2000);
    host_expect_chunk(&h, 1, 0, 5, 0);
    assert_int_equal(host_chunk_of(&h, 1)->cause, KLOOP_CAUSE_TIMEOUT);
    assert_int_equal(host_chunk_of(&h, 1)->partition, -1);
    assert_non_null(strstr(host_chunk_of(&h, 1)->text, "max.block.ms"));
    host_end(&h);
}

/* The pieces of a batch that is split know what belongs to whom. */
static void survives_a_split(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_chunk *a = host_begin_chunk(&h, 1);
    kloop_chunk *b = host_begin_chunk(&h, 2);
    send_with(t, a, 0, 5);
    host_send(&h, t, 0, 4);
    send_with(t, b, 0, 7);
    send_with(t, a, 0, 1);
    kloop_engine_chunk_end(a);
    kloop_engine_chunk_end(b);
    host_sleep(&h, 10);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    host_sleep(&h, 3000);
    while (host_produces(&h, 1) > 0)
        HOST_ANSWER(&h, 1, 0);
    host_expect_chunk(&h, 1, 6, 0, 0);
    host_expect_chunk(&h, 2, 7, 0, 0);
    host_expect_acked(&h, 6, 9);
    host_expect_offset(&h, 9, 108);
    assert_true(host_stats(&h).batches_split > 0);
    host_end(&h);
}

static void ends_with_its_producer(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_chunk *ended = host_begin_chunk(&h, 1);
    kloop_chunk *open = host_begin_chunk(&h, 2);
    kloop_chunk *empty = host_begin_chunk(&h, 3);
    (void)empty;
    send_with(t, ended, 0, 2);
    send_with(t, open, 0, 1);
    kloop_engine_chunk_end(ended);
    host_run(&h);
    kloop_record r = {.set = KLOOP_SET_CHUNK, .chunk = open};
    kloop_engine_close(h.e, 0, h.now);
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_CLOSED);
    kloop_chunk *none = ended;
    assert_int_equal(kloop_engine_chunk(h.e, NULL, &none), KLOOP_CLOSED);
    assert_null(none);
    host_run(&h);
    assert_true(h.closed);
    host_expect_chunk(&h, 1, 0, 0, 2);
    host_expect_chunk(&h, 2, 0, 0, 1);
    host_expect_chunk(&h, 3, 0, 0, 0);
    assert_int_equal(host_chunk_of(&h, 1)->cause, KLOOP_CAUSE_CLOSED);
    host_end(&h);
}

static void can_be_dropped(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_engine_chunk_drop(host_begin_chunk(&h, 1));
    kloop_chunk *chunk = host_begin_chunk(&h, 2);
    send_with(t, chunk, 0, 2);
    kloop_engine_chunk_drop(chunk);
    host_run(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_INVALID_RECORD);
    assert_int_equal(h.chunk_count, 0);
    assert_int_equal(host_stats(&h).failed, 2);
    assert_false(kloop_engine_busy(h.e));
    host_end(&h);
}

/* A flush is told of after the chunks whose records it covers. */
static void comes_before_its_flush(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_with(t, chunk, 0, 2);
    kloop_engine_chunk_end(chunk);
    assert_int_equal(kloop_engine_flush(h.e, NULL, h.now), KLOOP_OK);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    const char *done = strstr(h.transcript, "CHUNK 1");
    const char *flushed = strstr(h.transcript, "FLUSHED");
    assert_true(done && flushed && done < flushed);
    host_end(&h);
}

static void gives_up_with_a_purge(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "1000", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_chunk *chunk = host_begin_chunk(&h, 1);
    send_with(t, chunk, 0, 2);
    assert_int_equal(kloop_engine_purge(h.e, NULL, KLOOP_PURGE_QUEUED, h.now), 2);
    host_run(&h);
    assert_int_equal(h.chunk_count, 0);
    assert_int_equal(host_stats(&h).failed, 2);
    kloop_engine_chunk_end(chunk);
    host_pump(&h);
    host_expect_chunk(&h, 1, 0, 2, 0);
    assert_int_equal(host_chunk_of(&h, 1)->cause, KLOOP_CAUSE_PURGED);
    host_end(&h);
}

static void refuses_what_is_no_chunk(void **state)
{
    (void)state;
    static host other;
    char text[300];
    host_new(&h, NULL);
    host_new(&other, NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_record r = {.set = KLOOP_SET_CHUNK};
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_BAD_CHUNK);
    kloop_send_error(t->handle, &r, KLOOP_BAD_CHUNK, text, sizeof text);
    assert_non_null(strstr(text, "chunk is NULL"));
    r.chunk = host_begin_chunk(&other, 1);
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_BAD_CHUNK);
    kloop_send_error(t->handle, &r, KLOOP_BAD_CHUNK, text, sizeof text);
    assert_non_null(strstr(text, "another producer"));
    r.set = 0x10;
    assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_BAD_ARGUMENT);
    kloop_send_error(t->handle, &r, KLOOP_BAD_ARGUMENT, text, sizeof text);
    assert_non_null(strstr(text, "set is 0x10"));
    host_end(&other);
    host_end(&h);
}

/* Many chunks in one batch are settled in pieces: a turn has an end, and nothing is told twice. */
static void settles_many_in_pieces(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "5", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_run(&h);
    kloop_chunk *a = host_begin_chunk(&h, 1);
    kloop_chunk *b = host_begin_chunk(&h, 2);
    for (int i = 0; i < 20000; i++) {
        kloop_record r = {.set = KLOOP_SET_CHUNK, .chunk = i % 2 ? a : b};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    }
    kloop_engine_chunk_end(a);
    kloop_engine_chunk_end(b);
    host_sleep(&h, 10);
    h.deaf = true;
    HOST_ANSWER(&h, 1, 0);
    h.deaf = false;
    kloop_action action;
    while (kloop_engine_next(h.e, &action))
        assert_int_not_equal(action.kind, KLOOP_ACT_CHUNK);
    assert_in_range(host_stats(&h).pending, 1, 19999);
    assert_int_equal(kloop_engine_deadline(h.e), h.now.mono_ns);
    host_sleep(&h, 10);
    host_expect_chunk(&h, 1, 10000, 0, 0);
    host_expect_chunk(&h, 2, 10000, 0, 0);
    host_end(&h);
}

/* Whatever runs out of memory, each chunk is told of once, with all that was taken. */
static void one_life(size_t nth, bool all_after)
{
    static const char *const pairs[] = {
        "linger.ms", "5", "delivery.timeout.ms", "20000", "request.timeout.ms", "5000", NULL};
    host_prepare(&h, nth);
    h.memory.all_after = all_after;
    if (host_open(&h, pairs)) {
        host_end(&h);
        return;
    }
    host_topic *t = host_add_topic(&h, "events", 1);
    kloop_chunk *chunks[3];
    size_t taken[3] = {0};
    for (size_t i = 0; i < 3; i++)
        chunks[i] = host_begin_chunk(&h, i + 1);
    for (int round = 0; round < 2 && t->handle; round++) {
        for (size_t i = 0; i < 90; i++) {
            char value[24];
            int len = snprintf(value, sizeof value, "v%zu", h.user_count + 1);
            kloop_chunk *chunk = chunks[i / 10 % 3];
            kloop_record r = {.value = {(const uint8_t *)value, (size_t)len},
                              .set = chunk ? KLOOP_SET_CHUNK : 0,
                              .chunk = chunk};
            kloop_status status = host_send_record(&h, t, &r);
            assert_true(status == KLOOP_OK || status == KLOOP_NO_MEMORY);
            taken[i / 10 % 3] += status == KLOOP_OK && chunk;
        }
        host_sleep(&h, 3000);
        if (host_produces(&h, 1) > 0)
            HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
        host_sleep(&h, 3000);
        while (host_produces(&h, 1) > 0)
            HOST_ANSWER(&h, 1, 0);
    }
    for (size_t i = 0; i < 2; i++)
        if (chunks[i])
            kloop_engine_chunk_end(chunks[i]);
    host_close(&h, 1000, 60000);
    for (size_t i = 0; i < 3; i++) {
        if (!chunks[i])
            continue;
        const host_chunk *c = host_chunk_of(&h, i + 1);
        assert_int_equal(c->acked + c->failed + c->unknown, taken[i]);
    }
    host_end(&h);
}

static void comes_with_every_allocation_failing(void **state)
{
    (void)state;
    for (int all_after = 0; all_after < 2; all_after++) {
        for (size_t nth = 1;; nth++) {
            one_life(nth, all_after);
            if (h.memory.refused == 0)
                break;
        }
    }
}

/* Its owner knows of no end before he is told of it. An end of one chunk in the callback of another
 * was an assertion once, when the close had ended both. */
static void may_be_ended_after_the_close(void **state)
{
    (void)state;
    host_new(&h, NULL);
    static int names[4];
    kloop_chunk *chunks[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(kloop_engine_chunk(h.e, &names[i], &chunks[i]), KLOOP_OK);
    kloop_engine_close(h.e, 0, h.now);
    size_t told = 0;
    bool closed = false;
    kloop_action a;
    while (kloop_engine_next(h.e, &a)) {
        closed |= a.kind == KLOOP_ACT_CLOSED;
        if (a.kind != KLOOP_ACT_CHUNK)
            continue;
        assert_ptr_not_equal(a.chunk->user, &names[2]);
        assert_int_equal(a.chunk->outcome, KLOOP_OUTCOME_ACKED);
        if (told++ == 0) {
            kloop_engine_chunk_end(chunks[1]);
            kloop_engine_chunk_drop(chunks[2]);
        }
    }
    assert_int_equal(told, 3);
    assert_true(closed);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_when_all_is_stored),
        cmocka_unit_test(may_be_empty),
        cmocka_unit_test(shares_a_batch),
        cmocka_unit_test(tells_the_first_error),
        cmocka_unit_test(is_unknown_if_one_is),
        cmocka_unit_test(waits_for_an_unknown_topic),
        cmocka_unit_test(dies_with_a_topic_that_never_shows_up),
        cmocka_unit_test(survives_a_split),
        cmocka_unit_test(ends_with_its_producer),
        cmocka_unit_test(may_be_ended_after_the_close),
        cmocka_unit_test(can_be_dropped),
        cmocka_unit_test(comes_before_its_flush),
        cmocka_unit_test(gives_up_with_a_purge),
        cmocka_unit_test(refuses_what_is_no_chunk),
        cmocka_unit_test(settles_many_in_pieces),
        cmocka_unit_test(comes_with_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
