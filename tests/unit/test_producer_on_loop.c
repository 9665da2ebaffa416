/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole producer on a libuv loop, with a model cluster on the other side of real sockets: what
 * <kloop/kloop.h> promises, from the first record to a loop that can be closed. All of it once with
 * plain bytes, and once through a filter that splits them anew at random.
 */
#define _GNU_SOURCE
#include "broker/truth.h"
#include "driver/uv_producer.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/loop_broker.h"
#include "tests/support/splitting_filter.h"

#include <kloop/kloop.h>

#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define GUARD_MS   60000
#define PARTITIONS 4

typedef struct world {
    uv_loop_t loop;
    uv_timer_t guard;
    kl_cluster *cluster;
    kl_loop_broker *broker;
    int32_t topic_handle;
    kl_fail_alloc memory;
    kloop_producer *producer;
    kloop_topic *topic;
    uint64_t reported[3]; /* by outcome */
    uint64_t wanted;      /* records that go_on() sends */
    uint64_t refused_full;
    int writables;
    int flushed;
    int chunks;
    int loans_out;
    int closed;
    kloop_stats stats; /* of the closed producer */
    char log[4096];
    size_t fds_before;
    int dead_turns;
} world;

static bool late;

static bool through_filters;
static splitting_filters near_end, far_end;

static void on_guard(uv_timer_t *guard)
{
    (void)guard;
    late = true;
}

static size_t count_fds(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    world *w = me;
    assert_ptr_equal(p, w->producer);
    assert_true(run->count > 0);
    w->reported[run->outcome] += run->record_count;
    assert_int_equal(run->outcome == KLOOP_OUTCOME_ACKED, run->text[0] == '\0');
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    world *w = me;
    size_t len = strlen(w->log);
    (void)p;
    (void)level;
    snprintf(w->log + len, sizeof w->log - len, "%s\n", text);
}

static void on_closed(kloop_producer *p, void *me)
{
    world *w = me;
    kloop_get_stats(p, &w->stats);
    w->closed++;
}

static void on_flushed(kloop_producer *p, void *me)
{
    (void)p;
    ((world *)me)->flushed++;
}

static void open_cluster(world *w, int32_t brokers)
{
    memset(w, 0, sizeof *w);
    late = false;
    /* libuv's pipe for signals is the process's: the first loop makes it, none takes it away. */
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    w->fds_before = count_fds();
    assert_int_equal(uv_loop_init(&w->loop), 0);
    uv_timer_init(&w->loop, &w->guard);
    uv_timer_start(&w->guard, on_guard, GUARD_MS, 0);
    uv_unref((uv_handle_t *)&w->guard);
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.broker_count = brokers;
    w->cluster = kl_cluster_new(&config);
    assert_non_null(w->cluster);
    kl_topic_config topic = {.name = "events", .partitions = PARTITIONS, .replication_factor = 1};
    assert_int_equal(kl_cluster_add_topic(w->cluster, &topic, &w->topic_handle), KL_CLUSTER_OK);
    w->broker = kl_loop_broker_new(&w->loop, w->cluster, brokers);
    if (through_filters) {
        splitting_filters_init(&near_end, 1, false);
        splitting_filters_init(&far_end, 2, true);
        kl_loop_broker_set_filters(w->broker, splitting_filters_maker(&far_end));
    }
}

/* Before its first turn, so before it connects. */
static void put_filters(kloop_producer *p)
{
    if (through_filters)
        p->filters = splitting_filters_maker(&near_end);
}

/* settings: "key", "value", ..., NULL */
static void open_producer(world *w, const char *servers, const char *const *settings)
{
    kloop_error error = {0};
    kl_fail_alloc_init(&w->memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&w->memory);
    kloop_config *config = kloop_config_new(NULL);
    assert_int_equal(kloop_config_set(config, "bootstrap.servers", servers), KLOOP_OK);
    for (; settings && *settings; settings += 2)
        assert_int_equal(kloop_config_set(config, settings[0], settings[1]), KLOOP_OK);
    kloop_status status = kloop_open_with(&w->producer, &w->loop, config, &alloc, &error);
    kloop_config_del(config);
    if (status)
        fail_msg("%s", error.text);
    put_filters(w->producer);
    kloop_on_delivery(w->producer, on_delivery, w);
    kloop_on_log(w->producer, on_log, w);
    assert_int_equal(kloop_topic_get(w->producer, "events", &w->topic, &error), KLOOP_OK);
}

