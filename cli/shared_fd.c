/* SPDX-License-Identifier: BSD-2-Clause */
/* Polling without changing. See shared_fd.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/shared_fd.h"

#include <fcntl.h>

bool kl_shared_fd_watch(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || uv_poll_init(loop, poll, fd) != 0)
        return false;
    fcntl(fd, F_SETFL, flags);
    return true;
}
