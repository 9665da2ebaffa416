/* SPDX-License-Identifier: BSD-2-Clause */
/* What to do about a step that has failed. See doctor.h. */
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *kl_doctor_protocol(bool tls, bool sasl)
{
    if (tls)
        return sasl ? "SASL_SSL" : "SSL";
    return sasl ? "SASL_PLAINTEXT" : "PLAINTEXT";
}

static bool has_word(const kl_doctor *d, const char *word)
{
    const char *p = d->order->protocol;
    size_t len = strlen(word);
    for (; *p; p++) {
        if (strncasecmp(p, word, len) == 0)
            return true;
    }
    return false;
}

bool kl_doctor_wants_tls(const kl_doctor *d)
{
    return has_word(d, "SSL");
}

bool kl_doctor_wants_sasl(const kl_doctor *d)
{
    return has_word(d, "SASL");
}

/* ---- A broker's own word on where it is ---- */

/* No dots: a name within containers, or of one machine. */
static bool is_short_name(const char *host)
{
    return !strchr(host, '.') && !strchr(host, ':') && strcasecmp(host, "localhost") != 0;
}

static void advise_listener(kl_doctor *d, kl_finding *f, const kl_visit *v)
{
    kl_doctor_report *r = &d->report;
    kl_doctor_advises(r, f,
                      "broker %d tells its clients to come to %s, and from here they cannot: set "
                      "advertised.listeners=%s://HOST:PORT of that broker to what clients can "
                      "reach",
                      v->broker, kl_dialog_place(v->dialog),
                      kl_doctor_protocol(kl_doctor_wants_tls(d), kl_doctor_wants_sasl(d)));
    if (is_short_name(v->host))
        kl_doctor_advises(r, f,
                          "'%s' looks like a name that is known within one network of containers "
                          "or machines only",
                          v->shown);
}

/* ---- By trouble ---- */

static void advise_name(kl_doctor *d, kl_finding *f, const kl_visit *v)
{
    kl_doctor_report *r = &d->report;
    if (v->broker >= 0) {
        advise_listener(d, f, v);
        kl_doctor_advises(r, f, "or make the name known here, in DNS or in /etc/hosts");
        return;
    }
    kl_doctor_advises(r, f,
                      "see the name in bootstrap.servers for a slip, and what this machine knows "
                      "of it: getent hosts %s",
                      v->shown);
}

static void advise_refused(kl_doctor *d, kl_finding *f, const kl_visit *v)
{
    kl_doctor_report *r = &d->report;
    if (v->broker >= 0)
        advise_listener(d, f, v);
    else
        kl_doctor_advises(r, f,
                          "nobody listens there: is the broker up, is it the right port, and does "
                          "it listen on this address (listeners= of the broker)?");
}

static void advise_silent(kl_doctor *d, kl_finding *f, const kl_visit *v, const kl_dialog_try *t)
{
    kl_doctor_report *r = &d->report;
    bool sasl = kl_doctor_wants_sasl(d);
    switch (t->step) {
    case KL_STEP_TCP:
        if (v->broker >= 0)
            advise_listener(d, f, v);
        kl_doctor_advises(r, f,
                          "who says nothing at all is most often behind a firewall or a security "
                          "group, or down; --timeout waits longer");
        break;
    case KL_STEP_TLS:
        kl_doctor_advises(r, f, "a listener without TLS waits for more: try security.protocol=%s",
                          kl_doctor_protocol(false, sasl));
        break;
    case KL_STEP_VERSIONS:
        if (kl_doctor_wants_tls(d))
            kl_doctor_advises(r, f, "is it a broker of Kafka, and is it well? See its log");
        else
            kl_doctor_advises(r, f,
                              "a listener with TLS may wait for TLS: try security.protocol=%s; or "
                              "the broker hangs: see its log",
                              kl_doctor_protocol(true, sasl));
        break;
    case KL_STEP_LOGIN:
        kl_doctor_advises(r, f,
                          "the broker takes its time to look at the login: see its log, and what "
                          "it asks for that (LDAP, an OAuth server); --timeout waits longer");
        break;
    default:
        kl_doctor_advises(r, f, "the broker is overloaded, or hangs: see its log");
        break;
    }
}

