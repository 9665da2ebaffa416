/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading one message from hand-made bytes, and its elements one by one, in tests of what lands in
 * which member. A difference fails the running cmocka test.
 */
#ifndef KL_TESTS_SUPPORT_EXPECT_MESSAGE_H
#define KL_TESTS_SUPPORT_EXPECT_MESSAGE_H

#include "tests/support/expect_fault.h"

#include <kloop/wire.h>

/*
 * Decodes into *message, which held something else before, and finds that the same bytes come out
 * when it is encoded again. Its views are good until the next call.
 */
#define KL_EXPECT_REQUEST(key, version, hex, message)                                              \
    kl_expect_message(KLOOP_##key, KLOOP_REQUEST, (version), (hex), (message), sizeof *(message))
#define KL_EXPECT_RESPONSE(key, version, hex, message)                                             \
    kl_expect_message(KLOOP_##key, KLOOP_RESPONSE, (version), (hex), (message), sizeof *(message))
void kl_expect_message(int16_t key, kloop_half half, int version, const char *hex, void *message,
                       size_t size);

/* Sets *message, which held something else before, to its defaults. */
#define KL_EXPECT_INIT(key, half, message)                                                         \
    kl_expect_init(KLOOP_##key, KLOOP_##half, (message), sizeof *(message))
void kl_expect_init(int16_t key, kloop_half half, void *message, size_t size);

/* The element with this index, which must be there, into *to. */
#define KL_EXPECT_ELEMENT(array, index, to) kl_expect_element((array), (index), (to), sizeof *(to))
void kl_expect_element(const kloop_array *array, int index, void *to, size_t size);

void kl_expect_number(const kloop_array *array, int index, int32_t number);
void kl_expect_id(const kloop_uuid *id, const char *hex);

#define KL_NO_ID   "00000000000000000000000000000000"
#define KL_SOME_ID "01000000000000000000000000000002"

#endif
