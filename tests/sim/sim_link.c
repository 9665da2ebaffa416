/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of bytes with everything that can happen to them. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_LINK

/* ---- Pipes ---- */

static void pipe_put(sim_pipe *p, const uint8_t *bytes, size_t n)
{
    if (p->start + p->len + n > p->cap) {
        if (p->start && p->len + n <= p->cap / 2) {
            memmove(p->bytes, p->bytes + p->start, p->len);
        } else {
            p->cap = 2 * (p->len + n) + 512;
            uint8_t *larger = sim_zalloc(p->cap, 1);
            if (p->len)
                memcpy(larger, p->bytes + p->start, p->len);
            free(p->bytes);
            p->bytes = larger;
        }
        p->start = 0;
    }
    memcpy(p->bytes + p->start + p->len, bytes, n);
    p->len += n;
}

static void pipe_drop(sim_pipe *p, size_t n)
{
    p->start += n;
    p->len -= n;
    p->arrived -= n < p->arrived ? n : p->arrived;
    if (!p->len)
        p->start = 0;
}

static void pipe_forget(sim_pipe *p)
{
    p->len = 0;
    p->start = 0;
    p->arrived = 0;
}

/* When the next n bytes that are put in now will be at the other end. */
static uint64_t pipe_arrival(sim *s, sim_pipe *p, size_t n)
{
    const sim_links *l = &s->links;
    uint64_t now = s->world.now_ns;
    if (p->free_at_ns < now)
        p->free_at_ns = now;
    p->free_at_ns += n * p->per_byte_ps / 1000;
    uint64_t at = p->free_at_ns + l->delay_ns;
    if (l->jitter_ns)
        at += sim_below(s, RANDOM, l->jitter_ns);
    if (now < l->latency_until_ns)
        at += sim_below(s, RANDOM, l->latency_extra_ns);
    if (at < p->last_ns)
        at = p->last_ns;
    p->last_ns = at;
    return at;
}

static void arrive_up(sim *s, void *thing, uint64_t n);
static void arrive_down(sim *s, void *thing, uint64_t n);

static void pipe_send(sim *s, sim_conn *c, sim_pipe *p, const uint8_t *bytes, size_t n)
{
    sim_event_fn fn = p == &c->up ? arrive_up : arrive_down;
    pipe_put(p, bytes, n);
    while (n) {
        size_t piece = n;
        if (n > 1 && sim_fault(s, SIM_FAULT_SPLIT_READ))
            piece = 1 + (size_t)sim_below(s, RANDOM, n - 1);
        sim_at(s, pipe_arrival(s, p, piece), fn, c, piece);
        n -= piece;
    }
}

/* ---- Life ---- */

sim_conn *sim_link_find(sim *s, kloop_id id)
{
    sim_links *l = &s->links;
    for (size_t i = l->count; i-- > 0;)
        if (l->all[i]->id.slot == id.slot && l->all[i]->id.gen == id.gen)
            return l->all[i];
    return NULL;
}

void sim_link_deinit(sim *s)
{
    sim_links *l = &s->links;
    for (size_t i = 0; i < l->count; i++) {
        sim_conn *c = l->all[i];
        if (c->peer)
            kl_peer_close(c->peer, (int64_t)s->world.now_ns);
        sim_watch_deinit(&c->watch);
        free(c->up.bytes);
        free(c->down.bytes);
        free(c);
    }
    free(l->all);
    free(l->writing);
}

static void note_why(sim_conn *c, const char *why)
{
    snprintf(c->why, sizeof c->why, "%s", why);
}

static void lose(sim *s, sim_conn *c, const char *why)
{
    if (c->state != SIM_CONN_CONNECTING && c->state != SIM_CONN_OPEN)
        return;
    note_why(c, why);
    c->tell_connected = false;
    c->tell_lost = true;
    c->state = SIM_CONN_LOST;
    pipe_forget(&c->down);
    sim_host_list(s, c);
}

static void drop_peer(sim *s, sim_conn *c)
{
    if (c->peer)
        kl_peer_close(c->peer, (int64_t)s->world.now_ns);
    c->peer = NULL;
}

