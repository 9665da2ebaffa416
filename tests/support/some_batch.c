/* SPDX-License-Identifier: BSD-2-Clause */
/* See some_batch.h. */
#include "tests/support/some_batch.h"

#include "tests/support/golden_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

const uint8_t *kl_some_content(void)
{
    static uint8_t content[KL_SOME_CONTENT_BYTES];
    if (content[0] == 0) {
        for (size_t i = 0; i < sizeof content; i++)
            content[i] = (uint8_t)((size_t) "kloop record batch "[i % 19] + i / 4096);
    }
    return content;
}

uint8_t *kl_some_flat(const kl_batch_builder *b, const kloop_batch_header *header)
{
    uint8_t *bytes = malloc(kl_batch_builder_len(b));
    assert_non_null(bytes);
    kl_batch_builder_header_put(b, header, bytes);
    kl_chain_copy(&b->payload, bytes + KLOOP_BATCH_HEADER_BYTES);
    return bytes;
}

void kl_some_records(kl_batch_builder *b, kl_pool *pool, int count)
{
    const uint8_t *content = kl_some_content();
    kl_batch_builder_init(b, pool);
    for (int i = 0; i < count; i++)
        assert_int_equal(kl_batch_builder_append(
                             b,
                             &(kl_record){.key = {content + i % 50, 8},
                                          .value = {content + i % 100, (size_t)(i * 7 % 300)}},
                             1700000000000 + i / 3, SIZE_MAX),
                         KL_RECORD_APPENDED);
}

kl_compressor *kl_some_compressor(kl_codec_id id, const kloop_allocator *alloc)
{
    kl_compressor *c;
    assert_int_equal(kl_compressor_new(&c, id, KL_CODEC_LEVEL_DEFAULT, alloc), KL_CODEC_OK);
    return c;
}

void kl_some_expect(const uint8_t *bytes, size_t len, int count)
{
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1 << 24);
    const kloop_batch_header *header;
    const kloop_batch_record *record;
    kloop_fault fault;
    const uint8_t *content = kl_some_content();
    assert_non_null(reader);
    kloop_batch_reader_start(reader, bytes, len);
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    assert_int_equal(header->record_count, count);
    assert_int_equal(header->last_offset_delta, count - 1);
    for (int i = 0; i < count; i++) {
        assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
        assert_non_null(record);
        kloop_batch_record expected = {.offset = i,
                                       .timestamp = 1700000000000 + i / 3,
                                       .key = {content + i % 50, 8},
                                       .value = {content + i % 100, (size_t)(i * 7 % 300)}};
        kl_golden_same_record(record, &expected);
    }
    assert_int_equal(kloop_batch_reader_record(reader, &record, &fault), KLOOP_OK);
    assert_null(record);
    assert_int_equal(kloop_batch_reader_next(reader, &header, &fault), KLOOP_OK);
    assert_null(header);
    kloop_batch_reader_del(reader);
}
