/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects to records. See json_input.h. */
#include "cli/json_input.h"

#include "base/excerpt.h"
#include "base/nearest.h"
#include "wiretools/json_value.h"

#include <stdio.h>
#include <string.h>

/* An object whose members are being taken, in the order they usually have. */
typedef struct members {
    kl_json *object;
    kl_json *hint;
    kl_arena *arena;
    kl_load_error *error;
} members;

static kl_json *take(members *m, const char *name)
{
    return kl_json_take(m->object, name, &m->hint);
}

/* What is null is as what is not there. */
static kl_json *take_given(members *m, const char *name)
{
    kl_json *v = take(m, name);
    return v && kl_json_type_of(v) != KL_JSON_NULL ? v : NULL;
}

static bool is_null(const kl_json *v)
{
    return kl_json_type_of(v) == KL_JSON_NULL;
}

/* A key or a value, or its twin in base64. *given: was one of them there? */
static bool take_bytes(members *m, const char *name, const char *name64, kloop_slice *bytes,
                       bool *given)
{
    kl_json *plain = take(m, name);
    kl_json *twin = take(m, name64);
    *bytes = (kloop_slice){NULL, 0};
    *given = plain || twin;
    if (plain && twin) {
        char reason[64];
        snprintf(reason, sizeof reason, "%s is there too, only one of them may be", name);
        return kl_json_value_refuse(twin, name64, reason, m->error);
    }
    if (!*given || is_null(plain ? plain : twin))
        return true;
    if (twin)
        return kl_json_value_bytes(twin, name64, m->arena, bytes, m->error);
    if (kl_json_type_of(plain) != KL_JSON_STRING)
        return kl_json_value_refuse_type(
            plain, name, "a string or null (put it in quotes; JSON goes in as text)", m->error);
    kloop_string text = kl_json_string(plain);
    *bytes = (kloop_slice){(const uint8_t *)text.data, text.len};
    return true;
}

static bool refuse_missing(members *m, const char *owner, const char *name, const char *todo)
{
    char reason[160];
    snprintf(reason, sizeof reason, "%s has no %s%s", owner, name, todo);
    return kl_json_value_refuse(m->object, NULL, reason, m->error);
}

/* What nobody knows is refused, with the nearest name there is. */
static bool no_other(members *m, const char *owner, const char *const *names, size_t count)
{
    kl_json *other = kl_json_first_untaken(m->object);
    if (!other)
        return true;
    char reason[200], excerpt[KL_EXCERPT_SIZE];
    kloop_string typed = kl_json_string(other);
    const char *near = NULL;
    for (size_t i = 0; i < count; i++)
        near = kl_nearest_of(near, names[i], typed);
    int n = snprintf(reason, sizeof reason, "%s has no member '%s'", owner,
                     kl_excerpt(excerpt, sizeof excerpt, typed));
    if (near)
        snprintf(reason + n, sizeof reason - (size_t)n, ", did you mean '%s'?", near);
    return kl_json_value_refuse(other, NULL, reason, m->error);
}

static bool read_header(kl_json_input *in, kl_json *v, kloop_record_header *header,
                        kl_load_error *error)
{
    static const char *const names[] = {"key", "value", "key64", "value64"};
    if (kl_json_type_of(v) != KL_JSON_OBJECT)
        return kl_json_value_refuse_type(v, "headers", "an object with key and value", error);
    members m = {.object = v, .arena = &in->arena, .error = error};
    kloop_slice key;
    bool given;
    if (!take_bytes(&m, "key", "key64", &key, &given))
        return false;
    if (!key.data)
        return refuse_missing(&m, "a header", "key", ", or null for one");
    header->key = (kloop_string){(const char *)key.data, key.len};
    if (!take_bytes(&m, "value", "value64", &header->value, &given))
        return false;
    if (!given)
        return refuse_missing(&m, "a header", "value", "; null is a value that is null");
    return no_other(&m, "a header", names, sizeof names / sizeof names[0]);
}

static bool read_headers(kl_json_input *in, kl_json *list, kloop_record *record,
                         kl_load_error *error)
{
    if (kl_json_type_of(list) != KL_JSON_ARRAY)
        return kl_json_value_refuse_type(list, "headers", "an array of objects", error);
    if (list->count > KLOOP_HEADERS_MAX)
        return kl_json_value_refuse(list, "headers", "there are more than 65535", error);
    if (list->count == 0)
        return true;
    kloop_record_header *headers =
        kl_arena_zalloc(&in->arena, list->count, sizeof(kloop_record_header));
    if (!headers)
        return kl_json_value_refuse(list, "headers", "no memory", error);
    kl_json *v = kl_json_first(list);
    for (size_t i = 0; i < list->count; i++, v = kl_json_next(v)) {
        if (!read_header(in, v, &headers[i], error))
            return false;
    }
    record->headers = headers;
    record->header_count = (uint32_t)list->count;
    return true;
}

