/* SPDX-License-Identifier: BSD-2-Clause */
/* Is the peer who he should be, and if it all fails, why. See tls_channel.h. */
#define _POSIX_C_SOURCE 200809L /* inet_pton */
#include "driver/tls_channel.h"

#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

kl_tls_peer kl_tls_peer_of(const kloop_tls_channel *c)
{
    return (kl_tls_peer){.host = c->host,
                         .trust = c->trust,
                         .port = c->port,
                         .trust_is_set = c->trust_is_set,
                         .certificate_asked = c->certificate_asked,
                         .certificate_sent =
                             c->certificate_asked && SSL_get_certificate(c->ssl) != NULL};
}

/* ---- Who he must be ---- */

/* "fe80::1%eth0" is fe80::1 in a certificate. */
static bool is_address(const char *host, char text[INET6_ADDRSTRLEN])
{
    uint8_t bytes[16];
    size_t len = strcspn(host, "%");
    if (len >= INET6_ADDRSTRLEN)
        return false;
    memcpy(text, host, len);
    text[len] = 0;
    return inet_pton(AF_INET6, text, bytes) == 1 ||
           (!host[len] && inet_pton(AF_INET, text, bytes) == 1);
}

bool kl_tls_verify_begin(kloop_tls_channel *c, bool checks_host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(c->ssl);
    X509_VERIFY_PARAM_set_time(param, (time_t)(c->wall_ms / 1000));
    char address[INET6_ADDRSTRLEN];
    bool is_name = !is_address(c->host, address);
    if (is_name && !SSL_set_tlsext_host_name(c->ssl, c->host))
        return false;
    if (!checks_host)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return is_name ? X509_VERIFY_PARAM_set1_host(param, c->host, 0)
                   : X509_VERIFY_PARAM_set1_ip_asc(param, address);
}

/* Called for each certificate of a chain; the first no is what is told, and it stays a no. */
static int on_certificate(int ok, X509_STORE_CTX *store)
{
    if (ok)
        return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    kloop_tls_channel *c = SSL_get_app_data(ssl);
    if (c->verdict != X509_V_OK)
        return 0;
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);
    c->verdict = X509_STORE_CTX_get_error(store);
    c->refused = sent ? X509_chain_up_ref(sent) : NULL;
    c->untrusted = c->verdict != X509_V_ERR_OUT_OF_MEM;
    kl_tls_peer peer = kl_tls_peer_of(c);
    kl_tls_why_refused(&peer, c->verdict, X509_STORE_CTX_get_error_depth(store),
                       X509_STORE_CTX_get_current_cert(store), sk_X509_num(sent) == 1, c->wall_ms,
                       c->why, sizeof c->why);
    return 0;
}

bool kl_tls_verify_done(const kloop_tls_channel *c)
{
    /* OpenSSL has seen to both. A peer without a certificate there is with suites that are not
     * spoken; if one ever comes through, it ends here. */
    return c->verdict == X509_V_OK && SSL_get_verify_result(c->ssl) == X509_V_OK &&
           SSL_get0_peer_certificate(c->ssl) != NULL;
}

/* ---- What comes on the way ---- */

static int on_certificate_asked(SSL *ssl, void *me)
{
    (void)me;
    kloop_tls_channel *c = SSL_get_app_data(ssl);
    c->certificate_asked = true;
    return 1;
}

/* Not from OpenSSL's errors, among which the host's may be. */
static void on_info(const SSL *ssl, int where, int value)
{
    if (!(where & SSL_CB_READ) || !(where & SSL_CB_ALERT))
        return;
    kloop_tls_channel *c = SSL_get_app_data(ssl);
    int alert = value & 0xff;
    bool fatal = value >> 8 == SSL3_AL_FATAL;
    /* In 1.3 the level says nothing, and all but these two are fatal. */
    if (SSL_version(ssl) == TLS1_3_VERSION)
        fatal = alert != SSL_AD_USER_CANCELLED;
    if (alert == SSL_AD_CLOSE_NOTIFY)
        c->said_goodbye = true;
    else if (fatal)
        c->alert = (int16_t)alert;
}

/* 1: the reference is ours. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    kloop_tls_channel *c = SSL_get_app_data(ssl);
    kloop_tls *t = c->owner;
    /* A session says no more than what was verified, by the trust that holds today. */
    if (c->generation != t->generation || c->verdict != X509_V_OK || c->state == KLOOP_TLS_FAILED ||
        SSL_get_verify_result(ssl) != X509_V_OK)
        return 0;
    kl_tls_sessions_put(&t->sessions, c->host, c->port, session, c->wall_ms);
    return 1;
}

void kl_tls_channel_callbacks(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_certificate);
    SSL_CTX_set_cert_cb(ctx, on_certificate_asked, NULL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_info_callback(ctx, on_info);
}

/* ---- The end ---- */

void kl_tls_end_failed(kloop_tls_channel *c)
{
    /* A connection that was only cut can be taken up where it was. */
    if (c->state == KLOOP_TLS_SHAKING || c->untrusted)
        kl_tls_sessions_forget(&c->owner->sessions, c->host, c->port);
    c->state = KLOOP_TLS_FAILED;
    kl_tls_pipe_in_drop(&c->pipe);
}

void kl_tls_fail(kloop_tls_channel *c)
{
    bool up = c->state == KLOOP_TLS_UP;
    kl_tls_peer peer = kl_tls_peer_of(c);
    if (c->verdict != X509_V_OK) {
        /* The sentence is there. */
    } else if (c->pipe.out_failed) {
        snprintf(
            c->why, sizeof c->why,
            "there is no memory for the TLS connection to %s:%u, or the broker takes nothing of "
            "what it asks for",
            c->host, c->port);
    } else if (!up && kl_tls_why_no_tls(&peer, c->first, c->first_len, c->why, sizeof c->why)) {
        c->untrusted = true;
    } else if (c->alert >= 0) {
        kl_tls_why_alert(&peer, c->alert, up, &c->untrusted, c->why, sizeof c->why);
    } else {
        kl_tls_why_else(&peer, up, &c->untrusted, c->why, sizeof c->why);
    }
    kl_tls_end_failed(c);
}

void kl_tls_fail_end(kloop_tls_channel *c)
{
    kl_tls_peer peer = kl_tls_peer_of(c);
    if (c->state == KLOOP_TLS_UP)
        snprintf(c->why, sizeof c->why,
                 "the connection to %s:%u has ended without a goodbye of TLS (close_notify)",
                 c->host, c->port);
    else if (kl_tls_why_no_tls(&peer, c->first, c->first_len, c->why, sizeof c->why))
        c->untrusted = true;
    else
        kl_tls_why_hung_up(&peer, c->pipe.in_total_bytes, c->why, sizeof c->why);
    kl_tls_end_failed(c);
}
