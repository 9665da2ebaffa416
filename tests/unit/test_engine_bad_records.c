/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that a broker refuses by name: the others go again without them, or fail beside them. */
#include "core/bad_records.h"
#include "core/engine_state.h"
#include "tests/support/equal_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INVALID_RECORD    KLOOP_BROKER_INVALID_RECORD
#define INVALID_TIMESTAMP KLOOP_BROKER_INVALID_TIMESTAMP
#define TOO_LARGE         KLOOP_BROKER_MESSAGE_TOO_LARGE
#define OUT_OF_ORDER      KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER

static host h;
static host_seen seen;
static host_topic *t;

static kloop_record_error bad(int32_t index, const char *text)
{
    kloop_record_error e = {.batch_index = index};
    if (text)
        e.batch_index_error_message = kloop_text(text);
    return e;
}

/* Answers the oldest Produce, of one batch, with a code and these records to blame; no running. */
static void blame_only(int16_t code, const kloop_record_error *errors, size_t count)
{
    kloop_produce_partition_response p = {
        .index = 0,
        .error_code = code,
        .base_offset = -1,
        .log_append_time_ms = -1,
        .log_start_offset = -1,
        .record_errors = kloop_array_of(errors, (int32_t)count),
        .error_message = kloop_text("One or more records have been rejected"),
        .current_leader = {-1, -1},
    };
    kloop_produce_topic_response topic = {.name = kloop_text("t"),
                                          .topic_id = t->handle->id,
                                          .partition_responses = kloop_array_of(&p, 1)};
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    host_conn *c = host_at(&h, 1);
    if (host_first(&h, c)->version >= 13)
        topic.name = kloop_text("");
    else
        topic.topic_id = (kloop_uuid){{0}};
    m.responses = kloop_array_of(&topic, 1);
    host_respond(&h, c, &m, sizeof m);
}

static void blame(int16_t code, const kloop_record_error *errors, size_t count)
{
    blame_only(code, errors, count);
    host_run(&h);
}

#define BLAME(code, ...)                                                                           \
    blame((code), (const kloop_record_error[]){__VA_ARGS__},                                       \
          sizeof((const kloop_record_error[]){__VA_ARGS__}) / sizeof(kloop_record_error))

static void expect_users(const size_t *users, size_t count, int16_t epoch, int32_t sequence)
{
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].epoch, epoch);
    assert_int_equal(seen.batches[0].sequence, sequence);
    assert_int_equal(seen.batches[0].count, count);
    equal_expect_users(&h, 0, users, count);
}

#define EXPECT_USERS(epoch, sequence, ...)                                                         \
    expect_users((const size_t[]){__VA_ARGS__},                                                    \
                 sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t), (epoch), (sequence))

