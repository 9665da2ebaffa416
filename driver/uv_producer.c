/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of <kloop/kloop.h>. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_producer.h"

#include "base/check.h"
#include "base/now.h"
#include "driver/block_memory.h"
#include "driver/clocks.h"
#include "driver/uv_connection.h"
#include "driver/uv_inlet.h"
#include "driver/uv_process.h"
#include "driver/uv_pump.h"
#include "driver/uv_secure.h"

#include <kloop/hooks.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much is sent until it is worth looking whether something can go out. */
#define IO_BYTES 65536
/* What a record counts beside its key and value. */
#define RECORD_BYTES 16

/* ---- Opening ---- */

static kloop_status refuse(kloop_error *error, kloop_status status, const char *text)
{
    if (error) {
        error->status = status;
        snprintf(error->text, sizeof error->text, "%s", text);
    }
    return status;
}

/* The engine has checked all values before this is asked. */
static int number_of(const kloop_config *config, const char *key)
{
    const char *value = kloop_config_get(config, key);
    long long number = value ? strtoll(value, NULL, 10) : -1;
    return number < INT_MIN ? INT_MIN : number > INT_MAX ? INT_MAX : (int)number;
}

static bool is_true(const kloop_config *config, const char *key)
{
    const char *value = kloop_config_get(config, key);
    return value && strcmp(value, "true") == 0;
}

static uint64_t draw_seed(uint64_t now_ns)
{
    uint64_t seed;
    /* Without a loop it is read at once. Where the system has nothing to give, jitter and the like
     * only have to differ from other programs'. */
    if (uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL))
        seed = now_ns * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)uv_os_getpid();
    return seed;
}

static void on_resolved(void *me, kloop_id id, const kloop_address *addresses, size_t count,
                        const char *why)
{
    kloop_producer *p = me;
    kloop_engine_on_resolved(p->engine, id, addresses, count, why, p->now);
}

static void on_resolver_woken(void *me)
{
    (void)kl_uv_pump_event_time(me);
}

static void on_resolver_stirred(void *me)
{
    kl_uv_pump_wake(me);
}

static void finish_if_closed(kloop_producer *p)
{
    if (p->state != KL_UV_CLOSING || p->handle_count > 0 || p->resolver.handle_count > 0)
        return;
    kl_uv_process_leave(p);
    if (p->on_closed)
        p->on_closed(p, p->closed_me);
    kloop_allocator alloc = p->alloc;
    kl_uv_inlet_del(p);
    kloop_engine_del(p->engine);
    kl_uv_secure_close(p);
    for (kl_link *l; (l = kl_list_pop_front(&p->flushes)) != NULL;) {
        kl_uv_flush *flush = KL_CONTAINER_OF(l, kl_uv_flush, link);
        kl_mem_release(&alloc, flush, sizeof *flush);
    }
    for (kl_link *l; (l = kl_list_pop_front(&p->warm_ups)) != NULL;) {
        kl_uv_warm_up *w = KL_CONTAINER_OF(l, kl_uv_warm_up, link);
        kl_mem_release(&alloc, w, sizeof *w);
    }
    kl_mem_release(&alloc, p, sizeof *p);
}

static void on_resolver_gone(void *me)
{
    finish_if_closed(me);
}

void kl_uv_producer_bar(kloop_producer *p, kloop_status status)
{
    p->barred = status;
    p->turn_ms = KLOOP_NEVER;
}

void kl_uv_producer_handle_gone(kloop_producer *p)
{
    KL_ASSERT(p->handle_count > 0);
    p->handle_count--;
    finish_if_closed(p);
}

/* What has nothing to do with the loop. */
static kloop_status open_inside(kloop_producer *p, const kloop_config *config, kloop_error *error)
{
    kloop_error unread;
    kloop_status status = kloop_engine_new(&p->engine, config, &p->alloc, draw_seed(p->now.mono_ns),
                                           p->now, p, error);
    if (status == KLOOP_OK)
        status = kl_uv_secure_open(p, config, error ? error : &unread);
    if (status == KLOOP_OK && !kl_uv_process_enter(p, kloop_config_get(config, "client.id"),
                                                   is_true(config, "warn.at.exit")))
        status = refuse(error, KLOOP_NO_MEMORY, "no memory for a producer");
    return status;
}

