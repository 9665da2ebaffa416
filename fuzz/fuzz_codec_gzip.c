/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip both ways, with zlib's inflate called directly as the second opinion. See codec_trial.h for
 * the input. */
#include "fuzz/codec_trial.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

static kl_opinion second_opinion(kloop_slice packed, kloop_slice content)
{
    z_stream z;
    memset(&z, 0, sizeof z);
    uint8_t *out = kl_fuzz_exact_room(content.len + 1);
    KL_FUZZ_CHECK(inflateInit2(&z, 15 + 16) == Z_OK);
    z.next_in = packed.data;
    z.avail_in = (uInt)packed.len;
    z.next_out = out;
    z.avail_out = (uInt)content.len + 1;
    int rc;
    /* Members in a row, as long as there are bytes. */
    while ((rc = inflate(&z, Z_FINISH)) == Z_STREAM_END && z.avail_in > 0)
        inflateReset(&z);
    size_t made = content.len + 1 - z.avail_out;
    inflateEnd(&z);
    bool same = rc == Z_STREAM_END && kl_codec_trial_same(out, made, content);
    free(out);
    return same ? KL_OPINION_SAME : KL_OPINION_OTHER;
}

static void store_le(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* One member: what it unfolds to says what its last eight bytes must be. */
static void mend(uint8_t *packed, size_t len)
{
    static const size_t room = 1 << 16;
    if (len < 18)
        return;
    z_stream z;
    memset(&z, 0, sizeof z);
    uint8_t *out = kl_fuzz_exact_room(room);
    KL_FUZZ_CHECK(inflateInit2(&z, 15 + 16) == Z_OK);
    z.next_in = packed;
    z.avail_in = (uInt)(len - 8);
    z.next_out = out;
    z.avail_out = (uInt)room;
    inflate(&z, Z_SYNC_FLUSH);
    size_t made = room - z.avail_out;
    size_t at = len - z.avail_in - 8;
    inflateEnd(&z);
    if (at + 8 <= len) {
        store_le(packed + at, (uint32_t)crc32(0, out, (uInt)made));
        store_le(packed + at + 4, (uint32_t)made);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kl_codec_trial trial = {KL_CODEC_GZIP, second_opinion, true, mend, 48000, 16384};
    kl_codec_trial_run(&trial, data, size);
    return 0;
}
