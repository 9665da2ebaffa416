/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster and what happens to it. */
#include "tests/sim/sim.h"
#include "tests/sim/sim_partitions.h"

#include "broker/truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_FAULTS

static int64_t now_of(const sim *s)
{
    return (int64_t)s->world.now_ns;
}

/* ---- Life ---- */

static void on_time(sim *s, void *thing, uint64_t a)
{
    (void)thing;
    if (a != s->brokers.armed_ns)
        return;
    s->brokers.armed_ns = KL_NEVER;
    kl_cluster_on_time(s->brokers.cluster, now_of(s));
    sim_link_pump_brokers(s);
}

void sim_brokers_arm(sim *s)
{
    int64_t deadline = kl_cluster_deadline(s->brokers.cluster);
    if (deadline == KL_CLUSTER_NEVER || (uint64_t)deadline >= s->brokers.armed_ns)
        return;
    s->brokers.armed_ns = (uint64_t)deadline;
    sim_at(s, s->brokers.armed_ns, on_time, NULL, s->brokers.armed_ns);
}

void sim_brokers_pass_over_absent(sim *s)
{
    for (int32_t node = 1; node <= s->brokers.count; node++)
        if (s->brokers.failed_over[node])
            kl_cluster_fail_over(s->brokers.cluster, node, now_of(s));
}

void sim_brokers_make_topic(sim *s, int topic)
{
    sim_topic_plan *t = &s->plan.topics[topic];
    if (s->brokers.handles[topic] != KL_NO_TOPIC)
        return;
    int32_t found = kl_cluster_find_topic(s->brokers.cluster, t->name, strlen(t->name));
    if (found == KL_NO_TOPIC) {
        kl_topic_config config = {.name = t->name,
                                  .partitions = t->partitions,
                                  .replication_factor = t->replicas,
                                  .message_max_bytes = t->message_max,
                                  .append_time = t->append_time};
        if (kl_cluster_add_topic(s->brokers.cluster, &config, &found) != KL_CLUSTER_OK)
            abort();
    }
    s->brokers.handles[topic] = found;
    if (found < SIM_HANDLES_MAX && !s->brokers.made_ns[found])
        s->brokers.made_ns[found] = s->world.now_ns;
    sim_brokers_pass_over_absent(s);
    sim_note(s, SIM_NOTE_TOPIC, "topic is there", topic, t->partitions, 0, 0);
}

static void topic_appears(sim *s, void *thing, uint64_t topic)
{
    (void)thing;
    sim_brokers_make_topic(s, (int)topic);
}

void sim_brokers_start(sim *s)
{
    sim_brokers *b = &s->brokers;
    const sim_plan *p = &s->plan;
    kl_cluster_config config;
    kl_cluster_config_init(&config);
    config.seed = s->seed;
    config.broker_count = p->brokers;
    config.first_producer_id = 1000;
    config.first_producer_epoch = p->first_epoch;
    config.auto_create_partitions = p->auto_create ? p->topics[0].partitions : 0;
    config.auto_create_replication_factor = 1;
    config.auto_create_delay_ns = (int64_t)(50 * KL_MS);
    config.min_isr = p->min_isr;
    config.wall_ms_at_zero = SIM_START_WALL;
    config.timestamp_after_max_ms = INT64_MAX / 4;
    config.pipelined = p->pipelined;
    config.answer_delay_ns = (int64_t)p->answer_delay_ns;
    config.replication_delay_ns = (int64_t)p->replication_delay_ns;
    config.check = true;
    sim_answers_hooks(s, &config.hooks);
    b->cluster = kl_cluster_new(&config);
    if (!b->cluster)
        abort();
    b->count = p->brokers;
    b->armed_ns = KL_NEVER;
    sim_login_start(s);
    for (int32_t node = 1; node <= b->count; node++) {
        char host[16];
        snprintf(host, sizeof host, "node-%d", node);
        if (kl_cluster_set_address(b->cluster, node, host, SIM_PORT, NULL) != KL_CLUSTER_OK)
            abort();
    }
    for (int i = 0; i < p->topic_count; i++) {
        b->handles[i] = KL_NO_TOPIC;
        if (!p->topics[i].appears_ns)
            sim_brokers_make_topic(s, i);
        else if (p->topics[i].appears_ns != KL_NEVER)
            sim_after(s, p->topics[i].appears_ns, topic_appears, NULL, (uint64_t)i);
    }
}

