/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of batches that a broker finds too large, or of which it dislikes some records. */
#include "tests/sim/scenario.h"

/* Batches of up to 20 kB, and a broker that takes max bytes. */
static void begin(sim *s, int32_t max)
{
    sim_topic(s, "t", 1, 3);
    s->plan.topics[0].message_max = max;
    sim_set(s, "batch.size", "20000");
    sim_set(s, "linger.ms", "20");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

SIM_SCENARIO(split_in_two)
{
    begin(s, 3000);
    sim_send_sized(s, 0, 80, 800);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "the pieces have the numbers of the whole");
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

SIM_SCENARIO(split_again_and_again)
{
    begin(s, 700);
    for (int i = 0; i < 5; i++) {
        sim_send_sized(s, 0, 40, 400);
        sim_go(s, 30 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

/* Four requests are behind the one that is too large: they are out of order until its pieces have
 * arrived. */
SIM_SCENARIO(split_with_others_in_flight)
{
    s->plan.pipelined = true;
    begin(s, 3000);
    for (int i = 0; i < 10; i++) {
        sim_send_sized(s, 0, i == 2 ? 90 : 5, 800);
        sim_flush(s);
        sim_go(s, 300 * KL_US);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "order needs no new epoch");
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

SIM_SCENARIO(split_compressed)
{
    sim_set(s, "compression.type", "lz4");
    begin(s, 2000);
    for (int i = 0; i < 5; i++) {
        sim_send_sized(s, 0, 80, 800);
        sim_go(s, 30 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

SIM_SCENARIO(split_unnumbered)
{
    sim_set(s, "enable.idempotence", "false");
    sim_set(s, "max.in.flight.requests.per.connection", "1");
    begin(s, 2000);
    for (int i = 0; i < 5; i++) {
        sim_send_sized(s, 0, 80, 800);
        sim_go(s, 30 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

/* One record cannot be split: it fails, and what is behind it is delivered. */
SIM_SCENARIO(record_too_large)
{
    begin(s, 300);
    sim_no_more(s);
    sim_next_error(s, 10, false, 1);
    sim_send(s, 0, 1);
    sim_go(s, 100 * KL_MS);
    sim_send(s, 0, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, 2)->state == SIM_RECORD_FAILED, "it will never fit");
    sim_expect(s, sim_ledger_record(s, 2)->broker_error == 10, "and the report says so");
    for (uint32_t i = 3; i <= 7; i++)
        sim_expect(s, sim_ledger_record(s, i)->state == SIM_RECORD_ACKED,
                   "what is behind it is delivered");
}

/* MESSAGE_TOO_LARGE whatever is sent: down to single records, which fail; no storm. */
SIM_SCENARIO(all_too_large)
{
    begin(s, 0);
    sim_next_error(s, 10, false, 1000000);
    uint64_t before = s->book.produce_requests;
    sim_send_sized(s, 0, 32, 400);
    sim_drain(s, 11 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 0, "nothing was stored");
    sim_expect(s, s->ledger.failed == 32, "not even a single record fits");
    sim_expect(s, s->book.produce_requests - before < 150, "each is asked about a few times");
}

/* What was learnt is used: batches begun later are small at once. */
SIM_SCENARIO(size_is_learnt)
{
    begin(s, 2000);
    for (int i = 0; i < 10; i++) {
        sim_send_sized(s, 0, 80, 800);
        sim_go(s, 300 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    uint64_t before = sim_stats(s).batches_split;
    sim_expect(s, before > 0, "some were too large");
    for (int i = 0; i < 3; i++) {
        sim_send_sized(s, 0, 80, 800);
        sim_drain(s, 2 * KL_SECOND);
    }
    sim_expect(s, sim_stats(s).batches_split <= before + 1, "hardly any goes out to be refused");
}

/* The first attempt may be stored: then pieces could be stored twice, and it must not be split. */
SIM_SCENARIO(too_large_after_maybe)
{
    begin(s, 0);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_next_error(s, 10, false, 1);
    sim_send_sized(s, 0, 10, 400);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 10, "refused behind a maybe: unknown");
    sim_no_more(s);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6, "what comes next is delivered");
}

SIM_SCENARIO(split_loses_its_answer)
{
    begin(s, 0);
    sim_next_error(s, 10, false, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_UNPROCESSED});
    sim_send_sized(s, 0, 80, 400);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "which went again under their numbers");
}

SIM_SCENARIO(split_then_leader_moves)
{
    begin(s, 2000);
    for (int i = 0; i < 12; i++) {
        sim_send_sized(s, 0, 80, 800);
        sim_go(s, 21 * KL_MS + (uint64_t)i * 100 * KL_US);
        sim_brokers_move_leader(s, 0, 0, 1 + i % 3);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 0 && s->ledger.acked > 300,
               "what is refused behind a maybe is "
               "unknown, the rest is delivered");
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

/* Closed, or given up, while pieces are made and sent. */
SIM_SCENARIO(split_and_close)
{
    begin(s, 700);
    sim_send_sized(s, 0, 80, 400);
    sim_go(s, 22 * KL_MS);
    sim_expect(s, sim_stats(s).batches_split > 0, "there are pieces");
    sim_close_and_wait(s, 5000);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(split_and_purge)
{
    begin(s, 700);
    for (int i = 0; i < 20; i++) {
        sim_send_sized(s, 0, 80, 400);
        sim_go(s, 20 * KL_MS + (uint64_t)i * 150 * KL_US);
        sim_purge(s, 0, i & 1 ? KLOOP_PURGE_QUEUED : KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "what is sent from now on is delivered");
}

/* Time goes on from the first sending: pieces are no younger than the whole. */
SIM_SCENARIO(pieces_expire)
{
    begin(s, 0);
    sim_next_error(s, 10, false, 1);
    sim_send_sized(s, 0, 32, 400);
    sim_go(s, 21500 * KL_US);
    sim_brokers_move_leader(s, 0, 0, KL_NO_NODE);
    sim_drain(s, 10 * KL_SECOND);
    sim_expect(s, sim_stats(s).batches_split > 0, "there were pieces");
}

/* An incompressible load: what the codec would make larger goes as it is. */
SIM_SCENARIO(codec_that_expands)
{
    sim_set(s, "compression.type", s->seed & 1 ? "lz4" : "snappy");
    sim_topic(s, "t", 1, 1);
    sim_set(s, "batch.size", "300");
    sim_set(s, "linger.ms", "0");
    sim_start(s);
    for (int i = 0; i < 40; i++) {
        sim_send_sized(s, 0, 1, 30);
        sim_go(s, KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
