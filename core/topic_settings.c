/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of topics. See topic_settings.h. */
#include "core/topic_settings.h"

#include "core/config_value.h"
#include "core/engine_state.h"
#include "core/error.h"
#include "core/readiness.h"
#include "core/topic_share.h"
#include "core/sticky.h"

#include <stdio.h>

/* ---- From keys ---- */

/* "topic 'events': ", or "" for all of them. */
#define WHOSE_TEXT 300

static const char *whose(const char *topic, char text[WHOSE_TEXT])
{
    text[0] = '\0';
    if (topic)
        snprintf(text, WHOSE_TEXT, "topic '%s': ", topic);
    return text;
}

static const char *name_of(kl_topic_key key)
{
    return kl_config_key_of(kl_topic_keys_config_id(key))->shown.name;
}

typedef struct making {
    kl_topic_settings *to;
    const kl_settings *s;
    const char *topic;
    const kl_topic_keys *own;
    const kl_topic_keys *all;
    kloop_error *error;
} making;

static bool has(const making *m, kl_topic_key key)
{
    return kl_topic_keys_has(m->own, key) || kl_topic_keys_has(m->all, key);
}

static int64_t number(const making *m, kl_topic_key key)
{
    return kl_topic_keys_has(m->own, key) ? m->own->numbers[key] : m->all->numbers[key];
}

static size_t bytes(int64_t number)
{
    return (uint64_t)number < SIZE_MAX ? (size_t)number : SIZE_MAX;
}

/* A batch has to have time left for being sent. delivery.timeout.ms ends with the ints, and so do
 * the sums that are held against it. */
static kloop_status make_times(const making *m)
{
    kl_topic_settings *to = m->to;
    int64_t linger_ms = number(m, KL_TOPIC_KEY_LINGER);
    int64_t request_ms = m->s->request_timeout_ms;
    int64_t delivery_ms = (int64_t)(m->s->delivery_timeout_ns / KL_MS);
    int64_t least_ms = linger_ms < INT32_MAX ? linger_ms + request_ms : INT32_MAX;
    if (least_ms > INT32_MAX)
        least_ms = INT32_MAX;
    if (delivery_ms < least_ms) {
        char text[WHOSE_TEXT];
        return kl_error_set(
            m->error, KLOOP_BAD_CONFIG,
            "%s%s=%lld is less than %s=%lld and %s=%lld together; raise the first "
            "(%lld to 2147483647) or lower the others",
            whose(m->topic, text), kl_config_key_of(KL_CONFIG_DELIVERY_TIMEOUT)->shown.name,
            (long long)delivery_ms, name_of(KL_TOPIC_KEY_LINGER), (long long)linger_ms,
            kl_config_key_of(KL_CONFIG_REQUEST_TIMEOUT)->shown.name, (long long)request_ms,
            (long long)least_ms);
    }
    to->linger_ns = kl_ms_to_ns(linger_ms < INT32_MAX ? linger_ms : INT32_MAX);
    to->seal_after_ns = m->s->delivery_timeout_ns / 16;
    if (to->seal_after_ns < to->linger_ns)
        to->seal_after_ns = to->linger_ns;
    return KLOOP_OK;
}

kloop_status kl_topic_settings_check_memory(const char *topic, size_t memory_bytes,
                                            size_t record_bytes_max, kloop_error *error)
{
    if (memory_bytes >= record_bytes_max)
        return KLOOP_OK;
    char text[WHOSE_TEXT];
    return kl_error_set(error, KLOOP_BAD_CONFIG,
                        "%s%s=%zu cannot hold one record of %s=%zu; raise the first (from %zu) or "
                        "lower the second (1 to %zu)",
                        whose(topic, text), name_of(KL_TOPIC_KEY_MEMORY), memory_bytes,
                        kl_config_key_of(KL_CONFIG_RECORD_MAX)->shown.name, record_bytes_max,
                        record_bytes_max, memory_bytes);
}

