/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting what went wrong. See failure_tally.h. */
#include "cli/failure_tally.h"

#include <kloop/broker_error.h>

#include <string.h>

static void add(kl_failure_tally *tally, const kl_failure_kind *like, uint64_t count,
                const char *text)
{
    if (like->outcome == KLOOP_OUTCOME_UNKNOWN)
        tally->unknown += count;
    else
        tally->failed += count;
    for (size_t i = 0; i < tally->kind_count; i++) {
        kl_failure_kind *kind = &tally->kinds[i];
        if (kind->outcome == like->outcome && kind->cause == like->cause &&
            kind->broker_error == like->broker_error && kind->status == like->status) {
            kind->count += count;
            return;
        }
    }
    if (tally->kind_count == KL_TALLY_KINDS_MAX) {
        tally->others += count;
        return;
    }
    kl_failure_kind *kind = &tally->kinds[tally->kind_count++];
    *kind = *like;
    kind->count = count;
    snprintf(kind->text, sizeof kind->text, "%s", text ? text : "");
}

void kl_failure_tally_add(kl_failure_tally *tally, const kloop_report *run)
{
    kl_failure_kind like = {
        .outcome = run->outcome, .cause = run->cause, .broker_error = run->broker_error};
    add(tally, &like, run->count, run->text);
}

void kl_failure_tally_refused(kl_failure_tally *tally, kloop_status status, const char *text)
{
    kl_failure_kind like = {.outcome = KLOOP_OUTCOME_FAILED, .status = status};
    tally->refused++;
    add(tally, &like, 1, text);
}

const char *kl_failure_name(const kloop_report *run)
{
    if (run->broker_error != 0)
        return kloop_broker_error_name(run->broker_error);
    switch (run->cause) {
    case KLOOP_CAUSE_TIMEOUT:
        return "DELIVERY_TIMED_OUT";
    case KLOOP_CAUSE_CLOSED:
        return "PRODUCER_CLOSED";
    case KLOOP_CAUSE_FATAL:
        return "PRODUCER_FATAL";
    case KLOOP_CAUSE_PARTITION:
        return "NO_SUCH_PARTITION";
    case KLOOP_CAUSE_NO_MEMORY:
        return "NO_MEMORY";
    case KLOOP_CAUSE_PURGED:
        return "PURGED";
    case KLOOP_CAUSE_NEIGHBOUR:
        return "NEIGHBOUR_REFUSED";
    case KLOOP_CAUSE_REFUSED:
    case KLOOP_CAUSE_NONE:
    case KLOOP_CAUSE_BROKER:
        break;
    }
    return "UNKNOWN_SERVER_ERROR";
}

const char *kl_refusal_name(kloop_status status)
{
    switch (status) {
    case KLOOP_TOO_LARGE:
        return "MESSAGE_TOO_LARGE";
    case KLOOP_BAD_PARTITION:
        return "NO_SUCH_PARTITION";
    case KLOOP_BAD_TIMESTAMP:
        return "INVALID_TIMESTAMP";
    case KLOOP_CLOSED:
        return "PRODUCER_CLOSED";
    case KLOOP_FATAL:
        return "PRODUCER_FATAL";
    case KLOOP_NO_MEMORY:
        return "NO_MEMORY";
    default:
        return "INVALID_RECORD";
    }
}

void kl_failure_tally_print(const kl_failure_tally *tally, const char *command, FILE *to)
{
    for (size_t i = 0; i < tally->kind_count; i++) {
        const kl_failure_kind *kind = &tally->kinds[i];
        fprintf(to, "kloop %s: %llu record%s %s: %s\n", command, (unsigned long long)kind->count,
                kind->count == 1 ? "" : "s",
                kind->outcome == KLOOP_OUTCOME_UNKNOWN ? "may or may not be stored"
                                                       : "not delivered",
                kind->text);
    }
    if (tally->others)
        fprintf(to, "kloop %s: %llu records not delivered for other reasons\n", command,
                (unsigned long long)tally->others);
}
