/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XXH32, the hash of an lz4 frame: one byte of it guards the header, four may guard each block.
 *
 * Pure: no state, nothing can fail. It guards against accidents, not against people.
 */
#ifndef KL_CODECS_XXH32_H
#define KL_CODECS_XXH32_H

#include <stddef.h>
#include <stdint.h>

/* The same value on every machine. data may be NULL when len is 0. */
uint32_t kl_xxh32(const void *data, size_t len, uint32_t seed);

#endif
