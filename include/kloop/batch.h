/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record batches (format v2): what the records field of a Produce request holds, taken apart and
 * put together.
 *
 * A batch is a header of 61 bytes and its records, which a codec may have packed into one stream:
 *
 *      0 int64  base offset                  27 int64  base timestamp
 *      8 int32  length: bytes from 12 on     35 int64  max timestamp
 *     12 int32  partition leader epoch       43 int64  producer id
 *     16 int8   magic, 2                     51 int16  producer epoch
 *     17 uint32 CRC-32C from 21 on           53 int32  base sequence
 *     21 int16  attributes                   57 int32  how many records
 *     23 int32  last offset delta            61        records
 *
 * Reading takes what Kafka's own reader takes, but for header keys, which are handed out as text
 * and must be UTF-8. It refuses, and says at which byte: another magic, a wrong CRC, a length below
 * 49 or beyond the bytes, an unknown codec, a count that is negative or not that of the records,
 * bytes after the last record, a record whose size does not match its fields, a negative number of
 * headers, a header key that is null or not UTF-8, a packed stream that is corrupt or unfolds
 * beyond the limit. A batch without records is sound.
 *
 *     kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 64 << 20);
 *     const kloop_batch_header *batch;
 *     const kloop_batch_record *record;
 *     kloop_fault fault;
 *     kloop_batch_reader_start(reader, bytes, len);
 *     while (!kloop_batch_reader_next(reader, &batch, &fault) && batch)
 *         while (!kloop_batch_reader_record(reader, &record, &fault) && record) {
 *             kloop_record_headers rest = record->headers;
 *             for (kloop_record_header h; kloop_record_headers_next(&rest, &h);)
 *                 ...
 *         }
 *     ... fault.status tells how it ended ...
 *     kloop_batch_reader_del(reader);
 *
 * Writing gives exactly the header that was asked for:
 *
 *     kloop_batch_record records[] = {{...}, {...}};
 *     kloop_batch_header header;
 *     kloop_batch_header_fit(&header, records, 2);
 *     header.producer_id = 4242;
 *     kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
 *     kloop_batch_writer_start(writer, &header);
 *     for (...)
 *         kloop_batch_writer_add(writer, &records[i], &fault);
 *     kloop_slice batch;
 *     kloop_batch_writer_end(writer, &batch, &fault);
 *
 * Functions that can fail answer a kloop_status, KLOOP_OK being 0, and fill in *fault, which may be
 * NULL, also when all is well (see fault.h). No object here may be used from two threads at once.
 */
#ifndef KLOOP_BATCH_H
#define KLOOP_BATCH_H

#include <kloop/export.h>
#include <kloop/fault.h>
#include <kloop/types.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KLOOP_BATCH_HEADER_BYTES 61

/* ---- The header ---- */

/* The bits of the attributes. The codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
#define KLOOP_BATCH_CODEC_MASK 0x07
#define KLOOP_BATCH_APPEND_TIME                                                                    \
    0x08 /* all records have the max timestamp, which the broker has set */
#define KLOOP_BATCH_TRANSACTIONAL 0x10
#define KLOOP_BATCH_CONTROL       0x20
#define KLOOP_BATCH_DELETE_HORIZON                                                                 \
    0x40 /* a broker's: the base timestamp is when tombstones may go */

typedef struct kloop_batch_header {
    int64_t base_offset;
    int32_t
        length; /* as read; when writing it is found out, and so are magic, crc and record_count */
    int32_t partition_leader_epoch;
    int8_t magic;
    uint32_t crc;
    int16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp;
    int64_t max_timestamp;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count;
} kloop_batch_header;

static inline int kloop_batch_codec(const kloop_batch_header *header)
{
    return header->attributes & KLOOP_BATCH_CODEC_MASK;
}

/* ---- Records ---- */

typedef struct kloop_record_header {
    kloop_string key;  /* never null */
    kloop_slice value; /* nullable */
} kloop_record_header;

/* A record's headers: a C array (items), or a view of the bytes that were read (items is NULL). */
typedef struct kloop_record_headers {
    int32_t count;
    const kloop_record_header *items;
    kloop_slice bytes;
} kloop_record_headers;

static inline kloop_record_headers kloop_record_headers_of(const kloop_record_header *items,
                                                           int32_t count)
{
    kloop_record_headers headers;
    headers.count = count;
    headers.items = items;
    headers.bytes.data = NULL;
    headers.bytes.len = 0;
    return headers;
}

/*
 * Takes the first one off *rest and puts it into *header; false when there is none left. Give it a
 * copy of a record's headers.
 */
KLOOP_API bool kloop_record_headers_next(kloop_record_headers *rest, kloop_record_header *header);

