/* SPDX-License-Identifier: BSD-2-Clause */
/* Handles and their generations. */
#include "core/slots.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static kl_fail_alloc memory;
static kloop_engine e;
static kl_conn conns[100];
static kl_broker broker;

static void begin(size_t nth)
{
    memset(&e, 0, sizeof e);
    kl_fail_alloc_init(&memory, nth);
    e.alloc = kl_fail_alloc_table(&memory);
}

static void end(void)
{
    kl_mem_release(&e.alloc, e.slots, e.slot_cap * sizeof *e.slots);
    kl_fail_alloc_check(&memory);
}

static void handle_names_what_it_was_given_for(void **state)
{
    (void)state;
    begin(0);
    kloop_id a = kl_slots_take(&e, &conns[0], NULL);
    kloop_id b = kl_slots_take(&e, NULL, &broker);
    assert_true(a.gen != 0 && b.gen != 0 && a.slot != b.slot);
    assert_ptr_equal(kl_slots_conn(&e, a), &conns[0]);
    assert_null(kl_slots_broker(&e, a));
    assert_ptr_equal(kl_slots_broker(&e, b), &broker);
    assert_null(kl_slots_conn(&e, b));
    assert_int_equal(e.slots_used, 2);
    end();
}

static void old_generation_finds_nothing(void **state)
{
    (void)state;
    begin(0);
    kloop_id old = kl_slots_take(&e, &conns[0], NULL);
    kl_slots_give_back(&e, old);
    assert_null(kl_slots_conn(&e, old));
    kloop_id next = kl_slots_take(&e, &conns[1], NULL);
    assert_int_equal(next.slot, old.slot);
    assert_true(next.gen != old.gen);
    assert_null(kl_slots_conn(&e, old));
    assert_ptr_equal(kl_slots_conn(&e, next), &conns[1]);
    end();
}

static void made_up_handles_find_nothing(void **state)
{
    (void)state;
    begin(0);
    assert_null(kl_slots_conn(&e, (kloop_id){0, 0}));
    assert_null(kl_slots_conn(&e, (kloop_id){0, 1}));
    assert_null(kl_slots_broker(&e, (kloop_id){UINT32_MAX, UINT32_MAX}));
    kloop_id a = kl_slots_take(&e, &conns[0], NULL);
    assert_null(kl_slots_conn(&e, (kloop_id){a.slot, 0}));
    assert_null(kl_slots_conn(&e, (kloop_id){a.slot + 1, a.gen}));
    end();
}

/* 2^32 generations later the handle is not 0, which is no handle. */
static void generation_wraps_past_zero(void **state)
{
    (void)state;
    begin(0);
    kloop_id a = kl_slots_take(&e, &conns[0], NULL);
    e.slots[a.slot].gen = UINT32_MAX;
    a.gen = UINT32_MAX;
    kl_slots_give_back(&e, a);
    kloop_id b = kl_slots_take(&e, &conns[0], NULL);
    assert_int_equal(b.slot, a.slot);
    assert_int_equal(b.gen, 1);
    end();
}

static void many_slots_keep_their_places(void **state)
{
    (void)state;
    begin(0);
    kloop_id ids[100];
    for (int i = 0; i < 100; i++)
        ids[i] = kl_slots_take(&e, &conns[i], NULL);
    for (int i = 0; i < 100; i += 2)
        kl_slots_give_back(&e, ids[i]);
    assert_int_equal(e.slots_used, 50);
    for (int i = 0; i < 100; i += 2)
        ids[i] = kl_slots_take(&e, &conns[i], NULL);
    assert_int_equal(e.slot_count, 100);
    for (int i = 0; i < 100; i++)
        assert_ptr_equal(kl_slots_conn(&e, ids[i]), &conns[i]);
    end();
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    begin(2);
    kloop_id ids[8];
    for (int i = 0; i < 8; i++)
        ids[i] = kl_slots_take(&e, &conns[i], NULL);
    assert_int_equal(kl_slots_take(&e, &conns[8], NULL).gen, 0);
    assert_int_equal(e.slots_used, 8);
    for (int i = 0; i < 8; i++)
        assert_ptr_equal(kl_slots_conn(&e, ids[i]), &conns[i]);
    assert_true(kl_slots_take(&e, &conns[8], NULL).gen != 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handle_names_what_it_was_given_for),
        cmocka_unit_test(old_generation_finds_nothing),
        cmocka_unit_test(made_up_handles_find_nothing),
        cmocka_unit_test(generation_wraps_past_zero),
        cmocka_unit_test(many_slots_keep_their_places),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
