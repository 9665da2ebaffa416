/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message whose every field is drawn from a fuzzer's input: structs as a user fills them, with C
 * arrays for lists and slices for record batches.
 *
 * Tame messages can be encoded. Wild ones may hold anything that C can express: null where none is
 * allowed, text that is no text, strings too long, counts below zero, values in fields that the
 * version has not.
 */
#ifndef KL_FUZZ_DRAWN_MESSAGE_H
#define KL_FUZZ_DRAWN_MESSAGE_H

#include "fuzz/drawn.h"
#include "fuzz/selection.h"
#include "fuzz/trace.h"
#include "protocol/api.h"
#include "wiretools/arena.h"

/* What is made lives in the arena and in the input. The trace is that of the message's encoding, if
 * it has one. */
void kl_drawn_message(kl_drawn *d, const kl_selection *s, bool wild, kl_arena *arena,
                      kl_message *message, kl_buf *trace);

/* The like for a text outside of any message. */
kloop_string kl_drawn_text(kl_drawn *d, bool nullable, kl_arena *arena);

#endif
