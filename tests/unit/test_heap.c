/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap of deadlines: against a plain list that is searched each time, ties, room, mistakes. */
#include "base/heap.h"
#include "base/mem.h"
#include "base/prng.h"
#include "tests/support/asserted.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_empty_heap_is_never_due(void **state)
{
    (void)state;
    kl_heap heap;
    kl_heap_init(&heap, &kl_mem_libc);
    assert_null(kl_heap_first(&heap));
    assert_true(kl_heap_when(&heap) == KL_NEVER);
    kl_timer t;
    kl_timer_init(&t, 7);
    assert_int_equal(t.kind, 7);
    assert_false(kl_timer_is_set(&t));
    assert_true(t.when == KL_NEVER);
    /* Neither needs room. */
    kl_heap_remove(&heap, &t);
    kl_heap_set(&heap, &t, KL_NEVER);
    assert_false(kl_timer_is_set(&t));
    kl_heap_deinit(&heap);
    kl_heap_deinit(&heap);
}

static void a_timer_is_set_moved_and_taken_out(void **state)
{
    (void)state;
    kl_heap heap;
    kl_heap_init(&heap, &kl_mem_libc);
    assert_true(kl_heap_reserve(&heap, 2));
    kl_timer a, b;
    kl_timer_init(&a, 1);
    kl_timer_init(&b, 2);
    kl_heap_set(&heap, &a, 20);
    assert_true(kl_timer_is_set(&a));
    kl_heap_set(&heap, &b, 10);
    assert_ptr_equal(kl_heap_first(&heap), &b);
    assert_true(kl_heap_when(&heap) == 10);
    kl_heap_set(&heap, &b, 30);
    assert_ptr_equal(kl_heap_first(&heap), &a);
    assert_true(kl_heap_when(&heap) == 20);
    kl_heap_set(&heap, &b, 0);
    assert_ptr_equal(kl_heap_first(&heap), &b);
    assert_true(kl_heap_when(&heap) == 0);
    kl_heap_set(&heap, &b, KL_NEVER);
    assert_false(kl_timer_is_set(&b));
    assert_true(b.when == KL_NEVER);
    assert_int_equal(b.kind, 2);
    assert_ptr_equal(kl_heap_first(&heap), &a);
    kl_heap_remove(&heap, &a);
    assert_true(kl_heap_when(&heap) == KL_NEVER);
    /* The last moment there is. */
    kl_heap_set(&heap, &a, KL_NEVER - 1);
    assert_true(kl_heap_when(&heap) == KL_NEVER - 1);
    kl_heap_deinit(&heap);
}

static void ties_come_in_the_order_they_were_set(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    kl_heap heap;
    kl_heap_init(&heap, &kl_mem_libc);
    assert_true(kl_heap_reserve(&heap, COUNT));
    kl_timer t[COUNT];
    for (int i = 0; i < COUNT; i++) {
        kl_timer_init(&t[i], 0);
        kl_heap_set(&heap, &t[i], 5);
    }
    /* Set to the time it has: keeps its turn. Moved away and back: the last. */
    kl_heap_set(&heap, &t[0], 5);
    kl_heap_set(&heap, &t[1], 6);
    kl_heap_set(&heap, &t[1], 5);
    kl_heap_remove(&heap, &t[2]);
    kl_heap_set(&heap, &t[2], 5);
    int expected[COUNT];
    expected[0] = 0;
    for (int i = 3; i < COUNT; i++)
        expected[i - 2] = i;
    expected[COUNT - 2] = 1;
    expected[COUNT - 1] = 2;
    for (int i = 0; i < COUNT; i++) {
        kl_timer *first = kl_heap_first(&heap);
        assert_int_equal(first - t, expected[i]);
        kl_heap_remove(&heap, first);
    }
    assert_null(kl_heap_first(&heap));
    kl_heap_deinit(&heap);
}

enum { TIMERS = 300 };

/* What the heap should hold: when, and the turn among equals. */
typedef struct model {
    uint64_t when[TIMERS];
    uint64_t turn[TIMERS];
    uint64_t turns;
} model;

static int model_first(const model *m)
{
    int first = -1;
    for (int i = 0; i < TIMERS; i++) {
        if (m->when[i] == KL_NEVER)
            continue;
        if (first < 0 || m->when[i] < m->when[first] ||
            (m->when[i] == m->when[first] && m->turn[i] < m->turn[first]))
            first = i;
    }
    return first;
}

static void model_set(model *m, int i, uint64_t when)
{
    if (m->when[i] == when)
        return;
    m->when[i] = when;
    m->turn[i] = m->turns++;
}

/* Times from 0 to spread - 1: few of them make many ties. With rows: later from step to step by so
 * much, into a row or the heap; whoever looks must not see the difference. */
