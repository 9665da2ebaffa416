/* SPDX-License-Identifier: BSD-2-Clause */
/* Replicas' logs: shared batches, common beginnings, truncation, and the state that follows. */
#include "broker/replica_log.h"
#include "base/mem.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_stored *stored(const kloop_allocator *alloc, const kl_log *log, int32_t count,
                         int64_t pid, int32_t sequence)
{
    kl_stored *s = kl_stored_new(alloc, 100);
    if (!s)
        return NULL;
    s->batch.base_offset = log->next_offset;
    s->batch.record_count = count;
    s->batch.producer_id = pid;
    s->batch.producer_epoch = 0;
    s->batch.base_sequence = sequence;
    return s;
}

static bool add(kl_log *log, int32_t count, int64_t pid, int32_t sequence)
{
    if (!kl_log_reserve(log))
        return false;
    kl_stored *s = stored(&log->alloc, log, count, pid, sequence);
    if (s)
        kl_log_append(log, s);
    return s != NULL;
}

static void copy_last(kl_log *to, const kl_log *from)
{
    assert_true(kl_log_reserve(to));
    kl_stored *s = from->batches[to->count];
    s->refs++;
    kl_log_append(to, s);
}

static void offsets_and_numbers_follow_the_batches(void **state)
{
    (void)state;
    kl_log log;
    kl_log_init(&log, &kl_mem_libc, 1);
    for (int i = 0; i < 20; i++)
        assert_true(add(&log, 3, -1, -1));
    assert_int_equal(log.next_offset, 60);
    assert_int_equal(log.record_count, 60);
    assert_int_equal(log.byte_count, 2000);
    assert_int_equal(log.batch_count, 20);
    log.high_watermark = 60;
    assert_true(kl_stored_drop(&kl_mem_libc, kl_log_take_last(&log)));
    assert_int_equal(log.next_offset, 57);
    assert_int_equal(log.high_watermark, 57);
    assert_int_equal(log.byte_count, 1900);
    kl_log_count_only(&log, 5, 70);
    assert_int_equal(log.next_offset, 62);
    assert_int_equal(log.record_count, 62);
    kl_log_deinit(&log);
}

static void logs_know_how_far_they_are_the_same(void **state)
{
    (void)state;
    kl_log a, b;
    kl_log_init(&a, &kl_mem_libc, 1);
    kl_log_init(&b, &kl_mem_libc, 1);
    assert_int_equal(kl_log_common(&a, &b), 0);
    for (int i = 0; i < 4; i++)
        assert_true(add(&a, 1, -1, -1));
    for (int i = 0; i < 3; i++)
        copy_last(&b, &a);
    assert_int_equal(kl_log_common(&a, &b), 3);
    assert_int_equal(kl_log_common(&b, &a), 3);
    /* At the same offset, but not the same batch. */
    assert_true(add(&b, 1, -1, -1));
    assert_int_equal(kl_log_common(&a, &b), 3);
    assert_true(kl_stored_drop(&kl_mem_libc, kl_log_take_last(&b)));
    /* The other log still has this one. */
    assert_false(kl_stored_drop(&kl_mem_libc, kl_log_take_last(&b)));
    assert_int_equal(kl_log_common(&a, &b), 2);
    kl_log_deinit(&b);
    kl_log_deinit(&a);
}

static void the_state_of_producers_is_that_of_the_log(void **state)
{
    (void)state;
    kl_log log;
    kl_log_init(&log, &kl_mem_libc, 1);
    assert_true(add(&log, 2, 5, 0));
    assert_true(add(&log, 1, -1, -1));
    assert_true(add(&log, 3, 5, 2));
    kl_producer *p = kl_producers_find_or_add(kl_log_producers(&log), 5);
    assert_int_equal(p->count, 2);
    assert_int_equal(p->batches[1].first_sequence, 2);
    assert_int_equal(p->batches[1].last_sequence, 4);
    assert_int_equal(p->batches[1].base_offset, 3);
    /* What is cut off was never there. */
    kl_stored_drop(&kl_mem_libc, kl_log_take_last(&log));
    p = kl_producers_find_or_add(kl_log_producers(&log), 5);
    assert_int_equal(p->count, 1);
    assert_int_equal(p->batches[0].last_sequence, 1);
    /* Expired, and then only the new ones count, also when all is computed anew. */
    kl_log_forget_producers(&log);
    assert_int_equal(kl_producers_find_or_add(kl_log_producers(&log), 5)->epoch, -1);
    assert_true(add(&log, 1, 5, 50));
    assert_true(add(&log, 1, 5, 51));
    kl_stored_drop(&kl_mem_libc, kl_log_take_last(&log));
    p = kl_producers_find_or_add(kl_log_producers(&log), 5);
    assert_int_equal(p->count, 1);
    assert_int_equal(p->batches[0].first_sequence, 50);
    kl_log_deinit(&log);
}

static bool fill(const kloop_allocator *alloc)
{
    kl_log log;
    bool whole = true;
    kl_log_init(&log, alloc, 1);
    for (int32_t i = 0; whole && i < 20; i++) {
        size_t before = log.count;
        whole = add(&log, 1, i % 3, i / 3);
        assert_int_equal(log.count, before + (whole ? 1 : 0));
    }
    if (whole)
        whole = kl_log_producers(&log) != NULL;
    kl_log_deinit(&log);
    return whole;
}

static void without_memory_it_stays_as_it_was(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        bool ok = fill(&alloc);
        kl_fail_alloc_check(&f);
        assert_int_equal(ok, f.refused == 0);
        if (f.refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_and_numbers_follow_the_batches),
        cmocka_unit_test(logs_know_how_far_they_are_the_same),
        cmocka_unit_test(the_state_of_producers_is_that_of_the_log),
        cmocka_unit_test(without_memory_it_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
