/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer whose frames are altered on the way, in both directions, by its own hook: bits
 * flipped, cut, doubled, swallowed, filled with anything. Beside it a model cluster, in virtual
 * time.
 *
 * What brokers and engine make of such bytes is their affair. What has to hold all the same: each
 * record that was taken is reported once, and told once to on_outcome; memory stays within its
 * bounds; when frames are left alone again, all is delivered; the close ends; nothing is left.
 */
#include "base/now.h"
#include "base/prng.h"
#include "broker/peer.h"
#include "tests/support/fail_alloc.h"

#include <kloop/engine.h>
#include <kloop/hooks.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS       150
#define RECORDS     3000
#define NODES       2
#define CONNS_MAX   64
#define FRAME_MAX   (1 << 20)
#define ALTERED_NS  (40 * KL_SECOND)
#define MEMORY_MAX  2000000
#define RECEIVE_MAX (4 << 20)

typedef struct world_conn {
    kloop_id id;
    kl_peer *peer; /* NULL: not open, or closed by the broker */
    bool used;
    bool paused;
    bool lost; /* and told so */
} world_conn;

typedef struct world {
    uint64_t seed;
    kl_prng dice;
    kl_fail_alloc memory;
    kloop_allocator alloc;
    uint32_t starves; /* one allocation in so many fails; 0: none */
    kl_cluster *cluster;
    kloop_engine *e;
    kloop_topic *topic;
    kloop_now now;
    uint32_t alters; /* per million */
    uint64_t altered;
    world_conn conns[CONNS_MAX];
    uint8_t reported[RECORDS];
    uint8_t told[RECORDS];
    bool taken[RECORDS];
    size_t sent;
    bool writable;
    bool closed;
    uint8_t *frame;
} world;

static world w;

/* ---- The hooks ---- */

static void alter(uint8_t *bytes, size_t *len)
{
    kl_prng *dice = &w.dice;
    switch (kl_prng_below(dice, 8)) {
    case 0:
        *len = 0;
        return;
    case 1:
        *len = kl_prng_below(dice, *len + 1);
        return;
    case 2: /* twice */
        memcpy(bytes + *len, bytes, *len);
        *len *= 2;
        return;
    case 3: { /* longer */
        size_t more = 1 + kl_prng_below(dice, 64);
        for (size_t i = 0; i < more; i++)
            bytes[*len + i] = (uint8_t)kl_prng_next(dice);
        *len += more;
        return;
    }
    case 4: { /* a field of four bytes becomes something odd */
        static const uint32_t odd[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x01000000};
        size_t at = kl_prng_below(dice, *len - 3);
        uint32_t x = odd[kl_prng_below(dice, sizeof odd / sizeof *odd)];
        for (int i = 0; i < 4; i++)
            bytes[at + (size_t)i] = (uint8_t)(x >> (24 - 8 * i));
        return;
    }
    case 5: { /* bytes are left out */
        size_t at = kl_prng_below(dice, *len);
        size_t n = 1 + kl_prng_below(dice, *len - at);
        memmove(bytes + at, bytes + at + n, *len - at - n);
        *len -= n;
        return;
    }
    default:
        for (uint64_t n = 1 + kl_prng_below(dice, 8); n > 0; n--)
            bytes[kl_prng_below(dice, *len)] ^= (uint8_t)(1u << kl_prng_below(dice, 8));
    }
}

static bool on_frame(const kloop_frame *f, kloop_slice *instead, void *me)
{
    (void)me;
    if (!kl_prng_chance(&w.dice, w.alters) || f->len < 8 || f->len > FRAME_MAX / 2 - 64)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < f->slice_count; i++) {
        memcpy(w.frame + len, f->slices[i].data, f->slices[i].len);
        len += f->slices[i].len;
    }
    assert_int_equal(len, f->len);
    alter(w.frame, &len);
    w.altered++;
    *instead = (kloop_slice){w.frame, len};
    return true;
}

static void on_outcome(const kloop_settled *settled, void *me)
{
    (void)me;
    const kloop_report *run = settled->run;
    for (size_t i = 0; i < run->count; i++)
        w.told[(uintptr_t)run->users[i] - 1]++;
    assert_true(settled->queued_ns <= settled->age_ns);
    assert_true(settled->attempts > 0 || run->outcome == KLOOP_OUTCOME_FAILED);
}

static bool before_append(kloop_append *a, void *me)
{
    (void)me;
    a->headers[0].key = (kloop_string){"n", 1};
    a->headers[0].value = (kloop_slice){a->bytes, 16};
    memset(a->bytes, 'h', 16);
    a->header_count = kl_prng_chance(&w.dice, 500000);
    return true;
}