static void run_against_model(uint64_t seed, uint64_t spread, uint64_t later)
{
    kl_prng p;
    kl_prng_init(&p, seed);
    kl_heap heap;
    kl_heap_init(&heap, &kl_mem_libc);
    assert_true(kl_heap_reserve(&heap, TIMERS));
    static kl_timer t[TIMERS];
    static model m;
    m.turns = 0;
    for (int i = 0; i < TIMERS; i++) {
        kl_timer_init(&t[i], 0);
        m.when[i] = KL_NEVER;
    }
    for (int step = 0; step < 20000; step++) {
        int i = (int)kl_prng_below(&p, TIMERS);
        /* Full for a while, then nearly empty for a while. */
        bool filling = step / 2500 % 2 == 0;
        if (kl_prng_below(&p, 10) < (filling ? 8 : 3)) {
            uint64_t when = kl_prng_below(&p, spread) + (uint64_t)step * later;
            uint64_t way = later ? kl_prng_below(&p, KL_HEAP_ROWS + 1) : KL_HEAP_ROWS;
            if (way < KL_HEAP_ROWS)
                kl_heap_set_in_row(&heap, (unsigned)way, &t[i], when);
            else
                kl_heap_set(&heap, &t[i], when);
            model_set(&m, i, when);
        } else if (kl_prng_below(&p, 2)) {
            kl_heap_remove(&heap, &t[i]);
            m.when[i] = KL_NEVER;
        } else if (kl_heap_first(&heap)) {
            int first = (int)(kl_heap_first(&heap) - t);
            kl_heap_set(&heap, &t[first], KL_NEVER);
            m.when[first] = KL_NEVER;
        }
        int first = model_first(&m);
        if (first < 0) {
            assert_null(kl_heap_first(&heap));
            assert_true(kl_heap_when(&heap) == KL_NEVER);
        } else {
            assert_int_equal(kl_heap_first(&heap) - t, first);
            assert_true(kl_heap_when(&heap) == m.when[first]);
        }
        assert_true(t[i].when == m.when[i]);
        assert_int_equal(kl_timer_is_set(&t[i]), m.when[i] != KL_NEVER);
    }
    for (int first; (first = model_first(&m)) >= 0;) {
        assert_int_equal(kl_heap_first(&heap) - t, first);
        kl_heap_remove(&heap, &t[first]);
        m.when[first] = KL_NEVER;
    }
    assert_null(kl_heap_first(&heap));
    kl_heap_deinit(&heap);
}

static void random_steps_agree_with_a_search(void **state)
{
    (void)state;
    run_against_model(1, 1, 0);
    run_against_model(2, 4, 0);
    run_against_model(3, 100, 0);
    run_against_model(4, UINT64_C(1) << 62, 0);
}

static void rows_are_only_quicker(void **state)
{
    (void)state;
    run_against_model(5, 1, 1);
    run_against_model(6, 4, 1);
    run_against_model(7, 100, 1);
    run_against_model(8, 3, 10);
}

static void a_row_needs_no_room_and_no_search(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    kl_heap heap;
    kl_heap_init(&heap, &kl_mem_libc);
    kl_timer t[COUNT];
    for (int i = 0; i < COUNT; i++) {
        kl_timer_init(&t[i], 0);
        kl_heap_set_in_row(&heap, 1, &t[i], (uint64_t)i / 2);
    }
    assert_int_equal(heap.count, 0);
    /* To its own time: keeps its turn. */
    kl_heap_set_in_row(&heap, 1, &t[0], 0);
    kl_heap_set_in_row(&heap, 1, &t[COUNT - 1], KL_NEVER);
    assert_false(kl_timer_is_set(&t[COUNT - 1]));
    kl_heap_remove(&heap, &t[50]);
    for (int i = 0; i < COUNT - 1; i++) {
        if (i == 50)
            continue;
        assert_ptr_equal(kl_heap_first(&heap), &t[i]);
        assert_true(kl_heap_when(&heap) == (uint64_t)i / 2);
        kl_heap_remove(&heap, &t[i]);
        assert_true(t[i].when == KL_NEVER);
    }
    assert_null(kl_heap_first(&heap));
    kl_heap_deinit(&heap);
}

/* Every size passes through every shape of the last, half-filled node. */
static void every_size_comes_out_sorted(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 5);
    kl_heap heap;
    kl_heap_init(&heap, &kl_mem_libc);
    assert_true(kl_heap_reserve(&heap, 100));
    kl_timer t[100];
    for (size_t size = 1; size <= 100; size++) {
        for (size_t i = 0; i < size; i++) {
            kl_timer_init(&t[i], 0);
            kl_heap_set(&heap, &t[i], kl_prng_below(&p, 50));
        }
        uint64_t last_when = 0, last_order = 0;
        for (size_t i = 0; i < size; i++) {
            kl_timer *first = kl_heap_first(&heap);
            assert_true(first->when > last_when ||
                        (first->when == last_when && (i == 0 || first->order > last_order)));
            last_when = first->when;
            last_order = first->order;
            kl_heap_remove(&heap, first);
        }
        assert_null(kl_heap_first(&heap));
    }
    kl_heap_deinit(&heap);
}

