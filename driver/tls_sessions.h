/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions that a later connection can take up, so that it needs no certificates again: the newest
 * one for each name and port, at most KL_TLS_SESSIONS_MAX, the one used least recently goes first.
 *
 * A session stands for a certificate that was verified for this very name, by this very trust;
 * whoever changes the trust forgets them all. One of TLS 1.3 is taken out when it is used, as its
 * tickets are for one use, so that nobody can follow them; it comes back with the next ticket.
 *
 * The row owns its sessions. Where there is no memory a session is not kept, which is no failure.
 */
#ifndef KL_DRIVER_TLS_SESSIONS_H
#define KL_DRIVER_TLS_SESSIONS_H

#include <kloop/types.h>

#include <openssl/ssl.h>

#include <stdbool.h>

#define KL_TLS_SESSIONS_MAX 256
#define KL_TLS_HOST_MAX     255

typedef struct kl_tls_session {
    SSL_SESSION *session;
    int64_t until_ms; /* by the wall clock */
    uint64_t turn;    /* the higher the later it came */
    uint16_t port;
    uint16_t host_len;
    char host[]; /* terminated */
} kl_tls_session;

typedef struct kl_tls_sessions {
    kl_tls_session *row[KL_TLS_SESSIONS_MAX];
    size_t count;
    uint64_t turns;
    kloop_allocator alloc;
} kl_tls_sessions;

void kl_tls_sessions_init(kl_tls_sessions *s, const kloop_allocator *alloc);
void kl_tls_sessions_forget_all(kl_tls_sessions *s);
void kl_tls_sessions_forget(kl_tls_sessions *s, const char *host, uint16_t port);

/* Takes the caller's reference. */
void kl_tls_sessions_put(kl_tls_sessions *s, const char *host, uint16_t port, SSL_SESSION *session,
                         int64_t wall_ms);
/* The caller's; NULL: there is none that is still good. */
SSL_SESSION *kl_tls_sessions_take(kl_tls_sessions *s, const char *host, uint16_t port,
                                  int64_t wall_ms);

#endif
