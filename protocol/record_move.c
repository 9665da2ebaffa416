/* SPDX-License-Identifier: BSD-2-Clause */
/* Records into another batch. See record_move.h. */
#include "protocol/record_move.h"

bool kl_record_move_read(const uint8_t *bytes, size_t len, kl_moved_record *r)
{
    const uint8_t *end = bytes + len;
    int32_t body;
    int used = kl_varint32_get(bytes, end, &body);
    if (used <= 0 || body < 1 || (size_t)body > len - (size_t)used)
        return false;
    const uint8_t *p = bytes + used;
    end = p + body;
    r->bytes = (size_t)(end - bytes);
    r->attributes = (int8_t)*p++;
    used = kl_varint64_get(p, end, &r->timestamp_delta);
    if (used <= 0)
        return false;
    p += used;
    int32_t offset_delta;
    used = kl_varint32_get(p, end, &offset_delta);
    if (used <= 0)
        return false;
    p += used;
    r->rest = (kloop_slice){p, (size_t)(end - p)};
    return true;
}

static size_t body_size(const kl_batch_builder *b, const kl_moved_record *r, int64_t delta)
{
    return 1 + kl_varint64_size(delta) + kl_varint32_size(b->count) + r->rest.len;
}

size_t kl_record_move_size(const kl_batch_builder *b, const kl_moved_record *r, int64_t timestamp)
{
    size_t body = body_size(b, r, kl_batch_builder_delta(b, timestamp));
    return kl_varint32_size((int32_t)body) + body;
}

bool kl_record_move_append(kl_batch_builder *b, const kl_moved_record *r, int64_t timestamp)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN);
    int64_t delta = kl_batch_builder_delta(b, timestamp);
    uint8_t head[2 * KL_VARINT32_MAX_SIZE + KL_VARINT64_MAX_SIZE + 1];
    uint8_t *p = kl_varint32_put(head, (int32_t)body_size(b, r, delta));
    *p++ = (uint8_t)r->attributes;
    p = kl_varint64_put(p, delta);
    p = kl_varint32_put(p, b->count);
    kl_chain_mark start = kl_chain_here(&b->payload);
    if (!kl_chain_append(&b->payload, head, (size_t)(p - head)) ||
        !kl_chain_append(&b->payload, r->rest.data, r->rest.len)) {
        kl_chain_rewind(&b->payload, start);
        return false;
    }
    kl_batch_builder_count_in(b, timestamp);
    return true;
}