static void advise_hung_up(kl_doctor *d, kl_finding *f, const kl_dialog_try *t)
{
    kl_doctor_report *r = &d->report;
    bool tls = kl_doctor_wants_tls(d);
    bool sasl = kl_doctor_wants_sasl(d);
    switch (t->step) {
    case KL_STEP_TLS:
        kl_doctor_advises(r, f, "does this port speak TLS at all? Else security.protocol=%s",
                          kl_doctor_protocol(false, sasl));
        break;
    case KL_STEP_VERSIONS:
        if (tls)
            kl_doctor_advises(r, f, "is it a broker of Kafka? See its log");
        else
            kl_doctor_advises(r, f, "most often this is a listener with TLS: security.protocol=%s",
                              kl_doctor_protocol(true, sasl));
        break;
    case KL_STEP_LOGIN:
        kl_doctor_advises(r, f,
                          "the broker's log says why; old brokers hang up at a wrong password");
        break;
    default:
        if (sasl)
            kl_doctor_advises(r, f, "the broker's log says why");
        else
            kl_doctor_advises(r, f,
                              "most often this is a listener with a login: security.protocol=%s, "
                              "with sasl.mechanism and sasl.jaas.config",
                              kl_doctor_protocol(tls, true));
        break;
    }
}

static void advise_credentials(kl_doctor *d, kl_finding *f)
{
    const char *mechanism = d->order->mechanism;
    if (strncmp(mechanism, "SCRAM", 5) == 0)
        kl_doctor_advises(&d->report, f,
                          "is the user name right, and the password? The broker must have the "
                          "user for %s: kafka-configs.sh --describe --entity-type users",
                          mechanism);
    else if (strcmp(mechanism, "OAUTHBEARER") == 0)
        kl_doctor_advises(&d->report, f,
                          "see what the token says of issuer, audience and expiry, and what the "
                          "broker expects: sasl.oauthbearer.expected.audience and "
                          "sasl.oauthbearer.expected.issuer of its listener");
    else
        kl_doctor_advises(&d->report, f,
                          "is the user name right, and the password? Those that the broker knows "
                          "are in sasl.jaas.config of its listener, or where its callback looks");
}

void kl_doctor_advise(kl_doctor *d, kl_finding *f, const kl_visit *v, const kl_dialog_try *t)
{
    kl_doctor_report *r = &d->report;
    bool tls = kl_doctor_wants_tls(d);
    bool sasl = kl_doctor_wants_sasl(d);
    if (t && kl_doctor_probe(d, f, v, t))
        return;
    switch (t ? t->trouble : KL_TROUBLE_NO_NAME) {
    case KL_TROUBLE_NO_NAME:
        advise_name(d, f, v);
        break;
    case KL_TROUBLE_REFUSED:
        advise_refused(d, f, v);
        break;
    case KL_TROUBLE_NO_WAY:
        if (v->broker >= 0)
            advise_listener(d, f, v);
        kl_doctor_advises(r, f, "see routes, VPN and firewall between here and there");
        break;
    case KL_TROUBLE_SILENT:
        advise_silent(d, f, v, t);
        break;
    case KL_TROUBLE_HUNG_UP:
        advise_hung_up(d, f, t);
        break;
    case KL_TROUBLE_WANTS_TLS:
        kl_doctor_advises(r, f, "set security.protocol=%s", kl_doctor_protocol(true, sasl));
        break;
    case KL_TROUBLE_HTTP:
        kl_doctor_advises(r, f,
                          "this is the port of a web server, a proxy or a REST service; "
                          "Kafka's is 9092 where nobody has chosen another");
        break;
    case KL_TROUBLE_NO_KAFKA:
        kl_doctor_advises(r, f, "is this the port of a broker?");
        break;
    case KL_TROUBLE_TLS_BROKEN:
        kl_doctor_advises(r, f, "does this port speak TLS at all? Else security.protocol=%s",
                          kl_doctor_protocol(false, sasl));
        break;
    case KL_TROUBLE_NO_MECHANISM:
        kl_doctor_advises(r, f,
                          "set sasl.mechanism to one that it offers, or add ours to "
                          "sasl.enabled.mechanisms of the broker");
        break;
    case KL_TROUBLE_NO_SASL:
        kl_doctor_advises(r, f, "set security.protocol=%s, or use the port of a listener with SASL",
                          kl_doctor_protocol(tls, false));
        break;
    case KL_TROUBLE_CREDENTIALS:
        advise_credentials(d, f);
        break;
    case KL_TROUBLE_TOKEN:
        kl_doctor_advises(r, f, "see sasl.oauthbearer.token.endpoint.url");
        break;
    case KL_TROUBLE_LOGIN:
        kl_doctor_advises(r, f,
                          "do not log in there before it is clear who answers: see the "
                          "broker's log, and what stands between");
        break;
    default:
        break;
    }
}
