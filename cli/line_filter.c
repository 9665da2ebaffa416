/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading by line without a limit on the line, writing by block. See line_filter.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/line_filter.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES  65536
#define WRITE_BYTES 65536

static bool write_out(int fd, kl_buf *out)
{
    size_t at = 0;
    while (at < out->len) {
        ssize_t n = write(fd, out->data + at, out->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += (size_t)n;
    }
    kl_buf_reset(out);
    return true;
}

static bool answer_line(kl_line_fn answer, void *ctx, kloop_string line, kl_buf *out,
                        kl_line_counts *counts)
{
    counts->lines++;
    if (!answer(ctx, line, out))
        counts->refused++;
    kl_buf_append_byte(out, '\n');
    if (!out->failed)
        return true;
    errno = ENOMEM;
    return false;
}

/* Answers every whole line that is in the buffer and leaves the beginning of the next one. searched
 * is how much of that is known to hold no end of line. */
static bool answer_lines(kl_buf *in, size_t *searched, int fd, kl_line_fn answer, void *ctx,
                         kl_buf *out, kl_line_counts *counts)
{
    size_t start = 0;
    for (;;) {
        const uint8_t *from = in->data + start + *searched;
        const uint8_t *end = memchr(from, '\n', in->len - start - *searched);
        if (!end)
            break;
        kloop_string line = {(const char *)in->data + start, (size_t)(end - in->data) - start};
        if (!answer_line(answer, ctx, line, out, counts))
            return false;
        if (out->len >= WRITE_BYTES && !write_out(fd, out))
            return false;
        start = (size_t)(end - in->data) + 1;
        *searched = 0;
    }
    size_t rest = in->len - start;
    if (start > 0 && rest > 0)
        memmove(in->data, in->data + start, rest);
    kl_buf_truncate(in, rest);
    *searched = rest;
    return true;
}

static bool filter(int in_fd, int out_fd, kl_line_fn answer, void *ctx, kl_buf *in, kl_buf *out,
                   kl_line_counts *counts)
{
    size_t searched = 0;
    for (;;) {
        size_t room;
        uint8_t *p = kl_buf_reserve_some(in, READ_BYTES, &room);
        if (!p) {
            errno = ENOMEM;
            return false;
        }
        ssize_t n = read(in_fd, p, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        kl_buf_commit(in, (size_t)n);
        if (!answer_lines(in, &searched, out_fd, answer, ctx, out, counts) ||
            !write_out(out_fd, out))
            return false;
    }
    /* A last line without its end is a line all the same. */
    if (in->len > 0 && !answer_line(answer, ctx, kl_buf_string(in), out, counts))
        return false;
    return write_out(out_fd, out);
}

bool kl_line_filter_run(int in, int out, kl_line_fn answer, void *ctx, kl_line_counts *counts)
{
    kl_buf in_buf, out_buf;
    kl_buf_init(&in_buf, &kl_mem_libc);
    kl_buf_init(&out_buf, &kl_mem_libc);
    *counts = (kl_line_counts){0, 0};
    bool ok = filter(in, out, answer, ctx, &in_buf, &out_buf, counts);
    int error = errno;
    kl_buf_deinit(&in_buf);
    kl_buf_deinit(&out_buf);
    errno = error;
    return ok;
}
