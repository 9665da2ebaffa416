/* SPDX-License-Identifier: BSD-2-Clause */
/* Which word was meant: near ones are found, far ones are not offered. */
#include "base/nearest.h"

#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *nearest(const char *word)
{
    static const char *const known[] = {"decode",       "encode", "batch-decode",
                                        "batch-encode", "apis",   "Metadata"};
    const char *best = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        best = kl_nearest_of(best, known[i], kloop_text(word));
    return best;
}

static void slips_of_the_finger(void **state)
{
    (void)state;
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"decode", "decode"},  /* itself */
        {"deocde", "decode"},  /* two letters the wrong way round */
        {"decod", "decode"},   /* one missing */
        {"deccode", "decode"}, /* one too many */
        {"encoed", "encode"},  /* nearer to this than to decode */
        {"batch-deode", "batch-decode"},
        {"batchencode", "batch-encode"},
        {"batch_encode", "batch-encode"},
        {"api", "apis"},
        {"metadata", "Metadata"}, /* case is no difference */
        {"METADATA", "Metadata"},
        {"Metdata", "Metadata"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = nearest(cases[i].word);
        if (!found)
            fail_msg("nothing is near '%s'", cases[i].word);
        assert_string_equal(found, cases[i].meant);
    }
}

static void nothing_near(void **state)
{
    (void)state;
    static const char *const words[] = {"", "x", "produce", "zzzzzz", "--help", "qwertyuiop"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_null(nearest(words[i]));
    /* Longer than any word that is known; not looked at. */
    char endless[200];
    memset(endless, 'd', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    assert_null(nearest(endless));
    assert_null(kl_nearest_of(NULL, endless, kloop_text("d")));
    assert_null(kl_nearest_of(NULL, endless, kloop_text(endless)));
}

static void half_of_the_letters_may_differ(void **state)
{
    (void)state;
    assert_string_equal(kl_nearest_of(NULL, "abcd", kloop_text("abxy")), "abcd");
    assert_null(kl_nearest_of(NULL, "abcd", kloop_text("axyz")));
    /* The word need not be terminated. */
    assert_string_equal(kl_nearest_of(NULL, "abcd", ((kloop_string){"abcdefghijk", 4})), "abcd");
    /* The best one so far stays when the next is as near, or farther. */
    assert_string_equal(kl_nearest_of("abce", "abcd", kloop_text("abcx")), "abce");
    assert_string_equal(kl_nearest_of("abcd", "zzzz", kloop_text("abcx")), "abcd");
    assert_string_equal(kl_nearest_of("abcd", "abcx", kloop_text("abcx")), "abcx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_of_the_finger),
        cmocka_unit_test(nothing_near),
        cmocka_unit_test(half_of_the_letters_may_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
