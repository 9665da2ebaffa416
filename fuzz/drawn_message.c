/* SPDX-License-Identifier: BSD-2-Clause */
/* A tap under KL_LOAD that takes what it is asked for from the input. See drawn_message.h. */
#include "fuzz/drawn_message.h"

#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "protocol/walk_parts.h"

#include <string.h>

/* Elements in all lists together. */
#define ELEMENTS_MAX 160

typedef struct drawing {
    kl_tap tap; /* first: the walk hands it back to us */
    kl_drawn *d;
    bool wild;
    kl_arena *arena;
    int32_t elements_left;
    kl_buf *trace;
    int muted; /* inside lists that the version does not carry */
    size_t
        tagged_from; /* where the tagged struct under the hand began in the trace; SIZE_MAX: none */
    bool tagged_differs;
} drawing;

static void *room(kl_arena *arena, size_t count, size_t size)
{
    void *p = kl_arena_zalloc(arena, count, size);
    KL_FUZZ_CHECK(p);
    return p;
}

/* ---- Values ---- */

static kloop_string filled(kl_arena *arena, const char *pattern, size_t len)
{
    size_t n = strlen(pattern);
    char *text = kl_arena_alloc_bytes(arena, len + 1);
    KL_FUZZ_CHECK(text);
    for (size_t at = 0; n > 1 && at + n <= len; at += n)
        memcpy(text + at, pattern, n);
    if (n == 1)
        memset(text, pattern[0], len);
    /* What is left over at the end is too short for the pattern. */
    memset(text + len - len % n, 'z', len % n);
    return (kloop_string){text, len};
}

static kloop_string ascii(kl_drawn *d, size_t max, kl_arena *arena)
{
    kloop_slice bytes = kl_drawn_bytes(d, max);
    char *text = room(arena, bytes.len + 1, 1);
    for (size_t i = 0; i < bytes.len; i++)
        text[i] = (char)(bytes.data[i] & 0x7f);
    return (kloop_string){text, bytes.len};
}

kloop_string kl_drawn_text(kl_drawn *d, bool nullable, kl_arena *arena)
{
    static const size_t borders[] = {126, 127, 128, 254, 255, 256, 32766, 32767};
    uint8_t how = kl_drawn_u8(d);
    switch (how & 7) {
    case 0:
        return (kloop_string){"", 0};
    case 1:
        return nullable ? (kloop_string){NULL, 0} : (kloop_string){"", 0};
    case 2:
        return filled(arena, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", how >> 3);
    case 3:
        /* The long ones are slow. */
        return filled(arena, "x",
                      borders[how >> 3 == 31 ? kl_drawn_below(d, 8) : kl_drawn_below(d, 6)]);
    default:
        return ascii(d, how >> 3, arena);
    }
}

static kloop_string wild_text(drawing *t, bool nullable)
{
    switch (kl_drawn_below(t->d, 16)) {
    case 0:
        return (kloop_string){NULL, 0};
    case 1: {
        kloop_slice bytes = kl_drawn_bytes(t->d, kl_drawn_below(t->d, 32));
        return (kloop_string){(const char *)bytes.data, bytes.len};
    }
    case 2:
        return filled(t->arena, "y", 32768);
    default:
        return kl_drawn_text(t->d, nullable, t->arena);
    }
}

static kloop_slice draw_bytes(drawing *t, bool null_allowed)
{
    uint8_t how = kl_drawn_u8(t->d);
    if (how == 1 && null_allowed)
        return (kloop_slice){NULL, 0};
    return kl_drawn_bytes(t->d, how >= 0xf8 ? 300 : how >> 2);
}

static kloop_records draw_records(drawing *t, bool null_allowed)
{
    kloop_records records = {{NULL, 0}, NULL, 0};
    uint8_t how = kl_drawn_u8(t->d);
    size_t count = how >> 1 & 3;
    if (how & 1 || count == 0)
        records.head = draw_bytes(t, null_allowed);
    if (count > 0) {
        kloop_slice *body = room(t->arena, count, sizeof *body);
        for (size_t i = 0; i < count; i++)
            body[i] = draw_bytes(t, false);
        records.body = body;
        records.body_count = count;
    }
    return records;
}

static void draw(drawing *t, kl_kind kind, bool null_allowed, void *value)
{
    switch (kind) {
    case KL_BOOL:
        *(bool *)value = kl_drawn_u8(t->d) & 1;
        return;
    case KL_INT8:
        *(int8_t *)value = (int8_t)kl_drawn_number(t->d, 8);
        return;
    case KL_INT16:
        *(int16_t *)value = (int16_t)kl_drawn_number(t->d, 16);
        return;
    case KL_INT32:
        *(int32_t *)value = (int32_t)kl_drawn_number(t->d, 32);
        return;
    case KL_INT64:
        *(int64_t *)value = kl_drawn_number(t->d, 64);
        return;
    case KL_UUID: {
        kloop_slice bytes = kl_drawn_bytes(t->d, kl_drawn_u8(t->d) & 16);
        if (bytes.len > 0)
            memcpy(value, bytes.data, bytes.len);
        return;
    }
    case KL_STRING:
        *(kloop_string *)value =
            t->wild ? wild_text(t, null_allowed) : kl_drawn_text(t->d, null_allowed, t->arena);
        return;
    case KL_BYTES:
        *(kloop_slice *)value = draw_bytes(t, null_allowed || t->wild);
        return;
    case KL_RECORDS:
        *(kloop_records *)value = draw_records(t, null_allowed || t->wild);
        return;
    case KL_ARRAY:
    case KL_STRUCT:
        break;
    }
    KL_UNREACHABLE();
}

/* ---- The tap ---- */

/* Whether a field that the version has not is given a value all the same. */
static bool trespass(drawing *t)
{
    return t->wild && kl_drawn_u8(t->d) >= 0xf0;
}

static void note_difference(drawing *t, const kl_field *field, const void *value)
{
    t->tagged_differs |= !kl_walk_is_default(field, value);
}

static void draw_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                       const uint8_t *from)
{
    drawing *t = (drawing *)tap;
    (void)from;
    bool carried = kl_walk_carries(w, field);
    if (!carried && !trespass(t))
        return;
    draw(t, kind, kl_walk_null_allowed(w, field), value);
    if (!carried || t->muted > 0 || (field->tagged && kl_walk_is_default(field, value)))
        return;
    note_difference(t, field, value);
    kl_trace_value(t->trace, field, kind, value);
}

