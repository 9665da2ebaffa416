/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder of every message, request and response, in every version.
 *
 * Input: which message (see selection.h), then its body. What is accepted goes all the ways there
 * are: encoded, decoded, encoded again, cut short, printed as JSON and loaded.
 */
#include "fuzz/fuzz.h"
#include "fuzz/message_trial.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < KL_SELECTION_BYTES)
        return 0;
    kl_selection s = kl_selection_of(data[0], data[1]);
    const uint8_t *bytes = data + KL_SELECTION_BYTES;
    size_t len = size - KL_SELECTION_BYTES;
    kl_message message;
    if (kl_message_trial_decode(&s, bytes, len, &message) != KLOOP_OK)
        return 0;
    size_t canonical_len;
    uint8_t *canonical = kl_message_trial_fixpoint(&s, &message, &canonical_len);
    KL_FUZZ_CHECK(canonical_len <= len);
    uint32_t hash = kl_fuzz_hash(data, size);
    if (hash % 4 == 0)
        kl_message_trial_json(&s, bytes, len, canonical, canonical_len);
    if (hash % 8 == 1)
        kl_message_trial_cuts(&s, bytes, len, hash >> 3);
    if (hash % 8 == 2)
        kl_message_trial_other_version(&s, &message, hash >> 3);
    free(canonical);
    return 0;
}