static void expect_bad(size_t user, int16_t code, const char *text)
{
    host_expect_fate(&h, user, user, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    assert_int_equal(host_report_of(&h, user)->broker_error, code);
    host_expect_offset(&h, user, -1);
    host_expect_text(&h, user, text);
    host_expect_text(&h, user, "it is not stored");
}

/* Reports came in the order of users. */
static void expect_order(size_t first, size_t last)
{
    for (size_t user = first + 1; user <= last; user++)
        assert_int_equal(host_fate_of(&h, user)->order, host_fate_of(&h, user - 1)->order + 1);
}

static void others_go_again_without_them(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        for (int idempotent = 0; idempotent < 2; idempotent++) {
            t = equal_begin(&h, 1, "compression.type", codecs[i], "enable.idempotence",
                            idempotent ? "true" : "false");
            equal_send(&h, t, 8, 300);
            equal_let_go(&h);
            BLAME(INVALID_RECORD, bad(0, "no key"), bad(3, "too old"), bad(4, "too old"),
                  bad(7, NULL));
            host_expect_pending(&h, 2, 9);
            equal_await(&h);
            EXPECT_USERS(idempotent ? 1 : -1, idempotent ? 0 : -1, 3, 4, 7, 8);
            assert_int_equal(seen.batches[0].codec, i);
            HOST_ANSWER(&h, 1, 0);
            expect_bad(2, INVALID_RECORD, "the broker says: no key");
            host_expect_acked(&h, 3, 4);
            expect_bad(5, INVALID_RECORD, "the broker says: too old");
            expect_bad(6, INVALID_RECORD, "the broker says: too old");
            host_expect_acked(&h, 7, 8);
            expect_bad(9, INVALID_RECORD, "INVALID_RECORD");
            expect_order(2, 9);
            host_expect_offset(&h, 3, 101);
            host_expect_offset(&h, 4, 102);
            host_expect_offset(&h, 7, 103);
            host_expect_offset(&h, 8, 104);
            /* Neighbours with one story are one run. */
            assert_int_equal(host_report_of(&h, 5)->count, 2);
            kloop_stats s = host_stats(&h);
            assert_int_equal(s.acked, 5);
            assert_int_equal(s.failed, 4);
            assert_int_equal(s.epoch_bumps, idempotent);
            assert_int_equal(s.retries, 0);
            assert_int_equal(s.batches_split, 0);
            assert_int_equal(s.batches, 2);
            equal_send(&h, t, 1, 100);
            equal_let_go(&h);
            EXPECT_USERS(idempotent ? 1 : -1, idempotent ? 4 : -1, 10);
            HOST_ANSWER(&h, 1, 0);
            equal_end(&h);
        }
}

/* What was in flight behind it is refused for its numbers; before that is known nothing goes, or it
 * could pass. */
static void later_ones_are_awaited(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        equal_send(&h, t, 2, 100);
        equal_let_go(&h);
    }
    BLAME(INVALID_RECORD, bad(0, "bad"));
    HOST_ANSWER(&h, 1, OUT_OF_ORDER);
    host_sleep(&h, 2000);
    assert_int_equal(host_produces(&h, 1), 1);
    HOST_ANSWER(&h, 1, OUT_OF_ORDER);
    equal_await(&h);
    EXPECT_USERS(1, 0, 3);
    HOST_ANSWER(&h, 1, 0);
    equal_await(&h);
    EXPECT_USERS(1, 1, 4, 5);
    HOST_ANSWER(&h, 1, 0);
    equal_await(&h);
    EXPECT_USERS(1, 3, 6, 7);
    HOST_ANSWER(&h, 1, 0);
    expect_bad(2, INVALID_RECORD, "bad");
    host_expect_acked(&h, 3, 7);
    expect_order(2, 7);
    equal_end(&h);
}

/* Its answer never came, but the one before it was proved absent, and there are no gaps. */
static void later_one_in_doubt_goes_anew(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        equal_send(&h, t, 2, 100);
        equal_let_go(&h);
    }
    BLAME(INVALID_RECORD, bad(1, "bad"));
    host_lose_connection(&h, 1, "reset");
    equal_await(&h);
    EXPECT_USERS(1, 0, 2);
    HOST_ANSWER(&h, 1, 0);
    equal_await(&h);
    EXPECT_USERS(1, 1, 4, 5);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    host_expect_acked(&h, 4, 5);
    equal_end(&h);
}

/* The places in the second answer are those of the second batch. */
static void twice(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 10, 100);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(1, "first"), bad(2, "first"), bad(8, "first"));
    equal_await(&h);
    EXPECT_USERS(1, 0, 2, 5, 6, 7, 8, 9, 11);
    BLAME(INVALID_TIMESTAMP, bad(0, "second"), bad(1, "second"), bad(6, "first"));
    /* Not at once: a broker could go on so for each record. */
    assert_int_equal(host_produces(&h, 1), 0);
    equal_await(&h);
    EXPECT_USERS(2, 0, 6, 7, 8, 9);
    HOST_ANSWER(&h, 1, 0);
    expect_bad(2, INVALID_TIMESTAMP, "second");
    expect_bad(3, INVALID_RECORD, "first");
    expect_bad(4, INVALID_RECORD, "first");
    expect_bad(5, INVALID_TIMESTAMP, "second");
    host_expect_acked(&h, 6, 9);
    expect_bad(10, INVALID_RECORD, "first");
    expect_bad(11, INVALID_TIMESTAMP, "first");
    expect_order(2, 11);
    for (size_t user = 6; user <= 9; user++)
        host_expect_offset(&h, user, (int64_t)(95 + user));
    equal_end(&h);
}

