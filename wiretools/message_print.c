/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk's fields, as they are decoded, into a JSON writer. */
#include "wiretools/message_print.h"

#include "protocol/api.h"
#include "protocol/walk.h"

typedef struct printer {
    kl_tap tap; /* first: the walk hands it back to us */
    kl_json_writer *out;
} printer;

static kl_json_writer *writer_of(kl_tap *tap)
{
    return ((printer *)tap)->out;
}

static void put_key(kl_json_writer *out, const kl_field *field)
{
    if (field->name)
        kl_json_write_key(out, field->name);
}

static void show_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                       const uint8_t *from)
{
    (void)w;
    (void)from;
    kl_json_writer *out = writer_of(tap);
    put_key(out, field);
    switch (kind) {
    case KL_BOOL:
        kl_json_write_bool(out, *(const bool *)value);
        break;
    case KL_INT8:
        kl_json_write_int64(out, *(const int8_t *)value);
        break;
    case KL_INT16:
        kl_json_write_int64(out, *(const int16_t *)value);
        break;
    case KL_INT32:
        kl_json_write_int64(out, *(const int32_t *)value);
        break;
    case KL_INT64:
        kl_json_write_int64(out, *(const int64_t *)value);
        break;
    case KL_UUID:
        kl_json_write_uuid(out, value);
        break;
    case KL_STRING:
        kl_json_write_string(out, *(const kloop_string *)value);
        break;
    case KL_BYTES:
        kl_json_write_base64(out, *(const kloop_slice *)value);
        break;
    case KL_RECORDS:
        kl_json_write_base64(out, ((const kloop_records *)value)->head);
        break;
    case KL_ARRAY:
    case KL_STRUCT:
        KL_UNREACHABLE();
    }
}

static bool show_array_begin(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                             const uint8_t *from)
{
    (void)w;
    (void)from;
    kl_json_writer *out = writer_of(tap);
    put_key(out, field);
    if (array->count < 0)
        kl_json_write_null(out);
    else
        kl_json_write_array_begin(out);
    return true;
}

static void show_array_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)w;
    (void)field;
    kl_json_write_array_end(writer_of(tap));
}

static bool show_struct_begin(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    (void)w;
    if (index < 0)
        put_key(writer_of(tap), field);
    kl_json_write_object_begin(writer_of(tap));
    return true;
}

static void show_struct_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)w;
    (void)field;
    kl_json_write_object_end(writer_of(tap));
}

kloop_status kl_message_print(kl_json_writer *out, int16_t api_key, kloop_half half,
                              int16_t version, kloop_slice bytes, kloop_fault *fault)
{
    const kloop_message_type *type = kl_api_type(api_key, half, version, fault);
    if (!type)
        return fault->status;
    printer p = {{show_value, show_array_begin, show_array_end, show_struct_begin, show_struct_end},
                 out};
    kl_message message;
    kl_walk w;
    kl_walk_decode_shown(&w, bytes.data, bytes.len, &p.tap);
    kl_json_write_object_begin(out);
    if (kl_walk_message(&w, type, version, &message) == KLOOP_OK && w.pos != w.end)
        kl_walk_fail(&w, KLOOP_TRAILING, kl_walk_at(&w), w.end - w.pos, 0);
    if (!kl_walk_failed(&w))
        kl_json_write_object_end(out);
    *fault = w.fault;
    return fault->status;
}
