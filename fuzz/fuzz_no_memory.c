/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What allocates, with one of its allocations refused: the answer is an error and nothing is lost,
 * spoilt or leaked; the same object then does the same work well.
 *
 * Input: what (1 byte), which allocation fails (1 byte), then as in the target about it: bytes for
 * the batch reader, bytes to decompress, content to compress or to put into a batch.
 */
#include "codecs/codec.h"
#include "fuzz/batch_trial.h"
#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "protocol/record_batch.h"

#include <stdlib.h>
#include <string.h>

#define UNPACKED_MAX ((size_t)1 << 16)

/* ---- Reading batches ---- */

/* How a reading ended, and how many records and bytes of them it saw. */
typedef struct outcome {
    kloop_status status;
    size_t at;
    size_t records;
    size_t bytes;
} outcome;

static outcome read_all(kloop_batch_reader *reader, const uint8_t *bytes, size_t len)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault = {.status = KLOOP_OK};
    outcome o = {KLOOP_OK, 0, 0, 0};
    kloop_batch_reader_start(reader, bytes, len);
    while (!kloop_batch_reader_next(reader, &header, &fault) && header) {
        while (!kloop_batch_reader_record(reader, &record, &fault) && record) {
            o.records++;
            o.bytes += record->bytes.len;
        }
    }
    o.status = fault.status;
    o.at = fault.status ? fault.at : 0;
    if (fault.status)
        KL_FUZZ_FAULT(&fault, len);
    return o;
}

static bool same_outcome(const outcome *a, const outcome *b)
{
    return a->status == b->status && a->at == b->at && a->records == b->records &&
           a->bytes == b->bytes;
}

static void try_reader(kl_drawn *d, kl_counted_memory *memory, const kloop_allocator *alloc)
{
    kloop_slice rest = kl_drawn_rest(d);
    uint8_t *bytes = kl_fuzz_exact_copy(rest.data, rest.len);
    kl_batch_trial_reseal(bytes, rest.len);
    kloop_batch_reader *reader = kloop_batch_reader_new(alloc, UNPACKED_MAX);
    if (!reader) {
        KL_FUZZ_CHECK(memory->refused == 1);
        free(bytes);
        return;
    }
    outcome first = read_all(reader, bytes, rest.len);
    KL_FUZZ_CHECK((first.status == KLOOP_NO_MEMORY) == (memory->refused > 0));
    memory->nth = 0;
    outcome second = read_all(reader, bytes, rest.len);
    KL_FUZZ_CHECK(second.status != KLOOP_NO_MEMORY);
    KL_FUZZ_CHECK(first.status == KLOOP_NO_MEMORY || same_outcome(&first, &second));
    kloop_batch_reader_del(reader);
    free(bytes);
}

/* ---- Writing a batch ---- */

/* The content as records of a drawn length. */
static kloop_status write_batch(kloop_batch_writer *w, const kloop_batch_header *header,
                                kloop_slice content, size_t step, kloop_slice *batch,
                                kloop_fault *fault)
{
    kloop_batch_writer_start(w, header);
    for (size_t at = 0; at < content.len; at += step) {
        kloop_batch_record record;
        memset(&record, 0, sizeof record);
        record.offset = (int64_t)(at / step);
        record.value =
            (kloop_slice){content.data + at, content.len - at < step ? content.len - at : step};
        kloop_status status = kloop_batch_writer_add(w, &record, fault);
        if (status)
            return status;
    }
    return kloop_batch_writer_end(w, batch, fault);
}

static void try_writer(kl_drawn *d, int codec, kl_counted_memory *memory,
                       const kloop_allocator *alloc)
{
    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_header header;
    size_t step = 1 + kl_drawn_u8(d);
    kloop_slice content = kl_drawn_rest(d);
    kloop_batch_header_init(&header);
    header.attributes = (int16_t)codec;
    kloop_batch_writer *w = kloop_batch_writer_new(alloc);
    if (!w) {
        KL_FUZZ_CHECK(memory->refused == 1);
        return;
    }
    kloop_status status = write_batch(w, &header, content, step, &batch, &fault);
    KL_FUZZ_CHECK((status == KLOOP_NO_MEMORY) == (memory->refused > 0));
    if (status) {
        KL_FUZZ_FAULT(&fault, SIZE_MAX);
        /* As promised, the end can be tried again where only it went wrong. */
        status = fault.depth > 0 ? write_batch(w, &header, content, step, &batch, &fault)
                                 : kloop_batch_writer_end(w, &batch, &fault);
    }
    KL_FUZZ_FINE(status, &fault);

    const kloop_batch_header *read;
    kl_batch_records records;
    kl_batch_records_init(&records);
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, content.len * 32 + 64);
    KL_FUZZ_CHECK(reader);
    kloop_batch_reader_start(reader, batch.data, batch.len);
    KL_FUZZ_FINE(kloop_batch_reader_next(reader, &read, &fault), &fault);
    KL_FUZZ_FINE(kl_batch_trial_read(reader, &records, &fault), &fault);
    size_t at = 0;
    for (size_t i = 0; i < kl_batch_records_count(&records); i++) {
        kloop_slice value = kl_batch_records_at(&records, i)->value;
        KL_FUZZ_CHECK(value.len <= content.len - at &&
                      memcmp(value.data, content.data + at, value.len) == 0);
        at += value.len;
    }
    KL_FUZZ_CHECK(at == content.len);
    kloop_batch_reader_del(reader);
    kl_batch_records_deinit(&records);
    kloop_batch_writer_del(w);
}

