/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON reader: it takes what a naive reader of the grammar takes; each node stands where it
 * says; what was read, written again, reads as the same tree.
 *
 * Input: a text.
 */
#include "fuzz/counted_memory.h"
#include "fuzz/fuzz.h"
#include "fuzz/naive_json.h"
#include "wiretools/json_read.h"
#include "wiretools/json_write.h"

#include <string.h>

/* ---- Each node stands where it says ---- */

static void check_node(const kl_json *v, const char *text, size_t len)
{
    static const char *const first[] = {[KL_JSON_NULL] = "n",
                                        [KL_JSON_BOOL] = "tf",
                                        [KL_JSON_INTEGER] = "-0123456789",
                                        [KL_JSON_HUGE] = "-0123456789",
                                        [KL_JSON_REAL] = "-0123456789",
                                        [KL_JSON_STRING] = "\"",
                                        [KL_JSON_ARRAY] = "[",
                                        [KL_JSON_OBJECT] = "{"};
    size_t at = kl_json_offset(v);
    KL_FUZZ_CHECK(at < len && text[at] && strchr(first[kl_json_type_of(v)], text[at]));
}

/* Checks v and all inside; answers the node behind. */
static kl_json *check_tree(kl_json *v, const char *text, size_t len)
{
    check_node(v, text, len);
    kl_json_type type = kl_json_type_of(v);
    if (type < KL_JSON_ARRAY)
        return v + 1;
    kl_json *at = v + 1;
    for (size_t i = 0; i < v->count; i++) {
        if (type == KL_JSON_OBJECT) {
            KL_FUZZ_CHECK(kl_json_type_of(at) == KL_JSON_STRING);
            at = check_tree(at, text, len);
        }
        at = check_tree(at, text, len);
    }
    KL_FUZZ_CHECK(at == kl_json_next(v));
    return at;
}

/* ---- Writing again ---- */

static size_t number_len(const char *text, size_t left)
{
    size_t n = 0;
    while (n < left && text[n] && strchr("+-.0123456789eE", text[n]))
        n++;
    return n;
}

/* The writer has no numbers beyond int64_t; their text takes the place of a 0. */
static void write_raw(kl_json_writer *w, const char *text, size_t n)
{
    kl_json_write_int64(w, 0);
    kl_buf_truncate(w->out, w->out->len - 1);
    kl_buf_append(w->out, text, n);
}

static kl_json *write_tree(kl_json_writer *w, kl_json *v, const char *text, size_t len)
{
    size_t at = kl_json_offset(v);
    kl_json *inside = v + 1;
    switch (kl_json_type_of(v)) {
    case KL_JSON_NULL:
        kl_json_write_null(w);
        break;
    case KL_JSON_BOOL:
        kl_json_write_bool(w, v->as.boolean);
        break;
    case KL_JSON_INTEGER:
        kl_json_write_int64(w, v->as.integer);
        break;
    case KL_JSON_HUGE:
    case KL_JSON_REAL:
        write_raw(w, text + at, number_len(text + at, len - at));
        break;
    case KL_JSON_STRING:
        kl_json_write_string(w, kl_json_string(v));
        break;
    case KL_JSON_ARRAY:
        kl_json_write_array_begin(w);
        for (size_t i = 0; i < v->count; i++)
            inside = write_tree(w, inside, text, len);
        kl_json_write_array_end(w);
        break;
    case KL_JSON_OBJECT:
        kl_json_write_object_begin(w);
        for (size_t i = 0; i < v->count; i++) {
            kl_json_write_key_string(w, kl_json_string(inside));
            inside = write_tree(w, inside + 1, text, len);
        }
        kl_json_write_object_end(w);
        break;
    }
    return inside;
}

static bool same_node(const kl_json *a, const kl_json *b)
{
    if (kl_json_type_of(a) != kl_json_type_of(b) || a->count != b->count)
        return false;
    switch (kl_json_type_of(a)) {
    case KL_JSON_BOOL:
        return a->as.boolean == b->as.boolean;
    case KL_JSON_INTEGER:
        return a->as.integer == b->as.integer;
    case KL_JSON_STRING:
        return memcmp(a->as.text, b->as.text, a->count) == 0;
    case KL_JSON_ARRAY:
    case KL_JSON_OBJECT:
        return a->as.span == b->as.span;
    default:
        return true;
    }
}

static void check_again(kl_json *root, size_t nodes, const char *text, size_t len,
                        const kloop_allocator *alloc)
{
    kl_buf out;
    kl_json_doc doc;
    kl_json_writer w;
    kl_buf_init(&out, alloc);
    kl_json_doc_init(&doc, alloc);
    kl_json_write_init(&w, &out);
    KL_FUZZ_CHECK(write_tree(&w, root, text, len) == root + nodes);
    KL_FUZZ_CHECK(kl_json_write_end(&w));
    kl_json *again = kl_json_read(&doc, (const char *)out.data, out.len);
    KL_FUZZ_CHECK(again && doc.nodes.len / sizeof(kl_json) == nodes);
    for (size_t i = 0; i < nodes; i++)
        KL_FUZZ_CHECK(same_node(root + i, again + i));
    kl_json_doc_deinit(&doc);
    kl_buf_deinit(&out);
}

/* ---- Taking keys ---- */

/* Each key is found, from any place in the object, and then none is left over. */
static void check_take(kl_json *object, uint32_t hash)
{
    kl_json *hint = NULL;
    kl_json *key = object + 1;
    for (size_t i = 0; i < object->count; i++, key = kl_json_next(key + 1)) {
        char name[64];
        if (key->count >= sizeof name || memchr(key->as.text, 0, key->count))
            return;
        memcpy(name, key->as.text, key->count);
        name[key->count] = 0;
        if (hash >> i % 32 & 1)
            hint = NULL;
        KL_FUZZ_CHECK(kl_json_first_untaken(object) == key);
        KL_FUZZ_CHECK(kl_json_take(object, name, &hint) == key + 1);
    }
    KL_FUZZ_CHECK(!kl_json_first_untaken(object));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    kl_counted_memory memory;
    kl_counted_memory_init(&memory, 0);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kl_json_doc doc;
    kl_json_doc_init(&doc, &alloc);
    kl_json *root = kl_json_read(&doc, text, size);
    if (size <= KL_NAIVE_JSON_MAX)
        KL_FUZZ_CHECK((root != NULL) == kl_naive_json(data, size));
    /* Nodes of 24 bytes, doubled; as much again where keys are sorted; the strings; a first chunk.
     */
    KL_FUZZ_CHECK(memory.peak_bytes <= 96 * size + 8192);
    uint32_t hash = kl_fuzz_hash(data, size);
    if (root) {
        size_t nodes = doc.nodes.len / sizeof(kl_json);
        KL_FUZZ_CHECK(check_tree(root, text, size) == root + nodes);
        if (hash % 4 == 0)
            check_again(root, nodes, text, size, &alloc);
        if (hash % 4 == 1 && kl_json_type_of(root) == KL_JSON_OBJECT)
            check_take(root, hash);
    } else {
        KL_FUZZ_CHECK(doc.error.reason && doc.error.reason[0] && doc.error.offset <= size &&
                      !doc.error.no_memory);
    }
    kl_json_doc_deinit(&doc);
    kl_counted_memory_end(&memory);
    return 0;
}
