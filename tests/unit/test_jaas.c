/* SPDX-License-Identifier: BSD-2-Clause */
/* sasl.jaas.config: what people paste, what Java's tokenizer makes of it, and what is refused, with
 * the place and without the words. */
#include "sasl/jaas.h"
#include "base/mem.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/guard.h"
#include "tests/support/needle_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PLAIN "org.apache.kafka.common.security.plain.PlainLoginModule"

static kloop_status parse(kl_jaas *j, const char *text, kloop_error *error)
{
    *error = (kloop_error){0};
    return kl_jaas_parse(j, &kl_mem_libc, (kloop_string){text, strlen(text)}, error);
}

/* Pairs of name and value; NULL at the end. */
static void reads(const char *text, const char *module, const char *const *pairs)
{
    kl_jaas j;
    kloop_error error;
    if (parse(&j, text, &error))
        fail_msg("\"%s\": %s", text, error.text);
    assert_string_equal(j.module.data, module);
    size_t count = 0;
    for (; pairs[2 * count]; count++) {
        const kl_secret *value = kl_jaas_find(&j, pairs[2 * count]);
        if (!value)
            fail_msg("\"%s\": no %s", text, pairs[2 * count]);
        assert_string_equal(value->data, pairs[2 * count + 1]);
        assert_int_equal(value->len, strlen(pairs[2 * count + 1]));
    }
    assert_int_equal(j.option_count, count);
    assert_null(kl_jaas_find(&j, "no such option"));
    kl_jaas_deinit(&j, &kl_mem_libc);
}

#define READS(text, module, ...) reads(text, module, (const char *const[]){__VA_ARGS__ NULL})

static void what_people_paste(void **state)
{
    (void)state;
    READS(PLAIN " required username=\"alice\" password=\"alice-secret\";", PLAIN, "username",
          "alice", "password", "alice-secret", );
    /* Confluent Cloud */
    READS(PLAIN "   required username='ABCDEFGHIJKLMNOP'   password='a/b+c=d;e f\"g';", PLAIN,
          "username", "ABCDEFGHIJKLMNOP", "password", "a/b+c=d;e f\"g", );
    /* Amazon MSK, over several lines */
    READS("org.apache.kafka.common.security.scram.ScramLoginModule required\n"
          "  username=\"user\"\t\r\n password=\"x\";\n",
          "org.apache.kafka.common.security.scram.ScramLoginModule", "username", "user", "password",
          "x", );
}

static void java_s_rules(void **state)
{
    (void)state;
    READS("m required;", "m", );
    READS("m REQUIRED ;", "m", );
    READS("m optional a=b;", "m", "a", "b", );
    READS("m Requisite a=b c=d;", "m", "a", "b", "c", "d", );
    READS("m sufficient a = b ;", "m", "a", "b", );
    READS("'m' \"required\" \"a\"='b';", "m", "a", "b", );
    READS("m required a=b a=c;", "m", "a", "c", );
    READS("m required a=b-1.$_ _b=$ c=d\xc2\xa0;", "m", "a", "b-1.$_", "_b", "$", "c",
          "d\xc2\xa0", );
    READS("m required a=\"\";", "m", "a", "", );
    READS("m required a=\"x\"b='y';", "m", "a", "x", "b", "y", );
    READS("m required a=x\"b\"=y;", "m", "a", "x", "b", "y", );
    READS("m required a=\"it's\" b='a \"b\"';", "m", "a", "it's", "b", "a \"b\"", );
    /* escapes */
    READS("m required a=\"\\\"\\\\\\'\\n\\t\\r\\f\\b\\a\\v\\z\";", "m", "a",
          "\"\\'\n\t\r\f\b\a\vz", );
    READS("m required a=\"\\101\\60\\7x\\477\\18\";", "m", "a",
          "A0\ax\x27"
          "7\x01"
          "8", );
    READS("m required a=\"\\377\\200\\177\";", "m", "a", "\xc3\xbf\xc2\x80\x7f", );
    READS("m required a=\"x\\\ny\";", "m", "a", "x\ny", );
    READS("m required a=\"J\xc3\xbcrgen\" b=\xe2\x82\xac;", "m", "a", "J\xc3\xbcrgen", "b",
          "\xe2\x82\xac", );
    /* comments */
    READS("/* one */ m // two\n required / three\r a=/*four*/b/*/*/;// five", "m", "a", "b", );
    READS("m required a=b/c\n;", "m", "a", "b", );
    READS("m required a=b /\n c=d\n;", "m", "a", "b", );
    READS("m required a=b //\n c=d\n;", "m", "a", "b", "c", "d", );
    READS("m required a=\"b/*c*///d\";", "m", "a", "b/*c*///d", );
}

