/* SPDX-License-Identifier: BSD-2-Clause */
/* See side_names.h. */
#include "tests/live/side_names.h"

#include "base/check.h"

#include <kloop/wire.h>

#include <string.h>

static kl_side_topic *place_of(kl_side_names *names, kloop_string name)
{
    for (size_t i = 0; i < names->topic_count; i++) {
        kl_side_topic *topic = &names->topics[i];
        if (strlen(topic->name) == name.len && memcmp(topic->name, name.data, name.len) == 0)
            return topic;
    }
    KL_ASSERT(names->topic_count < KL_SIDE_TOPICS_MAX);
    return &names->topics[names->topic_count++];
}

void kl_side_names_learn(kl_side_names *names, const kloop_metadata_response *metadata)
{
    kloop_metadata_topic topic;
    for (kloop_iter i = kloop_iterate(&metadata->topics); kloop_next(&i, &topic);) {
        if (topic.error_code || !topic.name.data || topic.name.len >= sizeof names->topics[0].name)
            continue;
        kl_side_topic *known = place_of(names, topic.name);
        memcpy(known->name, topic.name.data, topic.name.len);
        known->name[topic.name.len] = 0;
        known->id = topic.topic_id;
        known->partitions = topic.partitions.count;
        kloop_metadata_partition partition;
        for (kloop_iter j = kloop_iterate(&topic.partitions); kloop_next(&j, &partition);) {
            int32_t index = partition.partition_index;
            if (index >= 0 && index < KL_SIDE_PARTITIONS_MAX)
                known->leaders[index] = partition.leader_id;
        }
    }
}

const kl_side_topic *kl_side_names_topic(const kl_side_names *names, const char *name)
{
    for (size_t i = 0; i < names->topic_count; i++) {
        if (strcmp(names->topics[i].name, name) == 0)
            return &names->topics[i];
    }
    return NULL;
}

const kl_side_topic *kl_side_names_topic_of(const kl_side_names *names, const kloop_uuid *id)
{
    for (size_t i = 0; i < names->topic_count; i++) {
        if (memcmp(&names->topics[i].id, id, sizeof *id) == 0)
            return &names->topics[i];
    }
    return NULL;
}

int32_t kl_side_names_leader(const kl_side_names *names, const char *topic, int32_t partition)
{
    const kl_side_topic *known = kl_side_names_topic(names, topic);
    if (!known || partition < 0 || partition >= KL_SIDE_PARTITIONS_MAX)
        return 0;
    return known->leaders[partition];
}

void kl_side_names_forget_offsets(kl_side_names *names)
{
    for (size_t i = 0; i < names->topic_count; i++)
        memset(names->topics[i].last_offsets, 0xff, sizeof names->topics[i].last_offsets);
}

int64_t kl_side_names_next_offset(kl_side_names *names, const char *topic, int32_t partition,
                                  int64_t offset)
{
    int64_t last = -1;
    for (size_t i = 0; i < names->topic_count; i++) {
        kl_side_topic *known = &names->topics[i];
        if (strcmp(known->name, topic) == 0 && partition >= 0 &&
            partition < KL_SIDE_PARTITIONS_MAX) {
            last = known->last_offsets[partition];
            known->last_offsets[partition] = offset;
        }
    }
    return last;
}

size_t kl_side_names_producer(kl_side_names *names, int64_t producer_id)
{
    for (size_t i = 0; i < names->producer_count; i++) {
        if (names->producers[i] == producer_id)
            return i + 1;
    }
    KL_ASSERT(names->producer_count < KL_SIDE_PRODUCERS_MAX);
    names->producers[names->producer_count++] = producer_id;
    return names->producer_count;
}
