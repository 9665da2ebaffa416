/* SPDX-License-Identifier: BSD-2-Clause */
/* c-ares with the caller's poll. See name_lookup.h. */
#define _GNU_SOURCE
#include "cli/name_lookup.h"

#include "base/mem.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* As the producer's own resolver: 2 + 4 s for a server that says nothing. */
#define TIMEOUT_MS 2000
#define TRIES      2

struct kl_name_lookup {
    ares_channel channel; /* NULL: nobody is asked */
    bool library;
    bool over;
    char host[256];
    uint16_t port;
    struct sockaddr_storage addresses[KL_NAME_LOOKUP_ADDRESSES_MAX];
    size_t count;
    char why[400];
};

static void add(kl_name_lookup *l, const struct sockaddr *found)
{
    if (l->count == KL_NAME_LOOKUP_ADDRESSES_MAX)
        return;
    struct sockaddr_storage *to = &l->addresses[l->count];
    if (found->sa_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)to;
        memcpy(in, found, sizeof *in);
        in->sin_port = htons(l->port);
    } else if (found->sa_family == AF_INET6) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)to;
        memcpy(in, found, sizeof *in);
        in->sin6_port = htons(l->port);
    } else {
        return;
    }
    l->count++;
}

/* ---- What nobody has to be asked for ---- */

/* No shortened IPv4: "10.1" is a name, as it is for the producer. */
static bool add_literal(kl_name_lookup *l, const char *text)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found;
    struct in_addr ipv4;
    if (!strchr(text, ':') && inet_pton(AF_INET, text, &ipv4) != 1)
        return false;
    if (getaddrinfo(text, NULL, &hints, &found))
        return false;
    add(l, found->ai_addr);
    freeaddrinfo(found);
    return true;
}

static bool is_localhost(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
}

/* ---- What somebody has to be asked for ---- */

static void fail(kl_name_lookup *l, int status)
{
    const char *more = "";
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
        more = " (neither /etc/hosts nor DNS knows it)";
    else if (status == ARES_ECONNREFUSED || status == ARES_ETIMEOUT)
        more = " (see the nameservers in /etc/resolv.conf)";
    snprintf(l->why, sizeof l->why, "the name has no address: %s%s", ares_strerror(status), more);
    l->over = true;
}

static void on_answer(void *me, int status, int timeouts, struct ares_addrinfo *info)
{
    kl_name_lookup *l = me;
    (void)timeouts;
    if (status == ARES_SUCCESS) {
        for (struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next)
            add(l, n->ai_addr);
        if (l->count == 0)
            status = ARES_ENODATA;
    }
    if (info)
        ares_freeaddrinfo(info);
    l->over = true;
    if (status != ARES_SUCCESS)
        fail(l, status);
}

static int ask(kl_name_lookup *l)
{
    char lookups[] = "fb"; /* files, then DNS */
    struct ares_options options = {.timeout = TIMEOUT_MS, .tries = TRIES, .lookups = lookups};
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status)
        return status;
    l->library = true;
    status = ares_init_options(&l->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS);
    if (status) {
        l->channel = NULL;
        return status;
    }
    ares_getaddrinfo(l->channel, l->host, NULL, &hints, on_answer, l);
    return ARES_SUCCESS;
}

kl_name_lookup *kl_name_lookup_new(const char *host, uint16_t port)
{
    kl_name_lookup *l = kl_mem_zalloc(&kl_mem_libc, 1, sizeof *l);
    if (!l)
        return NULL;
    snprintf(l->host, sizeof l->host, "%s", host);
    l->port = port;
    if (is_localhost(l->host)) {
        l->over = add_literal(l, "127.0.0.1") && add_literal(l, "::1");
        return l;
    }
    l->over = add_literal(l, l->host);
    if (!l->over) {
        int status = ask(l);
        if (status)
            fail(l, status);
    }
    return l;
}

void kl_name_lookup_del(kl_name_lookup *l)
{
    if (!l)
        return;
    if (l->channel)
        ares_destroy(l->channel);
    if (l->library)
        ares_library_cleanup();
    kl_mem_release(&kl_mem_libc, l, sizeof *l);
}

/* ---- The loop ---- */

_Static_assert(KL_NAME_LOOKUP_FDS_MAX >= ARES_GETSOCK_MAXNUM, "c-ares may have so many sockets");

size_t kl_name_lookup_watch(kl_name_lookup *l, struct pollfd *fds, int *timeout_ms)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    size_t count = 0;
    struct timeval left;
    if (l->over || !l->channel)
        return 0;
    /* Its own macros shift an int into its sign. */
    unsigned bits = (unsigned)ares_getsock(l->channel, sockets, ARES_GETSOCK_MAXNUM);
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        int events =
            (bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0);
        if (events)
            fds[count++] = (struct pollfd){.fd = sockets[i], .events = (short)events};
    }
    if (ares_timeout(l->channel, NULL, &left)) {
        long ms = left.tv_sec * 1000 + left.tv_usec / 1000 + 1;
        if (ms < *timeout_ms)
            *timeout_ms = (int)ms;
    }
    return count;
}

void kl_name_lookup_step(kl_name_lookup *l, const struct pollfd *fds, size_t count)
{
    if (l->over || !l->channel)
        return;
    for (size_t i = 0; i < count && !l->over; i++) {
        bool failed = fds[i].revents & (POLLERR | POLLHUP);
        ares_process_fd(l->channel,
                        failed || (fds[i].revents & POLLIN) ? fds[i].fd : ARES_SOCKET_BAD,
                        failed || (fds[i].revents & POLLOUT) ? fds[i].fd : ARES_SOCKET_BAD);
    }
    if (!l->over)
        ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* ---- What came of it ---- */

bool kl_name_lookup_is_over(const kl_name_lookup *l)
{
    return l->over;
}

size_t kl_name_lookup_count(const kl_name_lookup *l)
{
    return l->count;
}

const struct sockaddr *kl_name_lookup_at(const kl_name_lookup *l, size_t index, socklen_t *len)
{
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&l->addresses[index];
    *len = address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    return address;
}

const char *kl_name_lookup_why(const kl_name_lookup *l)
{
    return l->why;
}

void kl_address_text(const struct sockaddr *address, char text[KL_ADDRESS_TEXT_MAX])
{
    char host[64], service[8];
    socklen_t len =
        address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (getnameinfo(address, len, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        snprintf(text, KL_ADDRESS_TEXT_MAX, "an address without a text");
        return;
    }
    snprintf(text, KL_ADDRESS_TEXT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, service);
}
