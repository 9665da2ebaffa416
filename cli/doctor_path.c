/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps to one broker, up to being let in. See doctor.h. */
#include "base/excerpt.h"
#include "base/now.h"
#include "cli/common_version.h"
#include "cli/doctor.h"
#include "cli/hosts_file.h"
#include "cli/meta_versions.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int64_t kl_doctor_us(const kl_dialog_span *span)
{
    if (!span->began_ns || span->ended_ns < span->began_ns)
        return -1;
    return (int64_t)((span->ended_ns - span->began_ns) / KL_US);
}

/* ---- The name ---- */

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static const char *source_of(const kl_doctor *d, const char *host)
{
    if (is_address(host) || strchr(host, ':'))
        return "address";
    if (strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0)
        return "localhost";
    return kl_hosts_file_has(d->order->hosts, host) ? "/etc/hosts" : "DNS";
}

/* "127.0.0.1:9092" without its port, "[::1]:9092" without its brackets, too. */
static void host_of(const char *address, char host[KL_DIALOG_PLACE_MAX])
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : strlen(address);
    if (len > 1 && address[0] == '[') {
        address++;
        len -= 2;
    }
    snprintf(host, KL_DIALOG_PLACE_MAX, "%.*s", (int)len, address);
}

static void tell_name(kl_doctor *d, kl_doctor_group *g, kl_visit *v)
{
    kl_doctor_report *r = &d->report;
    const kl_dialog_track *track = kl_dialog_track_of(v->dialog);
    kl_finding *f =
        kl_doctor_finding_add(r, g, "name", track->found ? KL_FINDING_OK : KL_FINDING_FAILED);
    if (!f)
        return;
    f->us = kl_doctor_us(&track->name);
    kl_doctor_fact_text(r, f, "host", v->shown);
    if (!track->found) {
        kl_doctor_says(r, f, "%s", kl_dialog_why(v->dialog));
        kl_doctor_advise(d, f, v, NULL);
        return;
    }
    const char *source = source_of(d, v->host);
    kl_doctor_fact_text(r, f, "source", source);
    for (size_t i = 0; i < track->count; i++) {
        char host[KL_DIALOG_PLACE_MAX];
        host_of(track->tries[i].address, host);
        kl_doctor_says(r, f, "%s", host);
        kl_doctor_fact_item(r, f, "addresses", host);
    }
    if (strcmp(source, "address") == 0)
        kl_doctor_says(r, f, "nothing to look up");
    else if (strcmp(source, "localhost") != 0)
        kl_doctor_says(r, f, "from %s", source);
}

/* ---- One address ---- */

static const char *const step_names[KL_STEP_COUNT] = {
    [KL_STEP_NAME] = "name",         [KL_STEP_TCP] = "tcp",    [KL_STEP_TLS] = "tls",
    [KL_STEP_VERSIONS] = "versions", [KL_STEP_LOGIN] = "sasl", [KL_STEP_QUESTION] = "metadata",
};

typedef struct way {
    kl_doctor *d;
    kl_doctor_group *g;
    kl_visit *v;
    const kl_dialog_try *t;
    bool best;   /* the address that was used, or came furthest */
    bool shaken; /* it was the last one that came to TLS, of which the channel tells */
} way;

/* A step that was taken, and how it ended. An address that is of no use is no more than a delay
 * where another one is; and where none is, advice on the one that came furthest is enough. */
static kl_finding *add_step(const way *w, kl_dialog_step step)
{
    const kl_dialog_try *t = w->t;
    kl_finding_outcome outcome = KL_FINDING_OK;
    bool failed = t->failed && t->step == step;
    if (failed)
        outcome = w->best ? KL_FINDING_FAILED : KL_FINDING_WARNING;
    kl_doctor_report *r = &w->d->report;
    kl_finding *f = kl_doctor_finding_add(r, w->g, step_names[step], outcome);
    if (!f)
        return NULL;
    f->us = kl_doctor_us(&t->spans[step]);
    kl_doctor_fact_text(r, f, "address", t->address);
    if (failed) {
        if (step == KL_STEP_TCP)
            kl_doctor_says(r, f, "%s", t->address);
        kl_doctor_says(r, f, "%s", t->why);
        if (w->best)
            kl_doctor_advise(w->d, f, w->v, t);
    }
    return f;
}

static bool was_taken(const kl_dialog_try *t, kl_dialog_step step)
{
    return t->spans[step].began_ns && step <= t->step;
}

static bool went_well(const kl_dialog_try *t, kl_dialog_step step)
{
    return !(t->failed && t->step == step);
}

static void tell_tcp(const way *w)
{
    kl_finding *f = add_step(w, KL_STEP_TCP);
    if (went_well(w->t, KL_STEP_TCP))
        kl_doctor_says(&w->d->report, f, "%s", w->t->address);
}

static void tell_tls(const way *w)
{
    kl_finding *f = add_step(w, KL_STEP_TLS);
    const kloop_tls_channel *channel = w->shaken ? kl_dialog_channel(w->v->dialog) : NULL;
    if (channel && f)
        kl_doctor_tls(w->d, f, channel, !went_well(w->t, KL_STEP_TLS));
}

/* ---- ApiVersions ---- */

static const struct {
    int16_t key;
    const char *name;
} ours[] = {{KLOOP_PRODUCE, "Produce"},
            {KLOOP_METADATA, "Metadata"},
            {KLOOP_API_VERSIONS, "ApiVersions"},
            {KLOOP_INIT_PRODUCER_ID, "InitProducerId"}};

