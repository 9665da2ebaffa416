/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that tell who they are. */
#include "tests/sim/sim.h"

#include "base/le.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC UINT32_C(0x6d69536b)

static uint32_t mark_check(const uint8_t *mark)
{
    return (uint32_t)sim_hash(0, mark, SIM_MARK_BYTES - 4);
}

static void put_mark(uint8_t *to, uint32_t number, uint8_t topic, int32_t partition)
{
    kl_le_store32(to, MAGIC);
    kl_le_store32(to + 4, number);
    kl_le_store32(to + 8, (uint32_t)(partition + 1) << 8 | topic);
    kl_le_store32(to + 12, mark_check(to));
}

static bool read_mark(kloop_slice from, uint32_t *number, uint8_t *topic, int32_t *partition)
{
    if (!from.data || from.len < SIM_MARK_BYTES || kl_le_load32(from.data) != MAGIC ||
        kl_le_load32(from.data + 12) != mark_check(from.data))
        return false;
    *number = kl_le_load32(from.data + 4);
    *topic = (uint8_t)kl_le_load32(from.data + 8);
    *partition = (int32_t)(kl_le_load32(from.data + 8) >> 8) - 1;
    return true;
}

uint32_t sim_payload_number(const sim *s, const kloop_batch_record *record, uint8_t *topic,
                            int32_t *partition)
{
    uint32_t number = 0;
    bool found = read_mark(record->value, &number, topic, partition) ||
                 read_mark(record->key, &number, topic, partition);
    kloop_record_headers rest = record->headers;
    for (kloop_record_header h; !found && kloop_record_headers_next(&rest, &h);)
        found = read_mark(h.value, &number, topic, partition);
    return found && number <= s->ledger.count ? number : 0;
}

static uint8_t *take(sim_payload *p, size_t n)
{
    uint8_t *at = p->bytes + p->used;
    p->used += n;
    return at;
}

/* Bytes that a codec can do something with, but not everything. */
static void fill(uint8_t *to, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i += 8) {
        seed = sim_mix(seed, i);
        uint64_t word = (seed & 0x700) ? UINT64_C(0x2c22656d616e227b) : seed;
        for (size_t k = 0; k < 8 && i + k < n; k++)
            to[i + k] = (uint8_t)(word >> (8 * k));
    }
}

static kloop_slice filled(sim_payload *p, size_t len, uint64_t seed)
{
    uint8_t *at = take(p, len);
    fill(at, len, seed);
    return (kloop_slice){at, len};
}

static kloop_slice marked(sim_payload *p, size_t len, uint64_t seed, uint32_t number, uint8_t topic,
                          int32_t partition)
{
    uint8_t *at = take(p, SIM_MARK_BYTES + len);
    put_mark(at, number, topic, partition);
    fill(at + SIM_MARK_BYTES, len, seed);
    return (kloop_slice){at, SIM_MARK_BYTES + len};
}

/* One of a few keys, so that they come again; now and then an empty or a long one. */
static kloop_slice draw_key(sim *s, sim_payload *p)
{
    uint64_t sort = sim_below(s, SIM_STREAM_USER, 16);
    if (sort == 0)
        return (kloop_slice){take(p, 0), 0};
    size_t len = sort == 1 ? 60 : 1 + (size_t)sim_below(s, SIM_STREAM_USER, 9);
    return filled(p, len, sim_below(s, SIM_STREAM_USER, 40));
}

static uint32_t draw_headers(sim *s, sim_payload *p)
{
    static const char *const keys[] = {"trace", "trace", "id", "", "\xc3\xa9", "a-rather-long-one"};
    if (sim_below(s, SIM_STREAM_USER, 8))
        return 0;
    uint32_t n = (uint32_t)sim_below(s, SIM_STREAM_USER, SIM_PAYLOAD_HEADERS - 1);
    for (uint32_t i = 0; i < n; i++) {
        const char *key = keys[sim_below(s, SIM_STREAM_USER, 6)];
        uint64_t sort = sim_below(s, SIM_STREAM_USER, 4);
        p->headers[i].key = (kloop_string){key, strlen(key)};
        p->headers[i].value = sort == 0   ? (kloop_slice){NULL, 0}
                              : sort == 1 ? (kloop_slice){take(p, 0), 0}
                                          : filled(p, (size_t)sort * 5, i + sort);
    }
    return n;
}

