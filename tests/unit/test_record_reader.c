/* SPDX-License-Identifier: BSD-2-Clause */
/* What flags fill in, and what they leave alone, in each form of input. */
#include "cli/record_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const kloop_record_header fixed[] = {{{"h", 1}, {NULL, 0}}};

static kl_record_form form;
static kl_record_reader reader;
static kl_input_record out;
static kl_input_fault fault;

static kl_record_read read_text(const char *text, bool whole)
{
    return kl_record_reader_read(&reader, (kloop_string){text, strlen(text)}, whole, &out, &fault);
}

static int set_up(void **state)
{
    (void)state;
    form = (kl_record_form){.topic = {"t", 1},
                            .partition = 2,
                            .key = {(const uint8_t *)"key", 3},
                            .headers = fixed,
                            .header_count = 1,
                            .lines.key_delimiter = {":", 1}};
    kl_record_reader_init(&reader, &form);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kl_record_reader_deinit(&reader);
    return 0;
}

static void assert_filled_in(void)
{
    assert_string_equal(out.topic.data, "t");
    assert_int_equal(out.record.set, KLOOP_SET_PARTITION);
    assert_int_equal(out.record.partition, 2);
    assert_int_equal(out.record.key.len, 3);
    assert_ptr_equal(out.record.headers, fixed);
    assert_int_equal(out.record.header_count, 1);
}

static void lines(void **state)
{
    (void)state;
    assert_int_equal(read_text("value", false), KL_RECORD_READ);
    assert_filled_in();
    assert_int_equal(read_text("k:value", false), KL_RECORD_READ);
    assert_int_equal(out.record.key.len, 1);
    assert_int_equal(read_text("", false), KL_RECORD_READ);
    assert_filled_in();
    form.skip_empty = true;
    assert_int_equal(read_text("", false), KL_RECORD_NONE);
    assert_int_equal(read_text(" ", false), KL_RECORD_READ);
    form.lines.strict = true;
    assert_int_equal(read_text("value", false), KL_RECORD_BAD);
    form.partition = -1;
    assert_int_equal(read_text("k:value", false), KL_RECORD_READ);
    assert_int_equal(out.record.set, 0);
}

static void whole_files(void **state)
{
    (void)state;
    form.json = true;
    assert_int_equal(read_text("a:b\n{", true), KL_RECORD_READ);
    assert_filled_in();
    assert_int_equal(out.record.value.len, 5);
    form.skip_empty = true;
    assert_int_equal(read_text("", true), KL_RECORD_READ);
    assert_non_null(out.record.value.data);
    form.lines.empty_is_null = true;
    assert_int_equal(read_text("", true), KL_RECORD_READ);
    assert_null(out.record.value.data);
}

static void objects(void **state)
{
    (void)state;
    form.json = true;
    assert_int_equal(read_text(" \t\r", false), KL_RECORD_NONE);
    assert_int_equal(read_text("{\"value\":\"a:b\"}", false), KL_RECORD_READ);
    assert_filled_in();
    assert_int_equal(read_text("{\"topic\":\"u\",\"partition\":0,\"key\":null,\"value\":\"\","
                               "\"headers\":[]}",
                               false),
                     KL_RECORD_READ);
    assert_string_equal(out.topic.data, "u");
    assert_int_equal(out.record.partition, 0);
    assert_null(out.record.key.data);
    assert_int_equal(out.record.header_count, 0);
    assert_int_equal(read_text("{", false), KL_RECORD_BAD);
    assert_int_equal(fault.byte, 2);
    form.topic = (kloop_string){NULL, 0};
    assert_int_equal(read_text("{\"value\":\"\"}", false), KL_RECORD_BAD);
    assert_int_equal(fault.byte, 0);
    assert_string_equal(fault.text, "it names no topic, and there is no -t TOPIC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(objects, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
