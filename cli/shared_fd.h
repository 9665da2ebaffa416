/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching a descriptor that other processes have too, as standard input and output are: libuv
 * makes what it polls non-blocking, for everybody who shares it, and does not undo that.
 */
#ifndef KL_CLI_SHARED_FD_H
#define KL_CLI_SHARED_FD_H

#include <stdbool.h>
#include <uv.h>

/*
 * As uv_poll_init, with the descriptor's flags as they were. false: it cannot be watched, being a
 * file, and poll is not in use.
 */
bool kl_shared_fd_watch(uv_loop_t *loop, uv_poll_t *poll, int fd);

#endif
