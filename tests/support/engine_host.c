/* SPDX-License-Identifier: BSD-2-Clause */
/* Running an engine, and keeping the books. See engine_host.h. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

/* More rounds than this without the clock moving on: it spins. */
#define ROUNDS_MAX 200000

static void *grown(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return p;
    while (*cap < need)
        *cap = *cap ? *cap * 2 : 64;
    p = realloc(p, *cap * size);
    if (!p)
        abort(); /* the machine itself is out of memory */
    return p;
}

/* ---- Transcript ---- */

static void note(host *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(host *h, const char *format, ...)
{
    char line[1600];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    size_t n = (size_t)len < sizeof line - 2 ? (size_t)len : sizeof line - 2;
    line[n++] = '\n';
    h->transcript = grown(h->transcript, &h->transcript_cap, h->transcript_len + n + 1, 1);
    memcpy(h->transcript + h->transcript_len, line, n);
    h->transcript_len += n;
    h->transcript[h->transcript_len] = '\0';
}

/* ---- Life ---- */

void host_prepare(host *h, size_t nth)
{
    memset(h, 0, sizeof *h);
    kl_fail_alloc_init(&h->memory, nth);
    h->now = (kloop_now){.mono_ns = 1000 * 1000 * MS, .wall_ms = 1700000000000};
    h->seed = 1;
    h->broker_count = 3;
    for (size_t i = 0; i < sizeof h->max_version / sizeof *h->max_version; i++)
        h->max_version[i] = -1;
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        if (api->key >= 0)
            h->max_version[api->key] = api->max_version;
    }
    h->producer_id = 4000;
    h->sasl_rounds = 1;
    h->hint = (kloop_leader_hint){-1, -1};
}

kloop_status host_open(host *h, const char *const *pairs)
{
    kloop_config *c = kloop_config_new(NULL);
    assert_non_null(c);
    assert_int_equal(kloop_config_set(c, "bootstrap.servers", "b1:9091"), KLOOP_OK);
    for (; *pairs; pairs += 2)
        if (kloop_config_set(c, pairs[0], pairs[1]))
            fail_msg("%s", kloop_config_error(c));
    kloop_allocator alloc = h->sasl ? host_scanning(h) : kl_fail_alloc_table(&h->memory);
    kloop_status status = kloop_engine_new(&h->e, c, &alloc, h->seed, h->now, h, &h->error);
    kloop_config_del(c);
    assert_int_equal(status == KLOOP_OK, h->e != NULL);
    if (!status && (h->has_tls || h->sasl))
        status = kloop_engine_secure(h->e, h->has_tls, h->sasl, &h->error);
    return status;
}

void host_new(host *h, ...)
{
    const char *pairs[64];
    size_t count = 0;
    va_list args;
    va_start(args, h);
    do {
        assert_true(count < 64);
        pairs[count] = va_arg(args, const char *);
    } while (pairs[count++]);
    va_end(args);
    host_prepare(h, 0);
    if (host_open(h, pairs))
        fail_msg("%s", h->error.text);
    assert_ptr_equal(kloop_engine_host(h->e), h);
}

static void check_pinned(const host_conn *c)
{
    size_t at = c->wrote;
    for (size_t i = 0; i < c->pinned_count; i++) {
        size_t len = c->pinned[i].len;
        if (at + len > c->shown)
            len = c->shown - at;
        if (memcmp(c->stream + at, c->pinned[i].data, len) != 0)
            fail_msg("bytes that were shown have changed, slice %zu from %zu on", i, at);
        at += len;
    }
}

void host_end(host *h)
{
    for (int i = 0; i < h->conn_count; i++)
        if (h->conns[i].state != HOST_CLOSED)
            check_pinned(&h->conns[i]);
    kloop_engine_del(h->e);
    h->e = NULL;
    host_forget_loans(h);
    for (int i = 0; i < h->conn_count; i++) {
        free(h->conns[i].stream);
        free(h->conns[i].requests);
    }
    free(h->transcript);
    free(h->fates);
    free(h->reports);
    kl_fail_alloc_check(&h->memory);
}

/* ---- Books ---- */

