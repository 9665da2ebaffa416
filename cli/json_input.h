/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as JSON, one object a line:
 *
 *     {"topic":"t","partition":3,"timestamp":1700000000000,"key":"k","value":"v",
 *      "headers":[{"key":"name","value":"x"}]}
 *
 *     topic, partition, timestamp, headers   may be missing or null: then they are not given
 *     key, value                             a string or null; value must be there, so that a
 *                                            forgotten one does not delete what the key stands for
 *     key64, value64                         in their place: base64 of any bytes
 *     headers                                key (or key64) and value (or value64) must be there
 *     outcome, error, message                strings, of a dead letter: read over
 *
 * Whatever else is there, is there twice or has another type is refused, with its place in the line
 * and what to do.
 *
 * It owns the memory of the record that was read last.
 */
#ifndef KL_CLI_JSON_INPUT_H
#define KL_CLI_JSON_INPUT_H

#include "cli/input_record.h"
#include "wiretools/arena.h"
#include "wiretools/json_read.h"

typedef struct kl_json_input {
    kl_json_doc doc;
    kl_arena arena;
} kl_json_input;

/* The table is copied. */
void kl_json_input_init(kl_json_input *in, const kloop_allocator *alloc);
void kl_json_input_deinit(kl_json_input *in);

/* false: *fault says why. The record is good until the next read; its views may point into line. */
bool kl_json_input_read(kl_json_input *in, kloop_string line, kl_input_record *out,
                        kl_input_fault *fault);

#endif
