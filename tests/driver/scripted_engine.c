/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine that does what the test has written down. */
#include "tests/driver/scripted_engine.h"

#include "base/mem.h"
#include "driver/ip_address.h"

#include <kloop/hooks.h>
#include <kloop/wire.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants those four before it. */
#include <cmocka.h>

#define EVENTS_MAX  4096
#define ACTIONS_MAX 8192

struct kloop_topic {
    kloop_engine *engine;
};

struct kloop_chunk {
    kloop_engine *engine;
    kloop_chunk_report report;
};

struct kloop_config {
    char buffer[16];
};

struct kloop_engine {
    kloop_allocator alloc;
    void *host;
    kloop_now now;
    uint64_t deadline;
    bool busy;
    bool has_io;
    bool closing;
    bool closed_given;
    kloop_hooks hooks;
    kloop_chunk chunk;
    kloop_status answer;
    kloop_status flush_answer;
    bool fatal;
    kloop_record record; /* of the last send */
    size_t asked;
    void (*on_time_hook)(kloop_engine *, kloop_now, void *);
    void *on_time_me;
    scripted_connection conns[SCRIPTED_CONNECTIONS];
    scripted_event events[EVENTS_MAX];
    size_t event_count;
    size_t counts[SCRIPTED_KIND_COUNT];
    kloop_action actions[ACTIONS_MAX];
    size_t action_first;
    size_t action_end;
    kloop_topic topic;
    kloop_snapshot snapshot;
};

static kloop_engine *latest;

kloop_engine *scripted_engine(void)
{
    return latest;
}

/* ---- The script ---- */

void scripted_set_deadline(kloop_engine *e, uint64_t mono_ns)
{
    e->deadline = mono_ns;
}

void scripted_set_busy(kloop_engine *e, bool busy)
{
    e->busy = busy;
}

void scripted_set_has_io(kloop_engine *e, bool has_io)
{
    e->has_io = has_io;
}

void scripted_set_fatal(kloop_engine *e)
{
    e->fatal = true;
}

void scripted_answer_sends(kloop_engine *e, kloop_status status)
{
    e->answer = status;
}

void scripted_answer_flushes(kloop_engine *e, kloop_status status)
{
    e->flush_answer = status;
}

const kloop_record *scripted_last_record(const kloop_engine *e)
{
    return &e->record;
}

void scripted_on_time_hook(kloop_engine *e, void (*hook)(kloop_engine *, kloop_now, void *),
                           void *me)
{
    e->on_time_hook = hook;
    e->on_time_me = me;
}

void scripted_push(kloop_engine *e, const kloop_action *a)
{
    if (e->action_first == e->action_end)
        e->action_first = e->action_end = 0;
    assert_true(e->action_end < ACTIONS_MAX);
    e->actions[e->action_end++] = *a;
}

void scripted_act(kloop_engine *e, kloop_action_kind kind, kloop_id id)
{
    scripted_push(e, &(kloop_action){.kind = kind, .id = id, .text = "as the test says"});
}

void scripted_resolve(kloop_engine *e, kloop_id id, const char *host)
{
    scripted_push(
        e, &(kloop_action){.kind = KLOOP_ACT_RESOLVE, .id = id, .host = {host, strlen(host)}});
}

void scripted_connect(kloop_engine *e, kloop_id id, const char *address, uint16_t port)
{
    kloop_action a = {.kind = KLOOP_ACT_CONNECT, .id = id, .port = port};
    assert_true(kl_ip_address_parse(address, &a.address));
    a.address.port = port;
    a.host = (kloop_string){address, strlen(address)};
    scripted_push(e, &a);
}

void scripted_deliver(kloop_engine *e, size_t count)
{
    kloop_action a = {.kind = KLOOP_ACT_DELIVER};
    a.report.count = count;
    a.report.text = "";
    scripted_push(e, &a);
}

size_t scripted_waiting(const kloop_engine *e)
{
    return e->action_end - e->action_first;
}

scripted_connection *scripted_conn(kloop_engine *e, kloop_id id)
{
    assert_true(id.slot < SCRIPTED_CONNECTIONS);
    return &e->conns[id.slot];
}

/* ---- The record ---- */