/* Each of the pieces of a batch has its own part of the list. */
static void split_afterwards(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 12, 200);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(0, "a"), bad(1, "b"), bad(6, "c"), bad(11, "d"));
    equal_await(&h);
    EXPECT_USERS(1, 0, 4, 5, 6, 7, 9, 10, 11, 12);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    equal_await(&h);
    EXPECT_USERS(1, 0, 4, 5, 6, 7);
    HOST_ANSWER(&h, 1, 0);
    equal_await(&h);
    EXPECT_USERS(1, 4, 9, 10, 11, 12);
    BLAME(INVALID_RECORD, bad(1, "e"));
    equal_await(&h);
    EXPECT_USERS(2, 0, 9, 11, 12);
    HOST_ANSWER(&h, 1, 0);
    expect_bad(2, INVALID_RECORD, "says: a");
    expect_bad(3, INVALID_RECORD, "says: b");
    host_expect_acked(&h, 4, 7);
    expect_bad(8, INVALID_RECORD, "says: c");
    host_expect_acked(&h, 9, 9);
    expect_bad(10, INVALID_RECORD, "says: e");
    host_expect_acked(&h, 11, 12);
    expect_bad(13, INVALID_RECORD, "says: d");
    expect_order(2, 13);
    host_expect_offset(&h, 12, 107);
    equal_end(&h);
}

/* ---- Where it cannot be ---- */

static void all_of_them_fail(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 3, 100);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(2, "c"), bad(0, "a"), bad(1, "b"));
    expect_bad(2, INVALID_RECORD, "says: a");
    expect_bad(3, INVALID_RECORD, "says: b");
    expect_bad(4, INVALID_RECORD, "says: c");
    expect_order(2, 4);
    equal_send(&h, t, 1, 100);
    equal_let_go(&h);
    equal_expect(&h, 0, 5, 5, 1, 0);
    HOST_ANSWER(&h, 1, 0);
    equal_end(&h);
}

/* It may be stored as it was: not even those that are blamed have surely failed. */
static void unknown_fate(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 100);
    equal_let_go(&h);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_REQUEST_TIMED_OUT);
    equal_await(&h);
    BLAME(INVALID_RECORD, bad(1, "bad"));
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_NEIGHBOUR);
    host_expect_fate(&h, 3, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    host_expect_fate(&h, 4, 5, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_NEIGHBOUR);
    host_expect_text(&h, 2, "INVALID_RECORD");
    host_expect_text(&h, 2, "it may be stored or not");
    host_expect_text(&h, 3, "says: bad");
    expect_order(2, 5);
    equal_end(&h);
}

/* Those that were left out before have failed, whatever becomes of the rest. */
static void unknown_fate_of_the_rest(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 100);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(1, "bad"));
    equal_await(&h);
    host_lose_connection(&h, 1, "reset");
    equal_await(&h);
    BLAME(INVALID_RECORD, bad(0, "worse"));
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    host_expect_text(&h, 2, "says: worse");
    expect_bad(3, INVALID_RECORD, "says: bad");
    host_expect_fate(&h, 4, 5, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_NEIGHBOUR);
    equal_end(&h);
}

static void without_a_list_the_whole_batch_fails(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 100);
    equal_let_go(&h);
    blame(INVALID_RECORD, NULL, 0);
    host_expect_fate(&h, 2, 5, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    assert_int_equal(host_report_of(&h, 2)->count, 4);
    equal_end(&h);
}

/* The list counts only where the answer is a refusal. */
static void list_beside_another_answer(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 100);
    equal_let_go(&h);
    BLAME(KLOOP_BROKER_NOT_ENOUGH_REPLICAS, bad(1, "bad"));
    equal_await(&h);
    equal_expect(&h, 0, 2, 5, 0, 1);
    BLAME(0, bad(1, "bad"));
    host_expect_acked(&h, 2, 5);
    equal_end(&h);
}

/* ---- Nonsense ---- */

static void places_that_are_none(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4, 100);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(-1, "x"), bad(4, "x"), bad(INT32_MAX, "x"), bad(INT32_MIN, "x"));
    host_expect_fate(&h, 2, 5, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    equal_send(&h, t, 4, 100);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(2, "first"), bad(-1, "x"), bad(2, "again"), bad(4, "x"),
          bad(2, "and again"));
    equal_await(&h);
    EXPECT_USERS(2, 0, 6, 7, 9);
    HOST_ANSWER(&h, 1, 0);
    expect_bad(8, INVALID_RECORD, "says: first");
    equal_end(&h);
}

