/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of answers to Produce: codes, offsets, throttle times, and answers that are not in order.
 */
#include "tests/sim/scenario.h"

#include <kloop/broker_error.h>

static void begin(sim *s, int32_t partitions)
{
    sim_topic(s, "t", partitions, s->plan.brokers < 3 ? 1 : 3);
    sim_start(s);
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

/* ---- Codes ---- */

static sim_record_state after_code(sim *s, int16_t code)
{
    uint32_t number = s->ledger.count + 1;
    sim_next_error(s, code, false, 1);
    sim_send(s, 0, 1);
    sim_drain(s, 9 * KL_SECOND);
    sim_no_more(s);
    return (sim_record_state)sim_ledger_record(s, number)->state;
}

/* Once each, and nothing was stored by it. What may be tried again is, and is acked; the rest
 * fails, or is unknown where the code does not say that nothing was stored. Codes that end a
 * producer have stories of their own. */
SIM_SCENARIO(every_error_code)
{
    const uint32_t ends = KLOOP_CLASS_FATAL | KLOOP_CLASS_FENCED;
    sim_set(s, "metadata.max.age.ms", "60000");
    begin(s, 1);
    for (int16_t code = -1; code <= 133; code++) {
        uint32_t classes = kloop_broker_error_classes(code);
        if (code == 0 || code == 46 || (classes & ends))
            continue;
        sim_record_state state = after_code(s, code);
        sim_expect(s, state != SIM_RECORD_PENDING, "each code comes to an end");
        if (classes & (KLOOP_CLASS_RETRIABLE | KLOOP_CLASS_SEQUENCE))
            sim_expect(s, state == SIM_RECORD_ACKED, "what may be tried again is delivered");
        else if (!kloop_broker_error_find(code))
            sim_expect(s, state == SIM_RECORD_ACKED, "what nobody knows is tried once more");
        else if (classes & KLOOP_CLASS_NOT_STORED)
            sim_expect(s, state == SIM_RECORD_FAILED, "what was refused has failed");
        else
            sim_expect(s, state == SIM_RECORD_UNKNOWN, "what says nothing leaves it unknown");
    }
    sim_expect(s, after_code(s, 0) == SIM_RECORD_ACKED, "after all of them it still works");
}

SIM_SCENARIO(undefined_code)
{
    begin(s, 1);
    sim_next_error(s, 12345, false, 2);
    sim_send(s, 0, 10);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 10, "tried once more, then given up without a claim");
    sim_send(s, 0, 10);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 11, "what comes next is delivered");
}

/* One request, six partitions; what is wrong with one of them is nothing to the others. */
static void mix(sim *s, const kl_request_info *request, void *response)
{
    static const int16_t codes[] = {0, 7, 20, 0, 13, 46};
    kloop_produce_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    kloop_produce_partition_response *all = sim_elements(&t->partition_responses);
    for (int32_t i = 0; i < t->partition_responses.count; i++)
        if (all[i].index < 6 && codes[all[i].index]) {
            all[i].error_code = codes[all[i].index];
            all[i].base_offset = -1;
        }
}

SIM_SCENARIO(mixed_codes)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 6, 1);
    s->faults.rate[SIM_FAULT_OFFSET_MISSING] = 1; /* an ack may come without an offset */
    sim_start(s);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, KL_SECOND);
    sim_answers_pass(s, mix);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 3);
    sim_go(s, 60 * KL_MS);
    sim_expect(s, s->ledger.acked == 6 + 9, "0 and DUPLICATE_SEQUENCE_NUMBER are acks");
    sim_answers_pass(s, NULL);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void duplicate(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    kloop_produce_partition_response *p = sim_elements(&t->partition_responses);
    p->error_code = 46;
    p->base_offset = -1;
}

SIM_SCENARIO(duplicate_without_offset)
{
    s->faults.rate[SIM_FAULT_OFFSET_MISSING] = 1; /* an ack may come without an offset */
    begin(s, 1);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
    sim_answers_pass(s, duplicate);
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    sim_answers_pass(s, NULL);
    sim_expect_all(s, SIM_RECORD_ACKED);
    for (uint32_t i = 2; i <= 11; i++)
        sim_expect(s, sim_ledger_record(s, i)->reported_offset == -1,
                   "where it is nobody has said, and nobody makes it up");
}

