/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator that the engine runs on. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define ALIVE UINT64_C(0x616c697665626c6f)
#define DEAD  UINT64_C(0x6465616462656566)

typedef struct block {
    kl_link link;
    uint64_t mark;
    size_t size;
    _Alignas(16) uint8_t bytes[];
} block;

static block *block_of(void *p)
{
    return KL_CONTAINER_OF((uint8_t *)p, block, bytes[0]);
}

/* Is this one of those that are to fail? */
static bool fails(const sim *s)
{
    const sim_memory *m = &s->memory;
    return m->fail_from && m->allocations >= m->fail_from &&
           m->allocations - m->fail_from < m->fail_count;
}

static void *memory_alloc(void *ctx, size_t size)
{
    sim *s = ctx;
    if (size == 0)
        sim_fail(s, "border", "the engine asks for 0 bytes");
    s->memory.allocations++;
    s->memory.allocated += size;
    if (fails(s) || sim_fault(s, SIM_FAULT_NO_MEMORY))
        return NULL;
    block *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    kl_link_init(&b->link);
    b->mark = ALIVE;
    b->size = size;
    memset(b->bytes, 0xA5, size);
    kl_list_push_back(&s->memory.blocks, &b->link);
    s->memory.bytes += size;
    if (s->memory.bytes > s->memory.bytes_max)
        s->memory.bytes_max = s->memory.bytes;
    return b->bytes;
}

static void memory_release(void *ctx, void *p, size_t size)
{
    sim *s = ctx;
    block *b = block_of(p);
    if (b->mark != ALIVE)
        sim_fail(s, "I40", "a block is given back that is not one, or for the second time");
    if (b->size != size)
        sim_fail(s, "I40", "a block of %zu bytes is given back as one of %zu", b->size, size);
    sim_link_check_release(s, b->bytes, size);
    sim_login_look_at_memory(s, b->bytes, size);
    s->memory.bytes -= size;
    s->memory.releases++;
    kl_list_remove(&b->link);
    b->mark = DEAD;
    memset(b->bytes, SIM_POISON, size);
    free(b);
}

static void *memory_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    if (!p)
        return memory_alloc(ctx, size);
    void *moved = memory_alloc(ctx, size);
    if (!moved)
        return NULL;
    memcpy(moved, p, old_size < size ? old_size : size);
    memory_release(ctx, p, old_size);
    return moved;
}

void sim_memory_init(sim *s)
{
    s->memory = (sim_memory){
        .table = {
            .alloc = memory_alloc, .resize = memory_resize, .release = memory_release, .ctx = s}};
    kl_list_init(&s->memory.blocks);
}

void sim_memory_deinit(sim *s)
{
    for (kl_link *l; (l = kl_list_pop_front(&s->memory.blocks)) != NULL;)
        free(KL_CONTAINER_OF(l, block, link));
}
