/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of JSON objects: double ones are found in objects of any size, and any can be looked up. */
#include "tests/support/json_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void double_keys_are_refused(void **state)
{
    kl_json_reading *x = *state;
    static const char twice[] = "a key that is there already";
    kl_json_refused(x, "{\"a\":1,\"a\":2}", twice, 7);
    kl_json_refused(x, "{\"a\":1,\"b\":2,\"a\":1}", twice, 13);
    kl_json_refused(x, "{\"\":1,\"\":2}", twice, 6);
    kl_json_refused(x, "{\"a\":1,\"\\u0061\":2}", twice, 7);
    kl_json_refused(x, "{\"\xc3\xa4\":1,\"\\u00e4\":2}", twice, 8);
    kl_json_refused(x, "{\"a\\u0000b\":1,\"a\\u0000b\":2}", twice, 14);
    kl_json_refused(x, "{\"a\":1,\"b\":1,\"b\":1,\"a\":1}", twice, 13);
    kl_json_refused(x, "[{\"o\":{\"k\":[],\"k\":[]}}]", twice, 14);
    assert_int_equal(kl_json_reading_ok(x, "{\"a\":1,\"A\":2}")->count, 2);
    assert_int_equal(kl_json_reading_ok(x, "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}")->count, 2);
    assert_int_equal(kl_json_reading_ok(x, "{\"a\\u0000b\":1,\"a\\u0000c\":2,\"a\":3}")->count, 3);
    assert_int_equal(kl_json_reading_ok(x, "{\"a\":1,\"aa\":1,\"aaa\":1,\"\":1}")->count, 4);
}

/* An object with keys k0, k1, ...; the key at number at (if not SIZE_MAX) is that of number as. */
static char *object_of(size_t count, size_t at, size_t as, size_t *len, size_t *offset)
{
    char *text = malloc(count * 32 + 3);
    assert_non_null(text);
    size_t n = 0;
    *offset = 0;
    text[n++] = '{';
    for (size_t i = 0; i < count; i++) {
        if (i == at)
            *offset = n;
        n += (size_t)sprintf(text + n, "\"k%zu\":[%zu,{}]%s", i == at ? as : i, i,
                             i + 1 < count ? "," : "");
    }
    text[n++] = '}';
    *len = n;
    return text;
}

static void objects_of_every_size_up_to_a_hundred(void **state)
{
    kl_json_reading *x = *state;
    for (size_t count = 1; count <= 100; count++) {
        size_t len, offset;
        char *text = object_of(count, SIZE_MAX, 0, &len, &offset);
        kl_json *v = kl_json_reading_bytes(x, text, len);
        free(text);
        assert_non_null(v);
        assert_int_equal(v->count, count);
        for (size_t as = 0; as + 1 < count; as += 1 + count / 7) {
            for (size_t at = as + 1; at < count; at += 1 + count / 5) {
                text = object_of(count, at, as, &len, &offset);
                kl_json_refused_bytes(x, text, len, "a key that is there already", offset);
                free(text);
            }
        }
    }
}

static void a_hundred_thousand_keys(void **state)
{
    kl_json_reading *x = *state;
    enum { COUNT = 100000 };
    size_t len, offset;
    char *text = object_of(COUNT, SIZE_MAX, 0, &len, &offset);
    kl_json *v = kl_json_reading_bytes(x, text, len);
    free(text);
    assert_non_null(v);
    assert_int_equal(v->count, COUNT);
    kl_json *hint = NULL;
    for (size_t i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof(name), "k%zu", i);
        kl_json *value = kl_json_take(v, name, &hint);
        assert_non_null(value);
        assert_int_equal(kl_json_first(value)->as.integer, i);
    }
    assert_null(kl_json_first_untaken(v));

    static const size_t places[][2] = {
        {COUNT - 1, 0}, {1, 0}, {COUNT / 2, 17}, {COUNT - 1, COUNT - 2}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        text = object_of(COUNT, places[i][0], places[i][1], &len, &offset);
        kl_json_refused_bytes(x, text, len, "a key that is there already", offset);
        free(text);
    }
}

/* Of many doubles the first place in the text is told, whatever order their hashes have. */
static void the_first_of_many_double_keys(void **state)
{
    kl_json_reading *x = *state;
    char *text = malloc(100000);
    assert_non_null(text);
    for (size_t distinct = 20; distinct < 300; distinct += 31) {
        size_t n = 0;
        size_t offset = 0;
        text[n++] = '{';
        for (size_t i = 0; i < 4 * distinct; i++) {
            if (i == distinct)
                offset = n;
            /* Rotated in each round, so that the first double is a different key each time. */
            n += (size_t)sprintf(text + n, "\"key-%zu\":0,", (i + i / distinct * 7) % distinct);
        }
        text[n - 1] = '}';
        kl_json_refused_bytes(x, text, n, "a key that is there already", offset);
    }
    free(text);
}

static void taking_keys_in_any_order(void **state)
{
    kl_json_reading *x = *state;
    kl_json *v = kl_json_reading_ok(x, "{\"a\":1,\"b\":{\"x\":[]},\"c\":3,\"d\":null}");
    kl_json *hint = NULL;
    assert_int_equal(kl_json_take(v, "c", &hint)->as.integer, 3);
    kl_json_assert_text(kl_json_first_untaken(v), "a", 1);
    assert_int_equal(kl_json_take(v, "a", &hint)->as.integer, 1);
    assert_null(kl_json_take(v, "e", &hint));
    assert_null(kl_json_take(v, "", &hint));
    assert_null(kl_json_take(v, "x", &hint));
    assert_int_equal(kl_json_type_of(kl_json_take(v, "d", &hint)), KL_JSON_NULL);
    kl_json *key = kl_json_first_untaken(v);
    kl_json_assert_text(key, "b", 1);
    assert_int_equal(kl_json_offset(key), 7);
    assert_int_equal(kl_json_type_of(key), KL_JSON_STRING); /* a mark changes nothing else */
    kl_json *b = kl_json_take(v, "b", &hint);
    assert_int_equal(b->count, 1);
    assert_null(kl_json_first_untaken(v));
    kl_json_assert_text(kl_json_first_untaken(b), "x", 1);
    assert_int_equal(kl_json_take(v, "a", &hint)->as.integer, 1); /* again */
    hint = NULL;
    v = kl_json_reading_ok(x, "{}");
    assert_null(kl_json_take(v, "a", &hint));
    assert_null(kl_json_first_untaken(v));
}

int main(void)
{
#define TEST(f)                                                                                    \
    cmocka_unit_test_setup_teardown(f, kl_json_reading_set_up, kl_json_reading_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(double_keys_are_refused),  TEST(objects_of_every_size_up_to_a_hundred),
        TEST(a_hundred_thousand_keys),  TEST(the_first_of_many_double_keys),
        TEST(taking_keys_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