static void refused(const char *text, size_t at, const char *why)
{
    kl_jaas j;
    kloop_error error;
    char place[32];
    if (!parse(&j, text, &error))
        fail_msg("\"%s\" was read", text);
    assert_int_equal(error.status, KLOOP_BAD_CONFIG);
    assert_memory_equal(error.text, "sasl.jaas.config: ", 18);
    snprintf(place, sizeof place, "byte %zu", at);
    if (!strstr(error.text, place) || !strstr(error.text, why))
        fail_msg("\"%s\": \"%s\" and not %s, %s", text, error.text, place, why);
    assert_null(strstr(error.text, "s3cret"));
    assert_int_equal(j.option_count, 0);
    assert_null(j.module.data);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const char class[] = "the class of a login module";
    static const char flag[] = "the word required";
    static const char name[] = "semicolon at the end";
    static const char equals[] = "the = behind the name";
    static const char value[] = "the value of an option";
    static const char open[] = "is not closed";
    refused("", 0, class);
    refused("  // nothing", 12, class);
    refused(";", 0, class);
    refused("= required;", 0, class);
    refused("'' required;", 0, class);
    refused("m", 1, flag);
    refused("m;", 1, flag);
    refused("m required", 10, name);
    refused("s3cret is=my;", 7, flag);
    refused("m s3cret a=b;", 2, flag);
    refused("m requiredly;", 2, flag);
    refused("m required a;", 12, equals);
    refused("m required a", 12, equals);
    refused("m required a s3cret;", 13, equals);
    refused("m required a=;", 13, value);
    refused("m required a==b;", 13, value);
    refused("m required a=", 13, value);
    refused("m required =b;", 11, name);
    refused("m required ''=b;", 11, "the name of an option");
    refused("m required a=b", 14, name);
    refused("m required password=s3 cret;", 27, equals);
    refused("m required password=a=s3cret;", 21, name);
    refused("m required password=\"s3cret;", 20, open);
    refused("m required password='s3cret\n';", 20, open);
    refused("m required password=\"s3cret\\", 20, open);
    refused("m required a=b; /* s3cret", 16, open);
    refused("m required a=b; m required;", 16, "one login module");
    refused("m required a=b;;", 15, "the end");
    refused("m required a=\xff;", 13, "UTF-8");
    refused("m required a=\xc2\x85;", 13, value);
    refused("m required a=b\xc2\x9f;", 14, name);
    refused("m required a=b!;", 14, name);
    refused("m required a=!;", 13, value);
    refused("m required a=1234;", 13, value);
    refused("m required a=-x;", 13, value);
    refused("m required a=.x;", 13, value);
    refused("m required a=\\x;", 13, value);
    refused("m required password=s3cret@home;", 26, name);
    refused("m! required;", 1, flag);
    refused("5 required;", 0, class);
}