size_t scripted_count(const kloop_engine *e, scripted_kind kind)
{
    return e->counts[kind];
}

const scripted_event *scripted_event_at(const kloop_engine *e, scripted_kind kind, size_t nth)
{
    for (size_t i = 0; i < e->event_count; i++) {
        if (e->events[i].kind == kind && nth-- == 0)
            return &e->events[i];
    }
    return NULL;
}

const scripted_event *scripted_last(const kloop_engine *e, scripted_kind kind)
{
    return e->counts[kind] ? scripted_event_at(e, kind, e->counts[kind] - 1) : NULL;
}

size_t scripted_asked(const kloop_engine *e)
{
    return e->asked;
}

static scripted_event *note(kloop_engine *e, scripted_kind kind, kloop_id id, size_t n,
                            kloop_now now)
{
    static scripted_event beyond;
    assert_true(now.mono_ns >= e->now.mono_ns);
    e->now = now;
    e->counts[kind]++;
    if (e->event_count == EVENTS_MAX)
        return &beyond;
    scripted_event *event = &e->events[e->event_count++];
    *event = (scripted_event){.kind = kind, .id = id, .n = n, .now = now};
    return event;
}

/* A connection that the driver may speak of now. */
static scripted_connection *live(kloop_engine *e, kloop_id id)
{
    scripted_connection *c = scripted_conn(e, id);
    assert_int_equal(c->gen, id.gen);
    return c;
}

/* ---- <kloop/engine.h> ---- */

kloop_status kloop_engine_new(kloop_engine **out, const kloop_config *config,
                              const kloop_allocator *alloc, uint64_t seed, kloop_now now,
                              void *host, kloop_error *error)
{
    (void)config;
    (void)seed;
    *out = NULL;
    kloop_engine *e = kl_mem_zalloc(alloc, 1, sizeof *e);
    if (!e) {
        if (error)
            error->status = KLOOP_NO_MEMORY;
        return KLOOP_NO_MEMORY;
    }
    e->alloc = *alloc;
    e->host = host;
    e->now = now;
    e->deadline = KLOOP_NEVER;
    e->topic.engine = e;
    *out = latest = e;
    return KLOOP_OK;
}

void kloop_engine_del(kloop_engine *e)
{
    if (!e)
        return;
    kloop_allocator alloc = e->alloc;
    if (latest == e)
        latest = NULL;
    kl_mem_release(&alloc, e, sizeof *e);
}

void *kloop_engine_host(const kloop_engine *e)
{
    return e->host;
}

kloop_status kloop_engine_topic(kloop_engine *e, kloop_string name, kloop_topic **topic)
{
    *topic = NULL;
    if (name.len == 0 || name.data[0] == '!')
        return KLOOP_BAD_TOPIC;
    *topic = &e->topic;
    return KLOOP_OK;
}

kloop_engine *kloop_topic_engine(const kloop_topic *topic)
{
    return topic->engine;
}

kloop_string kloop_topic_name(const kloop_topic *topic)
{
    (void)topic;
    return (kloop_string){"t", 1};
}

size_t kloop_send_error(const kloop_topic *topic, const kloop_record *record, kloop_status status,
                        char *text, size_t size)
{
    (void)topic;
    (void)record;
    return (size_t)snprintf(text, size, "status %d", (int)status);
}

kloop_status kloop_engine_check(const kloop_topic *topic, const kloop_record *record)
{
    return topic && record ? KLOOP_OK : KLOOP_BAD_ARGUMENT;
}

kloop_status kloop_engine_send(kloop_topic *topic, const kloop_record *record)
{
    kloop_engine *e = topic->engine;
    e->record = *record;
    note(e, SCRIPTED_SENT, (kloop_id){0, 0}, 0, e->now);
    return e->answer;
}

kloop_status kloop_engine_send_batch(kloop_topic *topic, const kloop_encoded *batch)
{
    kloop_engine *e = topic->engine;
    note(e, SCRIPTED_SENT, (kloop_id){0, 0}, batch->bytes.len, e->now);
    return e->answer;
}

/* There is one, and it is done when it is ended. */
kloop_status kloop_engine_chunk(kloop_engine *e, void *user, kloop_chunk **chunk)
{
    e->chunk = (kloop_chunk){.engine = e, .report = {.user = user, .text = ""}};
    *chunk = &e->chunk;
    return KLOOP_OK;
}

