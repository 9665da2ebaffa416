/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain: bytes appended to one end, held in pooled segments without holes.
 *
 *      first                                last
 *     +--------+     +----------------+    +----------------------------+
 *     | 488 B  | --> |    4,072 B     |--> | data ....|pos    room   end|
 *     +--------+     +----------------+    +----------------------------+
 *
 * It starts with a small segment and takes larger ones as it grows, but no large one for a little
 * that may still come (reach). Bytes once appended never move;
 * so slices of them stay good as long as the chain, or a pin on the segment, lives.
 *
 * Bytes may also be lent to it (loan.h): they stand in the chain like all others, but where their
 * owner has them. What is appended next goes on in the same segment as before.
 *
 *     +--------------------------+                 +-------------------------------------+
 *     | key ...|headers, key ... |     is read as  | key ... | value | headers, key ... |
 *     +--------^-----------------+                 +-------------------------------------+
 *       lent:  value
 *
 * Fails: whatever needs memory answers false and leaves the chain as it was.
 */
#ifndef KL_BASE_CHAIN_H
#define KL_BASE_CHAIN_H

#include "base/loan.h"

#include <stdbool.h>
#include <string.h>

typedef struct kl_chain {
    kl_pool *pool;
    kl_segment *first;
    kl_segment *last;
    uint8_t *pos;     /* where the next byte goes */
    uint8_t *end;     /* of the last segment */
    size_t before;    /* bytes in the segments before the last, and all that are lent */
    size_t reach;     /* how long it will become at most, as far as its owner knows; 0: no idea */
    kl_segment *lent; /* a ring of loans, NULL: none */
    size_t lent_bytes;
} kl_chain;

/* A place in a chain to which it can be rewound. */
typedef struct kl_chain_mark {
    kl_segment *last;
    uint8_t *pos;
    size_t before;
    kl_segment *lent;
    uint32_t lent_used;
} kl_chain_mark;

void kl_chain_init(kl_chain *chain, kl_pool *pool);
/* Drops the chain's references; pinned segments live on with their pins, and loans are due to their
 * lenders. The chain is empty then, and usable. */
void kl_chain_clear(kl_chain *chain);

static inline size_t kl_chain_len(const kl_chain *chain)
{
    return chain->last ? chain->before + (size_t)(chain->pos - chain->last->bytes) : 0;
}

/* Bytes that fit without another segment. */
static inline size_t kl_chain_room(const kl_chain *chain)
{
    return (size_t)(chain->end - chain->pos);
}

/* The same without what is lent. */
static inline size_t kl_chain_own_len(const kl_chain *chain)
{
    return kl_chain_len(chain) - chain->lent_bytes;
}

/* Memory counted by segments, headers included; without that of loans. */
size_t kl_chain_held_bytes(const kl_chain *chain);

/* Makes room for at least one more byte: a new segment if there is none. expected tells how many
 * are to come. */
bool kl_chain_grow(kl_chain *chain, size_t expected);

/* The part of kl_chain_append that needs another segment. */
bool kl_chain_append_across(kl_chain *chain, const void *data, size_t len);

static inline bool kl_chain_append(kl_chain *chain, const void *data, size_t len)
{
    if (len > kl_chain_room(chain))
        return kl_chain_append_across(chain, data, len);
    if (len) {
        memcpy(chain->pos, data, len);
        chain->pos += len;
    }
    return true;
}

/* Appends bytes where they lie, at least one; front of the lender's stand before them, and are lent
 * too. Room that was there stays there. false: no memory. */
bool kl_chain_lend(kl_chain *chain, kloop_slice bytes, uint32_t front, void *lender);
/* The most that this takes from the pool, beside the bytes, which count as held. */
size_t kl_chain_lend_growth_max(const kl_chain *chain);

static inline kl_chain_mark kl_chain_here(const kl_chain *chain)
{
    return (kl_chain_mark){chain->last, chain->pos, chain->before, chain->lent,
                           chain->lent ? chain->lent->used : 0};
}

/* Takes back everything appended since the mark was made; nothing of it was lent. */
void kl_chain_rewind(kl_chain *chain, kl_chain_mark mark);

/* How many slices kl_chain_slices gives. */
size_t kl_chain_slice_count(const kl_chain *chain);
/* Views of the data in order, at most max of them; answers how many. Empty segments give none. */
size_t kl_chain_slices(const kl_chain *chain, kloop_slice *slices, size_t max);

/* Copies all bytes to dst, which has room for kl_chain_len(chain). */
void kl_chain_copy(const kl_chain *chain, uint8_t *dst);

/* A place in a chain from which it is read piece by piece. The chain must not be rewound or cleared
 * meanwhile. */
typedef struct kl_chain_cursor {
    const kl_chain *chain;
    const kl_segment *segment;
    size_t offset;
    size_t done;      /* bytes of the chain before this place */
    kl_segment *lent; /* in the ring: where the next loan stands; NULL: it is the first */
    size_t lent_at;
} kl_chain_cursor;

kl_chain_cursor kl_chain_read(const kl_chain *chain);
/* From this place on, which has so many bytes before it and at most one loan behind it. */
kl_chain_cursor kl_chain_read_from(const kl_chain *chain, const kl_segment *segment, size_t offset,
                                   size_t done);
/* The next bytes in a row, 1 to max of them, max above 0; data is NULL at the end. */
kloop_slice kl_chain_read_some(kl_chain_cursor *c, size_t max);
bool kl_chain_read_all(const kl_chain_cursor *c);
/* The next loan of the chain, NULL: none. */
kl_loan *kl_chain_next_loan(kl_chain_cursor *c);
/* Another chain has it now: this one will not give it back. */
void kl_chain_hand_on(kl_chain *chain, kl_loan *loan);

#endif