static host_conn *conn_of(host *h, kloop_id id)
{
    for (int i = 0; i < h->conn_count; i++)
        if (h->conns[i].id.slot == id.slot && h->conns[i].id.gen == id.gen)
            return &h->conns[i];
    fail_msg("an action for a connection that nobody has heard of");
    return NULL;
}

kloop_stats host_stats(const host *h)
{
    kloop_stats s;
    kloop_engine_stats(h->e, &s);
    return s;
}

static void check_books(host *h)
{
    kloop_stats s = host_stats(h);
    assert_int_equal(s.accepted, s.acked + s.failed + s.unknown + s.pending);
    uint64_t settled = s.acked + s.failed + s.unknown;
    assert_in_range(settled, h->reported, h->reported + h->chunk_records);
    if (s.held_bytes > h->held_max)
        h->held_max = (size_t)s.held_bytes;
    if (s.receive_bytes > h->receive_max)
        h->receive_max = (size_t)s.receive_bytes;
}

static void deliver(host *h, const kloop_report *r)
{
    static const char *const outcomes[] = {"acked", "failed", "unknown"};
    assert_true(r->count > 0);
    assert_int_equal(r->topic_name.data[r->topic_name.len], '\0');
    assert_int_equal(r->text[0] == '\0', r->outcome == KLOOP_OUTCOME_ACKED);
    assert_int_equal(r->cause == KLOOP_CAUSE_NONE, r->outcome == KLOOP_OUTCOME_ACKED);
    h->reports = grown(h->reports, &h->report_cap, h->report_count + 1, sizeof *h->reports);
    host_report *kept = &h->reports[h->report_count];
    *kept = (host_report){.partition = r->partition,
                          .outcome = r->outcome,
                          .cause = r->cause,
                          .broker_error = r->broker_error,
                          .base_offset = r->base_offset,
                          .timestamp_ms = r->timestamp_ms,
                          .count = r->count,
                          .first_user = (size_t)(uintptr_t)r->users[0]};
    snprintf(kept->topic, sizeof kept->topic, "%s", r->topic_name.data);
    snprintf(kept->text, sizeof kept->text, "%s", r->text);
    for (size_t i = 0; i < r->count; i++) {
        host_fate *f = host_fate_of(h, (size_t)(uintptr_t)r->users[i]);
        if (f->reported)
            fail_msg("user %zu is reported twice", (size_t)(uintptr_t)r->users[i]);
        f->reported = true;
        f->report = h->report_count;
        f->offset = kloop_report_offset(r, i);
        f->order = ++h->reported;
    }
    assert_true(r->record_count >= r->count && (r->record_count == r->count || r->count == 1));
    h->reported += r->record_count - r->count;
    h->report_count++;
    note(h, "DELIVER %s/%d %s %zu from %zu @%lld %s", kept->topic, (int)r->partition,
         outcomes[r->outcome], r->count, kept->first_user, (long long)r->base_offset, r->text);
}

/* ---- Actions ---- */

static int node_of(kloop_string name)
{
    assert_int_equal(name.data[name.len], '\0');
    return name.data[0] == 'b' ? atoi(name.data + 1) : 0;
}

static void resolve(host *h, const kloop_action *a)
{
    assert_true(h->resolving_count < HOST_CONNS_MAX);
    note(h, "RESOLVE %s:%u", a->host.data, (unsigned)a->port);
    kloop_address address = {.bytes = {10, 0, 0, (uint8_t)node_of(a->host)}, .family = 4};
    if (h->manual_resolve)
        h->resolving[h->resolving_count++] = a->id;
    else
        kloop_engine_on_resolved(h->e, a->id, &address, 1, NULL, h->now);
}

static void cancel(host *h, const kloop_action *a)
{
    note(h, "CANCEL %s:%u", a->host.data, (unsigned)a->port);
    for (int i = 0; i < h->resolving_count && !h->deaf_resolver; i++)
        if (h->resolving[i].slot == a->id.slot && h->resolving[i].gen == a->id.gen) {
            h->resolving[i] = h->resolving[--h->resolving_count];
            kloop_engine_on_resolved(h->e, a->id, NULL, 0, "canceled", h->now);
            return;
        }
}

