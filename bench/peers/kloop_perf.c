/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kloop in the harness of its peers: for records whose partitions are given, which `kloop perf`
 * does not do, and to see that this harness and that command measure the same. Flags in peer_job.h,
 * the line that comes out in peer_tally.h.
 *
 *     the first record, delivered -> SENDING -> closed -> the line
 *                                     |   ^
 *                                     |   +- an idle handle runs: at most 1 MB, then the loop works
 *                                     v
 *               the producer is full: until it is writable; at a rate: until the alarm rings, which
 *               sends what is due
 */
#define _POSIX_C_SOURCE 200809L
#include "bench/peers/peer_tally.h"

#include "cli/alarm_clock.h"
#include "cli/perf_payload.h"

#include <kloop/kloop.h>

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define TURN_BYTES_MAX   ((size_t)1 << 20)
#define TURN_RECORDS_MAX 16384
#define CLOSE_MS         150000 /* longer than delivery.timeout.ms, which ends every record */
#define KEY_LENGTH_MAX   64

typedef struct run {
    const peer_job *job;
    peer_tally tally;
    kl_perf_payload payload;
    uv_loop_t loop;
    uv_idle_t idle;
    kl_alarm alarm;
    kloop_producer *producer;
    kloop_topic *topic;
    kloop_record record;
    bool refused; /* the record is the next one, and its time runs already */
    uint64_t sent;
    uint64_t group;
    uint64_t burst_ns; /* when the first record of the present burst was due */
    double period_ns;
} run;

/* ---- What comes back ---- */

static void on_delivery(kloop_producer *producer, const kloop_report *report, void *me)
{
    run *r = me;
    (void)producer;
    for (size_t i = 0; i < report->count; i++) {
        if (report->outcome == KLOOP_OUTCOME_ACKED)
            peer_tally_acked(&r->tally, report->users[i]);
        else
            peer_tally_lost(&r->tally, report->outcome == KLOOP_OUTCOME_UNKNOWN, report->text);
    }
}

static void on_closed(kloop_producer *producer, void *me)
{
    run *r = me;
    (void)producer;
    peer_tally_threads(&r->tally);
    kl_alarm_close(&r->alarm, NULL);
    uv_close((uv_handle_t *)&r->idle, NULL);
}

/* ---- Sending ---- */

static void on_turn(uv_idle_t *idle);

static void go_on(void *me)
{
    run *r = me;
    uv_idle_start(&r->idle, on_turn);
}

static void on_writable(kloop_producer *producer, void *me)
{
    (void)producer;
    go_on(me);
}

static void on_first(kloop_producer *producer, void *me)
{
    run *r = me;
    (void)producer;
    peer_tally_start(&r->tally, r->job, peer_clock_ns());
    go_on(r);
}

/* false: the producer is full. */
static bool send_one(run *r, void *stamp)
{
    if (!r->refused) {
        r->record.value = kl_perf_payload_next(&r->payload);
        r->record.user = stamp;
        if (r->job->partition_count) {
            r->record.set = KLOOP_SET_PARTITION;
            r->record.partition = (int32_t)(r->sent % r->job->partition_count);
        }
    }
    kloop_status status = kloop_send(r->topic, &r->record);
    r->refused = status == KLOOP_FULL;
    if (r->refused)
        return false;
    if (status != KLOOP_OK) {
        char why[512];
        kloop_send_error(r->topic, &r->record, status, why, sizeof why);
        /* What was not even taken makes the whole run worthless. */
        fprintf(stderr, "%s: record %llu was refused: %s\n", r->job->program,
                (unsigned long long)r->sent, why);
        exit(1);
    }
    r->sent++;
    return true;
}

static uint64_t due_ns(const run *r)
{
    return r->tally.timed.start_ns + (uint64_t)((double)(r->sent - 1) * r->period_ns);
}