void sim_brokers_deinit(sim *s)
{
    kl_cluster_del(s->brokers.cluster);
    s->brokers.cluster = NULL;
}

int sim_brokers_topic_of(const sim *s, int32_t handle)
{
    kl_topic_info info;
    for (int i = 0; i < s->plan.topic_count; i++)
        if (s->brokers.handles[i] == handle)
            return i;
    if (handle < 0 || handle >= kl_cluster_topic_count(s->brokers.cluster))
        return -1;
    kl_cluster_topic_info(s->brokers.cluster, handle, &info);
    return sim_plan_topic_by_name(s, info.name);
}

int32_t sim_brokers_handle_by_id(const sim *s, const kloop_uuid *id)
{
    kl_topic_info info;
    for (int32_t h = 0; h < kl_cluster_topic_count(s->brokers.cluster); h++) {
        kl_cluster_topic_info(s->brokers.cluster, h, &info);
        if (!memcmp(&info.id, id, sizeof *id))
            return h;
    }
    return KL_NO_TOPIC;
}

int sim_brokers_topic_by_id(const sim *s, const kloop_uuid *id)
{
    int32_t handle = sim_brokers_handle_by_id(s, id);
    kl_topic_info info;
    if (handle == KL_NO_TOPIC)
        return -1;
    kl_cluster_topic_info(s->brokers.cluster, handle, &info);
    return sim_plan_topic_by_name(s, info.name);
}

/* ---- Brokers ---- */

bool sim_brokers_any_frozen(const sim *s)
{
    for (int32_t n = 1; n <= s->brokers.count; n++)
        if (s->brokers.frozen[n])
            return true;
    return false;
}

void sim_brokers_kill(sim *s, int32_t node)
{
    if (!kl_cluster_broker_is_up(s->brokers.cluster, node))
        return;
    sim_note(s, SIM_NOTE_BROKER, "down", node, 0, 0, 0);
    kl_cluster_broker_down(s->brokers.cluster, node, now_of(s));
    sim_link_pump_brokers(s);
}

void sim_brokers_fail_over(sim *s, int32_t node)
{
    if (s->brokers.failed_over[node])
        return;
    sim_note(s, SIM_NOTE_BROKER, "failed over", node, 0, 0, 0);
    s->brokers.failed_over[node] = true;
    kl_cluster_fail_over(s->brokers.cluster, node, now_of(s));
    sim_link_pump_brokers(s);
}

static void comes_back(sim *s, void *thing, uint64_t node);

void sim_brokers_revive(sim *s, int32_t node)
{
    kl_cluster *c = s->brokers.cluster;
    if (s->brokers.left[node])
        return;
    if (!kl_cluster_broker_is_up(c, node)) {
        sim_note(s, SIM_NOTE_BROKER, "up", node, 0, 0, 0);
        kl_cluster_broker_up(c, node, now_of(s));
    }
    /* A leader that does not hear of the larger ISR would go on without it. */
    if (s->brokers.failed_over[node] && sim_brokers_any_frozen(s)) {
        sim_after(s, 200 * KL_MS, comes_back, NULL, (uint64_t)node);
    } else if (s->brokers.failed_over[node]) {
        sim_note(s, SIM_NOTE_BROKER, "rejoins", node, 0, 0, 0);
        s->brokers.failed_over[node] = false;
        kl_cluster_rejoin(c, node, now_of(s));
    }
    sim_link_pump_brokers(s);
}

