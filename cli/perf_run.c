/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending, and counting what comes back. See perf_run.h.
 *
 *               all sent, a signal, or the producer cannot go on
 *     SENDING ---------------------------------------------------> CLOSING -> the loop is empty
 *      |   ^
 *      |   +- an idle handle runs: each turn of the loop sends up to 1 MB, then lets the loop work
 *      v
 *     the producer is full: until it is writable; at a rate: until the alarm rings, which sends
 * what is due by itself, since one more turn of the loop for it would cost as much as some records
 *
 * The clock is read once for a few sends, not for each: the group below takes some ten microseconds
 * at most, so a latency is that much too long at worst, and the clock costs no more than the
 * records.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/perf_run.h"

#include "base/check.h"
#include "base/now.h"
#include "cli/alarm_clock.h"
#include "cli/ever_let_in.h"
#include "cli/live_line.h"
#include "cli/log_lines.h"
#include "cli/perf_live.h"
#include "cli/perf_stamp.h"
#include "cli/run_signals.h"
#include "cli/snapshot_print.h"
#include "cli/turn_clock.h"

#include <kloop/kloop.h>

#include <signal.h>
#include <string.h>
#include <uv.h>

#define TURN_BYTES_MAX    ((size_t)1 << 20)
#define TURN_RECORDS_MAX  16384
#define GROUP_BYTES_MAX   ((size_t)32 << 10)
#define GROUP_RECORDS_MAX 64
/* At a rate, records are sent in small bursts: waking up costs as much as tens of them, and what is
 * to be measured are the records. At a high one they are as long as those of Kafka's tool. */
#define NAP_NS      (250 * KL_US)
#define LONG_NAP_NS (2 * KL_MS)
#define HIGH_RATE   8000
/* From one record to the next: more than a hundred years, and less than a clock of 64 bits holds.
 */
#define PERIOD_MAX_NS 4e18

/* After the first signal what was sent may still be delivered for so long. */
#define LAST_MS 5000
/* Records are bounded by delivery.timeout.ms, closing need not be. */
#define CLOSE_MS INT32_MAX

typedef struct perf {
    const kl_perf_job *job;
    kl_perf_result *result;
    uv_loop_t loop;
    uv_idle_t idle;
    uv_timer_t interval;
    kl_run_signals signals;
    kl_alarm alarm;
    kl_turn_clock turns;
    kloop_producer *producer; /* NULL: it is closed */
    kloop_topic *topic;
    kl_log_lines log;
    kl_live_line live;
    kl_perf_live latency; /* of late, for the live line */
    uint64_t buffer_bytes;
    kloop_suspended suspended;

    uint64_t start_ns; /* 0: nothing was sent yet */
    double period_ns;  /* between records, at a rate */
    uint64_t sent;     /* records that the producer has seen */
    uint64_t accepted; /* and taken */
    uint64_t accepted_bytes;
    uint64_t burst_ns;    /* when the first record of the present burst was intended */
    kloop_record record;  /* all zero but for its value, key and stamp */
    bool refused;         /* it was: it is the next one, and its time runs already */
    bool seldom;          /* it was, or there are keys: what is asked once for each record */
    uint64_t steady_from; /* the first record of the steady state; record_count: there is none */
    bool steady;
    bool said_steady;
    bool closing;
} perf;

static void close_producer(perf *p, uint64_t timeout_ms);

/* ---- What comes back ---- */

static uint64_t us_since_start(const perf *p, uint64_t now_ns)
{
    return (now_ns - p->start_ns) / KL_US;
}

static void count_acked(perf *p, const void *stamp, uint64_t count, uint64_t now_ns)
{
    uint64_t age = kl_stamp_age_us(stamp, us_since_start(p, now_ns));
    uint64_t lag = p->job->rate > 0 ? kl_stamp_lag_us(stamp) : UINT64_MAX;
    /* A stamp does not tell its record's size: where sizes differ, their mean stands for it. */
    uint64_t bytes = (uint64_t)((double)p->accepted_bytes / (double)p->accepted * (double)count);
    kl_perf_stats_add(&p->result->all, age, lag, count, bytes, now_ns);
    if (kl_stamp_steady(stamp))
        kl_perf_stats_add(&p->result->steady, age, lag, count, bytes, now_ns);
}

