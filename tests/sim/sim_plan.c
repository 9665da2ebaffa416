/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws a run: the swarm. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_PLAN

static bool maybe(sim *s, uint32_t per_cent)
{
    return sim_chance(s, RANDOM, per_cent * 10000);
}

void sim_plan_set(sim *s, const char *key, const char *value)
{
    if (kloop_config_set(s->plan.config, key, value)) {
        fprintf(stderr, "kloop-sim: %s\n", kloop_config_error(s->plan.config));
        abort();
    }
}

static void set_number(sim *s, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    sim_plan_set(s, key, text);
}

static uint64_t number(sim *s, const char *key)
{
    const char *value = kloop_config_get(s->plan.config, key);
    if (!value) {
        fprintf(stderr, "kloop-sim: there is no key %s\n", key);
        abort();
    }
    return strtoull(value, NULL, 10);
}

static bool is(sim *s, const char *key, const char *text)
{
    const char *value = kloop_config_get(s->plan.config, key);
    return value && !strcmp(value, text);
}

/* "zstd,lz4,none" */
static uint32_t codecs_of(const char *list)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    uint32_t codecs = 0;
    for (int i = 0; i < 5; i++)
        if (strstr(list, names[i]))
            codecs |= (uint32_t)1 << i;
    return codecs;
}

static void read_topic_key(sim_topic_plan *t, const char *key, const char *value)
{
    if (!strcmp(key, "linger.ms"))
        t->linger_ns = strtoull(value, NULL, 10) * KL_MS;
    else if (!strcmp(key, "compression.type"))
        t->codecs = codecs_of(value);
    else if (!strcmp(key, "partitioner.class"))
        memmove(t->partitioner, value, strlen(value) + 1);
    else if (!strcmp(key, "buffer.memory"))
        t->shares = true;
}

void sim_plan_read_config(sim *s)
{
    sim_plan *p = &s->plan;
    bool all = is(s, "acks", "all") || is(s, "acks", "-1");
    p->acks = all ? -1 : is(s, "acks", "1") ? 1 : 0;
    p->retries = (uint32_t)number(s, "retries");
    p->idempotent = is(s, "enable.idempotence", "true") && all && p->retries > 0;
    p->in_flight_max = (uint32_t)number(s, "max.in.flight.requests.per.connection");
    p->linger_ns = number(s, "linger.ms") * KL_MS;
    p->delivery_timeout_ns = number(s, "delivery.timeout.ms") * KL_MS;
    p->request_timeout_ns = number(s, "request.timeout.ms") * KL_MS;
    p->max_block_ns = number(s, "max.block.ms") * KL_MS;
    p->retry_backoff_ns = number(s, "retry.backoff.ms") * KL_MS;
    p->retry_backoff_max_ns = number(s, "retry.backoff.max.ms") * KL_MS;
    if (p->retry_backoff_max_ns < p->retry_backoff_ns)
        p->retry_backoff_ns = p->retry_backoff_max_ns;
    p->reconnect_backoff_ns = number(s, "reconnect.backoff.ms") * KL_MS;
    p->reconnect_backoff_max_ns = number(s, "reconnect.backoff.max.ms") * KL_MS;
    if (p->reconnect_backoff_max_ns < p->reconnect_backoff_ns)
        p->reconnect_backoff_ns = p->reconnect_backoff_max_ns;
    p->setup_timeout_max_ns = number(s, "socket.connection.setup.timeout.max.ms") * KL_MS;
    p->metadata_max_age_ns = number(s, "metadata.max.age.ms") * KL_MS;
    p->metadata_max_idle_ns = number(s, "metadata.max.idle.ms") * KL_MS;
    p->idle_ns = is(s, "connections.max.idle.ms", "-1")
                     ? KL_NEVER
                     : number(s, "connections.max.idle.ms") * KL_MS;
    p->batch_bytes = (size_t)number(s, "batch.size");
    p->request_size_max = (size_t)number(s, "max.request.size");
    p->request_bytes_max = (size_t)number(s, "request.bytes.max");
    p->memory_bytes = (size_t)number(s, "buffer.memory");
    p->receive_bytes_max = (size_t)number(s, "receive.memory");
    p->codecs = codecs_of(kloop_config_get(p->config, "compression.type"));
    for (int i = 0; i < p->topic_count; i++) {
        sim_topic_plan *t = &p->topics[i];
        t->linger_ns = p->linger_ns;
        t->codecs = p->codecs;
        snprintf(t->partitioner, sizeof t->partitioner, "%s",
                 kloop_config_get(p->config, "partitioner.class"));
        for (int k = 0; k < t->set_count; k++)
            read_topic_key(t, t->set_keys[k], t->set_values[k]);
    }
}

