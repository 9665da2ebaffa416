/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking for metadata, and taking the answer. See metadata.h. */
#include "core/metadata.h"

#include "core/backoff.h"
#include "core/log.h"
#include "core/parking.h"
#include "core/policy.h"
#include "core/readiness.h"

static void set_timer(kloop_engine *e)
{
    uint64_t when = KL_NEVER;
    if (e->life > KL_LIFE_CLOSING || e->metadata_asked)
        when = KL_NEVER;
    else if ((e->metadata_full || e->metadata_partial) && e->metadata_at > e->now.mono_ns)
        when = e->metadata_at;
    else if (e->metadata_known && !e->metadata_full)
        when = kl_time_add(e->metadata_tried_ns, e->set.metadata_max_age_ns);
    kl_heap_set(&e->timers, &e->metadata_timer, when);
}

void kl_metadata_want(kloop_engine *e)
{
    if (e->metadata_full)
        return;
    e->metadata_full = true;
    e->stirred = true;
    set_timer(e);
}

void kl_metadata_want_topic(kloop_engine *e, kloop_topic *t)
{
    if (t->newly_wanted || t->partition_count > 0 || t->asked)
        return;
    t->newly_wanted = true;
    if (!e->metadata_partial) {
        e->metadata_partial = true;
        e->stirred = true;
        /* Nobody has been bothered with this question yet. */
        if (e->metadata_failures == 0 && t->error == 0)
            e->metadata_at = e->now.mono_ns;
        set_timer(e);
    }
}

void kl_metadata_timer(kloop_engine *e)
{
    /* Also when a partial one has been due for long: else this time would stay in the past. */
    if (e->now.mono_ns >= kl_time_add(e->metadata_tried_ns, e->set.metadata_max_age_ns))
        e->metadata_full = true;
    set_timer(e);
}

/* Not again before the backoff is over. */
static void back_off(kloop_engine *e, uint32_t n)
{
    uint64_t wait =
        kl_backoff_pause(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns, n, &e->prng);
    e->metadata_at = kl_time_add(e->metadata_tried_ns, wait);
}

static void failed(kloop_engine *e, const char *why)
{
    e->metadata_full = true;
    e->metadata_tried_ns = e->now.mono_ns;
    back_off(e, e->metadata_failures);
    if (e->metadata_failures < UINT32_MAX)
        e->metadata_failures++;
    kl_log_trouble(e, KLOOP_LOG_WARN, "asking for metadata: %s; trying again", why);
    set_timer(e);
}

/* ---- What an answer changes ---- */

/* true: something about it is new. */
static bool take_partition(kloop_engine *e, kloop_topic *t, const kloop_metadata_partition *m,
                           bool new_id)
{
    if (m->partition_index < 0 || m->partition_index >= t->partition_count)
        return false;
    const kl_leader *known = &t->leaders[m->partition_index];
    /* An older view than what was seen already, from a broker that lags behind. */
    if (!new_id && m->leader_epoch >= 0 && m->leader_epoch < known->epoch)
        return false;
    int32_t node = m->leader_id;
    if (node < 0 || !kl_nodes_broker(e, node))
        node = -1;
    bool changed = known->node != node || known->epoch != m->leader_epoch;
    kl_topics_set_leader(e, t, m->partition_index, node, m->leader_epoch);
    if (node < 0 && t->partitions[m->partition_index] &&
        !kl_list_is_empty(&t->partitions[m->partition_index]->line))
        e->metadata_full = true;
    return changed;
}

static bool is_transient(int16_t code)
{
    return kl_policy(KL_QUESTION_TOPIC, code).verdict == KL_VERDICT_RETRY;
}

/* What a topic's error means for what waits for it. */
static void take_error(kloop_engine *e, kloop_topic *t, int16_t code)
{
    bool told = t->error == code;
    t->error = code;
    if (!told)
        kl_log_trouble(e, is_transient(code) ? KLOOP_LOG_WARN : KLOOP_LOG_ERROR,
                       "topic '%s': %s: %s", t->name, kloop_broker_error_name(code),
                       kloop_broker_error_explain(code));
    if (t->partition_count > 0) {
        if (!kl_topics_in_use(e, t))
            return;
        e->metadata_full = true;
    } else if (is_transient(code)) {
        t->newly_wanted = true;
        e->metadata_partial = true;
    } else {
        kl_parking_fail(e, t, code);
    }
}

static bool take_topic(kloop_engine *e, kloop_topic *t, const kloop_metadata_topic *m)
{
    if (m->error_code != 0) {
        take_error(e, t, m->error_code);
        return false;
    }
    bool had_id = t->has_id;
    kloop_uuid old = t->id;
    if (!kl_topics_grow(e, t, m->partitions.count) || !kl_topics_set_id(e, t, &m->topic_id)) {
        t->newly_wanted = true;
        e->metadata_partial = true;
        return false;
    }
    t->error = 0;
    bool new_id = had_id && t->has_id && memcmp(&old, &t->id, sizeof old) != 0;
    bool changed = new_id;
    kloop_metadata_partition p;
    for (kloop_iter i = kloop_iterate(&m->partitions); kloop_next(&i, &p);)
        changed |= take_partition(e, t, &p, new_id);
    if (t->partition_count == 0) {
        t->newly_wanted = true;
        e->metadata_partial = true;
        return changed;
    }
    kl_parking_open(e, t);
    return changed;
}

