/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of records that are given up on demand, in every state there is. */
#include "tests/sim/scenario.h"

#define QUEUED    KLOOP_PURGE_QUEUED
#define IN_FLIGHT KLOOP_PURGE_IN_FLIGHT

/* One partition, small batches, five requests under way, delivered to once. */
static void begin(sim *s)
{
    sim_topic(s, "t", 1, 3);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "200");
    s->plan.pipelined = true;
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

static void batches(sim *s, int n)
{
    for (int i = 0; i < n; i++)
        sim_send_sized(s, 0, 1, 150);
}

/* It goes on as if nothing had been. */
static void expect_alive(sim *s)
{
    uint32_t from = s->ledger.count;
    sim_no_more(s);
    batches(s, 6);
    sim_drain(s, 9 * KL_SECOND);
    for (uint32_t i = from + 1; i <= s->ledger.count; i++)
        sim_expect(s, sim_ledger_record(s, i)->state == SIM_RECORD_ACKED,
                   "what is sent from now on is delivered");
}

SIM_SCENARIO(purge_nothing)
{
    begin(s);
    sim_purge(s, -1, QUEUED | IN_FLIGHT);
    sim_purge(s, 0, QUEUED);
    expect_alive(s);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "nothing was given up");
}

SIM_SCENARIO(purge_parked)
{
    sim_topic(s, "t", 1, 1);
    s->plan.topics[0].appears_ns = 2 * KL_SECOND;
    sim_start(s);
    sim_send(s, 0, 10);
    sim_flush(s);
    sim_go(s, 500 * KL_MS);
    sim_purge(s, 0, QUEUED);
    sim_go(s, KL_MS);
    sim_expect(s, s->ledger.failed == 10 && !s->ledger.flushes_open, "they never left");
    sim_send(s, 0, 10);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 10, "what is sent from now on is delivered");
}

SIM_SCENARIO(purge_lingering)
{
    sim_topic(s, "t", 3, 1);
    sim_set(s, "linger.ms", "3000");
    sim_start(s);
    sim_send(s, 0, 5);
    sim_flush(s);
    sim_drain(s, KL_SECOND);
    sim_send(s, 0, 50);
    sim_purge(s, -1, QUEUED);
    sim_go(s, KL_MS);
    sim_expect(s, s->ledger.failed == 50, "they never left, and it is told at once");
    sim_go(s, 4 * KL_SECOND);
    expect_alive(s);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "they had no numbers yet");
}

/* Those in flight are in front of them: the order of reports is that of sending. */
SIM_SCENARIO(purge_queued_behind_flight)
{
    begin(s);
    s->plan.answer_delay_ns = 0;
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)KL_SECOND});
    batches(s, 30);
    sim_go(s, 100 * KL_MS);
    sim_purge(s, 0, QUEUED);
    sim_go(s, 500 * KL_MS);
    sim_expect(s, s->ledger.failed == 0, "others come first");
    sim_drain(s, KL_SECOND);
    sim_expect(s, s->ledger.acked >= 2 && s->ledger.failed >= 10 && s->ledger.unknown == 0,
               "what was under way is acked, the rest has failed");
    expect_alive(s);
}

/* What is stored comes too late to be told; its numbers must not be given to others. */
SIM_SCENARIO(purge_in_flight)
{
    begin(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)KL_SECOND});
    batches(s, 5);
    sim_go(s, 100 * KL_MS);
    sim_purge(s, 0, IN_FLIGHT);
    sim_go(s, 100 * KL_MS);
    sim_expect(s, s->ledger.unknown > 0 && s->ledger.failed == 0, "perhaps they are stored");
    batches(s, 5);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.acked >= 6, "what was sent behind them is delivered");
    sim_expect(s, sim_stats(s).epoch_bumps >= 1, "under a new epoch");
    expect_alive(s);
}

SIM_SCENARIO(purge_all)
{
    begin(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)KL_SECOND});
    batches(s, 30);
    sim_go(s, 100 * KL_MS);
    sim_flush(s);
    sim_purge(s, -1, QUEUED | IN_FLIGHT);
    sim_go(s, KL_MS);
    sim_expect(s, !sim_ledger_pending(&s->ledger), "all is reported at once");
    sim_expect(s, !s->ledger.flushes_open, "and the flush is over");
    sim_expect(s, s->ledger.failed >= 10 && s->ledger.unknown >= 1, "each by what is known of it");
    expect_alive(s);
}

/* The ghost's connection dies, and its request is carried out after all. */
SIM_SCENARIO(purged_ghost_stored_late)
{
    begin(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.process_delay_ns = (int64_t)(2 * KL_SECOND)});
    batches(s, 3);
    sim_go(s, 100 * KL_MS);
    sim_purge(s, 0, IN_FLIGHT);
    sim_end(s, 1);
    batches(s, 5);
    sim_drain(s, 9 * KL_SECOND);
    sim_go(s, 3 * KL_SECOND);
    expect_alive(s);
}

SIM_SCENARIO(purge_between_retries)
{
    sim_set(s, "retry.backoff.ms", "1000");
    begin(s);
    sim_next_error(s, 19, false, 1);
    batches(s, 5);
    sim_go(s, 100 * KL_MS);
    sim_purge(s, 0, QUEUED);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 0 && s->ledger.failed == 5,
               "each attempt was refused: surely not stored");
    expect_alive(s);
}

SIM_SCENARIO(purge_after_maybe)
{
    sim_set(s, "retry.backoff.ms", "1000");
    begin(s);
    sim_next_error(s, 7, true, 1);
    batches(s, 1);
    sim_go(s, 100 * KL_MS);
    sim_purge(s, 0, QUEUED);
    sim_drain(s, KL_SECOND);
    sim_expect(s, s->ledger.unknown == 1, "its attempt may have stored it, and has");
    expect_alive(s);
}

/* Only the topic that is named. */
SIM_SCENARIO(purge_one_topic)
{
    sim_topic(s, "t", 1, 1);
    sim_topic(s, "u", 1, 1);
    sim_set(s, "linger.ms", "1000");
    sim_start(s);
    sim_send(s, 0, 10);
    sim_send(s, 1, 10);
    sim_go(s, 500 * KL_MS);
    sim_purge(s, 1, QUEUED | IN_FLIGHT);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 10 && s->ledger.failed == 10, "the other one is delivered");
}

SIM_SCENARIO(purge_again_and_again)
{
    begin(s);
    for (int i = 0; i < 60; i++) {
        batches(s, 8);
        sim_go(s, (uint64_t)(i % 5) * 300 * KL_US);
        sim_purge(s, i & 1 ? -1 : 0,
                  i % 3 == 0   ? QUEUED
                  : i % 3 == 1 ? IN_FLIGHT
                               : QUEUED | IN_FLIGHT);
        if (i % 10 == 9)
            sim_reset(s, 1);
        sim_go(s, (uint64_t)(i % 7) * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    expect_alive(s);
}

SIM_SCENARIO(purge_then_close)
{
    begin(s);
    sim_hole(s, KL_NO_NODE);
    batches(s, 10);
    sim_go(s, 100 * KL_MS);
    sim_purge(s, -1, QUEUED | IN_FLIGHT);
    sim_close_and_wait(s, 5000);
    sim_expect(s, s->world.now_ns < SIM_START_NS + 2 * KL_SECOND, "there is nothing to wait for");
}
