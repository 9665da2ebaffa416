/* SPDX-License-Identifier: BSD-2-Clause */
/* Each entry is read by one function, which also knows why it cannot be read. See api_caps.h. */
#include "core/api_caps.h"

#include "base/ascii.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "core/config_value.h"
#include "core/error.h"

#include <kloop/wire.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Of a sentence about an entry. */
#define WHY_BYTES 192

int16_t *kl_api_caps_at(kl_api_caps *caps, int16_t api)
{
    switch (api) {
    case KLOOP_PRODUCE:
        return &caps->produce;
    case KLOOP_METADATA:
        return &caps->metadata;
    case KLOOP_API_VERSIONS:
        return &caps->api_versions;
    case KLOOP_INIT_PRODUCER_ID:
        return &caps->init_producer_id;
    case KLOOP_SASL_HANDSHAKE:
        return &caps->sasl_handshake;
    case KLOOP_SASL_AUTHENTICATE:
        return &caps->sasl_authenticate;
    default:
        return NULL;
    }
}

static bool read_version(kloop_string text, int16_t *version)
{
    int32_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!kl_ascii_is_digit(text.data[i]) || v > INT16_MAX)
            return false;
        v = v * 10 + (text.data[i] - '0');
    }
    *version = (int16_t)(v < INT16_MAX ? v : INT16_MAX);
    return text.len > 0 && v <= INT16_MAX;
}

/* true, or why holds what is wrong, as the end of a sentence that starts with the entry. */
static bool read_entry(kl_api_caps *caps, kloop_string entry, char why[WHY_BYTES])
{
    const char *equals = entry.len > 0 ? memchr(entry.data, '=', entry.len) : NULL;
    if (!equals) {
        snprintf(why, WHY_BYTES, "is not of the form API=VERSION, such as Produce=12");
        return false;
    }
    kloop_string name = kl_config_trim((kloop_string){entry.data, (size_t)(equals - entry.data)});
    kloop_string number =
        kl_config_trim((kloop_string){equals + 1, entry.len - (size_t)(equals + 1 - entry.data)});
    const kloop_api *api = kloop_api_find_name(name.data, name.len);
    int16_t *cap = api ? kl_api_caps_at(caps, api->key) : NULL;
    int16_t version;
    if (!cap)
        snprintf(why, WHY_BYTES,
                 "names no API that a producer asks: these are Produce, Metadata, ApiVersions, "
                 "InitProducerId, SaslHandshake and SaslAuthenticate");
    else if (*cap != INT16_MAX)
        snprintf(why, WHY_BYTES, "is the second limit for %s", api->name);
    else if (!read_version(number, &version))
        snprintf(why, WHY_BYTES, "has a version that is no number from 0 to 32767");
    else if (version < api->min_version)
        snprintf(why, WHY_BYTES, "is too low: kloop needs at least version %d of %s",
                 (int)api->min_version, api->name);
    else
        return (*cap = version), true;
    return false;
}

static kloop_status read_list(kl_api_caps *caps, kloop_string list, const char *name,
                              kloop_error *error)
{
    *caps = (kl_api_caps){INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX, INT16_MAX};
    kloop_string rest = kl_config_trim(list);
    bool more = rest.len > 0;
    while (more) {
        kloop_string entry;
        char why[WHY_BYTES];
        char shown[KL_EXCERPT_SIZE];
        more = kl_config_take_entry(&rest, &entry);
        if (!read_entry(caps, entry, why))
            return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: '%s' %s", name,
                                kl_excerpt(shown, sizeof shown, entry), why);
    }
    return KLOOP_OK;
}

kloop_status kl_api_caps_check(kloop_string list, const char *name, kloop_error *error)
{
    kl_api_caps caps;
    return read_list(&caps, list, name, error);
}

kl_api_caps kl_api_caps_of(kloop_string list)
{
    kl_api_caps caps;
    kloop_status status = read_list(&caps, list, "", NULL);
    KL_ASSERT(!status);
    return caps;
}
