/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of the loop. See the header for what happens in which phase. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_pump.h"

#include "base/check.h"
#include "base/now.h"
#include "driver/clocks.h"
#include "driver/uv_connection.h"
#include "driver/uv_inlet.h"
#include "driver/uv_process.h"
#include "driver/uv_secure.h"

#include <string.h>

/* The bounds of a pass; what is left goes to the next turn. It is shorter where the sockets have
 * taken their time already. */
#define PASS_NS          KL_MS
#define PASS_NS_MIN      (KL_MS / 2)
#define PASS_RECORDS_MAX 65536
/* Between two looks at the clock. */
#define PASS_ACTIONS 8
/* In the middle of the user's code: enough to get the batch out that was filled just now. */
#define IO_ACTIONS 8

#define NO_TIME    UINT64_MAX

/* ---- Time ---- */

static void tell_time(kloop_producer *p, uint64_t mono_ns)
{
    if (mono_ns > p->now.mono_ns)
        p->now.mono_ns = mono_ns;
    p->now.wall_ms = kl_clocks_wall_ms();
    p->turn_ms = p->barred ? KLOOP_NEVER : uv_now(p->loop);
    kloop_engine_clock(p->engine, p->now);
}

void kl_uv_pump_read_clocks(kloop_producer *p)
{
    tell_time(p, kl_clocks_mono_ns());
}

kloop_now kl_uv_pump_event_time(kloop_producer *p)
{
    if (!p->settled) {
        p->settled = true;
        kl_uv_pump_read_clocks(p);
    }
    return p->now;
}

void kl_uv_pump_new_turn(kloop_producer *p, uint64_t turn_ms)
{
    /* Not the clock itself: the engine's time must not run ahead of the last poll. */
    tell_time(p, turn_ms * KL_MS);
}

/* ---- Actions ---- */

static void take_io(kloop_producer *p, const kloop_action *a)
{
    switch (a->kind) {
    case KLOOP_ACT_RESOLVE:
        kl_name_resolver_start(&p->resolver, a->id, a->host.data);
        break;
    case KLOOP_ACT_CANCEL:
        kl_name_resolver_cancel(&p->resolver, a->id);
        break;
    case KLOOP_ACT_CONNECT:
        kl_uv_connection_open(p, a->id, &a->address, a->host, a->port);
        break;
    case KLOOP_ACT_WRITE:
        kl_uv_connection_write(p, a->id);
        break;
    case KLOOP_ACT_CLOSE:
        kl_uv_connection_close(p, a->id);
        break;
    case KLOOP_ACT_PAUSE:
        kl_uv_connection_set_paused(p, a->id, true);
        break;
    case KLOOP_ACT_RESUME:
        kl_uv_connection_set_paused(p, a->id, false);
        break;
    default:
        KL_UNREACHABLE();
    }
}

static void report_flush(kloop_producer *p, kl_uv_flush *flush)
{
    kloop_event_fn fn = flush->fn;
    void *me = flush->me;
    kl_list_remove(&flush->link);
    kl_mem_release(&p->alloc, flush, sizeof *flush);
    if (fn)
        fn(p, me);
}

static void report_warm_up(kloop_producer *p, kl_uv_warm_up *w, const kloop_warmth *warmth)
{
    kloop_warm_fn fn = w->fn;
    void *me = w->me;
    kl_list_remove(&w->link);
    kl_mem_release(&p->alloc, w, sizeof *w);
    if (fn)
        fn(p, warmth, me);
}

