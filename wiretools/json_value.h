/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON value as what is wanted of it, or the reason why it is none, with its place in the text.
 *
 * Each function answers false with *error set. name is the field's, for the reason; it may be NULL.
 * What is made lives in the arena, or in the tree's text.
 */
#ifndef KL_WIRETOOLS_JSON_VALUE_H
#define KL_WIRETOOLS_JSON_VALUE_H

#include "wiretools/arena.h"
#include "wiretools/json_read.h"

typedef struct kl_load_error {
    char reason[256];
    size_t offset; /* in the JSON text */
} kl_load_error;

/* Always false. */
bool kl_json_value_refuse(const kl_json *value, const char *name, const char *reason,
                          kl_load_error *error);
bool kl_json_value_refuse_type(const kl_json *value, const char *name, const char *wanted,
                               kl_load_error *error);

bool kl_json_value_integer(const kl_json *value, const char *name, int64_t min, int64_t max,
                           int64_t *number, kl_load_error *error);
bool kl_json_value_bool(const kl_json *value, const char *name, bool *truth, kl_load_error *error);
bool kl_json_value_text(const kl_json *value, const char *name, kloop_string *text,
                        kl_load_error *error);
bool kl_json_value_bytes(const kl_json *value, const char *name, kl_arena *arena,
                         kloop_slice *bytes, kl_load_error *error);
bool kl_json_value_uuid(const kl_json *value, const char *name, kloop_uuid *id,
                        kl_load_error *error);
bool kl_json_value_array(const kl_json *value, const char *name, kl_load_error *error);
bool kl_json_value_object(const kl_json *value, const char *name, kl_load_error *error);

/* Every key of the object must have been taken; owner is who has no such field. */
bool kl_json_value_no_unknown_key(kl_json *object, const char *owner, kl_load_error *error);

#endif
