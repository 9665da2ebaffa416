/* SPDX-License-Identifier: BSD-2-Clause */
/* Advice names what can be changed, and fits on a line. */
#include "cli/failure_hint.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *hint_of(int16_t error)
{
    return kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER, error, KLOOP_OK);
}

static void of_brokers(void **state)
{
    (void)state;
    static const struct {
        int16_t error;
        const char *word;
    } cases[] = {
        {KLOOP_BROKER_MESSAGE_TOO_LARGE, "max.request.size"},
        {KLOOP_BROKER_MESSAGE_TOO_LARGE, "message.max.bytes"},
        {KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION, "kloop meta"},
        {KLOOP_BROKER_NOT_ENOUGH_REPLICAS, "min.insync.replicas"},
        {KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED, "kafka-acls.sh"},
        {KLOOP_BROKER_INVALID_RECORD, "key"},
        {KLOOP_BROKER_UNSUPPORTED_COMPRESSION_TYPE, "compression.type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_non_null(strstr(hint_of(cases[i].error), cases[i].word));
    for (int error = INT16_MIN; error <= INT16_MAX; error++) {
        const char *hint = hint_of((int16_t)error);
        assert_true(!hint || (strlen(hint) > 10 && strlen(hint) < 110 && !strchr(hint, '\n')));
    }
}

static void a_broker_that_answered_is_heard_first(void **state)
{
    (void)state;
    const char *late = kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT,
                                       KLOOP_BROKER_NOT_ENOUGH_REPLICAS, KLOOP_OK);
    assert_string_equal(late, hint_of(KLOOP_BROKER_NOT_ENOUGH_REPLICAS));
    assert_non_null(strstr(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT, 0, KLOOP_OK),
                           "delivery.timeout.ms"));
}

/* Whoever was not let in is sent to the doctor. */
static void of_security(void **state)
{
    (void)state;
    assert_non_null(strstr(hint_of(KLOOP_BROKER_SASL_AUTHENTICATION_FAILED), "kloop doctor"));
    assert_non_null(strstr(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_SECURITY,
                                           KLOOP_BROKER_ILLEGAL_SASL_STATE, KLOOP_OK),
                           "kloop doctor"));
    assert_non_null(strstr(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT, 0, KLOOP_OK),
                           "kloop doctor"));
}

static void of_others(void **state)
{
    (void)state;
    assert_non_null(strstr(kl_failure_hint(KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_CLOSED, 0, KLOOP_OK),
                           "before they are sent again"));
    assert_null(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_CLOSED, 0, KLOOP_OK));
    assert_non_null(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_PARTITION, 0, KLOOP_OK));
    assert_non_null(
        strstr(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_NONE, 0, KLOOP_TOO_LARGE),
               "max.request"));
    assert_null(kl_failure_hint(KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_NONE, 0, KLOOP_CLOSED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_brokers),
        cmocka_unit_test(a_broker_that_answered_is_heard_first),
        cmocka_unit_test(of_security),
        cmocka_unit_test(of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
