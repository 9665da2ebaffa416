/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One record of a batch (v2): encoded into a chain, which is the only copy that a payload sees
 * before the kernel's, and read back as views.
 *
 *     length       varint    bytes behind this field
 *     attributes   int8      0
 *     timestamp    varint64  less the batch's base timestamp
 *     offset       varint    less the batch's base offset
 *     key          varint length, -1 for null; bytes
 *     value        varint length, -1 for null; bytes
 *     headers      varint count; for each a key (varint length, text) and a value (as above)
 *
 * Sizes come first, so that the length needs no second look at what was written. A plain record
 * that fits into the chain's last segment is written right here; all others by record.c.
 *
 * Everything is a view: nothing is kept of a record once it is appended, and what is read points
 * into the bytes.
 */
#ifndef KL_PROTOCOL_RECORD_H
#define KL_PROTOCOL_RECORD_H

#include "base/chain.h"
#include "base/check.h"
#include "protocol/varint.h"

#include <kloop/batch.h>

/* Key and value may be null (data is NULL; len is not looked at then). A header's key may not. */
typedef struct kl_record {
    kloop_slice key;
    kloop_slice value;
    const kloop_record_header *headers;
    uint32_t header_count;
    int8_t attributes; /* 0 in all that Kafka defines */
} kl_record;

/* ---- Encoding ---- */

/*
 * Sizes are exact up to INT32_MAX, beyond which there is no record: the sum is not carried on from
 * there, and is some number above it. They are 64 bits wide everywhere. Many views may show the
 * same bytes, so that a sum can be more than memory holds.
 */

/* A key or value with the length before it. */
uint64_t kl_record_slice_size(kloop_slice s);
/* What the length field says. */
uint64_t kl_record_body_size(const kl_record *r, int64_t timestamp_delta, int32_t offset_delta);
/* The whole record, its length field included. */
uint64_t kl_record_size(const kl_record *r, int64_t timestamp_delta, int32_t offset_delta);

typedef enum kl_record_appended {
    KL_RECORD_APPENDED = 0,
    KL_RECORD_TOO_LARGE, /* for bytes_max, or for Kafka's 31 bits */
    KL_RECORD_NO_MEMORY,
} kl_record_appended;

/* kl_record_append_within without the short way. */
kl_record_appended kl_record_append_any(kl_chain *chain, const kl_record *r,
                                        int64_t timestamp_delta, int32_t offset_delta,
                                        size_t bytes_max);

/* Varints of at most two bytes, and of at most three. */
static inline uint8_t *kl_record_put14(uint8_t *p, uint32_t v)
{
    if (v < 0x80) {
        *p = (uint8_t)v;
        return p + 1;
    }
    p[0] = (uint8_t)(v | 0x80);
    p[1] = (uint8_t)(v >> 7);
    return p + 2;
}

static inline uint8_t *kl_record_put21(uint8_t *p, uint32_t v)
{
    if (v < 0x4000)
        return kl_record_put14(p, v);
    p[0] = (uint8_t)(v | 0x80);
    p[1] = (uint8_t)(v >> 7 | 0x80);
    p[2] = (uint8_t)(v >> 14);
    return p + 3;
}

/*
 * The plain record: no headers, up to 8 seconds and a million records behind the first of its
 * batch, and key and value so long together that the size of the length field is known before the
 * rest is written: one byte up to KL_RECORD_SHORT_MAX, two from KL_RECORD_PLAIN_MIN to
 * KL_RECORD_PLAIN_MAX. So nothing is measured: the fields are written one after the other, and the
 * length last. A medium one has at least KL_RECORD_PLAIN_MIN bytes, and key and value are below 256
 * each: there is a way of its own for it, without calls and with the fewest branches.
 */
#define KL_RECORD_SHORT_MAX        52
#define KL_RECORD_PLAIN_MIN        58
#define KL_RECORD_PLAIN_MAX        8180
#define KL_RECORD_PLAIN_OFFSET_MAX ((1 << 20) - 1)
#define KL_RECORD_PLAIN_FRAME      13 /* what it takes beside key and value, at most */

static inline bool kl_record_is_medium(kloop_slice key, kloop_slice value)
{
    return (key.len | value.len) < 256 && key.len + value.len >= KL_RECORD_PLAIN_MIN;
}

/*
 * len is below 256. Moves of a fixed size, of which the last one overlaps the one before it: fewer
 * instructions than a call, and a caller that calls nobody needs no registers saved.
 */