static void texts_that_are_none(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 6, 100);
    equal_let_go(&h);
    char longest[5000];
    memset(longest, 'l', sizeof longest);
    kloop_record_error errors[] = {bad(0, NULL), bad(1, ""), bad(2, "\x1b[31mred\nline"),
                                   bad(3, NULL)};
    errors[3].batch_index_error_message = (kloop_string){longest, sizeof longest};
    blame(INVALID_RECORD, errors, 4);
    equal_await(&h);
    HOST_ANSWER(&h, 1, 0);
    for (size_t user = 2; user <= 3; user++) {
        expect_bad(user, INVALID_RECORD, "INVALID_RECORD");
        assert_null(strstr(host_report_of(&h, user)->text, "broker says"));
    }
    expect_bad(4, INVALID_RECORD, "says: ?[31mred?line");
    expect_bad(5, INVALID_RECORD, "says: llll");
    host_expect_text(&h, 5, "lll...");
    assert_true(strlen(host_report_of(&h, 5)->text) < 700);
    host_expect_acked(&h, 6, 7);
    equal_end(&h);
}

/* 64 KiB of texts are kept, and the rest goes without: what a broker sends must not become memory.
 */
static void texts_without_end(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 1000, 60);
    equal_let_go(&h);
    static kloop_record_error errors[2000];
    static char texts[2000][4000];
    for (int i = 0; i < 2000; i++) {
        memset(texts[i], 'a' + i % 26, sizeof texts[i] - 1);
        errors[i] = bad(i % 999, texts[i]);
    }
    uint64_t held = host_stats(&h).held_bytes;
    blame_only(INVALID_RECORD, errors, 2000);
    assert_in_range(host_stats(&h).held_bytes, held + 65536 - 300, held + 65536 + 999 * 20);
    host_run(&h);
    equal_await(&h);
    EXPECT_USERS(1, 0, 1001);
    HOST_ANSWER(&h, 1, 0);
    expect_bad(2, INVALID_RECORD, "says: aaaa");
    expect_bad(1000, INVALID_RECORD, "INVALID_RECORD");
    host_expect_acked(&h, 1001, 1001);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    equal_end(&h);
}

/* Each piece had all texts of the batch, so 64 KiB became some hundred times as many. Those that
 * stand with several records are still kept once. */
static void texts_are_shared_out(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "1000000", NULL, NULL);
    equal_send(&h, t, 2000, 100);
    equal_let_go(&h);
    static kloop_record_error errors[1000];
    static char texts[1000][150];
    for (int i = 0; i < 1000; i++) {
        snprintf(texts[i], sizeof texts[i], "%0149d", i);
        errors[i] = bad(2 * i, texts[i]);
    }
    blame(INVALID_RECORD, errors, 1000);
    for (int k = 0; k < 8; k++) {
        equal_await(&h);
        HOST_ANSWER(&h, 1, TOO_LARGE);
    }
    assert_true(h.e->lined_batches >= 8);
    size_t held = 0;
    const kl_list *line = &t->handle->partitions[0]->line;
    for (kl_link *at = kl_list_first(line); at; at = kl_list_next(line, at)) {
        const kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        held += b->bad ? b->bad->text_bytes : 0;
    }
    assert_in_range(held, 60000, 65536 + h.e->lined_batches);
    for (int k = 0; k < 1000 && host_stats(&h).pending; k++) {
        equal_await(&h);
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
    }
    for (size_t i = 0; i < 1000; i++) {
        expect_bad(2 + 2 * i, INVALID_RECORD, i < 400 ? texts[i] : "INVALID_RECORD");
        host_expect_acked(&h, 3 + 2 * i, 3 + 2 * i);
    }
    equal_end(&h);
}

/* A text that several records point at, not next to each other, is one also in the pieces. */
static void texts_are_not_doubled(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 16, 200);
    equal_let_go(&h);
    BLAME(INVALID_RECORD, bad(1, "one"), bad(3, "one"), bad(5, "one"));
    equal_await(&h);
    /* Users 2, 4, 6, 8 and all from there on. */
    BLAME(INVALID_RECORD, bad(1, "two"), bad(2, "two"));
    equal_await(&h);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    const kl_batch *first =
        KL_CONTAINER_OF(kl_list_first(&t->handle->partitions[0]->line), kl_batch, in_line);
    assert_int_equal(kl_bad_records_count(first), 5);
    assert_int_equal(first->bad->text_bytes, sizeof "one" + sizeof "two" + 1);
    for (int k = 0; k < 100 && host_stats(&h).pending; k++) {
        equal_await(&h);
        HOST_ANSWER(&h, 1, 0);
    }
    for (size_t user = 3; user <= 7; user++)
        expect_bad(user, INVALID_RECORD, user % 2 ? "says: one" : "says: two");
    host_expect_acked(&h, 2, 2);
    host_expect_acked(&h, 8, 17);
    equal_end(&h);
}

