/* SPDX-License-Identifier: BSD-2-Clause */
/* Two closed pages around writable ones, by mmap and mprotect. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/support/guard.h"

#include "base/check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void kl_guard_init(kl_guard *g, size_t max)
{
    g->page = (size_t)sysconf(_SC_PAGESIZE);
    g->room = (max / g->page + 1) * g->page;
    /* Everything closed, then the middle opened: no moment in which a border is open. */
    void *map = mmap(NULL, g->room + 2 * g->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    KL_ASSERT(map != MAP_FAILED);
    g->map = map;
    g->begin = g->map + g->page;
    KL_ASSERT(mprotect(g->begin, g->room, PROT_READ | PROT_WRITE) == 0);
}

void kl_guard_deinit(kl_guard *g)
{
    KL_ASSERT(munmap(g->map, g->room + 2 * g->page) == 0);
    memset(g, 0, sizeof(*g));
}

uint8_t *kl_guard_at_end(kl_guard *g, size_t n)
{
    KL_ASSERT(n <= g->room);
    return g->begin + (g->room - n);
}

uint8_t *kl_guard_at_begin(kl_guard *g, size_t n)
{
    KL_ASSERT(n <= g->room);
    return g->begin;
}

uint8_t *kl_guard_copy_at_end(kl_guard *g, const void *src, size_t n)
{
    uint8_t *p = kl_guard_at_end(g, n);
    if (n) /* memcpy must not see NULL */
        memcpy(p, src, n);
    return p;
}

uint8_t *kl_guard_copy_at_begin(kl_guard *g, const void *src, size_t n)
{
    uint8_t *p = kl_guard_at_begin(g, n);
    if (n)
        memcpy(p, src, n);
    return p;
}
