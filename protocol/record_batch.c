/* SPDX-License-Identifier: BSD-2-Clause */
/* Sealing, headers out and headers in. See record_batch.h. */
#include "protocol/record_batch.h"

#include "base/be.h"
#include "base/crc32c.h"

/* ---- Big-endian numbers, one behind the other ---- */

static uint8_t *put16(uint8_t *p, uint16_t v)
{
    kl_be_store16(p, v);
    return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    kl_be_store32(p, v);
    return p + 4;
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
    kl_be_store64(p, v);
    return p + 8;
}

/* ---- Building ---- */

/* All but the payload. Member by member: compilers empty a struct of this size with an instruction
 * that takes longer to begin than this does to end, and batches may be as many as records. */
static void reset(kl_batch_builder *b)
{
    b->base_timestamp = -1;
    b->max_timestamp = -1;
    b->count = 0;
    b->state = KL_BATCH_OPEN;
    b->codec = KL_CODEC_NONE;
    b->payload_crc = 0;
    b->summed_in = NULL;
    b->summed_to = 0;
    b->summed_bytes = 0;
    b->sum = 0;
}

void kl_batch_builder_init(kl_batch_builder *b, kl_pool *pool)
{
    reset(b);
    kl_chain_init(&b->payload, pool);
}

void kl_batch_builder_clear(kl_batch_builder *b)
{
    KL_ASSERT(b->state != KL_BATCH_SEALING);
    kl_chain_clear(&b->payload);
    reset(b);
}

/* Where the sum goes on. */
static kl_chain_cursor unsummed(const kl_batch_builder *b)
{
    if (b->summed_in)
        return kl_chain_read_from(&b->payload, b->summed_in, b->summed_to, b->summed_bytes);
    return kl_chain_read(&b->payload);
}

void kl_batch_builder_sum_up(kl_batch_builder *b)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN);
    kl_chain_cursor at = unsummed(b);
    while (!kl_chain_read_all(&at)) {
        kloop_slice piece = kl_chain_read_some(&at, SIZE_MAX);
        b->sum = kl_crc32c(b->sum, piece.data, piece.len);
        b->summed_bytes += piece.len;
        b->summed_in = at.segment;
        b->summed_to = at.offset;
    }
}

/* ---- Sealing ---- */

static bool under_way(const kl_batch_sealer *s)
{
    return s->batch && s->batch->state == KL_BATCH_SEALING;
}

/* Whatever the sealer borrowed is another's from now on. */
static void let_go(kl_batch_sealer *s, kl_batch_state state)
{
    s->batch->state = state;
    s->batch = NULL;
    s->compressor = NULL;
}

void kl_batch_seal_cancel(kl_batch_sealer *s)
{
    KL_ASSERT(under_way(s));
    if (s->compressor)
        kl_compress_abort(s->compressor);
    kl_chain_clear(&s->folded);
    let_go(s, KL_BATCH_OPEN);
}

kl_codec_status kl_batch_seal_begin(kl_batch_sealer *s, kl_batch_builder *b,
                                    kl_compressor *compressor)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN);
    KL_ASSERT(!compressor || !kl_compressor_busy(compressor));
    b->state = KL_BATCH_SEALING;
    *s = (kl_batch_sealer){.batch = b, .at = unsummed(b), .crc = b->sum};
    kl_chain_init(&s->folded, b->payload.pool);
    /* Anything longer is thrown away. */
    s->folded.reach = kl_chain_len(&b->payload);
    if (!compressor || b->count == 0)
        return KL_CODEC_OK;
    s->at = kl_chain_read(&b->payload);
    s->crc = 0;
    s->compressor = compressor;
    s->codec = kl_compressor_codec(compressor)->id;
    kl_codec_status status = kl_compress_begin(compressor, kl_chain_len(&b->payload), &s->folded);
    if (status != KL_CODEC_OK)
        kl_batch_seal_cancel(s);
    return status;
}