static void open_world(world *w, int32_t brokers, const char *const *settings)
{
    open_cluster(w, brokers);
    open_producer(w, kl_loop_broker_servers(w->broker), settings);
}

/* A loop that ends before that is as wrong as one that takes too long. */
static void turn(world *w, const char *waiting_for)
{
    bool alive = uv_run(&w->loop, UV_RUN_ONCE) != 0;
    if (late)
        fail_msg("waited %d s for: %s\n%s", GUARD_MS / 1000, waiting_for, w->log);
    w->dead_turns = alive ? 0 : w->dead_turns + 1;
    if (w->dead_turns > 3)
        fail_msg("the loop has ended before: %s\n%s", waiting_for, w->log);
}

#define RUN_UNTIL(w, condition)                                                                    \
    do {                                                                                           \
        while (!(condition))                                                                       \
            turn((w), #condition);                                                                 \
    } while (0)

/* Nothing is left of the producer: no handle, no memory, no descriptor, no record without a report.
 */
static void close_world(world *w, uint64_t timeout_ms)
{
    if (!w->closed)
        kloop_close(w->producer, timeout_ms, on_closed, w);
    RUN_UNTIL(w, w->closed);
    assert_int_equal(w->closed, 1);
    const kloop_stats *s = &w->stats;
    assert_int_equal(s->pending, 0);
    assert_int_equal(s->accepted, s->acked + s->failed + s->unknown);
    assert_int_equal(s->acked, w->reported[KLOOP_OUTCOME_ACKED]);
    assert_int_equal(s->failed, w->reported[KLOOP_OUTCOME_FAILED]);
    assert_int_equal(s->unknown, w->reported[KLOOP_OUTCOME_UNKNOWN]);
    kl_fail_alloc_check(&w->memory);
    kl_loop_broker_close(w->broker);
    uv_close((uv_handle_t *)&w->guard, NULL);
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    kl_cluster_del(w->cluster);
    assert_int_equal(count_fds(), w->fds_before);
    assert_int_equal(near_end.live, 0);
    assert_int_equal(far_end.live, 0);
}

static kloop_status send_bytes(world *w, const void *bytes, size_t len)
{
    return kloop_send(w->topic, &(kloop_record){.value = {bytes, len}, .user = w});
}

static void send_some(world *w, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(send_bytes(w, "hello", 5), KLOOP_OK);
}

static uint64_t stored(world *w)
{
    uint64_t records = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        kl_partition_info info;
        kl_cluster_partition_info(w->cluster, w->topic_handle, p, &info);
        records += info.records;
    }
    return records;
}

/* ---- The straight way ---- */

static void test_send_and_ack(void **state)
{
    (void)state;
    for (int32_t brokers = 1; brokers <= 3; brokers += 2) {
        world w;
        open_world(&w, brokers, NULL);
        send_some(&w, 1000);
        assert_int_equal(kloop_flush(w.producer, on_flushed, &w), KLOOP_OK);
        assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 0);
        RUN_UNTIL(&w, w.flushed);
        assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 1000);
        assert_int_equal(stored(&w), 1000);
        close_world(&w, 10000);
        assert_true(w.stats.ever_ready);
        assert_int_equal(w.stats.retries, 0);
    }
}

/* The loop is ours: it ends by itself, once all is reported, without a flush or a close. */
static void test_loop_ends_when_idle(void **state)
{
    (void)state;
    world w;
    open_world(&w, 1, NULL);
    /* Nothing was sent yet: nobody has to wait. */
    assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
    for (int i = 1; i <= 3; i++) {
        send_some(&w, 10);
        uv_run(&w.loop, UV_RUN_DEFAULT);
        assert_false(late);
        assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], i * 10);
    }
    close_world(&w, 10000);
}

