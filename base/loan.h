/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loans: bytes of somebody else's that are shown where they lie, and given back when nobody looks
 * at them any more.
 *
 *     lent by a chain (chain.h) --cleared--> returned, in the pool --taken--> told to the lender
 *          \____ rewound, or handed on to another chain: as if it had not been lent ____
 *
 * They stand in segments of their own, in rings of which the last is known. Giving back needs no
 * memory: the ring itself goes from the chain to the pool.
 *
 * Who owns what: a ring its segments, the lender his bytes. The pool counts borrowed bytes as held
 * until they are returned, and the segments of the ring until they are taken.
 *
 * Fails: kl_loans_add answers false when there is no memory, and nothing is changed.
 */
#ifndef KL_BASE_LOAN_H
#define KL_BASE_LOAN_H

#include "base/segment.h"

#include <stdbool.h>

/* Another chain has it and gives it back. */
#define KL_LOAN_HANDED_ON UINT32_MAX

typedef struct kl_loan {
    const uint8_t *data;
    uint32_t len;
    uint32_t front; /* bytes before data that were lent with it, and are not shown; or: */
    void *lender;
    size_t at; /* bytes of the chain before it */
} kl_loan;

/* Adds one behind the others; *last is the ring, NULL an empty one. */
bool kl_loans_add(kl_pool *pool, kl_segment **last, const kl_loan *loan);
/* The most that it takes from the pool. */
size_t kl_loans_growth_max(const kl_segment *last);
/* The ring's segments are the pool's; what stands in them is due to the lenders. */
void kl_loans_return(kl_pool *pool, kl_segment *last);
/* Nobody is told. */
void kl_loans_drop(kl_segment *last);

/* The next of those that are due, at most max; answers how many. */
size_t kl_loans_take(kl_pool *pool, kl_loan *to, size_t max);
/* Whatever is due is forgotten. */
void kl_loans_forget(kl_pool *pool);

#endif
