/* SPDX-License-Identifier: BSD-2-Clause */
/* What is learnt from batches that were too large. */
#include "core/engine_state.h"
#include "tests/support/equal_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOO_LARGE KLOOP_BROKER_MESSAGE_TOO_LARGE

static host h;
static host_seen seen;
static host_topic *t;

static size_t ceiling(void)
{
    return t->handle->batch_bytes;
}

/* One batch of n records of 500 bytes; answers how many it has on the wire. */
static int32_t send_batch(size_t n, int16_t code)
{
    equal_send(&h, t, n, 500);
    equal_let_go(&h);
    host_expect_produce(&h, 1, &seen);
    int32_t count = seen.batches[0].count;
    HOST_ANSWER(&h, 1, code);
    return count;
}

static void drain(void)
{
    for (int i = 0; i < 200 && host_stats(&h).pending; i++) {
        equal_await(&h);
        while (host_produces(&h, 1))
            HOST_ANSWER(&h, 1, 0);
    }
    assert_int_equal(host_stats(&h).pending, 0);
}

static void new_batches_are_kept_to_half_of_what_was_refused(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "10000", NULL, NULL);
    assert_int_equal(ceiling(), 10000);
    assert_int_equal(send_batch(16, TOO_LARGE), 16);
    size_t learnt = ceiling();
    assert_in_range(learnt, 4000, 4300);
    host_expect_line(&h, "topic 't'");
    host_expect_line(&h, "message.max.bytes");
    assert_int_equal(host_count_lines(&h, "are kept to"), 1);
    drain();
    /* The open batch closes at the ceiling; the fast way of a record knows it too. */
    kloop_record plain = {.value = {(const uint8_t *)"0123456789012345678901234567890123456789"
                                                     "0123456789012345678901234567890123456789",
                                    80},
                          .set = KLOOP_SET_PARTITION};
    for (int i = 0; i < 200; i++)
        assert_int_equal(host_send_record(&h, t, &plain), KLOOP_OK);
    host_run(&h);
    for (int batches = 0; batches < 4; batches++) {
        equal_await(&h);
        host_expect_produce(&h, 1, &seen);
        assert_in_range(seen.batches[0].len, 1, learnt);
        assert_true(batches == 3 || seen.batches[0].len > learnt - 100);
        HOST_ANSWER(&h, 1, 0);
    }
    drain();
    /* A single record may be larger. */
    equal_send(&h, t, 1, 9000);
    equal_let_go(&h);
    host_expect_produce(&h, 1, &seen);
    assert_true(seen.batches[0].len > 9000);
    HOST_ANSWER(&h, 1, 0);
    /* Other topics have nothing to do with it. */
    host_topic *other = host_add_topic(&h, "other", 1);
    host_run(&h);
    assert_int_equal(other->handle->batch_bytes, 10000);
    equal_end(&h);
}

/* An open batch that was told it might take more, and one that is longer than it may be now. */
static void open_batches_follow(void **state)
{
    (void)state;
    t = equal_begin(&h, 2, "batch.size", "10000", NULL, NULL);
    static uint8_t bytes[100];
    kloop_record r = {.value = {bytes, sizeof bytes}, .set = KLOOP_SET_PARTITION};
    for (int i = 0; i < 60; i++)
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    equal_let_go(&h);
    host_expect_produce(&h, 1, &seen);
    size_t refused = seen.batches[0].len;
    r.partition = 1;
    for (int i = 0; i < 10; i++)
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    host_answer_only(&h, 1, (const int16_t[]){TOO_LARGE}, 1);
    host_pump(&h);
    for (int i = 0; i < 40; i++)
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    host_run(&h);
    const kl_batch *first =
        KL_CONTAINER_OF(kl_list_first(&t->handle->partitions[1]->line), kl_batch, in_line);
    assert_in_range(kl_batch_builder_len(&first->builder), refused / 2 - 150, refused / 2);
    drain();
    equal_end(&h);
}

/* One refusal is enough for all that wait: they are split before they are sent. */
static void what_waits_is_split_unasked(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "8300", "max.in.flight.requests.per.connection", "1");
    equal_send(&h, t, 64, 500);
    equal_let_go(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].count, 16);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    for (int i = 0; i < 40 && host_stats(&h).pending; i++) {
        equal_await(&h);
        host_expect_produce(&h, 1, &seen);
        assert_int_equal(seen.batches[0].count, 8);
        HOST_ANSWER(&h, 1, 0);
    }
    host_expect_acked(&h, 2, 65);
    assert_int_equal(host_stats(&h).batches_split, 4);
    equal_end(&h);
}

