/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of other threads on their way to the engine. See the header. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_inlet.h"

#include "base/check.h"
#include "base/now.h"
#include "driver/clocks.h"
#include "driver/uv_pump.h"

#include <kloop/hooks.h>
#include <stdio.h>

/* Sent between two looks at the clock. */
#define PIECE 32
/* When both the user and the inlet wait for room, the inlet has so much of a turn before him. */
#define SHARE_NS (KL_MS / 8)
#define RETRY_NS (10 * KL_MS)

/* ---- Every thread ---- */

kloop_status kloop_send_from_any_thread(kloop_topic *topic, const kloop_record *record)
{
    kloop_status status = kloop_engine_check(topic, record);
    if (status)
        return status;
    kloop_producer *p = kloop_topic_producer(topic);
    if (p->living.forked)
        return KLOOP_FORKED;
    kl_uv_inlet *in = p->inlet;
    if (!in || (record->set & ~(KLOOP_SET_PARTITION | KLOOP_SET_TIMESTAMP)))
        return KLOOP_BAD_ARGUMENT;
    bool wake;
    status = kl_inlet_push(&in->queue, topic, record, kl_clocks_mono_ns(), &wake);
    if (wake)
        uv_async_send(&in->wake);
    return status;
}

static int bad_argument(const kloop_topic *t, const kl_uv_inlet *in, char *text, size_t size)
{
    kloop_string name = kloop_topic_name(t);
    if (!in)
        return snprintf(text, size,
                        "topic '%.*s': its producer takes no records of other threads; call "
                        "kloop_allow_threads() on the loop's thread before they send",
                        (int)name.len, name.data);
    return snprintf(text, size,
                    "topic '%.*s': set has bits that are for the loop's thread alone; other "
                    "threads may set KLOOP_SET_PARTITION and KLOOP_SET_TIMESTAMP",
                    (int)name.len, name.data);
}

size_t kloop_thread_send_error(const kloop_topic *topic, const kloop_record *record,
                               kloop_status status, char *text, size_t size)
{
    /* What the record alone explains, and what says nothing of an inlet, is as with any send. */
    kloop_status plain = kloop_engine_check(topic, record);
    bool of_inlet =
        status == KLOOP_FULL || status == KLOOP_TOO_LARGE || status == KLOOP_BAD_ARGUMENT;
    if (plain == status || !of_inlet || !topic || !record)
        return kloop_send_error(topic, record, status, text, size);
    const kl_uv_inlet *in = kloop_topic_producer(topic)->inlet;
    if (status == KLOOP_BAD_ARGUMENT || !in)
        return (size_t)bad_argument(topic, in, text, size);
    kloop_string name = kloop_topic_name(topic);
    size_t bytes = kl_inlet_bytes_of(record);
    if (status == KLOOP_TOO_LARGE)
        return (size_t)snprintf(text, size,
                                "topic '%.*s': the record takes %zu bytes in the inlet, and "
                                "kloop_allow_threads() was given %llu for all",
                                (int)name.len, name.data, bytes,
                                (unsigned long long)in->queue.bytes_max);
    return (size_t)snprintf(text, size,
                            "topic '%.*s': the inlet is full (kloop_allow_threads() was given %llu "
                            "bytes, %llu are in use, the record takes %zu); send again when "
                            "kloop_on_inlet_room() tells that there is room",
                            (int)name.len, name.data, (unsigned long long)in->queue.bytes_max,
                            (unsigned long long)kl_inlet_load_of(&in->queue).bytes, bytes);
}

/* ---- What becomes of an item ---- */

