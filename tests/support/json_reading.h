/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the JSON reader share: a document over a failing, counting allocator, and texts
 * that are read from a block of exactly their size, so that a look beyond the end is seen by the
 * address sanitizer.
 */
#ifndef KL_TESTS_JSON_READING_H
#define KL_TESTS_JSON_READING_H

#include "tests/support/fail_alloc.h"
#include "wiretools/json_read.h"

typedef struct kl_json_reading {
    kl_fail_alloc alloc;
    kl_json_doc doc;
    char *text; /* what was read last; the tree may point into it */
} kl_json_reading;

/* cmocka's set-up and tear-down: *state is a kl_json_reading. */
int kl_json_reading_set_up(void **state);
int kl_json_reading_tear_down(void **state);

/* The root, or NULL with the error in x->doc. */
kl_json *kl_json_reading_bytes(kl_json_reading *x, const char *text, size_t len);

/* Fails the test when the text is refused. */
kl_json *kl_json_reading_ok(kl_json_reading *x, const char *text);

/* Fail the test when the text is read, or refused for another reason or at another place. */
void kl_json_refused(kl_json_reading *x, const char *text, const char *reason, size_t offset);
void kl_json_refused_bytes(kl_json_reading *x, const char *text, size_t len, const char *reason,
                           size_t offset);

/* v is a string of these bytes. */
void kl_json_assert_text(const kl_json *v, const char *expected, size_t len);

#endif
