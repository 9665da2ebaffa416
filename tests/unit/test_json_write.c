/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON writer: commas, escapes, numbers, and that our own reader gets back what was written. */
#include "tests/support/asserted.h"
#include "tests/support/fail_alloc.h"
#include "wiretools/json_read.h"
#include "wiretools/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    kl_fail_alloc alloc;
    kl_buf out;
    kl_json_writer w;
} fixture;

static int set_up(void **state)
{
    fixture *x = calloc(1, sizeof(*x));
    kl_fail_alloc_init(&x->alloc, 0);
    kloop_allocator table = kl_fail_alloc_table(&x->alloc);
    kl_buf_init(&x->out, &table);
    kl_json_write_init(&x->w, &x->out);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    fixture *x = *state;
    kl_buf_deinit(&x->out);
    kl_fail_alloc_check(&x->alloc);
    free(x);
    return 0;
}

static void written(fixture *x, const char *expected)
{
    assert_true(kl_json_write_end(&x->w));
    kl_buf_append_byte(&x->out, 0);
    assert_string_equal((const char *)x->out.data, expected);
    kl_buf_reset(&x->out);
    kl_json_write_init(&x->w, &x->out);
}

static void commas_come_by_themselves(void **state)
{
    fixture *x = *state;
    kl_json_writer *w = &x->w;
    kl_json_write_object_begin(w);
    kl_json_write_object_end(w);
    written(x, "{}");
    kl_json_write_array_begin(w);
    kl_json_write_array_end(w);
    written(x, "[]");
    kl_json_write_object_begin(w);
    kl_json_write_key(w, "a");
    kl_json_write_int64(w, 1);
    kl_json_write_key(w, "b");
    kl_json_write_array_begin(w);
    kl_json_write_null(w);
    kl_json_write_array_begin(w);
    kl_json_write_array_end(w);
    kl_json_write_object_begin(w);
    kl_json_write_key(w, "c");
    kl_json_write_bool(w, true);
    kl_json_write_object_end(w);
    kl_json_write_bool(w, false);
    kl_json_write_array_end(w);
    kl_json_write_key_string(w, (kloop_string){"d\0\"", 3});
    kl_json_write_object_begin(w);
    kl_json_write_object_end(w);
    kl_json_write_key(w, "");
    kl_json_write_text(w, "x");
    kl_json_write_object_end(w);
    written(x, "{\"a\":1,\"b\":[null,[],{\"c\":true},false],\"d\\u0000\\\"\":{},\"\":\"x\"}");
}

static void top_level_values_stand_alone(void **state)
{
    fixture *x = *state;
    kl_json_write_int64(&x->w, 1);
    assert_true(kl_json_write_end(&x->w));
    kl_buf_append_byte(&x->out, '\n');
    kl_json_write_array_begin(&x->w);
    kl_json_write_array_end(&x->w);
    kl_buf_append_byte(&x->out, '\n');
    kl_json_write_null(&x->w);
    written(x, "1\n[]\nnull");
}

static void every_kind_of_value_takes_its_comma(void **state)
{
    fixture *x = *state;
    kl_json_writer *w = &x->w;
    kloop_uuid id = {{0}};
    kl_json_write_array_begin(w);
    for (int round = 0; round < 2; round++) {
        kl_json_write_null(w);
        kl_json_write_bool(w, true);
        kl_json_write_int64(w, -5);
        kl_json_write_string(w, (kloop_string){"s", 1});
        kl_json_write_text(w, "t");
        kl_json_write_base64(w, (kloop_slice){(const uint8_t *)"b", 1});
        kl_json_write_uuid(w, &id);
    }
    kl_json_write_array_end(w);
    written(x, "[null,true,-5,\"s\",\"t\",\"Yg==\",\"AAAAAAAAAAAAAAAAAAAAAA\","
               "null,true,-5,\"s\",\"t\",\"Yg==\",\"AAAAAAAAAAAAAAAAAAAAAA\"]");
}

static void integers_have_all_their_digits(void **state)
{
    fixture *x = *state;
    kl_json_writer *w = &x->w;
    kl_json_write_array_begin(w);
    kl_json_write_int64(w, 0);
    kl_json_write_int64(w, 9);
    kl_json_write_int64(w, -10);
    kl_json_write_int64(w, INT64_C(9007199254740993));
    kl_json_write_int64(w, INT64_MAX);
    kl_json_write_int64(w, INT64_MIN);
    kl_json_write_int64(w, INT64_MIN + 1);
    kl_json_write_array_end(w);
    written(x, "[0,9,-10,9007199254740993,9223372036854775807,-9223372036854775808,"
               "-9223372036854775807]");
}

