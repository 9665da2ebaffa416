/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading lines on a loop. See line_source.h. */
#define _GNU_SOURCE
#include "cli/line_source.h"

#include "base/check.h"
#include "cli/shared_fd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 65536
/* Of a turn: those that are read and those that are handed out. */
#define TURN_BYTES_MAX ((size_t)512 << 10)
/* What a line costs beside its bytes: its record. */
#define LINE_COST_BYTES 64

static void on_idle(uv_idle_t *idle);
static void on_poll(uv_poll_t *poll, int status, int events);

static void on_closed(uv_handle_t *handle)
{
    kl_line_source *s = handle->data;
    if (--s->open_handles == 0)
        s->on_end(s->me, s->error);
}

static void end(kl_line_source *s, int error)
{
    if (s->ended)
        return;
    s->ended = true;
    s->error = error;
    s->open_handles = s->pollable ? 2 : 1;
    uv_close((uv_handle_t *)&s->idle, on_closed);
    if (s->pollable)
        uv_close((uv_handle_t *)&s->poll, on_closed);
}

/* ---- Lines of the buffer ---- */

/* The next line, which may be the last one without its delimiter. used is how much of the buffer
 * goes with it. false: there is none yet. */
static bool find_line(kl_line_source *s, kloop_string *line, size_t *used)
{
    size_t left = s->buf.len - s->start;
    if (s->whole) {
        *line = (kloop_string){left ? (const char *)s->buf.data + s->start : "", left};
        *used = left;
        return s->at_end && s->line == 0;
    }
    if (left == 0)
        return false;
    const uint8_t *from = s->buf.data + s->start;
    const uint8_t *hit = NULL;
    if (left > s->searched)
        hit = memmem(from + s->searched, left - s->searched, s->delimiter, s->delimiter_len);
    if (hit) {
        *line = (kloop_string){(const char *)from, (size_t)(hit - from)};
        *used = line->len + s->delimiter_len;
        return true;
    }
    /* The delimiter may have begun at the end of what is there. */
    size_t tail = s->delimiter_len - 1;
    s->searched = left > tail ? left - tail : 0;
    if (!s->at_end)
        return false;
    *line = (kloop_string){(const char *)from, left};
    *used = left;
    return true;
}

static void pay(size_t *budget, size_t cost)
{
    *budget -= cost < *budget ? cost : *budget;
}

/* Hands out lines until there is none, or the budget is used up. */
static void hand_out(kl_line_source *s, size_t *budget)
{
    kloop_string line;
    size_t used;
    while (!s->paused && !s->ended && *budget > 0 && find_line(s, &line, &used)) {
        s->line++;
        if (!s->take(s->me, line)) {
            s->line--;
            kl_line_source_pause(s);
            return;
        }
        s->start += used;
        s->searched = 0;
        pay(budget, used + LINE_COST_BYTES);
    }
}

static void drop_used(kl_line_source *s)
{
    size_t left = s->buf.len - s->start;
    if (s->start == 0)
        return;
    if (left > 0)
        memmove(s->buf.data, s->buf.data + s->start, left);
    kl_buf_truncate(&s->buf, left);
    s->start = 0;
}

/* ---- Reading ---- */

/* One piece. false: it ended with an error. */
static bool read_piece(kl_line_source *s, size_t *budget)
{
    size_t room;
    drop_used(s);
    uint8_t *p = kl_buf_reserve_some(&s->buf, READ_BYTES, &room);
    if (!p) {
        end(s, s->buf.over_limit ? EMSGSIZE : ENOMEM);
        return false;
    }
    ssize_t n = read(s->fd, p, room < READ_BYTES ? room : READ_BYTES);
    if (n < 0) {
        if (errno == EINTR || errno == EAGAIN)
            return true;
        end(s, errno);
        return false;
    }
    kl_buf_commit(&s->buf, (size_t)n);
    s->bytes_read += (uint64_t)n;
    pay(budget, (size_t)n);
    s->at_end = n == 0;
    return true;
}

/* What the loop is to do for us next. */
static void settle(kl_line_source *s)
{
    if (s->ended || s->paused)
        return;
    kloop_string line;
    size_t used;
    bool more = find_line(s, &line, &used);
    if (!more && s->at_end) {
        end(s, 0);
        return;
    }
    if (more || !s->pollable) {
        if (s->pollable)
            uv_poll_stop(&s->poll);
        uv_idle_start(&s->idle, on_idle);
        return;
    }
    uv_idle_stop(&s->idle);
    uv_poll_start(&s->poll, UV_READABLE, on_poll);
    if (s->on_wait)
        s->on_wait(s->me);
}

static void on_idle(uv_idle_t *idle)
{
    kl_line_source *s = idle->data;
    size_t budget = TURN_BYTES_MAX;
    hand_out(s, &budget);
    while (!s->pollable && !s->paused && !s->ended && !s->at_end && budget > 0) {
        if (!read_piece(s, &budget))
            return;
        hand_out(s, &budget);
    }
    settle(s);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    kl_line_source *s = poll->data;
    size_t budget = TURN_BYTES_MAX;
    (void)events;
    if (status < 0) {
        end(s, -status);
        return;
    }
    if (read_piece(s, &budget)) {
        hand_out(s, &budget);
        settle(s);
    }
}

/* ---- From outside ---- */

void kl_line_source_init(kl_line_source *s, uv_loop_t *loop, int fd, kloop_string delimiter,
                         kl_line_taker take, kl_line_end on_end, void *me)
{
    KL_ASSERT(delimiter.len <= sizeof s->delimiter);
    memset(s, 0, sizeof *s);
    s->fd = fd;
    s->whole = delimiter.len == 0;
    if (!s->whole)
        memcpy(s->delimiter, delimiter.data, delimiter.len);
    s->delimiter_len = delimiter.len;
    s->take = take;
    s->on_end = on_end;
    s->me = me;
    kl_buf_init(&s->buf, &kl_mem_libc);
    kl_buf_set_limit(&s->buf, KL_LINE_BYTES_MAX);
    uv_idle_init(loop, &s->idle);
    s->idle.data = s;
    /* The kernel tells of everything that can keep us waiting, and refuses files. */
    s->pollable = kl_shared_fd_watch(loop, &s->poll, fd);
    s->poll.data = s;
    /* The first read is at a turn of the loop in any case, so that errors come from there. */
    uv_idle_start(&s->idle, on_idle);
}

void kl_line_source_pause(kl_line_source *s)
{
    if (s->ended || s->paused)
        return;
    s->paused = true;
    uv_idle_stop(&s->idle);
    if (s->pollable)
        uv_poll_stop(&s->poll);
}

void kl_line_source_resume(kl_line_source *s)
{
    if (s->ended || !s->paused)
        return;
    s->paused = false;
    uv_idle_start(&s->idle, on_idle);
}

void kl_line_source_stop(kl_line_source *s)
{
    end(s, 0);
}

void kl_line_source_deinit(kl_line_source *s)
{
    kl_buf_deinit(&s->buf);
}