/* false: nothing is due, and the alarm is set. */
static bool send_due(run *r, uint64_t *now_ns)
{
    if (due_ns(r) > *now_ns || r->sent % PEER_GROUP_RECORDS_MAX == 0)
        *now_ns = peer_clock_ns();
    if (due_ns(r) <= *now_ns)
        return send_one(r, peer_tally_stamp(&r->tally, *now_ns, due_ns(r)));
    uint64_t soonest_ns = r->burst_ns + peer_job_nap_ns(r->job);
    kl_alarm_set(&r->alarm, due_ns(r) > soonest_ns ? due_ns(r) : soonest_ns);
    return false;
}

static bool send_fast(run *r, uint64_t *now_ns)
{
    if ((r->sent - 1) % r->group != 0)
        return send_one(r, NULL);
    *now_ns = peer_clock_ns();
    return send_one(r, peer_tally_stamp(&r->tally, *now_ns, *now_ns));
}

/* false: nothing can be sent before something else happens. */
static bool send_some(run *r)
{
    uint64_t now_ns = peer_clock_ns();
    if (due_ns(r) <= now_ns)
        r->burst_ns = due_ns(r);
    uint64_t end = r->sent + TURN_RECORDS_MAX;
    if (r->job->record_size && end > r->sent + TURN_BYTES_MAX / r->job->record_size)
        end = r->sent + TURN_BYTES_MAX / r->job->record_size + 1;
    while (r->sent < end) {
        if (r->sent == r->job->record_count) {
            peer_tally_threads(&r->tally);
            kloop_close(r->producer, CLOSE_MS, on_closed, r);
            return false;
        }
        if (!(r->period_ns > 0 ? send_due(r, &now_ns) : send_fast(r, &now_ns)))
            return false;
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
    if (send_some(me))
        go_on(me);
}

/* ---- Opening ---- */

static bool configure(const peer_job *job, kloop_config *config)
{
    char key[KEY_LENGTH_MAX];
    kloop_config_set(config, "bootstrap.servers", job->bootstrap);
    for (size_t i = 0; i < job->property_count; i++) {
        const char *value = peer_job_property(job, i, key, sizeof key);
        if (!value)
            return false;
        if (kloop_config_set(config, key, value)) {
            fprintf(stderr, "%s: %s\n", job->program, kloop_config_error(config));
            return false;
        }
    }
    return true;
}

static bool open_producer(run *r)
{
    kloop_error error = {.text = ""};
    kloop_config *config = kloop_config_new(NULL);
    bool ok = configure(r->job, config);
    if (ok) {
        ok = kloop_open(&r->producer, &r->loop, config, &error) == KLOOP_OK &&
             kloop_topic_get(r->producer, r->job->topic, &r->topic, &error) == KLOOP_OK;
        if (!ok)
            fprintf(stderr, "%s: %s\n", r->job->program, error.text);
    }
    kloop_config_del(config);
    return ok;
}

static int work(run *r)
{
    uv_loop_init(&r->loop);
    uv_idle_init(&r->loop, &r->idle);
    r->idle.data = r;
    int rc = kl_alarm_init(&r->alarm, &r->loop, on_alarm, r);
    if (rc) {
        fprintf(stderr, "%s: no timer: %s\n", r->job->program, strerror(rc));
        return 1;
    }
    if (!open_producer(r))
        return 2;
    kloop_on_delivery(r->producer, on_delivery, r);
    kloop_on_writable(r->producer, on_writable, r);
    send_one(r, NULL);
    kloop_flush(r->producer, on_first, r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    return peer_tally_print(&r->tally, r->job, "kloop", kloop_version());
}

int main(int argc, char **argv)
{
    static run r; /* too large for the stack */
    peer_job job;
    if (!peer_job_parse(&job, argc, argv))
        return 2;
    if (job.by_reference) {
        fprintf(stderr, "%s: --by-reference: kloop copies each record\n", job.program);
        return 2;
    }
    r.job = &job;
    r.group = peer_job_group(&job);
    r.period_ns = job.rate > 0 ? 1e9 / job.rate : 0;
    const char *why = kl_perf_payload_letters(&r.payload, job.record_size, 0);
    if (why) {
        fprintf(stderr, "%s: the payload: %s\n", job.program, why);
        return 1;
    }
    int code = work(&r);
    kl_perf_payload_deinit(&r.payload);
    return code;
}
