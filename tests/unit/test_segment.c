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
    for (kl_grade grade = KL_GRADE_TINY; grade < KL_GRADE_COUNT; grade++) {
        kl_segment *s = kl_segment_get(&pool, grade);
        assert_non_null(s);
        assert_int_equal(kl_segment_size(s), kl_grade_size(grade));
        assert_int_equal(pool.held_bytes, kl_grade_size(grade));
        assert_int_equal(kl_segment_capacity(s) + sizeof(kl_segment), kl_grade_size(grade));
        assert_int_equal(kl_grade_for(kl_segment_capacity(s)), grade);
        /* The sanitizer sees a byte too many. */
        memset(s->bytes, 0x5a, kl_segment_capacity(s));
        if (grade + 1 < KL_GRADE_COUNT)
            assert_int_equal(kl_grade_for((size_t)kl_segment_capacity(s) + 1), grade + 1);
        else
            assert_int_equal(kl_grade_for(SIZE_MAX), KL_GRADE_LARGE);
        kl_segment_unpin(s);
        assert_int_equal(pool.held_bytes, 0);
    }
    assert_int_equal(kl_grade_for(0), KL_GRADE_TINY);
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
    assert_int_equal(kl_pool_idle_bytes(&pool), 0);
    assert_memory_equal(s->bytes, "payload", 7);
    kl_segment_unpin(s);
    assert_int_equal(pool.held_bytes, 0);
    assert_int_equal(kl_pool_idle_bytes(&pool), f.live_bytes);
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
    s->next = s;
    kl_segment_unpin(s);
    size_t calls = f.calls;
    kl_segment *again = kl_segment_get(&pool, KL_GRADE_MEDIUM);
    assert_ptr_equal(again, s);
    assert_int_equal(again->used, 0);
    assert_null(again->next);
    kl_segment *small = kl_segment_get(&pool, KL_GRADE_SMALL);
    assert_int_equal(f.calls, calls);
    kl_segment_unpin(small);
    kl_segment_unpin(again);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

/* Who waits for memory looks at one mark. Each place that gave something back had to tell before,
 * and two had forgotten it. */
static void whatever_is_given_back_leaves_a_mark(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool, one, two;
    kl_pool_init(&pool, &alloc, 1 << 20);
    kl_pool_init_child(&one, &pool);
    kl_pool_init_child(&two, &pool);
    kl_segment *a = kl_segment_get(&one, KL_GRADE_SMALL);
    kl_segment *b = kl_segment_get(&pool, KL_GRADE_SMALL);
    kl_pool_hold(&two, 1000);
    assert_int_equal(pool.held_bytes, 2 * 512 + 1000);
    assert_false(pool.sunk);
    assert_null(kl_pool_take_sunk(&pool));
    kl_segment_pin(a);
    kl_segment_unpin(a);
    assert_false(pool.sunk);
    kl_segment_unpin(b);
    assert_true(pool.sunk);
    assert_null(kl_pool_take_sunk(&pool));
    pool.sunk = false;
    kl_segment_unpin(a);
    assert_true(pool.sunk);
    kl_pool_unhold(&two, 400);
    kl_pool_unhold(&two, 600);
    assert_ptr_equal(kl_pool_take_sunk(&pool), &one);
    assert_ptr_equal(kl_pool_take_sunk(&pool), &two);
    assert_null(kl_pool_take_sunk(&pool));
    assert_int_equal(pool.held_bytes, 0);
    kl_pool_deinit(&pool);
    kl_fail_alloc_check(&f);
}

/* Two accounts, one store: a limit for some that takes nothing from the others. */
static void a_child_only_counts(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_pool pool, child;
    kl_pool_init(&pool, &alloc, 1 << 20);
    kl_pool_init_child(&child, &pool);
    kl_segment *a = kl_segment_get(&pool, KL_GRADE_SMALL);
    kl_segment *b = kl_segment_get(&child, KL_GRADE_SMALL);
    assert_ptr_equal(b->pool, &child);
    assert_ptr_equal(a->unit, b->unit);
    assert_int_equal(pool.held_bytes, 1024);
    assert_int_equal(child.held_bytes, 512);
    kl_segment_unpin(a);
    assert_int_equal(pool.held_bytes, 512);
    kl_segment_unpin(b);
    assert_int_equal(pool.held_bytes, 0);
    assert_int_equal(child.held_bytes, 0);
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
        cmocka_unit_test(whatever_is_given_back_leaves_a_mark),
        cmocka_unit_test(a_child_only_counts),
        cmocka_unit_test(no_memory_is_null_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
