/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of those who refuse everything: they are asked again and again, with pauses that grow and
 * are never quite the same, and at most twenty times a second whatever they say. */
#include "tests/sim/scenario.h"

#include <string.h>

#define TIMES_MAX 4096

/* When the broker was asked, requests of all kinds. */
static struct {
    uint64_t ns[TIMES_MAX];
    int count;
} asked;

static void note_time(sim *s, const kl_request_info *request, void *response)
{
    (void)request;
    (void)response;
    if (asked.count < TIMES_MAX)
        asked.ns[asked.count++] = s->world.now_ns;
}

static void begin(sim *s, int32_t partitions)
{
    asked.count = 0;
    sim_cluster(s, 1);
    sim_topic(s, "t", partitions, 1);
    sim_set(s, "linger.ms", "0");
    sim_start(s);
    for (int32_t p = 0; p < partitions; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, 2 * KL_SECOND);
}

/* For half a minute, with something new to send all the time. */
static void expect_paced(sim *s, int32_t partitions, uint64_t most)
{
    uint64_t before = s->brokers.requests;
    for (int i = 0; i < 300; i++) {
        sim_send_to(s, 0, i % partitions, 1);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->brokers.requests - before <= most, "no more than twenty requests a second");
    sim_expect(s, s->brokers.requests - before >= 25, "but it is asked again");
}

SIM_SCENARIO(refuses_every_batch)
{
    begin(s, 1);
    sim_next_error(s, 19, false, 1000000);
    expect_paced(s, 1, 150);
    sim_no_more(s);
    sim_drain(s, 11 * KL_SECOND);
}

/* Each partition has its own pauses, and all of them one broker. */
SIM_SCENARIO(refuses_forty_partitions)
{
    begin(s, 40);
    sim_next_error(s, 19, false, 1000000);
    expect_paced(s, 40, 20 * 30);
    sim_no_more(s);
    sim_drain(s, 11 * KL_SECOND);
}

SIM_SCENARIO(refuses_to_lead)
{
    begin(s, 20);
    sim_next_error(s, 6, false, 1000000);
    expect_paced(s, 20, 20 * 30);
    sim_no_more(s);
    sim_drain(s, 11 * KL_SECOND);
}

/* What fails for good is not asked again; but there is always a next one. */
SIM_SCENARIO(refuses_each_for_good)
{
    begin(s, 20);
    sim_next_error(s, 44, false, 1000000);
    expect_paced(s, 20, 20 * 30);
    sim_no_more(s);
    sim_drain(s, 11 * KL_SECOND);
}

static void no_topic(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = response;
    note_time(s, request, response);
    if (request->api_key != KLOOP_METADATA || r->topics.count < 1)
        return;
    kloop_metadata_topic *t = sim_elements(&r->topics);
    t->error_code = 5;
    t->partitions.count = 0;
}

static void no_id(sim *s, const kl_request_info *request, void *response)
{
    note_time(s, request, response);
    if (request->api_key == KLOOP_INIT_PRODUCER_ID)
        ((kloop_init_producer_id_response *)response)->error_code = 14;
}

static void no_versions(sim *s, const kl_request_info *request, void *response)
{
    note_time(s, request, response);
    if (request->api_key == KLOOP_API_VERSIONS)
        ((kloop_api_versions_response *)response)->error_code = -1;
}

static void refused_from_the_start(sim *s, void (*change)(sim *s, const kl_request_info *, void *))
{
    asked.count = 0;
    sim_cluster(s, 1);
    sim_topic(s, "t", 4, 1);
    sim_set(s, "max.block.ms", "60000");
    sim_answers_pass(s, change);
    sim_start(s);
    expect_paced(s, 1, 300);
    sim_answers_pass(s, NULL);
    sim_drain(s, 11 * KL_SECOND);
    sim_send(s, 0, 5);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "it works as soon as it may");
}

SIM_SCENARIO(refuses_metadata)
{
    refused_from_the_start(s, no_topic);
}

SIM_SCENARIO(refuses_producer_ids)
{
    refused_from_the_start(s, no_id);
}

SIM_SCENARIO(refuses_versions)
{
    refused_from_the_start(s, no_versions);
}

/* Pauses double from retry.backoff.ms to retry.backoff.max.ms, give or take a fifth, and hardly two
 * of them are equal: whoever was refused at the same moment does not come back at the same moment.
 */
SIM_SCENARIO(pauses_grow_and_differ)
{
    begin(s, 1);
    sim_answers_pass(s, note_time);
    sim_next_error(s, 19, false, 1000000);
    asked.count = 0;
    sim_send(s, 0, 1);
    sim_drain(s, 11 * KL_SECOND);
    uint64_t base = 100 * KL_MS;
    int equal = 0;
    sim_expect(s, asked.count >= 10 && asked.count <= 16, "a dozen attempts in ten seconds");
    for (int i = 1; i < asked.count; i++) {
        uint64_t pause = asked.ns[i] - asked.ns[i - 1];
        sim_expect(s, pause >= base / 10 * 8 && pause <= base / 10 * 12 + 10 * KL_MS,
                   "each pause is double the one before, a fifth more or less");
        equal += i > 1 && pause == asked.ns[i - 1] - asked.ns[i - 2];
        base = base * 2 > KL_SECOND ? KL_SECOND : base * 2;
    }
    sim_expect(s, equal <= asked.count / 2, "chance is in them");
}

/* A broker that comes back is met by one wave of partitions, not by all pauses at once. */
SIM_SCENARIO(back_after_minutes)
{
    sim_set(s, "delivery.timeout.ms", "300000");
    begin(s, 30);
    sim_brokers_kill(s, 1);
    for (int32_t p = 0; p < 30; p++)
        sim_send_to(s, 0, p, 5);
    sim_go(s, 120 * KL_SECOND);
    sim_expect(s, s->links.count < 320, "one attempt a second under each of its two names");
    uint64_t before = s->brokers.requests;
    sim_brokers_revive(s, 1);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->brokers.requests - before < 30, "and then it is one request for all of them");
}
