/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The broker's side of a TLS connection for tests: OpenSSL's server over memory, and the wire
 * between it and a channel, on which bytes can be cut into pieces, changed and lost.
 *
 * A server is made of a context, which a test may change before connections are made. The wire owns
 * the bytes that are on their way. What fails that cannot fail aborts.
 */
#ifndef KL_TESTS_TLS_SERVER_H
#define KL_TESTS_TLS_SERVER_H

#include "tests/support/tls_certificates.h"

#include <kloop/tls.h>

#include <openssl/ssl.h>

/* A context for servers that show this certificate and those in chain (NULL at its end; NULL:
 * none). */
SSL_CTX *kl_tls_server_context(const kl_tls_pair *own, const kl_tls_pair *const *chain);
/* From now on clients must have a certificate of this CA. */
void kl_tls_server_demand(SSL_CTX *ctx, const kl_tls_pair *ca);

typedef struct kl_tls_wire {
    kloop_tls_channel *client;
    SSL *server;
    BIO *to_server, *from_server;
    size_t piece_max; /* bytes that go at a time; 0: all */
    uint64_t sent[2]; /* bytes that have gone from [0] the client, [1] the server */
    uint64_t flip_at; /* the byte of [flip_side] that is changed; UINT64_MAX: none */
    uint64_t stop_at; /* no byte of [stop_side] goes beyond; UINT64_MAX: all go */
    int flip_side, stop_side;
    uint8_t flip_mask;
    int server_error; /* what SSL_get_error said last */
    bool server_up;
} kl_tls_wire;

void kl_tls_wire_init(kl_tls_wire *w, kloop_tls_channel *client, SSL_CTX *server);
void kl_tls_wire_deinit(kl_tls_wire *w);

/* Moves bytes until nothing moves any more; the handshake of the server goes on meanwhile. Plain
 * text is left inside: see kl_tls_wire_read. */
void kl_tls_wire_run(kl_tls_wire *w);
/* The client's end: reads plain text, running the wire meanwhile; answers how much. */
size_t kl_tls_wire_read(kl_tls_wire *w, uint8_t *to, size_t room);
/* The server's end. */
size_t kl_tls_wire_server_read(kl_tls_wire *w, uint8_t *to, size_t room);
void kl_tls_wire_server_write(kl_tls_wire *w, const void *bytes, size_t len);

#endif
