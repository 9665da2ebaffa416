/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of a producer: text keys and values, by the names of Kafka's Java producer.
 *
 *     kloop_config *c = kloop_config_new(NULL);
 *     kloop_config_set(c, "bootstrap.servers", "localhost:9092");
 *     kloop_config_set(c, "linger.ms", "20");
 *
 * A bad key or value is refused where it is set. The first refusal is remembered as well, so that a
 * caller who looks at nothing hears of it when the producer is opened. What several keys say
 * together is looked at when the producer is opened.
 *
 * Some keys can be set for one topic alone, as topic.NAME.KEY: "topic.events.linger.ms". See
 * kloop_topic_set().
 *
 * A configuration belongs to whoever made it; a producer copies what it needs.
 */
#ifndef KLOOP_CONFIG_H
#define KLOOP_CONFIG_H

#include <kloop/export.h>
#include <kloop/record.h>
#include <kloop/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kloop_config kloop_config;

/* NULL when there is no memory. alloc may be NULL: the C library's. All functions here take a NULL
 * for c as what it is then: set and check answer KLOOP_NO_MEMORY, and no key has a value. */
KLOOP_API kloop_config *kloop_config_new(const kloop_allocator *alloc);
KLOOP_API void kloop_config_del(kloop_config *c);

/*
 * KLOOP_OK, KLOOP_BAD_CONFIG or KLOOP_NO_MEMORY; kloop_config_error() has the sentence. Setting a
 * key again replaces its value.
 */
KLOOP_API kloop_status kloop_config_set(kloop_config *c, const char *key, const char *value);

/* The sentence of the latest refusal by set: which key, which value, what is allowed, or the
 * nearest key there is. "" after a set that went well. */
KLOOP_API const char *kloop_config_error(const kloop_config *c);

/* What all keys say together: KLOOP_OK, or the first refusal remembered, or the first conflict. */
KLOOP_API kloop_status kloop_config_check(const kloop_config *c, kloop_error *error);

/* The value that key has now, as text, good until something is set again; NULL: no such key.
 * Another name of a key answers the key's own value, in the key's own unit. */
KLOOP_API const char *kloop_config_get(const kloop_config *c, const char *key);
/* Was the key set, or has it its preset value? */
KLOOP_API bool kloop_config_is_set(const kloop_config *c, const char *key);

/*
 * What was taken and may surprise: keys of other clients that have no effect here, two names set
 * for one key, keys whose names mean something else to librdkafka. One sentence each, in
 * note->text; the engine logs them when it is opened. false: there are no more.
 */
KLOOP_API bool kloop_config_note(const kloop_config *c, size_t index, kloop_error *note);

typedef enum kloop_config_type {
    KLOOP_CONFIG_BOOL,
    KLOOP_CONFIG_NUMBER, /* a whole one */
    KLOOP_CONFIG_CHOICE, /* one word of those that are allowed */
    KLOOP_CONFIG_LIST,   /* several with commas */
    KLOOP_CONFIG_TEXT,
    KLOOP_CONFIG_FRACTION, /* a number with a point */
} kloop_config_type;

/* The table of keys, sorted by name. What they mean is in <kloop/config_keys.h>, so that only those
 * who want to tell it carry it along. */
typedef struct kloop_config_key {
    const char *name;
    const char *preset;  /* the value it has unless set */
    const char *allowed; /* "0 to 2147483647", "none, gzip, snappy, lz4, zstd" */
    const char *unit;    /* of a number: "ms", "bytes", or "" */
    kloop_config_type type;
    bool secret; /* its value is not to be printed */
} kloop_config_key;

KLOOP_API size_t kloop_config_key_count(void);
KLOOP_API const kloop_config_key *kloop_config_key_at(size_t index); /* NULL beyond the end */
/* By any of its names, such as librdkafka's; NULL: there is none. */
KLOOP_API const kloop_config_key *kloop_config_key_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
