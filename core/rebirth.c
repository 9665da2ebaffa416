/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of a topic that was made anew. See rebirth.h. */
#include "core/rebirth.h"

#include "core/completion.h"
#include "core/idempotence.h"
#include "core/readiness.h"

#include <kloop/broker_error.h>

/* Has another one than b left that is not settled? */
static bool others_left(const kl_partition *p, const kl_batch *b)
{
    for (kl_link *at = kl_list_first(&p->line); at; at = kl_list_next(&p->line, at)) {
        const kl_batch *other = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (other != b && other->stage < KL_STAGE_SETTLED &&
            (other->stage == KL_STAGE_IN_FLIGHT || (other->numbered && other->fate_unknown)))
            return true;
    }
    return false;
}

void kl_rebirth_left(kl_partition *p, const kl_batch *b, bool by_name)
{
    p->by_name = by_name || (p->by_name && others_left(p, b));
}

void kl_rebirth_landed(kloop_engine *e, kl_partition *p)
{
    p->flight_former = false;
    if (!e->set.idempotent || !p->by_name)
        return;
    bool absent = false;
    kl_link *next;
    for (kl_link *at = kl_list_first(&p->line); at; at = next) {
        next = kl_list_next(&p->line, at);
        kl_batch *b = KL_CONTAINER_OF(at, kl_batch, in_line);
        if (b->stage >= KL_STAGE_SETTLED)
            continue;
        /* One without numbers before one that has some is a piece of one that was refused, made
         * behind a hole: as absent as that. */
        if (!b->fate_unknown) {
            absent = true;
        } else if (absent) {
            /* Not the first of its line: settling it takes nothing out of there. */
            if (b->broker_error == 0)
                b->broker_error = KLOOP_BROKER_UNKNOWN_TOPIC_ID;
            kl_completion_settle(e, b, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_BROKER);
        }
    }
}

void kl_rebirth_of_topic(kloop_engine *e, kloop_topic *t)
{
    for (int32_t i = 0; i < t->table_count; i++) {
        kl_partition *p = t->partitions[i];
        if (!p)
            continue;
        p->flight_former = p->flight_count > 0;
        p->flight_old = p->flight_count > 0;
        p->steady = false;
        p->known_to_leader = false;
        if (p->producer_id >= 0)
            kl_idempotence_hole(e, p);
        if (p->flight_count == 0)
            kl_rebirth_landed(e, p);
        kl_readiness_update(e, p);
    }
}

void kl_rebirth_by_name(kloop_engine *e, kloop_topic *t)
{
    for (int32_t i = 0; i < t->table_count; i++) {
        kl_partition *p = t->partitions[i];
        if (!p)
            continue;
        /* What has left by the id may be refused, and must not be overtaken. */
        p->flight_old = p->flight_count > 0;
        p->steady = false;
        p->known_to_leader = false;
        kl_readiness_update(e, p);
    }
}
