/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message in every version, on random values: encode, decode, encode again; flat and in
 * slices; cut short at each byte, against an unmapped page; with bytes behind it; loaded from the
 * JSON that was printed of it.
 */
#include "tests/support/fail_alloc.h"
#include "tests/support/guard.h"
#include "tests/support/random_message.h"
#include "wiretools/json_read.h"
#include "wiretools/message_load.h"
#include "wiretools/message_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS    40
#define BYTES_MAX 200000
/* Cutting at each byte takes time in proportion to the square. */
#define CUT_BYTES_MAX 1000

typedef struct workshop {
    kl_random random;
    kl_arena arena;
    kl_guard guard;
    uint8_t first[BYTES_MAX];
    uint8_t second[BYTES_MAX];
} workshop;

static workshop shop;

static int open_shop(void **state)
{
    (void)state;
    kl_random_init(&shop.random, 20260801);
    kl_arena_init(&shop.arena, &kl_mem_libc);
    kl_guard_init(&shop.guard, BYTES_MAX);
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    kl_guard_deinit(&shop.guard);
    kl_arena_deinit(&shop.arena);
    return 0;
}

static void say_where(const kloop_api *api, kloop_half half, int version, int round)
{
    print_error("%s v%d %s, round %d\n", api->name, version,
                half == KLOOP_REQUEST ? "request" : "response", round);
}

/* A random message's bytes in shop.first; how many. */
static size_t make_bytes(const kloop_api *api, kloop_half half, int16_t version,
                         const kloop_message_type *type, kl_message *message)
{
    kloop_size size;
    kloop_fault fault;
    size_t used;
    kl_arena_reset(&shop.arena);
    kl_random_message(&shop.random, type, version, &shop.arena, message);
    assert_int_equal(
        kloop_measure_sized(api->key, half, version, message, type->size, &size, &fault), KLOOP_OK);
    assert_true(size.total <= BYTES_MAX);
    assert_int_equal(size.own, size.total);
    /* Exactly the measured size is enough, and one byte less is not. */
    uint8_t *room = kl_guard_at_end(&shop.guard, size.total);
    assert_int_equal(kloop_encode_sized(api->key, half, version, message, type->size, room,
                                        size.total, &used, &fault),
                     KLOOP_OK);
    assert_int_equal(used, size.total);
    memcpy(shop.first, room, used);
    if (used > 0) {
        assert_int_equal(kloop_encode_sized(api->key, half, version, message, type->size, room,
                                            size.total - 1, &used, &fault),
                         KLOOP_NO_SPACE);
        assert_true(fault.at <= size.total);
    }
    return size.total;
}

static void round_trip_one(void *ctx, const kloop_api *api, kloop_half half, int16_t version,
                           const kloop_message_type *type)
{
    (void)ctx;
    for (int round = 0; round < ROUNDS; round++) {
        kl_message message, again;
        kloop_fault fault;
        size_t len = make_bytes(api, half, version, type, &message);
        const uint8_t *bytes = kl_guard_copy_at_end(&shop.guard, shop.first, len);
        size_t used;
        if (kloop_decode_sized(api->key, half, version, bytes, len, &again, type->size, &fault) ||
            kloop_encode_sized(api->key, half, version, &again, type->size, shop.second, BYTES_MAX,
                               &used, &fault) ||
            used != len || memcmp(shop.first, shop.second, len) != 0) {
            say_where(api, half, version, round);
            fail_msg("the second encoding differs from the first");
        }
    }
}

static void every_message_survives_a_round_trip(void **state)
{
    (void)state;
    kl_each_message(round_trip_one, NULL);
}

static void cut_one(void *ctx, const kloop_api *api, kloop_half half, int16_t version,
                    const kloop_message_type *type)
{
    (void)ctx;
    for (int round = 0; round < 3; round++) {
        kl_message message, again;
        kloop_fault fault;
        char text[300];
        size_t len;
        do
            len = make_bytes(api, half, version, type, &message);
        while (len > CUT_BYTES_MAX);
        for (size_t cut = 0; cut < len; cut++) {
            const uint8_t *bytes = kl_guard_copy_at_end(&shop.guard, shop.first, cut);
            memset(&fault, 0xa5, sizeof fault);
            if (kloop_decode_sized(api->key, half, version, bytes, cut, &again, type->size,
                                   &fault) == KLOOP_OK) {
                say_where(api, half, version, round);
                fail_msg("cut at %zu of %zu and taken all the same", cut, len);
            }
            assert_true(fault.at <= cut);
            assert_true(kloop_fault_text(&fault, text, sizeof text) > 0);
            /* No field is left unset: all of it can be looked at. */
            kl_walk w;
            kl_walk_measure(&w);
            kl_walk_message(&w, type, version, &again);
        }
        /* Bytes behind the end. */
        shop.first[len] = 0;
        assert_int_equal(kloop_decode_sized(api->key, half, version, shop.first, len + 1, &again,
                                            type->size, &fault),
                         KLOOP_TRAILING);
        assert_int_equal(fault.at, len);
        assert_int_equal(fault.a, 1);
        size_t used;
        assert_int_equal(kloop_decode_prefix_sized(api->key, half, version, shop.first, len + 1,
                                                   &used, &again, type->size, &fault),
                         KLOOP_OK);
        assert_int_equal(used, len);
    }
}

