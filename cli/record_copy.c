/* SPDX-License-Identifier: BSD-2-Clause */
/* One block a record. See record_copy.h. */
#include "cli/record_copy.h"

#include "base/mem.h"

#include <string.h>

typedef struct block {
    kl_record_copy copy;
    kloop_record_header headers[];
} block;

/* Lengths of what is null do not count. */
static bool add(size_t *size, const void *data, size_t len)
{
    return !data || kl_mem_add(*size, len, size);
}

static bool size_of(const kloop_record *record, uint32_t header_count, size_t *size)
{
    size_t table;
    if (!kl_mem_mul(header_count, sizeof(kloop_record_header), &table) ||
        !kl_mem_add(sizeof(block), table, size))
        return false;
    for (uint32_t i = 0; i < header_count; i++) {
        const kloop_record_header *h = &record->headers[i];
        if (!add(size, h->key.data, h->key.len) || !add(size, h->value.data, h->value.len))
            return false;
    }
    return add(size, record->key.data, record->key.len) &&
           add(size, record->value.data, record->value.len);
}

static const uint8_t *put(uint8_t **at, const void *data, size_t len)
{
    uint8_t *start = *at;
    if (!data)
        return NULL;
    if (len > 0)
        memcpy(start, data, len);
    *at += len;
    return start;
}

kl_record_copy *kl_record_copy_new(const kloop_record *record, bool with_headers, uint64_t sent_ns)
{
    uint32_t header_count = with_headers ? record->header_count : 0;
    size_t size;
    block *b = NULL;
    if (size_of(record, header_count, &size))
        b = kl_mem_alloc(&kl_mem_libc, size);
    if (!b)
        return NULL;
    uint8_t *at = (uint8_t *)(b->headers + header_count);
    b->copy = (kl_record_copy){.sent_ns = sent_ns,
                               .size = size,
                               .record = {.header_count = header_count,
                                          .headers = header_count ? b->headers : NULL,
                                          .set = record->set,
                                          .partition = record->partition,
                                          .timestamp_ms = record->timestamp_ms}};
    for (uint32_t i = 0; i < header_count; i++) {
        const kloop_record_header *h = &record->headers[i];
        b->headers[i].key.data = (const char *)put(&at, h->key.data, h->key.len);
        b->headers[i].key.len = h->key.len;
        b->headers[i].value = (kloop_slice){put(&at, h->value.data, h->value.len), h->value.len};
    }
    b->copy.record.key =
        (kloop_slice){put(&at, record->key.data, record->key.len), record->key.len};
    b->copy.record.value =
        (kloop_slice){put(&at, record->value.data, record->value.len), record->value.len};
    return &b->copy;
}

void kl_record_copy_del(kl_record_copy *copy)
{
    if (copy)
        kl_mem_release(&kl_mem_libc, copy, copy->size);
}
