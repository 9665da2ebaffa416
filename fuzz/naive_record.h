/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of a batch, read as Kafka's record format is written down, field by field and with
 * 64-bit numbers: a second opinion on what is a record.
 */
#ifndef KL_FUZZ_NAIVE_RECORD_H
#define KL_FUZZ_NAIVE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* bytes[0..len) are exactly count records. */
bool kl_naive_records(const uint8_t *bytes, size_t len, int64_t count);

#endif
