/* SPDX-License-Identifier: BSD-2-Clause */
/* Warming up. See warm_up.h. */
#include "core/warm_up.h"

#include "core/error.h"
#include "core/known_brokers.h"
#include "core/metadata.h"
#include "core/nodes.h"
#include "core/policy.h"
#include "core/troubles.h"

#include <stdio.h>

#define WORDS_MAX 512

/* Connections that are begun together: one turn of the loop must not hold thousands. */
#define AT_ONCE_MAX 64

typedef struct warm_up {
    kl_link in_list; /* of those that wait, or are over */
    kl_timer timer;
    void *user;
    kloop_warmth is;
    int on_the_way; /* brokers, by the last look */
    char words[WORDS_MAX];
} warm_up;

static warm_up *of_link(kl_link *at)
{
    return KL_CONTAINER_OF(at, warm_up, in_list);
}

static bool is_ready(const kl_broker *b)
{
    return b->conn && b->conn->state == KL_CONN_READY && !b->stranger;
}

/* For good, by what was told since it was asked for last. */
static bool is_refused(const kloop_topic *t)
{
    return t->partition_count == 0 && t->error != 0 && !t->newly_wanted && !t->asked &&
           kl_policy(KL_QUESTION_TOPIC, t->error).verdict != KL_VERDICT_RETRY;
}

/* ---- How things are ---- */

static void count_broker(kloop_engine *e, warm_up *w, kl_broker *b)
{
    if (b->warm_round == e->warm_round)
        return;
    b->warm_round = e->warm_round;
    w->is.brokers++;
    if (is_ready(b)) {
        w->is.ready++;
        return;
    }
    if (w->on_the_way < AT_ONCE_MAX)
        kl_nodes_want(e, b);
    w->on_the_way += b->conn || b->resolving.gen != 0;
}

static void look_at_topic(kloop_engine *e, warm_up *w)
{
    kloop_topic *t = w->is.topic;
    w->is.partitions = t->partition_count;
    if (t->partition_count == 0 && !is_refused(t))
        kl_metadata_want_topic(e, t);
    for (int32_t i = 0; i < t->partition_count; i++) {
        kl_broker *b = kl_known_broker(e, t->leaders[i].node);
        if (!b)
            continue;
        w->is.led++;
        count_broker(e, w, b);
    }
    w->is.warm = t->partition_count > 0 && w->is.led == t->partition_count;
}

static void look_at_brokers(kloop_engine *e, warm_up *w)
{
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (b->id >= 0 && b->known)
            count_broker(e, w, b);
    }
    w->is.warm = w->is.brokers > 0;
    if (!w->is.warm)
        kl_metadata_want(e);
}

static void look(kloop_engine *e, warm_up *w)
{
    e->warm_round++;
    w->is.led = w->is.brokers = w->is.ready = 0;
    w->on_the_way = 0;
    if (w->is.topic)
        look_at_topic(e, w);
    else
        look_at_brokers(e, w);
    w->is.warm = w->is.warm && w->is.ready == w->is.brokers;
}

/* ---- What stands in the way ---- */

/* Behind what stands there already: why that may be so, as far as known. */
static void add_reasons(const kloop_engine *e, warm_up *w)
{
    size_t len = strlen(w->words);
    if (len + 2 >= sizeof w->words)
        return;
    if (!kl_troubles(e, NULL, w->words + len + 2, sizeof w->words - len - 2)[0])
        return;
    memcpy(w->words + len, "; ", 2);
}

static void name_topic_trouble(const kloop_engine *e, warm_up *w)
{
    const kloop_topic *t = w->is.topic;
    char code[KL_ERROR_CODE_TEXT];
    if (t->error != 0) {
        snprintf(w->words, sizeof w->words, "topic '%s': %s: %s", t->name,
                 kl_error_code(t->error, code), kloop_broker_error_explain(t->error));
        return;
    }
    snprintf(w->words, sizeof w->words, "topic '%s': no broker has told of it", t->name);
    add_reasons(e, w);
}

static void name_silence(const kloop_engine *e, warm_up *w)
{
    snprintf(w->words, sizeof w->words, "no broker has told of the cluster");
    add_reasons(e, w);
}

static void name_troubles(const kloop_engine *e, warm_up *w)
{
    char troubles[WORDS_MAX - 48];
    const kloop_topic *t = w->is.topic;
    w->words[0] = '\0';
    if (w->is.warm)
        return;
    if (t && t->partition_count == 0)
        name_topic_trouble(e, w);
    else if (t && w->is.led < w->is.partitions)
        snprintf(w->words, sizeof w->words, "topic '%s': %d of %d partitions have no leader",
                 t->name, (int)(w->is.partitions - w->is.led), (int)w->is.partitions);
    else if (w->is.brokers == 0)
        name_silence(e, w);
    else
        snprintf(w->words, sizeof w->words, "%d of %d brokers are not ready; %s",
                 (int)(w->is.brokers - w->is.ready), (int)w->is.brokers,
                 kl_troubles(e, &e->warm_round, troubles, sizeof troubles));
}