static void strings_are_escaped(void **state)
{
    fixture *x = *state;
    kl_json_write_text(&x->w, "");
    written(x, "\"\"");
    kl_json_write_text(&x->w, "a\"b\\c/d");
    written(x, "\"a\\\"b\\\\c/d\"");
    char all[0x20];
    for (int i = 0; i < 0x20; i++)
        all[i] = (char)i;
    kl_json_write_string(&x->w, (kloop_string){all, sizeof(all)});
    written(x, "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000B\\f\\r"
               "\\u000E\\u000F\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018"
               "\\u0019\\u001A\\u001B\\u001C\\u001D\\u001E\\u001F\"");
    kl_json_write_text(&x->w, "\x7f \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa8");
    written(x, "\"\x7f \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa8\"");
}

static void null_is_not_empty(void **state)
{
    fixture *x = *state;
    kl_json_writer *w = &x->w;
    kl_json_write_array_begin(w);
    kl_json_write_string(w, (kloop_string){NULL, 0});
    kl_json_write_string(w, (kloop_string){"", 0});
    kl_json_write_base64(w, (kloop_slice){NULL, 0});
    kl_json_write_base64(w, (kloop_slice){(const uint8_t *)"", 0});
    kl_json_write_array_end(w);
    written(x, "[null,\"\",null,\"\"]");
}

static void ids_and_bytes(void **state)
{
    fixture *x = *state;
    kloop_uuid id = {{0x03, 0xe6, 0x64, 0x9b, 0x18, 0xa2, 0xfd, 0xe7, 0x97, 0x5a, 0x0f, 0xe1, 0x52,
                      0xa0, 0xf9, 0x70}};
    kl_json_write_uuid(&x->w, &id);
    written(x, "\"A-Zkmxii_eeXWg_hUqD5cA\"");
    kl_json_write_base64(&x->w, (kloop_slice){(const uint8_t *)"\xfb\xff\xbfx", 4});
    written(x, "\"+/+/eA==\"");
}

static void nesting_up_to_the_limit(void **state)
{
    fixture *x = *state;
    for (int i = 0; i < KL_JSON_WRITE_DEPTH_MAX; i++) {
        if (i % 2) {
            kl_json_write_object_begin(&x->w);
            kl_json_write_key(&x->w, "k");
        } else {
            kl_json_write_array_begin(&x->w);
        }
    }
    /* The innermost one is an object with a key. */
    kl_json_write_null(&x->w);
    for (int i = KL_JSON_WRITE_DEPTH_MAX; i-- > 0;) {
        if (i % 2)
            kl_json_write_object_end(&x->w);
        else
            kl_json_write_array_end(&x->w);
    }
    assert_true(kl_json_write_end(&x->w));
    assert_int_equal(x->out.len, 32 * 2 + 32 * 6 + 4);
}

/* Any bytes that are UTF-8, through the writer and the reader. */
static void the_reader_reads_it_back(void **state)
{
    fixture *x = *state;
    char text[256 + 64];
    for (size_t i = 0; i < 128; i++)
        text[i] = (char)i;
    for (size_t i = 0; i < 32; i++)
        memcpy(text + 128 + 3 * i, i % 2 ? "\xe2\x82\xac" : "\xef\xbf\xbd", 3);
    kloop_allocator table = kl_fail_alloc_table(&x->alloc);
    kl_json_doc doc;
    kl_json_doc_init(&doc, &table);
    for (size_t n = 0; n <= 128 + 96; n = n < 128 ? n + 1 : n + 3) {
        kl_json_write_object_begin(&x->w);
        kl_json_write_key_string(&x->w, (kloop_string){text, n});
        kl_json_write_int64(&x->w, INT64_MIN + (int64_t)n);
        kl_json_write_object_end(&x->w);
        assert_true(kl_json_write_end(&x->w));
        kl_json *v = kl_json_read(&doc, (const char *)x->out.data, x->out.len);
        assert_non_null(v);
        kl_json *key = kl_json_first(v);
        kloop_string s = kl_json_string(key);
        assert_int_equal(s.len, n);
        assert_memory_equal(s.data, text, n);
        assert_true(kl_json_next(key)->as.integer == INT64_MIN + (int64_t)n);
        kl_buf_reset(&x->out);
        kl_json_write_init(&x->w, &x->out);
    }
    kl_json_doc_deinit(&doc);
}

