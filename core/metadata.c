/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking for metadata, and taking the answer. See metadata.h. */
#include "core/metadata.h"

#include "base/excerpt.h"
#include "core/backoff.h"
#include "core/error.h"
#include "core/known_brokers.h"
#include "core/log.h"
#include "core/nodes.h"
#include "core/parking.h"
#include "core/policy.h"
#include "core/readiness.h"
#include "core/rebirth.h"
#include "core/rebootstrap.h"
#include "core/trace_points.h"
#include "core/warm_up.h"

#include <stdio.h>

/* Epochs of before are not true while a partition is being moved. */
#define TRUE_EPOCHS_SINCE 9
#define TOPIC_IDS_SINCE   10

/* Something new in each answer: no longer than four times the shortest distance. */
#define STREAK_OF_NEWS 2

/* The least distance to the last question, however short others are spoken for: twenty in a
 * second. */
#define FRESH_NS (50 * KL_MS)

/* So often in a row, and what looks older must be believed. Topics without an id do not tell that
 * they were made anew, with epochs from the beginning; and one broken answer with the last epoch
 * there is must not keep a partition from its leader for ever. */
#define OLDER_VIEWS_MAX 5

/* Are questions tried that have brought nothing yet, and would that ever be a reason to begin anew?
 */
static bool is_in_vain(const kloop_engine *e)
{
    return e->set.rebootstraps && e->metadata_since != KL_NEVER;
}

static uint64_t in_vain_at(const kloop_engine *e)
{
    return kl_time_add(e->metadata_since, e->set.rebootstrap_trigger_ns);
}

/* Partitions that are forgotten at once, about: it takes time. */
#define LET_GO_MAX 2048

