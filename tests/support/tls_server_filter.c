/* SPDX-License-Identifier: BSD-2-Clause */
/* A TLS server over memory, one SSL for each connection. */
#include "tests/support/tls_server_filter.h"

#include "base/check.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAW_MAX    65536
#define OUT_ENOUGH 262144

typedef struct filter {
    tls_server *server;
    SSL *ssl;
    BIO *in;
    BIO *out;
    kl_filter_state state;
    size_t bytes_sent;
    uint8_t raw[RAW_MAX];
} filter;

static void note(filter *f, int answer)
{
    int error = SSL_get_error(f->ssl, answer);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return;
    if (error == SSL_ERROR_ZERO_RETURN) {
        f->state = KL_FILTER_ENDED;
        f->server->farewells++;
        return;
    }
    /* OpenSSL says nothing to those who do not speak TLS at all; Java's brokers do. */
    static const uint8_t internal_error[] = {0x15, 3, 3, 0, 2, 2, 80};
    if (f->state == KL_FILTER_SHAKING && BIO_ctrl_pending(f->out) == 0)
        BIO_write(f->out, internal_error, sizeof internal_error);
    f->state = KL_FILTER_FAILED;
    f->server->failed++;
    ERR_error_string_n(ERR_peek_last_error(), f->server->why, sizeof f->server->why);
}

static void shake(filter *f)
{
    ERR_clear_error();
    int done = SSL_do_handshake(f->ssl);
    if (done != 1) {
        note(f, done);
        return;
    }
    f->state = KL_FILTER_UP;
    f->server->shaken++;
    f->server->resumed += SSL_session_reused(f->ssl) != 0;
    const char *name = SSL_get_servername(f->ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(f->server->sni, sizeof f->server->sni, "%s", name ? name : "");
}

static uint8_t *receive_space(void *me, size_t *room)
{
    filter *f = me;
    *room = f->state >= KL_FILTER_ENDED ? 0 : RAW_MAX;
    return *room ? f->raw : NULL;
}

static void received(void *me, size_t n)
{
    filter *f = me;
    int put = BIO_write(f->in, f->raw, (int)n);
    KL_ASSERT(put == (int)n);
    if (f->state == KL_FILTER_SHAKING)
        shake(f);
}

static void received_end(void *me)
{
    filter *f = me;
    if (f->state < KL_FILTER_ENDED)
        f->state = KL_FILTER_FAILED;
}

static size_t read_plain(void *me, uint8_t *to, size_t room)
{
    filter *f = me;
    if (f->state != KL_FILTER_UP)
        return 0;
    ERR_clear_error();
    int n = SSL_read(f->ssl, to, room < 1u << 20 ? (int)room : 1 << 20);
    if (n > 0)
        return (size_t)n;
    note(f, n);
    return 0;
}

static size_t write_plain(void *me, const kloop_slice *slices, size_t count)
{
    filter *f = me;
    size_t taken = 0;
    if (f->server->renews_keys)
        SSL_key_update(f->ssl, SSL_KEY_UPDATE_REQUESTED);
    for (size_t i = 0; i < count && f->state == KL_FILTER_UP; i++) {
        if (BIO_ctrl_pending(f->out) >= OUT_ENOUGH)
            break;
        if (slices[i].len == 0)
            continue;
        ERR_clear_error();
        int n = SSL_write(f->ssl, slices[i].data, (int)slices[i].len);
        if (n <= 0) {
            note(f, n);
            break;
        }
        taken += (size_t)n;
        if ((size_t)n < slices[i].len)
            break;
    }
    return taken;
}

static void finish(void *me)
{
    (void)SSL_shutdown(((filter *)me)->ssl);
}

static kloop_slice output(const void *me)
{
    const filter *f = me;
    char *bytes;
    long len = BIO_get_mem_data(f->out, &bytes);
    kloop_slice out = {(const uint8_t *)bytes, len > 0 ? (size_t)len : 0};
    if (f->server->pieces_max && out.len > f->server->pieces_max)
        out.len = f->server->pieces_max;
    size_t limit = f->server->mute_after;
    if (limit && out.len > limit - f->bytes_sent)
        out.len = limit - f->bytes_sent;
    return out;
}

static void sent(void *me, size_t n)
{
    filter *f = me;
    uint8_t sink[4096];
    f->bytes_sent += n;
    while (n > 0) {
        int got = BIO_read(f->out, sink, n < sizeof sink ? (int)n : (int)sizeof sink);
        KL_ASSERT(got > 0);
        n -= (size_t)got;
    }
}

static kl_filter_state state(const void *me)
{
    return ((const filter *)me)->state;
}

static const char *why(const void *me)
{
    return ((const filter *)me)->server->why;
}

static bool is_untrusted(const void *me)
{
    (void)me;
    return false;
}

static void del(void *me)
{
    filter *f = me;
    f->server->live--;
    /* Without a farewell the session is as good as any. */
    SSL_set_shutdown(f->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(f->ssl);
    free(f);
}

static const kl_byte_filter_type server_side = {
    .name = "TLS server",
    .state = state,
    .why = why,
    .is_untrusted = is_untrusted,
    .receive_space = receive_space,
    .received = received,
    .received_end = received_end,
    .read = read_plain,
    .write = write_plain,
    .finish = finish,
    .output = output,
    .sent = sent,
    .del = del,
};

static kloop_status make(void *me, kl_byte_filter *to, kloop_string host, uint16_t port,
                         kloop_now now, kloop_error *error)
{
    tls_server *s = me;
    (void)host;
    (void)port;
    (void)now;
    (void)error;
    filter *f = calloc(1, sizeof *f);
    KL_ASSERT(f);
    f->server = s;
    f->ssl = SSL_new(s->ctx);
    f->in = BIO_new(BIO_s_mem());
    f->out = BIO_new(BIO_s_mem());
    KL_ASSERT(f->ssl && f->in && f->out);
    SSL_set_bio(f->ssl, f->in, f->out);
    SSL_set_accept_state(f->ssl);
    s->live++;
    *to = (kl_byte_filter){&server_side, f};
    return KLOOP_OK;
}

kl_byte_filter_maker tls_server_maker(tls_server *s)
{
    return (kl_byte_filter_maker){make, s};
}