static void tell_version(const way *w, kl_finding *f, size_t index)
{
    kl_doctor_report *r = &w->d->report;
    int16_t version = kl_dialog_version(w->v->dialog, ours[index].key);
    kl_doctor_fact_int(r, f, ours[index].name, version);
    if (version >= 0) {
        kl_doctor_says(r, f, "%s %d", ours[index].name, version);
        return;
    }
    if (ours[index].key == KLOOP_INIT_PRODUCER_ID && !w->d->order->idempotent)
        return;
    kl_doctor_worsen(r, f, KL_FINDING_FAILED);
    kl_doctor_says(r, f, "no version of %s in common", ours[index].name);
    if (ours[index].key == KLOOP_INIT_PRODUCER_ID)
        kl_doctor_advises(r, f,
                          "it cannot do what enable.idempotence=true asks for: set it to "
                          "false, or use a broker of 0.11 or newer");
    else
        kl_doctor_advises(r, f, "kloop needs Kafka 0.11 or newer; see api.version.max, too");
}

static void tell_versions(const way *w)
{
    kl_doctor_report *r = &w->d->report;
    kl_finding *f = add_step(w, KL_STEP_VERSIONS);
    const kloop_api_versions_response *v = kl_dialog_versions(w->v->dialog);
    if (!v || !w->best || !f || !went_well(w->t, KL_STEP_VERSIONS))
        return;
    const char *release = kl_meta_versions_release(v);
    if (release) {
        kl_doctor_says(r, f, "Kafka %s or newer", release);
        kl_doctor_fact_text(r, f, "as_of_kafka", release);
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        tell_version(w, f, i);
}

/* ---- The login ---- */

static void tell_lifetime(kl_doctor_report *r, kl_finding *f, int64_t ms)
{
    kl_doctor_fact_int(r, f, "session_lifetime_ms", ms);
    if (ms >= 3600000)
        kl_doctor_says(r, f, "to be renewed within %.3g h", (double)ms / 3600000);
    else if (ms >= 100000)
        kl_doctor_says(r, f, "to be renewed within %lld s", (long long)(ms / 1000));
    else if (ms > 0)
        kl_doctor_says(r, f, "to be renewed within %.3g s", (double)ms / 1000);
}

static void tell_login(const way *w)
{
    kl_doctor_report *r = &w->d->report;
    const kl_dialog_track *track = kl_dialog_track_of(w->v->dialog);
    kl_finding *f = add_step(w, KL_STEP_LOGIN);
    if (!f)
        return;
    const kloop_sasl_mechanism *m = w->d->order->dialog.security->mechanism;
    kl_doctor_fact_text(r, f, "mechanism", m->name);
    for (const char *p = track->offered; *p;) {
        char one[KL_EXCERPT_SIZE];
        size_t len = strcspn(p, ",");
        snprintf(one, sizeof one, "%.*s", (int)len, p);
        kl_doctor_fact_item(r, f, "offered", one);
        p += len;
        p += strspn(p, ", ");
    }
    if (!went_well(w->t, KL_STEP_LOGIN))
        return;
    kl_doctor_says(r, f, "%s", m->name);
    if (strcmp(track->offered, m->name) != 0)
        kl_doctor_says(r, f, "offered are %s", track->offered);
    tell_lifetime(r, f, track->lifetime_ms);
    if (m->warns && !kl_doctor_wants_tls(w->d)) {
        kl_doctor_worsen(r, f, KL_FINDING_WARNING);
        kl_doctor_says(r, f, "and everybody on the way can read the password");
        kl_doctor_advises(r, f,
                          "%s goes over TLS alone: security.protocol=SASL_SSL, with a "
                          "listener of that kind; or take a SCRAM mechanism",
                          m->name);
    }
}

/* ---- All of them ---- */

static const kl_dialog_try *best_of(const kl_dialog_track *track, bool told)
{
    const kl_dialog_try *best = NULL;
    if (told)
        return &track->tries[track->at];
    for (size_t i = 0; i < track->count; i++) {
        const kl_dialog_try *t = &track->tries[i];
        if (t->begun && (!best || t->step > best->step))
            best = t;
    }
    return best;
}

static const kl_dialog_try *last_shaken(const kl_dialog_track *track)
{
    const kl_dialog_try *last = NULL;
    for (size_t i = 0; i < track->count; i++) {
        if (was_taken(&track->tries[i], KL_STEP_TLS))
            last = &track->tries[i];
    }
    return last;
}

void kl_doctor_path(kl_doctor *d, kl_doctor_group *g, kl_visit *v)
{
    const kl_dialog_track *track = kl_dialog_track_of(v->dialog);
    const kl_dialog_try *best = best_of(track, v->told);
    const kl_dialog_try *shaken = last_shaken(track);
    tell_name(d, g, v);
    for (size_t i = 0; i < track->count; i++) {
        const kl_dialog_try *t = &track->tries[i];
        way w = {.d = d, .g = g, .v = v, .t = t, .best = t == best, .shaken = t == shaken};
        if (!t->begun)
            continue;
        tell_tcp(&w);
        if (was_taken(t, KL_STEP_TLS))
            tell_tls(&w);
        if (was_taken(t, KL_STEP_VERSIONS))
            tell_versions(&w);
        if (was_taken(t, KL_STEP_LOGIN))
            tell_login(&w);
    }
}
