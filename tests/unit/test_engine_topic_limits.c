/* SPDX-License-Identifier: BSD-2-Clause */
/* A topic's own buffer.memory, and what is held beyond any limit while batches are put together
 * anew. */
#include "core/engine_state.h"
#include "core/topic_share.h"
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SHARE 300000

static host h;
static host_seen seen;
static host_topic *small, *other;

static void begin_with(const char *linger_ms, const char *codec)
{
    host_new(&h, "linger.ms", linger_ms, "buffer.memory", "3000000", "max.request.size", "50000",
             "batch.size", "20000", "compression.type", codec, "topic.small.buffer.memory",
             "300000", NULL);
    small = host_add_topic(&h, "small", 4);
    other = host_add_topic(&h, "other", 4);
    for (int i = 0; i < 4; i++)
        small->leaders[i] = other->leaders[i] = 1;
}

static void begin(const char *codec)
{
    begin_with("100", codec);
    host_run(&h);
}

static void end(void)
{
    host_close(&h, 0, 0);
    assert_int_equal(host_stats(&h).held_bytes, 0);
    assert_int_equal(kl_topic_share_held(small->handle->share), 0);
    host_end(&h);
}

static size_t held(void)
{
    return kl_topic_share_held(small->handle->share);
}

/* Until one is refused; answers how many were taken. */
static size_t fill(host_topic *t, size_t len)
{
    size_t count = 0;
    kloop_status status;
    while ((status = host_send_bytes(&h, t, (int32_t)(count % 4), len)) == KLOOP_OK)
        count++;
    assert_int_equal(status, KLOOP_FULL);
    return count;
}

static void answer_all(void)
{
    for (int i = 0; i < 1000 && host_produces(&h, 1); i++) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
}

static void others_go_on(void **state)
{
    (void)state;
    begin("none");
    size_t count = fill(small, 1000);
    assert_true(count > 100);
    assert_true(held() <= SHARE && held() > SHARE - 2 * 65536 - 20000);
    assert_int_equal(host_stats(&h).refused_full, 1);
    assert_true(kloop_engine_busy(h.e));
    char text[400];
    kloop_record r = {.value = {(const uint8_t *)text, 300}};
    kloop_send_error(small->handle, &r, KLOOP_FULL, text, sizeof text);
    char wanted[100];
    snprintf(wanted, sizeof wanted, "topic 'small': its buffer.memory=300000 is used up (%zu bytes",
             held());
    assert_non_null(strstr(text, wanted));
    for (int i = 0; i < 500; i++)
        assert_int_equal(host_send_bytes(&h, other, i % 4, 1000), KLOOP_OK);
    size_t rest = fill(other, 1000);
    kloop_send_error(other->handle, &r, KLOOP_FULL, text, sizeof text);
    assert_non_null(strstr(text, "topic 'other': buffer.memory=3000000 is used up ("));
    host_run(&h);
    answer_all();
    host_sleep(&h, 200);
    answer_all();
    assert_int_equal(host_stats(&h).acked, count + 500 + rest);
    assert_true(h.writables == 1 || h.writables == 2);
    assert_int_equal(held(), 0);
    assert_false(kloop_engine_busy(h.e));
    end();
}

/* What lingers of the topic leaves, and nothing else does; WRITABLE comes once, and is no lie. */
static void writable_after_a_topic(void **state)
{
    (void)state;
    begin("none");
    for (int round = 1; round <= 10; round++) {
        size_t len = round % 3 ? 800 : 30000;
        host_send(&h, other, 0, 1);
        fill(small, len);
        assert_int_equal(host_send_bytes(&h, small, 0, len), KLOOP_FULL);
        assert_int_equal(h.writables, round - 1);
        host_run(&h);
        while (h.writables < round) {
            host_expect_produce(&h, 1, &seen);
            host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
        }
        assert_true(SHARE - held() >= SHARE / 8 || held() == 0);
        assert_int_equal(host_send_bytes(&h, small, 0, len), KLOOP_OK);
        host_sleep(&h, 200);
        answer_all();
        assert_int_equal(h.writables, round);
    }
    end();
}

/* Batches of a topic at its limit are due, those of others are not. */
static void only_its_own_batches_are_due(void **state)
{
    (void)state;
    begin("none");
    host_send(&h, other, 0, 1);
    host_sleep(&h, 100);
    answer_all();
    kl_partition *p = other->handle->partitions[0];
    host_send(&h, other, 0, 1);
    fill(small, 3000);
    assert_false(kl_topics_open(p)->due);
    host_run(&h);
    assert_true(host_produces(&h, 1) > 0);
    answer_all();
    host_sleep(&h, 200);
    answer_all();
    end();
}

