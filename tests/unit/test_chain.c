/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains: what is appended comes out in order, whatever the pieces; memory that fails changes
 * nothing. */
#include "base/chain.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    kl_fail_alloc f;
    kl_pool pool;
    kl_chain chain;
} fixture;

static void open_fixture(fixture *x, size_t nth)
{
    kl_fail_alloc_init(&x->f, nth);
    kloop_allocator alloc = kl_fail_alloc_table(&x->f);
    kl_pool_init(&x->pool, &alloc, 0);
    kl_chain_init(&x->chain, &x->pool);
}

static void close_fixture(fixture *x)
{
    kl_chain_clear(&x->chain);
    kl_pool_deinit(&x->pool);
    kl_fail_alloc_check(&x->f);
}

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8));
}

static void append_pattern(kl_chain *chain, size_t n)
{
    uint8_t piece[5000];
    size_t at = kl_chain_len(chain);
    while (n > 0) {
        size_t step = n < sizeof piece ? n : sizeof piece;
        for (size_t i = 0; i < step; i++)
            piece[i] = pattern(at + i);
        assert_true(kl_chain_append(chain, piece, step));
        at += step;
        n -= step;
    }
}

static void assert_pattern(const kl_chain *chain, size_t len)
{
    assert_int_equal(kl_chain_len(chain), len);
    uint8_t *flat = malloc(len + 1);
    assert_non_null(flat);
    kl_chain_copy(chain, flat);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(flat[i], pattern(i));
    free(flat);
}

static void empty_chain_holds_nothing(void **state)
{
    (void)state;
    fixture x;
    open_fixture(&x, 0);
    assert_int_equal(kl_chain_len(&x.chain), 0);
    assert_int_equal(kl_chain_room(&x.chain), 0);
    assert_int_equal(kl_chain_slice_count(&x.chain), 0);
    assert_int_equal(kl_chain_held_bytes(&x.chain), 0);
    assert_true(kl_chain_append(&x.chain, NULL, 0));
    assert_int_equal(x.f.calls, 0);
    close_fixture(&x);
}

static void one_small_record_costs_one_small_segment(void **state)
{
    (void)state;
    fixture x;
    open_fixture(&x, 0);
    append_pattern(&x.chain, 100);
    assert_int_equal(kl_chain_held_bytes(&x.chain), kl_grade_size(KL_GRADE_LITTLE));
    assert_pattern(&x.chain, 100);
    close_fixture(&x);
}

static void long_chain_takes_few_segments(void **state)
{
    (void)state;
    fixture x;
    open_fixture(&x, 0);
    for (int i = 0; i < 10000; i++)
        append_pattern(&x.chain, 100);
    assert_true(x.f.calls < 24);
    assert_true(kl_chain_held_bytes(&x.chain) < 1000000 + 70000);
    assert_pattern(&x.chain, 1000000);
    close_fixture(&x);
}

/* With batches of 16 KB a large segment for what follows the first 5 KB left three quarters of
 * buffer.memory unused. */
static void no_large_segment_for_little(void **state)
{
    (void)state;
    fixture x;
    open_fixture(&x, 0);
    x.chain.reach = 16384;
    append_pattern(&x.chain, 480);
    append_pattern(&x.chain, 4064);
    append_pattern(&x.chain, 16384 - 480 - 4064);
    assert_pattern(&x.chain, 16384);
    assert_true(kl_chain_held_bytes(&x.chain) < 16384 + 2 * kl_grade_size(KL_GRADE_MEDIUM));
    kl_chain_clear(&x.chain);
    /* Nor by one that cannot tell how much is to come. */
    append_pattern(&x.chain, 200000);
    assert_true(kl_chain_held_bytes(&x.chain) < 200000 + 2 * kl_grade_size(KL_GRADE_BIG));
    kl_chain_clear(&x.chain);
    x.chain.reach = 1000000;
    append_pattern(&x.chain, 100000);
    append_pattern(&x.chain, 900000);
    assert_true(kl_chain_slice_count(&x.chain) < 30);
    close_fixture(&x);
}

static void pieces_of_any_size_come_out_in_order(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,    2,    3,     487,   488,   489,   512,
                                   4000, 4096, 65535, 65536, 65537, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fixture x;
        open_fixture(&x, 0);
        size_t total = 0;
        while (total < 300000) {
            append_pattern(&x.chain, sizes[i]);
            total += sizes[i];
            if (sizes[i] < 100 && total > 3000)
                break;
        }
        assert_pattern(&x.chain, total);
        close_fixture(&x);
    }
}