static void ceiling_rises_slowly_and_falls_again(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "8300", NULL, NULL);
    assert_int_equal(send_batch(16, TOO_LARGE), 16);
    drain();
    size_t learnt = ceiling();
    assert_int_equal(learnt, host_stats(&h).batches_split == 1 ? learnt : 0);
    /* Small ones tell nothing. */
    for (int i = 0; i < 100; i++)
        send_batch(1, 0);
    assert_int_equal(ceiling(), learnt);
    /* Both halves were as large as allowed. */
    for (int i = 0; i < 61; i++)
        assert_int_equal(send_batch(7, 0), 7);
    assert_int_equal(ceiling(), learnt);
    assert_int_equal(send_batch(7, 0), 7);
    size_t tried = ceiling();
    assert_int_equal(tried, learnt + learnt / 8 + 1);
    host_forget_lines(&h);
    /* Up to batch.size, if nobody minds. */
    for (int i = 0; i < 1000 && ceiling() < 8300; i++) {
        equal_send(&h, t, 15, 500);
        equal_let_go(&h);
        drain();
    }
    assert_int_equal(ceiling(), 8300);
    assert_int_equal(send_batch(16, 0), 16);
    host_expect_no_line(&h, "kept to");
    /* And down again. */
    assert_int_equal(send_batch(16, TOO_LARGE), 16);
    assert_int_equal(ceiling(), learnt);
    host_expect_line(&h, "kept to");
    drain();
    equal_end(&h);
}

/* Sizes behind the codec are what the broker counts, sizes before it are what is kept to. */
static void ceiling_counts_raw_bytes(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "100000", "compression.type", "zstd");
    equal_send(&h, t, 150, 500);
    equal_let_go(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batches[0].count, 150);
    assert_true(seen.batches[0].len < 20000);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    assert_in_range(ceiling(), 37500, 40000);
    drain();
    equal_end(&h);
}

/* Sends a batch of n random records of 500 bytes; answers how large the largest on the wire was. */
static size_t send_random(size_t n, uint32_t *x)
{
    uint8_t value[500];
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < sizeof value; i++) {
            *x = *x * 1664525U + 1013904223U;
            value[i] = (uint8_t)(*x >> 24);
        }
        kloop_record r = {.value = {value, sizeof value}, .set = KLOOP_SET_PARTITION};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_OK);
    }
    equal_let_go(&h);
    size_t largest = 0;
    for (int i = 0; i < 400 && host_stats(&h).pending; i++) {
        equal_await(&h);
        while (host_produces(&h, 1)) {
            host_expect_produce(&h, 1, &seen);
            if (seen.batches[0].len > largest)
                largest = seen.batches[0].len;
            HOST_ANSWER(&h, 1, 0);
        }
    }
    return largest;
}

/* What was refused was small only behind the codec. Of what came then, of which a codec makes
 * nothing, each batch was split down to pieces of one or two records, for ever, as that taught
 * nothing. */
static void unasked_splits_teach(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "100000", "compression.type", "zstd");
    equal_send(&h, t, 180, 500);
    equal_let_go(&h);
    host_expect_produce(&h, 1, &seen);
    size_t refused = seen.batches[0].len;
    assert_true(refused < 5000);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    drain();
    host_forget_lines(&h);
    uint32_t x = 1;
    assert_in_range(send_random(80, &x), 500, refused);
    assert_in_range(ceiling(), 500, 2 * refused);
    host_expect_line(&h, "is split before it is sent");
    host_expect_no_line(&h, "too large for the broker, see");
    int rounds_with_splits = 0;
    for (int i = 0; i < 1500 && ceiling() < 100000; i++) {
        uint64_t splits = host_stats(&h).batches_split;
        send_random(160, &x);
        rounds_with_splits += host_stats(&h).batches_split > splits;
    }
    assert_int_equal(ceiling(), 100000);
    assert_in_range(rounds_with_splits, 0, 3);
    assert_true(send_random(160, &x) > 80000);
    equal_end(&h);
}

/* Of records of 10 KB one fits below 10 KB and three below 36 KB, which is never close to it: the
 * ceiling stayed where it was. */
static void ceiling_rises_with_large_records(void **state)
{
    (void)state;
    t = equal_begin(&h, 1, "batch.size", "100000", NULL, NULL);
    equal_send(&h, t, 2, 10000);
    equal_let_go(&h);
    HOST_ANSWER(&h, 1, TOO_LARGE);
    drain();
    assert_in_range(ceiling(), 10000, 10200);
    for (int i = 0; i < 600 && ceiling() < 100000; i++) {
        equal_send(&h, t, 9, 10000);
        equal_let_go(&h);
        drain();
    }
    assert_int_equal(ceiling(), 100000);
    equal_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_batches_are_kept_to_half_of_what_was_refused),
        cmocka_unit_test(open_batches_follow),
        cmocka_unit_test(what_waits_is_split_unasked),
        cmocka_unit_test(ceiling_rises_slowly_and_falls_again),
        cmocka_unit_test(ceiling_counts_raw_bytes),
        cmocka_unit_test(unasked_splits_teach),
        cmocka_unit_test(ceiling_rises_with_large_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
