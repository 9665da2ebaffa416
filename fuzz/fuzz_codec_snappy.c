/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snappy in xerial's framing both ways. The second opinion is a reader of the framing and of raw
 * blocks, one byte at a time. See codec_trial.h for the input.
 */
#include "fuzz/codec_trial.h"
#include "fuzz/fuzz.h"
#include "fuzz/naive_snappy.h"

#include <stdlib.h>
#include <string.h>

static uint32_t load_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const uint8_t magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

/* The packed bytes that begin at p as one raw block; false when they are none or there is no room.
 */
static bool add_block(const uint8_t *p, size_t len, uint8_t *out, size_t room, size_t *made)
{
    size_t more;
    if (!kl_naive_snappy(p, len, out + *made, room - *made, &more))
        return false;
    *made += more;
    return true;
}

static bool read_framed(kloop_slice packed, uint8_t *out, size_t room, size_t *made)
{
    const uint8_t *p = packed.data;
    size_t left = packed.len;
    while (left > 0) {
        if (left >= 16 && memcmp(p, magic, sizeof magic) == 0) {
            p += 16;
            left -= 16;
            continue;
        }
        if (left < 4 || load_be(p) > left - 4 || !add_block(p + 4, load_be(p), out, room, made))
            return false;
        left -= 4 + load_be(p);
        p += 4 + load_be(p);
    }
    return true;
}

static kl_opinion second_opinion(kloop_slice packed, kloop_slice content)
{
    size_t made = 0;
    size_t room = content.len + 1;
    uint8_t *out = kl_fuzz_exact_room(room);
    bool framed = packed.len >= 16 && memcmp(packed.data, magic, sizeof magic) == 0;
    bool read = framed ? read_framed(packed, out, room, &made)
                       : add_block(packed.data, packed.len, out, room, &made);
    bool same = read && kl_codec_trial_same(out, made, content);
    free(out);
    return same ? KL_OPINION_SAME : KL_OPINION_OTHER;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kl_codec_trial trial = {KL_CODEC_SNAPPY, second_opinion, true, NULL, 4096, 32768};
    kl_codec_trial_run(&trial, data, size);
    return 0;
}
