/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of links: each operation, a random sequence against arrays, and the mistakes. */
#include "base/list.h"
#include "base/prng.h"
#include "tests/support/asserted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct thing {
    int id;
    kl_link other; /* so that a link is not where the thing begins */
    kl_link link;
} thing;

static int id_of(const kl_link *l)
{
    return KL_CONTAINER_OF(l, thing, link)->id;
}

/* Both directions of the ring agree with the ids. */
static void expect(const kl_list *list, const int *ids, size_t count)
{
    assert_int_equal(kl_list_is_empty(list), count == 0);
    size_t n = 0;
    const kl_link *before = &list->ends;
    for (kl_link *l = kl_list_first(list); l; l = kl_list_next(list, l)) {
        assert_true(n < count);
        assert_int_equal(id_of(l), ids[n]);
        assert_ptr_equal(l->prev, before);
        assert_true(kl_link_is_linked(l));
        before = l;
        n++;
    }
    assert_int_equal(n, count);
    assert_ptr_equal(list->ends.prev, before);
    if (count) {
        assert_int_equal(id_of(kl_list_first(list)), ids[0]);
        assert_int_equal(id_of(kl_list_last(list)), ids[count - 1]);
    } else {
        assert_null(kl_list_first(list));
        assert_null(kl_list_last(list));
    }
}

