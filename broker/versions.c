/* SPDX-License-Identifier: BSD-2-Clause */
/* What is offered and what is accepted. See versions.h. */
#include "broker/versions.h"

#include <kloop/wire.h>

#define FETCH 1

static const kl_version_table kafka_4_3_1 = {{
    {KLOOP_PRODUCE, 0, 13},
    {FETCH, 4, 18},
    {KLOOP_METADATA, 0, 13},
    {KLOOP_FIND_COORDINATOR, 0, 6},
    {KLOOP_SASL_HANDSHAKE, 0, 1},
    {KLOOP_API_VERSIONS, 0, 4},
    /* Version 6 exists and is not released: brokers offer it only when told to. */
    {KLOOP_INIT_PRODUCER_ID, 0, 5},
    {KLOOP_SASL_AUTHENTICATE, 0, 2},
}};

void kl_versions_init(kl_version_table *t)
{
    *t = kafka_4_3_1;
}

static kl_version_range *find(const kl_version_table *t, int16_t api_key)
{
    for (size_t i = 0; i < KL_VERSIONS_COUNT; i++) {
        if (t->ranges[i].api_key == api_key)
            return (kl_version_range *)(uintptr_t)&t->ranges[i];
    }
    return NULL;
}

bool kl_versions_set(kl_version_table *t, int16_t api_key, int16_t min_version, int16_t max_version)
{
    const kloop_api *api = kloop_api_find(api_key);
    kl_version_range *range = find(t, api_key);
    if (!api || !range || max_version > api->max_version)
        return false;
    range->min_version = min_version;
    range->max_version = max_version;
    return true;
}

bool kl_versions_accepts(const kl_version_table *t, int16_t api_key, int16_t version)
{
    const kloop_api *api = kloop_api_find(api_key);
    const kl_version_range *range = kl_versions_find(t, api_key);
    return api && range && version >= range->min_version && version >= api->min_version &&
           version <= range->max_version;
}

const kl_version_range *kl_versions_find(const kl_version_table *t, int16_t api_key)
{
    const kl_version_range *range = find(t, api_key);
    return range && range->min_version <= range->max_version ? range : NULL;
}
