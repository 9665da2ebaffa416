/* SPDX-License-Identifier: BSD-2-Clause */
/* A raw snappy block read as its format description reads, one byte at a time: a second opinion. */
#ifndef KL_FUZZ_NAIVE_SNAPPY_H
#define KL_FUZZ_NAIVE_SNAPPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of src[0..len) is one block with at most room bytes of content, *made of which are then in
 * dst. */
bool kl_naive_snappy(const uint8_t *src, size_t len, uint8_t *dst, size_t room, size_t *made);

#endif
