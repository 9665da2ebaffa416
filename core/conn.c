/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection: what is written, what is awaited, what comes in. See conn.h. */
#include "core/conn.h"

#include "base/be.h"
#include "base/wipe.h"
#include "core/actions.h"
#include "core/authentication.h"
#include "core/budget.h"
#include "core/engine_state.h"
#include "core/handshake.h"
#include "core/hook_calls.h"
#include "core/log.h"
#include "core/peer_text.h"
#include "core/slots.h"
#include "core/trace_points.h"
#include "protocol/request_slices.h"

#include <stdarg.h>
#include <stdio.h>

/* The payload of a batch up to this is copied into its request: that takes less time than the
 * kernel needs for one slice more. */
#define COPY_MAX ((size_t)1024)

/* Who has not proved who he is has no answer that is larger. */
#define UNREADY_MAX ((size_t)65536)

/* ---- Life ---- */

kl_conn *kl_conn_new(kloop_engine *e, kl_broker *broker, const kloop_address *address)
{
    if (!kl_heap_reserve(&e->timers, e->timer_count + 1))
        return NULL;
    kl_conn *c = kl_mem_zalloc(&e->alloc, 1, sizeof *c);
    if (!c)
        return NULL;
    c->id = kl_slots_take(e, c, NULL);
    if (c->id.gen == 0) {
        kl_mem_release(&e->alloc, c, sizeof *c);
        return NULL;
    }
    e->timer_count++;
    c->engine = e;
    c->broker = broker;
    c->address = *address;
    c->agreed = (kl_api_caps){-1, -1, -1, -1, -1, -1};
    c->renew_at = KL_NEVER;
    c->opened_ns = e->now.mono_ns;
    c->last_active_ns = e->now.mono_ns;
    kl_list_init(&c->writing);
    kl_list_init(&c->flight);
    kl_timer_init(&c->timer, KL_TIMER_CONN);
    size_t frame_max = e->set.receive_frame_max;
    if (e->set.sasl && frame_max > UNREADY_MAX)
        frame_max = UNREADY_MAX;
    kl_frame_reader_init(&c->frames, frame_max, &e->alloc);
    kl_frame_reader_bound(&c->frames);
    kl_actions_of_conn(e, c, KL_PENDING_CONNECT);
    kl_conn_clock(e, c);
    KL_TRACE(e, conn, c, KLOOP_CONN_CONNECTS);
    return c;
}

static void del_request(kloop_engine *e, kl_request *r)
{
    if (r->kind->release)
        r->kind->release(e, r);
    if (r->altered.data)
        kl_mem_release(&e->alloc, (uint8_t *)(uintptr_t)r->altered.data, r->altered.len + 1);
    size_t bytes = r->memory_bytes;
#ifndef KL_PLANT_REQUEST_NOT_WIPED
    if (r->kind->secret)
        kl_wipe(r, bytes);
#endif
    kl_mem_release(&e->alloc, r, bytes);
}

void kl_conn_del(kloop_engine *e, kl_conn *c)
{
    kl_authentication_end(e, c);
    kl_link *at;
    while ((at = kl_list_pop_front(&c->writing))) {
        kl_request *r = KL_CONTAINER_OF(at, kl_request, in_writing);
        kl_list_drop(&r->in_flight);
        del_request(e, r);
    }
    while ((at = kl_list_pop_front(&c->flight)))
        del_request(e, KL_CONTAINER_OF(at, kl_request, in_flight));
    kl_heap_remove(&e->timers, &c->timer);
    e->timer_count--;
    kl_list_drop(&c->in_actions);
    kl_list_drop(&c->in_paused);
    e->receive_bytes -= c->receive_bytes;
    /* Not when it was lost: its buffer has stayed until now, and nobody else could have had one. */
    if (e->receive_grower == c)
        e->receive_grower = NULL;
    kl_frame_reader_deinit(&c->frames);
    kl_slots_give_back(e, c->id);
    kl_mem_release(&e->alloc, c, sizeof *c);
}

/* ---- Asking ---- */

