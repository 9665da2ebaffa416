/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash map: entries in the order they came, and beside them a table of slots with open
 * addressing that tells where in the order an entry is.
 *
 *     slots     . 3 . . 1 . 2 .        a slot holds an entry's index plus 1; half of them stay free
 *     entries   [A] [B] [C] _          a removed one stays as a hole until room is needed
 *
 * A key's home is its hash modulo the number of slots, and it lies there or in a run without gaps
 * behind it. Removing closes the gap at once, so that lookups never step over graves.
 */
#include "base/map.h"
#include "base/check.h"
#include "base/le.h"
#include "base/mem.h"

#include <string.h>

#define FIRST_CAP 8
/* Indexes of slots, of which there are twice as many, fit 32 bits. */
#define CAP_MAX (UINT32_C(1) << 30)

/* One entry and its two slots. */
#define ENTRY_BYTES (sizeof(kl_map_entry) + 2 * sizeof(uint32_t))

/* Binary digits of the golden ratio and of two square roots, made odd: they stand for nothing. */
#define DIGITS_A UINT64_C(0x9e3779b97f4a7c15)
#define DIGITS_B UINT64_C(0x6a09e667f3bcc909)
#define DIGITS_C UINT64_C(0xbb67ae8584caa73b)

/* Both halves of the 128-bit product, one on the other: each bit of it depends on all of a and b.
 */
static uint64_t fold(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32;
    uint64_t b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0;
    uint64_t middle = a1 * b0 + (low >> 32); /* cannot overflow: (2^32 - 1)^2 + 2^32 - 1 */
    uint64_t other = a0 * b1 + (uint32_t)middle;
    uint64_t high = a1 * b1 + (middle >> 32) + (other >> 32);
    return high ^ (other << 32 | (uint32_t)low);
}

static uint64_t load64(const uint8_t *p)
{
    return (uint64_t)kl_le_load32(p) | (uint64_t)kl_le_load32(p + 4) << 32;
}

uint64_t kl_map_hash(uint64_t seed, kloop_slice key)
{
    /* Both sides of each product depend on the seed: else a key could make one of them 0, and all
     * that the other side knows would be lost. */
    uint64_t secret = seed * DIGITS_A + DIGITS_B;
    uint64_t h = seed ^ DIGITS_C;
    const uint8_t *p = key.data;
    size_t left = key.len;
    for (; left > 16; left -= 16, p += 16)
        h = fold(load64(p) ^ secret, load64(p + 8) ^ h);
    uint64_t a = 0, b = 0;
    if (left > 8) {
        a = load64(p);
        b = kl_le_load(p + 8, left - 8);
    } else if (left > 0) {
        a = kl_le_load(p, left);
    }
    h = fold(a ^ secret, b ^ h);
    return fold(h ^ DIGITS_A, secret ^ (uint64_t)key.len);
}

/* A key as entries keep it. */
typedef struct wanted {
    const uint8_t *key;
    uint32_t len;
    uint32_t hash;
} wanted;

static wanted want_bytes(const kl_map *map, kloop_slice key)
{
    return (wanted){key.data, (uint32_t)key.len, (uint32_t)kl_map_hash(map->seed, key)};
}

static wanted want_number(const kl_map *map, int32_t key)
{
    uint8_t bytes[4];
    kl_le_store32(bytes, (uint32_t)key);
    uint64_t hash = kl_map_hash(map->seed, (kloop_slice){bytes, sizeof bytes});
    return (wanted){NULL, (uint32_t)key, (uint32_t)hash};
}

/* Bytes that can be a key. */
static bool is_key(kloop_slice key)
{
    return key.data && key.len <= UINT32_MAX;
}

static bool is_it(const kl_map_entry *e, const wanted *w)
{
    if (e->hash != w->hash || e->len != w->len || !e->key != !w->key)
        return false;
    return !w->key || memcmp(e->key, w->key, w->len) == 0;
}

static uint32_t slot_mask(const kl_map *map)
{
    return 2 * map->cap - 1;
}

/* The slot of the entry; false when there is none. */
static bool find(const kl_map *map, const wanted *w, uint32_t *slot)
{
    if (!map->count)
        return false;
    uint32_t mask = slot_mask(map);
    for (uint32_t s = w->hash & mask; map->slots[s]; s = (s + 1) & mask) {
        if (is_it(&map->entries[map->slots[s] - 1], w)) {
            *slot = s;
            return true;
        }
    }
    return false;
}

