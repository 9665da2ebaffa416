/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a run gets on, on stderr: one line at the bottom of a terminal, drawn anew at most ten times
 * a second; elsewhere a plain line now and then while there
 * is something new to tell, or nothing.
 *
 *     kl_live_line_start(&live, loop, &how, on_figures, me);
 *     ...                          the loop runs; on_figures is asked before each drawing
 *     kl_live_line_hide(&live);    before anything else is written to stdout or stderr
 *     puts("some line");           the next drawing comes below it, within a tenth of a second
 *     ...
 *     kl_live_line_close(&live);   takes it off the screen; the loop has to run on for its handles
 *
 * Its handles do not keep the loop alive. It owns nothing else, nothing fails: a terminal that
 * takes no bytes at the moment is not waited for. hide and close may be called on one that was
 * never started, if it is all zero, and more than once.
 */
#ifndef KL_CLI_LIVE_LINE_H
#define KL_CLI_LIVE_LINE_H

#include "cli/live_text.h"
#include "cli/recent_rate.h"
#include "cli/terminal.h"

#include <stdbool.h>
#include <uv.h>

typedef void (*kl_live_figures_fn)(void *me, kl_live_figures *figures);

typedef struct kl_live_how {
    const char *command;  /* plain lines begin with "kloop COMMAND: " */
    kl_progress progress; /* --progress */
    bool quiet;           /* --quiet: nothing, whatever progress says */
    uint64_t plain_ms;    /* between two plain lines where none is drawn; 0: there are none */
} kl_live_how;

typedef enum kl_live_mode {
    KL_LIVE_OFF = 0,
    KL_LIVE_PLAIN,
    KL_LIVE_DRAWN,
} kl_live_mode;

typedef struct kl_live_line {
    kl_live_mode mode;
    kl_live_how how;
    kl_terminal terminal;
    uv_timer_t timer;
    uv_signal_t resized;
    uv_signal_t stopped;
    kl_live_figures_fn fn;
    void *me;
    kl_recent_rate rate;
    bool shown;             /* it stands on the screen */
    unsigned columns;       /* of what stands there */
    uint64_t plain_settled; /* records of which the last plain line told */
} kl_live_line;

void kl_live_line_start(kl_live_line *l, uv_loop_t *loop, const kl_live_how *how,
                        kl_live_figures_fn fn, void *me);
void kl_live_line_hide(kl_live_line *l);
void kl_live_line_close(kl_live_line *l);

#endif