kloop_status kloop_open_with(kloop_producer **out, struct uv_loop_s *loop,
                             const kloop_config *config, const kloop_allocator *alloc,
                             kloop_error *error)
{
    if (!out)
        return refuse(error, KLOOP_BAD_ARGUMENT, "there is nowhere to put the producer");
    *out = NULL;
    if (!loop)
        return refuse(error, KLOOP_BAD_ARGUMENT, "there is no loop");
    if (!config)
        return refuse(error, KLOOP_BAD_ARGUMENT, "there is no configuration");
    if (!alloc)
        alloc = &kl_block_memory;
    kloop_producer *p = kl_mem_zalloc(alloc, 1, sizeof *p);
    if (!p)
        return refuse(error, KLOOP_NO_MEMORY, "no memory for a producer");
    p->now.mono_ns = kl_clocks_mono_ns();
    p->now.wall_ms = kl_clocks_wall_ms();
    p->turn_ms = uv_now(loop);
    p->alloc = *alloc;
    kloop_status status = open_inside(p, config, error);
    if (status) {
        kloop_engine_del(p->engine);
        kl_uv_secure_close(p);
        kl_mem_release(alloc, p, sizeof *p);
        return status;
    }
    p->loop = loop;
    p->timeout_ms = (uint64_t)number_of(config, "delivery.timeout.ms");
    p->tcp.send_buffer_bytes = number_of(config, "send.buffer.bytes");
    p->tcp.receive_buffer_bytes = number_of(config, "receive.buffer.bytes");
    int lost_after_ms = number_of(config, "request.timeout.ms");
    p->tcp.lost_after_ms = lost_after_ms > 0 ? (unsigned)lost_after_ms : 0;
    p->tcp.keep_alive = is_true(config, "socket.keepalive.enable");
    p->tcp.keep_idle_ms = (unsigned)number_of(config, "socket.keepalive.idle.ms");
    kl_list_init(&p->stirred);
    kl_list_init(&p->flushes);
    kl_list_init(&p->warm_ups);
    kl_name_resolver_init(&p->resolver, loop, alloc,
                          &(kl_name_resolver_host){.answer = on_resolved,
                                                   .stirred = on_resolver_stirred,
                                                   .gone = on_resolver_gone,
                                                   .woken = on_resolver_woken,
                                                   .me = p});
    kl_uv_pump_start(p);
    *out = p;
    return KLOOP_OK;
}

kloop_status kloop_open(kloop_producer **p, struct uv_loop_s *loop, const kloop_config *config,
                        kloop_error *error)
{
    return kloop_open_with(p, loop, config, NULL, error);
}

/* ---- Callbacks ---- */

void kloop_on_delivery(kloop_producer *p, kloop_delivery_fn fn, void *me)
{
    p->on_delivery = fn;
    p->delivery_me = me;
}

void kloop_on_writable(kloop_producer *p, kloop_event_fn fn, void *me)
{
    p->on_writable = fn;
    p->writable_me = me;
}

void kloop_on_chunk(kloop_producer *p, kloop_chunk_fn fn, void *me)
{
    p->on_chunk = fn;
    p->chunk_me = me;
}

void kloop_on_release(kloop_producer *p, kloop_release_fn fn, void *me)
{
    p->on_release = fn;
    p->release_me = me;
}

void kloop_on_log(kloop_producer *p, kloop_log_fn fn, void *me)
{
    p->on_log = fn;
    p->log_me = me;
}

void kloop_on_inlet_room(kloop_producer *p, kloop_event_fn fn, void *me)
{
    p->on_inlet_room = fn;
    p->inlet_room_me = me;
}

void kloop_set_hooks(kloop_producer *p, const kloop_hooks *hooks)
{
    kloop_engine_set_hooks(p->engine, hooks);
}

void kloop_set_log(kloop_producer *p, kloop_log_level level_max, uint32_t same_max)
{
    p->secure.log_level_max = level_max;
    kloop_engine_set_log(p->engine, level_max, same_max);
}

/* ---- Records ---- */

static kloop_status enter_turn(kloop_producer *p, uint64_t turn_ms)
{
    if (p->barred)
        return p->barred;
    kl_uv_pump_new_turn(p, turn_ms);
    return KLOOP_OK;
}

/* The engine's time is that of this turn of the loop: no clock is read for a record. A producer
 * that is barred has no time, so that one question is enough. */
KL_INLINE kloop_status enter(kloop_producer *p)
{
    uint64_t turn_ms = uv_now(p->loop);
    return KL_LIKELY(turn_ms == p->turn_ms) ? KLOOP_OK : enter_turn(p, turn_ms);
}

