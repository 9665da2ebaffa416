/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the owner of a model cluster may decide and may watch: faults on demand, and the truth about
 * every append.
 *
 * All hooks are optional. They run inside the call that caused them (kl_peer_received,
 * kl_peer_wrote, kl_cluster_on_time, a change of the topology) and must not call back into the
 * cluster, except for the questions of "broker/truth.h". The cluster has no chance of its own: two
 * runs with the same calls and the same answers of the hooks are the same, byte for byte.
 *
 * Views in the arguments are good during the call. Nothing here can fail.
 */
#ifndef KL_BROKER_HOOKS_H
#define KL_BROKER_HOOKS_H

#include <kloop/batch.h>
#include <kloop/messages.h>

#include <stdbool.h>

/* A request as it came in. */
typedef struct kl_request_info {
    void *peer_user;     /* what kl_peer_open was given; stays the same after kl_peer_close */
    uint64_t peer_id;    /* 1, 2, ... in the order of kl_peer_open */
    uint64_t request_id; /* 1, 2, ... over all peers: the number of an attempt */
    int32_t node_id;     /* of the broker */
    int16_t api_key;
    int16_t version;
    int32_t correlation_id;
    size_t bytes;        /* of the frame, its length field not counted */
    int64_t received_ns; /* when the broker took it; one at a time: when its turn came */
} kl_request_info;

/* What becomes of a request. */
typedef enum kl_fate_end {
    KL_FATE_ANSWER = 0,
    /* The connection ends when the request's turn has come; nothing is done. */
    KL_FATE_CLOSE_UNPROCESSED,
    /* All is done, then the connection ends without an answer. */
    KL_FATE_CLOSE_PROCESSED,
    /* All is done, no answer ever leaves, the connection stays. One request at a time: then no
     * later request of this connection is ever looked at. */
    KL_FATE_SILENT,
    /* All is done; the first keep_bytes of the answer's frame leave, then the connection ends. */
    KL_FATE_TRUNCATE,
    /* All is done; instead of the answer's frame just these bytes leave. They are copied. */
    KL_FATE_REPLACE,
} kl_fate_end;

/* All zero: nothing unusual. */
typedef struct kl_request_fate {
    kl_fate_end end;
    int64_t process_delay_ns; /* from its turn until it is carried out, also when the connection has
                                 died meanwhile */
    int64_t answer_delay_ns;  /* from the moment the answer is there until it may leave */
    int32_t throttle_ms; /* told in the answer; then nothing is read for so long, as Kafka does */
    int32_t correlation_change; /* added to the correlation id of the answer */
    uint32_t extra_copies;      /* the answer leaves so many times more */
    bool overtakes;             /* may leave before answers to earlier requests (pipelined only) */
    size_t keep_bytes;          /* KL_FATE_TRUNCATE */
    kloop_slice bytes;          /* KL_FATE_REPLACE */
} kl_request_fate;

/* What becomes of one partition of a Produce request. All zero: nothing unusual. */
typedef struct kl_produce_fate {
    /* Answer this. Without append, nothing else is looked at; with it, the batch is judged and
     * appended as always (or refused with the error that it deserves), then this is answered. */
    int16_t error_code;
    bool append;
    /* With an error and without append: the records that are said to be at fault, by their place in
     * the batch (KIP-467). Any number is told as it is. Copied. */
    const int32_t *bad_records;
    int32_t bad_record_count;
} kl_produce_fate;

/*
 * A batch in the log of a partition, as the broker holds it. It belongs to the cluster and never
 * changes; it lives until every replica has dropped it.
 */
typedef struct kl_stored_batch {
    int32_t topic; /* the handle of "broker/cluster.h" */
    int32_t partition;
    int32_t node_id; /* the leader that appended it */
    int32_t leader_epoch;
    int64_t base_offset;
    int32_t record_count;
    int64_t producer_id; /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    uint32_t crc;
    int16_t acks;        /* of the request that brought it */
    uint64_t peer_id;    /* whose connection brought it */
    uint64_t request_id; /* which attempt it was */
    int64_t received_ns;
    int64_t appended_ns;
    size_t byte_count;
    const uint8_t
        *bytes; /* the whole batch, with its final offsets; NULL when the cluster discards */
} kl_stored_batch;

/* Why someone should look at a client. */
typedef enum kl_complaint_kind {
    /* Kafka takes it all the same, and it is wrong: consumers would see wrong offsets, or a retry
     * differs from what it repeats and is dropped as a duplicate. */
    KL_COMPLAINT_SWALLOWED = 0,
    /* A batch that was refused because it is malformed. Bytes that were damaged on the way do that
     * too. */
    KL_COMPLAINT_REFUSED,
    /* A frame that makes no sense: it cannot be decoded, its version is not offered, a partition
     * stands in it twice. */
    KL_COMPLAINT_PROTOCOL,
} kl_complaint_kind;

typedef struct kl_hooks {
    void *user; /* first argument of each */

    /* A request's turn has come. *fate is all zero and may be filled in. */
    void (*on_request)(void *user, const kl_request_info *request, kl_request_fate *fate);

    /*
     * One partition of a Produce request, before anything was judged but that the topic and the
     * partition exist here. batch is the header of its first batch, NULL if there is none.
     */
    void (*on_produce)(void *user, const kl_request_info *request, int32_t topic, int32_t partition,
                       const kloop_batch_header *batch, kl_produce_fate *fate);

    /*
     * The answer before it is encoded: response is the message's struct of <kloop/messages.h>, and
     * may be changed at will. Its lists are C arrays (see kloop_array); their elements may be
     * changed too (they lie in memory that may be written), and lists replaced by others that live
     * until the next call into the cluster. What cannot be encoded in the version closes the
     * connection. Not called when nobody will see the answer.
     */
    void (*on_answer)(void *user, const kl_request_info *request, void *response);

    /* A leader has appended to its log. Not called when the cluster discards. */
    void (*on_append)(void *user, const kl_stored_batch *batch);

    /* The log of this replica has lost the batch; everywhere: no replica has it any more. */
    void (*on_truncate)(void *user, int32_t node_id, const kl_stored_batch *batch, bool everywhere);

    /* text is a whole sentence; it is also kept, see kl_cluster_complaint. */
    void (*on_complaint)(void *user, kl_complaint_kind kind, const char *text);
} kl_hooks;

#endif