/* Folds at most *bytes of the records. The compressor is let go of when it has seen them all. */
static kl_codec_status fold(kl_batch_sealer *s, size_t *bytes)
{
    while (*bytes > 0) {
        kloop_slice piece = kl_chain_read_some(&s->at, *bytes);
        if (!piece.data)
            break;
        kl_codec_status status = kl_compress_some(s->compressor, &piece, 1);
        if (status != KL_CODEC_OK)
            return status;
        *bytes -= piece.len;
    }
    if (!kl_chain_read_all(&s->at))
        return KL_CODEC_OK;
    kl_codec_status status = kl_compress_end(s->compressor);
    if (status != KL_CODEC_OK)
        return status;
    s->compressor = NULL;
    if (kl_chain_len(&s->folded) < kl_chain_len(&s->batch->payload)) {
        s->at = kl_chain_read(&s->folded);
    } else {
        kl_chain_clear(&s->folded);
        s->codec = KL_CODEC_NONE;
        s->at = unsummed(s->batch);
        s->crc = s->batch->sum;
    }
    return KL_CODEC_OK;
}

/* The batch takes over the result. The records as they were are kept until here, for a seal that is
 * given up. */
static void settle(kl_batch_sealer *s)
{
    kl_batch_builder *b = s->batch;
    if (s->codec != KL_CODEC_NONE) {
        kl_chain_clear(&b->payload);
        b->payload = s->folded;
        kl_chain_init(&s->folded, b->payload.pool);
    }
    b->codec = s->codec;
    b->payload_crc = s->crc;
    let_go(s, KL_BATCH_SEALED);
}

kl_codec_status kl_batch_seal_step(kl_batch_sealer *s, size_t bytes, bool *done)
{
    KL_ASSERT(under_way(s) && bytes > 0);
    *done = false;
    if (s->compressor) {
        kl_codec_status status = fold(s, &bytes);
        if (status != KL_CODEC_OK) {
            kl_batch_seal_cancel(s);
            return status;
        }
        if (s->compressor)
            return KL_CODEC_OK;
    }
    while (bytes > 0) {
        kloop_slice piece = kl_chain_read_some(&s->at, bytes);
        if (!piece.data)
            break;
        s->crc = kl_crc32c(s->crc, piece.data, piece.len);
        bytes -= piece.len;
    }
    if (kl_chain_read_all(&s->at)) {
        settle(s);
        *done = true;
    }
    return KL_CODEC_OK;
}

/* Nothing to fold, and all at once. */
static void seal_as_it_is(kl_batch_builder *b)
{
    KL_ASSERT(b->state == KL_BATCH_OPEN);
    kl_chain_cursor at = unsummed(b);
    uint32_t crc = b->sum;
    for (kloop_slice piece; (piece = kl_chain_read_some(&at, SIZE_MAX)).data;)
        crc = kl_crc32c(crc, piece.data, piece.len);
    b->codec = KL_CODEC_NONE;
    b->payload_crc = crc;
    b->state = KL_BATCH_SEALED;
}

kl_codec_status kl_batch_seal(kl_batch_builder *b, kl_compressor *compressor)
{
    if (!compressor) {
        seal_as_it_is(b);
        return KL_CODEC_OK;
    }
    kl_batch_sealer sealer;
    kl_codec_status status = kl_batch_seal_begin(&sealer, b, compressor);
    for (bool done = false; status == KL_CODEC_OK && !done;)
        status = kl_batch_seal_step(&sealer, SIZE_MAX, &done);
    return status;
}

void kl_batch_builder_reopen(kl_batch_builder *b, kl_chain *records)
{
    KL_ASSERT(b->state == KL_BATCH_SEALED);
    kl_chain_clear(&b->payload);
    b->payload = *records;
    kl_chain_init(records, b->payload.pool);
    b->state = KL_BATCH_OPEN;
    b->codec = KL_CODEC_NONE;
    b->summed_in = NULL;
    b->summed_to = 0;
    b->summed_bytes = 0;
    b->sum = 0;
}

