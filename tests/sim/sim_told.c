/* SPDX-License-Identifier: BSD-2-Clause */
/* What was said of leaders, ids and epochs. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <string.h>

#define ANYBODY UINT64_MAX
/* Brokers that speak no later version may tell old epochs while a partition is moved. */
#define TRUE_EPOCHS_SINCE 9
/* So often in a row, and an older state is the true one. */
#define OLDER_VIEWS_MAX 5

static void forget_leaders(sim_told_topic *t)
{
    for (int i = 0; i < SIM_PARTITIONS_MAX; i++)
        t->parts[i] = (sim_told_part){.epoch = -1,
                                      .doubtful_epoch = -1,
                                      .unsound_epoch = -1,
                                      .last_node = -1,
                                      .last_epoch = -1};
}

void sim_told_init(sim *s)
{
    for (int i = 0; i < SIM_TOPICS_MAX; i++)
        forget_leaders(&s->told.topics[i]);
}

/* ---- Leaders ---- */

static uint64_t bit_of(int32_t node)
{
    return node >= 0 && node < 64 ? UINT64_C(1) << node : 0;
}

/* sure: of which topic is meant, and that nobody insists. */
static void take_leader(sim *s, sim_told_part *p, int32_t node, int32_t epoch, bool sure)
{
    if (p->last_node != node || p->last_epoch != epoch) {
        p->changed_ns = s->world.now_ns;
        sim_pace_progress(s, node);
        sim_pace_progress(s, p->last_node);
    }
    p->last_node = node;
    p->last_epoch = epoch;
    if (epoch > p->epoch) {
        /* Where it believes a newer one, this is no news, and who led before leads on (seed 34116).
         */
        if (epoch >= p->doubtful_epoch)
            p->doubtful_nodes = 0;
        else
            p->doubtful_nodes |= p->nodes;
        p->epoch = epoch;
        p->nodes = bit_of(node);
        p->since_ns = s->world.now_ns;
    } else if (epoch == p->epoch || epoch < 0 || !sure) {
        p->nodes |= bit_of(node);
    }
}

/* It may believe this, or not, as long as nothing newer is sure. */
static void may_take_leader(sim *s, sim_told_part *p, int32_t node, int32_t epoch)
{
    if (epoch < 0 || epoch >= p->epoch)
        p->doubtful_nodes |= bit_of(node);
    if (epoch > p->doubtful_epoch)
        p->doubtful_epoch = epoch;
    p->last_node = -2;
    p->changed_ns = s->world.now_ns;
}

/* Would a broker say so? */
static bool is_sound(const kloop_metadata_topic *t)
{
    bool seen[SIM_PARTITIONS_MAX] = {false};
    kloop_metadata_partition p;
    if (t->partitions.count > SIM_PARTITIONS_MAX)
        return false;
    for (kloop_iter i = kloop_iterate(&t->partitions); kloop_next(&i, &p);) {
        if (p.partition_index < 0 || p.partition_index >= SIM_PARTITIONS_MAX ||
            seen[p.partition_index])
            return false;
        seen[p.partition_index] = true;
    }
    return true;
}

/* Does the answer speak of what the topic was before? A broker may know no better. */
static bool is_former(const sim_told_topic *t, const kloop_uuid *id)
{
    for (int i = 0; i < t->former_count; i++)
        if (!memcmp(&t->formers[i], id, sizeof *id))
            return true;
    return false;
}

/* sound: or else the engine may have taken it, or not; then what it does from now on may be right.
 */