/* ---- Beginning and end ---- */

kloop_status kl_warm_up_begin(kloop_engine *e, kloop_topic *topic, uint64_t timeout_ms, void *user)
{
    if (e->life != KL_LIFE_OPEN)
        return KLOOP_CLOSED;
    if (!kl_heap_reserve(&e->timers, e->timer_count + 1))
        return KLOOP_NO_MEMORY;
    warm_up *w = kl_mem_zalloc(&e->alloc, 1, sizeof *w);
    if (!w)
        return KLOOP_NO_MEMORY;
    e->timer_count++;
    w->user = user;
    w->is.topic = topic;
    if (topic) {
        topic->used_ns = e->now.mono_ns;
        /* It may have been refused long ago. */
        kl_metadata_want_topic(e, topic);
    }
    kl_timer_init(&w->timer, KL_TIMER_WARM_UP);
    uint64_t ns = timeout_ms > KL_NEVER / KL_MS ? KL_NEVER : timeout_ms * KL_MS;
    kl_heap_set(&e->timers, &w->timer, kl_time_add(e->now.mono_ns, ns));
    kl_list_push_back(&e->warm_ups, &w->in_list);
    kl_warm_up_look(e);
    return KLOOP_OK;
}

static void end(kloop_engine *e, warm_up *w)
{
    kl_heap_remove(&e->timers, &w->timer);
    kl_list_remove(&w->in_list);
    kl_list_push_back(&e->warmed, &w->in_list);
    e->stirred = true;
}

bool kl_warm_up_step(kloop_engine *e)
{
    if (!e->warm_look)
        return false;
    e->warm_look = false;
    kl_link *next;
    for (kl_link *at = kl_list_first(&e->warm_ups); at; at = next) {
        warm_up *w = of_link(at);
        next = kl_list_next(&e->warm_ups, at);
        look(e, w);
        bool late = kl_timer_is_set(&w->timer) && w->timer.when <= e->now.mono_ns;
        if (!w->is.warm && !late && !(w->is.topic && is_refused(w->is.topic)))
            continue;
        name_troubles(e, w);
        end(e, w);
    }
    return true;
}

void kl_warm_up_timer(kloop_engine *e, kl_timer *timer)
{
    warm_up *w = KL_CONTAINER_OF(timer, warm_up, timer);
    look(e, w);
    name_troubles(e, w);
    end(e, w);
}

void kl_warm_up_end(kloop_engine *e)
{
    for (kl_link *at; (at = kl_list_first(&e->warm_ups));) {
        warm_up *w = of_link(at);
        w->is.warm = false;
        snprintf(w->words, sizeof w->words, "%s",
                 e->fatal ? e->fatal_text : "the producer is being closed");
        end(e, w);
    }
}

void kl_warm_up_forget(kloop_engine *e, const kloop_topic *topic)
{
    kl_link *next;
    for (kl_link *at = kl_list_first(&e->warm_ups); at; at = next) {
        warm_up *w = of_link(at);
        next = kl_list_next(&e->warm_ups, at);
        if (w->is.topic != topic)
            continue;
        w->is.warm = false;
        snprintf(w->words, sizeof w->words, "topic '%s' was forgotten", topic->name);
        end(e, w);
    }
    /* Nobody may be given a handle that is none any more. */
    for (kl_link *at = kl_list_first(&e->warmed); at; at = kl_list_next(&e->warmed, at))
        if (of_link(at)->is.topic == topic)
            of_link(at)->is.topic = NULL;
}

static void del(kloop_engine *e, warm_up *w)
{
    kl_heap_remove(&e->timers, &w->timer);
    e->timer_count--;
    kl_mem_release(&e->alloc, w, sizeof *w);
}

bool kl_warm_up_pending(const kloop_engine *e)
{
    return !kl_list_is_empty(&e->warm_ups) || !kl_list_is_empty(&e->warmed);
}

bool kl_warm_up_take(kloop_engine *e, kloop_action *action)
{
    kl_link *at = kl_list_pop_front(&e->warmed);
    if (!at)
        return false;
    warm_up *w = of_link(at);
    snprintf(e->report_text, sizeof e->report_text, "%s", w->words);
    w->is.text = e->report_text;
    *action = (kloop_action){.kind = KLOOP_ACT_WARM, .user = w->user, .warmth = w->is};
    del(e, w);
    return true;
}

void kl_warm_up_del_all(kloop_engine *e)
{
    for (kl_link *at; (at = kl_list_pop_front(&e->warm_ups));)
        del(e, of_link(at));
    for (kl_link *at; (at = kl_list_pop_front(&e->warmed));)
        del(e, of_link(at));
}
