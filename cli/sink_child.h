/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A `kloop sink` as a child process, so that whoever measures a producer has a broker and stays a
 * process of one thread. The child is in a process group of its own (Ctrl-C is for its parent to
 * handle), and ends when its parent does, however that happens.
 *
 * Owns the process and a pipe, until kl_sink_child_end.
 */
#ifndef KL_CLI_SINK_CHILD_H
#define KL_CLI_SINK_CHILD_H

#include "base/buf.h"

#include <sys/types.h>

typedef struct kl_sink_child {
    pid_t pid;
    int fd;          /* its standard output */
    char place[128]; /* where it listens: HOST:PORT */
} kl_sink_child;

/* Starts it and waits until it listens. false: why says what happened, nothing is left behind. */
bool kl_sink_child_start(kl_sink_child *child, const char *topic, int32_t partitions, char *why,
                         size_t why_size);

/*
 * Ends it, and appends what it said at its end: one JSON object, without the end of line. false: it
 * had ended by itself before, or said nothing.
 */
bool kl_sink_child_end(kl_sink_child *child, kl_buf *line);

#endif
