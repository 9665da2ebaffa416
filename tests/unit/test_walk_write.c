/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encoding field by field: the exact bytes of each kind in each manner, the same size when
 * measured, and every way in which a value can be refused, with place, numbers and path.
 */
#include "protocol/walk.h"
#include "tests/support/expect_fault.h"
#include "tests/support/one_field.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_guard guard;

static int open_guard(void **state)
{
    (void)state;
    kl_guard_init(&guard, 70000);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    kl_guard_deinit(&guard);
    return 0;
}

static kloop_slice slice_of(const void *data, size_t len)
{
    return (kloop_slice){data, len};
}

static const int32_t numbers[] = {1, -2, INT32_MAX};
static const kloop_string names[] = {{"a", 1}, {"", 0}, {"\xe2\x82\xac", 3}};
static const kl_pair pairs[] = {{1, {"one", 3}}, {INT32_MIN, {"", 0}}};
static const kloop_slice bodies[] = {
    {(const uint8_t *)"bcd", 3}, {NULL, 0}, {(const uint8_t *)"e", 1}};

/* ---- Exact bytes ---- */

typedef struct good_case {
    const kloop_message_type *type;
    int version;
    kl_one value;
    const char *hex;
} good_case;

static const good_case good_cases[] = {
    {&kl_one_bool_type, 0, {.yes = {true}}, "01"},
    {&kl_one_bool_type, 2, {.yes = {false}}, "00 00"},
    {&kl_one_int8_type, 0, {.int8 = {-128}}, "80"},
    {&kl_one_int8_type, 2, {.int8 = {127}}, "7f 00"},
    {&kl_one_int16_type, 0, {.int16 = {-2}}, "fffe"},
    {&kl_one_int16_type, 2, {.int16 = {0x1234}}, "1234 00"},
    {&kl_one_int32_type, 0, {.int32 = {INT32_MIN}}, "80000000"},
    {&kl_one_int32_type, 2, {.int32 = {0x12345678}}, "12345678 00"},
    {&kl_one_int64_type, 0, {.int64 = {-2}}, "fffffffffffffffe"},
    {&kl_one_int64_type, 2, {.int64 = {INT64_C(0x123456789abcdef0)}}, "123456789abcdef0 00"},
    {&kl_one_uuid_type,
     0,
     {.uuid = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}}}},
     "000102030405060708090a0b0c0d0eff"},
    {&kl_one_string_type, 0, {.string = {{"", 0}}}, "0000"},
    {&kl_one_string_type, 0, {.string = {{"ab", 2}}}, "0002 6162"},
    {&kl_one_string_type, 2, {.string = {{"", 0}}}, "01 00"},
    {&kl_one_string_type, 2, {.string = {{"ab", 2}}}, "03 6162 00"},
    {&kl_one_nullable_string_type, 1, {.string = {{NULL, 0}}}, "ffff"},
    {&kl_one_nullable_string_type, 2, {.string = {{NULL, 0}}}, "00 00"},
    {&kl_one_bytes_type, 0, {.bytes = {{(const uint8_t *)"", 0}}}, "00000000"},
    {&kl_one_bytes_type, 0, {.bytes = {{(const uint8_t *)"\xff\x00", 2}}}, "00000002 ff00"},
    {&kl_one_bytes_type, 2, {.bytes = {{(const uint8_t *)"\xff\x00", 2}}}, "03 ff00 00"},
    {&kl_one_nullable_bytes_type, 1, {.bytes = {{NULL, 0}}}, "ffffffff"},
    {&kl_one_nullable_bytes_type, 2, {.bytes = {{NULL, 0}}}, "00 00"},
    {&kl_one_records_type, 0, {.records = {{{(const uint8_t *)"a", 1}, NULL, 0}}}, "00000001 61"},
    {&kl_one_records_type, 2, {.records = {{{(const uint8_t *)"", 0}, NULL, 0}}}, "01 00"},
    {&kl_one_records_type, 0, {.records = {{{NULL, 0}, bodies, 1}}}, "00000003 626364"},
    {&kl_one_records_type,
     2,
     {.records = {{{(const uint8_t *)"a", 1}, bodies, 3}}},
     "06 6162636465 00"},
    {&kl_one_records_type, 0, {.records = {{{NULL, 0}, &bodies[1], 1}}}, "00000000"},
    {&kl_one_nullable_records_type, 1, {.records = {{{NULL, 0}, NULL, 0}}}, "ffffffff"},
    {&kl_one_nullable_records_type, 2, {.records = {{{NULL, 0}, NULL, 0}}}, "00 00"},
    {&kl_one_numbers_type, 0, {.array = {{.count = 0}}}, "00000000"},
    {&kl_one_numbers_type,
     0,
     {.array = {{.data = numbers, .count = 3}}},
     "00000003 00000001 fffffffe 7fffffff"},
    {&kl_one_numbers_type, 2, {.array = {{.data = numbers, .count = 1}}}, "02 00000001 00"},
    {&kl_one_nullable_numbers_type, 1, {.array = {{.count = -1}}}, "ffffffff"},
    {&kl_one_nullable_numbers_type, 2, {.array = {{.count = -1}}}, "00 00"},
    {&kl_one_names_type,
     0,
     {.array = {{.data = names, .count = 3}}},
     "00000003 0001 61 0000 0003 e282ac"},
    {&kl_one_names_type, 2, {.array = {{.data = names, .count = 3}}}, "04 02 61 01 04 e282ac 00"},
    {&kl_one_pairs_type,
     0,
     {.array = {{.data = pairs, .count = 2}}},
     "00000002 00000001 0003 6f6e65 80000000 0000"},
    {&kl_one_pairs_type,
     2,
     {.array = {{.data = pairs, .count = 2}}},
     "03 00000001 04 6f6e65 00 80000000 01 00 00"},
    {&kl_one_struct_type, 0, {.pair = {{7, {"x", 1}}}}, "00000007 0001 78"},
    {&kl_one_struct_type, 2, {.pair = {{7, {"x", 1}}}}, "00000007 02 78 00 00"},
};

