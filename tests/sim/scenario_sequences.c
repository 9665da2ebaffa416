/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of sequence numbers and epochs: what is sent again, renumbered, or given up. */
#include "tests/sim/scenario.h"

/* Small batches, five requests under way, one partition. */
static void plan(sim *s)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "200");
    s->plan.pipelined = true;
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

SIM_SCENARIO(expired_in_flight)
{
    sim_set(s, "delivery.timeout.ms", "3500");
    plan(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_SILENT});
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_SILENT});
    sim_send(s, 0, 1);
    sim_go(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 1, "nobody knows what became of it");
    sim_send(s, 0, 3);
    sim_drain(s, 4 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 1 && s->ledger.acked >= 4, "those behind it are delivered");
    sim_expect(s, sim_stats(s).epoch_bumps >= 1, "under a new epoch");
}

SIM_SCENARIO(expired_then_stored)
{
    sim_set(s, "request.timeout.ms", "8000");
    sim_set(s, "delivery.timeout.ms", "9000");
    plan(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)(7500 * KL_MS)});
    sim_send(s, 0, 1);
    sim_go(s, 2 * KL_SECOND);
    sim_reset(s, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)(7500 * KL_MS)});
    sim_go(s, 7500 * KL_MS);
    sim_expect(s, s->ledger.unknown == 1, "its time is over");
    sim_send(s, 0, 3);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 4, "those behind it are delivered");
}

SIM_SCENARIO(second_of_five_fails)
{
    plan(s);
    sim_answers_order(s, &(sim_order){.api_key = KLOOP_PRODUCE,
                                      .skip = 1,
                                      .count = 1,
                                      .produce = {.error_code = 87},
                                      .node = KL_NO_NODE});
    for (int i = 0; i < 8; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.failed >= 1 && s->ledger.acked >= 1, "what was refused has failed");
    sim_expect(s, s->ledger.unknown == 0, "and nothing else is in doubt");
    sim_expect(s, sim_stats(s).epoch_bumps == 1, "the epoch is bumped once");
}

SIM_SCENARIO(out_of_order_resent)
{
    plan(s);
    sim_next_error(s, 19, false, 1);
    for (int i = 0; i < 8; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "no epoch is needed for that");
}

SIM_SCENARIO(stored_then_error)
{
    plan(s);
    sim_next_error(s, 20, true, 2);
    for (int i = 0; i < 6; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(unknown_then_refused)
{
    plan(s);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_next_error(s, 87, false, 1);
    sim_send(s, 0, 1);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 1, "the first attempt may have stored it, and has");
    sim_send(s, 0, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6, "what comes next is delivered");
}

/* That the first batch was refused does not prove that the second one was: a broker that has never
 * heard of a producer takes whatever sequence comes first. */
SIM_SCENARIO(first_refused_second_lost)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "200");
    s->plan.pipelined = true;
    sim_next_error(s, 87, false, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_start(s);
    for (int i = 0; i < 4; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_drain(s, 5 * KL_SECOND);
}

SIM_SCENARIO(two_partitions_one_hole)
{
    sim_cluster(s, 2);
    sim_topic(s, "t", 2, 1);
    sim_start(s);
    sim_send_to(s, 0, 0, 1);
    sim_send_to(s, 0, 1, 1);
    sim_drain(s, KL_SECOND);
    sim_answers_order(
        s, &(sim_order){
               .api_key = KLOOP_PRODUCE, .count = 1, .produce = {.error_code = 87}, .node = 1});
    for (int i = 0; i < 20; i++) {
        sim_send_to(s, 0, 0, 1);
        sim_send_to(s, 0, 1, 1);
        sim_go(s, 10 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 41 && s->ledger.failed == 1, "one record is lost, and known");
}

SIM_SCENARIO(init_late)
{
    sim_topic(s, "t", 2, 1);
    s->faults.rate[SIM_FAULT_INIT_ERROR] = 1000000;
    s->faults.on = true;
    sim_start(s);
    sim_send(s, 0, 10);
    sim_go(s, 3 * KL_SECOND);
    sim_expect(s, s->book.produce_requests == 0, "nothing leaves without a producer id");
    sim_expect(s, s->book.init_requests > 2 && s->book.init_requests < 40, "it asks again, paced");
    s->faults.on = false;
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void refuse_init(sim *s, const kl_request_info *request, void *response)
{
    kloop_init_producer_id_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_INIT_PRODUCER_ID)
        return;
    r->error_code = 31;
    r->producer_id = -1;
    r->producer_epoch = -1;
}

SIM_SCENARIO(init_refused)
{
    sim_topic(s, "t", 2, 1);
    s->plan.fatal = true;
    s->on_answer = refuse_init;
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, s->book.produce_requests == 0, "nothing leaves without a producer id");
}

SIM_SCENARIO(many_epochs)
{
    plan(s);
    for (int i = 0; i < 40; i++) {
        sim_next_error(s, 87, false, 1);
        sim_send_sized(s, 0, 4, 100);
        sim_drain(s, 5 * KL_SECOND);
        s->orders.count = 0;
    }
    sim_expect(s, sim_stats(s).epoch_bumps == 40, "each refusal is a new epoch");
    sim_expect(s, s->ledger.unknown == 0, "and nothing is in doubt");
}
