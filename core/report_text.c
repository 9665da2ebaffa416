/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences of reports. See report_text.h. */
#include "core/report_text.h"

#include <stdio.h>

/* What stood in the way last: the broker's answer, the broker itself, or the cluster. */
static const char *obstacle(const kloop_engine *e, const kl_batch *b, char *text, size_t size)
{
    const kl_broker *leader = b->partition ? b->partition->leader : NULL;
    bool answered = b->broker_error != 0 && !b->cut_off;
    if (answered)
        snprintf(text, size, "the last answer was %s: %s", kloop_broker_error_name(b->broker_error),
                 kloop_broker_error_explain(b->broker_error));
    else if (leader && leader->trouble[0])
        snprintf(text, size, "%s", leader->trouble);
    else if (b->partition && !leader && e->trouble[0])
        snprintf(text, size, "the partition has no leader; %s", e->trouble);
    else if (b->partition && !leader)
        snprintf(text, size, "the partition has no leader");
    else if (b->cut_off && leader)
        snprintf(text, size, "the connection to %s:%u was lost before the answer", leader->host,
                 (unsigned)leader->port);
    else if (b->request && leader)
        snprintf(text, size, "%s:%u has not answered", leader->host, (unsigned)leader->port);
    else if (e->trouble[0])
        snprintf(text, size, "%s", e->trouble);
    else
        snprintf(text, size, "no broker has answered yet");
    return text;
}

static void where(const kl_batch *b, char *text, size_t size)
{
    if (b->partition)
        snprintf(text, size, "topic '%s' partition %d", b->topic->name, (int)b->partition->index);
    else
        snprintf(text, size, "topic '%s'", b->topic->name);
}

void kl_report_text(kloop_engine *e, const kl_batch *b)
{
    e->report_text[0] = '\0';
    if (b->outcome == KLOOP_OUTCOME_ACKED)
        return;
    char place[300];
    char why[480];
    where(b, place, sizeof place);
    const char *stored =
        b->outcome == KLOOP_OUTCOME_UNKNOWN ? "it may be stored or not" : "it is not stored";
    switch (b->cause) {
    case KLOOP_CAUSE_BROKER:
        snprintf(e->report_text, sizeof e->report_text, "%s: %s: %s (%s)", place,
                 kloop_broker_error_name(b->broker_error),
                 kloop_broker_error_explain(b->broker_error), stored);
        return;
    case KLOOP_CAUSE_TIMEOUT:
        if ((b->broker_error != 0 || b->cut_off) && b->attempts >= e->set.retries) {
            snprintf(e->report_text, sizeof e->report_text,
                     "%s: not delivered with retries=%u (%s); %s", place, (unsigned)e->set.retries,
                     stored, obstacle(e, b, why, sizeof why));
            return;
        }
        snprintf(
            e->report_text, sizeof e->report_text, "%s: not delivered within %s=%llu (%s); %s",
            place,
            b->partition || e->set.delivery_timeout_ns <= e->set.max_block_ns
                ? "delivery.timeout.ms"
                : "max.block.ms",
            (unsigned long long)((b->partition || e->set.delivery_timeout_ns <= e->set.max_block_ns
                                      ? e->set.delivery_timeout_ns
                                      : e->set.max_block_ns) /
                                 KL_MS),
            stored, obstacle(e, b, why, sizeof why));
        return;
    case KLOOP_CAUSE_CLOSED:
        snprintf(e->report_text, sizeof e->report_text,
                 "%s: the producer was closed before delivery (%s); %s", place, stored,
                 obstacle(e, b, why, sizeof why));
        return;
    case KLOOP_CAUSE_FATAL:
        snprintf(e->report_text, sizeof e->report_text, "%s: the producer cannot go on (%s): %s",
                 place, stored, e->fatal_text);
        return;
    case KLOOP_CAUSE_PARTITION:
        snprintf(e->report_text, sizeof e->report_text,
                 "%s: there is no partition %d, the topic has %d (0 to %d); %s", place,
                 (int)b->asked_partition, (int)b->topic->partition_count,
                 (int)b->topic->partition_count - 1, stored);
        return;
    case KLOOP_CAUSE_NO_MEMORY:
        snprintf(e->report_text, sizeof e->report_text, "%s: there was no memory for it; %s", place,
                 stored);
        return;
    case KLOOP_CAUSE_PURGED:
        snprintf(e->report_text, sizeof e->report_text, "%s: given up by the program; %s", place,
                 stored);
        return;
    case KLOOP_CAUSE_NEIGHBOUR:
        snprintf(e->report_text, sizeof e->report_text,
                 "%s: the broker refused other records of the same batch (%s), and this one could "
                 "not be sent without them; %s",
                 place, kloop_broker_error_name(b->broker_error), stored);
        return;
    case KLOOP_CAUSE_NONE:
        break;
    }
}