enum { GOOD_COUNT = sizeof good_cases / sizeof good_cases[0] };

static void values_go_out_as_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const good_case *c = &good_cases[i];
        kl_one value = c->value;
        kl_walk w;
        uint8_t *to = kl_guard_at_end(&guard, 100);
        kl_walk_encode(&w, to, 100);
        assert_int_equal(kl_walk_message(&w, c->type, (int16_t)c->version, &value), KLOOP_OK);
        kl_expect_bytes(to, kl_walk_at(&w), c->hex);
        size_t size = kl_walk_at(&w);
        kl_walk_measure(&w);
        assert_int_equal(kl_walk_message(&w, c->type, (int16_t)c->version, &value), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), size);
    }
}

static void room_of_every_size_below_is_too_small(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const good_case *c = &good_cases[i];
        kl_one value = c->value;
        kl_walk w;
        kl_walk_measure(&w);
        kl_walk_message(&w, c->type, (int16_t)c->version, &value);
        size_t size = kl_walk_at(&w);
        for (size_t room = 0; room <= size; room++) {
            uint8_t *to = kl_guard_at_end(&guard, room);
            kl_walk_encode(&w, to, room);
            kloop_status status = kl_walk_message(&w, c->type, (int16_t)c->version, &value);
            assert_int_equal(status, room < size ? KLOOP_NO_SPACE : KLOOP_OK);
            if (status) {
                assert_int_equal(w.fault.at, kl_walk_at(&w));
                assert_true(w.fault.at <= room);
                assert_true(w.fault.a > w.fault.b);
                assert_int_equal(w.fault.b, room - w.fault.at);
            }
        }
    }
}

