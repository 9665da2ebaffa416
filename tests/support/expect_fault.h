/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hand-made bytes in, the exact fault out: hexadecimal text for the bytes, one call for all that a
 * fault says. A difference fails the running cmocka test at the caller's line.
 */
#ifndef KL_TESTS_SUPPORT_EXPECT_FAULT_H
#define KL_TESTS_SUPPORT_EXPECT_FAULT_H

#include "tests/support/guard.h"

#include <kloop/fault.h>
#include <kloop/types.h>

/* Digits in pairs, with spaces as one likes, to bytes; how many. The room must be large enough. */
size_t kl_hex_bytes(const char *hex, uint8_t *to, size_t room);

/* The same at the end of a guarded room: reading one byte too far ends the test. */
kloop_slice kl_hex_guarded(kl_guard *guard, const char *hex);

/* The names and indices of a fault as a path from the outside in: "topics[3].name". */
const char *kl_fault_path(const kloop_fault *fault, char *text, size_t size);

/* Status, place, numbers and path must all be these. */
#define kl_expect_fault(fault, status, at, a, b, path)                                             \
    kl_expect_fault_at((fault), (status), (at), (a), (b), (path), __FILE__, __LINE__)
void kl_expect_fault_at(const kloop_fault *fault, kloop_status status, size_t at, int64_t a,
                        int64_t b, const char *path, const char *file, int line);

/* These bytes and no others. */
#define kl_expect_bytes(bytes, len, hex)                                                           \
    kl_expect_bytes_at((bytes), (len), (hex), __FILE__, __LINE__)
void kl_expect_bytes_at(const void *bytes, size_t len, const char *hex, const char *file, int line);

/* This text, which is not null. */
#define kl_expect_text(string, text) kl_expect_text_at((string), (text), __FILE__, __LINE__)
void kl_expect_text_at(kloop_string string, const char *text, const char *file, int line);

#endif
