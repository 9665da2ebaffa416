/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys that can be set for one topic, and what was set of them for one.
 *
 * In a configuration such a key is written topic.NAME.KEY. A name may contain dots, and so does
 * nearly every key: the longest name of a key that ends the text is meant, and what is left before
 * it is the topic's.
 *
 * Nothing is owned. A bad key or value is KLOOP_BAD_CONFIG with a sentence; nothing changes then.
 */
#ifndef KL_CORE_TOPIC_KEYS_H
#define KL_CORE_TOPIC_KEYS_H

#include "core/config_key.h"

#include <stdbool.h>

/* XX(ID): rows of kloop/config_keys.h, in its order. */
#define KL_TOPIC_KEYS(XX)                                                                          \
    XX(BATCH_SIZE)                                                                                 \
    XX(MEMORY)                                                                                     \
    XX(GZIP_LEVEL)                                                                                 \
    XX(LZ4_LEVEL)                                                                                  \
    XX(CODEC)                                                                                      \
    XX(ZSTD_LEVEL)                                                                                 \
    XX(LINGER)                                                                                     \
    XX(ADAPTIVE)                                                                                   \
    XX(PARTITIONER)                                                                                \
    XX(IGNORE_KEYS)

typedef enum kl_topic_key {
#define KL_TOPIC_KEY_ID(ID) KL_TOPIC_KEY_##ID,
    KL_TOPIC_KEYS(KL_TOPIC_KEY_ID)
#undef KL_TOPIC_KEY_ID
        KL_TOPIC_KEY_COUNT
} kl_topic_key;

/* All zero: nothing was set. */
typedef struct kl_topic_keys {
    uint32_t set; /* bit by kl_topic_key */
    int64_t numbers[KL_TOPIC_KEY_COUNT];
} kl_topic_keys;

/* Those of the topic of this name. */
typedef struct kl_topic_named_keys {
    kloop_string name; /* terminated */
    kl_topic_keys keys;
} kl_topic_named_keys;

static inline bool kl_topic_keys_has(const kl_topic_keys *keys, kl_topic_key key)
{
    return keys->set >> key & 1;
}

static inline void kl_topic_keys_put(kl_topic_keys *keys, kl_topic_key key, int64_t number)
{
    keys->numbers[key] = number;
    keys->set |= UINT32_C(1) << key;
}

/* The row of kloop/config_keys.h. */
kl_config_id kl_topic_keys_config_id(kl_topic_key key);
/* KL_TOPIC_KEY_COUNT: it is for the whole producer. */
kl_topic_key kl_topic_keys_of(kl_config_id id);

/* By any name of the key. said is how the key was called by whoever set it, for the sentence. */
kloop_status kl_topic_keys_set(kl_topic_keys *keys, const char *key, const char *said,
                               const char *value, kloop_error *error);

#define KL_TOPIC_PREFIX     "topic."
#define KL_TOPIC_PREFIX_LEN (sizeof KL_TOPIC_PREFIX - 1)

/* What topic.NAME.KEY is made of. */
typedef struct kl_topic_path {
    kloop_string name; /* not terminated */
    const char *key;   /* any name of one; NULL: none ends the text */
} kl_topic_path;

/* Does text begin like one? The caller has looked whether it is a key of its own. */
bool kl_topic_path_is(const char *text);
kl_topic_path kl_topic_path_of(const char *text);
/* What to say of a path without a key, or with a name that no topic has. */
kloop_status kl_topic_path_refuse(const char *text, kloop_error *error);

/* Kafka's rule for names of topics. */
bool kl_topic_name_is_legal(kloop_string name);

#endif