static void slices_are_the_data_and_stay_where_they_are(void **state)
{
    (void)state;
    fixture x;
    open_fixture(&x, 0);
    append_pattern(&x.chain, 10000);
    kloop_slice before[16];
    size_t count = kl_chain_slices(&x.chain, before, 16);
    assert_int_equal(count, kl_chain_slice_count(&x.chain));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < before[i].len; k++)
            assert_int_equal(before[i].data[k], pattern(at + k));
        at += before[i].len;
    }
    assert_int_equal(at, 10000);
    assert_int_equal(kl_chain_slices(&x.chain, before, 1), 1);
    append_pattern(&x.chain, 200000);
    kloop_slice after[16];
    assert_true(kl_chain_slices(&x.chain, after, 16) >= count);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(before[i].data, after[i].data);
    close_fixture(&x);
}

static void rewinding_takes_back_what_came_after(void **state)
{
    (void)state;
    static const size_t marks[] = {0, 1, 487, 488, 489, 5000, 70000};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        fixture x;
        open_fixture(&x, 0);
        append_pattern(&x.chain, marks[i]);
        kl_chain_mark mark = kl_chain_here(&x.chain);
        size_t held = x.pool.held_bytes;
        append_pattern(&x.chain, 150000);
        kl_chain_rewind(&x.chain, mark);
        assert_int_equal(x.pool.held_bytes, held);
        assert_pattern(&x.chain, marks[i]);
        append_pattern(&x.chain, 6000);
        assert_pattern(&x.chain, marks[i] + 6000);
        close_fixture(&x);
    }
}

static void pinned_segments_survive_clear(void **state)
{
    (void)state;
    fixture x;
    open_fixture(&x, 0);
    append_pattern(&x.chain, 10000);
    kl_segment *first = x.chain.first;
    kl_segment_pin(first);
    uint32_t used = first->used;
    kl_chain_clear(&x.chain);
    assert_int_equal(x.pool.held_bytes, kl_segment_size(first));
    assert_null(first->next);
    for (uint32_t i = 0; i < used; i++)
        assert_int_equal(first->bytes[i], pattern(i));
    append_pattern(&x.chain, 100);
    assert_pattern(&x.chain, 100);
    kl_segment_unpin(first);
    close_fixture(&x);
}

static void failed_append_leaves_the_chain_as_it_was(void **state)
{
    (void)state;
    static uint8_t much[300000];
    for (size_t nth = 1;; nth++) {
        fixture x;
        open_fixture(&x, nth + 1);
        append_pattern(&x.chain, 300);
        memset(much, 7, sizeof much);
        bool ok = kl_chain_append(&x.chain, much, sizeof much);
        size_t refused = x.f.refused;
        if (ok)
            assert_int_equal(kl_chain_len(&x.chain), 300 + sizeof much);
        else
            assert_pattern(&x.chain, 300);
        assert_int_equal(ok, refused == 0);
        close_fixture(&x);
        if (ok)
            break;
    }
}

static void read_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 488, 489, 5000, 70000};
    static const size_t steps[] = {1, 3, 488, 4096, SIZE_MAX};
    for (size_t l = 0; l < sizeof lens / sizeof lens[0]; l++) {
        for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
            fixture x;
            open_fixture(&x, 0);
            append_pattern(&x.chain, lens[l]);
            /* An empty segment at the end gives no piece. */
            size_t room = kl_chain_room(&x.chain);
            append_pattern(&x.chain, room);
            kl_chain_mark full = kl_chain_here(&x.chain);
            assert_true(kl_chain_grow(&x.chain, 1));
            size_t len = lens[l] + room;
            assert_int_equal(kl_chain_len(&x.chain), len);
            kl_chain_cursor c = kl_chain_read(&x.chain);
            size_t at = 0;
            while (!kl_chain_read_all(&c)) {
                kloop_slice piece = kl_chain_read_some(&c, steps[s]);
                assert_non_null(piece.data);
                assert_in_range(piece.len, 1, steps[s]);
                for (size_t i = 0; i < piece.len; i++)
                    assert_int_equal(piece.data[i], pattern(at + i));
                at += piece.len;
            }
            assert_int_equal(at, len);
            assert_null(kl_chain_read_some(&c, steps[s]).data);
            assert_true(kl_chain_read_all(&c));
            kl_chain_rewind(&x.chain, full);
            close_fixture(&x);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_chain_holds_nothing),
        cmocka_unit_test(one_small_record_costs_one_small_segment),
        cmocka_unit_test(long_chain_takes_few_segments),
        cmocka_unit_test(no_large_segment_for_little),
        cmocka_unit_test(pieces_of_any_size_come_out_in_order),
        cmocka_unit_test(slices_are_the_data_and_stay_where_they_are),
        cmocka_unit_test(rewinding_takes_back_what_came_after),
        cmocka_unit_test(pinned_segments_survive_clear),
        cmocka_unit_test(failed_append_leaves_the_chain_as_it_was),
        cmocka_unit_test(read_in_pieces_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