static void parked_records_count(void **state)
{
    (void)state;
    begin_with("0", "none");
    h.hold_metadata = true;
    size_t count = fill(small, 500);
    assert_true(held() <= SHARE);
    host_send(&h, other, -1, 500);
    host_run(&h);
    assert_int_equal(h.writables, 0);
    h.hold_metadata = false;
    for (int i = 0; i < 100 && host_stats(&h).pending; i++) {
        host_sleep(&h, 10);
        answer_all();
    }
    assert_int_equal(host_stats(&h).acked, count + 500);
    assert_int_equal(h.writables, 1);
    end();
}

static void with_a_codec(void **state)
{
    (void)state;
    static const char *const codecs[] = {"gzip", "snappy", "lz4", "zstd"};
    for (size_t i = 0; i < 4; i++) {
        begin(codecs[i]);
        size_t all = 0;
        size_t most = 0;
        for (int round = 0; round < 5; round++) {
            all += fill(small, 700);
            host_pump(&h);
            most = held() > most ? held() : most;
            host_run(&h);
            answer_all();
            host_sleep(&h, 200);
            answer_all();
        }
        assert_int_equal(host_stats(&h).acked, all);
        assert_int_equal(h.writables, 5);
        assert_true(most <= SHARE + 2 * (20000 + 70000));
        end();
    }
}

/* A limit that is lifted, or set when much is held already. */
static void moved_limits(void **state)
{
    (void)state;
    begin("none");
    kloop_error error;
    size_t count = fill(small, 1000);
    assert_int_equal(kloop_topic_set(small->handle, "buffer.memory", "600000", &error), KLOOP_OK);
    host_pump(&h);
    assert_int_equal(h.writables, 1);
    size_t more = fill(small, 1000);
    assert_true(more > count / 2);
    assert_int_equal(kloop_topic_set(small->handle, "buffer.memory", "3000000", &error), KLOOP_OK);
    host_pump(&h);
    assert_int_equal(h.writables, 2);
    size_t most = fill(small, 1000);
    assert_true(most > more);
    /* That was the whole of it. */
    host_run(&h);
    answer_all();
    host_sleep(&h, 200);
    answer_all();
    assert_int_equal(h.writables, 3);
    /* Lower than what is held: nothing more until it is less. */
    for (int i = 0; i < 300; i++)
        assert_int_equal(host_send_bytes(&h, small, i % 4, 1000), KLOOP_OK);
    assert_int_equal(kloop_topic_set(small->handle, "buffer.memory", "50000", &error), KLOOP_OK);
    assert_int_equal(fill(small, 20000), 0);
    host_run(&h);
    answer_all();
    assert_int_equal(h.writables, 4);
    assert_int_equal(host_send_bytes(&h, small, 0, 20000), KLOOP_OK);
    host_sleep(&h, 200);
    answer_all();
    assert_int_equal(host_stats(&h).acked, count + more + most + 301);
    end();
}

/* What was begun before there was a share does not count, and comes back where it came from. */
static void share_that_came_late(void **state)
{
    (void)state;
    begin("none");
    for (int i = 0; i < 400; i++)
        assert_int_equal(host_send_bytes(&h, other, i % 4, 1000), KLOOP_OK);
    kloop_error error;
    assert_int_equal(kloop_topic_set(other->handle, "buffer.memory", "100000", &error), KLOOP_OK);
    size_t count = fill(other, 5000);
    assert_true(count > 3);
    host_run(&h);
    answer_all();
    host_sleep(&h, 200);
    answer_all();
    assert_int_equal(host_stats(&h).acked, 400 + count);
    assert_int_equal(kl_topic_share_held(other->handle->share), 0);
    end();
}

/* However its records end, the account is even, and WRITABLE comes. */
static void other_ends(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        begin(way % 2 ? "lz4" : "none");
        size_t count = fill(small, 900);
        if (way < 2) {
            assert_int_equal(kloop_engine_purge(h.e, small->handle,
                                                KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT, h.now),
                             count);
            host_run(&h);
            answer_all();
        } else {
            host_run(&h);
            host_sleep(&h, 130000);
            answer_all();
            host_sleep(&h, 1000);
            answer_all();
        }
        assert_int_equal(h.writables, 1);
        assert_int_equal(host_stats(&h).pending, 0);
        assert_int_equal(held(), 0);
        end();
    }
}

static void engine_that_goes_with_all_it_has(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        begin("zstd");
        fill(small, 900);
        if (way > 0)
            host_run(&h);
        if (way > 1)
            host_answer_all(&h, host_at(&h, 1), 0);
        host_end(&h);
    }
}

#define LETTERS 1000

