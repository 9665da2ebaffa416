/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a producer whose host brings none of its own: the C library's, but for large
 * blocks, which come from the system and go back to it.
 *
 * The C library would do that, too, but only until the first of them is given back: from then on it
 * takes blocks of that size from its heap, where anything that is allocated behind them keeps them
 * in the process for ever. The engine's payload lies in blocks so that a process that has queued
 * much becomes small again (base/slab.h).
 *
 * Owns nothing. Fails as malloc does.
 */
#ifndef KL_DRIVER_BLOCK_MEMORY_H
#define KL_DRIVER_BLOCK_MEMORY_H

#include <kloop/types.h>

/* From this size on. */
#define KL_BLOCK_MEMORY_MIN ((size_t)128 * 1024)

extern const kloop_allocator kl_block_memory;

#endif
