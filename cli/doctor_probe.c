/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What does a port speak, if not what security.protocol says? See doctor.h.
 *
 * It is found out by asking once more, the other way: ApiVersions, and SaslHandshake with the name
 * of a mechanism. Nothing else leaves, and no credentials, so that this is safe also where TLS
 * is what was wanted.
 */
#include "cli/doctor.h"
#include "cli/mechanism_list.h"

#include <stdio.h>
#include <string.h>

/* Any that brokers know of: the answer lists all there are. */
#define ASKED_MECHANISM "PLAIN"
/* Where many ports fail they fail alike, and each of them may take until its time limits. */
#define PROBES_MAX 3

typedef struct probe {
    bool connected; /* as far as to ApiVersions */
    bool login;     /* the listener has one */
    char offered[KL_DIALOG_WHY_MAX];
    bool untrusted; /* TLS it is, but not of somebody whom we know */
    char why[KL_DIALOG_WHY_MAX];
} probe;

static void ask_login(const kl_doctor *d, kl_visit *v, probe *p)
{
    kloop_sasl_handshake_request m;
    kloop_sasl_handshake_response answer;
    int16_t version = kl_dialog_version(v->dialog, KLOOP_SASL_HANDSHAKE);
    if (version < 0)
        return;
    kloop_message_init(KLOOP_SASL_HANDSHAKE, KLOOP_REQUEST, &m);
    m.mechanism = kloop_text(ASKED_MECHANISM);
    kl_dialog_ask(v->dialog, KLOOP_SASL_HANDSHAKE, version, &m);
    kl_visit_wait(v, d->order->tick, d->order->tick_me);
    if (kl_dialog_state_of(v->dialog) != KL_DIALOG_READY || !kl_dialog_answer(v->dialog, &answer) ||
        answer.error_code == KLOOP_BROKER_ILLEGAL_SASL_STATE)
        return;
    p->login =
        answer.error_code == 0 || answer.error_code == KLOOP_BROKER_UNSUPPORTED_SASL_MECHANISM;
    kl_mechanism_list(p->offered, sizeof p->offered, &answer.mechanisms);
}

static void look_at_failure(const kl_dialog *dialog, probe *p)
{
    const kl_dialog_track *track = kl_dialog_track_of(dialog);
    for (size_t i = 0; i < track->count; i++) {
        const kl_dialog_try *t = &track->tries[i];
        if (t->begun && t->failed && t->trouble == KL_TROUBLE_UNTRUSTED) {
            kloop_tls_certificate one;
            const kloop_tls_channel *channel = kl_dialog_channel(dialog);
            /* Who has no certificate to show speaks no TLS either. */
            p->untrusted = channel && kloop_tls_certificate_at(channel, 0, &one);
            snprintf(p->why, sizeof p->why, "%s", t->why);
        }
    }
}

static probe ask(kl_doctor *d, const kl_visit *of, const kl_security *security)
{
    probe p = {.offered = ""};
    if (d->probes++ >= PROBES_MAX)
        return p;
    kl_dialog_config config = d->order->dialog;
    config.security = security;
    kl_visit v = {.port = of->port, .broker = of->broker};
    v.dialog = kl_dialog_new(&config, of->host, of->port);
    if (!v.dialog)
        return p;
    kl_visit_wait(&v, d->order->tick, d->order->tick_me);
    p.connected = kl_dialog_state_of(v.dialog) == KL_DIALOG_READY;
    if (p.connected)
        ask_login(d, &v, &p);
    else
        look_at_failure(v.dialog, &p);
    kl_dialog_del(v.dialog);
    return p;
}

/* ---- What follows from it ---- */

static void advise_login(kl_doctor *d, kl_finding *f, const probe *p)
{
    kl_doctor_report *r = &d->report;
    if (!p->login)
        return;
    kl_doctor_fact_text(r, f, "port_offers", p->offered);
    if (!d->order->mechanism[0] || !strstr(p->offered, d->order->mechanism))
        kl_doctor_advises(r, f,
                          "it offers %s: set sasl.mechanism to one of them, with sasl.jaas.config, "
                          "or sasl.username and sasl.password",
                          p->offered);
}

static void advise_protocol(kl_doctor *d, kl_finding *f, bool tls, const probe *p)
{
    kl_doctor_report *r = &d->report;
    const char *protocol = kl_doctor_protocol(tls, p->login);
    kl_doctor_fact_text(r, f, "port_speaks", protocol);
    kl_doctor_advises(r, f, "asked so, it answers %s%s: set security.protocol=%s",
                      tls ? "in TLS" : "without TLS", p->login ? " and has a login" : "", protocol);
    advise_login(d, f, p);
}

static bool probe_tls(kl_doctor *d, kl_finding *f, const kl_visit *v)
{
    if (!d->order->tls_alone)
        return false;
    probe p = ask(d, v, d->order->tls_alone);
    if (p.connected) {
        advise_protocol(d, f, true, &p);
        return true;
    }
    if (!p.untrusted)
        return false;
    kl_doctor_advises(&d->report, f, "it speaks TLS: set security.protocol=%s",
                      kl_doctor_protocol(true, kl_doctor_wants_sasl(d)));
    kl_doctor_advises(&d->report, f, "then: %s", p.why);
    return true;
}

static bool probe_plain(kl_doctor *d, kl_finding *f, const kl_visit *v)
{
    probe p = ask(d, v, NULL);
    if (!p.connected)
        return false;
    advise_protocol(d, f, false, &p);
    kl_doctor_advises(&d->report, f,
                      "all that is sent there can be read on the way: better is the "
                      "port of a listener with TLS");
    return true;
}

static bool probe_login(kl_doctor *d, kl_finding *f, const kl_visit *v)
{
    const kl_security *s = d->order->dialog.security;
    bool tls = s && s->tls;
    probe p = ask(d, v, tls ? d->order->tls_alone : NULL);
    if (!p.connected || !p.login)
        return false;
    advise_protocol(d, f, tls, &p);
    return true;
}

bool kl_doctor_probe(kl_doctor *d, kl_finding *f, const kl_visit *v, const kl_dialog_try *t)
{
    bool tls = kl_doctor_wants_tls(d);
    bool quiet = t->trouble == KL_TROUBLE_HUNG_UP || t->trouble == KL_TROUBLE_SILENT;
    switch (t->step) {
    case KL_STEP_TLS:
        return t->trouble != KL_TROUBLE_HERE && !kl_doctor_has_certificate(v) &&
               probe_plain(d, f, v);
    case KL_STEP_VERSIONS:
        return !tls &&
               (quiet || t->trouble == KL_TROUBLE_WANTS_TLS || t->trouble == KL_TROUBLE_NO_KAFKA) &&
               probe_tls(d, f, v);
    case KL_STEP_QUESTION:
        return !kl_doctor_wants_sasl(d) && t->trouble == KL_TROUBLE_HUNG_UP && probe_login(d, f, v);
    default:
        return false;
    }
}