static void on_decision(const kloop_trace *trace, void *me)
{
    (void)me;
    assert_in_range(trace->kind, 1, KLOOP_TRACE_COUNT - 1);
}

/* ---- Memory that fails now and then ---- */

static void *starved_alloc(void *ctx, size_t size)
{
    kloop_allocator *table = ctx;
    if (w.starves && kl_prng_below(&w.dice, w.starves) == 0)
        return NULL;
    return table->alloc(table->ctx, size);
}

static void *starved_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    kloop_allocator *table = ctx;
    if (w.starves && kl_prng_below(&w.dice, w.starves) == 0)
        return NULL;
    return table->resize(table->ctx, p, old_size, size);
}

static void starved_release(void *ctx, void *p, size_t size)
{
    kloop_allocator *table = ctx;
    table->release(table->ctx, p, size);
}

/* ---- The host ---- */

static world_conn *conn_of(kloop_id id)
{
    for (int i = 0; i < CONNS_MAX; i++)
        if (w.conns[i].used && w.conns[i].id.slot == id.slot && w.conns[i].id.gen == id.gen)
            return &w.conns[i];
    fail_msg("a connection that nobody knows");
    return NULL;
}

static void open_conn(const kloop_action *a)
{
    world_conn *c = w.conns;
    while (c->used)
        c++;
    assert_true(c < w.conns + CONNS_MAX);
    *c = (world_conn){.used = true, .id = a->id};
    int32_t node = a->address.port - 9091;
    if (node >= 1 && node <= NODES)
        c->peer = kl_peer_open(w.cluster, node, c, (int64_t)w.now.mono_ns);
    if (c->peer)
        kloop_engine_on_connected(w.e, c->id, w.now);
    else
        kloop_engine_on_disconnected(w.e, c->id, "refused", w.now);
}

static void write_conn(world_conn *c)
{
    for (;;) {
        kloop_slice slices[4];
        size_t n = kloop_engine_write_vec(w.e, c->id, slices, 4);
        if (n == 0)
            return;
        size_t bytes = 0;
        for (size_t i = 0; i < n; i++) {
            if (c->peer)
                (void)kl_peer_receive(c->peer, slices[i].data, slices[i].len,
                                      (int64_t)w.now.mono_ns);
            bytes += slices[i].len;
        }
        kloop_engine_on_wrote(w.e, c->id, bytes, w.now);
    }
}

static void close_peer(world_conn *c)
{
    if (c->peer)
        kl_peer_close(c->peer, (int64_t)w.now.mono_ns);
    c->peer = NULL;
}

/* What the broker has for us, as much as there is room for. */
static void read_conn(world_conn *c)
{
    kloop_slice slice;
    while (c->peer && !c->paused && kl_peer_output(c->peer, &slice, 1)) {
        size_t room;
        uint8_t *space = kloop_engine_read_space(w.e, c->id, &room);
        if (!space)
            return;
        size_t n = slice.len < room ? slice.len : room;
        memcpy(space, slice.data, n);
        kl_peer_wrote(c->peer, n, (int64_t)w.now.mono_ns);
        kloop_engine_on_received(w.e, c->id, n, w.now);
    }
    if (c->peer && kl_peer_wants_close(c->peer)) {
        close_peer(c);
        if (!c->lost)
            kloop_engine_on_disconnected(w.e, c->id, "closed by the peer", w.now);
        c->lost = true;
    }
}

static void report(const kloop_report *run)
{
    for (size_t i = 0; i < run->count; i++) {
        size_t n = (uintptr_t)run->users[i] - 1;
        if (n >= RECORDS)
            fail_msg("there is no record %zu", n);
        else
            w.reported[n]++;
        assert_true(w.taken[n]);
        assert_int_equal(w.reported[n], 1);
        assert_int_equal(w.told[n], 1);
    }
}

static void take(const kloop_action *a)
{
    static const kloop_address here = {.bytes = {127, 0, 0, 1}, .family = 4};
    switch (a->kind) {
    case KLOOP_ACT_RESOLVE:
        kloop_engine_on_resolved(w.e, a->id, &here, 1, NULL, w.now);
        return;
    case KLOOP_ACT_CONNECT:
        open_conn(a);
        return;
    case KLOOP_ACT_WRITE:
        write_conn(conn_of(a->id));
        return;
    case KLOOP_ACT_PAUSE:
    case KLOOP_ACT_RESUME:
        conn_of(a->id)->paused = a->kind == KLOOP_ACT_PAUSE;
        return;
    case KLOOP_ACT_CLOSE: {
        world_conn *c = conn_of(a->id);
        close_peer(c);
        c->used = false;
        kloop_engine_on_closed(w.e, a->id, w.now);
        return;
    }
    case KLOOP_ACT_DELIVER:
        report(&a->report);
        return;
    case KLOOP_ACT_WRITABLE:
        w.writable = true;
        return;
    case KLOOP_ACT_CLOSED:
        w.closed = true;
        return;
    default:
        return;
    }
}

