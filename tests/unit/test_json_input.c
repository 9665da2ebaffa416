/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as JSON: what each member becomes, what is refused and at which byte, and no memory. */
#include "cli/json_input.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static kl_json_input in;
static kl_input_record out;
static kl_input_fault fault;

static bool read_text(const char *text)
{
    return kl_json_input_read(&in, (kloop_string){text, strlen(text)}, &out, &fault);
}

static void assert_bytes(kloop_slice got, const char *wanted, size_t len)
{
    assert_int_equal(got.data == NULL, wanted == NULL);
    assert_int_equal(got.len, len);
    if (len)
        assert_memory_equal(got.data, wanted, len);
}

static void every_member(void **state)
{
    (void)state;
    assert_true(read_text(
        " {\"headers\":[{\"value\":\"x\",\"key\":\"h\"},{\"key64\":\"/w==\",\"value64\":\"\"},"
        "{\"key\":\"\",\"value\":null}],\"value64\":\"AP8=\",\"key\":\"k\\u0000\","
        "\"timestamp\":9223372036854775807,\"partition\":2147483647,\"topic\":\"t\\u002e1\"}\r"));
    assert_string_equal(out.topic.data, "t.1");
    assert_int_equal(out.topic.len, 3);
    const kloop_record *r = &out.record;
    assert_int_equal(r->set, KLOOP_SET_PARTITION | KLOOP_SET_TIMESTAMP);
    assert_int_equal(r->partition, INT32_MAX);
    assert_int_equal(r->timestamp_ms, INT64_MAX);
    assert_bytes(r->key, "k\0", 2);
    assert_bytes(r->value, "\0\xff", 2);
    assert_true(out.has_key && out.has_headers);
    assert_int_equal(r->header_count, 3);
    assert_memory_equal(r->headers[0].key.data, "h", 1);
    assert_bytes(r->headers[0].value, "x", 1);
    assert_memory_equal(r->headers[1].key.data, "\xff", 1);
    assert_bytes(r->headers[1].value, "", 0);
    assert_int_equal(r->headers[2].key.len, 0);
    assert_non_null(r->headers[2].key.data);
    assert_bytes(r->headers[2].value, NULL, 0);
}

static void what_is_not_given(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"value\":null}",
        "{\"topic\":null,\"partition\":null,\"timestamp\":null,\"headers\":null,\"value64\":null}"};
    for (int i = 0; i < 2; i++) {
        assert_true(read_text(texts[i]));
        assert_null(out.topic.data);
        assert_int_equal(out.record.set, 0);
        assert_false(out.has_key || out.has_headers);
        assert_int_equal(out.record.header_count, 0);
        assert_bytes(out.record.key, NULL, 0);
        assert_bytes(out.record.value, NULL, 0);
    }
    assert_true(read_text("{\"key\":null,\"headers\":[],\"value\":\"\"}"));
    assert_true(out.has_key && out.has_headers);
    assert_bytes(out.record.value, "", 0);
    assert_true(read_text("{\"value\":\"v\",\"outcome\":\"?\",\"error\":\"E\",\"message\":\"m\"}"));
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t byte;
        const char *reason;
    } cases[] = {
        {"", 1, "no JSON text"},
        {"{", 2, "the JSON text ends too early"},
        {"7", 1, "an integer where an object, as {\"value\":\"...\"}, is needed"},
        {"{\"value\":7}", 10,
         "value: an integer where a string or null (put it in quotes; JSON goes in as text) is "
         "needed"},
        {"{}", 1, "the record has no value; write \"value\":null for a tombstone"},
        {"{\"value\":\"\",\"value64\":\"\"}", 23,
         "value64: value is there too, only one of them may be"},
        {"{\"value64\":\"/w=\"}", 12, NULL},
        {"{\"valeu\":\"\"}", 2, "a record has no member 'valeu', did you mean 'value'?"},
        {"{\"value\":\"\",\"q\":1}", 13, "a record has no member 'q'"},
        {"{\"value\":\"\",\"partition\":2147483648}", 25,
         "partition: out of range, 0 to 2147483647 are allowed"},
        {"{\"value\":\"\",\"timestamp\":-1}", 25,
         "timestamp: out of range, 0 to 9223372036854775807 are allowed"},
        {"{\"value\":\"\",\"topic\":\"\"}", 21, "topic: this is no topic's name"},
        {"{\"value\":\"\",\"headers\":[7]}", 24,
         "headers: an integer where an object with key and value is needed"},
        {"{\"value\":\"\",\"headers\":[{\"key\":\"h\"}]}", 24,
         "a header has no value; null is a value that is null"},
        {"{\"value\":\"\",\"headers\":[{\"value\":\"h\"}]}", 24,
         "a header has no key, or null for one"},
        {"{\"value\":\"\",\"headers\":[{\"key\":\"h\",\"value\":\"\",\"vlue\":1}]}", 46,
         "a header has no member 'vlue', did you mean 'value'?"},
        {"{\"value\":\"\",\"outcome\":null}", 23, "outcome: null where a string is needed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(read_text(cases[i].text));
        assert_int_equal(fault.byte, cases[i].byte);
        if (cases[i].reason)
            assert_string_equal(fault.text, cases[i].reason);
    }
}

/* Names from outside do not break the line in which they are told. */
static void names_that_are_no_text(void **state)
{
    (void)state;
    char text[1200] = "{\"", *at = text + 2;
    memset(at, 'x', 1000);
    strcpy(at + 1000, "\\n\":1}");
    assert_false(read_text(text));
    assert_true(strlen(fault.text) < 120);
    assert_null(strchr(fault.text, '\n'));
}

static void more_headers_than_there_may_be(void **state)
{
    (void)state;
    static char text[70000 * 3 + 64];
    size_t n = (size_t)sprintf(text, "{\"value\":\"\",\"headers\":[7");
    for (int i = 0; i < 65535; i++)
        n += (size_t)sprintf(text + n, ",7");
    strcpy(text + n, "]}");
    assert_false(read_text(text));
    assert_string_equal(fault.text, "headers: there are more than 65535");
}

static void no_memory(void **state)
{
    (void)state;
    static const char text[] = "{\"topic\":\"t\\u0041\",\"value64\":\"AAAA\",\"key\":\"\\n\","
                               "\"headers\":[{\"key\":\"h\",\"value64\":\"AAAA\"}]}";
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_json_input one;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_json_input_init(&one, &alloc);
        bool ok = kl_json_input_read(&one, (kloop_string){text, sizeof text - 1}, &out, &fault);
        if (!ok)
            assert_non_null(strstr(fault.text, "memory"));
        kl_json_input_deinit(&one);
        kl_fail_alloc_check(&f);
        if (f.refused == 0) {
            assert_true(ok);
            break;
        }
        assert_false(ok);
    }
}

static int set_up(void **state)
{
    (void)state;
    kl_json_input_init(&in, &kl_mem_libc);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kl_json_input_deinit(&in);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member),    cmocka_unit_test(what_is_not_given),
        cmocka_unit_test(what_is_refused), cmocka_unit_test(names_that_are_no_text),
        cmocka_unit_test(no_memory),       cmocka_unit_test(more_headers_than_there_may_be),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
