/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines in, events out. See produce_run.h.
 *
 *               end of input, -c, a signal, output that nobody takes, a producer that cannot go on
 *     READING ------------------------------------------------------------------------------------>
 * CLOSING |   ^ | v   |                                                       everything reported,
 * or a second signal PAUSED: the producer is full, or too many events wait for their reader v the
 * last events are written: over
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_run.h"

#include "cli/line_source.h"
#include "cli/log_lines.h"
#include "cli/paced_output.h"
#include "cli/produce_events.h"

#include <kloop/kloop.h>

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

/* Records are bounded by delivery.timeout.ms, closing need not be. */
#define CLOSE_MS    INT32_MAX
#define PIECE_BYTES 65536

typedef struct produce {
    const kl_produce_job *job;
    kl_produce_result *result;
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_signal_t signals[2];
    kl_line_source source;
    kl_paced_output out;
    kloop_producer *producer;
    kloop_topic *topic;
    kl_log_lines log;
    uint64_t start_ns;
    uint64_t taken; /* records, refused ones too */
    bool full;      /* the producer was */
} produce;

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_producer(produce *p, uint64_t timeout_ms);

static void push_out(produce *p)
{
    kl_paced_output_push(&p->out);
    if (p->out.error && !p->result->out_error) {
        p->result->out_error = p->out.error;
        kl_line_source_stop(&p->source);
    }
}

static void go_on(produce *p)
{
    if (!p->full && !p->out.full)
        kl_line_source_resume(&p->source);
}

/* ---- Reports ---- */

static void put_event(produce *p, const kloop_report *run, size_t i, uint64_t now_ns,
                      kl_produce_event *event)
{
    kl_record_copy *copy = run->users[i];
    kl_buf *out = kl_paced_output_buf(&p->out);
    event->key = kl_record_copy_key(copy);
    event->value = kl_record_copy_value(copy);
    event->age_ms = (now_ns - copy->sent_ns) / 1000000;
    if (run->outcome == KLOOP_OUTCOME_ACKED)
        kl_event_success(out, event, kloop_report_offset(run, i));
    else
        kl_event_error(out, event, run->outcome, kl_failure_name(run), run->text);
    kl_record_copy_del(copy);
    if (kl_paced_output_waiting(&p->out) >= PIECE_BYTES)
        push_out(p);
}

static void on_delivery(kloop_producer *producer, const kloop_report *run, void *me)
{
    produce *p = me;
    (void)producer;
    if (run->outcome == KLOOP_OUTCOME_ACKED)
        p->result->acked += run->count;
    else
        kl_failure_tally_add(&p->result->failures, run);
    if (!p->job->events)
        return;
    kl_produce_event event = {
        .wall_ms = wall_ms(), .topic = run->topic_name, .partition = run->partition};
    uint64_t now_ns = uv_hrtime();
    for (size_t i = 0; i < run->count; i++)
        put_event(p, run, i, now_ns, &event);
    if (p->out.full)
        kl_line_source_pause(&p->source);
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
    kl_log_lines_add(&p->log, level, text);
}

static void on_room(void *me)
{
    go_on(me);
}

/* ---- Lines ---- */

static kloop_slice bytes_of(const produce *p, const char *data, size_t len)
{
    if (len == 0 && p->job->empty_is_null)
        return (kloop_slice){NULL, 0};
    return (kloop_slice){(const uint8_t *)data, len};
}

/* Where the key ends, or NULL. */
static const char *find_key_end(const kl_produce_job *job, kloop_string line)
{
    const kloop_string *d = &job->key_delimiter;
    if (d->len == 0)
        return NULL;
    for (size_t i = 0; i + d->len <= line.len; i++) {
        const char *hit = memchr(line.data + i, d->data[0], line.len - i);
        if (!hit || (size_t)(line.data + line.len - hit) < d->len)
            return NULL;
        if (memcmp(hit, d->data, d->len) == 0)
            return hit;
        i = (size_t)(hit - line.data);
    }
    return NULL;
}

static kloop_record record_of(const produce *p, kloop_string line)
{
    const kl_produce_job *job = p->job;
    kloop_record record = {
        .key = job->key, .headers = job->headers, .header_count = job->header_count};
    const char *key_end = find_key_end(job, line);
    if (key_end) {
        size_t key_len = (size_t)(key_end - line.data);
        size_t used = key_len + job->key_delimiter.len;
        record.key = bytes_of(p, line.data, key_len);
        record.value = bytes_of(p, line.data + used, line.len - used);
    } else {
        record.value = bytes_of(p, line.data, line.len);
    }
    if (job->partition >= 0) {
        record.set = KLOOP_SET_PARTITION;
        record.partition = job->partition;
    }
    return record;
}

/* A record that was read is told of, also when the producer does not take it. */
static void on_refusal(produce *p, const kloop_record *record, kloop_status status)
{
    char text[512];
    kloop_send_error(p->topic, record, status, text, sizeof text);
    kl_failure_tally_refused(&p->result->failures, status, text);
    if (!p->job->events)
        return;
    kl_produce_event event = {.wall_ms = wall_ms(),
                              .key = record->key,
                              .value = record->value,
                              .topic = {p->job->topic, strlen(p->job->topic)},
                              .partition = p->job->partition};
    kl_event_error(kl_paced_output_buf(&p->out), &event, KLOOP_OUTCOME_FAILED,
                   kl_refusal_name(status), text);
    if (kl_paced_output_waiting(&p->out) >= PIECE_BYTES)
        push_out(p);
}

