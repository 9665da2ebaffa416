/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this JSON, as wiretools/json_read.h means it? A second opinion, made by recursion straight
 * from the grammar of RFC 8259: valid UTF-8, no half surrogate pairs, no key twice in an object,
 * nesting up to 64.
 */
#ifndef KL_FUZZ_NAIVE_JSON_H
#define KL_FUZZ_NAIVE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer texts are not judged. */
#define KL_NAIVE_JSON_MAX 4096

bool kl_naive_json(const uint8_t *text, size_t len);

#endif
