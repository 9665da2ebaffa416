/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TLS connection. See <kloop/tls.h>.
 *
 *                          handshake done, peer verified           close_notify
 *     channel_new --> SHAKING ----------------------------> UP --------------------> ENDED
 *                        |                                  |
 *                        |  not trusted, refused, no TLS,   |  bytes that were changed, alerts,
 *                        |  end of the connection           |  end without close_notify
 *                        +---------------> FAILED <---------+
 *
 * Bytes move only inside the functions here: received() goes on with the handshake, read() and
 * write() do one record at a time. OpenSSL never waits, as what it writes is always taken
 * (tls_bytes.h); if it stops, it is for bytes of the peer.
 */
#include "driver/tls_channel.h"

#include "base/check.h"
#include "base/wipe.h"

#include <stdio.h>
#include <string.h>

/* What a record costs beside its plain text, TLS 1.2 with CBC included. */
#define RECORD_OVERHEAD_BYTES 512u
/* Less than so much may be a password on its way: it does not stay where it was gathered. */
#define WIPE_BELOW_BYTES 4096u

/* ---- From nothing to UP ---- */

static kloop_status take_host(kloop_tls_channel *c, kloop_string host, kloop_error *error)
{
    /* "broker1." and "broker1" are one name, and certificates have the second. */
    size_t len = host.len;
    if (len > 1 && host.data[len - 1] == '.')
        len--;
    /* OpenSSL takes one that begins in a dot for all names that end in it. */
    if (!host.data || len == 0 || len > KL_TLS_HOST_MAX || memchr(host.data, 0, len) ||
        host.data[0] == '.')
        return kl_tls_refuse(
            error, KLOOP_BAD_ARGUMENT,
            "a host of %zu bytes is no name that a certificate could be for: it is "
            "1 to %d bytes without NUL, and does not begin with a dot",
            host.len, KL_TLS_HOST_MAX);
    memcpy(c->host, host.data, len);
    c->host[len] = 0;
    return KLOOP_OK;
}

static bool begin(kloop_tls_channel *c)
{
    kloop_tls *t = c->owner;
    c->ssl = SSL_new(t->ctx);
    BIO *bio = c->ssl ? kl_tls_bytes_bio_new(t->method, &c->pipe) : NULL;
    if (!bio)
        return false;
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_app_data(c->ssl, c);
    SSL_set_connect_state(c->ssl);
    if (!kl_tls_verify_begin(c, t->settings.checks_host))
        return false;
    SSL_SESSION *session = kl_tls_sessions_take(&t->sessions, c->host, c->port, c->wall_ms);
    if (session) {
        SSL_set_session(c->ssl, session);
        SSL_SESSION_free(session);
    }
    return true;
}

/* OpenSSL has stopped: for bytes, which is no news, or for good. */
static void stopped(kloop_tls_channel *c)
{
    bool wants = c->pipe.in_ran_dry && SSL_want_read(c->ssl) && !c->pipe.out_failed;
    if (wants && !c->ended)
        return;
    if (wants)
        kl_tls_fail_end(c);
    else
        kl_tls_fail(c);
}

static void shake(kloop_tls_channel *c)
{
    c->pipe.in_ran_dry = false;
    if (SSL_do_handshake(c->ssl) != 1) {
        stopped(c);
        return;
    }
    if (kl_tls_verify_done(c)) {
        /* A warning that did not end the handshake will not have ended what comes after it; and
         * whoever is on the way can say one before there are keys. */
        c->alert = -1;
        c->state = KLOOP_TLS_UP;
        return;
    }
    c->untrusted = true;
    snprintf(c->why, sizeof c->why, "%s:%u has shown no certificate", c->host, c->port);
    kl_tls_end_failed(c);
}