static void no_space_names_the_field(void **state)
{
    (void)state;
    kl_walk w;
    uint8_t to[20];
    kl_one_array m = {kloop_array_of(pairs, 2)};
    static const struct {
        size_t room, at;
        int64_t a, b;
        const char *path;
    } cases[] = {
        {3, 0, 4, 3, "value"},
        {7, 4, 4, 3, "value[0].number"},
        {9, 8, 2, 1, "value[0].name"},
        {12, 10, 3, 2, "value[0].name"},
        {13, 13, 4, 0, "value[1].number"},
        {18, 17, 2, 1, "value[1].name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_walk_encode(&w, to, cases[i].room);
        kl_walk_message(&w, &kl_one_pairs_type, 0, &m);
        kl_expect_fault(&w.fault, KLOOP_NO_SPACE, cases[i].at, cases[i].a, cases[i].b,
                        cases[i].path);
    }
    /* Where tags would go there is no field to name. */
    kl_one_int16 last = {1};
    kl_walk_encode(&w, to, 2);
    kl_walk_message(&w, &kl_one_int16_type, 2, &last);
    kl_expect_fault(&w.fault, KLOOP_NO_SPACE, 2, 1, 0, "");
}

/* ---- Refusals ---- */

typedef struct bad_case {
    const kloop_message_type *type;
    int version;
    kl_one value;
    kloop_status status;
    size_t at;
    int64_t a;
    int64_t b;
    const char *path;
} bad_case;

static void expect_bad(const bad_case *cases, size_t count)
{
    uint8_t to[200];
    for (size_t i = 0; i < count; i++) {
        const bad_case *c = &cases[i];
        for (int measure = 0; measure <= 1; measure++) {
            kl_one value = c->value;
            kl_walk w;
            if (measure)
                kl_walk_measure(&w);
            else
                kl_walk_encode(&w, to, sizeof to);
            kl_walk_message(&w, c->type, (int16_t)c->version, &value);
            if (w.fault.status != c->status)
                print_error("%s v%d, case %zu\n", c->type->name, c->version, i);
            kl_expect_fault(&w.fault, c->status, c->at, c->a, c->b, c->path);
        }
    }
}

#define EXPECT_BAD(cases) expect_bad(cases, sizeof(cases) / sizeof(cases)[0])

static void null_where_none_is_allowed(void **state)
{
    (void)state;
    static const kloop_string nulls[] = {{"a", 1}, {NULL, 0}};
    static const kl_pair null_pairs[] = {{1, {"", 0}}, {1, {NULL, 0}}};
    static const bad_case cases[] = {
        {&kl_one_string_type, 0, {.string = {{NULL, 0}}}, KLOOP_BAD_NULL, 0, 0, 0, "value"},
        {&kl_one_string_type, 2, {.string = {{NULL, 0}}}, KLOOP_BAD_NULL, 0, 0, 0, "value"},
        {&kl_one_bytes_type, 0, {.bytes = {{NULL, 0}}}, KLOOP_BAD_NULL, 0, 0, 0, "value"},
        {&kl_one_records_type,
         2,
         {.records = {{{NULL, 0}, NULL, 0}}},
         KLOOP_BAD_NULL,
         0,
         0,
         0,
         "value"},
        {&kl_one_numbers_type, 0, {.array = {{.count = -1}}}, KLOOP_BAD_NULL, 0, 0, 0, "value"},
        {&kl_one_pairs_type, 2, {.array = {{.count = -1}}}, KLOOP_BAD_NULL, 0, 0, 0, "value"},
        {&kl_one_nullable_string_type,
         0,
         {.string = {{NULL, 0}}},
         KLOOP_BAD_NULL,
         0,
         0,
         0,
         "value"},
        {&kl_one_nullable_bytes_type, 0, {.bytes = {{NULL, 0}}}, KLOOP_BAD_NULL, 0, 0, 0, "value"},
        {&kl_one_nullable_records_type,
         0,
         {.records = {{{NULL, 0}, NULL, 0}}},
         KLOOP_BAD_NULL,
         0,
         0,
         0,
         "value"},
        {&kl_one_nullable_numbers_type,
         0,
         {.array = {{.count = -1}}},
         KLOOP_BAD_NULL,
         0,
         0,
         0,
         "value"},
        {&kl_one_names_type,
         0,
         {.array = {{.data = nulls, .count = 2}}},
         KLOOP_BAD_NULL,
         7,
         0,
         0,
         "value[1]"},
        {&kl_one_names_type,
         2,
         {.array = {{.data = nulls, .count = 2}}},
         KLOOP_BAD_NULL,
         3,
         0,
         0,
         "value[1]"},
        {&kl_one_pairs_type,
         0,
         {.array = {{.data = null_pairs, .count = 2}}},
         KLOOP_BAD_NULL,
         14,
         0,
         0,
         "value[1].name"},
        {&kl_one_struct_type, 0, {.pair = {{1, {NULL, 0}}}}, KLOOP_BAD_NULL, 4, 0, 0, "value.name"},
    };
    EXPECT_BAD(cases);
}

static void counts_and_text_that_are_none(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_numbers_type, 0, {.array = {{.count = -2}}}, KLOOP_BAD_LENGTH, 0, -2, 0, "value"},
        {&kl_one_nullable_pairs_type,
         2,
         {.array = {{.count = INT32_MIN}}},
         KLOOP_BAD_LENGTH,
         0,
         INT32_MIN,
         0,
         "value"},
        {&kl_one_string_type, 0, {.string = {{"a\xff", 2}}}, KLOOP_BAD_UTF8, 0, 0, 0, "value"},
        {&kl_one_string_type, 2, {.string = {{"\xc3", 1}}}, KLOOP_BAD_UTF8, 0, 0, 0, "value"},
    };
    EXPECT_BAD(cases);
}

