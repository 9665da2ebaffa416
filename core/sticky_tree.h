/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws one of many partitions, the less often the more waits there, without looking at all of
 * them.
 *
 * Each partition is present or not, and has a number of batches that wait. One that is present is
 * drawn with the weight
 *
 *     most + 1 - waiting        most: the largest number that waits at one that is present
 *
 * or with weight 1, where all are to be equal. The sums over ranges of partitions are in a Fenwick
 * tree, so that a change costs as many steps as the number of partitions has bits, and so does a
 * draw: it goes down the tree from the top, each time into the half that the number drawn lies in.
 * A change of most changes no sum: what is summed up is how many are present and what waits.
 *
 * 8 bytes for each partition, in one block that the tree owns, and 4 for each batch of the longest
 * line. Fails: init, append and set, when there is no memory.
 */
#ifndef KL_CORE_STICKY_TREE_H
#define KL_CORE_STICKY_TREE_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct kl_sticky_sums {
    uint32_t present;
    uint32_t waiting;
} kl_sticky_sums;

typedef struct kl_sticky_tree {
    kloop_allocator alloc;
    kl_sticky_sums *nodes; /* of ranges that end with each partition */
    uint32_t count;
    uint32_t appended;
    kl_sticky_sums all;
    uint32_t *with;     /* how many that are present have a line of this length */
    uint32_t with_room; /* lengths that there is room for */
    uint32_t most;      /* the longest line of one that is present; 0 when there is none */
} kl_sticky_tree;

/* For so many partitions. false: no memory; needs no deinit then. */
bool kl_sticky_tree_init(kl_sticky_tree *tree, const kloop_allocator *alloc, uint32_t count);
void kl_sticky_tree_deinit(kl_sticky_tree *tree);

/* Begins anew: what there is of each partition comes with append, from the first to the last, and
 * all else only after that. */
void kl_sticky_tree_begin(kl_sticky_tree *tree);
bool kl_sticky_tree_append(kl_sticky_tree *tree, bool present, uint32_t waiting);

/* What one that is absent has waiting does not count. false: no memory; nothing changed. */
bool kl_sticky_tree_set(kl_sticky_tree *tree, uint32_t index, bool present, uint32_t waiting);
/* As it was set. */
kl_sticky_sums kl_sticky_tree_get(const kl_sticky_tree *tree, uint32_t index);

/* Of all weights; by_weight: else those that are present have 1 each. */
uint64_t kl_sticky_tree_sum(const kl_sticky_tree *tree, bool by_weight);
/* The one whose weight at lies in, when they stand in a row; at is less than their sum. */
uint32_t kl_sticky_tree_at(const kl_sticky_tree *tree, uint64_t at, bool by_weight);

#endif