static void fails_over(sim *s, void *thing, uint64_t node)
{
    (void)thing;
    if (!kl_cluster_broker_is_up(s->brokers.cluster, (int32_t)node))
        sim_brokers_fail_over(s, (int32_t)node);
}

static void comes_back(sim *s, void *thing, uint64_t node)
{
    (void)thing;
    sim_brokers_revive(s, (int32_t)node);
}

static int32_t any_node(sim *s)
{
    if (s->plan.neighbours)
        return s->plan.sick_node;
    return 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)s->brokers.count);
}

void sim_brokers_leave(sim *s, int32_t node)
{
    s->brokers.left[node] = true;
    sim_brokers_kill(s, node);
    sim_brokers_fail_over(s, node);
}

void sim_brokers_move(sim *s, int32_t node)
{
    char host[24];
    s->brokers.moves[node]++;
    s->brokers.address_generation[node]++;
    snprintf(host, sizeof host, "node-%d-%u", node, s->brokers.moves[node]);
    sim_note(s, SIM_NOTE_BROKER, "moves", node, 0, 0, 0);
    if (kl_cluster_set_address(s->brokers.cluster, node, host, SIM_PORT, NULL) != KL_CLUSTER_OK)
        abort();
    for (size_t i = 0; i < s->links.count; i++)
        if (s->links.all[i]->node == node && s->links.all[i]->state == SIM_CONN_OPEN)
            sim_link_reset(s, s->links.all[i], true, "connection reset by peer");
    sim_link_pump_brokers(s);
}

void sim_brokers_refuse(sim *s, int32_t node, uint64_t until_ns)
{
    s->brokers.refused_until_ns[node] = until_ns;
}

static void kill_for_a_while(sim *s, uint64_t ms_max, bool fail_over)
{
    int32_t node = any_node(s);
    uint64_t back = sim_scale(s, RANDOM, 100, ms_max) * KL_MS;
    uint64_t notice = sim_scale(s, RANDOM, 10, 3000) * KL_MS;
    if (!kl_cluster_broker_is_up(s->brokers.cluster, node) || s->brokers.frozen[node])
        return;
    sim_brokers_kill(s, node);
    if (fail_over && notice < back)
        sim_after(s, notice, fails_over, NULL, (uint64_t)node);
    sim_after(s, back, comes_back, NULL, (uint64_t)node);
}

/* Another release: versions end earlier, or not. */
static void set_release(sim *s, int32_t node)
{
    static const struct {
        int16_t produce, metadata, init, versions;
    } releases[] = {{13, 13, 6, 4}, {12, 12, 5, 4}, {11, 12, 4, 3}, {9, 12, 4, 3},
                    {8, 9, 3, 3},   {7, 8, 1, 2},   {5, 5, 0, 1},   {3, 4, 0, 0}};
    size_t i = (size_t)sim_below(s, RANDOM, sizeof releases / sizeof releases[0]);
    kl_cluster *c = s->brokers.cluster;
    kl_cluster_set_sequence_era(c, node,
                                releases[i].produce < 5   ? KL_SEQUENCES_0_11
                                : releases[i].produce < 9 ? KL_SEQUENCES_1_0
                                                          : KL_SEQUENCES_2_5);
    s->brokers.without_zstd[node] = releases[i].produce < 7;
    kl_cluster_set_versions(c, node, KLOOP_PRODUCE, 3, releases[i].produce);
    kl_cluster_set_versions(c, node, KLOOP_METADATA, 0, releases[i].metadata);
    kl_cluster_set_versions(c, node, KLOOP_INIT_PRODUCER_ID, 0, releases[i].init);
    kl_cluster_set_versions(c, node, KLOOP_API_VERSIONS, 0, releases[i].versions);
}

static void change_release(sim *s)
{
    int32_t node = any_node(s);
    if (!kl_cluster_broker_is_up(s->brokers.cluster, node) || s->brokers.frozen[node])
        return;
    sim_brokers_kill(s, node);
    set_release(s, node);
    sim_after(s, sim_scale(s, RANDOM, 50, 2000) * KL_MS, comes_back, NULL, (uint64_t)node);
}