static void take_id(sim *s, sim_told_topic *t, const kloop_uuid *id, bool sound)
{
    static const kloop_uuid none;
    if (!memcmp(id, &none, sizeof none))
        return;
    if (memcmp(&t->seen, id, sizeof *id) != 0) {
        int32_t handle = sim_brokers_handle_by_id(s, id);
        if (handle >= 0 && handle < SIM_HANDLES_MAX && !s->brokers.told_ns[handle])
            s->brokers.told_ns[handle] = s->world.now_ns;
        t->seen = *id;
        t->seen_ns = s->world.now_ns;
        for (int i = 0; i < SIM_PARTITIONS_MAX; i++)
            t->parts[i].unsound_epoch = -1;
    }
    if (!sound)
        return;
    if (t->has_id && memcmp(&t->id, id, sizeof *id) != 0) {
        if (t->former_count < SIM_TOLD_FORMERS_MAX)
            t->formers[t->former_count++] = t->id;
        t->id_ns = t->seen_ns;
        int32_t unsound[SIM_PARTITIONS_MAX];
        for (int i = 0; i < SIM_PARTITIONS_MAX; i++)
            unsound[i] = t->parts[i].unsound_epoch;
        forget_leaders(t);
        for (int i = 0; i < SIM_PARTITIONS_MAX; i++) {
            t->parts[i].changed_ns = s->world.now_ns;
            /* What came with it before, in an answer that was not sound, may be believed too; and
             * then an older epoch that is told now may not. */
            if (t->seen_ns < s->world.now_ns) {
                t->parts[i].doubtful_nodes = ANYBODY;
                t->parts[i].doubtful_epoch = unsound[i];
            }
        }
    }
    t->has_id = true;
    t->id = *id;
}

/* A leader that is not in the list of brokers, or is there twice, is as good as none. */
static bool is_listed(const kloop_metadata_response *r, int32_t node)
{
    kloop_metadata_broker b;
    int times = 0;
    bool good = true;
    for (kloop_iter i = kloop_iterate(&r->brokers); kloop_next(&i, &b);)
        if (b.node_id == node) {
            good &= b.port > 0 && b.port <= UINT16_MAX && b.host.len > 0;
            times++;
        }
    return times == 1 && good;
}

/* Less than what was told before? It may be counted as that, or not, if partitions are left out. */
static bool is_older(const sim_told_topic *t, int16_t version, const kloop_metadata_topic *m)
{
    kloop_metadata_partition p;
    int met = 0;
    for (kloop_iter i = kloop_iterate(&m->partitions); kloop_next(&i, &p);) {
        if (p.partition_index < 0 || p.partition_index >= SIM_PARTITIONS_MAX)
            continue;
        if (version >= TRUE_EPOCHS_SINCE && p.leader_epoch >= 0 &&
            p.leader_epoch < t->parts[p.partition_index].epoch)
            return true;
        met++;
    }
    return met < SIM_PARTITIONS_MAX && t->parts[met].last_node != -1;
}

static void count_older(const sim *s, sim_told_topic *t)
{
    if (++t->older == OLDER_VIEWS_MAX)
        t->believed_ns = s->world.now_ns;
}

bool sim_told_is_doubting(const sim *s, int topic, uint64_t since_ns)
{
    const sim_told_topic *t = &s->told.topics[topic];
    return t->older > 0 && (t->older < OLDER_VIEWS_MAX || t->believed_ns > since_ns);
}

/* What looked older was told so often that it is believed, but where the known leader takes
 * records. Epochs may go on from there, until one is told that is newer than all (seeds 1877,
 * 36883). */
static void believe(sim *s, sim_told_part *p)
{
    p->changed_ns = s->world.now_ns;
    p->doubtful_nodes = ANYBODY;
    if (p->doubtful_epoch <= p->epoch)
        p->doubtful_epoch = p->epoch + 1;
}

