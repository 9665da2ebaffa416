/* SPDX-License-Identifier: BSD-2-Clause */
/* The event lines, letter for letter. */
#include "cli/produce_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

#define NO_BYTES                                                                                   \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static kl_produce_event event_of(kloop_slice key, kloop_slice value)
{
    return (kl_produce_event){.wall_ms = 1700000000123,
                              .age_ms = 9007199254740995,
                              .key = key,
                              .value = value,
                              .topic = {"t.1", 3},
                              .partition = 2};
}

static void assert_line(kl_buf *out, const char *line)
{
    assert_false(out->failed);
    kl_buf_append_byte(out, 0);
    assert_string_equal(out->data, line);
    kl_buf_reset(out);
}

static void beginning_and_end(void **state)
{
    (void)state;
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    kl_event_startup(&out, 1700000000123);
    assert_line(&out, "{\"name\":\"startup_complete\",\"timestamp\":1700000000123}\n");
    kl_event_shutdown(&out, 1700000000124, 7, 2, 1, 3500);
    assert_line(&out, "{\"name\":\"shutdown_complete\",\"timestamp\":1700000000124}\n"
                      "{\"name\":\"tool_data\",\"timestamp\":1700000000124,\"sent\":10,"
                      "\"acked\":7,"
                      "\"failed\":2,\"unknown\":1,\"avg_throughput\":2.000}\n");
    kl_event_shutdown(&out, 0, 0, 0, 0, 0);
    assert_line(&out, "{\"name\":\"shutdown_complete\",\"timestamp\":0}\n"
                      "{\"name\":\"tool_data\",\"timestamp\":0,\"sent\":0,"
                      "\"acked\":0,\"failed\":0,"
                      "\"unknown\":0,\"avg_throughput\":0.000}\n");
    kl_buf_deinit(&out);
}

static void success(void **state)
{
    (void)state;
    static const struct {
        kloop_slice key, value;
        const char *text;
    } cases[] = {
        {BYTES("k"), BYTES("v"), "\"key\":\"k\",\"value\":\"v\""},
        {NO_BYTES, NO_BYTES, "\"key\":null,\"value\":null"},
        {BYTES(""), BYTES(""), "\"key\":\"\",\"value\":\"\""},
        {BYTES("\xff"), BYTES("a\xc3"), "\"key64\":\"/w==\",\"value64\":\"YcM=\""},
        {BYTES("\xc3\xa9"), BYTES("\"\\\n"), "\"key\":\"\xc3\xa9\",\"value\":\"\\\"\\\\\\n\""},
        {NO_BYTES, BYTES("\x80"), "\"key\":null,\"value64\":\"gA==\""},
        {BYTES("\0"), BYTES("x"), "\"key\":\"\\u0000\",\"value\":\"x\""},
    };
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[256];
        kl_produce_event event = event_of(cases[i].key, cases[i].value);
        snprintf(line, sizeof line,
                 "{\"name\":\"producer_send_success\",\"timestamp\":1700000000123,%s,"
                 "\"topic\":\"t.1\",\"partition\":2,\"offset\":9007199254740993,"
                 "\"age_ms\":9007199254740995}\n",
                 cases[i].text);
        kl_event_success(&out, &event, 9007199254740993);
        assert_line(&out, line);
    }
    kl_buf_deinit(&out);
}

static void failure(void **state)
{
    (void)state;
    kl_buf out;
    kl_buf_init(&out, &kl_mem_libc);
    kl_produce_event event = event_of((kloop_slice)NO_BYTES, (kloop_slice)BYTES("v"));
    event.partition = -1;
    event.age_ms = 0;
    kl_event_error(&out, &event, KLOOP_OUTCOME_UNKNOWN, "DELIVERY_TIMED_OUT", "no \"answer\"");
    assert_line(
        &out, "{\"name\":\"producer_send_error\",\"timestamp\":1700000000123,\"key\":"
              "null,"
              "\"value\":\"v\",\"topic\":\"t.1\",\"partition\":-1,\"outcome\":"
              "\"unknown\","
              "\"error\":\"DELIVERY_TIMED_OUT\",\"message\":\"no \\\"answer\\\"\",\"age_ms\":0}\n");
    kl_event_error(&out, &event, KLOOP_OUTCOME_FAILED, "X", NULL);
    assert_line(&out, "{\"name\":\"producer_send_error\",\"timestamp\":"
                      "1700000000123,\"key\":null,"
                      "\"value\":\"v\",\"topic\":\"t.1\",\"partition\":-1,"
                      "\"outcome\":\"failed\","
                      "\"error\":\"X\",\"message\":\"\",\"age_ms\":0}\n");
    kl_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beginning_and_end),
        cmocka_unit_test(success),
        cmocka_unit_test(failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
