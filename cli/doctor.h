/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The doctor: what stands between this machine and records in a cluster, step by step, as a
 * producer with the same configuration would go.
 *
 *     entries of bootstrap.servers, all at once      doctor_path.c    name, tcp, tls, versions,
 * sasl
 *       '-> the first that answers is asked          doctor_cluster.c metadata, brokers, producer
 * id
 *             '-> the brokers that it tells of,      doctor_path.c    once more, at the place that
 *                 all at once                                         they advertise
 *                   '-> topics                       doctor_topics.c  leaders, replicas,
 * permissions
 *
 * Nothing is written and no topic is made. Owns the report and what it was made of; the texts that
 * it is given must outlive it. Fails for lack of memory alone, which report.no_memory tells.
 */
#ifndef KL_CLI_DOCTOR_H
#define KL_CLI_DOCTOR_H

#include "cli/doctor_report.h"
#include "cli/doctor_visit.h"

/* What is wanted. */
typedef struct kl_doctor_order {
    kl_dialog_config dialog;
    const char *servers;       /* bootstrap.servers, which the configuration has checked */
    const char *protocol;      /* security.protocol, as people write it */
    const char *mechanism;     /* sasl.mechanism; "" */
    const char *const *topics; /* names */
    size_t topic_count;
    bool idempotent;              /* enable.idempotence */
    bool makes_topics;            /* allow.auto.create.topics */
    const kl_security *tls_alone; /* to ask ports in TLS; NULL: there can be none */
    const char *hosts;            /* the file of names: /etc/hosts */
    int64_t now_ms;               /* since 1970: what certificates are judged by */
    kl_visits_tick_fn tick;
    void *tick_me;
} kl_doctor_order;

/* A broker that Metadata told of, copied. */
typedef struct kl_doctor_broker {
    int32_t id;
    const char *host;
    int32_t port;
    bool fine; /* it could be reached, where it says that it is */
} kl_doctor_broker;

typedef struct kl_doctor {
    const kl_doctor_order *order;
    kl_doctor_report report;
    kl_visit *entries;
    size_t entry_count;
    kl_visit *origin;       /* the entry that was asked for everything; NULL: none has answered */
    const char *cluster_id; /* "" where the cluster has none */
    int32_t controller_id;
    kl_doctor_broker *brokers;
    size_t broker_count;
    kl_visit *visits; /* to them */
    unsigned probes;  /* of ports that were asked in other ways */
    bool topics_told;
    kloop_metadata_response topics;
    int64_t topics_us;
} kl_doctor;

/* To be given back in any case. */
void kl_doctor_init(kl_doctor *d, const kl_doctor_order *order);
void kl_doctor_deinit(kl_doctor *d);

/* All of it; on_group is called with each group that is complete, in the order of the report. */
typedef void (*kl_doctor_group_fn)(void *me, const kl_doctor_group *group);
void kl_doctor_run(kl_doctor *d, kl_doctor_group_fn on_group, void *me);

/* ---- For its own files ---- */

/* Room of the report's arena, zeroed; NULL: no memory, which is remembered. */
void *kl_doctor_room(kl_doctor *d, size_t count, size_t size);
const char *kl_doctor_copy(kl_doctor *d, kloop_string text);

/* doctor_path.c: the steps of a visit up to being let in. */
void kl_doctor_path(kl_doctor *d, kl_doctor_group *g, kl_visit *v);
int64_t kl_doctor_us(const kl_dialog_span *span);

/* doctor_tls.c: what was agreed upon, and the certificates. */
void kl_doctor_tls(kl_doctor *d, kl_finding *f, const kloop_tls_channel *channel, bool failed);
/* Has anybody shown one? */
bool kl_doctor_has_certificate(const kl_visit *v);

/* doctor_advice.c: what to do about a step that has failed; t NULL: the name has no address. */
void kl_doctor_advise(kl_doctor *d, kl_finding *f, const kl_visit *v, const kl_dialog_try *t);
/* doctor_probe.c: asks the port in other ways, and advises on what it speaks. false: that did not
 * show anything. */
bool kl_doctor_probe(kl_doctor *d, kl_finding *f, const kl_visit *v, const kl_dialog_try *t);
/* The same protocol with, or without, TLS or a login: "SASL_SSL". */
const char *kl_doctor_protocol(bool tls, bool sasl);
bool kl_doctor_wants_tls(const kl_doctor *d);
bool kl_doctor_wants_sasl(const kl_doctor *d);

/* doctor_cluster.c */

/* The last step of a visit. */
void kl_doctor_metadata(kl_doctor *d, kl_doctor_group *g, kl_visit *v);
/* Copies what the origin has told of the cluster. */
void kl_doctor_take_cluster(kl_doctor *d);
/* One more question to the origin, whose answer shows its bytes until the next one. false: f says
 * what came instead. */
bool kl_doctor_ask(kl_doctor *d, kl_finding *f, int16_t api_key, const void *request,
                   size_t request_size, void *response, size_t response_size);
kl_doctor_group *kl_doctor_ask_cluster(kl_doctor *d);
/* known: it was reached as an entry already. */
void kl_doctor_listener(kl_doctor *d, kl_doctor_group *g, const kl_doctor_broker *b, bool known);

/* doctor_topics.c: asks the origin, and tells of it when brokers were visited. */
void kl_doctor_ask_topics(kl_doctor *d);
void kl_doctor_topics(kl_doctor *d, kl_doctor_group_fn on_group, void *me);

#endif
