/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keys a configuration has: the rows of core/config_map.h as a table, other names for them,
 * and names that are known and yet not taken.
 *
 * Everything here is constant; nothing is owned, nothing fails.
 */
#ifndef KL_CORE_CONFIG_KEY_H
#define KL_CORE_CONFIG_KEY_H

#include "codecs/codec.h"
#include "core/config_map.h"

#include <kloop/config.h>

typedef enum kl_config_id {
#define KL_CONFIG_ID(ID, name, kind, preset, allowed, doc) KL_CONFIG_##ID,
    KL_CONFIG_MAP(KL_CONFIG_ID)
#undef KL_CONFIG_ID
        KL_CONFIG_COUNT
} kl_config_id;

/* SERVERS, TEXT and VERSIONS have a value of text, all others one that is a number. */
typedef enum kl_config_kind {
    KL_CONFIG_KIND_BOOL,    /* 1, 0 */
    KL_CONFIG_KIND_CHOICE,  /* the place in the list of what is allowed, from 0 */
    KL_CONFIG_KIND_CHOICES, /* several of them in order, see kl_config_choices_at() */
    KL_CONFIG_KIND_LEVEL,
    KL_CONFIG_KIND_NUMBER,
    KL_CONFIG_KIND_PARTITIONER, /* a CHOICE, by Java's names of classes as well */
    KL_CONFIG_KIND_SERVERS,
    KL_CONFIG_KIND_TEXT,
    KL_CONFIG_KIND_VERSIONS,
} kl_config_kind;

typedef struct kl_config_key {
    kloop_config_key shown;
    kl_config_kind kind;
    int64_t lo; /* of a NUMBER */
    int64_t hi;
    kl_codec_id codec; /* of a LEVEL */
} kl_config_key;

const kl_config_key *kl_config_key_of(kl_config_id id);

/* A key under one of its names. */
typedef struct kl_config_named {
    const kl_config_key *key; /* NULL: no name of a key */
    kl_config_id id;
    int64_t unit; /* a value given under this name counts so many of the key's own units */
} kl_config_named;

kl_config_named kl_config_key_find(const char *name);

/* The name that is nearest to this one, NULL when none is near. */
const char *kl_config_key_nearest(const char *name);

/* KLOOP_BAD_CONFIG, and what is wrong with a name that is none of a key. */
kloop_status kl_config_key_refuse(const char *name, kloop_error *error);

/* Why a name is not taken although Kafka's or librdkafka's producer has it, as the end of a
 * sentence that starts with the name; NULL for all others. */
const char *kl_config_key_why_not(const char *name);

#endif
