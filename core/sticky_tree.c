/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Fenwick tree. Counted from 1, node i has the sum over the partitions from i - low(i) + 1 to i,
 * low(i) being the lowest bit of i.
 *
 *     8                 all
 *     4         1 .. 4
 *     2, 6      1 2     5 6
 *     odd ones  1   3   5   7
 */
#include "core/sticky_tree.h"
#include "base/check.h"
#include "base/mem.h"

#include <string.h>

static uint32_t low(uint32_t i)
{
    return i & (0 - i);
}

bool kl_sticky_tree_init(kl_sticky_tree *tree, const kloop_allocator *alloc, uint32_t count)
{
    KL_ASSERT(count > 0);
    *tree = (kl_sticky_tree){.alloc = *alloc, .count = count};
    tree->nodes = kl_mem_zalloc(alloc, count, sizeof *tree->nodes);
    return tree->nodes != NULL;
}

void kl_sticky_tree_deinit(kl_sticky_tree *tree)
{
    kl_mem_release(&tree->alloc, tree->nodes, tree->count * sizeof *tree->nodes);
    kl_mem_release(&tree->alloc, tree->with, tree->with_room * sizeof *tree->with);
    *tree = (kl_sticky_tree){0};
}

kl_sticky_sums kl_sticky_tree_get(const kl_sticky_tree *tree, uint32_t index)
{
    KL_ASSERT(index < tree->count);
    uint32_t i = index + 1;
    kl_sticky_sums sums = tree->nodes[i - 1];
    /* Without those before it that its node covers as well. */
    for (uint32_t at = i - 1; at != i - low(i); at -= low(at)) {
        sums.present -= tree->nodes[at - 1].present;
        sums.waiting -= tree->nodes[at - 1].waiting;
    }
    return sums;
}

/* Room to count lines of this length. */
static bool make_room(kl_sticky_tree *tree, uint32_t length)
{
    if (length < tree->with_room)
        return true;
    uint64_t room = tree->with_room ? tree->with_room : 8;
    while (room <= length)
        room *= 2;
    if (room > UINT32_MAX)
        return false;
    uint32_t *with = kl_mem_resize(&tree->alloc, tree->with, tree->with_room * sizeof *with,
                                   (size_t)room * sizeof *with);
    if (!with)
        return false;
    for (uint32_t i = tree->with_room; i < room; i++)
        with[i] = 0;
    tree->with = with;
    tree->with_room = (uint32_t)room;
    return true;
}

static void count_in(kl_sticky_tree *tree, uint32_t waiting)
{
    tree->with[waiting]++;
    if (waiting > tree->most)
        tree->most = waiting;
}

void kl_sticky_tree_begin(kl_sticky_tree *tree)
{
    memset(tree->nodes, 0, tree->count * sizeof *tree->nodes);
    if (tree->with)
        memset(tree->with, 0, tree->with_room * sizeof *tree->with);
    tree->all = (kl_sticky_sums){0};
    tree->most = 0;
    tree->appended = 0;
}

bool kl_sticky_tree_append(kl_sticky_tree *tree, bool present, uint32_t waiting)
{
    KL_ASSERT(tree->appended < tree->count);
    if (present && !make_room(tree, waiting))
        return false;
    uint32_t i = ++tree->appended;
    kl_sticky_sums *node = &tree->nodes[i - 1];
    if (present) {
        node->present++;
        node->waiting += waiting;
        tree->all.present++;
        tree->all.waiting += waiting;
        count_in(tree, waiting);
    }
    /* All that it covers is there; so each node is added to one other. */
    if (i + low(i) <= tree->count) {
        kl_sticky_sums *above = &tree->nodes[i + low(i) - 1];
        above->present += node->present;
        above->waiting += node->waiting;
    }
    return true;
}

bool kl_sticky_tree_set(kl_sticky_tree *tree, uint32_t index, bool present, uint32_t waiting)
{
    KL_ASSERT(tree->appended == tree->count);
    kl_sticky_sums had = kl_sticky_tree_get(tree, index);
    kl_sticky_sums has = {present, present ? waiting : 0};
    if (had.present == has.present && had.waiting == has.waiting)
        return true;
    if (present && !make_room(tree, waiting))
        return false;
    /* Sums without a sign go down by what is added to them, too. */
    kl_sticky_sums more = {has.present - had.present, has.waiting - had.waiting};
    for (uint32_t i = index + 1; i <= tree->count; i += low(i)) {
        tree->nodes[i - 1].present += more.present;
        tree->nodes[i - 1].waiting += more.waiting;
    }
    tree->all.present += more.present;
    tree->all.waiting += more.waiting;
    if (had.present)
        tree->with[had.waiting]--;
    if (present)
        count_in(tree, waiting);
    /* Lines get longer and shorter batch by batch, so this goes back what has come before. */
    while (tree->most > 0 && tree->with[tree->most] == 0)
        tree->most--;
    return true;
}

/* Of one that is present, but for what waits there. */
static uint64_t base_of(const kl_sticky_tree *tree, bool by_weight)
{
    return by_weight ? (uint64_t)tree->most + 1 : 1;
}

static uint64_t weight_of(const kl_sticky_sums *sums, uint64_t base, bool by_weight)
{
    return base * sums->present - (by_weight ? sums->waiting : 0);
}

uint64_t kl_sticky_tree_sum(const kl_sticky_tree *tree, bool by_weight)
{
    return weight_of(&tree->all, base_of(tree, by_weight), by_weight);
}

uint32_t kl_sticky_tree_at(const kl_sticky_tree *tree, uint64_t at, bool by_weight)
{
    uint64_t base = base_of(tree, by_weight);
    uint32_t step = 1;
    while (step <= tree->count / 2)
        step *= 2;
    uint32_t before = 0;
    for (; step > 0; step /= 2) {
        if (step > tree->count - before)
            continue;
        uint64_t weight = weight_of(&tree->nodes[before + step - 1], base, by_weight);
        if (at >= weight) {
            at -= weight;
            before += step;
        }
    }
    KL_ASSERT(before < tree->count);
    return before;
}
