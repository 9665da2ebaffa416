/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of producer ids, epochs and sequences at their ends, and of brokers that lose them. */
#include "tests/sim/scenario.h"

/* Small batches, five requests under way, delivered to once. */
static void begin(sim *s, int32_t partitions)
{
    sim_topic(s, "t", partitions, 3);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "300");
    s->plan.pipelined = true;
    sim_start(s);
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

static void some_batches(sim *s, int n)
{
    for (int i = 0; i < n; i++)
        sim_send_sized(s, 0, 1, 200);
}

/* ---- Sequences ---- */

/* From 2^31-4 on, with a batch across the end, and with retries on both sides of it. */
SIM_SCENARIO(sequence_wraps)
{
    begin(s, 1);
    sim_next_sequence(s, 0, 0, INT32_MAX - 3);
    sim_send(s, 0, 7);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.parts[0][0].next_sequence < 10, "after 2^31-1 comes 0");
    sim_next_sequence(s, 0, 0, INT32_MAX - 3);
    some_batches(s, 1);
    sim_drain(s, 2 * KL_SECOND);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    some_batches(s, 12);
    sim_drain(s, 5 * KL_SECOND);
    sim_next_error(s, 19, false, 1);
    some_batches(s, 12);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "that is no reason for another epoch");
}

/* The first of five is lost on its way; those behind it are out of order until it has come. */
SIM_SCENARIO(first_of_five_lost)
{
    begin(s, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_UNPROCESSED});
    some_batches(s, 12);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "the same numbers do");
}

SIM_SCENARIO(out_of_order_at_the_head)
{
    begin(s, 1);
    sim_next_error(s, 45, false, 1);
    some_batches(s, 10);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps <= 1,
               "nothing but a new epoch helps, and one is enough");
}

/* Stored, but the leader dies with the answer; more than five batches wait behind it. */
SIM_SCENARIO(retry_behind_many)
{
    begin(s, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_SILENT});
    some_batches(s, 20);
    sim_go(s, 50 * KL_MS);
    sim_brokers_kill(s, 1);
    sim_brokers_fail_over(s, 1);
    sim_drain(s, 8 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "a duplicate is an ack");
}

