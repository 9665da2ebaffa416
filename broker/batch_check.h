/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a broker finds wrong with the records field of a Produce request, in the order in which
 * Kafka 4.3.1 looks, and with Kafka's error codes; and what Kafka takes although it is wrong.
 *
 *     first   is there a batch at all?       for the whole request, before anything else
 *     shape   just one batch, of this format, with a codec that the version allows
 *     judge   offsets, size, checksum, counts, flags, then every record
 *
 * Some answers look strange and are what Kafka does: a codec that does not exist, or packed bytes
 * that are corrupt, are UNKNOWN_SERVER_ERROR; packed records with wrong offsets too, unpacked ones
 * are taken as they are.
 *
 * Nothing is owned; the reader and the scratch are lent. Fails: NO_MEMORY in the findings.
 */
#ifndef KL_BROKER_BATCH_CHECK_H
#define KL_BROKER_BATCH_CHECK_H

#include "broker/scratch.h"

#include <kloop/batch.h>
#include <kloop/messages.h>

typedef enum kl_batch_first {
    KL_BATCH_FIRST_FOUND,
    KL_BATCH_FIRST_NONE,    /* the bytes end before it does: for Kafka there is none */
    KL_BATCH_FIRST_CORRUPT, /* a length or a magic that cannot be */
} kl_batch_first;

/* The batch that begins at bytes; *size is how long it is, with KL_BATCH_FIRST_FOUND. */
kl_batch_first kl_batch_find_first(kloop_slice bytes, size_t *size);

/* The fields of its header as far as there are bytes; those behind are as kloop_batch_header_init
 * has them. */
void kl_batch_read_header(kloop_slice batch, kloop_batch_header *header);

/*
 * 0 or an error code. *batch are the bytes of the one batch. whole: the error is the whole
 * request's (Kafka falls over it before it looks at single partitions).
 */
int16_t kl_batch_shape(kloop_slice records, int16_t version, kloop_slice *batch, bool *whole);

typedef struct kl_batch_rules {
    int32_t size_max;
    bool append_time;
    bool compacted;
    int64_t newest_ms;          /* of a timestamp; INT64_MAX: all are allowed */
    kloop_batch_reader *reader; /* NULL: only the header is looked at */
} kl_batch_rules;

typedef struct kl_batch_findings {
    int16_t error_code;
    bool no_memory;
    /* the error is one for which Kafka tells the log's start offset */
    bool tells_log_start;
    kloop_batch_header header;
    int64_t max_timestamp; /* of the records; the header's when they were not looked at */
    kloop_record_error *record_errors;
    int32_t record_error_count;
    kloop_string error_message;
    bool malformed;  /* refused for what it is, not for where it came: worth a complaint */
    char wrong[200]; /* what is wrong with it, refused or not; empty: nothing */
} kl_batch_findings;

void kl_batch_judge(kloop_slice batch, const kl_batch_rules *rules, kl_scratch *scratch,
                    kl_batch_findings *f);

#endif
