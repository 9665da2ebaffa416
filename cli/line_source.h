/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines from a file descriptor on a libuv loop, at the pace of whoever takes them.
 *
 *                 taker says no, or kl_line_source_pause
 *     RUNNING ---------------------------------------------> PAUSED
 *      |    ^                                                  |
 *      |    +--------------- kl_line_source_resume ------------+
 *      | end of input, an error, or kl_line_source_stop
 *      v
 *     ENDED -> its handles are closed -> on_end runs once, from the loop; kl_line_source_init may
 *              be called again in there, for the next input
 *
 * A pipe, socket or terminal is waited for; a file is read piece by piece between turns of the
 * loop. A turn hands out some hundred kilobytes and some thousand lines at most.
 *
 * It owns its buffer and two handles, not the descriptor. Fails: reading, and memory, which end it
 * with an errno.
 */
#ifndef KL_CLI_LINE_SOURCE_H
#define KL_CLI_LINE_SOURCE_H

#include "base/buf.h"

#include <uv.h>

/* A longer line ends the reading with EMSGSIZE: no broker would take it. */
#define KL_LINE_BYTES_MAX     ((size_t)256 << 20)

#define KL_LINE_DELIMITER_MAX 64

typedef struct kl_line_source kl_line_source;

/* A line without its delimiter, good during the call. false: not taken, the source pauses, and the
 * same line comes again after kl_line_source_resume. */
typedef bool (*kl_line_taker)(void *me, kloop_string line);
/* error is an errno, or 0 at the end of input. */
typedef void (*kl_line_end)(void *me, int error);
/* Everything that has come was handed out; more is waited for. */
typedef void (*kl_line_wait)(void *me);

struct kl_line_source {
    uv_poll_t poll;
    uv_idle_t idle;
    int fd;
    bool pollable;
    bool paused;
    bool ended;
    bool at_end; /* of the input: what is in buf is all there is */
    bool whole;  /* the input is one line, also when it is empty */
    unsigned open_handles;
    int error;
    char delimiter[KL_LINE_DELIMITER_MAX];
    size_t delimiter_len;
    kl_buf buf;
    size_t start;    /* of the line in buf that comes next */
    size_t searched; /* bytes behind start that hold no delimiter */
    kl_line_taker take;
    kl_line_end on_end;
    kl_line_wait on_wait; /* NULL at first; to be set after kl_line_source_init */
    uint64_t line;        /* the number of the one that is handed out, from 1 */
    uint64_t bytes_read;
    void *me;
};

/* Starts running. delimiter has 1 to 64 bytes; none: all of the input is one line. */
void kl_line_source_init(kl_line_source *s, uv_loop_t *loop, int fd, kloop_string delimiter,
                         kl_line_taker take, kl_line_end on_end, void *me);
void kl_line_source_pause(kl_line_source *s);
void kl_line_source_resume(kl_line_source *s);
/* Ends it, with on_end(me, 0) to come, unless it has ended. No more lines are handed out. */
void kl_line_source_stop(kl_line_source *s);
/* Gives the buffer back: in on_end, or when the loop has run empty. */
void kl_line_source_deinit(kl_line_source *s);

#endif
