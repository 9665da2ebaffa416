/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which message an input is about, in its first two bytes: the API's key (the headers have -1 and
 * -2), then half and version, version * 2 + half. Every pair of bytes means some message, so that
 * no mutation is wasted; what a canonical pair means stays the same when APIs are added.
 */
#ifndef KL_FUZZ_SELECTION_H
#define KL_FUZZ_SELECTION_H

#include "protocol/walk.h"

#include <kloop/wire.h>

#define KL_SELECTION_BYTES 2

typedef struct kl_selection {
    const kloop_api *api;
    kloop_half half;
    int16_t version;
    const kloop_message_type *type;
} kl_selection;

kl_selection kl_selection_of(uint8_t first, uint8_t second);
/* The canonical pair. */
void kl_selection_put(const kl_selection *s, uint8_t out[KL_SELECTION_BYTES]);

/* Every message there is, one after the other, from *s = {0} on; false behind the last. */
bool kl_selection_next(kl_selection *s);

/* A number of its own for each message, for kl_fuzz_feature. */
uint32_t kl_selection_number(const kl_selection *s);

#endif