/* Runs the user's code, which may call anything of <kloop/kloop.h>. */
static void take(kloop_producer *p, const kloop_action *a)
{
    switch (a->kind) {
    case KLOOP_ACT_DELIVER:
        if (p->on_delivery)
            p->on_delivery(p, &a->report, p->delivery_me);
        break;
    case KLOOP_ACT_WRITABLE:
        if (kl_uv_inlet_on_writable(p) && p->on_writable)
            p->on_writable(p, p->writable_me);
        break;
    case KLOOP_ACT_FLUSHED:
        report_flush(p, a->user);
        break;
    case KLOOP_ACT_LOG:
        if (a->level <= KLOOP_LOG_WARN)
            kl_uv_process_note_trouble(p, a->text);
        if (p->on_log)
            p->on_log(p, a->level, a->text, p->log_me);
        break;
    case KLOOP_ACT_CHUNK:
        if (p->on_chunk)
            p->on_chunk(p, a->chunk, p->chunk_me);
        break;
    case KLOOP_ACT_RELEASE:
        if (p->on_release)
            p->on_release(p, a->loans, a->loan_count, p->release_me);
        break;
    case KLOOP_ACT_WARM:
        report_warm_up(p, a->user, &a->warmth);
        break;
    case KLOOP_ACT_TOKEN:
        kl_uv_secure_want_token(p);
        break;
    case KLOOP_ACT_CLOSED:
        kl_uv_pump_stop(p);
        break;
    default:
        take_io(p, a);
        break;
    }
}

void kl_uv_pump_io(kloop_producer *p)
{
    kloop_action a;
    for (int i = 0; i < IO_ACTIONS && kloop_engine_next_io(p->engine, &a); i++)
        take_io(p, &a);
}

/* Takes actions until there is none (true) or the pass is long enough. */
static bool take_actions(kloop_producer *p, uint64_t until_ns)
{
    kloop_action a;
    size_t records = 0;
    unsigned actions = 0;
    while (kloop_engine_next(p->engine, &a)) {
        take(p, &a);
        /* User code may have done anything, and may be another process now. */
        if (p->state != KL_UV_OPEN || p->living.forked)
            return true;
        if (a.kind == KLOOP_ACT_DELIVER)
            records += a.report.count;
        if (records >= PASS_RECORDS_MAX)
            return false;
        /* A write may be a megabyte: that alone is worth a look. */
        if ((++actions % PASS_ACTIONS == 0 || a.kind == KLOOP_ACT_WRITE) &&
            kl_clocks_mono_ns() >= until_ns)
            return false;
    }
    return true;
}

/* ---- Sleeping and waking ---- */

static void on_idle(uv_idle_t *idle)
{
    /* That it runs keeps poll from sleeping and the loop from ending. */
    (void)idle;
}

static void on_timer(uv_timer_t *timer)
{
    /* Only wakes the loop; prepare looks at the deadline. */
    kloop_producer *p = timer->data;
    p->timer_ms = NO_TIME;
}

void kl_uv_pump_wake(kloop_producer *p)
{
    /* In a forked child nothing runs any more, and nothing must keep its loop. */
    if (p->dirty || p->state != KL_UV_OPEN || p->living.forked)
        return;
    p->dirty = true;
    uv_idle_start(&p->idle, on_idle);
}

void kl_uv_pump_update_alive(kloop_producer *p)
{
    if (p->state != KL_UV_OPEN)
        return;
    bool alive = p->keep_alive || kloop_engine_busy(p->engine) || kl_uv_inlet_is_busy(p);
    if (alive == p->alive)
        return;
    p->alive = alive;
    /* One handle that is always active speaks for all: sockets and the timer are polled all the
     * same, and nobody has to go through them. */
    if (alive)
        uv_ref((uv_handle_t *)&p->check);
    else
        uv_unref((uv_handle_t *)&p->check);
}

static void set_timer(kloop_producer *p)
{
    if (p->deadline_ms == p->timer_ms)
        return;
    p->timer_ms = p->deadline_ms;
    if (p->deadline_ms == NO_TIME) {
        uv_timer_stop(&p->timer);
        return;
    }
    uint64_t now_ms = uv_now(p->loop);
    uv_timer_start(&p->timer, on_timer, p->deadline_ms > now_ms ? p->deadline_ms - now_ms : 0, 0);
}

/* No action is left: sleep until the deadline, unless that has passed. */
static void rest(kloop_producer *p)
{
    uint64_t deadline =
        kl_time_min(kloop_engine_deadline(p->engine), kl_name_resolver_deadline(&p->resolver));
    deadline = kl_time_min(deadline, kl_uv_inlet_deadline(p));
    if (deadline <= p->now.mono_ns || kl_uv_inlet_has_work(p) || !kl_list_is_empty(&p->stirred))
        return;
    /* Up, or the timer would fire before there is anything to do. */
    p->deadline_ms = deadline == KLOOP_NEVER ? NO_TIME : deadline / KL_MS + (deadline % KL_MS != 0);
    p->dirty = false;
    uv_idle_stop(&p->idle);
    set_timer(p);
}

