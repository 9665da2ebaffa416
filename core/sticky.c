/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choosing partitions. See sticky.h.
 *
 * A broker, where partitioner.availability.timeout.ms is set:
 *
 *     CALM --a partition has something for it--> ASKED --nothing taken for so long--> AVOIDED
 *      ^                                         |   ^                                  |
 *      +--- nothing is there for it any more ----+   +--------- takes a request --------+
 *      +------------------------------------------------------- or nothing is there ----+
 */
#include "core/sticky.h"

#include "base/check.h"
#include "core/known_brokers.h"

/* ---- The tree ---- */

static bool by_weight(const kloop_topic *t)
{
    return t->partitioner.how.adaptive && t->partitioner.how.kind != KL_PARTITIONER_RANDOM &&
           t->partitioner.how.kind != KL_PARTITIONER_ROUND_ROBIN;
}

/* Do brokers that take nothing count as none? As Java has it, not where all are to be alike. */
static bool keeps_away(const kloop_engine *e, const kloop_topic *t)
{
    return e->set.availability_ns > 0 && by_weight(t) && !t->tree_takes_all;
}

static bool is_present(const kloop_engine *e, const kloop_topic *t, int32_t index)
{
    int32_t node = t->leaders[index].node;
    if (node < 0 || !keeps_away(e, t))
        return node >= 0;
    const kl_broker *leader = kl_known_broker(e, node);
    return !leader || !leader->avoided;
}

static uint32_t waiting(const kloop_topic *t, int32_t index)
{
    return t->partitions[index] ? t->partitions[index]->line_count : 0;
}

void kl_sticky_drop_tree(kloop_engine *e, kloop_topic *t)
{
    if (!t->tree)
        return;
    kl_sticky_tree_deinit(t->tree);
    kl_mem_release(&e->alloc, t->tree, sizeof *t->tree);
    t->tree = NULL;
}

/* A topic without the tree that it ought to have draws as if all were alike, and tries again to
 * make it. */
static void update(kloop_engine *e, kloop_topic *t, int32_t index)
{
    if (!kl_sticky_tree_set(t->tree, (uint32_t)index, is_present(e, t, index), waiting(t, index)))
        kl_sticky_drop_tree(e, t);
}

static bool begin_tree(kloop_engine *e, kloop_topic *t)
{
    if (t->tree)
        return true;
    kl_sticky_tree *tree = kl_mem_alloc(&e->alloc, sizeof *tree);
    if (!tree)
        return false;
    if (!kl_sticky_tree_init(tree, &e->alloc, (uint32_t)t->partition_count)) {
        kl_mem_release(&e->alloc, tree, sizeof *tree);
        return false;
    }
    t->tree = tree;
    return true;
}

static void fill_tree(kloop_engine *e, kloop_topic *t)
{
    kl_sticky_tree_begin(t->tree);
    for (int32_t i = 0; i < t->partition_count; i++)
        if (!kl_sticky_tree_append(t->tree, is_present(e, t, i), waiting(t, i))) {
            kl_sticky_drop_tree(e, t);
            return;
        }
}

static void make_tree(kloop_engine *e, kloop_topic *t)
{
    if (!begin_tree(e, t))
        return;
    t->tree_stale = false;
    t->tree_takes_all = false;
    fill_tree(e, t);
    if (t->tree && t->tree->all.present == 0 && keeps_away(e, t)) {
        /* Somebody must get them. */
        t->tree_takes_all = true;
        fill_tree(e, t);
    }
}

void kl_sticky_line_changed(kloop_engine *e, const kl_partition *p)
{
    kloop_topic *t = p->topic;
    if (t->tree && p->index < t->partition_count && by_weight(t))
        update(e, t, p->index);
}

void kl_sticky_leader_changed(kloop_engine *e, kloop_topic *t, int32_t index)
{
    if (!t->tree || index >= t->partition_count)
        return;
    update(e, t, index);
    /* Perhaps to one that takes something, or the last one is gone that did. */
    if (t->tree_takes_all || (t->tree && t->tree->all.present == 0))
        t->tree_stale = true;
}

/* ---- Drawing ---- */

static bool all_are_led(const kloop_topic *t)
{
    return t->led_count == t->partition_count;
}

/* NULL: no partition is better than another. */
static const kl_sticky_tree *tree_of(kloop_engine *e, kloop_topic *t)
{
    if (!t->tree || t->tree_stale)
        make_tree(e, t);
    return t->tree && t->tree->all.present > 0 ? t->tree : NULL;
}

static int32_t any(kloop_engine *e, const kloop_topic *t)
{
    return (int32_t)kl_prng_below(&e->prng, (uint64_t)t->partition_count);
}

