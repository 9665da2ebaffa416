/* SPDX-License-Identifier: BSD-2-Clause */
/* A leader and a batch. See append.h. */
#include "broker/append.h"

#include "base/be.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "broker/batch_check.h"
#include "broker/replication.h"
#include "protocol/record_batch.h"

#include <kloop/wire.h>

#include <inttypes.h>
#include <string.h>

#define ATTRIBUTES_AT    21
#define MAX_TIMESTAMP_AT 35
#define LEADER_EPOCH_AT  12

/* What one call works on. */
typedef struct appending {
    kl_request *r;
    kl_cluster *c;
    kl_replica *leader;
    int32_t epoch;
    kloop_slice batch;
    int16_t acks;
    kl_batch_findings f;
    kloop_produce_partition_response *answer;
} appending;

void kl_append_refused(kloop_produce_partition_response *answer, int16_t error_code)
{
    *answer = (kloop_produce_partition_response){
        .index = answer->index,
        .error_code = error_code,
        .base_offset = -1,
        .log_append_time_ms = -1,
        .log_start_offset = -1,
        .record_errors = kloop_array_of(NULL, 0),
        .current_leader = {.leader_id = -1, .leader_epoch = -1},
    };
}

static kl_replica *refuse(appending *a, int16_t error_code, bool tells_log_start)
{
    kl_append_refused(a->answer, error_code);
    if (tells_log_start)
        a->answer->log_start_offset = 0;
    a->c->totals.refused++;
    return NULL;
}

static kl_replica *refuse_without_memory(appending *a)
{
    a->c->totals.no_memory++;
    return refuse(a, KLOOP_BROKER_UNKNOWN_SERVER_ERROR, true);
}

static void complain(const appending *a, kl_complaint_kind kind, const char *what)
{
    const kl_partition *p = a->leader->partition;
    const kl_request_info *info = &a->r->info;
    kl_cluster_complain(a->c, kind,
                        "%.*s[%" PRId32 "], request %" PRIu64 " of connection %" PRIu64
                        " (Produce version %d, correlation id %" PRId32 "), producer %" PRId64
                        " epoch %d sequence %" PRId32 ": %s",
                        (int)p->topic->name.len, p->topic->name.data, p->index, info->request_id,
                        info->peer_id, info->version, info->correlation_id, a->f.header.producer_id,
                        a->f.header.producer_epoch, a->f.header.base_sequence, what);
}

/* ---- Into the log ---- */

/* What the broker writes into a batch: its place, and timestamps that follow the topic. */
static void rewrite(const appending *a, kl_stored *stored)
{
    const kl_topic *topic = a->leader->partition->topic;
    uint8_t *p = stored->bytes;
    int16_t attributes = a->f.header.attributes;
    int64_t max_timestamp = a->f.max_timestamp;
    kl_be_store64(p, (uint64_t)a->leader->log.next_offset);
    kl_be_store32(p + LEADER_EPOCH_AT, (uint32_t)a->epoch);
    attributes &= (int16_t)~KLOOP_BATCH_APPEND_TIME;
    if (topic->append_time) {
        attributes |= KLOOP_BATCH_APPEND_TIME;
        max_timestamp = a->answer->log_append_time_ms;
    }
    stored->max_timestamp = max_timestamp;
    if (attributes == a->f.header.attributes && max_timestamp == a->f.header.max_timestamp)
        return;
    kl_be_store16(p + ATTRIBUTES_AT, (uint16_t)attributes);
    kl_be_store64(p + MAX_TIMESTAMP_AT, (uint64_t)max_timestamp);
    kl_be_store32(p + KL_BATCH_CRC_AT,
                  kl_crc32c(0, p + KL_BATCH_CRC_FROM, a->batch.len - KL_BATCH_CRC_FROM));
}

static kl_stored *store(appending *a)
{
    const kloop_batch_header *h = &a->f.header;
    const kl_partition *p = a->leader->partition;
    kl_stored *stored = kl_stored_new(&a->c->alloc, a->batch.len);
    if (!stored)
        return NULL;
    memcpy(stored->bytes, a->batch.data, a->batch.len);
    stored->sent_crc = h->crc;
    rewrite(a, stored);
    stored->batch = (kl_stored_batch){
        .topic = p->topic->handle,
        .partition = p->index,
        .node_id = a->leader->node_id,
        .leader_epoch = a->epoch,
        .base_offset = a->leader->log.next_offset,
        .record_count = h->record_count,
        .producer_id = h->producer_id,
        .producer_epoch = h->producer_epoch,
        .base_sequence = h->base_sequence,
        .crc = kl_be_load32(stored->bytes + KL_BATCH_CRC_AT),
        .acks = a->acks,
        .peer_id = a->r->info.peer_id,
        .request_id = a->r->info.request_id,
        .received_ns = a->r->info.received_ns,
        .appended_ns = a->c->now_ns,
        .byte_count = a->batch.len,
        .bytes = stored->bytes,
    };
    return stored;
}

