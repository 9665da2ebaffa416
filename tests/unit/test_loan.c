/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that are lent to a chain: read as if they stood there, given back once, never held twice.
 */
#include "base/chain.h"
#include "base/prng.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct fixture {
    kl_fail_alloc memory;
    kl_pool pool;
    kl_chain chain;
} fixture;

static uint8_t others[70000]; /* what is lent */

static void begin(fixture *x, size_t nth)
{
    for (size_t i = 0; i < sizeof others; i++)
        others[i] = (uint8_t)(i * 31 + (i >> 8));
    kl_fail_alloc_init(&x->memory, nth);
    kloop_allocator alloc = kl_fail_alloc_table(&x->memory);
    kl_pool_init(&x->pool, &alloc, 1 << 20);
    kl_chain_init(&x->chain, &x->pool);
}

static void end(fixture *x)
{
    kl_chain_clear(&x->chain);
    kl_loans_forget(&x->pool);
    kl_pool_deinit(&x->pool);
    kl_fail_alloc_check(&x->memory);
}

static bool lend(fixture *x, size_t from, size_t len, uintptr_t lender)
{
    return kl_chain_lend(&x->chain, (kloop_slice){others + from, len}, 0, (void *)lender);
}

static void expect_bytes(fixture *x, const uint8_t *bytes, size_t len)
{
    assert_int_equal(kl_chain_len(&x->chain), len);
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    kl_chain_copy(&x->chain, copy);
    assert_memory_equal(copy, bytes, len);
    free(copy);
}

static void is_read_where_it_was_lent(void **state)
{
    (void)state;
    fixture x;
    begin(&x, 0);
    assert_true(kl_chain_append(&x.chain, "ab", 2));
    assert_true(lend(&x, 0, 3, 1));
    assert_true(kl_chain_append(&x.chain, "cd", 2));
    assert_true(lend(&x, 100, 2, 2));
    assert_true(lend(&x, 7, 1, 3));
    const uint8_t all[] = {'a', 'b', others[0],   others[1],   others[2],
                           'c', 'd', others[100], others[101], others[7]};
    expect_bytes(&x, all, sizeof all);
    assert_int_equal(kl_chain_own_len(&x.chain), 4);
    kloop_slice slices[8];
    assert_int_equal(kl_chain_slice_count(&x.chain), 5);
    assert_int_equal(kl_chain_slices(&x.chain, slices, 8), 5);
    assert_ptr_equal(slices[1].data, others);
    assert_ptr_equal(slices[3].data, others + 100);
    /* What was there went on being used: one segment for the bytes, one for the loans. */
    assert_ptr_equal(x.chain.first, x.chain.last);
    assert_ptr_equal(x.chain.lent, x.chain.lent->next);
    assert_int_equal(x.pool.held_bytes,
                     kl_chain_held_bytes(&x.chain) + 6 + kl_segment_size(x.chain.lent));
    end(&x);
}

static void may_come_first(void **state)
{
    (void)state;
    fixture x;
    begin(&x, 0);
    assert_true(lend(&x, 0, 65536, 1));
    expect_bytes(&x, others, 65536);
    assert_int_equal(kl_chain_slice_count(&x.chain), 1);
    /* The little that is its own does not make it take large segments. */
    assert_true(kl_chain_append(&x.chain, "x", 1));
    assert_int_equal(kl_chain_held_bytes(&x.chain), kl_grade_size(KL_GRADE_TINY));
    end(&x);
}

static void is_given_back_once_and_in_order(void **state)
{
    (void)state;
    fixture x;
    kl_loan loans[64];
    begin(&x, 0);
    for (uintptr_t i = 1; i <= 300; i++)
        assert_true(lend(&x, i, 5, i));
    assert_int_equal(kl_loans_take(&x.pool, loans, 64), 0);
    kl_chain_clear(&x.chain);
    assert_int_equal(x.chain.lent_bytes, 0);
    uintptr_t next = 1;
    for (size_t n; (n = kl_loans_take(&x.pool, loans, 64)) > 0;)
        for (size_t i = 0; i < n; i++, next++) {
            assert_ptr_equal(loans[i].lender, (void *)next);
            assert_ptr_equal(loans[i].data, others + next);
            assert_int_equal(loans[i].len, 5);
        }
    assert_int_equal(next, 301);
    assert_int_equal(x.pool.held_bytes, 0);
    end(&x);
}

