/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Produce request. See answer_produce.h; what happens to one batch is in append.c.
 *
 * Kafka 4.3.1 looks at things in this order, and so do we:
 *
 *     of the whole request    batches that cannot be found their way in; transactions without an id
 *     of each partition       is it known; the shape of its batch
 *     of the whole request    batches too short for a producer id
 *     of each partition       transactions (there is no coordinator here); acks; internal topics;
 *                             then kl_append
 *
 * A partition that stands in the request twice counts once, as it stands there last. A topic that
 * stands there twice is answered once, where it stood first. A partition
 * without records (null) makes Kafka fall over while it makes up an error, and nothing is ever
 * answered.
 */
#include "broker/answer_produce.h"

#include "base/check.h"
#include "broker/append.h"
#include "broker/batch_check.h"
#include "broker/replication.h"

#include <kloop/wire.h>

#include <string.h>

/* The first version whose answer tells the new leader. */
#define HINTS_SINCE 10
/* The first version with topic ids. */
#define IDS_SINCE 13

typedef struct kl_produce_part {
    kl_link link; /* in the waiters of replica, while it waits */
    kl_produce *produce;
    kl_topic *topic; /* NULL: unknown */
    kl_partition *partition;
    kl_replica *replica;
    kloop_slice records; /* good until all is appended */
    kloop_slice batch;
    kl_produce_fate fate;
    int64_t required_offset;
    bool replaced; /* the partition comes again */
    bool judged;   /* the answer is there */
    kloop_produce_partition_response *answer;
} part;

/* A topic in the request: its parts, and where the same topic stands again. */
typedef struct kl_produce_place {
    int32_t first;
    int32_t count;
    int32_t next; /* -1: nowhere */
    int32_t last; /* of the first one: the last one */
    bool again;   /* it stood before */
} place;

struct kl_produce {
    kl_request *request;
    int16_t acks;
    kloop_produce_response response;
    kloop_produce_topic_response *topics;
    place *places; /* as many as topics, until the answers are gathered */
    int32_t topic_count;
    bool untidy; /* a topic or a partition stands in the request twice */
    kloop_produce_partition_response *answers;
    part *parts; /* as many as answers */
    int32_t part_count;
    int32_t waiting;
};

/* ---- The end ---- */

/* Where the partition's leader is, in the eyes of this broker. */
static void add_hint(kl_produce *p, part *at, kloop_node_endpoint *endpoints, int32_t *count)
{
    const kl_request *r = p->request;
    const kl_view *view = kl_node_view(r->cluster, r->peer->node);
    const kl_view_partition *v =
        at->topic ? kl_view_find(view, at->topic, at->answer->index) : NULL;
    /* Who was told by a hook to say so knows of no other leader. */
    if (!v || v->leader == r->info.node_id)
        return;
    at->answer->current_leader = (kloop_leader_hint){v->leader, v->leader_epoch};
    const kl_view_broker *b = kl_view_find_broker(view, v->leader);
    if (!b || !b->listed)
        return;
    for (int32_t i = 0; i < *count; i++) {
        if (endpoints[i].node_id == b->node_id)
            return;
    }
    endpoints[(*count)++] = (kloop_node_endpoint){.node_id = b->node_id,
                                                  .host = kloop_text(b->host),
                                                  .port = b->port,
                                                  .rack = kloop_text(b->rack)};
}

/* false: no memory. */
static bool add_hints(kl_produce *p)
{
    const kl_request *r = p->request;
    kloop_node_endpoint *endpoints = NULL;
    int32_t count = 0;
    for (int32_t i = 0; i < p->part_count; i++) {
        part *at = &p->parts[i];
        if (at->replaced || at->answer->error_code != KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER)
            continue;
        if (!endpoints)
            endpoints =
                kl_scratch_take(&p->request->scratch, r->cluster->node_count, sizeof *endpoints);
        if (!endpoints)
            return false;
        add_hint(p, at, endpoints, &count);
    }
    p->response.node_endpoints = kloop_array_of(endpoints, count);
    return true;
}

static bool has_error(const kl_produce *p)
{
    for (int32_t i = 0; i < p->part_count; i++) {
        if (!p->parts[i].replaced && p->parts[i].answer->error_code != 0)
            return true;
    }
    return false;
}