typedef struct kloop_batch_record {
    int64_t offset;    /* the batch's base offset and the record's delta, modulo 2^64 as in Java */
    int64_t timestamp; /* likewise; the batch's max timestamp under KLOOP_BATCH_APPEND_TIME */
    kloop_slice key;   /* nullable */
    kloop_slice value; /* nullable */
    kloop_record_headers headers;
    int8_t attributes; /* no bit has a meaning yet */
    kloop_slice
        bytes; /* as read: all of the record, its length first; not looked at when writing */
} kloop_batch_record;

/* ---- Reading ---- */

typedef struct kloop_batch_reader kloop_batch_reader;

/*
 * NULL when there is no memory. alloc may be NULL: the C library's. No batch may unfold to more
 * than unpacked_max bytes; memory for it grows with what comes out, and is kept for the next one.
 * Batches without a codec need none.
 */
KLOOP_API kloop_batch_reader *kloop_batch_reader_new(const kloop_allocator *alloc,
                                                     size_t unpacked_max);
KLOOP_API void kloop_batch_reader_del(kloop_batch_reader *reader);

/* From now on reads one batch after the other from bytes[0..len), which must stay. */
KLOOP_API void kloop_batch_reader_start(kloop_batch_reader *reader, const void *bytes, size_t len);

/*
 * The next batch: *header is its header, NULL behind the last one. Records of the present batch
 * that were not read yet are passed over unseen. The view is good until the next call with this
 * reader.
 */
KLOOP_API kloop_status kloop_batch_reader_next(kloop_batch_reader *reader,
                                               const kloop_batch_header **header,
                                               kloop_fault *fault);

/*
 * The next record of the present batch: *record is NULL behind the last one. The struct is good
 * until the next call; its views are good until the next call of kloop_batch_reader_next(), those
 * of a batch without a codec as long as the bytes.
 *
 * What is wrong with the end of a batch shows when its last record is read, and instead of it. The
 * offset of a fault inside packed records is that of the packed bytes; the path tells the record.
 * After a fault there is nothing more to read until the next start: each call answers that fault
 * again.
 */
KLOOP_API kloop_status kloop_batch_reader_record(kloop_batch_reader *reader,
                                                 const kloop_batch_record **record,
                                                 kloop_fault *fault);

/* All bytes of the present batch, header included. */
KLOOP_API kloop_slice kloop_batch_reader_bytes(const kloop_batch_reader *reader);

/* ---- Writing ---- */

/* No producer id, no timestamp, no codec: -1 where Kafka says "none", 0 everywhere else. */
KLOOP_API void kloop_batch_header_init(kloop_batch_header *header);

/*
 * The header that a producer without an id would put before these records: as by init, then base
 * offset and timestamp of the first record, the delta of the last offset, the highest timestamp.
 */
KLOOP_API void kloop_batch_header_fit(kloop_batch_header *header, const kloop_batch_record *records,
                                      size_t count);

typedef struct kloop_batch_writer kloop_batch_writer;

/* NULL when there is no memory. alloc may be NULL: the C library's. */
KLOOP_API kloop_batch_writer *kloop_batch_writer_new(const kloop_allocator *alloc);
KLOOP_API void kloop_batch_writer_del(kloop_batch_writer *writer);

/* Begins a batch with a copy of this header; whatever was begun before is forgotten. */
KLOOP_API void kloop_batch_writer_start(kloop_batch_writer *writer,
                                        const kloop_batch_header *header);

/*
 * Adds a copy of the record. Its offset must be within 32 bits of the base offset. A fault (a
 * header key that is null or not UTF-8, a batch beyond 2 GiB, no memory) leaves the batch as it
 * was.
 */
KLOOP_API kloop_status kloop_batch_writer_add(kloop_batch_writer *writer,
                                              const kloop_batch_record *record, kloop_fault *fault);

/*
 * The batch, with the fields as the header has them and packed by the codec that the attributes
 * name, at its default level and also if that makes it larger; a batch without records is the
 * header alone. *batch is good until the next call with this writer. To begin another batch, start
 * again; after a fault end may be tried again.
 */
KLOOP_API kloop_status kloop_batch_writer_end(kloop_batch_writer *writer, kloop_slice *batch,
                                              kloop_fault *fault);

/*
 * All of the above at once, into the caller's buffer: *used is what it took. kloop_batch_size_max()
 * bytes are always enough, and without a codec just what is needed; SIZE_MAX stands for more than
 * any batch can hold.
 */
KLOOP_API kloop_status kloop_batch_encode(kloop_batch_writer *writer,
                                          const kloop_batch_header *header,
                                          const kloop_batch_record *records, size_t count,
                                          void *buffer, size_t capacity, size_t *used,
                                          kloop_fault *fault);
KLOOP_API size_t kloop_batch_size_max(const kloop_batch_header *header,
                                      const kloop_batch_record *records, size_t count);

/*
 * Makes bytes[0..len), at least KLOOP_BATCH_HEADER_BYTES of them, a batch with a right length and a
 * right CRC, whatever else was done to it: the last step of a mutation that shall get past the
 * checksum. false when there are too few bytes or too many.
 */
KLOOP_API bool kloop_batch_reseal(void *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif
