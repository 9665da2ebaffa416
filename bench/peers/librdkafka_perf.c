/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work of `kloop perf`, done by librdkafka: the same bytes, counted and timed the same way.
 * Flags in peer_job.h, the line that comes out in peer_tally.h.
 *
 *     open -> the first record, delivered -> SENDING -> flush -> the line
 *
 * At full speed reports are taken by the thread that sends, every few records, which costs least;
 * at a rate by a thread of their own, so that none waits for the next record to be due.
 */
#define _GNU_SOURCE
#include "bench/peers/peer_tally.h"

#include "cli/perf_payload.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_RECORDS   256
#define POLL_MS        100
#define LAST_MS        150000 /* longer than delivery.timeout.ms, which ends every record */
#define KEY_LENGTH_MAX 64

/* Java's names. Those left out are the same, or nothing that matters here. preset NULL: none. */
static const struct {
    const char *java, *own, *preset;
    unsigned long divisor;
} keys[] = {
    {"acks", "acks", "all", 0},
    {"batch.size", "batch.size", "1000000", 0},
    {"buffer.memory", "queue.buffering.max.kbytes", "67108864", 1024},
    {"compression.type", "compression.type", "none", 0},
    {"delivery.timeout.ms", "message.timeout.ms", "120000", 0},
    {"enable.idempotence", "enable.idempotence", "true", 0},
    {"linger.ms", "linger.ms", "5", 0},
    {"max.in.flight.requests.per.connection", "max.in.flight.requests.per.connection", "5", 0},
    {"security.protocol", "security.protocol", "plaintext", 0},
    {"ssl.truststore.location", "ssl.ca.location", NULL, 0},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

/* Limits that kloop has not, moved out of the way; and what it always does. */
static const struct {
    const char *own, *value;
} fixed[] = {
    {"batch.num.messages", "1000000"},
    {"queue.buffering.max.messages", "0"},
    {"socket.nagle.disable", "true"},
};

typedef struct run {
    const peer_job *job;
    peer_tally tally;
    kl_perf_payload payload;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    int copy;
    atomic_bool no_more; /* the thread that takes reports is to end */
} run;

/* ---- Opening ---- */

static bool set(const peer_job *job, rd_kafka_conf_t *conf, const char *own, const char *value)
{
    char why[512];
    if (rd_kafka_conf_set(conf, own, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return true;
    fprintf(stderr, "%s: %s\n", job->program, why);
    return false;
}

static bool set_key(const peer_job *job, rd_kafka_conf_t *conf, size_t i, const char *value)
{
    char number[32], *end;
    if (keys[i].divisor) {
        unsigned long long n = strtoull(value, &end, 10);
        if (end == value || *end) {
            fprintf(stderr, "%s: %s '%s': a number is wanted\n", job->program, keys[i].java, value);
            return false;
        }
        snprintf(number, sizeof number, "%llu", n / keys[i].divisor);
        value = number;
    }
    return set(job, conf, keys[i].own, value);
}

static bool set_property(const peer_job *job, rd_kafka_conf_t *conf, size_t property)
{
    char key[KEY_LENGTH_MAX];
    const char *value = peer_job_property(job, property, key, sizeof key);
    if (!value)
        return false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].java, key) == 0)
            return set_key(job, conf, i, value);
    }
    fprintf(stderr, "%s: -X %s: this key is not known here; known are:", job->program, key);
    for (size_t i = 0; i < KEY_COUNT; i++)
        fprintf(stderr, " %s", keys[i].java);
    fputc('\n', stderr);
    return false;
}

static bool configure(const peer_job *job, rd_kafka_conf_t *conf)
{
    if (!set(job, conf, "bootstrap.servers", job->bootstrap))
        return false;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (!set(job, conf, fixed[i].own, fixed[i].value))
            return false;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].preset && !set_key(job, conf, i, keys[i].preset))
            return false;
    }
    for (size_t i = 0; i < job->property_count; i++) {
        if (!set_property(job, conf, i))
            return false;
    }
    return true;
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *me)
{
    run *r = me;
    (void)client;
    if (!message->err)
        peer_tally_acked(&r->tally, message->_private);
    else
        peer_tally_lost(&r->tally,
                        rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED,
                        rd_kafka_err2str(message->err));
}

static bool open_client(run *r)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, r);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    if (!configure(r->job, conf)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    r->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!r->client) {
        fprintf(stderr, "%s: %s\n", r->job->program, why);
        rd_kafka_conf_destroy(conf);
        return false;
    }
    r->topic = rd_kafka_topic_new(r->client, r->job->topic, NULL);
    if (r->topic)
        return true;
    fprintf(stderr, "%s: %s\n", r->job->program, rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_destroy(r->client);
    return false;
}