static void refused(sim *s, void *thing, uint64_t a)
{
    (void)a;
    lose(s, thing, "connection refused");
}

static void no_socket(sim *s, void *thing, uint64_t a)
{
    (void)a;
    lose(s, thing, "too many open files");
}

static void connected(sim *s, void *thing, uint64_t a)
{
    sim_conn *c = thing;
    (void)a;
    if (c->state != SIM_CONN_CONNECTING)
        return;
    c->state = SIM_CONN_OPEN;
    c->tell_connected = true;
    sim_host_list(s, c);
}

static void impostor_hears(sim *s, sim_conn *c);

static bool connect_fault(sim *s, const sim_conn *c, sim_fault_id id)
{
    return sim_neighbours_may_harm_node(s, c->node) && sim_fault(s, id);
}

static void accepted(sim *s, void *thing, uint64_t a)
{
    sim_conn *c = thing;
    (void)a;
    if (c->state != SIM_CONN_CONNECTING)
        return;
    if (c->impostor == SIM_IMPOSTOR_NONE) {
        c->peer = kl_peer_open(s->brokers.cluster, c->node, c, (int64_t)s->world.now_ns);
        if (!c->peer) {
            sim_after(s, s->links.delay_ns, refused, c, 0);
            return;
        }
    }
    sim_at(s, pipe_arrival(s, &c->down, 0), connected, c, 0);
    if (connect_fault(s, c, SIM_FAULT_ACCEPT_AND_DROP))
        sim_link_end(s, c, "closed by the peer at once");
}

void sim_link_connect(sim *s, const kloop_action *action)
{
    sim_links *l = &s->links;
    if (sim_link_find(s, action->id))
        sim_fail(s, "border", "CONNECT names a connection that there was before");
    sim_conn *c = sim_zalloc(1, sizeof *c);
    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 32;
        l->all = sim_grow(l->all, l->cap, sizeof(sim_conn *));
    }
    l->all[l->count++] = c;
    c->id = action->id;
    c->number = (int64_t)l->count;
    c->node = sim_names_node_at(s, &action->address);
    c->cut_after = UINT64_MAX;
    c->opened_ns = s->world.now_ns;
    c->up.per_byte_ps = s->plan.link_per_byte_ps;
    c->down.per_byte_ps = s->plan.link_per_byte_ps;
    if (c->node >= 0)
        c->impostor = l->impostor_at[c->node];
    sim_note(s, SIM_NOTE_CONNECT, NULL, c->number, c->node,
             (int64_t)sim_hash(0, action->address.bytes, 16), action->port);
    if (s->world.now_ns < l->no_descriptors_until_ns) {
        sim_after(s, 0, no_socket, c, 0);
        return;
    }
    if (c->node < 0 || connect_fault(s, c, SIM_FAULT_CONNECT_SILENT))
        return;
    uint64_t delay = l->delay_ns;
    if (s->world.now_ns < s->brokers.refused_until_ns[c->node] ||
        connect_fault(s, c, SIM_FAULT_CONNECT_REFUSED))
        sim_after(s, delay, refused, c, 0);
    else if (connect_fault(s, c, SIM_FAULT_CONNECT_SLOW))
        sim_after(s, sim_scale(s, RANDOM, 20, 5000) * KL_MS, accepted, c, 0);
    else
        sim_after(s, delay, accepted, c, 0);
}

static void gone(sim *s, void *thing, uint64_t a)
{
    sim_conn *c = thing;
    (void)a;
    c->tell_gone = true;
    sim_host_list(s, c);
}

/* Once nothing is on the way to it any more, the broker sees the end. */
static void end_up(sim *s, sim_conn *c)
{
    if ((c->state == SIM_CONN_LOST || c->state >= SIM_CONN_CLOSING) && !c->up.len)
        drop_peer(s, c);
}

