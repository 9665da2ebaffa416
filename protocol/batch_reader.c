/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of record batches: bytes -> headers and records, one after the other.
 *
 *     start --next--> in a batch --record--> ... --record--> its end --next--> ...
 *                        any fault: it is kept, and every later call answers it
 *
 * A batch is unfolded when its first record is asked for, not before: who wants headers only pays
 * for headers only.
 *
 * Who owns what: the reader owns the buffer for unfolded records and one decompressor for each
 * codec that it has met. The bytes are the caller's.
 */
#include "base/buf.h"
#include "codecs/codec.h"
#include "protocol/record_batch.h"

struct kloop_batch_reader {
    kloop_allocator alloc;
    const uint8_t *bytes;
    size_t len;
    size_t at; /* of the batch behind the present one */
    size_t unpacked_max;

    kl_batch_view batch;
    bool in_batch;
    bool unfolded;      /* pos and end are set */
    const uint8_t *pos; /* the next record */
    const uint8_t *end;
    int32_t count; /* records read so far */

    kloop_batch_record record;
    kloop_fault fault;
    kl_buf unpacked;
    kl_decompressor *decompressors[KL_CODEC_COUNT];
};

kloop_batch_reader *kloop_batch_reader_new(const kloop_allocator *alloc, size_t unpacked_max)
{
    if (!alloc)
        alloc = &kl_mem_libc;
    kloop_batch_reader *r = kl_mem_zalloc(alloc, 1, sizeof(*r));
    if (!r)
        return NULL;
    r->alloc = *alloc;
    r->unpacked_max = unpacked_max;
    kl_buf_init(&r->unpacked, alloc);
    return r;
}

void kloop_batch_reader_del(kloop_batch_reader *r)
{
    if (!r)
        return;
    for (int i = 0; i < KL_CODEC_COUNT; i++)
        kl_decompressor_del(r->decompressors[i]);
    kl_buf_deinit(&r->unpacked);
    kloop_allocator alloc = r->alloc;
    kl_mem_release(&alloc, r, sizeof(*r));
}

void kloop_batch_reader_start(kloop_batch_reader *r, const void *bytes, size_t len)
{
    r->bytes = bytes;
    r->len = bytes ? len : 0;
    r->at = 0;
    r->in_batch = false;
    r->fault = (kloop_fault){.status = KLOOP_OK};
}

kloop_slice kloop_batch_reader_bytes(const kloop_batch_reader *r)
{
    return r->in_batch ? r->batch.bytes : (kloop_slice){NULL, 0};
}

/* ---- Faults ---- */

/* While all is well r->fault is all zero. */
static kloop_status answer(const kloop_batch_reader *r, kloop_fault *fault)
{
    if (fault)
        *fault = r->fault;
    return r->fault.status;
}

static size_t payload_at(const kloop_batch_reader *r)
{
    return (size_t)(r->batch.payload.data - r->bytes);
}

/* Where p, in the present records, is in the caller's bytes. */
static size_t place_of(const kloop_batch_reader *r, const uint8_t *p)
{
    bool packed = kloop_batch_codec(&r->batch.header) != KL_CODEC_NONE;
    return packed ? payload_at(r) : (size_t)(p - r->bytes);
}

static bool fail(kloop_batch_reader *r, kloop_status status, size_t at, int64_t a, int64_t b)
{
    r->fault = (kloop_fault){.status = status, .at = at, .a = a, .b = b};
    r->fault.path[0].name = "records";
    r->fault.path[0].index = -1;
    r->fault.depth = 1;
    return false;
}

/* ---- Batches ---- */

kloop_status kloop_batch_reader_next(kloop_batch_reader *r, const kloop_batch_header **header,
                                     kloop_fault *fault)
{
    *header = NULL;
    r->in_batch = false;
    if (r->fault.status != KLOOP_OK || r->at == r->len)
        return answer(r, fault);
    if (kl_batch_decode(r->bytes, r->len, r->at, &r->batch, &r->fault) == KLOOP_OK) {
        r->at += r->batch.bytes.len;
        r->in_batch = true;
        r->unfolded = false;
        r->count = 0;
        *header = &r->batch.header;
    }
    return answer(r, fault);
}

