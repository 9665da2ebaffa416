/* SPDX-License-Identifier: BSD-2-Clause */
/* Where keys go. See sim_keys.h. */
#include "tests/sim/sim_keys.h"

#include "tests/sim/sim.h"

#include <string.h>

typedef enum sort { NO_HASH, MURMUR2, CRC32, FNV1A } sort;

static const struct partitioner {
    const char *name;
    sort sort;
    bool of_null;  /* a null key is hashed as an empty one */
    bool of_empty; /* an empty one is hashed */
} partitioners[] = {
    {"sticky", MURMUR2, false, true},       {"uniform_sticky", NO_HASH, false, false},
    {"round_robin", NO_HASH, false, false}, {"random", NO_HASH, false, false},
    {"consistent", CRC32, true, true},      {"consistent_random", CRC32, false, false},
    {"murmur2", MURMUR2, true, true},       {"murmur2_random", MURMUR2, false, true},
    {"fnv1a", FNV1A, true, true},           {"fnv1a_random", FNV1A, false, true},
    {"sarama_hash", FNV1A, false, true},    {"sarama_reference", FNV1A, false, true},
};

#define COUNT (sizeof partitioners / sizeof partitioners[0])

const char *sim_keys_partitioner(int n)
{
    return (size_t)n < COUNT ? partitioners[n].name : NULL;
}

static const struct partitioner *partitioner_of(sim *s, int topic)
{
    const char *name = s->plan.topics[topic].partitioner;
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(partitioners[i].name, name) == 0)
            return &partitioners[i];
    sim_fail(s, "plan", "there is no partitioner '%s'", name);
    return &partitioners[0];
}

static bool ignores_keys(sim *s, const struct partitioner *p)
{
    return p->sort == NO_HASH ||
           (p == &partitioners[0] &&
            strcmp(kloop_config_get(s->plan.config, "partitioner.ignore.keys"), "true") == 0);
}

/* Bit by bit, as the polynomial has it. */
static uint32_t crc32(const uint8_t *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t bit = 0; bit < 8 * len; bit++) {
        uint32_t out = (crc ^ (uint32_t)(bytes[bit / 8] >> bit % 8)) & 1;
        crc = crc >> 1 ^ (out ? UINT32_C(0xedb88320) : 0);
    }
    return crc ^ UINT32_MAX;
}

static uint32_t fnv1a(const uint8_t *bytes, size_t len)
{
    uint64_t h = 2166136261;
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * 16777619 % (UINT64_C(1) << 32);
    return (uint32_t)h;
}

bool sim_keys_decide(sim *s, int topic, kloop_slice key, uint32_t *hash)
{
    const struct partitioner *p = partitioner_of(s, topic);
    *hash = 0;
    if (ignores_keys(s, p) || (!key.data && !p->of_null) || (key.len == 0 && !p->of_empty))
        return false;
    *hash = p->sort == MURMUR2 ? sim_payload_murmur2(key.data, key.len)
            : p->sort == CRC32 ? crc32(key.data, key.len)
                               : fnv1a(key.data, key.len);
    return true;
}

int32_t sim_keys_partition(sim *s, int topic, uint32_t hash, int32_t count)
{
    const struct partitioner *p = partitioner_of(s, topic);
    if (p->sort == MURMUR2 || strcmp(p->name, "sarama_reference") == 0)
        return (int32_t)(hash % (UINT32_C(1) << 31) % (uint32_t)count);
    int64_t number = hash;
    if (p->sort == FNV1A && hash >= UINT32_C(1) << 31)
        number = (INT64_C(1) << 32) - number;
    return (int32_t)(number % count);
}