SIM_SCENARIO(corrupt_on_the_way)
{
    begin(s, 1);
    sim_next_error(s, 2, false, 3);
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_ledger_record(s, 5)->attempts == 4, "the same bytes go again");
}

SIM_SCENARIO(corrupt_for_ever)
{
    begin(s, 1);
    sim_next_error(s, 2, false, 100000);
    sim_send(s, 0, 10);
    sim_drain(s, 11 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 10, "it was never stored");
    sim_expect(s, s->book.produce_requests < 40, "and was not sent all the time");
}

SIM_SCENARIO(broker_timed_out)
{
    begin(s, 1);
    sim_next_error(s, 7, true, 1);
    sim_next_error(s, 7, false, 1);
    sim_next_error(s, 13, true, 1);
    for (int i = 0; i < 3; i++) {
        sim_send(s, 0, 5);
        sim_drain(s, 3 * KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_ledger_record(s, 3)->appended == 1, "one copy, whatever it was told");
}

/* A definite refusal behind it does not undo that the first attempt may have stored it. */
SIM_SCENARIO(timed_out_then_refused)
{
    begin(s, 1);
    sim_next_error(s, 7, true, 1);
    sim_next_error(s, 44, false, 1);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 5, "nobody knows");
    sim_no_more(s);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 6, "what comes next is delivered");
}

SIM_SCENARIO(write_not_allowed)
{
    begin(s, 1);
    sim_next_error(s, 29, false, 1000);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 10);
        sim_go(s, 100 * KL_MS);
    }
    sim_drain(s, KL_SECOND);
    sim_expect(s, s->ledger.failed == 100, "each fails at once");
    sim_expect(s, sim_stats(s).held_bytes < 200000, "and its memory is free");
}

SIM_SCENARIO(codec_not_known)
{
    sim_set(s, "compression.type", "zstd");
    sim_topic(s, "t", 1, 1);
    sim_brokers_start(s);
    kl_cluster_set_versions(s->brokers.cluster, 1, KLOOP_PRODUCE, 3, 6);
    for (int32_t node = 2; node <= 3; node++)
        kl_cluster_set_versions(s->brokers.cluster, node, KLOOP_PRODUCE, 3, 6);
    sim_user_open(s);
    sim_send(s, 0, 10);
    sim_drain(s, 11 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
    sim_expect(s, s->book.produce_requests == 0, "nobody is sent what he cannot read");
}

SIM_SCENARIO(codec_refused)
{
    sim_set(s, "compression.type", "lz4");
    begin(s, 1);
    sim_next_error(s, 76, false, 1);
    sim_send(s, 0, 10);
    sim_drain(s, KL_SECOND);
    sim_expect(s, s->ledger.failed == 10, "UNSUPPORTED_COMPRESSION_TYPE will not change");
}

/* ---- Offsets and times ---- */

SIM_SCENARIO(log_append_time)
{
    sim_topic(s, "t", 2, 3);
    s->plan.topics[0].append_time = true;
    sim_start(s);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 10);
        if (i == 5)
            sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.end = KL_FATE_CLOSE_PROCESSED});
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void odd_offset(sim *s, const kl_request_info *request, void *response)
{
    static const int64_t odd[] = {-1, INT64_MAX, INT64_MIN, 5, 0};
    kloop_produce_response *r = response;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    kloop_produce_partition_response *p = sim_elements(&t->partition_responses);
    p->base_offset = odd[s->book.produce_requests % 5];
    p->log_append_time_ms = odd[s->book.produce_requests % 5];
}