/* The item is gone when the user hears of it. */
static void report(kloop_producer *p, kl_inlet_item *item, kloop_cause cause, const char *text)
{
    kl_uv_inlet *in = p->inlet;
    void *user = item->record.user;
    uint64_t now_ns = p->now.mono_ns;
    uint64_t age_ns = now_ns > item->created_ns ? now_ns - item->created_ns : 0;
    kloop_report run = {
        .topic = item->topic,
        .topic_name = kloop_topic_name(item->topic),
        .partition = item->record.set & KLOOP_SET_PARTITION ? item->record.partition : -1,
        .outcome = KLOOP_OUTCOME_FAILED,
        .cause = cause,
        .base_offset = -1,
        .timestamp_ms = -1,
        .text = text,
        .users = &user,
        .count = 1,
        .record_count = 1,
    };
    kl_inlet_pop(&in->queue);
    kl_inlet_release(&in->queue, item);
    /* Or statistics would count it twice: here, and in the queue. */
    kl_inlet_settle(&in->queue);
    in->failed++;
    const kloop_hooks *hooks = kloop_engine_hooks(p->engine);
    if (hooks->on_outcome) {
        const kloop_settled settled = {.run = &run, .age_ns = age_ns, .queued_ns = age_ns};
        hooks->on_outcome(&settled, hooks->me);
    }
    if (p->on_delivery)
        p->on_delivery(p, &run, p->delivery_me);
}

static kloop_cause cause_of(kloop_status status)
{
    switch (status) {
    case KLOOP_BAD_PARTITION:
        return KLOOP_CAUSE_PARTITION;
    case KLOOP_FATAL:
        return KLOOP_CAUSE_FATAL;
    case KLOOP_CLOSED:
        return KLOOP_CAUSE_CLOSED;
    case KLOOP_NO_MEMORY:
        return KLOOP_CAUSE_NO_MEMORY;
    default:
        return KLOOP_CAUSE_REFUSED;
    }
}

static void report_refused(kloop_producer *p, kl_inlet_item *item, kloop_status status)
{
    char text[768];
    kloop_send_error(item->topic, &item->record, status, text, sizeof text);
    report(p, item, cause_of(status), text);
}

static void report_given_up(kloop_producer *p, kl_inlet_item *item, kloop_cause cause)
{
    char text[512], limit[96];
    kloop_string name = kloop_topic_name(item->topic);
    const char *why = "was given up by kloop_purge()";
    if (cause == KLOOP_CAUSE_TIMEOUT) {
        snprintf(limit, sizeof limit, "found no room in buffer.memory for delivery.timeout.ms=%llu",
                 (unsigned long long)p->timeout_ms);
        why = limit;
    } else if (cause == KLOOP_CAUSE_CLOSED) {
        why = "was still there when the time of kloop_close() was over";
    }
    snprintf(text, sizeof text, "topic '%.*s': a record of another thread %s", (int)name.len,
             name.data, why);
    report(p, item, cause, text);
}

/* A record has the time at which it was handed over, though no wall clock was read then. */
static kloop_status pass_on(kloop_producer *p, kl_inlet_item *item)
{
    kloop_record *r = &item->record;
    if (!(r->set & KLOOP_SET_TIMESTAMP) && p->now.mono_ns > item->created_ns) {
        int64_t age_ms = (int64_t)((p->now.mono_ns - item->created_ns) / KL_MS);
        if (age_ms > 0 && age_ms <= p->now.wall_ms) {
            r->set |= KLOOP_SET_TIMESTAMP;
            r->timestamp_ms = p->now.wall_ms - age_ms;
        }
    }
    return kloop_engine_send(item->topic, r);
}

/* false: not now. */
static bool begin_flush(kloop_producer *p, kl_inlet_item *mark)
{
    kl_uv_inlet *in = p->inlet;
    if (kloop_engine_flush(p->engine, KL_CONTAINER_OF(mark, kl_uv_flush, mark), p->now)) {
        in->retry_ns = p->now.mono_ns + RETRY_NS;
        return false;
    }
    kl_inlet_pop(&in->queue);
    return true;
}