bool kl_conn_can_ask(const kloop_engine *e, const kl_conn *c)
{
#ifdef KL_PLANT_REQUESTS_IN_RENEWAL
    if (c->auth && c->state == KL_CONN_READY)
        return kl_list_is_empty(&c->writing) && c->flight_count < e->set.in_flight_max;
#endif
    return c->state == KL_CONN_READY && !c->auth && kl_list_is_empty(&c->writing) &&
           c->flight_count < e->set.in_flight_max && c->throttled_until <= e->now.mono_ns;
}

static kl_request *new_request(kloop_engine *e, const kloop_size *size, size_t batch_count)
{
    size_t slices = size->slices * sizeof(kloop_slice);
    size_t batches = batch_count * sizeof(kl_batch *);
    size_t bytes = sizeof(kl_request) + slices + batches + size->own;
    kl_request *r = kl_mem_alloc(&e->alloc, bytes);
    if (!r)
        return NULL;
    *r = (kl_request){.memory_bytes = bytes, .total = size->total, .batch_count = batch_count};
    r->slices = (kloop_slice *)(void *)(r + 1);
    r->slice_count = size->slices;
    r->batches = (kl_batch **)(void *)(r->slices + size->slices);
    return r;
}

/* It is put together. */
static void enqueue(kloop_engine *e, kl_conn *c, kl_request *r)
{
    KL_ASSERT(c->state == KL_CONN_READY || r->kind->handshake);
    r->conn = c;
    r->asked_ns = r->progress_ns = e->now.mono_ns;
    /* Correlation ids go from 0 up; after 2^31-1 from 0 again. */
    c->next_correlation = c->next_correlation == INT32_MAX ? 0 : c->next_correlation + 1;
    kl_list_push_back(&c->writing, &r->in_writing);
    if (r->expects_answer) {
        kl_list_push_back(&c->flight, &r->in_flight);
        c->flight_count++;
    }
    c->last_active_ns = e->now.mono_ns;
    e->stats.requests++;
    KL_TRACE(e, request, c, KLOOP_TRACE_ASKED, r, (int64_t)r->total);
    c->broker->meters->requests++;
    if (!c->host_writes) {
        c->host_writes = true;
        kl_actions_of_conn(e, c, KL_PENDING_WRITE);
    }
    kl_conn_clock(e, c);
}

kl_request *kl_conn_ask(kloop_engine *e, kl_conn *c, const kl_request_kind *kind, int16_t api,
                        int16_t version, const void *message, size_t message_size,
                        size_t batch_count, bool expects_answer, kloop_fault *fault)
{
    kloop_size size;
    if (kl_request_slices_measure(api, version, e->set.client_id, message, message_size, COPY_MAX,
                                  &size, fault))
        return NULL;
    kl_request *r = new_request(e, &size, batch_count);
    if (!r)
        return NULL;
    r->kind = kind;
    r->api = api;
    r->version = version;
    r->correlation = c->next_correlation;
    r->expects_answer = expects_answer;
    uint8_t *own = (uint8_t *)(r->batches + batch_count);
    kloop_status status = kl_request_slices_encode(api, version, r->correlation, e->set.client_id,
                                                   message, message_size, COPY_MAX, own, size.own,
                                                   r->slices, r->slice_count, fault);
    KL_ASSERT(status == KLOOP_OK);
    enqueue(e, c, r);
    return r;
}

kl_request *kl_conn_ask_bare(kloop_engine *e, kl_conn *c, const kl_request_kind *kind,
                             kloop_slice bytes)
{
    size_t total = KL_FRAME_LENGTH_BYTES + bytes.len;
    const kloop_size size = {.total = total, .own = total, .slices = 1};
    kl_request *r = new_request(e, &size, 0);
    if (!r)
        return NULL;
    r->kind = kind;
    r->api = KLOOP_SASL_AUTHENTICATE;
    r->expects_answer = true;
    uint8_t *own = (uint8_t *)r->batches;
    kl_be_store32(own, (uint32_t)bytes.len);
    memcpy(own + KL_FRAME_LENGTH_BYTES, bytes.data, bytes.len);
    *r->slices = (kloop_slice){own, total};
    enqueue(e, c, r);
    return r;
}

