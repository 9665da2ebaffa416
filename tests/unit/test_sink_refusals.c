/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches that are refused on demand, and what becomes of those behind them.
 *
 * Java's producer and franz-go once waited for ever for a refused first batch: the second one,
 * under way already, was taken for the first of a producer that nobody knew.
 */
#include "cli/sink_refusals.h"

#include <kloop/broker_error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GAP KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER

static kl_sink_refusals *with(const char *words)
{
    kl_sink_refusals *r = kl_sink_refusals_new();
    assert_non_null(r);
    assert_null(kl_sink_refusals_add(r, words));
    return r;
}

static int16_t judge(kl_sink_refusals *r, int32_t partition, int64_t id, int16_t epoch,
                     int32_t sequence)
{
    kloop_batch_header h = {
        .producer_id = id, .producer_epoch = epoch, .base_sequence = sequence, .record_count = 10};
    return kl_sink_refusals_judge(r, 0, partition, &h);
}

static void test_words(void **state)
{
    static const struct {
        const char *words, *why;
    } rows[] = {
        {"NOT_LEADER_OR_FOLLOWER@0.01", NULL},
        {"19@5%", NULL},
        {"-1@100%", NULL},
        {"19", "CODE@RATE is wanted, as in NOT_LEADER_OR_FOLLOWER@0.01"},
        {"0@1", "Kafka has no error of this name or number"},
        {"NONE@1", "Kafka has no error of this name or number"},
        {"@1", "Kafka has no error of this name or number"},
        {"19x@1", "Kafka has no error of this name or number"},
        {"70000@1", "Kafka has no error of this name or number"},
        {"19@", "the rate is wanted as 0 to 1, or as a percentage"},
        {"19@x", "the rate is wanted as 0 to 1, or as a percentage"},
        {"19@1.1", "the rate is wanted as 0 to 1, or as a percentage"},
        {"19@101%", "the rate is wanted as 0 to 1, or as a percentage"},
        {"19@-1", "the rate is wanted as 0 to 1, or as a percentage"},
        {"19@nan", "the rate is wanted as 0 to 1, or as a percentage"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kl_sink_refusals *r = kl_sink_refusals_new();
        const char *why = kl_sink_refusals_add(r, rows[i].words);
        assert_int_equal(why == NULL, rows[i].why == NULL);
        if (why)
            assert_string_equal(why, rows[i].why);
        kl_sink_refusals_del(r);
    }
    kl_sink_refusals_del(NULL);
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int least, most;
    } rows[] = {{"6@0", 0, 0}, {"6@1", 1000, 1000}, {"6@30%", 250, 350}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kl_sink_refusals *r = with(rows[i].words);
        int refused = 0;
        for (int n = 0; n < 1000; n++) {
            int16_t code = judge(r, 0, -1, -1, -1);
            assert_true(code == 0 || code == KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
            refused += code != 0;
        }
        assert_in_range(refused, rows[i].least, rows[i].most);
        /* Nothing but a topic and a partition. */
        kl_sink_refusals_judge(r, 0, 0, NULL);
        kl_sink_refusals_del(r);
    }
}

/* The dice fall as they fall: these are found by trying. */
static void refuse_first(kl_sink_refusals *r, int32_t partition, int64_t id)
{
    while (judge(r, partition, id, 0, 0) == 0)
        ;
}

static void test_what_is_behind_a_refused_batch(void **state)
{
    kl_sink_refusals *r = with("6@50%");
    (void)state;
    refuse_first(r, 0, 7);
    for (int i = 0; i < 100; i++)
        assert_int_equal(judge(r, 0, 7, 0, 10 + i), GAP);
    /* It is nothing to other partitions and other producers. */
    for (int i = 0; i < 100; i++) {
        assert_int_not_equal(judge(r, 1, 7, 0, 10), GAP);
        assert_int_not_equal(judge(r, 0, 8, 0, 10), GAP);
        while (judge(r, 1, 7, 0, 10) || judge(r, 0, 8, 0, 10))
            ;
    }
    /* It comes again until it is taken, and all is well. */
    while (judge(r, 0, 7, 0, 0))
        assert_int_equal(judge(r, 0, 7, 0, 10), GAP);
    assert_int_not_equal(judge(r, 0, 7, 0, 10), GAP);
    kl_sink_refusals_del(r);
}

static void test_a_new_epoch_forgets(void **state)
{
    kl_sink_refusals *r = with("6@50%");
    (void)state;
    refuse_first(r, 0, 7);
    assert_int_equal(judge(r, 0, 7, 0, 10), GAP);
    while (judge(r, 0, 7, 1, 0))
        ;
    assert_int_not_equal(judge(r, 0, 7, 1, 10), GAP);
    kl_sink_refusals_del(r);
}

static void test_sequences_that_begin_anew(void **state)
{
    kl_sink_refusals *r = with("6@50%");
    (void)state;
    while (judge(r, 0, 7, 0, INT32_MAX - 4) == 0)
        ;
    assert_int_equal(judge(r, 0, 7, 0, 5), GAP);
    /* What was stored long ago, and comes again, is before it. */
    assert_int_not_equal(judge(r, 0, 7, 0, INT32_MAX - 20), GAP);
    kl_sink_refusals_del(r);
}

static void test_more_than_are_remembered(void **state)
{
    kl_sink_refusals *r = with("6@1");
    (void)state;
    for (int32_t p = 0; p < 5000; p++)
        assert_int_equal(judge(r, p, 7, 0, 0), KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER);
    assert_int_equal(judge(r, 4999, 7, 0, 10), GAP);
    assert_int_not_equal(judge(r, 0, 7, 0, 10), GAP);
    kl_sink_refusals_del(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_what_is_behind_a_refused_batch),
        cmocka_unit_test(test_a_new_epoch_forgets),
        cmocka_unit_test(test_sequences_that_begin_anew),
        cmocka_unit_test(test_more_than_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