kloop_status kloop_topic_get(kloop_producer *p, const char *name, kloop_topic **topic,
                             kloop_error *error)
{
    char text[512];
    *topic = NULL;
    if (!name)
        return refuse(error, KLOOP_BAD_ARGUMENT, "the name of the topic is NULL");
    kloop_status status = enter(p);
    if (status == KLOOP_OK)
        status = kloop_engine_topic(p->engine, (kloop_string){name, strlen(name)}, topic);
    switch (status) {
    case KLOOP_OK:
        kl_uv_pump_wake(p);
        return KLOOP_OK;
    case KLOOP_BAD_TOPIC:
        snprintf(text, sizeof text,
                 "'%.260s' is no name for a topic: 1 to 249 letters, digits, '.', '_' and '-' are, "
                 "but not '.' and '..'",
                 name);
        break;
    case KLOOP_CLOSED:
        snprintf(text, sizeof text, "topic '%.260s': the producer is closed", name);
        break;
    case KLOOP_FORKED:
        snprintf(text, sizeof text,
                 "topic '%.260s': the producer belongs to the process that this one was forked "
                 "from; open another one here",
                 name);
        break;
    case KLOOP_NO_MEMORY:
        snprintf(text, sizeof text, "topic '%.260s': there is no memory for it", name);
        break;
    default:
        snprintf(text, sizeof text, "topic '%.260s' was refused", name);
    }
    return refuse(error, status, text);
}

kloop_producer *kloop_topic_producer(const kloop_topic *topic)
{
    return kloop_engine_host(kloop_topic_engine(topic));
}

/*
 * Bytes go out in the middle of the user's code, so that a long run of sends does not leave the
 * brokers idle; but not for each small batch, since a call of the system costs more than those. And
 * not from a callback: what the user was given to read there must stay.
 */
static void get_out(kloop_producer *p, kloop_status status)
{
    p->sent_bytes = 0;
    if (status == KLOOP_FULL)
        p->refused = true;
    if (!p->pumping && p->state == KL_UV_OPEN && kloop_engine_has_io(p->engine))
        kl_uv_pump_io(p);
}

kloop_status kloop_send(kloop_topic *topic, const kloop_record *record)
{
    if (KL_UNLIKELY(!topic))
        return KLOOP_BAD_ARGUMENT;
    kloop_producer *p = kloop_topic_producer(topic);
    kloop_status status = enter(p);
    if (KL_UNLIKELY(status))
        return status;
    status = kloop_engine_send(topic, record);
    if (KL_UNLIKELY(!p->dirty))
        kl_uv_pump_wake(p);
    if (KL_LIKELY(status == KLOOP_OK))
        p->sent_bytes += record->key.len + record->value.len + RECORD_BYTES;
    if (KL_UNLIKELY(p->sent_bytes >= IO_BYTES || status == KLOOP_FULL))
        get_out(p, status);
    return status;
}

kloop_status kloop_send_batch(kloop_topic *topic, const kloop_encoded *batch)
{
    if (!topic)
        return KLOOP_BAD_ARGUMENT;
    kloop_producer *p = kloop_topic_producer(topic);
    kloop_status status = enter(p);
    if (status)
        return status;
    status = kloop_engine_send_batch(topic, batch);
    kl_uv_pump_wake(p);
    if (status == KLOOP_OK)
        p->sent_bytes += batch->bytes.len;
    if (p->sent_bytes >= IO_BYTES || status == KLOOP_FULL)
        get_out(p, status);
    return status;
}

/* ---- Chunks ---- */

kloop_status kloop_chunk_begin(kloop_producer *p, void *user, kloop_chunk **chunk)
{
    *chunk = NULL;
    if (p->barred)
        return p->barred;
    return kloop_engine_chunk(p->engine, user, chunk);
}

void kloop_chunk_end(kloop_chunk *chunk)
{
    kloop_producer *p = kloop_engine_host(kloop_chunk_engine(chunk));
    kloop_engine_chunk_end(chunk);
    /* It may be all settled already. */
    kl_uv_pump_wake(p);
}

void kloop_chunk_drop(kloop_chunk *chunk)
{
    kloop_engine_chunk_drop(chunk);
}

/* ---- The ends ---- */

kloop_status kloop_flush(kloop_producer *p, kloop_event_fn fn, void *me)
{
    kl_uv_flush *flush = kl_mem_zalloc(&p->alloc, 1, sizeof *flush);
    if (!flush)
        return KLOOP_NO_MEMORY;
    flush->fn = fn;
    flush->me = me;
    /* A close that waits for the inlet does not keep a flush from waiting for it, too. */
    kloop_status status = enter(p) == KLOOP_FORKED ? KLOOP_FORKED : KLOOP_OK;
    if (status == KLOOP_OK && !kl_uv_inlet_flush(p, flush))
        status = kloop_engine_flush(p->engine, flush, p->now);
    if (status) {
        kl_mem_release(&p->alloc, flush, sizeof *flush);
        return status;
    }
    kl_list_push_back(&p->flushes, &flush->link);
    kl_uv_pump_wake(p);
    return KLOOP_OK;
}

