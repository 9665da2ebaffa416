/* SPDX-License-Identifier: BSD-2-Clause */
/* Slabs: pieces that do not touch, units for any kind, blocks that go back as a whole. */
#include "base/slab.h"
#include "base/prng.h"
#include "tests/support/asserted.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PIECES = 4000 };

typedef struct piece {
    uint8_t *bytes;
    kl_unit *unit;
} piece;

typedef struct scene {
    kl_fail_alloc memory;
    kl_slabs slabs;
    kl_slab small;
    kl_slab odd;
    kl_slab large;
} scene;

static void begin(scene *s, size_t empty_bytes_max)
{
    kl_fail_alloc_init(&s->memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&s->memory);
    kl_slabs_init(&s->slabs, &alloc, empty_bytes_max);
    kl_slab_init(&s->small, &s->slabs, 128);
    kl_slab_init(&s->odd, &s->slabs, 448);
    kl_slab_init(&s->large, &s->slabs, KL_SLAB_UNIT_BYTES);
}

static void end(scene *s)
{
    kl_slabs_deinit(&s->slabs);
    kl_fail_alloc_check(&s->memory);
}

static piece get(kl_slab *kind)
{
    piece p;
    p.bytes = kl_slab_get(kind, &p.unit);
    assert_non_null(p.bytes);
    assert_int_equal((uintptr_t)p.bytes % KL_SLAB_ALIGN, 0);
    return p;
}

static void put(piece p)
{
    kl_slab_put(p.unit, p.bytes);
}

static void pieces_do_not_touch(void **state)
{
    (void)state;
    scene s;
    begin(&s, 64 << 20);
    static piece all[PIECES];
    static uint8_t fill[PIECES];
    static size_t len[PIECES];
    kl_slab *kinds[] = {&s.small, &s.odd, &s.large};
    kl_prng prng;
    kl_prng_init(&prng, 3);
    for (int step = 0; step < 60000; step++) {
        size_t i = (size_t)kl_prng_below(&prng, PIECES);
        bool filling = step / 10000 % 2 == 0;
        if (all[i].bytes) {
            /* First and last byte are those that a neighbour would have hit. */
            assert_int_equal(all[i].bytes[0], fill[i]);
            assert_int_equal(all[i].bytes[len[i] - 1], fill[i]);
            if (!filling || kl_prng_below(&prng, 4) == 0) {
                put(all[i]);
                all[i].bytes = NULL;
            }
        } else if (filling) {
            uint64_t which = kl_prng_below(&prng, 100);
            kl_slab *kind = kinds[which == 0 ? 2 : which % 2];
            all[i] = get(kind);
            len[i] = kind->piece_bytes;
            fill[i] = (uint8_t)step;
            memset(all[i].bytes, fill[i], len[i]);
        }
    }
    for (size_t i = 0; i < PIECES; i++)
        if (all[i].bytes)
            put(all[i]);
    assert_int_equal(s.slabs.empty_bytes, s.slabs.blocks_bytes);
    end(&s);
}

static void a_unit_serves_any_kind(void **state)
{
    (void)state;
    scene s;
    begin(&s, 0);
    piece p = get(&s.small);
    const uint8_t *at = p.bytes;
    put(p);
    piece q = get(&s.large);
    assert_ptr_equal(q.bytes, at);
    /* Another unit: one that is in use stays of its kind. */
    p = get(&s.small);
    assert_true(p.bytes >= q.bytes + KL_SLAB_UNIT_BYTES || p.bytes < q.bytes);
    assert_int_equal(s.memory.calls, 1);
    put(q);
    put(p);
    end(&s);
}

/* What comes and goes one by one costs no allocation. */
static void the_same_piece_again(void **state)
{
    (void)state;
    scene s;
    begin(&s, 0);
    piece first = get(&s.odd);
    piece second = get(&s.odd);
    put(first);
    assert_ptr_equal(get(&s.odd).bytes, first.bytes);
    put(first);
    put(second);
    for (int i = 0; i < 100; i++) {
        piece p = get(&s.odd);
        assert_ptr_equal(p.bytes, first.bytes);
        put(p);
    }
    assert_int_equal(s.memory.calls, 1);
    end(&s);
}