static void every_truncation_is_a_fault(void **state)
{
    (void)state;
    kl_each_message(cut_one, NULL);
}

static void flip_one(void *ctx, const kloop_api *api, kloop_half half, int16_t version,
                     const kloop_message_type *type)
{
    (void)ctx;
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    kl_message message, again;
    kloop_fault fault;
    size_t len = make_bytes(api, half, version, type, &message);
    for (size_t at = 0; at < len && at < 400; at++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            uint8_t *bytes = kl_guard_copy_at_end(&shop.guard, shop.first, len);
            bytes[at] ^= flips[f];
            size_t used;
            if (kloop_decode_sized(api->key, half, version, bytes, len, &again, type->size,
                                   &fault)) {
                assert_true(fault.at <= len);
                continue;
            }
            /* Taken: then it can be written and read again. */
            assert_int_equal(kloop_encode_sized(api->key, half, version, &again, type->size,
                                                shop.second, BYTES_MAX, &used, &fault),
                             KLOOP_OK);
            assert_int_equal(kloop_decode_sized(api->key, half, version, shop.second, used, &again,
                                                type->size, &fault),
                             KLOOP_OK);
        }
    }
}

static void flipped_bytes_are_a_fault_or_another_message(void **state)
{
    (void)state;
    kl_each_message(flip_one, NULL);
}

/* ---- JSON ---- */

static void json_one(void *ctx, const kloop_api *api, kloop_half half, int16_t version,
                     const kloop_message_type *type)
{
    (void)ctx;
    kl_buf text, bytes;
    kl_json_doc doc;
    kl_arena arena;
    kl_buf_init(&text, &kl_mem_libc);
    kl_buf_init(&bytes, &kl_mem_libc);
    kl_json_doc_init(&doc, &kl_mem_libc);
    kl_arena_init(&arena, &kl_mem_libc);
    for (int round = 0; round < ROUNDS / 2; round++) {
        kl_message message;
        kloop_fault fault;
        kl_load_error error = {{0}, 0};
        size_t len = make_bytes(api, half, version, type, &message);
        kl_buf_reset(&text);
        kl_buf_reset(&bytes);
        kl_arena_reset(&arena);
        kl_json_writer json;
        kl_json_write_init(&json, &text);
        assert_int_equal(kl_message_print(&json, api->key, half, version,
                                          (kloop_slice){shop.first, len}, &fault),
                         KLOOP_OK);
        assert_true(kl_json_write_end(&json));
        kl_json *root = kl_json_read(&doc, (const char *)text.data, text.len);
        assert_non_null(root);
        if (!kl_message_load(&bytes, api->key, half, version, root, &arena, &error) ||
            bytes.len != len || (len > 0 && memcmp(bytes.data, shop.first, len) != 0)) {
            say_where(api, half, version, round);
            fail_msg("%s at %zu of %.*s", error.reason, error.offset, (int)text.len,
                     (const char *)text.data);
        }
    }
    kl_arena_deinit(&arena);
    kl_json_doc_deinit(&doc);
    kl_buf_deinit(&bytes);
    kl_buf_deinit(&text);
}

static void every_message_survives_json(void **state)
{
    (void)state;
    kl_each_message(json_one, NULL);
}

static void load_without_memory_is_an_error(void **state)
{
    (void)state;
    static const char text[] =
        "{\"transactionalId\":\"t\\u0041\",\"acks\":1,\"timeoutMs\":2,\"topicData\":[{\"name\":"
        "\"x\",\"partitionData\":[{\"index\":1,\"records\":\"AAAA\"}]}]}";
    for (size_t nth = 1;; nth++) {
        kl_fail_alloc f;
        kl_fail_alloc_init(&f, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&f);
        kl_json_doc doc;
        kl_arena arena;
        kl_buf bytes;
        kl_load_error error = {{0}, 0};
        kl_json_doc_init(&doc, &alloc);
        kl_arena_init(&arena, &alloc);
        kl_buf_init(&bytes, &alloc);
        kl_json *root = kl_json_read(&doc, text, sizeof text - 1);
        bool ok =
            root && kl_message_load(&bytes, KLOOP_PRODUCE, KLOOP_REQUEST, 3, root, &arena, &error);
        if (root && !ok)
            assert_non_null(strstr(error.reason, "no memory"));
        if (!ok)
            assert_int_equal(bytes.len, 0);
        kl_buf_deinit(&bytes);
        kl_arena_deinit(&arena);
        kl_json_doc_deinit(&doc);
        size_t refused = f.refused;
        kl_fail_alloc_check(&f);
        assert_int_equal(ok, refused == 0);
        if (ok)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_a_round_trip),
        cmocka_unit_test(every_truncation_is_a_fault),
        cmocka_unit_test(flipped_bytes_are_a_fault_or_another_message),
        cmocka_unit_test(every_message_survives_json),
        cmocka_unit_test(load_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