/* ---- Losing ---- */

/* Nobody will answer these. Their memory stays while the host may read it. */
static void tell_requests(kloop_engine *e, kl_conn *c)
{
    kl_link *at;
    while ((at = kl_list_pop_front(&c->flight))) {
        kl_request *r = KL_CONTAINER_OF(at, kl_request, in_flight);
        c->flight_count--;
        r->kind->lost(e, r);
        if (!kl_link_is_linked(&r->in_writing))
            del_request(e, r);
    }
    for (at = kl_list_first(&c->writing); at; at = kl_list_next(&c->writing, at)) {
        kl_request *r = KL_CONTAINER_OF(at, kl_request, in_writing);
        if (!r->expects_answer)
            r->kind->lost(e, r);
    }
}

void kl_conn_lose(kloop_engine *e, kl_conn *c, const char *format, ...)
{
    if (c->state == KL_CONN_LOST)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    c->lost_in = c->state;
    c->state = KL_CONN_LOST;
    KL_TRACE(e, conn, c, c->idle ? KLOOP_CONN_IDLE : KLOOP_CONN_LOST);
    kl_authentication_end(e, c);
    kl_heap_remove(&e->timers, &c->timer);
    kl_list_drop(&c->in_paused);
    if (c->broker->conn == c)
        c->broker->conn = NULL;
    tell_requests(e, c);
    kl_nodes_lost(e, c);
    kl_conn_resume_paused(e);
    if (c->pending & KL_PENDING_CONNECT) {
        /* The host has never heard of it. */
        kl_conn_del(e, c);
        return;
    }
    c->pending = 0;
    kl_actions_of_conn(e, c, KL_PENDING_CLOSE);
}

void kl_conn_lose_fault(kloop_engine *e, kl_conn *c, const kl_request *r, const kloop_fault *fault)
{
    char text[160];
    kloop_fault_text(fault, text, sizeof text);
    kl_conn_lose(e, c, "%s:%u: its answer to %s version %d cannot be read: %s", c->broker->host,
                 (unsigned)c->broker->port, r->kind->name, (int)r->version, text);
}

/* ---- Writing ---- */

void kl_conn_connected(kloop_engine *e, kl_conn *c)
{
    if (c->state != KL_CONN_CONNECTING)
        return;
#ifdef KL_PLANT_BACKOFF_ENDS_AT_CONNECT
    c->broker->failures = c->broker->unproved = 0;
#endif
    kl_handshake_begin(e, c);
    if (c->state != KL_CONN_LOST)
        kl_conn_clock(e, c);
}

/* From here on the host may have sent it. false: it has not been shown, and the connection is lost.
 */
static bool touch(kloop_engine *e, kl_conn *c, kl_request *r)
{
    if (KL_UNLIKELY(e->hooks.on_frame != NULL) && !r->kind->secret && !kl_hook_written(e, c, r)) {
        kl_conn_lose(e, c, "%s:%u: no memory for what a hook has made of %s", c->broker->host,
                     (unsigned)c->broker->port, r->kind->name);
        return false;
    }
    r->touched = true;
    return true;
}

size_t kl_conn_write_vec(kloop_engine *e, kl_conn *c, kloop_slice *slices, size_t max)
{
    if (c->state == KL_CONN_LOST || c->state == KL_CONN_CONNECTING)
        return 0;
    size_t n = 0;
    for (kl_link *at = kl_list_first(&c->writing); at && n < max;
         at = kl_list_next(&c->writing, at)) {
        kl_request *r = KL_CONTAINER_OF(at, kl_request, in_writing);
        if (!r->touched && !touch(e, c, r))
            return 0;
        size_t skip = r->slice_done;
        size_t i = r->slice_at;
        for (; i < r->slice_count && n < max; i++) {
            slices[n].data = r->slices[i].data + skip;
            slices[n++].len = r->slices[i].len - skip;
            skip = 0;
        }
        r->handed_out |= i == r->slice_count;
    }
    if (n == 0 && max > 0)
        c->host_writes = false;
    return n;
}