/* ---- Codecs ---- */

static void try_decompress(kl_drawn *d, int codec, kl_counted_memory *memory,
                           const kloop_allocator *alloc)
{
    kl_decompressor *decompressor;
    kl_buf out;
    kloop_slice packed = kl_drawn_rest(d);
    kl_codec_status status = kl_decompressor_new(&decompressor, (kl_codec_id)codec, alloc);
    if (status != KL_CODEC_OK) {
        KL_FUZZ_CHECK(status == KL_CODEC_NO_MEMORY && memory->refused == 1 && !decompressor);
        return;
    }
    kl_buf_init(&out, alloc);
    status = kl_decompress(decompressor, &packed, 1, UNPACKED_MAX, &out, NULL);
    KL_FUZZ_CHECK((status == KL_CODEC_NO_MEMORY) == (memory->refused > 0));
    KL_FUZZ_CHECK(!out.failed && (status == KL_CODEC_OK || out.len == 0));
    memory->nth = 0;
    kl_buf_reset(&out);
    kl_codec_status again = kl_decompress(decompressor, &packed, 1, UNPACKED_MAX, &out, NULL);
    KL_FUZZ_CHECK(again == status || status == KL_CODEC_NO_MEMORY);
    KL_FUZZ_CHECK(again != KL_CODEC_NO_MEMORY);
    kl_buf_deinit(&out);
    kl_decompressor_del(decompressor);
}

static kl_codec_status compress(kl_compressor *c, kloop_slice content, kl_chain *out)
{
    kl_codec_status status = kl_compress_begin(c, content.len, out);
    if (status == KL_CODEC_OK)
        status = kl_compress_some(c, &content, 1);
    return status == KL_CODEC_OK ? kl_compress_end(c) : status;
}

static void try_seal(kl_drawn *d, int codec, kl_counted_memory *memory,
                     const kloop_allocator *alloc)
{
    kl_pool pool;
    kl_compressor *c;
    kl_batch_builder b;
    kl_codec_status status =
        kl_compressor_new(&c, (kl_codec_id)codec, KL_CODEC_LEVEL_DEFAULT, alloc);
    if (status != KL_CODEC_OK) {
        KL_FUZZ_CHECK(status == KL_CODEC_NO_MEMORY && memory->refused == 1 && !c);
        return;
    }
    kl_pool_init(&pool, alloc, 0);
    kl_batch_builder_init(&b, &pool);
    kl_record record = {.value = kl_drawn_rest(d)};
    kl_record_appended appended = kl_batch_builder_append(&b, &record, 1, SIZE_MAX);
    if (appended != KL_RECORD_APPENDED) {
        KL_FUZZ_CHECK(appended == KL_RECORD_NO_MEMORY && memory->refused == 1);
        KL_FUZZ_CHECK(b.count == 0 && kl_chain_len(&b.payload) == 0);
        KL_FUZZ_CHECK(kl_batch_builder_append(&b, &record, 1, SIZE_MAX) == KL_RECORD_APPENDED);
    }
    size_t refused = memory->refused;
    size_t len = kl_chain_len(&b.payload);
    status = kl_batch_seal(&b, c);
    KL_FUZZ_CHECK((status == KL_CODEC_NO_MEMORY) == (memory->refused > refused));
    if (status != KL_CODEC_OK) {
        KL_FUZZ_CHECK(b.state == KL_BATCH_OPEN && kl_chain_len(&b.payload) == len && b.count == 1);
        KL_FUZZ_CHECK(kl_batch_seal(&b, c) == KL_CODEC_OK);
    }
    KL_FUZZ_CHECK(b.state == KL_BATCH_SEALED && kl_chain_len(&b.payload) <= len);
    kl_batch_builder_clear(&b);

    /* The compressor alone, behind bytes of someone else. */
    kl_chain chain;
    kl_chain_init(&chain, &pool);
    memory->nth = memory->calls + 1 + len % 3;
    refused = memory->refused;
    if (kl_chain_append(&chain, "abc", 3)) {
        status = compress(c, record.value, &chain);
        KL_FUZZ_CHECK((status == KL_CODEC_NO_MEMORY) == (memory->refused > refused));
        if (status != KL_CODEC_OK)
            KL_FUZZ_CHECK(kl_chain_len(&chain) == 3);
    }
    kl_chain_clear(&chain);
    kl_compressor_del(c);
    kl_pool_deinit(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    uint8_t what = kl_drawn_u8(&d);
    int codec = what >> 2 & 3;
    kl_counted_memory memory;
    size_t nth = kl_drawn_u8(&d);
    kl_counted_memory_init(&memory, nth);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    switch (what & 3) {
    case 0:
        try_reader(&d, &memory, &alloc);
        break;
    case 1:
        try_writer(&d, what >> 4 & 1 ? 1 + codec : 0, &memory, &alloc);
        break;
    case 2:
        try_decompress(&d, 1 + codec, &memory, &alloc);
        break;
    case 3:
        try_seal(&d, 1 + codec, &memory, &alloc);
        break;
    }
    kl_counted_memory_end(&memory);
    /* The first few refusals, in each of the subjects. */
    if (memory.refused > 0)
        kl_fuzz_feature((uint32_t)(what & 0x1f) << 3 | (nth < 7 ? (uint32_t)nth : 7));
    return 0;
}
