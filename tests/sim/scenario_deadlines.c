/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of time: deadlines in every state, clocks that jump, loops that stand still. */
#include "tests/sim/scenario.h"

static void begin(sim *s, int32_t partitions)
{
    sim_topic(s, "t", partitions, 1);
    sim_start(s);
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

/* All pending records are reported so within delivery.timeout.ms, and not much before it. */
static void expect_end(sim *s, sim_record_state state, uint32_t n)
{
    uint32_t before = sim_count(s, state);
    sim_go(s, 9300 * KL_MS);
    sim_expect(s, sim_count(s, state) == before, "their time is not over yet");
    sim_drain(s, 750 * KL_MS);
    sim_expect(s, sim_count(s, state) == before + n, "now it is");
}

/* ---- In every state ---- */

SIM_SCENARIO(deadline_for_metadata)
{
    sim_topic(s, "t", 1, 1);
    s->plan.topics[0].appears_ns = KL_NEVER;
    sim_set(s, "max.block.ms", "60000");
    sim_start(s);
    sim_send(s, 0, 10);
    expect_end(s, SIM_RECORD_FAILED, 10);
}

SIM_SCENARIO(deadline_connecting)
{
    begin(s, 1);
    sim_always(s, SIM_FAULT_CONNECT_SILENT);
    sim_reset(s, KL_NO_NODE);
    sim_send(s, 0, 10);
    expect_end(s, SIM_RECORD_FAILED, 10);
}

SIM_SCENARIO(deadline_lingering)
{
    sim_set(s, "linger.ms", "6900");
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_flush(s);
    sim_drain(s, KL_SECOND);
    sim_send(s, 0, 10);
    sim_go(s, 6800 * KL_MS);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    sim_next_error(s, 19, false, 1000);
    sim_drain(s, 3300 * KL_MS);
    sim_expect(s, s->ledger.failed + s->ledger.unknown == 10, "lingering is part of the time");
}

static void no_producer_id(sim *s, const kl_request_info *request, void *response)
{
    (void)s;
    if (request->api_key == KLOOP_INIT_PRODUCER_ID)
        ((kloop_init_producer_id_response *)response)->error_code = 14;
}

/* Batches parked one after the other once became one that took all of the last one's records,
 * though some of these were younger than the first of all by more than any batch's may be. */
SIM_SCENARIO(deadline_parked_together)
{
    sim_topic(s, "t", 1, 1);
    s->plan.topics[0].appears_ns = 3 * KL_SECOND;
    sim_set(s, "max.block.ms", "60000");
    sim_set(s, "linger.ms", "2000");
    sim_answers_pass(s, no_producer_id);
    sim_start(s);
    for (int i = 0; i < 300; i++) {
        sim_send(s, 0, 1);
        sim_go(s, 10 * KL_MS);
    }
    sim_drain(s, 11 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

SIM_SCENARIO(deadline_queued)
{
    begin(s, 1);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    sim_next_error(s, 19, false, 1);
    sim_send(s, 0, 1);
    sim_go(s, 500 * KL_MS);
    sim_send(s, 0, 10);
    sim_go(s, 9400 * KL_MS);
    sim_expect(s, s->ledger.failed + s->ledger.unknown <= 1, "their time is not over yet");
    sim_drain(s, 700 * KL_MS);
    sim_expect(s, s->ledger.failed >= 10, "they never left");
}

SIM_SCENARIO(deadline_in_flight)
{
    sim_set(s, "request.timeout.ms", "9999");
    sim_set(s, "linger.ms", "0");
    begin(s, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_SILENT});
    sim_send(s, 0, 10);
    expect_end(s, SIM_RECORD_UNKNOWN, 10);
}

SIM_SCENARIO(deadline_retrying)
{
    begin(s, 1);
    sim_next_error(s, 19, false, 1000);
    sim_send(s, 0, 10);
    expect_end(s, SIM_RECORD_FAILED, 10);
    sim_expect(s, sim_ledger_record(s, 5)->attempts > 8, "it was tried to the end");
}

SIM_SCENARIO(deadline_in_backoff)
{
    sim_set(s, "retry.backoff.ms", "30000");
    sim_set(s, "retry.backoff.max.ms", "30000");
    begin(s, 1);
    sim_next_error(s, 19, false, 1000);
    sim_send(s, 0, 10);
    expect_end(s, SIM_RECORD_FAILED, 10);
    sim_expect(s, sim_ledger_record(s, 5)->attempts == 1, "the pause would have been longer");
}

/* The loop is held from the moment of the sending: what is not folded by then never was. */
SIM_SCENARIO(deadline_compressing)
{
    sim_set(s, "compression.type", "gzip");
    sim_set(s, "batch.size", "60000");
    begin(s, 1);
    sim_send_sized(s, 0, 2000, 1000);
    sim_hold_loop(s, 11 * KL_SECOND);
    sim_drain(s, 12 * KL_SECOND);
    sim_expect(s, s->ledger.failed + s->ledger.unknown == 2000, "it is told as soon as it can be");
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 11, "what comes next is delivered");
}

/* A trickle behind something that cannot be sent: nobody dies before 15/16 of his own time, only
 * because an older one was in the same batch (checked for each record). */
SIM_SCENARIO(older_neighbours)
{
    begin(s, 1);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    for (int i = 0; i < 400; i++) {
        sim_send(s, 0, 1);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 11 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 1, "there is nobody to send to");
}

/* ---- Odd times ---- */

SIM_SCENARIO(longest_times)
{
    sim_set(s, "delivery.timeout.ms", "2147483647");
    sim_set(s, "request.timeout.ms", "1073741823");
    sim_set(s, "linger.ms", "1000000000");
    sim_set(s, "metadata.max.age.ms", "9223372036854775807");
    sim_set(s, "connections.max.idle.ms", "9223372036854775807");
    sim_set(s, "max.block.ms", "9223372036854775807");
    sim_topic(s, "t", 2, 1);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_go(s, 100 * KL_SECOND);
    sim_expect(s, s->book.produce_requests == 0, "it lingers");
    sim_flush(s);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_go(s, 100000 * KL_SECOND);
    sim_send(s, 0, 10);
    sim_close_and_wait(s, INT32_MAX);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(shortest_times)
{
    sim_set(s, "linger.ms", "0");
    sim_set(s, "retry.backoff.ms", "0");
    sim_set(s, "retry.backoff.max.ms", "0");
    sim_set(s, "reconnect.backoff.ms", "0");
    sim_set(s, "reconnect.backoff.max.ms", "0");
    begin(s, 2);
    sim_next_error(s, 19, false, 5);
    sim_send(s, 0, 10);
    sim_reset(s, KL_NO_NODE);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A millisecond here and there, and a host that wakes up whenever it is asked to. */
SIM_SCENARIO(deadlines_very_near)
{
    sim_set(s, "linger.ms", "1");
    sim_set(s, "retry.backoff.ms", "1");
    sim_set(s, "retry.backoff.max.ms", "2");
    begin(s, 4);
    sim_next_error(s, 19, false, 20);
    for (int i = 0; i < 40; i++) {
        sim_send(s, 0, 3);
        sim_go(s, 700 * KL_US);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(all_at_one_instant)
{
    begin(s, 50);
    for (int32_t p = 0; p < 50; p++)
        sim_brokers_move_leader(s, 0, p, KL_NO_NODE);
    sim_next_error(s, 19, false, 1000);
    sim_go(s, 500 * KL_MS);
    for (int i = 0; i < 40; i++)
        for (int32_t p = 0; p < 50; p++)
            sim_send_to(s, 0, p, 2);
    sim_drain(s, 10100 * KL_MS);
    sim_expect(s, s->ledger.failed + s->ledger.unknown == 4000, "all of them, in time");
}

/* ---- Clocks ---- */

SIM_SCENARIO(wall_clock_jumps)
{
    static const int64_t jumps[] = {86400000, -86400000, -3600000, 1, -1};
    begin(s, 2);
    for (int i = 0; i < 20; i++) {
        s->world.wall_jump_ms += jumps[i % 5];
        sim_send(s, 0, 20);
        sim_go(s, 100 * KL_MS);
    }
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0 && sim_stats(s).disconnects == 0,
               "only timestamps follow that clock");
}

SIM_SCENARIO(loop_held_with_answers_waiting)
{
    sim_set(s, "linger.ms", "0");
    begin(s, 2);
    sim_send(s, 0, 20);
    sim_go(s, 1200 * KL_US);
    sim_hold_loop(s, 60 * KL_SECOND);
    sim_drain(s, 61 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "what has come is read before anything expires");
}

/* The clock has stood still with the machine; who was connected has gone away meanwhile. */
SIM_SCENARIO(machine_slept)
{
    begin(s, 2);
    sim_send(s, 0, 20);
    sim_go(s, 500 * KL_US);
    sim_hole(s, KL_NO_NODE);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 20);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A callback of the user held the loop. */
SIM_SCENARIO(loop_held_again_and_again)
{
    begin(s, 4);
    for (int i = 0; i < 20; i++) {
        sim_send(s, 0, 20);
        sim_hold_loop(s, 2 * KL_SECOND);
        sim_go(s, 2100 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "nothing is sent twice because of it");
}

/* ---- Nothing to do ---- */

SIM_SCENARIO(idle)
{
    begin(s, 4);
    uint64_t before = s->host.turns;
    sim_go(s, 200 * KL_SECOND);
    sim_expect(s, s->host.turns - before < 20, "nobody is woken up for nothing");
}

SIM_SCENARIO(idle_and_cut_off)
{
    begin(s, 4);
    sim_always(s, SIM_FAULT_CONNECT_SILENT);
    sim_reset(s, KL_NO_NODE);
    sim_go(s, KL_SECOND);
    uint64_t before = s->host.turns;
    sim_go(s, 300 * KL_SECOND);
    sim_expect(s, s->host.turns - before < 2000, "no more wake-ups than attempts need");
    sim_faults_end(s);
    sim_send(s, 0, 10);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
