/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of records, in which null and empty stay what they are. */
#include "cli/record_copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static void assert_same(kloop_slice got, kloop_slice wanted)
{
    assert_int_equal(got.data == NULL, wanted.data == NULL);
    assert_int_equal(got.len, wanted.len);
    if (wanted.len) {
        assert_ptr_not_equal(got.data, wanted.data);
        assert_memory_equal(got.data, wanted.data, wanted.len);
    }
}

static kloop_slice key_of(const kloop_record_header *h)
{
    return (kloop_slice){(const uint8_t *)h->key.data, h->key.len};
}

static const kloop_slice bytes[] = {{NULL, 0}, BYTES(""), BYTES("a"), BYTES("some\0bytes")};

static void keys_and_values(void **state)
{
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        for (size_t v = 0; v < 4; v++) {
            kloop_record record = {.key = bytes[k], .value = bytes[v]};
            kl_record_copy *copy = kl_record_copy_new(&record, k % 2, 7 * k + v);
            assert_non_null(copy);
            assert_int_equal(copy->sent_ns, 7 * k + v);
            assert_same(copy->record.key, bytes[k]);
            assert_same(copy->record.value, bytes[v]);
            assert_null(copy->record.headers);
            kl_record_copy_del(copy);
        }
    }
    kl_record_copy_del(NULL);
}

static void headers(void **state)
{
    (void)state;
    kloop_record_header list[8];
    for (size_t i = 0; i < 8; i++)
        list[i] = (kloop_record_header){.key = {i % 2 ? "" : "name", i % 2 ? 0 : 4},
                                        .value = bytes[i % 4]};
    kloop_record record = {.key = bytes[2],
                           .value = bytes[3],
                           .headers = list,
                           .header_count = 8,
                           .set = KLOOP_SET_PARTITION | KLOOP_SET_TIMESTAMP,
                           .partition = 5,
                           .timestamp_ms = 77};
    kl_record_copy *copy = kl_record_copy_new(&record, true, 1);
    assert_int_equal(copy->record.header_count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_same(key_of(&copy->record.headers[i]), key_of(&list[i]));
        assert_same(copy->record.headers[i].value, list[i].value);
    }
    assert_same(copy->record.key, bytes[2]);
    assert_same(copy->record.value, bytes[3]);
    assert_int_equal(copy->record.set, record.set);
    assert_int_equal(copy->record.partition, 5);
    assert_int_equal(copy->record.timestamp_ms, 77);
    kl_record_copy_del(copy);
    copy = kl_record_copy_new(&record, false, 1);
    assert_int_equal(copy->record.header_count, 0);
    assert_same(copy->record.value, bytes[3]);
    kl_record_copy_del(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
