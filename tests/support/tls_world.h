/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client and a broker in one process: certificates of one CA, a kloop_tls that trusts it, a
 * server, and a wire between a channel and that server.
 *
 *     kl_tls_world w;
 *     kl_tls_world_init(&w);                        certificates and a configuration
 *     kl_tls_world_set(&w, "ssl.enabled.protocols", "TLSv1.2");
 *     kl_tls_world_open(&w);                        the kloop_tls
 *     kl_tls_world_connect(&w, "broker1");          a channel and its wire
 *     kl_tls_world_up(&w);
 *     kl_tls_world_disconnect(&w);
 *     kl_tls_world_deinit(&w);
 *
 * What fails that must not fails the cmocka test.
 */
#ifndef KL_TESTS_TLS_WORLD_H
#define KL_TESTS_TLS_WORLD_H

#include "tests/support/tls_server.h"

typedef struct kl_tls_world {
    kl_tls_pair ca, own; /* own is for broker1, *.example.org, 127.0.0.1 and ::1 */
    kloop_config *config;
    const kloop_allocator *alloc; /* NULL: the C library's */
    kloop_now now;
    kloop_tls *tls;
    SSL_CTX *server; /* of a new world: with own, both versions */
    kl_tls_wire wire;
    kloop_tls_channel *c;
} kl_tls_world;

void kl_tls_world_init(kl_tls_world *w);
void kl_tls_world_deinit(kl_tls_world *w);
void kl_tls_world_set(kl_tls_world *w, const char *key, const char *value);
void kl_tls_world_open(kl_tls_world *w);
/* Opening is refused with a sentence that has all these words in it; NULL at the end. */
void kl_tls_world_refused(kl_tls_world *w, ...);
/* Another server, with the same CA behind it or not. */
void kl_tls_world_serve(kl_tls_world *w, const kl_tls_pair *own, const kl_tls_pair *const *chain);
void kl_tls_world_connect(kl_tls_world *w, const char *host);
void kl_tls_world_disconnect(kl_tls_world *w);
/* Runs the wire; the channel must be UP then. */
void kl_tls_world_up(kl_tls_world *w);
/* Runs the wire; the channel must fail, and say all these words; NULL at the end. */
void kl_tls_world_fails(kl_tls_world *w, int untrusted, ...);
/* len bytes there and back, from slices of many sizes. */
void kl_tls_world_talk(kl_tls_world *w, size_t len);

#endif
