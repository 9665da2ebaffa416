/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input in, events out. See produce_run.h.
 *
 *     READING --------------------------------------------------> CLOSING ------------------> over
 *      |   ^     the end of the last input, -c, bad input,         |    everything is reported, and
 *      v   |     a signal, output that nobody takes,               |    the last events are written
 *     PAUSED     a producer that cannot go on                      |
 *                                                                  a second signal: at once
 *     the producer is full; too many events wait for their reader; the next record is not due yet
 *
 * SIGINT lets delivery take its time, which delivery.timeout.ms bounds; SIGTERM and SIGHUP come
 * from something that is about to be less patient. A third signal does not wait for readers of
 * stdout.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_run.h"

#include "cli/alarm_clock.h"
#include "cli/ever_let_in.h"
#include "cli/line_source.h"
#include "cli/live_line.h"
#include "cli/log_lines.h"
#include "cli/pace.h"
#include "cli/perf_live.h"
#include "cli/produce_output.h"
#include "cli/record_copy.h"
#include "cli/run_signals.h"
#include "cli/snapshot_print.h"

#include <kloop/kloop.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* Records are bounded by delivery.timeout.ms, closing need not be. */
#define CLOSE_MS INT32_MAX
/* Less than the ten seconds after which containers are killed. */
#define TERM_MS 8000
/* At a rate, records that are due within so much of each other go together. */
#define NAP_NS      UINT64_C(1000000)
#define PLAIN_MS    5000
#define TOPIC_BYTES 256
/* So many pieces of bad input are shown. */
#define BAD_SHOWN 10

typedef struct produce {
    const kl_produce_job *job;
    kl_produce_result *result;
    uv_loop_t loop;
    uv_prepare_t prepare;
    kl_run_signals signals;
    kl_alarm alarm;
    kl_live_line live;
    kl_histogram latency_us; /* filled only where it is shown */
    kl_perf_live latency_of_late;
    kl_line_source source;
    kl_record_reader reader;
    kl_produce_output output;
    kl_pace pace;
    kloop_producer *producer;
    kloop_topic *topic; /* the one that was used last */
    char topic_name[TOPIC_BYTES];
    kl_log_lines log;
    uint64_t start_ns;
    uint64_t taken; /* records, refused ones too */
    uint64_t buffer_bytes_max;
    uint64_t bytes_before; /* of inputs that are used up */
    uint64_t burst_ns;     /* when records were last due */
    unsigned signal_count;
    bool full;        /* the producer was */
    bool early;       /* the next record is not due */
    bool starved;     /* all input there was is used up */
    bool interactive; /* somebody types */
    bool stopping;    /* no more input */
} produce;

static void close_producer(produce *p, uint64_t timeout_ms);

static void stop_reading(produce *p)
{
    p->stopping = true;
    kl_line_source_stop(&p->source);
}

static void push_out(produce *p)
{
    if (kl_produce_output_waiting(&p->output))
        kl_live_line_hide(&p->live);
    kl_produce_output_push(&p->output);
    if (kl_produce_output_failed(&p->output) && !p->stopping)
        stop_reading(p);
}

static void go_on(produce *p)
{
    if (!p->full && !p->early && !kl_produce_output_full(&p->output))
        kl_line_source_resume(&p->source);
}

/* ---- What comes back ---- */

/* Who types, or asked for more words, learns of each failure when it happens. */
static void tell_failure(produce *p, const char *text)
{
    if (p->job->quiet || !(p->interactive || p->job->verbose))
        return;
    kl_live_line_hide(&p->live);
    fprintf(stderr, "kloop produce: not delivered: %s\n", text);
}

/* Where there are no copies, a record's user is the time of its sending. */
static void *stamp(const produce *p)
{
    return (void *)(uintptr_t)((uv_hrtime() - p->start_ns) / 1000);
}

static void measure(produce *p, const kloop_report *run)
{
    uint64_t now_ns = uv_hrtime();
    bool copies = kl_produce_output_needs_copies(&p->output);
    for (size_t i = 0; i < run->count; i++) {
        const kl_record_copy *copy = run->users[i];
        uint64_t sent_us = copies ? (copy->sent_ns - p->start_ns) / 1000 : (uintptr_t)copy;
        kl_histogram_add(&p->latency_us, (now_ns - p->start_ns) / 1000 - sent_us, 1);
    }
}

