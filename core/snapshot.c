/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots: all in one block, filled from the front.
 *
 *     head, kloop_snapshot | brokers | topics | partitions | histograms | text
 *
 * begin finds out how large it must be without a look at the topics, and takes the producer and its
 * brokers; each go_on takes topics with their partitions, until a slice of work is done. Topics
 * stay and keep their order, so those that there were at begin are the first of the list. If some
 * get more partitions meanwhile, the last ones have rows for fewer.
 */
#include "core/budget.h"
#include "core/completion.h"
#include "core/parking.h"
#include "core/topic_share.h"
#include "core/waiting.h"

/* Rows, and batches that are looked at for them, in one slice: some tenths of a millisecond. */
#define SLICE_ROWS 2048

typedef struct taking {
    kloop_allocator alloc;
    size_t bytes; /* of the block */
    kloop_snapshot is;
    const kl_link *at; /* the next topic; NULL: not begun, or at the end */
    size_t topics_left;
    int32_t index; /* of the next partition */
    kloop_broker_stats *brokers;
    kloop_topic_stats *topics;
    kloop_partition_stats *rows;
    size_t row_count; /* that there is room for */
    kloop_histogram *histograms;
    char *text;
} taking;

static taking *of(kloop_snapshot *s)
{
    return KL_CONTAINER_OF(s, taking, is);
}

static kloop_string keep(taking *t, const char *text, size_t len)
{
    char *to = t->text;
    memcpy(to, text, len);
    to[len] = '\0';
    t->text += len + 1;
    return (kloop_string){to, len};
}

static kloop_string keep_text(taking *t, const char *text)
{
    return keep(t, text, strlen(text));
}

static bool has(const taking *t, unsigned part)
{
    return (t->is.parts & part) != 0;
}

/* One in which nothing is, is not there. */
static const kloop_histogram *keep_histogram(taking *t, const kloop_histogram *h)
{
    if (!has(t, KLOOP_SNAPSHOT_HISTOGRAMS) || !h || kloop_histogram_count(h) == 0)
        return NULL;
    *t->histograms = *h;
    return t->histograms++;
}

/* ---- How much ---- */

typedef struct sizes {
    size_t brokers;
    size_t topics;
    size_t rows;
    size_t histograms;
    size_t text;
} sizes;

static void measure_brokers(const kloop_engine *e, sizes *n)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        n->brokers++;
        n->text += b->host_len + 1 + strlen(b->trouble) + 1;
        if (b->meters)
            n->histograms += KL_METER_COUNT + 1;
    }
}

static sizes measure(const kloop_engine *e, unsigned parts, const kloop_topic *only)
{
    sizes n = {.histograms = 3};
    n.text = e->set.client_id.len + strlen(e->cluster_id) + strlen(e->fatal_text) + 3;
    if (parts & KLOOP_SNAPSHOT_BROKERS)
        measure_brokers(e, &n);
    if (parts & KLOOP_SNAPSHOT_TOPICS) {
        n.topics = only ? 1 : e->topics.count;
        n.text += only ? only->name_len + 1 : e->meters.topic_name_bytes;
    }
    if (parts & KLOOP_SNAPSHOT_PARTITIONS)
        n.rows = only ? (size_t)only->table_count : e->meters.rows;
    if (!(parts & KLOOP_SNAPSHOT_HISTOGRAMS))
        n.histograms = 0;
    return n;
}

/* ---- The producer and its brokers ---- */

static void take_producer(const kloop_engine *e, taking *t)
{
    kloop_snapshot *s = &t->is;
    const kl_meters *m = &e->meters;
    s->taken_ms = e->now.wall_ms;
    s->taken_ns = e->now.mono_ns;
    s->age_ns = e->now.mono_ns - m->born_ns;
    s->client_id =
        keep(t, e->set.client_id.data ? e->set.client_id.data : "", e->set.client_id.len);
    s->cluster_id = keep_text(t, e->cluster_id);
    s->fatal = keep_text(t, e->fatal ? e->fatal_text : "");
    kloop_engine_stats(e, &s->totals);
    s->memory_bytes = e->set.memory_bytes;
    s->metadata_age_ns = m->metadata_ns == KL_NEVER ? UINT64_MAX : e->now.mono_ns - m->metadata_ns;
    s->full = e->refused || e->shares_refused > 0;
    s->idempotent = e->set.idempotent;
    s->producer_id = e->id_state == KL_ID_KNOWN ? e->producer_id : -1;
    s->epoch = e->epoch;
    s->answers = m->answers;
    s->produce_requests = m->produce_requests;
    s->sent = m->sent.records;
    s->sent_batches = m->sent.batches;
    s->sent_bytes = m->sent.bytes;
    s->sent_plain_bytes = m->sent_plain_bytes;
    s->age_us = keep_histogram(t, &m->age_us);
    s->batch_bytes = keep_histogram(t, &m->batch_bytes);
    s->batch_records = keep_histogram(t, &m->batch_records);
}

