/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of what is lent, bundled, and encoded by the user. */
#include "tests/sim/scenario.h"

static void begin(sim *s, uint32_t borrows)
{
    sim_set(s, "linger.ms", "5");
    s->plan.borrows = borrows;
    s->plan.record_bytes_max = 8000;
    sim_topic(s, "t", 3, 3);
    sim_start(s);
}

static void send_around(sim *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        sim_send_sized(s, 0, 6, 8000);
        sim_go(s, 20 * KL_MS);
    }
}

/* ---- Loans ---- */

/* Split, and put together without the bad ones: the bytes are the lender's all the same. */
SIM_SCENARIO(loans_in_batches_put_together_anew)
{
    static const int32_t bad[] = {0, 2};
    begin(s, 1000000);
    sim_send_sized(s, 0, 30, 8000);
    sim_next_error(s, 10, false, 2);
    sim_go(s, 500 * KL_MS);
    sim_next_bad_records(s, bad, 2);
    sim_send_sized(s, 0, 30, 8000);
    sim_drain(s, 8 * KL_SECOND);
    sim_go(s, KL_SECOND);
    sim_expect(s, sim_stats(s).batches_split > 0, "something was split");
    sim_expect(s, s->ledger.failed > 0 && s->ledger.unknown == 0, "the bad ones alone have failed");
    sim_expect(s, s->lending.out == 0, "all that was lent is back");
}

/* Lent bytes count against buffer.memory like all others. */
SIM_SCENARIO(loans_fill_the_buffer)
{
    sim_set(s, "max.request.size", "20000");
    sim_set(s, "buffer.memory", "200000");
    begin(s, 1000000);
    sim_send(s, 0, 3);
    sim_drain(s, KL_SECOND);
    sim_hole(s, KL_NO_NODE);
    for (int i = 0; i < 1000 && !s->host.writable_owed; i++)
        sim_send_sized(s, 0, 1, 8000);
    sim_expect(s, s->host.writable_owed, "the buffer is full of what is not even in it");
    sim_purge(s, -1, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, s->lending.out == 0 && !s->host.writable_owed, "given up, given back");
}

/* ---- Chunks ---- */

static const sim_chunk *chunk(const sim *s, uint32_t number)
{
    return &s->lending.chunks[number - 1];
}

/* Ended while some of it is settled and some is not: told once, when all is. */
SIM_SCENARIO(chunk_over_partitions)
{
    begin(s, 300000);
    uint32_t mine = sim_lending_begin_chunk(s);
    send_around(s, 10);
    sim_go(s, KL_SECOND);
    sim_expect(s, !chunk(s, mine)->told, "it is not told before it is ended");
    sim_send(s, 0, 6);
    sim_lending_end_chunk(s);
    sim_send(s, 0, 6);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, chunk(s, mine)->told && chunk(s, mine)->acked == 66, "all of it was acked");
}

SIM_SCENARIO(chunk_without_records)
{
    begin(s, 0);
    uint32_t mine = sim_lending_begin_chunk(s);
    sim_lending_end_chunk(s);
    sim_host_wake(s);
    sim_go(s, KL_MS);
    sim_expect(s, chunk(s, mine)->told && chunk(s, mine)->acked == 0, "that is all well, at once");
}

SIM_SCENARIO(chunk_of_mixed_fates)
{
    sim_set(s, "retries", "0");
    sim_set(s, "enable.idempotence", "false");
    begin(s, 0);
    send_around(s, 2);
    sim_drain(s, KL_SECOND);
    sim_next_error(s, 29, false, 1);
    uint32_t mine = sim_lending_begin_chunk(s);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 4);
    sim_lending_end_chunk(s);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, chunk(s, mine)->told && chunk(s, mine)->failed > 0 && chunk(s, mine)->acked > 0,
               "some were stored and some were not");
}

/* A flush does not pass a chunk that was ended before it. */
SIM_SCENARIO(chunk_before_flush)
{
    begin(s, 300000);
    for (int i = 0; i < 20; i++) {
        sim_lending_begin_chunk(s);
        sim_send_sized(s, 0, 8, 3000);
        sim_lending_end_chunk(s);
        sim_flush(s);
        sim_go(s, 2 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->lending.chunks_open == 0, "all are told");
}

SIM_SCENARIO(chunk_dropped)
{
    begin(s, 300000);
    sim_lending_begin_chunk(s);
    sim_send_sized(s, 0, 20, 3000);
    sim_lending_drop_chunk(s);
    sim_send(s, 0, 3);
    sim_drain(s, 3 * KL_SECOND);
    sim_go(s, KL_SECOND);
    sim_expect(s, sim_stats(s).acked == 23, "its records are delivered all the same");
}

/* ---- Batches that the user has encoded ---- */

SIM_SCENARIO(encoded_too_large)
{
    begin(s, 0);
    sim_send(s, 0, 4);
    sim_drain(s, 2 * KL_SECOND);
    sim_next_error(s, 10, false, 1);
    kloop_engine_clock(s->host.engine, sim_world_now(s));
    sim_lending_send_batch(s, 0, 1, 30, 0, 60);
    sim_host_wake(s);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 30 && sim_stats(s).batches_split == 0, "it fails as a whole");
    sim_send(s, 0, 4);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 8, "and those behind it go on");
}