static bool write_some(const kloop_allocator *alloc, kl_buf *out)
{
    kl_buf_init(out, alloc);
    kl_json_writer w;
    kl_json_write_init(&w, out);
    kloop_uuid id = {{1, 2, 3}};
    kl_json_write_array_begin(&w);
    for (int i = 0; i < 40; i++) {
        kl_json_write_object_begin(&w);
        kl_json_write_key(&w, "number");
        kl_json_write_int64(&w, i);
        kl_json_write_key(&w, "text");
        kl_json_write_text(&w, "one\ntwo");
        kl_json_write_key(&w, "bytes");
        kl_json_write_base64(&w, (kloop_slice){(const uint8_t *)"0123456789", 10});
        kl_json_write_key(&w, "id");
        kl_json_write_uuid(&w, &id);
        kl_json_write_key(&w, "none");
        kl_json_write_null(&w);
        kl_json_write_object_end(&w);
    }
    kl_json_write_array_end(&w);
    return kl_json_write_end(&w);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    kl_buf whole;
    assert_true(write_some(&kl_mem_libc, &whole));
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_buf out;
        bool ok = write_some(&alloc, &out);
        assert_true(ok == (f.refused == 0));
        /* What is there is the beginning of what should be: nothing is left out in the middle. */
        assert_true(out.len <= whole.len);
        assert_true(ok == (out.len == whole.len));
        if (out.len > 0)
            assert_memory_equal(out.data, whole.data, out.len);
        kl_buf_deinit(&out);
        kl_fail_alloc_check(&f);
        if (f.refused == 0)
            break;
    }
    kl_buf_deinit(&whole);
}

static void the_buffer_may_have_a_limit(void **state)
{
    fixture *x = *state;
    kl_buf_set_limit(&x->out, 10);
    kl_json_write_base64(&x->w, (kloop_slice){(const uint8_t *)"0123456", 7});
    assert_false(kl_json_write_end(&x->w));
    assert_true(x->out.over_limit);
    kl_buf_reset(&x->out);
    kl_json_write_init(&x->w, &x->out);
    kl_json_write_base64(&x->w, (kloop_slice){(const uint8_t *)"012345", 6});
    assert_true(kl_json_write_end(&x->w));
    assert_int_equal(x->out.len, 10);
    assert_memory_equal(x->out.data, "\"MDEyMzQ1\"", 10);
}

/* ---- Calls that make no JSON ---- */

static void value_without_key(kl_json_writer *w)
{
    kl_json_write_object_begin(w);
    kl_json_write_null(w);
}

static void container_without_key(kl_json_writer *w)
{
    kl_json_write_object_begin(w);
    kl_json_write_array_begin(w);
}

static void key_behind_key(kl_json_writer *w)
{
    kl_json_write_object_begin(w);
    kl_json_write_key(w, "a");
    kl_json_write_key(w, "b");
}

static void key_in_array(kl_json_writer *w)
{
    kl_json_write_array_begin(w);
    kl_json_write_key(w, "a");
}

static void key_at_top(kl_json_writer *w)
{
    kl_json_write_key(w, "a");
}

static void key_without_value(kl_json_writer *w)
{
    kl_json_write_object_begin(w);
    kl_json_write_key(w, "a");
    kl_json_write_object_end(w);
}

static void wrong_end(kl_json_writer *w)
{
    kl_json_write_array_begin(w);
    kl_json_write_object_end(w);
}

static void end_without_begin(kl_json_writer *w)
{
    kl_json_write_array_end(w);
}

static void begin_without_end(kl_json_writer *w)
{
    kl_json_write_array_begin(w);
    kl_json_write_end(w);
}

static void too_deep(kl_json_writer *w)
{
    for (int i = 0; i <= KL_JSON_WRITE_DEPTH_MAX; i++)
        kl_json_write_array_begin(w);
}

typedef struct attempt {
    void (*mistake)(kl_json_writer *w);
    kl_json_writer *w;
} attempt;

static void make_mistake(void *ctx)
{
    attempt *a = ctx;
    a->mistake(a->w);
}

static void what_makes_no_json_is_asserted(void **state)
{
    fixture *x = *state;
    static void (*const mistakes[])(kl_json_writer *) = {
        value_without_key, container_without_key,
        key_behind_key,    key_in_array,
        key_at_top,        key_without_value,
        wrong_end,         end_without_begin,
        begin_without_end, too_deep,
    };
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        kl_json_write_init(&x->w, &x->out);
        attempt a = {mistakes[i], &x->w};
        if (!kl_asserted(make_mistake, &a))
            fail_msg("mistake %zu was not noticed", i);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(commas_come_by_themselves),
        TEST(top_level_values_stand_alone),
        TEST(every_kind_of_value_takes_its_comma),
        TEST(integers_have_all_their_digits),
        TEST(strings_are_escaped),
        TEST(null_is_not_empty),
        TEST(ids_and_bytes),
        TEST(nesting_up_to_the_limit),
        TEST(the_reader_reads_it_back),
        TEST(each_allocation_may_fail),
        TEST(the_buffer_may_have_a_limit),
        TEST(what_makes_no_json_is_asserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
