/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading JSON in tests. */
#include "tests/support/json_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int kl_json_reading_set_up(void **state)
{
    kl_json_reading *x = calloc(1, sizeof(*x));
    kl_fail_alloc_init(&x->alloc, 0);
    kloop_allocator table = kl_fail_alloc_table(&x->alloc);
    kl_json_doc_init(&x->doc, &table);
    *state = x;
    return 0;
}

int kl_json_reading_tear_down(void **state)
{
    kl_json_reading *x = *state;
    kl_json_doc_deinit(&x->doc);
    kl_json_doc_deinit(&x->doc);
    free(x->text);
    kl_fail_alloc_check(&x->alloc);
    free(x);
    return 0;
}

/* malloc(0) would give a block of one byte or so: an empty text has no block at all. */
kl_json *kl_json_reading_bytes(kl_json_reading *x, const char *text, size_t len)
{
    free(x->text);
    x->text = NULL;
    if (len > 0) {
        x->text = malloc(len);
        assert_non_null(x->text);
        memcpy(x->text, text, len);
    }
    kl_json *root = kl_json_read(&x->doc, x->text, len);
    assert_true((root == NULL) == (x->doc.error.reason != NULL));
    assert_false(x->doc.error.no_memory);
    return root;
}

kl_json *kl_json_reading_ok(kl_json_reading *x, const char *text)
{
    kl_json *root = kl_json_reading_bytes(x, text, strlen(text));
    if (!root)
        fail_msg("%s: %s at byte %zu", text, x->doc.error.reason, x->doc.error.offset);
    return root;
}

void kl_json_refused_bytes(kl_json_reading *x, const char *text, size_t len, const char *reason,
                           size_t offset)
{
    if (kl_json_reading_bytes(x, text, len))
        fail_msg("read: %.*s", (int)len, text);
    if (strcmp(x->doc.error.reason, reason) != 0 || x->doc.error.offset != offset)
        fail_msg("%.*s: \"%s\" at %zu, expected \"%s\" at %zu", (int)len, text, x->doc.error.reason,
                 x->doc.error.offset, reason, offset);
}

void kl_json_refused(kl_json_reading *x, const char *text, const char *reason, size_t offset)
{
    kl_json_refused_bytes(x, text, strlen(text), reason, offset);
}

void kl_json_assert_text(const kl_json *v, const char *expected, size_t len)
{
    assert_int_equal(kl_json_type_of(v), KL_JSON_STRING);
    kloop_string s = kl_json_string(v);
    assert_non_null(s.data);
    assert_int_equal(s.len, len);
    assert_memory_equal(s.data, expected, len);
}
