/* SPDX-License-Identifier: BSD-2-Clause */
/* A host and a broker in one. See canned_broker.h. */
#include "bench/canned_broker.h"

#include "base/be.h"
#include "base/mem.h"

#include <kloop/wire.h>

#include <stdio.h>
#include <stdlib.h>

#define TOPIC      "bench"
#define TURN_NS    50000
#define SLICES_MAX 256

static void give_up(const char *what)
{
    fprintf(stderr, "canned broker: %s\n", what);
    exit(2);
}

/* ---- Memory that counts ---- */

static void *counted_alloc(void *ctx, size_t size)
{
    canned_broker *c = ctx;
    void *p = malloc(size);
    c->allocations++;
    if (p)
        c->live_bytes += size;
    return p;
}

static void *counted_resize(void *ctx, void *p, size_t old_size, size_t size)
{
    canned_broker *c = ctx;
    void *moved = realloc(p, size);
    c->allocations++;
    if (moved)
        c->live_bytes += size - old_size;
    return moved;
}

static void counted_release(void *ctx, void *p, size_t size)
{
    if (p)
        ((canned_broker *)ctx)->live_bytes -= size;
    free(p);
}

/* ---- Answers, made once ---- */

#define CAN(buf, api, version, message)                                                            \
    do {                                                                                           \
        kloop_size size_;                                                                          \
        kl_buf_init((buf), &kl_mem_libc);                                                          \
        if (kloop_measure_response((api), (version), (message), &size_, NULL) ||                   \
            !kl_buf_reserve((buf), size_.total, NULL) ||                                           \
            kloop_encode_response((api), (version), 0, (message), (buf)->data, size_.total, NULL)) \
            give_up("an answer could not be encoded");                                             \
        kl_buf_commit((buf), size_.total);                                                         \
    } while (0)

static const kloop_uuid topic_id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static void can_versions(canned_broker *c)
{
    static const kloop_api_version apis[] = {{0, 3, 13}, {3, 0, 13}, {18, 0, 4}, {22, 0, 6}};
    kloop_api_versions_response m;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &m);
    m.api_keys = kloop_array_of(apis, 4);
    CAN(&c->versions, KLOOP_API_VERSIONS, 4, &m);
}

static void can_metadata(canned_broker *c, int32_t count)
{
    kloop_metadata_partition *partitions = calloc((size_t)count, sizeof *partitions);
    if (!partitions)
        give_up("no memory");
    static const int32_t node = 1;
    for (int32_t i = 0; i < count; i++) {
        partitions[i].partition_index = i;
        partitions[i].leader_id = node;
        partitions[i].replica_nodes = kloop_array_of(&node, 1);
        partitions[i].isr_nodes = kloop_array_of(&node, 1);
        partitions[i].offline_replicas = kloop_array_of(&node, 0);
    }
    kloop_metadata_broker broker = {.node_id = node, .host = kloop_text("127.0.0.1"), .port = 9092};
    kloop_metadata_topic topic;
    memset(&topic, 0, sizeof topic);
    topic.name = kloop_text(TOPIC);
    topic.topic_id = topic_id;
    topic.partitions = kloop_array_of(partitions, count);
    topic.topic_authorized_operations = INT32_MIN;
    kloop_metadata_response m;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &m);
    m.brokers = kloop_array_of(&broker, 1);
    m.topics = kloop_array_of(&topic, 1);
    CAN(&c->metadata, KLOOP_METADATA, 13, &m);
    free(partitions);
}

static void can_producer_id(canned_broker *c)
{
    kloop_init_producer_id_response m;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, &m);
    m.producer_id = 4242;
    CAN(&c->producer_id, KLOOP_INIT_PRODUCER_ID, 6, &m);
}

