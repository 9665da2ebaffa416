/* SPDX-License-Identifier: BSD-2-Clause */
/* See ever_let_in.h. */
#include "cli/ever_let_in.h"

bool kl_ever_let_in(kloop_producer *p)
{
    kloop_stats stats;
    kloop_snapshot *now;
    kloop_get_stats(p, &stats);
    if (!stats.ever_ready || kloop_take_snapshot(p, 0, NULL, &now))
        return stats.ever_ready;
    bool told = now->metadata_age_ns != UINT64_MAX;
    kloop_snapshot_del(now);
    return told;
}
