/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames: four bytes of length, then that many bytes. See frame.h and <kloop/wire.h>. */
#include "protocol/frame.h"

#include "base/be.h"
#include "base/check.h"

#include <kloop/wire.h>

static kloop_status refuse(kloop_fault *fault, kloop_status status, int64_t a, int64_t b)
{
    if (fault)
        *fault = (kloop_fault){.status = status, .a = a, .b = b};
    return status;
}

kloop_status kloop_frame_next(const void *bytes, size_t len, size_t max, kloop_slice *frame,
                              size_t *used, kloop_fault *fault)
{
    *frame = (kloop_slice){NULL, 0};
    *used = KL_FRAME_LENGTH_BYTES;
    if (fault)
        *fault = (kloop_fault){.status = KLOOP_OK};
    if (len < KL_FRAME_LENGTH_BYTES)
        return KLOOP_OK;
    const uint8_t *start = bytes;
    int32_t length = (int32_t)kl_be_load32(start);
    if (length < 0)
        return refuse(fault, KLOOP_BAD_LENGTH, length, 0);
    if ((size_t)length > max)
        return refuse(fault, KLOOP_FRAME_TOO_LARGE, length, (int64_t)max);
    *used += (size_t)length;
    if (len >= *used)
        *frame = (kloop_slice){start + KL_FRAME_LENGTH_BYTES, (size_t)length};
    return KLOOP_OK;
}

static void check_invariants(const kl_frame_reader *r)
{
    KL_ASSERT(r->start <= r->buf.len && r->buf.len <= r->buf.cap);
}

void kl_frame_reader_init(kl_frame_reader *r, size_t frame_max, const kloop_allocator *alloc)
{
    *r = (kl_frame_reader){.frame_max = frame_max, .buffer_max = KL_BUF_NO_LIMIT};
    kl_buf_init(&r->buf, alloc);
}

void kl_frame_reader_bound(kl_frame_reader *r)
{
    r->buffer_max = r->frame_max + KL_FRAME_BUFFER_MORE;
    kl_buf_set_limit(&r->buf, r->buffer_max);
}

static void give_back(kl_frame_reader *r)
{
    kl_buf_deinit(&r->buf);
    kl_buf_set_limit(&r->buf, r->buffer_max);
}

void kl_frame_reader_deinit(kl_frame_reader *r)
{
    kl_buf_deinit(&r->buf);
}

/* All bytes were taken: nothing but the buffer's size is lost. A moment in which nothing came says
 * nothing. */
static void settle(kl_frame_reader *r)
{
    size_t needed = r->needed;
    r->needed = 0;
    if (needed > 0 && needed < r->buf.cap / 4 && r->buf.cap > KL_FRAME_KEEP_BYTES)
        give_back(r);
    else
        kl_buf_reset(&r->buf);
    r->start = 0;
}

/* What is unread moves only if it is the smaller part, or there is no other way to get room, which
 * is so once for a frame at most: so a byte moves rarely. */
static bool moves(const kl_frame_reader *r)
{
    return r->start > 0 &&
           (r->buf.len - r->start <= r->start || r->buffer_max - r->buf.len < KL_FRAME_READ_BYTES);
}

bool kl_frame_must_grow(const kl_frame_reader *r)
{
    size_t unread = r->buf.len - r->start;
    size_t end = moves(r) ? unread : r->buf.len;
    return unread > 0 && r->buf.cap - end < KL_FRAME_READ_BYTES;
}

void kl_frame_give_back(kl_frame_reader *r)
{
    KL_ASSERT(r->start == r->buf.len);
    give_back(r);
    r->start = 0;
    r->needed = 0;
}

uint8_t *kl_frame_space(kl_frame_reader *r, size_t *room)
{
    check_invariants(r);
    /* Frames that were taken make room. */
    size_t unread = r->buf.len - r->start;
    if (unread == 0) {
        settle(r);
    } else if (moves(r)) {
        memmove(r->buf.data, r->buf.data + r->start, unread);
        kl_buf_truncate(&r->buf, unread);
        r->start = 0;
    }
    /* An earlier refusal was reported; memory may be there again. */
    r->buf.failed = false;
    return kl_buf_reserve_some(&r->buf, KL_FRAME_READ_BYTES, room);
}

void kl_frame_received(kl_frame_reader *r, size_t n)
{
    kl_buf_commit(&r->buf, n);
    if (r->buf.len - r->start > r->needed)
        r->needed = r->buf.len - r->start;
    check_invariants(r);
}

kloop_status kl_frame_next(kl_frame_reader *r, kloop_slice *frame, kloop_fault *fault)
{
    size_t used;
    kloop_slice all = kl_buf_slice(&r->buf);
    kloop_status status = kloop_frame_next(all.data + r->start, all.len - r->start, r->frame_max,
                                           frame, &used, fault);
    if (status) {
        if (fault)
            fault->at = (size_t)r->taken_bytes;
        return status;
    }
    if (frame->data) {
        r->start += used;
        r->taken_bytes += used;
    }
    check_invariants(r);
    return KLOOP_OK;
}
