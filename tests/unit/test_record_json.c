/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes in JSON: text as it is, all others in base64 under their own name. */
#include "cli/record_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void text_and_other_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *json;
    } cases[] = {
        {NULL, 0, "{\"a\":null}"},
        {"", 0, "{\"a\":\"\"}"},
        {"x\"\n", 3, "{\"a\":\"x\\\"\\n\"}"},
        {"\0", 1, "{\"a\":\"\\u0000\"}"},
        {"\xc3\xa9", 2, "{\"a\":\"\xc3\xa9\"}"},
        {"\xc3", 1, "{\"b\":\"ww==\"}"},
        {"ok\xff", 3, "{\"b\":\"b2v/\"}"},
        {"\xed\xa0\x80", 3, "{\"b\":\"7aCA\"}"}, /* half a surrogate pair */
    };
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_json_writer json;
        kl_buf_reset(&out);
        kl_json_write_init(&json, &out);
        kl_json_write_object_begin(&json);
        kl_record_json_bytes(&json, "a", "b",
                             (kloop_slice){(const uint8_t *)cases[i].bytes, cases[i].len});
        kl_json_write_object_end(&json);
        assert_true(kl_json_write_end(&json));
        kl_buf_append_byte(&out, 0);
        assert_string_equal(out.data, cases[i].json);
    }
    kl_buf_deinit(&out);
}

static void outcomes(void **state)
{
    (void)state;
    assert_string_equal(kl_record_json_outcome(false), "failed");
    assert_string_equal(kl_record_json_outcome(true), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_other_bytes),
        cmocka_unit_test(outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
