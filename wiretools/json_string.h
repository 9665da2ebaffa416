/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a JSON string. A part of the JSON reader: pure functions over its text, nothing is
 * owned.
 */
#ifndef KL_WIRETOOLS_JSON_STRING_H
#define KL_WIRETOOLS_JSON_STRING_H

#include "wiretools/json_read.h"

/* The reason for every text that could still become sound if more of it came. */
#define KL_JSON_TOO_EARLY "the JSON text ends too early"

/*
 * From start, behind the opening quote, to the closing one: checks escapes and UTF-8, tells where
 * the closing quote is and how many bytes the string will have; as many as there are when it holds
 * no escape, fewer otherwise.
 */
bool kl_json_string_scan(const uint8_t *text, size_t len, size_t start, size_t *close,
                         size_t *decoded, kl_json_error *error);

/* Writes the string between start and close, which a scan found sound; out has room for the bytes
 * it told. */
void kl_json_string_unescape(const uint8_t *text, size_t start, size_t close, uint8_t *out);

#endif
