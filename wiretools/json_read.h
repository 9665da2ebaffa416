/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads one JSON text (RFC 8259, strictly) into a tree whose every node knows the byte where it
 * stands, so that whoever finds a value wrong later can say where.
 *
 * The tree is a row of nodes in document order: a container is followed by all that is in it, and
 * knows how many nodes that is; so stepping over any value takes one addition. In an object each
 * key, a string node, stands before its value:
 *
 *     {"a":[1,2],"b":null}     object 2 | "a" | array 2 | 1 | 2 | "b" | null
 *
 * The document owns the nodes and the text of strings with escapes. A string without escapes points
 * into the text that was read: keep that for as long as the tree is used. The next kl_json_read
 * takes the tree down; memory is reused.
 *
 * What is taken and refused, beyond the letter of the RFC:
 * - Strings must be valid UTF-8; \u0000 is a character as any other; half a surrogate pair is
 * refused, escaped or not.
 * - A key that comes twice in an object is refused, at its second place.
 * - A number without fraction and exponent is an integer, with all its digits; -0 is the integer 0
 * (as for Jackson, which Kafka's tools use). Beyond int64_t the type is KL_JSON_HUGE. 1.0 and 1e3
 * are KL_JSON_REAL: a real number is checked for form, and has no value here, because no field of
 * the protocol holds one.
 * - Nesting deeper than KL_JSON_DEPTH_MAX is refused, and so is a byte order mark.
 *
 * Time is linear in the text, with a logarithm for objects of many keys, whatever the text holds.
 * Memory is 24 bytes a node. Failure is an error with a reason and an offset; text that ends too
 * early is told at its end.
 */
#ifndef KL_WIRETOOLS_JSON_READ_H
#define KL_WIRETOOLS_JSON_READ_H

#include "base/buf.h"
#include "base/check.h"
#include "wiretools/arena.h"

#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KL_JSON_DEPTH_MAX 64

typedef enum kl_json_type {
    KL_JSON_NULL,
    KL_JSON_BOOL,
    KL_JSON_INTEGER,
    KL_JSON_HUGE, /* an integer out of the range of int64_t */
    KL_JSON_REAL,
    KL_JSON_STRING,
    KL_JSON_ARRAY,
    KL_JSON_OBJECT,
} kl_json_type;

typedef struct kl_json {
    uint64_t head; /* offset << 8 | taken << 7 | type: see the functions below */
    size_t count;  /* array: elements; object: keys; string: bytes */
    union {
        bool boolean;
        int64_t integer;
        const char *text; /* of a string */
        size_t span;      /* of a container: nodes, itself and all inside */
    } as;
} kl_json;

typedef struct kl_json_error {
    const char *reason; /* static text, without a full stop; NULL: no error */
    size_t offset;      /* from the first byte of the text */
    bool no_memory;     /* not the text's fault */
} kl_json_error;

typedef struct kl_json_doc {
    kl_buf nodes;     /* kl_json, the root first */
    kl_buf scratch;   /* for finding double keys */
    kl_arena strings; /* text of strings with escapes */
    kl_json_error error;
} kl_json_doc;

/* Allocates nothing. */
void kl_json_doc_init(kl_json_doc *doc, const kloop_allocator *alloc);
void kl_json_doc_deinit(kl_json_doc *doc);

/*
 * The root, good until the next kl_json_read or kl_json_doc_deinit; NULL with doc->error set. text
 * may hold any bytes and needs no terminator.
 */
kl_json *kl_json_read(kl_json_doc *doc, const char *text, size_t len);

static inline kl_json_type kl_json_type_of(const kl_json *v)
{
    return (kl_json_type)(v->head & 0x7f);
}

/* Where the value begins: a string at its opening quote, a container at its bracket. */
static inline size_t kl_json_offset(const kl_json *v)
{
    return (size_t)(v->head >> 8);
}

/* The text of a string or a key, unescaped. Never Kafka's null. */
static inline kloop_string kl_json_string(const kl_json *v)
{
    KL_ASSERT(kl_json_type_of(v) == KL_JSON_STRING);
    return (kloop_string){v->as.text, v->count};
}

/* The first node inside a container with count > 0: an element, or a key. */
static inline kl_json *kl_json_first(kl_json *container)
{
    KL_ASSERT(kl_json_type_of(container) >= KL_JSON_ARRAY && container->count > 0);
    return container + 1;
}

/*
 * The node behind v and all that is inside v: the next element, or, from a value in an object, the
 * next key. From a key it is the key's value. Behind the last one there is nothing to look at:
 * count the steps.
 */
static inline kl_json *kl_json_next(kl_json *v)
{
    return kl_json_type_of(v) >= KL_JSON_ARRAY ? v + v->as.span : v + 1;
}

/*
 * The value under name, or NULL; its key is marked as taken. The search begins where the last one
 * with the same hint ended (set it to NULL before the first), so that keys asked for in the order
 * of the text cost one step each; in any other order the cost is a step for each key.
 */
kl_json *kl_json_take(kl_json *object, const char *name, kl_json **hint);

/* The first key that was never taken: one that nobody knows. NULL: none. */
kl_json *kl_json_first_untaken(kl_json *object);

/* "an array", "a number out of range" and so on: for messages about a wrong type. */
const char *kl_json_type_name(kl_json_type type);

#endif
