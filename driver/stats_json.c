/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot as librdkafka's statistics. See <kloop/stats_text.h>.
 *
 *     { the producer, "brokers": { a row each }, "topics": { a row each, with its partitions },
 * "eos" }
 *
 * Programs that read librdkafka's statistics into a fixed struct miss each name that is not there:
 * what a producer has no use for is written as librdkafka's producer does, 0 or -1001.
 */
#include "driver/text_window.h"

#include <kloop/stats_text.h>

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

/* The pieces of the text, in their order. */
enum { AT_BEGIN, AT_BROKERS, AT_BETWEEN, AT_TOPICS, AT_END, AT_NOTHING };

typedef struct writing {
    const kloop_snapshot *s;
    const kloop_snapshot *since;
    kl_text_window w;
} writing;

/* ---- Windows ---- */

static double root_of(double n)
{
    double root = n > 1 ? n : 1;
    for (int i = 0; i < 64; i++)
        root = (root + n / root) / 2;
    return root;
}

static uint64_t deviation_of(const kloop_histogram *h, uint64_t count)
{
    double mean = (double)h->sum / (double)count;
    double sum = 0;
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++) {
        double middle = (double)(kloop_histogram_floor(i) + kloop_histogram_floor(i + 1) - 1) / 2;
        sum += (double)h->slots[i] * (middle - mean) * (middle - mean);
    }
    return (uint64_t)root_of(sum / (double)count);
}

static uint64_t smallest_of(const kloop_histogram *h)
{
    unsigned i = 0;
    while (i < KLOOP_HISTOGRAM_SLOTS && h->slots[i] == 0)
        i++;
    return i < KLOOP_HISTOGRAM_SLOTS ? kloop_histogram_floor(i) : 0;
}

/* Is was an earlier state of h? Not when a broker was forgotten and came back: it began anew. */
static bool is_later(const kloop_histogram *h, const kloop_histogram *was)
{
    for (unsigned i = 0; i < KLOOP_HISTOGRAM_SLOTS; i++)
        if (h->slots[i] < was->slots[i])
            return false;
    return h->sum >= was->sum;
}

/* unit: what 1 is in the text. */
static void put_window(kl_text_window *w, const char *name, const kloop_histogram *h,
                       const kloop_histogram *since, uint64_t unit)
{
    kloop_histogram now = {0};
    if (h)
        now = *h;
    if (h && since && is_later(h, since))
        kloop_histogram_subtract(&now, since);
    uint64_t count = kloop_histogram_count(&now);
    kl_text_print(w,
                  ",\"%s\":{\"min\":%llu,\"max\":%llu,\"avg\":%llu,\"sum\":%llu,\"stddev\":%llu,"
                  "\"p50\":%llu,\"p75\":%llu,\"p90\":%llu,",
                  name, (ull)(smallest_of(&now) / unit), (ull)(count ? now.max / unit : 0),
                  (ull)(count ? now.sum / count / unit : 0), (ull)(now.sum / unit),
                  (ull)(count ? deviation_of(&now, count) / unit : 0),
                  (ull)(kloop_histogram_at(&now, 500000) / unit),
                  (ull)(kloop_histogram_at(&now, 750000) / unit),
                  (ull)(kloop_histogram_at(&now, 900000) / unit));
    kl_text_print(w,
                  "\"p95\":%llu,\"p99\":%llu,\"p99_99\":%llu,\"outofrange\":0,\"hdrsize\":%zu,"
                  "\"cnt\":%llu}",
                  (ull)(kloop_histogram_at(&now, 950000) / unit),
                  (ull)(kloop_histogram_at(&now, 990000) / unit),
                  (ull)(kloop_histogram_at(&now, 999900) / unit), sizeof now, (ull)count);
}

/* Of what only the sum is known: all of them are like the mean. */
static void put_mean(kl_text_window *w, const char *name, uint64_t sum, uint64_t count)
{
    ull mean = count ? sum / count : 0;
    kl_text_print(w,
                  ",\"%s\":{\"min\":%llu,\"max\":%llu,\"avg\":%llu,\"sum\":%llu,\"stddev\":0,"
                  "\"p50\":%llu,\"p75\":%llu,\"p90\":%llu,\"p95\":%llu,\"p99\":%llu,\"p99_99\":%"
                  "llu,\"outofrange\":0,\"hdrsize\":0,\"cnt\":%llu}",
                  name, mean, mean, mean, (ull)sum, mean, mean, mean, mean, mean, mean, (ull)count);
}

/* ---- The producer ---- */