void sim_link_close(sim *s, kloop_id id, const char *text)
{
    sim_conn *c = sim_link_find(s, id);
    if (!c || c->state >= SIM_CONN_CLOSING)
        sim_fail(s, "border", "CLOSE for a connection that is closed, or never was");
    sim_note(s, SIM_NOTE_CLOSE, text, c->number, 0, 0, 0);
    sim_patience_close(s, c, text);
    bool was_lost = c->state == SIM_CONN_LOST;
    c->given_up = !was_lost && !c->lost_after_reading;
    c->state = SIM_CONN_CLOSING;
    c->tell_connected = false;
    c->tell_lost = false;
    c->lost_after_reading = false;
    c->wants_write = false;
    pipe_forget(&c->down);
    sim_watch_over(s, c);
    if (!was_lost && sim_chance(s, RANDOM, 300000)) {
        pipe_forget(&c->up);
        drop_peer(s, c);
    }
    end_up(s, c);
    sim_after(s, s->host.close_delay_ns ? sim_below(s, RANDOM, s->host.close_delay_ns) : 0, gone, c,
              0);
}

void sim_link_reset(sim *s, sim_conn *c, bool lose_up, const char *why)
{
    lose(s, c, why);
    if (lose_up) {
        pipe_forget(&c->up);
        drop_peer(s, c);
    }
    end_up(s, c);
}

void sim_link_end(sim *s, sim_conn *c, const char *why)
{
    drop_peer(s, c);
    pipe_forget(&c->up);
    if (c->state > SIM_CONN_OPEN || c->lost_after_reading)
        return;
    note_why(c, why);
    c->lost_after_reading = true;
    c->tell_lost = true;
    sim_host_list(s, c);
}

void sim_link_inject(sim *s, sim_conn *c, const uint8_t *bytes, size_t len)
{
    if (c->state <= SIM_CONN_OPEN)
        pipe_send(s, c, &c->down, bytes, len);
}

void sim_link_stall(sim *s, sim_conn *c, uint64_t ns)
{
    sim_pipe *both[2] = {&c->up, &c->down};
    for (int i = 0; i < 2; i++) {
        uint64_t from =
            both[i]->free_at_ns > s->world.now_ns ? both[i]->free_at_ns : s->world.now_ns;
        both[i]->free_at_ns = from + ns;
    }
}

sim_conn *sim_link_any(sim *s, int32_t node)
{
    sim_conn *chosen = NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < s->links.count; i++) {
        sim_conn *c = s->links.all[i];
        if (c->state == SIM_CONN_OPEN && (node == KL_NO_NODE || c->node == node) &&
            sim_below(s, SIM_STREAM_FAULTS, ++seen) == 0)
            chosen = c;
    }
    return chosen;
}

/* ---- Writing ---- */

void sim_link_check_release(sim *s, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < s->links.writing_count; i++) {
        const sim_conn *c = s->links.writing[i];
        for (size_t k = 0; k < c->held_count; k++)
            if (c->held[k].data < bytes + size && bytes < c->held[k].data + c->held[k].len)
                sim_fail(s, "I32", "memory is given back while #%" PRId64 " writes from it",
                         c->number);
    }
}

static uint64_t hash_slices(const kloop_slice *slices, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = sim_hash(h, slices[i].data, slices[i].len);
    return h;
}

void sim_link_write_over(sim *s, sim_conn *c)
{
    if (!c->writing)
        return;
    c->writing = false;
    for (size_t i = 0; i < s->links.writing_count; i++)
        if (s->links.writing[i] == c)
            s->links.writing[i] = s->links.writing[--s->links.writing_count];
    if (hash_slices(c->held, c->held_count) != c->held_hash)
        sim_fail(s, "I32", "bytes have changed while #%" PRId64 " was writing them", c->number);
    c->held_count = 0;
}

static void written(sim *s, void *thing, uint64_t a)
{
    sim_conn *c = thing;
    if (!c->writing || c->write_number != (uint32_t)(a >> 32))
        return;
    c->tell_wrote = (size_t)(a & UINT32_MAX);
    sim_host_list(s, c);
}

