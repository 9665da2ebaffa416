/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash map from bytes, or from 32-bit numbers, to things.
 *
 * The map owns its table and nothing else. The bytes of a key are not copied: they lie in the thing
 * that is found by them, and must neither change nor move while it is in the map. A thing is never
 * NULL, so that NULL means "not there". Bytes and numbers are different keys even where they look
 * alike; the two may be mixed.
 *
 * The walk goes in the order in which things were put in, whatever the seed. The seed decides only
 * where things lie in the table: with one that strangers do not know, they cannot choose names that
 * fall together. The same seed gives the same hashes on every machine.
 *
 * Fails: put alone, when there is no memory; the map is as it was then.
 */
#ifndef KL_BASE_MAP_H
#define KL_BASE_MAP_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kl_map_entry {
    const uint8_t *key; /* NULL: the key is a number */
    void *value;        /* NULL: was removed */
    uint32_t len;       /* of the key, or the number */
    uint32_t hash;
} kl_map_entry;

typedef struct kl_map {
    kl_map_entry *entries; /* in the order they came */
    uint32_t *slots; /* 2 * cap of them, in the same block: an entry's index plus 1; 0: free */
    uint32_t used;   /* entries in use, removed ones included */
    uint32_t cap;    /* a power of two, or 0 */
    uint32_t count;  /* how many things are in the map */
    uint64_t seed;
    kloop_allocator alloc;
} kl_map;

/* Allocates nothing. The table is copied. */
void kl_map_init(kl_map *map, const kloop_allocator *alloc, uint64_t seed);

/* Gives the table back; may be called twice. The map is empty then, and usable. */
void kl_map_deinit(kl_map *map);

/* The key must not be in the map yet, and not be null. false: no memory. */
bool kl_map_put(kl_map *map, kloop_slice key, void *value);
/* NULL when there is none. Null is no key: nothing is found by it. */
void *kl_map_get(const kl_map *map, kloop_slice key);
/* What was taken out, NULL when there was nothing. */
void *kl_map_remove(kl_map *map, kloop_slice key);

/* The same with numbers. */
bool kl_map_put_i32(kl_map *map, int32_t key, void *value);
void *kl_map_get_i32(const kl_map *map, int32_t key);
void *kl_map_remove_i32(kl_map *map, int32_t key);

/*
 * The walk: *cursor is 0 at first, and NULL is the end.
 *
 *     uint32_t cursor = 0;
 *     for (thing *t; (t = kl_map_next(map, &cursor)) != NULL;)
 *
 * Things may be removed on the way, the present one and others; none may be put in.
 */
void *kl_map_next(const kl_map *map, uint32_t *cursor);

/* The hash by which bytes are found, for tests. It is no defence against someone who sees hashes.
 */
uint64_t kl_map_hash(uint64_t seed, kloop_slice key);

#endif
