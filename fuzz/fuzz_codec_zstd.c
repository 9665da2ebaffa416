/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd both ways. The second opinion is libzstd's stream reader with a window of its own, which is
 * what Java's reader is made of. (Its reader of whole frames is stricter about empty blocks.) See
 * codec_trial.h for the input.
 */
#include "fuzz/codec_trial.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

/* Kafka's reader goes up to 27; that much memory is too slow to be asked for again and again. */
#define WINDOW_LOG_MAX 23

static kl_opinion second_opinion(kloop_slice packed, kloop_slice content)
{
    /* To a stream no bytes are no fault; to us they are cut off. */
    if (packed.len == 0)
        return KL_OPINION_REFUSED;
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    uint8_t *out = kl_fuzz_exact_room(content.len + 1);
    ZSTD_inBuffer from = {packed.data, packed.len, 0};
    ZSTD_outBuffer to = {out, content.len + 1, 0};
    KL_FUZZ_CHECK(ctx &&
                  !ZSTD_isError(ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)));
    size_t rc = 0;
    size_t moved = 1;
    while (!ZSTD_isError(rc) && moved > 0 && (from.pos < from.size || rc > 0)) {
        moved = from.pos + to.pos;
        rc = ZSTD_decompressStream(ctx, &to, &from);
        moved = from.pos + to.pos - moved;
    }
    ZSTD_freeDCtx(ctx);
    bool same = rc == 0 && from.pos == from.size && kl_codec_trial_same(out, to.pos, content);
    free(out);
    if (ZSTD_isError(rc) && ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge)
        return KL_OPINION_REFUSED;
    return same ? KL_OPINION_SAME : KL_OPINION_OTHER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kl_codec_trial trial = {KL_CODEC_ZSTD, second_opinion, true, NULL, 300000, 16384};
    kl_codec_trial_run(&trial, data, size);
    return 0;
}