static uint64_t until(const kloop_engine *e, uint64_t when)
{
    return when > e->now.mono_ns ? when - e->now.mono_ns : 0;
}

static kloop_broker_state state_of(const kloop_engine *e, const kl_broker *b, uint64_t *since)
{
    *since = b->begun_ns;
    if (b->conn && b->conn->state == KL_CONN_READY) {
        *since = b->conn->ready_ns;
        return KLOOP_BROKER_READY;
    }
    if (b->conn)
        return b->conn->state == KL_CONN_CONNECTING ? KLOOP_BROKER_CONNECTING
                                                    : KLOOP_BROKER_HANDSHAKE;
    if (b->resolving.gen != 0 && !b->resolve_stale)
        return KLOOP_BROKER_RESOLVING;
    *since = b->ended_ns ? b->ended_ns : e->meters.born_ns;
    return b->failures > 0 ? KLOOP_BROKER_BACKOFF : KLOOP_BROKER_IDLE;
}

static void take_meters(taking *t, const kl_broker_meters *m, kloop_broker_stats *to)
{
    to->requests = m->requests;
    to->answers = m->answers;
    to->bytes_out = m->bytes_out;
    to->bytes_in = m->bytes_in;
    to->connects = m->connects;
    to->failures = m->failures;
    to->disconnects = m->disconnects;
    to->timeouts = m->timeouts;
    to->batches = m->batches;
    to->retries = m->retries;
    to->throttles = m->throttles;
    to->rtt_us = keep_histogram(t, &m->meters[KL_METER_RTT]);
    to->write_us = keep_histogram(t, &m->meters[KL_METER_WRITE]);
    to->wait_us = keep_histogram(t, &m->meters[KL_METER_WAIT]);
    to->throttle_us = keep_histogram(t, m->throttle_us);
}

static void take_broker(const kloop_engine *e, taking *t, const kl_broker *b)
{
    const kl_conn *c = b->conn;
    uint64_t since;
    kloop_broker_stats *to = &t->brokers[t->is.broker_count++];
    *to = (kloop_broker_stats){
        .id = b->id,
        .port = b->port,
        .state = state_of(e, b, &since),
        .host = keep(t, b->host, b->host_len),
        .trouble = keep_text(t, b->trouble),
        .retry_ns = c ? 0 : until(e, b->retry_at),
        .throttled_ns = c ? until(e, c->throttled_until) : 0,
        .in_flight = c ? c->flight_count : 0,
    };
    to->state_ns = e->now.mono_ns - since;
    for (kl_link *at = c ? kl_list_first(&c->writing) : NULL; at;
         at = kl_list_next(&c->writing, at))
        to->unwritten++;
    if (b->meters)
        take_meters(t, b->meters, to);
}

/* ---- Topics and partitions ---- */

static void take_topic(taking *t, const kloop_topic *from)
{
    kloop_topic_stats *to = &t->topics[t->is.topic_count++];
    *to = (kloop_topic_stats){
        .name = keep(t, from->name, from->name_len),
        .partition_count = from->partition_count,
        .led = from->led_count,
        .error = from->error,
        .acked = from->tally.acked,
        .failed = from->tally.failed,
        .unknown = from->tally.unknown,
        .acked_bytes = from->tally.acked_bytes,
        .sent = from->sent.records,
        .sent_batches = from->sent.batches,
        .sent_bytes = from->sent.bytes,
        .batches_waiting = from->lined_batches,
        .parked = kl_parking_count(from),
        .first_row = t->is.partition_count,
    };
    if (from->share && from->share->limit != SIZE_MAX) {
        to->held_bytes = kl_topic_share_held(from->share);
        to->limit_bytes = from->share->limit;
    }
}

/* Answers how much work that was. */
static size_t take_line(const kl_partition *p, kloop_partition_stats *to)
{
    size_t steps = 0;
    for (kl_link *at = kl_list_first(&p->line); at; at = kl_list_next(&p->line, at)) {
        const kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        uint64_t records = (uint64_t)b->builder.count;
        steps++;
        if (b->stage >= KL_STAGE_SETTLED)
            continue;
        bool flies = b->stage == KL_STAGE_IN_FLIGHT;
        *(flies ? &to->in_flight_batches : &to->queued_batches) += 1;
        *(flies ? &to->in_flight : &to->queued) += records;
        *(flies ? &to->in_flight_bytes : &to->queued_bytes) += kl_batch_builder_len(&b->builder);
    }
    return steps;
}