static bool take_brokers(kloop_engine *e, const kloop_metadata_response *m)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (b->id >= 0)
            b->known = false;
    }
    bool any = false;
    kloop_metadata_broker broker;
    for (kloop_iter i = kloop_iterate(&m->brokers); kloop_next(&i, &broker);) {
        if (broker.node_id < 0 || broker.port <= 0 || broker.port > UINT16_MAX ||
            !broker.host.data || broker.host.len == 0 || broker.host.len > 255)
            continue;
        any |= kl_nodes_node(e, broker.node_id, broker.host, (uint16_t)broker.port) != NULL;
    }
    return any;
}

/* Topics that were asked for are settled, or to be asked for again. */
static void end_question(kloop_engine *e, bool again)
{
    e->metadata_asked = false;
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        if (!t->asked)
            continue;
        t->asked = false;
        if (again || t->partition_count == 0) {
            t->newly_wanted = t->newly_wanted || t->partition_count == 0;
            e->metadata_partial |= t->newly_wanted;
        }
    }
}

static bool answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    kloop_metadata_response m;
    kloop_fault fault;
    if (kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, r->version, body.data, body.len, &m, &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    kl_conn_throttle(e, c, m.throttle_time_ms);
    if (m.error_code != 0) {
        end_question(e, true);
        failed(e, kloop_broker_error_name(m.error_code));
        return true;
    }
    if (!take_brokers(e, &m)) {
        end_question(e, true);
        failed(e, "the answer names no broker");
        return true;
    }
    bool changed = !e->metadata_known;
    kloop_metadata_topic topic;
    for (kloop_iter i = kloop_iterate(&m.topics); kloop_next(&i, &topic);) {
        kloop_topic *t = kl_topics_by_name(e, topic.name);
        if (!t)
            continue;
        t->newly_wanted = false;
        changed |= take_topic(e, t, &topic);
        if (t->partition_count == 0 && topic.error_code == 0)
            t->newly_wanted = true;
        /* One that waits because of a lasting error is asked for again when a record comes. */
        if (t->partition_count == 0 && topic.error_code != 0 && !is_transient(topic.error_code))
            t->asked = false;
    }
    e->metadata_known = true;
    e->metadata_failures = 0;
    e->metadata_tried_ns = e->now.mono_ns;
    end_question(e, false);
    e->metadata_same = changed ? 0 : e->metadata_same + (e->metadata_same < 64);
    back_off(e, e->metadata_same);
    kl_nodes_settle_bootstrap(e);
    set_timer(e);
    return true;
}

static void lost(kloop_engine *e, kl_request *r)
{
    (void)r;
    end_question(e, true);
    if (e->life <= KL_LIFE_CLOSING)
        failed(e, "the connection was lost");
}

static const kl_request_kind metadata = {.name = "Metadata", .answered = answered, .lost = lost};

/* ---- Asking ---- */

bool kl_metadata_step_due(const kloop_engine *e)
{
    return (e->metadata_full || e->metadata_partial) && !e->metadata_asked &&
           e->now.mono_ns >= e->metadata_at && e->life <= KL_LIFE_CLOSING;
}

/* Fills in the topics to ask for; -1: no memory. */
static int32_t list_topics(kloop_engine *e, bool full)
{
    int32_t count = 0;
    kl_buf_reset(&e->scratch);
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        if (!t->newly_wanted && !(full && kl_topics_in_use(e, t)))
            continue;
        kloop_metadata_request_topic topic = {.name = {t->name, t->name_len}};
        kl_buf_append(&e->scratch, &topic, sizeof topic);
        t->asked = true;
        count++;
    }
    return e->scratch.failed ? -1 : count;
}

bool kl_metadata_step(kloop_engine *e)
{
    if (!kl_metadata_step_due(e))
        return false;
    kl_conn *c = kl_nodes_any(e);
    if (!c)
        return false;
    bool full = e->metadata_full || !e->metadata_known;
    int32_t count = list_topics(e, full);
    e->metadata_tried_ns = e->now.mono_ns;
    if (count < 0) {
        end_question(e, true);
        failed(e, "no memory for the request");
        return true;
    }
    if (count == 0 && c->agreed.metadata == 0) {
        /* Version 0 takes an empty list for all topics. Nothing is in use; so nothing is old. */
        e->metadata_full = false;
        e->metadata_partial = false;
        set_timer(e);
        return true;
    }
    kloop_metadata_request m;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    m.topics = kloop_array_of(e->scratch.data, count);
    /* Versions before 4 always create. */
    m.allow_auto_topic_creation = e->set.auto_create_topics || c->agreed.metadata < 4;
    if (!kl_conn_ask(e, c, &metadata, KLOOP_METADATA, c->agreed.metadata, &m, sizeof m, 0, true,
                     NULL)) {
        end_question(e, true);
        failed(e, "no memory for the request");
        return true;
    }
    e->metadata_asked = true;
    e->metadata_full = false;
    e->metadata_partial = false;
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at))
        KL_CONTAINER_OF(at, kloop_topic, in_topics)->newly_wanted = false;
    set_timer(e);
    return true;
}
