/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding double keys. A few keys are compared each with each. Many are sorted by a hash first and
 * by their text where hashes agree, and neighbours compared. Sorting instead of a hash table,
 * because the hash needs no secret then: whoever makes all hashes agree still pays n log n
 * comparisons, no more.
 *
 * A merge sort: stable, so that of equal keys the later one in the text stands behind, and without
 * a bad case.
 */
#include "wiretools/json_keys.h"

#include <string.h>

#define FEW 16

typedef struct entry {
    uint64_t hash;
    const kl_json *key;
} entry;

static bool same_text(const kl_json *a, const kl_json *b)
{
    return a->count == b->count && memcmp(a->as.text, b->as.text, a->count) == 0;
}

/* The node behind v and what is inside v, as kl_json_next. */
static const kl_json *behind(const kl_json *v)
{
    return kl_json_type_of(v) >= KL_JSON_ARRAY ? v + v->as.span : v + 1;
}

static const kl_json *find_among_few(const kl_json *object)
{
    const kl_json *keys[FEW];
    const kl_json *key = object + 1;
    for (size_t i = 0; i < object->count; i++, key = behind(key + 1)) {
        for (size_t k = 0; k < i; k++)
            if (same_text(keys[k], key))
                return key;
        keys[i] = key;
    }
    return NULL;
}

/* Eight bytes at a time; good enough to tell honest keys apart. */
static uint64_t hash_of(const kl_json *key)
{
    const char *p = key->as.text;
    size_t n = key->count;
    uint64_t h = n;
    while (n > 0) {
        uint64_t word = 0;
        size_t k = n < sizeof(word) ? n : sizeof(word);
        memcpy(&word, p, k);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
        p += k;
        n -= k;
    }
    return h;
}

static int compare(const entry *a, const entry *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->key->count != b->key->count)
        return a->key->count < b->key->count ? -1 : 1;
    return memcmp(a->key->as.text, b->key->as.text, a->key->count);
}

static void merge(const entry *from, entry *to, size_t left, size_t middle, size_t right)
{
    size_t a = left;
    size_t b = middle;
    for (size_t i = left; i < right; i++) {
        if (a < middle && (b >= right || compare(&from[a], &from[b]) <= 0))
            to[i] = from[a++];
        else
            to[i] = from[b++];
    }
}

/* Sorts n entries, using the n behind them; answers where they are at the end. */
static const entry *sort(entry *entries, size_t n)
{
    entry *from = entries;
    entry *to = entries + n;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t left = 0; left < n; left += 2 * width) {
            size_t middle = n - left < width ? n : left + width;
            size_t right = n - middle < width ? n : middle + width;
            merge(from, to, left, middle, right);
        }
        entry *done = to;
        to = from;
        from = done;
    }
    return from;
}

bool kl_json_keys_check(const kl_json *object, kl_buf *scratch, const kl_json **twice)
{
    size_t n = object->count;
    if (n <= FEW) {
        *twice = find_among_few(object);
        return true;
    }
    *twice = NULL;
    size_t bytes;
    kl_buf_reset(scratch);
    if (!kl_mem_mul(n, 2 * sizeof(entry), &bytes) || !kl_buf_reserve(scratch, bytes, NULL))
        return false;
    entry *entries = (entry *)(void *)scratch->data;
    const kl_json *key = object + 1;
    for (size_t i = 0; i < n; i++, key = behind(key + 1))
        entries[i] = (entry){hash_of(key), key};
    const entry *sorted = sort(entries, n);
    for (size_t i = 1; i < n; i++) {
        const kl_json *later = sorted[i].key;
        bool earliest = !*twice || later < *twice;
        if (earliest && sorted[i - 1].hash == sorted[i].hash && same_text(sorted[i - 1].key, later))
            *twice = later;
    }
    return true;
}
