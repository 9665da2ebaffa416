/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cipher text on its way, and OpenSSL's view of it: a BIO that reads from one row of bytes and
 * appends to another, without a copy of its own in between.
 *
 * A row owns its memory while there are bytes in it. When it is empty the memory goes to a spare
 * that all connections share, so that an idle connection has none.
 */
#ifndef KL_DRIVER_TLS_BYTES_H
#define KL_DRIVER_TLS_BYTES_H

#include "base/mem.h"

#include <openssl/bio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What comes: a record of the largest kind fits, and a little of the next one. */
#define KL_TLS_IN_BYTES ((size_t)20 << 10)
/* What goes: from so much on no plain text is taken any more. Measured: more does not make it
 * faster, less costs system calls. */
#define KL_TLS_OUT_HIGH_BYTES ((size_t)128 << 10)
/* A peer that only asks (for new keys, say) and takes nothing ends here. */
#define KL_TLS_OUT_MAX_BYTES ((size_t)512 << 10)

/* Memory that nobody uses, one block of each kind at most. */
typedef struct kl_tls_spares {
    uint8_t *in;
    uint8_t *out;
    size_t out_cap;
    kloop_allocator alloc;
} kl_tls_spares;

typedef struct kl_tls_bytes {
    uint8_t *data; /* NULL: there is no byte */
    size_t head, tail, cap;
} kl_tls_bytes;

/* Both directions of a connection; what the BIO works on. */
typedef struct kl_tls_pipe {
    kl_tls_bytes in, out;
    kl_tls_spares *spares;
    uint64_t in_total_bytes;
    bool in_ran_dry; /* somebody wanted to read and there was nothing */
    bool out_failed; /* there was no memory for what should go out, or too much of it */
} kl_tls_pipe;

void kl_tls_spares_init(kl_tls_spares *s, const kloop_allocator *alloc);
void kl_tls_spares_deinit(kl_tls_spares *s);

void kl_tls_pipe_init(kl_tls_pipe *p, kl_tls_spares *spares);
void kl_tls_pipe_deinit(kl_tls_pipe *p);

/* Room for what comes; NULL: no memory, or it is full. */
uint8_t *kl_tls_pipe_in_space(kl_tls_pipe *p, size_t *room);
void kl_tls_pipe_in_put(kl_tls_pipe *p, size_t n);
/* Gives memory back that has no byte in it. */
void kl_tls_pipe_tidy(kl_tls_pipe *p);
void kl_tls_pipe_in_drop(kl_tls_pipe *p);

/* Room for n more bytes that go; false: no memory, or it is more than a connection may hold. */
bool kl_tls_pipe_out_reserve(kl_tls_pipe *p, size_t n);
void kl_tls_pipe_out_sent(kl_tls_pipe *p, size_t n);

static inline size_t kl_tls_pipe_in_len(const kl_tls_pipe *p)
{
    return p->in.tail - p->in.head;
}

static inline size_t kl_tls_pipe_out_len(const kl_tls_pipe *p)
{
    return p->out.tail - p->out.head;
}

/* NULL: no memory. Freed with BIO_meth_free() after all BIOs made with it. */
BIO_METHOD *kl_tls_bytes_method_new(void);
/* Of a pipe that stays where it is and outlives it. */
BIO *kl_tls_bytes_bio_new(const BIO_METHOD *method, kl_tls_pipe *p);

#endif
