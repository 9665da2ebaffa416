/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of memory that go all at once: zeroed, apart from each other, none lost without memory. */
#include "broker/scratch.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIECES 200

static bool use(const kloop_allocator *alloc)
{
    kl_scratch s;
    uint8_t *pieces[PIECES];
    bool whole = true;
    kl_scratch_init(&s, alloc);
    for (size_t i = 0; whole && i < PIECES; i++) {
        pieces[i] = kl_scratch_take(&s, i, 7);
        whole = pieces[i] != NULL;
        for (size_t k = 0; whole && k < i * 7; k++)
            assert_int_equal(pieces[i][k], 0);
        if (whole)
            memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 0; whole && i < PIECES; i++) {
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < i * 7; k++)
            assert_int_equal(pieces[i][k], i);
    }
    kl_scratch_deinit(&s);
    return whole;
}

static void pieces_are_zeroed_and_apart_and_all_come_back(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        bool ok = use(&alloc);
        kl_fail_alloc_check(&f);
        assert_int_equal(ok, f.refused == 0);
        if (f.refused == 0)
            break;
    }
}

static void large_ones_and_impossible_ones(void **state)
{
    (void)state;
    kl_scratch s;
    kl_scratch_init(&s, &kl_mem_libc);
    uint8_t *large = kl_scratch_take(&s, 300000, 1);
    assert_non_null(large);
    large[299999] = 1;
    assert_null(kl_scratch_take(&s, SIZE_MAX / 2, 3));
    assert_null(kl_scratch_take(&s, SIZE_MAX, 1));
    assert_non_null(kl_scratch_take(&s, 0, 8));
    kl_scratch_deinit(&s);
}

static void texts_are_copied(void **state)
{
    (void)state;
    char text[] = "events";
    kl_scratch s;
    kl_scratch_init(&s, &kl_mem_libc);
    kloop_string copy = kl_scratch_string(&s, (kloop_string){text, 6});
    text[0] = 'X';
    assert_int_equal(copy.len, 6);
    assert_memory_equal(copy.data, "events", 6);
    assert_null(kl_scratch_string(&s, (kloop_string){NULL, 0}).data);
    assert_non_null(kl_scratch_string(&s, (kloop_string){text, 0}).data);
    kl_scratch_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_and_apart_and_all_come_back),
        cmocka_unit_test(large_ones_and_impossible_ones),
        cmocka_unit_test(texts_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
