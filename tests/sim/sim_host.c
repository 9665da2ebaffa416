/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of a loop. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ACTIONS_MAX 1000000
/* Turns in one second by deadline alone in which nothing is to be done. */
#define EMPTY_MAX 5000
#define PIECE_NS  (1 * KL_US)

static void turn(sim *s, void *thing, uint64_t number);

void sim_host_deinit(sim *s)
{
    free(s->host.list);
    free(s->host.names);
}

static void set_turn(sim *s, uint64_t at_ns)
{
    sim_host *h = &s->host;
    if (h->gone)
        return;
    if (at_ns < h->stalled_until_ns)
        at_ns = h->stalled_until_ns;
    if (h->turn_set && h->turn_at_ns <= at_ns)
        return;
    h->turn_set = true;
    h->turn_at_ns = at_ns;
    sim_at(s, at_ns, turn, NULL, ++h->turn_number);
}

static uint64_t next_tick(const sim *s, uint64_t at_ns)
{
    uint64_t tick = s->host.tick_ns;
    return tick ? (at_ns + tick - 1) / tick * tick : at_ns;
}

void sim_host_wake(sim *s)
{
    set_turn(s, next_tick(s, s->world.now_ns));
}

/* No whole turn before then. What was due meanwhile, and in the holds right before, is as late. */
static void hold(sim *s, uint64_t until_ns)
{
    sim_host *h = &s->host;
    if (h->held_until_ns <= h->whole_ns)
        h->held_from_ns = s->world.now_ns;
    if (h->held_until_ns < until_ns)
        h->held_until_ns = until_ns;
    uint64_t slack = h->held_until_ns - h->held_from_ns + 2 * h->tick_ns + h->late_ns;
    if (h->slack_ns < slack)
        h->slack_ns = slack;
}

void sim_host_stall(sim *s, uint64_t until_ns)
{
    sim_host *h = &s->host;
    hold(s, until_ns);
    if (h->stalled_until_ns < until_ns)
        h->stalled_until_ns = until_ns;
    if (h->turn_set) {
        h->turn_set = false;
        set_turn(s, h->stalled_until_ns);
    }
}

void sim_host_ask_nothing(sim *s, uint64_t until_ns)
{
    sim_host *h = &s->host;
    hold(s, until_ns);
    if (h->asks_from_ns < until_ns)
        h->asks_from_ns = until_ns;
    set_turn(s, next_tick(s, until_ns));
}

void sim_host_list(sim *s, sim_conn *c)
{
    sim_host *h = &s->host;
    if (h->gone)
        return;
    if (!c->listed) {
        c->listed = true;
        if (h->list_count == h->list_cap) {
            h->list_cap = h->list_cap ? 2 * h->list_cap : 16;
            h->list = sim_grow(h->list, h->list_cap, sizeof(sim_conn *));
        }
        h->list[h->list_count++] = c;
    }
    sim_host_wake(s);
}

bool sim_host_enter_user(sim *s)
{
    if (s->host.gone || s->world.now_ns < s->host.stalled_until_ns)
        return false;
    kloop_engine_clock(s->host.engine, sim_world_now(s));
    return true;
}

void sim_host_abandon(sim *s)
{
    sim_host *h = &s->host;
    h->gone = true;
    for (size_t i = 0; i < s->links.count; i++) {
        sim_conn *c = s->links.all[i];
        sim_link_write_over(s, c);
        if (c->state <= SIM_CONN_LOST)
            sim_watch_over(s, c);
        c->state = SIM_CONN_GONE;
    }
}

/* ---- Telling ---- */

static void tell_read(sim *s, sim_conn *c)
{
    sim_host *h = &s->host;
    kloop_now now = sim_world_now(s);
    for (size_t i = 0; i < h->reads_a_turn && c->down.arrived; i++) {
        size_t room = c->span_room;
        uint8_t *to = c->span;
        if (!to)
            to = kloop_engine_read_space(h->engine, c->id, &room);
        if (!to || !room) {
            if (to || room)
                sim_fail(s, "border", "read_space answers a place without room, or room nowhere");
            return; /* paused: RESUME comes */
        }
        size_t begun = c->watch.in_len;
        size_t n = sim_link_read(s, c, to, room < h->read_max ? room : h->read_max);
        c->span = NULL;
        sim_note(s, SIM_NOTE_RECEIVED, NULL, (int64_t)n, c->number, 0, 0);
        s->inside.bytes_in += n;
        sim_effort_begin(s);
        kloop_engine_on_received(h->engine, c->id, n, now);
        sim_effort_end_received(s, c, n, begun);
        if (c->watch.nonsense && !c->watch.early) {
            sim_checks_suspect(s, c);
            return;
        }
    }
}

