/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk: one description of a message, every use of it.
 *
 * For each struct of the protocol there is one function that names its fields in wire order, each
 * with the versions it lives in and its default. What happens at a field depends on the walk's
 * mode:
 *
 *     KL_DECODE   bytes -> struct      KL_MEASURE  struct -> how many bytes
 *     KL_ENCODE   struct -> bytes      KL_PROBE    is every field at its default?
 *     KL_RESET    struct := defaults   KL_LOAD     a tap fills the struct (JSON, a mutator)
 *
 * A tap is how tools plug in: under KL_DECODE it is shown each field as it is read, with the bytes
 * it took; under KL_LOAD it supplies each field. The engine never sets one, and carries none of the
 * tools' code.
 *
 * Lists are decoded to views: the elements are walked once to be checked and to find where the list
 * ends, and again by whoever iterates. Nothing is allocated.
 *
 * After the first fault a walk goes on to the end of its function without touching bytes: the
 * remaining fields take their defaults, so that no struct is left half filled.
 */
#ifndef KL_PROTOCOL_WALK_H
#define KL_PROTOCOL_WALK_H

#include "base/be.h"
#include "base/check.h"

#include <kloop/fault.h>
#include <kloop/messages.h>

#include <string.h>

typedef enum kl_walk_mode {
    KL_DECODE,
    KL_ENCODE,
    KL_MEASURE,
    KL_PROBE,
    KL_RESET,
    KL_LOAD,
} kl_walk_mode;

typedef enum kl_kind {
    KL_BOOL,
    KL_INT8,
    KL_INT16,
    KL_INT32,
    KL_INT64,
    KL_UUID,
    KL_STRING,
    KL_BYTES,
    KL_RECORDS,
    KL_ARRAY,  /* field->type is the element's */
    KL_STRUCT, /* field->type is the struct's */
} kl_kind;

/* What the walk knows of a field. Members left out are right for a plain field of all versions. */
typedef struct kl_field {
    const char *name; /* Kafka's, first letter small; NULL for an element of a list */
    const kloop_message_type *type;
    int32_t fallback;   /* the default of a number */
    unsigned kind : 4;  /* a kl_kind */
    unsigned since : 5; /* first version */
    unsigned until : 5; /* last version; 0: the latest */
    unsigned null_since : 5;
    unsigned nullable : 1; /* from null_since on */
    unsigned null_default : 1;
    unsigned ignorable : 1;     /* may be dropped silently where the version has no such field */
    unsigned never_compact : 1; /* the client id of a request header */
    unsigned tagged : 1;
} kl_field;

typedef struct kl_walk kl_walk;
typedef struct kl_tap kl_tap;

struct kloop_message_type {
    const char *name; /* of the struct, for tools */
    size_t size;
    int16_t flexible_since;
    void (*walk)(kl_walk *w, void *message);
    size_t fixed_bytes;   /* a number's width on the wire; 0: must be walked */
    kl_kind kind;         /* KL_STRUCT, or what a plain element is */
    const void *defaults; /* of a small struct that is mostly left out; NULL: found by walking */
};

/* A tap implements every one of these. from is where the field's bytes begin; they end at w->pos.
 */
struct kl_tap {
    void (*value)(kl_tap *tap, kl_walk *w, const kl_field *field, kl_kind kind, void *value,
                  const uint8_t *from);
    /* KL_LOAD: makes array->items for array->count elements. false: nothing to walk (null, or a
     * fault was noted). */
    bool (*array_begin)(kl_tap *tap, kl_walk *w, const kl_field *field, kloop_array *array,
                        const uint8_t *from);
    void (*array_end)(kl_tap *tap, kl_walk *w, const kl_field *field);
    /* index is -1 unless the struct is an element. KL_LOAD: false when the struct is not there
     * (tagged). */
    bool (*struct_begin)(kl_tap *tap, kl_walk *w, const kl_field *field, int32_t index);
    void (*struct_end)(kl_tap *tap, kl_walk *w, const kl_field *field);
};

struct kl_walk {
    bool fast; /* KL_DECODE without a tap: the inline paths below may run */
    bool flexible;
    bool trusted; /* these bytes were checked by an earlier walk */
    bool differs; /* KL_PROBE's answer */
    bool skipped; /* KL_DECODE: a tagged field came by that nobody here knows */
    int16_t version;
    kl_walk_mode mode;