static void can_produce(kl_buf *answer, int32_t first, int32_t count)
{
    kloop_produce_partition_response *partitions = calloc((size_t)count, sizeof *partitions);
    if (!partitions)
        give_up("no memory");
    for (int32_t i = 0; i < count; i++) {
        partitions[i].index = first + i;
        partitions[i].log_append_time_ms = -1;
        partitions[i].error_message = kloop_text(NULL);
        partitions[i].current_leader = (kloop_leader_hint){-1, -1};
    }
    kloop_produce_topic_response topic = {
        .name = {"", 0},
        .topic_id = topic_id,
        .partition_responses = kloop_array_of(partitions, count),
    };
    kloop_produce_response m;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
    m.responses = kloop_array_of(&topic, 1);
    CAN(answer, KLOOP_PRODUCE, 13, &m);
    free(partitions);
}

static void can_produces(canned_broker *c, int32_t partitions, int32_t window)
{
    c->produce_count = (uint32_t)(partitions / window);
    c->produce = calloc(c->produce_count, sizeof *c->produce);
    if (!c->produce)
        give_up("no memory");
    for (uint32_t i = 0; i < c->produce_count; i++)
        can_produce(&c->produce[i], (int32_t)i * window, window);
}

/* ---- The host's side ---- */

static void answer(canned_broker *c, kl_buf *frame, int32_t correlation)
{
    kl_be_store32(frame->data + 4, (uint32_t)correlation);
    for (size_t at = 0; at < frame->len;) {
        size_t room;
        uint8_t *space = kloop_engine_read_space(c->engine, c->conn, &room);
        if (room == 0)
            give_up("there is no space for an answer");
        size_t n = frame->len - at < room ? frame->len - at : room;
        memcpy(space, frame->data + at, n);
        at += n;
        kloop_engine_on_received(c->engine, c->conn, n, c->now);
    }
}

static void answer_oldest(canned_broker *c)
{
    int32_t correlation = c->correlations[0];
    c->waiting--;
    memmove(c->correlations, c->correlations + 1, c->waiting * sizeof *c->correlations);
    answer(c, &c->produce[c->produce_next], correlation);
    c->produce_next = (c->produce_next + 1) % c->produce_count;
}

static void take_request(canned_broker *c, const uint8_t *head)
{
    int32_t correlation = (int32_t)kl_be_load32(head + 8);
    switch (kl_be_load16(head + 4)) {
    case KLOOP_PRODUCE:
        if (c->waiting == CANNED_FLIGHT_MAX)
            give_up("more requests in flight than the engine was told");
        c->correlations[c->waiting++] = correlation;
        return;
    case KLOOP_METADATA:
        answer(c, &c->metadata, correlation);
        return;
    case KLOOP_API_VERSIONS:
        answer(c, &c->versions, correlation);
        return;
    case KLOOP_INIT_PRODUCER_ID:
        answer(c, &c->producer_id, correlation);
        return;
    default:
        give_up("a request that nobody knows");
    }
}

/* Takes all that is to be written; the heads of requests are looked at. */
static void write_all(canned_broker *c)
{
    kloop_slice slices[SLICES_MAX];
    size_t n;
    while ((n = kloop_engine_write_vec(c->engine, c->conn, slices, SLICES_MAX)) > 0) {
        uint8_t heads[64][12];
        size_t head_count = 0;
        size_t total = 0;
        for (size_t i = 0; i < n; i++) {
            if (c->frame_left == 0) {
                memcpy(heads[head_count++], slices[i].data, 12);
                c->frame_left = 4 + (uint64_t)kl_be_load32(slices[i].data);
            }
            c->frame_left -= slices[i].len;
            total += slices[i].len;
        }
        kloop_engine_on_wrote(c->engine, c->conn, total, c->now);
        for (size_t i = 0; i < head_count; i++)
            take_request(c, heads[i]);
    }
}

