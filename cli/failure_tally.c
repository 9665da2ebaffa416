/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting what went wrong. See failure_tally.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/failure_tally.h"

#include "cli/failure_hint.h"
#include "cli/terminal.h"

#include <kloop/broker_error.h>

#include <stdlib.h>
#include <string.h>

#define SHOWN_PARTITIONS 6
#define BAD              "\033[1;31m"
#define ADVICE           "\033[36m"
#define RESET            "\033[0m"

static void copy(char *to, size_t size, const char *text, size_t len)
{
    if (len >= size)
        len = size - 1;
    memcpy(to, text, len);
    to[len] = '\0';
}

/* The group of this error, a new one if there is room; else NULL. */
static kl_failure_group *group_of(kl_failure_tally *tally, const kl_failure_group *like)
{
    for (size_t i = 0; i < tally->group_count; i++) {
        kl_failure_group *g = &tally->groups[i];
        if (g->outcome == like->outcome && g->cause == like->cause &&
            g->broker_error == like->broker_error && g->status == like->status &&
            strcmp(g->topic, like->topic) == 0)
            return g;
    }
    if (tally->group_count == KL_TALLY_GROUPS_MAX)
        return NULL;
    kl_failure_group *g = &tally->groups[tally->group_count++];
    *g = *like;
    return g;
}

static void count_partition(kl_failure_group *g, int32_t index, uint64_t count)
{
    for (size_t i = 0; i < g->partition_count; i++) {
        if (g->partitions[i].index == index) {
            g->partitions[i].count += count;
            return;
        }
    }
    if (g->partition_count < KL_TALLY_PARTITIONS_MAX)
        g->partitions[g->partition_count++] = (kl_failure_partition){index, count};
    else
        g->elsewhere += count;
}

static void add(kl_failure_tally *tally, const kl_failure_group *like, int32_t partition,
                uint64_t count, const char *text)
{
    if (like->outcome == KLOOP_OUTCOME_UNKNOWN)
        tally->unknown += count;
    else
        tally->failed += count;
    kl_failure_group *g = group_of(tally, like);
    if (!g) {
        tally->others += count;
        return;
    }
    g->count += count;
    if (partition >= 0)
        count_partition(g, partition, count);
    if (!text)
        text = "";
    if (!g->first[0])
        copy(g->first, sizeof g->first, text, strlen(text));
    copy(g->last, sizeof g->last, text, strlen(text));
}

void kl_failure_tally_add(kl_failure_tally *tally, const kloop_report *run)
{
    kl_failure_group like = {
        .outcome = run->outcome, .cause = run->cause, .broker_error = run->broker_error};
    if (run->topic_name.len)
        copy(like.topic, sizeof like.topic, run->topic_name.data, run->topic_name.len);
    add(tally, &like, run->partition, run->count, run->text);
}

void kl_failure_tally_refused(kl_failure_tally *tally, kloop_string topic, int32_t partition,
                              kloop_status status, const char *text)
{
    kl_failure_group like = {.outcome = KLOOP_OUTCOME_FAILED, .status = status};
    if (topic.len)
        copy(like.topic, sizeof like.topic, topic.data, topic.len);
    tally->refused++;
    add(tally, &like, partition, 1, text);
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
    case KLOOP_CAUSE_SECURITY:
        return "SECURITY";
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

/* ---- For people ---- */

static const char *name_of(const kl_failure_group *g)
{
    kloop_report run = {.cause = g->cause, .broker_error = g->broker_error};
    return g->status == KLOOP_OK ? kl_failure_name(&run) : kl_refusal_name(g->status);
}

static int by_count(const void *a, const void *b)
{
    const kl_failure_partition *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* "partition 3: 800, 0: 400 and 12 others: 60" */
static void print_partitions(const kl_failure_group *g, FILE *to)
{
    kl_failure_partition sorted[KL_TALLY_PARTITIONS_MAX];
    uint64_t rest = g->elsewhere;
    memcpy(sorted, g->partitions, sizeof sorted);
    qsort(sorted, g->partition_count, sizeof sorted[0], by_count);
    for (size_t i = 0; i < g->partition_count; i++) {
        if (i < SHOWN_PARTITIONS)
            fprintf(to, "%s%d: %llu", i ? ", " : ", partition ", (int)sorted[i].index,
                    (unsigned long long)sorted[i].count);
        else
            rest += sorted[i].count;
    }
    if (rest)
        fprintf(to, ", others: %llu", (unsigned long long)rest);
}

/* Sentences begin with the place, which the heading has told already. */
static bool same_but_for_place(const char *a, const char *b)
{
    const char *colon_a = strstr(a, ": "), *colon_b = strstr(b, ": ");
    return strcmp(colon_a ? colon_a : a, colon_b ? colon_b : b) == 0;
}

static void print_group(const kl_failure_group *g, const char *command, FILE *to)
{
    kl_terminal t;
    kl_terminal_look(&t, fileno(to));
    bool coloured = t.is_terminal && t.colour;
    const char *hint = kl_failure_hint(g->outcome, g->cause, g->broker_error, g->status);
    fprintf(to, "kloop %s: %llu record%s %s: %s%s%s", command, (unsigned long long)g->count,
            g->count == 1 ? "" : "s",
            g->outcome == KLOOP_OUTCOME_UNKNOWN ? "may or may not be stored" : "not delivered",
            coloured ? BAD : "", name_of(g), coloured ? RESET : "");
    if (g->topic[0])
        fprintf(to, ", topic '%s'", g->topic);
    print_partitions(g, to);
    fputs("\n", to);
    if (!same_but_for_place(g->first, g->last))
        fprintf(to, "    first: %s\n    last:  %s\n", g->first, g->last);
    else if (g->first[0])
        fprintf(to, "    %s\n", g->first);
    if (hint)
        fprintf(to, "    %shint:  %s%s\n", coloured ? ADVICE : "", hint, coloured ? RESET : "");
}

void kl_failure_tally_print(const kl_failure_tally *tally, const char *command, FILE *to)
{
    bool printed[KL_TALLY_GROUPS_MAX] = {false};
    for (size_t n = 0; n < tally->group_count; n++) {
        size_t largest = tally->group_count;
        for (size_t i = 0; i < tally->group_count; i++) {
            if (!printed[i] && (largest == tally->group_count ||
                                tally->groups[i].count > tally->groups[largest].count))
                largest = i;
        }
        printed[largest] = true;
        print_group(&tally->groups[largest], command, to);
    }
    if (tally->others)
        fprintf(to, "kloop %s: %llu records not delivered for other reasons\n", command,
                (unsigned long long)tally->others);
}