static size_t take_partition(const kloop_engine *e, taking *t, const kloop_topic *from)
{
    const kl_partition *p = from->partitions[t->index];
    const kl_leader *leader = &from->leaders[t->index];
    kloop_partition_stats *to = &t->rows[t->is.partition_count++];
    *to = (kloop_partition_stats){.index = t->index,
                                  .leader = leader->node,
                                  .leader_epoch = leader->epoch,
                                  .producer_id = -1};
    if (!p)
        return 1;
    to->last_error = p->last_error;
    to->epoch = p->epoch;
    to->producer_id = p->producer_id;
    to->next_sequence = p->next_sequence;
    to->waiting = kl_waiting_of_partition(e, p, NULL, 0);
    to->acked = p->tally.acked;
    to->failed = p->tally.failed;
    to->unknown = p->tally.unknown;
    to->acked_bytes = p->tally.acked_bytes;
    return 2 + take_line(p, to);
}

/* The next topic, or the next partition of this one. */
static size_t take_next(const kloop_engine *e, taking *t)
{
    const kloop_topic *from = KL_CONTAINER_OF(t->at, kloop_topic, in_topics);
    size_t steps = 1;
    if (t->index == 0)
        take_topic(t, from);
    bool rows = has(t, KLOOP_SNAPSHOT_PARTITIONS);
    if (rows && t->index < from->table_count && t->is.partition_count < t->row_count) {
        t->topics[t->is.topic_count - 1].row_count++;
        steps += take_partition(e, t, from);
        t->index++;
        return steps;
    }
    t->index = 0;
    t->at = --t->topics_left > 0 ? kl_list_next(&e->topic_list, t->at) : NULL;
    return steps;
}

/* ---- The calls ---- */

kloop_status kloop_engine_snapshot_begin(kloop_engine *e, unsigned parts, const kloop_topic *topic,
                                         kloop_snapshot **out)
{
    *out = NULL;
    if (parts & KLOOP_SNAPSHOT_PARTITIONS)
        parts |= KLOOP_SNAPSHOT_TOPICS;
    sizes n = measure(e, parts, topic);
    size_t brokers = n.brokers * sizeof(kloop_broker_stats);
    size_t topics = n.topics * sizeof(kloop_topic_stats);
    size_t rows = n.rows * sizeof(kloop_partition_stats);
    size_t histograms = n.histograms * sizeof(kloop_histogram);
    size_t bytes = sizeof(taking) + brokers + topics + rows + histograms + n.text;
    taking *t = kl_mem_alloc(&e->alloc, bytes);
    if (!t)
        return KLOOP_NO_MEMORY;
    *t = (taking){.alloc = e->alloc, .bytes = bytes};
    t->brokers = (kloop_broker_stats *)(void *)(t + 1);
    t->topics = (kloop_topic_stats *)(void *)((uint8_t *)t->brokers + brokers);
    t->rows = (kloop_partition_stats *)(void *)((uint8_t *)t->topics + topics);
    t->histograms = (kloop_histogram *)(void *)((uint8_t *)t->rows + rows);
    t->text = (char *)t->histograms + histograms;
    t->row_count = n.rows;
    t->topics_left = n.topics;
    t->is.parts = parts;
    t->is.brokers = t->brokers;
    t->is.topics = t->topics;
    t->is.partitions = t->rows;
    take_producer(e, t);
    if (parts & KLOOP_SNAPSHOT_BROKERS)
        for (kl_link *at = kl_list_first(&e->broker_list); at;
             at = kl_list_next(&e->broker_list, at))
            take_broker(e, t, KL_CONTAINER_OF(at, kl_broker, in_brokers));
    if (n.topics > 0)
        t->at = topic ? &topic->in_topics : kl_list_first(&e->topic_list);
    t->is.whole = !t->at;
    *out = &t->is;
    return KLOOP_OK;
}

bool kloop_engine_snapshot_go_on(kloop_engine *e, kloop_snapshot *s)
{
    taking *t = of(s);
    for (size_t steps = 0; t->at && steps < SLICE_ROWS;)
        steps += take_next(e, t);
    s->whole = !t->at;
    return s->whole;
}

kloop_status kloop_engine_snapshot(kloop_engine *e, unsigned parts, const kloop_topic *topic,
                                   kloop_snapshot **out)
{
    kloop_status status = kloop_engine_snapshot_begin(e, parts, topic, out);
    while (!status && !kloop_engine_snapshot_go_on(e, *out))
        ;
    return status;
}

void kloop_snapshot_del(kloop_snapshot *s)
{
    if (!s)
        return;
    taking *t = of(s);
    kloop_allocator alloc = t->alloc;
    kl_mem_release(&alloc, t, t->bytes);
}