static void on_delivery(kloop_producer *producer, const kloop_report *run, void *me)
{
    produce *p = me;
    if (run->outcome == KLOOP_OUTCOME_ACKED)
        p->result->acked += run->count;
    else
        kl_failure_tally_add(&p->result->failures, run);
    if (p->live.mode == KL_LIVE_DRAWN && run->outcome == KLOOP_OUTCOME_ACKED)
        measure(p, run);
    kl_produce_output_settled(&p->output, run);
    if (kl_produce_output_full(&p->output))
        kl_line_source_pause(&p->source);
    if (run->outcome == KLOOP_OUTCOME_ACKED)
        return;
    tell_failure(p, run->text);
    /* The next record would fail as well, and may be long in coming. */
    if (!p->stopping && (kloop_fatal_text(producer) ||
                         (run->cause == KLOOP_CAUSE_SECURITY && !kl_ever_let_in(producer))))
        stop_reading(p);
}

static void on_writable(kloop_producer *producer, void *me)
{
    produce *p = me;
    (void)producer;
    p->full = false;
    go_on(p);
}

static void on_log(kloop_producer *producer, kloop_log_level level, const char *text, void *me)
{
    produce *p = me;
    (void)producer;
    if (level <= KLOOP_LOG_WARN) {
        kl_log_lines_add(&p->log, level, text);
    } else if ((unsigned)(level - KLOOP_LOG_WARN) <= p->job->verbose) {
        kl_live_line_hide(&p->live);
        fprintf(stderr, "kloop produce: %s\n", text);
    }
}

static void on_room(void *me)
{
    go_on(me);
}

/* ---- Records ---- */

/* false: it is not due yet, and the alarm is set. */
static bool is_due(produce *p)
{
    if (!kl_pace_any(&p->pace))
        return true;
    uint64_t now_ns = uv_hrtime();
    if (p->starved) {
        kl_pace_waited(&p->pace, now_ns);
        p->starved = false;
    }
    uint64_t due_ns = kl_pace_due_ns(&p->pace);
    if (due_ns <= now_ns)
        return true;
    uint64_t soonest_ns = p->burst_ns + NAP_NS;
    p->early = true;
    kl_alarm_set(&p->alarm, due_ns > soonest_ns ? due_ns : soonest_ns);
    return false;
}

static void on_alarm(void *me)
{
    produce *p = me;
    p->early = false;
    p->burst_ns = uv_hrtime();
    go_on(p);
}

static void on_bad_input(produce *p, const kl_input_fault *fault)
{
    p->result->bad++;
    if (!p->job->skip_bad)
        stop_reading(p);
    else if (p->result->bad > BAD_SHOWN || p->job->quiet)
        return;
    kl_live_line_hide(&p->live);
    fprintf(stderr, "kloop produce: %s, line %llu", kl_input_files_name(p->job->files),
            (unsigned long long)p->source.line);
    if (fault->byte)
        fprintf(stderr, ", byte %zu", fault->byte);
    fprintf(stderr, ": %s\n", fault->text);
}

/* The handle of the topic that a record names. Many in a row name the same. */
static bool find_topic(produce *p, kloop_string name, kl_input_fault *fault)
{
    kloop_error error;
    if (p->topic && name.len < TOPIC_BYTES && memcmp(p->topic_name, name.data, name.len) == 0 &&
        p->topic_name[name.len] == '\0')
        return true;
    if (kloop_topic_get(p->producer, name.data, &p->topic, &error)) {
        p->topic = NULL;
        fault->byte = 0;
        snprintf(fault->text, sizeof fault->text, "%s", error.text);
        return false;
    }
    snprintf(p->topic_name, sizeof p->topic_name, "%s", name.data);
    return true;
}