void kloop_engine_chunk_end(kloop_chunk *chunk)
{
    scripted_push(chunk->engine, &(kloop_action){.kind = KLOOP_ACT_CHUNK, .chunk = &chunk->report});
}

void kloop_engine_chunk_drop(kloop_chunk *chunk)
{
    chunk->report.user = NULL;
}

kloop_engine *kloop_chunk_engine(const kloop_chunk *chunk)
{
    return chunk->engine;
}

kloop_status kloop_engine_flush(kloop_engine *e, void *user, kloop_now now)
{
    assert_true(now.mono_ns >= e->now.mono_ns);
    if (e->closed_given)
        return KLOOP_CLOSED;
    if (e->flush_answer)
        return e->flush_answer;
    scripted_push(e, &(kloop_action){.kind = KLOOP_ACT_FLUSHED, .user = user});
    return KLOOP_OK;
}

kloop_status kloop_engine_warm_up(kloop_engine *e, kloop_topic *topic, uint64_t timeout_ms,
                                  void *user, kloop_now now)
{
    assert_true(now.mono_ns >= e->now.mono_ns);
    if (e->closed_given)
        return KLOOP_CLOSED;
    scripted_push(
        e, &(kloop_action){
               .kind = KLOOP_ACT_WARM,
               .user = user,
               .warmth = {.topic = topic, .brokers = (int32_t)timeout_ms, .text = "as it is"}});
    return KLOOP_OK;
}

/* What it answers tells the test that its arguments came through. */
uint64_t kloop_engine_purge(kloop_engine *e, kloop_topic *topic, unsigned what, kloop_now now)
{
    assert_true(now.mono_ns >= e->now.mono_ns);
    scripted_push(e, &(kloop_action){.kind = KLOOP_ACT_WRITABLE});
    return (topic ? 100 : 0) + what;
}

void kloop_engine_close(kloop_engine *e, uint64_t timeout_ms, kloop_now now)
{
    (void)timeout_ms;
    assert_true(now.mono_ns >= e->now.mono_ns);
    if (e->closing)
        return;
    e->closing = true;
    for (uint32_t slot = 0; slot < SCRIPTED_CONNECTIONS; slot++) {
        if (e->conns[slot].gen && !e->conns[slot].ended)
            scripted_act(e, KLOOP_ACT_CLOSE, (kloop_id){slot, e->conns[slot].gen});
    }
    scripted_act(e, KLOOP_ACT_CLOSED, (kloop_id){0, 0});
}

bool kloop_engine_busy(const kloop_engine *e)
{
    return e->busy || e->closing;
}

void kloop_engine_set_hooks(kloop_engine *e, const kloop_hooks *hooks)
{
    e->hooks = hooks ? *hooks : (kloop_hooks){.me = NULL};
}

const kloop_hooks *kloop_engine_hooks(const kloop_engine *e)
{
    return &e->hooks;
}

void kloop_engine_set_log(kloop_engine *e, kloop_log_level level_max, uint32_t same_max)
{
    (void)e;
    (void)level_max;
    (void)same_max;
}

/* Words for decisions, of which this one makes none. */
const char *kloop_broker_error_name(int16_t code)
{
    (void)code;
    return "";
}

const kloop_api *kloop_api_find(int16_t key)
{
    (void)key;
    return NULL;
}

const char *kloop_engine_fatal_text(const kloop_engine *e)
{
    return e->fatal ? "fenced" : NULL;
}

void kloop_engine_stats(const kloop_engine *e, kloop_stats *stats)
{
    *stats = (kloop_stats){.accepted = e->counts[SCRIPTED_SENT]};
}

kloop_status kloop_engine_snapshot_begin(kloop_engine *e, unsigned parts, const kloop_topic *topic,
                                         kloop_snapshot **out)
{
    (void)topic;
    e->snapshot = (kloop_snapshot){.parts = parts, .totals.accepted = e->counts[SCRIPTED_SENT]};
    *out = &e->snapshot;
    return KLOOP_OK;
}

bool kloop_engine_snapshot_go_on(kloop_engine *e, kloop_snapshot *s)
{
    (void)e;
    return s->whole = true;
}

