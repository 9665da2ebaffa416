/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer before, during and after an outage, and what the system says of this process's memory.
 *
 *     figure_outage HOST:PORT TOPIC PID BYTES REST_SECONDS
 *
 *     idle -> its memory -> the broker PID is stopped -> BYTES of records wait -> its memory ->
 *     the broker goes on, all are delivered -> REST_SECONDS -> its memory -> one line of JSON
 *
 * Before the first look records have been sent, so that code, sockets and buffers that every
 * producer has are there already.
 */
#define _POSIX_C_SOURCE 200809L
#include <kloop/kloop.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define RECORD_BYTES  100
#define WARM_RECORDS  20000
#define SETTLE_MS     15000 /* what warming up took is given back by then */
#define BURST_RECORDS 5000

enum step { WARMING, SETTLING, FILLING, DRAINING, RESTING };

typedef struct outage {
    uv_loop_t loop;
    uv_timer_t timer;
    kloop_producer *producer;
    kloop_topic *topic;
    pid_t broker;
    uint64_t wanted;
    uint64_t sent;
    uint64_t acked;
    uint64_t lost;
    uint64_t rest_ms;
    enum step step;
    uint64_t idle_bytes, full_bytes;
} outage;

static uint8_t payload[RECORD_BYTES];

static uint64_t rss_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%llu %llu", &size, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void on_delivery(kloop_producer *producer, const kloop_report *run, void *me)
{
    outage *o = me;
    (void)producer;
    *(run->outcome == KLOOP_OUTCOME_ACKED ? &o->acked : &o->lost) += run->count;
}

static void on_time(uv_timer_t *timer);

static void wait_ms(outage *o, uint64_t ms)
{
    uv_timer_start(&o->timer, on_time, ms, 0);
}

/* As many as are wanted; false: the producer is full. */
static bool send_until(outage *o, uint64_t end)
{
    kloop_record record = {.value = {payload, sizeof payload}, .user = o};
    while (o->sent < end) {
        if (kloop_send(o->topic, &record))
            return false;
        o->sent++;
    }
    return true;
}

static void on_drained(kloop_producer *producer, void *me)
{
    outage *o = me;
    (void)producer;
    o->step = o->step == WARMING ? SETTLING : RESTING;
    wait_ms(o, o->step == SETTLING ? SETTLE_MS : o->rest_ms);
}

static void finish(outage *o)
{
    uint64_t after_bytes = rss_bytes();
    printf("{\"records\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"rss_idle\":%" PRIu64
           ",\"rss_full\":%" PRIu64 ",\"rss_after\":%" PRIu64 "}\n",
           o->sent, o->acked, o->lost, o->idle_bytes, o->full_bytes, after_bytes);
    uv_close((uv_handle_t *)&o->timer, NULL);
    kloop_close(o->producer, 10000, NULL, NULL);
}

static void on_time(uv_timer_t *timer)
{
    outage *o = timer->data;
    switch (o->step) {
    case WARMING:
        break;
    case SETTLING:
        o->idle_bytes = rss_bytes();
        kill(o->broker, SIGSTOP);
        o->step = FILLING;
        wait_ms(o, 1);
        break;
    case FILLING: {
        uint64_t end = o->sent + BURST_RECORDS < o->wanted ? o->sent + BURST_RECORDS : o->wanted;
        if (send_until(o, end) && o->sent < o->wanted) {
            wait_ms(o, 1);
            break;
        }
        o->full_bytes = rss_bytes();
        o->step = DRAINING;
        kill(o->broker, SIGCONT);
        kloop_flush(o->producer, on_drained, o);
        break;
    }
    case DRAINING:
        break;
    case RESTING:
        finish(o);
        break;
    }
}

int main(int argc, char **argv)
{
    static outage o;
    kloop_error error;
    if (argc != 6) {
        fprintf(stderr, "figure_outage HOST:PORT TOPIC PID BYTES REST_SECONDS\n");
        return 2;
    }
    memset(payload, 'x', sizeof payload);
    o.broker = (pid_t)atol(argv[3]);
    o.wanted = WARM_RECORDS + strtoull(argv[4], NULL, 10) / RECORD_BYTES;
    o.rest_ms = strtoull(argv[5], NULL, 10) * 1000;
    uv_loop_init(&o.loop);
    uv_timer_init(&o.loop, &o.timer);
    o.timer.data = &o;
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    /* Room for all of it, whatever it takes beside the payload. */
    kloop_config_set(config, "buffer.memory", "1073741824");
    kloop_status status = kloop_open(&o.producer, &o.loop, config, &error);
    kloop_config_del(config);
    if (status || kloop_topic_get(o.producer, argv[2], &o.topic, &error)) {
        fprintf(stderr, "figure_outage: %s\n", error.text);
        return 1;
    }
    kloop_on_delivery(o.producer, on_delivery, &o);
    if (!send_until(&o, WARM_RECORDS))
        return 1;
    kloop_flush(o.producer, on_drained, &o);
    uv_run(&o.loop, UV_RUN_DEFAULT);
    uv_loop_close(&o.loop);
    return o.lost || o.acked != o.wanted;
}
