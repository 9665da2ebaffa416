/* SPDX-License-Identifier: BSD-2-Clause */
/* Backslashes in delimiters. */
#include "cli/escapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_they_stand_for(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", "", 0},
        {":", ":", 1},
        {"\\t", "\t", 1},
        {"\\n\\r\\\\", "\n\r\\", 3},
        {"\\0", "\0", 1},
        {"a\\x00b", "a\0b", 3},
        {"\\xfF\\x1e", "\xff\x1e", 2},
        {"--\\n", "--\n", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* Exactly the room that is promised to be enough. */
        size_t room = strlen(cases[i].text), len = 99;
        char *out = malloc(room + (room == 0));
        assert_true(kl_escapes_decode(cases[i].text, out, &len));
        assert_int_equal(len, cases[i].len);
        assert_memory_equal(out, cases[i].bytes, len);
        free(out);
    }
}

static void what_stands_for_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {"\\", "a\\", "\\q", "\\x", "\\x1", "\\x1g", "\\xg1", "\\N"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[8];
        size_t len;
        assert_false(kl_escapes_decode(cases[i], out, &len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_they_stand_for),
        cmocka_unit_test(what_stands_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
