/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a record costs: appending it, sealing its batch, writing a header again, reading it back.
 *
 * A producer never writes to the same warm line twice: its segments go round. So each case here
 * walks through 64 batches of 64 KiB, more than a core's own caches hold, with payloads that are
 * read from an area of their own. The copies that appends are held against read the same sources
 * and write to the same places.
 */
#include "base/crc32c.h"
#include "bench/bench.h"
#include "protocol/record_batch.h"

#include <stdlib.h>

#define BATCH_COUNT  64
#define BATCH_BYTES  65536
#define SOURCE_BYTES 262144
#define VALUE_MAX    1024

static kl_pool pool;
static uint8_t source[SOURCE_BYTES + VALUE_MAX];

/* ---- Appending to segments, and copying to the same places ---- */

typedef struct shape {
    size_t key_len;
    size_t value_len;
    uint32_t header_count;
    size_t stride;   /* where values lie in the source */
    size_t value_at; /* where a value lies in its record */
    size_t record_len;
} shape;

static shape plain = {.value_len = 100};
static shape keyed = {.key_len = 8, .value_len = 100};
static shape headed = {.value_len = 100, .header_count = 2};
static shape large = {.value_len = 1024};

static const kloop_record_header two_headers[] = {
    {{"trace-id", 8}, {(const uint8_t *)"0123456789abcdef", 16}},
    {{"source", 6}, {(const uint8_t *)"bench", 5}},
};

/* Each holds one large segment, filled and rewound, never given back. */
static kl_chain chains[BATCH_COUNT];
static kl_chain_mark starts[BATCH_COUNT];
static uint8_t *places[BATCH_COUNT];
static size_t segment_room;
static size_t turn;

static kl_record record_at(const shape *s, size_t from)
{
    return (kl_record){
        .key = {s->key_len ? source + from + 8 : NULL, s->key_len},
        .value = {source + from, s->value_len},
        .headers = two_headers,
        .header_count = s->header_count,
    };
}

static size_t next_source(const shape *s, size_t from)
{
    return from + s->stride < SOURCE_BYTES ? from + s->stride : 0;
}

static void append(void *ctx, uint64_t iterations)
{
    const shape *s = ctx;
    size_t from = 0;
    uint64_t per_segment = segment_room / s->record_len;
    while (iterations > 0) {
        size_t i = turn++ % BATCH_COUNT;
        kl_chain *chain = &chains[i];
        kl_chain_rewind(chain, starts[i]);
        uint64_t run = iterations < per_segment ? iterations : per_segment;
        for (uint64_t k = 0; k < run; k++) {
            kl_record r = record_at(s, from);
            kl_record_append_within(chain, &r, (int64_t)(k >> 4), (int32_t)k, SIZE_MAX);
            bench_keep(chain);
            from = next_source(s, from);
        }
        iterations -= run;
    }
}

static void copy(void *ctx, uint64_t iterations)
{
    const shape *s = ctx;
    size_t from = 0;
    uint64_t per_segment = segment_room / s->record_len;
    while (iterations > 0) {
        uint8_t *p = places[turn++ % BATCH_COUNT] + s->value_at;
        uint64_t run = iterations < per_segment ? iterations : per_segment;
        for (uint64_t k = 0; k < run; k++) {
            kl_record r = record_at(s, from);
            memcpy(p, r.value.data, r.value.len);
            bench_keep(p);
            p += s->record_len;
            from = next_source(s, from);
        }
        iterations -= run;
    }
}

static void prepare_shape(shape *s)
{
    kl_record r = record_at(s, 0);
    s->stride = (s->value_len + 127) / 64 * 64;
    /* Deltas of two bytes for most: the places of the copies are right within a byte or two. */
    s->record_len = kl_record_size(&r, 63, 500);
    s->value_at = s->record_len - s->value_len - 1;
}

