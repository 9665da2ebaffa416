/* SPDX-License-Identifier: BSD-2-Clause */
/* Events, tee and dead letters. See produce_output.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/produce_output.h"

#include "cli/failure_tally.h"
#include "cli/produce_events.h"
#include "cli/record_copy.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES 65536

int64_t kl_produce_output_wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void kl_produce_output_start(kl_produce_output *o, uv_loop_t *loop, kl_paced_fn on_room, void *me)
{
    o->start_ns = uv_hrtime();
    /* Letters may go to stdout, and a descriptor can be watched once only. */
    o->uses_stdout = o->events || o->tee;
    kl_buf_init(&o->out.buf, &kl_mem_libc);
    if (o->uses_stdout)
        kl_paced_output_init(&o->out, loop, STDOUT_FILENO, on_room, me);
    if (o->letters)
        kl_dead_letters_start(o->letters, loop, on_room, me);
}

void kl_produce_output_deinit(kl_produce_output *o)
{
    kl_paced_output_deinit(&o->out);
}

static void push_if_much(kl_produce_output *o)
{
    if (kl_paced_output_waiting(&o->out) >= PIECE_BYTES)
        kl_paced_output_push(&o->out);
}

void kl_produce_output_begin(kl_produce_output *o)
{
    if (!o->events)
        return;
    kl_event_startup(kl_paced_output_buf(&o->out), kl_produce_output_wall_ms());
    kl_paced_output_push(&o->out);
}

void kl_produce_output_taken(kl_produce_output *o, kloop_string text, kloop_string delimiter)
{
    if (!o->tee)
        return;
    kl_buf_append(kl_paced_output_buf(&o->out), text.data, text.len);
    kl_buf_append(kl_paced_output_buf(&o->out), delimiter.data, delimiter.len);
    push_if_much(o);
}

/* ---- Settled records ---- */

static void put_event(kl_produce_output *o, const kloop_report *run, size_t i,
                      const kl_record_copy *copy, kl_produce_event *event)
{
    kl_buf *out = kl_paced_output_buf(&o->out);
    event->key = copy->record.key;
    event->value = copy->record.value;
    if (run->outcome == KLOOP_OUTCOME_ACKED)
        kl_event_success(out, event, kloop_report_offset(run, i));
    else
        kl_event_error(out, event, run->outcome, kl_failure_name(run), run->text);
    push_if_much(o);
}

static void put_letter(kl_produce_output *o, const kloop_report *run, const kl_record_copy *copy)
{
    kl_dead_letters_add(o->letters,
                        &(kl_dead_letter){.topic = run->topic_name,
                                          .record = &copy->record,
                                          .unknown = run->outcome == KLOOP_OUTCOME_UNKNOWN,
                                          .error = kl_failure_name(run),
                                          .message = run->text});
}

void kl_produce_output_settled(kl_produce_output *o, const kloop_report *run)
{
    if (!kl_produce_output_needs_copies(o))
        return;
    kl_produce_event event = {.wall_ms = kl_produce_output_wall_ms(),
                              .topic = run->topic_name,
                              .partition = run->partition};
    uint64_t now_ns = uv_hrtime();
    for (size_t i = 0; i < run->count; i++) {
        kl_record_copy *copy = run->users[i];
        event.age_ms = (now_ns - copy->sent_ns) / 1000000;
        if (o->events)
            put_event(o, run, i, copy, &event);
        if (o->letters && run->outcome != KLOOP_OUTCOME_ACKED)
            put_letter(o, run, copy);
        kl_record_copy_del(copy);
    }
}

void kl_produce_output_refused(kl_produce_output *o, const kl_input_record *in, const char *error,
                               const char *message)
{
    const kloop_record *r = &in->record;
    if (o->events) {
        kl_produce_event event = {.wall_ms = kl_produce_output_wall_ms(),
                                  .key = r->key,
                                  .value = r->value,
                                  .topic = in->topic,
                                  .partition = r->set & KLOOP_SET_PARTITION ? r->partition : -1};
        kl_event_error(kl_paced_output_buf(&o->out), &event, KLOOP_OUTCOME_FAILED, error, message);
        push_if_much(o);
    }
    if (o->letters)
        kl_dead_letters_add(
            o->letters,
            &(kl_dead_letter){.topic = in->topic, .record = r, .error = error, .message = message});
}

void kl_produce_output_end(kl_produce_output *o, uint64_t acked, uint64_t failed, uint64_t unknown)
{
    if (o->events)
        kl_event_shutdown(kl_paced_output_buf(&o->out), kl_produce_output_wall_ms(), acked, failed,
                          unknown, (int64_t)((uv_hrtime() - o->start_ns) / 1000000));
    if (o->uses_stdout)
        kl_paced_output_finish(&o->out);
    if (o->letters)
        kl_paced_output_finish(&o->letters->out);
}

/* ---- Both outputs ---- */

bool kl_produce_output_waiting(const kl_produce_output *o)
{
    return kl_paced_output_waiting(&o->out) > 0 ||
           (o->letters && kl_paced_output_waiting(&o->letters->out) > 0);
}

void kl_produce_output_push(kl_produce_output *o)
{
    if (kl_paced_output_waiting(&o->out) > 0)
        kl_paced_output_push(&o->out);
    if (o->letters && kl_paced_output_waiting(&o->letters->out) > 0)
        kl_paced_output_push(&o->letters->out);
}

bool kl_produce_output_full(const kl_produce_output *o)
{
    return o->out.full || (o->letters && o->letters->out.full);
}

bool kl_produce_output_failed(const kl_produce_output *o)
{
    return o->out.error || (o->letters && o->letters->out.error);
}

void kl_produce_output_give_up(kl_produce_output *o)
{
    if (o->uses_stdout)
        kl_paced_output_give_up(&o->out, ECANCELED);
    if (o->letters)
        kl_paced_output_give_up(&o->letters->out, ECANCELED);
}
