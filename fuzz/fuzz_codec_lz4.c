/* SPDX-License-Identifier: BSD-2-Clause */
/* lz4 frames both ways, with liblz4's own frame reader as the second opinion. See codec_trial.h for
 * the input. */
#include "codecs/xxh32.h"
#include "fuzz/codec_trial.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>

/*
 * liblz4 verifies the content's size and checksum, which Kafka passes over. As Kafka does, we take
 * a stored block of no bytes for the end.
 */
static kl_opinion second_opinion(kloop_slice packed, kloop_slice content)
{
    LZ4F_dctx *ctx;
    KL_FUZZ_CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)));
    uint8_t *out = kl_fuzz_exact_room(content.len + 1);
    size_t at = 0;
    size_t made = 0;
    size_t rc = 1;
    while (at < packed.len && rc != 0 && !LZ4F_isError(rc)) {
        size_t used = packed.len - at;
        size_t room = content.len + 1 - made;
        rc = LZ4F_decompress(ctx, out + made, &room, packed.data + at, &used, NULL);
        at += used;
        made += room;
        if (used == 0 && room == 0)
            break;
    }
    LZ4F_freeDecompressionContext(ctx);
    bool same = kl_codec_trial_same(out, made, content);
    free(out);
    if (rc == 0 && at == packed.len)
        return same ? KL_OPINION_SAME : KL_OPINION_OTHER;
    return KL_OPINION_REFUSED;
}

/* The checksum of the header, and of the blocks if they have one. */
static void mend(uint8_t *packed, size_t len)
{
    if (len < 7)
        return;
    size_t at = packed[4] & 0x08 ? 14 : 6;
    if (len <= at)
        return;
    packed[at] = (uint8_t)(kl_xxh32(packed + 4, at - 4, 0) >> 8);
    at++;
    while (packed[4] & 0x10 && len - at >= 4) {
        size_t size = packed[at] | (size_t)packed[at + 1] << 8 | (size_t)packed[at + 2] << 16 |
                      (size_t)(packed[at + 3] & 0x7f) << 24;
        if (size == 0 || size > len - at - 4 || len - at - 4 - size < 4)
            return;
        uint32_t hash = kl_xxh32(packed + at + 4, size, 0);
        at += 4 + size;
        for (unsigned i = 0; i < 4; i++)
            packed[at + i] = (uint8_t)(hash >> (8 * i));
        at += 4;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kl_codec_trial trial = {KL_CODEC_LZ4, second_opinion, false, mend, 4096, 65536};
    kl_codec_trial_run(&trial, data, size);
    return 0;
}
