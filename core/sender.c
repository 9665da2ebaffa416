/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering batches into requests. See sender.h.
 *
 *     leader->ready  p3 p1 p7 ...  \      topic A: p1 p3       kloop_produce_request
 *     leader->open   p2 p5 ...     /-->   topic B: p7      -->   own bytes | payload | own | ...
 */
#include "core/sender.h"

#include "core/budget.h"
#include "core/codec_choice.h"
#include "core/nodes.h"
#include "core/completion.h"
#include "core/idempotence.h"
#include "core/leader_hints.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/readiness.h"
#include "core/rebirth.h"
#include "core/sticky.h"
#include "core/trace_points.h"

/* What a partition takes in a request beside its batch, at most; and a topic. */
#define PARTITION_BYTES 16
#define TOPIC_BYTES     280

/* A broker that acknowledges nothing is asked like any other a few times in a row, for batches that
 * are refused together or split may look like that; from then on no more often than this.
 * Partitions back off each for itself, and many of them would still be many requests. */
#define BARREN_FREE     4
#define BARREN_PAUSE_NS (100 * KL_MS)

/* What one piece of work may hold the loop with: to gather so many batches, or to read what became
 * of them, takes some tenths of a millisecond, and so do so many bytes whose sum was not taken yet,
 * as is usual where batches are small. */
#define BATCHES_MAX        800
#define UNSUMMED_BYTES_MAX ((size_t)1 << 21)

/* The batches of a request in the making. */
typedef struct gathering {
    kl_list topics;
    size_t topic_count;
    size_t batch_count;
    size_t slice_count; /* of all payloads */
    size_t bytes;
    size_t unsummed_bytes;
    bool by_name; /* its topics, or else by their ids; with the first of them it is settled */
} gathering;

/* ---- Answers ---- */

static kl_batch *in_flight_with(const kloop_topic *t, int32_t index, const kl_request *r)
{
    if (!t || index < 0 || index >= t->table_count || !t->partitions[index])
        return NULL;
    kl_partition *p = t->partitions[index];
    for (kl_link *at = kl_list_first(&p->flight); at; at = kl_list_next(&p->flight, at)) {
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_flight);
        if (b->request == r)
            return b;
    }
    return NULL;
}

static void count_barren(const kloop_engine *e, kl_broker *broker, bool barren)
{
    if (!barren) {
        broker->barren = 0;
        return;
    }
    if (broker->barren < BARREN_FREE)
        broker->barren++;
    else
        broker->produce_at = kl_time_add(e->now.mono_ns, BARREN_PAUSE_NS);
}

static bool is_refusal_of_id(int16_t code)
{
    return code == KLOOP_BROKER_UNKNOWN_TOPIC_ID || code == KLOOP_BROKER_INCONSISTENT_TOPIC_ID;
}

/* What the leader before, or the log of a topic that is gone, has acked says nothing of what the
 * present one counts. */
static void distrust(kloop_engine *e, kl_partition *p)
{
    p->steady = false;
    p->known_to_leader = false;
    if (p->flight_count == 0) {
        p->flight_old = false;
        if (p->flight_former)
            kl_rebirth_landed(e, p);
    }
    kl_readiness_update(e, p);
}

/* Each batch of r was told what became of it. */
static void all_landed(kloop_engine *e, const kl_request *r)
{
    for (size_t i = 0; i < r->batch_count; i++)
        if (r->batches[i]->partition->flight_old)
            distrust(e, r->batches[i]->partition);
}

/* Batches that go again are counted for the broker that was the reason. */
static void count_retries(const kloop_engine *e, const kl_request *r, uint64_t before)
{
    r->conn->broker->meters->retries += e->stats.retries - before;
}

static bool answered(kloop_engine *e, kl_conn *c, kl_request *r, kloop_slice body)
{
    kloop_produce_response m;
    kloop_fault fault;
    if (kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, r->version, body.data, body.len, &m, &fault)) {
        kl_conn_lose_fault(e, c, r, &fault);
        return false;
    }
    kl_meters_add(c->broker, KL_METER_RTT, e->now.mono_ns - r->progress_ns);
    uint64_t retries = e->stats.retries;
    bool barren = true;
    kloop_produce_topic_response topic;
    for (kloop_iter i = kloop_iterate(&m.responses); kloop_next(&i, &topic);) {
        kloop_topic *t = r->version >= 13 ? kl_topics_by_id(e, &topic.topic_id)
                                          : kl_topics_by_name(e, topic.name);
        kloop_produce_partition_response p;
        for (kloop_iter j = kloop_iterate(&topic.partition_responses); kloop_next(&j, &p);) {
            kl_batch *b = in_flight_with(t, p.index, r);
            if (!b)
                continue;
            if (kloop_broker_error_classes(p.error_code) & KLOOP_CLASS_SUCCESS)
                barren = false;
#ifdef KL_PLANT_STARVED_NEIGHBOUR
            else
                c->broker->produce_at = kl_time_add(e->now.mono_ns, KL_SECOND / 2);
#endif
            kl_completion_answered(e, b, &p);
            t->id_refused |= r->version >= 13 && is_refusal_of_id(p.error_code);
            kl_leader_hints_take(e, c, t->partitions[p.index], &p, &m.node_endpoints);
        }
    }
    count_barren(e, c->broker, barren);
    /* What the answer leaves out is the worst kind of answer: nobody knows. */
    for (size_t i = 0; i < r->batch_count; i++)
        if (r->batches[i]->request == r)
            kl_completion_left_out(e, r->batches[i]);
    count_retries(e, r, retries);
    all_landed(e, r);
    kl_conn_throttle(e, c, r, m.throttle_time_ms);
    return true;
}