static bool on_line(void *me, kloop_string line)
{
    produce *p = me;
    kloop_record record = record_of(p, line);
    kl_record_copy *copy = NULL;
    kloop_status status = KLOOP_NO_MEMORY;
    if (p->job->events)
        copy = kl_record_copy_new(&record, uv_hrtime());
    record.user = copy;
    if (copy || !p->job->events)
        status = kloop_send(p->topic, &record);
    if (status != KLOOP_OK)
        kl_record_copy_del(copy);
    if (status == KLOOP_FULL) {
        p->full = true;
        return false;
    }
    if (status != KLOOP_OK)
        on_refusal(p, &record, status);
    p->taken++;
    if (p->out.full)
        kl_line_source_pause(&p->source);
    if (p->taken >= p->job->count_max || status == KLOOP_FATAL || status == KLOOP_CLOSED)
        kl_line_source_stop(&p->source);
    return true;
}

static void on_lines_end(void *me, int error)
{
    produce *p = me;
    p->result->in_error = error;
    close_producer(p, CLOSE_MS);
}

/* ---- The end ---- */

static void on_prepare(uv_prepare_t *prepare)
{
    produce *p = prepare->data;
    if (kl_paced_output_waiting(&p->out) > 0)
        push_out(p);
}

static void on_signal(uv_signal_t *handle, int number)
{
    produce *p = handle->data;
    if (!p->result->signal) {
        p->result->signal = number;
        if (!p->job->quiet)
            fputs(
                "kloop produce: no more input is read; what was read is delivered. Once more ends "
                "it at once.\n",
                stderr);
        kl_line_source_stop(&p->source);
        return;
    }
    close_producer(p, 0);
}

static void on_closed(kloop_producer *producer, void *me)
{
    produce *p = me;
    kloop_stats stats;
    kloop_get_stats(producer, &stats);
    p->result->ever_ready = stats.ever_ready;
    p->result->fatal = kloop_fatal_text(producer) != NULL;
    if (p->job->events && p->topic)
        kl_event_shutdown(kl_paced_output_buf(&p->out), wall_ms(), p->result->acked,
                          p->result->failures.failed, p->result->failures.unknown,
                          (int64_t)((uv_hrtime() - p->start_ns) / 1000000));
    push_out(p);
    kl_paced_output_finish(&p->out);
    uv_close((uv_handle_t *)&p->prepare, NULL);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&p->signals[i], NULL);
}

static void close_producer(produce *p, uint64_t timeout_ms)
{
    kloop_close(p->producer, timeout_ms, on_closed, p);
}

static void start_handles(produce *p)
{
    static const int ends[] = {SIGINT, SIGTERM};
    kl_paced_output_init(&p->out, &p->loop, STDOUT_FILENO, on_room, p);
    uv_prepare_init(&p->loop, &p->prepare);
    p->prepare.data = p;
    uv_prepare_start(&p->prepare, on_prepare);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&p->loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], on_signal, ends[i]);
    }
}

static bool start(produce *p)
{
    kloop_error error;
    p->start_ns = uv_hrtime();
    if (kloop_open(&p->producer, &p->loop, p->job->config, &error)) {
        fprintf(stderr, "kloop produce: %s\n", error.text);
        return false;
    }
    kloop_on_delivery(p->producer, on_delivery, p);
    kloop_on_writable(p->producer, on_writable, p);
    kloop_on_log(p->producer, on_log, p);
    start_handles(p);
    if (kloop_topic_get(p->producer, p->job->topic, &p->topic, &error)) {
        fprintf(stderr, "kloop produce: %s\n", error.text);
        close_producer(p, 0);
        return false;
    }
    kl_line_source_init(&p->source, &p->loop, p->job->fd, p->job->delimiter, on_line, on_lines_end,
                        p);
    if (p->job->events) {
        kl_event_startup(kl_paced_output_buf(&p->out), wall_ms());
        push_out(p);
    }
    if (p->job->count_max == 0)
        kl_line_source_stop(&p->source);
    return true;
}

bool kl_produce_run(const kl_produce_job *job, kl_produce_result *result)
{
    /* Until there is a source, there is none to be stopped. */
    produce p = {.job = job, .result = result, .source = {.ended = true}};
    memset(result, 0, sizeof *result);
    /* The reader of our events may go away; that shows in the write. */
    signal(SIGPIPE, SIG_IGN);
    kl_log_lines_init(&p.log, "produce", job->quiet);
    uv_loop_init(&p.loop);
    bool ok = start(&p);
    uv_run(&p.loop, UV_RUN_DEFAULT);
    uv_loop_close(&p.loop);
    kl_log_lines_end(&p.log);
    if (p.producer)
        kl_paced_output_deinit(&p.out);
    if (ok)
        kl_line_source_deinit(&p.source);
    return ok;
}