static void strings_may_take_32767_bytes(void **state)
{
    (void)state;
    static char text[32768];
    static uint8_t to[33000];
    memset(text, 'x', sizeof text);
    for (int version = 0; version <= 2; version += 2) {
        kl_one_string m = {{text, 32767}};
        kl_walk w;
        kl_walk_encode(&w, to, sizeof to);
        assert_int_equal(kl_walk_message(&w, &kl_one_string_type, (int16_t)version, &m), KLOOP_OK);
        assert_int_equal(kl_walk_at(&w), version == 0 ? 32769 : 32771);
        m.value.len++;
        kl_walk_encode(&w, to, sizeof to);
        kl_walk_message(&w, &kl_one_string_type, (int16_t)version, &m);
        kl_expect_fault(&w.fault, KLOOP_TOO_LONG, 0, 32768, 32767, "value");
        kl_walk_measure(&w);
        kl_walk_message(&w, &kl_one_string_type, (int16_t)version, &m);
        kl_expect_fault(&w.fault, KLOOP_TOO_LONG, 0, 32768, 32767, "value");
    }
}

/* Lengths alone: nothing of this size is touched, because all are refused or only measured. */
static void blobs_stay_below_2_gib(void **state)
{
    (void)state;
    static const uint8_t one[1];
    const size_t most = INT32_MAX - 1;
    kl_walk w;
    kl_one_bytes b = {{one, most}};
    kl_walk_measure(&w);
    assert_int_equal(kl_walk_message(&w, &kl_one_bytes_type, 0, &b), KLOOP_OK);
    assert_int_equal(kl_walk_at(&w), most + 4);
    kl_walk_measure(&w);
    assert_int_equal(kl_walk_message(&w, &kl_one_bytes_type, 2, &b), KLOOP_OK);
    assert_int_equal(kl_walk_at(&w), most + 5 + 1);

    const struct {
        kloop_slice head, body[3];
        int64_t a;
    } bad[] = {
        {{one, most + 1}, {{NULL, 0}}, INT32_MAX},
        {{NULL, 0}, {{one, most + 1}}, INT32_MAX},
        {{one, 1}, {{one, most}}, INT32_MAX},
        {{one, most}, {{one, 1}}, INT32_MAX},
        {{NULL, 0}, {{one, most}, {one, 1}}, INT32_MAX},
        {{NULL, 0}, {{one, most}, {one, most}, {one, 1}}, 2 * (int64_t)INT32_MAX - 2},
        {{one, SIZE_MAX}, {{NULL, 0}}, -1},
        {{one, 1}, {{one, SIZE_MAX}}, -1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int measure = 0; measure <= 1; measure++) {
            uint8_t to[16];
            kl_one_records r = {{bad[i].head, bad[i].body, 3}};
            if (measure)
                kl_walk_measure(&w);
            else
                kl_walk_encode(&w, to, sizeof to);
            kl_walk_message(&w, &kl_one_records_type, 0, &r);
            kl_expect_fault(&w.fault, KLOOP_TOO_LONG, 0, bad[i].a, INT32_MAX - 1, "value");
        }
    }
    b.value.len++;
    kl_walk_measure(&w);
    kl_walk_message(&w, &kl_one_bytes_type, 2, &b);
    kl_expect_fault(&w.fault, KLOOP_TOO_LONG, 0, INT32_MAX, INT32_MAX - 1, "value");
}

/* ---- Decoded lists as values ---- */

