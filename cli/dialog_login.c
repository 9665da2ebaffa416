/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL within a dialog, as the producer does it. See dialog_inside.h.
 *
 *     SaslHandshake --> begin --> SAY -- SaslAuthenticate --> challenge --> ... --> DONE: READY
 *          |              |        ^                              |
 *          |              |        '---- WORK in pieces, TOKEN <--'
 *          v              v
 *        FAILED, at once: another address would not help, and brokers count what they refuse
 *
 * A broker that knows SaslHandshake in version 0 alone is given tokens without Kafka's headers.
 */
#include "base/check.h"
#include "base/excerpt.h"
#include "base/now.h"
#include "base/wipe.h"
#include "cli/dialog_inside.h"
#include "cli/mechanism_list.h"

#include <stdio.h>
#include <string.h>

/* For as long others may wait. */
#define WORK_NS (2 * KL_MS)

static const kloop_sasl_mechanism *mechanism_of(const kl_dialog *d)
{
    return d->config.security->mechanism;
}

static void refuse(kl_dialog *d, kl_dialog_trouble trouble, const char *why)
{
    kl_dialog_note(d, trouble, "%s", why);
    kl_dialog_fail(d);
}

void kl_dialog_end_login(kl_dialog *d)
{
    if (d->login.session) {
        const kloop_sasl_mechanism *m = mechanism_of(d);
        if (m->end)
            m->end(d->login.session);
        kl_wipe_release(&kl_mem_libc, d->login.session, m->session_bytes + 1);
        kl_wipe(d->out.data, d->out.cap);
    }
    d->login = (kl_login){0};
}

/* ---- What we say ---- */

/* A size, and the token. */
static void say_bare(kl_dialog *d, kloop_slice token)
{
    uint8_t size[4] = {(uint8_t)(token.len >> 24), (uint8_t)(token.len >> 16),
                       (uint8_t)(token.len >> 8), (uint8_t)token.len};
    kl_buf_reset(&d->in);
    kl_buf_reset(&d->out);
    d->written = 0;
    if (!kl_buf_reserve(&d->out, sizeof size + token.len, NULL)) {
        kl_dialog_no_memory(d);
        return;
    }
    kl_buf_append(&d->out, size, sizeof size);
    kl_buf_append(&d->out, token.data, token.len);
}

static void say(kl_dialog *d, kloop_slice token)
{
    d->track.rounds++;
    d->deadline_ns = kl_time_add(kl_dialogs_now_ns(), d->config.answer_ns);
    if (token.len > KL_DIALOG_LOGIN_BYTES_MAX) {
        refuse(d, KL_TROUBLE_HERE, "what is to be said for the login is too large");
        return;
    }
    if (d->login.bare) {
        say_bare(d, token);
        return;
    }
    kloop_sasl_authenticate_request m;
    kloop_message_init(KLOOP_SASL_AUTHENTICATE, KLOOP_REQUEST, &m);
    m.auth_bytes = token;
    kl_dialog_put_question(d, KLOOP_SASL_AUTHENTICATE, d->login.version, &m, sizeof m);
}

static void go_on(kl_dialog *d, kloop_sasl_verdict verdict, const kloop_sasl_step *step)
{
    d->login.working = verdict == KLOOP_SASL_WORK;
    switch (verdict) {
    case KLOOP_SASL_SAY:
        say(d, step->out);
        break;
    case KLOOP_SASL_WORK:
        break;
    case KLOOP_SASL_DONE:
        kl_dialog_end_login(d);
        kl_dialog_ready(d);
        break;
    case KLOOP_SASL_TOKEN:
        refuse(d, KL_TROUBLE_TOKEN, "it has no token of use");
        break;
    default:
        refuse(d, KL_TROUBLE_LOGIN, step->why);
        break;
    }
}

static void begin(kl_dialog *d)
{
    const kloop_sasl_mechanism *m = mechanism_of(d);
    kloop_sasl_step step = {.why = ""};
    kloop_error error;
    d->login.session = kl_mem_zalloc(&kl_mem_libc, 1, m->session_bytes + 1);
    if (!d->login.session) {
        kl_dialog_no_memory(d);
        return;
    }
    kloop_sasl_verdict verdict = m->begin(d->login.session, m->me, kl_security_now(), &step);
    if (verdict == KLOOP_SASL_TOKEN) {
        if (!kl_security_fetch_token(d->config.security, &error)) {
            refuse(d, KL_TROUBLE_TOKEN, error.text);
            return;
        }
        memset(&step, 0, sizeof step);
        verdict = m->work(d->login.session, kl_security_now(), &step);
    }
    go_on(d, verdict, &step);
}