static void set_timer(kloop_engine *e)
{
    uint64_t when = KL_NEVER;
    if (e->life > KL_LIFE_CLOSING || e->metadata_asked)
        when = KL_NEVER;
    else if ((e->metadata_full || e->metadata_partial) && e->metadata_at > e->now.mono_ns)
        when = e->metadata_at;
    else if (e->metadata_known && !e->metadata_full)
        when = kl_time_add(e->metadata_tried_ns, e->set.metadata_max_age_ns);
    else if (is_in_vain(e))
        when = in_vain_at(e);
#ifdef KL_PLANT_IDLE_SPIN
    when = kl_time_min(when, kl_time_add(e->now.mono_ns, KL_SECOND / 4));
#endif
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

/* There are topics that nobody has been bothered with yet: the pause that others have brought about
 * is not theirs. What keeps us from any answer is. */
static void hasten(kloop_engine *e)
{
    if (!e->metadata_fresh || e->metadata_failures > 0)
        return;
    uint64_t when = kl_time_add(e->metadata_tried_ns, FRESH_NS);
    if (when < e->now.mono_ns)
        when = e->now.mono_ns;
    e->metadata_at = kl_time_min(e->metadata_at, when);
}

void kl_metadata_want_topic(kloop_engine *e, kloop_topic *t)
{
    if (t->newly_wanted || t->partition_count > 0 || t->asked)
        return;
    t->newly_wanted = true;
    e->metadata_fresh |= !t->asked_once;
    if (!e->metadata_partial) {
        e->metadata_partial = true;
        e->stirred = true;
        if (e->metadata_failures == 0 && !t->asked_once)
            e->metadata_at = e->now.mono_ns;
        set_timer(e);
    } else if (!t->asked_once) {
        e->stirred = true;
        hasten(e);
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
        kl_backoff_in_vain(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns, n, &e->prng);
    e->metadata_at = kl_time_add(e->metadata_tried_ns, wait);
}

static void put_off(kloop_engine *e)
{
    e->metadata_full = true;
    e->metadata_tried_ns = e->now.mono_ns;
    back_off(e, e->metadata_failures);
    if (e->metadata_failures < UINT32_MAX)
        e->metadata_failures++;
    set_timer(e);
}

static void failed(kloop_engine *e, const char *why)
{
    kl_log_trouble(e, KLOOP_LOG_WARN, "asking for metadata: %s; trying again", why);
    put_off(e);
}

/* ---- What an answer changes ---- */

/* What an answer, or a part of it, makes of what is known. */
typedef struct view {
    int16_t version; /* of the answer */
    bool changed;    /* something is new */
    bool older;      /* something is older than what is known, and was left out */
    bool insisted;   /* it is true after all, but for partitions whose leader takes records */
    int32_t missing; /* a leader that nobody has told the place of; -1: none */
} view;

/* It is there and has taken what came last: better proof than what others say. */
static bool leader_takes(const kl_partition *p)
{
    return p && p->steady && p->leader && p->leader->conn &&
           p->leader->conn->state == KL_CONN_READY;
}

static void take_partition(kloop_engine *e, kloop_topic *t, const kloop_metadata_partition *m,
                           view *v)
{
    if (m->partition_index < 0 || m->partition_index >= t->partition_count)
        return;
    const kl_leader *known = &t->leaders[m->partition_index];
    int32_t epoch = v->version >= TRUE_EPOCHS_SINCE ? m->leader_epoch : -1;
    /* An older view than what was seen already, from a broker that lags behind. */
#ifndef KL_PLANT_LEADER_EPOCH_BACK
    if (epoch >= 0 && epoch < known->epoch &&
        (!v->insisted || leader_takes(t->partitions[m->partition_index]))) {
        v->older = true;
        return;
    }
#endif
#ifdef KL_PLANT_LEADERLESS_DROPPED
    if (m->leader_id < 0)
        return;
#endif
    if (epoch < 0)
        epoch = known->epoch;
    const kl_broker *leader = kl_known_broker(e, m->leader_id);
    int32_t node = leader && leader->known ? leader->id : -1;
    if (node < 0 && m->leader_id >= 0)
        v->missing = m->leader_id;
    v->changed |= known->node != node || known->epoch != epoch;
    kl_topics_set_leader(e, t, m->partition_index, node, epoch);
}

static void take_partitions(kloop_engine *e, kloop_topic *t, const kloop_metadata_topic *m, view *v)
{
    kloop_metadata_partition p;
    for (kloop_iter i = kloop_iterate(&m->partitions); kloop_next(&i, &p);)
        take_partition(e, t, &p, v);
}

static bool is_transient(int16_t code)
{
    return kl_policy(KL_QUESTION_TOPIC, code).verdict == KL_VERDICT_RETRY;
}

/* A broker that was asked for no answer can refuse a topic only by closing the connection, with
 * whatever else has gone there. So what is said to be gone goes nowhere until it is told of again.
 */
static void spare_others(kloop_engine *e, kloop_topic *t, int16_t code)
{
    if (e->set.acks != 0 || code != KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION)
        return;
    for (int32_t i = 0; i < t->table_count; i++)
        kl_topics_set_leader(e, t, i, -1, t->leaders[i].epoch);
}

/* Not one that nobody has used for long: it may never appear. */
static void ask_again_for(kloop_engine *e, kloop_topic *t)
{
    if (!kl_topics_in_use(e, t))
        return;
    t->newly_wanted = true;
    e->metadata_partial = true;
}

/* What a topic's error means for what waits for it. */
static void take_error(kloop_engine *e, kloop_topic *t, int16_t code)
{
    char name[KL_ERROR_CODE_TEXT];
    bool told = t->error == code;
    t->error = code;
    KL_TRACE(e, topic, t, false);
    if (!told)
        kl_log_trouble(e, is_transient(code) ? KLOOP_LOG_WARN : KLOOP_LOG_ERROR,
                       "topic '%s': %s: %s", t->name, kl_error_code(code, name),
                       kloop_broker_error_explain(code));
    if (t->partition_count > 0) {
#ifdef KL_PLANT_TOPIC_MISSING_RESETS_SEQUENCE
        for (int32_t i = 0; i < t->partition_count; i++)
            if (t->partitions[i])
                t->partitions[i]->next_sequence = 0;
#endif
        spare_others(e, t, code);
        if (!kl_topics_in_use(e, t))
            return;
        e->metadata_full = true;
    } else if (is_transient(code)) {
        ask_again_for(e, t);
    } else {
        kl_parking_fail(e, t, code, KLOOP_CAUSE_BROKER);
    }
}

/* How many partitions a topic has. One may be missing in an answer, so the highest number may be
 * that of the entries; one that is higher yet cannot be, and neither can one below 0. */
static int32_t count_partitions(const kloop_metadata_topic *m)
{
    int32_t count = 0;
    kloop_metadata_partition p;
    for (kloop_iter i = kloop_iterate(&m->partitions); kloop_next(&i, &p);)
        if (p.partition_index >= count && p.partition_index <= m->partitions.count)
            count = p.partition_index + 1;
    return count;
}

/* The topic was deleted, and this is another one. */
static void begin_anew(kloop_engine *e, kloop_topic *t, int32_t partition_count)
{
    for (int32_t i = 0; i < t->table_count; i++)
        t->leaders[i].epoch = -1;
    /* With no partitions at all, it is on its way. */
    if (partition_count > 0 && partition_count < t->partition_count)
        kl_topics_shrink(e, t, partition_count);
#ifndef KL_PLANT_RECREATED_KEEPS_NUMBERS
    kl_rebirth_of_topic(e, t);
#endif
    KL_TRACE(e, topic, t, true);
    kl_log(e, KLOOP_LOG_WARN, "topic '%s' was deleted and made anew with %d partitions", t->name,
           (int)partition_count);
}

/* Told once more, what looks older is true after all. */
static bool insists(kloop_topic *t)
{
    return ++t->older_views >= OLDER_VIEWS_MAX;
}

/* Fewer partitions, or lower epochs. Where there is an id, it is still the same topic: what was
 * numbered for it stays numbered. */
static void doubt(kloop_engine *e, kloop_topic *t, const kloop_metadata_topic *m, int32_t count,
                  view *v)
{
    if (!insists(t))
        return;
    t->older_views = 0;
    v->insisted = true;
    bool changed = v->changed || !t->has_id || count < t->partition_count;
    if (!t->has_id)
        begin_anew(e, t, count);
    else if (count < t->partition_count)
        kl_topics_shrink(e, t, count);
    take_partitions(e, t, m, v);
    /* What has been told before is no news: two who contradict each other are not asked the more
     * often for it. */
    v->changed = changed;
}

/* Once, until all is well with it. */
static void complain(kloop_engine *e, kloop_topic *t, const char *what)
{
    if (!t->complained)
        kl_log_trouble(e, KLOOP_LOG_WARN, "topic '%s': %s", t->name, what);
    t->complained = true;
}

static void complain_of_leader(kloop_engine *e, kloop_topic *t, int32_t node)
{
    char text[96];
    snprintf(text, sizeof text, "broker %d leads a partition, and nobody tells where it is",
             (int)node);
    complain(e, t, text);
}

static void take_topic(kloop_engine *e, kloop_topic *t, const kloop_metadata_topic *m, view *v)
{
    if (m->error_code != 0) {
        take_error(e, t, m->error_code);
        return;
    }
    bool has_ids = v->version >= TOPIC_IDS_SINCE;
    if (has_ids && kl_topics_is_former(t, &m->topic_id) && !insists(t))
        return;
    kl_topic_id_news news = KL_TOPIC_ID_NO_MEMORY;
    bool had_id = t->has_id;
    int32_t count = count_partitions(m);
    int32_t had = t->partition_count;
    /* An old version tells no id, which is no reason to forget the one known; unless nobody knows
     * that any more. By its name, the topic can be found in any case. */
    if (kl_topics_grow(e, t, count))
        news = has_ids || t->id_refused ? kl_topics_set_id(e, t, &m->topic_id) : KL_TOPIC_ID_SAME;
    if (news == KL_TOPIC_ID_NO_MEMORY) {
        ask_again_for(e, t);
        return;
    }
    t->error = 0;
    t->id_refused = false;
    if (t->partition_count != had)
        KL_TRACE(e, topic, t, false);
    if (had_id && !t->has_id)
        kl_rebirth_by_name(e, t);
    view of_topic = {.version = v->version, .changed = news == KL_TOPIC_ID_OTHER, .missing = -1};
    if (news == KL_TOPIC_ID_OTHER)
        begin_anew(e, t, count);
    take_partitions(e, t, m, &of_topic);
    if (count > 0 && (count < t->partition_count || of_topic.older))
        doubt(e, t, m, count, &of_topic);
    else
        t->older_views = 0;
    v->changed |= of_topic.changed;
    if (t->partition_count == 0) {
        complain(e, t, "the broker tells of no partitions that there could be");
        ask_again_for(e, t);
        return;
    }
    if (of_topic.missing >= 0)
        complain_of_leader(e, t, of_topic.missing);
    else
        t->complained = false;
    kl_parking_open(e, t);
}

/* The first cluster that told its id is the one; long ids are compared as far as they fit. */
static bool is_of_our_cluster(kloop_engine *e, kloop_string id)
{
    if (!id.data || id.len == 0)
        return true;
    size_t len = id.len < sizeof e->cluster_id ? id.len : sizeof e->cluster_id - 1;
    if (e->cluster_id[0] == '\0')
        memcpy(e->cluster_id, id.data, len);
    return strlen(e->cluster_id) == len && memcmp(e->cluster_id, id.data, len) == 0;
}

/* Whatever the answer said of it, or left out. */
static bool waits_for_leader(const kloop_topic *t)
{
    for (int32_t i = 0; i < t->table_count; i++) {
        const kl_partition *p = t->partitions[i];
        if (p && !p->leader && !kl_list_is_empty(&p->line))
            return true;
    }
    return false;
}

/* Topics that were asked for are settled, or to be asked for again. */
static void end_question(kloop_engine *e, bool again)
{
    e->metadata_asked = false;
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        e->metadata_full |= waits_for_leader(t);
        if (!t->asked)
            continue;
        t->asked = false;
        if (!again && t->partition_count == 0)
            complain(e, t, "the broker's answer says nothing of it");
        if (t->partition_count == 0)
            ask_again_for(e, t);
        e->metadata_partial |= t->newly_wanted;
    }
}

/* It has brought nothing. */
static void fail_question(kloop_engine *e, const char *why)
{
    end_question(e, true);
    failed(e, why);
}

/* Nothing that it says, or would do with our records, is any of our business. */
static void part_with_stranger(kloop_engine *e, kl_conn *c, kloop_string cluster_id)
{
    char theirs[KL_EXCERPT_SIZE];
    char ours[KL_EXCERPT_SIZE];
    kl_excerpt(theirs, sizeof theirs, cluster_id);
    kl_excerpt(ours, sizeof ours, kloop_text(e->cluster_id));
    end_question(e, true);
    put_off(e);
    kl_known_set_stranger(e, c->broker, true);
    c->foreign = true;
    kl_conn_lose(e, c, "%s:%u belongs to another cluster, '%s', not to '%s': see bootstrap.servers",
                 c->broker->host, (unsigned)c->broker->port, theirs, ours);
}

/* Not again before a distance that grows while somebody goes on waiting for answers. */
static void keep_distance(kloop_engine *e, bool changed)
{
    if (changed && e->metadata_streak > STREAK_OF_NEWS)
        e->metadata_streak = STREAK_OF_NEWS;
    back_off(e, e->metadata_streak);
    uint64_t least = kl_time_add(e->metadata_tried_ns, KL_BACKOFF_LONG_NS);
    if (e->metadata_run >= KL_BACKOFF_FREE && e->metadata_at < least)
        e->metadata_at = least;
    hasten(e);
    if (e->metadata_streak < UINT32_MAX)
        e->metadata_streak++;
    if (e->metadata_run < UINT32_MAX)
        e->metadata_run++;
}

static bool answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    kloop_metadata_response m;
    kloop_fault fault;
    if (kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, r->version, body.data, body.len, &m, &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    kl_conn_throttle(e, c, r, m.throttle_time_ms);
    if (kl_policy(KL_QUESTION_CLUSTER, m.error_code).verdict == KL_VERDICT_RETRY) {
        char code[KL_ERROR_CODE_TEXT];
        fail_question(e, kl_error_code(m.error_code, code));
        if (kloop_broker_error_classes(m.error_code) & KLOOP_CLASS_REBOOTSTRAP)
            kl_rebootstrap(e, kl_error_code(m.error_code, code));
        return true;
    }
    if (!is_of_our_cluster(e, m.cluster_id)) {
        part_with_stranger(e, c, m.cluster_id);
        return true;
    }
    if (c->broker->stranger)
        kl_known_set_stranger(e, c->broker, false);
    char odd[80];
    bool taken = kl_known_take_view(e, &m.brokers, odd, sizeof odd);
#ifdef KL_PLANT_NO_BROKERS_BELIEVED
    taken = true;
#endif
    if (!taken) {
        fail_question(e, odd[0] ? odd : "the answer names no broker");
        return true;
    }
    if (odd[0])
        kl_log_trouble(e, KLOOP_LOG_WARN, "%s", odd);
    view v = {.version = r->version, .changed = !e->metadata_known};
    kloop_metadata_topic topic;
    for (kloop_iter i = kloop_iterate(&m.topics); kloop_next(&i, &topic);) {
        kloop_topic *t = kl_topics_by_name(e, topic.name);
        if (!t)
            continue;
        /* Asked for again if that makes sense; because of a lasting error when a record comes. */
        t->asked = false;
        t->newly_wanted = false;
        take_topic(e, t, &topic, &v);
    }
    e->metadata_known = true;
    e->metadata_failures = 0;
    e->metadata_since = KL_NEVER;
    e->metadata_tried_ns = e->meters.metadata_ns = e->now.mono_ns;
    end_question(e, false);
    keep_distance(e, v.changed);
    KL_TRACE(e, engine, e, KLOOP_TRACE_METADATA, NULL, v.changed,
             (int64_t)(e->metadata_at - e->now.mono_ns));
    kl_nodes_settle_bootstrap(e);
    /* Who else is to prove that he is of our cluster has waited for this answer to be over. */
    e->metadata_full |= kl_nodes_stranger(e) != NULL;
    set_timer(e);
    kl_warm_up_look(e);
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
    int32_t let_go_max = LET_GO_MAX;
    kl_buf_reset(&e->scratch);
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        if (!t->newly_wanted) {
            if (!full)
                continue;
            bool in_use = kl_topics_in_use(e, t);
            if (!in_use && let_go_max > 0 && t->table_count > 0) {
                let_go_max -= t->table_count;
                kl_topics_let_go(e, t);
            }
            if (!in_use) {
                t->asked_once = false;
                continue;
            }
        }
        kloop_metadata_request_topic topic = {.name = {t->name, t->name_len}};
        kl_buf_append(&e->scratch, &topic, sizeof topic);
        t->asked = true;
        t->asked_once = true;
        count++;
    }
    return e->scratch.failed ? -1 : count;
}

