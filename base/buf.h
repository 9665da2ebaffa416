/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growable run of bytes: text under construction, the output of a codec, an encoded message.
 *
 * The buffer owns data and gives it back in kl_buf_deinit. It grows by doubling, so that appending
 * is linear over all, and every growth may move data: a pointer into the buffer is good only until
 * the next call that can grow it, and bytes that are appended must not lie in the buffer itself.
 *
 * Failure is sticky. The first refused growth sets failed, leaves every byte as it was, and from
 * then on nothing can be added; so a writer appends without looking and asks once, at the end.
 * There are two reasons, told apart by over_limit: the bytes would go beyond the limit, or there
 * was no memory. kl_buf_reset clears both.
 *
 * The limit is a promise about memory, not only about length: no more than limit bytes are ever
 * allocated. That makes it the bound for data that unfolds, where the size is known to the sender
 * only. A decompressor goes like this:
 *
 *     size_t start = b->len;
 *     while (!done) {
 *         size_t room;
 *         uint8_t *p = kl_buf_reserve_some(b, 4096, &room);
 *         if (!p)
 *             return give_up(b, start);
 *         kl_buf_commit(b, step(p, room, &done));
 *     }
 *
 * where give_up takes back what was written, with kl_buf_truncate(b, start), and answers TOO_LARGE
 * or NO_MEMORY as b->over_limit says.
 *
 * A stream that ends exactly at the limit may need a last step without output to say so.
 * kl_buf_reserve with 0 serves there: it never fails for lack of room, and answers a pointer that
 * is not NULL even when room is 0.
 */
#ifndef KL_BASE_BUF_H
#define KL_BASE_BUF_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KL_BUF_NO_LIMIT SIZE_MAX

typedef struct kl_buf {
    uint8_t *data; /* NULL until the first growth */
    size_t len;
    size_t cap;
    size_t limit; /* the largest len, and the largest cap; KL_BUF_NO_LIMIT at first */
    kloop_allocator alloc;
    bool failed;     /* sticky: something could not be added */
    bool over_limit; /* with failed: because of the limit, not of memory */
} kl_buf;

/* Allocates nothing. The table is copied. */
void kl_buf_init(kl_buf *b, const kloop_allocator *alloc);

/* Gives everything back; may be called twice. The buffer can be used again afterwards, as after
 * kl_buf_init. */
void kl_buf_deinit(kl_buf *b);

/* Empty and without failure; the memory and the limit stay. */
void kl_buf_reset(kl_buf *b);

/*
 * From now on len stays at or below limit. A limit below the present len is allowed: what is there
 * stays, nothing more fits. The limit bounds the whole buffer; to bound what is appended next to n
 * bytes, set b->len + n.
 */
void kl_buf_set_limit(kl_buf *b, size_t limit);

/*
 * Room for at_least bytes behind the present end. Answers where to write and, when room is not
 * NULL, how much may be written there (at_least or more; all that is allocated and allowed). NULL:
 * failed is set, everything else is as it was. Nothing is added before kl_buf_commit. at_least may
 * be 0: see above.
 */
uint8_t *kl_buf_reserve(kl_buf *b, size_t at_least, size_t *room);

/*
 * For those who write as much as fits and come again. wish is how much would be good to have at
 * once: it is cut down to what the limit leaves, and only a buffer that is full up to its limit
 * answers NULL with over_limit. room is at least 1. wish must not be 0.
 */
uint8_t *kl_buf_reserve_some(kl_buf *b, size_t wish, size_t *room);

/* n bytes were written where the last reserve pointed to; n is at most the room it told. */
void kl_buf_commit(kl_buf *b, size_t n);

/* All of it or nothing. bytes may be NULL when n is 0. */
bool kl_buf_append(kl_buf *b, const void *bytes, size_t n);

/* A terminated C string, without its terminator. */
bool kl_buf_append_str(kl_buf *b, const char *text);

/* Back to an earlier length, len at most b->len. A failure stays: what was refused is missing all
 * the same. */
void kl_buf_truncate(kl_buf *b, size_t len);

static inline bool kl_buf_append_byte(kl_buf *b, uint8_t byte)
{
    if (b->len >= b->cap || b->len >= b->limit || b->failed)
        return kl_buf_append(b, &byte, 1);
    b->data[b->len++] = byte;
    return true;
}

/* A view of the bytes, good until the next growth. Never Kafka's null: an empty buffer gives an
 * empty slice. */
kloop_slice kl_buf_slice(const kl_buf *b);
kloop_string kl_buf_string(const kl_buf *b);

#endif
