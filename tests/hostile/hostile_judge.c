/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no broker may bring about, and what the program must be told.
 *
 * Times are held against the clock, since "never later than" is what is promised; but by as much as
 * the machine was overloaded they are let go later. That is measured: how long the client was ready
 * to run without a processor, and by how much the sleeping parent woke up late. CPU and memory are
 * the process's own and need no such mercy; they are judged where the library is built as people
 * use it.
 */
#include "tests/hostile/hostile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define LATE_MS    250
#define CPU_US_MAX 250000
/* What a peer really sends has to be read, on a slow machine too. */
#define CPU_US_A_MIB 5000
/* What must not be said of brokers that speak. */
#define UNANSWERED "no broker has answered yet"
/* Far above what a turn should take, far below work that grows as the square of an answer. */
#define TURN_US_MAX 50000
#define MEMORY_KIB  (64 << 10)
#define RATE_MAX    20

static void fault(hostile_verdict *v, const char *format, ...)
{
    size_t len = strlen(v->faults);
    va_list args;
    va_start(args, format);
    vsnprintf(v->faults + len, sizeof v->faults - len - 1, format, args);
    va_end(args);
    strcat(v->faults, "\n");
    v->good = false;
}

static void judge_process(const hostile_result *r, const hostile_ends *ends, hostile_verdict *v)
{
    if (ends->worlds_own)
        fault(v, "the brokers ended by themselves: they met what no sound client sends");
    if (ends->killed)
        fault(v, "it hung, and was killed");
    else if (WIFSIGNALED(ends->status))
        fault(v, "it crashed: signal %d", WTERMSIG(ends->status));
    else if (WEXITSTATUS(ends->status) != 0)
        fault(v, "it ended with exit code %d", WEXITSTATUS(ends->status));
    else if (!r->opened || !r->closed)
        fault(v, "it ended without having closed its producer");
    else if (!r->ended)
        fault(v, "the producer left handles on the loop");
    if (r->threads > 1)
        fault(v, "%d threads", r->threads);
}

/* What was reported against what the brokers know. */
static void judge_truth(const hostile_case *row, const hostile_result *r, hostile_verdict *v)
{
    bool asks = !row->config || !strstr(row->config, "acks=0");
    unsigned had = 0, made_up = 0;
    for (size_t i = 0; i < HOSTILE_RECORDS_MAX; i++) {
        had += r->fates[i] == HOSTILE_FAILED && (r->marks[i] & HOSTILE_TAKEN);
        made_up += r->fates[i] == HOSTILE_ACKED && asks && !(r->marks[i] & HOSTILE_GRANTED);
    }
    if (had)
        fault(v, "%u records were reported failed, which a broker has and never refused", had);
    if (made_up)
        fault(v, "%u records were reported acked, which no broker has granted", made_up);
}

static void judge_records(const hostile_case *row, const hostile_result *r, hostile_verdict *v)
{
    static const char *const names[] = {"acked", "failed", "unknown"};
    uint64_t reported = r->outcomes[0] + r->outcomes[1] + r->outcomes[2];
    if (r->accepted == 0)
        fault(v, "no record was accepted");
    if (reported != r->accepted)
        fault(v, "%llu records were accepted, %llu were reported", (unsigned long long)r->accepted,
              (unsigned long long)reported);
    if (r->twice)
        fault(v, "%llu reports on records that did not await one", (unsigned long long)r->twice);
    if (r->misplaced)
        fault(v, "%llu records were reported before an earlier one of their partition",
              (unsigned long long)r->misplaced);
    if (r->odd_offsets)
        fault(v, "%llu records were reported with impossible offsets",
              (unsigned long long)r->odd_offsets);
    if (r->unproved)
        fault(v, "%llu records were reported failed for a code that proves nothing",
              (unsigned long long)r->unproved);
    judge_truth(row, r, v);
    bool seen = row->musts == 0;
    for (int i = 0; i < 3; i++) {
        seen |= r->outcomes[i] > 0 && (row->musts & (1u << i));
        if (r->outcomes[i] > 0 && !(row->outcomes & (1u << i)))
            fault(v, "%llu records were reported %s, which none may be here",
                  (unsigned long long)r->outcomes[i], names[i]);
    }
    if (!seen)
        fault(v,
              "no record has an outcome that some must have here: %llu acked, %llu failed, "
              "%llu unknown",
              (unsigned long long)r->outcomes[0], (unsigned long long)r->outcomes[1],
              (unsigned long long)r->outcomes[2]);
}

