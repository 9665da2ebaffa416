/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver on c-ares. c-ares calls back from inside its own functions, and must not be entered
 * again or destroyed there; so its callbacks only note what came, and settle() is the last step of
 * each way in.
 */
#define _GNU_SOURCE /* what uv.h and ares.h are made of */
#include "driver/name_resolver.h"

#include "base/check.h"
#include "driver/clocks.h"
#include "driver/ip_address.h"
#include "driver/living.h"

#include <ares.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A server that does not answer is given up after 2 + 4 s; the engine has a word in it, too. */
#define TIMEOUT_MS 2000
#define TRIES      2

typedef struct query {
    kl_link link;
    kl_name_resolver *resolver;
    kloop_id id;
    bool cancelled; /* was answered, but c-ares does not know */
    size_t size;    /* of this block, name included */
    char name[];
} query;

typedef struct name_socket {
    kl_link link;
    uv_poll_t poll;
    kl_name_resolver *resolver;
    ares_socket_t fd;
    kl_living_socket living;
} name_socket;

/* ---- The library ---- */

/* c-ares counts its users without a lock, and loops of one process may live in several threads. */
static int enter_library(void)
{
    kl_living_lock();
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    kl_living_unlock();
    return status;
}

static void leave_library(void)
{
    kl_living_lock();
    ares_library_cleanup();
    kl_living_unlock();
}

/* ---- The channel and its sockets ---- */

static void on_socket_closed(uv_handle_t *handle)
{
    name_socket *s = handle->data;
    kl_name_resolver *r = s->resolver;
    kl_mem_release(&r->alloc, s, sizeof *s);
    KL_ASSERT(r->handle_count > 0);
    r->handle_count--;
    r->host.gone(r->host.me);
}

/* After this c-ares may close the descriptor; libuv has let go of it. */
static void drop_socket(name_socket *s)
{
    kl_list_remove(&s->link);
    kl_living_lock();
    kl_living_remove_socket(&s->living);
    kl_living_unlock();
    uv_close((uv_handle_t *)&s->poll, on_socket_closed);
}

static void drop_channel(kl_name_resolver *r)
{
    /* Ends the queries that are left, by their callbacks, and closes the sockets. */
    ares_destroy(r->channel);
    r->channel = NULL;
    r->deadline_ns = KLOOP_NEVER;
    while (!kl_list_is_empty(&r->sockets))
        drop_socket(KL_CONTAINER_OF(kl_list_first(&r->sockets), name_socket, link));
    KL_ASSERT(kl_list_is_empty(&r->queries));
    leave_library();
}

/* Does anybody wait for a query? */
static bool is_wanted(const kl_name_resolver *r)
{
    for (kl_link *l = kl_list_first(&r->queries); l; l = kl_list_next(&r->queries, l)) {
        if (!KL_CONTAINER_OF(l, query, link)->cancelled)
            return true;
    }
    return false;
}

/* To be called when c-ares was left. */
static void settle(kl_name_resolver *r)
{
    if (!r->channel)
        return;
    if (!is_wanted(r)) {
        drop_channel(r);
        return;
    }
    struct timeval left;
    r->deadline_ns = KLOOP_NEVER;
    if (ares_timeout(r->channel, NULL, &left)) {
        uint64_t ns = (uint64_t)left.tv_sec * 1000000000 + (uint64_t)left.tv_usec * 1000;
        /* Its clock counts microseconds: a timer that is a little early would only spin. */
        r->deadline_ns = kl_clocks_mono_ns() + ns + 1000000;
    }
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
    name_socket *s = poll->data;
    kl_name_resolver *r = s->resolver;
    bool readable = status < 0 || (events & UV_READABLE);
    bool writable = status < 0 || (events & UV_WRITABLE);
    if (r->host.woken)
        r->host.woken(r->host.me);
    ares_process_fd(r->channel, readable ? s->fd : ARES_SOCKET_BAD,
                    writable ? s->fd : ARES_SOCKET_BAD);
    settle(r);
    r->host.stirred(r->host.me);
}

