/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing at the reader's pace. See paced_output.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/paced_output.h"

#include "cli/shared_fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/* A pipe that poll() calls writable takes so much without blocking. */
#define PIECE_BYTES PIPE_BUF

static void on_writable(uv_poll_t *poll, int status, int events);

void kl_paced_output_init(kl_paced_output *out, uv_loop_t *loop, int fd, kl_paced_fn on_room,
                          void *me)
{
    *out = (kl_paced_output){.fd = fd, .on_room = on_room, .me = me};
    kl_buf_init(&out->buf, &kl_mem_libc);
    out->pollable = kl_shared_fd_watch(loop, &out->poll, fd);
    out->poll.data = out;
}

static bool takes_a_piece(const kl_paced_output *out)
{
    struct pollfd fd = {.fd = out->fd, .events = POLLOUT};
    /* An error shows in the write. */
    return !out->pollable || (poll(&fd, 1, 0) == 1 && fd.revents != 0);
}

static void drop_rest(kl_paced_output *out)
{
    for (; out->written < out->buf.len; out->written++)
        out->lost_lines += out->buf.data[out->written] == '\n';
}

static void write_out(kl_paced_output *out)
{
    while (!out->error && kl_paced_output_waiting(out) > 0 && takes_a_piece(out)) {
        size_t left = kl_paced_output_waiting(out);
        if (out->pollable && left > PIECE_BYTES)
            left = PIECE_BYTES;
        ssize_t n = write(out->fd, out->buf.data + out->written, left);
        if (n >= 0)
            out->written += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            out->error = errno;
    }
    if (out->buf.failed && !out->error)
        out->error = ENOMEM;
    if (out->error)
        drop_rest(out);
}

/* Writing forgets what was written only once it is much: moving the rest costs. */
static void drop_written(kl_paced_output *out)
{
    size_t left = kl_paced_output_waiting(out);
    if (out->written == 0 || (left > 0 && out->written < KL_PACED_HIGH_BYTES))
        return;
    memmove(out->buf.data, out->buf.data + out->written, left);
    kl_buf_truncate(&out->buf, left);
    out->written = 0;
}

/* What the loop is to do for us next. */
static void settle(kl_paced_output *out)
{
    bool left = kl_paced_output_waiting(out) > 0;
    if (!out->pollable || out->closed)
        return;
    if (out->finishing && !left) {
        out->closed = true;
        uv_close((uv_handle_t *)&out->poll, NULL);
        return;
    }
    if (left == out->waiting)
        return;
    out->waiting = left;
    if (left)
        uv_poll_start(&out->poll, UV_WRITABLE, on_writable);
    else
        uv_poll_stop(&out->poll);
}

void kl_paced_output_push(kl_paced_output *out)
{
    bool was_full = out->full;
    write_out(out);
    drop_written(out);
    settle(out);
    size_t left = kl_paced_output_waiting(out);
    if (left > KL_PACED_HIGH_BYTES)
        out->full = true;
    else if (left <= KL_PACED_HIGH_BYTES / 2)
        out->full = false;
    if (was_full && !out->full)
        out->on_room(out->me);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    kl_paced_output_push(poll->data);
}

void kl_paced_output_give_up(kl_paced_output *out, int error)
{
    if (out->pollable && !out->error)
        out->error = error;
    kl_paced_output_push(out);
}

void kl_paced_output_finish(kl_paced_output *out)
{
    out->finishing = true;
    kl_paced_output_push(out);
}

void kl_paced_output_deinit(kl_paced_output *out)
{
    kl_buf_deinit(&out->buf);
}
