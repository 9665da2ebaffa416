/* SPDX-License-Identifier: BSD-2-Clause */
/* Two bytes to a message. See selection.h. */
#include "fuzz/selection.h"

#include "fuzz/fuzz.h"
#include "protocol/api.h"

static kl_selection make(const kloop_api *api, kloop_half half, int16_t version)
{
    kl_selection s = {api, half, version, kl_api_type(api->key, half, version, NULL)};
    KL_FUZZ_CHECK(s.type);
    return s;
}

kl_selection kl_selection_of(uint8_t first, uint8_t second)
{
    const kloop_api *api = kloop_api_find((int8_t)first);
    if (!api)
        api = kloop_api_at(first % kloop_api_count());
    kloop_half half = second & 1 ? KLOOP_RESPONSE : KLOOP_REQUEST;
    if (half == KLOOP_REQUEST ? !api->has_request : !api->has_response)
        half = half == KLOOP_REQUEST ? KLOOP_RESPONSE : KLOOP_REQUEST;
    int version = second >> 1;
    if (version < api->min_version || version > api->max_version)
        version = api->min_version + version % (api->max_version - api->min_version + 1);
    return make(api, half, (int16_t)version);
}

void kl_selection_put(const kl_selection *s, uint8_t out[KL_SELECTION_BYTES])
{
    KL_FUZZ_CHECK(s->api->key >= INT8_MIN && s->api->key <= INT8_MAX && s->version < 128);
    out[0] = (uint8_t)s->api->key;
    out[1] = (uint8_t)(s->version << 1 | (s->half == KLOOP_RESPONSE));
}

bool kl_selection_next(kl_selection *s)
{
    size_t index = 0;
    kloop_half half = KLOOP_REQUEST;
    int version;
    if (s->api) {
        while (kloop_api_at(index) != s->api)
            index++;
        half = s->half;
        version = s->version + 1;
    } else {
        version = kloop_api_at(0)->min_version;
    }
    for (const kloop_api *api; (api = kloop_api_at(index)); index++, half = KLOOP_REQUEST) {
        for (;; half = KLOOP_RESPONSE) {
            bool has = half == KLOOP_REQUEST ? api->has_request : api->has_response;
            if (version < api->min_version)
                version = api->min_version;
            if (has && version <= api->max_version) {
                *s = make(api, half, (int16_t)version);
                return true;
            }
            version = INT16_MIN;
            if (half == KLOOP_RESPONSE)
                break;
        }
    }
    return false;
}

uint32_t kl_selection_number(const kl_selection *s)
{
    uint8_t pair[KL_SELECTION_BYTES];
    kl_selection_put(s, pair);
    return (uint32_t)pair[0] << 8 | pair[1];
}
