/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside, for <kloop/kloop.h>: the engine's answers, with what the inlet holds added. */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include "driver/uv_inlet.h"
#include "driver/uv_producer.h"
#include "driver/uv_pump.h"

#include <uv.h>

/* The engine's time is that of this turn, as for a send: what is told in milliseconds is told from
 * there. */
static kloop_status enter(kloop_producer *p)
{
    uint64_t turn_ms = uv_now(p->loop);
    if (p->barred == KLOOP_FORKED)
        return KLOOP_FORKED;
    if (!p->barred && turn_ms != p->turn_ms)
        kl_uv_pump_new_turn(p, turn_ms);
    return KLOOP_OK;
}

kloop_status kloop_snapshot_begin(kloop_producer *p, unsigned parts, const kloop_topic *topic,
                                  kloop_snapshot **s)
{
    *s = NULL;
    kloop_status status = enter(p);
    if (status == KLOOP_OK)
        status = kloop_engine_snapshot_begin(p->engine, parts, topic, s);
    if (status == KLOOP_OK)
        kl_uv_inlet_add_stats(p, &(*s)->totals);
    return status;
}

bool kloop_snapshot_go_on(kloop_producer *p, kloop_snapshot *s)
{
    return kloop_engine_snapshot_go_on(p->engine, s);
}

kloop_status kloop_take_snapshot(kloop_producer *p, unsigned parts, const kloop_topic *topic,
                                 kloop_snapshot **s)
{
    kloop_status status = kloop_snapshot_begin(p, parts, topic, s);
    while (status == KLOOP_OK && !kloop_snapshot_go_on(p, *s))
        ;
    return status;
}

bool kloop_get_suspended(const kloop_producer *p, kloop_suspended *suspended)
{
    kloop_stats of_inlet = {0};
    kl_uv_inlet_add_stats(p, &of_inlet);
    bool is = kloop_engine_suspended(p->engine, suspended);
    suspended->pending += of_inlet.pending;
    return is;
}
