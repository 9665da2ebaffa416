/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures are counted by kind, one sentence of each is kept, and every one has a name. */
#define _POSIX_C_SOURCE 200809L
#include "cli/failure_tally.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kloop_report run_of(kloop_outcome outcome, kloop_cause cause, int16_t broker_error,
                           const char *text, size_t count)
{
    return (kloop_report){.outcome = outcome,
                          .cause = cause,
                          .broker_error = broker_error,
                          .text = text,
                          .count = count};
}

static char *printed(const kl_failure_tally *tally)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    kl_failure_tally_print(tally, "test", to);
    fclose(to);
    return text;
}

static void nothing_failed(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    assert_false(kl_failure_tally_any(&tally));
    assert_false(kl_failure_tally_any_taken(&tally));
    char *text = printed(&tally);
    assert_string_equal(text, "");
    free(text);
}

static void kinds_are_counted_apart(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    kloop_report late = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT, 0, "too late", 10);
    kloop_report also = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT, 0, "other words", 5);
    kloop_report lost = run_of(KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT, 0, "no answer", 1);
    kloop_report large = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER,
                                KLOOP_BROKER_MESSAGE_TOO_LARGE, "too large", 1);
    kl_failure_tally_add(&tally, &late);
    kl_failure_tally_add(&tally, &lost);
    kl_failure_tally_add(&tally, &also);
    kl_failure_tally_add(&tally, &large);
    kl_failure_tally_refused(&tally, KLOOP_TOO_LARGE, "never taken");
    assert_int_equal(tally.failed, 17);
    assert_int_equal(tally.unknown, 1);
    assert_int_equal(tally.refused, 1);
    char *text = printed(&tally);
    assert_string_equal(text, "kloop test: 15 records not delivered: too late\n"
                              "kloop test: 1 record may or may not be stored: no answer\n"
                              "kloop test: 1 record not delivered: too large\n"
                              "kloop test: 1 record not delivered: never taken\n");
    free(text);
}

static void refused_is_not_lost_on_the_way(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    kloop_report lost = run_of(KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_CLOSED, 0, "", 1);
    kl_failure_tally_refused(&tally, KLOOP_TOO_LARGE, "x");
    assert_true(kl_failure_tally_any(&tally));
    assert_false(kl_failure_tally_any_taken(&tally));
    kl_failure_tally_add(&tally, &lost);
    assert_true(kl_failure_tally_any_taken(&tally));
}

static void more_kinds_than_there_is_room_for(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    for (int16_t code = 1; code <= KL_TALLY_KINDS_MAX + 4; code++) {
        kloop_report run = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER, code, "x", 2);
        kl_failure_tally_add(&tally, &run);
    }
    assert_int_equal(tally.failed, 2 * (KL_TALLY_KINDS_MAX + 4));
    char *text = printed(&tally);
    assert_non_null(strstr(text, "kloop test: 8 records not delivered for other reasons\n"));
    free(text);
}

static void names(void **state)
{
    (void)state;
    static const struct {
        kloop_cause cause;
        int16_t broker_error;
        const char *name;
    } cases[] = {
        {KLOOP_CAUSE_BROKER, KLOOP_BROKER_NOT_ENOUGH_REPLICAS, "NOT_ENOUGH_REPLICAS"},
        {KLOOP_CAUSE_TIMEOUT, KLOOP_BROKER_NOT_ENOUGH_REPLICAS, "NOT_ENOUGH_REPLICAS"},
        {KLOOP_CAUSE_TIMEOUT, 0, "DELIVERY_TIMED_OUT"},
        {KLOOP_CAUSE_CLOSED, 0, "PRODUCER_CLOSED"},
        {KLOOP_CAUSE_FATAL, 0, "PRODUCER_FATAL"},
        {KLOOP_CAUSE_PARTITION, 0, "NO_SUCH_PARTITION"},
        {KLOOP_CAUSE_NO_MEMORY, 0, "NO_MEMORY"},
        {KLOOP_CAUSE_BROKER, 0, "UNKNOWN_SERVER_ERROR"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kloop_report run =
            run_of(KLOOP_OUTCOME_FAILED, cases[i].cause, cases[i].broker_error, "", 1);
        assert_string_equal(kl_failure_name(&run), cases[i].name);
    }
    assert_string_equal(kl_refusal_name(KLOOP_TOO_LARGE), "MESSAGE_TOO_LARGE");
    assert_string_equal(kl_refusal_name(KLOOP_BAD_PARTITION), "NO_SUCH_PARTITION");
    assert_string_equal(kl_refusal_name(KLOOP_BAD_TIMESTAMP), "INVALID_TIMESTAMP");
    assert_string_equal(kl_refusal_name(KLOOP_BAD_HEADERS), "INVALID_RECORD");
    assert_string_equal(kl_refusal_name(KLOOP_CLOSED), "PRODUCER_CLOSED");
    assert_string_equal(kl_refusal_name(KLOOP_FATAL), "PRODUCER_FATAL");
    assert_string_equal(kl_refusal_name(KLOOP_NO_MEMORY), "NO_MEMORY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_failed),
        cmocka_unit_test(kinds_are_counted_apart),
        cmocka_unit_test(refused_is_not_lost_on_the_way),
        cmocka_unit_test(more_kinds_than_there_is_room_for),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
