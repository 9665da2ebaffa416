/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash map: against an array that is searched, order of the walk, memory, the hash itself. */
#include "base/map.h"
#include "base/mem.h"
#include "base/prng.h"
#include "tests/support/asserted.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static kloop_slice text(const char *s)
{
    return (kloop_slice){(const uint8_t *)s, strlen(s)};
}

static void things_are_found_by_their_bytes(void **state)
{
    (void)state;
    kl_map map;
    kl_map_init(&map, &kl_mem_libc, 1);
    assert_null(kl_map_get(&map, text("orders")));
    assert_null(kl_map_remove(&map, text("orders")));
    int orders, billing, empty;
    assert_true(kl_map_put(&map, text("orders"), &orders));
    assert_true(kl_map_put(&map, text("billing"), &billing));
    assert_true(kl_map_put(&map, text(""), &empty));
    assert_int_equal(map.count, 3);
    /* By what the bytes are, not by where they lie. */
    char elsewhere[] = "orders";
    assert_ptr_equal(kl_map_get(&map, text(elsewhere)), &orders);
    assert_ptr_equal(kl_map_get(&map, text("billing")), &billing);
    assert_ptr_equal(kl_map_get(&map, text("")), &empty);
    assert_null(kl_map_get(&map, text("order")));
    assert_null(kl_map_get(&map, text("orders ")));
    assert_ptr_equal(kl_map_remove(&map, text(elsewhere)), &orders);
    assert_null(kl_map_get(&map, text("orders")));
    assert_null(kl_map_remove(&map, text("orders")));
    assert_int_equal(map.count, 2);
    assert_true(kl_map_put(&map, text("orders"), &billing));
    assert_ptr_equal(kl_map_get(&map, text("orders")), &billing);
    kl_map_deinit(&map);
    kl_map_deinit(&map);
    assert_null(kl_map_get(&map, text("billing")));
}

/* Names come from the network: a null or an absurd one is a question without an answer. */
static void what_cannot_be_a_key_is_not_there(void **state)
{
    (void)state;
    kl_map map;
    kl_map_init(&map, &kl_mem_libc, 1);
    int zero, empty;
    assert_true(kl_map_put_i32(&map, 0, &zero));
    assert_true(kl_map_put(&map, text(""), &empty));
    kloop_slice null = {NULL, 0};
    assert_null(kl_map_get(&map, null));
    assert_null(kl_map_remove(&map, null));
#if SIZE_MAX > UINT32_MAX
    /* Its length has the same lower 32 bits as that of the empty key; nobody reads the bytes. */
    kloop_slice huge = {(const uint8_t *)"", (size_t)UINT32_MAX + 1};
    assert_null(kl_map_get(&map, huge));
    assert_null(kl_map_remove(&map, huge));
#endif
    assert_int_equal(map.count, 2);
    kl_map_deinit(&map);
}

static void numbers_and_bytes_are_different_keys(void **state)
{
    (void)state;
    kl_map map;
    kl_map_init(&map, &kl_mem_libc, 1);
    static const int32_t numbers[] = {0, 1, -1, 4, INT32_MAX, INT32_MIN};
    enum { COUNT = sizeof numbers / sizeof numbers[0] };
    int things[COUNT], bytes;
    for (size_t i = 0; i < COUNT; i++)
        assert_true(kl_map_put_i32(&map, numbers[i], &things[i]));
    /* The bytes of 4: the very same hash, and a length like the number. */
    static const uint8_t four[4] = {4, 0, 0, 0};
    assert_null(kl_map_get(&map, (kloop_slice){four, 4}));
    assert_true(kl_map_put(&map, (kloop_slice){four, 4}, &bytes));
    assert_ptr_equal(kl_map_get(&map, (kloop_slice){four, 4}), &bytes);
    for (size_t i = 0; i < COUNT; i++)
        assert_ptr_equal(kl_map_get_i32(&map, numbers[i]), &things[i]);
    assert_null(kl_map_get_i32(&map, 2));
    assert_null(kl_map_remove_i32(&map, 2));
    assert_ptr_equal(kl_map_remove_i32(&map, 4), &things[3]);
    assert_null(kl_map_get_i32(&map, 4));
    assert_ptr_equal(kl_map_remove(&map, (kloop_slice){four, 4}), &bytes);
    kl_map_deinit(&map);
}

