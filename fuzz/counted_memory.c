/* SPDX-License-Identifier: BSD-2-Clause */
/* The counting allocator. See counted_memory.h. */
#include "fuzz/counted_memory.h"

#include "fuzz/fuzz.h"

#include <stdlib.h>

/* No target has a reason to come near this. */
#define BYTES_MAX ((size_t)1 << 28)

void kl_counted_memory_init(kl_counted_memory *m, size_t nth)
{
    *m = (kl_counted_memory){.nth = nth};
}

static bool refuse(kl_counted_memory *m)
{
    m->calls++;
    if (m->nth == 0 || m->calls < m->nth || (m->calls > m->nth && !m->all_after))
        return false;
    m->refused++;
    return true;
}

static void count(kl_counted_memory *m, size_t old_size, size_t size)
{
    KL_FUZZ_CHECK(m->live_bytes >= old_size);
    m->live_bytes += size - old_size;
    if (m->live_bytes > m->peak_bytes)
        m->peak_bytes = m->live_bytes;
}

static void *counted_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    kl_counted_memory *m = ctx;
    KL_FUZZ_CHECK(size > 0 && size < BYTES_MAX && m->live_bytes < BYTES_MAX);
    KL_FUZZ_CHECK(p || old_size == 0);
    if (refuse(m))
        return NULL;
    void *moved = realloc(p, size);
    KL_FUZZ_CHECK(moved);
    m->live_blocks += !p;
    count(m, old_size, size);
    return moved;
}

static void *counted_alloc(void *ctx, size_t size)
{
    return counted_resize(ctx, NULL, 0, size);
}

static void counted_release(void *ctx, void *p, size_t size)
{
    kl_counted_memory *m = ctx;
    KL_FUZZ_CHECK(p && size > 0 && m->live_blocks > 0);
    m->live_blocks--;
    count(m, size, 0);
    free(p);
}

kloop_allocator kl_counted_memory_table(kl_counted_memory *m)
{
    return (kloop_allocator){counted_alloc, counted_resize, counted_release, m};
}

void kl_counted_memory_end(const kl_counted_memory *m)
{
    KL_FUZZ_CHECK(m->live_blocks == 0);
    KL_FUZZ_CHECK(m->live_bytes == 0);
}
