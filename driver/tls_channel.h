/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection, as its files see it: tls_channel.c moves bytes and states, tls_verify.c says what
 * became of it, tls_facts.c tells about it.
 */
#ifndef KL_DRIVER_TLS_CHANNEL_H
#define KL_DRIVER_TLS_CHANNEL_H

#include "driver/tls_context.h"
#include "driver/tls_why.h"

/* How many of the peer's first bytes are kept, to know what it is that speaks no TLS. */
#define KL_TLS_FIRST_BYTES 8

struct kloop_tls_channel {
    kloop_tls *owner;
    SSL *ssl;
    kl_tls_pipe pipe;
    STACK_OF(X509) * refused; /* the chain of a peer that was not believed; else NULL */
    int64_t wall_ms;          /* when it began */
    int verdict;              /* X509_V_OK, or the first thing that is wrong */
    kloop_tls_state state;
    uint32_t generation; /* of the context */
    uint16_t port;
    bool ended;    /* no more bytes will come */
    bool finished; /* close_notify is out */
    bool untrusted;
    bool certificate_asked;
    bool said_goodbye; /* the peer: close_notify */
    int16_t alert;     /* with which the peer has ended it; -1: none */
    uint8_t first_len;
    uint8_t first[KL_TLS_FIRST_BYTES];
    char host[KL_TLS_HOST_MAX + 1];
    char trust[KL_TLS_WHERE]; /* what its context was made of */
    bool trust_is_set;
    char why[512];
};

/* What every connection of a context calls back. */
void kl_tls_channel_callbacks(SSL_CTX *ctx);

/* Who the peer must be: before the handshake. false: no memory. */
bool kl_tls_verify_begin(kloop_tls_channel *c, bool checks_host);
/* Is the peer the one he should be? After a handshake that OpenSSL is content with. */
bool kl_tls_verify_done(const kloop_tls_channel *c);

kl_tls_peer kl_tls_peer_of(const kloop_tls_channel *c);
/* FAILED, with why and untrusted told by the caller. */
void kl_tls_end_failed(kloop_tls_channel *c);
/* FAILED, after OpenSSL has said no. */
void kl_tls_fail(kloop_tls_channel *c);
/* FAILED, since the connection has ended. */
void kl_tls_fail_end(kloop_tls_channel *c);

#endif
