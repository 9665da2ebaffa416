/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From keys to settings, and what keys say together.
 *
 * One rule for two keys of which one bounds the other: what a person set is kept. A preset gives
 * way where that costs nothing but time; where both were set, or memory would grow, it is refused
 * with a sentence that names both.
 */
#include "core/settings.h"
#include "base/mem.h"
#include "base/now.h"
#include "core/bootstrap.h"
#include "core/config_read.h"
#include "core/error.h"

#include <string.h>

#define IN_FLIGHT_IDEMPOTENT_MAX 5 /* a broker remembers the last five batches of a partition */

typedef struct loading {
    const kloop_config *config;
    kl_settings *s;
    kloop_error *error;
} loading;

static bool has(const loading *l, kl_config_id id)
{
    return kl_config_has(l->config, id);
}

static int64_t number(const loading *l, kl_config_id id)
{
    return kl_config_number(l->config, id);
}

static size_t bytes(const loading *l, kl_config_id id)
{
    uint64_t n = (uint64_t)number(l, id);
    return n < SIZE_MAX ? (size_t)n : SIZE_MAX;
}

static uint64_t span(const loading *l, kl_config_id id)
{
    return kl_ms_to_ns(number(l, id));
}

static const char *name(kl_config_id id)
{
    return kl_config_key_of(id)->shown.name;
}

/* ---- Sizes ---- */

/* upper has to be at least lower. */
static kloop_status refuse_order(const loading *l, kl_config_id lower, kl_config_id upper)
{
    return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                        "%s=%lld is less than %s=%lld; raise the first or lower the second",
                        name(upper), (long long)number(l, upper), name(lower),
                        (long long)number(l, lower));
}

/* A preset follows the lower one. */
static kloop_status load_upper(const loading *l, kl_config_id lower, kl_config_id upper,
                               size_t *size)
{
    *size = bytes(l, upper);
    if (*size >= bytes(l, lower))
        return KLOOP_OK;
    if (has(l, upper))
        return refuse_order(l, lower, upper);
    *size = bytes(l, lower);
    return KLOOP_OK;
}

static kloop_status load_sizes(const loading *l)
{
    kl_settings *s = l->s;
    s->record_bytes_max = bytes(l, KL_CONFIG_RECORD_MAX);
    s->batch_bytes = bytes(l, KL_CONFIG_BATCH_SIZE);
    if (s->batch_bytes > s->record_bytes_max)
        s->batch_bytes = s->record_bytes_max;
    if (s->batch_bytes == 0)
        s->batch_bytes = 1;
    s->receive_frame_max = bytes(l, KL_CONFIG_RECEIVE_MAX);
    s->memory_bytes = bytes(l, KL_CONFIG_MEMORY);
    if (s->memory_bytes < s->record_bytes_max)
        return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                            "%s=%lld cannot hold one record of %s=%lld; raise the first or lower "
                            "the second",
                            name(KL_CONFIG_MEMORY), (long long)number(l, KL_CONFIG_MEMORY),
                            name(KL_CONFIG_RECORD_MAX), (long long)number(l, KL_CONFIG_RECORD_MAX));
    kloop_status status =
        load_upper(l, KL_CONFIG_RECORD_MAX, KL_CONFIG_REQUEST_MAX, &s->request_bytes_max);
    return status ? status
                  : load_upper(l, KL_CONFIG_RECEIVE_MAX, KL_CONFIG_RECEIVE_MEMORY,
                               &s->receive_bytes_max);
}

/* ---- Times ---- */

/* The longest wait of a backoff: not below the first one, unless somebody wanted it so. */
static uint64_t longest(const loading *l, kl_config_id first, kl_config_id max)
{
    return has(l, max) || span(l, max) > span(l, first) ? span(l, max) : span(l, first);
}