static void lost(kloop_engine *e, kl_request *r)
{
    uint64_t retries = e->stats.retries;
    for (size_t i = 0; i < r->batch_count; i++)
        if (r->batches[i]->request == r)
            kl_completion_lost(e, r->batches[i], r->touched);
    count_retries(e, r, retries);
    all_landed(e, r);
}

static void written(kloop_engine *e, kl_request *r)
{
    kl_meters_add(r->conn->broker, KL_METER_WRITE, e->now.mono_ns - r->asked_ns);
    if (r->expects_answer)
        return;
    for (size_t i = 0; i < r->batch_count; i++)
        if (r->batches[i]->request == r)
            kl_completion_handed_over(e, r->batches[i]);
}

static void release(kloop_engine *e, kl_request *r)
{
    for (size_t i = 0; i < r->batch_count; i++) {
        kl_batch *b = r->batches[i];
        b->refs--;
        kl_batch_let_go(e, b);
    }
    r->batch_count = 0;
}

static const kl_request_kind produce = {
    .name = "Produce",
    .answered = answered,
    .lost = lost,
    .written = written,
    .release = release,
};

/* ---- Gathering ---- */

/* Topic ids came with version 13. */
static bool goes_by_name(const kl_conn *c, const kloop_topic *t)
{
    return c->agreed.produce < 13 || !t->has_id;
}

/* A request is of one version, so that one topic without an id would have all others go by their
 * names too. But of two batches under way a log that was made anew refuses the first, by an id that
 * is none any more, and takes the second, by name: they would be stored in the wrong order, and
 * nobody could help it. What has an id goes by that, and the others in a request of their own. */
static bool goes_apart(const gathering *g, const kl_conn *c, const kloop_topic *t)
{
    return g->topic_count > 0 && kl_list_is_empty(&t->gather) && goes_by_name(c, t) != g->by_name;
}

/* The oldest batch of p joins, if the request has room for it. */
static bool join(kloop_engine *e, gathering *g, kl_partition *p)
{
    kl_batch *b = kl_readiness_next(p);
    kloop_topic *t = p->topic;
    size_t bytes = kl_batch_builder_len(&b->builder) + PARTITION_BYTES +
                   (kl_list_is_empty(&t->gather) ? TOPIC_BYTES : 0);
    if (g->batch_count > 0 &&
        (g->bytes + bytes > e->set.request_bytes_max || g->batch_count == BATCHES_MAX ||
         g->unsummed_bytes >= UNSUMMED_BYTES_MAX))
        return false;
    if (b == kl_topics_open(p)) {
        kl_readiness_close_batch(e, p, KLOOP_SEAL_ALONG);
        if (b->stage != KL_STAGE_READY) {
            /* A leader that takes more than the one before: the codec has it first. */
            kl_readiness_update(e, p);
            return true;
        }
    }
    KL_ASSERT(b->stage == KL_STAGE_READY);
    if (!kl_codec_choice_fits(p->leader->conn, b)) {
        kl_codec_choice_mend(e, b);
        return true;
    }
    if (b->builder.state == KL_BATCH_OPEN) {
        /* Without a codec this is the sum over its bytes, and cannot fail. */
        g->unsummed_bytes += kl_chain_len(&b->builder.payload) - b->builder.summed_bytes;
        kl_codec_status sealed = kl_batch_seal(&b->builder, NULL);
        KL_ASSERT(sealed == KL_CODEC_OK);
    }
    if (kl_list_is_empty(&t->gather)) {
        g->by_name = goes_by_name(p->leader->conn, t);
        kl_list_push_back(&g->topics, &t->in_gather);
        g->topic_count++;
    }
    kl_topics_place(p, KL_PLACE_GATHER, &t->gather);
    g->batch_count++;
    g->slice_count += kl_chain_slice_count(&b->builder.payload);
    g->bytes += bytes;
    return true;
}