/* Sixteen times the same few letters: folds to a tenth. */
static kloop_status send_letters(host_topic *t, int32_t partition)
{
    uint8_t value[LETTERS];
    uint32_t x = (uint32_t)h.user_count * 2654435761U + 1;
    for (size_t i = 0; i < LETTERS; i++) {
        if (i % 16 == 0)
            x = x * 1664525U + 1013904223U;
        value[i] = (uint8_t)('a' + (x >> 28));
    }
    kloop_record r = {
        .value = {value, LETTERS}, .partition = partition, .set = KLOOP_SET_PARTITION};
    return host_send_record(&h, t, &r);
}

/*
 * A full buffer of folded batches, all of them too large for the broker. Each of them becomes ten
 * times as large when it is taken apart, and was, one after the other, before the codec had any of
 * the pieces: all of them were in memory at once.
 */
static void splitting_has_a_bound(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "100", "buffer.memory", "2000000", "max.request.size", "200000",
             "batch.size", "200000", "compression.type", "gzip", "request.timeout.ms", "5000",
             NULL);
    host_topic *t = host_add_topic(&h, "t", 40);
    for (int i = 0; i < 40; i++)
        t->leaders[i] = 1;
    host_run(&h);
    size_t sent = 0;
    /* A batch after the other: each is folded before much of the next one is there. */
    while (send_letters(t, (int32_t)(sent / 202 % 40)) == KLOOP_OK) {
        sent++;
        host_pump(&h);
        while (kloop_engine_deadline(h.e) <= h.now.mono_ns) {
            kloop_engine_on_time(h.e, h.now);
            host_pump(&h);
        }
    }
    size_t before = h.held_max;
    assert_true(before <= 2000000 + 2 * (200000 + 3 * 65536));
    assert_true(sent * LETTERS > 4 * 2000000);
    int refusals = 0;
    for (int i = 0; i < 20000 && host_stats(&h).pending; i++) {
        if (!host_produces(&h, 1)) {
            host_sleep(&h, 10);
            continue;
        }
        host_expect_produce(&h, 1, &seen);
        int16_t codes[HOST_BATCHES_MAX];
        for (size_t n = 0; n < seen.batch_count; n++) {
            bool large = seen.batches[n].count > 100;
            refusals += large;
            codes[n] = large ? KLOOP_BROKER_MESSAGE_TOO_LARGE : KLOOP_BROKER_NONE;
        }
        host_answer(&h, 1, codes, seen.batch_count);
    }
    assert_true(refusals > 3);
    assert_int_equal(host_stats(&h).acked, sent);
    assert_true(host_stats(&h).batches_split > 20);
    /* Two batches, and what so many pieces have of blocks that are not full. */
    if (h.held_max > 2000000 + 2 * (200000 + 3 * 65536) + 600000)
        fail_msg("%zu bytes were held", h.held_max);
    host_close(&h, 0, 0);
    host_end(&h);
}

/* What a broker finds too large is told with its size. */
static void too_large_for_the_broker(void **state)
{
    (void)state;
    begin("none");
    assert_int_equal(host_send_bytes(&h, other, 0, 30000), KLOOP_OK);
    host_sleep(&h, 100);
    host_expect_produce(&h, 1, &seen);
    char wanted[60];
    snprintf(wanted, sizeof wanted, "; its batch had %zu bytes", seen.batches[0].len);
    HOST_ANSWER(&h, 1, KLOOP_BROKER_MESSAGE_TOO_LARGE);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    host_expect_text(&h, 1, wanted);
    host_expect_text(&h, 1, "max.message.bytes");
    host_close(&h, 0, 0);
    host_end(&h);
}

/* The book that a loan stands in is given back after the batch, when the lender was told; it was
 * the last that the share held once, and WRITABLE never came. */
static void loans_come_back_last(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "buffer.memory", "3000000", "max.request.size", "100000",
             "topic.small.buffer.memory", "100000", NULL);
    small = host_add_topic(&h, "small", 1);
    host_run(&h);
    kloop_record r = {0};
    host_lend(&h, &r, 99000);
    assert_int_equal(host_send_record(&h, small, &r), KLOOP_OK);
    kloop_record other_one = {0};
    host_lend(&h, &other_one, 99000);
    assert_int_equal(host_send_record(&h, small, &other_one), KLOOP_FULL);
    host_unlend(&h, &other_one);
    host_run(&h);
    assert_int_equal(h.writables, 0);
    HOST_ANSWER(&h, 1, 0);
    assert_int_equal(h.writables, 1);
    assert_false(kloop_engine_busy(h.e));
    end();
}

/* A share and the whole budget were refused, and one answer makes room in both: one WRITABLE speaks
 * for both. The budget went on owing one once, and so kept the loop from ending. */