/* In turn: a stranger that comes back again and again must not keep us from all others. */
static kl_conn *somebody(kloop_engine *e)
{
    bool stranger_first = e->metadata_failures % 2 == 0;
    kl_conn *c = stranger_first ? kl_nodes_stranger(e) : kl_nodes_any(e);
    if (c)
        return c;
    return stranger_first ? kl_nodes_any(e) : kl_nodes_stranger(e);
}

/* From the first attempt on, not from the last answer: what is not asked cannot be in vain. */
static void begin_anew_if_in_vain(kloop_engine *e)
{
    if (e->metadata_since == KL_NEVER) {
        e->metadata_since = e->now.mono_ns;
        set_timer(e);
    }
    if (!is_in_vain(e) || e->now.mono_ns < in_vain_at(e))
        return;
    char why[160];
    snprintf(why, sizeof why,
             "no answer to Metadata for metadata.recovery.rebootstrap.trigger.ms=%llu",
             (unsigned long long)(e->set.rebootstrap_trigger_ns / KL_MS));
    e->metadata_since = e->now.mono_ns;
    set_timer(e);
    kl_rebootstrap(e, why);
}

bool kl_metadata_step(kloop_engine *e)
{
    if (!kl_metadata_step_due(e))
        return false;
    begin_anew_if_in_vain(e);
    kl_conn *c = somebody(e);
    if (!c)
        return false;
    /* Nobody has waited for it: a question like the first one. */
    if (e->now.mono_ns >= kl_time_add(e->metadata_at, e->set.retry_backoff_ns))
        e->metadata_streak = e->metadata_run = 0;
    bool full = e->metadata_full || !e->metadata_known;
    int32_t count = list_topics(e, full);
    e->metadata_tried_ns = e->now.mono_ns;
    if (count < 0) {
        fail_question(e, "no memory for the request");
        return true;
    }
    if (count == 0 && c->agreed.metadata == 0) {
        /* Version 0 takes an empty list for all topics. Nothing is in use; so nothing is old. */
        e->metadata_full = false;
        e->metadata_partial = false;
        e->metadata_since = KL_NEVER;
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
        fail_question(e, "no memory for the request");
        return true;
    }
    e->metadata_asked = true;
    e->metadata_full = false;
    e->metadata_partial = false;
    e->metadata_fresh = false;
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at))
        KL_CONTAINER_OF(at, kloop_topic, in_topics)->newly_wanted = false;
    set_timer(e);
    return true;
}
