/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a piece of input says about a record, and why one says nothing that could be understood.
 *
 * Views into the input and into memory of whoever read it, good until it reads the next piece.
 */
#ifndef KL_CLI_INPUT_RECORD_H
#define KL_CLI_INPUT_RECORD_H

#include <kloop/record.h>

#include <stdbool.h>

typedef struct kl_input_record {
    kloop_record record;
    kloop_string topic; /* terminated; data NULL: it names none */
    bool has_key;       /* also when that is null */
    bool has_headers;   /* also when there are none of them */
} kl_input_record;

typedef struct kl_input_fault {
    size_t byte; /* of the piece, from 1; 0: no one byte is at fault */
    char text[512];
} kl_input_fault;

#endif