/* n more bytes of r are out; answers how many of them were of r. */
static size_t advance(kl_request *r, size_t n)
{
    size_t left = n;
    while (left > 0 && r->slice_at < r->slice_count) {
        size_t rest = r->slices[r->slice_at].len - r->slice_done;
        size_t step = rest < left ? rest : left;
        r->slice_done += step;
        left -= step;
        if (step == rest) {
            r->slice_at++;
            r->slice_done = 0;
        }
    }
    r->written += n - left;
    return n - left;
}

void kl_conn_wrote(kloop_engine *e, kl_conn *c, size_t n)
{
    e->stats.bytes_out += n;
    c->broker->meters->bytes_out += n;
    if (c->state == KL_CONN_LOST)
        return;
    c->last_active_ns = e->now.mono_ns;
    while (n > 0) {
        kl_link *at = kl_list_first(&c->writing);
        if (!at)
            break;
        kl_request *r = KL_CONTAINER_OF(at, kl_request, in_writing);
#ifndef KL_PLANT_CLOCK_FROM_THE_MAKING
        r->progress_ns = e->now.mono_ns;
#endif
        n -= advance(r, n);
#ifdef KL_PLANT_WRITE_BEGINS_ANEW
        if (r->written < r->total)
            r->slice_at = r->slice_done = 0;
#endif
        if (r->written < r->total)
            break;
        kl_list_remove(at);
        if (r->kind->written)
            r->kind->written(e, r);
        if (!kl_link_is_linked(&r->in_flight))
            del_request(e, r);
    }
    if (kl_list_is_empty(&c->writing)) {
        c->host_writes = false;
        kl_nodes_poke(e, c->broker);
    }
    kl_conn_clock(e, c);
}

/* ---- Receiving ---- */

/* The receive buffer may have grown or shrunk. */
static void count_buffer(kloop_engine *e, kl_conn *c)
{
    e->receive_bytes += c->frames.buf.cap - c->receive_bytes;
    c->receive_bytes = c->frames.buf.cap;
}

static size_t shared_bytes(const kloop_engine *e)
{
    size_t largest = e->set.receive_frame_max + KL_FRAME_BUFFER_MORE;
    return e->set.receive_bytes_max > largest ? e->set.receive_bytes_max - largest : 0;
}

/*
 * All connections share receive.memory. One of them, the grower, may take a frame of any allowed
 * size; the others share what that leaves. So somebody always gets on. The first 2 KiB of a
 * connection are its own: without them it could not even be heard to have nothing to say.
 */
static bool may_grow(kloop_engine *e, kl_conn *c)
{
    size_t others = e->receive_bytes - c->receive_bytes;
    if (others + c->receive_bytes * 2 <= shared_bytes(e))
        return true;
    if (e->receive_grower && e->receive_grower != c)
        return false;
    e->receive_grower = c;
    return true;
}

uint8_t *kl_conn_space(kloop_engine *e, kl_conn *c, size_t *room)
{
    *room = 0;
    if (c->state == KL_CONN_LOST || c->paused)
        return NULL;
    if (kl_frame_must_grow(&c->frames) && !may_grow(e, c)) {
        c->paused = true;
        if (kl_list_is_empty(&e->paused))
            kl_log(e, KLOOP_LOG_DEBUG,
                   "%s:%u: reading waits, for answers that are not whole yet take %zu bytes, and "
                   "receive.memory=%zu",
                   c->broker->host, (unsigned)c->broker->port, e->receive_bytes,
                   e->set.receive_bytes_max);
        kl_list_push_back(&e->paused, &c->in_paused);
        if (c->pending & KL_PENDING_RESUME)
            kl_actions_take_back(c, KL_PENDING_RESUME);
        else
            kl_actions_of_conn(e, c, KL_PENDING_PAUSE);
        kl_conn_clock(e, c);
        return NULL;
    }
    uint8_t *space = kl_frame_space(&c->frames, room);
    c->space_shown = space != NULL;
    count_buffer(e, c);
    if (!space) {
        *room = 0;
        kl_conn_lose(e, c, "%s:%u: no memory for what it sends", c->broker->host,
                     (unsigned)c->broker->port);
    }
    return space;
}

