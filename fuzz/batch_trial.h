/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be true of record batches, shared by the targets about them: reading, writing again,
 * comparing.
 */
#ifndef KL_FUZZ_BATCH_TRIAL_H
#define KL_FUZZ_BATCH_TRIAL_H

#include "base/buf.h"

#include <kloop/batch.h>

/* The records of one batch; views stay good as long as the reader stays at that batch. */
typedef struct kl_batch_records {
    kl_buf items; /* kloop_batch_record */
} kl_batch_records;

void kl_batch_records_init(kl_batch_records *r);
void kl_batch_records_deinit(kl_batch_records *r);
void kl_batch_records_add(kl_batch_records *r, const kloop_batch_record *record);
size_t kl_batch_records_count(const kl_batch_records *r);
const kloop_batch_record *kl_batch_records_at(const kl_batch_records *r, size_t index);

/* Makes each batch in bytes pass the checksum: those whose length is possible, the last one up to
 * the end. */
void kl_batch_trial_reseal(uint8_t *bytes, size_t len);

/* Everything that is left of the present batch. Every byte of it is looked at. */
kloop_status kl_batch_trial_read(kloop_batch_reader *reader, kl_batch_records *records,
                                 kloop_fault *fault);

/* bytes is one sound batch with this header (but for length and CRC) and just these records. */
void kl_batch_trial_expect(kloop_slice bytes, const kloop_batch_header *header,
                           const kloop_batch_record *records, size_t count);

#endif