static sim_topic_plan *add_topic(sim *s, const char *name, int32_t partitions, int16_t replicas)
{
    sim_topic_plan *t = &s->plan.topics[s->plan.topic_count++];
    snprintf(t->name, sizeof t->name, "%s", name);
    t->partitions = partitions;
    t->replicas = replicas;
    t->counts[t->count_changes++] = partitions;
    return t;
}

static void set_defaults(sim *s)
{
    s->plan.config = kloop_config_new(NULL);
    if (!s->plan.config)
        abort();
    sim_plan_set(s, "request.timeout.ms", "3000");
    sim_plan_set(s, "delivery.timeout.ms", "10000");
    sim_plan_set(s, "max.block.ms", "5000");
    sim_plan_set(s, "socket.connection.setup.timeout.ms", "1000");
    sim_plan_set(s, "socket.connection.setup.timeout.max.ms", "3000");
    sim_plan_set(s, "buffer.memory", "8388608");
    sim_plan_set(s, "batch.size", "16384");
    s->host.vec_max = SIM_SLICES_MAX;
    s->host.read_max = 65536;
    s->host.reads_a_turn = 64;
    s->host.close_delay_ns = 100 * KL_US;
    s->host.write_delay_ns = 200 * KL_US;
    s->links.delay_ns = 500 * KL_US;
    s->links.buffer_bytes = 262144;
    s->plan.names_ns = 300 * KL_US;
    s->plan.min_isr = 1;
    s->plan.close_timeout_ms = 30000;
}

void sim_plan_quiet(sim *s)
{
    s->plan = (sim_plan){
        .brokers = 3, .quiet = true, .scripted = true, .record_bytes_max = 200, .keyed = 300000};
    set_defaults(s);
}

/* ---- The swarm ---- */

static void draw_cluster(sim *s)
{
    sim_plan *p = &s->plan;
    p->brokers = (int32_t)sim_between(s, RANDOM, 1, 5);
    int topics = maybe(s, 50) ? 1 : (int)sim_between(s, RANDOM, 2, 5);
    int16_t replicas = (int16_t)(p->brokers < 3 ? p->brokers : 3);
    for (int i = 0; i < topics; i++) {
        char name[32];
        snprintf(name, sizeof name, "topic-%d", i);
        /* One draw after the other: compilers differ in the order of arguments. */
        int32_t partitions_max = maybe(s, 30) ? 50 : 8;
        int32_t partitions = (int32_t)sim_scale(s, RANDOM, 1, (uint64_t)partitions_max);
        int16_t topic_replicas = maybe(s, 15) ? 1 : replicas;
        sim_topic_plan *t = add_topic(s, name, partitions, topic_replicas);
        t->append_time = maybe(s, 10);
        if (maybe(s, 10))
            t->message_max = (int32_t)sim_scale(s, RANDOM, 2000, 60000);
        if (maybe(s, 10))
            t->appears_ns = maybe(s, 15) ? KL_NEVER : sim_scale(s, RANDOM, 100, 8000) * KL_MS;
    }
    p->min_isr = replicas >= 2 && maybe(s, 30) ? 2 : 1;
    p->auto_create = maybe(s, 20);
    for (int i = 1; i < p->topic_count && p->auto_create; i++)
        if (p->topics[i].appears_ns)
            p->topics[i].partitions = p->topics[i].counts[0] = p->topics[0].partitions;
    p->pipelined = maybe(s, 30);
    if (maybe(s, 10))
        p->first_epoch = (int16_t)sim_between(s, RANDOM, 32755, 32767);
    p->answer_delay_ns = maybe(s, 50) ? 0 : sim_scale(s, RANDOM, 10, 20000) * KL_US;
    p->replication_delay_ns = maybe(s, 50) ? 0 : sim_scale(s, RANDOM, 100, 20000) * KL_US;
}