/* A host that waits for completion gives the place before there are bytes for it. */
static void hold_span(sim *s, sim_conn *c)
{
    if (!s->host.completion || c->span || c->paused || c->state != SIM_CONN_OPEN ||
        c->tell_connected)
        return;
    c->span = kloop_engine_read_space(s->host.engine, c->id, &c->span_room);
    if (c->span)
        memset(c->span, SIM_POISON, c->span_room < 64 ? c->span_room : 64);
}

/* Its certificate is not good. */
static void distrust(sim *s, sim_conn *c)
{
    c->tell_connected = false;
    sim_link_reset(s, c, true, "the certificate is another one's");
    c->tell_lost = false;
    sim_note(s, SIM_NOTE_LOST, c->why, c->number, 0, 0, 0);
    sim_effort_begin(s);
    kloop_engine_on_untrusted(s->host.engine, c->id, c->why, sim_world_now(s));
    sim_effort_end(s, "on_untrusted");
}

static void tell(sim *s, sim_conn *c)
{
    sim_host *h = &s->host;
    kloop_engine *e = h->engine;
    kloop_now now = sim_world_now(s);
    if (c->tell_connected && s->plan.login.tls && sim_fault(s, SIM_FAULT_UNTRUSTED)) {
        distrust(s, c);
        return;
    }
    if (c->tell_connected) {
        c->tell_connected = false;
        c->moved_ns = s->world.now_ns;
        sim_note(s, SIM_NOTE_CONNECTED, NULL, c->number, 0, 0, 0);
        sim_effort_begin(s);
        kloop_engine_on_connected(e, c->id, now);
        sim_effort_end(s, "on_connected");
    }
    if (c->tell_wrote) {
        size_t n = c->tell_wrote;
        c->tell_wrote = 0;
        c->moved_ns = s->world.now_ns;
        sim_link_write_over(s, c);
        if (c->state != SIM_CONN_GONE) {
            sim_note(s, SIM_NOTE_WROTE, NULL, (int64_t)n, c->number, 0, 0);
            s->inside.bytes_out += n;
            sim_effort_begin(s);
            kloop_engine_on_wrote(e, c->id, n, now);
            sim_effort_end(s, "on_wrote");
            c->try_write = true;
        }
    }
    if (c->state == SIM_CONN_OPEN && c->down.arrived && !c->paused)
        tell_read(s, c);
    if (c->tell_lost && (c->state == SIM_CONN_LOST ||
                         (c->state == SIM_CONN_OPEN && c->lost_after_reading && !c->down.len))) {
        c->tell_lost = false;
        c->lost_after_reading = false;
        c->state = SIM_CONN_LOST;
        sim_note(s, SIM_NOTE_LOST, c->why, c->number, 0, 0, 0);
        sim_effort_begin(s);
        kloop_engine_on_disconnected(e, c->id, c->why[0] ? c->why : NULL, now);
        sim_effort_end(s, "on_disconnected");
    }
    if (c->tell_gone) {
        c->tell_gone = false;
        sim_link_write_over(s, c);
        sim_note(s, SIM_NOTE_GONE, NULL, c->number, 0, 0, 0);
        c->state = SIM_CONN_GONE;
        c->span = NULL;
        sim_effort_begin(s);
        kloop_engine_on_closed(e, c->id, now);
        sim_effort_end(s, "on_closed");
    }
    if (c->try_write) {
        c->try_write = false;
        sim_link_write(s, c);
    }
    hold_span(s, c);
}

/* Events that were under way when their connection ended: nobody is meant by them any more. */
static void tell_echo(sim *s)
{
    sim_host *h = &s->host;
    kloop_now now = sim_world_now(s);
    size_t room = 1;
    if (!h->echoes || !s->links.count || !sim_chance(s, SIM_STREAM_HOST, 10000))
        return;
    const sim_conn *c = s->links.all[sim_below(s, SIM_STREAM_HOST, s->links.count)];
    if (c->state != SIM_CONN_GONE)
        return;
    sim_note(s, SIM_NOTE_ECHO, NULL, c->number, 0, 0, 0);
    switch (sim_below(s, SIM_STREAM_HOST, 6)) {
    case 0:
        kloop_engine_on_connected(h->engine, c->id, now);
        break;
    case 1:
        if (kloop_engine_read_space(h->engine, c->id, &room) || room)
            sim_fail(s, "border", "there is room for bytes of #%" PRId64 ", which is gone",
                     c->number);
        kloop_engine_on_received(h->engine, c->id, 0, now);
        break;
    case 2:
        kloop_engine_on_wrote(h->engine, c->id, 1, now);
        break;
    case 3:
        kloop_engine_on_disconnected(h->engine, c->id, "too late", now);
        break;
    case 4:
        kloop_engine_on_closed(h->engine, c->id, now);
        break;
    default:
        kloop_engine_on_resolved(h->engine, c->id, NULL, 0, "too late", now);
        break;
    }
}

