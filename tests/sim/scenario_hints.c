/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of leaders that Produce answers name: true, missing, old, of nobody, and lies. */
#include "tests/sim/scenario.h"

/* Metadata tells nothing new: what is known of leaders comes from hints alone. */
static void no_metadata(sim *s, const kl_request_info *request, void *response)
{
    (void)s;
    if (request->api_key == KLOOP_METADATA)
        ((kloop_metadata_response *)response)->brokers.count = 0;
}

static kloop_produce_partition_response *refusal(const kl_request_info *request, void *response)
{
    kloop_produce_response *r = response;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return NULL;
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    kloop_produce_partition_response *p = sim_elements(&t->partition_responses);
    return p->error_code == 6 ? p : NULL;
}

static void begin(sim *s)
{
    sim_topic(s, "t", 1, 3);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "200");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

SIM_SCENARIO(hint_true)
{
    begin(s);
    sim_answers_pass(s, no_metadata);
    for (int32_t i = 0; i < 4; i++) {
        sim_brokers_move_leader(s, 0, 0, 1 + (i + 1) % 3);
        sim_send(s, 0, 5);
        sim_drain(s, 2 * KL_SECOND);
    }
    sim_answers_pass(s, NULL);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(hint_saves_the_pause)
{
    sim_set(s, "retry.backoff.ms", "800");
    begin(s);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_send(s, 0, 1);
    sim_drain(s, 100 * KL_MS);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void forget_hint(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_partition_response *p = refusal(request, response);
    (void)s;
    if (p)
        p->current_leader = (kloop_leader_hint){-1, -1};
}

SIM_SCENARIO(hint_missing)
{
    begin(s);
    sim_answers_pass(s, forget_hint);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* It names the leader of long ago, with the epoch of then. */
static void old_hint(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_partition_response *p = refusal(request, response);
    (void)s;
    if (p)
        p->current_leader = (kloop_leader_hint){3, 0};
}

SIM_SCENARIO(hint_stale)
{
    begin(s);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    uint64_t retries = sim_stats(s).retries;
    sim_answers_pass(s, old_hint);
    sim_brokers_move_leader(s, 0, 0, 1);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries <= retries + 6, "nobody goes where it points");
}

static void hint_of_nobody(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_partition_response *p = refusal(request, response);
    (void)s;
    if (!p)
        return;
    p->current_leader = (kloop_leader_hint){77, 1000};
    ((kloop_produce_response *)response)->node_endpoints = kloop_array_of(NULL, 0);
}

SIM_SCENARIO(hint_of_nobody)
{
    begin(s);
    sim_answers_pass(s, hint_of_nobody);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_send(s, 0, 5);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Two brokers name each other, each time in a newer epoch. */
static void each_other(sim *s, const kl_request_info *request, void *response)
{
    kloop_produce_partition_response *p = refusal(request, response);
    if (p)
        p->current_leader = (kloop_leader_hint){request->node_id == 1 ? 2 : 1,
                                                (int32_t)s->book.produce_requests + 10};
}

SIM_SCENARIO(hints_in_a_circle)
{
    begin(s);
    s->faults.rate[SIM_FAULT_HINT_LIES] = 1; /* what they say is not to be believed */
    sim_answers_pass(s, each_other);
    sim_next_error(s, 6, false, 100000);
    uint64_t before = s->brokers.requests;
    sim_send(s, 0, 1);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, s->brokers.requests - before < 200, "the circle is walked slowly");
    sim_no_more(s);
    sim_answers_pass(s, NULL);
    sim_drain(s, 6 * KL_SECOND);
}

/* The other leaders stay where they are: a hint is about one partition. */
SIM_SCENARIO(hint_is_merged)
{
    sim_topic(s, "t", 6, 3);
    sim_set(s, "linger.ms", "0");
    sim_start(s);
    for (int32_t p = 0; p < 6; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, KL_SECOND);
    sim_answers_pass(s, no_metadata);
    sim_brokers_move_leader(s, 0, 0, 2);
    uint64_t retries = sim_stats(s).retries;
    for (int i = 0; i < 10; i++) {
        for (int32_t p = 0; p < 6; p++)
            sim_send_to(s, 0, p, 1);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == retries + 1, "only that one was refused, and once");
}