/* A record that was read is told of, also when the producer does not take it. */
static void on_refusal(produce *p, const kl_input_record *in, kloop_status status)
{
    char text[512];
    kloop_send_error(p->topic, &in->record, status, text, sizeof text);
    kl_failure_tally_refused(&p->result->failures, in->topic,
                             in->record.set & KLOOP_SET_PARTITION ? in->record.partition : -1,
                             status, text);
    tell_failure(p, text);
    kl_produce_output_refused(&p->output, in, kl_refusal_name(status), text);
}

static kloop_status send_record(produce *p, kl_input_record *in)
{
    kl_record_copy *copy = NULL;
    bool needs_copy = kl_produce_output_needs_copies(&p->output);
    /* What is fed back has the time it had. */
    if (p->job->letters && !(in->record.set & KLOOP_SET_TIMESTAMP)) {
        in->record.set |= KLOOP_SET_TIMESTAMP;
        in->record.timestamp_ms = kl_produce_output_wall_ms();
    }
    if (needs_copy) {
        copy = kl_record_copy_new(&in->record, p->job->letters != NULL, uv_hrtime());
        if (!copy)
            return KLOOP_NO_MEMORY;
    }
    in->record.user = copy;
    if (!copy && p->live.mode == KL_LIVE_DRAWN)
        in->record.user = stamp(p);
    kloop_status status = kloop_send(p->topic, &in->record);
    if (status != KLOOP_OK)
        kl_record_copy_del(copy);
    return status;
}

static void on_taken(produce *p, const kl_input_record *in, kloop_string line, kloop_status status)
{
    size_t bytes = in->record.key.len + in->record.value.len;
    if (status != KLOOP_OK)
        on_refusal(p, in, status);
    p->taken++;
    p->result->bytes += bytes;
    if (p->source.whole && line.len > 0 && memchr(line.data, '\n', line.len - 1))
        p->result->whole_lines = true;
    if (kl_pace_any(&p->pace))
        kl_pace_took(&p->pace, uv_hrtime(), bytes);
    kl_produce_output_taken(&p->output, line,
                            p->source.whole ? (kloop_string){"", 0} : p->job->delimiter);
    if (kl_produce_output_full(&p->output))
        kl_line_source_pause(&p->source);
    if (p->taken >= p->job->count_max || status == KLOOP_FATAL || status == KLOOP_CLOSED)
        stop_reading(p);
}

static bool on_line(void *me, kloop_string line)
{
    produce *p = me;
    kl_input_record in;
    kl_input_fault fault;
    if (!is_due(p))
        return false;
    kl_record_read read = kl_record_reader_read(&p->reader, line, p->source.whole, &in, &fault);
    if (read == KL_RECORD_NONE)
        return true;
    if (read == KL_RECORD_BAD || !find_topic(p, in.topic, &fault)) {
        on_bad_input(p, &fault);
        return true;
    }
    kloop_status status = send_record(p, &in);
    if (status == KLOOP_FULL) {
        p->full = true;
        return false;
    }
    on_taken(p, &in, line, status);
    return true;
}

/* ---- Inputs ---- */

static void on_input_end(void *me, int error);

static void on_wait(void *me)
{
    produce *p = me;
    p->starved = true;
    if (p->interactive && !p->job->quiet && isatty(STDERR_FILENO))
        fputs("> ", stderr);
}

static void greet(produce *p)
{
    p->interactive = isatty(p->job->files->fd) && !p->source.whole;
    if (p->interactive && !p->job->quiet)
        fputs("kloop produce: each line you type becomes a record; Ctrl-D ends.\n", stderr);
}

static void next_input(produce *p)
{
    const kl_produce_job *job = p->job;
    kloop_string delimiter = job->delimiter;
    int error = 0;
    if (p->stopping || !kl_input_files_next(job->files, &error)) {
        close_producer(p, CLOSE_MS);
        return;
    }
    if (error) {
        p->result->in_error = error;
        close_producer(p, CLOSE_MS);
        return;
    }
    if (job->whole_files && !kl_input_files_is_stdin(job->files))
        delimiter.len = 0;
    kl_line_source_init(&p->source, &p->loop, job->files->fd, delimiter, on_line, on_input_end, p);
    p->source.on_wait = on_wait;
    greet(p);
}