static bool more_to_tell(const sim_conn *c)
{
    return (c->state == SIM_CONN_OPEN && c->down.arrived && !c->paused) ||
           (c->tell_lost && c->state == SIM_CONN_OPEN && !c->down.len);
}

static void tell_later(sim *s, void *conn, uint64_t a)
{
    (void)a;
    sim_host_list(s, conn);
}

static bool tell_all(sim *s)
{
    sim_host *h = &s->host;
    bool any = sim_names_tell(s);
    size_t n = h->list_count;
    for (size_t i = 0; i < n; i++) {
        sim_conn *c = h->list[i];
        c->listed = false;
        tell(s, c);
        any = true;
        if (!more_to_tell(c))
            continue;
        /* The engine may have no room for it, and cannot say so. */
        if (s->world.now_ns < h->asks_from_ns)
            sim_at(s, h->asks_from_ns, tell_later, c, 0);
        else
            sim_host_list(s, c);
    }
    if (n) {
        memmove(h->list, h->list + n, (h->list_count - n) * sizeof(sim_conn *));
        h->list_count -= n;
    }
    return any;
}

/* ---- Actions ---- */

static sim_conn *conn_of(sim *s, const kloop_action *a, const char *what)
{
    sim_conn *c = sim_link_find(s, a->id);
    if (!c || c->state == SIM_CONN_GONE)
        sim_fail(s, "border", "%s names a connection that is no more", what);
    return c;
}

static void resume(sim *s, sim_conn *c)
{
    if (!c->paused)
        sim_fail(s, "border", "RESUME for #%" PRId64 ", which is not paused", c->number);
    c->paused = false;
    if (c->down.arrived || s->host.completion)
        sim_host_list(s, c);
}

static void pause_reading(sim *s, sim_conn *c)
{
    if (c->paused)
        sim_fail(s, "border", "PAUSE for #%" PRId64 ", which is paused", c->number);
    c->paused = true;
    if (c->span) {
        c->span = NULL;
        kloop_engine_on_received(s->host.engine, c->id, 0, sim_world_now(s));
    }
}

static void io_action(sim *s, const kloop_action *a)
{
    sim_conn *c;
    switch (a->kind) {
    case KLOOP_ACT_RESOLVE:
        sim_names_resolve(s, a);
        break;
    case KLOOP_ACT_CANCEL:
        sim_names_cancel(s, a->id);
        break;
    case KLOOP_ACT_CONNECT:
        sim_checks_connect(s, a);
        sim_link_connect(s, a);
        break;
    case KLOOP_ACT_WRITE:
        c = conn_of(s, a, "WRITE");
        sim_note(s, SIM_NOTE_WRITE, NULL, c->number, 0, 0, 0);
        /* It may be behind the times: a host whose last write is over asks by itself. */
        if (!c->wants_write)
            c->behind_since_ns = s->world.now_ns;
        c->wants_write = true;
        sim_link_write(s, c);
        break;
    case KLOOP_ACT_CLOSE:
        conn_of(s, a, "CLOSE")->span = NULL;
        sim_link_close(s, a->id, a->text ? a->text : "");
        break;
    case KLOOP_ACT_PAUSE:
        c = conn_of(s, a, "PAUSE");
        sim_note(s, SIM_NOTE_PAUSE, NULL, c->number, 0, 0, 0);
        pause_reading(s, c);
        break;
    case KLOOP_ACT_RESUME:
        c = conn_of(s, a, "RESUME");
        sim_note(s, SIM_NOTE_RESUME, NULL, c->number, 0, 0, 0);
        resume(s, c);
        break;
    case KLOOP_ACT_TOKEN:
    case KLOOP_ACT_DELIVER:
    case KLOOP_ACT_WRITABLE:
    case KLOOP_ACT_FLUSHED:
    case KLOOP_ACT_CLOSED:
    case KLOOP_ACT_LOG:
    case KLOOP_ACT_WARM:
    case KLOOP_ACT_CHUNK:
    case KLOOP_ACT_RELEASE:
        sim_fail(s, "border", "next_io gives an action of the user's");
    }
}

static bool is_io(kloop_action_kind kind)
{
    return kind < KLOOP_ACT_TOKEN;
}

