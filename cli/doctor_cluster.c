/* SPDX-License-Identifier: BSD-2-Clause */
/* What Metadata tells, and whether a producer may be one. See doctor.h. */
#include "base/excerpt.h"
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 300

/* ---- Metadata of one place ---- */

static void tell_failure(kl_doctor *d, kl_finding *f, kl_visit *v, const kl_dialog_try *t)
{
    kl_doctor_says(&d->report, f, "%s", t ? t->why : kl_dialog_why(v->dialog));
    if (t)
        kl_doctor_advise(d, f, v, t);
}

/* The address that was used; NULL: there is none. */
static const kl_dialog_try *try_of(const kl_visit *v)
{
    const kl_dialog_track *track = kl_dialog_track_of(v->dialog);
    return track->at < track->count ? &track->tries[track->at] : NULL;
}

static void judge_cluster(kl_doctor *d, kl_finding *f, const kl_visit *v, const char *id)
{
    kl_doctor_report *r = &d->report;
    if (!d->cluster_id[0] || strcmp(d->cluster_id, id) == 0)
        return;
    kl_doctor_worsen(r, f, KL_FINDING_FAILED);
    if (v->broker >= 0)
        kl_doctor_advises(r, f,
                          "another cluster than %s answers where broker %d is said to be: see its "
                          "advertised.listeners, and what forwards ports",
                          d->cluster_id, v->broker);
    else
        kl_doctor_advises(r, f,
                          "the entries of bootstrap.servers lead to different clusters, this one "
                          "not to %s: records may go to the wrong one",
                          d->cluster_id);
}

void kl_doctor_metadata(kl_doctor *d, kl_doctor_group *g, kl_visit *v)
{
    kl_doctor_report *r = &d->report;
    char id[NAME_MAX_BYTES];
    const kl_dialog_try *t = try_of(v);
    if (!v->asked || kl_dialog_version(v->dialog, KLOOP_METADATA) < 0)
        return;
    kl_finding *f =
        kl_doctor_finding_add(r, g, "metadata", v->told ? KL_FINDING_OK : KL_FINDING_FAILED);
    if (!f)
        return;
    if (t)
        f->us = kl_doctor_us(&t->spans[KL_STEP_QUESTION]);
    if (!v->told) {
        tell_failure(d, f, v, t && t->failed ? t : NULL);
        return;
    }
    kl_excerpt(id, sizeof id, v->metadata.cluster_id);
    kl_doctor_says(r, f, "cluster %s", id[0] ? id : "without an id");
    kl_doctor_says(r, f, "%d broker%s", v->metadata.brokers.count,
                   v->metadata.brokers.count == 1 ? "" : "s");
    kl_doctor_fact_text(r, f, "cluster_id", id);
    kl_doctor_fact_int(r, f, "brokers", v->metadata.brokers.count);
    judge_cluster(d, f, v, id);
}

/* ---- What the origin tells of the cluster ---- */

void kl_doctor_take_cluster(kl_doctor *d)
{
    const kloop_metadata_response *m = &d->origin->metadata;
    kloop_metadata_broker broker;
    char id[NAME_MAX_BYTES];
    d->cluster_id = kl_doctor_copy(d, kloop_text(kl_excerpt(id, sizeof id, m->cluster_id)));
    d->controller_id = m->controller_id;
    d->brokers = kl_doctor_room(d, (size_t)m->brokers.count, sizeof *d->brokers);
    if (!d->brokers)
        return;
    for (kloop_iter i = kloop_iterate(&m->brokers); kloop_next(&i, &broker);)
        d->brokers[d->broker_count++] = (kl_doctor_broker){
            .id = broker.node_id, .host = kl_doctor_copy(d, broker.host), .port = broker.port};
}

