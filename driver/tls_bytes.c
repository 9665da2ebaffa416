/* SPDX-License-Identifier: BSD-2-Clause */
/* Cipher text on its way. See tls_bytes.h. */
#include "driver/tls_bytes.h"

#include "base/check.h"

#include <string.h>

/* A handshake and small requests fit the first block. */
#define OUT_FIRST_BYTES ((size_t)4 << 10)

void kl_tls_spares_init(kl_tls_spares *s, const kloop_allocator *alloc)
{
    *s = (kl_tls_spares){.alloc = *alloc};
}

void kl_tls_spares_deinit(kl_tls_spares *s)
{
    kl_mem_release(&s->alloc, s->in, KL_TLS_IN_BYTES);
    kl_mem_release(&s->alloc, s->out, s->out_cap);
    s->in = s->out = NULL;
    s->out_cap = 0;
}

void kl_tls_pipe_init(kl_tls_pipe *p, kl_tls_spares *spares)
{
    *p = (kl_tls_pipe){.spares = spares};
}

void kl_tls_pipe_deinit(kl_tls_pipe *p)
{
    kl_mem_release(&p->spares->alloc, p->in.data, p->in.cap);
    kl_mem_release(&p->spares->alloc, p->out.data, p->out.cap);
    p->in = p->out = (kl_tls_bytes){0};
}

/* ---- What comes ---- */

uint8_t *kl_tls_pipe_in_space(kl_tls_pipe *p, size_t *room)
{
    kl_tls_bytes *in = &p->in;
    *room = 0;
    if (!in->data) {
        in->data = p->spares->in;
        p->spares->in = NULL;
        if (!in->data)
            in->data = kl_mem_alloc(&p->spares->alloc, KL_TLS_IN_BYTES);
        if (!in->data)
            return NULL;
        in->cap = KL_TLS_IN_BYTES;
    }
    /* The rest of a record goes to the front when it takes less than a copy of half the block. */
    if (in->head == in->tail)
        in->head = in->tail = 0;
    if (in->head > in->cap / 2) {
        memmove(in->data, in->data + in->head, in->tail - in->head);
        in->tail -= in->head;
        in->head = 0;
    }
    *room = in->cap - in->tail;
    return *room ? in->data + in->tail : NULL;
}

void kl_tls_pipe_in_put(kl_tls_pipe *p, size_t n)
{
    KL_ASSERT(n <= p->in.cap - p->in.tail);
    p->in.tail += n;
    p->in_total_bytes += n;
}

void kl_tls_pipe_in_drop(kl_tls_pipe *p)
{
    p->in.head = p->in.tail = 0;
    kl_tls_pipe_tidy(p);
}

static void tidy_in(kl_tls_pipe *p)
{
    if (!p->in.data || p->in.head != p->in.tail)
        return;
    if (!p->spares->in)
        p->spares->in = p->in.data;
    else
        kl_mem_release(&p->spares->alloc, p->in.data, p->in.cap);
    p->in = (kl_tls_bytes){0};
}

static void tidy_out(kl_tls_pipe *p)
{
    if (!p->out.data || p->out.head != p->out.tail)
        return;
    /* The larger one is kept, but none that a peer has made so large by not reading. */
    kl_tls_spares *s = p->spares;
    kl_tls_bytes old = p->out;
    if (old.cap > s->out_cap && old.cap <= 2 * KL_TLS_OUT_HIGH_BYTES) {
        p->out = (kl_tls_bytes){.data = s->out, .cap = s->out_cap};
        s->out = old.data;
        s->out_cap = old.cap;
        old = p->out;
    }
    kl_mem_release(&s->alloc, old.data, old.cap);
    p->out = (kl_tls_bytes){0};
}

void kl_tls_pipe_tidy(kl_tls_pipe *p)
{
    tidy_in(p);
    tidy_out(p);
}

/* ---- What goes ---- */

/* need is at most KL_TLS_OUT_MAX_BYTES, which is one of the steps. */
static bool grow_out(kl_tls_pipe *p, size_t need)
{
    kl_tls_bytes *out = &p->out;
    kl_tls_spares *s = p->spares;
    if (!out->data && s->out_cap >= need) {
        *out = (kl_tls_bytes){.data = s->out, .cap = s->out_cap};
        s->out = NULL;
        s->out_cap = 0;
        return true;
    }
    size_t cap = out->cap ? out->cap : OUT_FIRST_BYTES;
    while (cap < need)
        cap *= 2;
    uint8_t *data = kl_mem_resize(&s->alloc, out->data, out->cap, cap);
    if (!data)
        return false;
    out->data = data;
    out->cap = cap;
    return true;
}

bool kl_tls_pipe_out_reserve(kl_tls_pipe *p, size_t n)
{
    kl_tls_bytes *out = &p->out;
    if (n <= out->cap - out->tail)
        return true;
    size_t len = out->tail - out->head;
    /* A copy to the front is paid by what has gone since the last one. */
    if (out->head >= len && n <= out->cap - len) {
        if (len > 0)
            memmove(out->data, out->data + out->head, len);
        out->head = 0;
        out->tail = len;
        return true;
    }
    return n <= KL_TLS_OUT_MAX_BYTES - out->tail && grow_out(p, out->tail + n);
}

void kl_tls_pipe_out_sent(kl_tls_pipe *p, size_t n)
{
    KL_ASSERT(n <= kl_tls_pipe_out_len(p));
    p->out.head += n;
    if (p->out.head == p->out.tail) {
        p->out.head = p->out.tail = 0;
        tidy_out(p);
    }
}

/* ---- The BIO ---- */

static int read_bytes(BIO *bio, char *to, size_t room, size_t *n)
{
    kl_tls_pipe *p = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t have = kl_tls_pipe_in_len(p);
    *n = have < room ? have : room;
    if (*n == 0) {
        p->in_ran_dry = true;
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, p->in.data + p->in.head, *n);
    p->in.head += *n;
    return 1;
}

/* Takes all or fails for good: there is no waiting here. */
static int write_bytes(BIO *bio, const char *from, size_t len, size_t *n)
{
    kl_tls_pipe *p = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *n = 0;
    if (!kl_tls_pipe_out_reserve(p, len)) {
        p->out_failed = true;
        return 0;
    }
    memcpy(p->out.data + p->out.tail, from, len);
    p->out.tail += len;
    *n = len;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *kl_tls_bytes_method_new(void)
{
    /* A kind without a number of its own: the process has few of them to give away. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "kloop");
    if (!method)
        return NULL;
    BIO_meth_set_read_ex(method, read_bytes);
    BIO_meth_set_write_ex(method, write_bytes);
    BIO_meth_set_ctrl(method, control);
    BIO_meth_set_create(method, create);
    return method;
}

BIO *kl_tls_bytes_bio_new(const BIO_METHOD *method, kl_tls_pipe *p)
{
    BIO *bio = BIO_new(method);
    if (bio)
        BIO_set_data(bio, p);
    return bio;
}
