/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes in and out. See dialog_inside.h.
 *
 *     out --(written)--> channel --> socket        without TLS: out --(written)--> socket
 *     in  <------------- channel <-- socket
 */
#define _GNU_SOURCE
#include "base/now.h"
#include "base/wipe.h"
#include "cli/dialog_inside.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define READ_BYTES 65536
/* At a time: others wait, and time limits are to be looked at. */
#define READS_MAX 64

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* What came instead of a frame, if it can be recognized. */
static void note_other_language(kl_dialog *d)
{
    const kl_buf *in = &d->in;
    if (in->len >= 4 && memcmp(in->data, "HTTP", 4) == 0)
        kl_dialog_note(d, KL_TROUBLE_HTTP, "it speaks HTTP, and not Kafka");
    else if (in->len >= 3 && in->data[0] == 0x15 && in->data[1] == 3 && !d->channel)
        kl_dialog_note(d, KL_TROUBLE_WANTS_TLS,
                       "it wants TLS: security.protocol=SSL, or SASL_SSL with a login");
    else
        kl_dialog_note(d, KL_TROUBLE_NO_KAFKA, "what it answers is no Kafka");
}

/* ---- The end of a connection ---- */

/* It failed, for a reason that it can tell itself. */
static void note_channel(kl_dialog *d)
{
    kl_dialog_try *t = kl_dialog_try_now(d);
    /* With TLS 1.3 a certificate of ours is refused after the handshake. */
    if (!d->greeted)
        t->step = KL_STEP_TLS;
    kl_dialog_note(d,
                   kloop_tls_untrusted(d->channel) ? KL_TROUBLE_UNTRUSTED : KL_TROUBLE_TLS_BROKEN,
                   "%s", kloop_tls_why(d->channel));
}

static bool channel_has_failed(const kl_dialog *d)
{
    return d->channel && kloop_tls_state_of(d->channel) == KLOOP_TLS_FAILED;
}

/* Who hangs up over it need not say so: its alert may be lost together with the connection. */
static bool lacks_certificate(const kl_dialog *d)
{
    kloop_tls_facts facts;
    if (!d->channel)
        return false;
    kloop_tls_facts_of(d->channel, &facts);
    return facts.certificate_asked && !facts.certificate_sent;
}

/* The other side, or the network, has ended the connection. */
static void ended(kl_dialog *d, const char *how)
{
    bool tls = d->channel != NULL;
    if (channel_has_failed(d)) {
        note_channel(d);
    } else if (d->state == KL_DIALOG_GREETING && lacks_certificate(d)) {
        kl_dialog_try_now(d)->step = KL_STEP_TLS;
        kl_dialog_note(d, KL_TROUBLE_UNTRUSTED,
                       "%s after it had asked for a certificate and got none: set "
                       "ssl.keystore.location, or ssl.keystore.key and "
                       "ssl.keystore.certificate.chain",
                       how);
    } else if (d->state == KL_DIALOG_GREETING && d->asked_version > 0 && d->in.len == 0) {
        /* Some who do not know a version hang up instead of saying so. */
        kl_dialog_begin_cautiously(d);
        return;
    } else if (d->state == KL_DIALOG_GREETING) {
        kl_dialog_note(d, KL_TROUBLE_HUNG_UP,
                       "%s when asked for its API versions; it may %sbe no "
                       "Kafka",
                       how, tls ? "" : "want TLS, or ");
    } else if (d->state == KL_DIALOG_LOGIN) {
        kl_dialog_note(d, KL_TROUBLE_HUNG_UP, "%s during the login", how);
    } else if (d->state == KL_DIALOG_ASKING && d->asked_api != KLOOP_SASL_HANDSHAKE &&
               !(d->config.security && d->config.security->mechanism)) {
        kl_dialog_note(d, KL_TROUBLE_HUNG_UP,
                       "%s when asked for %s %d; it may want a login: security.protocol=%s", how,
                       kloop_api_find(d->asked_api)->name, d->asked_version,
                       tls ? "SASL_SSL" : "SASL_PLAINTEXT");
    } else {
        kl_dialog_note(d, KL_TROUBLE_HUNG_UP, "%s", how);
    }
    kl_dialog_lose(d);
}

