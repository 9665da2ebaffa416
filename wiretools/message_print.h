/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message's bytes as JSON, in the form of Kafka's own JsonConverters: every field that the
 * version has, tagged ones only when they are not at their default; bytes, records included, as
 * base64.
 *
 * Owns nothing. On a fault the buffer behind the writer holds the beginning; the caller cuts it
 * off.
 */
#ifndef KL_WIRETOOLS_MESSAGE_PRINT_H
#define KL_WIRETOOLS_MESSAGE_PRINT_H

#include "wiretools/json_write.h"

#include <kloop/wire.h>

/* All of bytes[0..len) must be the message. */
kloop_status kl_message_print(kl_json_writer *out, int16_t api_key, kloop_half half,
                              int16_t version, kloop_slice bytes, kloop_fault *fault);

#endif
