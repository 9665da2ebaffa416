/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON in the form of Kafka's JsonConverters to a message's bytes, strictly: each thing that is
 * missing, unknown, of another type or out of range is refused, with the place in the JSON text
 * where it stands.
 *
 * What is made on the way lives in the caller's arena. Fails for the reasons above, and without
 * memory.
 */
#ifndef KL_WIRETOOLS_MESSAGE_LOAD_H
#define KL_WIRETOOLS_MESSAGE_LOAD_H

#include "base/buf.h"
#include "wiretools/json_value.h"

#include <kloop/wire.h>

/* Appends the body to *out. false: *error tells why, and *out is as it was. */
bool kl_message_load(kl_buf *out, int16_t api_key, kloop_half half, int16_t version, kl_json *root,
                     kl_arena *arena, kl_load_error *error);

#endif
