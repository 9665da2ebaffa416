/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record batches as a JSON array, one object for each batch, records opened and decompressed.
 *
 * A printer owns what it needs for that, and keeps it from call to call.
 */
#ifndef KL_WIRETOOLS_BATCH_PRINT_H
#define KL_WIRETOOLS_BATCH_PRINT_H

#include "base/buf.h"

#include <kloop/wire.h>

/* What the records of one batch may take once decompressed. */
#define KL_BATCH_PRINT_UNPACKED_MAX ((size_t)256 << 20)

typedef struct kl_batch_printer {
    kloop_allocator alloc;
    kloop_batch_reader *reader; /* made at the first use */
} kl_batch_printer;

void kl_batch_printer_init(kl_batch_printer *p, const kloop_allocator *alloc);
void kl_batch_printer_deinit(kl_batch_printer *p);

/* One batch at least. On a fault *out holds the beginning; the caller cuts it off. */
kloop_status kl_batch_print(kl_batch_printer *p, kloop_slice bytes, kl_buf *out,
                            kloop_fault *fault);

#endif
