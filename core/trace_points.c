/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of decisions. See trace_points.h. */
#include "core/trace_points.h"

#include "core/hook_calls.h"
#include "core/topic_share.h"

static void emit(kloop_engine *e, kloop_trace *trace, kloop_trace_kind kind)
{
    trace->mono_ns = e->now.mono_ns;
    trace->kind = (uint8_t)kind;
    kl_hook_enter(e);
    e->hooks.on_decision(trace, e->hooks.me);
    kl_hook_leave(e);
}

static kloop_trace of_batch(const kl_batch *b)
{
    return (kloop_trace){
        .topic = b->topic,
        .batch = b->number,
        .partition = b->partition ? b->partition->index : -1,
        .broker = KLOOP_TRACE_NO_BROKER,
    };
}

void kl_trace_batch(const kl_batch *b, kloop_trace_kind kind, int why, int64_t x, int64_t y)
{
    kloop_trace trace = of_batch(b);
    trace.why = (uint8_t)why;
    trace.code = kind == KLOOP_TRACE_NUMBERED ? b->epoch : b->broker_error;
    trace.a = x;
    trace.b = y;
    emit(b->topic->engine, &trace, kind);
}

static kloop_trace_seal why_due(const kl_batch *b)
{
    const kloop_topic *t = b->topic;
    const kloop_engine *e = t->engine;
    if (e->life != KL_LIFE_OPEN)
        return KLOOP_SEAL_CLOSE;
    if (e->refused || (t->share && t->share->refused))
        return KLOOP_SEAL_MEMORY;
    if (e->now.mono_ns >= kl_time_add(b->created_ns, t->set->linger_ns))
        return KLOOP_SEAL_LINGER;
    return b->due ? KLOOP_SEAL_FLUSH : KLOOP_SEAL_ALONG;
}

void kl_trace_sealed(const kl_batch *b, kloop_trace_seal why)
{
    kl_trace_batch(b, KLOOP_TRACE_SEALED, (int)(why == KLOOP_SEAL_ALONG ? why_due(b) : why),
                   b->builder.count, (int64_t)kl_chain_len(&b->builder.payload));
}

void kl_trace_request_of(const kl_batch *b, const kl_request *r, int32_t broker)
{
    kloop_trace trace = of_batch(b);
    trace.broker = broker;
    trace.a = r->correlation;
    trace.b = b->launches;
    emit(b->topic->engine, &trace, KLOOP_TRACE_REQUESTED);
}

void kl_trace_partition(const kl_partition *p, kloop_trace_kind kind, int64_t x, int64_t y)
{
    kloop_trace trace = {
        .topic = p->topic, .partition = p->index, .broker = KLOOP_TRACE_NO_BROKER, .a = x, .b = y};
    emit(p->topic->engine, &trace, kind);
}

void kl_trace_leader(const kloop_topic *t, int32_t index)
{
    const kl_leader *leader = &t->leaders[index];
    kloop_trace trace = {.topic = t,
                         .partition = index,
                         .broker = leader->node < 0 ? KLOOP_TRACE_NO_BROKER : leader->node,
                         .a = leader->epoch};
    emit(t->engine, &trace, KLOOP_TRACE_LED);
}

void kl_trace_topic(const kloop_topic *t, bool anew)
{
    kloop_trace trace = {.topic = t,
                         .partition = -1,
                         .broker = KLOOP_TRACE_NO_BROKER,
                         .code = t->error,
                         .a = t->partition_count,
                         .b = anew};
    emit(t->engine, &trace, KLOOP_TRACE_TOPIC);
}

void kl_trace_broker(const kl_broker *b, kloop_trace_kind kind, int why, int64_t x, int64_t y)
{
    kloop_trace trace = {.partition = -1, .broker = b->id, .why = (uint8_t)why, .a = x, .b = y};
    emit(b->engine, &trace, kind);
}

void kl_trace_conn(const kl_conn *c, kloop_trace_conn state)
{
    kl_trace_broker(c->broker, KLOOP_TRACE_CONNECTION, (int)state, c->id.slot, 0);
}

void kl_trace_request(const kl_conn *c, kloop_trace_kind kind, const kl_request *r, int64_t y)
{
    kloop_trace trace = {.partition = -1,
                         .broker = c->broker->id,
                         .code = kind == KLOOP_TRACE_ASKED ? r->version : 0,
                         .why = (uint8_t)r->api,
                         .a = r->correlation,
                         .b = y};
    emit(c->engine, &trace, kind);
}

void kl_trace_engine(kloop_engine *e, kloop_trace_kind kind, const kloop_topic *t, int64_t x,
                     int64_t y)
{
    kloop_trace trace = {
        .topic = t, .partition = -1, .broker = KLOOP_TRACE_NO_BROKER, .a = x, .b = y};
    emit(e, &trace, kind);
}