static void deliver(sim *s, const kloop_report *r)
{
    char text[SIM_NOTE_TEXT];
    static const char *const outcomes[] = {"acked", "failed", "unknown"};
    snprintf(text, sizeof text, "%s (cause %d, error %d) %s",
             (unsigned)r->outcome <= 2 ? outcomes[r->outcome] : "?", (int)r->cause, r->broker_error,
             r->text ? r->text : "");
    sim_login_look_at_text(s, r->text);
    sim_note(s, SIM_NOTE_DELIVER, text, sim_user_topic_of(s, r->topic), r->partition,
             (int64_t)r->count, 0);
    sim_ledger_report(s, r);
}

static void warm(sim *s, const kloop_action *a)
{
    sim_host *h = &s->host;
    const kloop_warmth *w = &a->warmth;
    sim_note(s, SIM_NOTE_WARM, w->text, (int64_t)(uintptr_t)a->user, w->brokers, w->ready, w->warm);
    if (h->warm_ups_open == 0)
        sim_fail(s, "warm", "WARM, and nobody waits for one");
    if (!w->text || w->warm != (w->text[0] == '\0') || w->ready > w->brokers ||
        w->led > w->partitions || (w->warm && w->ready < w->brokers))
        sim_fail(s, "warm", "a WARM that contradicts itself");
    h->warm_ups_open--;
    h->warmth = *w;
    h->warmth.text = NULL;
    snprintf(h->warm_text, sizeof h->warm_text, "%s", w->text);
}

static bool any_share(const sim *s)
{
    for (int i = 0; i < s->plan.topic_count; i++)
        if (s->plan.topics[i].shares)
            return true;
    return false;
}

static void user_action(sim *s, const kloop_action *a)
{
    sim_host *h = &s->host;
    switch ((int)a->kind) {
    case KLOOP_ACT_TOKEN:
        sim_login_on_token(s);
        break;
    case KLOOP_ACT_DELIVER:
        deliver(s, &a->report);
        sim_user_on_delivery(s, &a->report);
        break;
    case KLOOP_ACT_WRITABLE:
        sim_note(s, SIM_NOTE_WRITABLE, NULL, 0, 0, 0, 0);
        /* A topic that is full and a producer that is full have one each. */
        if (!h->writable_owed && (!any_share(s) || h->writables >= s->ledger.refused_full))
            sim_fail(s, "writable", "WRITABLE, and nothing was refused");
        h->writables++;
        h->writable_owed = false;
        sim_user_on_writable(s);
        break;
    case KLOOP_ACT_FLUSHED:
        sim_note(s, SIM_NOTE_FLUSHED, NULL, (int64_t)(uintptr_t)a->user, 0, 0, 0);
        sim_ledger_flushed(s, (uint64_t)(uintptr_t)a->user);
        sim_user_on_flushed(s);
        break;
    case KLOOP_ACT_CLOSED:
        sim_note(s, SIM_NOTE_CLOSED, NULL, 0, 0, 0, 0);
        h->closed = true;
        h->closed_ns = s->world.now_ns;
        sim_checks_closed(s);
        break;
    case KLOOP_ACT_LOG:
        sim_note(s, SIM_NOTE_LOG, a->text, (int64_t)a->level, 0, 0, 0);
        if (!a->text || !a->text[0])
            sim_fail(s, "border", "an empty line of log");
        if (s->on_log)
            s->on_log(s, a->text);
        break;
    case KLOOP_ACT_WARM:
        warm(s, a);
        break;
    case KLOOP_ACT_CHUNK:
        sim_lending_on_chunk(s, a->chunk);
        break;
    case KLOOP_ACT_RELEASE:
        sim_lending_on_release(s, a->loans, a->loan_count);
        break;
    default:
        sim_fail(s, "border", "an action of kind %d", (int)a->kind);
    }
}

static bool next(sim *s, kloop_action *a)
{
    if (s->host.gone)
        return false;
    sim_effort_begin(s);
    bool any = kloop_engine_next(s->host.engine, a);
    sim_effort_end(s, "next");
    return any;
}

static uint32_t pump(sim *s)
{
    kloop_action a;
    uint32_t n = 0;
    while (next(s, &a)) {
        if (s->host.closed)
            sim_fail(s, "I3", "an action of kind %d after CLOSED", (int)a.kind);
        if (++n > ACTIONS_MAX)
            sim_fail(s, "I38", "%d actions in one turn", ACTIONS_MAX);
        if (is_io(a.kind)) {
            io_action(s, &a);
            s->host.io_actions++;
        } else {
            user_action(s, &a);
        }
    }
    s->host.actions += n;
    return n;
}

