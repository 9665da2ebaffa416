/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator for tests: it fails where it is told to, counts everything, and knows every live
 * block.
 *
 * It checks what a host's own allocator may rely on: sizes are never 0, a block is given back or
 * resized with the size it was asked for, and only once. A breach is remembered (the first one, in
 * fault) and reported by kl_fail_alloc_check, which also fails the test when a block is still
 * alive. Each resize moves the block and new memory is filled with 0xa5, so that stale pointers and
 * unset fields show. Blocks come straight from malloc: the address sanitizer sees their exact
 * borders.
 *
 * The usual test runs its subject with every allocation failing once:
 *
 *     for (size_t nth = 1;; nth++) {
 *         kl_fail_alloc f;
 *         kl_fail_alloc_init(&f, nth);
 *         kloop_allocator alloc = kl_fail_alloc_table(&f);
 *         bool ok = subject(&alloc);              gives back all it took
 *         kl_fail_alloc_check(&f);
 *         if (f.refused == 0) {                   nth was beyond the last allocation
 *             assert_true(ok);
 *             break;
 *         }
 *         assert_false(ok);
 *     }
 *
 * f owns a table of the live blocks, which kl_fail_alloc_check gives back: call it once for each
 * init.
 */
#ifndef KL_TESTS_FAIL_ALLOC_H
#define KL_TESTS_FAIL_ALLOC_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>

struct kl_fail_alloc_block;

typedef struct kl_fail_alloc {
    size_t nth;        /* the call that fails, from 1; 0: none */
    bool all_after;    /* may be set after init: each call from the nth on fails */
    size_t calls;      /* alloc and resize, refused ones too */
    size_t refused;    /* of these, how many were answered NULL on purpose */
    size_t live_bytes; /* as asked for */
    size_t live_blocks;
    size_t peak_bytes;    /* the highest live_bytes so far */
    size_t largest_bytes; /* the largest single block so far */
    char fault[160];      /* the first breach of the rules; empty: none */
    struct kl_fail_alloc_block *blocks;
    size_t slots;
} kl_fail_alloc;

void kl_fail_alloc_init(kl_fail_alloc *f, size_t nth);

/* The table to hand to the subject; f must stay where it is as long as the table is used. */
kloop_allocator kl_fail_alloc_table(kl_fail_alloc *f);

/*
 * Fails the running cmocka test when a rule was broken or a block is left. The numbers in f stay
 * readable; blocks that are left are freed, so that one leak is one report.
 */
#define kl_fail_alloc_check(f) kl_fail_alloc_check_at((f), __FILE__, __LINE__)
void kl_fail_alloc_check_at(kl_fail_alloc *f, const char *file, int line);

#endif