/* A broker that finds another culprit each time. */
static void one_after_the_other_is_paced(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 64, 100);
    equal_let_go(&h);
    size_t requests = 0;
    for (int ms = 0; ms < 2000; ms += 10) {
        for (; host_produces(&h, 1); requests++)
            BLAME(INVALID_RECORD, bad(0, "and this one"));
        host_sleep(&h, 10);
    }
    assert_in_range(requests, 15, 30);
    equal_end(&h);
}

/* ---- In the middle ---- */

/* 4500 records, of which every third is bad, in the middle of being put together anew. */
static void begin_slowly(void)
{
    t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
    equal_send(&h, t, 4500, 180);
    equal_let_go(&h);
    static kloop_record_error errors[1500];
    for (int i = 0; i < 1500; i++)
        errors[i] = bad(3 * i, "third");
    blame_only(INVALID_RECORD, errors, 1500);
    host_pump(&h);
    assert_non_null(h.e->reshape.batch);
    h.now.mono_ns += 1000;
    kloop_engine_on_time(h.e, h.now);
    host_pump(&h);
    assert_non_null(h.e->reshape.batch);
}

static void finished_in_turns(void **state)
{
    (void)state;
    begin_slowly();
    equal_await(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].count, 3000);
    HOST_ANSWER(&h, 1, 0);
    for (size_t user = 2; user <= 4501; user++) {
        if ((user - 2) % 3 == 0)
            expect_bad(user, INVALID_RECORD, "says: third");
        else
            host_expect_acked(&h, user, user);
    }
    expect_order(2, 4501);
    assert_int_equal(host_fate_of(&h, 4501)->offset, 100 + 3000);
    equal_end(&h);
}

static void given_up_in_the_middle(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        begin_slowly();
        kloop_cause cause = KLOOP_CAUSE_TIMEOUT;
        if (how == 0) {
            h.now.mono_ns += UINT64_C(30000000000);
            kloop_engine_on_time(h.e, h.now);
            host_pump(&h);
        } else if (how == 1) {
            cause = KLOOP_CAUSE_PURGED;
            assert_int_equal(kloop_engine_purge(h.e, t->handle, KLOOP_PURGE_QUEUED, h.now), 3000);
            host_run(&h);
        } else if (how == 2) {
            cause = KLOOP_CAUSE_CLOSED;
            host_close(&h, 0, 0);
        } else {
            host_end(&h);
            continue;
        }
        assert_null(h.e->reshape.batch);
        /* What is known of them is known. */
        expect_bad(2, INVALID_RECORD, "says: third");
        host_expect_fate(&h, 3, 4, KLOOP_OUTCOME_FAILED, cause);
        expect_bad(4499, INVALID_RECORD, "says: third");
        host_expect_fate(&h, 4500, 4501, KLOOP_OUTCOME_FAILED, cause);
        expect_order(2, 4501);
        if (how == 2)
            host_end(&h);
        else
            equal_end(&h);
    }
}

/* Each allocation fails once: it goes again as it is, and the broker says the same again. */
static void memory_fails_once_at_each_place(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "lz4"};
    for (size_t i = 0; i < 2; i++)
        for (size_t nth = 1;; nth++) {
            t = equal_begin(&h, 1, "compression.type", codecs[i], NULL, NULL);
            equal_send(&h, t, 40, 200);
            equal_let_go(&h);
            size_t refused_before = h.memory.refused;
            h.memory.nth = h.memory.calls + nth;
            BLAME(INVALID_RECORD, bad(3, "three"), bad(39, "last"));
            for (int k = 0; k < 60 && host_stats(&h).pending; k++) {
                equal_await(&h);
                if (!host_produces(&h, 1))
                    continue;
                host_expect_produce(&h, 1, &seen);
                if (seen.batches[0].count == 40)
                    BLAME(INVALID_RECORD, bad(3, "three"), bad(39, "last"));
                else
                    HOST_ANSWER(&h, 1, 0);
            }
            host_expect_acked(&h, 2, 4);
            expect_bad(5, INVALID_RECORD, "says: three");
            host_expect_acked(&h, 6, 40);
            expect_bad(41, INVALID_RECORD, "says: last");
            host_expect_offset(&h, 40, 138);
            bool beyond = h.memory.refused == refused_before;
            equal_end(&h);
            if (beyond)
                break;
            assert_true(nth < 1000);
        }
}