static void on_delivery(kloop_producer *producer, const kloop_report *run, void *me)
{
    perf *p = me;
    if (run->outcome != KLOOP_OUTCOME_ACKED) {
        kl_failure_tally_add(&p->result->failures, run);
        /* Waiting does not cure what all of them dislike. */
        if (run->cause == KLOOP_CAUSE_SECURITY && !p->closing && !kl_ever_let_in(producer))
            close_producer(p, CLOSE_MS);
        return;
    }
    uint64_t now_ns = uv_hrtime();
    for (size_t i = 0; i < run->count;) {
        size_t first = i;
        while (++i < run->count && run->users[i] == run->users[first])
            ;
        count_acked(p, run->users[first], i - first, now_ns);
    }
}

/* ---- Sending ---- */

static void on_turn(uv_idle_t *idle);

static void go_on(perf *p)
{
    if (!p->closing)
        uv_idle_start(&p->idle, on_turn);
}

static void on_writable(kloop_producer *producer, void *me)
{
    (void)producer;
    go_on(me);
}

static void begin(perf *p, uint64_t now_ns)
{
    p->start_ns = now_ns;
    kl_perf_stats_start(&p->result->all, now_ns);
}

static void begin_steady_state(perf *p, uint64_t now_ns)
{
    p->steady = true;
    p->result->reached_steady = true;
    kl_perf_stats_start(&p->result->steady, now_ns);
    /* Its intervals are whole ones. */
    uv_timer_again(&p->interval);
}

static uint64_t intended_ns(const perf *p)
{
    return p->start_ns + (uint64_t)((double)p->sent * p->period_ns);
}

/* false: the next record is not due yet, and the alarm is set for it. *now_ns is read anew where
 * that could make it due. */
static bool is_due(perf *p, uint64_t *now_ns)
{
    uint64_t due = intended_ns(p);
    if (due <= *now_ns)
        return true;
    *now_ns = uv_hrtime();
    if (due <= *now_ns)
        return true;
    uint64_t soonest = p->burst_ns + (p->job->rate < HIGH_RATE ? NAP_NS : LONG_NAP_NS);
    kl_alarm_set(&p->alarm, due > soonest ? due : soonest);
    return false;
}

/* What the producer said to a record that it did not take. false: no more can be sent now. */
static bool on_refusal(perf *p, kloop_status status)
{
    char text[512];
    if (status == KLOOP_FULL) {
        p->refused = p->seldom = true;
        return false;
    }
    kloop_send_error(p->topic, &p->record, status, text, sizeof text);
    kl_failure_tally_refused(&p->result->failures,
                             (kloop_string){p->job->topic, strlen(p->job->topic)}, -1, status,
                             text);
    p->sent++;
    if (status != KLOOP_FATAL && status != KLOOP_CLOSED)
        return true;
    close_producer(p, CLOSE_MS);
    return false;
}

/* The stamp of records that are sent now. */
static void *stamp(perf *p, uint64_t now_ns)
{
    uint64_t lag_ns = p->period_ns > 0 ? now_ns - intended_ns(p) : 0;
    return kl_stamp_make(us_since_start(p, now_ns), lag_ns / KL_US, p->steady);
}

/* The next record where it was refused before, or where there are keys. */
static void next_of_seldom(perf *p, void *user)
{
    bool keys = p->job->keys->kind != KL_PERF_KEYS_NONE;
    bool again = p->refused;
    p->refused = false;
    p->seldom = keys;
    if (again)
        return;
    p->record.value = kl_perf_payload_next(p->job->payload);
    p->record.user = user;
    if (keys)
        p->record.key = kl_perf_keys_next(p->job->keys);
}

/* false: nothing can be sent before something else happens. */
static bool send_one(perf *p, void *user)
{
    if (KL_UNLIKELY(p->seldom)) {
        next_of_seldom(p, user);
    } else {
        p->record.value = kl_perf_payload_next(p->job->payload);
        p->record.user = user;
    }
    kloop_status status = kloop_send(p->topic, &p->record);
    if (KL_UNLIKELY(status != KLOOP_OK))
        return on_refusal(p, status);
    p->sent++;
    p->accepted++;
    p->accepted_bytes += p->record.value.len;
    return true;
}

/* As many as share one reading of the clock. false: that is all for this turn. */
static bool send_group(perf *p, uint64_t now_ns)
{
    uint64_t left = (p->steady ? p->job->record_count : p->steady_from) - p->sent;
    uint64_t bytes_end = p->accepted_bytes + GROUP_BYTES_MAX;
    void *user = stamp(p, now_ns);
    if (left > GROUP_RECORDS_MAX)
        left = GROUP_RECORDS_MAX;
    while (left-- > 0 && p->accepted_bytes < bytes_end) {
        if (!send_one(p, user))
            return false;
    }
    return true;
}

