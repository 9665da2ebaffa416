/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of closing and flushing, in every state there is. */
#include "tests/sim/scenario.h"

SIM_SCENARIO(close_unused)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_close_and_wait(s, 1000);
    sim_expect(s, s->world.now_ns < SIM_START_NS + 100 * KL_MS, "there is nothing to wait for");
}

SIM_SCENARIO(close_resolving)
{
    sim_topic(s, "t", 1, 1);
    s->faults.rate[SIM_FAULT_NAME_NEVER] = 1000000;
    s->faults.on = true;
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, KL_SECOND);
    sim_close_and_wait(s, 500);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

SIM_SCENARIO(close_connecting)
{
    sim_topic(s, "t", 1, 1);
    s->faults.rate[SIM_FAULT_CONNECT_SILENT] = 1000000;
    s->faults.on = true;
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 500 * KL_MS);
    sim_close_and_wait(s, 100);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

SIM_SCENARIO(close_in_handshake)
{
    sim_topic(s, "t", 1, 1);
    sim_impostor_at(s, 1, SIM_IMPOSTOR_SILENT);
    sim_impostor_at(s, 2, SIM_IMPOSTOR_SILENT);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_go(s, 500 * KL_MS);
    sim_close_and_wait(s, 100);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

SIM_SCENARIO(close_parked)
{
    sim_topic(s, "t", 1, 1);
    s->plan.topics[0].appears_ns = KL_NEVER;
    sim_start(s);
    sim_send(s, 0, 5);
    sim_flush(s);
    sim_go(s, 500 * KL_MS);
    sim_close_and_wait(s, 300);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

SIM_SCENARIO(close_lingering)
{
    sim_topic(s, "t", 2, 1);
    sim_set(s, "linger.ms", "4000");
    sim_start(s);
    sim_go(s, 200 * KL_MS);
    sim_send(s, 0, 20);
    sim_close_and_wait(s, 1000);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(close_in_flight)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_SILENT});
    sim_send(s, 0, 5);
    sim_until_produced(s, 1);
    sim_close_and_wait(s, 700);
    sim_expect(s, s->ledger.unknown == 5, "nobody has said what became of them");
}

SIM_SCENARIO(close_queued)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    sim_go(s, 100 * KL_MS);
    sim_brokers_kill(s, 1);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 5);
    sim_close_and_wait(s, 700);
    sim_expect(s, s->ledger.failed == 5, "they never left");
}

SIM_SCENARIO(close_twice)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_hole(s, KL_NO_NODE);
    sim_send(s, 0, 5);
    sim_close(s, 20000);
    sim_go(s, 100 * KL_MS);
    sim_close(s, 60000);
    sim_go(s, 100 * KL_MS);
    sim_close_and_wait(s, 50);
    sim_expect(s, s->world.now_ns < SIM_START_NS + KL_SECOND, "the shortest time counts");
}

SIM_SCENARIO(close_full)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "max.request.size", "20000");
    sim_set(s, "buffer.memory", "65536");
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_hole(s, KL_NO_NODE);
    for (int i = 0; i < 2000 && !s->user.waits; i++)
        sim_send_sized(s, 0, 1, 400);
    sim_expect(s, s->host.writable_owed, "the buffer is full at last");
    sim_close_and_wait(s, 300);
}

SIM_SCENARIO(close_writing)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_go(s, 200 * KL_MS);
    sim_slow_writes(s, 30 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_go(s, 100 * KL_MS);
    sim_close_and_wait(s, 200);
}

/* ---- Flushing ---- */

SIM_SCENARIO(flush_in_flight)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)KL_SECOND});
    sim_send(s, 0, 30);
    sim_go(s, 20 * KL_MS);
    sim_flush(s);
    sim_send(s, 0, 5);
    sim_go(s, 500 * KL_MS);
    sim_expect(s, s->ledger.flushes_open == 1, "one answer is waited for");
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(flush_retrying)
{
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_next_error(s, 19, false, 5);
    sim_send(s, 0, 10);
    for (int i = 0; i < 5; i++) {
        sim_flush(s);
        sim_go(s, 100 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(flush_then_close)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "4000");
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_hole(s, KL_NO_NODE);
    sim_send(s, 0, 10);
    sim_flush(s);
    sim_flush(s);
    sim_close_and_wait(s, 500);
    sim_expect(s, s->ledger.flushes_open == 0, "close ends flushes too, behind the reports");
}

/* linger.ms counts again behind a flush. */
SIM_SCENARIO(linger_behind_flush)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "1000");
    sim_start(s);
    for (int i = 0; i < 3; i++) {
        sim_send(s, 0, 5);
        sim_flush(s);
        sim_drain(s, KL_SECOND);
    }
    uint64_t before = s->book.produce_requests;
    sim_send(s, 0, 5);
    sim_go(s, 900 * KL_MS);
    sim_expect(s, s->book.produce_requests == before, "what is sent behind a flush lingers again");
    sim_drain(s, 200 * KL_MS);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