/* Into the log, with the producer's state if it has one (else NULL). */
static kl_replica *append(appending *a, kl_producer *producer)
{
    kl_cluster *c = a->c;
    kl_log *log = &a->leader->log;
    const kloop_batch_header *h = &a->f.header;
    kl_stored *stored = NULL;
    int64_t max_timestamp = a->f.max_timestamp;
    bool append_time = a->leader->partition->topic->append_time && !c->config.discard;

    kl_append_refused(a->answer, 0);
    a->answer->base_offset = log->next_offset;
    a->answer->log_start_offset = 0;
    if (append_time)
        a->answer->log_append_time_ms = kl_cluster_wall_ms(c);
    if (!c->config.discard) {
        stored = kl_log_reserve(log) ? store(a) : NULL;
        if (!stored)
            return refuse_without_memory(a);
        max_timestamp = stored->max_timestamp;
    }
    if (producer)
        kl_producer_apply(producer, h->producer_epoch,
                          &(kl_producer_batch){.first_sequence = h->base_sequence,
                                               .last_sequence = kl_sequence_last(h),
                                               .base_offset = log->next_offset,
                                               .max_timestamp = max_timestamp,
                                               .crc = h->crc});
    c->totals.batches++;
    if (!stored) {
        kl_log_count_only(log, h->record_count, a->batch.len);
    } else {
        kl_log_append(log, stored);
        if (producer)
            kl_log_applied_last(log);
        if (c->config.hooks.on_append)
            c->config.hooks.on_append(c->config.hooks.user, &stored->batch);
    }
    kl_replication_appended(c, a->leader);
    return a->leader;
}

static kl_replica *answer_duplicate(appending *a, const kl_producer_batch *same)
{
    a->c->totals.duplicates++;
    if (same->crc != a->f.header.crc)
        complain(a, KL_COMPLAINT_SWALLOWED,
                 "it has the sequence of a batch that is stored, but not its content: the broker "
                 "drops it as a duplicate");
    kl_append_refused(a->answer, 0);
    a->answer->base_offset = same->base_offset;
    a->answer->log_start_offset = 0;
    /* Kafka does so, whatever the topic's timestamps are. */
    a->answer->log_append_time_ms = same->max_timestamp;
    return a->leader;
}

static kl_replica *append_next(appending *a)
{
    const kl_producer_batch *same;
    kl_producers *producers = kl_log_producers(&a->leader->log);
    kl_producer *producer =
        producers ? kl_producers_find_or_add(producers, a->f.header.producer_id) : NULL;
    if (!producer)
        return refuse_without_memory(a);
    switch (kl_producer_judge(producer, a->r->peer->node->era, &a->f.header, &same)) {
    case KL_SEQUENCE_DUPLICATE:
        return answer_duplicate(a, same);
    case KL_SEQUENCE_OLD_EPOCH:
        return refuse(a, KLOOP_BROKER_INVALID_PRODUCER_EPOCH, true);
    case KL_SEQUENCE_OUT_OF_ORDER:
        return refuse(a, KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER, true);
    case KL_SEQUENCE_UNKNOWN:
        return refuse(a, KLOOP_BROKER_UNKNOWN_PRODUCER_ID, true);
    case KL_SEQUENCE_STORED:
        return refuse(a, KLOOP_BROKER_DUPLICATE_SEQUENCE_NUMBER, true);
    case KL_SEQUENCE_NEW:
        break;
    }
    return append(a, producer);
}

/* ---- Judging ---- */

static kl_batch_rules rules_of(const appending *a)
{
    const kl_topic *topic = a->leader->partition->topic;
    const kl_cluster_config *config = &a->c->config;
    return (kl_batch_rules){
        .size_max = topic->message_max_bytes,
        .append_time = topic->append_time,
        .compacted = topic->compacted,
        .newest_ms = config->wall_ms_at_zero == INT64_MIN
                         ? INT64_MAX
                         : kl_cluster_wall_ms(a->c) + config->timestamp_after_max_ms,
        .reader = a->c->reader,
    };
}

static kl_replica *judge(appending *a)
{
    kl_batch_rules rules = rules_of(a);
    kl_batch_judge(a->batch, &rules, &a->r->scratch, &a->f);
    if (a->f.no_memory)
        return refuse_without_memory(a);
    if (a->f.error_code == 0) {
        if (a->f.wrong[0])
            complain(a, KL_COMPLAINT_SWALLOWED, a->f.wrong);
        return a->f.header.producer_id < 0 ? append(a, NULL) : append_next(a);
    }
    if (a->f.malformed)
        complain(a, KL_COMPLAINT_REFUSED, a->f.wrong);
    refuse(a, a->f.error_code, a->f.tells_log_start);
    a->answer->record_errors = kloop_array_of(a->f.record_errors, a->f.record_error_count);
    a->answer->error_message = a->f.error_message;
    return NULL;
}

kl_replica *kl_append(kl_request *r, kl_partition *p, kloop_slice batch, int16_t acks,
                      kloop_produce_partition_response *answer)
{
    int32_t isr_count;
    appending a = {.r = r,
                   .c = r->cluster,
                   .leader = kl_partition_replica(p, r->info.node_id),
                   .batch = batch,
                   .acks = acks,
                   .answer = answer};
    if (!a.leader || !kl_replica_leads(a.c, a.leader, &a.epoch))
        return refuse(&a, KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER, false);
    if (acks == -1 && kl_replica_min_isr(a.c, a.leader, &isr_count) > isr_count)
        return refuse(&a, KLOOP_BROKER_NOT_ENOUGH_REPLICAS, true);
    return judge(&a);
}