static void room_fails_and_nothing_is_lost(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 2);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_heap heap;
    kl_heap_init(&heap, &alloc);
    assert_true(kl_heap_reserve(&heap, 0));
    assert_int_equal(f.calls, 0);
    assert_true(kl_heap_reserve(&heap, 2));
    kl_timer t[3];
    for (int i = 0; i < 3; i++)
        kl_timer_init(&t[i], 0);
    kl_heap_set(&heap, &t[0], 9);
    kl_heap_set(&heap, &t[1], 8);
    assert_true(kl_heap_reserve(&heap, 2));
    assert_false(kl_heap_reserve(&heap, 3));
    assert_ptr_equal(kl_heap_first(&heap), &t[1]);
    /* Sizes that cannot be are refused without asking for memory. */
    size_t calls = f.calls;
    assert_false(kl_heap_reserve(&heap, SIZE_MAX));
    assert_false(kl_heap_reserve(&heap, UINT32_MAX));
    assert_int_equal(f.calls, calls);
    assert_true(kl_heap_reserve(&heap, 3));
    kl_heap_set(&heap, &t[2], 7);
    for (int i = 2; i >= 0; i--) {
        assert_ptr_equal(kl_heap_first(&heap), &t[i]);
        kl_heap_remove(&heap, &t[i]);
    }
    /* Things that come one by one must not cost an allocation each. */
    calls = f.calls;
    for (size_t n = 4; n <= 1000; n++)
        assert_true(kl_heap_reserve(&heap, n));
    assert_true(f.calls - calls < 12);
    kl_heap_deinit(&heap);
    assert_int_equal(f.live_blocks, 0);
    assert_true(kl_heap_reserve(&heap, 1));
    kl_heap_deinit(&heap);
    kl_fail_alloc_check(&f);
}

static void room_goes_back_but_what_is_needed(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_heap heap;
    kl_heap_init(&heap, &alloc);
    kl_heap_give_back(&heap, 0);
    assert_true(kl_heap_reserve(&heap, 10000));
    kl_timer t[3];
    for (int i = 0; i < 3; i++) {
        kl_timer_init(&t[i], 0);
        kl_heap_set(&heap, &t[i], (uint64_t)i);
    }
    size_t bytes = f.live_bytes;
    kl_heap_give_back(&heap, 7000);
    assert_int_equal(f.live_bytes, bytes);
    kl_heap_give_back(&heap, 100);
    assert_true(f.live_bytes < bytes / 90);
    size_t calls = f.calls;
    assert_true(kl_heap_reserve(&heap, 100));
    assert_int_equal(f.calls, calls);
    kl_heap_give_back(&heap, 0);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(kl_heap_first(&heap), &t[i]);
        kl_heap_remove(&heap, &t[i]);
    }
    kl_heap_deinit(&heap);
    kl_fail_alloc_check(&f);
}

typedef struct scene {
    kl_heap heap;
    kl_heap other;
    kl_timer in;
    kl_timer out;
} scene;

static void set_without_room(void *ctx)
{
    scene *s = ctx;
    kl_heap_set(&s->heap, &s->out, 1);
}

static void move_in_another_heap(void *ctx)
{
    scene *s = ctx;
    kl_heap_set(&s->other, &s->in, 1);
}

static void remove_from_another_heap(void *ctx)
{
    scene *s = ctx;
    kl_heap_remove(&s->other, &s->in);
}

static void remove_a_copy(void *ctx)
{
    scene *s = ctx;
    kl_timer copy = s->in;
    kl_heap_remove(&s->heap, &copy);
}

static void misuse_is_asserted(void **state)
{
    (void)state;
    static void (*const mistakes[])(void *) = {
        set_without_room,
        move_in_another_heap,
        remove_from_another_heap,
        remove_a_copy,
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        scene s;
        kl_heap_init(&s.heap, &kl_mem_libc);
        kl_heap_init(&s.other, &kl_mem_libc);
        assert_true(kl_heap_reserve(&s.heap, 1));
        kl_timer_init(&s.in, 0);
        kl_timer_init(&s.out, 0);
        kl_heap_set(&s.heap, &s.in, 3);
        if (!kl_asserted(mistakes[i], &s))
            fail_msg("mistake %zu was not noticed", i);
        assert_ptr_equal(kl_heap_first(&s.heap), &s.in);
        kl_heap_deinit(&s.heap);
        kl_heap_deinit(&s.other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_is_never_due),
        cmocka_unit_test(a_timer_is_set_moved_and_taken_out),
        cmocka_unit_test(ties_come_in_the_order_they_were_set),
        cmocka_unit_test(random_steps_agree_with_a_search),
        cmocka_unit_test(rows_are_only_quicker),
        cmocka_unit_test(a_row_needs_no_room_and_no_search),
        cmocka_unit_test(every_size_comes_out_sorted),
        cmocka_unit_test(room_fails_and_nothing_is_lost),
        cmocka_unit_test(room_goes_back_but_what_is_needed),
        cmocka_unit_test(misuse_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