static void hold(sim *s, sim_conn *c, const kloop_slice *slices, size_t n, size_t taken)
{
    sim_links *l = &s->links;
    memcpy(c->held, slices, n * sizeof *slices);
    c->held_count = n;
    c->held_hash = hash_slices(slices, n);
    c->writing = true;
    c->write_number++;
    if (l->writing_count == l->writing_cap) {
        l->writing_cap = l->writing_cap ? 2 * l->writing_cap : 8;
        l->writing = sim_grow(l->writing, l->writing_cap, sizeof(sim_conn *));
    }
    l->writing[l->writing_count++] = c;
    uint64_t delay = sim_below(s, RANDOM, s->host.write_delay_ns + 1);
    if (sim_fault(s, SIM_FAULT_LATE_ON_WROTE))
        delay += sim_scale(s, RANDOM, 10, 4000) * KL_MS;
    sim_after(s, delay, written, c, (uint64_t)c->write_number << 32 | taken);
}

/* The first n bytes of the slices go on their way. */
static uint64_t send_slices(sim *s, sim_conn *c, const kloop_slice *slices, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; n; i++) {
        size_t len = slices[i].len < n ? slices[i].len : n;
        h = sim_hash(h, slices[i].data, len);
        c->taken += len;
        c->moved_ns = s->world.now_ns;
        sim_watch_sent(s, c, slices[i].data, len);
        if (c->state == SIM_CONN_OPEN && !c->lost_after_reading)
            pipe_send(s, c, &c->up, slices[i].data, len);
        n -= len;
    }
    return h;
}

void sim_link_write(sim *s, sim_conn *c)
{
    while (c->state == SIM_CONN_OPEN && c->wants_write && !c->writing) {
        if (c->up.len >= s->links.buffer_bytes)
            return;
        kloop_slice slices[SIM_SLICES_MAX];
        size_t n = kloop_engine_write_vec(s->host.engine, c->id, slices, s->host.vec_max);
        size_t shown = 0;
        for (size_t i = 0; i < n; i++) {
            if (!slices[i].len || !slices[i].data)
                sim_fail(s, "border", "#%" PRId64 ": an empty slice to write", c->number);
            shown += slices[i].len;
        }
        c->shown_left = shown;
        if (!n) {
            c->wants_write = false;
            return;
        }
        size_t take = s->links.buffer_bytes - c->up.len;
        if (take > shown)
            take = shown;
        if (take > 1 && sim_fault(s, SIM_FAULT_PARTIAL_WRITE))
            take = 1 + (size_t)sim_below(s, RANDOM, take - 1);
        bool cut = c->taken + take >= c->cut_after;
        if (cut)
            take = c->cut_after > c->taken ? (size_t)(c->cut_after - c->taken) : 1;
        if (s->host.completion)
            hold(s, c, slices, n, take);
        uint64_t h = send_slices(s, c, slices, take);
        c->shown_left = shown - take;
        sim_note(s, SIM_NOTE_TAKEN, NULL, (int64_t)take, (int64_t)shown, c->number, (int64_t)h);
        if (!s->host.completion) {
            s->inside.bytes_out += take;
            kloop_engine_on_wrote(s->host.engine, c->id, take, sim_world_now(s));
        }
        if (cut)
            sim_link_reset(s, c, false, "connection reset by peer");
    }
}

bool sim_link_is_torn(const sim *s)
{
    for (size_t i = s->links.count; i-- > 0 && !s->links.torn;)
        if (s->links.all[i]->watch.out_len || s->links.all[i]->shown_left ||
            s->links.all[i]->wants_write)
            return true;
    return s->links.torn > 0;
}

/* ---- To the broker ---- */

static void room_again(sim *s, sim_conn *c)
{
    if (c->wants_write && !c->writing && c->up.len < s->links.buffer_bytes) {
        c->try_write = true;
        sim_host_list(s, c);
    }
}

static void feed(sim *s, sim_conn *c)
{
    bool fed = false;
    if (c->impostor != SIM_IMPOSTOR_NONE) {
        impostor_hears(s, c);
        return;
    }
    while (c->peer && c->up.arrived && kl_peer_wants_bytes(c->peer)) {
        size_t n = c->up.arrived;
        if (!kl_peer_receive(c->peer, c->up.bytes + c->up.start, n, (int64_t)s->world.now_ns))
            abort();
        pipe_drop(&c->up, n);
        fed = true;
    }
    if (!c->peer && c->up.arrived)
        pipe_drop(&c->up, c->up.arrived);
    if (fed)
        room_again(s, c);
    end_up(s, c);
}

