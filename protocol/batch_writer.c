/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of record batches for people who make them by hand: any header, records in any order,
 * bytes out.
 *
 *     start --add--> ... --add--> end     (start again at any time)
 *
 * Unlike a producer's builder it takes the header as given, whatever the records say, and folds
 * with a codec also where that makes the batch larger.
 *
 * Who owns what: the writer owns copies of all it was given, and the bytes it hands out.
 */
#include "base/buf.h"
#include "base/crc32c.h"
#include "base/utf8.h"
#include "codecs/codec.h"
#include "protocol/record_batch.h"

/* Enough to make the next small batch without asking for memory. */
#define IDLE_BYTES_MAX 262144

struct kloop_batch_writer {
    kloop_allocator alloc;
    kl_pool pool;
    kloop_batch_header header;
    kl_chain records;
    int32_t count;
    kl_chain folded;           /* in use during a call, else empty */
    kl_compressor *compressor; /* of the codec that was needed last */
    kl_buf out;
    kloop_record_header *headers; /* room for a record's headers that came as bytes */
    size_t headers_cap;
};

kloop_batch_writer *kloop_batch_writer_new(const kloop_allocator *alloc)
{
    if (!alloc)
        alloc = &kl_mem_libc;
    kloop_batch_writer *w = kl_mem_zalloc(alloc, 1, sizeof(*w));
    if (!w)
        return NULL;
    w->alloc = *alloc;
    kl_pool_init(&w->pool, alloc, IDLE_BYTES_MAX);
    kl_chain_init(&w->records, &w->pool);
    kl_chain_init(&w->folded, &w->pool);
    kl_buf_init(&w->out, alloc);
    kloop_batch_header_init(&w->header);
    return w;
}

void kloop_batch_writer_del(kloop_batch_writer *w)
{
    if (!w)
        return;
    kl_compressor_del(w->compressor);
    kl_chain_clear(&w->records);
    kl_chain_clear(&w->folded);
    kl_pool_deinit(&w->pool);
    kl_buf_deinit(&w->out);
    kl_mem_release(&w->alloc, w->headers, w->headers_cap * sizeof(*w->headers));
    kloop_allocator alloc = w->alloc;
    kl_mem_release(&alloc, w, sizeof(*w));
}

void kloop_batch_writer_start(kloop_batch_writer *w, const kloop_batch_header *header)
{
    kl_chain_clear(&w->records);
    w->count = 0;
    w->header = *header;
}

/* ---- Faults ---- */

static kloop_status fail(kloop_fault *fault, kloop_status status, size_t at, int64_t a, int64_t b)
{
    if (fault)
        *fault = (kloop_fault){.status = status, .at = at, .a = a, .b = b};
    return status;
}

static kloop_status fine(kloop_fault *fault)
{
    return fail(fault, KLOOP_OK, 0, 0, 0);
}

static void blame(kloop_fault *fault, const char *name, int32_t index)
{
    if (!fault)
        return;
    fault->path[fault->depth].name = name;
    fault->path[fault->depth].index = index;
    fault->depth++;
}

static size_t written(const kloop_batch_writer *w)
{
    return KLOOP_BATCH_HEADER_BYTES + kl_chain_len(&w->records);
}

/* ---- Records ---- */

static kloop_status check_key(const kloop_batch_writer *w, kloop_string key, int32_t index,
                              kloop_fault *fault)
{
    kloop_status status = KLOOP_OK;
    if (!key.data)
        status = fail(fault, KLOOP_BAD_NULL, written(w), 0, 0);
    else if (kl_utf8_valid_len(key.data, key.len) < key.len)
        status = fail(fault, KLOOP_BAD_UTF8, written(w), 0, 0);
    if (status) {
        blame(fault, "key", -1);
        blame(fault, "headers", index);
    }
    return status;
}

static bool grow_headers(kloop_batch_writer *w)
{
    size_t cap = w->headers_cap ? w->headers_cap * 2 : 16;
    size_t size = sizeof(*w->headers);
    kloop_record_header *grown =
        kl_mem_resize(&w->alloc, w->headers, w->headers_cap * size, cap * size);
    if (!grown)
        return false;
    w->headers = grown;
    w->headers_cap = cap;
    return true;
}

/* The record's headers as an array, looked through: *items is theirs or the writer's. */
static kloop_status take_headers(kloop_batch_writer *w, const kloop_record_headers *headers,
                                 const kloop_record_header **items, kloop_fault *fault)
{
    kloop_record_headers rest = *headers;
    kloop_record_header header;
    int32_t count = 0;
    *items = headers->items;
    for (; kloop_record_headers_next(&rest, &header); count++) {
        kloop_status status = check_key(w, header.key, count, fault);
        if (status)
            return status;
        if (headers->items)
            continue;
        if ((size_t)count == w->headers_cap && !grow_headers(w))
            return fail(fault, KLOOP_NO_MEMORY, written(w), 0, 0);
        w->headers[count] = header;
        *items = w->headers;
    }
    if (count == headers->count)
        return KLOOP_OK;
    fail(fault, KLOOP_BAD_COUNT, written(w), headers->count, (int64_t)headers->bytes.len);
    blame(fault, "headers", -1);
    return KLOOP_BAD_COUNT;
}

