/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's end of TLS for tests, with OpenSSL and nothing of kloop's own TLS: a filter for
 * kl_loop_broker_set_filters(), or for whoever has a socket.
 *
 * The context is the caller's, with certificate, key and whatever else the server is to demand; a
 * change counts for connections that come later. What OpenSSL says when a handshake fails is kept
 * in why, the latest alone. pieces_max cuts what is sent into pieces of so many bytes at most, so
 * that records come split; mute_after stalls in the middle of anything.
 */
#ifndef KL_TESTS_SUPPORT_TLS_SERVER_FILTER_H
#define KL_TESTS_SUPPORT_TLS_SERVER_FILTER_H

#include "driver/byte_filter.h"

#include <openssl/ssl.h>

typedef struct tls_server {
    SSL_CTX *ctx;
    size_t pieces_max; /* 0: as it is */
    size_t mute_after; /* a connection sends so many bytes and then nothing; 0: no such limit */
    bool renews_keys;  /* asks for new keys with each answer */
    size_t live;
    size_t shaken; /* handshakes that were done */
    size_t resumed;
    size_t failed;
    size_t farewells; /* close_notify of clients */
    char why[256];
    char sni[256]; /* the name that was asked for last */
} tls_server;

kl_byte_filter_maker tls_server_maker(tls_server *s);

#endif