/* ---- Out ---- */

/* What was sent may have been a password. */
static void forget_written(kl_dialog *d)
{
    if (d->state == KL_DIALOG_LOGIN && d->written == d->out.len && d->out.len > 0) {
        kl_wipe(d->out.data, d->out.len);
        kl_buf_reset(&d->out);
        d->written = 0;
    }
}

/* How many bytes the socket takes now; -1: it is lost. */
static ssize_t send_some(kl_dialog *d, const uint8_t *bytes, size_t len)
{
    ssize_t n = send(d->fd, bytes, len, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    return is_passing(errno) ? 0 : -1;
}

/* false: it is lost, and errno says why. */
static bool flush_channel(kl_dialog *d)
{
    for (;;) {
        kloop_slice cipher = kloop_tls_output(d->channel);
        if (cipher.len > 0) {
            ssize_t n = send_some(d, cipher.data, cipher.len);
            if (n <= 0)
                return n == 0;
            kloop_tls_sent(d->channel, (size_t)n);
            continue;
        }
        if (d->written == d->out.len)
            return true;
        kloop_slice plain = {d->out.data + d->written, d->out.len - d->written};
        size_t taken = kloop_tls_write(d->channel, &plain, 1);
        if (taken == 0)
            return true;
        d->written += taken;
    }
}

static bool flush_plain(kl_dialog *d)
{
    while (d->written < d->out.len) {
        ssize_t n = send_some(d, d->out.data + d->written, d->out.len - d->written);
        if (n <= 0)
            return n == 0;
        d->written += (size_t)n;
    }
    return true;
}

bool kl_dialog_has_output(const kl_dialog *d)
{
    return d->written < d->out.len || (d->channel && kloop_tls_output(d->channel).len > 0);
}

/* false: the connection is lost. */
static bool write_out(kl_dialog *d)
{
    if (d->channel ? flush_channel(d) : flush_plain(d)) {
        forget_written(d);
        return true;
    }
    ended(d, strerror(errno));
    return false;
}

void kl_dialog_say_goodbye(kl_dialog *d)
{
    if (!d->channel || d->fd < 0)
        return;
    kloop_tls_finish(d->channel);
    flush_channel(d);
}

/* ---- In ---- */

typedef enum arrival {
    ARRIVAL_SOME,
    ARRIVAL_NONE,  /* now */
    ARRIVAL_ENDED, /* the other side has closed */
    ARRIVAL_LOST,  /* errno */
    ARRIVAL_NO_MEMORY,
} arrival;

static arrival arrival_of(ssize_t n)
{
    if (n > 0)
        return ARRIVAL_SOME;
    if (n == 0)
        return ARRIVAL_ENDED;
    return is_passing(errno) ? ARRIVAL_NONE : ARRIVAL_LOST;
}

static arrival receive_plain(kl_dialog *d)
{
    size_t room;
    uint8_t *p = kl_buf_reserve_some(&d->in, READ_BYTES, &room);
    if (!p)
        return ARRIVAL_NO_MEMORY;
    ssize_t n = recv(d->fd, p, room, 0);
    if (n > 0)
        kl_buf_commit(&d->in, (size_t)n);
    return arrival_of(n);
}

/* All plain text that is inside. false: no memory. */
static bool drain_channel(kl_dialog *d)
{
    for (;;) {
        size_t room;
        uint8_t *p = kl_buf_reserve_some(&d->in, READ_BYTES, &room);
        if (!p)
            return false;
        size_t n = kloop_tls_read(d->channel, p, room);
        if (n == 0)
            return true;
        kl_buf_commit(&d->in, n);
    }
}

static arrival receive_cipher(kl_dialog *d)
{
    size_t room;
    uint8_t *p = kloop_tls_receive_space(d->channel, &room);
    if (!p) {
        kloop_tls_state state = kloop_tls_state_of(d->channel);
        return state == KLOOP_TLS_ENDED || state == KLOOP_TLS_FAILED ? ARRIVAL_ENDED
                                                                     : ARRIVAL_NO_MEMORY;
    }
    ssize_t n = recv(d->fd, p, room, 0);
    arrival how = arrival_of(n);
    if (how == ARRIVAL_SOME)
        kloop_tls_received(d->channel, (size_t)n);
    else if (how == ARRIVAL_ENDED)
        kloop_tls_received_end(d->channel);
    if (how != ARRIVAL_LOST && !drain_channel(d))
        return ARRIVAL_NO_MEMORY;
    return how;
}

static size_t frame_bytes_max(const kl_dialog *d)
{
    switch (d->state) {
    case KL_DIALOG_LOGIN:
        return KL_DIALOG_LOGIN_BYTES_MAX;
    case KL_DIALOG_GREETING:
        return KL_DIALOG_FIRST_BYTES_MAX;
    default:
        return KL_DIALOG_FRAME_BYTES_MAX;
    }
}

/* Is a whole frame there, or what can never be one? Both end the waiting. */
static bool take_input(kl_dialog *d)
{
    kloop_slice frame;
    kloop_fault fault;
    size_t used;
    if (kloop_frame_next(d->in.data, d->in.len, frame_bytes_max(d), &frame, &used, &fault)) {
        note_other_language(d);
        kl_dialog_lose(d);
        return true;
    }
    if (!frame.data)
        return false;
    /* A token of the oldest brokers has no header. */
    if (d->state == KL_DIALOG_LOGIN && d->login.bare && d->login.shaken) {
        d->answer = frame;
        kl_dialog_on_login_answer(d);
    } else {
        kl_dialog_take_frame(d, frame);
    }
    return true;
}

/* TLS goes on. false: it is over, in one way or the other. */
static bool shake(kl_dialog *d)
{
    switch (kloop_tls_state_of(d->channel)) {
    case KLOOP_TLS_SHAKING:
        return true;
    case KLOOP_TLS_UP:
        kl_dialog_greet(d);
        return false;
    default:
        /* The other side is told why, if it still listens. */
        flush_channel(d);
        note_channel(d);
        kl_dialog_next_address(d);
        return false;
    }
}

static bool is_reading(const kl_dialog *d)
{
    return d->fd >= 0 &&
           (d->state == KL_DIALOG_TLS || d->state == KL_DIALOG_GREETING ||
            (d->state == KL_DIALOG_LOGIN && !d->login.working) || d->state == KL_DIALOG_ASKING);
}

static void read_in(kl_dialog *d)
{
    for (int i = 0; i < READS_MAX && is_reading(d); i++) {
        arrival how = d->channel ? receive_cipher(d) : receive_plain(d);
        if (how == ARRIVAL_NO_MEMORY) {
            kl_dialog_no_memory(d);
            return;
        }
        if (d->state == KL_DIALOG_TLS && how != ARRIVAL_LOST && !shake(d))
            break;
        if (d->state != KL_DIALOG_TLS && take_input(d))
            break;
        if (how == ARRIVAL_NONE)
            break;
        if (how != ARRIVAL_SOME) {
            ended(d, how == ARRIVAL_LOST ? strerror(errno) : "it closed the connection");
            return;
        }
        if (kl_dialog_has_output(d) && !write_out(d))
            return;
    }
    /* What follows from what has come need not wait for the next poll. */
    if (is_reading(d) && kl_dialog_has_output(d))
        write_out(d);
}

void kl_dialog_on_socket(kl_dialog *d)
{
    if (d->state == KL_DIALOG_CONNECTING)
        kl_dialog_on_connection(d);
    if (is_reading(d) && (!kl_dialog_has_output(d) || write_out(d)))
        read_in(d);
}

/* ---- TLS ---- */

void kl_dialog_begin_tls(kl_dialog *d)
{
    kloop_error error;
    kloop_tls_channel_del(d->channel);
    d->channel = NULL;
    kl_dialog_enter(d, KL_DIALOG_TLS, KL_STEP_TLS, d->config.connect_ns);
    kl_buf_reset(&d->in);
    kl_buf_reset(&d->out);
    d->written = 0;
    if (kloop_tls_channel_new(&d->channel, d->config.security->tls, kloop_text(d->host), d->port,
                              kl_security_now(), &error)) {
        kl_dialog_note(d, KL_TROUBLE_HERE, "%s", error.text);
        kl_dialog_fail(d);
    }
}
