/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk's turnstile: which mode does what at a field, at a list, at the tagged fields. See
 * walk.h. */
#include "protocol/walk.h"

#include "protocol/walk_parts.h"

#include <kloop/wire.h>

/* ---- Starting and ending ---- */

void kl_walk_decode(kl_walk *w, const void *bytes, size_t len)
{
    static const uint8_t empty[1];
    kl_walk_begin(w, KL_DECODE);
    w->fast = true;
    w->start = w->pos = bytes ? bytes : empty;
    w->end = w->start + (bytes ? len : 0);
}

void kl_walk_decode_shown(kl_walk *w, const void *bytes, size_t len, kl_tap *tap)
{
    kl_walk_decode(w, bytes, len);
    w->fast = false;
    w->tap = tap;
}

void kl_walk_encode(kl_walk *w, void *buffer, size_t capacity)
{
    /* Of no size: never written to. */
    static const uint8_t nowhere[1];
    kl_walk_begin(w, KL_ENCODE);
    w->out_start = w->out = w->piece = buffer ? buffer : (uint8_t *)(uintptr_t)nowhere;
    w->out_end = w->out + (buffer ? capacity : 0);
    w->slices = NULL;
    w->slice_count = w->slice_max = w->copy_max = 0;
}

void kl_walk_measure(kl_walk *w)
{
    kl_walk_begin(w, KL_MEASURE);
    w->out = NULL;
    w->own = w->borrowed = w->gap_own = w->slice_count = w->copy_max = 0;
}

void kl_walk_load(kl_walk *w, kl_tap *tap)
{
    kl_walk_begin(w, KL_LOAD);
    w->tap = tap;
}

kloop_status kl_walk_message(kl_walk *w, const kloop_message_type *type, int16_t version,
                             void *message)
{
    w->version = version;
    w->flexible = version >= type->flexible_since;
    type->walk(w, message);
    return w->fault.status;
}

void kl_walk_reset(const kloop_message_type *type, void *message)
{
    kl_walk w;
    kl_walk_begin(&w, KL_RESET);
    type->walk(&w, message);
}

size_t kl_walk_at(const kl_walk *w)
{
    switch (w->mode) {
    case KL_DECODE:
        return (size_t)(w->pos - w->start);
    case KL_ENCODE:
        return (size_t)(w->out - w->out_start);
    case KL_MEASURE:
        return w->own + w->borrowed;
    default:
        return 0;
    }
}

void kl_walk_fail(kl_walk *w, kloop_status status, size_t at, int64_t a, int64_t b)
{
    if (kl_walk_failed(w))
        return;
    w->fault = (kloop_fault){.status = status, .at = at, .a = a, .b = b};
    /* Nothing fits any more, so the inline paths need no check of their own. */
    if (w->mode == KL_DECODE)
        w->end = w->pos;
    else if (w->mode == KL_ENCODE)
        w->out_end = w->out;
}

void kl_walk_blame(kl_walk *w, const kl_field *f, int32_t index)
{
    if (!f->name || w->fault.depth == KLOOP_FAULT_DEPTH_MAX)
        return;
    w->fault.path[w->fault.depth].name = f->name;
    w->fault.path[w->fault.depth].index = index;
    w->fault.depth++;
}

/* ---- Lists ---- */

static bool walk_element(kl_walk *w, const kl_field *f, int32_t index, void *element)
{
    bool is_struct = f->type->kind == KL_STRUCT;
    if (w->tap && is_struct && !w->tap->struct_begin(w->tap, w, f, index))
        return !kl_walk_failed(w);
    f->type->walk(w, element);
    if (w->tap && is_struct && !kl_walk_failed(w))
        w->tap->struct_end(w->tap, w, f);
    if (!kl_walk_failed(w))
        return true;
    kl_walk_blame(w, f, index);
    return false;
}