static void check_bounds(void)
{
    kloop_stats s;
    kloop_engine_stats(w.e, &s);
    assert_int_equal(s.accepted, s.acked + s.failed + s.unknown + s.pending);
    assert_true(s.held_bytes <= MEMORY_MAX + (64 << 10));
    assert_true(s.receive_bytes <= RECEIVE_MAX + (1 << 20));
}

/* All that can be done now. */
static void pump(void)
{
    for (int turns = 0; turns < 1000; turns++) {
        bool any = false;
        kloop_action a;
        while (!w.closed && kloop_engine_next(w.e, &a)) {
            take(&a);
            any = true;
        }
        while (kl_cluster_next_ready(w.cluster))
            any = true;
        for (int i = 0; i < CONNS_MAX; i++)
            if (w.conns[i].used)
                read_conn(&w.conns[i]);
        if (!any && !kloop_engine_has_io(w.e))
            break;
    }
    check_bounds();
}

/* Until then, with every deadline on the way. */
static void pass_until(uint64_t until_ns)
{
    while (!w.closed) {
        pump();
        uint64_t next = w.closed ? until_ns : kloop_engine_deadline(w.e);
        int64_t of_cluster = kl_cluster_deadline(w.cluster);
        if (of_cluster != KL_CLUSTER_NEVER)
            next = kl_time_min(next, (uint64_t)of_cluster);
        if (w.closed || next > until_ns)
            break;
        if (next > w.now.mono_ns) {
            w.now.wall_ms += (int64_t)((next - w.now.mono_ns) / KL_MS);
            w.now.mono_ns = next;
        }
        kl_cluster_on_time(w.cluster, (int64_t)w.now.mono_ns);
        kloop_engine_on_time(w.e, w.now);
    }
    if (w.now.mono_ns < until_ns)
        w.now.mono_ns = until_ns;
    if (!w.closed)
        kloop_engine_on_time(w.e, w.now);
}

/* ---- The user ---- */

static void send_some(size_t count)
{
    static const uint8_t value[3000];
    for (; count > 0 && w.sent < RECORDS; count--) {
        kloop_record r = {
            .value = {value, kl_prng_below(&w.dice, kl_prng_chance(&w.dice, 50000) ? 3000 : 100)},
            .set = KLOOP_SET_PARTITION,
            .partition = (int32_t)kl_prng_below(&w.dice, 4),
            .user = (void *)(uintptr_t)(w.sent + 1),
        };
        kloop_status status = kloop_engine_send(w.topic, &r);
        if (status == KLOOP_OK)
            w.taken[w.sent++] = true;
        else if (status != KLOOP_NO_MEMORY && status != KLOOP_BAD_PARTITION)
            return; /* full, or an altered answer was the end of it */
    }
}

