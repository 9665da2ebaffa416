/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of each kind of answer, and what the reports say about it. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;
static host_topic *t;

static void begin(const char *key, const char *value)
{
    host_new(&h, "linger.ms", "0", "reconnect.backoff.ms", "10", key, value, NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_sleep(&h, 1500);
}

static void end(void)
{
    host_close(&h, 0, 0);
    host_end(&h);
}

static void retriable_codes_are_tried_again(void **state)
{
    (void)state;
    static const int16_t codes[] = {2, 3, 5, 6, 7, 19, 20, 56, 74, 75, 89};
    for (int idempotent = 0; idempotent < 2; idempotent++)
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            begin("enable.idempotence", idempotent ? "true" : "false");
            host_send(&h, t, 0, 2);
            host_run(&h);
            host_answer(&h, 1, &codes[i], 1);
            host_expect_pending(&h, 2, 3);
            /* Not at once: 80 ms at least. */
            host_sleep(&h, 79);
            assert_int_equal(host_produces(&h, 1), 0);
            host_sleep(&h, 50);
            HOST_ANSWER(&h, 1, 0);
            host_expect_acked(&h, 2, 3);
            assert_int_equal(host_report_of(&h, 2)->broker_error, 0);
            end();
        }
}

static void pauses_grow(void **state)
{
    (void)state;
    begin("retry.backoff.max.ms", "1000");
    host_send(&h, t, 0, 1);
    host_run(&h);
    static const uint64_t least[] = {80, 160, 320, 640, 800, 800};
    static const uint64_t most[] = {120, 240, 480, 960, 1000, 1000};
    for (size_t i = 0; i < 6; i++) {
        HOST_ANSWER(&h, 1, 19);
        host_sleep(&h, least[i] - 1);
        assert_int_equal(host_produces(&h, 1), 0);
        host_sleep(&h, most[i] - least[i] + 2);
        assert_int_equal(host_produces(&h, 1), 1);
    }
    HOST_ANSWER(&h, 1, 0);
    end();
}

static void final_codes_fail(void **state)
{
    (void)state;
    static const int16_t codes[] = {17, 18, 21, 29, 32, 44, 76, 87};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        begin("acks", "all");
        host_send(&h, t, 0, 2);
        host_run(&h);
        host_answer(&h, 1, &codes[i], 1);
        host_expect_fate(&h, 2, 3, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
        const host_report *r = host_report_of(&h, 2);
        assert_int_equal(r->broker_error, codes[i]);
        assert_int_equal(r->base_offset, -1);
        host_expect_text(&h, 2, "topic 't' partition 0");
        host_expect_text(&h, 2, kloop_broker_error_name(codes[i]));
        host_expect_text(&h, 2, "it is not stored");
        assert_null(kloop_engine_fatal_text(h.e));
        /* The producer goes on. */
        host_send(&h, t, 0, 1);
        host_run(&h);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 4, 4);
        end();
    }
}

/* A code that proves nothing. */
static void server_error_is_unknown(void **state)
{
    (void)state;
    begin("acks", "all");
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, -1);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    host_expect_text(&h, 2, "it may be stored or not");
    end();
}

static void final_code_after_a_doubtful_attempt_is_unknown(void **state)
{
    (void)state;
    begin("acks", "all");
    host_send(&h, t, 0, 1);
    host_run(&h);
    HOST_ANSWER(&h, 1, 7);
    host_sleep(&h, 200);
    HOST_ANSWER(&h, 1, 10);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
    end();
}

static void unknown_code_has_one_more_try(void **state)
{
    (void)state;
    static const int16_t codes[] = {4000, -2, INT16_MIN};
    for (size_t i = 0; i < 3; i++) {
        begin("acks", "all");
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_answer(&h, 1, &codes[i], 1);
        host_expect_pending(&h, 2, 2);
        host_sleep(&h, 500);
        host_answer(&h, 1, &codes[i], 1);
        host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
        assert_int_equal(host_report_of(&h, 2)->broker_error, codes[i]);
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_answer(&h, 1, &codes[i], 1);
        host_sleep(&h, 500);
        HOST_ANSWER(&h, 1, 0);
        host_expect_acked(&h, 3, 3);
        end();
    }
}

