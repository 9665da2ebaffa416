/* SPDX-License-Identifier: BSD-2-Clause */
/* The first that fits. See codec_choice.h. */
#include "core/codec_choice.h"

#include "core/completion.h"
#include "core/log.h"
#include "core/readiness.h"
#include "core/reshape.h"

#include <stdio.h>

static bool goes_with(kl_codec_id id, int16_t produce_version)
{
    return id != KL_CODEC_ZSTD || produce_version >= KL_PRODUCE_OF_ZSTD;
}

static bool takes(const kl_conn *c, kl_codec_id id)
{
    return goes_with(id, c->agreed.produce) && !(c->codecs_refused >> id & 1);
}

/* The connection that p's batches go over, once what it takes is known. */
static const kl_conn *known_conn(const kl_partition *p)
{
    const kl_conn *c = p->leader ? p->leader->conn : NULL;
    return c && c->state == KL_CONN_READY ? c : NULL;
}

/* The place in t's list; its end: nothing fits. */
static uint32_t first_for(const kloop_topic *t, const kl_conn *c)
{
    uint32_t i = 0;
    while (i < t->set->codec_count && !takes(c, t->set->codecs[i].id))
        i++;
    return i;
}

kl_codec_wanted kl_codec_choice_for(const kl_partition *p)
{
    const kl_topic_settings *set = p->topic->set;
    const kl_conn *c = known_conn(p);
    uint32_t i = c ? first_for(p->topic, c) : 0;
    return set->codecs[i < set->codec_count ? i : 0];
}

bool kl_codec_choice_fits(const kl_conn *c, const kl_batch *b)
{
#ifdef KL_PLANT_CODEC_NOT_MENDED
    if (c)
        return true;
#endif
    return !kl_batch_is_folded(b) || takes(c, b->builder.codec);
}

/* "zstd,lz4" */
static void list_of(const kloop_topic *t, char *text, size_t size)
{
    size_t len = 0;
    for (uint32_t i = 0; i < t->set->codec_count && len < size; i++) {
        const kl_codec *codec = kl_codec_by_id((int)t->set->codecs[i].id);
        len += (size_t)snprintf(text + len, size - len, "%s%s", i ? "," : "",
                                codec ? codec->name : "none");
    }
}

bool kl_codec_choice_explain(const kl_batch *b, char *text, size_t size)
{
    const kl_partition *p = b->partition;
    const kl_conn *c = p ? known_conn(p) : NULL;
    if (!c || b->codec.id == KL_CODEC_NONE)
        return false;
    if (b->whole && !takes(c, b->codec.id)) {
        snprintf(text, size, "%s:%u takes no %s, and the batch was encoded elsewhere",
                 p->leader->host, (unsigned)p->leader->port,
                 kl_codec_by_id((int)b->codec.id)->name);
        return true;
    }
    if (b->whole || first_for(p->topic, c) < p->topic->set->codec_count)
        return false;
    char list[64];
    char why[80];
    list_of(p->topic, list, sizeof list);
    if (c->codecs_refused)
        snprintf(why, sizeof why, "it has refused with UNSUPPORTED_COMPRESSION_TYPE");
    else
        snprintf(why, sizeof why, "it has Produce up to version %d, zstd came with %d",
                 (int)c->agreed.produce, KL_PRODUCE_OF_ZSTD);
    snprintf(text, size,
             "%s:%u takes nothing of compression.type=%s (%s); add another, as in "
             "compression.type=%s,none",
             p->leader->host, (unsigned)p->leader->port, list, why, list);
    return true;
}

void kl_codec_choice_mend(kloop_engine *e, kl_batch *b)
{
    kl_partition *p = b->partition;
    kloop_topic *t = p->topic;
    char why[300];
    if (b->whole)
        b->codec.id = b->builder.codec;
    if (kl_codec_choice_explain(b, why, sizeof why)) {
        if (!t->codec_complained)
            kl_log_trouble(e, KLOOP_LOG_ERROR, "topic '%s' partition %d: %s", t->name,
                           (int)p->index, why);
        t->codec_complained = true;
        kl_completion_put_off_long(e, b);
        return;
    }
    t->codec_complained = false;
    kl_reshape_refold(e, b);
    kl_readiness_update(e, p);
}

bool kl_codec_choice_refused(kl_conn *c, const kl_batch *b)
{
    if (!c || !kl_batch_is_folded(b))
        return false;
    c->codecs_refused |= (uint8_t)(1u << b->builder.codec);
    return !b->whole && first_for(b->topic, c) < b->topic->set->codec_count;
}

static bool any_of(const kl_topic_settings *set, int16_t produce_version)
{
    for (uint32_t i = 0; i < set->codec_count; i++)
        if (goes_with(set->codecs[i].id, produce_version))
            return true;
    return false;
}

bool kl_codec_choice_any(const kloop_engine *e, int16_t produce_version)
{
    if (any_of(&e->set.topic, produce_version))
        return true;
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at))
        if (any_of(KL_CONTAINER_OF(at, kloop_topic, in_topics)->set, produce_version))
            return true;
    return false;
}
