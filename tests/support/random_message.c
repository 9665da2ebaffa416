/* SPDX-License-Identifier: BSD-2-Clause */
/* See random_message.h. */
#include "tests/support/random_message.h"

#include <string.h>

void kl_random_init(kl_random *r, uint64_t seed)
{
    r->state = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    if (r->state == 0)
        r->state = 1;
}

uint64_t kl_random_next(kl_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1du;
}

uint32_t kl_random_below(kl_random *r, uint32_t n)
{
    return (uint32_t)((kl_random_next(r) >> 33) % n);
}

typedef struct maker {
    kl_tap tap;
    kl_random *random;
    kl_arena *arena;
    bool long_list_made; /* one in a message is enough, they multiply */
} maker;

static int64_t some_number(kl_random *r)
{
    static const int64_t edges[] = {0,     1,      -1,        127,       128,       -128,     255,
                                    32767, -32768, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    if (kl_random_below(r, 3) == 0)
        return (int64_t)kl_random_next(r);
    return edges[kl_random_below(r, sizeof edges / sizeof edges[0])];
}

static size_t some_length(kl_random *r)
{
    switch (kl_random_below(r, 8)) {
    case 0:
        return 0;
    case 1:
        return 126 + kl_random_below(r, 4); /* where a compact length takes its second byte */
    default:
        return kl_random_below(r, 24);
    }
}

static bool wants_null(maker *m, const kl_walk *w, const kl_field *field)
{
    return field->nullable && w->version >= field->null_since && kl_random_below(m->random, 4) == 0;
}

static kloop_slice some_bytes(maker *m)
{
    size_t len = some_length(m->random);
    uint8_t *bytes = kl_arena_alloc_bytes(m->arena, len + 1);
    KL_ASSERT(bytes != NULL);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)kl_random_next(m->random);
    return (kloop_slice){bytes, len};
}

static kloop_string some_text(maker *m)
{
    static const char *const letters[] = {
        "a", "Z", "-", "\"", "\\", "\n", "\x01", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    size_t len = some_length(m->random);
    char *text = kl_arena_alloc_bytes(m->arena, 4 * len + 1);
    KL_ASSERT(text != NULL);
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        const char *letter =
            letters[kl_random_below(m->random, sizeof letters / sizeof letters[0])];
        memcpy(text + at, letter, strlen(letter));
        at += strlen(letter);
    }
    return (kloop_string){text, at};
}

static void make_value(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                       const uint8_t *from)
{
    (void)from;
    maker *m = (maker *)tap;
    /* The walk has set the default; now and then that is a good value too. */
    if (!kl_walk_carries(w, field) ||
        (field->name && kl_random_below(m->random, 6) == 0 && kind < KL_STRING))
        return;
    switch (kind) {
    case KL_BOOL:
        *(bool *)value = kl_random_below(m->random, 2);
        return;
    case KL_INT8:
        *(int8_t *)value = (int8_t)some_number(m->random);
        return;
    case KL_INT16:
        *(int16_t *)value = (int16_t)some_number(m->random);
        return;
    case KL_INT32:
        *(int32_t *)value = (int32_t)some_number(m->random);
        return;
    case KL_INT64:
        *(int64_t *)value = some_number(m->random);
        return;
    case KL_UUID:
        for (size_t i = 0; i < sizeof(kloop_uuid); i++)
            ((kloop_uuid *)value)->bytes[i] = (uint8_t)kl_random_next(m->random);
        return;
    case KL_STRING:
        *(kloop_string *)value = wants_null(m, w, field) ? (kloop_string){NULL, 0} : some_text(m);
        return;
    case KL_BYTES:
        *(kloop_slice *)value = wants_null(m, w, field) ? (kloop_slice){NULL, 0} : some_bytes(m);
        return;
    case KL_RECORDS:
        ((kloop_records *)value)->head =
            wants_null(m, w, field) ? (kloop_slice){NULL, 0} : some_bytes(m);
        return;
    case KL_ARRAY:
    case KL_STRUCT:
        break;
    }
    KL_UNREACHABLE();
}

static bool make_array(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                       const uint8_t *from)
{
    (void)from;
    maker *m = (maker *)tap;
    if (!kl_walk_carries(w, field))
        return false;
    if (wants_null(m, w, field)) {
        array->count = -1;
        return false;
    }
    array->count = (int32_t)kl_random_below(m->random, 4);
    if (!m->long_list_made && kl_random_below(m->random, 40) == 0) {
        array->count = 130;
        m->long_list_made = true;
    }
    array->data = kl_arena_zalloc(m->arena, (size_t)array->count + 1, field->type->size);
    KL_ASSERT(array->data != NULL);
    return true;
}

static void end_array(kl_tap *tap, kl_walk *w, const kl_field *field)
{
    (void)tap;
    (void)w;
    (void)field;
}

static bool make_struct(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index)
{
    maker *m = (maker *)tap;
    return index >= 0 || (kl_walk_carries(w, field) && kl_random_below(m->random, 2) == 0);
}

void kl_random_message(kl_random *r, const kloop_message_type *type, int16_t version,
                       kl_arena *arena, kl_message *message)
{
    maker m = {{make_value, make_array, end_array, make_struct, end_array}, r, arena, false};
    kl_walk w;
    kl_walk_load(&w, &m.tap);
    kl_walk_message(&w, type, version, message);
    KL_ASSERT(!kl_walk_failed(&w));
}

void kl_each_message(kl_each_fn fn, void *ctx)
{
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        for (int half = KLOOP_REQUEST; half <= KLOOP_RESPONSE; half++) {
            for (int16_t version = api->min_version; version <= api->max_version; version++) {
                const kloop_message_type *type =
                    kl_api_type(api->key, (kloop_half)half, version, NULL);
                if (type)
                    fn(ctx, api, (kloop_half)half, version, type);
            }
        }
    }
}
