/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes into a producer and what comes back: a record, and reports on runs of records.
 *
 * Each record that was accepted is reported exactly once, with one of three outcomes; a record that
 * was refused is never reported, and nothing of it is kept.
 */
#ifndef KLOOP_RECORD_H
#define KLOOP_RECORD_H

#include <kloop/batch.h>
#include <kloop/export.h>
#include <kloop/fault.h>
#include <kloop/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A topic of a producer, interned: the same name gives the same handle, which lives as long as its
 * producer. */
typedef struct kloop_topic kloop_topic;

/* A caller's chunk: any number of records with one completion; see <kloop/engine.h>. */
typedef struct kloop_chunk kloop_chunk;

/* Which of a record's optional fields are given. Other bits are refused. */
#define KLOOP_SET_PARTITION 0x1u
#define KLOOP_SET_TIMESTAMP 0x2u
#define KLOOP_SET_BORROWED  0x4u /* value is not copied; lender comes back with it */
#define KLOOP_SET_CHUNK     0x8u /* chunk is told of its fate, and no report */

/* Borrowed values shorter than this are copied all the same, and given back at once: a piece of its
 * own costs a write more than a copy of so few bytes. */
#define KLOOP_BORROWED_MIN 4096u

/* More headers than this are refused; Kafka itself only bounds the size of a record. */
#define KLOOP_HEADERS_MAX 65535u

/*
 * A struct that is all zero is a record with null key, null value, no headers, the time of its
 * sending and a partition that the producer chooses. All bytes are copied inside the call that
 * takes the record, but for those of a borrowed value: they stay the caller's, who must neither
 * change nor free them until they are given back (KLOOP_ACT_RELEASE, kloop_on_release()). Each loan
 * of a record that was taken is given back exactly once; one of a record that was refused was never
 * taken.
 */
typedef struct kloop_record {
    kloop_slice key;
    kloop_slice value;
    const kloop_record_header *headers;
    uint32_t header_count;
    uint32_t set;         /* KLOOP_SET_...: which of those below count */
    int32_t partition;    /* from 0 */
    int64_t timestamp_ms; /* since 1970, not negative */
    void *user;           /* comes back in the report, never looked at; of no use with a chunk */
    void *lender;         /* comes back with a borrowed value, never looked at */
    kloop_chunk *chunk;   /* of the same producer, not ended yet */
} kloop_record;

/*
 * A whole batch that somebody else has encoded, for kloop_engine_send_batch() and
 * kloop_send_batch(): exactly one record batch of format v2, header and all (see <kloop/batch.h>),
 * with any codec. Its records go out as they are. Of the header only codec, timestamps, count and
 * checksum are kept; producer id, epoch, sequence, offset and leader epoch are this producer's
 * matter.
 */
typedef struct kloop_encoded {
    kloop_slice bytes;
    uint32_t set;      /* KLOOP_SET_PARTITION, BORROWED (all of bytes), CHUNK */
    int32_t partition; /* without KLOOP_SET_PARTITION: as for a record without a key */
    void *user;        /* one for all its records */
    void *lender;
    kloop_chunk *chunk;
} kloop_encoded;

/* What was borrowed and is given back. */
typedef struct kloop_loan {
    kloop_slice value; /* as it was given: a record's value, or all bytes of an encoded batch */
    void *lender;
} kloop_loan;

typedef enum kloop_outcome {
    KLOOP_OUTCOME_ACKED = 0, /* the broker has it, as far as acks asked for */
    KLOOP_OUTCOME_FAILED,    /* it is surely not stored and never will be */
    KLOOP_OUTCOME_UNKNOWN,   /* it may be stored: its bytes were on the way and no answer settled it
                              */
} kloop_outcome;