kloop_status kloop_warm_up(kloop_producer *p, kloop_topic *topic, uint64_t timeout_ms,
                           kloop_warm_fn fn, void *me)
{
    kl_uv_warm_up *w = kl_mem_zalloc(&p->alloc, 1, sizeof *w);
    if (!w)
        return KLOOP_NO_MEMORY;
    w->fn = fn;
    w->me = me;
    kloop_status status = enter(p);
    if (status == KLOOP_OK)
        status = kloop_engine_warm_up(p->engine, topic, timeout_ms, w, p->now);
    if (status) {
        kl_mem_release(&p->alloc, w, sizeof *w);
        return status;
    }
    kl_list_push_back(&p->warm_ups, &w->link);
    kl_uv_pump_wake(p);
    return KLOOP_OK;
}

uint64_t kloop_purge(kloop_producer *p, kloop_topic *topic, unsigned what)
{
    if (enter(p) == KLOOP_FORKED)
        return 0;
    uint64_t records = kloop_engine_purge(p->engine, topic, what, p->now);
    if (what & KLOOP_PURGE_QUEUED)
        records += kl_uv_inlet_purge(p, topic);
    kl_uv_pump_wake(p);
    return records;
}

void kloop_close(kloop_producer *p, uint64_t timeout_ms, kloop_event_fn fn, void *me)
{
    if (fn) {
        p->on_closed = fn;
        p->closed_me = me;
    }
    if (p->state != KL_UV_OPEN)
        return;
    if (p->living.forked) {
        /* The records and the peers are the parent's. */
        kl_uv_pump_stop(p);
        return;
    }
    /* The time that is given begins now, not when this turn of the loop began: a program that ran
     * long before it came here would find it used up. So the engine's time is no longer older than
     * the last poll, and what has timed out is looked at in the next turn. */
    p->closing = true;
    kl_uv_pump_read_clocks(p);
    p->polls_at_once = false;
    if (!kl_uv_inlet_close(p, timeout_ms))
        kloop_engine_close(p->engine, timeout_ms, p->now);
    kl_uv_pump_wake(p);
}

kloop_status kloop_allow_threads(kloop_producer *p, size_t bytes_max, kloop_error *error)
{
    char text[256];
    int why = 0;
    kloop_status status = enter(p);
    if (status == KLOOP_FORKED)
        return refuse(error, status,
                      "the producer belongs to the process that this one was forked from");
    if (status || p->closing)
        return refuse(error, KLOOP_CLOSED, "the producer is closed or closing");
    if (p->inlet)
        return refuse(error, KLOOP_BAD_ARGUMENT, "other threads may send already");
    if (bytes_max == 0 || bytes_max > KL_INLET_BYTES_MAX) {
        snprintf(text, sizeof text, "bytes_max is %zu; an inlet holds from 1 to %llu", bytes_max,
                 (unsigned long long)KL_INLET_BYTES_MAX);
        return refuse(error, KLOOP_BAD_ARGUMENT, text);
    }
    status = kl_uv_inlet_new(p, bytes_max, p->timeout_ms * KL_MS, &why);
    if (status) {
        snprintf(text, sizeof text, "no inlet for other threads: %s",
                 why ? uv_strerror(why) : "there is no memory for it");
        return refuse(error, status, text);
    }
    return KLOOP_OK;
}

/* ---- Tokens ---- */

void kloop_on_token(kloop_producer *p, kloop_event_fn fn, void *me)
{
    p->secure.on_token = fn;
    p->secure.token_me = me;
}

kloop_status kloop_set_token(kloop_producer *p, const kloop_token *token, kloop_error *error)
{
    if (!token)
        return refuse(error, KLOOP_BAD_ARGUMENT, "there is no token");
    kloop_status status = enter(p);
    if (status == KLOOP_FORKED)
        return refuse(error, status,
                      "the producer belongs to the process that this one was forked from");
    if (status)
        return refuse(error, status, "the producer is closed");
    status = kloop_engine_set_token(p->engine, token, p->now, error);
    kl_uv_pump_wake(p);
    return status;
}

void kloop_token_failed(kloop_producer *p, const char *why)
{
    if (enter(p))
        return;
    kloop_engine_token_failed(p->engine, why ? why : "the program has got none", p->now);
    kl_uv_pump_wake(p);
}

void kloop_keep_alive(kloop_producer *p, bool keep)
{
    p->keep_alive = keep;
    kl_uv_pump_update_alive(p);
}

/* ---- Questions ---- */

void kloop_get_stats(const kloop_producer *p, kloop_stats *stats)
{
    kloop_engine_stats(p->engine, stats);
    kl_uv_inlet_add_stats(p, stats);
}

const char *kloop_fatal_text(const kloop_producer *p)
{
    return kloop_engine_fatal_text(p->engine);
}

uint64_t kloop_loop_hold_max_ns(const kloop_producer *p)
{
    return p->hold_max_ns;
}
