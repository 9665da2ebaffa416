/* SPDX-License-Identifier: BSD-2-Clause */
/* Producer id, epochs, sequences. See idempotence.h. */
#include "core/idempotence.h"

#include "core/backoff.h"
#include "core/conn.h"
#include "core/error.h"
#include "core/log.h"
#include "core/policy.h"
#include "core/readiness.h"
#include "core/shutdown.h"
#include "core/trace_points.h"

/* An id that was enough for so long is replaced at once. */
#define LASTING_NS (1000 * KL_MS)

void kl_idempotence_want(kloop_engine *e)
{
    if (e->id_state != KL_ID_NONE || e->life > KL_LIFE_CLOSING || e->fatal)
        return;
    e->id_state = KL_ID_WANTED;
    e->stirred = true;
    if (e->now.mono_ns < e->id_at)
        kl_heap_set(&e->timers, &e->id_timer, e->id_at);
}

static void try_again(kloop_engine *e, const char *why)
{
    e->id_state = KL_ID_WANTED;
    uint64_t wait = kl_backoff_in_vain(e->set.retry_backoff_ns, e->set.retry_backoff_max_ns,
                                       e->id_failures, &e->prng);
    if (e->id_failures < UINT32_MAX)
        e->id_failures++;
    e->id_at = kl_time_add(e->now.mono_ns, wait);
    kl_heap_set(&e->timers, &e->id_timer, e->id_at);
    kl_log_trouble(e, KLOOP_LOG_WARN, "asking for a producer id: %s; trying again", why);
}

/* Ids may come with the last epoch there is, and each be used up by the first thing that goes
 * wrong: then they are as much in vain as those that were refused. The first one too few costs
 * nothing. */
static void keep_distance(kloop_engine *e)
{
    e->id_at = e->now.mono_ns;
    if (e->id_run > 0)
        e->id_at = kl_time_add(e->id_at, kl_backoff_in_vain(e->set.retry_backoff_ns,
                                                            e->set.retry_backoff_max_ns,
                                                            e->id_run - 1, &e->prng));
    if (e->id_run < UINT32_MAX)
        e->id_run++;
}

static void wake_partitions(kloop_engine *e)
{
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        for (int32_t i = 0; i < t->table_count; i++)
            if (t->partitions[i] && !kl_list_is_empty(&t->partitions[i]->line))
                kl_readiness_update(e, t->partitions[i]);
    }
}

static bool answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    kloop_init_producer_id_response m;
    kloop_fault fault;
    if (kloop_decode(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, r->version, body.data, body.len, &m,
                     &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    kl_conn_throttle(e, c, r, m.throttle_time_ms);
    if (e->id_state != KL_ID_ASKED)
        return true;
    if (m.error_code == 0 && m.producer_id >= 0 && m.producer_epoch >= 0) {
        e->producer_id = m.producer_id;
        e->epoch = m.producer_epoch;
        e->id_state = KL_ID_KNOWN;
        KL_TRACE(e, engine, e, KLOOP_TRACE_IDENTIFIED, NULL, e->producer_id, e->epoch);
        e->id_failures = 0;
        keep_distance(e);
        wake_partitions(e);
        return true;
    }
    if (m.error_code == 0) {
        try_again(e, "the broker answered with an id or an epoch below 0");
        return true;
    }
    char code[KL_ERROR_CODE_TEXT];
    if (kl_policy(KL_QUESTION_PRODUCER_ID, m.error_code).verdict == KL_VERDICT_FATAL) {
        bool lacks_right =
            (kloop_broker_error_classes(m.error_code) & KLOOP_CLASS_AUTHORIZATION) != 0;
        kl_shutdown_fatal(e, "%s:%u gave no producer id: %s. %s", c->broker->host,
                          (unsigned)c->broker->port, kl_error_code(m.error_code, code),
                          lacks_right
                              ? "Set enable.idempotence=false, or grant IdempotentWrite on the "
                                "cluster (or Write on a topic) to this client."
                              : kloop_broker_error_explain(m.error_code));
        return true;
    }
    try_again(e, kl_error_code(m.error_code, code));
    return true;
}

static void lost(kloop_engine *e, kl_request *r)
{
    (void)r;
    if (e->id_state == KL_ID_ASKED && e->life <= KL_LIFE_CLOSING)
        try_again(e, "the connection was lost");
}

static const kl_request_kind init_producer_id = {
    .name = "InitProducerId", .answered = answered, .lost = lost};

bool kl_idempotence_step_due(const kloop_engine *e)
{
    return e->id_state == KL_ID_WANTED && e->now.mono_ns >= e->id_at &&
           e->life <= KL_LIFE_CLOSING && !e->fatal;
}

bool kl_idempotence_step(kloop_engine *e)
{
    if (!kl_idempotence_step_due(e))
        return false;
    kl_conn *c = kl_nodes_any(e);
    if (!c)
        return false;
    if (c->agreed.init_producer_id < 0) {
        kl_shutdown_fatal(
            e,
            "%s:%u is too old for an idempotent producer: it knows no InitProducerId. "
            "Set enable.idempotence=false.",
            c->broker->host, (unsigned)c->broker->port);
        return true;
    }
    kloop_init_producer_id_request m;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_REQUEST, &m);
    m.transactional_id = (kloop_string){NULL, 0};
    m.transaction_timeout_ms = INT32_MAX;
    if (!kl_conn_ask(e, c, &init_producer_id, KLOOP_INIT_PRODUCER_ID, c->agreed.init_producer_id,
                     &m, sizeof m, 0, true, NULL)) {
        try_again(e, "no memory for the request");
        return true;
    }
    if (e->now.mono_ns >= kl_time_add(e->id_at, LASTING_NS))
        e->id_run = 0;
    e->id_state = KL_ID_ASKED;
    return true;
}