/* Pairs whose hashes have the same lower half for this seed, which is all that entries keep. */
static void keys_with_the_same_hash_are_told_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", "czcowrpv"}, {"topic-1005442", "topic-1085447"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        kloop_slice a = text(pairs[i][0]), b = text(pairs[i][1]);
        assert_int_equal((uint32_t)kl_map_hash(1, a), (uint32_t)kl_map_hash(1, b));
        kl_map map;
        kl_map_init(&map, &kl_mem_libc, 1);
        int of_a, of_b;
        assert_true(kl_map_put(&map, a, &of_a));
        assert_null(kl_map_get(&map, b));
        assert_true(kl_map_put(&map, b, &of_b));
        assert_ptr_equal(kl_map_get(&map, a), &of_a);
        assert_ptr_equal(kl_map_get(&map, b), &of_b);
        assert_ptr_equal(kl_map_remove(&map, a), &of_a);
        assert_null(kl_map_get(&map, a));
        assert_null(kl_map_remove(&map, a));
        assert_ptr_equal(kl_map_remove(&map, b), &of_b);
        kl_map_deinit(&map);
    }
}

typedef struct thing {
    uint8_t key[24];
    size_t len;
    int32_t number;
    bool by_number;
    bool in;
} thing;

enum { THINGS = 200 };

/* What the map should hold, in the order of the walk. */
typedef struct model {
    thing *order[THINGS];
    size_t count;
} model;

static void expect_walk(const kl_map *map, const model *m)
{
    assert_int_equal(map->count, m->count);
    uint32_t cursor = 0;
    for (size_t i = 0; i < m->count; i++)
        assert_ptr_equal(kl_map_next(map, &cursor), m->order[i]);
    assert_null(kl_map_next(map, &cursor));
    assert_null(kl_map_next(map, &cursor));
}

static kloop_slice key_of(const thing *t)
{
    return (kloop_slice){t->key, t->len};
}

static void *get(const kl_map *map, const thing *t)
{
    return t->by_number ? kl_map_get_i32(map, t->number) : kl_map_get(map, key_of(t));
}

static void put(kl_map *map, model *m, thing *t)
{
    assert_true(t->by_number ? kl_map_put_i32(map, t->number, t) : kl_map_put(map, key_of(t), t));
    m->order[m->count++] = t;
    t->in = true;
}

static void take_out(kl_map *map, model *m, thing *t)
{
    void *out = t->by_number ? kl_map_remove_i32(map, t->number) : kl_map_remove(map, key_of(t));
    assert_ptr_equal(out, t);
    size_t at = 0;
    while (m->order[at] != t)
        at++;
    m->count--;
    memmove(m->order + at, m->order + at + 1, (m->count - at) * sizeof m->order[0]);
    t->in = false;
}

/* Keys of every length up to 24, each unlike the others by its first two bytes; and numbers. */
static void make_things(thing *things, kl_prng *p)
{
    memset(things, 0, THINGS * sizeof *things);
    for (int i = 0; i < THINGS; i++) {
        thing *t = &things[i];
        t->by_number = i % 4 == 0;
        t->number = i - THINGS / 2;
        t->len = 2 + (size_t)kl_prng_below(p, sizeof t->key - 1);
        t->key[0] = (uint8_t)i;
        for (size_t k = 1; k < t->len; k++)
            t->key[k] = (uint8_t)kl_prng_below(p, 3);
    }
}

