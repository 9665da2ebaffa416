/* SPDX-License-Identifier: BSD-2-Clause */
/* Secret bytes; see wipe.h. */
#include "base/wipe.h"

void kl_wipe_release(const kloop_allocator *a, void *p, size_t size)
{
    if (!p)
        return;
    kl_wipe(p, size);
    kl_mem_release(a, p, size);
}

bool kl_wipe_equal(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    uint8_t differing = 0;
    for (size_t i = 0; i < size; i++) {
        differing |= (uint8_t)(x[i] ^ y[i]);
        /* What is in it now is unknown to the compiler, so there is no early end that it could see.
         */
        __asm__ volatile("" : "+r"(differing));
    }
    return differing == 0;
}
