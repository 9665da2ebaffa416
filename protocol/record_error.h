/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Produce answer says of one record that the broker has refused by name (KIP-467). A file of
 * its own, for an answer may name a million of them, and this part alone is built for speed then.
 */
#ifndef KL_PROTOCOL_RECORD_ERROR_H
#define KL_PROTOCOL_RECORD_ERROR_H

#include <kloop/wire.h>

extern const kloop_message_type kl_record_error_type;

#endif