static void test_one_thread(void **state)
{
    (void)state;
    world w;
    char line[256];
    int threads = 0;
    open_cluster(&w, 1);
    char servers[64];
    /* A name, so that the resolver has been at work. */
    snprintf(servers, sizeof servers, "localhost:%u", (unsigned)kl_loop_broker_port(w.broker, 1));
    open_producer(&w, servers, NULL);
    send_some(&w, 10);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 10);
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status))
        (void)sscanf(line, "Threads: %d", &threads);
    fclose(status);
    assert_int_equal(threads, 1);
    close_world(&w, 10000);
}

/* ---- Chunks, borrowed values, batches of others ---- */

static void on_chunk(kloop_producer *p, const kloop_chunk_report *chunk, void *me)
{
    world *w = me;
    (void)p;
    assert_ptr_equal(chunk->user, &w->topic);
    assert_int_equal(chunk->outcome, KLOOP_OUTCOME_ACKED);
    w->reported[KLOOP_OUTCOME_ACKED] += chunk->acked;
    w->chunks++;
}

/* What comes back is not looked at any more. */
static void on_release(kloop_producer *p, const kloop_loan *loans, size_t count, void *me)
{
    world *w = me;
    (void)p;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(loans[i].value.data, loans[i].lender);
        memset(loans[i].lender, 0xa5, loans[i].value.len);
        free(loans[i].lender);
        w->loans_out--;
    }
}

static uint8_t *some_bytes(size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + len);
    return bytes;
}

static void send_lent(world *w, kloop_chunk *chunk, size_t len)
{
    uint8_t *bytes = some_bytes(len);
    const kloop_record r = {.value = {bytes, len},
                            .set = KLOOP_SET_BORROWED | (chunk ? KLOOP_SET_CHUNK : 0),
                            .lender = bytes,
                            .chunk = chunk};
    assert_int_equal(kloop_send(w->topic, &r), KLOOP_OK);
    w->loans_out++;
}

static void send_encoded(world *w, size_t records)
{
    const kloop_batch_record r = {.value = {(const uint8_t *)"hello", 5}};
    kloop_batch_record list[16];
    kloop_batch_header header;
    assert_in_range(records, 1, 16);
    for (size_t i = 0; i < records; i++) {
        list[i] = r;
        list[i].offset = (int64_t)i;
    }
    kloop_batch_header_fit(&header, list, records);
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    size_t cap = kloop_batch_size_max(&header, list, records);
    size_t used;
    uint8_t *bytes = malloc(cap);
    assert_non_null(bytes);
    assert_int_equal(kloop_batch_encode(writer, &header, list, records, bytes, cap, &used, NULL),
                     KLOOP_OK);
    kloop_batch_writer_del(writer);
    const kloop_encoded batch = {
        .bytes = {bytes, used}, .set = KLOOP_SET_BORROWED, .lender = bytes, .user = w};
    assert_int_equal(kloop_send_batch(w->topic, &batch), KLOOP_OK);
    w->loans_out++;
}

static void test_chunks_and_loans(void **state)
{
    (void)state;
    const char *const codecs[] = {"none", "lz4"};
    for (int i = 0; i < 2; i++) {
        const char *const settings[] = {"compression.type", codecs[i], NULL};
        world w;
        kloop_chunk *chunk;
        open_world(&w, 2, settings);
        kloop_on_chunk(w.producer, on_chunk, &w);
        kloop_on_release(w.producer, on_release, &w);
        assert_int_equal(kloop_chunk_begin(w.producer, &w.topic, &chunk), KLOOP_OK);
        for (int n = 0; n < 10; n++) {
            send_lent(&w, chunk, 65536);
            send_lent(&w, NULL, 30000);
            send_lent(&w, chunk, 40); /* is copied, and comes back all the same */
            send_encoded(&w, 7);
        }
        kloop_chunk_end(chunk);
        RUN_UNTIL(&w, w.chunks == 1 && w.reported[KLOOP_OUTCOME_ACKED] == 100);
        assert_int_equal(stored(&w), 100);
        /* Some more on the way out. */
        send_lent(&w, NULL, 200000);
        close_world(&w, 10000);
        assert_int_equal(w.loans_out, 0);
    }
}

