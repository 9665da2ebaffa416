/* SPDX-License-Identifier: BSD-2-Clause */
/* What a log remembers of producers: the last five batches, the epoch, and what may come next. */
#include "broker/producer_state.h"
#include "base/mem.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kloop_batch_header batch(int16_t epoch, int32_t sequence, int32_t count)
{
    return (kloop_batch_header){.producer_id = 7,
                                .producer_epoch = epoch,
                                .base_sequence = sequence,
                                .record_count = count,
                                .last_offset_delta = count - 1};
}

static kl_sequence_verdict judge(const kl_producer *p, int16_t epoch, int32_t sequence,
                                 int32_t count)
{
    const kl_producer_batch *same;
    kloop_batch_header header = batch(epoch, sequence, count);
    return kl_producer_judge(p, KL_SEQUENCES_2_5, &header, &same);
}

static void apply(kl_producer *p, int16_t epoch, int32_t sequence, int32_t count, int64_t offset)
{
    kloop_batch_header header = batch(epoch, sequence, count);
    assert_int_equal(judge(p, epoch, sequence, count), KL_SEQUENCE_NEW);
    kl_producer_apply(p, epoch,
                      &(kl_producer_batch){.first_sequence = sequence,
                                           .last_sequence = kl_sequence_last(&header),
                                           .base_offset = offset});
}

static void the_next_one_is_taken_and_no_other(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    apply(&p, 0, 0, 3, 100);
    assert_int_equal(judge(&p, 0, 3, 1), KL_SEQUENCE_NEW);
    assert_int_equal(judge(&p, 0, 4, 1), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge(&p, 0, 1, 2), KL_SEQUENCE_OUT_OF_ORDER);
    /* The same beginning with another end is not the same batch. */
    assert_int_equal(judge(&p, 0, 0, 2), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge(&p, 0, 0, 3), KL_SEQUENCE_DUPLICATE);
}

static void the_last_five_are_recognised(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    const kl_producer_batch *same;
    for (int i = 0; i < 6; i++)
        apply(&p, 2, i * 2, 2, 1000 + i * 2);
    assert_int_equal(judge(&p, 2, 0, 2), KL_SEQUENCE_OUT_OF_ORDER);
    for (int i = 1; i < 6; i++) {
        kloop_batch_header header = batch(2, i * 2, 2);
        assert_int_equal(kl_producer_judge(&p, KL_SEQUENCES_2_5, &header, &same),
                         KL_SEQUENCE_DUPLICATE);
        assert_int_equal(same->base_offset, 1000 + i * 2);
    }
}

static void epochs_rise_and_begin_at_zero(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    apply(&p, 4, 0, 5, 0);
    assert_int_equal(judge(&p, 3, 5, 1), KL_SEQUENCE_OLD_EPOCH);
    /* Not even what is there already, if it came from an epoch that is over. */
    assert_int_equal(judge(&p, 5, 5, 1), KL_SEQUENCE_OUT_OF_ORDER);
    apply(&p, 5, 0, 1, 5);
    assert_int_equal(judge(&p, 4, 0, 5), KL_SEQUENCE_OLD_EPOCH);
    assert_int_equal(judge(&p, 5, 1, 1), KL_SEQUENCE_NEW);
    assert_int_equal(judge(&p, 7, 0, 1), KL_SEQUENCE_NEW);
}

static void who_is_unknown_may_begin_anywhere(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    assert_int_equal(judge(&p, 3, 77, 1), KL_SEQUENCE_NEW);
    assert_int_equal(judge(&p, 0, INT32_MAX, 1), KL_SEQUENCE_NEW);
    apply(&p, 3, 77, 1, 0);
    assert_int_equal(judge(&p, 3, 0, 1), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge(&p, 3, 78, 1), KL_SEQUENCE_NEW);
}

