/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making record batches: the producer's builder (append, seal in steps, give a seal up, header
 * after header on the same payload) and the writer for batches made by hand, both with the records
 * of a script. What the reader finds in them is what was put in.
 *
 * Input: codec and level, limits and steps, then the records and the headers' fields.
 */
#include "fuzz/batch_trial.h"
#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "protocol/record_batch.h"
#include "wiretools/arena.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 40
#define HEADERS_MAX 6
/* In long keys and values together: a little more than the largest segment. */
#define LONG_BYTES_MAX 80000

typedef struct script {
    kl_drawn d;
    kl_arena arena;
    int codec;
    int32_t level;
    size_t bytes_max; /* of the builder's batch */
    size_t step_bytes;
    uint8_t how;
    size_t long_bytes_left;
    kloop_batch_record records[RECORDS_MAX];
    size_t count;
} script;

#define HOW_CANCEL   1 /* the first seal is given up in the middle */
#define HOW_RENUMBER 2
#define HOW_PINNED   4 /* a segment outlives the builder */
#define HOW_REFUSED  8 /* the writer is offered what it must refuse */

/* ---- Drawing ---- */

static kloop_slice draw_bytes(script *s, bool nullable)
{
    uint8_t how = kl_drawn_u8(&s->d);
    if (how == 0xff && nullable)
        return (kloop_slice){NULL, 0};
    if (how < 0xf8)
        return kl_drawn_bytes(&s->d, how & 0x3f);
    /* Long ones, so that a record lies in several segments: the same few bytes again and again. */
    kloop_slice seed = kl_drawn_bytes(&s->d, 1 + (how & 7));
    size_t len = (size_t)kl_drawn_u8(&s->d) * (how == 0xfe ? 331 : 19);
    if (len > s->long_bytes_left)
        len = s->long_bytes_left;
    s->long_bytes_left -= len;
    uint8_t *bytes = kl_arena_alloc_bytes(&s->arena, len + seed.len);
    KL_FUZZ_CHECK(bytes);
    if (seed.len > 0)
        memcpy(bytes, seed.data, seed.len);
    else
        memset(bytes, 'r', len);
    for (size_t done = seed.len, n; done > 0 && done < len; done += n) {
        n = len - done < done ? len - done : done;
        memcpy(bytes + done, bytes, n);
    }
    return (kloop_slice){bytes, len};
}

static kloop_string draw_key(script *s)
{
    kloop_slice bytes = kl_drawn_bytes(&s->d, kl_drawn_u8(&s->d) & 15);
    char *text = kl_arena_alloc_bytes(&s->arena, bytes.len);
    KL_FUZZ_CHECK(text);
    for (size_t i = 0; i < bytes.len; i++)
        text[i] = (char)(bytes.data[i] & 0x7f);
    return (kloop_string){text, bytes.len};
}

static kloop_record_headers draw_headers(script *s)
{
    uint8_t how = kl_drawn_u8(&s->d);
    int32_t count = how < 0xc0 ? 0 : how % HEADERS_MAX;
    kloop_record_header *items = kl_arena_zalloc(&s->arena, HEADERS_MAX, sizeof *items);
    KL_FUZZ_CHECK(items);
    for (int32_t i = 0; i < count; i++) {
        items[i].key = draw_key(s);
        items[i].value = draw_bytes(s, true);
    }
    return kloop_record_headers_of(items, count);
}

static void draw_records(script *s)
{
    int64_t timestamp = kl_drawn_number(&s->d, 64);
    size_t wanted = kl_drawn_u8(&s->d) % (RECORDS_MAX + 1);
    for (s->count = 0; s->count < wanted; s->count++) {
        kloop_batch_record *r = &s->records[s->count];
        memset(r, 0, sizeof *r);
        r->timestamp = timestamp;
        r->key = draw_bytes(s, true);
        r->value = draw_bytes(s, true);
        r->headers = draw_headers(s);
        timestamp = (int64_t)((uint64_t)timestamp + (uint64_t)kl_drawn_number(&s->d, 16));
        if (kl_drawn_left(&s->d) == 0)
            wanted = s->count + 1;
    }
}