static bool take_topic(members *m, kloop_string *topic)
{
    kl_json *v = take_given(m, "topic");
    if (!v)
        return true;
    if (!kl_json_value_text(v, "topic", topic, m->error))
        return false;
    if (topic->len == 0 || memchr(topic->data, 0, topic->len))
        return kl_json_value_refuse(v, "topic", "this is no topic's name", m->error);
    char *copy = kl_arena_alloc_bytes(m->arena, topic->len + 1);
    if (!copy)
        return kl_json_value_refuse(v, "topic", "no memory", m->error);
    memcpy(copy, topic->data, topic->len);
    copy[topic->len] = '\0';
    topic->data = copy;
    return true;
}

static bool take_numbers(members *m, kloop_record *record)
{
    int64_t n;
    kl_json *v = take_given(m, "partition");
    if (v) {
        if (!kl_json_value_integer(v, "partition", 0, INT32_MAX, &n, m->error))
            return false;
        record->partition = (int32_t)n;
        record->set |= KLOOP_SET_PARTITION;
    }
    v = take_given(m, "timestamp");
    if (v) {
        if (!kl_json_value_integer(v, "timestamp", 0, INT64_MAX, &record->timestamp_ms, m->error))
            return false;
        record->set |= KLOOP_SET_TIMESTAMP;
    }
    return true;
}

static bool read_over_letter(members *m)
{
    static const char *const names[] = {"outcome", "error", "message"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        kloop_string text;
        kl_json *v = take(m, names[i]);
        if (v && !kl_json_value_text(v, names[i], &text, m->error))
            return false;
    }
    return true;
}

static bool read_record(kl_json_input *in, kl_json *root, kl_input_record *out,
                        kl_load_error *error)
{
    static const char *const names[] = {"topic", "partition", "timestamp", "key",
                                        "value", "headers",   "key64",     "value64"};
    if (kl_json_type_of(root) != KL_JSON_OBJECT)
        return kl_json_value_refuse_type(root, NULL, "an object, as {\"value\":\"...\"},", error);
    members m = {.object = root, .arena = &in->arena, .error = error};
    bool has_value;
    if (!take_topic(&m, &out->topic) || !take_numbers(&m, &out->record) ||
        !take_bytes(&m, "key", "key64", &out->record.key, &out->has_key) ||
        !take_bytes(&m, "value", "value64", &out->record.value, &has_value))
        return false;
    kl_json *headers = take_given(&m, "headers");
    if (headers) {
        out->has_headers = true;
        if (!read_headers(in, headers, &out->record, error))
            return false;
    }
    if (!read_over_letter(&m) || !no_other(&m, "a record", names, sizeof names / sizeof names[0]))
        return false;
    /* Last, so that a misspelt one is told by its name. */
    if (!has_value)
        return refuse_missing(&m, "the record", "value", "; write \"value\":null for a tombstone");
    return true;
}

void kl_json_input_init(kl_json_input *in, const kloop_allocator *alloc)
{
    kl_json_doc_init(&in->doc, alloc);
    kl_arena_init(&in->arena, alloc);
}

void kl_json_input_deinit(kl_json_input *in)
{
    kl_arena_deinit(&in->arena);
    kl_json_doc_deinit(&in->doc);
}

bool kl_json_input_read(kl_json_input *in, kloop_string line, kl_input_record *out,
                        kl_input_fault *fault)
{
    kl_load_error error = {.reason = ""};
    const char *reason = error.reason;
    size_t offset;
    kl_arena_reset(&in->arena);
    *out = (kl_input_record){.has_key = false};
    kl_json *root = kl_json_read(&in->doc, line.data, line.len);
    if (!root) {
        reason = in->doc.error.reason;
        offset = in->doc.error.offset;
    } else if (read_record(in, root, out, &error)) {
        return true;
    } else {
        offset = error.offset;
    }
    fault->byte = offset + 1;
    snprintf(fault->text, sizeof fault->text, "%s", reason);
    return false;
}
