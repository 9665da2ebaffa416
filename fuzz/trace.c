/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "fuzz/trace.h"

#include "fuzz/fuzz.h"
#include "protocol/api.h"

/* Field names are literals of the message files: the same field has the same address in both
 * directions. */
typedef struct entry {
    const char *name;
    int64_t number; /* the value, the length, the count */
    char letter;
} entry;

static void put(kl_buf *trace, const void *bytes, size_t len)
{
    KL_FUZZ_CHECK(kl_buf_append(trace, bytes, len));
}

static void put_entry(kl_buf *trace, char letter, const kl_field *field, int64_t number)
{
    entry e;
    memset(&e, 0, sizeof e);
    e.name = field ? field->name : NULL;
    e.number = number;
    e.letter = letter;
    put(trace, &e, sizeof e);
}

static void put_run(kl_buf *trace, const kl_field *field, const void *data, size_t len)
{
    put_entry(trace, 'r', field, data ? (int64_t)len : -1);
    if (data)
        put(trace, data, len);
}

static void put_records(kl_buf *trace, const kl_field *field, const kloop_records *records)
{
    if (!records->head.data && records->body_count == 0) {
        put_entry(trace, 'r', field, -1);
        return;
    }
    size_t len = records->head.len;
    for (size_t i = 0; i < records->body_count; i++)
        len += records->body[i].len;
    put_entry(trace, 'r', field, (int64_t)len);
    put(trace, records->head.data, records->head.len);
    for (size_t i = 0; i < records->body_count; i++)
        put(trace, records->body[i].data, records->body[i].len);
}

void kl_trace_value(kl_buf *trace, const kl_field *field, kl_kind kind, const void *value)
{
    switch (kind) {
    case KL_BOOL:
        put_entry(trace, 'n', field, *(const bool *)value);
        return;
    case KL_INT8:
        put_entry(trace, 'n', field, *(const int8_t *)value);
        return;
    case KL_INT16:
        put_entry(trace, 'n', field, *(const int16_t *)value);
        return;
    case KL_INT32:
        put_entry(trace, 'n', field, *(const int32_t *)value);
        return;
    case KL_INT64:
        put_entry(trace, 'n', field, *(const int64_t *)value);
        return;
    case KL_UUID:
        put_run(trace, field, value, sizeof(kloop_uuid));
        return;
    case KL_STRING:
        put_run(trace, field, ((const kloop_string *)value)->data,
                ((const kloop_string *)value)->len);
        return;
    case KL_BYTES:
        put_run(trace, field, ((const kloop_slice *)value)->data,
                ((const kloop_slice *)value)->len);
        return;
    case KL_RECORDS:
        put_records(trace, field, value);
        return;
    case KL_ARRAY:
    case KL_STRUCT:
        break;
    }
    KL_UNREACHABLE();
}

void kl_trace_array_begin(kl_buf *trace, const kl_field *field, const kloop_array *array)
{
    put_entry(trace, 'a', field, array->count);
}

void kl_trace_array_end(kl_buf *trace)
{
    put_entry(trace, 'e', NULL, 0);
}

void kl_trace_struct_begin(kl_buf *trace, const kl_field *field, int32_t index)
{
    put_entry(trace, 's', field, index);
}

void kl_trace_struct_end(kl_buf *trace)
{
    put_entry(trace, 't', NULL, 0);
}

/* ---- Of bytes ---- */

typedef struct tracer {
    kl_tap tap; /* first: the walk hands it back to us */
    kl_buf *trace;
} tracer;

static kl_buf *trace_of(kl_tap *tap)
{
    return ((tracer *)tap)->trace;
}

static void show_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                       const uint8_t *from)
{
    KL_FUZZ_CHECK(from >= w->start && from <= w->pos && w->pos <= w->end);
    kl_trace_value(trace_of(tap), field, kind, value);
}

static bool show_array_begin(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                             const uint8_t *from)
{
    KL_FUZZ_CHECK(from >= w->start && from < w->pos);
    kl_trace_array_begin(trace_of(tap), field, array);
    return true;
}

static void show_array_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)w;
    (void)field;
    kl_trace_array_end(trace_of(tap));
}

static bool show_struct_begin(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    (void)w;
    kl_trace_struct_begin(trace_of(tap), field, index);
    return true;
}

static void show_struct_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)w;
    (void)field;
    kl_trace_struct_end(trace_of(tap));
}

kloop_status kl_trace_bytes(kl_buf *trace, const kloop_message_type *type, int16_t version,
                            const uint8_t *bytes, size_t len)
{
    tracer t = {{show_value, show_array_begin, show_array_end, show_struct_begin, show_struct_end},
                trace};
    kl_message message;
    kl_walk w;
    kl_walk_decode_shown(&w, bytes, len, &t.tap);
    return kl_walk_message(&w, type, version, &message);
}