static kloop_status load_times(const loading *l)
{
    kl_settings *s = l->s;
    s->request_timeout_ms = (int32_t)number(l, KL_CONFIG_REQUEST_TIMEOUT);
    s->request_timeout_ns = span(l, KL_CONFIG_REQUEST_TIMEOUT);
    s->max_block_ns = span(l, KL_CONFIG_MAX_BLOCK);
    s->retry_backoff_ns = span(l, KL_CONFIG_RETRY);
    s->retry_backoff_max_ns = longest(l, KL_CONFIG_RETRY, KL_CONFIG_RETRY_MAX);
    s->setup_timeout_ns = span(l, KL_CONFIG_SETUP);
    s->setup_timeout_max_ns = longest(l, KL_CONFIG_SETUP, KL_CONFIG_SETUP_MAX);
    s->reconnect_backoff_ns = span(l, KL_CONFIG_RECONNECT);
    s->reconnect_backoff_max_ns = span(l, KL_CONFIG_RECONNECT_MAX);
    /* Kafka's rule, older than its key for the longest one: a first one alone means them all, also
     * where it is shorter. */
    if (has(l, KL_CONFIG_RECONNECT) && !has(l, KL_CONFIG_RECONNECT_MAX))
        s->reconnect_backoff_max_ns = s->reconnect_backoff_ns;
    s->idle_ns = number(l, KL_CONFIG_IDLE) < 0 ? KL_NEVER : span(l, KL_CONFIG_IDLE);
    /* Or a connection would be idle before it could be used for the first time. */
    if (s->idle_ns < KL_MS)
        s->idle_ns = KL_MS;
    s->metadata_max_age_ns = span(l, KL_CONFIG_METADATA_MAX_AGE);
    s->metadata_max_idle_ns = span(l, KL_CONFIG_METADATA_MAX_IDLE);

    /* delivery.timeout.ms ends with the ints, and so do the sums that are held against it. */
    int64_t linger_ms = number(l, KL_CONFIG_LINGER);
    if (linger_ms > INT32_MAX)
        linger_ms = INT32_MAX;
    s->linger_ns = kl_ms_to_ns(linger_ms);
    int64_t least_ms = linger_ms + number(l, KL_CONFIG_REQUEST_TIMEOUT);
    if (least_ms > INT32_MAX)
        least_ms = INT32_MAX;
    int64_t delivery_ms = number(l, KL_CONFIG_DELIVERY_TIMEOUT);
    if (delivery_ms < least_ms && has(l, KL_CONFIG_DELIVERY_TIMEOUT))
        return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                            "%s=%lld is less than %s=%lld and %s=%lld together; raise the first "
                            "or lower the others",
                            name(KL_CONFIG_DELIVERY_TIMEOUT), (long long)delivery_ms,
                            name(KL_CONFIG_LINGER), (long long)number(l, KL_CONFIG_LINGER),
                            name(KL_CONFIG_REQUEST_TIMEOUT),
                            (long long)number(l, KL_CONFIG_REQUEST_TIMEOUT));
    s->delivery_timeout_ns = kl_ms_to_ns(delivery_ms < least_ms ? least_ms : delivery_ms);
    return KLOOP_OK;
}

/* ---- acks, retries, idempotence ---- */

static kloop_status refuse_idempotent(const loading *l, const char *other, const char *needed)
{
    return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                        "enable.idempotence=true needs %s, and %s is set; change that or set "
                        "enable.idempotence=false",
                        needed, other);
}

static kloop_status load_promises(const loading *l)
{
    static const struct {
        int16_t acks;
        const char *text;
    } acks[] = {{-1, "acks=all"}, {-1, "acks=-1"}, {0, "acks=0"}, {1, "acks=1"}};
    kl_settings *s = l->s;
    size_t choice = (size_t)number(l, KL_CONFIG_ACKS);
    s->acks = acks[choice].acks;
    s->retries = (uint32_t)number(l, KL_CONFIG_RETRIES);
    s->in_flight_max = (uint32_t)number(l, KL_CONFIG_IN_FLIGHT);
    s->idempotent = number(l, KL_CONFIG_IDEMPOTENCE) != 0;
    if (!s->idempotent)
        return KLOOP_OK;
    bool asked_for = has(l, KL_CONFIG_IDEMPOTENCE);
    if (s->acks != -1 && asked_for)
        return refuse_idempotent(l, acks[choice].text, "acks=all");
    if (s->retries == 0 && asked_for)
        return refuse_idempotent(l, "retries=0", "retries above 0");
    if (s->acks != -1 || s->retries == 0) {
        s->idempotent = false;
        s->idempotence_turned_off = true;
    } else if (s->in_flight_max > IN_FLIGHT_IDEMPOTENT_MAX) {
        /* Not turned off in silence: who asks for speed would lose the order of records. */
        return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                            "enable.idempotence=true%s needs %s of at most %d, and %lld is set; "
                            "change that or set enable.idempotence=false",
                            asked_for ? "" : ", which is the preset,", name(KL_CONFIG_IN_FLIGHT),
                            IN_FLIGHT_IDEMPOTENT_MAX, (long long)number(l, KL_CONFIG_IN_FLIGHT));
    }
    return KLOOP_OK;
}

/* ---- The rest ---- */

