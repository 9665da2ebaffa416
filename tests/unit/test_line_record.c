/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines to records: kcat's delimiters, and the forms of kafka-console-producer. */
#include "cli/line_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static char shown[512];

static void show_bytes(const char *name, kloop_slice s)
{
    size_t n = strlen(shown);
    if (s.data)
        snprintf(shown + n, sizeof shown - n, "%s'%.*s'", name, (int)s.len, (const char *)s.data);
    else
        snprintf(shown + n, sizeof shown - n, "%snull", name);
}

/* What a line became, in one text. */
static const char *read_line(const kl_line_form *form, const char *line)
{
    kl_buf headers;
    kl_input_record out;
    kl_input_fault fault;
    kl_buf_init(&headers, &kl_mem_libc);
    shown[0] = '\0';
    if (!kl_line_record_read(form, (kloop_string){line, strlen(line)}, &headers, &out, &fault)) {
        snprintf(shown, sizeof shown, "%s", fault.text);
        assert_int_equal(fault.byte, 0);
    } else {
        if (out.has_headers)
            strcat(shown, "[");
        for (uint32_t i = 0; i < out.record.header_count; i++) {
            const kloop_record_header *h = &out.record.headers[i];
            show_bytes("", (kloop_slice){(const uint8_t *)h->key.data, h->key.len});
            show_bytes("=", h->value);
            strcat(shown, " ");
        }
        if (out.has_headers)
            strcat(shown, "] ");
        if (out.has_key)
            show_bytes("", out.record.key);
        show_bytes(":", out.record.value);
    }
    kl_buf_deinit(&headers);
    return shown;
}

static void nothing_but_values(void **state)
{
    (void)state;
    kl_line_form form = {.strict = true};
    assert_string_equal(read_line(&form, "a\tb"), ":'a\tb'");
    assert_string_equal(read_line(&form, ""), ":''");
    form.empty_is_null = true;
    assert_string_equal(read_line(&form, ""), ":null");
}

static void keys(void **state)
{
    (void)state;
    kl_line_form form = {.key_delimiter = TEXT("::")};
    assert_string_equal(read_line(&form, "k::v"), "'k':'v'");
    assert_string_equal(read_line(&form, "k:v:::w"), "'k:v':':w'");
    assert_string_equal(read_line(&form, "::"), "'':''");
    assert_string_equal(read_line(&form, "k:v"), ":'k:v'");
    assert_string_equal(read_line(&form, ":"), ":':'");
    form.empty_is_null = true;
    assert_string_equal(read_line(&form, "::"), "null:null");
    form.strict = true;
    assert_string_equal(read_line(&form, "k:v"), "there is no '::' behind the key");
}

static void headers(void **state)
{
    (void)state;
    kl_line_form form = {.headers_delimiter = TEXT("\t"),
                         .key_delimiter = TEXT("\t"),
                         .header_separator = TEXT(","),
                         .header_key_separator = TEXT(":"),
                         .null_marker = TEXT("NULL"),
                         .strict = true};
    assert_string_equal(read_line(&form, "a:1,b:2:3,c:\tk\tv"),
                        "['a'='1' 'b'='2:3' 'c'='' ] 'k':'v'");
    assert_string_equal(read_line(&form, "\tk\tv\tw"), "[] 'k':'v\tw'");
    assert_string_equal(read_line(&form, "NULL\tNULL\tNULL"), "[] null:null");
    assert_string_equal(read_line(&form, "a:NULL\tk\tv"), "['a'=null ] 'k':'v'");
    assert_string_equal(read_line(&form, "a\tk\tv"),
                        "there is no ':' behind the name of header 'a'");
    assert_string_equal(read_line(&form, "a:1,\tk\tv"),
                        "there is no ':' behind the name of header ''");
    assert_string_equal(read_line(&form, "value"), "there is no '\\t' behind the headers");
    assert_string_equal(read_line(&form, "a:1\tvalue"), "there is no '\\t' behind the key");
    form.strict = false;
    assert_string_equal(read_line(&form, "value"), ":'value'");
    assert_string_equal(read_line(&form, "a:1\tvalue"), "['a'='1' ] :'value'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_values),
        cmocka_unit_test(keys),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
