/* SPDX-License-Identifier: BSD-2-Clause */
/* Views of the cluster and their copies: a copy owns what it shows, and none is left half made. */
#include "broker/view.h"
#include "base/mem.h"
#include "broker/cluster_parts.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_topic topic(int32_t handle, const char *name, int32_t partitions, int32_t replicas)
{
    kl_topic t = {.handle = handle,
                  .name = {name, strlen(name)},
                  .partition_count = partitions,
                  .replica_count = replicas};
    t.id.bytes[0] = (uint8_t)(handle + 1);
    return t;
}

static bool fill(kl_view *v, kl_topic *a, kl_topic *b)
{
    if (!kl_view_add_broker(v, 1, "one", 9092) || !kl_view_add_broker(v, 2, "two", 9093) ||
        !kl_view_set_address(kl_view_find_broker(v, 2), &v->alloc, "zwei", 1, "rack") ||
        !kl_view_add_topic(v, a) || !kl_view_add_topic(v, b))
        return false;
    kl_view_partition *p = kl_view_find(v, a, 1);
    p->leader = 2;
    p->isr_count = 1;
    kl_view_isr(v, a, 1)[0] = 2;
    return kl_view_grow_topic(v, a, 5);
}

static void expect_filled(const kl_view *v, const kl_topic *a)
{
    assert_int_equal(v->broker_count, 2);
    assert_string_equal(kl_view_find_broker(v, 2)->host, "zwei");
    assert_string_equal(kl_view_find_broker(v, 2)->rack, "rack");
    assert_null(kl_view_find_broker(v, 3));
    assert_ptr_equal(kl_view_find_name(v, "a", 1), a);
    assert_ptr_equal(kl_view_find_id(v, &a->id), a);
    assert_null(kl_view_find_name(v, "c", 1));
    assert_int_equal(kl_view_find(v, a, 1)->leader, 2);
    assert_true(kl_view_in_isr(v, a, 1, 2));
    assert_false(kl_view_in_isr(v, a, 1, 1));
    assert_int_equal(kl_view_find(v, a, 4)->leader, KL_NO_NODE);
    assert_null(kl_view_find(v, a, 5));
    assert_null(kl_view_find(v, a, -1));
}

static bool use(const kloop_allocator *alloc)
{
    kl_view v;
    kl_topic a = topic(0, "a", 3, 2);
    kl_topic b = topic(1, "b", 1, 1);
    kl_view *copy = NULL;
    kl_view_init(&v, alloc, 1);
    if (fill(&v, &a, &b)) {
        expect_filled(&v, &a);
        copy = kl_view_copy(&v);
    }
    if (copy) {
        kl_view_remove_topic(&v, &b);
        kl_view_find_broker(&v, 1)->listed = false;
        kl_view_find(&v, &a, 1)->leader = 1;
        assert_null(kl_view_find(&v, &b, 0));
        assert_null(kl_view_find_name(&v, "b", 1));
        expect_filled(copy, &a);
        assert_true(kl_view_find_broker(copy, 1)->listed);
        assert_ptr_equal(kl_view_find_name(copy, "b", 1), &b);
        /* A topic that came later is unknown to it. */
        kl_topic c = topic(2, "c", 1, 1);
        assert_null(kl_view_find(copy, &c, 0));
        kl_view *again = kl_view_copy(&v);
        if (again)
            assert_null(kl_view_find(again, &b, 0));
        kl_view_del(copy);
        copy = again;
    }
    kl_view_del(copy);
    kl_view_deinit(&v);
    return copy != NULL;
}

static void views_and_copies(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_and_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