static void put_begin(writing *j)
{
    const kloop_snapshot *s = j->s;
    const kloop_stats *n = &s->totals;
    kl_text_window *w = &j->w;
    kl_text_put_text(w, "{\"name\":");
    kl_text_put_json(w, s->client_id);
    kl_text_put_text(w, ",\"client_id\":");
    kl_text_put_json(w, s->client_id);
    kl_text_print(w,
                  ",\"type\":\"producer\",\"ts\":%llu,\"time\":%lld,\"age\":%llu,\"replyq\":0,"
                  "\"msg_cnt\":%llu,\"msg_size\":%llu,\"msg_max\":0,\"msg_size_max\":%llu,"
                  "\"simple_cnt\":0,\"metadata_cache_cnt\":%zu",
                  (ull)(s->taken_ns / 1000), (long long)(s->taken_ms / 1000),
                  (ull)(s->age_ns / 1000), (ull)n->pending, (ull)n->held_bytes,
                  (ull)s->memory_bytes, s->topic_count);
    kl_text_print(w,
                  ",\"tx\":%llu,\"tx_bytes\":%llu,\"rx\":%llu,\"rx_bytes\":%llu,\"txmsgs\":%llu,"
                  "\"txmsg_bytes\":%llu,\"rxmsgs\":0,\"rxmsg_bytes\":0",
                  (ull)n->requests, (ull)n->bytes_out, (ull)s->answers, (ull)n->bytes_in,
                  (ull)s->sent, (ull)s->sent_bytes);
    /* What librdkafka has no name for. */
    kl_text_print(w,
                  ",\"kloop\":{\"accepted\":%llu,\"acked\":%llu,\"failed\":%llu,\"unknown\":%llu,"
                  "\"refused_full\":%llu,\"batches\":%llu,\"batches_split\":%llu,\"retries\":%llu,"
                  "\"epoch_bumps\":%llu,\"connects\":%llu,\"disconnects\":%llu,"
                  "\"authentications\":%llu,\"reauthentications\":%llu,\"refusals\":%llu",
                  (ull)n->accepted, (ull)n->acked, (ull)n->failed, (ull)n->unknown,
                  (ull)n->refused_full, (ull)n->batches, (ull)n->batches_split, (ull)n->retries,
                  (ull)n->epoch_bumps, (ull)n->connects, (ull)n->disconnects,
                  (ull)n->authentications, (ull)n->reauthentications, (ull)n->refusals);
    kl_text_print(w,
                  ",\"produce_requests\":%llu,\"sent_batches\":%llu,\"plain_bytes\":%llu,"
                  "\"receive_bytes\":%llu,\"full\":%s,\"fatal\":",
                  (ull)s->produce_requests, (ull)s->sent_batches, (ull)s->sent_plain_bytes,
                  (ull)n->receive_bytes, s->full ? "true" : "false");
    kl_text_put_json(w, s->fatal);
    const kloop_snapshot *since = j->since;
    put_window(w, "age_us", s->age_us, since ? since->age_us : NULL, 1);
    put_window(w, "batch_bytes", s->batch_bytes, since ? since->batch_bytes : NULL, 1);
    put_window(w, "batch_records", s->batch_records, since ? since->batch_records : NULL, 1);
    kl_text_put_text(w, "},\"brokers\":{");
}

static void put_end(writing *j)
{
    const kloop_snapshot *s = j->s;
    kl_text_put_text(&j->w, "}");
    if (s->idempotent)
        kl_text_print(
            &j->w,
            ",\"eos\":{\"idemp_state\":\"%s\",\"idemp_stateage\":0,\"txn_state\":\"Init\","
            "\"txn_stateage\":0,\"txn_may_enq\":false,\"producer_id\":%lld,"
            "\"producer_epoch\":%d,\"epoch_cnt\":%llu}",
            s->producer_id >= 0 ? "Assigned" : "WaitPID", (long long)s->producer_id,
            s->producer_id >= 0 ? (int)s->epoch : -1, (ull)s->totals.epoch_bumps);
    kl_text_put_text(&j->w, "}");
}

/* ---- Brokers ---- */

static const char *state_name(kloop_broker_state state)
{
    static const char *const names[] = {
        "INIT", "DOWN", "TRY_CONNECT", "CONNECT", "APIVERSION_QUERY", "UP"};
    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "INIT";
}

static const kloop_broker_stats *earlier_broker(const writing *j, const kloop_broker_stats *b)
{
    for (size_t i = 0; j->since && i < j->since->broker_count; i++)
        if (j->since->brokers[i].id == b->id)
            return &j->since->brokers[i];
    return NULL;
}