/* The origin's answer to one more question. false: f says what came instead. */
bool kl_doctor_ask(kl_doctor *d, kl_finding *f, int16_t api_key, const void *request,
                   size_t request_size, void *response, size_t response_size)
{
    const kl_doctor_order *o = d->order;
    kl_dialog *dialog = d->origin->dialog;
    if (kl_dialog_state_of(dialog) == KL_DIALOG_READY) {
        kl_dialog_ask_sized(dialog, api_key, kl_dialog_version(dialog, api_key), request,
                            request_size);
        kl_visit_wait(d->origin, o->tick, o->tick_me);
    }
    const kl_dialog_try *t = try_of(d->origin);
    if (f && t)
        f->us = kl_doctor_us(&t->spans[KL_STEP_QUESTION]);
    if (kl_dialog_state_of(dialog) == KL_DIALOG_READY &&
        kl_dialog_answer_sized(dialog, response, response_size))
        return true;
    kl_doctor_worsen(&d->report, f, KL_FINDING_FAILED);
    tell_failure(d, f, d->origin, t && t->failed ? t : NULL);
    return false;
}

typedef struct counts {
    int64_t topics;
    int64_t partitions;
    int64_t leaderless;
} counts;

static counts count_topics(const kloop_metadata_response *m)
{
    counts c = {.topics = m->topics.count};
    kloop_metadata_topic topic;
    kloop_metadata_partition p;
    for (kloop_iter t = kloop_iterate(&m->topics); kloop_next(&t, &topic);) {
        for (kloop_iter i = kloop_iterate(&topic.partitions); kloop_next(&i, &p);) {
            c.partitions++;
            c.leaderless += p.leader_id < 0;
        }
    }
    return c;
}

static void tell_counts(kl_doctor *d, kl_finding *f, const kloop_metadata_response *m)
{
    kl_doctor_report *r = &d->report;
    counts c = count_topics(m);
    kl_doctor_says(r, f, "%lld topic%s with %lld partition%s that may be seen", (long long)c.topics,
                   c.topics == 1 ? "" : "s", (long long)c.partitions, c.partitions == 1 ? "" : "s");
    kl_doctor_fact_int(r, f, "topics", c.topics);
    kl_doctor_fact_int(r, f, "partitions", c.partitions);
    kl_doctor_fact_int(r, f, "leaderless", c.leaderless);
    if (c.leaderless == 0)
        return;
    kl_doctor_worsen(r, f, KL_FINDING_WARNING);
    kl_doctor_says(r, f, "%lld of them without a leader", (long long)c.leaderless);
    kl_doctor_advises(r, f,
                      "brokers are down, or an election is under way: kloop meta shows "
                      "which partitions");
}

static void tell_cluster(kl_doctor *d, kl_doctor_group *g)
{
    kl_doctor_report *r = &d->report;
    kl_dialog *dialog = d->origin->dialog;
    kloop_metadata_request m;
    kloop_metadata_response all;
    kl_finding *f = kl_doctor_finding_add(r, g, "cluster", KL_FINDING_OK);
    kl_doctor_says(r, f, "%zu broker%s", d->broker_count, d->broker_count == 1 ? "" : "s");
    kl_doctor_fact_text(r, f, "cluster_id", d->cluster_id);
    kl_doctor_fact_int(r, f, "brokers", (int64_t)d->broker_count);
    kl_doctor_fact_int(r, f, "controller", d->controller_id);
    if (d->controller_id >= 0)
        kl_doctor_says(r, f, "controller %d", d->controller_id);
    if (d->broker_count == 0) {
        kl_doctor_worsen(r, f, KL_FINDING_FAILED);
        kl_doctor_advises(r, f,
                          "a cluster that tells of no broker cannot be sent to; if it has "
                          "just started, ask again");
    }
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    m.topics = kl_dialog_version(dialog, KLOOP_METADATA) == 0 ? kloop_array_of(NULL, 0)
                                                              : kloop_array_null();
    m.allow_auto_topic_creation = kl_dialog_version(dialog, KLOOP_METADATA) < 4;
    if (kl_doctor_ask(d, f, KLOOP_METADATA, &m, sizeof m, &all, sizeof all))
        tell_counts(d, f, &all);
}

/* ---- Idempotence ---- */

