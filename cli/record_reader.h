/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of input to records, in the form that was asked for: lines, JSON, or files that are a
 * record each. What the piece leaves open is filled in from the flags: the topic, the partition,
 * the key, the headers. So a piece that says something itself always means what it says.
 *
 * It owns the memory of the record that was read last.
 */
#ifndef KL_CLI_RECORD_READER_H
#define KL_CLI_RECORD_READER_H

#include "cli/json_input.h"
#include "cli/line_record.h"

typedef struct kl_record_form {
    bool json;
    bool skip_empty; /* lines without anything in them are none */
    kl_line_form lines;
    kloop_string topic; /* terminated; data NULL: each piece has to name its own */
    int32_t partition;  /* -1: the producer chooses */
    kloop_slice key;
    const kloop_record_header *headers;
    uint32_t header_count;
} kl_record_form;

typedef struct kl_record_reader {
    const kl_record_form *form;
    kl_json_input json;
    kl_buf headers;
} kl_record_reader;

typedef enum kl_record_read {
    KL_RECORD_READ,
    KL_RECORD_NONE, /* there is nothing in the piece, and that is fine */
    KL_RECORD_BAD,  /* *fault says why */
} kl_record_read;

/* form must outlive it. */
void kl_record_reader_init(kl_record_reader *r, const kl_record_form *form);
void kl_record_reader_deinit(kl_record_reader *r);

/* whole: the piece is a value and nothing else. The record is good until the next call, and as long
 * as the piece. */
kl_record_read kl_record_reader_read(kl_record_reader *r, kloop_string piece, bool whole,
                                     kl_input_record *out, kl_input_fault *fault);

#endif