/* false: it, and so all behind it, has to wait. */
static bool take(kloop_producer *p, kl_inlet_item *item)
{
    kl_uv_inlet *in = p->inlet;
    uint64_t now_ns = p->now.mono_ns;
    if (!item->topic)
        return begin_flush(p, item);
    if (item->purged) {
        report_given_up(p, item, KLOOP_CAUSE_PURGED);
        return true;
    }
    if (in->closing && now_ns >= in->close_at_ns) {
        report_given_up(p, item, KLOOP_CAUSE_CLOSED);
        return true;
    }
    if (in->waits) {
        if (now_ns < kl_time_add(item->created_ns, in->timeout_ns))
            return false;
        report_given_up(p, item, KLOOP_CAUSE_TIMEOUT);
        return true;
    }
    kloop_status status = pass_on(p, item);
    if (status == KLOOP_FULL) {
        in->waits = true;
        return false;
    }
    if (status) {
        report_refused(p, item, status);
        return true;
    }
    kl_inlet_pop(&in->queue);
    kl_inlet_release(&in->queue, item);
    return true;
}

/* ---- Turns ---- */

/* One that cannot go on says no more that it is writable. */
static bool waits(kloop_producer *p)
{
    kl_uv_inlet *in = p->inlet;
    if (in->waits && kloop_engine_fatal_text(p->engine))
        in->waits = false;
    return in->waits;
}

/* The engine hears of a close when the last record is in. */
static void go_on_closing(kloop_producer *p)
{
    kl_uv_inlet *in = p->inlet;
    if (!in->closing || !kl_inlet_is_empty(&in->queue))
        return;
    in->closing = false;
    uint64_t now_ns = p->now.mono_ns;
    uint64_t left_ns = in->close_at_ns > now_ns ? in->close_at_ns - now_ns : 0;
    kloop_engine_close(p->engine, left_ns / KL_MS, p->now);
}

/* What was reported has let the user do anything. */
static bool goes_on(const kloop_producer *p)
{
    return p->state == KL_UV_OPEN && !p->living.forked;
}

void kl_uv_inlet_drain(kloop_producer *p, uint64_t until_ns)
{
    kl_uv_inlet *in = p->inlet;
    if (!in)
        return;
    in->retry_ns = 0;
    waits(p);
    kl_inlet_item *item;
    for (unsigned n = 1; (item = kl_inlet_first(&in->queue)) != NULL && take(p, item); n++) {
        if (!goes_on(p))
            return;
        if (n % PIECE)
            continue;
        kl_inlet_settle(&in->queue);
        if (kl_clocks_mono_ns() >= until_ns)
            break;
    }
    kl_inlet_settle(&in->queue);
    if (kl_inlet_take_room(&in->queue) && p->on_inlet_room)
        p->on_inlet_room(p, p->inlet_room_me);
    if (goes_on(p))
        go_on_closing(p);
}

bool kl_uv_inlet_has_work(kloop_producer *p)
{
    kl_uv_inlet *in = p->inlet;
    if (!in || in->retry_ns || !kl_inlet_has_items(&in->queue))
        return false;
    const kl_inlet_item *first = waits(p) ? kl_inlet_first(&in->queue) : NULL;
    return !first || first->purged || !first->topic;
}

uint64_t kl_uv_inlet_deadline(kloop_producer *p)
{
    kl_uv_inlet *in = p->inlet;
    if (!in)
        return KLOOP_NEVER;
    uint64_t deadline = in->closing ? in->close_at_ns : KLOOP_NEVER;
    const kl_inlet_item *first = in->waits ? kl_inlet_first(&in->queue) : NULL;
    if (first && first->topic)
        deadline = kl_time_min(deadline, kl_time_add(first->created_ns, in->timeout_ns));
    return in->retry_ns ? kl_time_min(deadline, in->retry_ns) : deadline;
}

bool kl_uv_inlet_is_busy(const kloop_producer *p)
{
    return p->inlet && (p->inlet->closing || !kl_inlet_is_empty(&p->inlet->queue));
}

