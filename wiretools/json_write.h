/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON to a buffer, compactly, value by value; commas come by themselves.
 *
 * The writer owns nothing; the buffer's failure is sticky, so nobody needs to look before
 * kl_json_write_end. Calls in an order that makes no JSON (a value without a key in an object, an
 * end without a begin) are mistakes of the program and asserted. At top level several values may
 * follow each other, with whatever the caller puts between.
 *
 * Strings go out as the UTF-8 they are, with ", \ and control characters escaped in the way of
 * Jackson, which Kafka's tools use; that they are valid UTF-8 is the caller's business. Kafka's
 * null (a NULL pointer) is written as null.
 */
#ifndef KL_WIRETOOLS_JSON_WRITE_H
#define KL_WIRETOOLS_JSON_WRITE_H

#include "base/buf.h"

#include <kloop/types.h>

#include <stdbool.h>
#include <stdint.h>

/* How deep containers may be nested; far more than any message is. */
#define KL_JSON_WRITE_DEPTH_MAX 64

typedef struct kl_json_writer {
    kl_buf *out;
    uint64_t objects; /* bit n: the container at depth n is an object */
    unsigned depth;
    bool comma; /* a value or pair stands before this place in the same container */
    bool keyed; /* a key stands before this place */
} kl_json_writer;

/* Appends to what is in out, which must outlive the writer. */
void kl_json_write_init(kl_json_writer *w, kl_buf *out);

/* Everything that was begun must be ended. false: something is missing; out tells why. */
bool kl_json_write_end(const kl_json_writer *w);

void kl_json_write_object_begin(kl_json_writer *w);
void kl_json_write_object_end(kl_json_writer *w);
void kl_json_write_array_begin(kl_json_writer *w);
void kl_json_write_array_end(kl_json_writer *w);

void kl_json_write_key(kl_json_writer *w, const char *name);
/* A key that came from outside; not NULL. */
void kl_json_write_key_string(kl_json_writer *w, kloop_string name);

void kl_json_write_null(kl_json_writer *w);
void kl_json_write_bool(kl_json_writer *w, bool value);
void kl_json_write_int64(kl_json_writer *w, int64_t value);
void kl_json_write_string(kl_json_writer *w, kloop_string value);
/* A terminated C string, not NULL. */
void kl_json_write_text(kl_json_writer *w, const char *value);
/* Standard base64 with padding. */
void kl_json_write_base64(kl_json_writer *w, kloop_slice bytes);
/* 22 characters of base64url. */
void kl_json_write_uuid(kl_json_writer *w, const kloop_uuid *id);

#endif