    const uint8_t *start; /* KL_DECODE */
    const uint8_t *pos;
    const uint8_t *end;

    uint8_t *out_start; /* KL_ENCODE */
    uint8_t *out;
    uint8_t *out_end;

    size_t own;      /* KL_MEASURE: bytes that are written */
    size_t borrowed; /* and bytes that are only referred to */
    size_t
        gap_own; /* of own, those before the last gap: nothing behind it means no piece behind it */

    /* Gaps: with slices set, record bodies are listed and not copied. KL_MEASURE counts them in
     * slice_count. */
    kloop_slice *slices;
    size_t slice_count;
    size_t slice_max;
    size_t copy_max; /* bodies up to this are copied all the same */
    uint8_t *piece;  /* where the piece of own bytes began that no slice covers yet */

    kl_tap *tap;
    kloop_fault fault;
};

/* ---- Starting and ending a walk ---- */

void kl_walk_decode(kl_walk *w, const void *bytes, size_t len);
/* Shows the tap each field on the way. */
void kl_walk_decode_shown(kl_walk *w, const void *bytes, size_t len, kl_tap *tap);
void kl_walk_encode(kl_walk *w, void *buffer, size_t capacity);
void kl_walk_measure(kl_walk *w);
void kl_walk_load(kl_walk *w, kl_tap *tap);
/* Walks the struct in the version; the walk can go on with another one behind it. */
kloop_status kl_walk_message(kl_walk *w, const kloop_message_type *type, int16_t version,
                             void *message);
void kl_walk_reset(const kloop_message_type *type, void *message);
/* The last piece of an encoding with slices, if there is one. */
void kl_walk_last_slice(kl_walk *w);

/* Notes a fault, unless one is noted already, and lets nothing more be read or written. */
void kl_walk_fail(kl_walk *w, kloop_status status, size_t at, int64_t a, int64_t b);
/* Offset in the input or output of this walk. */
size_t kl_walk_at(const kl_walk *w);

static inline bool kl_walk_failed(const kl_walk *w)
{
    return w->fault.status != KLOOP_OK;
}

static inline bool kl_walk_carries(const kl_walk *w, const kl_field *f)
{
    return w->version >= (int)f->since && (f->until == 0 || w->version <= (int)f->until);
}

/* ---- Fields: an inline path for what is hot, and one function for all the rest ---- */

void kl_walk_field(kl_walk *w, const kl_field *f, void *value);
void kl_walk_set_default(const kl_field *f, void *value);

static inline bool kl_walk_fast_bytes(const kl_walk *w, const kl_field *f, ptrdiff_t bytes)
{
    return KL_LIKELY(w->fast) && kl_walk_carries(w, f) && w->end - w->pos >= bytes;
}

/* KL_MEASURE: true when a field of so many bytes is done with by counting it. */
static inline bool kl_walk_counted(kl_walk *w, const kl_field *f, size_t bytes)
{
    if (w->mode != KL_MEASURE || !kl_walk_carries(w, f))
        return false;
    w->own += bytes;
    return true;
}

/* KL_ENCODE: where a field of so many bytes goes, NULL when it takes more thought. */
static inline uint8_t *kl_walk_place(kl_walk *w, const kl_field *f, ptrdiff_t bytes)
{
    if (w->mode != KL_ENCODE || !kl_walk_carries(w, f) || w->out_end - w->out < bytes)
        return NULL;
    uint8_t *place = w->out;
    w->out += bytes;
    return place;
}

static inline void kl_walk_int8(kl_walk *w, const kl_field *f, int8_t *v)
{
    kl_walk_field(w, f, v);
}

static inline void kl_walk_bool(kl_walk *w, const kl_field *f, bool *v)
{
    if (kl_walk_fast_bytes(w, f, 1) && *w->pos <= 1)
        *v = *w->pos++;
    else
        kl_walk_field(w, f, v);
}