static void take_topic(sim *s, sim_told_topic *t, int16_t version, const kloop_metadata_response *r,
                       const kloop_metadata_topic *m, bool sound)
{
    static const kloop_uuid none;
    bool by_id = memcmp(&m->topic_id, &none, sizeof none) != 0;
    kloop_metadata_partition p;
    if (is_former(t, &m->topic_id)) {
        count_older(s, t);
        return;
    }
    take_id(s, t, &m->topic_id, sound);
    if (is_older(t, version, m))
        count_older(s, t);
    else
        t->older = 0;
    bool sure = (by_id || !s->brokers.deletions) && t->older < OLDER_VIEWS_MAX;
    /* Told so often, what looks older is believed, though it says the same as the last time. */
    bool believed = t->older >= OLDER_VIEWS_MAX;
    for (kloop_iter i = kloop_iterate(&m->partitions); kloop_next(&i, &p);) {
        if (p.partition_index < 0 || p.partition_index >= SIM_PARTITIONS_MAX)
            continue;
        sim_told_part *part = &t->parts[p.partition_index];
        if (version < TRUE_EPOCHS_SINCE)
            p.leader_epoch = -1;
        if (!sound) {
            part->nodes = ANYBODY;
            if (part->epoch < p.leader_epoch)
                part->epoch = p.leader_epoch;
            if (part->unsound_epoch < p.leader_epoch)
                part->unsound_epoch = p.leader_epoch;
            part->last_node = -2;
            part->changed_ns = s->world.now_ns;
        } else if (p.leader_id >= 0 && !is_listed(r, p.leader_id)) {
            may_take_leader(s, part, p.leader_id, p.leader_epoch);
        } else {
            take_leader(s, part, p.leader_id, p.leader_epoch, sure);
        }
        if (believed)
            believe(s, part);
    }
}

/* The first answer tells which cluster it is. */
static bool is_ours(sim *s, const kloop_string *id)
{
    sim_told *told = &s->told;
    if (!id->data || id->len == 0 || id->len > sizeof told->cluster_id)
        return true;
    if (!told->cluster_id_len) {
        memcpy(told->cluster_id, id->data, id->len);
        told->cluster_id_len = id->len;
    }
    return told->cluster_id_len == id->len && !memcmp(told->cluster_id, id->data, id->len);
}

/* Is one node said to be where another one is? */
static bool share_address(const sim *s, const kloop_metadata_response *r)
{
    kloop_metadata_broker b;
    for (kloop_iter i = kloop_iterate(&r->brokers); kloop_next(&i, &b);) {
        char host[64] = "";
        if (b.host.data && b.host.len < sizeof host)
            memcpy(host, b.host.data, b.host.len);
        int32_t node = sim_names_node_of(s, host);
        if (node != KL_NO_NODE && node != b.node_id)
            return true;
    }
    return false;
}

/* What is not used for metadata.max.idle.ms is given back, epochs included: whatever is told next
 * is all that is known (seed 54749). */
static void forget_unused(sim *s, int topic)
{
    const kloop_topic *t = s->user.topics[topic];
    if (t && kloop_topic_partitions(t) == 0) {
        forget_leaders(&s->told.topics[topic]);
        for (int i = 0; i < SIM_PARTITIONS_MAX; i++)
            s->told.topics[topic].parts[i].changed_ns = s->world.now_ns;
    }
}

bool sim_told_metadata(sim *s, int16_t version, const uint8_t *body, size_t len)
{
    kloop_metadata_response r;
    kloop_metadata_topic m;
    if (kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, version, body, len, &r, NULL) ||
        r.error_code != 0 || r.brokers.count <= 0)
        return false;
    if (!is_ours(s, &r.cluster_id))
        return true;
    bool sound = true;
    kloop_metadata_broker b;
    s->told.listed = 0;
    for (kloop_iter i = kloop_iterate(&r.brokers); kloop_next(&i, &b);) {
        bool good = is_listed(&r, b.node_id) && b.node_id >= 0;
        sound &= good;
        s->told.listed |= good ? bit_of(b.node_id) : 0;
        sim_pace_told_node(s, b.node_id, b.host, b.port);
    }
    s->told.shares_address |= share_address(s, &r);
    for (kloop_iter i = kloop_iterate(&r.topics); kloop_next(&i, &m);)
        sound &= is_sound(&m);
    for (kloop_iter i = kloop_iterate(&r.topics); kloop_next(&i, &m);) {
        int topic = m.name.data ? sim_plan_topic_by_name(s, m.name) : -1;
        if (topic >= 0)
            forget_unused(s, topic);
        if (topic >= 0 && m.error_code == 0)
            take_topic(s, &s->told.topics[topic], version, &r, &m, sound);
    }
    return true;
}

