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
 * Sizes come first, so that the length needs no second look at what was written. A record without
 * headers, with small numbers, that fits into the chain's last segment is written right here; all
 * others by record.c.
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
static inline size_t kl_record_size14(uint32_t v)
{
    return v < 0x80 ? 1 : 2;
}

static inline size_t kl_record_size21(uint32_t v)
{
    return v < 0x80 ? 1 : v < 0x4000 ? 2 : 3;
}

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
 * Appends the record if it takes at most bytes_max. Unless it answers KL_RECORD_APPENDED, the chain
 * is as it was.
 *
 * Left to themselves, compilers call this rather than inline it in two places; for a call the
 * record has to be built in memory first, which costs as much as all the rest.
 */
KL_INLINE kl_record_appended kl_record_append_within(kl_chain *chain, const kl_record *r,
                                                     int64_t timestamp_delta, int32_t offset_delta,
                                                     size_t bytes_max)
{
    const uint8_t *key = r->key.data;
    const uint8_t *value = r->value.data;
    size_t key_len = key ? r->key.len : 0;
    size_t value_len = value ? r->value.len : 0;
    uint64_t timestamp = kl_zigzag64(timestamp_delta);
    uint32_t offset = kl_zigzag32(offset_delta);

    /* The short way is for lengths up to 8,191 bytes, 8 seconds and a million records: varints of
     * two and three bytes, whose sizes are comparisons. The branches inside go the same way for
     * thousands of records. */
    if (KL_UNLIKELY(timestamp >> 14 | (key_len | value_len) >> 13 | offset >> 21 | r->header_count))
        return kl_record_append_any(chain, r, timestamp_delta, offset_delta, bytes_max);
    uint32_t key_field = key ? (uint32_t)key_len << 1 : 1;
    uint32_t value_field = value ? (uint32_t)value_len << 1 : 1;
    /* The two that are always one byte are the attributes and the count of no headers. */
    size_t body = 2 + kl_record_size14((uint32_t)timestamp) + kl_record_size21(offset) +
                  kl_record_size14(key_field) + key_len + kl_record_size14(value_field) + value_len;
    size_t room = kl_chain_room(chain);
    if (KL_UNLIKELY(body > 0x1fff || body + 2 > (room < bytes_max ? room : bytes_max)))
        return kl_record_append_any(chain, r, timestamp_delta, offset_delta, bytes_max);

    uint8_t *p = kl_record_put14(chain->pos, (uint32_t)body << 1);
    *p++ = (uint8_t)r->attributes;
    p = kl_record_put14(p, (uint32_t)timestamp);
    p = kl_record_put21(p, offset);
    p = kl_record_put14(p, key_field);
    if (key_len) {
        memcpy(p, key, key_len);
        p += key_len;
    }
    p = kl_record_put14(p, value_field);
    if (value_len) {
        memcpy(p, value, value_len);
        p += value_len;
    }
    *p++ = 0;
    chain->pos = p;
    return KL_RECORD_APPENDED;
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
