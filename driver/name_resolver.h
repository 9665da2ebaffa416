/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to addresses, on the loop and without a thread: IP literals and localhost at once, all
 * else by c-ares, which reads /etc/hosts and asks the DNS servers of /etc/resolv.conf.
 *
 *     start ---- literal, localhost, /etc/hosts ------------------> answer, inside the call
 *       |
 *       +------- query --> sockets, deadline ---- DNS answers ----> answer, from the loop
 *                                |                or never
 *                                +--------------- cancel ---------> answer without addresses
 *
 * The channel of c-ares is made for the first query and given back after the last one: so each
 * group of queries sees the resolv.conf of its day, and an idle resolver holds no socket.
 *
 * Who owns what: the resolver owns its channel, its sockets' handles and its queries; the host owns
 * the resolver and keeps it until gone was called for every handle (handle_count == 0). No handle
 * keeps the loop alive; who waits for an answer does that.
 *
 * What can fail: everything, and all of it is an answer without addresses and with a reason.
 */
#ifndef KL_DRIVER_NAME_RESOLVER_H
#define KL_DRIVER_NAME_RESOLVER_H

#include "base/list.h"
#include "base/mem.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <uv.h>

struct ares_channeldata;

/* More addresses than this of one name are not looked at. */
#define KL_NAME_RESOLVER_ADDRESSES_MAX 64

/* What the resolver tells its host. None of them may call the resolver. */
typedef struct kl_name_resolver_host {
    /* The one answer to a start. why is NULL when there are addresses. */
    void (*answer)(void *me, kloop_id id, const kloop_address *addresses, size_t count,
                   const char *why);
    /* An event of the loop was worked on: the deadline may be another now. */
    void (*stirred)(void *me);
    /* A handle is closed. */
    void (*gone)(void *me);
    void *me;
    /* An event of the loop has come, and an answer may follow: time has passed. May be NULL. */
    void (*woken)(void *me);
} kl_name_resolver_host;

typedef struct kl_name_resolver {
    uv_loop_t *loop;
    kloop_allocator alloc;
    kl_name_resolver_host host;
    const char *servers;              /* "127.0.0.1:5300"; NULL: those of the system. For tests */
    struct ares_channeldata *channel; /* NULL while there are no queries */
    kl_list queries;
    kl_list sockets;
    size_t handle_count; /* open and closing ones */
    uint64_t deadline_ns;
} kl_name_resolver;

/* Allocates nothing; the table is copied. */
void kl_name_resolver_init(kl_name_resolver *r, uv_loop_t *loop, const kloop_allocator *alloc,
                           const kl_name_resolver_host *host);

/* Ends all queries without an answer and begins to close all handles. */
void kl_name_resolver_close(kl_name_resolver *r);

/* name is only read in the call. The answer may come inside it. */
void kl_name_resolver_start(kl_name_resolver *r, kloop_id id, const char *name);
/* The answer comes inside the call, if it has not come before. */
void kl_name_resolver_cancel(kl_name_resolver *r, kloop_id id);

/* When on_time wants to be called, in kl_clocks_mono_ns(); KLOOP_NEVER while nothing is asked. */
static inline uint64_t kl_name_resolver_deadline(const kl_name_resolver *r)
{
    return r->deadline_ns;
}
void kl_name_resolver_on_time(kl_name_resolver *r, uint64_t now_ns);

#endif
