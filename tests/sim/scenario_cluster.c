/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of the cluster's life: it moves, it is forgotten and found again, it is warmed up, its
 * connections are cut in silence. */
#include "tests/sim/scenario.h"

#include <string.h>

/* Every broker has another address and another name; what one begins with leads to them. */
SIM_SCENARIO(cluster_dies_and_moves)
{
    sim_topic(s, "t", 6, 3);
    sim_start(s);
    sim_send(s, 0, 60);
    sim_drain(s, KL_SECOND);
    sim_send(s, 0, 60);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_kill(s, node);
    sim_go(s, 3 * KL_SECOND);
    for (int32_t node = 1; node <= 3; node++) {
        sim_readdress(s, node);
        sim_brokers_revive(s, node);
    }
    sim_drain(s, 6 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->links.count < 60, "attempts to connect are paced");
}

/* The same with brokers that vanish without a word, so that each attempt takes its time. */
SIM_SCENARIO(cluster_vanishes_and_is_found)
{
    sim_set(s, "socket.connection.setup.timeout.ms", "500");
    sim_set(s, "socket.connection.setup.timeout.max.ms", "1000");
    sim_set(s, "request.timeout.ms", "2000");
    sim_set(s, "delivery.timeout.ms", "60000");
    sim_topic(s, "t", 3, 3);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    for (int32_t node = 1; node <= 3; node++)
        sim_hole(s, node);
    sim_send(s, 0, 30);
    sim_go(s, 5 * KL_SECOND);
    for (int32_t node = 1; node <= 3; node++)
        sim_readdress(s, node);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Nothing that was sent is lost when the cluster asks to begin anew. */
static void begin_anew(sim *s, const kl_request_info *request, void *response)
{
    (void)s;
    kloop_metadata_response *r = response;
    if (request->api_key == KLOOP_METADATA && request->version >= 13)
        r->error_code = KLOOP_BROKER_REBOOTSTRAP_REQUIRED;
}

SIM_SCENARIO(asked_to_begin_anew)
{
    sim_topic(s, "t", 6, 3);
    sim_set(s, "metadata.max.age.ms", "1000");
    sim_start(s);
    for (int i = 0; i < 40; i++) {
        sim_send(s, 0, 20);
        sim_go(s, 100 * KL_MS);
        sim_answers_pass(s, i % 20 == 10 ? begin_anew : i % 20 == 15 ? NULL : s->on_answer);
    }
    sim_answers_pass(s, NULL);
    sim_drain(s, 6 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A load balancer forgets an idle connection and says nothing: what is written into the hole is
 * sent again when request.timeout.ms is over, once, and in order. */
SIM_SCENARIO(idle_connection_cut_in_silence)
{
    sim_set(s, "request.timeout.ms", "3000");
    sim_set(s, "delivery.timeout.ms", "20000");
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, KL_SECOND);
    sim_go(s, 240 * KL_SECOND);
    sim_hole(s, 1);
    sim_send(s, 0, 10);
    sim_go(s, 2900 * KL_MS);
    sim_expect(s, s->ledger.acked == 10, "nobody knows of it yet");
    sim_drain(s, 1500 * KL_MS);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == 1, "the batch is sent once more");
}

static void warm_up(sim *s, int topic, uint64_t timeout_ms)
{
    if (sim_host_enter_user(s))
        sim_user_warm_up(s, topic, timeout_ms);
    sim_host_wake(s);
}

/* The first record goes to a connection that is there. */
SIM_SCENARIO(warmed_up)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    warm_up(s, 0, 5000);
    sim_go(s, 500 * KL_MS);
    sim_expect(s, s->host.warm_ups_open == 0 && s->host.warmth.warm, "all is warm");
    sim_expect(s, s->host.warmth.brokers == 3 && s->host.warmth.ready == 3, "three leaders");
    uint64_t connections = s->links.count;
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 5);
    sim_drain(s, 200 * KL_MS);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->links.count == connections, "no connection was made for them");
}

SIM_SCENARIO(warmed_up_but_for_one)
{
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    sim_go(s, 100 * KL_MS);
    sim_brokers_kill(s, 2);
    warm_up(s, 0, 2000);
    warm_up(s, -1, 1000);
    sim_go(s, 1500 * KL_MS);
    sim_expect(s, s->host.warm_ups_open == 1, "the shorter one is over");
    sim_go(s, 700 * KL_MS);
    sim_expect(s, s->host.warm_ups_open == 0 && !s->host.warmth.warm, "and the longer one");
    sim_expect(s, s->host.warmth.ready == 2 && strstr(s->host.warm_text, "node-2:9092"),
               "who is not ready is named");
    sim_brokers_revive(s, 2);
}

/* Brokers of another vendor: they hang up on an ApiVersions that they do not know, and want topics
 * by their names. */
SIM_SCENARIO(other_vendor)
{
    sim_cluster(s, 2);
    sim_topic(s, "t", 4, 2);
    sim_set(s, "api.version.max", "Produce=12,Metadata=9,ApiVersions=2,InitProducerId=3");
    sim_start(s);
    sim_send(s, 0, 100);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Months in minutes: a topic is used, forgotten, and used again, and nothing is taken for a
 * repetition of what was sent before. */
SIM_SCENARIO(topics_come_and_go)
{
    sim_set(s, "metadata.max.idle.ms", "5000");
    sim_set(s, "metadata.max.age.ms", "3000");
    sim_topic(s, "t", 4, 3);
    sim_topic(s, "u", 4, 3);
    sim_start(s);
    for (int i = 0; i < 12; i++) {
        sim_send(s, i % 3 == 0, 8);
        sim_go(s, (i % 4 == 3 ? 9 : 1) * KL_SECOND);
        if (i % 4 == 3)
            sim_expect(s, sim_partitions(s, 0) == 0 || sim_partitions(s, 1) == 0,
                       "what is not used is forgotten");
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}