/* Every partition finds a leader without it, also those that are yet to be made. */
static bool can_spare(const sim *s, int32_t node)
{
    const kl_cluster *c = s->brokers.cluster;
    int32_t there = 0;
    for (int32_t n = 1; n <= s->brokers.count; n++)
        there += !s->brokers.left[n];
    if (there <= 2 || s->brokers.left[node] || sim_brokers_any_frozen(s) || s->brokers.isr_small ||
        s->plan.auto_create)
        return false;
    for (int topic = 0; topic < s->plan.topic_count; topic++)
        if (s->plan.topics[topic].replicas < 3)
            return false;
    for (int32_t h = 0; h < kl_cluster_topic_count(c); h++) {
        kl_topic_info topic;
        kl_cluster_topic_info(c, h, &topic);
        for (int32_t p = 0; p < topic.partitions && !topic.deleted; p++) {
            kl_partition_info info;
            kl_cluster_partition_info(c, h, p, &info);
            if (info.isr_count < 2)
                return false;
        }
    }
    return true;
}

static void leave_any(sim *s)
{
    int32_t node = any_node(s);
    for (int32_t n = 1; n <= s->brokers.count; n++)
        if (s->brokers.left[n])
            return;
    if (can_spare(s, node))
        sim_brokers_leave(s, node);
}

/* ---- Replicas and views ---- */

static void restore_isr(sim *s)
{
    kl_cluster *c = s->brokers.cluster;
    for (int topic = 0; topic < s->plan.topic_count; topic++)
        for (int32_t p = 0;
             s->brokers.handles[topic] != KL_NO_TOPIC && p < sim_partitions_count(s, topic); p++) {
            kl_partition_info info;
            kl_cluster_partition_info(c, s->brokers.handles[topic], p, &info);
            int32_t nodes[SIM_NODES_MAX];
            int32_t n = 0;
            for (int32_t i = 0; i < info.replica_count; i++)
                if (kl_cluster_broker_is_up(c, info.replicas[i]) &&
                    !s->brokers.failed_over[info.replicas[i]])
                    nodes[n++] = info.replicas[i];
            bool led = false;
            for (int32_t i = 0; i < n; i++)
                led |= nodes[i] == info.leader;
            if (led && n > info.isr_count &&
                kl_cluster_set_isr(c, s->brokers.handles[topic], p, nodes, n, now_of(s)) !=
                    KL_CLUSTER_OK)
                abort();
        }
    s->brokers.isr_small = false;
}

static void isr_returns(sim *s, void *thing, uint64_t a)
{
    (void)thing;
    (void)a;
    if (!sim_brokers_any_frozen(s))
        restore_isr(s);
    sim_link_pump_brokers(s);
}

static void shrink_isr(sim *s)
{
    int topic = sim_partitions_any_topic(s);
    /* A broker that does not hear of a new ISR could acknowledge what nobody else will have. */
    if (topic < 0 || sim_brokers_any_frozen(s))
        return;
    for (int32_t p = 0; p < sim_partitions_count(s, topic); p++) {
        kl_partition_info info;
        kl_cluster_partition_info(s->brokers.cluster, s->brokers.handles[topic], p, &info);
        if (info.leader != KL_NO_NODE && kl_cluster_broker_is_up(s->brokers.cluster, info.leader) &&
            kl_cluster_set_isr(s->brokers.cluster, s->brokers.handles[topic], p, &info.leader, 1,
                               now_of(s)) != KL_CLUSTER_OK)
            abort();
    }
    s->brokers.isr_small = true;
    sim_after(s, sim_scale(s, RANDOM, 50, 6000) * KL_MS, isr_returns, NULL, 0);
}

static void follower_goes_on(sim *s, void *thing, uint64_t node)
{
    (void)thing;
    s->brokers.stalled[node] = false;
    kl_cluster_stall_follower(s->brokers.cluster, (int32_t)node, false, now_of(s));
    sim_link_pump_brokers(s);
}

