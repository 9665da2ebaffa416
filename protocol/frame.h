/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Received bytes in, whole frames out.
 *
 *      data        start            len          cap
 *       | taken     | unread bytes   | free space |
 *
 * Bytes are received straight into the reader's buffer. It grows by doubling with the bytes that
 * came, never to a length that a peer announced. A frame is a view into the buffer, good until the
 * next kl_frame_space or deinit.
 *
 * It shrinks by this rule: when kl_frame_space finds that all bytes were taken, that the buffer is
 * larger than KL_FRAME_KEEP_BYTES, and that less than a quarter of it was in use at once since all
 * had been taken the last time, then the buffer is given back and begins anew (if nothing came at
 * all, it stays). So one large frame among small ones is paid for until a small one came, and a run
 * of large ones grows the buffer once.
 *
 * One who takes each frame as soon as it is whole may bound the buffer: to a whole frame and what
 * is received at once behind it.
 *
 * Fails: kl_frame_space answers NULL without memory; kl_frame_next reports a length that is
 * negative or above the limit, at which the connection has to be closed, because nothing behind it
 * can be understood.
 */
#ifndef KL_PROTOCOL_FRAME_H
#define KL_PROTOCOL_FRAME_H

#include "base/buf.h"

#include <kloop/fault.h>
#include <kloop/types.h>

/* A buffer up to this is kept whatever came lately. */
#define KL_FRAME_KEEP_BYTES 65536

/* The length field, which does not count itself. */
#define KL_FRAME_LENGTH_BYTES 4

/* Room that a read is offered, at least. */
#define KL_FRAME_READ_BYTES 2048

/* What a bounded buffer takes at most, beside the content of the largest frame allowed. */
#define KL_FRAME_BUFFER_MORE (KL_FRAME_LENGTH_BYTES + KL_FRAME_READ_BYTES)

typedef struct kl_frame_reader {
    kl_buf buf;
    size_t start;         /* first byte that no frame has taken */
    size_t needed;        /* most bytes that were unread at once since all had been taken */
    size_t frame_max;     /* content bytes of the largest frame allowed */
    size_t buffer_max;    /* KL_BUF_NO_LIMIT: not bounded */
    uint64_t taken_bytes; /* in all frames so far: where buf.data[start] stands in the stream */
} kl_frame_reader;

void kl_frame_reader_init(kl_frame_reader *r, size_t frame_max, const kloop_allocator *alloc);
void kl_frame_reader_deinit(kl_frame_reader *r);
/* For one who never asks for space while a whole frame is there. To be called at the beginning. */
void kl_frame_reader_bound(kl_frame_reader *r);

/* Where the next bytes should land, and how many fit (at least one). */
uint8_t *kl_frame_space(kl_frame_reader *r, size_t *room);
/* Would kl_frame_space double the buffer, because a frame is begun and little room is left? An
 * empty one takes its first piece without a question. */
bool kl_frame_must_grow(const kl_frame_reader *r);
/* Gives the buffer back, from which all bytes were taken. */
void kl_frame_give_back(kl_frame_reader *r);
/* n bytes landed there. */
void kl_frame_received(kl_frame_reader *r, size_t n);
/* frame->data is NULL when no whole frame is there yet. fault->at is the offset in the whole
 * stream. */
kloop_status kl_frame_next(kl_frame_reader *r, kloop_slice *frame, kloop_fault *fault);

#endif
