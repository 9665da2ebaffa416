/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keys a configuration has: the rows of kloop/config_keys.h as a table, other names for them,
 * and names that are known and yet not taken.
 *
 * Everything here is constant; nothing is owned, nothing fails.
 */
#ifndef KL_CORE_CONFIG_KEY_H
#define KL_CORE_CONFIG_KEY_H

#include "codecs/codec.h"

#include <kloop/config_keys.h>

typedef enum kl_config_id {
#define KL_CONFIG_ID(ID, name, kind, preset, allowed, unit, meaning) KL_CONFIG_##ID,
    KLOOP_CONFIG_KEYS(KL_CONFIG_ID)
#undef KL_CONFIG_ID
        KL_CONFIG_COUNT
} kl_config_id;

/* Up to PARTITIONER the value is a number, from then on text, which SECRET and SECRET_PEM hide. */
typedef enum kl_config_kind {
    KL_CONFIG_KIND_BOOL,     /* 1, 0 */
    KL_CONFIG_KIND_CHOICE,   /* the place in the list of what is allowed, from 0; -1: none */
    KL_CONFIG_KIND_CHOICES,  /* several of them in order, see kl_config_choices_at() */
    KL_CONFIG_KIND_FRACTION, /* in millionths */
    KL_CONFIG_KIND_LEVEL,
    KL_CONFIG_KIND_NUMBER,
    KL_CONFIG_KIND_PARTITIONER, /* a CHOICE, by Java's names of classes as well */
    KL_CONFIG_KIND_PEM,         /* each line on a line of its own */
    KL_CONFIG_KIND_SERVERS,
    KL_CONFIG_KIND_TEXT,
    KL_CONFIG_KIND_VERSIONS,
    KL_CONFIG_KIND_SECRET,
    KL_CONFIG_KIND_SECRET_PEM,
} kl_config_kind;

typedef struct kl_config_key {
    kloop_config_key shown;
    kl_config_kind kind;
} kl_config_key;

const kl_config_key *kl_config_key_of(kl_config_id id);

/* A key under one of its names. */
typedef struct kl_config_named {
    const kl_config_key *key; /* NULL: no name of a key */
    kl_config_id id;
    int64_t unit; /* a value given under this name counts so many of the key's own units */
} kl_config_named;

kl_config_named kl_config_key_find(const char *name);
/* The name as it stands in the tables, and so lives on; NULL: it is none of a key's. */
const char *kl_config_key_spelling(const char *name);

/* The name that is nearest to this one, NULL when none is near. */
const char *kl_config_key_nearest(const char *name);

/* KLOOP_BAD_CONFIG, and what is wrong with a name that is none of a key; value may
 * be NULL. */
kloop_status kl_config_key_refuse(const char *name, const char *value, kloop_error *error);

#endif