static void act(canned_broker *c, const kloop_action *a)
{
    static const kloop_address here = {.bytes = {127, 0, 0, 1}, .family = 4};
    switch (a->kind) {
    case KLOOP_ACT_RESOLVE:
        kloop_engine_on_resolved(c->engine, a->id, &here, 1, NULL, c->now);
        return;
    case KLOOP_ACT_CONNECT:
        c->conn = a->id;
        kloop_engine_on_connected(c->engine, a->id, c->now);
        return;
    case KLOOP_ACT_WRITE:
        write_all(c);
        return;
    case KLOOP_ACT_CLOSE:
        kloop_engine_on_closed(c->engine, a->id, c->now);
        return;
    case KLOOP_ACT_DELIVER:
        if (a->report.outcome != KLOOP_OUTCOME_ACKED)
            give_up(a->report.text);
        c->reported += a->report.count;
        c->runs++;
        return;
    case KLOOP_ACT_LOG:
        if (a->level <= KLOOP_LOG_WARN)
            give_up(a->text);
        return;
    default:
        return;
    }
}

void canned_broker_pump(canned_broker *c)
{
    canned_broker_pass(c, TURN_NS);
}

void canned_broker_pass(canned_broker *c, uint64_t ns)
{
    kloop_action a;
    c->now.mono_ns += ns;
    kloop_engine_clock(c->engine, c->now);
    if (kloop_engine_deadline(c->engine) <= c->now.mono_ns)
        kloop_engine_on_time(c->engine, c->now);
    do {
        while (kloop_engine_next(c->engine, &a))
            act(c, &a);
        if (c->waiting <= c->hold)
            return;
        answer_oldest(c);
    } while (true);
}

void canned_broker_send_again(canned_broker *c, const kloop_record *record)
{
    kloop_status status;
    while ((status = kloop_engine_send(c->topic, record)) == KLOOP_FULL) {
        if (c->waiting > 0)
            answer_oldest(c);
        canned_broker_pump(c);
    }
    if (status)
        give_up("a record was refused");
}

void canned_broker_drain(canned_broker *c)
{
    kloop_engine_flush(c->engine, NULL, c->now);
    kloop_stats stats;
    do {
        canned_broker_pump(c);
        if (c->waiting > 0)
            answer_oldest(c);
        canned_broker_pump(c);
        kloop_engine_stats(c->engine, &stats);
    } while (stats.pending > 0);
}

void canned_broker_rest(canned_broker *c, uint64_t ns)
{
    uint64_t end_ns = c->now.mono_ns + ns;
    while (c->now.mono_ns < end_ns) {
        uint64_t next_ns = kloop_engine_deadline(c->engine);
        if (next_ns > c->now.mono_ns)
            c->now.mono_ns = next_ns < end_ns ? next_ns : end_ns;
        canned_broker_pump(c);
    }
}

void canned_broker_init(canned_broker *c, int32_t partitions, int32_t window, uint32_t hold,
                        const char *const *settings)
{
    memset(c, 0, sizeof *c);
    c->hold = hold;
    c->now = (kloop_now){1000000000, 1700000000000};
    can_versions(c);
    can_metadata(c, partitions);
    can_producer_id(c);
    can_produces(c, partitions, window);
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", "127.0.0.1:9092");
    for (size_t i = 0; settings[i]; i += 2)
        if (kloop_config_set(config, settings[i], settings[i + 1]))
            give_up(kloop_config_error(config));
    kloop_allocator alloc = {counted_alloc, counted_resize, counted_release, c};
    kloop_error error;
    if (kloop_engine_new(&c->engine, config, &alloc, 1, c->now, NULL, &error))
        give_up(error.text);
    kloop_config_del(config);
    if (kloop_engine_topic(c->engine, kloop_text(TOPIC), &c->topic))
        give_up("no topic");
    while (kloop_topic_partitions(c->topic) == 0)
        canned_broker_pump(c);
}

void canned_broker_deinit(canned_broker *c)
{
    canned_broker_drain(c);
    kloop_engine_close(c->engine, 0, c->now);
    canned_broker_pump(c);
    kloop_engine_del(c->engine);
    kl_buf_deinit(&c->versions);
    kl_buf_deinit(&c->metadata);
    kl_buf_deinit(&c->producer_id);
    for (uint32_t i = 0; i < c->produce_count; i++)
        kl_buf_deinit(&c->produce[i]);
    free(c->produce);
}
