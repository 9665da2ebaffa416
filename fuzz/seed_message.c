/* SPDX-License-Identifier: BSD-2-Clause */
/* A tap under KL_LOAD that fills each field by its kind and the grade. See seed_message.h. */
#include "fuzz/seed_message.h"

#include "fuzz/fuzz.h"
#include "protocol/api.h"
#include "protocol/walk_parts.h"
#include "wiretools/arena.h"

#include <stdio.h>
#include <string.h>

/* Long ones of each sort: a corpus is read by machines a million times. */
#define LONG_STRINGS 2
#define LONG_LISTS   1

typedef struct seeder {
    kl_tap tap; /* first: the walk hands it back to us */
    kl_seed_grade grade;
    kl_arena arena;
    unsigned field; /* counts, so that no two values are the same */
    unsigned long_strings;
    unsigned long_lists;
} seeder;

static void *room(seeder *s, size_t count, size_t size)
{
    void *p = kl_arena_zalloc(&s->arena, count, size);
    KL_FUZZ_CHECK(p);
    return p;
}

/* The longest that a compact length of one byte can tell is 126; then one that takes two. */
static kloop_string long_text(seeder *s)
{
    static const char word[] = "gr\xc3\xb6\xc3\x9f"
                               "er.\xe2\x82\xac.\xf0\x9f\x8c\x8a.";
    size_t len = s->long_strings++ == 0 ? 126 : 127;
    char *text = room(s, len, 1);
    memset(text, 'x', len);
    for (size_t at = 0; at + sizeof word - 1 <= len; at += sizeof word - 1)
        memcpy(text + at, word, sizeof word - 1);
    return (kloop_string){text, len};
}

static kloop_string text(seeder *s)
{
    if (s->grade == KL_SEED_MAX && s->long_strings < LONG_STRINGS)
        return long_text(s);
    char *made = room(s, 16, 1);
    int len = snprintf(made, 16, "text-%u", s->field);
    return (kloop_string){made, (size_t)len};
}

static kloop_slice bytes(seeder *s, size_t len)
{
    uint8_t *made = room(s, len, 1);
    for (size_t i = 0; i < len; i++)
        made[i] = (uint8_t)(i * 7 + s->field);
    return (kloop_slice){made, len};
}

static int64_t number(seeder *s, unsigned bits)
{
    int64_t max = (int64_t)(UINT64_MAX >> (65 - bits));
    if (s->grade != KL_SEED_MAX)
        return s->field % 100 + 1;
    return s->field % 2 ? max : -max - 1;
}

static void set_value(kl_tap *tap, kl_walk *w, const kl_field *f, kl_kind kind, void *value,
                      const uint8_t *from)
{
    seeder *s = (seeder *)tap;
    (void)from;
    if (!kl_walk_carries(w, f))
        return;
    bool nothing = s->grade == KL_SEED_MINIMAL;
    bool null = nothing && kl_walk_null_allowed(w, f);
    s->field++;
    switch (kind) {
    case KL_BOOL:
        *(bool *)value = nothing ? f->fallback : !f->fallback;
        return;
    case KL_INT8:
        *(int8_t *)value = (int8_t)(nothing ? f->fallback : number(s, 8));
        return;
    case KL_INT16:
        *(int16_t *)value = (int16_t)(nothing ? f->fallback : number(s, 16));
        return;
    case KL_INT32:
        *(int32_t *)value = (int32_t)(nothing ? f->fallback : number(s, 32));
        return;
    case KL_INT64:
        *(int64_t *)value = nothing ? f->fallback : number(s, 64);
        return;
    case KL_UUID:
        memset(value,
               nothing                   ? 0
               : s->grade == KL_SEED_MAX ? 0xff
                                         : (int)(s->field & 0x7f),
               sizeof(kloop_uuid));
        return;
    case KL_STRING:
        *(kloop_string *)value = null      ? (kloop_string){NULL, 0}
                                 : nothing ? (kloop_string){"", 0}
                                           : text(s);
        return;
    case KL_BYTES:
        *(kloop_slice *)value = null ? (kloop_slice){NULL, 0}
                                     : bytes(s, nothing                   ? 0
                                                : s->grade == KL_SEED_MAX ? 300
                                                                          : 5);
        return;
    case KL_RECORDS:
        ((kloop_records *)value)->head = null ? (kloop_slice){NULL, 0}
                                              : bytes(s, nothing                   ? 0
                                                         : s->grade == KL_SEED_MAX ? 130
                                                                                   : 61);
        return;
    case KL_ARRAY:
    case KL_STRUCT:
        break;
    }
    KL_UNREACHABLE();
}

static bool begin_array(kl_tap *tap, kl_walk *w, const kl_field *f, kloop_array *array,
                        const uint8_t *from)
{
    seeder *s = (seeder *)tap;
    (void)from;
    if (!kl_walk_carries(w, f))
        return false;
    if (s->grade == KL_SEED_MINIMAL) {
        array->count = kl_walk_null_allowed(w, f) ? -1 : 0;
        return false;
    }
    array->count = 2;
    /* A count of two bytes, where that is cheap. */
    if (s->grade == KL_SEED_MAX && f->type->kind != KL_STRUCT && s->long_lists++ < LONG_LISTS)
        array->count = 127;
    array->data = room(s, (size_t)array->count, f->type->size);
    return true;
}

static void end_array(kl_tap *tap, kl_walk *w, const kl_field *f)
{
    (void)tap;
    (void)w;
    (void)f;
}

static bool begin_struct(kl_tap *tap, kl_walk *w, const kl_field *f, int32_t index)
{
    (void)tap;
    return index >= 0 || kl_walk_carries(w, f);
}

static void end_struct(kl_tap *tap, kl_walk *w, const kl_field *f)
{
    (void)tap;
    (void)w;
    (void)f;
}

void kl_seed_message(const kl_selection *selection, kl_seed_grade grade, kl_buf *out)
{
    seeder s = {.tap = {set_value, begin_array, end_array, begin_struct, end_struct},
                .grade = grade};
    kl_message message;
    kl_walk w;
    kl_arena_init(&s.arena, &kl_mem_libc);
    kl_walk_load(&w, &s.tap);
    KL_FUZZ_CHECK(kl_walk_message(&w, selection->type, selection->version, &message) == KLOOP_OK);
    kl_walk_measure(&w);
    KL_FUZZ_FINE(kl_walk_message(&w, selection->type, selection->version, &message), &w.fault);
    size_t size = w.own + w.borrowed;
    uint8_t *to = kl_buf_reserve(out, size, NULL);
    KL_FUZZ_CHECK(to);
    kl_walk_encode(&w, to, size);
    KL_FUZZ_FINE(kl_walk_message(&w, selection->type, selection->version, &message), &w.fault);
    kl_buf_commit(out, size);
    kl_arena_deinit(&s.arena);
}
