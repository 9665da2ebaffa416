/* SPDX-License-Identifier: BSD-2-Clause */
/* Values and payloads that are not copied. See record_lend.h. */
#include "protocol/record_lend.h"

#include "base/be.h"
#include "base/crc32c.h"

/* ---- Records ---- */

static bool append_length(kl_chain *chain, uint64_t len)
{
    uint8_t bytes[KL_VARINT64_MAX_SIZE];
    return kl_chain_append(chain, bytes, (size_t)(kl_uvarint64_put(bytes, len << 1) - bytes));
}

/* A null has the length -1, which is a 1 on the wire. */
static bool append_slice(kl_chain *chain, kloop_slice s)
{
    if (!s.data)
        return kl_chain_append(chain, "\x01", 1);
    return append_length(chain, s.len) && kl_chain_append(chain, s.data, s.len);
}

static bool append_front(kl_chain *chain, const kl_record *r, int64_t delta, int32_t offset,
                         size_t body)
{
    uint8_t front[2 * KL_VARINT64_MAX_SIZE + 1 + KL_VARINT32_MAX_SIZE];
    uint8_t *p = kl_uvarint64_put(front, (uint64_t)body << 1);
    *p++ = (uint8_t)r->attributes;
    p = kl_varint64_put(p, delta);
    p = kl_varint32_put(p, offset);
    return kl_chain_append(chain, front, (size_t)(p - front));
}

static bool append_headers(kl_chain *chain, const kl_record *r)
{
    if (!append_length(chain, r->header_count))
        return false;
    for (uint32_t i = 0; i < r->header_count; i++) {
        kloop_string key = r->headers[i].key;
        if (!append_slice(chain, (kloop_slice){(const uint8_t *)key.data, key.len}) ||
            !append_slice(chain, r->headers[i].value))
            return false;
    }
    return true;
}

kl_record_appended kl_batch_builder_lend(kl_batch_builder *b, const kl_record *r, int64_t timestamp,
                                         size_t bytes_max, void *lender)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN);
    if (bytes_max > KL_BATCH_BYTES_MAX)
        bytes_max = KL_BATCH_BYTES_MAX;
    size_t len = kl_batch_builder_len(b);
    int64_t delta = kl_batch_builder_delta(b, timestamp);
    uint64_t size = kl_record_size(r, delta, b->count);
    uint64_t body = kl_record_body_size(r, delta, b->count);
    if (len >= bytes_max || size > bytes_max - len || body > INT32_MAX)
        return KL_RECORD_TOO_LARGE;
    kl_chain *chain = &b->payload;
    kl_chain_mark start = kl_chain_here(chain);
    if (!append_front(chain, r, delta, b->count, (size_t)body) || !append_slice(chain, r->key) ||
        !append_length(chain, r->value.len) || !kl_chain_lend(chain, r->value, 0, lender) ||
        !append_headers(chain, r)) {
        kl_chain_rewind(chain, start);
        return KL_RECORD_NO_MEMORY;
    }
    kl_batch_builder_count_in(b, timestamp);
    /* The sum goes on behind at most one loan. */
    if (b->summed_in)
        kl_batch_builder_sum_up(b);
    return KL_RECORD_APPENDED;
}

/* ---- Whole batches ---- */

/* No field of a record takes less than a byte. */
#define RECORD_BYTES_MIN 7

/* In the header. */
#define COUNT_AT 57

static kloop_status refuse(kloop_fault *fault, size_t at, const char *field, int64_t value)
{
    if (fault) {
        *fault = (kloop_fault){.status = KLOOP_BAD_BATCH, .at = at, .a = value, .depth = 1};
        fault->path[0].name = field;
        fault->path[0].index = -1;
    }
    return KLOOP_BAD_BATCH;
}

kloop_status kl_encoded_check(kloop_slice bytes, kloop_fault *fault)
{
    kl_batch_view batch;
    kloop_fault seen;
    kloop_status status = kl_batch_decode(bytes.data, bytes.len, 0, &batch, &seen);
    if (!status && batch.bytes.len < bytes.len) {
        seen = (kloop_fault){.status = status = KLOOP_TRAILING,
                             .at = batch.bytes.len,
                             .a = (int64_t)(bytes.len - batch.bytes.len)};
    }
    if (status) {
        if (fault)
            *fault = seen;
        return status;
    }
    const kloop_batch_header *h = &batch.header;
    if (h->attributes & ~KLOOP_BATCH_CODEC_MASK)
        return refuse(fault, KL_BATCH_CRC_FROM, "attributes", h->attributes);
    if (h->record_count == 0)
        return refuse(fault, COUNT_AT, "records", 0);
    /* A broker takes only records that have one offset after the other. */
    if (h->last_offset_delta != h->record_count - 1)
        return refuse(fault, 23, "lastOffsetDelta", h->last_offset_delta);
    size_t least = kloop_batch_codec(h) == KL_CODEC_NONE ? RECORD_BYTES_MIN : 0;
    if (batch.payload.len == 0 || batch.payload.len < least * (size_t)h->record_count) {
        if (fault)
            *fault = (kloop_fault){.status = KLOOP_BAD_COUNT,
                                   .at = COUNT_AT,
                                   .a = h->record_count,
                                   .b = (int64_t)batch.payload.len};
        return KLOOP_BAD_COUNT;
    }
    return KLOOP_OK;
}

kl_encoded_view kl_encoded_read(kloop_slice bytes)
{
    const uint8_t *p = bytes.data;
    kloop_slice payload = {p + KLOOP_BATCH_HEADER_BYTES, bytes.len - KLOOP_BATCH_HEADER_BYTES};
    /* The sum over all is that of the front, moved on, and that of the payload. */
    uint32_t front =
        kl_crc32c(0, p + KL_BATCH_CRC_FROM, KLOOP_BATCH_HEADER_BYTES - KL_BATCH_CRC_FROM);
    return (kl_encoded_view){
        .codec = kl_be_load16(p + KL_BATCH_CRC_FROM) & KLOOP_BATCH_CODEC_MASK,
        .count = (int32_t)kl_be_load32(p + COUNT_AT),
        .base_timestamp = (int64_t)kl_be_load64(p + 27),
        .max_timestamp = (int64_t)kl_be_load64(p + 35),
        .payload = payload,
        .payload_crc = kl_be_load32(p + KL_BATCH_CRC_AT) ^ kl_crc32c_combine(front, 0, payload.len),
    };
}

bool kl_batch_builder_take(kl_batch_builder *b, const kl_encoded_view *view, bool lent,
                           void *lender)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN && b->count == 0);
    kl_chain *chain = &b->payload;
    chain->reach = view->payload.len;
    if (lent ? !kl_chain_lend(chain, view->payload, KLOOP_BATCH_HEADER_BYTES, lender)
             : !kl_chain_append(chain, view->payload.data, view->payload.len))
        return false;
    b->base_timestamp = view->base_timestamp;
    b->max_timestamp = view->max_timestamp;
    b->count = view->count;
    b->codec = (kl_codec_id)view->codec;
    b->payload_crc = view->payload_crc;
    b->state = KL_BATCH_SEALED;
    return true;
}
