/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of every shape: headers, long fields, records that lie across segments. See record.h. */
#include "protocol/record.h"

/* ---- Sizes ---- */

/* Far beyond any record, and so small that no sum below comes near 64 bits. */
#define COUNTED_MAX (UINT64_C(1) << 48)

/* A length is written zig-zag. */
static uint64_t zigzag_len(uint64_t len)
{
    return len << 1;
}

uint64_t kl_record_slice_size(kloop_slice s)
{
    /* Kafka's null has the length -1, which takes as many bytes as 0. */
    uint64_t len = s.data ? s.len : 0;
    if (len > COUNTED_MAX)
        len = COUNTED_MAX;
    return kl_uvarint64_size(zigzag_len(len)) + len;
}

static kloop_slice as_slice(kloop_string s)
{
    return (kloop_slice){(const uint8_t *)s.data, s.len};
}

uint64_t kl_record_body_size(const kl_record *r, int64_t timestamp_delta, int32_t offset_delta)
{
    uint64_t size = 1 + kl_varint64_size(timestamp_delta) + kl_varint32_size(offset_delta) +
                    kl_record_slice_size(r->key) + kl_record_slice_size(r->value) +
                    kl_uvarint64_size(zigzag_len(r->header_count));
    for (uint32_t i = 0; i < r->header_count && size <= INT32_MAX; i++)
        size += kl_record_slice_size(as_slice(r->headers[i].key)) +
                kl_record_slice_size(r->headers[i].value);
    return size;
}

uint64_t kl_record_size(const kl_record *r, int64_t timestamp_delta, int32_t offset_delta)
{
    uint64_t body = kl_record_body_size(r, timestamp_delta, offset_delta);
    return kl_uvarint64_size(zigzag_len(body)) + body;
}

/* ---- Into one segment ---- */

/* Keys and values of headers are mostly short: two moves that may overlap are less than the way to
 * memcpy and back. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        uint64_t head;
        uint64_t tail;
        memcpy(&head, from, 8);
        memcpy(&tail, from + len - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + len - 8, &tail, 8);
    } else if (len >= 4) {
        uint32_t head;
        uint32_t tail;
        memcpy(&head, from, 4);
        memcpy(&tail, from + len - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + len - 4, &tail, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

static uint8_t *put_slice(uint8_t *p, kloop_slice s)
{
    if (!s.data) {
        *p++ = 1;
        return p;
    }
    p = kl_uvarint64_put(p, zigzag_len(s.len));
    copy(p, s.data, s.len);
    return p + s.len;
}

/* Everything before the key. */
static uint8_t *put_front(uint8_t *p, const kl_record *r, int64_t timestamp_delta,
                          int32_t offset_delta, size_t body)
{
    p = kl_uvarint64_put(p, zigzag_len(body));
    *p++ = (uint8_t)r->attributes;
    p = kl_varint64_put(p, timestamp_delta);
    return kl_varint32_put(p, offset_delta);
}

static void append_here(kl_chain *chain, const kl_record *r, int64_t timestamp_delta,
                        int32_t offset_delta, size_t body)
{
    uint8_t *p = put_front(chain->pos, r, timestamp_delta, offset_delta, body);
    p = put_slice(p, r->key);
    p = put_slice(p, r->value);
    p = kl_uvarint64_put(p, zigzag_len(r->header_count));
    for (uint32_t i = 0; i < r->header_count; i++) {
        p = put_slice(p, as_slice(r->headers[i].key));
        p = put_slice(p, r->headers[i].value);
    }
    chain->pos = p;
}

/* ---- Across segments ---- */

/* left is what is still to come of the whole record: a new segment is chosen for all of that. */
static bool spread(kl_chain *chain, const void *data, size_t len, size_t *left)
{
    const uint8_t *from = data;
    while (len > 0) {
        if (!kl_chain_grow(chain, *left))
            return false;
        size_t step = kl_chain_room(chain) < len ? kl_chain_room(chain) : len;
        memcpy(chain->pos, from, step);
        chain->pos += step;
        from += step;
        len -= step;
        *left -= step;
    }
    return true;
}

static bool spread_length(kl_chain *chain, uint64_t zigzag, size_t *left)
{
    uint8_t bytes[KL_VARINT64_MAX_SIZE];
    return spread(chain, bytes, (size_t)(kl_uvarint64_put(bytes, zigzag) - bytes), left);
}

static bool spread_slice(kl_chain *chain, kloop_slice s, size_t *left)
{
    if (!s.data)
        return spread_length(chain, 1, left);
    return spread_length(chain, zigzag_len(s.len), left) && spread(chain, s.data, s.len, left);
}

static bool append_across(kl_chain *chain, const kl_record *r, int64_t timestamp_delta,
                          int32_t offset_delta, size_t body)
{
    uint8_t front[2 * KL_VARINT64_MAX_SIZE + 1 + KL_VARINT32_MAX_SIZE];
    size_t front_len = (size_t)(put_front(front, r, timestamp_delta, offset_delta, body) - front);
    size_t left = kl_uvarint64_size(zigzag_len(body)) + body;
    if (!spread(chain, front, front_len, &left) || !spread_slice(chain, r->key, &left) ||
        !spread_slice(chain, r->value, &left) ||
        !spread_length(chain, zigzag_len(r->header_count), &left))
        return false;
    for (uint32_t i = 0; i < r->header_count; i++) {
        if (!spread_slice(chain, as_slice(r->headers[i].key), &left) ||
            !spread_slice(chain, r->headers[i].value, &left))
            return false;
    }
    KL_ASSERT(left == 0);
    return true;
}

kl_record_appended kl_record_append_any(kl_chain *chain, const kl_record *r,
                                        int64_t timestamp_delta, int32_t offset_delta,
                                        size_t bytes_max)
{
    uint64_t body_size = kl_record_body_size(r, timestamp_delta, offset_delta);
    uint64_t whole = kl_uvarint64_size(zigzag_len(body_size)) + body_size;
    if (whole > bytes_max || body_size > INT32_MAX)
        return KL_RECORD_TOO_LARGE;
    size_t body = (size_t)body_size;
    size_t size = (size_t)whole;
    if (size <= kl_chain_room(chain)) {
        append_here(chain, r, timestamp_delta, offset_delta, body);
        return KL_RECORD_APPENDED;
    }
    kl_chain_mark start = kl_chain_here(chain);
    if (append_across(chain, r, timestamp_delta, offset_delta, body))
        return KL_RECORD_APPENDED;
    kl_chain_rewind(chain, start);
    return KL_RECORD_NO_MEMORY;
}