void sim_told_hint(sim *s, int topic, int32_t partition, const kloop_leader_hint *hint,
                   const sim_asked *asked)
{
    if (hint->leader_id < 0 || partition < 0 || partition >= SIM_PARTITIONS_MAX)
        return;
    /* What left before the topic was made anew is answered for the one that is gone (seed 4745). */
    const sim_told_topic *t = &s->told.topics[topic];
    if (t->id_ns > asked->at_ns)
        return;
    /* Where nobody tells ids, older epochs are what tells of it (seed 44435). */
    uint64_t anew_ns = t->id_ns > t->believed_ns ? t->id_ns : t->believed_ns;
    sim_told_part *p = &s->told.topics[topic].parts[partition];
    /* Of a node that is not known it may make nothing: it meets one a second at most by hints. */
    if (anew_ns <= asked->made_ns && s->told.listed & bit_of(hint->leader_id) &&
        hint->leader_id <= s->brokers.count && !s->faults.rate[SIM_FAULT_HINT_LIES]) {
        /* Where an older state was insisted on, epochs go on from there. */
        bool sure = s->told.topics[topic].older < OLDER_VIEWS_MAX;
        take_leader(s, p, hint->leader_id, hint->leader_epoch, sure);
        return;
    }
    may_take_leader(s, p, hint->leader_id, hint->leader_epoch);
}

void sim_told_check_leader(sim *s, const sim_conn *c, const sim_part *part)
{
    const sim_told_part *p = sim_told_of(&s->told, part);
    if (s->plan.hostile || s->told.shares_address || c->node < 0 || p->epoch < 0 ||
        p->nodes & bit_of(c->node) || p->doubtful_nodes & bit_of(c->node))
        return;
    if (c->behind_since_ns > p->since_ns)
        sim_fail(s, "I46",
                 "topic %d partition %d: a batch goes to node %d, which leads in an older epoch "
                 "than %d (told %" PRIu64 " us ago: nodes %" PRIx64 ", perhaps %" PRIx64
                 " in epoch %d)",
                 part->topic, part->partition, c->node, p->epoch,
                 (s->world.now_ns - p->since_ns) / KL_US, p->nodes, p->doubtful_nodes,
                 p->doubtful_epoch);
}

bool sim_told_is_other_topic(const sim *s, const sim_conn *c, const sim_part *part,
                             uint64_t since_ns)
{
    uint64_t id_ns = s->told.topics[part->topic].id_ns;
    return id_ns > since_ns && c->behind_since_ns > id_ns;
}

/* ---- Producers ---- */

bool sim_told_producer(sim *s, int16_t version, const uint8_t *body, size_t len)
{
    sim_told *told = &s->told;
    kloop_init_producer_id_response r;
    if (kloop_decode(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, version, body, len, &r, NULL) ||
        r.error_code != 0 || r.producer_id < 0 || r.producer_epoch < 0)
        return false;
    if (told->producer_count < SIM_TOLD_PRODUCERS_MAX) {
        told->producers[told->producer_count].id = r.producer_id;
        told->producers[told->producer_count++].epoch = r.producer_epoch;
    }
    return true;
}

void sim_told_check_producer(sim *s, int64_t producer_id, int16_t epoch)
{
    const sim_told *told = &s->told;
    if (told->producer_count == SIM_TOLD_PRODUCERS_MAX)
        return;
    for (int i = told->producer_count; i-- > 0;)
        if (told->producers[i].id == producer_id && told->producers[i].epoch <= epoch)
            return;
    sim_fail(s, "I21", "producer id %" PRId64 ", epoch %d: nobody has given them", producer_id,
             epoch);
}