/* The most things at a time decide how large the table becomes, and how crowded it is. */
static void run_against_model(uint64_t seed, size_t most)
{
    kl_prng p;
    kl_prng_init(&p, seed);
    static thing things[THINGS];
    make_things(things, &p);
    model m = {.count = 0};
    kl_map map;
    kl_map_init(&map, &kl_mem_libc, seed);
    for (int step = 0; step < 10000; step++) {
        thing *t = &things[kl_prng_below(&p, THINGS)];
        bool filling = step / 1000 % 2 == 0;
        assert_ptr_equal(get(&map, t), t->in ? t : NULL);
        if (t->in)
            take_out(&map, &m, t);
        else if (m.count == most || (m.count && kl_prng_below(&p, 10) < (filling ? 2u : 6u)))
            take_out(&map, &m, m.order[kl_prng_below(&p, m.count)]);
        else
            put(&map, &m, t);
        expect_walk(&map, &m);
    }
    for (int i = 0; i < THINGS; i++)
        assert_ptr_equal(get(&map, &things[i]), things[i].in ? &things[i] : NULL);
    kl_map_deinit(&map);
}

static void random_steps_agree_with_an_array(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        run_against_model(seed, 7);
        run_against_model(seed, 8);
        run_against_model(seed, 30);
        run_against_model(seed, THINGS);
    }
}

static void the_walk_does_not_depend_on_the_seed(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 1);
    static thing things[THINGS];
    make_things(things, &p);
    for (uint64_t seed = 0; seed < 20; seed++) {
        kl_map map;
        kl_map_init(&map, &kl_mem_libc, seed);
        model m = {.count = 0};
        for (int i = 0; i < THINGS; i++)
            put(&map, &m, &things[i]);
        for (int i = 0; i < THINGS; i += 3)
            take_out(&map, &m, &things[i]);
        put(&map, &m, &things[0]);
        expect_walk(&map, &m);
        kl_map_deinit(&map);
    }
}

/* Removing must neither skip a thing nor show one twice nor show one that is gone. */
static void things_may_be_removed_on_the_way(void **state)
{
    (void)state;
    kl_prng p;
    kl_prng_init(&p, 2);
    static thing things[THINGS];
    make_things(things, &p);
    for (int round = 0; round < 50; round++) {
        kl_map map;
        kl_map_init(&map, &kl_mem_libc, (uint64_t)round);
        model m = {.count = 0};
        for (int i = 0; i < THINGS; i++)
            put(&map, &m, &things[i]);
        uint32_t cursor = 0;
        int last = -1;
        for (thing *t; (t = kl_map_next(&map, &cursor)) != NULL;) {
            int at = (int)(t - things);
            for (int i = last + 1; i < at; i++)
                assert_false(things[i].in);
            assert_true(t->in && at > last);
            last = at;
            if (kl_prng_below(&p, 2))
                take_out(&map, &m, t);
            thing *other = &things[kl_prng_below(&p, THINGS)];
            if (other->in && kl_prng_below(&p, 3) == 0)
                take_out(&map, &m, other);
        }
        for (int i = last + 1; i < THINGS; i++)
            assert_false(things[i].in);
        expect_walk(&map, &m);
        kl_map_deinit(&map);
    }
}

/* All of them on the way; the map is good for another round then. */
static void a_map_is_emptied_by_a_walk(void **state)
{
    (void)state;
    kl_map map;
    kl_map_init(&map, &kl_mem_libc, 3);
    static int things[100];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            assert_true(kl_map_put_i32(&map, i, &things[i]));
        uint32_t cursor = 0;
        int n = 0;
        for (int *t; (t = kl_map_next(&map, &cursor)) != NULL; n++)
            assert_ptr_equal(kl_map_remove_i32(&map, (int32_t)(t - things)), t);
        assert_int_equal(n, 100);
        assert_int_equal(map.count, 0);
    }
    kl_map_deinit(&map);
}