static void gather(kloop_engine *e, kl_broker *broker, gathering *g)
{
    *g = (gathering){0};
    kl_list_init(&g->topics);
    size_t left_count = 0;
    kl_link *next;
    /* What is left for the next request comes first in that: nothing overtakes it in the list. */
    for (kl_link *at = kl_list_first(&broker->ready); at; at = next) {
        next = kl_list_next(&broker->ready, at);
        kl_partition *p = KL_CONTAINER_OF(at, kl_partition, in_place);
        if (goes_apart(g, broker->conn, p->topic)) {
            if (++left_count == BATCHES_MAX)
                return;
        } else if (!join(e, g, p)) {
            return;
        }
    }
    for (kl_link *at = kl_list_first(&broker->open); at; at = next) {
        next = kl_list_next(&broker->open, at);
        kl_partition *p = KL_CONTAINER_OF(at, kl_partition, in_place);
        if (goes_apart(g, broker->conn, p->topic)) {
            if (++left_count == BATCHES_MAX)
                return;
        } else if (kl_codec_choice_folds(p)) {
            /* With a codec it cannot go along at once; it is folded for the next request. */
            kl_topics_place(p, KL_PLACE_NOWHERE, NULL);
            kl_topics_open(p)->due = true;
            kl_readiness_update(e, p);
        } else if (!join(e, g, p)) {
            return;
        }
    }
}

/* Undoes the gathering; judged anew, the partitions find their way back into the lists. */
static void scatter(kloop_engine *e, gathering *g)
{
    kl_link *topic;
    while ((topic = kl_list_pop_front(&g->topics))) {
        kloop_topic *t = KL_CONTAINER_OF(topic, kloop_topic, in_gather);
        kl_link *at;
        while ((at = kl_list_first(&t->gather))) {
            kl_partition *p = KL_CONTAINER_OF(at, kl_partition, in_place);
            kl_topics_place(p, KL_PLACE_NOWHERE, NULL);
            kl_readiness_update(e, p);
        }
    }
}

static int16_t version_for(const kl_conn *c, const gathering *g)
{
    return c->agreed.produce >= 13 && g->by_name ? 12 : c->agreed.produce;
}

/* The arrays of a request, side by side in the engine's scratch. */
typedef struct arrays {
    kloop_produce_topic *topics;
    kloop_produce_partition *partitions;
    kloop_slice *slices;
    uint8_t *headers;
} arrays;

static bool lay_out(kloop_engine *e, const gathering *g, arrays *a)
{
    size_t topics = g->topic_count * sizeof *a->topics;
    size_t partitions = g->batch_count * sizeof *a->partitions;
    size_t slices = g->slice_count * sizeof *a->slices;
    kl_buf_reset(&e->scratch);
    uint8_t *at = kl_buf_reserve(
        &e->scratch, topics + partitions + slices + g->batch_count * KLOOP_BATCH_HEADER_BYTES,
        NULL);
    if (!at)
        return false;
    if (e->scratch.cap > KL_BUDGET_SCRATCH_KEEP_BYTES)
        kl_budget_trim_soon(e);
    a->topics = (kloop_produce_topic *)(void *)at;
    a->partitions = (kloop_produce_partition *)(void *)(at + topics);
    a->slices = (kloop_slice *)(void *)(at + topics + partitions);
    a->headers = at + topics + partitions + slices;
    return true;
}

static void put_header(const kloop_engine *e, const kl_batch *b, uint8_t *out)
{
    kloop_batch_header header;
    kl_batch_builder_header(&b->builder, &header);
    if (e->set.idempotent) {
        header.producer_id = b->producer_id;
        header.producer_epoch = b->epoch;
        header.base_sequence = b->sequence;
    }
    kl_batch_builder_header_put(&b->builder, &header, out);
}

/* Numbers the batches and fills in the arrays, topic by topic. */
static void fill(kloop_engine *e, const gathering *g, const arrays *a)
{
    kloop_produce_topic *topic = a->topics;
    kloop_produce_partition *partition = a->partitions;
    kloop_slice *slice = a->slices;
    uint8_t *header = a->headers;
    for (kl_link *i = kl_list_first(&g->topics); i; i = kl_list_next(&g->topics, i)) {
        kloop_topic *t = KL_CONTAINER_OF(i, kloop_topic, in_gather);
        const kloop_produce_partition *first = partition;
        for (kl_link *j = kl_list_first(&t->gather); j; j = kl_list_next(&t->gather, j)) {
            kl_partition *p = KL_CONTAINER_OF(j, kl_partition, in_place);
            kl_batch *b = kl_readiness_next(p);
            if (e->set.idempotent)
                kl_idempotence_number(e, p, b);
            put_header(e, b, header);
            size_t count = kl_chain_slice_count(&b->builder.payload);
            kl_chain_slices(&b->builder.payload, slice, count);
            *partition++ = (kloop_produce_partition){
                .index = p->index,
                .records = {.head = {header, KLOOP_BATCH_HEADER_BYTES},
                            .body = slice,
                            .body_count = count},
            };
            slice += count;
            header += KLOOP_BATCH_HEADER_BYTES;
        }
        *topic++ = (kloop_produce_topic){
            .name = {t->name, t->name_len},
            .topic_id = t->id,
            .partition_data = kloop_array_of(first, (int32_t)(partition - first)),
        };
    }
}

