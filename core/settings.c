/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From keys to settings, and what keys say together. What presets follow is in config_follow.c;
 * where both of two keys were set, or memory would grow, it is refused with a sentence that names
 * both.
 */
#include "core/settings.h"
#include "base/mem.h"
#include "base/now.h"
#include "core/bootstrap.h"
#include "core/config_security.h"
#include "core/config_value.h"
#include "core/error.h"

#include <string.h>

/* However long it was in vain, all is not begun anew more often than this. */
#define REBOOTSTRAP_LEAST_NS     (1000 * KL_MS)

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
    int64_t least, unused, most;
    kl_config_range(kl_config_key_of(lower), &least, &unused);
    kl_config_range(kl_config_key_of(upper), &unused, &most);
    return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                        "%s=%lld is less than %s=%lld; raise the first (%lld to %lld) or lower the "
                        "second (%lld to %lld)",
                        name(upper), (long long)number(l, upper), name(lower),
                        (long long)number(l, lower), (long long)number(l, lower), (long long)most,
                        (long long)least, (long long)number(l, upper));
}

static kloop_status load_upper(const loading *l, kl_config_id lower, kl_config_id upper,
                               size_t *size)
{
    *size = bytes(l, upper);
    return *size < bytes(l, lower) ? refuse_order(l, lower, upper) : KLOOP_OK;
}

static kloop_status load_sizes(const loading *l)
{
    kl_settings *s = l->s;
    s->record_bytes_max = bytes(l, KL_CONFIG_RECORD_MAX);
    s->receive_frame_max = bytes(l, KL_CONFIG_RECEIVE_MAX);
    s->memory_bytes = bytes(l, KL_CONFIG_MEMORY);
    kloop_status status =
        kl_topic_settings_check_memory(NULL, s->memory_bytes, s->record_bytes_max, l->error);
    if (!status)
        status = load_upper(l, KL_CONFIG_RECORD_MAX, KL_CONFIG_REQUEST_MAX, &s->request_bytes_max);
    if (!status)
        status =
            load_upper(l, KL_CONFIG_RECEIVE_MAX, KL_CONFIG_RECEIVE_MEMORY, &s->receive_bytes_max);
    return status;
}

/* ---- Times ---- */

static void load_times(const loading *l)
{
    kl_settings *s = l->s;
    s->request_timeout_ms = (int32_t)number(l, KL_CONFIG_REQUEST_TIMEOUT);
    s->request_timeout_ns = span(l, KL_CONFIG_REQUEST_TIMEOUT);
    s->max_block_ns = span(l, KL_CONFIG_MAX_BLOCK);
    s->retry_backoff_ns = span(l, KL_CONFIG_RETRY);
    s->retry_backoff_max_ns = span(l, KL_CONFIG_RETRY_MAX);
    s->setup_timeout_ns = span(l, KL_CONFIG_SETUP);
    s->setup_timeout_max_ns = span(l, KL_CONFIG_SETUP_MAX);
    s->reconnect_backoff_ns = span(l, KL_CONFIG_RECONNECT);
    s->reconnect_backoff_max_ns = span(l, KL_CONFIG_RECONNECT_MAX);
    s->idle_ns = number(l, KL_CONFIG_IDLE) < 0 ? KL_NEVER : span(l, KL_CONFIG_IDLE);
    /* Or a connection would be idle before it could be used for the first time. */
    if (s->idle_ns < KL_MS)
        s->idle_ns = KL_MS;
    s->metadata_max_age_ns = span(l, KL_CONFIG_METADATA_MAX_AGE);
    s->metadata_max_idle_ns = span(l, KL_CONFIG_METADATA_MAX_IDLE);
    s->availability_ns = span(l, KL_CONFIG_AVAILABILITY);
    s->rebootstraps = number(l, KL_CONFIG_RECOVERY) != 0;
    s->rebootstrap_trigger_ns = span(l, KL_CONFIG_REBOOTSTRAP);
    if (s->rebootstrap_trigger_ns < REBOOTSTRAP_LEAST_NS)
        s->rebootstrap_trigger_ns = REBOOTSTRAP_LEAST_NS;
    s->delivery_timeout_ns = span(l, KL_CONFIG_DELIVERY_TIMEOUT);
}

/* ---- TLS and SASL ---- */

