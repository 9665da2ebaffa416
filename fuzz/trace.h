/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message as the row of its fields: names, kinds, values, where lists and structs begin and end.
 * Two messages with the same trace hold the same, however they came to be and whatever they look
 * like in memory.
 *
 * What a version does not carry is not in the trace, nor are tagged fields at their default.
 */
#ifndef KL_FUZZ_TRACE_H
#define KL_FUZZ_TRACE_H

#include "base/buf.h"
#include "protocol/walk.h"

void kl_trace_value(kl_buf *trace, const kl_field *field, kl_kind kind, const void *value);
void kl_trace_array_begin(kl_buf *trace, const kl_field *field, const kloop_array *array);
void kl_trace_array_end(kl_buf *trace);
void kl_trace_struct_begin(kl_buf *trace, const kl_field *field, int32_t index);
void kl_trace_struct_end(kl_buf *trace);

/* Appends the trace of an encoded message: the decoder's fields, seen through a tap. */
kloop_status kl_trace_bytes(kl_buf *trace, const kloop_message_type *type, int16_t version,
                            const uint8_t *bytes, size_t len);

#endif
