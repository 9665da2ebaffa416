/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions to be taken up. See tls_sessions.h. */
#include "driver/tls_sessions.h"

#include "base/mem.h"
#include "driver/tls_why.h"

#include <string.h>

void kl_tls_sessions_init(kl_tls_sessions *s, const kloop_allocator *alloc)
{
    memset(s, 0, sizeof *s);
    s->alloc = *alloc;
}

static void drop(kl_tls_sessions *s, size_t index)
{
    kl_tls_session *entry = s->row[index];
    s->row[index] = s->row[--s->count];
    SSL_SESSION_free(entry->session);
    kl_mem_release(&s->alloc, entry, sizeof *entry + entry->host_len + 1u);
}

void kl_tls_sessions_forget_all(kl_tls_sessions *s)
{
    while (s->count > 0)
        drop(s, s->count - 1);
}

/* The place of an entry; count: there is none. */
static size_t find(const kl_tls_sessions *s, const char *host, uint16_t port)
{
    size_t i = 0;
    while (i < s->count && (s->row[i]->port != port || strcmp(s->row[i]->host, host) != 0))
        i++;
    return i;
}

void kl_tls_sessions_forget(kl_tls_sessions *s, const char *host, uint16_t port)
{
    size_t at = find(s, host, port);
    if (at < s->count)
        drop(s, at);
}

static void drop_oldest(kl_tls_sessions *s)
{
    size_t oldest = 0;
    for (size_t i = 1; i < s->count; i++)
        if (s->row[i]->turn < s->row[oldest]->turn)
            oldest = i;
    drop(s, oldest);
}

/* A session lasts no longer than its ticket, nor than the certificate that it stands for. */
static int64_t good_until(const SSL_SESSION *session, int64_t wall_ms)
{
    int64_t until_ms = wall_ms + (int64_t)SSL_SESSION_get_timeout(session) * 1000;
    const X509 *certificate = SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);
    if (certificate) {
        int64_t expires_ms = kl_tls_time_ms(X509_get0_notAfter(certificate));
        if (expires_ms < until_ms)
            until_ms = expires_ms;
    }
    return until_ms;
}

void kl_tls_sessions_put(kl_tls_sessions *s, const char *host, uint16_t port, SSL_SESSION *session,
                         int64_t wall_ms)
{
    kl_tls_sessions_forget(s, host, port);
    if (s->count == KL_TLS_SESSIONS_MAX)
        drop_oldest(s);
    size_t len = strlen(host);
    kl_tls_session *entry = kl_mem_alloc(&s->alloc, sizeof *entry + len + 1);
    if (!entry) {
        SSL_SESSION_free(session);
        return;
    }
    *entry = (kl_tls_session){.session = session,
                              .until_ms = good_until(session, wall_ms),
                              .turn = ++s->turns,
                              .port = port,
                              .host_len = (uint16_t)len};
    memcpy(entry->host, host, len + 1);
    s->row[s->count++] = entry;
}

SSL_SESSION *kl_tls_sessions_take(kl_tls_sessions *s, const char *host, uint16_t port,
                                  int64_t wall_ms)
{
    size_t at = find(s, host, port);
    if (at == s->count)
        return NULL;
    SSL_SESSION *session = NULL;
    if (wall_ms < s->row[at]->until_ms && SSL_SESSION_is_resumable(s->row[at]->session)) {
        session = s->row[at]->session;
        SSL_SESSION_up_ref(session);
    }
    if (!session || SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)
        drop(s, at);
    else
        s->row[at]->turn = ++s->turns;
    return session;
}