/* What settled the fate of a run that was not acked. */
typedef enum kloop_cause {
    KLOOP_CAUSE_NONE = 0,
    KLOOP_CAUSE_BROKER,  /* a broker refused it: broker_error tells why */
    KLOOP_CAUSE_TIMEOUT, /* delivery.timeout.ms ran out, max.block.ms for a topic that never showed
                            up, or retries */
    KLOOP_CAUSE_CLOSED,  /* the producer was closed before it could be delivered */
    KLOOP_CAUSE_FATAL,   /* the producer cannot go on at all */
    KLOOP_CAUSE_PARTITION, /* the topic has no such partition */
    KLOOP_CAUSE_NO_MEMORY,
    KLOOP_CAUSE_PURGED,    /* the user gave it up */
    KLOOP_CAUSE_NEIGHBOUR, /* a broker refused other records of its batch, and it could not be sent
                              without them */
    KLOOP_CAUSE_REFUSED,  /* of another thread: kloop_send() would have refused it, text says why */
    KLOOP_CAUSE_SECURITY, /* all brokers that could be tried have refused the producer, or it them:
                             credentials or certificates, and text says whose */
} kloop_cause;

/*
 * A run of records of one partition with one fate, in the order in which they were sent. Views are
 * good until the callback returns or the next action is taken.
 */
typedef struct kloop_report {
    kloop_topic *topic;
    kloop_string topic_name; /* terminated */
    int32_t partition;       /* -1: none was chosen yet */
    kloop_outcome outcome;
    kloop_cause cause;
    /* The last error that a broker answered for it, 0 if none did; also when it ran out of time
     * while that error was being retried. See <kloop/broker_error.h>. */
    int16_t broker_error;
    int64_t base_offset; /* of the first record of the run; -1: not known */
    int64_t
        timestamp_ms;   /* what the broker set under message.timestamp.type=LogAppendTime, or -1 */
    const char *text;   /* what happened, to whom, what stood in the way; "" when acked */
    void *const *users; /* the users of count records */
    size_t count;
    /* How many records these are: count, but for an encoded batch, which is a run of its own with
     * one user: as many as it holds, and base_offset is that of the first. */
    uint64_t record_count;
} kloop_report;

/*
 * What became of a chunk: once, when it was ended and all of its records are settled. Its handle is
 * gone then. Views are good until the callback returns or the next action is taken.
 */
typedef struct kloop_chunk_report {
    void *user;            /* as given when it was begun */
    kloop_outcome outcome; /* ACKED: all of it, or it was empty; UNKNOWN: some of it may be stored
                              and may be not; FAILED: neither, so some is surely not stored */
    uint64_t acked;        /* records; those of an encoded batch each */
    uint64_t failed;
    uint64_t unknown;
    /* The first that was not acked, in the order in which they were settled; all zero, and text "",
     * if there is none. */
    kloop_topic *topic;
    kloop_string topic_name; /* terminated */
    int32_t partition;       /* -1: none was chosen yet */
    kloop_cause cause;
    int16_t broker_error;
    const char *text; /* as in a report */
} kloop_chunk_report;

/* The offset of record i of the run, or -1 where the broker told none. Those of an encoded batch
 * are record_count in a row from base_offset on. */
static inline int64_t kloop_report_offset(const kloop_report *run, size_t i)
{
    return run->base_offset < 0 ? -1 : run->base_offset + (int64_t)i;
}

/* A refusal with the sentence that goes with it. */
typedef struct kloop_error {
    kloop_status status;
    char text[512];
} kloop_error;

/*
 * Why sending this record to this topic was answered with status: names the argument, its value and
 * what is allowed. Always terminated; answers the length it would have. topic and record may be
 * NULL, since that may be the very reason.
 */
KLOOP_API size_t kloop_send_error(const kloop_topic *topic, const kloop_record *record,
                                  kloop_status status, char *text, size_t size);

/* The same for an encoded batch. */
KLOOP_API size_t kloop_send_batch_error(const kloop_topic *topic, const kloop_encoded *batch,
                                        kloop_status status, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
