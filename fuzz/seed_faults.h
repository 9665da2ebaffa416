/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that once brought down, blew up or fooled some client or broker, or have the shape of such.
 * Each must be an error that names a place, or a message; never more.
 */
#ifndef KL_FUZZ_SEED_FAULTS_H
#define KL_FUZZ_SEED_FAULTS_H

#include <stdint.h>

typedef struct kl_seed_message_fault {
    int16_t api_key;
    int16_t version;
    char half;       /* 'q' request, 's' response */
    const char *hex; /* the body */
} kl_seed_message_fault;

/* The row behind the last has hex == NULL. */
extern const kl_seed_message_fault kl_seed_message_faults[];

typedef struct kl_seed_bytes {
    const char *target;
    const char *hex;
} kl_seed_bytes;

/* Whole inputs of other targets; behind the last: target == NULL. */
extern const kl_seed_bytes kl_seed_input_faults[];

/* Texts for the JSON reader, good and bad; NULL behind the last. */
extern const char *const kl_seed_json_texts[];

#endif
