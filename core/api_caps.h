/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The newest version of each API that may be spoken, as people write it:
 * "Produce=12, ApiVersions=2". For brokers of other vendors, which may tell of more than they do
 * well, and for finding out what an older one would have done.
 *
 * Nothing is owned.
 */
#ifndef KL_CORE_API_CAPS_H
#define KL_CORE_API_CAPS_H

#include <kloop/record.h>
#include <kloop/types.h>

/* The first version of Produce whose batches may be compressed with zstd. */
#define KL_PRODUCE_OF_ZSTD 7

/* INT16_MAX: as new as kloop has it. */
typedef struct kl_api_caps {
    int16_t produce;
    int16_t metadata;
    int16_t api_versions;
    int16_t init_producer_id;
    int16_t sasl_handshake;
    int16_t sasl_authenticate;
} kl_api_caps;

/* The one of this API; NULL: a producer never asks it. */
int16_t *kl_api_caps_at(kl_api_caps *caps, int16_t api);

/* KLOOP_OK or KLOOP_BAD_CONFIG with a sentence that starts with name: no such API, one that a
 * producer never asks, no number, lower than what is needed, named twice. */
kloop_status kl_api_caps_check(kloop_string list, const char *name, kloop_error *error);
/* Of a list that was checked; an empty one sets no limits. */
kl_api_caps kl_api_caps_of(kloop_string list);

#endif