static void prepare_segments(void)
{
    for (size_t i = 0; i < BATCH_COUNT; i++) {
        kl_chain_init(&chains[i], &pool);
        if (!kl_chain_grow(&chains[i], BATCH_BYTES))
            abort();
        starts[i] = kl_chain_here(&chains[i]);
        places[i] = chains[i].pos;
        segment_room = kl_chain_room(&chains[i]);
        memset(places[i], 1, segment_room);
    }
}

/* ---- Whole batches ---- */

static kl_batch_builder builders[BATCH_COUNT];

/* These stay as they are, full and sealed. */
static kl_batch_builder sealed[BATCH_COUNT];

static void accumulate(void *ctx, uint64_t iterations)
{
    const shape *s = ctx;
    size_t from = 0;
    size_t i = turn % BATCH_COUNT;
    for (uint64_t k = 0; k < iterations; k++) {
        kl_record r = record_at(s, from);
        while (kl_batch_builder_append(&builders[i], &r, INT64_C(1700000000000) + (int64_t)(k >> 4),
                                       BATCH_BYTES) != KL_RECORD_APPENDED) {
            i = ++turn % BATCH_COUNT;
            kl_batch_builder_clear(&builders[i]);
        }
        bench_keep(&builders[i]);
        from = next_source(s, from);
    }
}

static void fill(kl_batch_builder *b, const shape *s)
{
    kl_record r = record_at(s, 0);
    kl_batch_builder_init(b, &pool);
    while (kl_batch_builder_append(b, &r, INT64_C(1700000000000) + b->count / 16, BATCH_BYTES) ==
           KL_RECORD_APPENDED)
        continue;
    kl_batch_seal(b, NULL);
}

static void seal(void *ctx, uint64_t iterations)
{
    (void)ctx;
    for (uint64_t k = 0; k < iterations; k++) {
        kl_batch_builder *b = &sealed[turn++ % BATCH_COUNT];
        b->state = KL_BATCH_OPEN;
        kl_batch_seal(b, NULL);
        bench_keep(b);
    }
}

/* The checksum alone of just those bytes. */
static void checksum(void *ctx, uint64_t iterations)
{
    (void)ctx;
    kloop_slice slices[16];
    for (uint64_t k = 0; k < iterations; k++) {
        const kl_batch_builder *b = &sealed[turn++ % BATCH_COUNT];
        size_t n = kl_chain_slices(&b->payload, slices, 16);
        uint32_t crc = 0;
        for (size_t i = 0; i < n; i++)
            crc = kl_crc32c(crc, slices[i].data, slices[i].len);
        bench_use(crc);
    }
}

static void rewrite_header(void *ctx, uint64_t iterations)
{
    (void)ctx;
    uint8_t out[KLOOP_BATCH_HEADER_BYTES];
    for (uint64_t k = 0; k < iterations; k++) {
        const kl_batch_builder *b = &sealed[turn++ % BATCH_COUNT];
        kloop_batch_header header;
        kl_batch_builder_header(b, &header);
        header.producer_id = 4242;
        header.producer_epoch = 7;
        header.base_sequence = (int32_t)k;
        kl_batch_builder_header_put(b, &header, out);
        bench_keep(out);
    }
}

/* ---- Reading ---- */

typedef struct encoded {
    const shape *shape;
    uint8_t *bytes;
    size_t len;
    kloop_batch_reader *reader;
} encoded;

static encoded read_plain = {.shape = &plain};
static encoded read_headed = {.shape = &headed};

static void encode_some(encoded *e)
{
    kl_batch_builder b;
    fill(&b, e->shape);
    e->len = kl_batch_builder_len(&b);
    e->bytes = malloc(e->len);
    e->reader = kloop_batch_reader_new(NULL, 0);
    if (!e->bytes || !e->reader)
        abort();
    kloop_batch_header header;
    kl_batch_builder_header(&b, &header);
    kl_batch_builder_header_put(&b, &header, e->bytes);
    kl_chain_copy(&b.payload, e->bytes + KLOOP_BATCH_HEADER_BYTES);
    kl_batch_builder_clear(&b);
}