/* ---- Faults of codecs ---- */

kloop_status kl_batch_codec_status(kl_codec_status status)
{
    switch (status) {
    case KL_CODEC_OK:
        return KLOOP_OK;
    case KL_CODEC_NO_MEMORY:
        return KLOOP_NO_MEMORY;
    case KL_CODEC_BAD_LEVEL:
        return KLOOP_OUT_OF_RANGE;
    case KL_CODEC_CORRUPT:
    case KL_CODEC_TRUNCATED:
        return KLOOP_BAD_PACKING;
    case KL_CODEC_TOO_LARGE:
        return KLOOP_TOO_LARGE;
    case KL_CODEC_LIBRARY:
        return KLOOP_CODEC_REFUSED;
    }
    KL_UNREACHABLE();
}

/* ---- Headers out ---- */

void kloop_batch_header_init(kloop_batch_header *header)
{
    *header = (kloop_batch_header){
        .partition_leader_epoch = -1,
        .magic = KL_BATCH_MAGIC,
        .base_timestamp = -1,
        .max_timestamp = -1,
        .producer_id = -1,
        .producer_epoch = -1,
        .base_sequence = -1,
    };
}

void kl_batch_header_put(const kloop_batch_header *header, size_t payload_len, uint32_t payload_crc,
                         uint8_t out[KLOOP_BATCH_HEADER_BYTES])
{
    const size_t counted = KLOOP_BATCH_HEADER_BYTES - KL_BATCH_LENGTH_SKIPS;
    KL_ASSERT(payload_len <= KL_BATCH_PAYLOAD_MAX);
    uint8_t *p = put64(out, (uint64_t)header->base_offset);
    p = put32(p, (uint32_t)(counted + payload_len));
    p = put32(p, (uint32_t)header->partition_leader_epoch);
    *p = KL_BATCH_MAGIC;
    p = put16(out + KL_BATCH_CRC_FROM, (uint16_t)header->attributes);
    p = put32(p, (uint32_t)header->last_offset_delta);
    p = put64(p, (uint64_t)header->base_timestamp);
    p = put64(p, (uint64_t)header->max_timestamp);
    p = put64(p, (uint64_t)header->producer_id);
    p = put16(p, (uint16_t)header->producer_epoch);
    p = put32(p, (uint32_t)header->base_sequence);
    put32(p, (uint32_t)header->record_count);
    uint32_t front =
        kl_crc32c(0, out + KL_BATCH_CRC_FROM, KLOOP_BATCH_HEADER_BYTES - KL_BATCH_CRC_FROM);
    put32(out + KL_BATCH_CRC_AT, kl_crc32c_combine(front, payload_crc, payload_len));
}

void kl_batch_builder_header(const kl_batch_builder *b, kloop_batch_header *header)
{
    KL_ASSERT(b->state == KL_BATCH_SEALED);
    kloop_batch_header_init(header);
    header->attributes = (int16_t)b->codec;
    header->last_offset_delta = b->count - 1;
    header->base_timestamp = b->base_timestamp;
    header->max_timestamp = b->max_timestamp;
    header->record_count = b->count;
}

void kl_batch_builder_header_put(const kl_batch_builder *b, const kloop_batch_header *header,
                                 uint8_t out[KLOOP_BATCH_HEADER_BYTES])
{
    KL_ASSERT(b->state == KL_BATCH_SEALED && kloop_batch_codec(header) == (int)b->codec);
    kl_batch_header_put(header, kl_chain_len(&b->payload), b->payload_crc, out);
}

bool kloop_batch_reseal(void *bytes, size_t len)
{
    if (len < KLOOP_BATCH_HEADER_BYTES || len - KL_BATCH_LENGTH_SKIPS > INT32_MAX)
        return false;
    uint8_t *p = bytes;
    put32(p + KL_BATCH_LENGTH_AT, (uint32_t)(len - KL_BATCH_LENGTH_SKIPS));
    put32(p + KL_BATCH_CRC_AT, kl_crc32c(0, p + KL_BATCH_CRC_FROM, len - KL_BATCH_CRC_FROM));
    return true;
}

