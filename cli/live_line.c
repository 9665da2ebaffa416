/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawing, and taking back. See live_line.h.
 *
 * The cursor is left at the beginning of the line, not at its end: a terminal that becomes narrower
 * breaks the line into two, and from its first column all of it can be erased, whether the terminal
 * did so or cut it off. It may also become narrower just before a line is written that is too long
 * then: while it is written, the terminal is told to cut, not to break.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/live_line.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRAW_MS     100
#define ERASE_BELOW "\033[J"
#define CUT_LINES   "\033[?7l"
#define BREAK_LINES "\033[?7h"
#define ESCAPES_MAX 32 /* of all of these together */

/* ---- The screen ---- */

/* A terminal whose user has stopped it (Ctrl-S) is not waited for, nor is a pipe that is full. */
static bool takes_bytes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

/* One that is run in the background leaves the screen to others. */
static bool is_ours(const kl_terminal *t)
{
    return !t->is_terminal || tcgetpgrp(t->fd) == getpgrp();
}

static bool put(const kl_terminal *t, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(t->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void figures_now(kl_live_line *l, kl_live_figures *figures)
{
    *figures = (kl_live_figures){
        .in_flight = KL_LIVE_NOT_TOLD, .p50_us = KL_LIVE_NOT_TOLD, .p99_us = KL_LIVE_NOT_TOLD};
    l->fn(l->me, figures);
    kl_recent_look look = {.at_ns = uv_hrtime(),
                           .count = figures->delivered,
                           .bytes = figures->delivered_bytes,
                           .part = figures->part};
    kl_recent_rate_look(&l->rate, &look);
}

static size_t append(char *text, size_t len, const char *more)
{
    size_t n = strlen(more);
    memcpy(text + len, more, n + 1);
    return len + n;
}

/* What is behind its new end is erased; a terminal that cannot is given blanks. */
static size_t end_line(const kl_live_line *l, unsigned columns, char *text, size_t len)
{
    if (l->terminal.escapes)
        return append(text, len, ERASE_BELOW BREAK_LINES "\r");
    for (; columns < l->columns; columns++)
        text[len++] = ' ';
    return append(text, len, "\r");
}

static void draw(kl_live_line *l)
{
    char text[KL_LIVE_TEXT_MAX + KL_LIVE_WIDTH_MAX + ESCAPES_MAX];
    kl_live_figures figures;
    figures_now(l, &figures);
    if (!is_ours(&l->terminal) || !takes_bytes(l->terminal.fd))
        return;
    size_t len = append(text, 0, l->terminal.escapes ? "\r" CUT_LINES : "\r");
    /* The signal that tells of a new width may still be on its way. */
    kl_terminal_measure(&l->terminal);
    /* The last column stays free: some terminals go to the next line behind it. */
    unsigned columns = kl_live_text_draw(text + len, &figures, &l->rate, &l->terminal,
                                         l->terminal.width > 1 ? l->terminal.width - 1 : 1);
    len = end_line(l, columns, text, strlen(text));
    l->shown = put(&l->terminal, text, len);
    l->columns = columns;
}

static void erase(kl_live_line *l)
{
    char text[KL_LIVE_WIDTH_MAX + ESCAPES_MAX] = "\r";
    if (!l->shown)
        return;
    l->shown = false;
    put(&l->terminal, text, end_line(l, 0, text, 1));
    l->columns = 0;
}

/* ---- The loop ---- */

static void on_tick(uv_timer_t *timer)
{
    kl_live_line *l = timer->data;
    kl_live_figures figures;
    if (l->mode == KL_LIVE_DRAWN) {
        draw(l);
        return;
    }
    figures_now(l, &figures);
    /* One that waits for input for days has nothing to say. */
    uint64_t settled = figures.delivered + figures.failed;
    if (settled == l->plain_settled && figures.in_flight == 0)
        return;
    l->plain_settled = settled;
    kl_live_text_plain(&figures, &l->rate, l->how.command, stderr);
}

static void on_resized(uv_signal_t *resized, int number)
{
    kl_live_line *l = resized->data;
    (void)number;
    if (l->shown)
        draw(l);
}

/* Ctrl-Z: the shell is to find the screen without the line. */
static void on_stopped(uv_signal_t *stopped, int number)
{
    (void)number;
    kl_live_line_hide(stopped->data);
    raise(SIGSTOP);
}

static kl_live_mode mode_for(const kl_live_how *how, const kl_terminal *t)
{
    if (how->quiet || how->progress == KL_PROGRESS_NEVER)
        return KL_LIVE_OFF;
    if (how->progress == KL_PROGRESS_ALWAYS || t->drawable)
        return KL_LIVE_DRAWN;
    return how->plain_ms ? KL_LIVE_PLAIN : KL_LIVE_OFF;
}

void kl_live_line_start(kl_live_line *l, uv_loop_t *loop, const kl_live_how *how,
                        kl_live_figures_fn fn, void *me)
{
    *l = (kl_live_line){.how = *how, .fn = fn, .me = me};
    kl_terminal_look(&l->terminal, STDERR_FILENO);
    l->mode = mode_for(how, &l->terminal);
    if (l->mode == KL_LIVE_OFF)
        return;
    uv_timer_init(loop, &l->timer);
    uv_signal_init(loop, &l->resized);
    uv_signal_init(loop, &l->stopped);
    l->timer.data = l->resized.data = l->stopped.data = l;
    uint64_t every_ms = l->mode == KL_LIVE_DRAWN ? DRAW_MS : how->plain_ms;
    uv_timer_start(&l->timer, on_tick, every_ms, every_ms);
    if (l->mode == KL_LIVE_DRAWN) {
        uv_signal_start(&l->resized, on_resized, SIGWINCH);
        uv_signal_start(&l->stopped, on_stopped, SIGTSTP);
    }
    uv_unref((uv_handle_t *)&l->timer);
    uv_unref((uv_handle_t *)&l->resized);
    uv_unref((uv_handle_t *)&l->stopped);
    /* Rates are told from here on. */
    kl_live_figures figures;
    figures_now(l, &figures);
}

void kl_live_line_hide(kl_live_line *l)
{
    if (l->mode != KL_LIVE_DRAWN || !l->shown)
        return;
    erase(l);
    /* What is written to a pipe may be read and come to this screen a moment later (tee). */
    uv_timer_again(&l->timer);
}

void kl_live_line_close(kl_live_line *l)
{
    if (l->mode == KL_LIVE_OFF)
        return;
    kl_live_line_hide(l);
    l->mode = KL_LIVE_OFF;
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_close((uv_handle_t *)&l->resized, NULL);
    uv_close((uv_handle_t *)&l->stopped, NULL);
}