/* The elements of a list, to see that they are sound and where they end. */
static bool check_elements(kl_walk *w, const kl_field *f, int32_t count)
{
    kl_element scratch;
    KL_ASSERT(f->type->size <= sizeof scratch);
    for (int32_t i = 0; i < count; i++) {
        /* Without a tap there is nothing to announce. */
        if (KL_LIKELY(w->fast))
            f->type->walk(w, &scratch);
        else if (!walk_element(w, f, i, &scratch))
            return false;
        if (KL_UNLIKELY(kl_walk_failed(w))) {
            kl_walk_blame(w, f, i);
            return false;
        }
    }
    return true;
}

static void decode_array(kl_walk *w, const kl_field *f, kloop_array *array)
{
    const uint8_t *from = w->pos;
    int32_t count = kl_walk_read_count(w, f);
    const uint8_t *elements = w->pos;
    if (kl_walk_failed(w)) {
        kl_walk_blame(w, f, -1);
        return;
    }
    kloop_array found = {elements, 0, f->type, count, w->version, w->flexible};
    if (w->tap)
        w->tap->array_begin(w->tap, w, f, &found, from);
    if (f->type->fixed_bytes && !w->tap)
        w->pos += count > 0 ? f->type->fixed_bytes * (size_t)count : 0;
    else if (!check_elements(w, f, count))
        return;
    found.len = (size_t)(w->pos - elements);
    *array = found;
    if (w->tap && count >= 0)
        w->tap->array_end(w->tap, w, f);
}

static void write_array(kl_walk *w, const kl_field *f, const kloop_array *array)
{
    bool decoded = array->type != NULL;
    if (decoded ? array->type != f->type : array->count > 0 && !array->data) {
        kl_walk_fail(w, KLOOP_BAD_ARRAY, kl_walk_at(w), 0, 0);
        kl_walk_blame(w, f, -1);
        return;
    }
    kl_walk_write_count(w, f, array->count);
    if (kl_walk_failed(w)) {
        kl_walk_blame(w, f, -1);
        return;
    }
    if (decoded) {
        kl_element scratch;
        KL_ASSERT(f->type->size <= sizeof scratch);
        kloop_iter it = kloop_iterate(array);
        while (kloop_next_sized(&it, &scratch, f->type->size)) {
            if (!walk_element(w, f, it.index - 1, &scratch))
                return;
        }
        /* The count is written already; somebody has changed the bytes behind the list since they
         * were decoded. */
        if (it.index < array->count) {
            kl_walk_fail(w, KLOOP_BAD_ARRAY, kl_walk_at(w), 0, 0);
            kl_walk_blame(w, f, it.index);
        }
        return;
    }
    /* The walk takes a pointer it could write through; when encoding it only looks. */
    char *element = (char *)(uintptr_t)array->data;
    for (int32_t i = 0; i < array->count; i++, element += f->type->size) {
        if (!walk_element(w, f, i, element))
            return;
    }
}

static void load_array(kl_walk *w, const kl_field *f, kloop_array *array)
{
    if (!w->tap->array_begin(w->tap, w, f, array, NULL))
        return;
    char *element = (char *)(uintptr_t)array->data;
    for (int32_t i = 0; i < array->count; i++, element += f->type->size) {
        if (!walk_element(w, f, i, element))
            return;
    }
    w->tap->array_end(w->tap, w, f);
}

bool kloop_next_sized(kloop_iter *it, void *element, size_t element_size)
{
    const kloop_array *array = it->array;
    if (it->index >= array->count || !array->data)
        return false;
    if (!array->type) {
        memcpy(element, (const char *)array->data + (size_t)it->index * element_size, element_size);
        it->index++;
        return true;
    }
    const kloop_message_type *type = array->type;
    KL_ASSERT(element_size == type->size);
    if (type->fixed_bytes == 4) {
        int32_t number = (int32_t)kl_be_load32((const uint8_t *)array->data + it->at);
        memcpy(element, &number, sizeof number);
        it->at += 4;
        it->index++;
        return true;
    }
    kl_walk w;
    kl_walk_decode(&w, (const uint8_t *)array->data + it->at, array->len - it->at);
    w.trusted = true;
    w.flexible = array->flexible;
    w.version = array->version;
    type->walk(&w, element);
    /* The bytes were found good when the list was decoded; somebody has changed them since. */
    if (kl_walk_failed(&w))
        return false;
    it->at += kl_walk_at(&w);
    it->index++;
    return true;
}