/* One iteration is one record; the check of its batch (CRC and all) is shared by all in the batch.
 */
static void decode(void *ctx, uint64_t iterations)
{
    encoded *e = ctx;
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    while (iterations > 0) {
        kloop_batch_reader_start(e->reader, e->bytes, e->len);
        if (kloop_batch_reader_next(e->reader, &header, NULL))
            abort();
        while (iterations > 0 && !kloop_batch_reader_record(e->reader, &record, NULL) && record) {
            kloop_record_headers rest = record->headers;
            kloop_record_header h;
            while (kloop_record_headers_next(&rest, &h))
                bench_keep(h.key.data);
            bench_keep(record);
            iterations--;
        }
    }
}

static const bench_case cases[] = {
    {.name = "copy 100 B", .run = copy, .ctx = &plain, .bytes_per_op = 100},
    {.name = "append 100 B", .run = append, .ctx = &plain, .bytes_per_op = 100},
    {.name = "append 8 B key, 100 B", .run = append, .ctx = &keyed, .bytes_per_op = 108},
    {.name = "append 100 B, 2 headers", .run = append, .ctx = &headed, .bytes_per_op = 135},
    {.name = "copy 1 KiB", .run = copy, .ctx = &large, .bytes_per_op = 1024},
    {.name = "append 1 KiB", .run = append, .ctx = &large, .bytes_per_op = 1024},
    {.name = "batch 100 B", .run = accumulate, .ctx = &plain, .bytes_per_op = 100},
    {.name = "batch 100 B, 2 headers", .run = accumulate, .ctx = &headed, .bytes_per_op = 135},
    {.name = "crc of a 64 KiB batch", .run = checksum, .bytes_per_op = BATCH_BYTES},
    {.name = "seal a 64 KiB batch", .run = seal, .bytes_per_op = BATCH_BYTES},
    {.name = "header again", .run = rewrite_header},
    {.name = "read 100 B", .run = decode, .ctx = &read_plain, .bytes_per_op = 100},
    {.name = "read 100 B, 2 headers", .run = decode, .ctx = &read_headed, .bytes_per_op = 135},
};

/* An append of 100 B may cost 6 ns more than its copy, which takes about 5. */
static const bench_ratio ratios[] = {
    {.label = "ns that append 100 B takes above a copy",
     .of = "append 100 B",
     .minus = "copy 100 B",
     .at_most = 6},
    {.label = "append against copy, 1 KiB",
     .of = "append 1 KiB",
     .by = "copy 1 KiB",
     .at_most = 1.5},
    {.label = "batch against append, 100 B",
     .of = "batch 100 B",
     .by = "append 100 B",
     .at_most = 2.5},
    {.label = "seal against its crc",
     .of = "seal a 64 KiB batch",
     .by = "crc of a 64 KiB batch",
     .at_most = 1.2},
    {.label = "header against seal",
     .of = "header again",
     .by = "seal a 64 KiB batch",
     .at_most = 0.1},
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

int main(int argc, char **argv)
{
    kl_pool_init(&pool, &kl_mem_libc, (size_t)16 << 20);
    for (size_t i = 0; i < sizeof(source); i++)
        source[i] = (uint8_t)(i * 7 + i / 256);
    shape *shapes[] = {&plain, &keyed, &headed, &large};
    for (size_t i = 0; i < COUNT(shapes); i++)
        prepare_shape(shapes[i]);
    prepare_segments();
    for (size_t i = 0; i < BATCH_COUNT; i++) {
        kl_batch_builder_init(&builders[i], &pool);
        fill(&sealed[i], &plain);
    }
    encode_some(&read_plain);
    encode_some(&read_headed);
    return bench_main("record", argc, argv, cases, COUNT(cases), ratios, COUNT(ratios));
}