static void connect_to(host *h, const kloop_action *a)
{
    assert_true(h->conn_count < HOST_CONNS_MAX);
    host_conn *c = &h->conns[h->conn_count++];
    *c = (host_conn){.id = a->id, .node = node_of(a->host), .address = a->address};
    assert_int_equal(a->address.port, a->port);
    /* The resolver here gives each broker an address of its own. */
    assert_int_equal(a->address.bytes[3], c->node);
    note(h, "CONNECT %s:%u", a->host.data, (unsigned)a->port);
    if (h->manual_connect)
        return;
    c->state = HOST_UP;
    kloop_engine_on_connected(h->e, a->id, h->now);
}

/* What is shown now is a part of what was shown before, and perhaps more. */
static size_t look(host *h, host_conn *c)
{
    c->pinned_count =
        kloop_engine_write_vec(h->e, c->id, c->pinned, sizeof c->pinned / sizeof *c->pinned);
    size_t at = c->wrote;
    for (size_t i = 0; i < c->pinned_count; i++) {
        c->stream = grown(c->stream, &c->cap, at + c->pinned[i].len, 1);
        for (size_t j = 0; j < c->pinned[i].len; j++, at++) {
            if (at == c->shown)
                c->stream[c->shown++] = c->pinned[i].data[j];
            else if (c->stream[at] != c->pinned[i].data[j])
                fail_msg("byte %zu was shown as something else before", at);
        }
    }
    return at - c->wrote;
}

static void parse(host *h, host_conn *c)
{
    for (;;) {
        kloop_slice frame;
        size_t used;
        kloop_fault fault;
        if (c->wrote == c->parsed)
            return;
        assert_int_equal(kloop_frame_next(c->stream + c->parsed, c->wrote - c->parsed, INT32_MAX,
                                          &frame, &used, &fault),
                         KLOOP_OK);
        if (!frame.data)
            return;
        c->requests =
            grown(c->requests, &c->request_cap, c->request_count + 1, sizeof *c->requests);
        if (c->bare) {
            c->requests[c->request_count++] = (host_request){.api = KLOOP_SASL_AUTHENTICATE,
                                                             .version = -1,
                                                             .at = (size_t)(frame.data - c->stream),
                                                             .len = frame.len};
            c->parsed += used;
            continue;
        }
        int16_t api = (int16_t)(frame.data[0] << 8 | frame.data[1]);
        int16_t version = (int16_t)(frame.data[2] << 8 | frame.data[3]);
        kloop_request_header header;
        size_t header_len;
        assert_int_equal(kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST,
                                             kloop_request_header_version(api, version), frame.data,
                                             frame.len, &header_len, &header, &fault),
                         KLOOP_OK);
        if (!c->let_in && h->sasl && api != KLOOP_API_VERSIONS && api != KLOOP_SASL_HANDSHAKE &&
            api != KLOOP_SASL_AUTHENTICATE)
            fail_msg("API %d before the broker has let us in", api);
        if (api == KLOOP_SASL_HANDSHAKE) {
            c->let_in = false;
            c->bare = version == 0;
            c->rounds = 0;
        }
        c->requests[c->request_count++] = (host_request){
            .api = api,
            .version = version,
            .correlation = header.correlation_id,
            .at = (size_t)(frame.data - c->stream) + header_len,
            .len = frame.len - header_len,
        };
        c->parsed += used;
    }
}

static void write_out(host *h, host_conn *c)
{
    while (c->writing && c->state == HOST_UP) {
        size_t len = look(h, c);
        if (len == 0) {
            c->writing = false;
            return;
        }
        if (h->write_step && len > h->write_step)
            len = h->write_step;
        c->wrote += len;
        c->pinned_count = 0;
        kloop_engine_on_wrote(h->e, c->id, len, h->now);
        parse(h, c);
    }
}