/* ---- Fields ---- */

static void walk_struct(kl_walk *w, const kl_field *f, void *value)
{
    if (w->tap && !w->tap->struct_begin(w->tap, w, f, -1))
        return;
    f->type->walk(w, value);
    if (kl_walk_failed(w))
        kl_walk_blame(w, f, -1);
    else if (w->tap)
        w->tap->struct_end(w->tap, w, f);
}

/* The version has no such field: what was read takes its default, what is to be written must be at
 * it. */
static void absent_field(kl_walk *w, const kl_field *f, void *value)
{
    if (w->mode == KL_DECODE) {
        kl_walk_set_default(f, value);
    } else if (!f->ignorable && !kl_walk_is_default(f, value)) {
        kl_walk_fail(w, KLOOP_NOT_CARRIED, kl_walk_at(w), w->version, 0);
        kl_walk_blame(w, f, -1);
    }
}

static void decode_field(kl_walk *w, const kl_field *f, void *value)
{
    const uint8_t *from = w->pos;
    if (f->kind == KL_ARRAY) {
        kl_walk_set_default(f, value);
        decode_array(w, f, value);
    } else if (f->kind == KL_STRUCT) {
        walk_struct(w, f, value);
    } else {
        kl_walk_read(w, f, value);
        if (kl_walk_failed(w)) {
            kl_walk_set_default(f, value);
            kl_walk_blame(w, f, -1);
        } else if (w->tap) {
            w->tap->value(w->tap, w, f, (kl_kind)f->kind, value, from);
        }
    }
}

static void write_field(kl_walk *w, const kl_field *f, void *value)
{
    if (f->kind == KL_ARRAY) {
        write_array(w, f, value);
    } else if (f->kind == KL_STRUCT) {
        walk_struct(w, f, value);
    } else {
        kl_walk_write(w, f, value);
        if (kl_walk_failed(w))
            kl_walk_blame(w, f, -1);
    }
}

static void load_field(kl_walk *w, const kl_field *f, void *value)
{
    kl_walk_set_default(f, value);
    if (f->kind == KL_ARRAY)
        load_array(w, f, value);
    else if (f->kind == KL_STRUCT)
        walk_struct(w, f, value);
    else
        w->tap->value(w->tap, w, f, (kl_kind)f->kind, value, NULL);
}

void kl_walk_field(kl_walk *w, const kl_field *f, void *value)
{
    switch (w->mode) {
    case KL_RESET:
        kl_walk_set_default(f, value);
        return;
    case KL_PROBE:
        w->differs |= !kl_walk_is_default(f, value);
        return;
    case KL_LOAD:
        /* Also where the version has no such field: whether a value there is refused is for the
         * encoder to say. */
        if (kl_walk_failed(w))
            kl_walk_set_default(f, value);
        else
            load_field(w, f, value);
        return;
    case KL_DECODE:
        if (kl_walk_failed(w))
            kl_walk_set_default(f, value);
        else if (kl_walk_carries(w, f))
            decode_field(w, f, value);
        else
            absent_field(w, f, value);
        return;
    case KL_ENCODE:
    case KL_MEASURE:
        if (kl_walk_failed(w))
            return;
        if (kl_walk_carries(w, f))
            write_field(w, f, value);
        else
            absent_field(w, f, value);
        return;
    }
    KL_UNREACHABLE();
}

/* ---- Elements that are no structs ---- */

static void walk_int32_element(kl_walk *w, void *element)
{
    static const kl_field field = {.kind = KL_INT32};
    kl_walk_int32(w, &field, element);
}

static void walk_string_element(kl_walk *w, void *element)
{
    static const kl_field field = {.kind = KL_STRING};
    kl_walk_string(w, &field, element);
}

const kloop_message_type kl_int32_element = {.name = "int32",
                                             .size = sizeof(int32_t),
                                             .walk = walk_int32_element,
                                             .fixed_bytes = 4,
                                             .kind = KL_INT32};

const kloop_message_type kl_string_element = {
    .name = "string", .size = sizeof(kloop_string), .walk = walk_string_element, .kind = KL_STRING};
