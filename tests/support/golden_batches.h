/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three batches that Kafka's own classes made, with what is in them: one of a plain producer, one
 * transactional with headers of every kind, one folded by lz4. Reader and writer are tested against
 * the same bytes and the same truth.
 */
#ifndef KL_TESTS_GOLDEN_BATCHES_H
#define KL_TESTS_GOLDEN_BATCHES_H

#include <kloop/batch.h>

typedef struct kl_golden_batch {
    const uint8_t *bytes;
    size_t len;
    kloop_batch_header header;
    const kloop_batch_record *records;
    size_t count;
} kl_golden_batch;

#define KL_GOLDEN_BATCH_COUNT 3

extern const kl_golden_batch kl_golden_batches[KL_GOLDEN_BATCH_COUNT];

/* Fails the running test unless both records, or headers, say the same. */
void kl_golden_same_record(const kloop_batch_record *got, const kloop_batch_record *expected);
void kl_golden_same_header(const kloop_batch_header *got, const kloop_batch_header *expected);

#endif
