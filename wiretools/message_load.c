/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON to a message in two steps: a walk under KL_LOAD fills the message's struct from the tree
 * (types, ranges, what is missing, what is unknown), then the struct is encoded (what the version
 * cannot carry, lengths, nulls). A fault of the second step is found again in the text by the path
 * that it carries.
 */
#include "wiretools/message_load.h"

#include "protocol/api.h"
#include "protocol/walk.h"

#include <stdio.h>

/* Deeper than any message is nested. */
#define DEPTH_MAX 8

/* Where the walk is in the tree: an object being filled from, or a list of plain elements. */
typedef struct level {
    kl_json *object;
    kl_json *hint;
    kl_json *element; /* of the list that is being walked: the next one */
} level;

typedef struct loader {
    kl_tap tap; /* first: the walk hands it back to us */
    const char *api_name;
    kl_arena *arena;
    kl_load_error *error;
    level levels[DEPTH_MAX];
    int depth;
} loader;

/* A reason was noted: the walk ends. Always false. */
static bool stop(kl_walk *w)
{
    kl_walk_fail(w, KLOOP_BAD_INPUT, 0, 0, 0);
    return false;
}

static bool refuse(loader *l, kl_walk *w, const kl_json *where, const char *name,
                   const char *reason)
{
    kl_json_value_refuse(where, name, reason, l->error);
    return stop(w);
}

/* The JSON value of a field: NULL when there is none, which is refused where the version wants one.
 */
static kl_json *value_of(loader *l, kl_walk *w, const kl_field *field)
{
    level *at = &l->levels[l->depth];
    if (!field->name) {
        kl_json *element = at->element;
        at->element = kl_json_next(element);
        return element;
    }
    kl_json *value = kl_json_take(at->object, field->name, &at->hint);
    if (!value && kl_walk_carries(w, field) && !field->tagged) {
        char reason[160];
        snprintf(reason, sizeof reason, "is missing, %s version %d has it", l->api_name,
                 w->version);
        refuse(l, w, at->object, field->name, reason);
    }
    return value;
}

static bool is_null(loader *l, kl_walk *w, const kl_field *field, const kl_json *value)
{
    if (kl_json_type_of(value) != KL_JSON_NULL)
        return false;
    if (!field->nullable || (kl_walk_carries(w, field) && w->version < (int)field->null_since))
        refuse(l, w, value, field->name, "null, which is not allowed here in this version");
    return true;
}

static bool load_integer(loader *l, const kl_json *json, const kl_field *field, int64_t max,
                         int64_t *number)
{
    return kl_json_value_integer(json, field->name, -max - 1, max, number, l->error);
}

/* A value that is not null. */
static bool load_plain(loader *l, const kl_json *json, const kl_field *field, kl_kind kind,
                       void *value)
{
    int64_t number = 0;
    bool ok;
    switch (kind) {
    case KL_BOOL:
        return kl_json_value_bool(json, field->name, value, l->error);
    case KL_INT8:
        ok = load_integer(l, json, field, INT8_MAX, &number);
        *(int8_t *)value = (int8_t)number;
        return ok;
    case KL_INT16:
        ok = load_integer(l, json, field, INT16_MAX, &number);
        *(int16_t *)value = (int16_t)number;
        return ok;
    case KL_INT32:
        ok = load_integer(l, json, field, INT32_MAX, &number);
        *(int32_t *)value = (int32_t)number;
        return ok;
    case KL_INT64:
        return load_integer(l, json, field, INT64_MAX, value);
    case KL_UUID:
        return kl_json_value_uuid(json, field->name, value, l->error);
    case KL_STRING:
        return kl_json_value_text(json, field->name, value, l->error);
    case KL_BYTES:
        return kl_json_value_bytes(json, field->name, l->arena, value, l->error);
    case KL_RECORDS:
        return kl_json_value_bytes(json, field->name, l->arena, &((kloop_records *)value)->head,
                                   l->error);
    case KL_ARRAY:
    case KL_STRUCT:
        break;
    }
    KL_UNREACHABLE();
}

static void set_null(kl_kind kind, void *value)
{
    if (kind == KL_STRING)
        *(kloop_string *)value = (kloop_string){NULL, 0};
    else if (kind == KL_BYTES)
        *(kloop_slice *)value = (kloop_slice){NULL, 0};
    else if (kind == KL_RECORDS)
        *(kloop_records *)value = (kloop_records){{NULL, 0}, NULL, 0};
}

static void load_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                       const uint8_t *from)
{
    (void)from;
    loader *l = (loader *)tap;
    kl_json *json = value_of(l, w, field);
    if (!json)
        return;
    if (is_null(l, w, field, json))
        set_null(kind, value);
    else if (!load_plain(l, json, field, kind, value))
        stop(w);
}

