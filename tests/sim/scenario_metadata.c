/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of what Metadata answers say, leave out, or get wrong. */
#include "tests/sim/scenario.h"

#include <string.h>

/* A topic of three partitions on three nodes, known and delivered to, and asked about often. */
static void known_topic(sim *s)
{
    sim_topic(s, "t", 3, 3);
    sim_set(s, "metadata.max.age.ms", "200");
    sim_start(s);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 2);
    sim_drain(s, KL_SECOND);
}

static void keep_sending(sim *s, uint64_t ns)
{
    for (uint64_t end = s->world.now_ns + ns; s->world.now_ns < end; sim_go(s, 50 * KL_MS))
        for (int32_t p = 0; p < 3; p++)
            sim_send_to(s, 0, p, 1);
}

/* The answer to Metadata, with topics in it, or NULL. */
static kloop_metadata_response *metadata(const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = response;
    return request->api_key == KLOOP_METADATA && r->topics.count > 0 ? r : NULL;
}

static kloop_metadata_topic *first_topic(const kloop_metadata_response *r)
{
    return sim_elements(&r->topics);
}

/* ---- What is missing ---- */

static void drop_last_partition(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (r && first_topic(r)->partitions.count > 0)
        first_topic(r)->partitions.count--;
}

SIM_SCENARIO(partition_missing)
{
    known_topic(s);
    for (int i = 0; i < 8; i++) {
        sim_answers_pass(s, drop_last_partition);
        keep_sending(s, 300 * KL_MS);
        sim_expect(s, sim_partitions(s, 0) == 3, "what was there still is");
        sim_answers_pass(s, NULL);
        keep_sending(s, 300 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "numbers go on as if nothing were");
}

/* It is gone on the broker as well: what waits for it must not wait for ever. */
SIM_SCENARIO(partition_vanishes)
{
    known_topic(s);
    sim_answers_pass(s, drop_last_partition);
    sim_answers_order(
        s, &(sim_order){
               .api_key = KLOOP_PRODUCE, .count = 10000, .produce = {.error_code = 3}, .node = 3});
    sim_send_to(s, 0, 2, 5);
    sim_send_to(s, 0, 0, 5);
    sim_go(s, 9 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 11, "the others are delivered");
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.unknown == 5, "such an answer can come after the append too");
    sim_expect(s, s->brokers.requests < 300, "it is asked again with pauses");
}

static void unknown_topic(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    first_topic(r)->error_code = 3;
    first_topic(r)->partitions.count = 0;
}

/* Sequences must go on where they were: the broker would take new ones for old ones. */
SIM_SCENARIO(topic_unknown_for_a_while)
{
    known_topic(s);
    sim_answers_pass(s, unknown_topic);
    sim_next_error(s, 3, false, 30);
    keep_sending(s, 3 * KL_SECOND);
    sim_no_more(s);
    sim_answers_pass(s, NULL);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).epoch_bumps == 0, "numbers go on where they were");
}

static void no_brokers(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (r)
        r->brokers.count = 0;
}

SIM_SCENARIO(no_brokers_named)
{
    known_topic(s);
    sim_answers_pass(s, no_brokers);
    keep_sending(s, 3 * KL_SECOND);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 0, "the last view is kept");
}

static void no_topics(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (r)
        r->topics.count = 0;
}

