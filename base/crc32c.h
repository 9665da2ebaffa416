/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C (Castagnoli), the checksum of a record batch.
 *
 * Every function is pure: no state, no allocation, nothing can fail, any thread may call. A
 * checksum goes in and comes out in its final form (the form that is written on the wire), so that
 * bytes in several pieces are chained calls:
 *
 *     uint32_t crc = 0;
 *     for each slice: crc = kl_crc32c(crc, slice.data, slice.len);
 *
 * The work is done by the best variant the processor can run, found out at the first call.
 */
#ifndef KL_BASE_CRC32C_H
#define KL_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The checksum of the earlier bytes (crc, 0 when there are none) followed by these. data may be
 * NULL when len is 0. */
uint32_t kl_crc32c(uint32_t crc, const void *data, size_t len);

/*
 * The checksum of a followed by b, from the checksums of both and the length of b. It costs the
 * same for every length, about as much as the checksum of 40 bytes: that is what makes a new header
 * in front of an old payload cheap.
 */
uint32_t kl_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

/* The name of the variant that runs here, for reports. */
const char *kl_crc32c_name(void);

/* One way to compute the above. All variants give the same results; tests and benchmarks go through
 * them. */
typedef struct kl_crc32c_variant {
    const char *name;
    bool (*usable)(void); /* whether this processor, and the system under it, can run it */
    uint32_t (*update)(uint32_t crc, const void *data, size_t len);
    uint32_t (*combine)(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);
} kl_crc32c_variant;

/* All variants that were compiled in, the best first; the last one runs everywhere. NULL behind the
 * last. */
const kl_crc32c_variant *kl_crc32c_variant_at(size_t index);

#endif