/* Ours to mend: nobody is asked again about what is known, and retries=0 is no reason to fail. */
static void want_of_memory_is_no_attempt(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        t = equal_begin(&h, 1, "retries", "0", NULL, NULL);
        equal_send(&h, t, 40, 200);
        equal_let_go(&h);
        kloop_record_error errors[] = {bad(3, "three"), bad(39, "last")};
        size_t refused_before = h.memory.refused;
        blame_only(INVALID_RECORD, errors, 2);
        h.memory.nth = h.memory.calls + nth;
        host_run(&h);
        equal_await(&h);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].count, 38);
        HOST_ANSWER(&h, 1, 0);
        expect_bad(5, INVALID_RECORD, "says: three");
        host_expect_acked(&h, 6, 40);
        expect_bad(41, INVALID_RECORD, "says: last");
        assert_int_equal(host_stats(&h).retries, 0);
        bool beyond = h.memory.refused == refused_before;
        equal_end(&h);
        if (beyond)
            break;
        assert_true(nth < 1000);
    }
}

/* What the brokers of the next test say: the lower half of the users is bad, then all is too large
 * that has more than 40 records. */
static void judge(void)
{
    static kloop_record_error errors[100];
    host_expect_produce(&h, 1, &seen);
    for (int i = 0; i < 100; i++)
        errors[i] = bad(i, i % 2 ? "odd" : "even");
    if (seen.batches[0].count == 200)
        blame(INVALID_RECORD, errors, 100);
    else
        HOST_ANSWER(&h, 1, seen.batches[0].count > 40 ? TOO_LARGE : 0);
}

/* The same where a list has to be handed down to pieces: what was left out stays left out. Once,
 * the text that could not be kept for want of memory was looked at as the one before the next. */
static void memory_fails_once_in_a_split_afterwards(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
        equal_send(&h, t, 200, 100);
        equal_let_go(&h);
        size_t refused_before = h.memory.refused;
        h.memory.nth = h.memory.calls + nth;
        for (int k = 0; k < 60 && host_stats(&h).pending; k++) {
            equal_await(&h);
            if (host_produces(&h, 1))
                judge();
        }
        for (size_t user = 2; user <= 101; user++)
            expect_bad(user, INVALID_RECORD, user % 2 ? "says: odd" : "says: even");
        host_expect_acked(&h, 102, 201);
        expect_order(2, 201);
        host_expect_offset(&h, 201, 200);
        bool beyond = h.memory.refused == refused_before;
        equal_end(&h);
        if (beyond)
            break;
        assert_true(nth < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_go_again_without_them),
        cmocka_unit_test(later_ones_are_awaited),
        cmocka_unit_test(later_one_in_doubt_goes_anew),
        cmocka_unit_test(twice),
        cmocka_unit_test(split_afterwards),
        cmocka_unit_test(all_of_them_fail),
        cmocka_unit_test(unknown_fate),
        cmocka_unit_test(unknown_fate_of_the_rest),
        cmocka_unit_test(without_a_list_the_whole_batch_fails),
        cmocka_unit_test(list_beside_another_answer),
        cmocka_unit_test(places_that_are_none),
        cmocka_unit_test(texts_that_are_none),
        cmocka_unit_test(texts_without_end),
        cmocka_unit_test(texts_are_shared_out),
        cmocka_unit_test(texts_are_not_doubled),
        cmocka_unit_test(one_after_the_other_is_paced),
        cmocka_unit_test(finished_in_turns),
        cmocka_unit_test(given_up_in_the_middle),
        cmocka_unit_test(memory_fails_once_at_each_place),
        cmocka_unit_test(want_of_memory_is_no_attempt),
        cmocka_unit_test(memory_fails_once_in_a_split_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
