/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record batch in the making, from its first record to the header that goes before it on the
 * wire.
 *
 *     init --> append, append, ... --begin--> step, step, ... --done--> header, as often as it is
 *                OPEN: records grow             SEALING                 SEALED: payload and its
 *                  ^                               |                    CRC are final
 *                  +------ cancel, or a fault -----+
 *
 * Records are encoded in place into a chain of segments. Sealing lets a codec fold them, unless
 * that makes them no smaller, and takes the CRC of what is left. From then on the payload never
 * changes. A header is 61 bytes of its own, outside the chain: its CRC joins that of its 40 bytes
 * and that of the payload, so a batch that gets a new sequence or epoch costs the same however long
 * it is, and bytes that are still being sent are not touched.
 *
 * There is no policy here: when a batch is full, when it is sealed and what it is numbered is for
 * others to say.
 *
 * Who owns what: the builder owns its chain, the chain's pool is the caller's. A sealer borrows
 * builder and compressor until it is done or given up.
 */
#ifndef KL_PROTOCOL_RECORD_BATCH_H
#define KL_PROTOCOL_RECORD_BATCH_H

#include "codecs/codec.h"
#include "protocol/record.h"

#include <kloop/batch.h>

#define KL_BATCH_MAGIC        2
#define KL_BATCH_LENGTH_AT    8
#define KL_BATCH_LENGTH_SKIPS 12 /* the length does not count the bytes up to and with itself */
#define KL_BATCH_CRC_AT       17
#define KL_BATCH_CRC_FROM     21

/* What a length of 31 bits can say: bytes behind the header, and bytes of the whole batch. */
#define KL_BATCH_PAYLOAD_MAX ((size_t)INT32_MAX - KLOOP_BATCH_HEADER_BYTES + KL_BATCH_LENGTH_SKIPS)
#define KL_BATCH_BYTES_MAX   ((size_t)INT32_MAX + KL_BATCH_LENGTH_SKIPS)

/* ---- Building ---- */

/* How far a batch is. Calls that do not belong to its state are asserted. */
typedef enum kl_batch_state {
    KL_BATCH_OPEN = 0,
    KL_BATCH_SEALING, /* a sealer is at it */
    KL_BATCH_SEALED,
} kl_batch_state;

typedef struct kl_batch_builder {
    /* What each record touches comes first. */
    int64_t base_timestamp;
    int64_t max_timestamp;
    int32_t count;
    kl_batch_state state;
    kl_chain payload;     /* the records; once sealed, what stands behind the header */
    kl_codec_id codec;    /* once sealed: what payload is folded with */
    uint32_t payload_crc; /* once sealed */

    /* What was summed up already, for a batch that is sealed without a codec. */
    const kl_segment *summed_in; /* the segment where it ends; NULL: nothing was */
    size_t summed_to;            /* in it */
    size_t summed_bytes;
    uint32_t sum;
} kl_batch_builder;

void kl_batch_builder_init(kl_batch_builder *b, kl_pool *pool);
/* Lets go of the payload; pinned segments live on. The builder is as after init. Not while sealing:
 * cancel comes first. */
void kl_batch_builder_clear(kl_batch_builder *b);

/* Bytes of the whole batch as it stands, header included. */
static inline size_t kl_batch_builder_len(const kl_batch_builder *b)
{
    return KLOOP_BATCH_HEADER_BYTES + kl_chain_len(&b->payload);
}

/* Timestamps are the user's and may be anything; Java's arithmetic wraps around, and so does its
 * reader's. */
static inline int64_t kl_batch_builder_delta(const kl_batch_builder *b, int64_t timestamp)
{
    return b->count ? (int64_t)((uint64_t)timestamp - (uint64_t)b->base_timestamp) : 0;
}

/* A record of this time is behind the others now. */
static inline void kl_batch_builder_count_in(kl_batch_builder *b, int64_t timestamp)
{
    if (b->count == 0) {
        b->base_timestamp = timestamp;
        b->max_timestamp = timestamp;
    } else if (timestamp > b->max_timestamp) {
        b->max_timestamp = timestamp;
    }
    b->count++;
}

/*
 * Appends the record, if the batch then has at most bytes_max bytes, and at most
 * KL_BATCH_BYTES_MAX, which is all that a header can say; else nothing changes. The record's offset
 * is the count so far. The batch must be open.
 */
KL_INLINE kl_record_appended kl_batch_builder_append(kl_batch_builder *b, const kl_record *r,
                                                     int64_t timestamp, size_t bytes_max)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN);
    size_t len = kl_batch_builder_len(b);
    if (bytes_max > KL_BATCH_BYTES_MAX)
        bytes_max = KL_BATCH_BYTES_MAX;
    if (KL_UNLIKELY(len >= bytes_max))
        return KL_RECORD_TOO_LARGE;
    int64_t delta = kl_batch_builder_delta(b, timestamp);
    kl_record_appended appended =
        kl_record_append_within(&b->payload, r, delta, b->count, bytes_max - len);
    if (KL_UNLIKELY(appended != KL_RECORD_APPENDED))
        return appended;
    kl_batch_builder_count_in(b, timestamp);
    return KL_RECORD_APPENDED;
}