#define EXPECT(list, ...)                                                                          \
    expect((list), (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void number(thing *things, int count)
{
    memset(things, 0, (size_t)count * sizeof *things);
    for (int i = 0; i < count; i++)
        things[i].id = i;
}

static void links_go_where_they_are_put(void **state)
{
    (void)state;
    thing t[5];
    number(t, 5);
    kl_list list;
    kl_list_init(&list);
    expect(&list, NULL, 0);
    assert_null(kl_list_pop_front(&list));
    kl_list_push_back(&list, &t[1].link);
    EXPECT(&list, 1);
    kl_list_push_back(&list, &t[2].link);
    kl_list_push_front(&list, &t[0].link);
    EXPECT(&list, 0, 1, 2);
    kl_list_insert_before(&t[0].link, &t[3].link);
    kl_list_insert_after(&t[2].link, &t[4].link);
    EXPECT(&list, 3, 0, 1, 2, 4);
    kl_list_remove(&t[1].link);
    EXPECT(&list, 3, 0, 2, 4);
    assert_false(kl_link_is_linked(&t[1].link));
    kl_list_insert_after(&t[0].link, &t[1].link);
    EXPECT(&list, 3, 0, 1, 2, 4);
    assert_ptr_equal(kl_list_pop_front(&list), &t[3].link);
    assert_false(kl_link_is_linked(&t[3].link));
    EXPECT(&list, 0, 1, 2, 4);
    /* Taken out while walking. */
    for (kl_link *l = kl_list_first(&list), *next; l; l = next) {
        next = kl_list_next(&list, l);
        kl_list_remove(l);
    }
    expect(&list, NULL, 0);
}

static void splicing_empties_one_list_into_another(void **state)
{
    (void)state;
    thing t[4];
    number(t, 4);
    kl_list a, b;
    kl_list_init(&a);
    kl_list_init(&b);
    kl_list_splice_back(&a, &b);
    expect(&a, NULL, 0);
    expect(&b, NULL, 0);
    kl_list_push_back(&b, &t[0].link);
    kl_list_push_back(&b, &t[1].link);
    kl_list_splice_back(&a, &b);
    EXPECT(&a, 0, 1);
    expect(&b, NULL, 0);
    kl_list_splice_back(&a, &b);
    EXPECT(&a, 0, 1);
    kl_list_push_back(&b, &t[2].link);
    kl_list_push_back(&b, &t[3].link);
    kl_list_splice_back(&a, &b);
    EXPECT(&a, 0, 1, 2, 3);
    expect(&b, NULL, 0);
    kl_list_remove(&t[2].link);
    EXPECT(&a, 0, 1, 3);
}

enum { THINGS = 12 };

/* Two lists as arrays of ids. */
typedef struct model {
    int ids[2][THINGS];
    size_t count[2];
} model;

static void model_insert(model *m, int which, size_t at, int id)
{
    int *ids = m->ids[which];
    memmove(ids + at + 1, ids + at, (m->count[which] - at) * sizeof *ids);
    ids[at] = id;
    m->count[which]++;
}

static void model_remove(model *m, int which, size_t at)
{
    int *ids = m->ids[which];
    m->count[which]--;
    memmove(ids + at, ids + at + 1, (m->count[which] - at) * sizeof *ids);
}

static void random_steps_agree_with_arrays(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 1);
    thing t[THINGS];
    number(t, THINGS);
    kl_list lists[2];
    kl_list_init(&lists[0]);
    kl_list_init(&lists[1]);
    model m = {.count = {0, 0}};
    for (int step = 0; step < 20000; step++) {
        int which = (int)kl_prng_below(&p, 2);
        size_t count = m.count[which];
        size_t at = count ? (size_t)kl_prng_below(&p, count) : 0;
        thing *one = &t[kl_prng_below(&p, THINGS)];
        bool is_free = !kl_link_is_linked(&one->link);
        switch (kl_prng_below(&p, 8)) {
        case 0:
            if (is_free) {
                kl_list_push_back(&lists[which], &one->link);
                model_insert(&m, which, count, one->id);
            }
            break;
        case 1:
            if (is_free) {
                kl_list_push_front(&lists[which], &one->link);
                model_insert(&m, which, 0, one->id);
            }
            break;
        case 2:
        case 3:
            if (is_free && count) {
                kl_list_insert_before(&t[m.ids[which][at]].link, &one->link);
                model_insert(&m, which, at, one->id);
            }
            break;
        case 4:
            if (is_free && count) {
                kl_list_insert_after(&t[m.ids[which][at]].link, &one->link);
                model_insert(&m, which, at + 1, one->id);
            }
            break;
        case 5:
            if (count) {
                kl_list_remove(&t[m.ids[which][at]].link);
                model_remove(&m, which, at);
            }
            break;
        case 6:
            if (count) {
                assert_int_equal(id_of(kl_list_pop_front(&lists[which])), m.ids[which][0]);
                model_remove(&m, which, 0);
            }
            break;
        default:
            if (kl_prng_below(&p, 8) == 0) {
                kl_list_splice_back(&lists[which], &lists[1 - which]);
                for (size_t i = 0; i < m.count[1 - which]; i++)
                    model_insert(&m, which, m.count[which], m.ids[1 - which][i]);
                m.count[1 - which] = 0;
            }
        }
        expect(&lists[0], m.ids[0], m.count[0]);
        expect(&lists[1], m.ids[1], m.count[1]);
    }
}

typedef struct scene {
    kl_list list;
    kl_link in;
    kl_link out;
    kl_link one;
} scene;

static void put_in_twice(void *ctx)
{
    scene *s = ctx;
    kl_list_push_back(&s->list, &s->in);
}

static void take_out_twice(void *ctx)
{
    scene *s = ctx;
    kl_list_remove(&s->out);
}

static void insert_before_nothing(void *ctx)
{
    scene *s = ctx;
    kl_list_insert_before(&s->out, &s->one);
}

static void insert_after_nothing(void *ctx)
{
    scene *s = ctx;
    kl_list_insert_after(&s->out, &s->one);
}

static void next_of_nothing(void *ctx)
{
    scene *s = ctx;
    (void)kl_list_next(&s->list, &s->out);
}

static void splice_into_itself(void *ctx)
{
    scene *s = ctx;
    kl_list_splice_back(&s->list, &s->list);
}

static void misuse_is_asserted(void **state)
{
    (void)state;
    static void (*const mistakes[])(void *) = {
        put_in_twice,         take_out_twice,  insert_before_nothing,
        insert_after_nothing, next_of_nothing, splice_into_itself,
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        scene s;
        kl_list_init(&s.list);
        kl_link_init(&s.in);
        kl_link_init(&s.out);
        kl_link_init(&s.one);
        kl_list_push_back(&s.list, &s.in);
        if (!kl_asserted(mistakes[i], &s))
            fail_msg("mistake %zu was not noticed", i);
        assert_ptr_equal(kl_list_first(&s.list), &s.in);
        assert_ptr_equal(kl_list_last(&s.list), &s.in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_go_where_they_are_put),
        cmocka_unit_test(splicing_empties_one_list_into_another),
        cmocka_unit_test(random_steps_agree_with_arrays),
        cmocka_unit_test(misuse_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
