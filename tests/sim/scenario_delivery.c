/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories without misfortune: batching, limits, flush, codecs, writes. */
#include "tests/sim/scenario.h"

SIM_SCENARIO(all_is_well)
{
    sim_topic(s, "t", 4, 3);
    sim_start(s);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 100);
        sim_go(s, 20 * KL_MS);
    }
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 0, "nothing is sent twice");
}

SIM_SCENARIO(linger_waits)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "200");
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 1);
    sim_go(s, 195 * KL_MS);
    sim_expect(s, s->book.produce_requests == 0, "nothing leaves before linger.ms is over");
    sim_go(s, 10 * KL_MS);
    sim_expect(s, s->book.produce_requests == 1, "the record leaves when linger.ms is over");
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(size_beats_linger)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "1000");
    sim_set(s, "batch.size", "2000");
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 100);
    sim_go(s, 100 * KL_MS);
    sim_expect(s, s->book.produce_requests > 0, "full batches leave at once");
    sim_expect(s, sim_ledger_pending(&s->ledger) > 0, "the last batch is not full, and waits");
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(acks_one)
{
    sim_topic(s, "t", 2, 3);
    sim_set(s, "acks", "1");
    s->plan.replication_delay_ns = 3 * KL_SECOND;
    sim_start(s);
    sim_send(s, 0, 50);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(acks_zero)
{
    sim_topic(s, "t", 2, 1);
    sim_set(s, "acks", "0");
    sim_start(s);
    sim_send(s, 0, 50);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    for (uint32_t i = 0; i < s->ledger.count; i++)
        sim_expect(s, s->ledger.records[i].reported_offset == -1, "there is no offset to tell");
}

SIM_SCENARIO(full_and_writable)
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
    sim_go(s, 100 * KL_MS);
    sim_expect(s, s->host.writable_owed, "there is no room while nothing goes out");
    sim_go(s, 8 * KL_SECOND);
    sim_expect(s, !s->host.writable_owed, "there is room when things go out");
    sim_send_sized(s, 0, 1, 400);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(flush_covers)
{
    sim_topic(s, "t", 3, 1);
    sim_set(s, "linger.ms", "3000");
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 30);
    sim_flush(s);
    sim_send(s, 0, 1);
    sim_go(s, 200 * KL_MS);
    sim_expect(s, !s->ledger.flushes_open, "a flush does not linger");
    sim_expect(s, sim_ledger_pending(&s->ledger) <= 1, "the records it covers are reported");
    sim_flush(s);
    sim_flush(s);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* One run has one codec: the scenario's seed chooses it, and the swarm has them all. */
SIM_SCENARIO(codecs)
{
    static const char *const names[] = {"gzip", "snappy", "lz4", "zstd"};
    sim_topic(s, "t", 2, 1);
    sim_set(s, "compression.type", names[s->seed % 4]);
    sim_set(s, "batch.size", "60000");
    sim_start(s);
    for (int i = 0; i < 20; i++) {
        sim_send_sized(s, 0, 40, 900);
        sim_go(s, 3 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(max_in_flight)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "300");
    s->plan.pipelined = true;
    s->plan.answer_delay_ns = 500 * KL_MS;
    sim_start(s);
    sim_send(s, 0, 200);
    sim_until_produced(s, 1);
    sim_go(s, 900 * KL_MS);
    sim_expect(s, s->book.produce_requests == 6,
               "one alone, then five requests are under way, and no more");
    sim_drain(s, 60 * KL_SECOND);
}

SIM_SCENARIO(idle_connection)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "connections.max.idle.ms", "1000");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_go(s, 3 * KL_SECOND);
    for (size_t i = 0; i < s->links.count; i++)
        sim_expect(s, s->links.all[i]->state == SIM_CONN_GONE, "idle connections are closed");
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(slow_completion)
{
    sim_topic(s, "t", 2, 2);
    sim_set(s, "request.timeout.ms", "500");
    sim_set(s, "delivery.timeout.ms", "4000");
    sim_slow_writes(s, 2 * KL_SECOND);
    sim_start(s);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 50);
        sim_go(s, 300 * KL_MS);
    }
    sim_drain(s, 6 * KL_SECOND);
}