static void on_input_end(void *me, int error)
{
    produce *p = me;
    p->result->line = p->source.line;
    p->result->whole = p->source.whole;
    p->bytes_before += p->source.bytes_read;
    p->source.bytes_read = 0;
    kl_line_source_deinit(&p->source);
    if (error) {
        p->result->in_error = error;
        p->stopping = true;
    }
    next_input(p);
}

/* ---- The live line ---- */

static void on_figures(void *me, kl_live_figures *figures)
{
    produce *p = me;
    const kl_produce_result *r = p->result;
    kloop_stats stats;
    kloop_get_stats(p->producer, &stats);
    figures->delivered = r->acked;
    if (p->taken)
        figures->delivered_bytes =
            (uint64_t)((double)r->bytes / (double)p->taken * (double)r->acked);
    figures->failed = r->failures.failed + r->failures.unknown;
    figures->in_flight = stats.pending;
    figures->buffer_bytes = stats.held_bytes;
    figures->buffer_bytes_max = p->buffer_bytes_max;
    kl_perf_live_latency(&p->latency_of_late, &p->latency_us, uv_hrtime(), figures);
    if (p->job->count_max != UINT64_MAX) {
        figures->part = p->taken;
        figures->whole = p->job->count_max;
    } else {
        figures->part = p->bytes_before + p->source.bytes_read;
        figures->whole = p->job->files->bytes;
    }
    if (p->stopping || p->source.ended)
        figures->note = "delivering";
}

static void start_live_line(produce *p)
{
    const kl_produce_job *job = p->job;
    /* Events tell more, and neither what is typed nor what comes out is to be drawn over. */
    bool fills_screen =
        (job->tee || (job->letters && job->letters->fd == STDOUT_FILENO)) && isatty(STDOUT_FILENO);
    bool wanted = !job->events && !isatty(STDIN_FILENO) && !fills_screen;
    kl_live_how how = {.command = "produce",
                       .progress = wanted ? job->progress : KL_PROGRESS_NEVER,
                       .quiet = job->quiet,
                       .plain_ms = PLAIN_MS};
    kl_live_line_start(&p->live, &p->loop, &how, on_figures, p);
}

/* ---- The end ---- */

static void on_prepare(uv_prepare_t *prepare)
{
    produce *p = prepare->data;
    if (kl_produce_output_waiting(&p->output))
        push_out(p);
}

static void on_first_signal(produce *p, int number)
{
    p->result->signal = number;
    if (!p->job->quiet) {
        kl_live_line_hide(&p->live);
        fputs("kloop produce: no more input is read; what was read is delivered. Once more ends "
              "it at once.\n",
              stderr);
    }
    stop_reading(p);
    if (number != SIGINT)
        close_producer(p, TERM_MS);
}

static void tell_how_it_stands(produce *p)
{
    kloop_stats stats;
    kloop_get_stats(p->producer, &stats);
    kl_live_line_hide(&p->live);
    fprintf(stderr,
            "kloop produce: %llu read, %llu delivered, %llu not, %llu under way; at line %llu of "
            "%s\n",
            (unsigned long long)p->taken, (unsigned long long)p->result->acked,
            (unsigned long long)(p->result->failures.failed + p->result->failures.unknown),
            (unsigned long long)stats.pending, (unsigned long long)p->source.line,
            kl_input_files_name(p->job->files));
    kl_snapshot_print(p->producer, stderr);
}

static void on_signal(void *me, int number)
{
    produce *p = me;
    if (number == SIGUSR1) {
        if (p->producer)
            tell_how_it_stands(p);
        return;
    }
    switch (++p->signal_count) {
    case 1:
        on_first_signal(p, number);
        break;
    case 2:
        close_producer(p, 0);
        break;
    default:
        kl_produce_output_give_up(&p->output);
    }
}