/* The same at a rate: each record has an intended time of its own. The clock is read before one
 * that would otherwise be too early, and, should many be late, once in a while. */
static bool send_due(perf *p, uint64_t *now_ns)
{
    if (p->sent % GROUP_RECORDS_MAX == 0)
        *now_ns = uv_hrtime();
    return is_due(p, now_ns) && send_one(p, stamp(p, *now_ns));
}

/* Sends until the turn is over: true; or until nothing can be sent before something else happens.
 */
static bool send_some(perf *p)
{
    uint64_t now_ns = uv_hrtime();
    if (p->start_ns == 0)
        begin(p, now_ns);
    if (intended_ns(p) <= now_ns)
        p->burst_ns = intended_ns(p);
    uint64_t sent_end = p->sent + TURN_RECORDS_MAX;
    uint64_t bytes_end = p->accepted_bytes + TURN_BYTES_MAX;
    while (p->sent < sent_end && p->accepted_bytes < bytes_end) {
        if (p->sent == p->job->record_count) {
            close_producer(p, CLOSE_MS);
            return false;
        }
        if (p->sent == p->steady_from && !p->steady)
            begin_steady_state(p, now_ns);
        if (p->period_ns > 0) {
            if (!send_due(p, &now_ns))
                return false;
        } else {
            if (!send_group(p, now_ns))
                return false;
            now_ns = uv_hrtime();
        }
    }
    return true;
}

static void on_turn(uv_idle_t *idle)
{
    if (!send_some(idle->data))
        uv_idle_stop(idle);
}

static void on_alarm(void *me)
{
    perf *p = me;
    if (!p->closing && send_some(p))
        go_on(p);
}

/* ---- Meanwhile ---- */

static void note_threads(perf *p)
{
    uint64_t threads = kl_perf_threads();
    if (threads > p->result->threads)
        p->result->threads = threads;
}

static void on_interval(uv_timer_t *timer)
{
    perf *p = timer->data;
    kl_perf_stats *s = p->steady ? &p->result->steady : &p->result->all;
    note_threads(p);
    if (p->start_ns == 0)
        return;
    kl_live_line_hide(&p->live);
    if (p->steady && !p->said_steady) {
        p->said_steady = true;
        puts("In steady state.");
    }
    kl_perf_print_window(s, uv_hrtime(), stdout);
    /* Nobody reads it any more: that is no run whose end anybody waits for. */
    if (ferror(stdout) && !p->closing)
        close_producer(p, LAST_MS);
}

static void on_figures(void *me, kl_live_figures *figures)
{
    perf *p = me;
    kloop_stats now;
    const kl_perf_stats *all = &p->result->all;
    kloop_get_stats(p->producer, &now);
    figures->part = p->sent;
    figures->whole = p->job->record_count;
    if (p->result->signal)
        figures->note = "stopping; Ctrl-C gives up";
    else if (kloop_get_suspended(p->producer, &p->suspended))
        figures->note = p->suspended.text;
    figures->delivered = all->latency.count;
    figures->delivered_bytes = all->bytes;
    figures->failed = p->result->failures.failed + p->result->failures.unknown;
    figures->in_flight = now.pending;
    figures->buffer_bytes = now.held_bytes;
    figures->buffer_bytes_max = p->buffer_bytes;
    kl_perf_live_latency(&p->latency, &all->latency, uv_hrtime(), figures);
}

static void on_signal(void *me, int number)
{
    perf *p = me;
    if (!p->producer)
        return;
    if (number == SIGUSR1) {
        kl_live_line_hide(&p->live);
        kl_snapshot_print(p->producer, stderr);
        return;
    }
    uint64_t timeout_ms = p->result->signal ? 0 : LAST_MS;
    p->result->signal = number;
    close_producer(p, timeout_ms);
}

static void on_log(kloop_producer *producer, kloop_log_level level, const char *text, void *me)
{
    perf *p = me;
    (void)producer;
    kl_log_lines_add(&p->log, level, text);
}

/* ---- The end ---- */

static void close_turns(perf *p)
{
    if (!p->job->cpu_hold)
        return;
    p->result->cpu_hold_max_ns = p->turns.max_ns;
    kl_turn_clock_close(&p->turns);
}