static void arrive_up(sim *s, void *thing, uint64_t n)
{
    sim_conn *c = thing;
    size_t fresh = c->up.len - c->up.arrived;
    if (n > fresh)
        n = fresh; /* a reset has swallowed the rest */
    c->up.arrived += (size_t)n;
    if (c->up.hole) {
        pipe_drop(&c->up, c->up.arrived);
        end_up(s, c);
        return;
    }
    feed(s, c);
    sim_link_pump_brokers(s);
}

/* ---- From the broker ---- */

static void push_output(sim *s, sim_conn *c)
{
    kloop_slice slices[16];
    while (c->peer && c->down.len < s->links.buffer_bytes) {
        size_t n = kl_peer_output(c->peer, slices, 16);
        if (!n)
            break;
        size_t sent = 0;
        for (size_t i = 0; i < n; i++) {
            if (c->state <= SIM_CONN_OPEN)
                pipe_send(s, c, &c->down, slices[i].data, slices[i].len);
            sent += slices[i].len;
        }
        kl_peer_wrote(c->peer, sent, (int64_t)s->world.now_ns);
    }
}

void sim_link_pump_brokers(sim *s)
{
    for (kl_peer *p; (p = kl_cluster_next_ready(s->brokers.cluster)) != NULL;) {
        sim_conn *c = kl_peer_user(p);
        push_output(s, c);
        if (c->peer && kl_peer_wants_close(c->peer))
            sim_link_end(s, c, "closed by the broker");
        else
            feed(s, c);
    }
    sim_brokers_arm(s);
}

static void arrive_down(sim *s, void *thing, uint64_t n)
{
    sim_conn *c = thing;
    if (c->state > SIM_CONN_OPEN)
        return;
    size_t fresh = c->down.len - c->down.arrived;
    if (n > fresh)
        n = fresh;
    if (c->down.hole) {
        pipe_drop(&c->down, c->down.arrived + (size_t)n);
        return;
    }
    c->down.arrived += (size_t)n;
    sim_host_list(s, c);
}

size_t sim_link_read(sim *s, sim_conn *c, uint8_t *to, size_t max)
{
    size_t n = c->down.arrived < max ? c->down.arrived : max;
    if (!n)
        return 0;
    memcpy(to, c->down.bytes + c->down.start, n);
    c->moved_ns = s->world.now_ns;
    sim_watch_told(s, c, to, n);
    pipe_drop(&c->down, n);
    if (c->peer && kl_peer_output_bytes(c->peer)) {
        push_output(s, c);
        sim_link_pump_brokers(s);
    }
    return n;
}

/* ---- Those who are no broker ---- */

static void impostor_hears(sim *s, sim_conn *c)
{
    static const char page[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                               "Connection: close\r\n\r\n400 Bad Request";
    static const uint8_t promise[4] = {0x01, 0xf0, 0x00, 0x00};
    uint8_t noise[256];
    size_t n = c->up.arrived;
    if (!n || c->state > SIM_CONN_OPEN) {
        pipe_drop(&c->up, n);
        return;
    }
    switch (c->impostor) {
    case SIM_IMPOSTOR_HTTP:
        pipe_send(s, c, &c->down, (const uint8_t *)page, sizeof page - 1);
        sim_link_end(s, c, "closed by the peer");
        return;
    case SIM_IMPOSTOR_ECHO:
        pipe_send(s, c, &c->down, c->up.bytes + c->up.start, n);
        break;
    case SIM_IMPOSTOR_NOISE:
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)sim_below(s, RANDOM, 256);
        pipe_send(s, c, &c->down, noise, sizeof noise);
        break;
    case SIM_IMPOSTOR_CLOSER:
        sim_link_end(s, c, "closed by the peer");
        return;
    case SIM_IMPOSTOR_LENGTH:
        if (!c->down.last_ns || c->taken == n)
            pipe_send(s, c, &c->down, promise, sizeof promise);
        break;
    case SIM_IMPOSTOR_SILENT:
    case SIM_IMPOSTOR_NONE:
        break;
    }
    pipe_drop(&c->up, n);
    room_again(s, c);
}
