/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of borrowed values, of chunks, and of batches that were encoded elsewhere. */
#include "tests/sim/scenario.h"
#include "tests/sim/sim_lending.h"

/* One partition, delivered to once, and all values lent from now on. */
static void begin(sim *s, const char *batch_size)
{
    sim_topic(s, "t", 1, 3);
    sim_set(s, "batch.size", batch_size);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    s->plan.borrows = 1000000;
}

static uint32_t encode(sim *s, uint32_t n, int codec)
{
    uint32_t first = sim_lending_send_batch(s, 0, 0, n, codec, 2000);
    sim_host_wake(s);
    return first;
}

/* ---- Loans ---- */

SIM_SCENARIO(lent_until_written)
{
    begin(s, "100000");
    sim_bandwidth(s, 20000);
    sim_send_sized(s, 0, 60, 20000);
    sim_go(s, 300 * KL_MS);
    sim_expect(s, s->lending.out > 0, "a write shows them");
    sim_bandwidth(s, 100000000);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect(s, s->lending.out == 0, "all are back with the acks");
}

/* Their time is over while a deaf peer has half of them: they stay until the connection is gone. */
SIM_SCENARIO(lent_beyond_the_report)
{
    sim_set(s, "delivery.timeout.ms", "3000");
    sim_set(s, "request.timeout.ms", "2000");
    sim_set(s, "linger.ms", "0");
    begin(s, "100000");
    sim_bandwidth(s, 2000);
    sim_send_sized(s, 0, 40, 20000);
    sim_go(s, 6 * KL_SECOND);
    sim_bandwidth(s, 100000000);
    sim_drain(s, 20 * KL_SECOND);
    sim_go(s, 10 * KL_SECOND);
    sim_expect(s, s->lending.out == 0, "nothing stays lent");
}

SIM_SCENARIO(lent_through_retries)
{
    begin(s, "30000");
    for (int i = 0; i < 8; i++) {
        sim_send_sized(s, 0, 20, 20000);
        sim_go(s, 2 * KL_MS);
        if (i % 2)
            sim_reset(s, 1);
        else
            sim_next_error(s, KLOOP_BROKER_NOT_ENOUGH_REPLICAS, false, 1);
    }
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->lending.out == 0, "all are back");
}

SIM_SCENARIO(lent_to_a_codec)
{
    sim_set(s, "compression.type", "zstd");
    begin(s, "60000");
    sim_send_sized(s, 0, 50, 20000);
    sim_flush(s);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->lending.out == 0, "all are back");
}

SIM_SCENARIO(lent_and_split)
{
    sim_topic(s, "t", 1, 3);
    s->plan.topics[0].message_max = 25000;
    sim_set(s, "batch.size", "90000");
    sim_set(s, "linger.ms", "20");
    sim_start(s);
    s->plan.borrows = 1000000;
    sim_send_sized(s, 0, 40, 12000);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
    sim_expect(s, s->lending.out == 0, "pieces are copies");
}

SIM_SCENARIO(lent_and_parked)
{
    sim_topic(s, "t", 3, 1);
    s->plan.topics[0].appears_ns = 2 * KL_SECOND;
    s->plan.borrows = 1000000;
    sim_start(s);
    sim_send_sized(s, 0, 40, 20000);
    sim_go(s, 500 * KL_MS);
    sim_expect(s, s->lending.out > 0, "they wait where they are");
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->lending.out == 0, "all are back");
}

SIM_SCENARIO(lent_at_the_end)
{
    begin(s, "30000");
    sim_send_sized(s, 0, 40, 20000);
    sim_go(s, KL_MS);
    sim_close_and_wait(s, 0);
}

/* ---- Chunks ---- */

SIM_SCENARIO(chunk_over_a_dying_leader)
{
    sim_topic(s, "t", 3, 3);
    sim_start(s);
    sim_lending_begin_chunk(s);
    for (int i = 0; i < 20; i++) {
        sim_send(s, 0, 30);
        sim_go(s, 5 * KL_MS);
        if (i == 8)
            sim_end(s, 2);
    }
    sim_lending_end_chunk(s);
    sim_host_wake(s);
    sim_drain(s, 60 * KL_SECOND);
    sim_expect(s, s->lending.chunks_open == 0, "it was told");
    sim_expect(s, s->lending.chunks[0].acked == 600, "all of it is stored");
}

SIM_SCENARIO(chunks_share_batches)
{
    sim_topic(s, "t", 1, 3);
    sim_set(s, "linger.ms", "50");
    sim_start(s);
    for (int i = 0; i < 30; i++) {
        sim_lending_begin_chunk(s);
        sim_send(s, 0, 7);
        if (i % 5 == 4)
            sim_lending_drop_chunk(s);
        else
            sim_lending_end_chunk(s);
        sim_send(s, 0, (uint32_t)i % 3);
        sim_go(s, 10 * KL_MS);
    }
    sim_flush(s);
    sim_drain(s, 10 * KL_SECOND);
    sim_expect(s, s->lending.chunks_open == 0, "all were told");
}

SIM_SCENARIO(chunk_is_purged)
{
    sim_topic(s, "t", 1, 3);
    sim_set(s, "linger.ms", "2000");
    sim_start(s);
    sim_lending_begin_chunk(s);
    sim_send(s, 0, 50);
    sim_purge(s, -1, KLOOP_PURGE_QUEUED);
    sim_send(s, 0, 10);
    sim_lending_end_chunk(s);
    sim_host_wake(s);
    sim_drain(s, 10 * KL_SECOND);
    sim_expect(s, s->lending.chunks[0].acked == 10, "what came later is stored");
    sim_expect(s, s->lending.chunks[0].failed == 50, "what was given up is not");
}

SIM_SCENARIO(chunk_is_never_ended)
{
    sim_topic(s, "t", 1, 3);
    sim_start(s);
    sim_lending_begin_chunk(s);
    sim_send(s, 0, 50);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, s->lending.chunks_open == 1, "more may come");
    sim_send(s, 0, 5);
    sim_close_and_wait(s, 1000);
    sim_expect(s, s->lending.chunks_open == 0, "it ends with its producer");
}

/* ---- Batches of others ---- */

SIM_SCENARIO(encoded_between_records)
{
    begin(s, "16000");
    for (int codec = 0; codec <= 4; codec++) {
        sim_send(s, 0, 5);
        encode(s, 9, codec);
        sim_send(s, 0, 5);
        sim_go(s, 3 * KL_MS);
        if (codec == 2)
            sim_reset(s, 1);
    }
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->lending.out == 0, "all are back");
}

SIM_SCENARIO(encoded_and_parked)
{
    sim_topic(s, "t", 1, 1);
    s->plan.topics[0].appears_ns = 2 * KL_SECOND;
    sim_start(s);
    sim_send(s, 0, 5);
    encode(s, 9, 1);
    s->plan.borrows = 1000000;
    encode(s, 9, 4);
    sim_send(s, 0, 5);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* It fails as a whole, and what is behind it begins anew. */
SIM_SCENARIO(encoded_and_refused)
{
    begin(s, "16000");
    uint32_t first = encode(s, 9, 0);
    sim_next_error(s, KLOOP_BROKER_INVALID_RECORD, false, 1);
    sim_send(s, 0, 20);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 9, "all of it failed");
    sim_expect(s, sim_ledger_record(s, first + 9)->state == SIM_RECORD_ACKED,
               "what came after it is stored");
    sim_expect(s, sim_stats(s).epoch_bumps > 0, "there is a hole");
}