static int32_t draw_count(drawing *t, bool null_allowed)
{
    uint8_t how = kl_drawn_u8(t->d);
    int32_t count = how & 3;
    if (how == 4 && (null_allowed || t->wild))
        return -1;
    if (how == 5 && t->wild)
        return (int32_t)kl_drawn_number(t->d, 32) | INT32_MIN;
    /* With 127 elements a compact count becomes two bytes. */
    if (how >= 0xfd && t->elements_left == ELEMENTS_MAX)
        count = how - 0xfd + 126;
    return count < t->elements_left ? count : t->elements_left;
}

static bool draw_array_begin(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                             const uint8_t *from)
{
    drawing *t = (drawing *)tap;
    (void)from;
    bool carried = kl_walk_carries(w, field);
    if (!carried && !trespass(t))
        return false;
    array->count = draw_count(t, kl_walk_null_allowed(w, field));
    if (carried && t->muted == 0 && !(field->tagged && kl_walk_is_default(field, array))) {
        note_difference(t, field, array);
        kl_trace_array_begin(t->trace, field, array);
    }
    if (array->count < 0)
        return false;
    if (array->count == 0) {
        if (carried && t->muted == 0 && !field->tagged)
            kl_trace_array_end(t->trace);
        return false;
    }
    t->elements_left -= array->count;
    array->data = room(t->arena, (size_t)array->count, field->type->size);
    if (!carried)
        t->muted++;
    return true;
}

static void draw_array_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    drawing *t = (drawing *)tap;
    if (!kl_walk_carries(w, field))
        t->muted--;
    else if (t->muted == 0)
        kl_trace_array_end(t->trace);
}

static bool draw_struct_begin(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    drawing *t = (drawing *)tap;
    if (index < 0 && !kl_walk_carries(w, field))
        return false;
    if (t->muted > 0)
        return true;
    if (field->tagged && index < 0) {
        KL_FUZZ_CHECK(t->tagged_from == SIZE_MAX);
        t->tagged_from = t->trace->len;
        t->tagged_differs = false;
    }
    kl_trace_struct_begin(t->trace, field, index);
    return true;
}

static void draw_struct_end(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    drawing *t = (drawing *)tap;
    (void)w;
    if (t->muted > 0)
        return;
    kl_trace_struct_end(t->trace);
    if (field->kind != KL_STRUCT || !field->tagged)
        return;
    /* A tagged struct that is all defaults is not written. */
    if (!t->tagged_differs)
        kl_buf_truncate(t->trace, t->tagged_from);
    t->tagged_from = SIZE_MAX;
}

void kl_drawn_message(kl_drawn *d, const kl_selection *s, bool wild, kl_arena *arena,
                      kl_message *message, kl_buf *trace)
{
    drawing t = {
        .tap = {draw_value, draw_array_begin, draw_array_end, draw_struct_begin, draw_struct_end},
        .d = d,
        .wild = wild,
        .arena = arena,
        .elements_left = ELEMENTS_MAX,
        .trace = trace,
        .tagged_from = SIZE_MAX};
    kl_walk w;
    kl_walk_load(&w, &t.tap);
    KL_FUZZ_CHECK(kl_walk_message(&w, s->type, s->version, message) == KLOOP_OK);
    KL_FUZZ_CHECK(t.muted == 0 && t.tagged_from == SIZE_MAX);
}