static void draw_numbers(script *s, kloop_batch_header *header)
{
    header->base_offset = kl_drawn_number(&s->d, 64);
    header->partition_leader_epoch = (int32_t)kl_drawn_number(&s->d, 32);
    header->producer_id = kl_drawn_number(&s->d, 64);
    header->producer_epoch = (int16_t)kl_drawn_number(&s->d, 16);
    header->base_sequence = (int32_t)kl_drawn_number(&s->d, 32);
}

/* ---- The builder ---- */

static kl_record as_record(const kloop_batch_record *r)
{
    return (kl_record){.key = r->key,
                       .value = r->value,
                       .headers = r->headers.items,
                       .header_count = (uint32_t)r->headers.count,
                       .attributes = r->attributes};
}

/* Appends until a record does not fit; answers how many did. */
static size_t append_all(script *s, kl_batch_builder *b)
{
    for (size_t i = 0; i < s->count; i++) {
        kl_record record = as_record(&s->records[i]);
        size_t len = kl_batch_builder_len(b);
        int64_t delta =
            (int64_t)((uint64_t)s->records[i].timestamp - (uint64_t)s->records[0].timestamp);
        size_t size = kl_record_size(&record, delta, (int32_t)i);
        kl_record_appended appended =
            kl_batch_builder_append(b, &record, s->records[i].timestamp, s->bytes_max);
        KL_FUZZ_CHECK(appended ==
                      (len + size <= s->bytes_max ? KL_RECORD_APPENDED : KL_RECORD_TOO_LARGE));
        KL_FUZZ_CHECK(kl_batch_builder_len(b) ==
                      (appended == KL_RECORD_APPENDED ? len + size : len));
        if (appended != KL_RECORD_APPENDED)
            return i;
    }
    return s->count;
}

static uint8_t *chain_bytes(const kl_chain *chain)
{
    uint8_t *bytes = kl_fuzz_exact_room(kl_chain_len(chain));
    kl_chain_copy(chain, bytes);
    return bytes;
}

/* A seal that is given up after a step leaves the records as they were. */
static void give_up_seal(script *s, kl_batch_builder *b, kl_compressor *c)
{
    kl_batch_sealer sealer;
    bool done;
    size_t len = kl_chain_len(&b->payload);
    uint8_t *before = chain_bytes(&b->payload);
    KL_FUZZ_CHECK(kl_batch_seal_begin(&sealer, b, c) == KL_CODEC_OK);
    if (kl_batch_seal_step(&sealer, s->step_bytes, &done) == KL_CODEC_OK && done) {
        /* Too late to give it up. */
        free(before);
        return;
    }
    kl_batch_seal_cancel(&sealer);
    uint8_t *after = chain_bytes(&b->payload);
    KL_FUZZ_CHECK(b->state == KL_BATCH_OPEN && kl_chain_len(&b->payload) == len &&
                  (len == 0 || memcmp(before, after, len) == 0));
    free(after);
    free(before);
}

static void seal(script *s, kl_batch_builder *b, kl_compressor *c)
{
    if (s->how & HOW_CANCEL)
        give_up_seal(s, b, c);
    if (b->state == KL_BATCH_SEALED)
        return;
    size_t len = kl_chain_len(&b->payload);
    kl_batch_sealer sealer;
    KL_FUZZ_CHECK(kl_batch_seal_begin(&sealer, b, c) == KL_CODEC_OK);
    size_t steps = 0;
    for (bool done = false; !done; steps++)
        KL_FUZZ_CHECK(kl_batch_seal_step(&sealer, s->step_bytes, &done) == KL_CODEC_OK);
    KL_FUZZ_CHECK(steps <= 4 + 2 * (len / s->step_bytes + 1));
    KL_FUZZ_CHECK(kl_chain_len(&b->payload) <= len);
}