static void put_broker(writing *j, const kloop_broker_stats *b, bool first)
{
    static const kloop_broker_stats nothing;
    const kloop_broker_stats *was = earlier_broker(j, b);
    kl_text_window *w = &j->w;
    char name[320];
    char id[16];
    char place[300];
    snprintf(id, sizeof id, "%d", (int)b->id);
    snprintf(place, sizeof place, "%.*s:%u", (int)b->host.len, b->host.data, (unsigned)b->port);
    snprintf(name, sizeof name, "%s/%s", place, b->id < 0 ? "bootstrap" : id);
    was = was ? was : &nothing;
    kl_text_put_text(w, first ? "" : ",");
    kl_text_put_json(w, (kloop_string){name, strlen(name)});
    kl_text_put_text(w, ":{\"name\":");
    kl_text_put_json(w, (kloop_string){name, strlen(name)});
    kl_text_print(w, ",\"nodeid\":%d,\"nodename\":", b->id < 0 ? -1 : (int)b->id);
    kl_text_put_json(w, (kloop_string){place, strlen(place)});
    kl_text_print(w,
                  ",\"source\":\"%s\",\"state\":\"%s\",\"stateage\":%llu,\"outbuf_cnt\":%u,"
                  "\"outbuf_msg_cnt\":0,\"waitresp_cnt\":%u,\"waitresp_msg_cnt\":0,\"tx\":%llu,"
                  "\"txbytes\":%llu,\"txerrs\":%llu,\"txretries\":%llu,\"txidle\":-1,"
                  "\"req_timeouts\":%llu,\"rx\":%llu,\"rxbytes\":%llu",
                  b->id < 0 ? "configured" : "learned", state_name(b->state),
                  (ull)(b->state_ns / 1000), b->unwritten, b->in_flight, (ull)b->requests,
                  (ull)b->bytes_out, (ull)(b->failures + b->disconnects), (ull)b->retries,
                  (ull)b->timeouts, (ull)b->answers, (ull)b->bytes_in);
    kl_text_print(w,
                  ",\"rxerrs\":0,\"rxcorriderrs\":0,\"rxpartial\":0,\"rxidle\":-1,\"req\":{},"
                  "\"zbuf_grow\":0,\"buf_grow\":0,\"wakeups\":0,\"connects\":%llu,"
                  "\"disconnects\":%llu,\"batches\":%llu,\"trouble\":",
                  (ull)b->connects, (ull)b->disconnects, (ull)b->batches);
    kl_text_put_json(w, b->trouble);
    put_window(w, "int_latency", b->wait_us, was->wait_us, 1);
    put_window(w, "outbuf_latency", b->write_us, was->write_us, 1);
    put_window(w, "rtt", b->rtt_us, was->rtt_us, 1);
    put_window(w, "throttle", b->throttle_us, was->throttle_us, 1000);
    kl_text_put_text(w, ",\"toppars\":{}}");
}

/* ---- Topics ---- */

static const kloop_topic_stats *earlier_topic(const writing *j, const kloop_topic_stats *t,
                                              size_t row)
{
    /* Topics keep their order. */
    if (!j->since || row >= j->since->topic_count)
        return NULL;
    const kloop_topic_stats *was = &j->since->topics[row];
    return was->name.len == t->name.len && memcmp(was->name.data, t->name.data, t->name.len) == 0
               ? was
               : NULL;
}

static void put_topic(writing *j, const kloop_topic_stats *t, size_t row)
{
    static const kloop_topic_stats nothing;
    const kloop_topic_stats *was = earlier_topic(j, t, row);
    kl_text_window *w = &j->w;
    was = was ? was : &nothing;
    kl_text_put_text(w, row == 0 ? "" : ",");
    kl_text_put_json(w, t->name);
    kl_text_put_text(w, ":{\"topic\":");
    kl_text_put_json(w, t->name);
    uint64_t known_ns = j->s->metadata_age_ns;
    kl_text_print(w,
                  ",\"age\":%llu,\"metadata_age\":%llu,\"acked\":%llu,\"failed\":%llu,"
                  "\"unknown\":%llu,\"parked\":%llu",
                  (ull)(j->s->age_ns / 1000000),
                  (ull)(known_ns == UINT64_MAX ? 0 : known_ns / 1000000), (ull)t->acked,
                  (ull)t->failed, (ull)t->unknown, (ull)t->parked);
    put_mean(w, "batchsize", t->sent_bytes - was->sent_bytes, t->sent_batches - was->sent_batches);
    put_mean(w, "batchcnt", t->sent - was->sent, t->sent_batches - was->sent_batches);
    kl_text_put_text(w, ",\"partitions\":{");
}

