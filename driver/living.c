/* SPDX-License-Identifier: BSD-2-Clause */
/* Who lives in this process. See living.h. */
#define _GNU_SOURCE /* dup3 */
#include "driver/living.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool watching;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Both under the lock. */
static kl_list members = {{&members.ends, &members.ends}};
static kl_list sockets = {{&sockets.ends, &sockets.ends}};

/* ---- Fork ---- */

void kl_living_lock(void)
{
    pthread_mutex_lock(&lock);
}

void kl_living_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* A socket that was never connected has nobody to talk to, and is never readable. */
static void exchange(int fd)
{
    /* First, so that there is a number for the new one. Only the child's own entry goes. */
    close(fd);
    int dead = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dead < 0 || dead == fd)
        return;
    dup3(dead, fd, O_CLOEXEC);
    close(dead);
}

/* Only what may be called here, in a process that perhaps had many threads: system calls and plain
 * memory. */
static void in_child(void)
{
    for (kl_link *l = kl_list_first(&sockets); l; l = kl_list_next(&sockets, l))
        exchange(KL_CONTAINER_OF(l, kl_living_socket, link)->fd);
    for (kl_link *l = kl_list_first(&members); l; l = kl_list_next(&members, l)) {
        kl_living *member = KL_CONTAINER_OF(l, kl_living, link);
        member->forked = true;
        member->on_fork(member);
    }
    kl_living_unlock();
}

/* ---- Exit ---- */

static void at_end(void)
{
    kl_living_lock();
    for (kl_link *l = kl_list_first(&members); l; l = kl_list_next(&members, l)) {
        kl_living *member = KL_CONTAINER_OF(l, kl_living, link);
        if (!member->forked)
            member->on_exit(member);
    }
    kl_living_unlock();
}

/* ---- Coming and going ---- */

static void watch(void)
{
    watching =
        pthread_atfork(kl_living_lock, kl_living_unlock, in_child) == 0 && atexit(at_end) == 0;
}

bool kl_living_enter(kl_living *member)
{
    pthread_once(&once, watch);
    if (!watching)
        return false;
    kl_living_lock();
    kl_list_push_back(&members, &member->link);
    kl_living_unlock();
    return true;
}

void kl_living_leave(kl_living *member)
{
    kl_living_lock();
    kl_list_remove(&member->link);
    kl_living_unlock();
}

void kl_living_add_socket(kl_living_socket *s, int fd)
{
    s->fd = fd;
    kl_list_push_back(&sockets, &s->link);
}

void kl_living_remove_socket(kl_living_socket *s)
{
    kl_list_remove(&s->link);
}
