/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be different for each topic: how long its batches wait, how large they become, what they
 * are compressed with, where records go, and how much of buffer.memory it may take.
 *
 * A topic looks at its own settings where something was set for it, else at those of the producer.
 * They are read where a batch begins or ends, never for a record.
 *
 * Who owns what: the engine owns the producer's, a topic its own. kloop_topic_set() answers
 * KLOOP_BAD_CONFIG or KLOOP_NO_MEMORY, and nothing has changed then.
 */
#ifndef KL_CORE_TOPIC_SETTINGS_H
#define KL_CORE_TOPIC_SETTINGS_H

#include "core/partitioner.h"
#include "core/topic_keys.h"

typedef struct kl_settings kl_settings;

/* An entry of compression.type. */
typedef struct kl_codec_wanted {
    kl_codec_id id;
    int32_t level; /* KL_CODEC_LEVEL_DEFAULT, or checked */
} kl_codec_wanted;

typedef struct kl_topic_settings {
    uint64_t linger_ns;
    uint64_t seal_after_ns; /* how long a batch may stay open when it cannot be sent */
    size_t batch_bytes;     /* batch.size, at least 1 */
    size_t memory_bytes;    /* its share of buffer.memory; 0: no more than all have together */
    kl_codec_wanted codecs[KL_CODEC_COUNT]; /* best first */
    uint32_t codec_count;                   /* at least 1 */
    kl_partitioning partitioning;
    kl_topic_keys keys; /* what was set for the topic; of the producer: what there is for all */
} kl_topic_settings;

/*
 * Of the topic of this name, or with NULL of the producer, whose other settings are in s already.
 * own is what was set for it: what was not is as all has it. KLOOP_OK or KLOOP_BAD_CONFIG.
 */
kloop_status kl_topic_settings_make(kl_topic_settings *to, const kl_settings *s, const char *topic,
                                    const kl_topic_keys *own, const kl_topic_keys *all,
                                    kloop_error *error);

/* KLOOP_BAD_CONFIG unless so much memory can hold a record of record_bytes_max. */
kloop_status kl_topic_settings_check_memory(const char *topic, size_t memory_bytes,
                                            size_t record_bytes_max, kloop_error *error);

/* t is new: it gets what the configuration says of it. false: no memory. */
bool kl_topic_settings_begin(kloop_engine *e, kloop_topic *t);
void kl_topic_settings_end(kloop_engine *e, kloop_topic *t);

#endif