static void fatal_codes_end_the_producer(void **state)
{
    (void)state;
    static const int16_t codes[] = {31, 49, 90};
    for (size_t i = 0; i < 3; i++) {
        begin("acks", "all");
        host_send(&h, t, 0, 1);
        host_run(&h);
        host_send(&h, t, 1, 2);
        host_run(&h);
        host_send(&h, t, 0, 1);
        assert_int_equal(host_produces(&h, 1), 2);
        host_answer(&h, 1, &codes[i], 1);
        host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
        /* What is in flight may be stored all the same. */
        host_expect_fate(&h, 3, 4, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_FATAL);
        const char *text = kloop_engine_fatal_text(h.e);
        assert_non_null(text);
        assert_non_null(strstr(text, kloop_broker_error_name(codes[i])));
        assert_non_null(strstr(text, "topic 't' partition 0"));
        host_expect_line(&h, "LOG error:");
        kloop_record r = {.key = {NULL, 0}};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_FATAL);
        assert_false(kloop_engine_busy(h.e));
        end();
    }
}

static void retries_are_counted(void **state)
{
    (void)state;
    begin("retries", "2");
    host_send(&h, t, 0, 1);
    host_run(&h);
    for (int i = 0; i < 2; i++) {
        HOST_ANSWER(&h, 1, 19);
        host_sleep(&h, 300);
    }
    HOST_ANSWER(&h, 1, 19);
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_FAILED, KLOOP_CAUSE_BROKER);
    end();
}

/* It said that delivery.timeout.ms had passed, seconds after the record was accepted. */
static void retries_used_up_by_a_lost_connection(void **state)
{
    (void)state;
    begin("retries", "1");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_lose_connection(&h, 1, "reset by peer");
    host_sleep(&h, 1000);
    host_lose_connection(&h, 1, "reset by peer");
    host_expect_fate(&h, 2, 2, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_TIMEOUT);
    host_expect_text(&h, 2, "retries=1");
    host_expect_text(&h, 2, "reset by peer");
    end();
}

static void answer_without_a_partition_is_no_answer(void **state)
{
    (void)state;
    begin("acks", "all");
    host_send(&h, t, 0, 1);
    host_send(&h, t, 1, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    host_respond(&h, c, &m, sizeof m);
    host_run(&h);
    /* Nobody closes a connection for it. */
    assert_int_equal(c->state, HOST_UP);
    host_expect_pending(&h, 2, 3);
    host_sleep(&h, 500);
    size_t batches = 0;
    while (host_produces(&h, 1)) {
        host_expect_produce(&h, 1, &seen);
        batches += seen.batch_count;
        host_answer(&h, 1, (const int16_t[2]){0}, seen.batch_count);
    }
    assert_int_equal(batches, 2);
    host_expect_acked(&h, 2, 3);
    end();
}

/* The same partition twice, ones that were not asked about, topics that nobody knows. */
static void answer_with_strangers(void **state)
{
    (void)state;
    begin("acks", "all");
    host_send(&h, t, 0, 1);
    host_run(&h);
    kloop_produce_partition_response partitions[6];
    static const int32_t indexes[] = {-1, 1, 77, 0, 0, INT32_MAX};
    for (int i = 0; i < 6; i++)
        partitions[i] = (kloop_produce_partition_response){.index = indexes[i],
                                                           .error_code = i == 3 ? 0 : 10,
                                                           .base_offset = 555,
                                                           .log_append_time_ms = 777,
                                                           .log_start_offset = -1,
                                                           .current_leader = {-1, -1}};
    kloop_produce_topic_response topics[3] = {
        {.topic_id = {{99}}, .partition_responses = kloop_array_of(partitions, 6)},
        {.topic_id = {{0}}, .partition_responses = kloop_array_of(partitions, 6)},
        {.topic_id = {{1, [15] = 1}}, .partition_responses = kloop_array_of(partitions, 6)},
    };
    for (int i = 0; i < 3; i++)
        topics[i].name = (kloop_string){"", 0};
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    m.responses = kloop_array_of(topics, 3);
    host_respond(&h, host_at(&h, 1), &m, sizeof m);
    host_run(&h);
    host_expect_acked(&h, 2, 2);
    host_expect_offset(&h, 2, 555);
    assert_int_equal(host_report_of(&h, 2)->timestamp_ms, 777);
    end();
}

static void answer_that_cannot_be_read(void **state)
{
    (void)state;
    begin("acks", "all");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_conn *c = host_at(&h, 1);
    uint8_t answer[16] = {0, 0, 0, 10};
    answer[7] = (uint8_t)host_first(&h, c)->correlation;
    memset(answer + 8, 0xff, 8);
    host_receive(&h, c, answer, 14);
    host_run(&h);
    assert_int_equal(c->state, HOST_CLOSED);
    host_expect_line(&h, "its answer to Produce version 13 cannot be read");
    host_sleep(&h, 1000);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 2);
    end();
}

