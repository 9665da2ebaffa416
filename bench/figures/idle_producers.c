/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Producers on one loop that have delivered a record each and have nothing to do: what do they cost
 * while nobody uses them?
 *
 *     figure_idle_producers HOST:PORT TOPIC PRODUCERS SECONDS
 *
 * One line of JSON: how often the process woke up in those seconds (its voluntary context switches,
 * less the one of the timer that ends them) and how much CPU time that took. The loop is kept alive
 * by all of them, as in a program that waits for work.
 */
#define _POSIX_C_SOURCE 200809L
#include <kloop/kloop.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

/* After the last record, what comes with connecting and the first records is over. */
#define SETTLE_MS 3000

typedef struct idle_producers {
    uv_loop_t loop;
    uv_timer_t timer;
    kloop_producer **producers;
    unsigned long count;
    unsigned long delivered;
    uint64_t seconds;
    bool watching;
    struct rusage before;
} idle_producers;

static void on_time(uv_timer_t *timer);

static void on_flushed(kloop_producer *producer, void *me)
{
    idle_producers *i = me;
    kloop_keep_alive(producer, true);
    if (++i->delivered == i->count)
        uv_timer_start(&i->timer, on_time, SETTLE_MS, 0);
}

static uint64_t cpu_us(const struct rusage *u)
{
    return (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static void on_time(uv_timer_t *timer)
{
    idle_producers *i = timer->data;
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    if (!i->watching) {
        i->watching = true;
        i->before = now;
        uv_timer_start(timer, on_time, i->seconds * 1000, 0);
        return;
    }
    long wakes = now.ru_nvcsw - i->before.ru_nvcsw - 1;
    printf("{\"producers\":%lu,\"seconds\":%" PRIu64 ",\"wakes\":%ld,\"cpu_us\":%" PRIu64
           ",\"max_rss_kb\":%ld}\n",
           i->count, i->seconds, wakes > 0 ? wakes : 0, cpu_us(&now) - cpu_us(&i->before),
           now.ru_maxrss);
    uv_close((uv_handle_t *)timer, NULL);
    for (unsigned long n = 0; n < i->count; n++)
        kloop_close(i->producers[n], 5000, NULL, NULL);
}

static bool open_one(idle_producers *i, unsigned long n, const kloop_config *config,
                     const char *name)
{
    kloop_error error;
    kloop_topic *topic;
    if (kloop_open(&i->producers[n], &i->loop, config, &error) ||
        kloop_topic_get(i->producers[n], name, &topic, &error)) {
        fprintf(stderr, "figure_idle_producers: %s\n", error.text);
        return false;
    }
    kloop_record record = {.value = {(const uint8_t *)"x", 1}};
    return kloop_send(topic, &record) == KLOOP_OK &&
           kloop_flush(i->producers[n], on_flushed, i) == KLOOP_OK;
}

int main(int argc, char **argv)
{
    static idle_producers i;
    if (argc == 5) {
        i.count = strtoul(argv[3], NULL, 10);
        i.seconds = strtoull(argv[4], NULL, 10);
    }
    if (i.count == 0 || i.seconds == 0) {
        fprintf(stderr, "figure_idle_producers HOST:PORT TOPIC PRODUCERS SECONDS\n");
        return 2;
    }
    i.producers = calloc(i.count, sizeof(kloop_producer *));
    if (!i.producers)
        return 1;
    uv_loop_init(&i.loop);
    uv_timer_init(&i.loop, &i.timer);
    i.timer.data = &i;
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    for (unsigned long n = 0; n < i.count; n++) {
        if (!open_one(&i, n, config, argv[2]))
            return 1;
    }
    kloop_config_del(config);
    uv_run(&i.loop, UV_RUN_DEFAULT);
    free(i.producers);
    return uv_loop_close(&i.loop) != 0;
}
