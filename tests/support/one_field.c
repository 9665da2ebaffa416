/* SPDX-License-Identifier: BSD-2-Clause */
/* See one_field.h. */
#include "tests/support/one_field.h"

#define FLEXIBLE_SINCE 2

/* A walker and its type; the last argument is the field in the vocabulary of the message files. */
#define ONE_FIELD(name, c_struct, ...)                                                             \
    static void walk_##name(kl_walk *w, void *message)                                             \
    {                                                                                              \
        c_struct *m = message;                                                                     \
        __VA_ARGS__;                                                                               \
        NO_TAGS();                                                                                 \
    }                                                                                              \
    KL_MESSAGE_TYPE(kl_one_##name##_type, c_struct, FLEXIBLE_SINCE, walk_##name);

static void walk_pair(kl_walk *w, void *element)
{
    kl_pair *m = element;
    INT32(number, "number", .fallback = -7);
    STRING(name, "name");
    NO_TAGS();
}

const kloop_message_type kl_pair_type = {
    .name = "kl_pair", .size = sizeof(kl_pair), .walk = walk_pair, .kind = KL_STRUCT};

ONE_FIELD(bool, kl_one_bool, BOOL(value, "value"))
ONE_FIELD(int8, kl_one_int8, INT8(value, "value"))
ONE_FIELD(int16, kl_one_int16, INT16(value, "value"))
ONE_FIELD(int32, kl_one_int32, INT32(value, "value"))
ONE_FIELD(int64, kl_one_int64, INT64(value, "value"))
ONE_FIELD(uuid, kl_one_uuid, UUID(value, "value"))
ONE_FIELD(string, kl_one_string, STRING(value, "value"))
ONE_FIELD(bytes, kl_one_bytes, BYTES(value, "value"))
ONE_FIELD(records, kl_one_records, RECORDS(value, "value"))
ONE_FIELD(numbers, kl_one_array, ARRAY(value, kl_int32_element, "value"))
ONE_FIELD(names, kl_one_array, ARRAY(value, kl_string_element, "value"))
ONE_FIELD(pairs, kl_one_array, ARRAY(value, kl_pair_type, "value"))
ONE_FIELD(struct, kl_one_struct,
          KL_FIELD(KL_STRUCT, kl_walk_field, value, .name = "value", ELEMENT(kl_pair_type)))

ONE_FIELD(nullable_string, kl_one_string, STRING(value, "value", NULLABLE(1)))
ONE_FIELD(nullable_bytes, kl_one_bytes, BYTES(value, "value", NULLABLE(1)))
ONE_FIELD(nullable_records, kl_one_records, RECORDS(value, "value", NULLABLE(1)))
ONE_FIELD(nullable_numbers, kl_one_array, ARRAY(value, kl_int32_element, "value", NULLABLE(1)))
ONE_FIELD(nullable_pairs, kl_one_array, ARRAY(value, kl_pair_type, "value", NULLABLE(1)))
