/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines to a file descriptor without ever holding the loop: what a reader at the other end of a
 * pipe does not take waits here, and somebody is told when that becomes much.
 *
 *     kl_buf *b = kl_paced_output_buf(out);     append lines to it
 *     kl_paced_output_push(out);                once in a while: writes what can be written
 *
 * The descriptor's flags are left alone, for others may share it: a pipe is asked before each piece
 * whether it takes one. Files and what else cannot be asked are written to at once.
 *
 * It owns the buffer and a handle, not the descriptor. Fails: writing, which is remembered in
 * error; from then on everything is dropped.
 */
#ifndef KL_CLI_PACED_OUTPUT_H
#define KL_CLI_PACED_OUTPUT_H

#include "base/buf.h"

#include <uv.h>

/* So much may wait before whoever writes should stop for a while; half of it, and he may go on. */
#define KL_PACED_HIGH_BYTES ((size_t)1 << 20)

typedef struct kl_paced_output kl_paced_output;
typedef void (*kl_paced_fn)(void *me);

struct kl_paced_output {
    uv_poll_t poll;
    int fd;
    bool pollable;
    bool waiting; /* for the descriptor */
    bool finishing;
    bool closed; /* the handle is, or is about to be */
    bool full;   /* more than KL_PACED_HIGH_BYTES waited, and not yet less than half of it */
    int error;   /* errno of the write that failed; 0: none did */
    uint64_t lost_lines; /* of what was appended, those that were not written to their end */
    kl_buf buf;
    size_t written; /* of buf */
    kl_paced_fn on_room;
    void *me;
};

/* on_room runs when full has become false: from the loop, or in a push. */
void kl_paced_output_init(kl_paced_output *out, uv_loop_t *loop, int fd, kl_paced_fn on_room,
                          void *me);

static inline kl_buf *kl_paced_output_buf(kl_paced_output *out)
{
    return &out->buf;
}

static inline size_t kl_paced_output_waiting(const kl_paced_output *out)
{
    return out->buf.len - out->written;
}

/* Writes what can be written now; out->full and out->error tell how it stands. */
void kl_paced_output_push(kl_paced_output *out);

/* The reader is not waited for any more: what waits and what comes is dropped, with this errno. A
 * file has no reader, and is written as before. */
void kl_paced_output_give_up(kl_paced_output *out, int error);

/* No more is appended. The loop goes on until everything is written, or cannot be, then the handle
 * is closed. */
void kl_paced_output_finish(kl_paced_output *out);

/* When the loop has run empty. */
void kl_paced_output_deinit(kl_paced_output *out);

#endif