/* The request is queued: its batches are in flight. */
static void launch(kloop_engine *e, gathering *g, kl_conn *c, kl_request *r)
{
    size_t n = 0;
    for (kl_link *i = kl_list_first(&g->topics); i; i = kl_list_next(&g->topics, i)) {
        kloop_topic *t = KL_CONTAINER_OF(i, kloop_topic, in_gather);
        for (kl_link *j = kl_list_first(&t->gather); j; j = kl_list_next(&t->gather, j)) {
            kl_partition *p = KL_CONTAINER_OF(j, kl_partition, in_place);
            kl_batch *b = kl_readiness_next(p);
            b->stage = KL_STAGE_IN_FLIGHT;
            b->request = r;
            b->refs++;
            r->batches[n++] = b;
            if (b->launches++ == 0)
                b->left_ns = e->now.mono_ns;
            KL_TRACE(e, request_of, b, r, c->broker->id);
            kl_meters_left(e, c->broker, b);
            kl_rebirth_left(p, b, r->version < 13);
            kl_list_push_back(&p->flight, &b->in_flight);
            p->flight_count++;
            p->flight_conn = c;
        }
    }
    KL_ASSERT(n == r->batch_count);
    e->meters.produce_requests++;
    scatter(e, g);
}

/* Topic ids and names are left out where the version has no field for them. */
static void trim_topics(kloop_produce_topic *topics, size_t count, int16_t version)
{
    for (size_t i = 0; i < count; i++) {
        if (version >= 13)
            topics[i].name = (kloop_string){"", 0};
        else
            topics[i].topic_id = (kloop_uuid){{0}};
    }
}

static bool send_request(kloop_engine *e, kl_broker *broker)
{
    kl_conn *c = broker->conn;
    gathering g;
    gather(e, broker, &g);
    if (g.batch_count == 0)
        return false;
    arrays a;
    if (!lay_out(e, &g, &a)) {
        scatter(e, &g);
        return false;
    }
    fill(e, &g, &a);
    int16_t version = version_for(c, &g);
    trim_topics(a.topics, g.topic_count, version);
    kloop_produce_request m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &m);
    m.transactional_id = (kloop_string){NULL, 0};
    m.acks = e->set.acks;
    m.timeout_ms = e->set.request_timeout_ms;
    m.topic_data = kloop_array_of(a.topics, (int32_t)g.topic_count);
    kloop_fault fault;
    kl_request *r = kl_conn_ask(e, c, &produce, KLOOP_PRODUCE, version, &m, sizeof m, g.batch_count,
                                e->set.acks != 0, &fault);
    if (!r) {
        kl_log_trouble(e, KLOOP_LOG_ERROR, "no memory for a request to %s:%u", broker->host,
                       (unsigned)broker->port);
        scatter(e, &g);
        return false;
    }
    launch(e, &g, c, r);
    return true;
}

void kl_sender_serve(kloop_engine *e, kl_broker *b)
{
    if (kl_list_is_empty(&b->ready) && kl_list_is_empty(&b->open))
        return;
    if (!b->conn) {
        kl_nodes_want(e, b);
        return;
    }
    if (kl_list_is_empty(&b->ready) || b->conn->state != KL_CONN_READY ||
        !kl_conn_can_ask(e, b->conn))
        return;
    if (b->stranger) {
        kl_metadata_want(e);
        return;
    }
    /* Whoever takes nothing, or went away, is asked once, not with a whole pipeline. */
    if (b->barren >= KL_BARREN_LOST && b->conn->flight_count > 0)
        return;
    if (e->now.mono_ns < b->produce_at) {
        kl_heap_set(&e->timers, &b->timer, b->produce_at);
        return;
    }
    /* One request in a turn of the work; whoever is behind in the queue comes first then. */
    if (send_request(e, b)) {
        kl_sticky_took(e, b);
        kl_nodes_poke(e, b);
        return;
    }
    /* What was gathered has poked the broker again; without memory that would go on for ever. */
    kl_list_drop(&b->in_poked);
    kl_nodes_retry_soon(e, b);
}
