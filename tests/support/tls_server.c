/* SPDX-License-Identifier: BSD-2-Clause */
/* The broker's side. See tls_server.h. */
#include "tests/support/tls_server.h"

#include <openssl/err.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "tls_server: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

SSL_CTX *kl_tls_server_context(const kl_tls_pair *own, const kl_tls_pair *const *chain)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    must(ctx && SSL_CTX_use_certificate(ctx, own->certificate) &&
             SSL_CTX_use_PrivateKey(ctx, own->key),
         "the server's context");
    for (size_t i = 0; chain && chain[i]; i++)
        must(SSL_CTX_add1_chain_cert(ctx, chain[i]->certificate), "the chain");
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"kloop", 5);
    return ctx;
}

/* The clock of the tests is years ahead. */
static int whatever_the_time(int ok, X509_STORE_CTX *store)
{
    (void)store;
    return ok;
}

void kl_tls_server_demand(SSL_CTX *ctx, const kl_tls_pair *ca)
{
    must(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca->certificate), "the client's CA");
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), (time_t)(KL_TLS_TEST_WALL_MS / 1000));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, whatever_the_time);
}

void kl_tls_wire_init(kl_tls_wire *w, kloop_tls_channel *client, SSL_CTX *server)
{
    *w = (kl_tls_wire){.client = client,
                       .flip_at = UINT64_MAX,
                       .stop_at = UINT64_MAX,
                       .flip_mask = 0x40,
                       .server = SSL_new(server),
                       .to_server = BIO_new(BIO_s_mem()),
                       .from_server = BIO_new(BIO_s_mem())};
    must(w->server && w->to_server && w->from_server, "a server");
    SSL_set_bio(w->server, w->to_server, w->from_server);
    SSL_set_accept_state(w->server);
}

void kl_tls_wire_deinit(kl_tls_wire *w)
{
    SSL_set_shutdown(w->server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(w->server);
    ERR_clear_error();
}

/* How many of n bytes go now, with what happens to them on the way. */
static size_t pass(kl_tls_wire *w, int side, uint8_t *bytes, size_t n)
{
    if (w->piece_max && n > w->piece_max)
        n = w->piece_max;
    uint64_t from = w->sent[side];
    if (side == w->stop_side && from + n > w->stop_at)
        n = w->stop_at > from ? (size_t)(w->stop_at - from) : 0;
    if (side == w->flip_side && w->flip_at >= from && w->flip_at < from + n)
        bytes[w->flip_at - from] ^= w->flip_mask;
    w->sent[side] += n;
    return n;
}

static bool to_server(kl_tls_wire *w)
{
    uint8_t bytes[65536];
    kloop_slice out = kloop_tls_output(w->client);
    size_t n = out.len < sizeof bytes ? out.len : sizeof bytes;
    memcpy(bytes, out.data, n);
    n = pass(w, 0, bytes, n);
    if (n == 0)
        return false;
    must(BIO_write(w->to_server, bytes, (int)n) == (int)n, "a write");
    kloop_tls_sent(w->client, n);
    return true;
}

static bool to_client(kl_tls_wire *w)
{
    char *waiting;
    size_t n = (size_t)BIO_get_mem_data(w->from_server, &waiting), room;
    uint8_t *space = n ? kloop_tls_receive_space(w->client, &room) : NULL;
    if (!space)
        return false;
    n = n < room ? n : room;
    uint8_t bytes[65536];
    if (n > sizeof bytes)
        n = sizeof bytes;
    memcpy(bytes, waiting, n);
    n = pass(w, 1, bytes, n);
    if (n == 0)
        return false;
    must(BIO_read(w->from_server, space, (int)n) == (int)n, "a read");
    memcpy(space, bytes, n);
    kloop_tls_received(w->client, n);
    return true;
}

static void go_on(kl_tls_wire *w)
{
    if (!w->server_up) {
        ERR_clear_error();
        int done = SSL_do_handshake(w->server);
        w->server_error = SSL_get_error(w->server, done);
        w->server_up = done == 1;
        ERR_clear_error();
    }
}

void kl_tls_wire_run(kl_tls_wire *w)
{
    for (bool moved = true; moved;) {
        moved = to_server(w);
        go_on(w);
        moved |= to_client(w);
    }
}

size_t kl_tls_wire_read(kl_tls_wire *w, uint8_t *to, size_t room)
{
    size_t got = 0;
    for (bool moved = true; moved && got < room;) {
        size_t n = kloop_tls_read(w->client, to + got, room - got);
        got += n;
        moved = n > 0 || to_client(w);
        moved |= to_server(w);
    }
    return got;
}

size_t kl_tls_wire_server_read(kl_tls_wire *w, uint8_t *to, size_t room)
{
    size_t got = 0;
    for (bool moved = true; moved && got < room;) {
        size_t n = 0;
        ERR_clear_error();
        int done = SSL_read_ex(w->server, to + got, room - got, &n);
        w->server_error = SSL_get_error(w->server, done);
        ERR_clear_error();
        got += n;
        moved = n > 0;
        moved |= to_server(w);
    }
    return got;
}

void kl_tls_wire_server_write(kl_tls_wire *w, const void *bytes, size_t len)
{
    size_t n;
    must(SSL_write_ex(w->server, bytes, len, &n) == 1 && n == len, "the server's write");
}
