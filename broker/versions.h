/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which APIs a broker offers, in which versions: what ApiVersions says and what it accepts, which
 * is not quite the same.
 *
 * Kafka 4.3.1 says that it takes Produce from version 0 on, because old librdkafkas want to see
 * that, and closes the connection at a version below 3. So do we. Fetch is said and not served, for
 * the same reason: librdkafka sends record batches only to brokers that offer Fetch 4.
 *
 * A table is a plain value. Nothing fails.
 */
#ifndef KL_BROKER_VERSIONS_H
#define KL_BROKER_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KL_VERSIONS_COUNT 8

typedef struct kl_version_range {
    int16_t api_key;
    int16_t min_version; /* as said */
    int16_t max_version; /* below min_version: not offered */
} kl_version_range;

typedef struct kl_version_table {
    kl_version_range ranges[KL_VERSIONS_COUNT]; /* by rising key */
} kl_version_table;

/* As Kafka 4.3.1, as far as we serve it. */
void kl_versions_init(kl_version_table *t);
/* false: the API is not served in such versions. */
bool kl_versions_set(kl_version_table *t, int16_t api_key, int16_t min_version,
                     int16_t max_version);
/* Whether a request is carried out. */
bool kl_versions_accepts(const kl_version_table *t, int16_t api_key, int16_t version);
/* NULL: not offered. */
const kl_version_range *kl_versions_find(const kl_version_table *t, int16_t api_key);

#endif