/* Its share. What buffer.memory says of all topics together is no topic's share. */
static kloop_status make_memory(const making *m)
{
    m->to->memory_bytes = 0;
    if (!kl_topic_keys_has(m->own, KL_TOPIC_KEY_MEMORY))
        return KLOOP_OK;
    size_t share = bytes(m->own->numbers[KL_TOPIC_KEY_MEMORY]);
    if (share > m->s->memory_bytes) {
        char text[WHOSE_TEXT];
        return kl_error_set(m->error, KLOOP_BAD_CONFIG,
                            "%s%s=%zu is more than the %zu that all topics have together; lower "
                            "it, or raise %s of the producer",
                            whose(m->topic, text), name_of(KL_TOPIC_KEY_MEMORY), share,
                            m->s->memory_bytes, name_of(KL_TOPIC_KEY_MEMORY));
    }
    if (share < m->s->memory_bytes)
        m->to->memory_bytes = share;
    return kl_topic_settings_check_memory(m->topic, share, m->s->record_bytes_max, m->error);
}

/* A codec without which nothing goes, and a limit under which it does not go. */
static kloop_status check_codecs(const making *m)
{
    int64_t list = number(m, KL_TOPIC_KEY_CODEC);
    if (m->s->caps.produce >= KL_PRODUCE_OF_ZSTD ||
        kl_config_choices_at(list, 0) != KL_CODEC_ZSTD || kl_config_choices_at(list, 1) >= 0)
        return KLOOP_OK;
    char text[WHOSE_TEXT];
    return kl_error_set(m->error, KLOOP_BAD_CONFIG,
                        "%s%s=zstd needs Produce %d, and api.version.max allows it up to "
                        "%d; raise that, or choose another codec or a list such as zstd,lz4",
                        whose(m->topic, text), name_of(KL_TOPIC_KEY_CODEC), KL_PRODUCE_OF_ZSTD,
                        (int)m->s->caps.produce);
}

static void make_codecs(const making *m)
{
    static const kl_topic_key levels[KL_CODEC_COUNT] = {
        [KL_CODEC_GZIP] = KL_TOPIC_KEY_GZIP_LEVEL,
        [KL_CODEC_LZ4] = KL_TOPIC_KEY_LZ4_LEVEL,
        [KL_CODEC_ZSTD] = KL_TOPIC_KEY_ZSTD_LEVEL,
    };
    kl_topic_settings *to = m->to;
    int64_t list = number(m, KL_TOPIC_KEY_CODEC);
    to->codec_count = 0;
    for (int id; (id = kl_config_choices_at(list, to->codec_count)) >= 0; to->codec_count++) {
        const kl_codec *codec = kl_codec_by_id(id);
        bool has_level = codec && codec->level_min <= codec->level_max && has(m, levels[id]);
        to->codecs[to->codec_count] = (kl_codec_wanted){
            (kl_codec_id)id, has_level ? (int32_t)number(m, levels[id]) : KL_CODEC_LEVEL_DEFAULT};
    }
}

kloop_status kl_topic_settings_make(kl_topic_settings *to, const kl_settings *s, const char *topic,
                                    const kl_topic_keys *own, const kl_topic_keys *all,
                                    kloop_error *error)
{
    making m = {to, s, topic, own, all, error};
    to->keys = topic ? *own : *all;
    to->batch_bytes = bytes(number(&m, KL_TOPIC_KEY_BATCH_SIZE));
    if (to->batch_bytes > s->record_bytes_max)
        to->batch_bytes = s->record_bytes_max;
    if (to->batch_bytes == 0)
        to->batch_bytes = 1;
    make_codecs(&m);
    to->partitioning = (kl_partitioning){
        .kind = (kl_partitioner_kind)number(&m, KL_TOPIC_KEY_PARTITIONER),
        .ignore_keys = number(&m, KL_TOPIC_KEY_IGNORE_KEYS) != 0,
        .adaptive = number(&m, KL_TOPIC_KEY_ADAPTIVE) != 0,
    };
    kloop_status status = check_codecs(&m);
    if (!status)
        status = make_times(&m);
    return status ? status : make_memory(&m);
}