static bool is_newest(const kloop_engine *e, const kl_partition *p)
{
    return p->producer_id == e->producer_id && p->epoch == e->epoch;
}

bool kl_idempotence_may_number(const kloop_engine *e, const kl_partition *p, const kl_batch *b)
{
    /* It goes again under the numbers it has. */
    if (b->numbered && (b->fate_unknown || !p->hole))
        return true;
    if (p->hole || p->producer_id < 0)
        return p->flight_count == 0 && e->id_state == KL_ID_KNOWN;
    return true;
}

/* p has nothing in flight, and nothing whose numbers matter. */
static void adopt(kloop_engine *e, kl_partition *p)
{
    /* A broker that counts for this id takes nothing but 0 as the first number of a new epoch. One
     * that knows nothing of it would take any, also that of the second batch before the first. */
    p->known_to_leader = p->known_to_leader && p->producer_id == e->producer_id;
    p->steady = p->known_to_leader;
    p->producer_id = e->producer_id;
    p->epoch = e->epoch;
#ifdef KL_PLANT_IDLE_KEEPS_SEQUENCE
    if (p->hole)
#endif
        p->next_sequence = 0;
    p->hole = false;
    KL_TRACE(e, partition, p, KLOOP_TRACE_RESTARTED, p->producer_id, p->epoch);
    for (kl_link *at = kl_list_first(&p->line); at; at = kl_list_next(&p->line, at)) {
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage >= KL_STAGE_IN_FLIGHT || !b->numbered)
            continue;
        /* The broker takes numbers without gaps. The batch before this one was never stored under
         * the old ones and never will be; so neither was this one, whatever became of its requests.
         */
        b->numbered = false;
        b->fate_unknown = false;
    }
}

void kl_idempotence_number(kloop_engine *e, kl_partition *p, kl_batch *b)
{
#ifdef KL_PLANT_DOUBTFUL_GETS_NEW_EPOCH
    if (b->numbered && !p->hole)
#else
    if (b->numbered && (b->fate_unknown || !p->hole))
#endif
        return;
    if (p->hole || p->producer_id < 0 ||
        (p->flight_count == 0 && !b->numbered && e->id_state == KL_ID_KNOWN && !is_newest(e, p)))
        adopt(e, p);
    b->numbered = true;
    b->producer_id = p->producer_id;
    b->epoch = p->epoch;
    b->sequence = p->next_sequence;
    KL_TRACE(e, batch, b, KLOOP_TRACE_NUMBERED, 0, b->producer_id, b->sequence);
    /* Sequences run from 0 to 2^31-1 and begin again. */
    p->next_sequence =
        (int32_t)(((uint32_t)p->next_sequence + (uint32_t)b->builder.count) & INT32_MAX);
#ifdef KL_PLANT_SEQUENCE_WRAPS_NEGATIVE
    if (p->next_sequence < b->sequence)
        p->next_sequence |= INT32_MIN;
#endif
}

/* What is begun from now on is of another epoch. */
static void bump(kloop_engine *e)
{
    e->stats.epoch_bumps++;
#ifdef KL_PLANT_EPOCH_WRAPS
    if (e->epoch == INT16_MAX)
        e->epoch = INT16_MIN;
#endif
    if (e->epoch < INT16_MAX) {
        e->epoch++;
        KL_TRACE(e, engine, e, KLOOP_TRACE_BUMPED, NULL, e->producer_id, e->epoch);
        return;
    }
    /* No epoch is left under this id. Perhaps another partition has found out before. */
    if (e->id_state == KL_ID_KNOWN)
        e->id_state = KL_ID_NONE;
    kl_idempotence_want(e);
}

void kl_idempotence_hole(kloop_engine *e, kl_partition *p)
{
    if (p->hole)
        return;
    p->hole = true;
    p->steady = false;
    KL_TRACE(e, partition, p, KLOOP_TRACE_HOLE, p->producer_id, p->epoch);
    if (is_newest(e, p))
        bump(e);
}

void kl_idempotence_forget(kloop_engine *e, const kl_partition *p)
{
    if (e->set.idempotent && p->producer_id >= 0 && is_newest(e, p))
        bump(e);
}
