/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator for tests that looks for secrets in the memory that is given back to it: what
 * somebody forgot to wipe would be found there by whoever gets that memory next.
 *
 *     kl_needle_alloc n;
 *     kl_needle_alloc_init(&n);
 *     kl_needle_alloc_add(&n, "hunter2hunter2", 14);
 *     kloop_allocator alloc = kl_needle_alloc_table(&n);
 *     ... the subject, from its beginning to its end ...
 *     kl_needle_alloc_check(&n);                  fails the test if one was found, or a block is
 * left
 *
 * Memory comes from malloc. A needle is at least 8 bytes, so that none is found by chance.
 */
#ifndef KL_TESTS_NEEDLE_ALLOC_H
#define KL_TESTS_NEEDLE_ALLOC_H

#include <kloop/types.h>

#define KL_NEEDLE_ALLOC_MAX 16

typedef struct kl_needle_alloc {
    struct {
        uint8_t bytes[128];
        size_t len;
    } needles[KL_NEEDLE_ALLOC_MAX];
    size_t count;
    size_t released; /* blocks that were looked at */
    size_t live;
    size_t found;       /* blocks with a needle in them */
    size_t found_size;  /* of the first of these */
    size_t found_index; /* which needle */
} kl_needle_alloc;

void kl_needle_alloc_init(kl_needle_alloc *n);
/* Copied, at most 128 bytes of it. */
void kl_needle_alloc_add(kl_needle_alloc *n, const void *bytes, size_t len);
kloop_allocator kl_needle_alloc_table(kl_needle_alloc *n);

/* Is there a needle in these bytes? For memory that is not from here. */
int kl_needle_alloc_in(const kl_needle_alloc *n, const void *bytes, size_t len);

#define kl_needle_alloc_check(n) kl_needle_alloc_check_at((n), __FILE__, __LINE__)
void kl_needle_alloc_check_at(const kl_needle_alloc *n, const char *file, int line);

#endif
