/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The raw snappy block: a varint with the length of the content, then literals and copies. Nothing
 * around it: Kafka's chunked stream (xerial's framing) is built on top of this.
 *
 * Nothing here allocates or keeps state. The compressor cannot fail; the decompressor answers a
 * kl_snappy_error and the place of the fault, whatever bytes it is given.
 */
#ifndef KL_CODECS_SNAPPY_RAW_H
#define KL_CODECS_SNAPPY_RAW_H

#include <stddef.h>
#include <stdint.h>

/* Entries of the compressor's scratch table: 32 KiB. */
#define KL_SNAPPY_TABLE_SIZE 16384u

typedef enum kl_snappy_error {
    KL_SNAPPY_OK = 0,
    KL_SNAPPY_BAD_LENGTH, /* the announced length takes more than 5 bytes or is above 2^32 - 1 */
    KL_SNAPPY_TRUNCATED,  /* the input ends inside the announced length, a tag or a literal */
    KL_SNAPPY_BAD_OFFSET, /* a copy of offset 0, or from before the start of the output */
    KL_SNAPPY_TOO_LONG,   /* a literal or a copy goes beyond the announced length */
    KL_SNAPPY_TOO_SHORT,  /* the input is used up before the announced length is reached */
    KL_SNAPPY_NO_ROOM     /* the announced length is above the caller's room */
} kl_snappy_error;

/* A few words for people; never NULL. */
const char *kl_snappy_error_text(kl_snappy_error error);

/*
 * How many bytes kl_snappy_compress_block may need for `len` bytes of input. A little above the
 * true worst case: the compressor writes whole words and needs that slack. 0 when the size does not
 * fit a size_t.
 */
size_t kl_snappy_bound(size_t len);

/*
 * Compresses src[0..len), len < 2^32, and answers the size of the block. dst must have room for
 * kl_snappy_bound(len) bytes, all of which may be overwritten, and must not overlap src. src may be
 * NULL when len is 0.
 *
 * `table` is KL_SNAPPY_TABLE_SIZE entries of scratch; what is in it before or after does not
 * matter. The same input gives the same block on every machine.
 */
size_t kl_snappy_compress_block(const uint8_t *src, size_t len, uint8_t *dst, uint16_t *table);

/*
 * Reads the announced length and how many bytes it takes (`preamble`). Only KL_SNAPPY_OK sets them;
 * the others are KL_SNAPPY_TRUNCATED and KL_SNAPPY_BAD_LENGTH. The number is the sender's word
 * alone: a block of n bytes can hold at most 64 * n / 3 + 64, which kl_snappy_decompress_block does
 * not need but whoever allocates for it may want to check.
 */
kl_snappy_error kl_snappy_uncompressed_len(const uint8_t *src, size_t len, uint32_t *out,
                                           size_t *preamble);

/*
 * Decompresses the one block that src[0..len) is, all of it, into dst, which has room for `cap`
 * bytes and must not overlap src. Never reads outside src[0..len) nor writes outside
 * dst[0..min(cap, announced length)).
 *
 * *written is the announced length when all is well. After an error it is the number of sound bytes
 * in dst (those of the tags before the fault; bytes after them may have been overwritten), and
 * *fault_at is the index in src of the tag at fault, of the byte that spoils the announced length
 * (its first one for KL_SNAPPY_NO_ROOM), or `len` when the input simply ends too early between two
 * tags or inside the announced length. *fault_at is left alone when all is well.
 */
kl_snappy_error kl_snappy_decompress_block(const uint8_t *src, size_t len, uint8_t *dst, size_t cap,
                                           size_t *written, size_t *fault_at);

#endif
