/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random messages from a seed: a tap under KL_LOAD that makes values up, with a liking for
 * boundaries, nulls and empty things. The message's strings and lists live in the arena.
 */
#ifndef KL_TESTS_RANDOM_MESSAGE_H
#define KL_TESTS_RANDOM_MESSAGE_H

#include "protocol/api.h"
#include "wiretools/arena.h"

/* A small generator of its own (xorshift64*), so that a seed means the same everywhere. */
typedef struct kl_random {
    uint64_t state;
} kl_random;

void kl_random_init(kl_random *r, uint64_t seed);
uint64_t kl_random_next(kl_random *r);
/* 0 .. n-1 */
uint32_t kl_random_below(kl_random *r, uint32_t n);

void kl_random_message(kl_random *r, const kloop_message_type *type, int16_t version,
                       kl_arena *arena, kl_message *message);

/* Calls fn for each API, half and version that is spoken. */
typedef void (*kl_each_fn)(void *ctx, const kloop_api *api, kloop_half half, int16_t version,
                           const kloop_message_type *type);
void kl_each_message(kl_each_fn fn, void *ctx);

#endif