static void too_many_options(void **state)
{
    (void)state;
    char text[4096] = "m required";
    for (size_t i = 0; i < KL_JAAS_OPTIONS_MAX; i++)
        sprintf(text + strlen(text), " name%zu=\"%zu\"", i, i);
    size_t len = strlen(text);
    strcpy(text + len, ";");
    kl_jaas j;
    kloop_error error;
    assert_int_equal(parse(&j, text, &error), KLOOP_OK);
    assert_int_equal(j.option_count, KL_JAAS_OPTIONS_MAX);
    assert_string_equal(kl_jaas_find(&j, "name63")->data, "63");
    kl_jaas_deinit(&j, &kl_mem_libc);
    strcpy(text + len, " name0=again;");
    assert_int_equal(parse(&j, text, &error), KLOOP_OK);
    assert_string_equal(kl_jaas_find(&j, "name0")->data, "again");
    kl_jaas_deinit(&j, &kl_mem_libc);
    strcpy(text + len, " more=1;");
    assert_int_equal(parse(&j, text, &error), KLOOP_BAD_CONFIG);
    assert_non_null(strstr(error.text, "more than 64 options"));
}

static void the_name_of_the_class(void **state)
{
    (void)state;
    static const char *const classes[][2] = {
        {PLAIN, "PlainLoginModule"},
        {"kafkashaded." PLAIN, "PlainLoginModule"},
        {"PlainLoginModule", "PlainLoginModule"},
        {"a.", ""},
    };
    for (size_t i = 0; i < 4; i++) {
        char text[128];
        kl_jaas j;
        kloop_error error;
        snprintf(text, sizeof text, "%s required;", classes[i][0]);
        assert_int_equal(parse(&j, text, &error), KLOOP_OK);
        kloop_string class = kl_jaas_class(&j);
        assert_int_equal(class.len, strlen(classes[i][1]));
        assert_memory_equal(class.data, classes[i][1], class.len);
        kl_jaas_deinit(&j, &kl_mem_libc);
    }
}

/* Every cut of a text with everything in it, in memory that ends there. */
static void any_cut(void **state)
{
    (void)state;
    static const char text[] =
        "/* c */ m required a=\"x\\101\\\\\" b='y' // d\n c=\xc2\x85 d=\xe2\x82\xac /e\n f=g;";
    kl_guard g;
    kl_guard_init(&g, sizeof text);
    for (size_t len = 0; len < sizeof text; len++) {
        kl_jaas j;
        kloop_error error;
        char *copy = (char *)kl_guard_copy_at_end(&g, text, len);
        if (!kl_jaas_parse(&j, &kl_mem_libc, (kloop_string){copy, len}, &error))
            kl_jaas_deinit(&j, &kl_mem_libc);
    }
    kl_guard_deinit(&g);
}

static const char whole[] =
    "m.PlainLoginModule required username=\"somebody\" password=\"correct horse battery\";";

static void without_memory(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_jaas j;
        kloop_error error = {0};
        kloop_status status =
            kl_jaas_parse(&j, &alloc, (kloop_string){whole, strlen(whole)}, &error);
        if (!status)
            kl_jaas_deinit(&j, &alloc);
        kl_fail_alloc_check(&f);
        if (!f.refused) {
            assert_int_equal(status, KLOOP_OK);
            break;
        }
        assert_int_equal(status, KLOOP_NO_MEMORY);
    }
}

/* Also of what was read before an error, and of a value that another takes the place of. */
static void nothing_is_left_behind(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "x", " password=\"other\";", " password=;"};
    for (size_t i = 0; i < 4; i++) {
        char text[256];
        kl_needle_alloc n;
        kl_needle_alloc_init(&n);
        kl_needle_alloc_add(&n, "correct horse battery", 21);
        kloop_allocator alloc = kl_needle_alloc_table(&n);
        snprintf(text, sizeof text, "%.*s%s", (int)sizeof whole - 2, whole, ends[i]);
        kl_jaas j;
        if (!kl_jaas_parse(&j, &alloc, (kloop_string){text, strlen(text)}, NULL))
            kl_jaas_deinit(&j, &alloc);
        assert_true(n.released > 3);
        kl_needle_alloc_check(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_paste),     cmocka_unit_test(java_s_rules),
        cmocka_unit_test(what_is_refused),       cmocka_unit_test(too_many_options),
        cmocka_unit_test(the_name_of_the_class), cmocka_unit_test(any_cut),
        cmocka_unit_test(without_memory),        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
