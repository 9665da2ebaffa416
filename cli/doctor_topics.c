/* SPDX-License-Identifier: BSD-2-Clause */
/* May records be sent to these topics, and can they? See doctor.h. */
#include "base/excerpt.h"
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>

/* The first version that can say that a topic is not to be made. */
#define NOT_CREATING_SINCE 4
/* The first one that tells what is allowed. */
#define PERMISSIONS_SINCE 8
/* A bit of what is allowed. */
#define MAY_WRITE (1 << 4)
/* What stands there when nobody has asked, or there are no permissions. */
#define NOT_TOLD INT32_MIN
/* Partitions that are named one by one. */
#define NAMED_MAX 8

void kl_doctor_ask_topics(kl_doctor *d)
{
    const kl_doctor_order *o = d->order;
    kl_dialog *dialog = d->origin->dialog;
    kloop_metadata_request m;
    if (o->topic_count == 0 || kl_dialog_state_of(dialog) != KL_DIALOG_READY)
        return;
    int16_t version = kl_dialog_version(dialog, KLOOP_METADATA);
    kloop_metadata_request_topic *names = kl_doctor_room(d, o->topic_count, sizeof *names);
    if (!names)
        return;
    for (size_t i = 0; i < o->topic_count; i++)
        names[i].name = kloop_text(o->topics[i]);
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    m.topics = kloop_array_of(names, (int32_t)o->topic_count);
    /* To an old broker every name is an order to make the topic. */
    if (version < NOT_CREATING_SINCE)
        m.topics = version == 0 ? kloop_array_of(NULL, 0) : kloop_array_null();
    m.allow_auto_topic_creation = version < NOT_CREATING_SINCE;
    m.include_topic_authorized_operations = version >= PERMISSIONS_SINCE;
    d->topics_told =
        kl_doctor_ask(d, NULL, KLOOP_METADATA, &m, sizeof m, &d->topics, sizeof d->topics);
    const kl_dialog_track *track = kl_dialog_track_of(dialog);
    d->topics_us = kl_doctor_us(&track->tries[track->at].spans[KL_STEP_QUESTION]);
}

/* ---- One topic ---- */

typedef struct tally {
    int64_t partitions;
    int64_t leaderless;
    int64_t unreachable; /* their leaders are */
    int64_t under_replicated;
    int32_t replicas_max;
    int32_t in_sync_min; /* of those that have a leader */
    char named[200];     /* partitions without a leader that can be reached, the first ones */
} tally;

static const kl_doctor_broker *find_broker(const kl_doctor *d, int32_t id)
{
    for (size_t i = 0; i < d->broker_count; i++) {
        if (d->brokers[i].id == id)
            return &d->brokers[i];
    }
    return NULL;
}

static void name_partition(tally *t, int32_t index)
{
    size_t len = strlen(t->named);
    int64_t n = t->leaderless + t->unreachable;
    if (n > NAMED_MAX)
        return;
    snprintf(t->named + len, sizeof t->named - len,
             n == NAMED_MAX ? ", ..."
             : len          ? ", %d"
                            : "%d",
             index);
}

static tally count_partitions(const kl_doctor *d, const kloop_metadata_topic *topic)
{
    tally t = {.in_sync_min = INT32_MAX};
    kloop_metadata_partition p;
    for (kloop_iter i = kloop_iterate(&topic->partitions); kloop_next(&i, &p);) {
        const kl_doctor_broker *leader = find_broker(d, p.leader_id);
        t.partitions++;
        t.under_replicated += p.isr_nodes.count < p.replica_nodes.count;
        if (p.replica_nodes.count > t.replicas_max)
            t.replicas_max = p.replica_nodes.count;
        if (!leader) {
            t.leaderless++;
            name_partition(&t, p.partition_index);
            continue;
        }
        if (p.isr_nodes.count < t.in_sync_min)
            t.in_sync_min = p.isr_nodes.count;
        if (!leader->fine) {
            t.unreachable++;
            name_partition(&t, p.partition_index);
        }
    }
    return t;
}

static void tell_partitions(kl_doctor *d, kl_finding *f, const kloop_metadata_topic *topic)
{
    kl_doctor_report *r = &d->report;
    tally t = count_partitions(d, topic);
    kl_doctor_says(r, f, "%lld partition%s, %d replica%s each", (long long)t.partitions,
                   t.partitions == 1 ? "" : "s", t.replicas_max, t.replicas_max == 1 ? "" : "s");
    kl_doctor_fact_int(r, f, "partitions", t.partitions);
    kl_doctor_fact_int(r, f, "leaderless", t.leaderless);
    kl_doctor_fact_int(r, f, "leaders_unreachable", t.unreachable);
    kl_doctor_fact_int(r, f, "under_replicated", t.under_replicated);
    if (t.leaderless + t.unreachable > 0) {
        kl_doctor_worsen(r, f, KL_FINDING_FAILED);
        if (t.leaderless)
            kl_doctor_says(r, f, "%lld without a leader", (long long)t.leaderless);
        if (t.unreachable)
            kl_doctor_says(r, f, "%lld led by brokers that cannot be reached",
                           (long long)t.unreachable);
        kl_doctor_says(r, f, "namely %s", t.named);
        kl_doctor_advises(r, f, "records for these partitions wait until they expire%s",
                          t.leaderless ? ": brokers are down, or an election is under way" : "");
    }
    if (t.under_replicated > 0) {
        kl_doctor_worsen(r, f, KL_FINDING_WARNING);
        kl_doctor_says(r, f, "%lld with replicas that are not in sync",
                       (long long)t.under_replicated);
        if (t.in_sync_min != INT32_MAX)
            kl_doctor_advises(r, f,
                              "a partition has no more than %d in sync: with acks=all records are "
                              "refused below min.insync.replicas of the topic",
                              t.in_sync_min);
    } else if (t.leaderless == 0) {
        kl_doctor_says(r, f, "all in sync");
    }
}