/* ---- Headers in ---- */

static kloop_status fail(kloop_fault *fault, kloop_status status, size_t at, const char *field,
                         int64_t a, int64_t b)
{
    *fault = (kloop_fault){.status = status, .at = at, .a = a, .b = b};
    if (field) {
        fault->path[0].name = field;
        fault->path[0].index = -1;
        fault->depth = 1;
    }
    return status;
}

static void read_header(const uint8_t *p, kloop_batch_header *h)
{
    h->base_offset = (int64_t)kl_be_load64(p);
    h->length = (int32_t)kl_be_load32(p + 8);
    h->partition_leader_epoch = (int32_t)kl_be_load32(p + 12);
    h->magic = (int8_t)p[16];
    h->crc = kl_be_load32(p + 17);
    h->attributes = (int16_t)kl_be_load16(p + 21);
    h->last_offset_delta = (int32_t)kl_be_load32(p + 23);
    h->base_timestamp = (int64_t)kl_be_load64(p + 27);
    h->max_timestamp = (int64_t)kl_be_load64(p + 35);
    h->producer_id = (int64_t)kl_be_load64(p + 43);
    h->producer_epoch = (int16_t)kl_be_load16(p + 51);
    h->base_sequence = (int32_t)kl_be_load32(p + 53);
    h->record_count = (int32_t)kl_be_load32(p + 57);
}

kloop_status kl_batch_decode(const uint8_t *bytes, size_t len, size_t at, kl_batch_view *view,
                             kloop_fault *fault)
{
    size_t left = len - at;
    const uint8_t *p = bytes + at;
    /* The older formats have their magic at the same place and are shorter: they get the answer
     * that helps. */
    if (left > 16 && p[16] != KL_BATCH_MAGIC)
        return fail(fault, KLOOP_BAD_MAGIC, at + 16, "magic", (int8_t)p[16], 0);
    if (left >= KL_BATCH_LENGTH_SKIPS) {
        int32_t length = (int32_t)kl_be_load32(p + KL_BATCH_LENGTH_AT);
        if (length < KLOOP_BATCH_HEADER_BYTES - KL_BATCH_LENGTH_SKIPS)
            return fail(fault, KLOOP_BAD_LENGTH, at + KL_BATCH_LENGTH_AT, "length", length, 0);
        if ((size_t)length > left - KL_BATCH_LENGTH_SKIPS)
            return fail(fault, KLOOP_TRUNCATED, at + KL_BATCH_LENGTH_AT, "length", length,
                        (int64_t)(left - KL_BATCH_LENGTH_SKIPS));
    } else {
        return fail(fault, KLOOP_TRUNCATED, at, NULL, KLOOP_BATCH_HEADER_BYTES, (int64_t)left);
    }

    kloop_batch_header *h = &view->header;
    read_header(p, h);
    size_t size = KL_BATCH_LENGTH_SKIPS + (size_t)h->length;
    view->bytes = (kloop_slice){p, size};
    view->payload = (kloop_slice){p + KLOOP_BATCH_HEADER_BYTES, size - KLOOP_BATCH_HEADER_BYTES};
    uint32_t crc = kl_crc32c(0, p + KL_BATCH_CRC_FROM, size - KL_BATCH_CRC_FROM);
    if (crc != h->crc)
        return fail(fault, KLOOP_BAD_CRC, at + KL_BATCH_CRC_AT, "crc", crc, h->crc);
    if (kloop_batch_codec(h) >= KL_CODEC_COUNT)
        return fail(fault, KLOOP_BAD_CODEC, at + KL_BATCH_CRC_FROM, "attributes",
                    kloop_batch_codec(h), 0);
    if (h->record_count < 0)
        return fail(fault, KLOOP_BAD_COUNT, at + 57, "records", h->record_count,
                    (int64_t)view->payload.len);
    return KLOOP_OK;
}
