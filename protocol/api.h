/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of messages: which type describes which half of which API. A new message is one file
 * that makes the two types, one row in KLOOP_API_MAP, its structs in <kloop/messages.h>.
 */
#ifndef KL_PROTOCOL_API_H
#define KL_PROTOCOL_API_H

#include "protocol/walk.h"

#include <kloop/wire.h>

KLOOP_API_MAP(KL_DECLARE_TYPES)

/* KL_FLEXIBLE_<NAME>: the first flexible version, for the message files. */
enum {
#define KL_FLEXIBLE(NAME, key, name, min, max, flexible, struct_name) KL_FLEXIBLE_##NAME = flexible,
    KLOOP_API_MAP(KL_FLEXIBLE)
#undef KL_FLEXIBLE
};

extern const kloop_message_type kl_request_header_type;
extern const kloop_message_type kl_response_header_type;

/* Room for any message, for those who do not know which it will be. */
typedef union kl_message {
#define KL_MESSAGE_MEMBERS(NAME, key, name, min, max, flexible, struct_name)                       \
    kloop_##struct_name##_request struct_name##_request;                                           \
    kloop_##struct_name##_response struct_name##_response;
    KLOOP_API_MAP(KL_MESSAGE_MEMBERS)
#undef KL_MESSAGE_MEMBERS
    kloop_request_header request_header;
    kloop_response_header response_header;
} kl_message;

/*
 * The type of a message, or NULL with the reason in *fault (which may be NULL): an API or a half
 * that is not spoken, a version outside its range.
 */
const kloop_message_type *kl_api_type(int16_t api_key, kloop_half half, int16_t version,
                                      kloop_fault *fault);

#endif
