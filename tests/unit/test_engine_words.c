/* SPDX-License-Identifier: BSD-2-Clause */
/* What reports say stood in the way: the reason that a person can act on, and nothing untrue. */
#include "tests/support/engine_host.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_topic *t;

static void begin(const char *key, const char *value)
{
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "500", "delivery.timeout.ms", "1000", key,
             value, NULL);
    t = host_add_topic(&h, "t", 1);
    t->leaders[0] = 1;
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

/* "no broker has answered yet" stood in reports of records whose broker answered all the time: they
 * had met nothing themselves, because they waited for those before them. */
static void one_that_waits_names_what_it_waits_for(void **state)
{
    (void)state;
    begin(NULL, NULL);
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 200);
    host_send(&h, t, 0, 1);
    for (int i = 0; i < 120; i++) {
        if (host_produces(&h, 1) > 0)
            HOST_ANSWER(&h, 1, 19);
        host_sleep(&h, 10);
    }
    host_expect_fate(&h, 1, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 1, "the last answer was NOT_ENOUGH_REPLICAS");
    host_expect_text(&h, 2, "the last answer");
    host_expect_text(&h, 2, "NOT_ENOUGH_REPLICAS");
    end();
}

static void one_that_waits_for_silence(void **state)
{
    (void)state;
    begin("request.timeout.ms", "1000");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_sleep(&h, 200);
    host_send(&h, t, 0, 1);
    host_sleep(&h, 2000);
    host_expect_text(&h, 2, "b1:9091");
    end();
}

static void an_answer_that_leaves_it_out(void **state)
{
    (void)state;
    begin("retries", "2147483647");
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int i = 0; i < 20; i++) {
        if (host_produces(&h, 1) > 0) {
            kloop_produce_response m;
            kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
            host_respond(&h, host_at(&h, 1), &m, sizeof m);
        }
        host_sleep(&h, 100);
    }
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 1, "the answer of b1:9091 left it out");
    end();
}

static void without_a_producer_id(void **state)
{
    (void)state;
    begin(NULL, NULL);
    h.hold_id = true;
    host_send(&h, t, 0, 1);
    host_sleep(&h, 2000);
    host_expect_fate(&h, 1, 1, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 1, "InitProducerId");
    end();
}

static void codes_that_nobody_knows_are_told_by_number(void **state)
{
    (void)state;
    char text[KL_ERROR_CODE_TEXT];
    assert_string_equal(kl_error_code(6, text), "NOT_LEADER_OR_FOLLOWER");
    assert_string_equal(kl_error_code(9999, text), "UNKNOWN_ERROR_CODE (9999)");
    assert_string_equal(kl_error_code(INT16_MIN, text), "UNKNOWN_ERROR_CODE (-32768)");
    begin(NULL, NULL);
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 9999);
    host_sleep(&h, 200);
    HOST_ANSWER(&h, 1, 9999);
    host_expect_text(&h, 1, "UNKNOWN_ERROR_CODE (9999)");
    end();
}

/* The metadata question that is lost along with its connection said "the connection was lost" over
 * the reason for that. */
static void an_answer_that_cannot_be_read(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0, 0, 0, 5, 0, 0, 0, 1, 0};
    begin(NULL, NULL);
    h.hold_metadata = true;
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_receive(&h, host_at(&h, 1), frame, sizeof frame);
    host_close(&h, 0, 0);
    host_expect_text(&h, 1, "its answer to Metadata version 13 cannot be read");
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_waits_names_what_it_waits_for),
        cmocka_unit_test(one_that_waits_for_silence),
        cmocka_unit_test(an_answer_that_leaves_it_out),
        cmocka_unit_test(without_a_producer_id),
        cmocka_unit_test(codes_that_nobody_knows_are_told_by_number),
        cmocka_unit_test(an_answer_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