static void fill_slot(kl_map *map, uint32_t index)
{
    uint32_t mask = slot_mask(map);
    uint32_t s = map->entries[index].hash & mask;
    while (map->slots[s])
        s = (s + 1) & mask;
    map->slots[s] = index + 1;
}

/* Moves what is alive of these entries, which may be the map's own, to the front of the map's. */
static void refill(kl_map *map, const kl_map_entry *entries, uint32_t used)
{
    memset(map->slots, 0, 2 * (size_t)map->cap * sizeof(uint32_t));
    map->used = 0;
    for (uint32_t i = 0; i < used; i++) {
        if (!entries[i].value)
            continue;
        map->entries[map->used] = entries[i];
        fill_slot(map, map->used++);
    }
}

static bool make_room(kl_map *map)
{
    if (map->used < map->cap)
        return true;
    uint32_t holes = map->cap - map->count;
    if (holes > 0 && holes >= map->cap / 4) {
        refill(map, map->entries, map->used);
        return true;
    }
    if (map->cap >= CAP_MAX)
        return false;
    uint32_t cap = map->cap ? 2 * map->cap : FIRST_CAP;
    size_t bytes;
    if (!kl_mem_mul(cap, ENTRY_BYTES, &bytes))
        return false;
    kl_map_entry *entries = kl_mem_alloc(&map->alloc, bytes);
    if (!entries)
        return false;
    kl_map_entry *old_entries = map->entries;
    uint32_t old_cap = map->cap;
    map->entries = entries;
    map->slots = (uint32_t *)(void *)(entries + cap);
    map->cap = cap;
    refill(map, old_entries, map->used);
    kl_mem_release(&map->alloc, old_entries, old_cap * ENTRY_BYTES);
    return true;
}

void kl_map_init(kl_map *map, const kloop_allocator *alloc, uint64_t seed)
{
    *map = (kl_map){.seed = seed, .alloc = *alloc};
}

void kl_map_deinit(kl_map *map)
{
    kl_mem_release(&map->alloc, map->entries, map->cap * ENTRY_BYTES);
    map->entries = NULL;
    map->slots = NULL;
    map->used = 0;
    map->cap = 0;
    map->count = 0;
}

static bool put(kl_map *map, wanted w, void *value)
{
    uint32_t slot;
    KL_ASSERT(value);
    KL_ASSERT(!find(map, &w, &slot));
    if (!make_room(map))
        return false;
    map->entries[map->used] = (kl_map_entry){w.key, value, w.len, w.hash};
    fill_slot(map, map->used++);
    map->count++;
    return true;
}

static void *get(const kl_map *map, wanted w)
{
    uint32_t slot;
    return find(map, &w, &slot) ? map->entries[map->slots[slot] - 1].value : NULL;
}

static void *take_out(kl_map *map, wanted w)
{
    uint32_t gap;
    if (!find(map, &w, &gap))
        return NULL;
    kl_map_entry *e = &map->entries[map->slots[gap] - 1];
    void *value = e->value;
    e->value = NULL;
    map->count--;

    /* Whoever behind the gap would no longer be found past it moves into it, leaving a new one. */
    uint32_t mask = slot_mask(map);
    for (uint32_t s = (gap + 1) & mask; map->slots[s]; s = (s + 1) & mask) {
        uint32_t home = map->entries[map->slots[s] - 1].hash & mask;
        if (((s - home) & mask) >= ((s - gap) & mask)) {
            map->slots[gap] = map->slots[s];
            gap = s;
        }
    }
    map->slots[gap] = 0;
    return value;
}

bool kl_map_put(kl_map *map, kloop_slice key, void *value)
{
    KL_ASSERT(is_key(key));
    return put(map, want_bytes(map, key), value);
}

void *kl_map_get(const kl_map *map, kloop_slice key)
{
    return is_key(key) ? get(map, want_bytes(map, key)) : NULL;
}

void *kl_map_remove(kl_map *map, kloop_slice key)
{
    return is_key(key) ? take_out(map, want_bytes(map, key)) : NULL;
}

bool kl_map_put_i32(kl_map *map, int32_t key, void *value)
{
    return put(map, want_number(map, key), value);
}

void *kl_map_get_i32(const kl_map *map, int32_t key)
{
    return get(map, want_number(map, key));
}

void *kl_map_remove_i32(kl_map *map, int32_t key)
{
    return take_out(map, want_number(map, key));
}

void *kl_map_next(const kl_map *map, uint32_t *cursor)
{
    while (*cursor < map->used) {
        void *value = map->entries[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}
