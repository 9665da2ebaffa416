/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records out of one batch of our own into another one.
 *
 * Of a record only its time and its place are told relative to its batch. All behind them (key,
 * value, headers) is the same in any batch and is copied as it stands, whatever is in it.
 *
 * Nothing is owned: what is read points into the bytes. Reading refuses what is no record; it looks
 * no further than the length, the time and the place, for the bytes were once written by record.c.
 * Appending fails when there is no memory, and leaves the batch as it was.
 */
#ifndef KL_PROTOCOL_RECORD_MOVE_H
#define KL_PROTOCOL_RECORD_MOVE_H

#include "protocol/record_batch.h"

typedef struct kl_moved_record {
    size_t bytes; /* of the whole record as it stood */
    int64_t timestamp_delta;
    int8_t attributes;
    kloop_slice rest; /* key, value, headers */
} kl_moved_record;

/* The record at the start of bytes[0..len); false: there is none. */
bool kl_record_move_read(const uint8_t *bytes, size_t len, kl_moved_record *r);

/* How many bytes it would take as the next one of b, whose base timestamp is set by the first. */
size_t kl_record_move_size(const kl_batch_builder *b, const kl_moved_record *r, int64_t timestamp);

/* Appends it to an open batch; false: no memory. */
bool kl_record_move_append(kl_batch_builder *b, const kl_moved_record *r, int64_t timestamp);

#endif