static const char *any_codec(sim *s)
{
    static const char *const codecs[] = {
        "gzip", "snappy", "lz4", "zstd", "zstd,lz4,none", "zstd,gzip", "lz4,zstd", "zstd,none",
    };
    return codecs[sim_below(s, RANDOM, sizeof codecs / sizeof codecs[0])];
}

static const char *any_partitioner(sim *s)
{
    int n = 0;
    while (sim_keys_partitioner(n))
        n++;
    return sim_keys_partitioner((int)sim_below(s, RANDOM, (uint64_t)n));
}

/* A key for one topic. */
static void set_for_topic(sim *s, sim_topic_plan *t, const char *key, const char *value)
{
    for (int i = 0; i < t->set_count; i++)
        if (!strcmp(t->set_keys[i], key))
            return;
    t->set_keys[t->set_count] = key;
    snprintf(t->set_values[t->set_count++], sizeof t->set_values[0], "%s", value);
    if (!t->set_early)
        return;
    char name[64];
    snprintf(name, sizeof name, "topic.%s.%s", t->name, key);
    sim_plan_set(s, name, value);
}

static void draw_topic_settings(sim *s, sim_topic_plan *t)
{
    char number_text[24];
    t->set_early = maybe(s, 50);
    for (uint64_t n = sim_between(s, RANDOM, 1, 4); n > 0; n--)
        switch (sim_below(s, RANDOM, 5)) {
        case 0:
            snprintf(number_text, sizeof number_text, "%" PRIu64, sim_scale(s, RANDOM, 1, 400));
            set_for_topic(s, t, "linger.ms", number_text);
            break;
        case 1:
            snprintf(number_text, sizeof number_text, "%" PRIu64, sim_scale(s, RANDOM, 200, 65536));
            set_for_topic(s, t, "batch.size", number_text);
            break;
        case 2:
            set_for_topic(s, t, "compression.type", maybe(s, 20) ? "none" : any_codec(s));
            break;
        case 3:
            set_for_topic(s, t, "partitioner.class", any_partitioner(s));
            break;
        default:
            snprintf(number_text, sizeof number_text, "%" PRIu64,
                     sim_scale(s, RANDOM, s->plan.request_size_max, number(s, "buffer.memory")));
            set_for_topic(s, t, "buffer.memory", number_text);
            break;
        }
    t->choosy = maybe(s, 10);
}

/* No newer version of an API than so, whatever brokers offer. */
static void draw_caps(sim *s)
{
    char text[64];
    int produce = (int)sim_between(s, RANDOM, 7, 13);
    int metadata = (int)sim_between(s, RANDOM, 4, 13);
    snprintf(text, sizeof text, "Produce=%d,Metadata=%d", produce, metadata);
    sim_plan_set(s, "api.version.max", text);
    s->plan.version_max[KLOOP_PRODUCE] = (int16_t)produce;
    s->plan.version_max[KLOOP_METADATA] = (int16_t)metadata;
}

static void draw_cluster_life(sim *s)
{
    if (maybe(s, 25))
        sim_plan_set(s, "metadata.recovery.strategy", "none");
    else if (maybe(s, 50))
        set_number(s, "metadata.recovery.rebootstrap.trigger.ms", sim_scale(s, RANDOM, 500, 60000));
    if (maybe(s, 10))
        draw_caps(s);
    if (maybe(s, 20))
        set_number(s, "partitioner.availability.timeout.ms", sim_scale(s, RANDOM, 10, 5000));
    if (maybe(s, 20))
        sim_plan_set(s, "partitioner.class", any_partitioner(s));
    for (int i = 0; i < s->plan.topic_count; i++)
        if (maybe(s, 25))
            draw_topic_settings(s, &s->plan.topics[i]);
}

