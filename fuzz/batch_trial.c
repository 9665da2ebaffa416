/* SPDX-License-Identifier: BSD-2-Clause */
/* See batch_trial.h. */
#include "fuzz/batch_trial.h"

#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* More than any target unfolds. */
#define UNPACKED_MAX ((size_t)8 << 20)

void kl_batch_records_init(kl_batch_records *r)
{
    kl_buf_init(&r->items, &kl_mem_libc);
}

void kl_batch_records_deinit(kl_batch_records *r)
{
    kl_buf_deinit(&r->items);
}

void kl_batch_records_add(kl_batch_records *r, const kloop_batch_record *record)
{
    KL_FUZZ_CHECK(kl_buf_append(&r->items, record, sizeof *record));
}

size_t kl_batch_records_count(const kl_batch_records *r)
{
    return r->items.len / sizeof(kloop_batch_record);
}

const kloop_batch_record *kl_batch_records_at(const kl_batch_records *r, size_t index)
{
    return (const kloop_batch_record *)(const void *)kl_buf_slice(&r->items).data + index;
}

void kl_batch_trial_reseal(uint8_t *bytes, size_t len)
{
    while (len >= KLOOP_BATCH_HEADER_BYTES) {
        uint32_t length = (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 |
                          (uint32_t)bytes[10] << 8 | bytes[11];
        size_t size = length >= KLOOP_BATCH_HEADER_BYTES - 12 && length <= len - 12
                          ? 12 + (size_t)length
                          : len;
        KL_FUZZ_CHECK(kloop_batch_reseal(bytes, size));
        bytes += size;
        len -= size;
    }
}

/* ---- Reading ---- */

/* The sum of all bytes of a view, so that each is really read. */
static unsigned touch(const void *data, size_t len)
{
    const uint8_t *p = data;
    unsigned sum = 0;
    KL_FUZZ_CHECK(p || len == 0);
    for (size_t i = 0; i < len; i += 8)
        sum += p[i];
    return len > 0 ? sum + p[len - 1] : sum;
}

static void touch_record(const kloop_batch_record *record)
{
    unsigned sum = touch(record->key.data, record->key.len) +
                   touch(record->value.data, record->value.len) +
                   touch(record->bytes.data, record->bytes.len);
    kloop_record_headers rest = record->headers;
    int32_t seen = 0;
    for (kloop_record_header h; kloop_record_headers_next(&rest, &h); seen++) {
        KL_FUZZ_CHECK(h.key.data);
        sum += touch(h.key.data, h.key.len) + touch(h.value.data, h.value.len);
    }
    KL_FUZZ_CHECK(seen == record->headers.count);
    KL_FUZZ_CHECK(rest.bytes.len == 0 || rest.items);
    /* The sum must not be optimised away. */
    if (sum == UINT32_MAX)
        kl_fuzz_feature(sum);
}

kloop_status kl_batch_trial_read(kloop_batch_reader *reader, kl_batch_records *records,
                                 kloop_fault *fault)
{
    kl_buf_reset(&records->items);
    for (;;) {
        const kloop_batch_record *record;
        kloop_status status = kloop_batch_reader_record(reader, &record, fault);
        if (status)
            return status;
        if (!record)
            return KLOOP_OK;
        touch_record(record);
        kl_batch_records_add(records, record);
    }
}

/* ---- Comparing ---- */

static bool same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
    if (!a || !b)
        return !a && !b;
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool same_slice(kloop_slice a, kloop_slice b)
{
    return same_bytes(a.data, a.len, b.data, b.len);
}

static bool same_headers(kloop_record_headers a, kloop_record_headers b)
{
    kloop_record_header x;
    kloop_record_header y;
    if (a.count != b.count)
        return false;
    while (kloop_record_headers_next(&a, &x)) {
        if (!kloop_record_headers_next(&b, &y))
            return false;
        if (!same_bytes(x.key.data, x.key.len, y.key.data, y.key.len) ||
            !same_slice(x.value, y.value))
            return false;
    }
    return !kloop_record_headers_next(&b, &y);
}

static bool same_record(const kloop_batch_record *a, const kloop_batch_record *b)
{
    return a->offset == b->offset && a->timestamp == b->timestamp &&
           a->attributes == b->attributes && same_slice(a->key, b->key) &&
           same_slice(a->value, b->value) && same_headers(a->headers, b->headers);
}

static bool same_header(const kloop_batch_header *a, const kloop_batch_header *b)
{
    return a->base_offset == b->base_offset &&
           a->partition_leader_epoch == b->partition_leader_epoch && a->magic == b->magic &&
           a->attributes == b->attributes && a->last_offset_delta == b->last_offset_delta &&
           a->base_timestamp == b->base_timestamp && a->max_timestamp == b->max_timestamp &&
           a->producer_id == b->producer_id && a->producer_epoch == b->producer_epoch &&
           a->base_sequence == b->base_sequence;
}

void kl_batch_trial_expect(kloop_slice bytes, const kloop_batch_header *header,
                           const kloop_batch_record *records, size_t count)
{
    const kloop_batch_header *read;
    const kloop_batch_record *record;
    kloop_fault fault;
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, UNPACKED_MAX);
    KL_FUZZ_CHECK(reader);
    kloop_batch_reader_start(reader, bytes.data, bytes.len);
    KL_FUZZ_FINE(kloop_batch_reader_next(reader, &read, &fault), &fault);
    KL_FUZZ_CHECK(read && same_header(read, header));
    KL_FUZZ_CHECK(read->record_count == (int32_t)count && (size_t)read->length == bytes.len - 12);
    KL_FUZZ_CHECK(same_slice(kloop_batch_reader_bytes(reader), bytes));
    for (size_t i = 0; i < count; i++) {
        KL_FUZZ_FINE(kloop_batch_reader_record(reader, &record, &fault), &fault);
        KL_FUZZ_CHECK(record && same_record(record, &records[i]));
    }
    KL_FUZZ_FINE(kloop_batch_reader_record(reader, &record, &fault), &fault);
    KL_FUZZ_CHECK(!record);
    KL_FUZZ_FINE(kloop_batch_reader_next(reader, &read, &fault), &fault);
    KL_FUZZ_CHECK(!read);
    kloop_batch_reader_del(reader);
}