/* The wire checks compare each byte with the first time. */
SIM_SCENARIO(retry_is_the_same)
{
    sim_set(s, "compression.type", "zstd");
    begin(s, 2);
    for (int i = 0; i < 10; i++) {
        sim_next(
            s, KLOOP_PRODUCE,
            (kl_request_fate){.end = i & 1 ? KL_FATE_CLOSE_PROCESSED : KL_FATE_CLOSE_UNPROCESSED});
        some_batches(s, 3);
        sim_go(s, 100 * KL_MS);
        some_batches(s, 3);
        sim_drain(s, 5 * KL_SECOND);
        sim_no_more(s);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(one_in_flight_unnumbered)
{
    sim_set(s, "enable.idempotence", "false");
    sim_set(s, "max.in.flight.requests.per.connection", "1");
    begin(s, 1);
    for (int i = 0; i < 20; i++) {
        sim_next_error(s, i & 1 ? 19 : 6, false, 2);
        some_batches(s, 5);
        sim_go(s, 20 * KL_MS);
        some_batches(s, 5);
        sim_drain(s, 5 * KL_SECOND);
        sim_no_more(s);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Epochs ---- */

static void last_epoch_first(sim *s, const kl_request_info *request, void *response)
{
    kloop_init_producer_id_response *r = response;
    if (request->api_key == KLOOP_INIT_PRODUCER_ID && s->book.init_requests <= 1)
        r->producer_epoch = INT16_MAX - 2;
}

static void one_refused(sim *s)
{
    sim_no_more(s);
    sim_next_error(s, 87, false, 1);
    some_batches(s, 4);
    sim_drain(s, 5 * KL_SECOND);
}

SIM_SCENARIO(epochs_run_out)
{
    sim_answers_pass(s, last_epoch_first);
    begin(s, 1);
    for (int i = 0; i < 8 && s->book.init_requests < 2; i++)
        one_refused(s);
    sim_no_more(s);
    some_batches(s, 4);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->book.init_requests == 2, "behind 32767 another id is asked for");
    sim_expect(s, s->ledger.parts[0][0].producer_epoch < 10, "and its epochs begin anew");
    sim_expect(s, s->ledger.unknown == 0 && s->ledger.failed >= 3, "what was refused has failed");
}

/* Another id is needed, and none is to be had for a while. */
static void refuse_second_id(sim *s, const kl_request_info *request, void *response)
{
    kloop_init_producer_id_response *r = response;
    if (request->api_key != KLOOP_INIT_PRODUCER_ID)
        return;
    if (s->book.init_requests <= 1)
        r->producer_epoch = INT16_MAX;
    else if (s->world.now_ns < SIM_START_NS + 5 * KL_SECOND)
        r->error_code = 14;
}

SIM_SCENARIO(no_id_behind_the_last_epoch)
{
    sim_answers_pass(s, refuse_second_id);
    begin(s, 3);
    sim_next_error(s, 87, false, 1);
    some_batches(s, 8);
    sim_go(s, 2 * KL_SECOND);
    sim_expect(s, s->book.init_requests > 2 && s->book.init_requests < 40,
               "it is asked for, paced");
    sim_drain(s, 7 * KL_SECOND);
    sim_expect(s, s->ledger.failed > 0 && s->ledger.unknown == 0,
               "only what was refused has failed");
    sim_expect(s, s->ledger.acked > 3, "the rest goes under the new id");
}

/* Refusals hit one partition or another while requests of twelve are being made. */
SIM_SCENARIO(bumps_under_load)
{
    begin(s, 12);
    for (int i = 0; i < 60; i++) {
        for (int32_t p = 0; p < 12; p++)
            sim_send_to(s, 0, p, 2);
        sim_no_more(s);
        if (i % 5 == 0)
            sim_answers_order(s, &(sim_order){.api_key = KLOOP_PRODUCE,
                                              .count = 1,
                                              .produce = {.error_code = 87},
                                              .node = 1 + i % 3});
        sim_go(s, 15 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, sim_stats(s).epoch_bumps >= 5, "epochs were bumped");
    sim_expect(s, s->ledger.unknown == 0, "and nothing is in doubt");
    sim_expect(s, s->ledger.acked > s->ledger.count / 2, "others went on");
}

SIM_SCENARIO(idle_at_the_bump)
{
    begin(s, 2);
    sim_no_more(s);
    sim_answers_order(
        s, &(sim_order){
               .api_key = KLOOP_PRODUCE, .count = 1, .produce = {.error_code = 87}, .node = 1});
    sim_send_to(s, 0, 0, 3);
    sim_drain(s, 2 * KL_SECOND);
    sim_send_to(s, 0, 0, 3);
    sim_send_to(s, 0, 1, 3);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.parts[0][1].producer_epoch == 1, "it has the new epoch");
    sim_expect(s, s->ledger.parts[0][1].next_sequence == 3, "and began at 0 under it");
}

/* Sequence 0 of the old epoch expires in flight and is stored late; sequence 0 of the new one must
 * not be taken for it. */
SIM_SCENARIO(one_sequence_two_epochs)
{
    sim_set(s, "delivery.timeout.ms", "4000");
    sim_set(s, "request.timeout.ms", "3500");
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "0");
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_UNPROCESSED});
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)(3400 * KL_MS)});
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)(3400 * KL_MS)});
    sim_start(s);
    sim_go(s, 700 * KL_MS);
    sim_send(s, 0, 5);
    sim_go(s, 4 * KL_SECOND);
    for (int i = 0; i < 4; i++) {
        sim_send(s, 0, 5);
        sim_go(s, 500 * KL_MS);
    }
    sim_drain(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 0, "nothing is called lost that may be there");
}

/* ---- What brokers lose ---- */