bool kloop_engine_suspended(const kloop_engine *e, kloop_suspended *suspended)
{
    *suspended = (kloop_suspended){.fatal = e->fatal};
    return e->fatal;
}

void kloop_engine_clock(kloop_engine *e, kloop_now now)
{
    note(e, SCRIPTED_CLOCK, (kloop_id){0, 0}, 0, now);
}

void kloop_engine_on_resolved(kloop_engine *e, kloop_id id, const kloop_address *addresses,
                              size_t count, const char *why, kloop_now now)
{
    scripted_event *event = note(e, SCRIPTED_RESOLVED, id, count, now);
    if (count)
        event->first = addresses[0];
    snprintf(event->text, sizeof event->text, "%s", why ? why : "");
}

void kloop_engine_on_connected(kloop_engine *e, kloop_id conn, kloop_now now)
{
    scripted_connection *c = live(e, conn);
    assert_false(c->connected || c->ended);
    c->connected = true;
    note(e, SCRIPTED_CONNECTED, conn, 0, now);
}

uint8_t *kloop_engine_read_space(kloop_engine *e, kloop_id conn, size_t *room)
{
    scripted_connection *c = live(e, conn);
    assert_true(c->connected && !c->ended);
    static uint8_t scratch[16];
    size_t left = c->in_len - c->in_at;
    *room = left < c->room_max ? left : c->room_max;
    if (c->pause_at && c->in_at >= c->pause_at && !c->paused) {
        c->paused = true;
        scripted_act(e, KLOOP_ACT_PAUSE, conn);
    }
    if (c->paused) {
        *room = 0;
        return NULL;
    }
    if (left > 0)
        return c->in + c->in_at;
    /* There is always room for hearing that the stream has ended. */
    *room = sizeof scratch;
    return scratch;
}

void kloop_engine_on_received(kloop_engine *e, kloop_id conn, size_t n, kloop_now now)
{
    scripted_connection *c = live(e, conn);
    assert_true(n <= c->in_len - c->in_at);
    c->in_at += n;
    note(e, SCRIPTED_RECEIVED, conn, n, now);
}

void kloop_engine_on_wrote(kloop_engine *e, kloop_id conn, size_t n, kloop_now now)
{
    scripted_connection *c = live(e, conn);
    assert_true(n > 0 && n <= c->out_len - c->out_at);
    c->out_at += n;
    note(e, SCRIPTED_WROTE, conn, n, now);
}

static void end(kloop_engine *e, scripted_kind kind, kloop_id conn, const char *why, kloop_now now)
{
    scripted_connection *c = live(e, conn);
    assert_false(c->ended);
    c->ended = true;
    scripted_event *event = note(e, kind, conn, 0, now);
    snprintf(event->text, sizeof event->text, "%s", why);
    if (!e->closing)
        scripted_act(e, KLOOP_ACT_CLOSE, conn);
}

void kloop_engine_on_disconnected(kloop_engine *e, kloop_id conn, const char *why, kloop_now now)
{
    end(e, SCRIPTED_DISCONNECTED, conn, why, now);
}

void kloop_engine_on_closed(kloop_engine *e, kloop_id conn, kloop_now now)
{
    scripted_connection *c = live(e, conn);
    note(e, SCRIPTED_CLOSED, conn, 0, now);
    *c = (scripted_connection){0};
}

void kloop_engine_on_time(kloop_engine *e, kloop_now now)
{
    note(e, SCRIPTED_TIME, (kloop_id){0, 0}, 0, now);
    if (now.mono_ns < e->deadline)
        return;
    e->deadline = KLOOP_NEVER;
    if (e->on_time_hook)
        e->on_time_hook(e, now, e->on_time_me);
}

static void give(kloop_engine *e, kloop_action *action)
{
    *action = e->actions[e->action_first++];
    if (action->kind == KLOOP_ACT_CONNECT) {
        scripted_connection *c = scripted_conn(e, action->id);
        assert_int_equal(c->gen, 0);
        c->gen = action->id.gen;
    } else if (action->kind == KLOOP_ACT_PAUSE || action->kind == KLOOP_ACT_RESUME) {
        live(e, action->id)->paused = action->kind == KLOOP_ACT_PAUSE;
    } else if (action->kind == KLOOP_ACT_CLOSED) {
        e->closed_given = true;
    }
}