static bool unfold(kloop_batch_reader *r, int codec)
{
    size_t packed_at = 0;
    kl_codec_status status = KL_CODEC_OK;
    if (!r->decompressors[codec])
        status = kl_decompressor_new(&r->decompressors[codec], (kl_codec_id)codec, &r->alloc);
    if (status == KL_CODEC_OK) {
        kl_buf_reset(&r->unpacked);
        status = kl_decompress(r->decompressors[codec], &r->batch.payload, 1, r->unpacked_max,
                               &r->unpacked, &packed_at);
    }
    if (status == KL_CODEC_OK) {
        r->pos = kl_buf_slice(&r->unpacked).data;
        r->end = r->pos + r->unpacked.len;
        return true;
    }
    /* Where memory ran out says nothing about the bytes. */
    if (status == KL_CODEC_NO_MEMORY)
        packed_at = 0;
    int64_t limit = status == KL_CODEC_TOO_LARGE ? (int64_t)r->unpacked_max : 0;
    return fail(r, kl_batch_codec_status(status), payload_at(r) + packed_at, limit, 0);
}

/* ---- Records ---- */

static bool begin_records(kloop_batch_reader *r)
{
    kloop_slice payload = r->batch.payload;
    int codec = kloop_batch_codec(&r->batch.header);
    r->pos = payload.data;
    r->end = payload.data + payload.len;
    /* A batch that lost its last record to compaction keeps its codec, but has nothing packed. */
    if (codec != KL_CODEC_NONE && (payload.len > 0 || r->batch.header.record_count > 0) &&
        !unfold(r, codec))
        return false;
    r->unfolded = true;
    return true;
}

static bool check_end(kloop_batch_reader *r)
{
    if (r->pos == r->end)
        return true;
    return fail(r, KLOOP_TRAILING, place_of(r, r->pos), r->end - r->pos, 0);
}

static bool read_record(kloop_batch_reader *r)
{
    const kloop_batch_header *batch = &r->batch.header;
    kl_record_view view;
    if (r->pos == r->end)
        return fail(r, KLOOP_BAD_RECORDS, place_of(r, r->pos), batch->record_count, r->count);
    if (kl_record_decode(r->pos, (size_t)(r->end - r->pos), &view, &r->fault)) {
        r->fault.at = place_of(r, r->pos + r->fault.at);
        r->fault.path[r->fault.depth].name = "records";
        r->fault.path[r->fault.depth].index = r->count;
        r->fault.depth++;
        return false;
    }
    r->pos += view.bytes.len;
    if (++r->count == batch->record_count && !check_end(r))
        return false;
    uint64_t timestamp = (uint64_t)batch->base_timestamp + (uint64_t)view.timestamp_delta;
    if (batch->attributes & KLOOP_BATCH_APPEND_TIME)
        timestamp = (uint64_t)batch->max_timestamp;
    r->record = (kloop_batch_record){
        .offset = (int64_t)((uint64_t)batch->base_offset + (uint64_t)(int64_t)view.offset_delta),
        .timestamp = (int64_t)timestamp,
        .key = view.key,
        .value = view.value,
        .headers = view.headers,
        .attributes = view.attributes,
        .bytes = view.bytes,
    };
    return true;
}

kloop_status kloop_batch_reader_record(kloop_batch_reader *r, const kloop_batch_record **record,
                                       kloop_fault *fault)
{
    *record = NULL;
    if (r->fault.status != KLOOP_OK || !r->in_batch)
        return answer(r, fault);
    if (!r->unfolded && !begin_records(r))
        return answer(r, fault);
    if (r->count < r->batch.header.record_count) {
        if (read_record(r))
            *record = &r->record;
    } else {
        check_end(r);
    }
    return answer(r, fault);
}
