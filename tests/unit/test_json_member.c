/* SPDX-License-Identifier: BSD-2-Clause */
/* One member of a JSON object, also of what is none, and seconds as milliseconds. */
#include "sasl/json_member.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void finds(const char *json, const char *name, const char *wanted)
{
    kl_guard g;
    kl_guard_init(&g, 512);
    size_t len = strlen(json);
    char *copy = (char *)kl_guard_copy_at_end(&g, json, len);
    kloop_string value = {0};
    bool found = kl_json_member_find((kloop_string){copy, len}, name, &value);
    if (found != (wanted != NULL))
        fail_msg("%s in %s: %s", name, json, found ? "found" : "not found");
    if (found) {
        assert_int_equal(value.len, strlen(wanted));
        assert_memory_equal(value.data, wanted, value.len);
    }
    kl_guard_deinit(&g);
}

static void members(void **state)
{
    (void)state;
    finds("{\"exp\":12}", "exp", "12");
    finds(" {\t\"exp\" :\r\n 12 } x", "exp", "12");
    finds("{\"a\":\"exp\",\"exp\":[1,{\"exp\":2}],\"b\":{}}", "exp", "[1,{\"exp\":2}]");
    finds("{\"a\":{\"exp\":1},\"b\":[{\"exp\":2}]}", "exp", NULL);
    finds("{\"a\":\"\\\"exp\\\":1\",\"exp\":\"}\\\\\"}", "exp", "\"}\\\\\"");
    finds("{\"exp\":1,\"exp\":2}", "exp", "2");
    finds("{\"expired\":1,\"ex\":2}", "exp", NULL);
    finds("{\"a\":null,\"exp\":true}", "exp", "true");
    finds("{\"a\":[[[\"]]]\"]]],\"exp\":1e3}", "exp", "1e3");
    finds("{}", "exp", NULL);
    finds("[{\"exp\":1}]", "exp", NULL);
    finds("\"exp\"", "exp", NULL);
    finds("", "exp", NULL);
}

/* What is broken is never found out too late: no look beyond the end, and no more than what stood
 * before the break. */
static void broken_ones(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\":{\"x\":[1,\"\\\\\\\"]\"]},\"b\" : -1.5e3 ,\"exp\":\"12\"}";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char cut[64] = {0};
        memcpy(cut, whole, len);
        const char *b = strchr(cut, 'b') && strstr(cut, "-1.5e3") ? "-1.5e3" : NULL;
        if (b)
            finds(cut, "b", b);
        finds(cut, "exp", len == sizeof whole - 2 ? "\"12\"" : NULL);
    }
    finds("{\"exp\"", "exp", NULL);
    finds("{\"exp\":", "exp", NULL);
    finds("{\"exp\":\"", "exp", NULL);
    finds("{\"exp\":\"\\", "exp", NULL);
    finds("{\"exp\":\"\\\"", "exp", NULL);
    finds("{\"exp\":[", "exp", NULL);
    finds("{\"exp\":}", "exp", NULL);
    finds("{\"exp\",1}", "exp", NULL);
    finds("{exp:1}", "exp", NULL);
    finds("{\"a\":1 \"exp\":1}", "exp", NULL);
    /* Deep ones cost no stack. */
    size_t deep = 1000000;
    char *json = malloc(deep + 20);
    memcpy(json, "{\"exp\":", 7);
    memset(json + 7, '[', deep);
    kloop_string value;
    assert_false(kl_json_member_find((kloop_string){json, deep + 7}, "exp", &value));
    free(json);
}

static void strings(void **state)
{
    (void)state;
    kloop_string content;
    assert_true(kl_json_member_string((kloop_string){"\"ab\"", 4}, &content));
    assert_int_equal(content.len, 2);
    assert_memory_equal(content.data, "ab", 2);
    assert_true(kl_json_member_string((kloop_string){"\"\"", 2}, &content));
    assert_int_equal(content.len, 0);
    assert_false(kl_json_member_string((kloop_string){"12", 2}, &content));
    assert_false(kl_json_member_string((kloop_string){"\"", 1}, &content));
    assert_false(kl_json_member_string((kloop_string){NULL, 0}, &content));
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"1", 1000},
        {"1700000000", 1700000000000},
        {"1700000000.5", 1700000000500},
        {"1700000000.123456789", 1700000000123},
        {"1700000000.99999999999999999999999999999", 1700000000999},
        {"1.700000000123E9", 1700000000123},
        {"1.7e+9", 1700000000000},
        {"17000000000e-1", 1700000000000},
        {"0.0000000000000000000000000000001e40", 1000000000000},
        {"-5", 0},
        {"-1e300", 0},
        {"1e-400", 0},
        {"0e999999999999", 0},
        {"18446744073709551", 18446744073709551000u},
        {"18446744073709552", KLOOP_NEVER},
        {"99999999999999999999999999999", KLOOP_NEVER},
        {"1e300", KLOOP_NEVER},
        {"1e99999999999999999999", KLOOP_NEVER},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t ms = 77;
        if (!kl_json_member_ms((kloop_string){good[i].text, strlen(good[i].text)}, &ms))
            fail_msg("%s is a number", good[i].text);
        if (ms != good[i].ms)
            fail_msg("%s: %llu ms", good[i].text, (unsigned long long)ms);
    }
    static const char *const bad[] = {"",   "-",   "+1",  "01",   "1.",  ".5",      "1e",
                                      "e1", "1e+", "1 ",  "0x10", "NaN", "\"12\"",  "true",
                                      "1_", "--1", "1.e", "[1]",  "-01", "Infinity"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t ms;
        if (kl_json_member_ms((kloop_string){bad[i], strlen(bad[i])}, &ms))
            fail_msg("\"%s\" is no number", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(broken_ones),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
