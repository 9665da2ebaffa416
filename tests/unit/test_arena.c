/* SPDX-License-Identifier: BSD-2-Clause */
/* The bump allocator: pieces do not overlap, are aligned, die together, and cost few calls. */
#include "tests/support/fail_alloc.h"
#include "wiretools/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Sizes of all kinds in a fixed, mixed order. */
static size_t size_of(size_t i)
{
    if (i % 97 == 96)
        return 30000 + i;
    return i % 13 == 12 ? 900 + i : i % 41;
}

static void pieces_stand_apart(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static uint8_t *pieces[COUNT];
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena a;
    kl_arena_init(&a, &alloc);
    assert_int_equal(f.calls, 0);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            bool bytes = i % 3 == 0;
            pieces[i] =
                bytes ? kl_arena_alloc_bytes(&a, size_of(i)) : kl_arena_alloc(&a, size_of(i));
            assert_non_null(pieces[i]);
            if (!bytes)
                assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
            memset(pieces[i], (int)(i & 0xff), size_of(i));
        }
        for (size_t i = 0; i < COUNT; i++)
            for (size_t k = 0; k < size_of(i); k++)
                if (pieces[i][k] != (uint8_t)i)
                    fail_msg("piece %zu was overwritten", i);
        kl_arena_reset(&a);
        assert_true(f.live_blocks <= 1);
        assert_true(f.live_bytes <= (size_t)1 << 20);
    }
    kl_arena_deinit(&a);
    kl_arena_deinit(&a);
    kl_fail_alloc_check(&f);
}

static void bytes_lie_side_by_side(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena a;
    kl_arena_init(&a, &alloc);
    uint8_t *p = kl_arena_alloc_bytes(&a, 3);
    assert_ptr_equal(kl_arena_alloc_bytes(&a, 5), p + 3);
    assert_ptr_not_equal(kl_arena_alloc_bytes(&a, 0), kl_arena_alloc_bytes(&a, 0));
    kl_arena_deinit(&a);
    kl_fail_alloc_check(&f);
}

static void many_bytes_cost_few_calls(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena a;
    kl_arena_init(&a, &alloc);
    for (size_t i = 0; i < 500000; i++)
        assert_non_null(kl_arena_alloc_bytes(&a, 16));
    assert_true(f.calls < 24); /* 8 megabytes: nine doublings, then one a megabyte */
    assert_true(f.live_bytes < 11 * 1000000);
    kl_arena_reset(&a);
    size_t calls = f.calls;
    for (size_t i = 0; i < 30000; i++)
        assert_non_null(kl_arena_alloc_bytes(&a, 16));
    assert_int_equal(f.calls, calls); /* what was kept is used again */
    kl_arena_deinit(&a);
    kl_fail_alloc_check(&f);
}

/* Pieces too large for the rest of a chunk, again and again, must neither waste it nor cost more
 * each time. */
static void large_pieces_waste_little(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena a;
    kl_arena_init(&a, &alloc);
    size_t asked = 0;
    for (size_t i = 0; i < 2000; i++) {
        size_t n = i % 2 ? 3000 : 40;
        assert_non_null(kl_arena_alloc(&a, n));
        asked += n;
    }
    assert_true(f.calls < 30);
    assert_true(f.live_bytes < 2 * asked);
    uint8_t *p = kl_arena_alloc_bytes(&a, 10);
    assert_non_null(kl_arena_alloc(&a, 5000000));
    assert_ptr_equal(kl_arena_alloc_bytes(&a, 10), p + 10); /* the chunk in use stays in use */
    kl_arena_reset(&a);
    assert_true(f.live_bytes <= (size_t)1 << 20);
    kl_arena_deinit(&a);
    kl_fail_alloc_check(&f);
}

static void a_single_huge_piece_is_not_kept(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena a;
    kl_arena_init(&a, &alloc);
    uint8_t *p = kl_arena_alloc(&a, 3000000);
    assert_non_null(p);
    memset(p, 1, 3000000);
    kl_arena_reset(&a);
    assert_int_equal(f.live_bytes, 0);
    assert_non_null(kl_arena_alloc(&a, 1));
    kl_arena_deinit(&a);
    kl_fail_alloc_check(&f);
}

static void zalloc_is_zero_and_checked(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_arena a;
    kl_arena_init(&a, &alloc);
    uint32_t *p = kl_arena_zalloc(&a, 1000, sizeof(*p));
    assert_non_null(p);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    assert_null(kl_arena_zalloc(&a, SIZE_MAX / 2, 3));
    assert_null(kl_arena_alloc(&a, SIZE_MAX));
    assert_null(kl_arena_alloc(&a, SIZE_MAX - 8));
    assert_null(kl_arena_alloc_bytes(&a, (size_t)PTRDIFF_MAX));
    kl_arena_deinit(&a);
    kl_fail_alloc_check(&f);
}

static bool fill(const kloop_allocator *alloc)
{
    kl_arena a;
    kl_arena_init(&a, alloc);
    bool ok = true;
    uint8_t *first = NULL;
    for (size_t i = 0; i < 3000; i++) {
        uint8_t *p = kl_arena_alloc(&a, 1 + size_of(i));
        if (!p) {
            ok = false;
            p = kl_arena_alloc(&a, 1 + size_of(i)); /* a failure leaves the arena usable */
            assert_non_null(p);
        }
        *p = (uint8_t)i;
        first = first ? first : p;
    }
    assert_int_equal(*first, 0);
    kl_arena_deinit(&a);
    return ok;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        bool ok = fill(&alloc);
        kl_fail_alloc_check(&f);
        assert_true(ok == (f.refused == 0));
        if (f.refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stand_apart),
        cmocka_unit_test(bytes_lie_side_by_side),
        cmocka_unit_test(many_bytes_cost_few_calls),
        cmocka_unit_test(large_pieces_waste_little),
        cmocka_unit_test(a_single_huge_piece_is_not_kept),
        cmocka_unit_test(zalloc_is_zero_and_checked),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
