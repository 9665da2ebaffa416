/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments and their pool: sizes, references, what is kept and what goes back. */
#include "base/segment.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void grades_hold_what_they_promise(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool;
    kl_pool_init(&pool, &alloc, 0);
    for (kl_grade grade = KL_GRADE_SMALL; grade < KL_GRADE_COUNT; grade++) {
        kl_segment *s = kl_segment_get(&pool, grade);
        assert_non_null(s);
        assert_int_equal(f.live_bytes, kl_grade_size(grade));
        assert_int_equal(pool.held_bytes, kl_grade_size(grade));
        assert_int_equal(s->capacity + sizeof(kl_segment), kl_grade_size(grade));
        assert_int_equal(kl_grade_for(s->capacity), grade);
        /* The sanitizer sees a byte too many. */
        memset(s->bytes, 0x5a, s->capacity);
        if (grade + 1 < KL_GRADE_COUNT)
            assert_int_equal(kl_grade_for((size_t)s->capacity + 1), grade + 1);
        else
            assert_int_equal(kl_grade_for(SIZE_MAX), KL_GRADE_LARGE);
        kl_segment_unpin(s);
        assert_int_equal(pool.held_bytes, 0);
    }
    assert_int_equal(kl_grade_for(0), KL_GRADE_SMALL);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

static void pinned_segment_outlives_its_first_owner(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool;
    kl_pool_init(&pool, &alloc, 1 << 20);
    kl_segment *s = kl_segment_get(&pool, KL_GRADE_SMALL);
    memcpy(s->bytes, "payload", 7);
    kl_segment_pin(s);
    kl_segment_pin(s);
    kl_segment_unpin(s);
    kl_segment_unpin(s);
    assert_int_equal(pool.held_bytes, 512);
    assert_memory_equal(s->bytes, "payload", 7);
    kl_segment_unpin(s);
    assert_int_equal(pool.held_bytes, 0);
    assert_int_equal(pool.idle_bytes, 512);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

static void idle_segments_are_used_again(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool;
    kl_pool_init(&pool, &alloc, 1 << 20);
    kl_segment *s = kl_segment_get(&pool, KL_GRADE_MEDIUM);
    s->used = 77;
    kl_segment_unpin(s);
    size_t calls = f.calls;
    kl_segment *again = kl_segment_get(&pool, KL_GRADE_MEDIUM);
    assert_ptr_equal(again, s);
    assert_int_equal(f.calls, calls);
    assert_int_equal(again->used, 0);
    assert_null(again->next);
    /* Another grade does not take it. */
    kl_segment *small = kl_segment_get(&pool, KL_GRADE_SMALL);
    assert_int_equal(f.calls, calls + 1);
    kl_segment_unpin(small);
    kl_segment_unpin(again);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

static void idle_memory_stays_below_its_limit(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool;
    kl_pool_init(&pool, &alloc, 65536 + 4096);
    kl_segment *large[4];
    kl_segment *medium[4];
    for (int i = 0; i < 4; i++) {
        large[i] = kl_segment_get(&pool, KL_GRADE_LARGE);
        medium[i] = kl_segment_get(&pool, KL_GRADE_MEDIUM);
    }
    for (int i = 0; i < 4; i++) {
        kl_segment_unpin(large[i]);
        kl_segment_unpin(medium[i]);
        assert_true(pool.idle_bytes <= 65536 + 4096);
    }
    assert_int_equal(pool.idle_bytes, 65536 + 4096);
    assert_int_equal(f.live_bytes, 65536 + 4096);
    kl_pool_trim(&pool, 4096);
    assert_int_equal(f.live_bytes, 4096);
    kl_pool_trim(&pool, 0);
    assert_int_equal(f.live_bytes, 0);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

static void no_memory_is_null_and_changes_nothing(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 1);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool;
    kl_pool_init(&pool, &alloc, 0);
    assert_null(kl_segment_get(&pool, KL_GRADE_LARGE));
    assert_int_equal(pool.held_bytes, 0);
    kl_segment *s = kl_segment_get(&pool, KL_GRADE_LARGE);
    assert_non_null(s);
    kl_segment_unpin(s);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grades_hold_what_they_promise),
        cmocka_unit_test(pinned_segment_outlives_its_first_owner),
        cmocka_unit_test(idle_segments_are_used_again),
        cmocka_unit_test(idle_memory_stays_below_its_limit),
        cmocka_unit_test(no_memory_is_null_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