/* Modulo 2^64, as the reader adds them up again. */
static int64_t difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static kloop_status add(kloop_batch_writer *w, const kloop_batch_record *record, kloop_fault *fault)
{
    int64_t offset = difference(record->offset, w->header.base_offset);
    if (offset < INT32_MIN || offset > INT32_MAX) {
        fail(fault, KLOOP_OUT_OF_RANGE, written(w), record->offset, 0);
        blame(fault, "offset", -1);
        return KLOOP_OUT_OF_RANGE;
    }
    kl_record r = {.key = record->key,
                   .value = record->value,
                   .header_count = (uint32_t)record->headers.count,
                   .attributes = record->attributes};
    kloop_status status = take_headers(w, &record->headers, &r.headers, fault);
    if (status)
        return status;
    int64_t timestamp = difference(record->timestamp, w->header.base_timestamp);
    size_t room = KL_BATCH_PAYLOAD_MAX - kl_chain_len(&w->records);
    switch (kl_record_append_within(&w->records, &r, timestamp, (int32_t)offset, room)) {
    case KL_RECORD_APPENDED:
        w->count++;
        return fine(fault);
    case KL_RECORD_TOO_LARGE:
        return fail(fault, KLOOP_TOO_LONG, written(w),
                    (int64_t)kl_record_size(&r, timestamp, (int32_t)offset), (int64_t)room);
    case KL_RECORD_NO_MEMORY:
        break;
    }
    return fail(fault, KLOOP_NO_MEMORY, written(w), 0, 0);
}

kloop_status kloop_batch_writer_add(kloop_batch_writer *w, const kloop_batch_record *record,
                                    kloop_fault *fault)
{
    kloop_status status = add(w, record, fault);
    if (status)
        blame(fault, "records", w->count);
    return status;
}

/* ---- The whole ---- */

static kl_codec_status set_compressor(kloop_batch_writer *w, kl_codec_id id)
{
    if (w->compressor && kl_compressor_codec(w->compressor)->id == id)
        return KL_CODEC_OK;
    kl_compressor_del(w->compressor);
    w->compressor = NULL;
    return kl_compressor_new(&w->compressor, id, KL_CODEC_LEVEL_DEFAULT, &w->alloc);
}

/* Folds the records into w->folded, in steps that any codec likes. */
static kl_codec_status fold(kloop_batch_writer *w, kl_codec_id id)
{
    kl_codec_status status = set_compressor(w, id);
    if (status == KL_CODEC_OK)
        status = kl_compress_begin(w->compressor, kl_chain_len(&w->records), &w->folded);
    kl_chain_cursor records = kl_chain_read(&w->records);
    kloop_slice piece;
    while (status == KL_CODEC_OK &&
           (piece = kl_chain_read_some(&records, KL_CODEC_STEP_BYTES)).data)
        status = kl_compress_some(w->compressor, &piece, 1);
    return status == KL_CODEC_OK ? kl_compress_end(w->compressor) : status;
}

/* What stands behind the header: *payload is w->records or w->folded. */
static kloop_status make_payload(kloop_batch_writer *w, const kl_chain **payload,
                                 kloop_fault *fault)
{
    int codec = kloop_batch_codec(&w->header);
    if (codec >= KL_CODEC_COUNT) {
        fail(fault, KLOOP_BAD_CODEC, KL_BATCH_CRC_FROM, codec, 0);
        blame(fault, "attributes", -1);
        return KLOOP_BAD_CODEC;
    }
    *payload = &w->records;
    if (codec == KL_CODEC_NONE || w->count == 0)
        return KLOOP_OK;
    kl_codec_status folded = fold(w, (kl_codec_id)codec);
    if (folded != KL_CODEC_OK)
        return fail(fault, kl_batch_codec_status(folded), written(w), 0, 0);
    *payload = &w->folded;
    if (kl_chain_len(&w->folded) > KL_BATCH_PAYLOAD_MAX)
        return fail(fault, KLOOP_TOO_LONG, written(w), (int64_t)kl_chain_len(&w->folded),
                    (int64_t)KL_BATCH_PAYLOAD_MAX);
    return KLOOP_OK;
}

static void put_batch(const kloop_batch_writer *w, const kl_chain *payload, uint8_t *out)
{
    size_t len = kl_chain_len(payload);
    uint8_t *body = out + KLOOP_BATCH_HEADER_BYTES;
    kloop_batch_header header = w->header;
    header.record_count = w->count;
    kl_chain_copy(payload, body);
    kl_batch_header_put(&header, len, kl_crc32c(0, body, len), out);
}

static kloop_status end(kloop_batch_writer *w, kloop_slice *batch, kloop_fault *fault)
{
    const kl_chain *payload;
    kloop_status status = make_payload(w, &payload, fault);
    if (status)
        return status;
    size_t size = KLOOP_BATCH_HEADER_BYTES + kl_chain_len(payload);
    kl_buf_reset(&w->out);
    uint8_t *out = kl_buf_reserve(&w->out, size, NULL);
    if (!out)
        return fail(fault, KLOOP_NO_MEMORY, written(w), 0, 0);
    put_batch(w, payload, out);
    kl_buf_commit(&w->out, size);
    *batch = kl_buf_slice(&w->out);
    return fine(fault);
}