static void finish(kl_produce *p)
{
    kl_request *r = p->request;
    if (p->acks == 0) {
        /* The only way to tell the client is to close. */
        if (has_error(p))
            kl_request_refuse(r);
        else
            kl_request_no_answer(r);
    } else if (r->info.version >= HINTS_SINCE && !add_hints(p)) {
        kl_request_no_memory(r);
    } else {
        kl_request_answer(r, &p->response);
    }
}

/* Kafka falls over the whole request: all partitions get the same. */
static void finish_whole(kl_produce *p, int16_t error_code, const char *message)
{
    for (int32_t i = 0; i < p->part_count; i++) {
        if (p->parts[i].replaced)
            continue;
        kl_append_refused(p->parts[i].answer, error_code);
        p->parts[i].answer->error_message = kloop_text(message);
        p->request->cluster->totals.refused++;
    }
    finish(p);
}

/* ---- Waiting ---- */

static void stop_waiting(part *at, int16_t error_code)
{
    kl_list_remove(&at->link);
    at->answer->error_code = error_code;
    if (--at->produce->waiting == 0)
        finish(at->produce);
}

void kl_produce_on_watermark(kl_cluster *c, kl_replica *leader)
{
    int32_t isr_count;
    kl_link *next;
    bool too_few = kl_replica_min_isr(c, leader, &isr_count) > isr_count;
    for (kl_link *l = kl_list_first(&leader->waiters); l; l = next) {
        part *at = KL_CONTAINER_OF(l, part, link);
        next = kl_list_next(&leader->waiters, l);
        if (at->required_offset <= leader->log.high_watermark)
            stop_waiting(at, too_few ? KLOOP_BROKER_NOT_ENOUGH_REPLICAS_AFTER_APPEND : 0);
    }
}