static void pump(kloop_producer *p)
{
    uint64_t begin = kl_clocks_mono_ns();
    p->pumping = true;
    kl_uv_connection_go_on(p);
    if (p->polls_at_once) {
        kl_name_resolver_on_time(&p->resolver, p->now.mono_ns);
        kloop_engine_on_time(p->engine, p->now);
    }
    uint64_t left = p->held_ns < PASS_NS - PASS_NS_MIN ? PASS_NS - p->held_ns : PASS_NS_MIN;
    kl_uv_inlet_drain(p, begin + left / 2);
    if (p->secure.noted)
        kl_uv_secure_tell(p);
    bool done = p->state == KL_UV_OPEN && !p->living.forked && take_actions(p, begin + left);
    p->pumping = false;
    if (p->living.forked)
        return;
    if (done && p->state == KL_UV_OPEN)
        rest(p);
    kl_uv_pump_update_alive(p);
    kl_uv_process_note(p);
    uint64_t held = p->held_ns + (kl_clocks_mono_ns() - begin);
    if (held > p->hold_max_ns)
        p->hold_max_ns = held;
}

/* ---- Phases ---- */

/* In a forked child: nothing of us runs any more, or keeps this process's loop. */
static void let_go(kloop_producer *p)
{
    uv_idle_stop(&p->idle);
    uv_prepare_stop(&p->prepare);
    uv_check_stop(&p->check);
    uv_timer_stop(&p->timer);
    kl_uv_connection_let_go_all(p);
    kl_name_resolver_close(&p->resolver);
}

static void on_prepare(uv_prepare_t *prepare)
{
    kloop_producer *p = prepare->data;
    if (p->living.forked) {
        let_go(p);
        return;
    }
    /* Settings of a topic are changed without a word to us. */
    if (!p->dirty && (uv_now(p->loop) >= p->deadline_ms || kloop_engine_has_io(p->engine)))
        kl_uv_pump_wake(p);
    p->held_ns = 0;
    p->settled = p->polls_at_once = p->dirty;
    if (p->dirty)
        kl_uv_pump_read_clocks(p);
}

static void on_check(uv_check_t *check)
{
    kloop_producer *p = check->data;
    if (p->living.forked)
        return;
    if (p->dirty)
        pump(p);
    p->settled = p->polls_at_once = false;
}

void kl_uv_pump_start(kloop_producer *p)
{
    uv_idle_init(p->loop, &p->idle);
    uv_prepare_init(p->loop, &p->prepare);
    uv_check_init(p->loop, &p->check);
    uv_timer_init(p->loop, &p->timer);
    p->idle.data = p->prepare.data = p->check.data = p->timer.data = p;
    p->handle_count += 4;
    p->deadline_ms = p->timer_ms = NO_TIME;
    uv_prepare_start(&p->prepare, on_prepare);
    uv_check_start(&p->check, on_check);
    uv_unref((uv_handle_t *)&p->prepare);
    uv_unref((uv_handle_t *)&p->check);
    uv_unref((uv_handle_t *)&p->timer);
    kl_uv_pump_wake(p);
}

static void on_closed(uv_handle_t *handle)
{
    kl_uv_producer_handle_gone(handle->data);
}

void kl_uv_pump_stop(kloop_producer *p)
{
    p->state = KL_UV_CLOSING;
    kl_name_resolver_close(&p->resolver);
    kl_uv_connection_close_all(p);
    uv_close((uv_handle_t *)&p->idle, on_closed);
    uv_close((uv_handle_t *)&p->prepare, on_closed);
    uv_close((uv_handle_t *)&p->check, on_closed);
    uv_close((uv_handle_t *)&p->timer, on_closed);
    kl_uv_inlet_stop(p);
}