kloop_status kloop_batch_writer_end(kloop_batch_writer *w, kloop_slice *batch, kloop_fault *fault)
{
    *batch = (kloop_slice){NULL, 0};
    kloop_status status = end(w, batch, fault);
    /* However it ended: what was folded is in w->out, or is made again. */
    kl_chain_clear(&w->folded);
    return status;
}

static kloop_status end_into(kloop_batch_writer *w, void *buffer, size_t capacity, size_t *used,
                             kloop_fault *fault)
{
    const kl_chain *payload;
    kloop_status status = make_payload(w, &payload, fault);
    if (status)
        return status;
    size_t size = KLOOP_BATCH_HEADER_BYTES + kl_chain_len(payload);
    if (size > capacity)
        return fail(fault, KLOOP_NO_SPACE, 0, (int64_t)size, (int64_t)capacity);
    put_batch(w, payload, buffer);
    *used = size;
    return fine(fault);
}

kloop_status kloop_batch_encode(kloop_batch_writer *w, const kloop_batch_header *header,
                                const kloop_batch_record *records, size_t count, void *buffer,
                                size_t capacity, size_t *used, kloop_fault *fault)
{
    *used = 0;
    kloop_batch_writer_start(w, header);
    for (size_t i = 0; i < count; i++) {
        kloop_status status = kloop_batch_writer_add(w, &records[i], fault);
        if (status)
            return status;
    }
    kloop_status status = end_into(w, buffer, capacity, used, fault);
    kl_chain_clear(&w->folded);
    return status;
}

/* ---- Sizes and headers for records at hand ---- */

/* Like all sizes here not carried on above INT32_MAX, so that nothing wraps around. */
static uint64_t headers_size(kloop_record_headers rest)
{
    uint64_t size = kl_varint32_size(rest.count);
    for (kloop_record_header h; size <= INT32_MAX && kloop_record_headers_next(&rest, &h);)
        size += kl_record_slice_size((kloop_slice){(const uint8_t *)h.key.data, h.key.len}) +
                kl_record_slice_size(h.value);
    return size;
}

static uint64_t pieces(uint64_t len, uint64_t piece)
{
    return (len + piece - 1) / piece;
}

/* The most that a codec makes of len bytes: what it does with bytes that cannot be made smaller. */
static uint64_t packed_max(int codec, uint64_t len)
{
    switch (codec) {
    case KL_CODEC_GZIP:
        /* zlib's own bound for a window of 32 KiB and its usual memory, a stored block of 5 more
         * bytes for each 16 KiB, and a member's header and trailer. */
        return len + (len >> 12) + (len >> 14) + (len >> 25) + 13 + 18;
    case KL_CODEC_SNAPPY:
        /* The stream's header; for each chunk of 32 KiB a length and what kl_snappy_bound says. */
        return 16 + len + len / 64 + pieces(len, 32768) * (4 + 32);
    case KL_CODEC_LZ4:
        /* Header and end mark of the frame; each block of 64 KiB stored, with its length. */
        return 7 + 4 + len + pieces(len, 65536) * 4;
    case KL_CODEC_ZSTD:
        /* The frame's header; raw blocks of 3 more bytes, one for each flush and one at the end. */
        return 18 + len + (pieces(len, KL_CODEC_STEP_BYTES) + 1) * 3;
    default:
        return len;
    }
}

size_t kloop_batch_size_max(const kloop_batch_header *header, const kloop_batch_record *records,
                            size_t count)
{
    uint64_t size = 0;
    for (size_t i = 0; i < count && size <= KL_BATCH_PAYLOAD_MAX; i++) {
        kl_record r = {.key = records[i].key, .value = records[i].value};
        int64_t timestamp = difference(records[i].timestamp, header->base_timestamp);
        int32_t offset = (int32_t)difference(records[i].offset, header->base_offset);
        uint64_t body =
            kl_record_body_size(&r, timestamp, offset) - 1 + headers_size(records[i].headers);
        size += kl_uvarint64_size(body << 1) + body;
    }
    if (size > KL_BATCH_PAYLOAD_MAX)
        return SIZE_MAX;
    if (size > 0)
        size = packed_max(kloop_batch_codec(header), size);
    return KLOOP_BATCH_HEADER_BYTES + (size_t)size;
}

void kloop_batch_header_fit(kloop_batch_header *header, const kloop_batch_record *records,
                            size_t count)
{
    kloop_batch_header_init(header);
    if (count == 0)
        return;
    header->base_offset = records[0].offset;
    header->base_timestamp = records[0].timestamp;
    header->max_timestamp = records[0].timestamp;
    header->last_offset_delta = (int32_t)difference(records[count - 1].offset, records[0].offset);
    for (size_t i = 1; i < count; i++)
        if (records[i].timestamp > header->max_timestamp)
            header->max_timestamp = records[i].timestamp;
}
