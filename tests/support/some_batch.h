/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of records whose content follows from their place, made and found again. A failed
 * expectation fails the running cmocka test.
 */
#ifndef KL_TESTS_SOME_BATCH_H
#define KL_TESTS_SOME_BATCH_H

#include "protocol/record_batch.h"

#define KL_SOME_CONTENT_BYTES 70000

/* Bytes that compress somewhat, the same each time. */
const uint8_t *kl_some_content(void);

/* Opens the builder and appends count records. */
void kl_some_records(kl_batch_builder *b, kl_pool *pool, int count);
/* The batch must hold just these. */
void kl_some_expect(const uint8_t *bytes, size_t len, int count);

/* Header and payload of a sealed batch in one piece; the caller frees. */
uint8_t *kl_some_flat(const kl_batch_builder *b, const kloop_batch_header *header);

/* A compressor of the codec at its default level. */
kl_compressor *kl_some_compressor(kl_codec_id id, const kloop_allocator *alloc);

#endif
