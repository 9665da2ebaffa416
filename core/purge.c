/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up on demand. See purge.h. */
#include "core/purge.h"

#include "core/bad_records.h"
#include "core/completion.h"
#include "core/trace_points.h"

static bool is_meant(const kl_batch *b, unsigned what)
{
    if (b->stage >= KL_STAGE_SETTLED)
        return false;
    return (what & (b->stage == KL_STAGE_IN_FLIGHT ? KLOOP_PURGE_IN_FLIGHT : KLOOP_PURGE_QUEUED)) !=
           0;
}

/* From the end: one that is settled leaves the line only when it has become the first, and with it
 * go those behind it, not those that are still to be looked at. */
static uint64_t purge_line(kloop_engine *e, kl_list *line, unsigned what)
{
    uint64_t records = 0;
    kl_link *before;
    for (kl_link *at = kl_list_last(line); at; at = before) {
        before = kl_list_prev(line, at);
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (!is_meant(b, what))
            continue;
        /* What a broker has refused by name is reported as that. */
        records += (kl_chain_len(&b->users) / sizeof(void *) - b->moved - kl_bad_records_count(b)) *
                   kl_batch_records_each(b);
        kl_completion_give_up(e, b, KLOOP_CAUSE_PURGED);
    }
    return records;
}

static uint64_t purge_topic(kloop_engine *e, kloop_topic *t, unsigned what)
{
    uint64_t records = 0;
    for (int32_t i = 0; i < t->table_count; i++)
        if (t->partitions[i])
            records += purge_line(e, &t->partitions[i]->line, what);
    return records + purge_line(e, &t->parked, what);
}

static uint64_t purge_all(kloop_engine *e, unsigned what)
{
    uint64_t records = 0;
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at))
        records += purge_topic(e, KL_CONTAINER_OF(at, kloop_topic, in_topics), what);
    return records;
}

uint64_t kl_purge(kloop_engine *e, kloop_topic *t, unsigned what)
{
    uint64_t records = t ? purge_topic(e, t, what) : purge_all(e, what);
    KL_TRACE(e, engine, e, KLOOP_TRACE_PURGED, t, (int64_t)records, 0);
    return records;
}