/* ---- Back-pressure ---- */

static void go_on(kloop_producer *p, void *me)
{
    world *w = me;
    static uint8_t value[1000];
    (void)p;
    while (w->wanted > 0) {
        kloop_status status = send_bytes(w, value, sizeof value);
        if (status == KLOOP_FULL) {
            w->refused_full++;
            return;
        }
        assert_int_equal(status, KLOOP_OK);
        w->wanted--;
    }
}

static void on_writable(kloop_producer *p, void *me)
{
    ((world *)me)->writables++;
    go_on(p, me);
}

static void test_back_pressure(void **state)
{
    (void)state;
    const char *const settings[] = {"buffer.memory", "2097152", "batch.size", "65536", NULL};
    world w;
    open_world(&w, 2, settings);
    kloop_on_writable(w.producer, on_writable, &w);
    kl_loop_broker_stall(w.broker, true);
    w.wanted = 50000;
    go_on(w.producer, &w);
    assert_int_equal(w.refused_full, 1);
    for (int i = 0; i < 20; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    /* Nobody listens: no room, and nobody is told that there is. */
    assert_int_equal(w.writables, 0);
    kl_loop_broker_stall(w.broker, false);
    RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 50000);
    /* One word for each refusal, and memory that stayed near what it may be. */
    assert_int_equal(w.writables, w.refused_full);
    assert_true(w.refused_full >= 10);
    assert_true(w.memory.peak_bytes < 2097152 + 4000000);
    assert_int_equal(stored(&w), 50000);
    close_world(&w, 10000);
}

/* Sending from the delivery callback, for ever as it seems: the loop still turns. */
static void send_again(kloop_producer *p, const kloop_report *run, void *me)
{
    world *w = me;
    on_delivery(p, run, me);
    for (size_t i = 0; i < run->count && w->wanted > 0; i++, w->wanted--)
        assert_int_equal(send_bytes(w, "again", 5), KLOOP_OK);
}

static void test_send_from_delivery(void **state)
{
    (void)state;
    world w;
    open_world(&w, 1, NULL);
    kloop_on_delivery(w.producer, send_again, &w);
    w.wanted = 20000;
    send_some(&w, 100);
    RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 20100);
    assert_int_equal(stored(&w), 20100);
    close_world(&w, 10000);
}

/* ---- Trouble ---- */

/* Connections are torn while megabytes are on their way: every record arrives once. */
static void test_resets_while_writing(void **state)
{
    (void)state;
    const char *const settings[] = {
        "reconnect.backoff.ms", "1", "retry.backoff.ms", "1", "linger.ms", "0", NULL};
    world w;
    open_world(&w, 2, settings);
    kloop_on_writable(w.producer, on_writable, &w);
    w.wanted = 40000;
    go_on(w.producer, &w);
    for (uint64_t acked = 2000; acked <= 10000; acked += 2000) {
        RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] >= acked);
        kl_loop_broker_reset(w.broker);
    }
    RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 40000);
    assert_int_equal(stored(&w), 40000);
    close_world(&w, 10000);
    assert_true(w.stats.disconnects >= 1);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    const char *const settings[] = {"delivery.timeout.ms",
                                    "300",
                                    "request.timeout.ms",
                                    "200",
                                    "linger.ms",
                                    "0",
                                    "max.block.ms",
                                    "250",
                                    NULL};
    world w;
    open_cluster(&w, 1);
    char servers[64];
    uint16_t port = kl_loop_broker_port(w.broker, 1);
    /* A port that was free a moment ago: the listener of another loop that is gone. */
    world other;
    open_cluster(&other, 1);
    port = kl_loop_broker_port(other.broker, 1);
    kl_loop_broker_close(other.broker);
    uv_close((uv_handle_t *)&other.guard, NULL);
    uv_run(&other.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&other.loop), 0);
    kl_cluster_del(other.cluster);

    snprintf(servers, sizeof servers, "127.0.0.1:%u", (unsigned)port);
    open_producer(&w, servers, settings);
    send_some(&w, 3);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.reported[KLOOP_OUTCOME_FAILED], 3);
    char wanted[96];
    snprintf(wanted, sizeof wanted, "127.0.0.1:%u", (unsigned)port);
    assert_non_null(strstr(w.log, wanted));
    assert_non_null(strstr(w.log, "Connection refused"));
    close_world(&w, 1000);
    assert_false(w.stats.ever_ready);
}

