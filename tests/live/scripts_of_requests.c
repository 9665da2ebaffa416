/* SPDX-License-Identifier: BSD-2-Clause */
/* See scripts.h. Produce requests around sound batches: versions, acks, topics, partitions,
 * leaders. */
#include "tests/live/scripts.h"
#include "tests/live/trial.h"

static kl_trial_bytes good_batch(kl_talk *t)
{
    kl_trial trial = kl_trial_init(t);
    return kl_trial_batch(t, &trial);
}

static void versions(kl_talk *t)
{
    for (int16_t version = 3; version <= 13; version++) {
        kl_trial_send(t, kl_talk_label(t, "v%d all", version), version, -1, "cmp.plain", 0,
                      good_batch(t));
        kl_trial_send(t, kl_talk_label(t, "v%d leader", version), version, 1, "cmp.plain", 1,
                      good_batch(t));
    }
}

static void acks(kl_talk *t)
{
    static const int16_t odd[] = {2, 7, -2, INT16_MAX, INT16_MIN};
    kl_trial_send(t, "0", 9, 0, "cmp.plain", 0, good_batch(t));
    kl_trial_send(t, "0, v3", 3, 0, "cmp.plain", 0, good_batch(t));
    kl_trial_send(t, "0, v13", 13, 0, "cmp.plain", 0, good_batch(t));
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        kl_trial_send(t, kl_talk_label(t, "%d", odd[i]), 9, odd[i], "cmp.plain", 0, good_batch(t));
        kl_trial_send(t, kl_talk_label(t, "%d, v13", odd[i]), 13, odd[i], "cmp.plain", 0,
                      good_batch(t));
    }
    /* With no answer to carry it, an error closes the connection. */
    kl_trial_send(t, "0, unknown topic", 9, 0, "cmp.nobody", 0, good_batch(t));
    kl_trial_send(t, "0, unknown partition", 9, 0, "cmp.plain", 9, good_batch(t));
    kl_trial_send(t, "0, damaged", 9, 0, "cmp.plain", 0,
                  kl_trial_set32(t, good_batch(t), KL_AT_COUNT, 5));
    kl_trial_send(t, "what was appended", 9, -1, "cmp.plain", 0, good_batch(t));
}

static void timeouts(kl_talk *t)
{
    static const int32_t times[] = {0, -1, 1, INT32_MAX, INT32_MIN};
    kl_trial_entry entry = {"cmp.plain", 0, good_batch(t)};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        kl_trial_ask(t, kl_talk_label(t, "%d ms", times[i]),
                     &(kl_trial_request){.version = 9,
                                         .acks = 1,
                                         .timeout_ms = times[i],
                                         .entries = &entry,
                                         .entry_count = 1});
}

static void unknown_places(kl_talk *t)
{
    for (int16_t version = 3; version <= 13; version++) {
        kl_trial_send(t, kl_talk_label(t, "v%d topic", version), version, -1, "cmp.nobody", 0,
                      good_batch(t));
        kl_trial_send(t, kl_talk_label(t, "v%d partition 2", version), version, -1, "cmp.plain", 2,
                      good_batch(t));
        kl_trial_send(t, kl_talk_label(t, "v%d partition -1", version), version, -1, "cmp.plain",
                      -1, good_batch(t));
        kl_trial_send(t, kl_talk_label(t, "v%d no topic", version), version, -1, KL_TRIAL_NO_TOPIC,
                      0, good_batch(t));
    }
    kl_trial_send(t, "name with space", 9, -1, "cmp. plain", 0, good_batch(t));
    kl_trial_send(t, "dots", 9, -1, "..", 0, good_batch(t));
}

static void several_in_one(kl_talk *t)
{
    kl_trial_bytes good = good_batch(t);
    kl_trial_bytes bad = kl_trial_set32(t, good, KL_AT_COUNT, 5);
    kl_trial_entry both[] = {{"cmp.plain", 0, good}, {"cmp.plain", 1, good}};
    kl_trial_entry half[] = {{"cmp.plain", 0, good}, {"cmp.plain", 1, bad}};
    kl_trial_entry topics[] = {{"cmp.small", 0, good}, {"cmp.plain", 0, good}};
    kl_trial_entry unknown[] = {
        {"cmp.plain", 0, good}, {"cmp.nobody", 0, good}, {"cmp.plain", 7, good}};
    kl_trial_entry apart[] = {
        {"cmp.plain", 0, good}, {"cmp.small", 0, good}, {"cmp.plain", 1, good}};
    static const int16_t versions_of[] = {3, 9, 13};
    for (size_t i = 0; i < 3; i++) {
        int16_t v = versions_of[i];
#define ASK(label, list)                                                                           \
    kl_trial_ask(t, kl_talk_label(t, "v%d " label, v),                                             \
                 &(kl_trial_request){.version = v,                                                 \
                                     .acks = -1,                                                   \
                                     .timeout_ms = 5000,                                           \
                                     .entries = (list),                                            \
                                     .entry_count = sizeof(list) / sizeof(list)[0]})
        ASK("two partitions", both);
        ASK("a good one and a bad one", half);
        ASK("two topics", topics);
        ASK("unknown ones among them", unknown);
        ASK("a topic in two places", apart);
#undef ASK
        kl_trial_request empty = {.version = v, .acks = -1, .timeout_ms = 5000};
        kl_trial_ask(t, kl_talk_label(t, "v%d no topics", v), &empty);
    }
}

