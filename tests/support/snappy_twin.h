/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A raw snappy block read slowly and plainly, byte by byte, from the words of the format's
 * description: the judge of kl_snappy_decompress_block, and a look at what the compressor made.
 * Owns nothing.
 */
#ifndef KL_TESTS_SUPPORT_SNAPPY_TWIN_H
#define KL_TESTS_SUPPORT_SNAPPY_TWIN_H

#include "codecs/snappy_raw.h"

#include <stdbool.h>

typedef struct kl_snappy_twin_outcome {
    kl_snappy_error error;
    size_t written;          /* sound bytes, also after an error */
    size_t fault_at;         /* without an error: the end of the block */
    size_t tags[4];          /* how many of each kind, the one at fault included */
    bool copy_left_fragment; /* a copy reached out of the 64 KiB that it is in */
} kl_snappy_twin_outcome;

kl_snappy_twin_outcome kl_snappy_twin(const uint8_t *src, size_t len, uint8_t *dst, size_t cap);

#endif
