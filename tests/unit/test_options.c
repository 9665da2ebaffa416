/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a command line into flags and values. What is refused is said on
 * stderr, which the tests of the command read; here it only shows in the
 * answer. */
#include "cli/options.h"

#include "cli/exit_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { TOPIC = 1, COUNT, PROPS, QUIET, ZERO };

static const kl_option table[] = {
    {TOPIC, KL_OPTION_VALUE, 't', "topic", "TOPIC", "where to"},
    {COUNT, KL_OPTION_VALUE, 0, "count", "N", "how many"},
    {PROPS, KL_OPTION_WORDS, 'X', "props", "K=V", "configuration"},
    {PROPS, KL_OPTION_WORDS, 0, "old-props", "K=V", NULL},
    {QUIET, KL_OPTION_SWITCH, 'q', "quiet", NULL, "no words"},
    {ZERO, KL_OPTION_SWITCH, 'Z', NULL, NULL, "empty is null"},
};

#define WORDS_MAX 12

/* "id:value" of each flag, with '/' between them. */
static const char *read_all(const char *const *words)
{
    static char text[512];
    char *argv[WORDS_MAX + 1] = {(char *)(uintptr_t) "test"};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    kl_options o;
    kl_options_init(&o, "test", table, sizeof table / sizeof table[0], argc, argv);
    text[0] = '\0';
    for (int id; (id = kl_options_next(&o)) != KL_OPTIONS_END;) {
        char one[64];
        bool valued = id == TOPIC || id == COUNT || id == PROPS || id == KL_OPTIONS_WORD;
        snprintf(one, sizeof one, "%s%d%s%s", text[0] ? "/" : "", id, valued ? ":" : "",
                 valued ? o.value : "");
        strcat(text, one);
        if (id == KL_OPTIONS_BAD)
            break;
    }
    return text;
}

#define READ(...) read_all((const char *const[]){__VA_ARGS__, NULL})

static void forms_of_a_flag(void **state)
{
    (void)state;
    assert_string_equal(READ("--topic", "a"), "1:a");
    assert_string_equal(READ("--topic=a"), "1:a");
    assert_string_equal(READ("--topic=a=b"), "1:a=b");
    assert_string_equal(READ("--topic="), "1:");
    assert_string_equal(READ("-t", "a"), "1:a");
    assert_string_equal(READ("-ta"), "1:a");
    assert_string_equal(READ("-t", ""), "1:");
    assert_string_equal(READ("-qZt", "a", "-q"), "4/5/1:a/4");
    assert_string_equal(READ("-qZta"), "4/5/1:a");
    assert_string_equal(READ("--quiet"), "4");
}

static void values_that_begin_with_a_dash(void **state)
{
    (void)state;
    assert_string_equal(READ("--count", "-1"), "2:-1");
    assert_string_equal(READ("--count=-1"), "2:-1");
    assert_string_equal(READ("--topic", "-"), "1:-");
    assert_string_equal(READ("--topic", "--none-of-ours"), "1:--none-of-ours");
    assert_string_equal(READ("--topic", "--count"), "-1");
    assert_string_equal(READ("--topic", "--count=3"), "-1");
    assert_string_equal(READ("--topic", "-q"), "-1");
    assert_string_equal(READ("--topic", "--"), "-1");
    assert_string_equal(READ("--topic=-q"), "1:-q");
}

static void flags_with_many_words(void **state)
{
    (void)state;
    assert_string_equal(READ("--props", "a=1", "b=2", "-q", "c"), "3:a=1/3:b=2/4/-2:c");
    assert_string_equal(READ("--old-props", "a=1", "b=2"), "3:a=1/3:b=2");
    assert_string_equal(READ("-Xa=1", "b=2"), "3:a=1/3:b=2");
    assert_string_equal(READ("--props=a=1", "b=2"), "3:a=1/3:b=2");
    assert_string_equal(READ("--props"), "-1");
    assert_string_equal(READ("--props", "-q"), "-1");
}

static void plain_words(void **state)
{
    (void)state;
    assert_string_equal(READ("a", "-q", "b"), "-2:a/4/-2:b");
    assert_string_equal(READ("-"), "-2:-");
    assert_string_equal(READ("--", "-q", "--topic"), "-2:-q/-2:--topic");
    assert_string_equal(READ("-q", "--"), "4");
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_string_equal(READ("--topc"), "-1");
    assert_string_equal(READ("--to", "a"), "-1");
    assert_string_equal(READ("-y"), "-1");
    assert_string_equal(READ("-qy"), "4/-1");
    assert_string_equal(READ("--topic"), "-1");
    assert_string_equal(READ("-t"), "-1");
    assert_string_equal(READ("--quiet=1"), "-1");
}

static void help(void **state)
{
    (void)state;
    assert_string_equal(READ("--help"), "-3");
    assert_string_equal(READ("-q", "-h"), "4/-3");
}

static kl_options with_value(const char *value)
{
    kl_options o;
    kl_options_init(&o, "test", table, sizeof table / sizeof table[0], 1, NULL);
    o.value = value;
    return o;
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"0", true, 0},     {"7", true, 7},    {"-7", true, -7},
        {"100", true, 100}, {"101", false, 0}, {"-8", false, 0},
        {"", false, 0},     {" 1", false, 0},  {"1 ", false, 0},
        {"1x", false, 0},   {"+1", false, 0},  {"0x10", false, 0},
        {"1.0", false, 0},  {"-", false, 0},   {"99999999999999999999", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_options o = with_value(cases[i].text);
        int64_t n = 0;
        assert_int_equal(kl_options_number(&o, -7, 100, &n), cases[i].good);
        assert_int_equal(n, cases[i].value);
    }
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        double value;
    } cases[] = {
        {"0", true, 0},     {"0.5", true, 0.5}, {"-1", true, -1},  {"1e3", false, 0},
        {"1e2", true, 100}, {"nan", false, 0},  {"inf", false, 0}, {"", false, 0},
        {"1..2", false, 0}, {"ten", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kl_options o = with_value(cases[i].text);
        double n = 0;
        assert_int_equal(kl_options_decimal(&o, -1, 100, &n), cases[i].good);
        assert_true(n == cases[i].value);
    }
}

static void refusing_is_a_usage_error(void **state)
{
    (void)state;
    kl_options o = with_value("x");
    assert_int_equal(kl_options_refuse(&o, "why"), KL_EXIT_USAGE);
    assert_int_equal(kl_usage_error("test", "%d", 1), KL_EXIT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_a_flag),
        cmocka_unit_test(values_that_begin_with_a_dash),
        cmocka_unit_test(flags_with_many_words),
        cmocka_unit_test(plain_words),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(help),
        cmocka_unit_test(numbers),
        cmocka_unit_test(decimals),
        cmocka_unit_test(refusing_is_a_usage_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