static void close_conn(host *h, host_conn *c, const char *why)
{
    note(h, "CLOSE b%d: %s", c->node, why);
    assert_true(c->state != HOST_CLOSING && c->state != HOST_CLOSED);
    snprintf(c->why, sizeof c->why, "%s", why);
    c->state = HOST_CLOSING;
    if (h->manual_close)
        return;
    check_pinned(c);
    c->state = HOST_CLOSED;
    kloop_engine_on_closed(h->e, c->id, h->now);
}

static void perform(host *h, const kloop_action *a)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    static const char *const outcomes[] = {"acked", "failed", "unknown"};
    if (h->closed)
        fail_msg("action %d after CLOSED", (int)a->kind);
    switch (a->kind) {
    case KLOOP_ACT_RESOLVE:
        resolve(h, a);
        return;
    case KLOOP_ACT_CANCEL:
        cancel(h, a);
        return;
    case KLOOP_ACT_CONNECT:
        connect_to(h, a);
        return;
    case KLOOP_ACT_WRITE:
        note(h, "WRITE b%d", conn_of(h, a->id)->node);
        conn_of(h, a->id)->writing = true;
        if (!h->manual_write)
            write_out(h, conn_of(h, a->id));
        return;
    case KLOOP_ACT_CLOSE:
        close_conn(h, conn_of(h, a->id), a->text);
        return;
    case KLOOP_ACT_PAUSE:
        note(h, "PAUSE b%d", conn_of(h, a->id)->node);
        assert_false(conn_of(h, a->id)->paused);
        conn_of(h, a->id)->paused = true;
        return;
    case KLOOP_ACT_RESUME:
        note(h, "RESUME b%d", conn_of(h, a->id)->node);
        assert_true(conn_of(h, a->id)->paused);
        conn_of(h, a->id)->paused = false;
        return;
    case KLOOP_ACT_TOKEN:
        note(h, "TOKEN");
        h->tokens++;
        if (!h->hold_token)
            host_give_token(h);
        return;
    case KLOOP_ACT_DELIVER:
        deliver(h, &a->report);
        return;
    case KLOOP_ACT_WRITABLE:
        note(h, "WRITABLE");
        h->writables++;
        return;
    case KLOOP_ACT_FLUSHED:
        note(h, "FLUSHED %zu", (size_t)(uintptr_t)a->user);
        assert_true(h->flushed_count < 64);
        h->flushed[h->flushed_count++] = (size_t)(uintptr_t)a->user;
        return;
    case KLOOP_ACT_CLOSED:
        note(h, "CLOSED");
        h->closed = true;
        return;
    case KLOOP_ACT_LOG:
        note(h, "LOG %s: %s", levels[a->level], a->text);
        return;
    case KLOOP_ACT_WARM:
        note(h, "WARM %zu: %d of %d partitions led, %d of %d brokers ready%s%s",
             (size_t)(uintptr_t)a->user, (int)a->warmth.led, (int)a->warmth.partitions,
             (int)a->warmth.ready, (int)a->warmth.brokers, a->warmth.warm ? "" : ": ",
             a->warmth.text);
        assert_int_equal(a->warmth.warm, a->warmth.text[0] == '\0');
        return;
    case KLOOP_ACT_CHUNK:
        note(h, "CHUNK %zu: %s %s", (size_t)(uintptr_t)a->chunk->user, outcomes[a->chunk->outcome],
             a->chunk->text);
        host_take_chunk(h, a->chunk);
        return;
    case KLOOP_ACT_RELEASE:
        note(h, "RELEASE %zu", a->loan_count);
        assert_true(a->loan_count > 0);
        for (size_t i = 0; i < a->loan_count; i++)
            host_take_back(h, &a->loans[i]);
        return;
    }
    fail_msg("action %d", (int)a->kind);
}

void host_pump(host *h)
{
    if (h->deaf)
        return;
    kloop_action a;
    for (int rounds = 0; kloop_engine_next(h->e, &a); rounds++) {
        if (rounds > ROUNDS_MAX)
            fail_msg("actions without end:\n%.4000s", h->transcript);
        perform(h, &a);
        check_books(h);
    }
    check_books(h);
    assert_false(kloop_engine_has_io(h->e));
}

/* ---- Running ---- */