/* ---- Closing ---- */

/* At every turn of the loop, with records under way: closed in time, and all are reported. */
static void test_close_after_turns(void **state)
{
    (void)state;
    for (int turns = 0; turns < 30; turns++) {
        world w;
        open_world(&w, 2, NULL);
        send_some(&w, 500);
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        close_world(&w, turns % 3 == 0 ? 0 : 10000);
        assert_int_equal(w.stats.accepted, 500);
        if (turns % 3 != 0)
            assert_int_equal(w.stats.acked, 500);
        if (turns % 3 != 0)
            assert_int_equal(w.reported[KLOOP_OUTCOME_ACKED], 500);
    }
}

/* The other side does not answer at all: the time that was given holds. */
static void test_close_stalled(void **state)
{
    (void)state;
    for (int connected = 0; connected < 2; connected++) {
        world w;
        open_world(&w, 1, NULL);
        if (connected) {
            send_some(&w, 1);
            uv_run(&w.loop, UV_RUN_DEFAULT);
        }
        kl_loop_broker_stall(w.broker, true);
        send_some(&w, 100);
        for (int i = 0; i < 10; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        close_world(&w, 50);
        assert_int_equal(w.stats.failed + w.stats.unknown, 100);
    }
}

static void close_in_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    world *w = me;
    on_delivery(p, run, me);
    kloop_close(p, 10000, on_closed, w);
    assert_int_equal(send_bytes(w, "late", 4), KLOOP_CLOSED);
    kloop_topic *topic;
    kloop_error error;
    assert_int_equal(kloop_topic_get(p, "other", &topic, &error), KLOOP_CLOSED);
    assert_non_null(strstr(error.text, "closed"));
}

static void test_close_in_delivery(void **state)
{
    (void)state;
    world w;
    open_world(&w, 1, NULL);
    kloop_on_delivery(w.producer, close_in_delivery, &w);
    send_some(&w, 100);
    RUN_UNTIL(&w, w.closed);
    close_world(&w, 0);
    assert_int_equal(w.stats.acked, 100);
}

/* A name that is being asked for when everything ends. */
static void test_close_while_resolving(void **state)
{
    (void)state;
    /* Takes questions and never answers. */
    char servers[32];
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof own;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", (unsigned)ntohs(own.sin_port));
    for (int turns = 0; turns < 4; turns++) {
        world w;
        open_cluster(&w, 1);
        open_producer(&w, "kloop.invalid:9092", NULL);
        w.producer->resolver.servers = servers;
        send_some(&w, 10);
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        close_world(&w, 10);
        assert_int_equal(w.stats.failed, 10);
    }
    close(fd);
}

