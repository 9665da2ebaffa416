/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The producers of this process and their sockets, for the two moments at which a process has to
 * look at all of them: when it forks, and when it ends.
 *
 *     fork, in the child    each socket is exchanged for a dead one under the same number, so that
 *                           nothing the child does can reach the parent's brokers, and an end of
 *                           the parent's connections is an end; each producer is told
 *     exit                  each producer that this process has opened may have a last word
 *
 * The one piece of memory that producers share, under a lock that is held for a moment when a
 * producer or a connection comes and goes, and across a fork. Nobody owns anything here: a
 * member takes itself out before it goes.
 *
 * What can fail: entering, when the system does not take our handlers.
 */
#ifndef KL_DRIVER_LIVING_H
#define KL_DRIVER_LIVING_H

#include "base/list.h"

#include <stdbool.h>

typedef struct kl_living {
    kl_link link;
    /* In the child, in the handler of the fork: may set flags, nothing else. */
    void (*on_fork)(struct kl_living *member);
    /* In the process that entered it, in a handler of exit, on whatever thread ends the program.
     * May be called while the loop's thread still works. */
    void (*on_exit)(struct kl_living *member);
    bool forked; /* this process is a child of the one that entered it */
} kl_living;

typedef struct kl_living_socket {
    kl_link link;
    int fd;
} kl_living_socket;

/* false: no memory for what the system needs. */
bool kl_living_enter(kl_living *member);
void kl_living_leave(kl_living *member);

/* The process's lock, for a moment. A fork in another thread waits for it, so that a child never
 * finds it taken, nor what is done under it half done. */
void kl_living_lock(void);
void kl_living_unlock(void);

/* Under the lock: in one go with the making of the descriptor, and with its closing. */
void kl_living_add_socket(kl_living_socket *s, int fd);
void kl_living_remove_socket(kl_living_socket *s);

#endif