static kloop_status load_security(const loading *l)
{
    kl_settings *s = l->s;
    s->tls = kl_config_has_tls(l->config);
    s->sasl = kl_config_has_sasl(l->config);
    s->login_factor_millionths = (uint32_t)number(l, KL_CONFIG_LOGIN_FACTOR);
    s->login_jitter_millionths = (uint32_t)number(l, KL_CONFIG_LOGIN_JITTER);
    s->login_period_ns = kl_ms_to_ns(number(l, KL_CONFIG_LOGIN_PERIOD) * 1000);
    s->login_buffer_ns = kl_ms_to_ns(number(l, KL_CONFIG_LOGIN_BUFFER) * 1000);
    return kl_config_security_check(l->config, l->error);
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
    bool asked_for = has(l, KL_CONFIG_IDEMPOTENCE);
    s->idempotence_turned_off = !s->idempotent && !asked_for;
    if (!s->idempotent)
        return KLOOP_OK;
    if (s->acks != -1)
        return refuse_idempotent(l, acks[choice].text, "acks=all");
    if (s->retries == 0)
        return refuse_idempotent(l, "retries=0", "retries of 1 to 2147483647");
    /* Not turned off in silence: who asks for speed would lose the order of records. */
    if (s->in_flight_max > IN_FLIGHT_IDEMPOTENT_MAX)
        return kl_error_set(l->error, KLOOP_BAD_CONFIG,
                            "enable.idempotence=true%s needs %s of 1 to %d, and %lld is set; "
                            "change that or set enable.idempotence=false",
                            asked_for ? "" : ", which is the default,", name(KL_CONFIG_IN_FLIGHT),
                            IN_FLIGHT_IDEMPOTENT_MAX, (long long)number(l, KL_CONFIG_IN_FLIGHT));
    return KLOOP_OK;
}

/* ---- The rest ---- */

/* What there is for all topics, and whether what there is for one goes with the rest. */
static kloop_status load_topics(const loading *l)
{
    kl_settings *s = l->s;
    static const kl_topic_keys none;
    kl_topic_keys all = {0};
    for (unsigned i = 0; i < KL_TOPIC_KEY_COUNT; i++) {
        kl_config_id id = kl_topic_keys_config_id((kl_topic_key)i);
        kl_topic_keys_put(&all, (kl_topic_key)i, number(l, id));
        if (!has(l, id))
            all.set &= ~(UINT32_C(1) << i);
    }
    kloop_status status = kl_topic_settings_make(&s->topic, s, NULL, &none, &all, l->error);
    for (size_t i = 0; !status && i < kl_config_topic_count(l->config); i++) {
        const kl_topic_named_keys *t = kl_config_topic_at(l->config, i);
        kl_topic_settings tried;
        status = kl_topic_settings_make(&tried, s, t->name.data, &t->keys, &all, l->error);
    }
    return status;
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
    if (number(&l, KL_CONFIG_DNS_LOOKUP) != 0)
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "client.dns.lookup=resolve_canonical_bootstrap_servers_only is not "
                            "there: it turns addresses back into names, which only Kerberos needs; "
                            "leave it out and list the brokers' own names in bootstrap.servers");
    s->auto_create_topics = number(&l, KL_CONFIG_AUTO_CREATE) != 0;
    s->caps = kl_api_caps_of(kl_config_text(config, KL_CONFIG_API_VERSION_MAX));
    kloop_status status = load_sizes(&l);
    if (status)
        return status;
    load_times(&l);
    status = load_topics(&l);
    if (!status)
        status = load_promises(&l);
    return status ? status : load_security(&l);
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

static bool copy_topics(kl_settings *s, const kloop_config *config)
{
    size_t count = kl_config_topic_count(config);
    if (count == 0)
        return true;
    s->topics = kl_mem_zalloc(&s->alloc, count, sizeof *s->topics);
    if (!s->topics)
        return false;
    s->topic_count = count;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        s->topics[i].keys = kl_config_topic_at(config, i)->keys;
        ok = copy_text(&s->alloc, kl_config_topic_at(config, i)->name, &s->topics[i].name) && ok;
    }
    return ok;
}

kloop_status kl_settings_load(kl_settings *s, const kloop_config *config,
                              const kloop_allocator *alloc, kloop_error *error)
{
    kloop_status status = load_numbers(s, config, error);
    if (status)
        return status;
    s->alloc = alloc ? *alloc : kl_mem_libc;
    if (copy_text(&s->alloc, kl_config_text(config, KL_CONFIG_CLIENT_ID), &s->client_id) &&
        load_bootstrap(s, kl_config_text(config, KL_CONFIG_BOOTSTRAP)) && copy_topics(s, config))
        return KLOOP_OK;
    kl_settings_deinit(s);
    return kl_error_set(error, KLOOP_NO_MEMORY, "there is no memory for the configuration");
}

void kl_settings_deinit(kl_settings *s)
{
    for (size_t i = 0; i < s->bootstrap_count; i++)
        release_text(&s->alloc, s->bootstrap[i].host);
    kl_mem_release(&s->alloc, s->bootstrap, s->bootstrap_count * sizeof *s->bootstrap);
    for (size_t i = 0; i < s->topic_count; i++)
        release_text(&s->alloc, s->topics[i].name);
    kl_mem_release(&s->alloc, s->topics, s->topic_count * sizeof *s->topics);
    release_text(&s->alloc, s->client_id);
    memset(s, 0, sizeof *s);
}

bool kl_settings_turn_off_idempotence(const kloop_config *config)
{
    kl_settings numbers;
    return load_numbers(&numbers, config, NULL) == KLOOP_OK && numbers.idempotence_turned_off;
}

kloop_status kloop_config_check(const kloop_config *config, kloop_error *error)
{
    kl_settings numbers;
    return load_numbers(&numbers, config, error);
}