SIM_SCENARIO(odd_offsets)
{
    s->plan.hostile = true;
    begin(s, 1);
    sim_answers_pass(s, odd_offset);
    for (int i = 0; i < 20; i++) {
        sim_send(s, 0, 3);
        sim_drain(s, KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Partitions in an answer ---- */

static void leave_out(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    if (t->partition_responses.count > 1)
        t->partition_responses.count--;
    else
        r->responses.count = 0;
}

SIM_SCENARIO(partition_left_out)
{
    sim_cluster(s, 1);
    begin(s, 4);
    sim_answers_pass(s, leave_out);
    for (int32_t p = 0; p < 4; p++)
        sim_send_to(s, 0, p, 2);
    sim_go(s, 500 * KL_MS);
    sim_expect(s, s->ledger.acked > 4, "what is in the answer counts");
    sim_answers_pass(s, NULL);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_ledger_record(s, 12)->appended == 1, "and nothing is stored twice");
}

/* The first entry counts; the second one says something else, and so do those of strangers. */
static void say_more(sim *s, const kl_request_info *request, void *response)
{
    static kloop_produce_partition_response list[5];
    kloop_produce_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    const kloop_produce_partition_response *one = t->partition_responses.data;
    for (int i = 0; i < 5; i++)
        list[i] = one[0];
    list[1].error_code = 87;
    list[1].base_offset = -1;
    list[2].index = 77;
    list[3].index = -5;
    list[4].index = INT32_MAX;
    t->partition_responses = kloop_array_of(list, 5);
}

SIM_SCENARIO(entries_nobody_asked_for)
{
    begin(s, 1);
    sim_answers_pass(s, say_more);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 5);
        sim_drain(s, KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "the first entry is the answer");
}

SIM_SCENARIO(answers_overtake)
{
    s->plan.pipelined = true;
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "200");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.answer_delay_ns = (int64_t)(100 * KL_MS)});
    sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.overtakes = true});
    for (int i = 0; i < 6; i++)
        sim_send_sized(s, 0, 1, 150);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 1, "nobody guesses which request is meant");
}

/* ---- Throttle times ---- */

static void throttle_oddly(sim *s, const kl_request_info *request, void *response)
{
    static const int32_t odd[] = {0, -1, INT32_MIN, 1, INT32_MAX};
    kloop_produce_response *r = response;
    if (request->api_key == KLOOP_PRODUCE)
        r->throttle_time_ms = odd[s->book.produce_requests % 5];
}

SIM_SCENARIO(odd_throttle_times)
{
    sim_set(s, "request.timeout.ms", "1000");
    begin(s, 1);
    sim_answers_pass(s, throttle_oddly);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 5);
        sim_go(s, 1500 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A broker that holds us back may hold its answers back too; the user's time goes on. */
SIM_SCENARIO(throttled_past_the_deadline)
{
    sim_set(s, "delivery.timeout.ms", "4000");
    begin(s, 1);
    for (int i = 0; i < 4; i++) {
        sim_next(s, KLOOP_PRODUCE, (kl_request_fate){.throttle_ms = 30000});
        sim_send(s, 0, 1);
        sim_go(s, KL_SECOND);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked >= 2, "the first was stored");
}

/* ---- acks=0 ---- */

SIM_SCENARIO(acks_zero_loses)
{
    sim_set(s, "acks", "0");
    begin(s, 1);
    for (int i = 0; i < 20; i++) {
        sim_send(s, 0, 5);
        if (i % 5 == 2)
            sim_reset(s, 1);
        sim_go(s, 200 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked + s->ledger.unknown == 101, "each is reported");
}

/* A broker that answers acks=0: what it says belongs to nothing. */
SIM_SCENARIO(acks_zero_answered)
{
    static const uint8_t bytes[] = {0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 0};
    sim_set(s, "acks", "0");
    begin(s, 1);
    sim_send(s, 0, 1);
    sim_go(s, 10 * KL_MS);
    size_t at = s->links.count;
    uint64_t before = sim_stats(s).disconnects;
    while (at-- > 0)
        if (s->links.all[at]->state == SIM_CONN_OPEN && s->links.all[at]->node == 1)
            sim_link_inject(s, s->links.all[at], bytes, sizeof bytes);
    sim_go(s, 10 * KL_MS);
    sim_expect(s, sim_stats(s).disconnects > before, "bytes that nobody asked for end it");
    sim_send(s, 0, 10);
    sim_drain(s, 2 * KL_SECOND);
}