static void put_partition(writing *j, const kloop_partition_stats *p)
{
    kl_text_print(&j->w,
                  "%s\"%d\":{\"partition\":%d,\"broker\":%d,\"leader\":%d,\"desired\":true,"
                  "\"unknown\":%s,\"msgq_cnt\":%llu,\"msgq_bytes\":%llu,\"xmit_msgq_cnt\":0,"
                  "\"xmit_msgq_bytes\":0,\"fetchq_cnt\":0,\"fetchq_size\":0,"
                  "\"fetch_state\":\"none\",\"query_offset\":-1001,\"next_offset\":0,"
                  "\"app_offset\":-1001,\"stored_offset\":-1001,\"stored_leader_epoch\":-1,",
                  p->index == 0 ? "" : ",", (int)p->index, (int)p->index, (int)p->leader,
                  (int)p->leader, p->leader < 0 ? "true" : "false", (ull)p->queued,
                  (ull)p->queued_bytes);
    kl_text_print(&j->w,
                  "\"commited_offset\":-1001,\"committed_offset\":-1001,"
                  "\"committed_leader_epoch\":-1,\"eof_offset\":-1001,\"lo_offset\":-1001,"
                  "\"hi_offset\":-1001,\"ls_offset\":-1001,\"consumer_lag\":-1,"
                  "\"consumer_lag_stored\":-1,\"leader_epoch\":%d,\"txmsgs\":%llu,\"txbytes\":%llu,"
                  "\"rxmsgs\":0,\"rxbytes\":0,",
                  (int)p->leader_epoch, (ull)p->acked, (ull)p->acked_bytes);
    kl_text_print(&j->w,
                  "\"msgs\":%llu,\"rx_ver_drops\":0,\"msgs_inflight\":%llu,\"next_ack_seq\":0,"
                  "\"next_err_seq\":0,\"acked_msgid\":0,\"next_sequence\":%d,\"acked\":%llu,"
                  "\"failed\":%llu,\"unknown_fate\":%llu,\"last_error\":%d,\"waiting\":\"%s\"}",
                  (ull)(p->acked + p->failed + p->unknown + p->queued + p->in_flight),
                  (ull)p->in_flight, (int)p->next_sequence, (ull)p->acked, (ull)p->failed,
                  (ull)p->unknown, (int)p->last_error, kloop_waiting_name(p->waiting));
}

/* The topic's own, a partition, or its end. */
static void put_of_topic(writing *j, size_t row, size_t inner)
{
    const kloop_topic_stats *t = &j->s->topics[row];
    if (inner == 0)
        put_topic(j, t, row);
    else if (inner <= t->row_count)
        put_partition(j, &j->s->partitions[t->first_row + inner - 1]);
    else
        kl_text_put_text(&j->w, "}}");
}

/* ---- Piece by piece ---- */

static void put_piece(writing *j, const kloop_text_place *at)
{
    switch (at->part) {
    case AT_BEGIN:
        put_begin(j);
        return;
    case AT_BROKERS:
        put_broker(j, &j->s->brokers[at->row], at->row == 0);
        return;
    case AT_BETWEEN:
        kl_text_put_text(&j->w, "},\"topics\":{");
        return;
    case AT_TOPICS:
        put_of_topic(j, at->row, at->inner);
        return;
    default:
        put_end(j);
        return;
    }
}

static size_t rows_of(const kloop_snapshot *s, uint32_t part)
{
    return part == AT_BROKERS ? s->broker_count : part == AT_TOPICS ? s->topic_count : 1;
}

static void step_on(const kloop_snapshot *s, kloop_text_place *at)
{
    if (at->part == AT_TOPICS && at->inner <= s->topics[at->row].row_count) {
        at->inner++;
        return;
    }
    at->inner = 0;
    at->row++;
    while (at->part < AT_NOTHING && at->row >= rows_of(s, at->part)) {
        at->row = 0;
        at->part++;
    }
}

size_t kloop_json(const kloop_snapshot *s, const kloop_snapshot *since, kloop_text_place *at,
                  char *buffer, size_t size)
{
    writing j = {.s = s, .since = since, .w = {.to = buffer, .room = size}};
    while (at->part < AT_NOTHING && j.w.len < size) {
        size_t before = j.w.len;
        j.w.skip = at->skip;
        put_piece(&j, at);
        if (j.w.full) {
            at->skip += (uint32_t)(j.w.len - before);
            break;
        }
        at->skip = 0;
        step_on(s, at);
    }
    return j.w.len;
}