#define KL_WALK_NUMBER(bits)                                                                       \
    KL_INLINE void kl_walk_int##bits(kl_walk *w, const kl_field *f, int##bits##_t *v)              \
    {                                                                                              \
        uint8_t *place;                                                                            \
        if (kl_walk_fast_bytes(w, f, bits / 8)) {                                                  \
            *v = (int##bits##_t)kl_be_load##bits(w->pos);                                          \
            w->pos += bits / 8;                                                                    \
        } else if ((place = kl_walk_place(w, f, bits / 8))) {                                      \
            kl_be_store##bits(place, (uint##bits##_t) * v);                                        \
        } else if (!kl_walk_counted(w, f, bits / 8)) {                                             \
            kl_walk_field(w, f, v);                                                                \
        }                                                                                          \
    }

KL_WALK_NUMBER(16)
KL_WALK_NUMBER(32)
KL_WALK_NUMBER(64)

static inline void kl_walk_uuid(kl_walk *w, const kl_field *f, kloop_uuid *v)
{
    if (kl_walk_fast_bytes(w, f, 16)) {
        memcpy(v->bytes, w->pos, 16);
        w->pos += 16;
    } else {
        kl_walk_field(w, f, v);
    }
}

static inline void kl_walk_string(kl_walk *w, const kl_field *f, kloop_string *v)
{
    /* A null of one byte: error messages and racks are mostly that. */
    if (f->nullable && !f->never_compact && kl_walk_fast_bytes(w, f, 1) && w->flexible &&
        *w->pos == 0 && w->version >= (int)f->null_since) {
        *v = (kloop_string){NULL, 0};
        w->pos++;
    } else if (w->fast && !kl_walk_carries(w, f)) {
        kl_walk_set_default(f, v);
    } else {
        kl_walk_field(w, f, v);
    }
}

static inline void kl_walk_bytes(kl_walk *w, const kl_field *f, kloop_slice *v)
{
    kl_walk_field(w, f, v);
}

static inline void kl_walk_records(kl_walk *w, const kl_field *f, kloop_records *v)
{
    kl_walk_field(w, f, v);
}

KL_INLINE void kl_walk_array(kl_walk *w, const kl_field *f, kloop_array *v)
{
    /* A count of one byte with elements of known width, or with none: replicas, record errors. */
    if (kl_walk_fast_bytes(w, f, 1) && w->flexible && (uint8_t)(*w->pos - 1) < 127) {
        size_t count = (size_t)*w->pos - 1;
        size_t bytes = count * f->type->fixed_bytes;
        if ((f->type->fixed_bytes || count == 0) && (size_t)(w->end - w->pos - 1) >= bytes) {
            *v = (kloop_array){w->pos + 1, bytes, f->type, (int32_t)count, w->version, true};
            w->pos += 1 + bytes;
            return;
        }
    }
    /* Older versions: the count is a number of four bytes. */
    if (kl_walk_fast_bytes(w, f, 4) && !w->flexible && f->type->fixed_bytes) {
        uint64_t count = kl_be_load32(w->pos);
        uint64_t bytes = count * f->type->fixed_bytes;
        if (count <= INT32_MAX && (uint64_t)(w->end - w->pos - 4) >= bytes) {
            *v = (kloop_array){w->pos + 4,     (size_t)bytes, f->type,
                               (int32_t)count, w->version,    false};
            w->pos += 4 + bytes;
            return;
        }
    }
    if (w->fast && !kl_walk_carries(w, f))
        kl_walk_set_default(f, v);
    else
        kl_walk_field(w, f, v);
}

/* ---- Tagged fields: the last lines of each struct's function ---- */

typedef struct kl_tags {
    uint32_t count; /* KL_DECODE: still to come; else: written */
    uint32_t tag;   /* KL_DECODE: the one under the hand, if have */
    uint32_t size;
    size_t at;    /* and where its number stands */
    int64_t last; /* the highest seen, -1 at first */
    bool have;
    uint8_t *count_at; /* KL_ENCODE */
} kl_tags;

void kl_walk_tags_begin(kl_walk *w, kl_tags *tags);
void kl_walk_tagged(kl_walk *w, kl_tags *tags, uint32_t tag, const kl_field *f, void *value);
void kl_walk_tags_end(kl_walk *w, kl_tags *tags);

/* The end of a struct without tags, which is what nearly all are: one byte, 0; nothing in versions
 * without tags. */
static inline bool kl_walk_skip_no_tags(kl_walk *w)
{
    if (!w->fast)
        return false;
    if (!w->flexible)
        return true;
    if (w->pos < w->end && *w->pos == 0) {
        w->pos++;
        return true;
    }
    return false;
}

/* The same when it takes more thought. */
void kl_walk_no_tags_else(kl_walk *w);

static inline void kl_walk_no_tags(kl_walk *w)
{
    if (w->flexible && !kl_walk_skip_no_tags(w))
        kl_walk_no_tags_else(w);
}

/* ---- The vocabulary of the message files ---- */

/*
 * A message that is spoken once a connection, or more rarely, does without the inline paths: its
 * file defines KL_WALK_RARE before it includes this, and is a third of the size.
 */
#ifdef KL_WALK_RARE
#define KL_WALKER(walker) kl_walk_field
#define NO_TAGS()         kl_walk_no_tags_else(w)
#else
#define KL_WALKER(walker) walker
#define NO_TAGS()         kl_walk_no_tags(w)
#endif

/* The struct under description is called m in all of them. */
#define KL_FIELD(KIND, walker, member, ...)                                                        \
    do {                                                                                           \
        static const kl_field field_ = {.kind = KIND, __VA_ARGS__};                                \
        KL_WALKER(walker)(w, &field_, &m->member);                                                 \
    } while (0)

#define BOOL(member, ...)    KL_FIELD(KL_BOOL, kl_walk_bool, member, .name = __VA_ARGS__)
#define INT8(member, ...)    KL_FIELD(KL_INT8, kl_walk_int8, member, .name = __VA_ARGS__)
#define INT16(member, ...)   KL_FIELD(KL_INT16, kl_walk_int16, member, .name = __VA_ARGS__)
#define INT32(member, ...)   KL_FIELD(KL_INT32, kl_walk_int32, member, .name = __VA_ARGS__)
#define INT64(member, ...)   KL_FIELD(KL_INT64, kl_walk_int64, member, .name = __VA_ARGS__)
#define UUID(member, ...)    KL_FIELD(KL_UUID, kl_walk_uuid, member, .name = __VA_ARGS__)
#define STRING(member, ...)  KL_FIELD(KL_STRING, kl_walk_string, member, .name = __VA_ARGS__)
#define BYTES(member, ...)   KL_FIELD(KL_BYTES, kl_walk_bytes, member, .name = __VA_ARGS__)
#define RECORDS(member, ...) KL_FIELD(KL_RECORDS, kl_walk_records, member, .name = __VA_ARGS__)
#define ARRAY(member, element, ...)                                                                \
    KL_FIELD(KL_ARRAY, kl_walk_array, member, .type = &(element), .name = __VA_ARGS__)

#define NULLABLE(version) .nullable = true, .null_since = (version)
#define ELEMENT(element)  .type = &(element)

#define TAGS_BEGIN()                                                                               \
    kl_tags tags_;                                                                                 \
    const bool no_tags_ = kl_walk_skip_no_tags(w);                                                 \
    if (!no_tags_)                                                                                 \
    kl_walk_tags_begin(w, &tags_)
#define TAGGED(number, KIND, member, ...)                                                          \
    do {                                                                                           \
        static const kl_field field_ = {.tagged = true, .kind = KIND, .name = __VA_ARGS__};        \
        if (no_tags_)                                                                              \
            kl_walk_set_default(&field_, &m->member);                                              \
        else                                                                                       \
            kl_walk_tagged(w, &tags_, number, &field_, &m->member);                                \
    } while (0)
#define TAGS_END()                                                                                 \
    if (!no_tags_)                                                                                 \
    kl_walk_tags_end(w, &tags_)

/* Elements that are no structs. */
extern const kloop_message_type kl_int32_element;
extern const kloop_message_type kl_string_element;

/* How a message file declares the types that it describes. */
#define KL_STRUCT_TYPE(type_name, c_struct, walker)                                                \
    static const kloop_message_type type_name = {                                                  \
        .name = #c_struct, .size = sizeof(c_struct), .walk = walker, .kind = KL_STRUCT}
#define KL_MESSAGE_TYPE(type_name, c_struct, flexible, walker)                                     \
    const kloop_message_type type_name = {.name = #c_struct,                                       \
                                          .size = sizeof(c_struct),                                \
                                          .flexible_since = flexible,                              \
                                          .walk = walker,                                          \
                                          .kind = KL_STRUCT}

/* One for each half of each API, made by its own file; api.c has the table. */
#define KL_DECLARE_TYPES(NAME, key, name, min, max, flexible, struct_name)                         \
    extern const kloop_message_type kl_##struct_name##_request_type;                               \
    extern const kloop_message_type kl_##struct_name##_response_type;

#endif