/* ---- Sending ---- */

static void send_one(run *r, uint64_t n, void *stamp)
{
    int32_t partition =
        r->job->partition_count ? (int32_t)(n % r->job->partition_count) : RD_KAFKA_PARTITION_UA;
    kloop_slice value = kl_perf_payload_next(&r->payload);
    /* The library takes what it only reads as not const. */
    void *bytes = (void *)(uintptr_t)value.data;
    while (rd_kafka_produce(r->topic, partition, r->copy, bytes, value.len, NULL, 0, stamp) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            /* What was not even taken makes the whole run worthless. */
            fprintf(stderr, "%s: record %llu was refused: %s\n", r->job->program,
                    (unsigned long long)n, rd_kafka_err2str(rd_kafka_last_error()));
            exit(1);
        }
        if (r->job->rate > 0)
            nanosleep(&(struct timespec){0, (long)peer_job_nap_ns(r->job)}, NULL);
        else
            rd_kafka_poll(r->client, POLL_MS);
    }
}

static void send_first(run *r)
{
    send_one(r, 0, NULL);
    while (r->tally.process.records == 0)
        rd_kafka_poll(r->client, POLL_MS);
}

static void send_all(run *r)
{
    uint64_t group = peer_job_group(r->job);
    for (uint64_t n = 1; n < r->job->record_count; n++) {
        void *stamp = NULL;
        if ((n - 1) % group == 0) {
            uint64_t now_ns = peer_clock_ns();
            stamp = peer_tally_stamp(&r->tally, now_ns, now_ns);
        }
        send_one(r, n, stamp);
        if (n % POLL_RECORDS == 0)
            rd_kafka_poll(r->client, 0);
    }
}

static void *take_reports(void *me)
{
    run *r = me;
    while (!atomic_load(&r->no_more))
        rd_kafka_poll(r->client, POLL_MS);
    return NULL;
}

static void send_at_rate(run *r)
{
    double period_ns = 1e9 / r->job->rate;
    uint64_t burst_ns = r->tally.timed.start_ns, now_ns = burst_ns;
    for (uint64_t n = 1; n < r->job->record_count; n++) {
        uint64_t due_ns = r->tally.timed.start_ns + (uint64_t)((double)(n - 1) * period_ns);
        if (due_ns > now_ns || n % PEER_GROUP_RECORDS_MAX == 0)
            now_ns = peer_clock_ns();
        if (due_ns > now_ns) {
            uint64_t soonest_ns = burst_ns + peer_job_nap_ns(r->job);
            uint64_t at_ns = due_ns > soonest_ns ? due_ns : soonest_ns;
            struct timespec at = {(time_t)(at_ns / UINT64_C(1000000000)),
                                  (long)(at_ns % UINT64_C(1000000000))};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
            now_ns = peer_clock_ns();
            burst_ns = due_ns;
        }
        send_one(r, n, peer_tally_stamp(&r->tally, now_ns, due_ns));
    }
}

static bool send_beside_reports(run *r)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, take_reports, r);
    if (rc) {
        fprintf(stderr, "%s: no thread: %s\n", r->job->program, strerror(rc));
        return false;
    }
    send_at_rate(r);
    peer_tally_threads(&r->tally);
    atomic_store(&r->no_more, true);
    pthread_join(thread, NULL);
    return true;
}

static int work(run *r)
{
    bool ran = true;
    send_first(r);
    peer_tally_start(&r->tally, r->job, peer_clock_ns());
    if (r->job->rate > 0)
        ran = send_beside_reports(r);
    else
        send_all(r);
    peer_tally_threads(&r->tally);
    rd_kafka_flush(r->client, LAST_MS);
    rd_kafka_topic_destroy(r->topic);
    rd_kafka_destroy(r->client);
    return ran ? peer_tally_print(&r->tally, r->job, "librdkafka", rd_kafka_version_str()) : 1;
}

int main(int argc, char **argv)
{
    static run r; /* too large for the stack */
    peer_job job;
    if (!peer_job_parse(&job, argc, argv))
        return 2;
    r.job = &job;
    r.copy = job.by_reference ? 0 : RD_KAFKA_MSG_F_COPY;
    const char *why = kl_perf_payload_letters(&r.payload, job.record_size, 0);
    if (why) {
        fprintf(stderr, "%s: the payload: %s\n", job.program, why);
        return 1;
    }
    int code = open_client(&r) ? work(&r) : 2;
    kl_perf_payload_deinit(&r.payload);
    return code;
}
