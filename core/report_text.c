/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences of reports. See report_text.h. */
#include "core/report_text.h"

#include "core/codec_choice.h"
#include "core/error.h"
#include "core/troubles.h"

#include <stdio.h>

/* It has met nothing itself, so it waits for something that others have not met either. */
static const char *first_need(const kloop_engine *e, const kl_batch *b, char *text, size_t size)
{
    const kl_partition *p = b->partition;
    char code[KL_ERROR_CODE_TEXT];
    if (!e->stats.ever_ready)
        snprintf(text, size, "no broker has answered yet");
    else if (!p)
        snprintf(text, size, "no broker has told of the topic's partitions");
    else if (e->set.idempotent && e->id_state != KL_ID_KNOWN)
        snprintf(text, size, "no broker has given a producer id (InitProducerId)");
    else if (p->last_error != 0)
        snprintf(text, size, "the last answer to those before it was %s: %s",
                 kl_error_code(p->last_error, code), kloop_broker_error_explain(p->last_error));
    else
        snprintf(text, size, "%s:%u has not answered those before it", p->leader->host,
                 (unsigned)p->leader->port);
    return text;
}

/* What stood in the way last: the broker's answer, the broker itself, or the cluster. */
static const char *obstacle(const kloop_engine *e, const kl_batch *b, char *text, size_t size)
{
    const kl_broker *leader = b->partition ? b->partition->leader : NULL;
    bool answered = b->broker_error != 0 && !b->cut_off;
    char code[KL_ERROR_CODE_TEXT];
    if (kl_codec_choice_explain(b, text, size))
        return text;
    if (answered)
        snprintf(text, size, "the last answer was %s: %s", kl_error_code(b->broker_error, code),
                 kloop_broker_error_explain(b->broker_error));
    else if (leader && leader->trouble[0])
        snprintf(text, size, "%s", leader->trouble);
    else if (b->partition && !leader && e->trouble[0])
        snprintf(text, size, "the partition has no leader; %s", e->trouble);
    else if (b->partition && !leader)
        snprintf(text, size, "the partition has no leader");
    else if (b->left_out)
        snprintf(text, size, "the answer of %s:%u left it out", leader->host,
                 (unsigned)leader->port);
    else if (b->cut_off)
        snprintf(text, size, "the connection to %s:%u was lost before the answer", leader->host,
                 (unsigned)leader->port);
    else if (b->request && leader)
        snprintf(text, size, "%s:%u has not answered", leader->host, (unsigned)leader->port);
    else if (!e->stats.ever_ready && kl_troubles(e, NULL, text, size)[0])
        return text;
    else if (e->trouble[0])
        snprintf(text, size, "%s", e->trouble);
    else
        return first_need(e, b, text, size);
    return text;
}

static void where(const kl_batch *b, char *text, size_t size)
{
    if (b->partition)
        snprintf(text, size, "topic '%s' partition %d", b->topic->name, (int)b->partition->index);
    else
        snprintf(text, size, "topic '%s'", b->topic->name);
}

/* How large it was, and why it was not put together anew, as others are. */
static const char *as_a_whole(const kl_batch *b, const kloop_report *run, char *text, size_t size)
{
    switch (run->broker_error) {
    case KLOOP_BROKER_MESSAGE_TOO_LARGE:
    case KLOOP_BROKER_RECORD_LIST_TOO_LARGE:
        snprintf(text, size, "; its batch had %zu bytes%s", b->raw_bytes,
                 b->whole ? "; a batch that was encoded elsewhere is not split" : "");
        return text;
    case KLOOP_BROKER_INVALID_RECORD:
        return b->whole ? "; a batch that was encoded elsewhere fails with each of its records"
                        : "";
    default:
        return "";
    }
}

/* Was it metadata that it has waited for in vain, and not delivery? */
static bool for_metadata(const kloop_engine *e, const kl_batch *b)
{
    return !b->partition && b->topic->partition_count == 0 &&
           e->set.max_block_ns < e->set.delivery_timeout_ns;
}

void kl_report_text(kloop_engine *e, const kl_batch *b, const kloop_report *run, const char *said)
{
    e->report_text[0] = '\0';
    if (run->outcome == KLOOP_OUTCOME_ACKED)
        return;
    char place[300];
    char why[900];
    char code[KL_ERROR_CODE_TEXT];
    where(b, place, sizeof place);
    const char *stored =
        run->outcome == KLOOP_OUTCOME_UNKNOWN ? "it may be stored or not" : "it is not stored";
    switch (run->cause) {
    case KLOOP_CAUSE_BROKER:
        snprintf(e->report_text, sizeof e->report_text, "%s: %s: %s (%s)%s%s%s", place,
                 kl_error_code(run->broker_error, code),
                 kloop_broker_error_explain(run->broker_error), stored,
                 as_a_whole(b, run, why, sizeof why), said[0] ? "; the broker says: " : "", said);
        return;
    case KLOOP_CAUSE_TIMEOUT:
        if ((b->broker_error != 0 || b->cut_off) && b->attempts >= e->set.retries) {
            snprintf(e->report_text, sizeof e->report_text,
                     "%s: not delivered with retries=%u (%s); %s", place, (unsigned)e->set.retries,
                     stored, obstacle(e, b, why, sizeof why));
            return;
        }
        snprintf(e->report_text, sizeof e->report_text, "%s: not delivered within %s=%llu (%s); %s",
                 place, for_metadata(e, b) ? "max.block.ms" : "delivery.timeout.ms",
                 (unsigned long long)((for_metadata(e, b) ? e->set.max_block_ns
                                                          : e->set.delivery_timeout_ns) /
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
                 place, kl_error_code(b->broker_error, code), stored);
        return;
    case KLOOP_CAUSE_SECURITY:
        snprintf(e->report_text, sizeof e->report_text, "%s: not delivered (%s); %s", place, stored,
                 kl_troubles(e, NULL, why, sizeof why)[0] ? why : e->trouble);
        return;
    case KLOOP_CAUSE_REFUSED:
        /* A driver's, for records that never came here. */
    case KLOOP_CAUSE_NONE:
        break;
    }
}
