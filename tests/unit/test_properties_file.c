/* SPDX-License-Identifier: BSD-2-Clause */
/* Java's properties: what java.util.Properties.load makes of the same text. */
#include "cli/properties_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "line key=value" of each pair, with '|' between them. */
static bool collect(void *ctx, const char *key, const char *value, unsigned line)
{
    char *text = ctx;
    size_t len = strlen(text);
    snprintf(text + len, 512 - len, "%s%u %s=%s", len ? "|" : "", line, key, value);
    return strcmp(key, "stop") != 0;
}

static const char *pairs_of(const char *text, size_t len)
{
    static char all[512];
    char why[128];
    /* Bytes behind the text would be seen by the sanitizer. */
    char *bytes = calloc(1, len + (len == 0));
    memcpy(bytes, text, len);
    all[0] = '\0';
    bool ok = kl_properties_parse(bytes, len, collect, all, why, sizeof why);
    free(bytes);
    if (!ok)
        snprintf(all + strlen(all), sizeof all - strlen(all), "! %s", why);
    return all;
}

#define PAIRS(text) pairs_of(text, sizeof text - 1)

static void keys_and_values(void **state)
{
    (void)state;
    assert_string_equal(PAIRS(""), "");
    assert_string_equal(PAIRS("a=1"), "1 a=1");
    assert_string_equal(PAIRS("a=1\nb=2\n"), "1 a=1|2 b=2");
    assert_string_equal(PAIRS("a:1\r\nb 2\rc\t3"), "1 a=1|2 b=2|3 c=3");
    assert_string_equal(PAIRS("  a  =  1  "), "1 a=1  ");
    assert_string_equal(PAIRS("a = = 1"), "1 a== 1");
    assert_string_equal(PAIRS("a"), "1 a=");
    assert_string_equal(PAIRS("a="), "1 a=");
    assert_string_equal(PAIRS("=1"), "1 =1");
    assert_string_equal(PAIRS("a=1\na=2"), "1 a=1|2 a=2");
    assert_string_equal(PAIRS("a=x=y:z"), "1 a=x=y:z");
}

static void comments_and_blank_lines(void **state)
{
    (void)state;
    assert_string_equal(PAIRS("# a=1\n! b=2\n\n   \n  # c\nd=4"), "6 d=4");
    assert_string_equal(PAIRS("a=1 # no comment"), "1 a=1 # no comment");
    assert_string_equal(PAIRS("# not continued \\\na=1"), "2 a=1");
}

static void continued_lines(void **state)
{
    (void)state;
    assert_string_equal(PAIRS("a=1,\\\n   2,\\\r\n\t3\nb=4"), "1 a=1,2,3|4 b=4");
    assert_string_equal(PAIRS("a=1\\\\\nb=2"), "1 a=1\\|2 b=2");
    assert_string_equal(PAIRS("a=1\\"), "1 a=1");
    assert_string_equal(PAIRS("a=1\\\n"), "1 a=1");
    assert_string_equal(PAIRS("a\\\n  b = c"), "1 ab=c");
    assert_string_equal(PAIRS("a=1\\\n# no comment here"), "1 a=1# no comment here");
    /* A line of nothing but a backslash does not begin anything: what comes is a line of its own,
     * which may be a comment. Found by comparing with java.util.Properties. */
    assert_string_equal(PAIRS("\\\n# a comment\na=1"), "3 a=1");
    assert_string_equal(PAIRS("\\\n\\\n  a=1"), "3 a=1");
    assert_string_equal(PAIRS("\\\n\n"), "");
    assert_string_equal(PAIRS("\\\n"), "");
    assert_string_equal(PAIRS("\\"), "");
    assert_string_equal(PAIRS("#\\"), "");
}

static void escapes(void **state)
{
    (void)state;
    assert_string_equal(PAIRS("a\\=b\\:c\\ d=1"), "1 a=b:c d=1");
    assert_string_equal(PAIRS("a=\\t\\n\\r\\f\\\\\\q\\\"\\ "), "1 a=\t\n\r\f\\q\" ");
    assert_string_equal(PAIRS("a=\\u0041\\u00e9\\u20AC"), "1 a=A\xc3\xa9\xe2\x82\xac");
    assert_string_equal(PAIRS("a=\\ud83d\\ude00"), "1 a=\xf0\x9f\x98\x80");
    assert_string_equal(PAIRS("a=\xc3\xa9"), "1 a=\xc3\xa9");
}

static void what_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"\\u",     "\\u004",   "\\u00g1",        "\\ud83d",
                                        "\\ude00", "\\ud83dx", "\\ud83d\\u0041", "\\u0000"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "a=1\nb=%s", cases[i]);
        const char *got = pairs_of(text, strlen(text));
        assert_true(strncmp(got, "1 a=1! line 2: ", 15) == 0);
    }
    assert_true(strncmp(PAIRS("a\0b=1"), "! line 1: ", 10) == 0);
}

static void the_taker_may_stop(void **state)
{
    (void)state;
    assert_string_equal(PAIRS("a=1\nstop=2\nc=3"), "1 a=1|2 stop=2! ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values), cmocka_unit_test(comments_and_blank_lines),
        cmocka_unit_test(continued_lines), cmocka_unit_test(escapes),
        cmocka_unit_test(what_is_refused), cmocka_unit_test(the_taker_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