static bool answer_one(host *h, host_conn *c)
{
    if (c->state != HOST_UP || c->paused || host_waiting(c) == 0)
        return false;
    switch (host_first(h, c)->api) {
    case KLOOP_API_VERSIONS:
        if (h->hold_versions)
            return false;
        host_answer_versions(h, c);
        return true;
    case KLOOP_SASL_HANDSHAKE:
    case KLOOP_SASL_AUTHENTICATE:
        if (h->hold_sasl)
            return false;
        if (host_first(h, c)->api == KLOOP_SASL_HANDSHAKE)
            host_answer_handshake(h, c);
        else
            host_answer_sasl(h, c);
        return true;
    case KLOOP_METADATA:
        if (h->hold_metadata)
            return false;
        host_answer_metadata(h, c);
        return true;
    case KLOOP_INIT_PRODUCER_ID:
        if (h->hold_id)
            return false;
        host_answer_id(h, c);
        return true;
    default:
        return false;
    }
}

void host_run(host *h)
{
    for (int rounds = 0;; rounds++) {
        if (rounds > ROUNDS_MAX)
            fail_msg("it goes round and round:\n%.4000s", h->transcript);
        host_pump(h);
        bool more = false;
        for (int i = 0; i < h->conn_count && !h->deaf; i++)
            more |= answer_one(h, &h->conns[i]);
        if (more)
            continue;
        if (h->deaf || kloop_engine_deadline(h->e) > h->now.mono_ns)
            return;
        kloop_engine_on_time(h->e, h->now);
    }
}

static void go_to(host *h, uint64_t mono_ns)
{
    uint64_t span = mono_ns - h->now.mono_ns;
    h->now.mono_ns = mono_ns;
    h->now.wall_ms += (int64_t)(span / MS);
}

void host_sleep(host *h, uint64_t ms)
{
    uint64_t until = h->now.mono_ns + ms * MS;
    host_run(h);
    while (!h->deaf && kloop_engine_deadline(h->e) <= until) {
        go_to(h, kloop_engine_deadline(h->e));
        kloop_engine_on_time(h->e, h->now);
        host_run(h);
    }
    go_to(h, until);
    kloop_engine_clock(h->e, h->now);
}

void host_sleep_connecting(host *h, uint64_t ms)
{
    for (; ms > 0; ms--) {
        host_sleep(h, 1);
        for (int i = 0; i < h->conn_count; i++) {
            host_conn *c = &h->conns[i];
            if (c->state != HOST_CONNECTING)
                continue;
            if (h->dead[c->node]) {
                kloop_engine_on_disconnected(h->e, c->id, "refused", h->now);
            } else {
                c->state = HOST_UP;
                kloop_engine_on_connected(h->e, c->id, h->now);
            }
            host_run(h);
        }
    }
}

uint64_t host_deadline(const host *h)
{
    uint64_t when = kloop_engine_deadline(h->e);
    if (when == KLOOP_NEVER)
        return HOST_NEVER;
    return when <= h->now.mono_ns ? 0 : (when - h->now.mono_ns + MS - 1) / MS;
}

void host_close(host *h, uint64_t timeout_ms, uint64_t within_ms)
{
    kloop_engine_close(h->e, timeout_ms, h->now);
    host_run(h);
    if (!h->closed)
        host_sleep(h, within_ms);
    if (!h->closed)
        fail_msg("not closed within %u ms:\n%.4000s", (unsigned)within_ms, h->transcript);
    assert_false(kloop_engine_busy(h->e));
    assert_int_equal(host_stats(h).pending, 0);
}

/* ---- The user ---- */

host_topic *host_add_topic(host *h, const char *name, int32_t partitions)
{
    assert_true(h->topic_count < HOST_TOPICS_MAX && partitions <= HOST_PARTITIONS_MAX);
    host_topic *t = &h->topics[h->topic_count++];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->partition_count = partitions;
    for (int32_t i = 0; i < HOST_PARTITIONS_MAX; i++) {
        t->leaders[i] = 1 + i % h->broker_count;
        t->epochs[i] = 1;
        t->offsets[i] = 100;
    }
    kloop_status status = kloop_engine_topic(h->e, kloop_text(name), &t->handle);
    assert_true(status == KLOOP_OK || (status == KLOOP_NO_MEMORY && h->memory.refused));
    return t;
}