kloop_status kloop_tls_channel_new(kloop_tls_channel **out, kloop_tls *t, kloop_string host,
                                   uint16_t port, kloop_now now, kloop_error *error)
{
    kloop_error ignored;
    if (!error)
        error = &ignored;
    *out = NULL;
    kl_tls_refuse(error, KLOOP_OK, "%s", "");
    kloop_tls_channel *c = kl_mem_zalloc(&t->alloc, 1, sizeof *c);
    if (!c)
        return kl_tls_refuse_memory(error);
    c->owner = t;
    c->port = port;
    c->alert = -1;
    c->wall_ms = now.wall_ms;
    t->channel_count++;
    kl_tls_pipe_init(&c->pipe, &t->spares);
    kloop_status status = take_host(c, host, error);
    kl_tls_errors_begin();
    if (status == KLOOP_OK) {
        kl_tls_context_renew(t, now);
        c->generation = t->generation;
        c->trust_is_set = t->trust.is_set;
        memcpy(c->trust, t->trust.source, sizeof c->trust);
        if (begin(c))
            shake(c);
        else
            status = kl_tls_refuse_memory(error);
    }
    kl_tls_errors_end();
    /* What fails before a byte has come is not the peer's doing. */
    if (status == KLOOP_OK && c->pipe.out_failed)
        status = kl_tls_refuse_memory(error);
    if (status == KLOOP_OK)
        *out = c;
    else
        kloop_tls_channel_del(c);
    return status;
}

void kloop_tls_channel_del(kloop_tls_channel *c)
{
    if (!c)
        return;
    kloop_tls *t = c->owner;
    kl_tls_errors_begin();
    if (c->ssl) {
        /* Else OpenSSL takes the session for a bad one, since it saw no end. */
        SSL_set_quiet_shutdown(c->ssl, 1);
        SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(c->ssl);
    }
    sk_X509_pop_free(c->refused, X509_free);
    kl_tls_errors_end();
    kl_tls_pipe_deinit(&c->pipe);
    t->channel_count--;
    kl_mem_release(&t->alloc, c, sizeof *c);
}

kloop_tls_state kloop_tls_state_of(const kloop_tls_channel *c)
{
    return c->state;
}

const char *kloop_tls_why(const kloop_tls_channel *c)
{
    return c->state == KLOOP_TLS_FAILED ? c->why : "";
}

bool kloop_tls_untrusted(const kloop_tls_channel *c)
{
    return c->state == KLOOP_TLS_FAILED && c->untrusted;
}

/* ---- What comes ---- */

static bool is_over(const kloop_tls_channel *c)
{
    return c->state == KLOOP_TLS_FAILED || c->state == KLOOP_TLS_ENDED;
}

uint8_t *kloop_tls_receive_space(kloop_tls_channel *c, size_t *room)
{
    *room = 0;
    return is_over(c) || c->ended ? NULL : kl_tls_pipe_in_space(&c->pipe, room);
}

void kloop_tls_received(kloop_tls_channel *c, size_t n)
{
    if (is_over(c) || n == 0)
        return;
    kl_tls_pipe_in_put(&c->pipe, n);
    const uint8_t *bytes = c->pipe.in.data + c->pipe.in.tail - n;
    for (size_t i = 0; i < n && c->first_len < KL_TLS_FIRST_BYTES; i++)
        c->first[c->first_len++] = bytes[i];
    if (c->state != KLOOP_TLS_SHAKING)
        return;
    kl_tls_errors_begin();
    shake(c);
    kl_tls_errors_end();
    kl_tls_pipe_tidy(&c->pipe);
}

void kloop_tls_received_end(kloop_tls_channel *c)
{
    c->ended = true;
    if (c->state != KLOOP_TLS_SHAKING)
        return;
    kl_tls_errors_begin();
    shake(c);
    kl_tls_errors_end();
}

static void say_goodbye(kloop_tls_channel *c)
{
    if (!c->finished)
        SSL_shutdown(c->ssl);
    c->finished = true;
}

size_t kloop_tls_read(kloop_tls_channel *c, uint8_t *to, size_t room)
{
    if (c->state != KLOOP_TLS_UP)
        return 0;
    size_t n = 0;
    kl_tls_errors_begin();
    c->pipe.in_ran_dry = false;
    if (SSL_read_ex(c->ssl, to, room, &n) != 1) {
        n = 0;
        if (c->said_goodbye && c->alert < 0) {
            say_goodbye(c);
            c->state = KLOOP_TLS_ENDED;
            kl_tls_pipe_in_drop(&c->pipe);
        } else {
            stopped(c);
        }
    }
    kl_tls_errors_end();
    kl_tls_pipe_tidy(&c->pipe);
    return n;
}

/* ---- What goes ---- */

/* Where in the host's slices we are. */
typedef struct place {
    const kloop_slice *slices;
    size_t count;
    size_t at; /* in slices[0] */
} place;

