/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside, for people. See snapshot_print.h. */
#include "cli/snapshot_print.h"

#include <kloop/stats_text.h>

/* Of what there may be very many. */
#define SUSPENDED_MAX 10
#define TOPICS_MAX    20

typedef unsigned long long ull;

static double ms_at(const kloop_histogram *h, uint32_t per_million)
{
    return h ? (double)kloop_histogram_at(h, per_million) / 1000.0 : 0;
}

static void print_producer(const kloop_snapshot *s, FILE *to)
{
    const kloop_stats *n = &s->totals;
    fprintf(to, "producer %.*s, open for %.1f s", (int)s->client_id.len, s->client_id.data,
            (double)s->age_ns / 1e9);
    if (s->cluster_id.len)
        fprintf(to, ", cluster %.*s", (int)s->cluster_id.len, s->cluster_id.data);
    if (s->producer_id >= 0)
        fprintf(to, ", producer id %lld epoch %d", (long long)s->producer_id, (int)s->epoch);
    fprintf(to,
            "\n  records   %llu accepted: %llu acked, %llu failed, %llu unknown, %llu pending; "
            "refused for want of room: %llu\n",
            (ull)n->accepted, (ull)n->acked, (ull)n->failed, (ull)n->unknown, (ull)n->pending,
            (ull)n->refused_full);
    fprintf(to, "  memory    %.1f of %.1f MB%s\n", (double)n->held_bytes / 1048576.0,
            (double)s->memory_bytes / 1048576.0, s->full ? ", full" : "");
    fprintf(to,
            "  batches   %llu sent, %.1f records and %.0f bytes each; %llu sent again, %llu split",
            (ull)s->sent_batches, s->sent_batches ? (double)s->sent / (double)s->sent_batches : 0.0,
            s->sent_batches ? (double)s->sent_bytes / (double)s->sent_batches : 0.0,
            (ull)n->retries, (ull)n->batches_split);
    if (s->sent_plain_bytes > s->sent_bytes)
        fprintf(to, "; compressed to %.0f %%",
                100.0 * (double)s->sent_bytes / (double)s->sent_plain_bytes);
    fprintf(to, "\n  age       at report p50 %.1f ms, p99 %.1f ms, max %.1f ms\n",
            ms_at(s->age_us, 500000), ms_at(s->age_us, 990000), ms_at(s->age_us, 1000000));
}

static void print_broker(const kloop_broker_stats *b, FILE *to)
{
    char id[16] = "-";
    if (b->id >= 0)
        snprintf(id, sizeof id, "%d", (int)b->id);
    fprintf(to,
            "  broker %-4s %.*s:%u  %s for %.1f s, %u in flight, %llu requests, answers after p50 "
            "%.1f ms, p99 %.1f ms; batches waited p50 %.1f ms, p99 %.1f ms",
            id, (int)b->host.len, b->host.data, (unsigned)b->port,
            kloop_broker_state_name(b->state), (double)b->state_ns / 1e9, (unsigned)b->in_flight,
            (ull)b->requests, ms_at(b->rtt_us, 500000), ms_at(b->rtt_us, 990000),
            ms_at(b->wait_us, 500000), ms_at(b->wait_us, 990000));
    if (b->throttled_ns)
        fprintf(to, "; throttled for %.0f ms more", (double)b->throttled_ns / 1e6);
    if (b->trouble.len)
        fprintf(to, "; last trouble: %.*s", (int)b->trouble.len, b->trouble.data);
    fputc('\n', to);
}

static void print_topic(const kloop_topic_stats *t, FILE *to)
{
    fprintf(to,
            "  topic %.*s  %d partitions (%d led): %llu acked, %llu failed, %llu unknown, %llu "
            "batches waiting",
            (int)t->name.len, t->name.data, (int)t->partition_count, (int)t->led, (ull)t->acked,
            (ull)t->failed, (ull)t->unknown, (ull)t->batches_waiting);
    if (t->parked)
        fprintf(to, ", %llu records without a partition", (ull)t->parked);
    fputc('\n', to);
}

static void print_why(const kloop_topic *topic, const kloop_topic_stats *t, int32_t partition,
                      ull records, FILE *to)
{
    char why[600];
    kloop_why_waiting(topic, partition, why, sizeof why);
    fprintf(to, "  %.*s", (int)t->name.len, t->name.data);
    if (partition >= 0)
        fprintf(to, "[%d]", (int)partition);
    fprintf(to, ": %llu records %s\n", records, why);
}

/* Those that are held up, and why; what merely waits its turn is counted. */
static void print_waiting(kloop_producer *p, const kloop_snapshot *s, FILE *to)
{
    size_t more = 0;
    size_t shown = 0;
    size_t waiting = 0;
    for (size_t i = 0; i < s->topic_count; i++) {
        const kloop_topic_stats *t = &s->topics[i];
        kloop_topic *topic = NULL;
        bool any = t->parked > 0;
        for (size_t k = 0; k < t->row_count; k++)
            any |= s->partitions[t->first_row + k].waiting >= KLOOP_WAITING_METADATA;
        /* The handle of a topic that is there already. */
        if (any && kloop_topic_get(p, t->name.data, &topic, NULL) != KLOOP_OK)
            continue;
        if (t->parked > 0 && shown++ < SUSPENDED_MAX)
            print_why(topic, t, -1, (ull)t->parked, to);
        for (size_t k = 0; k < t->row_count; k++) {
            const kloop_partition_stats *row = &s->partitions[t->first_row + k];
            waiting += row->waiting != KLOOP_WAITING_NOTHING;
            if (row->waiting < KLOOP_WAITING_METADATA)
                continue;
            if (shown++ < SUSPENDED_MAX)
                print_why(topic, t, row->index, (ull)(row->queued + row->in_flight), to);
            else
                more++;
        }
    }
    if (more)
        fprintf(to, "  and %zu other partitions\n", more);
    if (shown == 0)
        fprintf(to, "  nothing is held up; %zu partitions have records under way\n", waiting);
}

void kl_snapshot_print(kloop_producer *p, FILE *to)
{
    kloop_snapshot *s;
    if (kloop_take_snapshot(p, KLOOP_SNAPSHOT_ALL, NULL, &s) != KLOOP_OK) {
        fputs("there is no memory for a snapshot\n", to);
        return;
    }
    print_producer(s, to);
    for (size_t i = 0; i < s->broker_count; i++)
        /* An entry of bootstrap.servers is of interest while it is all there is. */
        if (s->brokers[i].id >= 0 || s->brokers[i].state != KLOOP_BROKER_IDLE)
            print_broker(&s->brokers[i], to);
    for (size_t i = 0; i < s->topic_count && i < TOPICS_MAX; i++)
        print_topic(&s->topics[i], to);
    if (s->topic_count > TOPICS_MAX)
        fprintf(to, "  and %zu other topics\n", s->topic_count - TOPICS_MAX);
    print_waiting(p, s, to);
    kloop_snapshot_del(s);
    fflush(to);
}

bool kl_snapshot_write_json(kloop_producer *p, kloop_snapshot **since, FILE *to)
{
    kloop_snapshot *s;
    if (kloop_take_snapshot(p, KLOOP_SNAPSHOT_ALL, NULL, &s) != KLOOP_OK)
        return false;
    kloop_text_place at = {0};
    char buffer[4096];
    for (size_t n; (n = kloop_json(s, *since, &at, buffer, sizeof buffer)) > 0;)
        fwrite(buffer, 1, n, to);
    fputc('\n', to);
    fflush(to);
    kloop_snapshot_del(*since);
    *since = s;
    return true;
}