void kl_produce_on_leader_lost(kl_cluster *c, kl_replica *replica)
{
    const kl_node *node = kl_cluster_find_node(c, replica->node_id);
    const kl_partition *p = replica->partition;
    bool known = kl_view_find(kl_node_view(c, node), p->topic, p->index) != NULL;
    for (kl_link *l; (l = kl_list_first(&replica->waiters)) != NULL;)
        stop_waiting(KL_CONTAINER_OF(l, part, link), known
                                                         ? KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER
                                                         : KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
}

void kl_produce_forget(kl_produce *p)
{
    for (int32_t i = 0; i < p->part_count; i++) {
        if (kl_link_is_linked(&p->parts[i].link))
            kl_list_remove(&p->parts[i].link);
    }
    p->waiting = 0;
}

void kl_produce_on_timeout(kl_produce *p)
{
    for (int32_t i = 0; i < p->part_count; i++) {
        if (kl_link_is_linked(&p->parts[i].link))
            p->parts[i].answer->error_code = KLOOP_BROKER_REQUEST_TIMED_OUT;
    }
    kl_produce_forget(p);
    finish(p);
}

/* Batches are in the logs; with acks=all that is not all. */
static void wait_or_finish(kl_produce *p, int32_t timeout_ms)
{
    for (int32_t i = 0; p->acks == -1 && i < p->part_count; i++) {
        part *at = &p->parts[i];
        if (!at->replica || at->answer->error_code != 0 || at->replaced)
            continue;
        if (at->required_offset <= at->replica->log.high_watermark)
            continue;
        kl_list_push_back(&at->replica->waiters, &at->link);
        p->waiting++;
    }
    if (p->waiting == 0)
        finish(p);
    else if (timeout_ms <= 0)
        kl_produce_on_timeout(p);
    else
        kl_request_park(p->request, timeout_ms);
}

/* ---- Taking the request apart ---- */

static bool make_parts(kl_produce *p, const kloop_produce_request *q)
{
    kl_scratch *s = &p->request->scratch;
    kloop_produce_topic topic;
    size_t count = 0;
    for (kloop_iter t = kloop_iterate(&q->topic_data); kloop_next(&t, &topic);)
        count += (size_t)topic.partition_data.count;
    p->topics = kl_scratch_take(s, (size_t)q->topic_data.count, sizeof *p->topics);
    p->places = kl_scratch_take(s, (size_t)q->topic_data.count, sizeof *p->places);
    p->answers = kl_scratch_take(s, count, sizeof *p->answers);
    p->parts = kl_scratch_take(s, count, sizeof *p->parts);
    return p->topics && p->places && p->answers && p->parts;
}

static kl_topic *find_topic(const kl_produce *p, const kloop_produce_topic *t)
{
    const kl_view *view = kl_node_view(p->request->cluster, p->request->peer->node);
    return p->request->info.version >= IDS_SINCE
               ? kl_view_find_id(view, &t->topic_id)
               : kl_view_find_name(view, t->name.data, t->name.len);
}

/* If the partition stood there before, that does not count. */
static void name_partition(kl_produce *p, part *at)
{
    kl_partition *partition = at->partition;
    uint64_t request_id = p->request->info.request_id;
    if (partition->named_by == request_id) {
        p->parts[partition->named_at].replaced = true;
        p->untidy = true;
        kl_cluster_complain(p->request->cluster, KL_COMPLAINT_PROTOCOL,
                            "request %llu of connection %llu: partition %d of '%.*s' stands in it "
                            "twice",
                            (unsigned long long)request_id,
                            (unsigned long long)p->request->info.peer_id, partition->index,
                            (int)at->topic->name.len, at->topic->name.data);
    }
    partition->named_by = request_id;
    partition->named_at = (size_t)(at - p->parts);
}

static void add_part(kl_produce *p, kl_topic *topic, const kloop_produce_partition *from)
{
    const kl_view *view = kl_node_view(p->request->cluster, p->request->peer->node);
    part *at = &p->parts[p->part_count];
    at->produce = p;
    at->topic = topic;
    at->records = from->records.head;
    at->answer = &p->answers[p->part_count];
    at->answer->index = from->index;
    p->part_count++;
    if (topic && kl_view_find(view, topic, from->index)) {
        at->partition = topic->partitions[from->index];
        name_partition(p, at);
    }
}

/* Topics that nobody knows are answered as often as they are named. */
static void name_topic(kl_produce *p, kl_topic *topic)
{
    place *at = &p->places[p->topic_count];
    if (topic && topic->named_by == p->request->info.request_id) {
        place *before = &p->places[topic->named_at];
        p->places[before->last].next = p->topic_count;
        before->last = p->topic_count;
        at->again = true;
        p->untidy = true;
    } else if (topic) {
        topic->named_by = p->request->info.request_id;
        topic->named_at = (size_t)p->topic_count;
    }
    at->next = -1;
    at->last = p->topic_count;
}

static bool add_topic(kl_produce *p, const kloop_produce_topic *from)
{
    kl_topic *topic = find_topic(p, from);
    kloop_produce_topic_response *t = &p->topics[p->topic_count];
    int32_t first = p->part_count;
    kloop_produce_partition partition;
    /* The frame may be gone when the answer is made. */
    t->name = topic ? topic->name : kl_scratch_string(&p->request->scratch, from->name);
    t->topic_id = from->topic_id;
    if (from->name.data && !t->name.data)
        return false;
    for (kloop_iter i = kloop_iterate(&from->partition_data); kloop_next(&i, &partition);)
        add_part(p, topic, &partition);
    t->partition_responses = kloop_array_of(p->answers + first, p->part_count - first);
    /* Kafka answers partitions: a topic without any is not in the answer. */
    if (p->part_count == first)
        return true;
    p->places[p->topic_count].first = first;
    p->places[p->topic_count].count = p->part_count - first;
    name_topic(p, topic);
    p->topic_count++;
    return true;
}

/* Moves the answers of the place behind the first n gathered ones; answers how many there are then.
 */
static int32_t gather_place(kl_produce *p, const place *from,
                            kloop_produce_partition_response *gathered, int32_t n)
{
    for (int32_t i = from->first; i < from->first + from->count; i++) {
        if (p->parts[i].replaced)
            continue;
        gathered[n] = *p->parts[i].answer;
        p->parts[i].answer = &gathered[n++];
    }
    return n;
}

/*
 * One answer for each topic, where it stood first, with those of its partitions that do not come
 * again later. false: no memory.
 */
static bool gather_answers(kl_produce *p)
{
    if (!p->untidy)
        return true;
    kloop_produce_partition_response *gathered =
        kl_scratch_take(&p->request->scratch, (size_t)p->part_count, sizeof *gathered);
    int32_t n = 0;
    int32_t topics = 0;
    if (!gathered)
        return false;
    for (int32_t t = 0; t < p->topic_count; t++) {
        int32_t first = n;
        if (p->places[t].again)
            continue;
        for (int32_t at = t; at >= 0; at = p->places[at].next)
            n = gather_place(p, &p->places[at], gathered, n);
        p->topics[topics] = p->topics[t];
        p->topics[topics++].partition_responses = kloop_array_of(gathered + first, n - first);
    }
    p->topic_count = topics;
    return true;
}

/* ---- Judging ---- */

/* false: the whole request is answered. */
static bool look_at_first_batches(kl_produce *p, const kloop_produce_request *q)
{
    for (int32_t i = 0; i < p->part_count; i++) {
        const part *at = &p->parts[i];
        size_t size;
        kloop_batch_header header;
        if (!at->records.data)
            continue;
        switch (kl_batch_find_first(at->records, &size)) {
        case KL_BATCH_FIRST_NONE:
            continue;
        case KL_BATCH_FIRST_CORRUPT:
            kl_cluster_complain(p->request->cluster, KL_COMPLAINT_REFUSED,
                                "request %llu of connection %llu: where a batch should begin, "
                                "there is none",
                                (unsigned long long)p->request->info.request_id,
                                (unsigned long long)p->request->info.peer_id);
            finish_whole(p, KLOOP_BROKER_CORRUPT_MESSAGE, "The request holds what is no batch.");
            return false;
        case KL_BATCH_FIRST_FOUND:
            break;
        }
        kl_batch_read_header((kloop_slice){at->records.data, size}, &header);
        if (!(header.attributes & KLOOP_BATCH_TRANSACTIONAL))
            continue;
        if (q->transactional_id.data)
            return true;
        finish_whole(p, KLOOP_BROKER_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NULL);
        return false;
    }
    return true;
}

static void refuse(part *at, int16_t error_code)
{
    kl_append_refused(at->answer, error_code);
    at->judged = true;
    at->produce->request->cluster->totals.refused++;
}

/* Without memory nobody is at fault. */
static void name_bad_records(kl_produce *p, part *at)
{
    int32_t n = at->fate.bad_record_count;
    kloop_record_error *errors =
        n > 0 ? kl_scratch_take(&p->request->scratch, (size_t)n, sizeof *errors) : NULL;
    if (!errors)
        return;
    for (int32_t i = 0; i < n; i++)
        errors[i] = (kloop_record_error){.batch_index = at->fate.bad_records[i],
                                         .batch_index_error_message =
                                             kloop_text("This record is not wanted.")};
    at->answer->record_errors = kloop_array_of(errors, n);
    at->answer->error_message =
        kloop_text("Some records of the batch were refused, so none is stored.");
}

/* What the user's hook makes of it; answers whether that was all. */
static bool ask_hook(kl_produce *p, part *at)
{
    const kl_hooks *hooks = &p->request->cluster->config.hooks;
    kloop_batch_header header;
    size_t size;
    bool found = at->records.data &&
                 kl_batch_find_first(at->records, &size) == KL_BATCH_FIRST_FOUND &&
                 size >= KLOOP_BATCH_HEADER_BYTES;
    if (!hooks->on_produce)
        return false;
    if (found)
        kl_batch_read_header((kloop_slice){at->records.data, size}, &header);
    hooks->on_produce(hooks->user, &p->request->info, at->topic->handle, at->partition->index,
                      found ? &header : NULL, &at->fate);
    if (at->fate.error_code == 0 || at->fate.append)
        return false;
    refuse(at, at->fate.error_code);
    name_bad_records(p, at);
    return true;
}

/* Kafka takes no notice of bytes behind the batch that make no other. */
static void look_behind(const kl_produce *p, const part *at)
{
    if (at->records.len > at->batch.len)
        kl_cluster_complain(
            p->request->cluster, KL_COMPLAINT_SWALLOWED,
            "%.*s[%d], request %llu of connection %llu: %llu bytes behind the batch",
            (int)at->topic->name.len, at->topic->name.data, at->partition->index,
            (unsigned long long)p->request->info.request_id,
            (unsigned long long)p->request->info.peer_id,
            (unsigned long long)(at->records.len - at->batch.len));
}

typedef enum look { LOOK_ON, LOOK_SILENT, LOOK_WHOLE } look;

static look look_at_shape(kl_produce *p, part *at)
{
    bool whole;
    bool by_id = p->request->info.version >= IDS_SINCE;
    if (!at->topic || !at->partition) {
        refuse(at, !at->topic && by_id ? KLOOP_BROKER_UNKNOWN_TOPIC_ID
                                       : KLOOP_BROKER_UNKNOWN_TOPIC_OR_PARTITION);
        return LOOK_ON;
    }
    if (ask_hook(p, at))
        return LOOK_ON;
    if (!at->records.data)
        return LOOK_SILENT;
    int16_t error_code = kl_batch_shape(at->records, p->request->info.version, &at->batch, &whole);
    if (error_code == 0) {
        look_behind(p, at);
        return LOOK_ON;
    }
    kl_cluster_complain(p->request->cluster, KL_COMPLAINT_REFUSED,
                        "%.*s[%d], request %llu of connection %llu (Produce version %d): the "
                        "records are not just one batch of this format, packed as the version "
                        "allows",
                        (int)at->topic->name.len, at->topic->name.data, at->partition->index,
                        (unsigned long long)p->request->info.request_id,
                        (unsigned long long)p->request->info.peer_id, p->request->info.version);
    if (whole)
        return LOOK_WHOLE;
    refuse(at, error_code);
    return LOOK_ON;
}

/* false: the whole request is answered. */
static bool look_at_shapes(kl_produce *p)
{
    look worst = LOOK_ON;
    for (int32_t i = 0; i < p->part_count; i++) {
        part *at = &p->parts[i];
        look found = at->replaced ? LOOK_ON : look_at_shape(p, at);
        if (found > worst)
            worst = found;
    }
    if (worst == LOOK_WHOLE)
        finish_whole(p, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, NULL);
    else if (worst == LOOK_SILENT)
        kl_request_be_silent(p->request);
    return worst == LOOK_ON;
}

static void judge(kl_produce *p, part *at)
{
    kloop_batch_header header;
    kl_batch_read_header(at->batch, &header);
    if ((header.attributes & KLOOP_BATCH_TRANSACTIONAL) && header.producer_id >= 0) {
        refuse(at, KLOOP_BROKER_NOT_ENOUGH_REPLICAS);
        at->answer->error_message =
            kloop_text("The transaction cannot be verified: there is no coordinator.");
    } else if (p->acks < -1 || p->acks > 1) {
        refuse(at, KLOOP_BROKER_INVALID_REQUIRED_ACKS);
    } else if (at->topic->internal) {
        refuse(at, KLOOP_BROKER_INVALID_TOPIC_EXCEPTION);
    } else {
        at->replica = kl_append(p->request, at->partition, at->batch, p->acks, at->answer);
        if (at->replica) {
            at->required_offset = at->answer->base_offset + header.record_count;
            if (at->fate.error_code != 0)
                at->answer->error_code = at->fate.error_code;
        }
    }
}

void kl_answer_produce(kl_request *r, const kloop_produce_request *q)
{
    kl_produce *p = kl_scratch_take(&r->scratch, 1, sizeof *p);
    if (!p) {
        kl_request_no_memory(r);
        return;
    }
    p->request = r;
    p->acks = q->acks;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &p->response);
    if (!make_parts(p, q)) {
        kl_request_no_memory(r);
        return;
    }
    kloop_produce_topic topic;
    for (kloop_iter t = kloop_iterate(&q->topic_data); kloop_next(&t, &topic);) {
        if (!add_topic(p, &topic)) {
            kl_request_no_memory(r);
            return;
        }
    }
    if (!gather_answers(p)) {
        kl_request_no_memory(r);
        return;
    }
    r->produce = p;
    p->response.responses = kloop_array_of(p->topics, p->topic_count);
    if (!look_at_first_batches(p, q) || !look_at_shapes(p))
        return;
    for (int32_t i = 0; i < p->part_count; i++) {
        if (!p->parts[i].judged && !p->parts[i].replaced)
            judge(p, &p->parts[i]);
    }
    wait_or_finish(p, q->timeout_ms);
}
