/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON of a record batch, as batch_print.h makes it, to bytes. "crc" is found out, not taken;
 * every other field is written as it stands, whether it makes sense or not.
 *
 * A loader owns what it needs for that, and keeps it from call to call.
 */
#ifndef KL_WIRETOOLS_BATCH_LOAD_H
#define KL_WIRETOOLS_BATCH_LOAD_H

#include "base/buf.h"
#include "wiretools/json_value.h"

#include <kloop/wire.h>

typedef struct kl_batch_loader {
    kloop_allocator alloc;
    kloop_batch_writer *writer; /* made at the first use */
} kl_batch_loader;

void kl_batch_loader_init(kl_batch_loader *l, const kloop_allocator *alloc);
void kl_batch_loader_deinit(kl_batch_loader *l);

/* Appends the batch, or each of an array of batches, to *out. */
bool kl_batch_load(kl_batch_loader *l, kl_json *root, kl_arena *arena, kl_buf *out,
                   kl_load_error *error);

#endif
