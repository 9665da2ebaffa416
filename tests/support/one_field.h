/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of a single field, called "value": one for each kind of field, nullable or not. A test
 * of the walk itself can say with them what no real message shows in this purity.
 *
 * All are flexible from version 2 on; a nullable field is so from version 1 on. So version 0 is
 * plain and without null, 1 plain with null, 2 compact with null.
 */
#ifndef KL_TESTS_SUPPORT_ONE_FIELD_H
#define KL_TESTS_SUPPORT_ONE_FIELD_H

#include "protocol/walk.h"

typedef struct kl_one_bool {
    bool value;
} kl_one_bool;

typedef struct kl_one_int8 {
    int8_t value;
} kl_one_int8;

typedef struct kl_one_int16 {
    int16_t value;
} kl_one_int16;

typedef struct kl_one_int32 {
    int32_t value;
} kl_one_int32;

typedef struct kl_one_int64 {
    int64_t value;
} kl_one_int64;

typedef struct kl_one_uuid {
    kloop_uuid value;
} kl_one_uuid;

typedef struct kl_one_string {
    kloop_string value;
} kl_one_string;

typedef struct kl_one_bytes {
    kloop_slice value;
} kl_one_bytes;

typedef struct kl_one_records {
    kloop_records value;
} kl_one_records;

/* Of int32_t, of kloop_string, or of kl_pair. */
typedef struct kl_one_array {
    kloop_array value;
} kl_one_array;

typedef struct kl_pair {
    int32_t number; /* -7 */
    kloop_string name;
} kl_pair;

typedef struct kl_one_struct {
    kl_pair value;
} kl_one_struct;

/* Room for any of them. */
typedef union kl_one {
    kl_one_bool yes;
    kl_one_int8 int8;
    kl_one_int16 int16;
    kl_one_int32 int32;
    kl_one_int64 int64;
    kl_one_uuid uuid;
    kl_one_string string;
    kl_one_bytes bytes;
    kl_one_records records;
    kl_one_array array;
    kl_one_struct pair;
} kl_one;

extern const kloop_message_type kl_one_bool_type;
extern const kloop_message_type kl_one_int8_type;
extern const kloop_message_type kl_one_int16_type;
extern const kloop_message_type kl_one_int32_type;
extern const kloop_message_type kl_one_int64_type;
extern const kloop_message_type kl_one_uuid_type;
extern const kloop_message_type kl_one_string_type;
extern const kloop_message_type kl_one_bytes_type;
extern const kloop_message_type kl_one_records_type;
extern const kloop_message_type kl_one_numbers_type;
extern const kloop_message_type kl_one_names_type;
extern const kloop_message_type kl_one_pairs_type;
extern const kloop_message_type kl_one_struct_type;

/* Nullable, "" or no bytes or no elements being the default. */
extern const kloop_message_type kl_one_nullable_string_type;
extern const kloop_message_type kl_one_nullable_bytes_type;
extern const kloop_message_type kl_one_nullable_records_type;
extern const kloop_message_type kl_one_nullable_numbers_type;
extern const kloop_message_type kl_one_nullable_pairs_type;

/* The element of kl_one_pairs_type, and what kl_one_struct_type holds. */
extern const kloop_message_type kl_pair_type;

#endif