SIM_SCENARIO(no_topics_named)
{
    known_topic(s);
    sim_answers_pass(s, no_topics);
    keep_sending(s, 3 * KL_SECOND);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void without_node_one(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    kloop_metadata_broker *all = sim_elements(&r->brokers);
    int32_t n = 0;
    for (int32_t i = 0; i < r->brokers.count; i++)
        if (all[i].node_id != 1)
            all[n++] = all[i];
    r->brokers.count = n;
}

SIM_SCENARIO(leader_not_listed)
{
    known_topic(s);
    sim_answers_pass(s, without_node_one);
    sim_go(s, 500 * KL_MS);
    uint32_t before = s->ledger.acked;
    keep_sending(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.acked - before >= 76, "the others deliver");
    sim_answers_pass(s, NULL);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void without_ids(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (r)
        memset(&first_topic(r)->topic_id, 0, sizeof(kloop_uuid));
}

/* Produce 13 knows topics by their id alone. */
SIM_SCENARIO(topic_without_id)
{
    sim_topic(s, "t", 3, 3);
    sim_answers_pass(s, without_ids);
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- What is wrong ---- */

static void same_epoch(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    kloop_metadata_partition *all = sim_elements(&first_topic(r)->partitions);
    for (int32_t i = 0; i < first_topic(r)->partitions.count; i++)
        all[i].leader_epoch = 7;
}

static void no_epoch(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    kloop_metadata_partition *all = sim_elements(&first_topic(r)->partitions);
    for (int32_t i = 0; i < first_topic(r)->partitions.count; i++)
        all[i].leader_epoch = -1;
}

static void move_around(sim *s)
{
    for (int32_t i = 0; i < 6; i++) {
        sim_brokers_move_leader(s, 0, i % 3, 1 + (i + 1) % 3);
        keep_sending(s, 500 * KL_MS);
    }
    sim_drain(s, 3 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

SIM_SCENARIO(leader_epoch_equal)
{
    sim_answers_pass(s, same_epoch);
    known_topic(s);
    move_around(s);
}

SIM_SCENARIO(leader_epoch_absent)
{
    sim_answers_pass(s, no_epoch);
    known_topic(s);
    move_around(s);
}

/* A broker that lags tells of an older leader, again and again. */
static void older_leader(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    kloop_metadata_partition *first = sim_elements(&first_topic(r)->partitions);
    first->leader_id = 3;
    first->leader_epoch--;
}

SIM_SCENARIO(leader_epoch_back)
{
    known_topic(s);
    sim_brokers_move_leader(s, 0, 0, 2);
    sim_send_to(s, 0, 0, 1);
    sim_drain(s, 3 * KL_SECOND);
    uint64_t retries = sim_stats(s).retries;
    sim_answers_pass(s, older_leader);
    keep_sending(s, 3 * KL_SECOND);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).retries == retries, "nobody goes back to the old leader");
}

static void both_at_node_one(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    kloop_metadata_broker *all = sim_elements(&r->brokers);
    for (int32_t i = 0; i < r->brokers.count; i++)
        if (all[i].node_id == 2)
            all[i].host = (kloop_string){"node-1-too", 10};
}

/* Who is meant is said by the id, not by the place. */
SIM_SCENARIO(two_at_one_address)
{
    sim_topic(s, "t", 3, 3);
    sim_set(s, "metadata.max.age.ms", "200");
    sim_answers_pass(s, both_at_node_one);
    s->plan.hostile = true; /* nobody can see on the wire which of them is meant */
    sim_start(s);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 5);
    sim_go(s, 3 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 10, "two of three are where they are said to be");
    sim_answers_pass(s, NULL);
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A list that no broker would give: absurd numbers cost no memory, and one partition twice is one.
 */
static void absurd_partitions(sim *s, const kl_request_info *request, void *response)
{
    static kloop_metadata_partition list[8];
    static const int32_t indexes[] = {0, 0, -1, INT32_MAX, 1, INT32_MIN, 1 << 30, 2};
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r || first_topic(r)->partitions.count < 3)
        return;
    const kloop_metadata_partition *true_ones = first_topic(r)->partitions.data;
    for (int i = 0; i < 8; i++) {
        list[i] = true_ones[0];
        list[i].partition_index = indexes[i];
        list[i].leader_id = 1 + i % 3;
    }
    first_topic(r)->partitions = kloop_array_of(list, 8);
}

SIM_SCENARIO(absurd_partition_list)
{
    s->plan.hostile = true;
    sim_answers_pass(s, absurd_partitions);
    sim_topic(s, "t", 3, 3);
    sim_set(s, "metadata.max.age.ms", "200");
    sim_set(s, "max.block.ms", "9000");
    sim_set(s, "retry.backoff.ms", "300");
    sim_set(s, "retry.backoff.max.ms", "300");
    sim_start(s);
    sim_send(s, 0, 10);
    sim_go(s, 2 * KL_SECOND);
    sim_expect(s, s->memory.bytes_max < 4000000, "an index costs no memory");
    sim_answers_pass(s, NULL);
    sim_drain(s, 11 * KL_SECOND);
    sim_expect(s, s->ledger.acked > 0, "what can be delivered is");
}

static void first_not_allowed(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    for (int32_t i = 0; r && i < r->topics.count; i++) {
        kloop_metadata_topic *t = &first_topic(r)[i];
        if (t->name.len == 6 && !memcmp(t->name.data, "secret", 6)) {
            t->error_code = 29;
            t->partitions.count = 0;
        }
    }
}

SIM_SCENARIO(one_topic_refused)
{
    sim_topic(s, "secret", 1, 1);
    sim_topic(s, "open", 3, 1);
    sim_answers_pass(s, first_not_allowed);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_send(s, 1, 10);
    sim_drain(s, KL_SECOND);
    sim_expect(s, s->ledger.failed == 10 && s->ledger.acked == 10,
               "only what is not allowed fails");
    sim_expect(s, sim_ledger_record(s, 1)->broker_error == 29, "and the report says why");
}

static void no_such_name(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    (void)s;
    if (!r)
        return;
    first_topic(r)->error_code = 17;
    first_topic(r)->partitions.count = 0;
}

SIM_SCENARIO(topic_name_refused)
{
    sim_topic(s, "t", 1, 1);
    sim_answers_pass(s, no_such_name);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_FAILED);
}

SIM_SCENARIO(topic_made_by_asking)
{
    sim_topic(s, "there", 2, 1);
    sim_topic(s, "new", 2, 1);
    s->plan.topics[1].appears_ns = KL_NEVER;
    s->plan.auto_create = true;
    sim_start(s);
    sim_send(s, 1, 10);
    sim_drain(s, 2 * KL_SECOND);
    sim_brokers_make_topic(s, 1);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- Who is asked, and how often ---- */

SIM_SCENARIO(metadata_never_answered)
{
    sim_topic(s, "t", 3, 3);
    sim_topic(s, "u", 3, 3);
    sim_set(s, "request.timeout.ms", "1000");
    sim_start(s);
    sim_send(s, 0, 30);
    sim_drain(s, KL_SECOND);
    sim_next(s, KLOOP_METADATA, (kl_request_fate){.end = KL_FATE_SILENT});
    sim_send(s, 1, 30);
    sim_go(s, 900 * KL_MS);
    sim_expect(s, s->ledger.acked == 30, "the answer is waited for");
    sim_drain(s, 1500 * KL_MS);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Each answer names another leader, with a newer epoch; none of them is it. */
static void flipping_leader(sim *s, const kl_request_info *request, void *response)
{
    kloop_metadata_response *r = metadata(request, response);
    if (!r)
        return;
    kloop_metadata_partition *first = sim_elements(&first_topic(r)->partitions);
    first->leader_id = 2 + (int32_t)(s->book.metadata_requests & 1);
    first->leader_epoch = (int32_t)s->book.metadata_requests;
}

SIM_SCENARIO(leader_flips)
{
    sim_topic(s, "t", 1, 3);
    sim_answers_pass(s, flipping_leader);
    sim_start(s);
    sim_send(s, 0, 10);
    sim_go(s, 5 * KL_SECOND);
    sim_expect(s, s->ledger.acked == 0, "the leader is never named");
    sim_expect(s, s->brokers.requests < 130, "the circle is walked slowly");
    sim_expect(s, sim_stats(s).retries > 3, "but on and on");
    sim_answers_pass(s, NULL);
}

/* Ten thousand partitions, of which two are used. */
SIM_SCENARIO(very_many_partitions)
{
    sim_cluster(s, 1);
    sim_topic(s, "t", 10000, 1);
    sim_set(s, "metadata.max.age.ms", "2000");
    sim_start(s);
    for (int i = 0; i < 5; i++) {
        sim_send_to(s, 0, 0, 5);
        sim_send_to(s, 0, 100, 5);
        sim_go(s, KL_SECOND);
    }
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_partitions(s, 0) == 10000, "all are known");
}
