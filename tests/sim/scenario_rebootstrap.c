/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories that only bootstrap.servers gets out of: who was met there first can still be reached,
 * and is of no use any more. */
#include "tests/sim/scenario.h"

#include <string.h>

/* The cluster is at node 3 now. What is left at the old places takes connections, and knows it. */
static bool left;

/* One name in front of the cluster. */
static void front(sim *s, sim_resolution *r, int32_t node)
{
    if (!strcmp(r->host, "front"))
        sim_names_add(s, r, left ? 3 : 1, false);
    else if (node >= 0)
        sim_names_add(s, r, node, false);
}

static void begin(sim *s)
{
    left = false;
    s->plan.servers = "front:9092";
    s->on_name = front;
    sim_set(s, "linger.ms", "0");
    /* No answer to Produce tells who leads instead. */
    sim_set(s, "api.version.max", "Produce=9");
    sim_topic(s, "t", 2, 3);
    sim_topic(s, "u", 2, 3);
    sim_start(s);
    sim_send_to(s, 0, 0, 5);
    sim_send_to(s, 0, 1, 5);
    sim_drain(s, 2 * KL_SECOND);
}

static void leave(sim *s, void (*change)(sim *s, const kl_request_info *request, void *response))
{
    left = true;
    for (int topic = 0; topic < 2; topic++)
        for (int32_t p = 0; p < 2; p++)
            sim_brokers_move_leader(s, topic, p, 3);
    sim_answers_pass(s, change);
}

/* To leaders that were known, and for a topic of which nobody has told yet. */
static void deliver(sim *s, uint64_t within_ns)
{
    for (int topic = 0; topic < 2; topic++)
        for (int32_t p = 0; p < 2; p++)
            sim_send_to(s, topic, p, 5);
    sim_drain(s, within_ns);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void send_them_away(sim *s, const kl_request_info *request, void *response)
{
    (void)s;
    kloop_metadata_response *r = response;
    if (request->api_key == KLOOP_METADATA && request->node_id != 3)
        r->error_code = KLOOP_BROKER_REBOOTSTRAP_REQUIRED;
}

SIM_SCENARIO(sent_away_for_good)
{
    begin(s);
    leave(s, send_them_away);
    deliver(s, 5 * KL_SECOND);
}

static void tell_nothing(sim *s, const kl_request_info *request, void *response)
{
    (void)s;
    kloop_metadata_response *r = response;
    if (request->api_key == KLOOP_METADATA && request->node_id != 3)
        r->brokers.count = 0;
}

SIM_SCENARIO(answers_that_bring_nothing)
{
    sim_set(s, "metadata.recovery.rebootstrap.trigger.ms", "3000");
    begin(s);
    leave(s, tell_nothing);
    deliver(s, 8 * KL_SECOND);
}

/* Metadata is asked, and nobody answers; each time request.timeout.ms ends it. */
static void say_nothing(sim *s)
{
    for (int32_t node = 1; node <= 2; node++)
        sim_answers_order(s, &(sim_order){.api_key = KLOOP_METADATA,
                                          .count = UINT32_MAX,
                                          .fate = {.end = KL_FATE_SILENT},
                                          .node = node});
}

SIM_SCENARIO(silence_is_no_news)
{
    sim_set(s, "metadata.recovery.rebootstrap.trigger.ms", "3000");
    sim_set(s, "request.timeout.ms", "1000");
    sim_set(s, "delivery.timeout.ms", "30000");
    begin(s);
    leave(s, NULL);
    say_nothing(s);
    deliver(s, 15 * KL_SECOND);
}