static void one_partition_twice(kl_talk *t)
{
    kl_trial one = kl_trial_init(t), other = kl_trial_init(t);
    other.count = 5;
    kl_trial_bytes first = kl_trial_batch(t, &one), second = kl_trial_batch(t, &other);
    kl_trial_entry twice[] = {{"cmp.plain", 0, first}, {"cmp.plain", 0, second}};
    kl_trial_entry apart[] = {
        {"cmp.plain", 0, first}, {"cmp.plain", 1, first}, {"cmp.plain", 0, second}};
    static const int16_t versions_of[] = {9, 13};
    for (size_t i = 0; i < 2; i++) {
        kl_trial_request request = {.version = versions_of[i],
                                    .acks = -1,
                                    .timeout_ms = 5000,
                                    .entries = twice,
                                    .entry_count = 2};
        kl_trial_ask(t, kl_talk_label(t, "v%d", versions_of[i]), &request);
        request.entries = apart;
        request.entry_count = 3;
        kl_trial_ask(t, kl_talk_label(t, "v%d apart", versions_of[i]), &request);
        kl_trial_send(t, kl_talk_label(t, "v%d what was appended", versions_of[i]), 9, -1,
                      "cmp.plain", 0, first);
    }
}

static void transactional(kl_talk *t)
{
    kl_trial trial = kl_trial_of_new_producer(t);
    kl_trial_bytes plain = good_batch(t);
    kl_trial_bytes marked =
        kl_trial_set16(t, kl_trial_batch(t, &trial), KL_AT_ATTRIBUTES, KLOOP_BATCH_TRANSACTIONAL);
    kl_trial_entry entry = {"cmp.plain", 0, plain};
    kl_trial_send(t, "transactional batch, no transactional id", 9, -1, "cmp.plain", 0, marked);
    kl_trial_ask(t, "plain batch, transactional id",
                 &(kl_trial_request){.version = 9,
                                     .acks = -1,
                                     .transactional_id = "t",
                                     .timeout_ms = 5000,
                                     .entries = &entry,
                                     .entry_count = 1});
    kl_trial_ask(t, "plain batch, transactional id, acks 1",
                 &(kl_trial_request){.version = 9,
                                     .acks = 1,
                                     .transactional_id = "t",
                                     .timeout_ms = 5000,
                                     .entries = &entry,
                                     .entry_count = 1});
}

static void in_sync_minimum(kl_talk *t)
{
    /* Asks for more replicas in sync than there are at all. */
    kl_trial_send(t, "all", 9, -1, "cmp.strict", 0, good_batch(t));
    kl_trial_send(t, "leader", 9, 1, "cmp.strict", 0, good_batch(t));
    kl_trial_send(t, "all, v13", 13, -1, "cmp.strict", 0, good_batch(t));
}

static void wrong_leader(kl_talk *t)
{
    int32_t leader = kl_side_names_leader(&t->names, "cmp.plain", 0);
    kl_trial_entry entry = {"cmp.plain", 0, good_batch(t)};
    kl_trial_entry unknown = {"cmp.plain", 9, good_batch(t)};
    for (int32_t node = 1; node <= t->side->node_count; node++) {
        /* The two others answer alike; one of them is enough, and the same number of steps. */
        if (node == leader)
            continue;
        kl_talk_to(t, node);
        for (int16_t version = 3; version <= 13; version++) {
            kl_trial_request request = {.version = version,
                                        .acks = -1,
                                        .timeout_ms = 5000,
                                        .entries = &entry,
                                        .entry_count = 1};
            kl_trial_ask_here(t, kl_talk_label(t, "v%d", version), &request);
            request.acks = 1;
            kl_trial_ask_here(t, kl_talk_label(t, "v%d, acks 1", version), &request);
            request.entries = &unknown;
            kl_trial_ask_here(t, kl_talk_label(t, "v%d, unknown partition", version), &request);
        }
        kl_trial_ask_here(
            t, "acks 0",
            &(kl_trial_request){
                .version = 9, .timeout_ms = 5000, .entries = &entry, .entry_count = 1});
        break;
    }
    kl_trial_send(t, "what was appended", 9, -1, "cmp.plain", 0, good_batch(t));
}

const kl_script kl_scripts_of_requests[] = {
    {"produce versions", 1, 0, versions, KL_SCRIPT_ORDINARY},
    {"produce acks", 1, 0, acks, KL_SCRIPT_ORDINARY},
    {"produce timeouts", 1, 0, timeouts, KL_SCRIPT_ORDINARY},
    {"produce unknown places", 1, 0, unknown_places, KL_SCRIPT_ORDINARY},
    {"produce several in one", 1, 1, several_in_one, KL_SCRIPT_ORDINARY},
    {"produce one partition twice", 1, 1, one_partition_twice, KL_SCRIPT_ORDINARY},
    {"produce transactional", 1, 0, transactional, KL_SCRIPT_ORDINARY},
    {"produce in-sync minimum", 1, 0, in_sync_minimum, KL_SCRIPT_ORDINARY},
    {"produce to the wrong leader", 3, 0, wrong_leader, KL_SCRIPT_ORDINARY},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};
