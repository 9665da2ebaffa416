/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that has a producer and measures what it is put through.
 *
 *     begin --> 300 records --> 4 more each 200 ms --> 5 s: the CPU so far --> close --> end
 *                              1 s: a flush
 *
 * It runs in a process of its own, so that CPU, memory and a crash are this client's alone.
 */
#define _GNU_SOURCE
#include "tests/hostile/hostile.h"

#include "base/be.h"
#include "driver/uv_producer.h"

#include <kloop/kloop.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#define BURST          300
#define MORE           4
#define MORE_EACH_MS   200
#define FLUSH_ROUND    5
#define VALUE_BYTES    100
#define PARTITIONS_MAX 256

typedef struct client {
    const hostile_case *row;
    hostile_result *result;
    uv_loop_t loop;
    uv_timer_t more;
    uv_timer_t end;
    uv_prepare_t turns;
    kloop_producer *producer;
    kloop_topic *topic;
    uint64_t sent_ms[HOSTILE_RECORDS_MAX];
    size_t records;
    int64_t last[PARTITIONS_MAX + 1]; /* record reported, by partition; the first is none */
    int32_t turn;
    int rounds;
    uint64_t flush_at_ms;
    uint64_t close_at_ms;
    uint64_t cpu_begin_us;
    uint64_t turn_begin_us;
    uint8_t *value;
    size_t value_bytes;
} client;

/* ---- Measuring ---- */

static uint64_t cpu_us(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* A number of /proc/self/status; 0: there is none. */
static uint64_t status_number(const char *key)
{
    char line[256];
    unsigned long long number = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            sscanf(line + strlen(key), ": %llu", &number);
    if (f)
        fclose(f);
    return number;
}

/* What the parent's memory had grown to is not this process's doing. */
static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f) {
        fputs("5", f);
        fclose(f);
    }
}

/* How long this process was ready to run and had no processor. */
static uint64_t starved_ms(void)
{
    unsigned long long ran, waited = 0;
    FILE *f = fopen("/proc/self/schedstat", "r");
    if (f) {
        if (fscanf(f, "%llu %llu", &ran, &waited) != 2)
            waited = 0;
        fclose(f);
    }
    return waited / 1000000;
}

/* ---- What it is told ---- */

/* Each sentence once: a case says the same thing many times. */
static void keep_text(client *c, const char *text)
{
    hostile_result *r = c->result;
    size_t len = strlen(text);
    if (len == 0 || r->text_len + len + 2 > sizeof r->text || strstr(r->text, text))
        return;
    memcpy(r->text + r->text_len, text, len);
    r->text_len += len;
    r->text[r->text_len++] = '\n';
    r->text[r->text_len] = '\0';
}

/* Failed is a proof, and a proof needs a code that gives it, if a broker's answer was the reason.
 */
static bool is_proved(const kloop_report *run)
{
    uint32_t classes = kloop_broker_error_classes(run->broker_error);
    if (run->outcome != KLOOP_OUTCOME_FAILED || run->cause != KLOOP_CAUSE_BROKER ||
        run->partition < 0)
        return true;
    return (classes & KLOOP_CLASS_NOT_STORED) != 0;
}

static bool is_sound(const kloop_report *run, size_t i)
{
    int64_t offset = kloop_report_offset(run, i);
    return offset == -1 || (offset >= 0 && offset - run->base_offset == (int64_t)i);
}

static void take_record(client *c, const kloop_report *run, size_t record)
{
    hostile_result *r = c->result;
    if (record >= c->records || r->fates[record]) {
        r->twice++;
        return;
    }
    r->fates[record] = (uint8_t)(1u << run->outcome);
    uint64_t took = hostile_now_ms() - c->sent_ms[record];
    if (took > r->latest_ms)
        r->latest_ms = took;
    int32_t at = run->partition + 1;
    if (at < 0 || at > PARTITIONS_MAX)
        return;
    if ((int64_t)record <= c->last[at])
        r->misplaced++;
    c->last[at] = (int64_t)record;
}

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    client *c = me;
    (void)p;
    keep_text(c, run->text);
    c->result->outcomes[run->outcome] += run->count;
    if (!is_proved(run))
        c->result->unproved += run->count;
    for (size_t i = 0; i < run->count; i++) {
        take_record(c, run, (size_t)(uintptr_t)run->users[i]);
        c->result->odd_offsets += !is_sound(run, i);
    }
}

static void on_log(kloop_producer *p, kloop_log_level level, const char *text, void *me)
{
    (void)p;
    (void)level;
    keep_text(me, text);
}

/* ---- What it does ---- */

static void send_some(client *c, int count)
{
    int32_t partitions = c->row->partitions ? c->row->partitions : 3;
    for (int i = 0; i < count && c->records < HOSTILE_RECORDS_MAX; i++) {
        kloop_record record = {.value = {c->value, c->value_bytes},
                               .user = (void *)(uintptr_t)c->records};
        if (c->row->each_partition) {
            record.set = KLOOP_SET_PARTITION;
            record.partition = c->turn++ % partitions;
        }
        c->sent_ms[c->records] = hostile_now_ms();
        kl_be_store32(c->value, (uint32_t)c->records);
        if (kloop_send(c->topic, &record) != KLOOP_OK) {
            c->result->refused++;
            continue;
        }
        c->records++;
        c->result->accepted++;
    }
}

