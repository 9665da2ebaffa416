/* SPDX-License-Identifier: BSD-2-Clause */
/* The batch reader's fields into a JSON writer. */
#include "wiretools/batch_print.h"

#include "codecs/codec.h"
#include "wiretools/json_write.h"

void kl_batch_printer_init(kl_batch_printer *p, const kloop_allocator *alloc)
{
    *p = (kl_batch_printer){.alloc = *alloc};
}

void kl_batch_printer_deinit(kl_batch_printer *p)
{
    kloop_batch_reader_del(p->reader);
    p->reader = NULL;
}

static void put_int(kl_json_writer *json, const char *key, int64_t value)
{
    kl_json_write_key(json, key);
    kl_json_write_int64(json, value);
}

static void put_bool(kl_json_writer *json, const char *key, bool value)
{
    kl_json_write_key(json, key);
    kl_json_write_bool(json, value);
}

static void put_text(kl_json_writer *json, const char *key, const char *value)
{
    kl_json_write_key(json, key);
    kl_json_write_text(json, value);
}

static void put_bytes(kl_json_writer *json, const char *key, kloop_slice bytes)
{
    kl_json_write_key(json, key);
    kl_json_write_base64(json, bytes);
}

static void put_header(kl_json_writer *json, const kloop_batch_header *header)
{
    const kl_codec *codec = kl_codec_by_id(kloop_batch_codec(header));
    put_int(json, "baseOffset", header->base_offset);
    put_int(json, "partitionLeaderEpoch", header->partition_leader_epoch);
    put_int(json, "magic", header->magic);
    put_int(json, "crc", header->crc);
    put_text(json, "compression", codec ? codec->name : "none");
    put_text(json, "timestampType",
             header->attributes & KLOOP_BATCH_APPEND_TIME ? "append" : "create");
    put_bool(json, "transactional", header->attributes & KLOOP_BATCH_TRANSACTIONAL);
    put_bool(json, "control", header->attributes & KLOOP_BATCH_CONTROL);
    put_int(json, "lastOffsetDelta", header->last_offset_delta);
    put_int(json, "baseTimestamp", header->base_timestamp);
    put_int(json, "maxTimestamp", header->max_timestamp);
    put_int(json, "producerId", header->producer_id);
    put_int(json, "producerEpoch", header->producer_epoch);
    put_int(json, "baseSequence", header->base_sequence);
}

static void put_record(kl_json_writer *json, const kloop_batch_record *record)
{
    kl_json_write_object_begin(json);
    put_int(json, "offset", record->offset);
    put_int(json, "timestamp", record->timestamp);
    put_bytes(json, "key", record->key);
    put_bytes(json, "value", record->value);
    kl_json_write_key(json, "headers");
    kl_json_write_array_begin(json);
    kloop_record_headers rest = record->headers;
    for (kloop_record_header header; kloop_record_headers_next(&rest, &header);) {
        kl_json_write_object_begin(json);
        kl_json_write_key(json, "key");
        kl_json_write_string(json, header.key);
        put_bytes(json, "value", header.value);
        kl_json_write_object_end(json);
    }
    kl_json_write_array_end(json);
    kl_json_write_object_end(json);
}

static kloop_status put_records(kl_json_writer *json, kloop_batch_reader *reader,
                                kloop_fault *fault)
{
    const kloop_batch_record *record;
    kl_json_write_key(json, "records");
    kl_json_write_array_begin(json);
    for (;;) {
        kloop_status status = kloop_batch_reader_record(reader, &record, fault);
        if (status)
            return status;
        if (!record)
            break;
        put_record(json, record);
    }
    kl_json_write_array_end(json);
    return KLOOP_OK;
}

static kloop_status refuse(kloop_fault *fault, kloop_status status, int64_t a)
{
    *fault = (kloop_fault){.status = status, .a = a};
    return status;
}

kloop_status kl_batch_print(kl_batch_printer *p, kloop_slice bytes, kl_buf *out, kloop_fault *fault)
{
    if (!p->reader)
        p->reader = kloop_batch_reader_new(&p->alloc, KL_BATCH_PRINT_UNPACKED_MAX);
    if (!p->reader)
        return refuse(fault, KLOOP_NO_MEMORY, 0);
    if (bytes.len == 0)
        return refuse(fault, KLOOP_TRUNCATED, KLOOP_BATCH_HEADER_BYTES);
    kl_json_writer json;
    kl_json_write_init(&json, out);
    kl_json_write_array_begin(&json);
    kloop_batch_reader_start(p->reader, bytes.data, bytes.len);
    for (;;) {
        const kloop_batch_header *header;
        kloop_status status = kloop_batch_reader_next(p->reader, &header, fault);
        if (status)
            return status;
        if (!header)
            break;
        kl_json_write_object_begin(&json);
        put_header(&json, header);
        status = put_records(&json, p->reader, fault);
        if (status)
            return status;
        kl_json_write_object_end(&json);
    }
    kl_json_write_array_end(&json);
    return KLOOP_OK;
}