/* ---- Runs of reports ---- */

static void runs_are_in_order_and_have_offsets(void **state)
{
    (void)state;
    begin("acks", "all");
    /* More users than one segment holds. */
    host_send(&h, t, 0, 3000);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 3001);
    for (size_t user = 2; user <= 3001; user++)
        host_expect_offset(&h, user, 101 + (int64_t)user - 2);
    assert_true(h.report_count >= 2 && h.report_count < 20);
    end();
}

/* The second batch is acked before the first, and reported behind it. */
static void reports_of_a_partition_keep_its_order(void **state)
{
    (void)state;
    begin("enable.idempotence", "false");
    host_send(&h, t, 0, 1);
    host_run(&h);
    host_send(&h, t, 0, 1);
    host_run(&h);
    assert_int_equal(host_produces(&h, 1), 2);
    HOST_ANSWER(&h, 1, 19);
    HOST_ANSWER(&h, 1, 0);
    host_expect_pending(&h, 2, 3);
    host_sleep(&h, 300);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 2, 3);
    /* That is what more than one in flight without idempotence means. */
    host_expect_offset(&h, 2, 102);
    host_expect_offset(&h, 3, 101);
    end();
}

/* Nor in the second run of a batch, where the first one's count would be added. */
static void negative_offsets_are_not_counted_from(void **state)
{
    (void)state;
    for (int duplicate = 0; duplicate < 2; duplicate++) {
        begin("acks", "all");
        host_send(&h, t, 0, 3000);
        host_run(&h);
        t->offsets[0] = -50;
        HOST_ANSWER(&h, 1, (int16_t)(duplicate ? KLOOP_BROKER_DUPLICATE_SEQUENCE_NUMBER : 0));
        host_expect_acked(&h, 2, 3001);
        assert_true(host_report_of(&h, 2) != host_report_of(&h, 3001));
        for (size_t user = 2; user <= 3001; user++)
            host_expect_offset(&h, user, -1);
        end();
    }
}

static void user_may_send_from_a_report(void **state)
{
    (void)state;
    begin("acks", "all");
    host_send(&h, t, 0, 100);
    host_run(&h);
    host_answer_only(&h, 1, (const int16_t[]){0}, 1);
    kloop_action a;
    size_t seen_users = 0;
    while (kloop_engine_next(h.e, &a))
        if (a.kind == KLOOP_ACT_DELIVER) {
            /* Views are good also when the user does something in between. */
            for (int i = 0; i < 2000; i++) {
                kloop_record r = {.value = {(const uint8_t *)"x", 1}, .user = NULL};
                assert_int_equal(kloop_engine_send(t->handle, &r), KLOOP_OK);
            }
            kloop_engine_flush(h.e, NULL, h.now);
            for (size_t i = 0; i < a.report.count; i++)
                assert_int_equal((uintptr_t)a.report.users[i], 2 + seen_users++);
        }
    assert_int_equal(seen_users, 100);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retriable_codes_are_tried_again),
        cmocka_unit_test(pauses_grow),
        cmocka_unit_test(final_codes_fail),
        cmocka_unit_test(server_error_is_unknown),
        cmocka_unit_test(final_code_after_a_doubtful_attempt_is_unknown),
        cmocka_unit_test(unknown_code_has_one_more_try),
        cmocka_unit_test(fatal_codes_end_the_producer),
        cmocka_unit_test(retries_are_counted),
        cmocka_unit_test(retries_used_up_by_a_lost_connection),
        cmocka_unit_test(answer_without_a_partition_is_no_answer),
        cmocka_unit_test(answer_with_strangers),
        cmocka_unit_test(answer_that_cannot_be_read),
        cmocka_unit_test(runs_are_in_order_and_have_offsets),
        cmocka_unit_test(reports_of_a_partition_keep_its_order),
        cmocka_unit_test(negative_offsets_are_not_counted_from),
        cmocka_unit_test(user_may_send_from_a_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
