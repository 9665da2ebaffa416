/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences: what they are filled with, and where they end. */
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void set_and_cleared(void **state)
{
    (void)state;
    kloop_error error;
    assert_int_equal(kl_error_set(&error, KLOOP_BAD_CONFIG, "%s is %d", "it", 7), KLOOP_BAD_CONFIG);
    assert_int_equal(error.status, KLOOP_BAD_CONFIG);
    assert_string_equal(error.text, "it is 7");
    assert_int_equal(kl_error_clear(&error), KLOOP_OK);
    assert_int_equal(error.status, KLOOP_OK);
    assert_string_equal(error.text, "");
    assert_int_equal(kl_error_set(NULL, KLOOP_NO_MEMORY, "%d", 1), KLOOP_NO_MEMORY);
    assert_int_equal(kl_error_clear(NULL), KLOOP_OK);
}

static void too_long_a_sentence_is_cut(void **state)
{
    (void)state;
    static char many[2000];
    memset(many, 'm', sizeof many - 1);
    kloop_error error;
    kl_error_set(&error, KLOOP_BAD_CONFIG, "%s", many);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_cleared),
        cmocka_unit_test(too_long_a_sentence_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