void kl_dialog_login_work(kl_dialog *d)
{
    const kloop_sasl_mechanism *m = mechanism_of(d);
    uint64_t until = kl_time_add(kl_dialogs_now_ns(), WORK_NS);
    kloop_sasl_step step;
    kloop_sasl_verdict verdict;
    do {
        memset(&step, 0, sizeof step);
        verdict = m->work(d->login.session, kl_security_now(), &step);
    } while (verdict == KLOOP_SASL_WORK && kl_dialogs_now_ns() < until);
    go_on(d, verdict, &step);
}

void kl_dialog_login(kl_dialog *d)
{
    kloop_sasl_handshake_request m;
    kl_dialog_enter(d, KL_DIALOG_LOGIN, KL_STEP_LOGIN, d->config.answer_ns);
    int16_t version = kl_dialog_version(d, KLOOP_SASL_HANDSHAKE);
    int16_t authenticate = kl_dialog_version(d, KLOOP_SASL_AUTHENTICATE);
    if (version < 0) {
        refuse(d, KL_TROUBLE_NO_SASL,
               "this listener has no login, whatever security.protocol says: it offers no "
               "SaslHandshake");
        return;
    }
    if (authenticate < 0)
        version = 0;
    d->login.bare = version == 0;
    d->login.version = authenticate;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, &m);
    m.mechanism = kloop_text(mechanism_of(d)->name);
    kl_dialog_put_question(d, KLOOP_SASL_HANDSHAKE, version, &m, sizeof m);
}

/* ---- What it answers ---- */

static void on_handshake(kl_dialog *d)
{
    kloop_sasl_handshake_response m;
    char why[KL_DIALOG_WHY_MAX + 200];
    if (!kl_dialog_decode(d, &m, sizeof m))
        return;
    kl_mechanism_list(d->track.offered, sizeof d->track.offered, &m.mechanisms);
    switch (m.error_code) {
    case 0:
        d->login.shaken = true;
        begin(d);
        return;
    case KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM:
        snprintf(why, sizeof why, "it does not take sasl.mechanism=%s; it offers: %s",
                 mechanism_of(d)->name, d->track.offered[0] ? d->track.offered : "nothing");
        refuse(d, KL_TROUBLE_NO_MECHANISM, why);
        return;
    case KLOOP_BROKER_ILLEGAL_SASL_STATE:
        refuse(d, KL_TROUBLE_NO_SASL,
               "this listener has no login, whatever security.protocol says (ILLEGAL_SASL_STATE)");
        return;
    default:
        snprintf(why, sizeof why, "its answer to SaslHandshake is %s",
                 kloop_broker_error_name(m.error_code));
        refuse(d, KL_TROUBLE_LOGIN, why);
        return;
    }
}

/* In its own words, and what there is to look at. */
static void note_refusal(kl_dialog *d, int16_t code, kloop_string message)
{
    char said[256];
    const kloop_sasl_mechanism *m = mechanism_of(d);
    bool token = m->set_token != NULL;
    kl_excerpt(said, sizeof said, message);
    kl_dialog_note(d,
                   code == KLOOP_BROKER_SASL_AUTHENTICATION_FAILED ? KL_TROUBLE_CREDENTIALS
                                                                   : KL_TROUBLE_LOGIN,
                   "it refuses the %s of %s: %s%s%s%s; see %s", token ? "token" : "login", m->name,
                   said, *said ? " (" : "", kloop_broker_error_name(code), *said ? ")" : "",
                   token ? "where it comes from, and what the broker expects of it"
                         : "sasl.jaas.config, or sasl.username and sasl.password");
}

/* false: the broker's own words are the end of it. */
static bool take_authenticate(kl_dialog *d, kloop_slice *bytes)
{
    kloop_sasl_authenticate_response m;
    if (!kl_dialog_decode(d, &m, sizeof m))
        return false;
    if (m.error_code) {
        note_refusal(d, m.error_code, m.error_message);
        kl_dialog_fail(d);
        return false;
    }
    d->track.lifetime_ms = m.session_lifetime_ms > 0 ? m.session_lifetime_ms : 0;
    *bytes = m.auth_bytes;
    return true;
}

void kl_dialog_on_login_answer(kl_dialog *d)
{
    const kloop_sasl_mechanism *m = mechanism_of(d);
    kloop_sasl_step step = {.why = ""};
    kloop_slice bytes = d->answer;
    if (!d->login.shaken) {
        on_handshake(d);
        return;
    }
    if (!d->login.bare && !take_authenticate(d, &bytes))
        return;
    if (!bytes.data)
        bytes = (kloop_slice){(const uint8_t *)"", 0};
    go_on(d, m->challenge(d->login.session, bytes, kl_security_now(), &step), &step);
}