static void draw_config(sim *s)
{
    uint64_t acks = sim_below(s, RANDOM, 100);
    if (acks < 12)
        sim_plan_set(s, "acks", "1");
    else if (acks < 18)
        sim_plan_set(s, "acks", "0");
    else if (maybe(s, 10))
        sim_plan_set(s, "enable.idempotence", "false");
    if (maybe(s, 50))
        set_number(s, "max.in.flight.requests.per.connection", sim_between(s, RANDOM, 1, 5));
    if (maybe(s, 5))
        set_number(s, "retries", sim_below(s, RANDOM, 4));
    if (maybe(s, 60))
        set_number(s, "linger.ms", maybe(s, 30) ? 0 : sim_scale(s, RANDOM, 1, 500));
    if (maybe(s, 40)) {
        uint64_t request = sim_scale(s, RANDOM, 500, 8000);
        set_number(s, "request.timeout.ms", request);
        set_number(s, "delivery.timeout.ms", request + 500 + sim_scale(s, RANDOM, 500, 15000));
    }
    set_number(s, "max.block.ms", sim_scale(s, RANDOM, 500, 12000));
    set_number(s, "batch.size", maybe(s, 5) ? 0 : sim_scale(s, RANDOM, 200, 65536));
    set_number(s, "max.request.size", maybe(s, 30) ? sim_scale(s, RANDOM, 4096, 65536) : 262144);
    s->plan.request_size_max = (size_t)number(s, "max.request.size");
    uint64_t memory = sim_scale(s, RANDOM, 262144, 8388608);
    set_number(s, "buffer.memory",
               memory > 3 * s->plan.request_size_max ? memory : 3 * s->plan.request_size_max);
    if (maybe(s, 40)) {
        uint64_t retry = sim_scale(s, RANDOM, 1, 500);
        set_number(s, "retry.backoff.ms", retry);
        set_number(s, "retry.backoff.max.ms", retry + sim_scale(s, RANDOM, 1, 1000));
    }
    if (maybe(s, 40)) {
        uint64_t reconnect = sim_scale(s, RANDOM, 5, 500);
        set_number(s, "reconnect.backoff.ms", reconnect);
        set_number(s, "reconnect.backoff.max.ms", reconnect + sim_scale(s, RANDOM, 1, 1000));
    }
    if (maybe(s, 40))
        set_number(s, "metadata.max.age.ms", sim_scale(s, RANDOM, 500, 60000));
    if (maybe(s, 20))
        set_number(s, "metadata.max.idle.ms", 5000);
    if (maybe(s, 25))
        set_number(s, "connections.max.idle.ms", sim_scale(s, RANDOM, 300, 20000));
    if (maybe(s, 35))
        sim_plan_set(s, "compression.type", any_codec(s));
    if (maybe(s, 15))
        sim_plan_set(s, "partitioner.ignore.keys", "true");
    if (maybe(s, 20))
        sim_plan_set(s, "partitioner.adaptive.partitioning.enable", "false");
    if (maybe(s, 15))
        set_number(s, "request.bytes.max",
                   s->plan.request_size_max + sim_scale(s, RANDOM, 1, 1000000));
    if (maybe(s, 15)) {
        set_number(s, "receive.message.max.bytes", 65536);
        set_number(s, "receive.memory", 65536 + sim_scale(s, RANDOM, 1, 100000));
    }
    sim_plan_set(s, "allow.auto.create.topics", maybe(s, 80) ? "true" : "false");
    draw_cluster_life(s);
}

static void draw_host(sim *s)
{
    sim_host *h = &s->host;
    h->completion = maybe(s, 50);
    h->time_each_turn = maybe(s, 40);
    h->early_pump = maybe(s, 30);
    h->echoes = maybe(s, 40);
    h->tick_ns = maybe(s, 60) ? 0 : sim_scale(s, RANDOM, 10, 10000) * KL_US;
    h->slack_ns = h->tick_ns;
    h->vec_max = maybe(s, 50) ? SIM_SLICES_MAX : (size_t)sim_between(s, RANDOM, 1, 8);
    h->read_max = maybe(s, 70) ? 65536 : (size_t)sim_scale(s, RANDOM, 8, 4096);
    h->reads_a_turn = maybe(s, 70) ? 64 : (size_t)sim_between(s, RANDOM, 1, 4);
    h->close_delay_ns = maybe(s, 30) ? 0 : sim_scale(s, RANDOM, 10, 5000) * KL_US;
    h->write_delay_ns = sim_scale(s, RANDOM, 10, 20000) * KL_US;
}