KL_INLINE void kl_record_copy_small(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len > 64) {
        if (len > 128) {
            memcpy(to, from, 128);
            memcpy(to + len - 128, from + len - 128, 128);
            return;
        }
        memcpy(to, from, 64);
        memcpy(to + len - 64, from + len - 64, 64);
    } else if (len > 16) {
        if (len > 32) {
            memcpy(to, from, 32);
            memcpy(to + len - 32, from + len - 32, 32);
            return;
        }
        memcpy(to, from, 16);
        memcpy(to + len - 16, from + len - 16, 16);
    } else if (len >= 4) {
        if (len > 8) {
            memcpy(to, from, 8);
            memcpy(to + len - 8, from + len - 8, 8);
            return;
        }
        memcpy(to, from, 4);
        memcpy(to + len - 4, from + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

KL_INLINE uint8_t *kl_record_put_plain(uint8_t *p, kloop_slice s, bool medium)
{
    p = kl_record_put14(p, (uint32_t)s.len << 1);
    if (medium)
        kl_record_copy_small(p, s.data, s.len);
    else if (s.len)
        memcpy(p, s.data, s.len);
    return p + s.len;
}

/*
 * Appends the record if it is plain and surely ends at or before limit, which is in the chain's
 * last segment; false: nothing was done, and kl_record_append_within can tell more. Neither headers
 * nor attributes are looked at. A null slice has to have no length. offset_delta is from 0 to
 * KL_RECORD_PLAIN_OFFSET_MAX. medium is a constant: the record is known to be a medium one.
 */
KL_INLINE bool kl_record_append_plain(kl_chain *chain, kloop_slice key, kloop_slice value,
                                      int64_t timestamp_delta, int32_t offset_delta,
                                      const uint8_t *limit, bool medium)
{
    size_t bytes = key.len + value.len;
    uint8_t *start = chain->pos;
    bool odd = !medium && ((key.len | value.len) >> 13 || bytes > KL_RECORD_PLAIN_MAX ||
                           (bytes > KL_RECORD_SHORT_MAX && bytes < KL_RECORD_PLAIN_MIN));
    if (KL_UNLIKELY(odd || (uint64_t)timestamp_delta >= 1 << 13 ||
                    (size_t)(limit - start) < bytes + KL_RECORD_PLAIN_FRAME))
        return false;

    bool brief = !medium && bytes <= KL_RECORD_SHORT_MAX;
    uint8_t *body = start + (brief ? 1 : 2);
    uint8_t *p = body;
    *p++ = 0;
    p = kl_record_put14(p, (uint32_t)timestamp_delta << 1);
    p = kl_record_put21(p, (uint32_t)offset_delta << 1);
    if (key.data) {
        p = kl_record_put_plain(p, key, medium);
    } else {
        if (KL_UNLIKELY(key.len))
            return false;
        *p++ = 1;
    }
    if (KL_LIKELY(value.data)) {
        p = kl_record_put_plain(p, value, medium);
    } else {
        if (KL_UNLIKELY(value.len))
            return false;
        *p++ = 1;
    }
    *p++ = 0;
    uint32_t length = (uint32_t)(p - body) << 1;
    if (brief) {
        start[0] = (uint8_t)length;
    } else {
        start[0] = (uint8_t)(length | 0x80);
        start[1] = (uint8_t)(length >> 7);
    }
    /* Only now are the bytes a part of the chain. */
    chain->pos = p;
    return true;
}

/*
 * Appends the record if it takes at most bytes_max. Unless it answers KL_RECORD_APPENDED, the chain
 * is as it was.
 */
KL_INLINE kl_record_appended kl_record_append_within(kl_chain *chain, const kl_record *r,
                                                     int64_t timestamp_delta, int32_t offset_delta,
                                                     size_t bytes_max)
{
    size_t room = kl_chain_room(chain);
    /* Without room there may be no segment, and nothing to count from. */
    kloop_slice key = {r->key.data, r->key.data ? r->key.len : 0};
    kloop_slice value = {r->value.data, r->value.data ? r->value.len : 0};
    if (KL_LIKELY(!r->header_count && !r->attributes && offset_delta >= 0 &&
                  offset_delta <= KL_RECORD_PLAIN_OFFSET_MAX && room &&
                  kl_record_append_plain(chain, key, value, timestamp_delta, offset_delta,
                                         chain->pos + (room < bytes_max ? room : bytes_max),
                                         false)))
        return KL_RECORD_APPENDED;
    return kl_record_append_any(chain, r, timestamp_delta, offset_delta, bytes_max);
}

/* ---- Decoding ---- */

/* A record as it stands on the wire. */
typedef struct kl_record_view {
    int64_t timestamp_delta;
    int32_t offset_delta;
    int8_t attributes;
    kloop_slice key;
    kloop_slice value;
    kloop_record_headers headers;
    kloop_slice bytes;
} kl_record_view;

/*
 * Reads the record at the start of bytes[0..len). On a fault, fault->at is counted from there and
 * the path begins with the record's field. *fault is set on a fault alone.
 */
kloop_status kl_record_decode(const uint8_t *bytes, size_t len, kl_record_view *view,
                              kloop_fault *fault);

#endif
