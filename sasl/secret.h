/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text or bytes that are secret, in memory of their own that is wiped before it is given back.
 *
 * All zero is "none", which is not the same as an empty one. Whoever has a kl_secret owns its
 * memory, and drops it with the allocator that it was made with. Only making one can fail, for want
 * of memory.
 */
#ifndef KL_SASL_SECRET_H
#define KL_SASL_SECRET_H

#include <kloop/types.h>

#include <stdbool.h>

typedef struct kl_secret {
    char *data; /* terminated; NULL: none */
    size_t len;
} kl_secret;

/* len bytes to be written, all zero so far, in place of what it was. false: no memory, and nothing
 * has changed. */
bool kl_secret_make(kl_secret *s, const kloop_allocator *alloc, size_t len);
/* The same with a copy of text, which may be a part of s. */
bool kl_secret_copy(kl_secret *s, const kloop_allocator *alloc, kloop_string text);
void kl_secret_drop(kl_secret *s, const kloop_allocator *alloc);

static inline kloop_string kl_secret_text(const kl_secret *s)
{
    return (kloop_string){s->data, s->len};
}

/* For the names and values that are compared in the open: it takes no care of time. */
bool kl_secret_is(const kl_secret *s, const char *text);

#endif