static name_socket *find_socket(kl_name_resolver *r, ares_socket_t fd)
{
    for (kl_link *l = kl_list_first(&r->sockets); l; l = kl_list_next(&r->sockets, l)) {
        name_socket *s = KL_CONTAINER_OF(l, name_socket, link);
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

/* NULL: not watched, so that the query will run into its time limit. */
static name_socket *watch_socket(kl_name_resolver *r, ares_socket_t fd)
{
    name_socket *s = kl_mem_zalloc(&r->alloc, 1, sizeof *s);
    if (!s)
        return NULL;
    if (uv_poll_init(r->loop, &s->poll, fd)) {
        kl_mem_release(&r->alloc, s, sizeof *s);
        return NULL;
    }
    s->poll.data = s;
    s->resolver = r;
    s->fd = fd;
    uv_unref((uv_handle_t *)&s->poll);
    kl_living_lock();
    kl_living_add_socket(&s->living, fd);
    kl_living_unlock();
    kl_list_push_back(&r->sockets, &s->link);
    r->handle_count++;
    return s;
}

/* c-ares tells what it waits for; neither of both: it is about to close fd. */
static void on_socket_state(void *me, ares_socket_t fd, int readable, int writable)
{
    kl_name_resolver *r = me;
    name_socket *s = find_socket(r, fd);
    if (!readable && !writable) {
        if (s)
            drop_socket(s);
        return;
    }
    if (!s)
        s = watch_socket(r, fd);
    if (s)
        uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                      on_socket_event);
}

/* ARES_SUCCESS, or why there is no channel. */
static int make_channel(kl_name_resolver *r)
{
    char lookups[] = "fb"; /* files, then DNS */
    struct ares_options options;
    memset(&options, 0, sizeof options);
    options.timeout = TIMEOUT_MS;
    options.tries = TRIES;
    options.lookups = lookups;
    options.sock_state_cb = on_socket_state;
    options.sock_state_cb_data = r;
    int status = enter_library();
    if (status)
        return status;
    status = ares_init_options(&r->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                   ARES_OPT_SOCK_STATE_CB);
    if (status) {
        r->channel = NULL;
        leave_library();
        return status;
    }
    if (r->servers)
        status = ares_set_servers_ports_csv(r->channel, r->servers);
    if (status)
        drop_channel(r);
    return status;
}

/* ---- Answers ---- */

static void answer_not(kl_name_resolver *r, kloop_id id, const char *name, int status)
{
    char text[512];
    const char *more = "";
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        more = "; /etc/hosts and DNS were asked, names that only other sources of nsswitch.conf "
               "know (mDNS, myhostname, sss) are not found";
    else if (status == ARES_ECONNREFUSED || status == ARES_ETIMEOUT)
        more = "; see the nameservers in /etc/resolv.conf";
    snprintf(text, sizeof text, "resolve %.255s: %s%s", name, ares_strerror(status), more);
    r->host.answer(r->host.me, id, NULL, 0, text);
}

static void on_answer(void *me, int status, int timeouts, struct ares_addrinfo *info)
{
    query *q = me;
    kl_name_resolver *r = q->resolver;
    (void)timeouts;
    kl_list_remove(&q->link);
    if (!q->cancelled) {
        kloop_address found[KL_NAME_RESOLVER_ADDRESSES_MAX];
        size_t count = 0;
        if (status == ARES_SUCCESS) {
            for (struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
                if (count < KL_NAME_RESOLVER_ADDRESSES_MAX &&
                    kl_ip_address_from_system(n->ai_addr, &found[count]))
                    count++;
            }
        }
        if (count > 0)
            r->host.answer(r->host.me, q->id, found, count, NULL);
        else
            answer_not(r, q->id, q->name, status == ARES_SUCCESS ? ARES_ENODATA : status);
    }
    if (info)
        ares_freeaddrinfo(info);
    kl_mem_release(&r->alloc, q, q->size);
}

/* What needs nobody to be asked. localhost is one of them, so that it works where there is neither
 * an /etc/hosts nor a server; IPv4 first, for that is where brokers on a desk listen. */
static bool answer_at_once(kl_name_resolver *r, kloop_id id, const char *name)
{
    kloop_address found[2];
    size_t count = 1;
    if (strcasecmp(name, "localhost") == 0 || strcasecmp(name, "localhost.") == 0) {
        bool known =
            kl_ip_address_parse("127.0.0.1", &found[0]) && kl_ip_address_parse("::1", &found[1]);
        KL_ASSERT(known);
        count = 2;
    } else if (!kl_ip_address_parse(name, &found[0])) {
        return false;
    }
    r->host.answer(r->host.me, id, found, count, NULL);
    return true;
}

/* ---- The way in ---- */

void kl_name_resolver_init(kl_name_resolver *r, uv_loop_t *loop, const kloop_allocator *alloc,
                           const kl_name_resolver_host *host)
{
    memset(r, 0, sizeof *r);
    r->loop = loop;
    r->alloc = *alloc;
    r->host = *host;
    r->deadline_ns = KLOOP_NEVER;
    kl_list_init(&r->queries);
    kl_list_init(&r->sockets);
}

void kl_name_resolver_close(kl_name_resolver *r)
{
    for (kl_link *l = kl_list_first(&r->queries); l; l = kl_list_next(&r->queries, l))
        KL_CONTAINER_OF(l, query, link)->cancelled = true;
    settle(r);
}

void kl_name_resolver_start(kl_name_resolver *r, kloop_id id, const char *name)
{
    if (answer_at_once(r, id, name))
        return;
    size_t len = strlen(name);
    size_t size = sizeof(query) + len + 1;
    query *q = kl_mem_zalloc(&r->alloc, 1, size);
    int status = q ? ARES_SUCCESS : ARES_ENOMEM;
    if (q && !r->channel)
        status = make_channel(r);
    if (status) {
        kl_mem_release(&r->alloc, q, size);
        answer_not(r, id, name, status);
        return;
    }
    q->resolver = r;
    q->id = id;
    q->size = size;
    memcpy(q->name, name, len + 1);
    kl_list_push_back(&r->queries, &q->link);
    struct ares_addrinfo_hints hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(r->channel, q->name, NULL, &hints, on_answer, q);
    settle(r);
}

void kl_name_resolver_cancel(kl_name_resolver *r, kloop_id id)
{
    for (kl_link *l = kl_list_first(&r->queries); l; l = kl_list_next(&r->queries, l)) {
        query *q = KL_CONTAINER_OF(l, query, link);
        if (q->id.slot != id.slot || q->id.gen != id.gen || q->cancelled)
            continue;
        /* c-ares 1.18 can only cancel all; this one goes with its channel. */
        q->cancelled = true;
        r->host.answer(r->host.me, id, NULL, 0, "cancelled");
        settle(r);
        return;
    }
}

void kl_name_resolver_on_time(kl_name_resolver *r, uint64_t now_ns)
{
    if (now_ns < r->deadline_ns)
        return;
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    settle(r);
}