void sim_host_early_pump(sim *s)
{
    kloop_action a;
    uint32_t n = 0;
    if (!s->host.early_pump || s->host.gone || !kloop_engine_has_io(s->host.engine))
        return;
    while (kloop_engine_next_io(s->host.engine, &a)) {
        if (++n > ACTIONS_MAX)
            sim_fail(s, "I38", "%d actions in one turn", ACTIONS_MAX);
        io_action(s, &a);
    }
    s->host.actions += n;
}

/* ---- The turn ---- */

/* Before its deadline the time alone changes nothing. */
static void check_early_time(sim *s, uint64_t deadline)
{
    sim_host *h = &s->host;
    kloop_action a;
    if (deadline <= s->world.now_ns || !sim_chance(s, SIM_STREAM_HOST, 20000))
        return;
    kloop_engine_on_time(h->engine, sim_world_now(s));
    if (kloop_engine_next(h->engine, &a))
        sim_fail(s, "I39",
                 "the time alone brings an action of kind %d, %" PRIu64 " us before the deadline",
                 (int)a.kind, (deadline - s->world.now_ns) / KL_US);
    uint64_t after = kloop_engine_deadline(h->engine);
    if (after != deadline)
        sim_fail(s, "I39", "the time alone moves the deadline from %" PRIu64 " to %" PRIu64 " us",
                 deadline / KL_US, after / KL_US);
}

static void check_deadline(sim *s, uint64_t before, bool told, uint32_t actions)
{
    sim_host *h = &s->host;
    uint64_t now = s->world.now_ns;
    uint64_t deadline = h->deadline_ns;
    h->pieces = deadline <= now ? h->pieces + 1 : 0;
    if (before <= now)
        h->wakes++;
    if (told || actions || before > now)
        return;
    h->wakes_in_vain += !h->pieces;
    if (s->world.now_ns / KL_SECOND != h->second) {
        h->second = s->world.now_ns / KL_SECOND;
        h->empty_turns = 0;
    }
    if (!h->pieces && ++h->empty_turns > EMPTY_MAX)
        sim_fail(s, "I38", "%d deadlines in one second at which nothing is to be done", EMPTY_MAX);
}

/* A timer that fires later than it was set for. */
static uint64_t lateness(sim *s)
{
    sim_host *h = &s->host;
    if (!sim_fault(s, SIM_FAULT_TIMER_LATE))
        return 0;
    uint64_t late = sim_scale(s, SIM_STREAM_HOST, 1, 300) * KL_MS;
    /* It holds up all that is due while it is awaited. */
    if (h->late_ns < late) {
        h->slack_ns += late - h->late_ns;
        h->late_ns = late;
    }
    return late;
}

static void turn(sim *s, void *thing, uint64_t number)
{
    sim_host *h = &s->host;
    (void)thing;
    if (!h->turn_set || number != h->turn_number || h->gone)
        return;
    h->turn_set = false;
    h->turns++;
    uint64_t before = h->deadline_ns;
    kloop_now now = sim_world_now(s);
    kloop_engine_clock(h->engine, now);
    bool told = tell_all(s);
    tell_echo(s);
    if (now.mono_ns < h->asks_from_ns) {
        set_turn(s, next_tick(s, h->asks_from_ns));
        return;
    }
    /* What the user did since then may have made it earlier. */
    before = kl_time_min(before, kloop_engine_deadline(h->engine));
    if (before <= now.mono_ns || h->time_each_turn) {
        if (before <= now.mono_ns)
            sim_note(s, SIM_NOTE_TIME, NULL, (int64_t)before, 0, 0, 0);
        sim_effort_begin(s);
        kloop_engine_on_time(h->engine, now);
        sim_effort_end(s, "on_time");
    }
    uint32_t actions = pump(s);
    if (h->gone)
        return;
    h->whole_ns = now.mono_ns;
    h->deadline_ns = kloop_engine_deadline(h->engine);
    sim_checks_turn(s);
    check_deadline(s, before, told, actions);
    sim_effort_turn(s, h->io_actions, h->pieces);
    h->io_actions = 0;
    check_early_time(s, h->deadline_ns);
    /* One that has left work behind goes on in the next. */
    if (!h->pieces)
        h->turn_before_ns = now.mono_ns;
    if (h->deadline_ns <= now.mono_ns)
        set_turn(s, now.mono_ns + PIECE_NS);
    else if (h->deadline_ns != KLOOP_NEVER)
        set_turn(s, next_tick(s, kl_time_add(h->deadline_ns, lateness(s))));
}