/* A configuration that says nothing sensible leaves the loop as it was. */
static void test_bad_config(void **state)
{
    (void)state;
    uv_loop_t loop;
    kloop_error error;
    kloop_producer *p;
    assert_int_equal(uv_loop_init(&loop), 0);
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", "localhost:9092");
    kloop_config_set(config, "lingr.ms", "5");
    assert_int_equal(kloop_open(&p, &loop, config, &error), KLOOP_BAD_CONFIG);
    assert_null(p);
    assert_non_null(strstr(error.text, "lingr.ms"));
    kloop_config_del(config);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Each allocation of opening, sending and closing fails once: nothing is lost, nothing left. */
static void test_no_memory(void **state)
{
    (void)state;
    world w;
    open_cluster(&w, 1);
    for (size_t nth = 1;; nth++) {
        kloop_config *config = kloop_config_new(NULL);
        kloop_config_set(config, "bootstrap.servers", kl_loop_broker_servers(w.broker));
        kloop_config_set(config, "reconnect.backoff.ms", "1");
        kloop_config_set(config, "reconnect.backoff.max.ms", "2");
        kloop_config_set(config, "retry.backoff.ms", "1");
        kl_fail_alloc_init(&w.memory, nth);
        kloop_allocator alloc = kl_fail_alloc_table(&w.memory);
        kloop_status status = kloop_open_with(&w.producer, &w.loop, config, &alloc, NULL);
        kloop_config_del(config);
        memset(w.reported, 0, sizeof w.reported);
        w.closed = w.dead_turns = 0;
        if (status == KLOOP_OK) {
            uint64_t accepted = 0;
            put_filters(w.producer);
            kloop_on_delivery(w.producer, on_delivery, &w);
            if (kloop_topic_get(w.producer, "events", &w.topic, NULL) == KLOOP_OK) {
                for (int i = 0; i < 10; i++)
                    accepted += send_bytes(&w, "hello", 5) == KLOOP_OK;
            }
            for (int i = 0; i < 10; i++)
                uv_run(&w.loop, UV_RUN_NOWAIT);
            /* Short: what had no memory may wait for ever. */
            kloop_close(w.producer, 100, on_closed, &w);
            RUN_UNTIL(&w, w.closed);
            assert_int_equal(w.stats.accepted, accepted);
            assert_int_equal(w.reported[0] + w.reported[1] + w.reported[2], accepted);
        } else {
            assert_int_equal(status, KLOOP_NO_MEMORY);
        }
        size_t refused = w.memory.refused;
        kl_fail_alloc_check(&w.memory);
        if (!refused)
            break;
    }
    /* One more, with nothing failing, for close_world to look at. */
    w.closed = 0;
    memset(w.reported, 0, sizeof w.reported);
    open_producer(&w, kl_loop_broker_servers(w.broker), NULL);
    close_world(&w, 1000);
}

/* A shorter linger.ms for a topic counts also while the loop sleeps. It was noticed only when
 * something else woke the producer. */
static void test_linger_is_shortened(void **state)
{
    (void)state;
    world w;
    static const char *const settings[] = {"linger.ms", "90000", NULL};
    open_world(&w, 1, settings);
    send_some(&w, 1);
    assert_int_equal(kloop_flush(w.producer, on_flushed, &w), KLOOP_OK);
    RUN_UNTIL(&w, w.flushed);
    send_some(&w, 1);
    for (int i = 0; i < 5; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    kloop_error error;
    kloop_stats before, after;
    kloop_get_stats(w.producer, &before);
    assert_int_equal(kloop_topic_set(w.topic, "linger.ms", "0", &error), KLOOP_OK);
    for (int i = 0; i < 5; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
    kloop_get_stats(w.producer, &after);
    assert_int_equal(after.requests, before.requests + 1);
    RUN_UNTIL(&w, w.reported[KLOOP_OUTCOME_ACKED] == 2);
    close_world(&w, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send_and_ack),
        cmocka_unit_test(test_loop_ends_when_idle),
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_chunks_and_loans),
        cmocka_unit_test(test_linger_is_shortened),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_send_from_delivery),
        cmocka_unit_test(test_resets_while_writing),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_close_after_turns),
        cmocka_unit_test(test_close_stalled),
        cmocka_unit_test(test_close_in_delivery),
        cmocka_unit_test(test_close_while_resolving),
        cmocka_unit_test(test_bad_config),
        cmocka_unit_test(test_no_memory),
    };
    int failed = cmocka_run_group_tests_name("straight", tests, NULL, NULL);
    through_filters = true;
    return failed + cmocka_run_group_tests_name("through filters", tests, NULL, NULL);
}
