/* SPDX-License-Identifier: BSD-2-Clause */
/* From a JSON tree through the batch writer to bytes. */
#include "wiretools/batch_load.h"

#include "codecs/codec.h"

#include <stdio.h>
#include <string.h>

/* An object whose keys are taken one after the other. */
typedef struct fields {
    kl_json *object;
    kl_json *hint;
    kl_load_error *error;
    bool failed; /* a reason was noted; nothing more is looked at */
} fields;

void kl_batch_loader_init(kl_batch_loader *l, const kloop_allocator *alloc)
{
    *l = (kl_batch_loader){.alloc = *alloc};
}

void kl_batch_loader_deinit(kl_batch_loader *l)
{
    kloop_batch_writer_del(l->writer);
    l->writer = NULL;
}

static fields open_object(kl_json *value, const char *name, kl_load_error *error)
{
    fields f = {.object = value, .error = error};
    f.failed = !kl_json_value_object(value, name, error);
    return f;
}

static kl_json *take(fields *f, const char *name)
{
    if (f->failed)
        return NULL;
    kl_json *value = kl_json_take(f->object, name, &f->hint);
    if (!value)
        f->failed = !kl_json_value_refuse(f->object, name, "is missing", f->error);
    return value;
}

static int64_t take_integer(fields *f, const char *name, int64_t min, int64_t max)
{
    int64_t number = 0;
    kl_json *value = take(f, name);
    if (value && !kl_json_value_integer(value, name, min, max, &number, f->error))
        f->failed = true;
    return number;
}

static bool take_bool(fields *f, const char *name)
{
    bool truth = false;
    kl_json *value = take(f, name);
    if (value && !kl_json_value_bool(value, name, &truth, f->error))
        f->failed = true;
    return truth;
}

/* The value, so that a text which is none of those allowed can be refused at its place. */
static kl_json *take_text(fields *f, const char *name, kloop_string *text)
{
    kl_json *value = take(f, name);
    *text = (kloop_string){"", 0};
    if (value && !kl_json_value_text(value, name, text, f->error))
        f->failed = true;
    return value;
}

static kloop_slice take_bytes_or_null(fields *f, const char *name, kl_arena *arena)
{
    kloop_slice bytes = {NULL, 0};
    kl_json *value = take(f, name);
    if (value && kl_json_type_of(value) != KL_JSON_NULL &&
        !kl_json_value_bytes(value, name, arena, &bytes, f->error))
        f->failed = true;
    return bytes;
}

static kl_json *take_array(fields *f, const char *name)
{
    kl_json *value = take(f, name);
    if (value && !kl_json_value_array(value, name, f->error))
        f->failed = true;
    return f->failed ? NULL : value;
}

static bool close_object(fields *f, const char *owner)
{
    return !f->failed && kl_json_value_no_unknown_key(f->object, owner, f->error);
}

static bool is_text(kloop_string text, const char *wanted)
{
    return text.len == strlen(wanted) && memcmp(text.data, wanted, text.len) == 0;
}

/* One of two words, or a refusal. */
static bool take_second_of(fields *f, const char *name, const char *first, const char *second)
{
    kloop_string text;
    kl_json *value = take_text(f, name, &text);
    if (f->failed || is_text(text, second))
        return true;
    if (!is_text(text, first)) {
        char reason[80];
        snprintf(reason, sizeof reason, "'%s' or '%s' is needed", first, second);
        f->failed = !kl_json_value_refuse(value, name, reason, f->error);
    }
    return false;
}

static int16_t take_codec(fields *f)
{
    kloop_string name;
    kl_json *value = take_text(f, "compression", &name);
    if (f->failed || is_text(name, "none"))
        return 0;
    const kl_codec *codec = kl_codec_by_name(name.data, name.len);
    if (codec)
        return (int16_t)codec->id;
    f->failed = !kl_json_value_refuse(value, "compression",
                                      "none, gzip, snappy, lz4 or zstd is needed", f->error);
    return 0;
}