void kl_conn_give_back_space(kloop_engine *e)
{
    for (uint32_t i = 0; i < e->slot_count; i++) {
        kl_conn *c = e->slots[i].conn;
        if (!c || c->space_shown || c->frames.start < c->frames.buf.len ||
            c->frames.buf.cap <= KL_FRAME_KEEP_BYTES)
            continue;
        kl_frame_give_back(&c->frames);
        count_buffer(e, c);
    }
    kl_conn_resume_paused(e);
}

void kl_conn_resume_paused(kloop_engine *e)
{
    kl_link *at;
    while ((at = kl_list_first(&e->paused))) {
        kl_conn *c = KL_CONTAINER_OF(at, kl_conn, in_paused);
        if (!may_grow(e, c))
            return;
        kl_list_remove(at);
        c->paused = false;
        c->last_answer_ns = e->now.mono_ns;
        /* Also behind a PAUSE that was not taken yet: the host has met a lack of room. */
        kl_actions_of_conn(e, c, KL_PENDING_RESUME);
        kl_conn_clock(e, c);
    }
}

static void lose_unasked(kloop_engine *e, kl_conn *c, size_t bytes)
{
    kl_conn_lose(e, c, "%s:%u: %zu bytes came that nobody had asked for", c->broker->host,
                 (unsigned)c->broker->port, bytes);
}

/* The large frame was taken: what it needed is for others now. */
static void end_growing(kloop_engine *e, kl_conn *c)
{
    e->receive_grower = NULL;
    if (e->receive_bytes > shared_bytes(e)) {
        kl_frame_give_back(&c->frames);
        count_buffer(e, c);
    }
    kl_conn_resume_paused(e);
}

