/* SPDX-License-Identifier: BSD-2-Clause */
/* The rule for answers to Produce, over all codes there are and some that are not. */
#include "core/retry.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(int16_t code, bool idempotent, kl_verdict verdict, bool maybe_stored,
                   bool refresh)
{
    kl_ruling r = kl_retry_rule(code, idempotent);
    if (r.verdict != verdict || r.maybe_stored != maybe_stored || r.refresh != refresh)
        fail_msg("%s, idempotent %d: verdict %d, maybe stored %d, refresh %d",
                 kloop_broker_error_name(code), idempotent, (int)r.verdict, r.maybe_stored,
                 r.refresh);
}

static void codes_that_producers_meet(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bool idempotent = i == 1;
        expect(0, idempotent, KL_VERDICT_STORED, false, false);
        expect(2, idempotent, KL_VERDICT_RETRY, false, false);
        expect(3, idempotent, KL_VERDICT_RETRY, true, true);
        expect(5, idempotent, KL_VERDICT_RETRY, false, true);
        expect(7, idempotent, KL_VERDICT_RETRY, true, false);
        expect(10, idempotent, KL_VERDICT_FAIL, false, false);
        expect(17, idempotent, KL_VERDICT_FAIL, false, false);
        expect(18, idempotent, KL_VERDICT_FAIL, false, false);
        expect(19, idempotent, KL_VERDICT_RETRY, false, false);
        expect(20, idempotent, KL_VERDICT_RETRY, true, false);
        expect(29, idempotent, KL_VERDICT_FAIL, false, false);
        expect(32, idempotent, KL_VERDICT_FAIL, false, false);
        assert_int_equal(kl_retry_rule(46, idempotent).verdict, KL_VERDICT_STORED_BEFORE);
        expect(87, idempotent, KL_VERDICT_FAIL, false, false);
        expect(100, idempotent, KL_VERDICT_RETRY, false, true);
        /* The leader may have appended before it was one no more. */
        expect(6, idempotent, KL_VERDICT_RETRY, true, true);
        /* The last known code and the first unknown one. */
        assert_int_equal(kl_retry_rule(133, idempotent).verdict, KL_VERDICT_RETRY);
        expect(134, idempotent, KL_VERDICT_RETRY_ONCE, true,
               kl_retry_rule(134, idempotent).refresh);
        assert_int_equal(kl_retry_rule(-2, idempotent).verdict, KL_VERDICT_RETRY_ONCE);
        assert_int_equal(kl_retry_rule(INT16_MAX, idempotent).verdict, KL_VERDICT_RETRY_ONCE);
        assert_int_equal(kl_retry_rule(INT16_MIN, idempotent).verdict, KL_VERDICT_RETRY_ONCE);
    }
}

/* Two of them are retriable as well. That was asked first once, and a gap was sent again under the
 * same numbers until its time was over. */
static void codes_about_sequences(void **state)
{
    (void)state;
    static const int16_t codes[] = {45, 47, 59};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(kl_retry_rule(codes[i], true).verdict, KL_VERDICT_SEQUENCE);
        assert_false(kl_retry_rule(codes[i], true).maybe_stored);
        assert_int_equal(kl_retry_rule(codes[i], false).verdict,
                         codes[i] == 47 ? KL_VERDICT_FAIL : KL_VERDICT_RETRY);
    }
}

static void codes_that_end_the_producer(void **state)
{
    (void)state;
    static const int16_t codes[] = {31, 35, 49, 53, 90};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(kl_retry_rule(codes[i], true).verdict, KL_VERDICT_FATAL);
        /* A plain one merely loses the batch. */
        assert_int_equal(kl_retry_rule(codes[i], false).verdict, KL_VERDICT_FAIL);
    }
}

/* Whatever a broker makes up: a verdict that agrees with the table's classes. */
static void every_code_has_a_verdict(void **state)
{
    (void)state;
    for (int code = INT16_MIN; code <= INT16_MAX; code++)
        for (int i = 0; i < 2; i++) {
            kl_ruling r = kl_retry_rule((int16_t)code, i == 1);
            uint32_t classes = kloop_broker_error_classes((int16_t)code);
            bool known = kloop_broker_error_find((int16_t)code) != NULL;
            assert_true(r.verdict <= KL_VERDICT_FATAL);
            assert_int_equal(r.verdict == KL_VERDICT_STORED, code == 0);
            assert_int_equal(r.verdict == KL_VERDICT_RETRY_ONCE, !known);
            bool sequence = i == 1 && (classes & KLOOP_CLASS_SEQUENCE);
            if (known && (classes & KLOOP_CLASS_RETRIABLE))
                assert_int_equal(r.verdict, sequence ? KL_VERDICT_SEQUENCE : KL_VERDICT_RETRY);
            assert_int_equal(r.maybe_stored, code != 0 && !(classes & KLOOP_CLASS_NOT_STORED));
            if (!known)
                assert_true(r.maybe_stored);
            if (i == 0)
                assert_true(r.verdict != KL_VERDICT_SEQUENCE && r.verdict != KL_VERDICT_FATAL);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_that_producers_meet),
        cmocka_unit_test(codes_about_sequences),
        cmocka_unit_test(codes_that_end_the_producer),
        cmocka_unit_test(every_code_has_a_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