/* Not by the clock: somebody else may have had the processor. */
static void on_turn(uv_prepare_t *turns)
{
    client *c = turns->data;
    uint64_t now_us = cpu_us();
    uint64_t took_us = now_us - c->turn_begin_us;
    c->turn_begin_us = now_us;
    if (took_us > c->result->turn_us)
        c->result->turn_us = took_us;
}

static void on_flushed(kloop_producer *p, void *me)
{
    client *c = me;
    (void)p;
    c->result->flushed = true;
    c->result->flush_ms = hostile_now_ms() - c->flush_at_ms;
}

static void on_more(uv_timer_t *timer)
{
    client *c = timer->data;
    send_some(c, MORE);
    if (++c->rounds != FLUSH_ROUND)
        return;
    c->flush_at_ms = hostile_now_ms();
    /* Without memory it would be refused; then nothing was flushed, and that is found. */
    (void)kloop_flush(c->producer, on_flushed, c);
}

static void on_closed(kloop_producer *p, void *me)
{
    client *c = me;
    (void)p;
    c->result->closed = true;
    c->result->close_ms = hostile_now_ms() - c->close_at_ms;
}

static void on_end(uv_timer_t *timer)
{
    client *c = timer->data;
    c->result->cpu_us = cpu_us() - c->cpu_begin_us;
    c->result->threads = (int)status_number("Threads");
    uv_close((uv_handle_t *)&c->more, NULL);
    uv_close((uv_handle_t *)&c->end, NULL);
    uv_close((uv_handle_t *)&c->turns, NULL);
    c->close_at_ms = hostile_now_ms();
    kloop_close(c->producer, HOSTILE_CLOSE_MS, on_closed, c);
}

/* "key=value key=value" */
static void set_all(kloop_config *config, const char *settings)
{
    char text[512], *rest;
    snprintf(text, sizeof text, "%s", settings);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');
        if (!value)
            abort();
        *value = '\0';
        kloop_config_set(config, word, value + 1);
    }
}

static bool open_producer(client *c, const hostile_ports *ports)
{
    static char servers[32];
    char where[64], presets[512];
    kloop_error error;
    snprintf(where, sizeof where, "127.0.0.1:%u", (unsigned)ports->ports[0]);
    snprintf(presets, sizeof presets,
             "bootstrap.servers=%s buffer.memory=%d delivery.timeout.ms=%d request.timeout.ms=700 "
             "socket.connection.setup.timeout.ms=600 socket.connection.setup.timeout.max.ms=1200",
             c->row->bootstrap ? c->row->bootstrap : where, HOSTILE_BUFFER, HOSTILE_DELIVERY_MS);
    kloop_config *config = kloop_config_new(NULL);
    set_all(config, presets);
    set_all(config, c->row->config ? c->row->config : "");
    kloop_status status = kloop_open(&c->producer, &c->loop, config, &error);
    kloop_config_del(config);
    if (status) {
        keep_text(c, error.text);
        return false;
    }
    if (ports->names_fd >= 0) {
        snprintf(servers, sizeof servers, "127.0.0.1:%u", (unsigned)ports->names_port);
        c->producer->resolver.servers = servers;
    }
    kloop_on_delivery(c->producer, on_delivery, c);
    kloop_on_log(c->producer, on_log, c);
    return kloop_topic_get(c->producer, HOSTILE_TOPIC, &c->topic, &error) == KLOOP_OK;
}

int hostile_client_run(const hostile_case *row, const hostile_ports *ports, hostile_result *result)
{
    static client c;
    c.row = row;
    c.result = result;
    c.value_bytes = row->value_bytes ? row->value_bytes : VALUE_BYTES;
    c.value = calloc(1, c.value_bytes);
    for (size_t i = 0; i <= PARTITIONS_MAX; i++)
        c.last[i] = -1;
    forget_peak();
    uint64_t peak_kib = status_number("VmHWM");
    c.cpu_begin_us = cpu_us();
    if (!c.value || uv_loop_init(&c.loop) || !open_producer(&c, ports))
        return 1;
    result->opened = true;
    uv_timer_init(&c.loop, &c.more);
    uv_timer_init(&c.loop, &c.end);
    uv_prepare_init(&c.loop, &c.turns);
    c.more.data = c.end.data = c.turns.data = &c;
    uv_timer_start(&c.more, on_more, MORE_EACH_MS, MORE_EACH_MS);
    uv_timer_start(&c.end, on_end, HOSTILE_RUN_MS, 0);
    send_some(&c, row->records ? row->records : BURST);
    c.turn_begin_us = cpu_us();
    uv_prepare_start(&c.turns, on_turn);
    uv_run(&c.loop, UV_RUN_DEFAULT);
    result->peak_kib = status_number("VmHWM") - peak_kib;
    result->starved_ms = starved_ms();
    result->ended = uv_loop_close(&c.loop) == 0;
    free(c.value);
    return 0;
}