kloop_status host_send_record(host *h, host_topic *t, kloop_record *r)
{
    size_t user = h->user_count + 1;
    h->fates = grown(h->fates, &h->user_cap, user + 1, sizeof *h->fates);
    r->user = (void *)(uintptr_t)user;
    uint64_t accepted = host_stats(h).accepted;
    kloop_status status = kloop_engine_send(t->handle, r);
    assert_int_equal(host_stats(h).accepted, accepted + (status == KLOOP_OK));
    if (status)
        return status;
    h->user_count = user;
    h->chunk_records += (r->set & KLOOP_SET_CHUNK) != 0;
    h->fates[user] = (host_fate){.accepted = true, .offset = -2};
    return KLOOP_OK;
}

kloop_status host_send_batch(host *h, host_topic *t, kloop_encoded *batch, size_t records)
{
    size_t user = h->user_count + 1;
    h->fates = grown(h->fates, &h->user_cap, user + 1, sizeof *h->fates);
    batch->user = (void *)(uintptr_t)user;
    uint64_t accepted = host_stats(h).accepted;
    kloop_status status = kloop_engine_send_batch(t->handle, batch);
    assert_int_equal(host_stats(h).accepted, accepted + (status ? 0 : records));
    if (status)
        return status;
    h->user_count = user;
    h->chunk_records += batch->set & KLOOP_SET_CHUNK ? records : 0;
    h->fates[user] = (host_fate){.accepted = true, .offset = -2};
    return KLOOP_OK;
}

void host_send(host *h, host_topic *t, int32_t partition, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char value[24];
        int len = snprintf(value, sizeof value, "v%zu", h->user_count + 1);
        kloop_record r = {.value = {(const uint8_t *)value, (size_t)len}, .partition = partition};
        if (partition >= 0)
            r.set |= KLOOP_SET_PARTITION;
        kloop_status status = host_send_record(h, t, &r);
        if (status) {
            char text[300];
            kloop_send_error(t->handle, &r, status, text, sizeof text);
            fail_msg("not taken: %s", text);
        }
    }
}

kloop_status host_send_bytes(host *h, host_topic *t, int32_t partition, size_t len)
{
    uint8_t *value = malloc(len + 1);
    if (!value)
        abort();
    /* It does not fold to nothing, and is the same in each run. */
    uint32_t x = (uint32_t)h->user_count * 2654435761U + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525U + 1013904223U;
        value[i] = (uint8_t)(x >> 28 | 0x40);
    }
    kloop_record r = {.value = {value, len}, .partition = partition};
    if (partition >= 0)
        r.set |= KLOOP_SET_PARTITION;
    kloop_status status = host_send_record(h, t, &r);
    /* Nothing of it may be kept. */
    memset(value, 0x5a, len);
    free(value);
    return status;
}

/* ---- Brokers ---- */

host_conn *host_find(host *h, int node)
{
    for (int i = h->conn_count - 1; i >= 0; i--)
        if (h->conns[i].node == node && h->conns[i].state == HOST_UP)
            return &h->conns[i];
    return NULL;
}

host_conn *host_at(host *h, int node)
{
    host_conn *c = host_find(h, node);
    if (!c)
        fail_msg("there is no connection to b%d:\n%s", node, h->transcript);
    return c;
}

void host_lose_connection(host *h, int node, const char *why)
{
    kloop_engine_on_disconnected(h->e, host_at(h, node)->id, why, h->now);
    host_run(h);
}

size_t host_receive(host *h, host_conn *c, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    size_t done = 0;
    while (done < len && c->state == HOST_UP) {
        size_t room;
        uint8_t *space = kloop_engine_read_space(h->e, c->id, &room);
        assert_int_equal(space == NULL, room == 0);
        if (!space)
            break;
        size_t n = len - done < room ? len - done : room;
        if (h->receive_step && n > h->receive_step)
            n = h->receive_step;
        memcpy(space, from + done, n);
        done += n;
        kloop_engine_on_received(h->e, c->id, n, h->now);
    }
    return done;
}