static void tell_permission(kl_doctor *d, kl_finding *f, const kloop_metadata_topic *topic,
                            const char *name)
{
    kl_doctor_report *r = &d->report;
    int32_t allowed = topic->topic_authorized_operations;
    if (allowed == NOT_TOLD)
        return;
    bool may_write = allowed & MAY_WRITE;
    kl_doctor_fact_bool(r, f, "may_write", may_write);
    if (may_write) {
        kl_doctor_says(r, f, "WRITE is allowed");
        return;
    }
    kl_doctor_worsen(r, f, KL_FINDING_FAILED);
    kl_doctor_says(r, f, "it may be seen, but WRITE is not allowed");
    kl_doctor_advises(r, f, "kafka-acls.sh --add --allow-principal User:NAME --producer --topic %s",
                      name);
}

static void tell_error(kl_doctor *d, kl_finding *f, int16_t code, const char *name)
{
    kl_doctor_report *r = &d->report;
    kl_doctor_worsen(r, f, KL_FINDING_FAILED);
    kl_doctor_says(r, f, "%s", kloop_broker_error_name(code));
    kl_doctor_fact_text(r, f, "error", kloop_broker_error_name(code));
    switch (code) {
    case KLOOP_BROKER_TOPIC_AUTHORIZATION_FAILED:
        kl_doctor_advises(r, f,
                          "the principal lacks DESCRIBE, and most likely WRITE: kafka-acls.sh "
                          "--add --allow-principal User:NAME --producer --topic %s",
                          name);
        break;
    case KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION:
        kl_doctor_says(r, f, "there is no such topic");
        if (d->order->makes_topics)
            kl_doctor_advises(r, f,
                              "the first record makes it, if auto.create.topics.enable of the "
                              "brokers allows that; else: kafka-topics.sh --create --topic %s",
                              name);
        else
            kl_doctor_advises(r, f, "kafka-topics.sh --create --topic %s", name);
        break;
    case KLOOP_BROKER_INVALID_TOPIC_EXCEPTION:
        kl_doctor_advises(r, f, "a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -");
        break;
    case KLOOP_BROKER_LEADER_NOT_AVAILABLE:
        kl_doctor_advises(r, f,
                          "an election is under way, or the topic was made just now: ask "
                          "again");
        break;
    default:
        kl_doctor_advises(r, f, "%s", kloop_broker_error_explain(code));
        break;
    }
}

/* ---- All of them ---- */

static bool find_topic(const kl_doctor *d, const char *name, kloop_metadata_topic *topic)
{
    size_t len = strlen(name);
    for (kloop_iter i = kloop_iterate(&d->topics.topics); kloop_next(&i, topic);) {
        if (topic->name.data && topic->name.len == len && memcmp(topic->name.data, name, len) == 0)
            return true;
    }
    return false;
}

static void tell_topic(kl_doctor *d, kl_finding *f, const char *name)
{
    kloop_metadata_topic topic;
    kl_doctor_fact_text(&d->report, f, "topic", name);
    if (!d->topics_told) {
        kl_doctor_worsen(&d->report, f, KL_FINDING_SKIPPED);
        kl_doctor_says(&d->report, f, "no broker could be asked");
        return;
    }
    f->us = d->topics_us;
    if (!find_topic(d, name, &topic)) {
        tell_error(d, f, KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION, name);
    } else if (topic.error_code) {
        tell_error(d, f, topic.error_code, name);
    } else {
        tell_partitions(d, f, &topic);
        tell_permission(d, f, &topic, name);
    }
}

static bool was_told_before(const kl_doctor_order *o, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(o->topics[i], o->topics[index]) == 0)
            return true;
    }
    return false;
}

void kl_doctor_topics(kl_doctor *d, kl_doctor_group_fn on_group, void *me)
{
    const kl_doctor_order *o = d->order;
    for (size_t i = 0; i < o->topic_count; i++) {
        if (was_told_before(o, i))
            continue;
        kl_doctor_group *g = kl_doctor_group_add(&d->report, KL_GROUP_TOPIC, o->topics[i]);
        kl_finding *f = kl_doctor_finding_add(&d->report, g, "topic", KL_FINDING_OK);
        if (!f)
            return;
        tell_topic(d, f, o->topics[i]);
        on_group(me, g);
    }
}