static void decoded_list_of_other_elements_is_refused(void **state)
{
    (void)state;
    kl_walk w;
    kl_one_array decoded;
    kl_walk_decode(&w, "\0\0\0\1\0\0\0\5", 8);
    assert_int_equal(kl_walk_message(&w, &kl_one_numbers_type, 0, &decoded), KLOOP_OK);
    const bad_case cases[] = {
        {&kl_one_names_type, 0, {.array = decoded}, KLOOP_BAD_ARRAY, 0, 0, 0, "value"},
        {&kl_one_pairs_type, 2, {.array = decoded}, KLOOP_BAD_ARRAY, 0, 0, 0, "value"},
    };
    EXPECT_BAD(cases);
    uint8_t to[20];
    kl_walk_encode(&w, to, sizeof to);
    assert_int_equal(kl_walk_message(&w, &kl_one_numbers_type, 2, &decoded), KLOOP_OK);
    kl_expect_bytes(to, kl_walk_at(&w), "02 00000005 00");
}

static void list_without_elements_behind_its_count_is_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {&kl_one_pairs_type, 0, {.array = {{.count = 1}}}, KLOOP_BAD_ARRAY, 0, 0, 0, "value"},
        {&kl_one_numbers_type, 2, {.array = {{.count = 2}}}, KLOOP_BAD_ARRAY, 0, 0, 0, "value"},
    };
    EXPECT_BAD(cases);
    int32_t number;
    kloop_array array = kloop_array_of(NULL, 1);
    kloop_iter it = kloop_iterate(&array);
    assert_false(kloop_next(&it, &number));
}

static void fault_in_an_element_of_a_decoded_list_is_named(void **state)
{
    (void)state;
    kl_walk w;
    kl_one_array decoded;
    kloop_slice bytes = kl_hex_guarded(&guard, "00000002 00000001 0001 61 00000002 0001 62");
    kl_walk_decode(&w, bytes.data, bytes.len);
    assert_int_equal(kl_walk_message(&w, &kl_one_pairs_type, 0, &decoded), KLOOP_OK);
    uint8_t to[17];
    kl_walk_encode(&w, to, sizeof to);
    kl_walk_message(&w, &kl_one_pairs_type, 0, &decoded);
    kl_expect_fault(&w.fault, KLOOP_NO_SPACE, 17, 1, 0, "value[1].name");
}

/*
 * Somebody changed the bytes under a decoded list: iterating ends early instead of going astray,
 * and a list that is shorter than its count is not written.
 */
static void decoded_list_over_bytes_that_changed(void **state)
{
    (void)state;
    kl_walk w;
    kl_one_array decoded;
    uint8_t bytes[] = {0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 'a', 0, 0, 0, 2, 0, 1, 'b'};
    kl_walk_decode(&w, bytes, sizeof bytes);
    assert_int_equal(kl_walk_message(&w, &kl_one_pairs_type, 0, &decoded), KLOOP_OK);
    bytes[9] = 200;
    uint8_t to[40];
    kl_walk_encode(&w, to, sizeof to);
    kl_walk_message(&w, &kl_one_pairs_type, 0, &decoded);
    kl_expect_fault(&w.fault, KLOOP_BAD_ARRAY, 4, 0, 0, "value[0]");
    kl_pair pair;
    kloop_iter it = kloop_iterate(&decoded.value);
    assert_false(kloop_next(&it, &pair));
    assert_int_equal(pair.number, 1);
    kl_expect_text(pair.name, "");
}

/* ---- Versions without the field ---- */

typedef struct coming {
    int32_t always;
    int32_t late;       /* 1+ */
    int32_t late_quiet; /* 1+, ignorable */
    kloop_string early; /* 0 to 1, null */
    kloop_array list;   /* 1+ */
    bool flag;          /* 1+, true */
} coming;

static void walk_coming(kl_walk *w, void *message)
{
    coming *m = message;
    INT32(always, "always");
    INT32(late, "late", .since = 1, .fallback = -3);
    INT32(late_quiet, "lateQuiet", .since = 1, .ignorable = true);
    STRING(early, "early", .until = 1, NULLABLE(0), .null_default = true);
    ARRAY(list, kl_pair_type, "list", .since = 1);
    BOOL(flag, "flag", .since = 1, .fallback = true);
    NO_TAGS();
}