/* Past n bytes, and slices that have none. */
static void go_on(place *p, size_t n)
{
    while (p->count > 0 && n >= p->slices[0].len - p->at) {
        n -= p->slices[0].len - p->at;
        p->slices++;
        p->count--;
        p->at = 0;
    }
    p->at += n;
}

/* The next record's plain text: where it lies, if it lies in one piece, else gathered. */
static const uint8_t *next_record(kloop_tls *t, place p, size_t *len)
{
    const uint8_t *first = p.slices[0].data + p.at;
    size_t left = p.slices[0].len - p.at;
    *len = left < KL_TLS_RECORD_BYTES ? left : KL_TLS_RECORD_BYTES;
    go_on(&p, *len);
    if (*len == KL_TLS_RECORD_BYTES || p.count == 0)
        return first;
    memcpy(t->gathered, first, *len);
    while (p.count > 0 && *len < KL_TLS_RECORD_BYTES) {
        size_t n = p.slices[0].len - p.at;
        if (n > KL_TLS_RECORD_BYTES - *len)
            n = KL_TLS_RECORD_BYTES - *len;
        memcpy(t->gathered + *len, p.slices[0].data + p.at, n);
        *len += n;
        go_on(&p, n);
    }
    return t->gathered;
}

static bool write_record(kloop_tls_channel *c, const uint8_t *record, size_t len)
{
    size_t wrote = 0;
    c->pipe.in_ran_dry = false;
    bool done = SSL_write_ex(c->ssl, record, len, &wrote) == 1;
    if (record == c->owner->gathered && len < WIPE_BELOW_BYTES)
        kl_wipe(c->owner->gathered, len);
    /* Half a message about tickets or keys has come: OpenSSL wants the other half first. */
    if (!done)
        stopped(c);
    KL_ASSERT(!done || wrote == len);
    return done;
}

/* All at once rather than by doubling, if there is memory for it. */
static void reserve_for(kloop_tls_channel *c, place p)
{
    size_t n = 0;
    for (; p.count > 0 && n < KL_TLS_OUT_HIGH_BYTES; go_on(&p, p.slices[0].len - p.at))
        n += p.slices[0].len - p.at;
    if (n > KL_TLS_OUT_HIGH_BYTES)
        n = KL_TLS_OUT_HIGH_BYTES + KL_TLS_RECORD_BYTES;
    kl_tls_pipe_out_reserve(&c->pipe, n + (n / KL_TLS_RECORD_BYTES + 1) * RECORD_OVERHEAD_BYTES);
}

size_t kloop_tls_write(kloop_tls_channel *c, const kloop_slice *slices, size_t count)
{
    if (c->state != KLOOP_TLS_UP || c->finished)
        return 0;
    place p = {.slices = slices, .count = count};
    go_on(&p, 0);
    size_t taken = 0;
    reserve_for(c, p);
    kl_tls_errors_begin();
    while (p.count > 0 && kl_tls_pipe_out_len(&c->pipe) < KL_TLS_OUT_HIGH_BYTES) {
        size_t len;
        const uint8_t *record = next_record(c->owner, p, &len);
        if (!kl_tls_pipe_out_reserve(&c->pipe, len + RECORD_OVERHEAD_BYTES)) {
            /* What waits may make room; if nothing does, nobody would ever call again. */
            if (kl_tls_pipe_out_len(&c->pipe) == 0) {
                c->pipe.out_failed = true;
                kl_tls_fail(c);
            }
            break;
        }
        if (!write_record(c, record, len))
            break;
        taken += len;
        go_on(&p, len);
    }
    kl_tls_errors_end();
    return taken;
}

void kloop_tls_finish(kloop_tls_channel *c)
{
    if (c->state != KLOOP_TLS_UP)
        return;
    kl_tls_errors_begin();
    say_goodbye(c);
    kl_tls_errors_end();
}

kloop_slice kloop_tls_output(const kloop_tls_channel *c)
{
    if (!c->pipe.out.data)
        return (kloop_slice){(const uint8_t *)"", 0};
    return (kloop_slice){c->pipe.out.data + c->pipe.out.head, kl_tls_pipe_out_len(&c->pipe)};
}

void kloop_tls_sent(kloop_tls_channel *c, size_t n)
{
    kl_tls_pipe_out_sent(&c->pipe, n);
}
