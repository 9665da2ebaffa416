/* SPDX-License-Identifier: BSD-2-Clause */
/* See scripts.h. A node dies and comes back; what the others then say and take. */
#include "tests/live/scripts.h"
#include "tests/live/trial.h"

#define TOPIC "cmp.plain"

static int32_t leader_of(const kl_talk *t, const char *topic)
{
    return kl_side_names_leader(&t->names, topic, 0);
}

static void put(kl_talk *t, const char *step, const kl_trial *producer, int32_t sequence)
{
    kl_trial trial = *producer;
    trial.sequence = sequence;
    kl_trial_send(t, step, 11, -1, TOPIC, 0, kl_trial_batch(t, &trial));
}

static void ask_metadata(kl_talk *t, const char *when)
{
    kloop_metadata_request_topic topics[] = {{.name = kloop_text(TOPIC)},
                                             {.name = kloop_text("cmp.strict")}};
    static const int16_t versions[] = {1, 5, 7, 9, 13};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        kloop_metadata_request request;
        kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &request);
        request.topics = kloop_array_of(topics, 2);
        kl_talk_ask(t, kl_talk_label(t, "metadata v%d, %s", versions[i], when), KLOOP_METADATA,
                    versions[i], &request);
    }
}

/* The topic wants more replicas in sync than it has: all of them. */
static void ask_strict(kl_talk *t, const char *when)
{
    kl_trial trial = kl_trial_init(t);
    kl_trial_bytes batch = kl_trial_batch(t, &trial);
    kl_trial_send(t, kl_talk_label(t, "all in sync, %s", when), 9, -1, "cmp.strict", 0, batch);
    kl_trial_send(t, kl_talk_label(t, "all in sync, %s, v13", when), 13, -1, "cmp.strict", 0,
                  batch);
    kl_trial_send(t, kl_talk_label(t, "the leader alone, %s", when), 9, 1, "cmp.strict", 0, batch);
    kl_trial_send(t, kl_talk_label(t, "nobody, %s", when), 9, 0, "cmp.strict", 0, batch);
}

static void a_follower_dies(kl_talk *t)
{
    int32_t follower = 1;
    while (follower == leader_of(t, TOPIC) || follower == leader_of(t, "cmp.strict"))
        follower++;
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0", &p, 0);
    ask_strict(t, "before");
    kl_talk_kill(t, follower);
    kl_talk_to_leader(t, TOPIC, 0);
    ask_metadata(t, "one less");
    put(t, "2", &p, 2);
    put(t, "0 again", &p, 0);
    ask_strict(t, "one less");
    kl_talk_revive(t, follower);
    kl_talk_to(t, follower);
    ask_metadata(t, "back, by the one that was dead");
    put(t, "4", &p, 4);
    ask_strict(t, "back");
}

static void a_leader_dies(kl_talk *t)
{
    int32_t leader = leader_of(t, TOPIC);
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0", &p, 0);
    put(t, "2", &p, 2);
    kl_talk_kill(t, leader);
    kl_talk_to(t, leader == 1 ? 2 : 1);
    kl_talk_learn(t, TOPIC);
    kl_talk_learn(t, "cmp.strict");
    ask_metadata(t, "another leads");
    put(t, "2 again, to the new leader", &p, 2);
    put(t, "0 again, to the new leader", &p, 0);
    put(t, "8, a gap", &p, 8);
    /* When it is acked by all, the third node has learnt whom to follow. */
    put(t, "4", &p, 4);
    kl_trial_entry entry = {TOPIC, 0, kl_trial_batch(t, &p)};
    for (int32_t node = 1; node <= t->side->node_count; node++) {
        if (node == leader || node == leader_of(t, TOPIC))
            continue;
        kl_talk_to(t, node);
        kl_trial_ask_here(t, "to the one that does not lead",
                          &(kl_trial_request){.version = 10,
                                              .acks = -1,
                                              .timeout_ms = 5000,
                                              .entries = &entry,
                                              .entry_count = 1});
    }
    ask_strict(t, "one less");
    kl_talk_revive(t, leader);
    kl_talk_to(t, leader);
    kl_trial_ask_here(
        t, "to the one that led before",
        &(kl_trial_request){
            .version = 13, .acks = -1, .timeout_ms = 5000, .entries = &entry, .entry_count = 1});
    ask_metadata(t, "by the one that led before");
    put(t, "4 again", &p, 4);
    put(t, "6", &p, 6);
}

const kl_script kl_scripts_of_failures[] = {
    {"a follower dies", 3, 0, a_follower_dies, KL_SCRIPT_KILLING},
    {"a leader dies", 3, 0, a_leader_dies, KL_SCRIPT_KILLING},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};