static const kloop_message_type coming_type = {
    .size = sizeof(coming), .flexible_since = 9, .walk = walk_coming, .kind = KL_STRUCT};

static void value_that_a_version_does_not_carry(void **state)
{
    (void)state;
    static const struct {
        int version;
        coming change;
        size_t at;
        const char *path; /* NULL: it goes well */
    } cases[] = {
        {0, {.late = -3, .flag = true}, 4, NULL},
        {0, {.late = -2, .flag = true}, 4, "late"},
        {0, {.late = 0, .flag = true}, 4, "late"},
        {0, {.late = -3, .late_quiet = 9, .flag = true}, 4, NULL},
        {0, {.late = -3, .list = {.data = pairs, .count = 1}, .flag = true}, 6, "list"},
        {0, {.late = -3, .list = {.count = -1}, .flag = true}, 6, "list"},
        {0, {.late = -3}, 6, "flag"},
        {1, {.late = 1, .early = {"x", 1}}, 20, NULL},
        {2, {.late = 1}, 12, NULL},
        {2, {.early = {"x", 1}}, 12, "early"},
        {2, {.early = {"", 0}}, 12, "early"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int measure = 0; measure <= 1; measure++) {
            coming m = cases[i].change;
            uint8_t to[64];
            kl_walk w;
            if (measure)
                kl_walk_measure(&w);
            else
                kl_walk_encode(&w, to, sizeof to);
            kl_walk_message(&w, &coming_type, (int16_t)cases[i].version, &m);
            if (cases[i].path)
                kl_expect_fault(&w.fault, KLOOP_NOT_CARRIED, cases[i].at, cases[i].version, 0,
                                cases[i].path);
            else
                assert_int_equal(w.fault.status, KLOOP_OK);
        }
    }
}

static void only_the_first_fault_counts(void **state)
{
    (void)state;
    coming m = {.late = 5, .list = {.count = -2}, .early = {"\xff", 1}};
    uint8_t to[64];
    kl_walk w;
    kl_walk_encode(&w, to, sizeof to);
    kl_walk_message(&w, &coming_type, 0, &m);
    kl_expect_fault(&w.fault, KLOOP_NOT_CARRIED, 4, 0, 0, "late");
    assert_int_equal(kl_walk_at(&w), 4);
    kl_walk_encode(&w, to, sizeof to);
    kl_walk_message(&w, &coming_type, 1, &m);
    kl_expect_fault(&w.fault, KLOOP_BAD_UTF8, 12, 0, 0, "early");
}

static void slices_need_no_more_than_their_fields(void **state)
{
    (void)state;
    /* Blobs that are not records go into the buffer, whatever the mode. */
    kl_walk w;
    uint8_t to[16];
    kloop_slice slices[2];
    kl_one_bytes m = {slice_of("abc", 3)};
    kl_walk_encode(&w, to, sizeof to);
    w.slices = slices;
    w.slice_max = 2;
    assert_int_equal(kl_walk_message(&w, &kl_one_bytes_type, 0, &m), KLOOP_OK);
    kl_walk_last_slice(&w);
    assert_int_equal(w.slice_count, 1);
    assert_ptr_equal(slices[0].data, to);
    kl_expect_bytes(slices[0].data, slices[0].len, "00000003 616263");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_out_as_they_are),
        cmocka_unit_test(room_of_every_size_below_is_too_small),
        cmocka_unit_test(no_space_names_the_field),
        cmocka_unit_test(null_where_none_is_allowed),
        cmocka_unit_test(counts_and_text_that_are_none),
        cmocka_unit_test(strings_may_take_32767_bytes),
        cmocka_unit_test(blobs_stay_below_2_gib),
        cmocka_unit_test(decoded_list_of_other_elements_is_refused),
        cmocka_unit_test(list_without_elements_behind_its_count_is_refused),
        cmocka_unit_test(fault_in_an_element_of_a_decoded_list_is_named),
        cmocka_unit_test(decoded_list_over_bytes_that_changed),
        cmocka_unit_test(value_that_a_version_does_not_carry),
        cmocka_unit_test(only_the_first_fault_counts),
        cmocka_unit_test(slices_need_no_more_than_their_fields),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