bool kloop_engine_next(kloop_engine *e, kloop_action *action)
{
    assert_false(e->closed_given);
    e->asked++;
    if (e->action_first == e->action_end)
        return false;
    give(e, action);
    return true;
}

static bool is_io(const kloop_action *a)
{
    return a->kind < KLOOP_ACT_TOKEN;
}

bool kloop_engine_next_io(kloop_engine *e, kloop_action *action)
{
    if (e->action_first == e->action_end || !is_io(&e->actions[e->action_first]))
        return false;
    give(e, action);
    return true;
}

bool kloop_engine_has_io(const kloop_engine *e)
{
    return e->has_io || (e->action_first < e->action_end && is_io(&e->actions[e->action_first]));
}

size_t kloop_engine_write_vec(kloop_engine *e, kloop_id conn, kloop_slice *slices, size_t max)
{
    scripted_connection *c = live(e, conn);
    assert_true(c->connected && !c->ended);
    size_t count = 0;
    for (size_t at = c->out_at; at < c->out_len && count < max; count++) {
        size_t n = c->out_len - at;
        if (n > c->slice_len)
            n = c->slice_len;
        slices[count] = (kloop_slice){c->out + at, n};
        at += n;
    }
    return count;
}

uint64_t kloop_engine_deadline(const kloop_engine *e)
{
    return e->deadline;
}

/* ---- Security, of which this one needs none ---- */

kloop_status kloop_engine_secure(kloop_engine *e, bool tls, const kloop_sasl_mechanism *sasl,
                                 kloop_error *error)
{
    (void)e;
    (void)tls;
    (void)sasl;
    (void)error;
    return KLOOP_OK;
}

void kloop_engine_on_untrusted(kloop_engine *e, kloop_id conn, const char *why, kloop_now now)
{
    end(e, SCRIPTED_UNTRUSTED, conn, why, now);
}

kloop_status kloop_engine_set_token(kloop_engine *e, const kloop_token *token, kloop_now now,
                                    kloop_error *error)
{
    scripted_event *event = note(e, SCRIPTED_TOKEN, (kloop_id){0, 0}, token->value.len, now);
    (void)error;
    snprintf(event->text, sizeof event->text, "%.*s", (int)token->value.len, token->value.data);
    return e->answer;
}

void kloop_engine_token_failed(kloop_engine *e, const char *why, kloop_now now)
{
    scripted_event *event = note(e, SCRIPTED_NO_TOKEN, (kloop_id){0, 0}, 0, now);
    snprintf(event->text, sizeof event->text, "%s", why);
}

/* ---- <kloop/config.h>, as far as the driver asks ---- */

static const char *const *settings;

void scripted_set_config(const char *const *pairs)
{
    settings = pairs;
}

kloop_config *kloop_config_new(const kloop_allocator *alloc)
{
    static kloop_config only;
    (void)alloc;
    return &only;
}

void kloop_config_del(kloop_config *c)
{
    (void)c;
}

kloop_status kloop_config_check(const kloop_config *c, kloop_error *error)
{
    (void)c;
    (void)error;
    return KLOOP_OK;
}

bool kloop_config_is_set(const kloop_config *c, const char *key)
{
    (void)c;
    for (const char *const *s = settings; s && *s; s += 2) {
        if (strcmp(*s, key) == 0)
            return true;
    }
    return false;
}

const char *kloop_config_get(const kloop_config *c, const char *key)
{
    (void)c;
    for (const char *const *s = settings; s && *s; s += 2) {
        if (strcmp(*s, key) == 0)
            return s[1];
    }
    if (strcmp(key, "send.buffer.bytes") == 0)
        return "262144";
    if (strcmp(key, "receive.buffer.bytes") == 0)
        return "-1";
    if (strcmp(key, "delivery.timeout.ms") == 0)
        return "1000";
    if (strcmp(key, "socket.keepalive.enable") == 0)
        return "true";
    if (strcmp(key, "socket.keepalive.idle.ms") == 0)
        return "7000";
    return strcmp(key, "request.timeout.ms") == 0 ? "30000" : NULL;
}
