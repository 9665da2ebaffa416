/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of batches of which a broker dislikes some records and says which (KIP-467): the others
 * go again without them, where that is safe. */
#include "tests/sim/scenario.h"

/* One partition, one batch of records for each call of sim_send, five under way. */
static void begin(sim *s)
{
    sim_topic(s, "t", 1, 3);
    sim_set(s, "linger.ms", "2");
    s->plan.pipelined = true;
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

/* Of records first to last exactly these have failed; the rest is acked. */
static void expect_failed(sim *s, uint32_t first, uint32_t last, const uint32_t *failed, int n)
{
    for (uint32_t i = first; i <= last; i++) {
        bool bad = false;
        for (int k = 0; k < n; k++)
            bad |= failed[k] == i;
        sim_expect(s,
                   sim_ledger_record(s, i)->state == (bad ? SIM_RECORD_FAILED : SIM_RECORD_ACKED),
                   "the bad ones have failed, and no others");
    }
}

SIM_SCENARIO(bad_record_in_the_middle)
{
    static const int32_t places[] = {4};
    static const uint32_t failed[] = {6};
    begin(s);
    sim_next_bad_records(s, places, 1);
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    expect_failed(s, 2, 11, failed, 1);
    sim_expect(s, sim_ledger_record(s, 6)->broker_error == 87, "the report says why");
    sim_expect(s, sim_stats(s).epoch_bumps == 1, "what is left is another batch, of another epoch");
}

SIM_SCENARIO(bad_records_at_both_ends)
{
    static const int32_t places[] = {0, 1, 9};
    static const uint32_t failed[] = {2, 3, 11};
    begin(s);
    sim_next_bad_records(s, places, 3);
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    expect_failed(s, 2, 11, failed, 3);
}

SIM_SCENARIO(bad_records_all)
{
    static const int32_t places[] = {0, 1, 2};
    begin(s);
    sim_next_bad_records(s, places, 3);
    sim_send(s, 0, 3);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 3);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 3 && s->ledger.acked == 4, "nothing is left to send again");
}

/* The second refusal names records of what was left. */
SIM_SCENARIO(bad_records_twice)
{
    static const int32_t first[] = {2};
    static const int32_t second[] = {2};
    static const uint32_t failed[] = {4, 5};
    begin(s);
    sim_next_bad_records(s, first, 1);
    sim_next_bad_records(s, second, 1);
    sim_send(s, 0, 10);
    sim_drain(s, 5 * KL_SECOND);
    expect_failed(s, 2, 11, failed, 2);
}

/* Places that the batch does not have, or has already: told of nobody. */
SIM_SCENARIO(bad_records_that_are_none)
{
    static const int32_t places[] = {-1, 77, INT32_MAX, INT32_MIN};
    begin(s);
    sim_next_bad_records(s, places, 4);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 5, "INVALID_RECORD that names nobody is about all");
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6, "what comes next is delivered");
}

/* Its first attempt may be stored: then what is left could be stored twice. */
SIM_SCENARIO(bad_records_after_maybe)
{
    static const int32_t places[] = {1};
    begin(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_next_bad_records(s, places, 1);
    sim_send(s, 0, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 5, "the whole batch is in doubt");
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6, "what comes next is delivered");
}

/* Four are in flight behind it: they are proved absent first, then all go again in order. */
SIM_SCENARIO(bad_records_with_others_in_flight)
{
    static const int32_t places[] = {3};
    static const uint32_t failed[] = {5};
    begin(s);
    sim_next_bad_records(s, places, 1);
    for (int i = 0; i < 6; i++) {
        sim_send(s, 0, 6);
        sim_go(s, 2100 * KL_US);
    }
    sim_drain(s, 5 * KL_SECOND);
    expect_failed(s, 2, 37, failed, 1);
}

SIM_SCENARIO(bad_records_compressed)
{
    static const int32_t places[] = {0, 5};
    static const uint32_t failed[] = {2, 7};
    sim_set(s, "compression.type", "zstd");
    begin(s);
    sim_next_bad_records(s, places, 2);
    sim_send_sized(s, 0, 20, 600);
    sim_drain(s, 5 * KL_SECOND);
    expect_failed(s, 2, 21, failed, 2);
}

SIM_SCENARIO(bad_records_then_too_large)
{
    static const int32_t places[] = {0};
    static const uint32_t failed[] = {2};
    begin(s);
    sim_next_bad_records(s, places, 1);
    sim_next_error(s, 10, false, 1);
    sim_send(s, 0, 20);
    sim_drain(s, 5 * KL_SECOND);
    expect_failed(s, 2, 21, failed, 1);
    sim_expect(s, sim_stats(s).batches_split >= 1, "what was left was split too");
}

SIM_SCENARIO(bad_records_and_purge)
{
    static const int32_t places[] = {1};
    begin(s);
    for (int i = 0; i < 10; i++) {
        sim_no_more(s);
        sim_next_bad_records(s, places, 1);
        sim_send(s, 0, 6);
        sim_go(s, 2 * KL_MS + (uint64_t)i * 300 * KL_US);
        sim_purge(s, -1, i & 1 ? KLOOP_PURGE_QUEUED : KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
        sim_go(s, 5 * KL_MS);
    }
    sim_no_more(s);
    sim_drain(s, 3 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "what is sent from now on is delivered");
}