void sim_payload_make(sim *s, uint32_t number, uint8_t topic, int32_t partition, size_t bytes_max)
{
    sim_payload *p = &s->payload;
    size_t len = (size_t)sim_scale(s, SIM_STREAM_USER, 1, bytes_max);
    if (p->cap < len + 1024) {
        p->cap = 2 * len + 4096;
        p->bytes = sim_grow(p->bytes, p->cap, 1);
    }
    p->used = 0;
    kloop_record *r = &p->record;
    *r = (kloop_record){.user = (void *)(uintptr_t)number};
    uint64_t sort = sim_below(s, SIM_STREAM_USER, 64);
    bool keyed = sort >= 4 && sim_chance(s, SIM_STREAM_USER, s->plan.keyed);
    r->header_count = draw_headers(s, p);
    if (sort == 0) {
        r->key = marked(p, len % 32, number, number, topic, partition);
    } else if (sort == 1) {
        r->key = marked(p, 0, number, number, topic, partition);
        r->value = (kloop_slice){take(p, 0), 0};
    } else if (sort == 2) {
        p->headers[r->header_count].key = (kloop_string){"mark", 4};
        p->headers[r->header_count++].value = marked(p, 3, number, number, topic, partition);
    } else {
        r->value = marked(p, len, number, number, topic, partition);
    }
    if (keyed)
        r->key = draw_key(s, p);
    r->headers = r->header_count ? p->headers : NULL;
    if (partition >= 0) {
        r->set |= KLOOP_SET_PARTITION;
        r->partition = partition;
    }
    if (sim_below(s, SIM_STREAM_USER, 8) == 0) {
        r->set |= KLOOP_SET_TIMESTAMP;
        r->timestamp_ms =
            sim_world_wall_ms(s) - 50000 + (int64_t)sim_below(s, SIM_STREAM_USER, 100000);
        if (sim_below(s, SIM_STREAM_USER, 64) == 0)
            r->timestamp_ms = 0;
    }
}

void sim_payload_poison(sim *s)
{
    memset(s->payload.bytes, SIM_POISON, s->payload.used);
    memset(s->payload.headers, SIM_POISON, sizeof s->payload.headers);
}

void sim_payload_deinit(sim *s)
{
    free(s->payload.bytes);
    s->payload = (sim_payload){0};
}

static uint64_t hash_slice(uint64_t h, kloop_slice slice)
{
    return slice.data ? sim_hash(sim_mix(h, 1), slice.data, slice.len) : sim_mix(h, 2);
}

static uint64_t hash_header(uint64_t h, const kloop_record_header *header)
{
    h = sim_hash(h, header->key.data, header->key.len);
    return hash_slice(h, header->value);
}

uint64_t sim_payload_hash(const kloop_record *record, int64_t timestamp_ms)
{
    uint64_t h = hash_slice(sim_mix(0, (uint64_t)timestamp_ms), record->key);
    h = sim_mix(hash_slice(h, record->value), record->header_count);
    for (uint32_t i = 0; i < record->header_count; i++)
        h = hash_header(h, &record->headers[i]);
    return h;
}

uint64_t sim_payload_hash_of(const kloop_batch_record *record)
{
    uint64_t h = hash_slice(sim_mix(0, (uint64_t)record->timestamp), record->key);
    h = sim_mix(hash_slice(h, record->value), (uint64_t)record->headers.count);
    kloop_record_headers rest = record->headers;
    for (kloop_record_header header; kloop_record_headers_next(&rest, &header);)
        h = hash_header(h, &header);
    return h;
}

uint32_t sim_payload_murmur2(const uint8_t *bytes, size_t len)
{
    const uint32_t m = UINT32_C(0x5bd1e995);
    uint32_t h = UINT32_C(0x9747b28c) ^ (uint32_t)len;
    for (; len >= 4; bytes += 4, len -= 4) {
        uint32_t k = kl_le_load32(bytes) * m;
        k = (k ^ k >> 24) * m;
        h = h * m ^ k;
    }
    if (len > 2)
        h ^= (uint32_t)bytes[2] << 16;
    if (len > 1)
        h ^= (uint32_t)bytes[1] << 8;
    if (len > 0)
        h = (h ^ bytes[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}
