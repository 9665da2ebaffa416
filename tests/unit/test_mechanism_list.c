/* SPDX-License-Identifier: BSD-2-Clause */
/* What a broker offers, as a line. */
#include "cli/mechanism_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void lines(void **state)
{
    kloop_string names[] = {kloop_text("PLAIN"), kloop_text("a\x1b[2J"),
                            kloop_text("SCRAM-SHA-512")};
    kloop_array some = kloop_array_of(names, 3), none = kloop_array_null();
    char text[64];
    (void)state;
    kl_mechanism_list(text, sizeof text, &some);
    assert_string_equal(text, "PLAIN, a?[2J, SCRAM-SHA-512");
    /* The last one does not fit, and no half of it stays. */
    kl_mechanism_list(text, sizeof "PLAIN, a?[2J, SCRAM-SHA-512" - 1, &some);
    assert_string_equal(text, "PLAIN, a?[2J");
    kl_mechanism_list(text, sizeof text, &none);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