bool kl_uv_inlet_on_writable(kloop_producer *p)
{
    kl_uv_inlet *in = p->inlet;
    bool user_waits = p->refused;
    p->refused = false;
    if (!in || !in->waits)
        return true;
    in->waits = false;
    /* In turn, or the one that is faster would always take all the room there is. */
    in->user_first = user_waits && !in->user_first;
    if (user_waits && !in->user_first)
        kl_uv_inlet_drain(p, kl_clocks_mono_ns() + SHARE_NS);
    return user_waits && goes_on(p);
}

/* ---- What the user asks for ---- */

bool kl_uv_inlet_flush(kloop_producer *p, kl_uv_flush *flush)
{
    kl_uv_inlet *in = p->inlet;
    if (!in || kl_inlet_is_empty(&in->queue))
        return false;
    kl_inlet_push_mark(&in->queue, &flush->mark);
    return true;
}

bool kl_uv_inlet_close(kloop_producer *p, uint64_t timeout_ms)
{
    kl_uv_inlet *in = p->inlet;
    if (!in)
        return false;
    uint64_t at_ns = timeout_ms > (KLOOP_NEVER - p->now.mono_ns) / KL_MS
                         ? KLOOP_NEVER
                         : p->now.mono_ns + timeout_ms * KL_MS;
    if (in->closing) {
        in->close_at_ns = kl_time_min(in->close_at_ns, at_ns);
        return true;
    }
    kl_inlet_shut(&in->queue);
    if (p->barred || kl_inlet_is_empty(&in->queue))
        return false;
    in->closing = true;
    in->close_at_ns = at_ns;
    kl_uv_producer_bar(p, KLOOP_CLOSED);
    return true;
}

uint64_t kl_uv_inlet_purge(kloop_producer *p, const kloop_topic *topic)
{
    return p->inlet ? kl_inlet_purge(&p->inlet->queue, topic) : 0;
}

/* What is in here is accepted and pending; what was refused late is accepted and failed. */
void kl_uv_inlet_add_stats(const kloop_producer *p, kloop_stats *stats)
{
    const kl_uv_inlet *in = p->inlet;
    if (!in)
        return;
    kl_inlet_load load = kl_inlet_load_of(&in->queue);
    stats->accepted += load.records + in->failed;
    stats->pending += load.records;
    stats->failed += in->failed;
    stats->inlet_records = load.records;
    stats->inlet_bytes = load.bytes;
    stats->inlet_full = load.refusals;
}

/* ---- Life ---- */

static void on_wake(uv_async_t *wake)
{
    kloop_producer *p = wake->data;
    if (p->state != KL_UV_OPEN || p->living.forked)
        return;
    kl_uv_pump_event_time(p);
    kl_uv_pump_wake(p);
}

kloop_status kl_uv_inlet_new(kloop_producer *p, size_t bytes_max, uint64_t timeout_ns, int *why)
{
    kl_uv_inlet *in = kl_mem_zalloc(&p->alloc, 1, sizeof *in);
    if (!in)
        return KLOOP_NO_MEMORY;
    *why = uv_async_init(p->loop, &in->wake, on_wake);
    if (*why) {
        kl_mem_release(&p->alloc, in, sizeof *in);
        return KLOOP_NO_MEMORY;
    }
    uv_unref((uv_handle_t *)&in->wake);
    in->wake.data = p;
    in->timeout_ns = timeout_ns;
    kl_inlet_init(&in->queue, &p->alloc, bytes_max);
    p->handle_count++;
    p->inlet = in;
    return KLOOP_OK;
}

static void on_closed(uv_handle_t *handle)
{
    kl_uv_producer_handle_gone(handle->data);
}

void kl_uv_inlet_stop(kloop_producer *p)
{
    if (p->inlet)
        uv_close((uv_handle_t *)&p->inlet->wake, on_closed);
}

void kl_uv_inlet_del(kloop_producer *p)
{
    if (!p->inlet)
        return;
    kl_inlet_deinit(&p->inlet->queue);
    kl_mem_release(&p->alloc, p->inlet, sizeof *p->inlet);
    p->inlet = NULL;
}