static void descend(loader *l, level to)
{
    KL_ASSERT(l->depth + 1 < DEPTH_MAX);
    l->levels[++l->depth] = to;
}

static bool load_array_begin(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                             const uint8_t *from)
{
    (void)from;
    loader *l = (loader *)tap;
    kl_json *json = value_of(l, w, field);
    if (!json)
        return false;
    if (is_null(l, w, field, json)) {
        array->count = -1;
        return false;
    }
    if (!kl_json_value_array(json, field->name, l->error))
        return stop(w);
    /* Not even where the field may be dropped: its elements are structs that the version does not
     * know. */
    if (json->count > 0 && field->type->kind == KL_STRUCT && !kl_walk_carries(w, field))
        return refuse(l, w, json, field->name,
                      "this version has no such field, and the list is not empty");
    array->count = (int32_t)json->count;
    array->data = NULL;
    if (array->count > 0) {
        array->data = kl_arena_zalloc(l->arena, json->count, field->type->size);
        if (!array->data)
            return refuse(l, w, json, field->name, "no memory");
    }
    descend(l, (level){.element = json->count > 0 ? kl_json_first(json) : NULL});
    return true;
}

static void load_array_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)w;
    (void)field;
    ((loader *)tap)->depth--;
}

static bool load_struct_begin(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    loader *l = (loader *)tap;
    kl_json *json;
    if (index < 0) {
        json = value_of(l, w, field);
        if (!json)
            return false;
    } else {
        json = l->levels[l->depth].element;
        l->levels[l->depth].element = kl_json_next(json);
    }
    if (!kl_json_value_object(json, field->name, l->error))
        return stop(w);
    descend(l, (level){.object = json});
    return true;
}

static void load_struct_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)field;
    loader *l = (loader *)tap;
    if (!kl_json_value_no_unknown_key(l->levels[l->depth].object, l->api_name, l->error))
        stop(w);
    l->depth--;
}

/* Where in the text the value stands that the encoder refused. */
static size_t offset_of(const kloop_fault *fault, kl_json *root)
{
    kl_json *at = root;
    for (int i = fault->depth; i-- > 0;) {
        kl_json *hint = NULL;
        at = kl_json_take(at, fault->path[i].name, &hint);
        /* What the text does not have is at its default, and that is never refused. */
        KL_ASSERT(at != NULL);
        if (fault->path[i].index < 0)
            continue;
        at = kl_json_first(at);
        for (int32_t k = 0; k < fault->path[i].index; k++)
            at = kl_json_next(at);
    }
    return kl_json_offset(at);
}

static bool encode(kl_buf *out, const kloop_message_type *type, int16_t version, void *message,
                   kl_json *root, kl_load_error *error)
{
    kl_walk w;
    kl_walk_measure(&w);
    uint8_t *room = NULL;
    if (kl_walk_message(&w, type, version, message) == KLOOP_OK) {
        size_t size = w.own + w.borrowed;
        room = kl_buf_reserve(out, size, NULL);
        if (!room) {
            snprintf(error->reason, sizeof error->reason, "no memory");
            error->offset = 0;
            return false;
        }
        kl_walk_encode(&w, room, size);
        kl_walk_message(&w, type, version, message);
    }
    if (kl_walk_failed(&w)) {
        w.fault.at = offset_of(&w.fault, root);
        error->offset = w.fault.at;
        kloop_fault_reason(&w.fault, error->reason, sizeof error->reason);
        return false;
    }
    kl_buf_commit(out, kl_walk_at(&w));
    return true;
}

bool kl_message_load(kl_buf *out, int16_t api_key, kloop_half half, int16_t version, kl_json *root,
                     kl_arena *arena, kl_load_error *error)
{
    kloop_fault fault;
    const kloop_message_type *type = kl_api_type(api_key, half, version, &fault);
    if (!type) {
        kloop_fault_reason(&fault, error->reason, sizeof error->reason);
        error->offset = 0;
        return false;
    }
    loader l = {
        .tap = {load_value, load_array_begin, load_array_end, load_struct_begin, load_struct_end},
        .api_name = kloop_api_find(api_key)->name,
        .arena = arena,
        .error = error};
    kl_message message;
    kl_walk w;
    kl_walk_load(&w, &l.tap);
    if (!kl_json_value_object(root, NULL, error))
        return false;
    l.levels[0] = (level){.object = root};
    kl_walk_message(&w, type, version, &message);
    if (kl_walk_failed(&w) || !kl_json_value_no_unknown_key(root, l.api_name, error))
        return false;
    return encode(out, type, version, &message, root, error);
}