static void on_closed(kloop_producer *producer, void *me)
{
    produce *p = me;
    kl_stats_file_last(p->job->stats);
    p->result->ever_let_in = kl_ever_let_in(producer);
    p->result->fatal = kloop_fatal_text(producer) != NULL;
    p->producer = NULL;
    kl_live_line_close(&p->live);
    kl_produce_output_end(&p->output, p->result->acked, p->result->failures.failed,
                          p->result->failures.unknown);
    uv_close((uv_handle_t *)&p->prepare, NULL);
    kl_alarm_close(&p->alarm, NULL);
    /* They are watched until the last event is written, and nothing waits for them. */
    kl_run_signals_unref(&p->signals);
}

/* It may be gone: signals come behind it, and the end of an input that they ended may, too. */
static void close_producer(produce *p, uint64_t timeout_ms)
{
    if (p->producer)
        kloop_close(p->producer, timeout_ms, on_closed, p);
}

/* false: it was said why not, and everything is closed or closing. */
static bool open_producer(produce *p)
{
    const kl_produce_job *job = p->job;
    kloop_error error;
    kl_input_fault fault;
    int rc = kl_alarm_init(&p->alarm, &p->loop, on_alarm, p);
    if (rc) {
        fprintf(stderr, "kloop produce: timerfd: %s\n", strerror(rc));
        return false;
    }
    if (kloop_open(&p->producer, &p->loop, *job->config, &error)) {
        fprintf(stderr, "kloop produce: %s\n", error.text);
        kl_alarm_close(&p->alarm, NULL);
        return false;
    }
    const char *buffer = kloop_config_get(*job->config, "buffer.memory");
    p->buffer_bytes_max = buffer ? strtoull(buffer, NULL, 10) : 0;
    kloop_config_del(*job->config);
    *job->config = NULL;
    if (job->form.topic.data && !find_topic(p, job->form.topic, &fault)) {
        fprintf(stderr, "kloop produce: %s\n", fault.text);
        kloop_close(p->producer, 0, NULL, NULL);
        kl_alarm_close(&p->alarm, NULL);
        return false;
    }
    return true;
}

static void begin(produce *p)
{
    const kl_produce_job *job = p->job;
    p->start_ns = uv_hrtime();
    kloop_on_delivery(p->producer, on_delivery, p);
    kloop_on_writable(p->producer, on_writable, p);
    kloop_on_log(p->producer, on_log, p);
    kl_stats_file_start(job->stats, &p->loop, p->producer);
    uv_prepare_init(&p->loop, &p->prepare);
    p->prepare.data = p;
    uv_prepare_start(&p->prepare, on_prepare);
    kl_run_signals_start(&p->signals, &p->loop, on_signal, p);
    kl_record_reader_init(&p->reader, &job->form);
    kl_pace_init(&p->pace, job->rate, job->byte_rate);
    p->output =
        (kl_produce_output){.letters = job->letters, .events = job->events, .tee = job->tee};
    kl_produce_output_start(&p->output, &p->loop, on_room, p);
    kl_produce_output_begin(&p->output);
    start_live_line(p);
    p->stopping = job->count_max == 0;
    next_input(p);
}

static void end(produce *p)
{
    kl_run_signals_end(&p->signals);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    p->result->run_ms = (uv_hrtime() - p->start_ns) / 1000000;
    p->result->out_error = p->output.out.error;
    p->result->out_lost = p->output.out.lost_lines;
    kl_produce_output_deinit(&p->output);
    kl_record_reader_deinit(&p->reader);
}

bool kl_produce_run(const kl_produce_job *job, kl_produce_result *result)
{
    /* Until there is a source, there is none to be stopped. */
    produce p = {.job = job, .result = result, .source = {.ended = true}};
    memset(result, 0, sizeof *result);
    /* Readers of ours may go away, and a file may become as large as it can: that shows in the
     * write. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    kl_log_lines_init(&p.log, "produce", job->quiet);
    p.log.live = &p.live;
    uv_loop_init(&p.loop);
    bool ok = open_producer(&p);
    if (ok)
        begin(&p);
    uv_run(&p.loop, UV_RUN_DEFAULT);
    if (ok)
        end(&p);
    uv_loop_close(&p.loop);
    kl_log_lines_end(&p.log);
    return ok;
}
