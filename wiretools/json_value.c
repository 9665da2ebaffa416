/* SPDX-License-Identifier: BSD-2-Clause */
/* Types and ranges, and the words for what does not fit. */
#include "wiretools/json_value.h"

#include "base/excerpt.h"
#include "base/base64.h"

#include <inttypes.h>
#include <stdio.h>

bool kl_json_value_refuse(const kl_json *value, const char *name, const char *reason,
                          kl_load_error *error)
{
    snprintf(error->reason, sizeof error->reason, "%s%s%s", name ? name : "", name ? ": " : "",
             reason);
    error->offset = kl_json_offset(value);
    return false;
}

bool kl_json_value_refuse_type(const kl_json *value, const char *name, const char *wanted,
                               kl_load_error *error)
{
    char reason[160];
    snprintf(reason, sizeof reason, "%s where %s is needed",
             kl_json_type_name(kl_json_type_of(value)), wanted);
    return kl_json_value_refuse(value, name, reason, error);
}

bool kl_json_value_integer(const kl_json *value, const char *name, int64_t min, int64_t max,
                           int64_t *number, kl_load_error *error)
{
    char reason[120];
    kl_json_type type = kl_json_type_of(value);
    if (type != KL_JSON_INTEGER && type != KL_JSON_HUGE)
        return kl_json_value_refuse_type(value, name, "an integer", error);
    *number = value->as.integer;
    if (type == KL_JSON_INTEGER && *number >= min && *number <= max)
        return true;
    snprintf(reason, sizeof reason, "out of range, %" PRId64 " to %" PRId64 " are allowed", min,
             max);
    return kl_json_value_refuse(value, name, reason, error);
}

bool kl_json_value_bool(const kl_json *value, const char *name, bool *truth, kl_load_error *error)
{
    if (kl_json_type_of(value) != KL_JSON_BOOL)
        return kl_json_value_refuse_type(value, name, "true or false", error);
    *truth = value->as.boolean;
    return true;
}

bool kl_json_value_text(const kl_json *value, const char *name, kloop_string *text,
                        kl_load_error *error)
{
    if (kl_json_type_of(value) != KL_JSON_STRING)
        return kl_json_value_refuse_type(value, name, "a string", error);
    *text = kl_json_string(value);
    return true;
}

bool kl_json_value_bytes(const kl_json *value, const char *name, kl_arena *arena,
                         kloop_slice *bytes, kl_load_error *error)
{
    if (kl_json_type_of(value) != KL_JSON_STRING)
        return kl_json_value_refuse_type(value, name, "a base64 string", error);
    kloop_string text = kl_json_string(value);
    /* One more, so that no bytes at all are not Kafka's null. */
    uint8_t *room = kl_arena_alloc_bytes(arena, kl_base64_decoded_max(text.len) + 1);
    if (!room)
        return kl_json_value_refuse(value, name, "no memory", error);
    kl_base64_fault fault;
    size_t len;
    if (!kl_base64_decode(room, &len, text.data, text.len, &fault))
        return kl_json_value_refuse(value, name, fault.reason, error);
    *bytes = (kloop_slice){room, len};
    return true;
}

bool kl_json_value_uuid(const kl_json *value, const char *name, kloop_uuid *id,
                        kl_load_error *error)
{
    if (kl_json_type_of(value) != KL_JSON_STRING)
        return kl_json_value_refuse_type(value, name, "an id of 22 base64url characters", error);
    kloop_string text = kl_json_string(value);
    kl_base64_fault fault;
    if (!kl_base64_decode_uuid(id, text.data, text.len, &fault))
        return kl_json_value_refuse(value, name, fault.reason, error);
    return true;
}

bool kl_json_value_array(const kl_json *value, const char *name, kl_load_error *error)
{
    if (kl_json_type_of(value) != KL_JSON_ARRAY)
        return kl_json_value_refuse_type(value, name, "an array", error);
    if (value->count > INT32_MAX)
        return kl_json_value_refuse(value, name, "too many elements", error);
    return true;
}

bool kl_json_value_object(const kl_json *value, const char *name, kl_load_error *error)
{
    if (kl_json_type_of(value) != KL_JSON_OBJECT)
        return kl_json_value_refuse_type(value, name, "an object", error);
    return true;
}

bool kl_json_value_no_unknown_key(kl_json *object, const char *owner, kl_load_error *error)
{
    kl_json *unknown = kl_json_first_untaken(object);
    if (!unknown)
        return true;
    char reason[160];
    char name[KL_EXCERPT_SIZE];
    snprintf(reason, sizeof reason, "%s has no field '%s'", owner,
             kl_excerpt(name, sizeof name, kl_json_string(unknown)));
    return kl_json_value_refuse(unknown, NULL, reason, error);
}
