/* SPDX-License-Identifier: BSD-2-Clause */
/* Forgetting, in order. See rebootstrap.h. */
#include "core/rebootstrap.h"

#include "core/known_brokers.h"
#include "core/log.h"
#include "core/metadata.h"
#include "core/trace_points.h"

static void forget_leaders(kloop_engine *e)
{
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at)) {
        kloop_topic *t = KL_CONTAINER_OF(at, kloop_topic, in_topics);
        for (int32_t i = 0; i < t->table_count; i++)
            kl_topics_set_leader(e, t, i, -1, t->leaders[i].epoch);
    }
}

/* An entry's connection that is on its way is what we want; one that is ready has led us here. */
static bool is_to_go(const kl_broker *b)
{
    return b->conn && (b->id >= 0 || b->conn->state == KL_CONN_READY);
}

void kl_rebootstrap(kloop_engine *e, const char *why)
{
#ifdef KL_PLANT_REBOOTSTRAP_NEVER
    if (e->set.rebootstraps)
        return;
#endif
    if (!e->set.rebootstraps || e->life > KL_LIFE_CLOSING)
        return;
    KL_TRACE(e, engine, e, KLOOP_TRACE_BEGUN_ANEW, NULL, 0, 0);
    kl_log(e, KLOOP_LOG_WARN, "%s: beginning anew with bootstrap.servers", why);
    kl_known_forget(e);
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (is_to_go(b)) {
            /* One that is not ready after all this time is a failure like others. */
            b->conn->idle = b->conn->state == KL_CONN_READY;
            kl_nodes_forget_addresses(e, b);
            kl_conn_lose(e, b->conn, "%s:%u: beginning anew with bootstrap.servers", b->host,
                         (unsigned)b->port);
        }
        if (!b->conn)
            kl_nodes_forget_addresses(e, b);
        if (b->id >= 0)
            kl_nodes_unwant(e, b);
    }
    forget_leaders(e);
    e->any_settled = false;
    kl_metadata_want(e);
}
