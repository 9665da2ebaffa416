/* SPDX-License-Identifier: BSD-2-Clause */
/* What each code means as the answer to each question, over all there are and some that are not. */
#include "core/policy.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static kl_ruling of_batch(int16_t code, bool idempotent)
{
    return kl_policy(idempotent ? KL_QUESTION_IDEMPOTENT : KL_QUESTION_PLAIN, code);
}

static void expect(int16_t code, bool idempotent, kl_verdict verdict, bool maybe_stored,
                   bool refresh)
{
    kl_ruling r = of_batch(code, idempotent);
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
        expect(0, idempotent, KL_VERDICT_DONE, false, false);
        expect(2, idempotent, KL_VERDICT_RETRY, false, false);
        expect(3, idempotent, KL_VERDICT_RETRY, true, true);
        expect(5, idempotent, KL_VERDICT_RETRY, false, true);
        expect(7, idempotent, KL_VERDICT_RETRY, true, false);
        expect(10, idempotent, KL_VERDICT_SPLIT, false, false);
        expect(17, idempotent, KL_VERDICT_FAIL, false, false);
        expect(18, idempotent, KL_VERDICT_FAIL, false, false);
        expect(19, idempotent, KL_VERDICT_RETRY, false, false);
        expect(20, idempotent, KL_VERDICT_RETRY, true, false);
        expect(29, idempotent, KL_VERDICT_FAIL, false, false);
        expect(32, idempotent, KL_VERDICT_FAIL, false, false);
        assert_int_equal(of_batch(46, idempotent).verdict, KL_VERDICT_DONE_BEFORE);
        expect(87, idempotent, KL_VERDICT_FAIL, false, false);
        expect(100, idempotent, KL_VERDICT_RETRY, false, true);
        /* The leader may have appended before it was one no more. */
        expect(6, idempotent, KL_VERDICT_RETRY, true, true);
        /* The last known code and the first unknown one. */
        assert_int_equal(of_batch(133, idempotent).verdict, KL_VERDICT_RETRY);
        expect(134, idempotent, KL_VERDICT_RETRY_ONCE, true, of_batch(134, idempotent).refresh);
        assert_int_equal(of_batch(-2, idempotent).verdict, KL_VERDICT_RETRY_ONCE);
        assert_int_equal(of_batch(INT16_MAX, idempotent).verdict, KL_VERDICT_RETRY_ONCE);
        assert_int_equal(of_batch(INT16_MIN, idempotent).verdict, KL_VERDICT_RETRY_ONCE);
    }
}

/* Two of them are retriable as well. That was asked first once, and a gap was sent again under the
 * same numbers until its time was over. */
static void codes_about_sequences(void **state)
{
    (void)state;
    static const int16_t codes[] = {45, 47, 59};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(of_batch(codes[i], true).verdict, KL_VERDICT_SEQUENCE);
        assert_false(of_batch(codes[i], true).maybe_stored);
        assert_int_equal(of_batch(codes[i], false).verdict,
                         codes[i] == 47 ? KL_VERDICT_FAIL : KL_VERDICT_RETRY);
    }
}

static void codes_that_end_the_producer(void **state)
{
    (void)state;
    static const int16_t codes[] = {31, 35, 49, 53, 90};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(of_batch(codes[i], true).verdict, KL_VERDICT_FATAL);
        /* A plain one merely loses the batch. */
        assert_int_equal(of_batch(codes[i], false).verdict, KL_VERDICT_FAIL);
    }
}

/* Whatever a broker makes up: a verdict that agrees with the table's classes. */
static void every_code_has_a_verdict(void **state)
{
    (void)state;
    for (int code = INT16_MIN; code <= INT16_MAX; code++)
        for (int i = 0; i < 2; i++) {
            kl_ruling r = of_batch((int16_t)code, i == 1);
            uint32_t classes = kloop_broker_error_classes((int16_t)code);
            bool known = kloop_broker_error_find((int16_t)code) != NULL;
            assert_true(r.verdict <= KL_VERDICT_FATAL);
            assert_int_equal(r.verdict == KL_VERDICT_DONE, code == 0);
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

static void answers_to_other_questions(void **state)
{
    (void)state;
    static const struct {
        int16_t code;
        kl_verdict topic;
        kl_verdict producer_id;
        kl_verdict versions;
    } rows[] = {
        {0, KL_VERDICT_DONE, KL_VERDICT_DONE, KL_VERDICT_DONE},
        {3, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {5, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {14, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {15, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {17, KL_VERDICT_FAIL, KL_VERDICT_FATAL, KL_VERDICT_RECONNECT},
        {29, KL_VERDICT_FAIL, KL_VERDICT_FATAL, KL_VERDICT_RECONNECT},
        {31, KL_VERDICT_FAIL, KL_VERDICT_FATAL, KL_VERDICT_RECONNECT},
        {35, KL_VERDICT_FAIL, KL_VERDICT_FATAL, KL_VERDICT_LOWER},
        {51, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {90, KL_VERDICT_FAIL, KL_VERDICT_FATAL, KL_VERDICT_RECONNECT},
        /* An accident inside the broker, and what nobody knows, may pass. That an unknown code was
         * taken for a lack of rights once ended the producer with advice that helped nobody. */
        {-1, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {134, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
        {INT16_MIN, KL_VERDICT_RETRY, KL_VERDICT_RETRY, KL_VERDICT_RECONNECT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int16_t code = rows[i].code;
        assert_int_equal(kl_policy(KL_QUESTION_TOPIC, code).verdict, rows[i].topic);
        assert_int_equal(kl_policy(KL_QUESTION_PRODUCER_ID, code).verdict, rows[i].producer_id);
        assert_int_equal(kl_policy(KL_QUESTION_VERSIONS, code).verdict, rows[i].versions);
        assert_int_equal(kl_policy(KL_QUESTION_CLUSTER, code).verdict,
                         code == 0 ? KL_VERDICT_DONE : KL_VERDICT_RETRY);
    }
    /* Nothing but a batch can be stored. */
    for (int question = KL_QUESTION_CLUSTER; question < KL_QUESTION_COUNT; question++)
        for (int code = INT16_MIN; code <= INT16_MAX; code++)
            assert_false(kl_policy((kl_question)question, (int16_t)code).maybe_stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_that_producers_meet),   cmocka_unit_test(codes_about_sequences),
        cmocka_unit_test(codes_that_end_the_producer), cmocka_unit_test(every_code_has_a_verdict),
        cmocka_unit_test(answers_to_other_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