static int32_t draw(kloop_engine *e, const kl_sticky_tree *tree, bool weighted)
{
    uint64_t at = kl_prng_below(&e->prng, kl_sticky_tree_sum(tree, weighted));
    return (int32_t)kl_sticky_tree_at(tree, at, weighted);
}

int32_t kl_sticky_partition(kloop_engine *e, kloop_topic *t)
{
    if (t->sticky >= 0)
        return t->sticky;
    bool alike = t->partition_count == 1 || (all_are_led(t) && !by_weight(t));
    const kl_sticky_tree *tree = alike ? NULL : tree_of(e, t);
    t->sticky = tree ? draw(e, tree, by_weight(t)) : any(e, t);
    t->sticky_bytes = 0;
    return t->sticky;
}

int32_t kl_sticky_random(kloop_engine *e, kloop_topic *t)
{
    const kl_sticky_tree *tree = all_are_led(t) ? NULL : tree_of(e, t);
    return tree ? draw(e, tree, false) : any(e, t);
}

int32_t kl_sticky_turn(kloop_engine *e, kloop_topic *t)
{
    uint32_t turn = t->partitioner.turn++ & INT32_MAX;
    const kl_sticky_tree *tree = all_are_led(t) ? NULL : tree_of(e, t);
    return tree ? (int32_t)kl_sticky_tree_at(tree, turn % tree->all.present, false)
                : (int32_t)(turn % (uint32_t)t->partition_count);
}

/* ---- Which way ---- */

static void judge(kloop_topic *t)
{
    kl_partitioner *p = &t->partitioner;
    p->murmur2_keys = kl_partitioner_hashes_as_java(&p->how);
    p->each_apart = p->fn || !kl_partitioner_goes_along(&p->how);
    /* The one that it has may be one that it ought not to have. */
    t->sticky = -1;
    kl_topics_judge(t->engine, t);
}

void kl_sticky_set_partitioning(kloop_engine *e, kloop_topic *t, const kl_partitioning *how)
{
    t->partitioner.how = *how;
    kl_sticky_drop_tree(e, t);
    judge(t);
}

void kloop_topic_set_partitioner(kloop_topic *t, kloop_partition_fn fn, void *me)
{
    KL_ASSERT(t);
    t->partitioner.fn = fn;
    t->partitioner.me = me;
    judge(t);
}

/* ---- Brokers that take nothing ---- */

static void set_timer(kloop_engine *e)
{
    kl_link *first = kl_list_first(&e->asked);
    uint64_t when = KL_NEVER;
    if (first) {
        const kl_broker *b = KL_CONTAINER_OF(first, kl_broker, in_asked);
        when = kl_time_add(b->asked_ns, e->set.availability_ns);
    }
    kl_heap_set(&e->timers, &e->asked_timer, when);
}

/* Once for a broker and a spell of its silence, and not for a record. */
static void judge_topics(kloop_engine *e)
{
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        t->tree_stale = true;
        const kl_partition *p = t->sticky >= 0 ? t->partitions[t->sticky] : NULL;
        if (p && p->leader && p->leader->avoided && by_weight(t))
            t->sticky = -1;
    }
}

static void calm_down(kloop_engine *e, kl_broker *b)
{
    kl_list_drop(&b->in_asked);
    if (b->avoided) {
        b->avoided = false;
        judge_topics(e);
    }
}

static void ask(kloop_engine *e, kl_broker *b)
{
    b->asked_ns = e->now.mono_ns;
    kl_list_push_back(&e->asked, &b->in_asked);
}

void kl_sticky_set_waits(kloop_engine *e, kl_partition *p, bool waits)
{
    if (e->set.availability_ns == 0 || p->waits == waits)
        return;
    kl_broker *b = p->leader;
    p->waits = waits;
    if (waits) {
        if (b->waits_count++ == 0)
            ask(e, b);
    } else if (--b->waits_count == 0) {
        calm_down(e, b);
    }
    set_timer(e);
}

void kl_sticky_took(kloop_engine *e, kl_broker *b)
{
    if (b->waits_count == 0)
        return;
    calm_down(e, b);
    ask(e, b);
    set_timer(e);
}

void kl_sticky_timer(kloop_engine *e)
{
    bool any_more = false;
    kl_link *at;
    while ((at = kl_list_first(&e->asked))) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_asked);
        if (e->now.mono_ns < kl_time_add(b->asked_ns, e->set.availability_ns))
            break;
        kl_list_remove(at);
        b->avoided = true;
        any_more = true;
    }
    if (any_more)
        judge_topics(e);
    set_timer(e);
}