/*
 * The same for a record that is plain (see record.h), into an open batch that has a first record;
 * false: nothing was done, and kl_batch_builder_append can tell more. The record surely ends at or
 * before limit, which kl_batch_builder_limit has told since the last record that was appended in
 * another way. medium as in kl_record_append_plain.
 */
KL_INLINE bool kl_batch_builder_append_plain(kl_batch_builder *b, kloop_slice key,
                                             kloop_slice value, int64_t timestamp,
                                             const uint8_t *limit, bool medium)
{
    int64_t delta = (int64_t)((uint64_t)timestamp - (uint64_t)b->base_timestamp);
    if (KL_UNLIKELY(
            !kl_record_append_plain(&b->payload, key, value, delta, b->count, limit, medium)))
        return false;
    if (timestamp > b->max_timestamp)
        b->max_timestamp = timestamp;
    b->count++;
    return true;
}

/* Up to where plain records may go without another segment, the batch having at most bytes_max
 * bytes. */
static inline const uint8_t *kl_batch_builder_limit(const kl_batch_builder *b, size_t bytes_max)
{
    size_t len = kl_batch_builder_len(b);
    size_t rest = len < bytes_max ? bytes_max - len : 0;
    size_t room = kl_chain_room(&b->payload);
    /* No segment holds as many records as these, so that nobody has to count them. */
    if (b->count > KL_RECORD_PLAIN_OFFSET_MAX - 65536)
        room = 0;
    return b->payload.pos + (rest < room ? rest : room);
}

/*
 * Looks at the records so far for the CRC, while they are still in the processor's cache: sealing
 * without a codec then begins behind them. Changes nothing else, and is never needed.
 */
void kl_batch_builder_sum_up(kl_batch_builder *b);

/* ---- Sealing ---- */

/* Must stay where it is while it works. */
typedef struct kl_batch_sealer {
    kl_batch_builder *batch;   /* NULL once it is done or given up */
    kl_compressor *compressor; /* NULL when there is nothing to fold, or no more */
    kl_codec_id codec;
    kl_chain folded;
    kl_chain_cursor at; /* in what is folded or summed up now: the batch's records or folded */
    uint32_t crc;
} kl_batch_sealer;

/*
 * Begins to seal an open batch. The compressor may be NULL; else it has no stream open and belongs
 * to this sealer until all records are folded. When this or a step answers anything but
 * KL_CODEC_OK, sealing is given up: the batch is open and as it was, and can be sealed again,
 * without a codec for example, which never fails.
 */
kl_codec_status kl_batch_seal_begin(kl_batch_sealer *s, kl_batch_builder *b,
                                    kl_compressor *compressor);

/*
 * Looks at no more than the next so many bytes of the payload. *done tells whether that was all;
 * this sealer is not to be used any more then. A payload is looked at twice with a codec (folding,
 * then the CRC of the result), once without. lz4 and snappy gather the bytes of several steps: the
 * one that fills their block folds all of its 64 or 32 KiB.
 */
kl_codec_status kl_batch_seal_step(kl_batch_sealer *s, size_t bytes, bool *done);

/* Gives up in the middle, before a step said that it was done; the batch is open again and as it
 * was. */
void kl_batch_seal_cancel(kl_batch_sealer *s);

/* All steps at once. */
kl_codec_status kl_batch_seal(kl_batch_builder *b, kl_compressor *compressor);

/* A sealed batch is open again, with its records as they were before the codec. They become the
 * batch's own; *records is empty then. */
void kl_batch_builder_reopen(kl_batch_builder *b, kl_chain *records);

/* ---- Faults of codecs ---- */

/* The status that a codec's has in a kloop_fault. */
kloop_status kl_batch_codec_status(kl_codec_status status);

/* ---- Headers ---- */

/*
 * What the sealed batch knows of its own header, and for the rest what a producer without an id
 * writes. The caller sets id, epoch, sequence and flags as needed, but not the bits of the codec.
 */
void kl_batch_builder_header(const kl_batch_builder *b, kloop_batch_header *header);

/*
 * Writes the header of a sealed batch, its length and CRC included. header's own length, magic and
 * crc are not looked at.
 */
void kl_batch_builder_header_put(const kl_batch_builder *b, const kloop_batch_header *header,
                                 uint8_t out[KLOOP_BATCH_HEADER_BYTES]);

/* The same for a payload of anyone's: its length and its CRC. */
void kl_batch_header_put(const kloop_batch_header *header, size_t payload_len, uint32_t payload_crc,
                         uint8_t out[KLOOP_BATCH_HEADER_BYTES]);

/* ---- Decoding ---- */

typedef struct kl_batch_view {
    kloop_batch_header header;
    kloop_slice bytes;   /* the whole batch */
    kloop_slice payload; /* behind the header */
} kl_batch_view;

/*
 * Looks at the batch that begins at bytes[at]: is it whole, of this format, with a good CRC, a
 * codec that exists and a possible count? Records are not looked at. fault->at is counted from
 * bytes. *fault is set on a fault alone.
 */
kloop_status kl_batch_decode(const uint8_t *bytes, size_t len, size_t at, kl_batch_view *view,
                             kloop_fault *fault);

#endif