/* Header and payload in a row. */
static kloop_slice whole(const kl_batch_builder *b, const kloop_batch_header *header)
{
    size_t len = kl_batch_builder_len(b);
    uint8_t *bytes = kl_fuzz_exact_room(len);
    kl_batch_builder_header_put(b, header, bytes);
    kl_chain_copy(&b->payload, bytes + KLOOP_BATCH_HEADER_BYTES);
    return (kloop_slice){bytes, len};
}

static void number_records(script *s, int64_t base_offset, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->records[i].offset = (int64_t)((uint64_t)base_offset + i);
}

static void expect_sent(script *s, const kl_batch_builder *b, size_t count)
{
    kloop_batch_header header;
    kl_batch_builder_header(b, &header);
    draw_numbers(s, &header);
    number_records(s, header.base_offset, count);
    kloop_slice bytes = whole(b, &header);
    kl_batch_trial_expect(bytes, &header, s->records, count);
    free((void *)(uintptr_t)bytes.data);
}

static void run_builder(script *s, const kloop_allocator *alloc)
{
    kl_pool pool;
    kl_batch_builder b;
    kl_compressor *c = NULL;
    kl_pool_init(&pool, alloc, 16384);
    kl_batch_builder_init(&b, &pool);
    if (s->codec > 0)
        KL_FUZZ_CHECK(kl_compressor_new(&c, (kl_codec_id)s->codec, s->level, alloc) == KL_CODEC_OK);
    size_t count = append_all(s, &b);
    seal(s, &b, c);
    KL_FUZZ_CHECK(b.count == (int32_t)count);
    expect_sent(s, &b, count);
    if (s->how & HOW_RENUMBER)
        expect_sent(s, &b, count);
    kl_segment *pinned = s->how & HOW_PINNED ? b.payload.first : NULL;
    if (pinned)
        kl_segment_pin(pinned);
    kl_batch_builder_clear(&b);
    KL_FUZZ_CHECK(b.count == 0 && b.state == KL_BATCH_OPEN &&
                  kl_batch_builder_len(&b) == KLOOP_BATCH_HEADER_BYTES);
    if (pinned)
        kl_segment_unpin(pinned);
    KL_FUZZ_CHECK(pool.held_bytes == 0);
    kl_compressor_del(c);
    kl_pool_deinit(&pool);
}

/* ---- The writer ---- */

/* Records that no reader would take, offsets out of reach: refused, and the batch is as it was. */
static void add_refused(script *s, kloop_batch_writer *w, const kloop_batch_header *header)
{
    static const kloop_record_header null_key[] = {{{"a", 1}, {NULL, 0}}, {{NULL, 0}, {NULL, 0}}};
    static const kloop_record_header bad_key[] = {{{"\xed\xa0\x80", 3}, {NULL, 0}}};
    kloop_batch_record record;
    kloop_fault fault;
    memset(&record, 0, sizeof record);
    record.offset = header->base_offset;
    record.value = kl_drawn_bytes(&s->d, 4);
    uint8_t how = kl_drawn_u8(&s->d);
    kloop_status expected;
    switch (how & 3) {
    case 0:
        record.headers = kloop_record_headers_of(null_key, 2);
        expected = KLOOP_BAD_NULL;
        break;
    case 1:
        record.headers = kloop_record_headers_of(bad_key, 1);
        expected = KLOOP_BAD_UTF8;
        break;
    case 2: /* bytes that are no headers, or not so many */
        record.headers.count = 200;
        record.headers.bytes = kl_drawn_bytes(&s->d, 100);
        if (kloop_batch_writer_add(w, &record, &fault) == KLOOP_BAD_UTF8)
            return;
        expected = KLOOP_BAD_COUNT;
        break;
    default:
        record.offset = (int64_t)((uint64_t)header->base_offset + (uint64_t)INT32_MAX + 1 + how);
        expected = KLOOP_OUT_OF_RANGE;
        break;
    }
    KL_FUZZ_CHECK(kloop_batch_writer_add(w, &record, &fault) == expected);
    KL_FUZZ_FAULT(&fault, SIZE_MAX);
}