/* Leaves its body; false: the connection is lost. */
static bool read_header(kloop_engine *e, kl_conn *c, const kl_request *r, kloop_slice *frame)
{
    if (r->kind->bare)
        return true;
    int16_t header_version = kloop_response_header_version(r->api, r->version);
    kloop_response_header header;
    size_t used;
    kloop_fault fault;
    if (kloop_decode_prefix(KLOOP_RESPONSE_HEADER, KLOOP_RESPONSE, header_version, frame->data,
                            frame->len, &used, &header, &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
#ifdef KL_PLANT_CORRELATION_IGNORED
    header.correlation_id = r->correlation;
#endif
    if (header.correlation_id != r->correlation) {
        kl_conn_lose(e, c, "%s:%u: an answer with correlation id %d where %d was awaited (%s)",
                     c->broker->host, (unsigned)c->broker->port, (int)header.correlation_id,
                     (int)r->correlation, r->kind->name);
        return false;
    }
    frame->data += used;
    frame->len -= used;
    return true;
}

/* What answers r; false: the connection is lost. */
static bool read_answer(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice frame)
{
    if (!read_header(e, c, r, &frame))
        return false;
    kl_list_remove(&r->in_flight);
    c->flight_count--;
    c->last_answer_ns = e->now.mono_ns;
    KL_TRACE(e, request, c, KLOOP_TRACE_ANSWERED, r, (int64_t)(e->now.mono_ns - r->progress_ns));
    e->meters.answers++;
    c->broker->meters->answers++;
    bool sound = r->kind->answered(e, c, r, frame);
    if (!sound) {
        /* It cannot be read: as if it had never come. The connection is lost by now, and why says
         * more than what r's kind makes of that. */
        r->kind->lost(e, r);
        snprintf(e->trouble, sizeof e->trouble, "%s", c->why);
    }
    bool goes_on = sound && c->state != KL_CONN_LOST;
    if (goes_on && !c->served && !r->kind->handshake) {
        c->served = true;
        kl_nodes_served(e, c->broker);
    }
    if (!kl_link_is_linked(&r->in_writing))
        del_request(e, r);
    return goes_on;
}

static bool read_hooked(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice frame)
{
    kloop_slice copy;
    if (!kl_hook_read(e, c, r, frame, &copy)) {
        kl_conn_lose(e, c, "%s:%u: no memory for what a hook has made of the answer to %s",
                     c->broker->host, (unsigned)c->broker->port, r->kind->name);
        return false;
    }
    bool goes_on = read_answer(e, c, r, copy.data ? copy : frame);
    if (copy.data)
        kl_mem_release(&e->alloc, (uint8_t *)(uintptr_t)copy.data, copy.len + 1);
    return goes_on;
}

/* One frame; false: the connection is lost. */
static bool take_frame(kloop_engine *e, kl_conn *c, kloop_slice frame)
{
    kl_link *at = kl_list_first(&c->flight);
    if (!at) {
        lose_unasked(e, c, frame.len);
        return false;
    }
    kl_request *r = KL_CONTAINER_OF(at, kl_request, in_flight);
    /* The host may have sent all of it without having said so yet, but nothing that it was not
     * shown. */
    if (!r->handed_out) {
        kl_conn_lose(e, c, "%s:%u: an answer came before %s was sent", c->broker->host,
                     (unsigned)c->broker->port, r->kind->name);
        return false;
    }
    return e->hooks.on_frame && !r->kind->secret ? read_hooked(e, c, r, frame)
                                                 : read_answer(e, c, r, frame);
}

void kl_conn_received(kloop_engine *e, kl_conn *c, size_t n)
{
    e->stats.bytes_in += n;
    c->broker->meters->bytes_in += n;
    c->space_shown = false;
    if (c->state == KL_CONN_LOST || n == 0)
        return;
    kl_frame_received(&c->frames, n);
#ifdef KL_PLANT_BUFFER_FROM_LENGTH
    if (c->frames.buf.len - c->frames.start >= 4)
        kl_buf_reserve(&c->frames.buf, (size_t)c->frames.buf.data[c->frames.start + 1] << 16, NULL);
#endif
    c->last_active_ns = e->now.mono_ns;
    for (;;) {
        kloop_slice frame;
        kloop_fault fault;
        if (kl_frame_next(&c->frames, &frame, &fault)) {
            if (fault.status == KLOOP_FRAME_TOO_LARGE && c->served) {
                kl_conn_lose(
                    e, c,
                    "%s:%u: an answer would have %lld bytes, and "
                    "receive.message.max.bytes=%zu; raise that if brokers may send so much",
                    c->broker->host, (unsigned)c->broker->port, (long long)fault.a,
                    e->set.receive_frame_max);
                return;
            }
            char met[160];
            bool tls = kl_peer_text(c->frames.buf.data + c->frames.start,
                                    c->frames.buf.len - c->frames.start, met, sizeof met);
            c->refused = tls && !c->served;
            kl_conn_lose(e, c, "%s:%u: this is no Kafka broker's answer: %s", c->broker->host,
                         (unsigned)c->broker->port, met);
            return;
        }
        if (!frame.data)
            break;
        if (!take_frame(e, c, frame))
            return;
    }
    /* Not when its frame is whole: until then it would take memory, and could take its time. */
    const kl_link *next = kl_list_first(&c->flight);
    if (c->frames.start < c->frames.buf.len &&
        (!next || !KL_CONTAINER_OF(next, kl_request, in_flight)->handed_out)) {
        lose_unasked(e, c, c->frames.buf.len - c->frames.start);
        return;
    }
    if (e->receive_grower == c && c->frames.start == c->frames.buf.len)
        end_growing(e, c);
    if (c->frames.buf.cap > KL_FRAME_KEEP_BYTES)
        kl_budget_trim_soon(e);
    if (kl_conn_can_ask(e, c))
        kl_nodes_poke(e, c->broker);
    kl_conn_clock(e, c);
}