static void load_codec(const loading *l)
{
    static const kl_config_id levels[KL_CODEC_COUNT] = {
        [KL_CODEC_GZIP] = KL_CONFIG_GZIP_LEVEL,
        [KL_CODEC_LZ4] = KL_CONFIG_LZ4_LEVEL,
        [KL_CODEC_ZSTD] = KL_CONFIG_ZSTD_LEVEL,
    };
    kl_settings *s = l->s;
    s->codec = (kl_codec_id)number(l, KL_CONFIG_CODEC);
    const kl_codec *codec = kl_codec_by_id((int)s->codec);
    bool has_levels = codec && codec->level_min <= codec->level_max;
    s->codec_level = has_levels && has(l, levels[s->codec]) ? (int32_t)number(l, levels[s->codec])
                                                            : KL_CODEC_LEVEL_DEFAULT;
}

/* Everything but the text, which takes memory. */
static kloop_status load_numbers(kl_settings *s, const kloop_config *config, kloop_error *error)
{
    memset(s, 0, sizeof *s);
    kl_error_clear(error);
    if (!config)
        return kl_error_set(error, KLOOP_NO_MEMORY, "there was no memory for a configuration");
    const kloop_error *refusal = kl_config_refusal(config);
    if (refusal)
        return kl_error_set(error, refusal->status, "%s", refusal->text);
    loading l = {config, s, error};
    if (!has(&l, KL_CONFIG_BOOTSTRAP))
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "bootstrap.servers is missing; set it to HOST:PORT of a broker or "
                            "two, such as localhost:9092");
    load_codec(&l);
    s->auto_create_topics = number(&l, KL_CONFIG_AUTO_CREATE) != 0;
    s->ignore_keys = number(&l, KL_CONFIG_IGNORE_KEYS) != 0;
    s->adaptive_partitioning = number(&l, KL_CONFIG_ADAPTIVE) != 0;
    kloop_status status = load_sizes(&l);
    if (!status)
        status = load_times(&l);
    if (!status)
        status = load_promises(&l);
    return status;
}

/* On failure *to is null. */
static bool copy_text(const kloop_allocator *alloc, kloop_string from, kloop_string *to)
{
    char *copy = kl_mem_alloc(alloc, from.len + 1);
    *to = (kloop_string){copy, copy ? from.len : 0};
    if (!copy)
        return false;
    memcpy(copy, from.data, from.len);
    copy[from.len] = '\0';
    return true;
}

static void release_text(const kloop_allocator *alloc, kloop_string text)
{
    kl_mem_release(alloc, (void *)text.data, text.len + 1);
}

static bool is_among(const kl_bootstrap *servers, size_t count, const kl_server *server)
{
    for (size_t i = 0; i < count; i++) {
        kl_server known = {servers[i].host, servers[i].port};
        if (kl_server_equal(&known, server))
            return true;
    }
    return false;
}

static bool load_bootstrap(kl_settings *s, kloop_string list)
{
    size_t given = 1;
    for (size_t i = 0; i < list.len; i++)
        given += list.data[i] == ',';
    kl_bootstrap *servers = kl_mem_zalloc(&s->alloc, given, sizeof *servers);
    if (!servers)
        return false;
    s->bootstrap = servers;
    s->bootstrap_count = given;
    size_t count = 0;
    kl_server server;
    while (kl_servers_next(&list, &server))
        if (!is_among(servers, count, &server))
            servers[count++] = (kl_bootstrap){server.host, server.port};
    /* To the end even when memory has run out: no view of the configuration may stay. */
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = copy_text(&s->alloc, servers[i].host, &servers[i].host) && ok;
    if (!ok || count == given)
        return ok;
    servers = kl_mem_resize(&s->alloc, servers, given * sizeof *servers, count * sizeof *servers);
    if (!servers)
        return false;
    s->bootstrap = servers;
    s->bootstrap_count = count;
    return true;
}

kloop_status kl_settings_load(kl_settings *s, const kloop_config *config,
                              const kloop_allocator *alloc, kloop_error *error)
{
    kloop_status status = load_numbers(s, config, error);
    if (status)
        return status;
    s->alloc = alloc ? *alloc : kl_mem_libc;
    if (copy_text(&s->alloc, kl_config_text(config, KL_CONFIG_CLIENT_ID), &s->client_id) &&
        load_bootstrap(s, kl_config_text(config, KL_CONFIG_BOOTSTRAP)))
        return KLOOP_OK;
    kl_settings_deinit(s);
    return kl_error_set(error, KLOOP_NO_MEMORY, "there is no memory for the configuration");
}

void kl_settings_deinit(kl_settings *s)
{
    for (size_t i = 0; i < s->bootstrap_count; i++)
        release_text(&s->alloc, s->bootstrap[i].host);
    kl_mem_release(&s->alloc, s->bootstrap, s->bootstrap_count * sizeof *s->bootstrap);
    release_text(&s->alloc, s->client_id);
    memset(s, 0, sizeof *s);
}

kloop_status kloop_config_check(const kloop_config *config, kloop_error *error)
{
    kl_settings numbers;
    return load_numbers(&numbers, config, error);
}