static void draw_network(sim *s)
{
    s->links.delay_ns = sim_scale(s, RANDOM, 20, 50000) * KL_US;
    s->links.jitter_ns = maybe(s, 50) ? 0 : sim_scale(s, RANDOM, 10, 20000) * KL_US;
    s->links.buffer_bytes = maybe(s, 60) ? 262144 : (size_t)sim_scale(s, RANDOM, 512, 65536);
    s->plan.link_per_byte_ps = maybe(s, 70) ? 0 : sim_scale(s, RANDOM, 1000, 2000000);
    s->plan.names_ns = sim_scale(s, RANDOM, 10, 50000) * KL_US;
    s->plan.two_addresses = maybe(s, 30);
}

static void draw_user(sim *s)
{
    sim_plan *p = &s->plan;
    p->records = (uint32_t)sim_between(s, RANDOM, 1200, 4500);
    p->keyed = (uint32_t)sim_below(s, RANDOM, 1000000);
    p->explicit_partition = maybe(s, 50) ? 0 : (uint32_t)sim_below(s, RANDOM, 600000);
    p->record_bytes_max = (size_t)sim_scale(s, RANDOM, 40, 1500);
    if (maybe(s, 4))
        p->record_bytes_max = (size_t)sim_scale(s, RANDOM, 2000, 20000);
    p->borrows = maybe(s, 75) ? 0 : (uint32_t)sim_scale(s, RANDOM, 50000, 1000000);
    if (p->borrows && maybe(s, 60))
        p->record_bytes_max = (size_t)sim_scale(s, RANDOM, 2000, 10000);
    p->chunks = maybe(s, 80) ? 0 : (uint32_t)sim_scale(s, RANDOM, 20000, 1000000);
    p->encoded = maybe(s, 85) ? 0 : (uint32_t)sim_scale(s, RANDOM, 5000, 200000);
    p->burst_max = (uint32_t)sim_scale(s, RANDOM, 1, 60);
    p->flushes = maybe(s, 50) ? 0 : (uint32_t)sim_scale(s, RANDOM, 1000, 50000);
    p->wrong_calls = maybe(s, 50) ? 0 : 20000;
    p->reentrant = maybe(s, 50) ? 0 : (uint32_t)sim_scale(s, RANDOM, 1000, 100000);
    p->idles = maybe(s, 20);
    p->warm_ups = maybe(s, 70) ? 0 : (uint32_t)sim_scale(s, RANDOM, 1000, 50000);
    p->purges = maybe(s, 75) ? 0 : (uint32_t)sim_scale(s, RANDOM, 500, 20000);
}

static void draw_faults(sim *s)
{
    sim_plan *p = &s->plan;
    uint64_t sort = sim_below(s, RANDOM, 100);
    p->quiet = sort < 5;
    p->lossy = sort >= 5 && sort < 10;
    p->fatal = sort >= 10 && sort < 13;
    p->hostile = sort >= 13 && sort < 19;
    p->starved = sort >= 19 && sort < 22;
    if (p->quiet)
        return;
    for (int i = 0; i < SIM_FAULT_SPECIAL; i++)
        if (i == SIM_FAULT_SWIZZLE ? maybe(s, 10) : maybe(s, 25))
            sim_fault_enable(s, (sim_fault_id)i);
    if (p->lossy && maybe(s, 70))
        sim_fault_enable(s, SIM_FAULT_UNCLEAN_ELECTION);
    if (p->lossy && (maybe(s, 50) || !s->faults.rate[SIM_FAULT_UNCLEAN_ELECTION]))
        sim_fault_enable(s, SIM_FAULT_PRODUCERS_FORGOTTEN);
    if (p->fatal)
        sim_fault_enable(s, SIM_FAULT_ERROR_FATAL);
    if (p->hostile && maybe(s, 70))
        sim_fault_enable(s, SIM_FAULT_GARBAGE);
    if (p->hostile && (maybe(s, 60) || !s->faults.rate[SIM_FAULT_GARBAGE]))
        sim_fault_enable(s, SIM_FAULT_LYING_ANSWER);
    if (p->hostile && maybe(s, 20))
        sim_fault_enable(s, SIM_FAULT_MANY_BROKERS);
    if (p->starved)
        sim_fault_enable(s, SIM_FAULT_NO_MEMORY);
    /* Who does not begin anew never finds those that have gone elsewhere all together. */
    if (s->faults.rate[SIM_FAULT_BROKER_MOVES] || s->faults.rate[SIM_FAULT_METADATA_BROKER_TWICE] ||
        s->faults.rate[SIM_FAULT_BROKER_LEAVES] || s->faults.rate[SIM_FAULT_METADATA_BAD_BROKER])
        sim_plan_set(s, "metadata.recovery.strategy", "rebootstrap");
}

