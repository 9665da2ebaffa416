/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several threads send through one producer, which lives on the loop of the main thread.
 *
 *     threads_inlet localhost:9092 events 1000000 4
 *
 * A thread calls kloop_send_from_any_thread() and kloop_thread_send_error(), and nothing else of
 * kloop. When the inlet is full it waits, in a way of the program's own: here at a condition
 * variable, which on_room() signals from the loop. Reports come on the loop's thread, as ever. The
 * end is in two steps: the threads stop, then the producer is closed; a thread that would go on
 * sending hears KLOOP_CLOSED, and must have been joined when the close callback returns.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/kloop.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define THREADS_MAX 64
/* What may wait for the loop, records and all that they cost. */
#define INLET_BYTES ((size_t)4 << 20)

typedef struct program {
    kloop_producer *producer;
    kloop_topic *topic;
    unsigned long long count;
    unsigned threads;
    unsigned long long acked; /* the loop's thread counts, nobody else */
    unsigned long long lost;

    uv_mutex_t mutex;
    uv_cond_t room_or_end;
    unsigned long long rooms; /* under the mutex, like what follows */
    unsigned running;
    uv_async_t all_sent;
} program;

typedef struct worker {
    program *program;
    uv_thread_t thread;
    unsigned index;
} worker;

/* ---- In each thread ---- */

static kloop_status send_waiting(program *g, const kloop_record *record)
{
    for (;;) {
        uv_mutex_lock(&g->mutex);
        unsigned long long seen = g->rooms;
        uv_mutex_unlock(&g->mutex);
        kloop_status status = kloop_send_from_any_thread(g->topic, record);
        if (status != KLOOP_FULL)
            return status;
        /* Room that was told of since then is no reason to wait. */
        uv_mutex_lock(&g->mutex);
        while (g->rooms == seen)
            uv_cond_wait(&g->room_or_end, &g->mutex);
        uv_mutex_unlock(&g->mutex);
    }
}

static void work(void *me)
{
    worker *w = me;
    program *g = w->program;
    for (unsigned long long i = w->index; i < g->count; i += g->threads) {
        char text[64];
        int len = snprintf(text, sizeof text, "record %llu of thread %u", i, w->index);
        /* Copied, so it may live on this stack. */
        const kloop_record record = {.value = {(const uint8_t *)text, (size_t)len}};
        kloop_status status = send_waiting(g, &record);
        if (status) {
            char why[512];
            kloop_thread_send_error(g->topic, &record, status, why, sizeof why);
            fprintf(stderr, "%s\n", why);
            break;
        }
    }
    uv_mutex_lock(&g->mutex);
    g->running--;
    uv_mutex_unlock(&g->mutex);
    uv_async_send(&g->all_sent);
}

/* ---- On the loop's thread ---- */

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    program *g = me;
    (void)p;
    if (run->outcome == KLOOP_OUTCOME_ACKED) {
        g->acked += run->count;
        return;
    }
    g->lost += run->count;
    fprintf(stderr, "%zu records: %s\n", run->count, run->text);
}

static void on_room(kloop_producer *p, void *me)
{
    program *g = me;
    (void)p;
    uv_mutex_lock(&g->mutex);
    g->rooms++;
    uv_cond_broadcast(&g->room_or_end);
    uv_mutex_unlock(&g->mutex);
}

static void on_closed(kloop_producer *p, void *me)
{
    program *g = me;
    (void)p;
    uv_close((uv_handle_t *)&g->all_sent, NULL);
}

/* Some thread has sent its last record; the last of them ends the program. */
static void on_all_sent(uv_async_t *async)
{
    program *g = async->data;
    uv_mutex_lock(&g->mutex);
    unsigned running = g->running;
    uv_mutex_unlock(&g->mutex);
    if (running == 0)
        kloop_close(g->producer, 60000, on_closed, g);
}

static bool open_producer(program *g, uv_loop_t *loop, const char *servers, const char *topic)
{
    kloop_error error = {.text = "there is no memory"};
    kloop_config *config = kloop_config_new(NULL);
    /* A key that is wrong is remembered and told by kloop_open. */
    kloop_config_set(config, "bootstrap.servers", servers);
    kloop_status status = config ? kloop_open(&g->producer, loop, config, &error) : KLOOP_NO_MEMORY;
    kloop_config_del(config);
    if (!status)
        status = kloop_topic_get(g->producer, topic, &g->topic, &error);
    if (!status)
        status = kloop_allow_threads(g->producer, INLET_BYTES, &error);
    if (status) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    kloop_on_delivery(g->producer, on_delivery, g);
    kloop_on_inlet_room(g->producer, on_room, g);
    return true;
}

static bool numbers(program *g, char **argv)
{
    char *end[2];
    errno = 0;
    unsigned long threads = strtoul(argv[4], &end[1], 10);
    g->count = strtoull(argv[3], &end[0], 10);
    g->threads = (unsigned)threads;
    return !errno && !*end[0] && !*end[1] && argv[3][0] != '-' && threads > 0 &&
           threads <= THREADS_MAX;
}

int main(int argc, char **argv)
{
    static program g;
    static worker workers[THREADS_MAX];
    if (argc != 5 || !numbers(&g, argv)) {
        fprintf(stderr, "usage: %s HOST:PORT TOPIC COUNT THREADS (1 to %d)\n", argv[0],
                THREADS_MAX);
        return 2;
    }
    uv_loop_t loop;
    if (uv_loop_init(&loop) || uv_mutex_init(&g.mutex) || uv_cond_init(&g.room_or_end)) {
        fprintf(stderr, "there is no loop\n");
        return 1;
    }
    if (!open_producer(&g, &loop, argv[1], argv[2]))
        return 2;
    /* It keeps the loop while threads may send, even when nothing waits. */
    uv_async_init(&loop, &g.all_sent, on_all_sent);
    g.all_sent.data = &g;
    g.running = g.threads;
    for (unsigned i = 0; i < g.threads; i++) {
        workers[i] = (worker){.program = &g, .index = i};
        if (uv_thread_create(&workers[i].thread, work, &workers[i])) {
            fprintf(stderr, "there is no thread\n");
            return 1;
        }
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < g.threads; i++)
        uv_thread_join(&workers[i].thread);
    uv_loop_close(&loop);
    uv_cond_destroy(&g.room_or_end);
    uv_mutex_destroy(&g.mutex);
    printf("%llu acked, %llu not\n", g.acked, g.lost);
    return g.lost || g.acked != g.count ? 1 : 0;
}