static void load_header(fields *f, kloop_batch_header *header)
{
    kl_json *hint = NULL;
    /* Known, so that what batch-decode prints can be given back, and not used. */
    if (!f->failed)
        kl_json_take(f->object, "crc", &hint);
    header->base_offset = take_integer(f, "baseOffset", INT64_MIN, INT64_MAX);
    header->partition_leader_epoch =
        (int32_t)take_integer(f, "partitionLeaderEpoch", INT32_MIN, INT32_MAX);
    header->magic = (int8_t)take_integer(f, "magic", 2, 2);
    header->attributes = take_codec(f);
    if (take_second_of(f, "timestampType", "create", "append"))
        header->attributes |= KLOOP_BATCH_APPEND_TIME;
    if (take_bool(f, "transactional"))
        header->attributes |= KLOOP_BATCH_TRANSACTIONAL;
    if (take_bool(f, "control"))
        header->attributes |= KLOOP_BATCH_CONTROL;
    header->last_offset_delta = (int32_t)take_integer(f, "lastOffsetDelta", INT32_MIN, INT32_MAX);
    header->base_timestamp = take_integer(f, "baseTimestamp", INT64_MIN, INT64_MAX);
    header->max_timestamp = take_integer(f, "maxTimestamp", INT64_MIN, INT64_MAX);
    header->producer_id = take_integer(f, "producerId", INT64_MIN, INT64_MAX);
    header->producer_epoch = (int16_t)take_integer(f, "producerEpoch", INT16_MIN, INT16_MAX);
    header->base_sequence = (int32_t)take_integer(f, "baseSequence", INT32_MIN, INT32_MAX);
}

static bool load_record_headers(kl_json *list, kl_arena *arena, kloop_record_headers *headers,
                                kl_load_error *error)
{
    kloop_record_header *items = kl_arena_zalloc(arena, list->count + 1, sizeof *items);
    if (!items)
        return kl_json_value_refuse(list, "headers", "no memory", error);
    kl_json *element = list->count > 0 ? kl_json_first(list) : NULL;
    for (size_t i = 0; i < list->count; i++, element = kl_json_next(element)) {
        fields f = open_object(element, "headers", error);
        take_text(&f, "key", &items[i].key);
        items[i].value = take_bytes_or_null(&f, "value", arena);
        if (!close_object(&f, "a record's header"))
            return false;
    }
    *headers = kloop_record_headers_of(items, (int32_t)list->count);
    return true;
}

static bool load_record(kl_json *element, kl_arena *arena, kloop_batch_record *record,
                        kl_load_error *error)
{
    fields f = open_object(element, "records", error);
    record->offset = take_integer(&f, "offset", INT64_MIN, INT64_MAX);
    record->timestamp = take_integer(&f, "timestamp", INT64_MIN, INT64_MAX);
    record->key = take_bytes_or_null(&f, "key", arena);
    record->value = take_bytes_or_null(&f, "value", arena);
    kl_json *headers = take_array(&f, "headers");
    return close_object(&f, "a record") &&
           load_record_headers(headers, arena, &record->headers, error);
}

static bool refuse_fault(const kl_json *where, const kloop_fault *fault, kl_load_error *error)
{
    char reason[200];
    kloop_fault_reason(fault, reason, sizeof reason);
    return kl_json_value_refuse(where, NULL, reason, error);
}

static bool load_batch(kl_batch_loader *l, kl_json *root, kl_arena *arena, kl_buf *out,
                       kl_load_error *error)
{
    kloop_fault fault;
    kloop_batch_header header;
    kloop_batch_header_init(&header);
    fields f = open_object(root, NULL, error);
    load_header(&f, &header);
    kl_json *records = take_array(&f, "records");
    if (!close_object(&f, "a batch"))
        return false;
    kloop_batch_writer_start(l->writer, &header);
    kl_json *element = records->count > 0 ? kl_json_first(records) : NULL;
    for (size_t i = 0; i < records->count; i++, element = kl_json_next(element)) {
        kloop_batch_record record = {0};
        if (!load_record(element, arena, &record, error))
            return false;
        if (kloop_batch_writer_add(l->writer, &record, &fault))
            return refuse_fault(element, &fault, error);
    }
    kloop_slice batch;
    if (kloop_batch_writer_end(l->writer, &batch, &fault))
        return refuse_fault(root, &fault, error);
    if (!kl_buf_append(out, batch.data, batch.len))
        return kl_json_value_refuse(root, NULL, "no memory", error);
    return true;
}

bool kl_batch_load(kl_batch_loader *l, kl_json *root, kl_arena *arena, kl_buf *out,
                   kl_load_error *error)
{
    if (!l->writer)
        l->writer = kloop_batch_writer_new(&l->alloc);
    if (!l->writer)
        return kl_json_value_refuse(root, NULL, "no memory", error);
    if (kl_json_type_of(root) != KL_JSON_ARRAY)
        return load_batch(l, root, arena, out, error);
    if (root->count == 0)
        return kl_json_value_refuse(root, NULL, "a batch is needed, or an array of them", error);
    kl_json *element = kl_json_first(root);
    for (size_t i = 0; i < root->count; i++, element = kl_json_next(element)) {
        if (!load_batch(l, element, arena, out, error))
            return false;
    }
    return true;
}
