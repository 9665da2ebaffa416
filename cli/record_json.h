/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of records in JSON: text where they are text, base64 under a name of its own where they are
 * not, so that nothing is lost. Events and dead letters are written with it; json_input.h reads it.
 *
 * Owns nothing; the writer's buffer tells of missing memory.
 */
#ifndef KL_CLI_RECORD_JSON_H
#define KL_CLI_RECORD_JSON_H

#include "wiretools/json_write.h"

/* A member name, or name64 for bytes that are not UTF-8. */
void kl_record_json_bytes(kl_json_writer *json, const char *name, const char *name64,
                          kloop_slice bytes);

/* "failed" or "unknown". */
const char *kl_record_json_outcome(bool unknown);

#endif