static void sequences_wrap_around(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    apply(&p, 0, INT32_MAX - 1, 1, 0);
    assert_int_equal(judge(&p, 0, 0, 1), KL_SEQUENCE_OUT_OF_ORDER);
    apply(&p, 0, INT32_MAX, 1, 1);
    apply(&p, 0, 0, 1, 2);
    assert_int_equal(judge(&p, 0, INT32_MAX, 1), KL_SEQUENCE_DUPLICATE);
    /* A batch may lie across the end of the numbers. */
    kl_producer q = {.epoch = -1};
    apply(&q, 0, INT32_MAX - 1, 4, 0);
    assert_int_equal(judge(&q, 0, INT32_MAX - 1, 4), KL_SEQUENCE_DUPLICATE);
    assert_int_equal(judge(&q, 0, 1, 1), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge(&q, 0, 2, 1), KL_SEQUENCE_NEW);
}

static kl_sequence_verdict judge_as(kl_sequence_era era, const kl_producer *p, int32_t sequence,
                                    int32_t count)
{
    const kl_producer_batch *same;
    kloop_batch_header header = batch(0, sequence, count);
    return kl_producer_judge(p, era, &header, &same);
}

static void old_brokers_want_the_first_number_of_whom_they_do_not_know(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 0, 1), KL_SEQUENCE_NEW);
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 7, 1), KL_SEQUENCE_UNKNOWN);
    assert_int_equal(judge_as(KL_SEQUENCES_0_11, &p, 0, 1), KL_SEQUENCE_NEW);
    assert_int_equal(judge_as(KL_SEQUENCES_0_11, &p, 7, 1), KL_SEQUENCE_OUT_OF_ORDER);
}

static void old_brokers_remember_otherwise(void **state)
{
    (void)state;
    kl_producer p = {.epoch = -1};
    for (int i = 0; i < 6; i++)
        apply(&p, 0, i * 2, 2, 1000 + i * 2);
    /* The first one is forgotten, and from 1.0 to 2.4 what lies before the others counts as stored.
     */
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 0, 2), KL_SEQUENCE_STORED);
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 2, 2), KL_SEQUENCE_DUPLICATE);
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 3, 1), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 12, 1), KL_SEQUENCE_NEW);
    assert_int_equal(judge_as(KL_SEQUENCES_1_0, &p, 13, 1), KL_SEQUENCE_OUT_OF_ORDER);
    /* 0.11 knows the last one only. */
    assert_int_equal(judge_as(KL_SEQUENCES_0_11, &p, 10, 2), KL_SEQUENCE_DUPLICATE);
    assert_int_equal(judge_as(KL_SEQUENCES_0_11, &p, 8, 2), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge_as(KL_SEQUENCES_0_11, &p, 0, 2), KL_SEQUENCE_OUT_OF_ORDER);
    assert_int_equal(judge_as(KL_SEQUENCES_0_11, &p, 12, 1), KL_SEQUENCE_NEW);
}

static bool remember(const kloop_allocator *alloc)
{
    kl_producers p;
    bool whole = true;
    kl_producers_init(&p, alloc, 1);
    for (int64_t id = 0; whole && id < 40; id++) {
        kl_producer *producer = kl_producers_find_or_add(&p, id);
        whole = producer != NULL;
        if (whole) {
            assert_int_equal(producer->epoch, -1);
            producer->epoch = (int16_t)id;
        }
    }
    for (int64_t id = 0; whole && id < 40; id++)
        assert_int_equal(kl_producers_find_or_add(&p, id)->epoch, id);
    kl_producers_clear(&p);
    if (whole) {
        kl_producer *again = kl_producers_find_or_add(&p, 3);
        whole = again != NULL;
        if (whole)
            assert_int_equal(again->epoch, -1);
        kl_producers_clear(&p);
    }
    return whole;
}

static void producers_are_found_by_id(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        bool ok = remember(&alloc);
        kl_fail_alloc_check(&f);
        assert_int_equal(ok, f.refused == 0);
        if (f.refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_one_is_taken_and_no_other),
        cmocka_unit_test(the_last_five_are_recognised),
        cmocka_unit_test(epochs_rise_and_begin_at_zero),
        cmocka_unit_test(who_is_unknown_may_begin_anywhere),
        cmocka_unit_test(sequences_wrap_around),
        cmocka_unit_test(old_brokers_want_the_first_number_of_whom_they_do_not_know),
        cmocka_unit_test(old_brokers_remember_otherwise),
        cmocka_unit_test(producers_are_found_by_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