static void is_not_given_back_when_it_is_rewound(void **state)
{
    (void)state;
    fixture x;
    kl_loan loans[64];
    begin(&x, 0);
    kl_chain_mark empty = kl_chain_here(&x.chain);
    for (uintptr_t i = 1; i <= 100; i++)
        assert_true(lend(&x, i, 9, i));
    kl_chain_rewind(&x.chain, empty);
    assert_int_equal(kl_chain_len(&x.chain), 0);
    assert_int_equal(x.pool.held_bytes, 0);
    assert_true(kl_chain_append(&x.chain, "ab", 2));
    for (uintptr_t i = 1; i <= 14; i++)
        assert_true(lend(&x, i, 9, i));
    kl_chain_mark mark = kl_chain_here(&x.chain);
    for (uintptr_t i = 15; i <= 300; i++) {
        assert_true(lend(&x, i, 9, i));
        assert_true(kl_chain_append(&x.chain, "some bytes of its own", 21));
    }
    kl_chain_rewind(&x.chain, mark);
    assert_int_equal(kl_chain_len(&x.chain), 2 + 14 * 9);
    assert_true(lend(&x, 0, 1, 15));
    kl_chain_clear(&x.chain);
    assert_int_equal(kl_loans_take(&x.pool, loans, 64), 15);
    for (uintptr_t i = 1; i <= 15; i++)
        assert_ptr_equal(loans[i - 1].lender, (void *)i);
    end(&x);
}

static void can_be_handed_on(void **state)
{
    (void)state;
    fixture x;
    kl_loan loans[8];
    begin(&x, 0);
    kl_chain other;
    kl_chain_init(&other, &x.pool);
    for (uintptr_t i = 1; i <= 3; i++) {
        assert_true(kl_chain_append(&x.chain, "k", 1));
        assert_true(lend(&x, 10 * i, 4, i));
    }
    /* As a reader does it: the loan at hand goes over, then the next. */
    kl_chain_cursor at = kl_chain_read(&x.chain);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kl_chain_read_some(&at, 1).len, 1);
        kl_loan *loan = kl_chain_next_loan(&at);
        assert_true(kl_chain_lend(&other, (kloop_slice){loan->data, loan->len}, 0, loan->lender));
        assert_int_equal(kl_chain_read_some(&at, SIZE_MAX).len, 4);
        kl_chain_hand_on(&x.chain, loan);
    }
    kl_chain_clear(&x.chain);
    assert_int_equal(kl_loans_take(&x.pool, loans, 8), 1);
    assert_ptr_equal(loans[0].lender, (void *)3);
    kl_chain_clear(&other);
    assert_int_equal(kl_loans_take(&x.pool, loans, 8), 2);
    assert_ptr_equal(loans[0].lender, (void *)1);
    assert_int_equal(x.pool.held_bytes, 0);
    end(&x);
}

/* Against a flat buffer: any mixture, read in pieces of any size. */
static void reads_as_a_flat_buffer_would(void **state)
{
    (void)state;
    static uint8_t flat[600000];
    kl_prng prng;
    kl_prng_init(&prng, 42);
    for (int round = 0; round < 200; round++) {
        fixture x;
        size_t len = 0;
        begin(&x, 0);
        for (int i = 0; i < 60; i++) {
            size_t n = kl_prng_below(&prng, i % 7 == 0 ? 6000 : 90) + 1;
            size_t from = kl_prng_below(&prng, sizeof others - n);
            kl_chain_mark mark = kl_chain_here(&x.chain);
            memcpy(flat + len, others + from, n);
            if (kl_prng_below(&prng, 2))
                assert_true(lend(&x, from, n, 1));
            else
                assert_true(kl_chain_append(&x.chain, others + from, n));
            len += n;
            if (kl_prng_below(&prng, 10) == 0) {
                kl_chain_rewind(&x.chain, mark);
                len -= n;
            }
        }
        expect_bytes(&x, flat, len);
        kl_chain_cursor at = kl_chain_read(&x.chain);
        size_t done = 0;
        while (!kl_chain_read_all(&at)) {
            size_t most = kl_prng_below(&prng, 700) + 1;
            kloop_slice piece = kl_chain_read_some(&at, most);
            assert_in_range(piece.len, 1, most);
            assert_memory_equal(piece.data, flat + done, piece.len);
            done += piece.len;
        }
        assert_int_equal(done, len);
        assert_null(kl_chain_read_some(&at, 1).data);
        end(&x);
    }
}

static bool build(fixture *x)
{
    for (uintptr_t i = 1; i <= 40; i++) {
        kl_chain_mark mark = kl_chain_here(&x->chain);
        size_t held = x->pool.held_bytes;
        if (!kl_chain_append(&x->chain, others, 20) || !lend(x, i, 2000, i)) {
            kl_chain_rewind(&x->chain, mark);
            /* Nothing of the last one is left. */
            assert_int_equal(kl_chain_len(&x->chain), (i - 1) * 2020);
            assert_true(x->pool.held_bytes <= held);
            return false;
        }
    }
    return true;
}

static void runs_out_of_memory_and_stays_as_it_was(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        fixture x;
        begin(&x, nth);
        bool done = build(&x);
        size_t refused = x.memory.refused;
        assert_int_equal(done, refused == 0);
        end(&x);
        if (refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_where_it_was_lent),
        cmocka_unit_test(may_come_first),
        cmocka_unit_test(is_given_back_once_and_in_order),
        cmocka_unit_test(is_not_given_back_when_it_is_rewound),
        cmocka_unit_test(can_be_handed_on),
        cmocka_unit_test(reads_as_a_flat_buffer_would),
        cmocka_unit_test(runs_out_of_memory_and_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