static kloop_config *draw_config(void)
{
    static const char *const acks[] = {"all", "all", "all", "1", "0"};
    static const char *const codecs[] = {"none", "none", "lz4", "zstd,lz4", "gzip"};
    kloop_config *c = kloop_config_new(NULL);
    const char *const pairs[][2] = {
        {"bootstrap.servers", "127.0.0.1:9092,127.0.0.1:9093"},
        {"acks", acks[kl_prng_below(&w.dice, 5)]},
        {"compression.type", codecs[kl_prng_below(&w.dice, 5)]},
        {"linger.ms", kl_prng_chance(&w.dice, 500000) ? "0" : "5"},
        {"batch.size", "4096"},
        {"buffer.memory", "2000000"},
        {"receive.memory", "4194304"},
        {"receive.message.max.bytes", "1048576"},
        {"max.request.size", "100000"},
        {"request.timeout.ms", "1000"},
        {"delivery.timeout.ms", "5000"},
        {"max.block.ms", "3000"},
        {"socket.connection.setup.timeout.ms", "500"},
        {"socket.connection.setup.timeout.max.ms", "2000"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_int_equal(kloop_config_set(c, pairs[i][0], pairs[i][1]), KLOOP_OK);
    return c;
}

static void run(uint64_t seed, uint32_t starves)
{
    uint8_t *frame = w.frame;
    memset(&w, 0, sizeof w);
    w.frame = frame;
    w.seed = seed;
    kl_prng_init(&w.dice, seed);
    kl_fail_alloc_init(&w.memory, 0);
    w.alloc = kl_fail_alloc_table(&w.memory);
    kloop_allocator alloc = {.alloc = starved_alloc,
                             .resize = starved_resize,
                             .release = starved_release,
                             .ctx = &w.alloc};
    kl_cluster_config of_cluster;
    kl_cluster_config_init(&of_cluster);
    of_cluster.broker_count = NODES;
    of_cluster.answer_delay_ns = (int64_t)(2 * KL_MS);
    of_cluster.check = true;
    w.cluster = kl_cluster_new(&of_cluster);
    assert_non_null(w.cluster);
    int32_t topic;
    assert_int_equal(
        kl_cluster_add_topic(
            w.cluster,
            &(kl_topic_config){.name = "events", .partitions = 4, .replication_factor = 1}, &topic),
        KL_CLUSTER_OK);
    w.now = (kloop_now){.mono_ns = KL_SECOND, .wall_ms = 1700000000000};
    kloop_config *c = draw_config();
    kloop_error error;
    assert_int_equal(kloop_engine_new(&w.e, c, &alloc, seed, w.now, NULL, &error), KLOOP_OK);
    kloop_config_del(c);
    kloop_engine_set_hooks(w.e, &(kloop_hooks){.before_append = before_append,
                                               .on_outcome = on_outcome,
                                               .on_frame = on_frame,
                                               .on_decision = on_decision});
    assert_int_equal(kloop_engine_topic(w.e, (kloop_string){"events", 6}, &w.topic), KLOOP_OK);
    /* Whom it has met before it can find again. One whose first Metadata was altered may have taken
     * another cluster for its own, and has to mistrust this one for ever. */
    bool acquainted = seed % 2 == 0;
    if (acquainted) {
        send_some(10);
        pass_until(w.now.mono_ns + KL_SECOND);
    }
    w.alters = 1000u << kl_prng_below(&w.dice, 10);
    w.starves = starves;
    uint64_t end_ns = w.now.mono_ns + ALTERED_NS;
    while (w.now.mono_ns < end_ns) {
        send_some(kl_prng_below(&w.dice, 60));
        pass_until(w.now.mono_ns + kl_prng_below(&w.dice, 2 * KL_SECOND));
    }
    /* Left alone, all that is pending comes to its end, and something new is delivered. */
    w.alters = w.starves = 0;
    pass_until(w.now.mono_ns + 12 * KL_SECOND);
    kloop_stats before, after;
    kloop_engine_stats(w.e, &before);
    assert_int_equal(before.pending, 0);
    w.sent = w.sent > RECORDS - 100 ? RECORDS - 100 : w.sent;
    size_t from = w.sent;
    memset(w.reported + from, 0, RECORDS - from);
    memset(w.told + from, 0, RECORDS - from);
    send_some(50);
    pass_until(w.now.mono_ns + 6 * KL_SECOND);
    kloop_engine_stats(w.e, &after);
    if (acquainted && !kloop_engine_fatal_text(w.e))
        assert_int_equal(after.acked - before.acked, w.sent - from);
    kloop_engine_close(w.e, 1000, w.now);
    pass_until(w.now.mono_ns + 5 * KL_SECOND);
    assert_true(w.closed);
    for (size_t i = 0; i < w.sent; i++)
        assert_int_equal(w.reported[i], w.taken[i]);
    kloop_engine_del(w.e);
    for (int i = 0; i < CONNS_MAX; i++)
        assert_false(w.conns[i].used);
    kl_cluster_del(w.cluster);
    kl_fail_alloc_check(&w.memory);
}

static void runs(uint32_t starves)
{
    const char *seed = getenv("KLOOP_TEST_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) * 1000 : 0;
    uint64_t altered = 0;
    w.frame = malloc(FRAME_MAX);
    assert_non_null(w.frame);
    for (uint64_t i = 0; i < SEEDS; i++) {
        run(first + i, starves);
        altered += w.altered;
    }
    free(w.frame);
    w.frame = NULL;
    assert_true(altered > SEEDS * 10);
}

static void frames_are_altered(void **state)
{
    (void)state;
    runs(0);
}

static void and_memory_is_short(void **state)
{
    (void)state;
    runs(40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_altered),
        cmocka_unit_test(and_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
