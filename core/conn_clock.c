/* SPDX-License-Identifier: BSD-2-Clause */
/* When the time of a connection is over: to be set up, to answer, to be idle, to be left alone. See
 * conn.h for which clock runs. */
#include "core/conn.h"

#include "core/authentication.h"
#include "core/trace_points.h"

/* However soon a connection counts as idle, one that something waits for is not closed. */
#define LOOK_AGAIN_NS (100 * KL_MS)

static uint64_t setup_deadline(const kloop_engine *e, const kl_conn *c)
{
    uint64_t limit = e->set.setup_timeout_ns;
    for (uint32_t n = 0; n < c->broker->failures && limit < e->set.setup_timeout_max_ns; n++)
        limit = kl_time_add(limit, limit);
    if (limit > e->set.setup_timeout_max_ns)
        limit = e->set.setup_timeout_max_ns;
    return kl_time_add(c->opened_ns, limit);
}

/* The request whose time runs. */
static const kl_request *oldest(const kl_conn *c)
{
    kl_link *at = kl_list_first(&c->flight);
    if (at)
        return KL_CONTAINER_OF(at, kl_request, in_flight);
    at = kl_list_first(&c->writing);
    return at ? KL_CONTAINER_OF(at, kl_request, in_writing) : NULL;
}

static uint64_t request_deadline(const kloop_engine *e, const kl_conn *c, const kl_request *r)
{
    uint64_t from = r->progress_ns > c->last_answer_ns ? r->progress_ns : c->last_answer_ns;
    /* A broker that holds us back holds its answers back as well. */
    if (from < c->throttled_until)
        from = c->throttled_until;
    return kl_time_add(from, e->set.request_timeout_ns);
}

/* When nobody will have needed it for long; not while something waits to be sent. */
static uint64_t idle_at(const kloop_engine *e, const kl_conn *c)
{
#ifdef KL_PLANT_IDLE_CONNECTION_KEPT
    if (e->life == KL_LIFE_OPEN)
        return KL_NEVER;
#endif
    /* Nobody tells when what waits has run out of time: it is looked at again. */
    if (!kl_list_is_empty(&c->broker->ready))
        return kl_time_add(e->now.mono_ns,
                           e->set.idle_ns < LOOK_AGAIN_NS ? LOOK_AGAIN_NS : e->set.idle_ns);
    uint64_t from = c->last_active_ns;
    if (from < c->throttled_until)
        from = c->throttled_until;
    return kl_time_add(from, e->set.idle_ns);
}

/* While the broker waits for us, who compute something, or wait for a token. */
static uint64_t renewal_deadline(const kloop_engine *e, const kl_conn *c)
{
    return kl_time_add(c->last_answer_ns, e->set.setup_timeout_ns);
}

void kl_conn_clock(kloop_engine *e, kl_conn *c)
{
    uint64_t when = KL_NEVER;
    const kl_request *r = oldest(c);
    switch (c->state) {
    case KL_CONN_CONNECTING:
    case KL_CONN_VERSIONS:
    case KL_CONN_SASL_HANDSHAKE:
    case KL_CONN_AUTHENTICATING:
        when = setup_deadline(e, c);
        break;
    case KL_CONN_READY:
        /* What the peer has said may be waiting for us, if we are the ones who do not read. */
        if (r && !c->paused)
            when = request_deadline(e, c, r);
        else if (!r)
            when = c->auth ? renewal_deadline(e, c) : idle_at(e, c);
        when = kl_time_min(when, c->renew_at);
        if (c->throttled_until > e->now.mono_ns)
            when = kl_time_min(when, c->throttled_until);
        break;
    case KL_CONN_LOST:
        break;
    }
    kl_heap_set(&e->timers, &c->timer, when);
}

/* From which version on the broker leaves it to the client (KIP-219). */
static int16_t throttled_since(int16_t api)
{
    switch (api) {
    case KLOOP_PRODUCE:
    case KLOOP_METADATA:
        return 6;
    case KLOOP_API_VERSIONS:
        return 2;
    default:
        return 1;
    }
}

void kl_conn_throttle(kloop_engine *e, kl_conn *c, const kl_request *r, int32_t ms)
{
    if (ms <= 0 || r->version < throttled_since(r->api))
        return;
#ifdef KL_PLANT_THROTTLE_IGNORED
    if (ms)
        return;
#endif
    /* Requests under way wait longer by as much; a lie must not make them wait for ever. */
    uint64_t ns = kl_time_min(kl_ms_to_ns(ms), e->set.request_timeout_ns);
    uint64_t until = kl_time_add(e->now.mono_ns, ns);
    if (c->throttled_until < until)
        c->throttled_until = until;
    KL_TRACE(e, broker, c->broker, KLOOP_TRACE_THROTTLED, 0, (int64_t)ns, 0);
    kl_meters_throttled(e, c->broker, ns);
}

void kl_conn_timer(kloop_engine *e, kl_conn *c)
{
    const char *host = c->broker->host;
    unsigned port = c->broker->port;
    const kl_request *r = oldest(c);
    if (c->state == KL_CONN_LOST)
        return;
    if (c->state != KL_CONN_READY || (c->auth && !r && e->now.mono_ns >= renewal_deadline(e, c))) {
        kl_conn_lose(e, c,
                     "%s:%u: not ready in time (socket.connection.setup.timeout.ms) while %s%s",
                     host, port, kl_authentication_doing(c), e->login.trouble);
        return;
    }
    if (r && !c->paused && e->now.mono_ns >= request_deadline(e, c, r)) {
        c->broker->meters->timeouts++;
        kl_conn_lose(e, c, "%s:%u: no %s %s within request.timeout.ms=%d", host, port,
                     r->written < r->total ? "progress in writing" : "answer to", r->kind->name,
                     (int)e->set.request_timeout_ms);
        return;
    }
    if (!r && !c->auth && e->now.mono_ns >= idle_at(e, c)) {
        c->idle = true;
        kl_conn_lose(e, c, "%s:%u: not used for connections.max.idle.ms", host, port);
        return;
    }
    if (e->now.mono_ns >= c->renew_at) {
        kl_authentication_begin(e, c);
        if (c->state == KL_CONN_LOST)
            return;
    }
    if (c->throttled_until <= e->now.mono_ns)
        kl_nodes_poke(e, c->broker);
    kl_conn_clock(e, c);
}
