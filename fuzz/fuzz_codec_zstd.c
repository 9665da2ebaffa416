/* SPDX-License-Identifier: BSD-2-Clause */
/* zstd both ways, with libzstd in one call as the second opinion. See codec_trial.h for the input.
 */
#include "fuzz/codec_trial.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

static kl_opinion second_opinion(kloop_slice packed, kloop_slice content)
{
    uint8_t *out = kl_fuzz_exact_room(content.len + 1);
    size_t made = ZSTD_decompress(out, content.len + 1, packed.data, packed.len);
    bool same = made == content.len && (made == 0 || memcmp(out, content.data, made) == 0);
    free(out);
    return same ? KL_OPINION_SAME : KL_OPINION_OTHER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kl_codec_trial trial = {KL_CODEC_ZSTD, second_opinion, NULL, 300000, 16384};
    kl_codec_trial_run(&trial, data, size);
    return 0;
}