static void memory_fails_and_nothing_is_lost(void **state)
{
    (void)state;
    static int things[200];
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_map map;
        kl_map_init(&map, &alloc, 4);
        int refused = 0;
        for (int i = 0; i < 200; i++) {
            if (kl_map_put_i32(&map, i, &things[i]))
                continue;
            refused++;
            assert_int_equal(map.count, i);
            assert_null(kl_map_get_i32(&map, i));
            for (int k = 0; k < i; k++)
                assert_ptr_equal(kl_map_get_i32(&map, k), &things[k]);
            assert_true(kl_map_put_i32(&map, i, &things[i]));
        }
        assert_int_equal(refused, f.refused);
        assert_int_equal(map.count, 200);
        bool is_last = f.refused == 0;
        kl_map_deinit(&map);
        kl_fail_alloc_check(&f);
        if (is_last)
            break;
    }
}

/* Things that come and go for ever use the room of those that went. */
static void coming_and_going_takes_no_more_memory(void **state)
{
    (void)state;
    kl_fail_alloc f;
    kl_fail_alloc_init(&f, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&f);
    kl_map map;
    kl_map_init(&map, &alloc, 5);
    static int thing_of_all;
    for (int i = 0; i < 100; i++)
        assert_true(kl_map_put_i32(&map, i, &thing_of_all));
    for (int i = 100; i < 10000; i++) {
        assert_ptr_equal(kl_map_remove_i32(&map, i - 100), &thing_of_all);
        assert_true(kl_map_put_i32(&map, i, &thing_of_all));
    }
    assert_true(f.peak_bytes < (size_t)100 * 200);
    kl_map_deinit(&map);
    kl_fail_alloc_check(&f);
}

static const uint8_t letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";

/* Made by a twin in another language, with numbers of any size: the machine must not matter. */
static void hashes_are_the_same_everywhere(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        size_t len;
        uint64_t hash;
    } known[] = {
        {0, 0, UINT64_C(0x4613d004e359af87)},
        {0, 1, UINT64_C(0xd89362e636aa6f67)},
        {0, 7, UINT64_C(0x68127c6acdc850a6)},
        {0, 8, UINT64_C(0x76d818ab9b3522c9)},
        {0, 9, UINT64_C(0x65e29eba04fed0e1)},
        {1, 15, UINT64_C(0xbe55d198a1469e5d)},
        {1, 16, UINT64_C(0x879e2cc29ec0f6dc)},
        {1, 17, UINT64_C(0xa754b4d6b0330564)},
        {UINT64_MAX, 24, UINT64_C(0xb40f8991ee252362)},
        {UINT64_MAX, 32, UINT64_C(0x120270bd45ca9b83)},
        {UINT64_MAX, 33, UINT64_C(0x66c2f3b4b43e9353)},
        {UINT64_C(0x8000000000000000), 40, UINT64_C(0x84b9c27b27dfb094)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint64_t hash = kl_map_hash(known[i].seed, (kloop_slice){letters, known[i].len});
        if (hash != known[i].hash)
            fail_msg("%zu letters, seed %llx", known[i].len, (unsigned long long)known[i].seed);
    }
}

static int bits_of(uint64_t x)
{
    int n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}

/* On average 32 of the 64 bits turn; the mean over all lengths would be far off if a part of the
 * key did not reach a part of the hash. */
