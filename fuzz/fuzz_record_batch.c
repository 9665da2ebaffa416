/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of record batches. What it takes, the writer writes again, and the reader finds the
 * same headers and records in it; what it refuses, it refuses at a place that is there, and for
 * ever. Memory stays within the limit.
 *
 * Input: flags, then bytes as they would be in a Produce request. Flag 1: CRCs and lengths are put
 * right first, so that a mutation gets past the checksum. The upper three bits: how much a batch
 * may unfold to.
 */
#include "fuzz/batch_trial.h"
#include "fuzz/counted_memory.h"
#include "fuzz/fuzz.h"
#include "fuzz/naive_record.h"
#include "wiretools/batch_load.h"
#include "wiretools/batch_print.h"
#include "wiretools/json_read.h"

#include <stdlib.h>
#include <string.h>

#define FLAG_RESEAL 1

/* What decoders keep for themselves, all four together. */
#define CODEC_BYTES 400000

/* ---- A sound batch ---- */

/* From the writer, twice: what it wrote is also what it writes of what is read from that. */
static void check_rewrite(const kloop_batch_header *header, const kl_batch_records *records)
{
    const kloop_batch_record *items = kl_batch_records_at(records, 0);
    size_t count = kl_batch_records_count(records);
    kloop_fault fault;
    kloop_slice batch;
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    KL_FUZZ_CHECK(writer);
    kloop_batch_writer_start(writer, header);
    for (size_t i = 0; i < count; i++)
        KL_FUZZ_FINE(kloop_batch_writer_add(writer, &items[i], &fault), &fault);
    KL_FUZZ_FINE(kloop_batch_writer_end(writer, &batch, &fault), &fault);
    kl_batch_trial_expect(batch, header, items, count);

    uint8_t *first = kl_fuzz_exact_copy(batch.data, batch.len);
    size_t room = kloop_batch_size_max(header, items, count);
    uint8_t *second = kl_fuzz_exact_room(room);
    size_t used = 0;
    KL_FUZZ_FINE(kloop_batch_encode(writer, header, items, count, second, room, &used, &fault),
                 &fault);
    KL_FUZZ_CHECK(used == batch.len && memcmp(first, second, used) == 0);
    KL_FUZZ_CHECK(used == room || kloop_batch_codec(header) != 0);
    free(second);
    free(first);
    kloop_batch_writer_del(writer);
}

/* One bit changed anywhere under the checksum is seen. */
static void check_flip(kloop_slice batch, uint32_t hash)
{
    const kloop_batch_header *header;
    uint8_t *copy = kl_fuzz_exact_copy(batch.data, batch.len);
    size_t bit = hash % ((batch.len - 21) * 8);
    copy[21 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 0);
    KL_FUZZ_CHECK(reader);
    kloop_fault fault;
    kloop_batch_reader_start(reader, copy, batch.len);
    KL_FUZZ_CHECK(kloop_batch_reader_next(reader, &header, &fault) == KLOOP_BAD_CRC);
    kloop_batch_reader_del(reader);
    free(copy);
}

static void check_cut(kloop_slice batch, uint32_t hash)
{
    const kloop_batch_header *header;
    size_t len = hash % batch.len;
    uint8_t *copy = kl_fuzz_exact_copy(batch.data, len);
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 0);
    KL_FUZZ_CHECK(reader);
    kloop_fault fault;
    kloop_batch_reader_start(reader, copy, len);
    kloop_status status = kloop_batch_reader_next(reader, &header, &fault);
    KL_FUZZ_CHECK(len == 0 ? !status && !header : status == KLOOP_TRUNCATED);
    kloop_batch_reader_del(reader);
    free(copy);
}

/* JSON holds all but the bits without a meaning. */
static void check_json(kloop_slice batch, const kloop_batch_header *header,
                       const kl_batch_records *records)
{
    for (size_t i = 0; i < kl_batch_records_count(records); i++)
        if (kl_batch_records_at(records, i)->attributes != 0)
            return;
    kl_buf text;
    kl_buf out;
    kl_json_doc doc;
    kl_arena arena;
    kl_batch_printer printer;
    kl_batch_loader loader;
    kloop_fault fault;
    kl_load_error error;
    kl_buf_init(&text, &kl_mem_libc);
    kl_buf_init(&out, &kl_mem_libc);
    kl_json_doc_init(&doc, &kl_mem_libc);
    kl_arena_init(&arena, &kl_mem_libc);
    kl_batch_printer_init(&printer, &kl_mem_libc);
    kl_batch_loader_init(&loader, &kl_mem_libc);
    KL_FUZZ_FINE(kl_batch_print(&printer, batch, &text, &fault), &fault);
    kl_json *root = kl_json_read(&doc, (const char *)text.data, text.len);
    KL_FUZZ_CHECK(root);
    if (!kl_batch_load(&loader, root, &arena, &out, &error))
        kl_fuzz_failed(__FILE__, __LINE__, error.reason);
    kloop_batch_header plain = *header;
    plain.attributes &= KLOOP_BATCH_CODEC_MASK | KLOOP_BATCH_APPEND_TIME |
                        KLOOP_BATCH_TRANSACTIONAL | KLOOP_BATCH_CONTROL;
    kl_batch_trial_expect(kl_buf_slice(&out), &plain, kl_batch_records_at(records, 0),
                          kl_batch_records_count(records));
    kl_batch_loader_deinit(&loader);
    kl_batch_printer_deinit(&printer);
    kl_arena_deinit(&arena);
    kl_json_doc_deinit(&doc);
    kl_buf_deinit(&out);
    kl_buf_deinit(&text);
}

