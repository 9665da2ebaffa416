/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory between two pages that nobody may touch. A reader or writer that leaves its buffer by one
 * byte, on either side, ends the test with a fault at that instruction, also without a sanitizer
 * and inside vector code.
 *
 *     | no access | room, writable | no access |
 *                 ^ begin     end  ^
 *
 * The guard owns the memory until deinit; buffers of one guard overlap, so one of them is in use at
 * a time. Failures of the system abort.
 */
#ifndef KL_TESTS_SUPPORT_GUARD_H
#define KL_TESTS_SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

typedef struct kl_guard {
    uint8_t *map;   /* the first page without access */
    uint8_t *begin; /* the first byte of the room */
    size_t room;    /* whole pages */
    size_t page;
} kl_guard;

/* A room for buffers of up to max bytes. */
void kl_guard_init(kl_guard *g, size_t max);
void kl_guard_deinit(kl_guard *g);

/* n bytes that end where the second closed page begins. With n == 0 the address itself is
 * forbidden. */
uint8_t *kl_guard_at_end(kl_guard *g, size_t n);

/* n bytes that begin right behind the first closed page. */
uint8_t *kl_guard_at_begin(kl_guard *g, size_t n);

/* The same with a copy of src in them: the usual way to hand an input to a parser. */
uint8_t *kl_guard_copy_at_end(kl_guard *g, const void *src, size_t n);
uint8_t *kl_guard_copy_at_begin(kl_guard *g, const void *src, size_t n);

#endif
