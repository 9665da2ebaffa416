/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in the records: bytes that tell which record they are, so that whatever is found in a log
 * can be held against what was sent.
 *
 * A mark of 16 bytes (magic, number, topic, partition, checksum) is the head of the value; of the
 * key, where there is no value; of a header, where there is neither. The rest is drawn. All of it
 * lies in one buffer, which is poisoned as soon as the engine has had its look.
 */
#ifndef KL_SIM_PAYLOAD_H
#define KL_SIM_PAYLOAD_H

#include <kloop/batch.h>
#include <kloop/record.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim sim;

#define SIM_MARK_BYTES      16
#define SIM_PAYLOAD_HEADERS 6

typedef struct sim_payload {
    uint8_t *bytes;
    size_t cap;
    size_t used;
    kloop_record_header headers[SIM_PAYLOAD_HEADERS];
    kloop_record record;
} sim_payload;

/* Draws one for the record with this number. partition: -1 for the engine to choose. */
void sim_payload_make(sim *s, uint32_t number, uint8_t topic, int32_t partition, size_t bytes_max);
/* The engine has had its look. */
void sim_payload_poison(sim *s);
void sim_payload_deinit(sim *s);

/* What record of this run is it? 0: none of it. */
uint32_t sim_payload_number(const sim *s, const kloop_batch_record *record, uint8_t *topic,
                            int32_t *partition);

/* The hash of what must come out as it went in. */
uint64_t sim_payload_hash(const kloop_record *record, int64_t timestamp_ms);
uint64_t sim_payload_hash_of(const kloop_batch_record *record);

/* As Kafka computes it for keys. */
uint32_t sim_payload_murmur2(const uint8_t *bytes, size_t len);

#endif
