/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records whose value stays where its owner has it, and whole batches that somebody else has made.
 *
 * What is lent stands in the batch's chain as a loan (base/loan.h) and is given back when the chain
 * is cleared: with the batch, or when a codec has folded it. All around it is copied as ever.
 *
 * Fails as kl_batch_builder_append does, and leaves the batch as it was.
 */
#ifndef KL_PROTOCOL_RECORD_LEND_H
#define KL_PROTOCOL_RECORD_LEND_H

#include "protocol/record_batch.h"

/* Appends the record to an open batch; its value, which has at least one byte, is not copied. */
kl_record_appended kl_batch_builder_lend(kl_batch_builder *b, const kl_record *r, int64_t timestamp,
                                         size_t bytes_max, void *lender);

/* What is kept of an encoded batch. */
typedef struct kl_encoded_view {
    int codec;
    int32_t count;
    int64_t base_timestamp;
    int64_t max_timestamp;
    kloop_slice payload;
    uint32_t payload_crc;
} kl_encoded_view;

/*
 * Is it exactly one batch, sound as far as its header tells, and one that a producer may send?
 * KLOOP_OK, or what is wrong with it; fault may be NULL. The records are not looked at.
 */
kloop_status kl_encoded_check(kloop_slice bytes, kloop_fault *fault);
/* Of bytes that were found in order. Costs the same however many they are. */
kl_encoded_view kl_encoded_read(kloop_slice bytes);

/* Makes a sealed batch of it, in a builder without records. With lent its payload is not copied,
 * and the whole of its bytes is the lender's. false: no memory. */
bool kl_batch_builder_take(kl_batch_builder *b, const kl_encoded_view *view, bool lent,
                           void *lender);

#endif