SIM_SCENARIO(producer_forgotten)
{
    begin(s, 2);
    for (int i = 0; i < 10; i++) {
        some_batches(s, 4);
        sim_drain(s, 2 * KL_SECOND);
        for (int32_t p = 0; p < 2; p++)
            kl_cluster_forget_producers(s->brokers.cluster, 0, p);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Before 4.0: retention has removed all that this producer wrote, and with it what it was. */
static void log_begins_later(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    kloop_produce_partition_response *p = sim_elements(&t->partition_responses);
    if (p->error_code == 59)
        p->log_start_offset = 1000000;
}

SIM_SCENARIO(unknown_producer)
{
    begin(s, 1);
    sim_answers_pass(s, log_begins_later);
    sim_next_error(s, 59, false, 1);
    some_batches(s, 10);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps <= 1, "a new epoch, and on it goes");
}

SIM_SCENARIO(unknown_producer_for_ever)
{
    begin(s, 1);
    sim_next_error(s, 59, false, 1000000);
    some_batches(s, 10);
    uint64_t before = s->brokers.requests;
    sim_drain(s, 11 * KL_SECOND);
    sim_expect(s, s->brokers.requests - before < 200, "not in a hurry");
    sim_expect(s, s->ledger.failed == 10, "nothing was stored");
}

SIM_SCENARIO(old_epoch_refused)
{
    begin(s, 1);
    sim_next_error(s, 47, false, 1);
    some_batches(s, 10);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked > 1, "nobody else has this id: a new epoch");
    sim_expect(s, !kloop_engine_fatal_text(s->host.engine), "and no end");
}

SIM_SCENARIO(fenced)
{
    s->plan.fatal = true;
    begin(s, 2);
    sim_next_error(s, 90, false, 1);
    some_batches(s, 10);
    sim_drain(s, KL_SECOND);
    sim_expect(s, kloop_engine_fatal_text(s->host.engine) != NULL, "PRODUCER_FENCED is the end");
    sim_expect(s, s->ledger.failed > 0 && !sim_ledger_pending(&s->ledger),
               "all that waits is given up");
    sim_send(s, 0, 1);
    sim_expect(s, s->user.fatal, "and nothing more is taken");
}

/* ---- InitProducerId ---- */

static void each_init_error(sim *s, const kl_request_info *request, void *response)
{
    static const int16_t codes[] = {14, 15, 16, 51, 7, 13, -1};
    kloop_init_producer_id_response *r = response;
    if (request->api_key != KLOOP_INIT_PRODUCER_ID || s->book.init_requests > 7)
        return;
    r->error_code = codes[(s->book.init_requests + 6) % 7];
    r->producer_id = -1;
    r->producer_epoch = -1;
}

SIM_SCENARIO(init_refused_each_way)
{
    sim_topic(s, "t", 1, 1);
    sim_answers_pass(s, each_init_error);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void init_nonsense(sim *s, const kl_request_info *request, void *response)
{
    static const int64_t ids[] = {-1, -2, 5, INT64_MIN};
    static const int16_t epochs[] = {0, -1, -1, INT16_MIN};
    kloop_init_producer_id_response *r = response;
    if (request->api_key != KLOOP_INIT_PRODUCER_ID || s->book.init_requests > 4)
        return;
    r->producer_id = ids[s->book.init_requests & 3];
    r->producer_epoch = epochs[s->book.init_requests & 3];
}

SIM_SCENARIO(init_below_zero)
{
    sim_topic(s, "t", 1, 1);
    sim_answers_pass(s, init_nonsense);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->book.init_requests == 5, "no such id is taken");
}

SIM_SCENARIO(init_not_there)
{
    s->plan.fatal = true;
    sim_topic(s, "t", 1, 1);
    sim_brokers_start(s);
    for (int32_t node = 1; node <= 3; node++)
        kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_INIT_PRODUCER_ID, 0, -1);
    sim_user_open(s);
    sim_send(s, 0, 10);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, kloop_engine_fatal_text(s->host.engine) != NULL, "it is said at once");
}

SIM_SCENARIO(init_never_answered)
{
    sim_topic(s, "t", 1, 1);
    sim_set(s, "request.timeout.ms", "2000");
    sim_answers_order(s, &(sim_order){.api_key = KLOOP_INIT_PRODUCER_ID,
                                      .count = 100,
                                      .fate = {.end = KL_FATE_SILENT},
                                      .node = KL_NO_NODE});
    sim_start(s);
    sim_send(s, 0, 10);
    sim_go(s, 9900 * KL_MS);
    sim_expect(s, s->ledger.failed == 0, "their time is not over yet");
    sim_expect(s, s->book.init_requests >= 3, "it is asked for again");
    sim_drain(s, 200 * KL_MS);
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_no_more(s);
    sim_send(s, 0, 10);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 10, "and taken when it comes");
}