static void empty_blocks_go_back(void **state)
{
    (void)state;
    scene s;
    begin(&s, 64 << 20);
    size_t block = s.slabs.block_bytes;
    assert_true(block <= (1 << 20) + 4096);
    static piece all[PIECES];
    size_t count = 10 * s.slabs.units_max;
    for (size_t i = 0; i < count; i++)
        all[i] = get(&s.large);
    assert_int_equal(s.memory.live_bytes, 10 * block);
    assert_int_equal(s.slabs.blocks_bytes, 10 * block);
    kl_slabs_trim(&s.slabs, 0);
    assert_int_equal(s.memory.live_bytes, 10 * block);
    /* One that stays keeps its block, and no more. */
    for (size_t i = 1; i < count; i++)
        put(all[i]);
    assert_int_equal(s.slabs.empty_bytes, 9 * block);
    kl_slabs_trim(&s.slabs, 3 * block - 1);
    assert_int_equal(s.memory.live_bytes, 4 * block);
    kl_slabs_trim(&s.slabs, 1);
    assert_int_equal(s.memory.live_bytes, 2 * block);
    kl_slabs_trim(&s.slabs, 0);
    assert_int_equal(s.memory.live_bytes, block);
    put(all[0]);
    kl_slabs_trim(&s.slabs, 0);
    assert_int_equal(s.memory.live_bytes, 0);
    end(&s);
}

static void no_more_is_kept_than_was_said(void **state)
{
    (void)state;
    scene s;
    begin(&s, 3 << 20);
    static piece all[PIECES];
    size_t count = 20 * s.slabs.units_max;
    for (size_t i = 0; i < count; i++)
        all[i] = get(&s.large);
    for (size_t i = 0; i < count; i++)
        put(all[i]);
    assert_true(s.memory.live_bytes <= 3 << 20);
    assert_true(s.memory.live_bytes > 2 << 20);
    end(&s);
}

/* After a burst the few that are used go on in few places, wherever they were first. */
static void what_is_used_most_is_used_first(void **state)
{
    (void)state;
    scene s;
    begin(&s, 64 << 20);
    static piece all[PIECES];
    for (size_t i = 0; i < PIECES; i++)
        all[i] = get(&s.odd);
    size_t units = PIECES / (KL_SLAB_UNIT_BYTES / 448) + 1;
    assert_true(s.slabs.blocks_bytes / s.slabs.block_bytes >= units / s.slabs.units_max);
    for (size_t i = 0; i < PIECES; i++)
        if (i % 1000)
            put(all[i]);
    /* Four are left; what comes now fills their units. */
    kl_unit *unit = NULL;
    for (size_t i = 1; i < 100; i++) {
        all[i] = get(&s.odd);
        if (!unit)
            unit = all[i].unit;
        assert_ptr_equal(all[i].unit, unit);
    }
    for (size_t i = 0; i < PIECES; i++)
        if (i % 1000 == 0 || i < 100)
            put(all[i]);
    end(&s);
}

static void small_buffers_take_small_blocks(void **state)
{
    (void)state;
    scene s;
    begin(&s, 100000);
    put(get(&s.small));
    assert_true(s.slabs.blocks_bytes < 140000);
    end(&s);
}

static void no_memory_is_null_and_changes_nothing(void **state)
{
    (void)state;
    scene s;
    begin(&s, 0);
    kl_fail_alloc_init(&s.memory, 1);
    kl_unit *unit;
    assert_null(kl_slab_get(&s.small, &unit));
    assert_int_equal(s.slabs.blocks_bytes, 0);
    put(get(&s.small));
    end(&s);
}

static void put_too_often(void *ctx)
{
    piece *p = ctx;
    kl_slab_put(p->unit, p->bytes);
}

static void end_too_early(void *ctx)
{
    kl_slabs_deinit(ctx);
}

static void misuse_is_asserted(void **state)
{
    (void)state;
    scene s;
    begin(&s, 0);
    piece p = get(&s.small);
    assert_true(kl_asserted(end_too_early, &s.slabs));
    put(p);
    assert_true(kl_asserted(put_too_often, &p));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_do_not_touch),
        cmocka_unit_test(a_unit_serves_any_kind),
        cmocka_unit_test(the_same_piece_again),
        cmocka_unit_test(empty_blocks_go_back),
        cmocka_unit_test(no_more_is_kept_than_was_said),
        cmocka_unit_test(what_is_used_most_is_used_first),
        cmocka_unit_test(small_buffers_take_small_blocks),
        cmocka_unit_test(no_memory_is_null_and_changes_nothing),
        cmocka_unit_test(misuse_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