static void judge_times(const hostile_case *row, const hostile_result *r, uint64_t lag_ms,
                        hostile_verdict *v)
{
    uint64_t delivery_ms = HOSTILE_DELIVERY_MS, mercy_ms = LATE_MS + r->starved_ms + lag_ms;
    const char *own = row->config ? strstr(row->config, "delivery.timeout.ms=") : NULL;
    unsigned long long number;
    if (own && sscanf(own, "delivery.timeout.ms=%llu", &number) == 1)
        delivery_ms = number;
    if (r->latest_ms > delivery_ms + mercy_ms)
        fault(v,
              "a record was reported after %llu ms, with delivery.timeout.ms=%llu and %llu ms of "
              "mercy",
              (unsigned long long)r->latest_ms, (unsigned long long)delivery_ms,
              (unsigned long long)mercy_ms);
    if (!r->flushed)
        fault(v, "a flush never came back");
    if (r->flush_ms > delivery_ms + mercy_ms)
        fault(v, "a flush took %llu ms", (unsigned long long)r->flush_ms);
    if (r->close_ms > HOSTILE_CLOSE_MS + mercy_ms)
        fault(v, "the close took %llu ms of %d", (unsigned long long)r->close_ms, HOSTILE_CLOSE_MS);
}

static void judge_cost(const hostile_case *row, const hostile_result *r, hostile_verdict *v)
{
    unsigned rate_max = row->rate_max ? row->rate_max : RATE_MAX;
    if (r->busiest > rate_max)
        fault(v, "a broker met %u requests or connections within a second, %u are allowed",
              (unsigned)r->busiest, rate_max);
#ifdef KL_HOSTILE_JUDGES_COST
    uint64_t cpu_us_max = CPU_US_MAX + (r->sent_bytes >> 20) * CPU_US_A_MIB;
    if (r->cpu_us > cpu_us_max)
        fault(v, "it took %llu ms of CPU in %d ms, %llu are allowed",
              (unsigned long long)(r->cpu_us / 1000), HOSTILE_RUN_MS,
              (unsigned long long)(cpu_us_max / 1000));
    if (r->turn_us > TURN_US_MAX)
        fault(v, "one turn of the loop took %llu ms of CPU",
              (unsigned long long)(r->turn_us / 1000));
    if (r->peak_kib > MEMORY_KIB + HOSTILE_BUFFER / 1024)
        fault(v, "it took %llu KiB of memory", (unsigned long long)r->peak_kib);
#endif
}

static void judge_words(const hostile_case *row, const hostile_result *r, hostile_verdict *v)
{
    for (int i = 0; i < HOSTILE_WORDS_MAX && row->words[i]; i++)
        if (!strstr(r->text, row->words[i]))
            fault(v, "no report and no line of the log says \"%s\"", row->words[i]);
    if (row->never && strstr(r->text, row->never))
        fault(v, "a report or a line of the log says \"%s\"", row->never);
    if (r->talks > 0 && strstr(r->text, UNANSWERED))
        fault(v, "it says \"%s\", after %llu answers", UNANSWERED,
              (unsigned long long)(r->requests - 1));
}

void hostile_judge(const hostile_case *row, const hostile_result *result, const hostile_ends *ends,
                   hostile_verdict *verdict)
{
    verdict->good = true;
    verdict->faults[0] = '\0';
    judge_process(result, ends, verdict);
    if (!result->closed)
        return;
    judge_records(row, result, verdict);
    judge_times(row, result, ends->lag_ms, verdict);
    judge_cost(row, result, verdict);
    judge_words(row, result, verdict);
}