/* ---- Of a topic ---- */

static const kl_topic_keys *keys_for(const kl_settings *s, const kloop_topic *t)
{
    for (size_t i = 0; i < s->topic_count; i++) {
        kloop_string name = s->topics[i].name;
        if (name.len == t->name_len && memcmp(name.data, t->name, name.len) == 0)
            return &s->topics[i].keys;
    }
    return NULL;
}

/* Its own, or NULL when it has none. */
static kl_topic_settings *own_settings(const kloop_engine *e, const kloop_topic *t)
{
    return t->set == &e->set.topic ? NULL : (kl_topic_settings *)t->set;
}

/* What a broker was found to take stays; what was not held against the old size is held against the
 * new one. */
static void resize_batches(kloop_topic *t, size_t before)
{
    bool learnt = t->batch_bytes < before;
    if (!learnt || t->batch_bytes > t->set->batch_bytes)
        t->batch_bytes = t->set->batch_bytes;
}

/* false: no memory. */
static bool put(kloop_engine *e, kloop_topic *t, const kl_topic_settings *fresh)
{
    if (fresh->memory_bytes && !kl_topic_share_make(e, t))
        return false;
    kl_topic_settings *own = own_settings(e, t);
    if (!own && !(own = kl_mem_alloc(&e->alloc, sizeof *own)))
        return false;
    *own = *fresh;
    t->set = own;
    kl_topic_share_limit(t, fresh->memory_bytes);
    return true;
}

bool kl_topic_settings_begin(kloop_engine *e, kloop_topic *t)
{
    t->set = &e->set.topic;
    const kl_topic_keys *keys = keys_for(&e->set, t);
    if (!keys)
        return true;
    kl_topic_settings fresh;
    kloop_status status =
        kl_topic_settings_make(&fresh, &e->set, t->name, keys, &e->set.topic.keys, NULL);
    KL_ASSERT(!status);
    return put(e, t, &fresh);
}

void kl_topic_settings_end(kloop_engine *e, kloop_topic *t)
{
    kl_mem_release(&e->alloc, own_settings(e, t), sizeof(kl_topic_settings));
}

kloop_status kloop_topic_set(kloop_topic *t, const char *key, const char *value, kloop_error *error)
{
    kl_error_clear(error);
    if (!t)
        return kl_error_set(error, KLOOP_BAD_ARGUMENT,
                            "topic is NULL; get one with kloop_topic_get()");
    kloop_engine *e = t->engine;
    const kl_topic_settings *own = own_settings(e, t);
    kl_topic_keys keys = own ? own->keys : (kl_topic_keys){0};
    char said[WHOSE_TEXT + 100];
    whose(t->name, said);
    size_t len = strlen(said);
    if (key)
        snprintf(said + len, sizeof said - len, "%s", key);
    kloop_status status = kl_topic_keys_set(&keys, key, said, value, error);
    kl_topic_settings fresh;
    if (!status)
        status = kl_topic_settings_make(&fresh, &e->set, t->name, &keys, &e->set.topic.keys, error);
    if (status)
        return status;
    size_t before = t->set->batch_bytes;
    uint64_t lingered = t->set->linger_ns;
    if (!put(e, t, &fresh))
        return kl_error_set(error, KLOOP_NO_MEMORY, "topic '%s': there is no memory for %s",
                            t->name, key);
    resize_batches(t, before);
    kl_sticky_set_partitioning(e, t, &t->set->partitioning);
    /* A host that sleeps has to look at its deadline anew. */
    e->stirred = true;
    if (t->set->linger_ns < lingered)
        kl_readiness_review(e, t, false);
    return KLOOP_OK;
}
