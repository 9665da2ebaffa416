/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets; see secret.h. */
#include "sasl/secret.h"
#include "base/wipe.h"

bool kl_secret_make(kl_secret *s, const kloop_allocator *alloc, size_t len)
{
    char *data = kl_mem_zalloc(alloc, 1, len + 1);
    if (!data)
        return false;
    kl_secret_drop(s, alloc);
    *s = (kl_secret){data, len};
    return true;
}

bool kl_secret_copy(kl_secret *s, const kloop_allocator *alloc, kloop_string text)
{
    kl_secret copy = {0};
    if (!kl_secret_make(&copy, alloc, text.len))
        return false;
    if (text.len)
        memcpy(copy.data, text.data, text.len);
    kl_secret_drop(s, alloc);
    *s = copy;
    return true;
}

void kl_secret_drop(kl_secret *s, const kloop_allocator *alloc)
{
    kl_wipe_release(alloc, s->data, s->len + 1);
    *s = (kl_secret){0};
}

bool kl_secret_is(const kl_secret *s, const char *text)
{
    return s->data && s->len == strlen(text) && memcmp(s->data, text, s->len) == 0;
}