static void one_answer_makes_room_in_both(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "100", "buffer.memory", "600000", "max.request.size", "150000",
             "batch.size", "150000", "topic.small.buffer.memory", "300000", NULL);
    small = host_add_topic(&h, "small", 4);
    other = host_add_topic(&h, "other", 4);
    for (int i = 0; i < 4; i++)
        small->leaders[i] = other->leaders[i] = 1;
    host_run(&h);
    fill(small, 1000);
    fill(other, 1000);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(host_produces(&h, 1), 1);
    assert_int_equal(seen.batch_count, 8);
    answer_all();
    assert_int_equal(h.writables, 1);
    assert_int_equal(host_stats(&h).pending, 0);
    assert_false(kloop_engine_busy(h.e));
    end();
}

/* What was purged gives its bytes back at once, and its report waits for one in flight: WRITABLE
 * came only with that. */
static void purged_behind_one_in_flight(void **state)
{
    (void)state;
    begin("none");
    host_send(&h, other, 0, 1);
    host_sleep(&h, 100);
    assert_int_equal(host_produces(&h, 1), 1);
    while (host_send_bytes(&h, other, 0, 10000) == KLOOP_OK)
        ;
    host_run(&h);
    assert_int_equal(h.writables, 0);
    kloop_engine_purge(h.e, other->handle, KLOOP_PURGE_QUEUED, h.now);
    host_pump(&h);
    assert_int_equal(h.reported, 0);
    assert_int_equal(h.writables, 1);
    answer_all();
    assert_int_equal(h.writables, 1);
    end();
}

/* There was room, and nobody had asked for actions before it was taken again: WRITABLE came for a
 * buffer that was full, and once more when it was not. */
static void room_that_is_taken_again_unseen(void **state)
{
    (void)state;
    begin("none");
    while (host_send_bytes(&h, other, 0, 10000) == KLOOP_OK)
        ;
    kloop_engine_purge(h.e, other->handle, KLOOP_PURGE_QUEUED, h.now);
    h.now.mono_ns += 1000000;
    kloop_engine_on_time(h.e, h.now);
    size_t count = 0;
    while (host_send_bytes(&h, other, 0, 10000) == KLOOP_OK)
        count++;
    assert_true(count > 200);
    host_run(&h);
    assert_int_equal(h.writables, 0);
    for (int i = 0; i < 1000 && h.writables == 0; i++) {
        host_expect_produce(&h, 1, &seen);
        host_answer(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
    }
    assert_int_equal(host_send_bytes(&h, other, 0, 10000), KLOOP_OK);
    answer_all();
    host_sleep(&h, 200);
    answer_all();
    assert_int_equal(h.writables, 1);
    end();
}

static size_t held_most;

static void watch(void)
{
    if (held_most < held())
        held_most = held();
}

/* Records that waited for their partitions take more memory there than they did; a topic that has
 * a share waits with them until some have left, and holds up nobody. */
static void parked_records_stay_in_their_share(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", "buffer.memory", "3000000", "max.request.size", "50000",
             "batch.size", "100", "topic.small.buffer.memory", "300000", NULL);
    h.hold_metadata = true;
    small = host_add_topic(&h, "small", 4);
    other = host_add_topic(&h, "other", 4);
    for (int i = 0; i < 4; i++)
        small->leaders[i] = other->leaders[i] = 1;
    host_run(&h);
    size_t count = fill(small, 40);
    host_send(&h, other, 0, 2000);
    h.hold_metadata = false;
    host_run(&h);
    watch();
    size_t produces = 0;
    for (; host_stats(&h).pending > 0; produces++) {
        assert_true(produces < 100000);
        if (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            host_answer_only(&h, 1, (const int16_t[HOST_BATCHES_MAX]){0}, seen.batch_count);
        }
        host_run(&h);
        host_sleep(&h, 1);
        watch();
    }
    host_expect_acked(&h, 1, count);
    /* The batch that is being read, 64 KiB, and one record more than there is room for. */
    assert_true(held_most <= SHARE + 66000);
    assert_int_equal(host_stats(&h).acked, count + 2000);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_go_on),
        cmocka_unit_test(writable_after_a_topic),
        cmocka_unit_test(only_its_own_batches_are_due),
        cmocka_unit_test(parked_records_count),
        cmocka_unit_test(with_a_codec),
        cmocka_unit_test(moved_limits),
        cmocka_unit_test(share_that_came_late),
        cmocka_unit_test(loans_come_back_last),
        cmocka_unit_test(one_answer_makes_room_in_both),
        cmocka_unit_test(purged_behind_one_in_flight),
        cmocka_unit_test(room_that_is_taken_again_unseen),
        cmocka_unit_test(parked_records_stay_in_their_share),
        cmocka_unit_test(other_ends),
        cmocka_unit_test(engine_that_goes_with_all_it_has),
        cmocka_unit_test(splitting_has_a_bound),
        cmocka_unit_test(too_large_for_the_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