/* A network and a producer without surprises, so that the bound on everybody's time means
 * something: no batch of a record each, no one request at a time, one replica of everything. */
static void draw_neighbours(sim *s)
{
    sim_plan *p = &s->plan;
    for (int i = 0; i < p->topic_count; i++) {
        p->topics[i].replicas = 1;
        p->topics[i].appears_ns = 0;
        p->topics[i].message_max = 0;
    }
    p->min_isr = 1;
    p->first_epoch = 0;
    p->auto_create = false;
    p->answer_delay_ns /= 20;
    s->links.delay_ns = sim_scale(s, RANDOM, 20, 3000) * KL_US;
    set_number(s, "linger.ms", sim_scale(s, RANDOM, 1, 100));
    set_number(s, "max.block.ms", 5000);
    if (maybe(s, 30))
        set_number(s, "metadata.max.age.ms", sim_scale(s, RANDOM, 500, 60000));
    if (maybe(s, 10))
        sim_plan_set(s, "enable.idempotence", "false");
    if (maybe(s, 30))
        sim_plan_set(s, "compression.type", maybe(s, 50) ? "lz4" : "zstd");
    sim_neighbours_draw(s);
}

void sim_plan_draw(sim *s)
{
    sim_plan *p = &s->plan;
    *p = (sim_plan){.sick_node = KL_NO_NODE};
    set_defaults(s);
    p->neighbours = maybe(s, 5);
    draw_cluster(s);
    if (p->neighbours) {
        draw_neighbours(s);
    } else {
        draw_config(s);
        draw_network(s);
    }
    draw_host(s);
    draw_user(s);
    if (p->neighbours) {
        /* Nobody is to wait because so much is under way. */
        p->encoded = p->flushes = 0;
        s->host.write_delay_ns /= 20;
    } else {
        draw_faults(s);
    }
    p->faults_ns = sim_between(s, RANDOM, 30, 42) * KL_SECOND;
    uint64_t ending = sim_below(s, RANDOM, 100);
    p->ending = ending < 12   ? SIM_ENDING_CLOSED
                : ending < 15 ? SIM_ENDING_DELETED
                              : SIM_ENDING_DRAINED;
    p->ending_ns = sim_scale(s, RANDOM, 1, 40000) * KL_MS;
    /* Moments in virtual time are far apart; between them a lot may be half done. */
    p->ending_event = maybe(s, 50) ? sim_scale(s, RANDOM, 1, 30000) : 0;
    p->flush_event = maybe(s, 20) ? sim_scale(s, RANDOM, 1, 60000) : 0;
    p->close_timeout_ms = maybe(s, 20) ? 0 : sim_scale(s, RANDOM, 1, 20000);
    p->rest_ns = maybe(s, 20) ? sim_between(s, RANDOM, 13, 40) * KL_SECOND : 0;
    sim_login_draw(s);
}

void sim_plan_deinit(sim *s)
{
    kloop_config_del(s->plan.config);
    s->plan.config = NULL;
}

int sim_plan_topic_by_name(const sim *s, kloop_string name)
{
    for (int i = 0; i < s->plan.topic_count; i++)
        if (strlen(s->plan.topics[i].name) == name.len &&
            !memcmp(s->plan.topics[i].name, name.data, name.len))
            return i;
    return -1;
}

uint64_t sim_plan_recovery_ns(const sim *s)
{
    const sim_plan *p = &s->plan;
    uint64_t backoff = p->reconnect_backoff_max_ns > p->retry_backoff_max_ns
                           ? p->reconnect_backoff_max_ns
                           : p->retry_backoff_max_ns;
    /* Who has no token asks for one each ten seconds or so. */
    uint64_t token = p->login.mechanism == KL_LOGIN_OAUTHBEARER ? 13 * KL_SECOND : 0;
    /* Setup times and pauses are up to a fifth longer than their limit. */
    return token + 2 * (backoff + backoff / 5 + p->request_timeout_ns) + p->setup_timeout_max_ns +
           p->setup_timeout_max_ns / 5 + 20 * s->links.delay_ns + 2 * KL_SECOND;
}