static void run_writer(script *s, const kloop_allocator *alloc)
{
    kloop_batch_header header;
    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_header_fit(&header, s->records, s->count);
    draw_numbers(s, &header);
    header.attributes = (int16_t)(s->codec | (kl_drawn_u8(&s->d) & 0x70));
    number_records(s, header.base_offset, s->count);
    /* One of them where a broker may have put it after compaction. */
    if (s->count > 0) {
        size_t i = s->count - 1;
        s->records[i].offset =
            (int64_t)((uint64_t)header.base_offset + (uint64_t)kl_drawn_number(&s->d, 32));
    }
    kloop_batch_writer *w = kloop_batch_writer_new(alloc);
    KL_FUZZ_CHECK(w);
    kloop_batch_writer_start(w, &header);
    for (size_t i = 0; i < s->count; i++) {
        if (s->how & HOW_REFUSED)
            add_refused(s, w, &header);
        KL_FUZZ_FINE(kloop_batch_writer_add(w, &s->records[i], &fault), &fault);
    }
    KL_FUZZ_FINE(kloop_batch_writer_end(w, &batch, &fault), &fault);
    kl_batch_trial_expect(batch, &header, s->records, s->count);
    KL_FUZZ_CHECK(batch.len <= kloop_batch_size_max(&header, s->records, s->count));
    kloop_batch_writer_del(w);
}

/* Without a codec builder and writer give the same bytes. */
static void check_same(script *s, const kloop_allocator *alloc)
{
    kl_pool pool;
    kl_batch_builder b;
    kl_pool_init(&pool, alloc, 0);
    kl_batch_builder_init(&b, &pool);
    s->bytes_max = SIZE_MAX;
    KL_FUZZ_CHECK(append_all(s, &b) == s->count);
    KL_FUZZ_CHECK(kl_batch_seal(&b, NULL) == KL_CODEC_OK);
    kloop_batch_header header;
    kl_batch_builder_header(&b, &header);
    number_records(s, 0, s->count);
    kloop_slice bytes = whole(&b, &header);

    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_writer *w = kloop_batch_writer_new(alloc);
    KL_FUZZ_CHECK(w);
    kloop_batch_writer_start(w, &header);
    for (size_t i = 0; i < s->count; i++)
        KL_FUZZ_FINE(kloop_batch_writer_add(w, &s->records[i], &fault), &fault);
    KL_FUZZ_FINE(kloop_batch_writer_end(w, &batch, &fault), &fault);
    KL_FUZZ_CHECK(batch.len == bytes.len && memcmp(batch.data, bytes.data, bytes.len) == 0);
    kloop_batch_writer_del(w);
    free((void *)(uintptr_t)bytes.data);
    kl_batch_builder_clear(&b);
    kl_pool_deinit(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script s = {.d = kl_drawn_from(data, size), .long_bytes_left = LONG_BYTES_MAX};
    kl_counted_memory memory;
    kl_counted_memory_init(&memory, 0);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kl_arena_init(&s.arena, &kl_mem_libc);

    uint8_t first = kl_drawn_u8(&s.d);
    s.codec = (first & 15) <= 4 ? first & 15 : 0;
    const kl_codec *codec = kl_codec_by_id(s.codec);
    s.level = KL_CODEC_LEVEL_DEFAULT;
    if (codec && first & 0x10 && kl_codec_has_level(codec, 1 + (first >> 5)))
        s.level = 1 + (first >> 5);
    uint8_t limit = kl_drawn_u8(&s.d);
    s.bytes_max = limit >= 0x80 ? SIZE_MAX : (size_t)limit * limit * 4;
    s.step_bytes = 1 + (size_t)kl_drawn_u8(&s.d) * 64;
    s.how = kl_drawn_u8(&s.d);
    draw_records(&s);
    run_builder(&s, &alloc);
    run_writer(&s, &alloc);
    if (kl_fuzz_hash(data, size) % 4 == 0)
        check_same(&s, &alloc);

    kl_arena_deinit(&s.arena);
    kl_counted_memory_end(&memory);
    return 0;
}
