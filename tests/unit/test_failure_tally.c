/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures are counted by error, topic and partition, samples of each are kept, and every one has a
 * name. */
#define _POSIX_C_SOURCE 200809L
#include "cli/failure_tally.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* count records of topic t, partition 3. */
static kloop_report run_of(kloop_outcome outcome, kloop_cause cause, int16_t broker_error,
                           const char *text, size_t count)
{
    return (kloop_report){.outcome = outcome,
                          .cause = cause,
                          .broker_error = broker_error,
                          .topic_name = {"t", 1},
                          .partition = 3,
                          .text = text,
                          .count = count};
}

static const kloop_string topic = {"t", 1};

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

static void errors_are_counted_apart(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    kloop_report late = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT, 0, "t: too late", 1);
    kloop_report also = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT, 0, "t: other words", 5);
    kloop_report lost = run_of(KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT, 0, "no answer", 1);
    kloop_report large = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER,
                                KLOOP_BROKER_POLICY_VIOLATION, "not now", 10);
    kl_failure_tally_add(&tally, &late);
    kl_failure_tally_add(&tally, &lost);
    also.partition = 4;
    kl_failure_tally_add(&tally, &also);
    kl_failure_tally_add(&tally, &large);
    kl_failure_tally_refused(&tally, topic, -1, KLOOP_BAD_HEADERS, "never taken");
    assert_int_equal(tally.failed, 17);
    assert_int_equal(tally.unknown, 1);
    assert_int_equal(tally.refused, 1);
    char *text = printed(&tally);
    /* The largest first. */
    assert_string_equal(
        text, "kloop test: 10 records not delivered: POLICY_VIOLATION, topic 't', partition 3: 10\n"
              "    not now\n"
              "    hint:  a policy of the broker refuses it (create.topic.policy and the like)\n"
              "kloop test: 6 records not delivered: DELIVERY_TIMED_OUT, topic 't', partition 4: 5, "
              "3: 1\n"
              "    first: t: too late\n"
              "    last:  t: other words\n"
              "    hint:  see bootstrap.servers and delivery.timeout.ms; kloop doctor -b HOST:PORT "
              "says how far one gets\n"
              "kloop test: 1 record may or may not be stored: DELIVERY_TIMED_OUT, topic 't', "
              "partition 3: 1\n"
              "    no answer\n"
              "    hint:  they were on the way when it ended: look at the topic before they are "
              "sent again\n"
              "kloop test: 1 record not delivered: INVALID_RECORD, topic 't'\n"
              "    never taken\n");
    free(text);
}

/* A million failures in a thousand partitions are still a few lines. */
static void partitions_are_counted_apart(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    for (int32_t i = 0; i < 1000; i++) {
        kloop_report run = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED, 0, "", 1);
        run.partition = i;
        run.count = i == 7 ? 500 : 1;
        kl_failure_tally_add(&tally, &run);
    }
    char *text = printed(&tally);
    assert_string_equal(text, "kloop test: 1499 records not delivered: PURGED, topic 't', "
                              "partition 7: 500, 0: 1, 1: 1, 2: 1, 3: 1, 4: 1, others: 994\n");
    free(text);
}

/* Sentences that differ in nothing but their place are told once. */
static void a_sample_is_not_told_twice(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    kloop_report one =
        run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED, 0, "topic 't' partition 1: gone", 1);
    kloop_report other = one;
    other.text = "topic 't' partition 22: gone";
    kl_failure_tally_add(&tally, &one);
    kl_failure_tally_add(&tally, &other);
    char *text = printed(&tally);
    assert_non_null(strstr(text, "    topic 't' partition 1: gone\n"));
    assert_null(strstr(text, "last"));
    free(text);
}

static void topics_are_counted_apart(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    kloop_report run = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PURGED, 0, "", 1);
    char name[300];
    memset(name, 'n', sizeof name);
    kl_failure_tally_add(&tally, &run);
    run.topic_name = (kloop_string){"u", 1};
    kl_failure_tally_add(&tally, &run);
    /* Longer than any topic's name: cut, and no harm. */
    run.topic_name = (kloop_string){name, sizeof name};
    kl_failure_tally_add(&tally, &run);
    assert_int_equal(tally.group_count, 3);
    char *text = printed(&tally);
    assert_non_null(strstr(text, "1 record not delivered: PURGED, topic 'u'"));
    free(text);
}

static void refused_is_not_lost_on_the_way(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    kloop_report lost = run_of(KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_CLOSED, 0, "", 1);
    kl_failure_tally_refused(&tally, topic, 0, KLOOP_TOO_LARGE, "x");
    assert_true(kl_failure_tally_any(&tally));
    assert_false(kl_failure_tally_any_taken(&tally));
    kl_failure_tally_add(&tally, &lost);
    assert_true(kl_failure_tally_any_taken(&tally));
}

static void more_errors_than_there_is_room_for(void **state)
{
    (void)state;
    kl_failure_tally tally = {0};
    for (int16_t code = 1; code <= KL_TALLY_GROUPS_MAX + 4; code++) {
        kloop_report run = run_of(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER, code, "x", 2);
        kl_failure_tally_add(&tally, &run);
    }
    assert_int_equal(tally.failed, 2 * (KL_TALLY_GROUPS_MAX + 4));
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
        cmocka_unit_test(errors_are_counted_apart),
        cmocka_unit_test(partitions_are_counted_apart),
        cmocka_unit_test(a_sample_is_not_told_twice),
        cmocka_unit_test(topics_are_counted_apart),
        cmocka_unit_test(refused_is_not_lost_on_the_way),
        cmocka_unit_test(more_errors_than_there_is_room_for),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