/* Each record is one, and all together are all there is. */
static void check_records(const kloop_batch_header *header, kloop_slice batch,
                          const kl_batch_records *records)
{
    for (size_t i = 0; i < kl_batch_records_count(records); i++) {
        kloop_slice bytes = kl_batch_records_at(records, i)->bytes;
        KL_FUZZ_CHECK(kl_naive_records(bytes.data, bytes.len, 1));
    }
    if (kloop_batch_codec(header) == 0)
        KL_FUZZ_CHECK(kl_naive_records(batch.data + KLOOP_BATCH_HEADER_BYTES,
                                       batch.len - KLOOP_BATCH_HEADER_BYTES, header->record_count));
}

static void check_sound(kloop_slice batch, const kloop_batch_header *header,
                        const kl_batch_records *records, uint32_t hash)
{
    KL_FUZZ_CHECK((size_t)header->record_count == kl_batch_records_count(records));
    kl_fuzz_feature((uint32_t)kloop_batch_codec(header) << 8 |
                    (header->record_count > 1 ? 2 : header->record_count > 0));
    check_records(header, batch, records);
    /* Packing costs a hundred times what unpacking does. */
    if (kloop_batch_codec(header) == 0 ? hash % 4 == 0 : hash % 16 == 0)
        check_rewrite(header, records);
    if (hash % 16 == 1)
        check_json(batch, header, records);
    if (hash % 8 == 2)
        check_flip(batch, hash >> 4);
    if (hash % 8 == 3)
        check_cut(batch, hash >> 4);
}

/* ---- Any bytes ---- */

static bool same_fault(const kloop_fault *a, const kloop_fault *b)
{
    return a->status == b->status && a->at == b->at && a->a == b->a && a->b == b->b &&
           a->depth == b->depth;
}

/* A reader that met a fault answers it again whatever it is asked. */
static void check_stuck(kloop_batch_reader *reader, const kloop_fault *fault)
{
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault again;
    KL_FUZZ_CHECK(kloop_batch_reader_record(reader, &record, &again) == fault->status && !record);
    KL_FUZZ_CHECK(same_fault(&again, fault));
    KL_FUZZ_CHECK(kloop_batch_reader_next(reader, &header, &again) == fault->status && !header);
    KL_FUZZ_CHECK(same_fault(&again, fault));
}

static kloop_status read_all(kloop_batch_reader *reader, kl_batch_records *records, uint32_t hash,
                             kloop_fault *fault)
{
    for (;;) {
        const kloop_batch_header *header;
        kloop_status status = kloop_batch_reader_next(reader, &header, fault);
        if (status || !header)
            return status;
        status = kl_batch_trial_read(reader, records, fault);
        if (status) {
            /* What is wrong behind the last record is told instead of it. */
            size_t count = kl_batch_records_count(records);
            KL_FUZZ_CHECK(count < (size_t)header->record_count || header->record_count == 0);
            kloop_slice batch = kloop_batch_reader_bytes(reader);
            if (kloop_batch_codec(header) == 0)
                KL_FUZZ_CHECK(!kl_naive_records(batch.data + KLOOP_BATCH_HEADER_BYTES,
                                                batch.len - KLOOP_BATCH_HEADER_BYTES,
                                                header->record_count));
            kl_fuzz_feature((uint32_t)kloop_batch_codec(header) << 16 | (uint32_t)status << 4 |
                            fault->depth);
            return status;
        }
        check_sound(kloop_batch_reader_bytes(reader), header, records, hash);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t flags = data[0];
    size_t len = size - 1;
    size_t unpacked_max = (size_t)4096 << (flags >> 5);
    uint8_t *bytes = kl_fuzz_exact_copy(data + 1, len);
    if (flags & FLAG_RESEAL)
        kl_batch_trial_reseal(bytes, len);

    kl_counted_memory memory;
    kl_counted_memory_init(&memory, 0);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kl_batch_records records;
    kl_batch_records_init(&records);
    kloop_batch_reader *reader = kloop_batch_reader_new(&alloc, unpacked_max);
    KL_FUZZ_CHECK(reader);
    kloop_batch_reader_start(reader, bytes, len);
    kloop_fault fault = {.status = KLOOP_OK};
    if (read_all(reader, &records, kl_fuzz_hash(data, size), &fault)) {
        KL_FUZZ_FAULT(&fault, len);
        check_stuck(reader, &fault);
    }
    KL_FUZZ_CHECK(memory.peak_bytes <= unpacked_max + 2 * len + CODEC_BYTES);
    kloop_batch_reader_del(reader);
    kl_counted_memory_end(&memory);
    kl_batch_records_deinit(&records);
    free(bytes);
    return 0;
}