static void tell_producer_id(kl_doctor *d, kl_doctor_group *g)
{
    kl_doctor_report *r = &d->report;
    kloop_init_producer_id_request m;
    kloop_init_producer_id_response answer;
    if (kl_dialog_state_of(d->origin->dialog) != KL_DIALOG_READY ||
        kl_dialog_version(d->origin->dialog, KLOOP_INIT_PRODUCER_ID) < 0)
        return;
    kl_finding *f = kl_doctor_finding_add(r, g, "producer_id", KL_FINDING_OK);
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &m);
    m.transactional_id = (kloop_string){NULL, 0};
    m.transaction_timeout_ms = INT32_MAX;
    if (!kl_doctor_ask(d, f, KLOOP_INIT_PRODUCER_ID, &m, sizeof m, &answer, sizeof answer))
        return;
    if (answer.error_code == 0) {
        kl_doctor_says(r, f, "may be one: idempotent producing is allowed");
        return;
    }
    kl_doctor_says(r, f, "%s", kloop_broker_error_name(answer.error_code));
    kl_doctor_fact_text(r, f, "error", kloop_broker_error_name(answer.error_code));
    switch (answer.error_code) {
    case KLOOP_BROKER_CLUSTER_AUTHORIZATION_FAILED:
        kl_doctor_worsen(r, f, KL_FINDING_FAILED);
        kl_doctor_advises(r, f,
                          "enable.idempotence=true needs WRITE on a topic (Kafka 2.8 and newer) or "
                          "IDEMPOTENT_WRITE on the cluster: kafka-acls.sh --add --producer "
                          "--topic TOPIC --allow-principal User:NAME; or set it to false");
        break;
    case KLOOP_BROKER_COORDINATOR_LOAD_IN_PROGRESS:
    case KLOOP_BROKER_COORDINATOR_NOT_AVAILABLE:
    case KLOOP_BROKER_NOT_COORDINATOR:
    case KLOOP_BROKER_REQUEST_TIMED_OUT:
        kl_doctor_worsen(r, f, KL_FINDING_WARNING);
        kl_doctor_advises(r, f, "the cluster is starting, or its controller is busy: ask again");
        break;
    default:
        kl_doctor_worsen(r, f, KL_FINDING_FAILED);
        kl_doctor_advises(r, f, "%s", kloop_broker_error_explain(answer.error_code));
        break;
    }
}

kl_doctor_group *kl_doctor_ask_cluster(kl_doctor *d)
{
    kl_doctor_group *g = kl_doctor_group_add(&d->report, KL_GROUP_CLUSTER, d->cluster_id);
    tell_cluster(d, g);
    if (d->order->idempotent)
        tell_producer_id(d, g);
    return g;
}

/* ---- Where brokers say that they are ---- */

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static bool is_everywhere(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* The origin's address begins with that of the loop. */
static bool origin_is_here(const kl_doctor *d)
{
    char address[KL_DIALOG_PLACE_MAX];
    kl_dialog_address(d->origin->dialog, address);
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0;
}

void kl_doctor_listener(kl_doctor *d, kl_doctor_group *g, const kl_doctor_broker *b, bool known)
{
    kl_doctor_report *r = &d->report;
    char host[NAME_MAX_BYTES];
    kl_finding *f = kl_doctor_finding_add(r, g, "listener", KL_FINDING_OK);
    kl_doctor_fact_text(r, f, "host", kl_excerpt(host, sizeof host, kloop_text(b->host)));
    kl_doctor_fact_int(r, f, "port", b->port);
    if (b->id == d->controller_id)
        kl_doctor_notes(r, g, "controller");
    if (is_everywhere(b->host) || b->port <= 0 || b->port > UINT16_MAX || !b->host[0]) {
        kl_doctor_worsen(r, f, KL_FINDING_FAILED);
        kl_doctor_says(r, f, "this is no place that a client can go to");
        kl_doctor_advises(r, f,
                          "set advertised.listeners of broker %d to a name or address of "
                          "its own, not to the address of every network",
                          b->id);
    } else if (is_loopback(b->host) && !origin_is_here(d)) {
        kl_doctor_worsen(r, f, KL_FINDING_FAILED);
        kl_doctor_says(r, f, "it tells every client to go to the client's own machine");
        kl_doctor_advises(r, f,
                          "set advertised.listeners of broker %d to a name or address that "
                          "clients can reach: what it advertises has to make sense to them, "
                          "not to it",
                          b->id);
    } else if (known) {
        kl_doctor_says(r, f, "advertised as in bootstrap.servers, and reached above");
    } else {
        kl_doctor_says(r, f, "advertised");
    }
}