static void each_bit_of_a_key_turns_half_of_the_hash(void **state)
{
    (void)state;
    long turned = 0, turned_low = 0, cases = 0;
    for (size_t len = 1; len <= 40; len++) {
        uint8_t key[40];
        memcpy(key, letters, len);
        uint64_t hash = kl_map_hash(len, (kloop_slice){key, len});
        for (size_t bit = 0; bit < 8 * len; bit++) {
            key[bit / 8] ^= (uint8_t)(1u << bit % 8);
            uint64_t other = kl_map_hash(len, (kloop_slice){key, len});
            key[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int n = bits_of(hash ^ other);
            assert_in_range(n, 8, 56);
            turned += n;
            turned_low += bits_of((uint8_t)(hash ^ other));
            cases++;
        }
    }
    assert_in_range(turned * 10 / cases, 310, 330);
    assert_in_range(turned_low * 100 / cases, 380, 420);
}

static void zeros_of_other_lengths_are_other_keys(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    uint64_t hashes[65];
    for (size_t len = 0; len <= 64; len++) {
        hashes[len] = kl_map_hash(0, (kloop_slice){zeros, len});
        for (size_t i = 0; i < len; i++)
            assert_true(hashes[i] != hashes[len]);
    }
}

/*
 * The names of partitions and topics count up. 4,096 of them in as many drawers: random ones leave
 * 1,507 of the drawers empty, give or take 25.
 */
static void counted_keys_spread_like_random_ones(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        static bool full[2][4096];
        memset(full, 0, sizeof full);
        for (unsigned i = 0; i < 4096; i++) {
            uint8_t name[] = "topic-0000";
            for (unsigned k = 0, rest = i; k < 4; k++, rest /= 10)
                name[9 - k] = (uint8_t)('0' + rest % 10);
            full[0][kl_map_hash(seed, (kloop_slice){name, 10}) % 4096] = true;
            uint8_t number[4] = {(uint8_t)i, (uint8_t)(i >> 8), 0, 0};
            full[1][kl_map_hash(seed, (kloop_slice){number, 4}) % 4096] = true;
        }
        for (int kind = 0; kind < 2; kind++) {
            int empty = 0;
            for (int i = 0; i < 4096; i++)
                empty += !full[kind][i];
            assert_in_range(empty, 1380, 1630);
        }
    }
}

static void put_twice(void *ctx)
{
    (void)kl_map_put(ctx, text("in"), ctx);
}

static void put_number_twice(void *ctx)
{
    (void)kl_map_put_i32(ctx, 1, ctx);
}

static void put_nothing(void *ctx)
{
    (void)kl_map_put(ctx, text("new"), NULL);
}

static void put_by_null(void *ctx)
{
    (void)kl_map_put(ctx, (kloop_slice){NULL, 0}, ctx);
}

static void misuse_is_asserted(void **state)
{
    (void)state;
    static void (*const mistakes[])(void *) = {
        put_twice,
        put_number_twice,
        put_nothing,
        put_by_null,
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        kl_map map;
        kl_map_init(&map, &kl_mem_libc, 6);
        assert_true(kl_map_put(&map, text("in"), &map));
        assert_true(kl_map_put_i32(&map, 1, &map));
        if (!kl_asserted(mistakes[i], &map))
            fail_msg("mistake %zu was not noticed", i);
        assert_int_equal(map.count, 2);
        kl_map_deinit(&map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_are_found_by_their_bytes),
        cmocka_unit_test(what_cannot_be_a_key_is_not_there),
        cmocka_unit_test(numbers_and_bytes_are_different_keys),
        cmocka_unit_test(keys_with_the_same_hash_are_told_apart),
        cmocka_unit_test(random_steps_agree_with_an_array),
        cmocka_unit_test(the_walk_does_not_depend_on_the_seed),
        cmocka_unit_test(things_may_be_removed_on_the_way),
        cmocka_unit_test(a_map_is_emptied_by_a_walk),
        cmocka_unit_test(memory_fails_and_nothing_is_lost),
        cmocka_unit_test(coming_and_going_takes_no_more_memory),
        cmocka_unit_test(hashes_are_the_same_everywhere),
        cmocka_unit_test(each_bit_of_a_key_turns_half_of_the_hash),
        cmocka_unit_test(zeros_of_other_lengths_are_other_keys),
        cmocka_unit_test(counted_keys_spread_like_random_ones),
        cmocka_unit_test(misuse_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
