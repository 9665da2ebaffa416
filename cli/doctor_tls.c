/* SPDX-License-Identifier: BSD-2-Clause */
/* What TLS has agreed upon, and the certificates. See doctor.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/doctor.h"

#include <stdio.h>
#include <time.h>

#define DAY_MS          INT64_C(86400000)
#define EXPIRES_SOON_MS (30 * DAY_MS)

/* "2026-11-21" */
#define DATE_MAX 32
static const char *date_of(int64_t ms, char text[DATE_MAX])
{
    time_t s = (time_t)(ms / 1000);
    struct tm parts;
    if (!gmtime_r(&s, &parts) || strftime(text, DATE_MAX, "%Y-%m-%d", &parts) == 0)
        snprintf(text, DATE_MAX, "a day far away");
    return text;
}

/* Is it a certificate for now? whose: "it", "the certificate of CN=ca". */
static void judge_time(kl_doctor *d, kl_finding *f, const kloop_tls_certificate *c,
                       const char *whose)
{
    kl_doctor_report *r = &d->report;
    char date[DATE_MAX], today[DATE_MAX];
    int64_t now = d->order->now_ms;
    int64_t left = c->not_after_ms - now;
    date_of(now, today);
    if (c->not_before_ms > now) {
        kl_doctor_worsen(r, f, KL_FINDING_WARNING);
        kl_doctor_advises(r, f,
                          "%s is valid from %s on only: is the clock of this machine right? It "
                          "says %s",
                          whose, date_of(c->not_before_ms, date), today);
    } else if (left <= 0) {
        kl_doctor_worsen(r, f, KL_FINDING_WARNING);
        kl_doctor_advises(r, f,
                          "%s has expired on %s: renew it at the broker, or see the clock of this "
                          "machine, which says %s",
                          whose, date_of(c->not_after_ms, date), today);
    } else if (left < EXPIRES_SOON_MS) {
        kl_doctor_worsen(r, f, KL_FINDING_WARNING);
        kl_doctor_advises(r, f, "%s expires in %lld days, on %s: have it renewed at the broker",
                          whose, (long long)(left / DAY_MS), date_of(c->not_after_ms, date));
    }
}

static void tell_own(kl_doctor *d, kl_finding *f, const kloop_tls_certificate *c)
{
    kl_doctor_report *r = &d->report;
    char from[DATE_MAX], to[DATE_MAX];
    int64_t left = c->not_after_ms - d->order->now_ms;
    kl_doctor_says_below(r, f);
    kl_doctor_says(r, f, "%s", c->subject);
    kl_doctor_says(r, f, "for %s", c->names[0] ? c->names : "no name");
    kl_doctor_says_below(r, f);
    kl_doctor_says(r, f, "issued by %s, valid from %s to %s", c->issuer,
                   date_of(c->not_before_ms, from), date_of(c->not_after_ms, to));
    if (left > 0)
        kl_doctor_says(r, f, "%lld days left", (long long)(left / DAY_MS));
    kl_doctor_fact_text(r, f, "subject", c->subject);
    kl_doctor_fact_text(r, f, "issuer", c->issuer);
    kl_doctor_fact_text(r, f, "names", c->names);
    kl_doctor_fact_text(r, f, "key", c->key);
    kl_doctor_fact_text(r, f, "sha256", c->sha256);
    kl_doctor_fact_int(r, f, "not_before_ms", c->not_before_ms);
    kl_doctor_fact_int(r, f, "not_after_ms", c->not_after_ms);
    kl_doctor_fact_int(r, f, "days_left", left / DAY_MS - (left < 0 && left % DAY_MS != 0));
}

static void tell_session(kl_doctor *d, kl_finding *f, const kloop_tls_facts *facts)
{
    kl_doctor_report *r = &d->report;
    if (facts->version[0]) {
        kl_doctor_says(r, f, "%s, %s", facts->version, facts->cipher);
        kl_doctor_fact_text(r, f, "version", facts->version);
        kl_doctor_fact_text(r, f, "cipher", facts->cipher);
    }
    if (facts->group[0]) {
        kl_doctor_says(r, f, "%s", facts->group);
        kl_doctor_fact_text(r, f, "group", facts->group);
    }
    if (facts->resumed)
        kl_doctor_says(r, f, "resumed");
    if (facts->certificate_sent)
        kl_doctor_says(r, f, "with a certificate of ours");
    else if (facts->certificate_asked)
        kl_doctor_says(r, f, "it asked for a certificate of ours and got none");
}

void kl_doctor_tls(kl_doctor *d, kl_finding *f, const kloop_tls_channel *channel, bool failed)
{
    kl_doctor_report *r = &d->report;
    kloop_tls_facts facts;
    kloop_tls_certificate one;
    char whose[300];
    kloop_tls_facts_of(channel, &facts);
    if (!failed)
        tell_session(d, f, &facts);
    kl_doctor_fact_bool(r, f, "resumed", facts.resumed);
    kl_doctor_fact_bool(r, f, "certificate_asked", facts.certificate_asked);
    kl_doctor_fact_bool(r, f, "certificate_sent", facts.certificate_sent);
    kl_doctor_fact_text(r, f, "verdict", facts.verdict);
    kl_doctor_fact_text(r, f, "trust", facts.trust);
    for (size_t i = 0; kloop_tls_certificate_at(channel, i, &one); i++) {
        snprintf(whose, sizeof whose, "the certificate of %s", one.subject);
        if (i == 0)
            tell_own(d, f, &one);
        kl_doctor_fact_item(r, f, "chain", one.subject);
        /* What has failed says itself why. */
        if (!failed)
            judge_time(d, f, &one, i == 0 ? "its certificate" : whose);
    }
}

bool kl_doctor_has_certificate(const kl_visit *v)
{
    const kloop_tls_channel *channel = kl_dialog_channel(v->dialog);
    kloop_tls_certificate one;
    return channel && kloop_tls_certificate_at(channel, 0, &one);
}