static void on_closed(kloop_producer *producer, void *me)
{
    perf *p = me;
    note_threads(p);
    kl_stats_file_last(p->job->stats);
    kloop_get_stats(producer, &p->result->producer);
    p->result->ever_let_in = kl_ever_let_in(producer);
    kloop_take_snapshot(producer,
                        KLOOP_SNAPSHOT_BROKERS | KLOOP_SNAPSHOT_TOPICS | KLOOP_SNAPSHOT_HISTOGRAMS,
                        NULL, &p->result->end);
    p->result->loop_hold_max_ns = kloop_loop_hold_max_ns(producer);
    p->result->fatal = kloop_fatal_text(producer) != NULL;
    p->producer = NULL;
    kl_alarm_close(&p->alarm, NULL);
    close_turns(p);
    kl_live_line_close(&p->live);
    uv_close((uv_handle_t *)&p->idle, NULL);
    uv_close((uv_handle_t *)&p->interval, NULL);
    kl_run_signals_unref(&p->signals);
}

static void close_producer(perf *p, uint64_t timeout_ms)
{
    p->closing = true;
    uv_idle_stop(&p->idle);
    kl_alarm_set(&p->alarm, KL_ALARM_NEVER);
    kloop_close(p->producer, timeout_ms, on_closed, p);
}

static void start_live_line(perf *p)
{
    /* Where nothing is drawn, the lines of each interval are there already. */
    kl_live_how how = {
        .command = "perf", .progress = p->job->progress, .quiet = p->job->quiet, .plain_ms = 0};
    kloop_snapshot *now;
    if (kloop_take_snapshot(p->producer, 0, NULL, &now) == KLOOP_OK) {
        p->buffer_bytes = now->memory_bytes;
        kloop_snapshot_del(now);
    }
    kl_live_line_start(&p->live, &p->loop, &how, on_figures, p);
    p->log.live = &p->live;
}

static bool start(perf *p)
{
    kloop_error error;
    if (kloop_open(&p->producer, &p->loop, *p->job->config, &error)) {
        fprintf(stderr, "kloop perf: %s\n", error.text);
        return false;
    }
    kloop_config_del(*p->job->config);
    *p->job->config = NULL;
    kl_trace_file_watch(p->job->trace, p->producer);
    kloop_on_delivery(p->producer, on_delivery, p);
    kloop_on_writable(p->producer, on_writable, p);
    kloop_on_log(p->producer, on_log, p);
    kl_stats_file_start(p->job->stats, &p->loop, p->producer);
    uv_idle_init(&p->loop, &p->idle);
    uv_timer_init(&p->loop, &p->interval);
    p->idle.data = p;
    p->interval.data = p;
    kl_run_signals_start(&p->signals, &p->loop, on_signal, p);
    if (kloop_topic_get(p->producer, p->job->topic, &p->topic, &error)) {
        fprintf(stderr, "kloop perf: %s\n", error.text);
        close_producer(p, 0);
        return false;
    }
    uv_timer_start(&p->interval, on_interval, p->job->interval_ms, p->job->interval_ms);
    start_live_line(p);
    go_on(p);
    return true;
}

bool kl_perf_run(const kl_perf_job *job, kl_perf_result *result)
{
    perf p = {.job = job, .result = result};
    memset(result, 0, sizeof *result);
    kl_log_lines_init(&p.log, "perf", job->quiet);
    p.seldom = job->keys->kind != KL_PERF_KEYS_NONE;
    p.steady_from = job->warmup_count ? job->warmup_count : job->record_count;
    if (job->rate > 0)
        p.period_ns = job->rate > 1e9 / PERIOD_MAX_NS ? 1e9 / job->rate : PERIOD_MAX_NS;
    /* The reader of the report may go away; that shows in the write, and the screen stays whole. */
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&p.loop);
    int rc = kl_alarm_init(&p.alarm, &p.loop, on_alarm, &p);
    if (rc) {
        fprintf(stderr, "kloop perf: no timer: %s\n", strerror(rc));
        uv_loop_close(&p.loop);
        return false;
    }
    if (job->cpu_hold)
        kl_turn_clock_start(&p.turns, &p.loop);
    bool ok = start(&p);
    bool opened = p.producer != NULL;
    if (!opened) {
        close_turns(&p);
        kl_alarm_close(&p.alarm, NULL);
    }
    uv_run(&p.loop, UV_RUN_DEFAULT);
    if (opened) {
        kl_run_signals_end(&p.signals);
        uv_run(&p.loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&p.loop);
    kl_log_lines_end(&p.log);
    return ok;
}
