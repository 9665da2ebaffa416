/* SPDX-License-Identifier: BSD-2-Clause */
/* The growable buffer: one place decides about growth, the limit and failure; all else goes through
 * it. */
#include "base/buf.h"

#include "base/check.h"

/* Below this, doubling is only a string of small steps. */
#define FIRST_CAP 64

/* What an empty buffer points to, so that NULL always means failure or Kafka's null. Never written
 * to. */
static uint8_t nothing[1];

void kl_buf_init(kl_buf *b, const kloop_allocator *alloc)
{
    *b = (kl_buf){.limit = KL_BUF_NO_LIMIT, .alloc = *alloc};
}

void kl_buf_deinit(kl_buf *b)
{
    kl_mem_release(&b->alloc, b->data, b->cap);
    kloop_allocator alloc = b->alloc;
    kl_buf_init(b, &alloc);
}

void kl_buf_reset(kl_buf *b)
{
    b->len = 0;
    b->failed = false;
    b->over_limit = false;
}

void kl_buf_set_limit(kl_buf *b, size_t limit)
{
    b->limit = limit;
}

/* How many bytes may be written behind len as things stand. */
static size_t room_now(const kl_buf *b)
{
    size_t end = b->cap < b->limit ? b->cap : b->limit;
    return end > b->len ? end - b->len : 0;
}

/* How many the limit leaves, allocated or not. */
static size_t room_allowed(const kl_buf *b)
{
    return b->limit > b->len ? b->limit - b->len : 0;
}

static bool fail(kl_buf *b, bool over_limit)
{
    b->failed = true;
    b->over_limit = over_limit;
    return false;
}

static bool grow(kl_buf *b, size_t at_least)
{
    if (at_least > room_allowed(b))
        return fail(b, true);
    /* No object may be larger than PTRDIFF_MAX; some allocators abort instead of answering NULL. */
    if (at_least > (size_t)PTRDIFF_MAX - b->len)
        return fail(b, false);
    size_t need = b->len + at_least;
    size_t cap = b->cap <= (size_t)PTRDIFF_MAX / 2 ? b->cap * 2 : (size_t)PTRDIFF_MAX;
    if (cap < FIRST_CAP)
        cap = FIRST_CAP;
    if (cap < need)
        cap = need;
    if (cap > b->limit)
        cap = b->limit;
    uint8_t *data = kl_mem_resize(&b->alloc, b->data, b->cap, cap);
    if (!data)
        return fail(b, false);
    b->data = data;
    b->cap = cap;
    return true;
}

uint8_t *kl_buf_reserve(kl_buf *b, size_t at_least, size_t *room)
{
    if (b->failed)
        return NULL;
    size_t now = room_now(b);
    if (now < at_least) {
        if (!grow(b, at_least))
            return NULL;
        now = room_now(b);
    }
    if (room)
        *room = now;
    return b->data ? b->data + b->len : nothing;
}

uint8_t *kl_buf_reserve_some(kl_buf *b, size_t wish, size_t *room)
{
    KL_ASSERT(wish > 0);
    size_t allowed = room_allowed(b);
    if (wish > allowed)
        wish = allowed > 0 ? allowed : 1;
    return kl_buf_reserve(b, wish, room);
}

void kl_buf_commit(kl_buf *b, size_t n)
{
    KL_ASSERT(n <= room_now(b));
    b->len += n;
}

bool kl_buf_append(kl_buf *b, const void *bytes, size_t n)
{
    uint8_t *p = kl_buf_reserve(b, n, NULL);
    if (!p)
        return false;
    if (n > 0) {
        memcpy(p, bytes, n);
        b->len += n;
    }
    return true;
}

bool kl_buf_append_str(kl_buf *b, const char *text)
{
    return kl_buf_append(b, text, strlen(text));
}

void kl_buf_truncate(kl_buf *b, size_t len)
{
    KL_ASSERT(len <= b->len);
    b->len = len;
}

kloop_slice kl_buf_slice(const kl_buf *b)
{
    return (kloop_slice){b->data ? b->data : nothing, b->len};
}

kloop_string kl_buf_string(const kl_buf *b)
{
    return (kloop_string){(const char *)(b->data ? b->data : nothing), b->len};
}
