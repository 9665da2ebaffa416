/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a key come twice in an object? A part of the JSON reader, asked once for each object when it
 * closes.
 */
#ifndef KL_WIRETOOLS_JSON_KEYS_H
#define KL_WIRETOOLS_JSON_KEYS_H

#include "wiretools/json_read.h"

/*
 * twice: the first key in the text that was there before; NULL when all differ. scratch is
 * overwritten, and touched only for many keys. false: no memory.
 */
bool kl_json_keys_check(const kl_json *object, kl_buf *scratch, const kl_json **twice);

#endif