static void stall_follower(sim *s)
{
    int32_t node = any_node(s);
    s->brokers.stalled[node] = true;
    kl_cluster_stall_follower(s->brokers.cluster, node, true, now_of(s));
    sim_after(s, sim_scale(s, RANDOM, 50, 6000) * KL_MS, follower_goes_on, NULL, (uint64_t)node);
}

static void view_returns(sim *s, void *thing, uint64_t node)
{
    (void)thing;
    if (!s->brokers.frozen[node])
        return;
    s->brokers.frozen[node] = false;
    kl_cluster_thaw_view(s->brokers.cluster, (int32_t)node, now_of(s));
    sim_link_pump_brokers(s);
}

static void freeze_view(sim *s)
{
    int32_t node = any_node(s);
    if (s->brokers.frozen[node] || s->brokers.isr_small ||
        !kl_cluster_broker_is_up(s->brokers.cluster, node) ||
        kl_cluster_freeze_view(s->brokers.cluster, node) != KL_CLUSTER_OK)
        return;
    s->brokers.frozen[node] = true;
    sim_after(s, sim_scale(s, RANDOM, 50, 5000) * KL_MS, view_returns, NULL, (uint64_t)node);
}

static void change_address(sim *s)
{
    int32_t node = any_node(s);
    s->brokers.address_generation[node]++;
    for (size_t i = 0; i < s->links.count; i++)
        if (s->links.all[i]->node == node && s->links.all[i]->state == SIM_CONN_OPEN)
            sim_link_reset(s, s->links.all[i], true, "connection reset by peer");
    sim_link_pump_brokers(s);
}

void sim_brokers_strike(sim *s, sim_fault_id id)
{
    switch ((int)id) {
    case SIM_FAULT_ADDRESS_CHANGES:
        change_address(s);
        break;
    case SIM_FAULT_BROKER_KILLED:
        kill_for_a_while(s, 12000, true);
        break;
    case SIM_FAULT_BROKER_RESTARTS:
        kill_for_a_while(s, 2000, false);
        break;
    case SIM_FAULT_VERSIONS_CHANGE:
        change_release(s);
        break;
    case SIM_FAULT_OLD_VIEW:
        freeze_view(s);
        break;
    case SIM_FAULT_ISR_SHRINKS:
        shrink_isr(s);
        break;
    case SIM_FAULT_FOLLOWER_STALLS:
        stall_follower(s);
        break;
    case SIM_FAULT_BROKER_LEAVES:
        leave_any(s);
        break;
    case SIM_FAULT_BROKER_MOVES:
        sim_brokers_move(s, any_node(s));
        break;
    default:
        sim_partitions_strike(s, id);
        break;
    }
    sim_link_pump_brokers(s);
}

void sim_brokers_heal(sim *s)
{
    for (int32_t node = 1; node <= s->brokers.count; node++) {
        view_returns(s, NULL, (uint64_t)node);
        follower_goes_on(s, NULL, (uint64_t)node);
    }
    for (int32_t node = 1; node <= s->brokers.count; node++)
        sim_brokers_revive(s, node);
    for (int topic = 0; topic < s->plan.topic_count; topic++) {
        if (s->faults.rate[SIM_FAULT_MESSAGE_MAX_CHANGES])
            sim_brokers_set_message_max(s, topic, 0);
        for (int32_t p = 0;
             s->brokers.handles[topic] != KL_NO_TOPIC && p < sim_partitions_count(s, topic); p++)
            sim_partitions_elect_missing(s, topic, p);
    }
    for (int32_t node = 1; node <= s->brokers.count; node++) {
        s->brokers.refused_until_ns[node] = 0;
        if (s->faults.rate[SIM_FAULT_IMPOSTOR])
            s->links.impostor_at[node] = SIM_IMPOSTOR_NONE;
    }
    s->links.no_descriptors_until_ns = 0;
    sim_login_heal(s);
    restore_isr(s);
    sim_link_pump_brokers(s);
}
