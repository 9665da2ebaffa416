/* SPDX-License-Identifier: BSD-2-Clause */
/* Dice for requests and answers. */
#include "base/be.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define RANDOM SIM_STREAM_BROKERS

static int16_t any_of(sim *s, const int16_t *codes, size_t n)
{
    return codes[sim_below(s, RANDOM, n)];
}
#define ANY_OF(s, codes) any_of((s), (codes), sizeof(codes) / sizeof(codes)[0])

/* ---- Orders of a scenario ---- */

void sim_answers_order(sim *s, const sim_order *order)
{
    if (s->orders.count == SIM_ORDERS_MAX)
        abort();
    s->orders.list[s->orders.count++] = *order;
}

/* The answer with this body: length, correlation id, no tags where the header has some. */
static void answer_with(sim *s, const kl_request_info *r, kloop_slice body, kl_request_fate *fate)
{
    uint8_t *frame = s->orders.frame;
    size_t head = kloop_response_header_version(r->api_key, r->version) > 0 ? 9 : 8;
    if (head + body.len > sizeof s->orders.frame)
        abort();
    kl_be_store32(frame, (uint32_t)(head - 4 + body.len));
    kl_be_store32(frame + 4, (uint32_t)r->correlation_id);
    frame[8] = 0;
    memcpy(frame + head, body.data, body.len);
    fate->end = KL_FATE_REPLACE;
    fate->bytes = (kloop_slice){frame, head + body.len};
}

static bool ordered(sim *s, const kl_request_info *r, kl_request_fate *fate)
{
    for (int i = 0; i < s->orders.count; i++) {
        sim_order *o = &s->orders.list[i];
        if (!o->count || o->api_key != r->api_key ||
            (o->node != KL_NO_NODE && o->node != r->node_id))
            continue;
        if (o->skip) {
            o->skip--;
            continue;
        }
        o->count--;
        *fate = o->fate;
        if (o->body.data)
            answer_with(s, r, o->body, fate);
        s->orders.produce_id = r->request_id;
        s->orders.produce = o->produce;
        return true;
    }
    return false;
}

/* ---- Requests ---- */

static void on_request(void *user, const kl_request_info *r, kl_request_fate *fate)
{
    sim *s = user;
    s->brokers.requests++;
    if (ordered(s, r, fate) || !sim_neighbours_may_harm_node(s, r->node_id))
        return;
    if (sim_fault(s, SIM_FAULT_WORK_SLOW))
        fate->process_delay_ns = (int64_t)(sim_scale(s, RANDOM, 5, 6000) * KL_MS);
    if (sim_fault(s, SIM_FAULT_ANSWER_SLOW))
        fate->answer_delay_ns = (int64_t)(sim_scale(s, RANDOM, 5, 6000) * KL_MS);
    if (sim_fault(s, SIM_FAULT_THROTTLE))
        fate->throttle_ms = (int32_t)sim_scale(s, RANDOM, 1, 3000);
    if (sim_fault(s, SIM_FAULT_WRONG_CORRELATION))
        fate->correlation_change = 1 + (int32_t)sim_below(s, RANDOM, 3);
    if (sim_fault(s, SIM_FAULT_ANSWER_TWICE))
        fate->extra_copies = 1;
    if (r->api_key == KLOOP_PRODUCE && s->plan.acks == 0 &&
        sim_fault(s, SIM_FAULT_ANSWER_TO_ACKS_0)) {
        static const uint8_t answer[12] = {0, 0, 0, 8};
        fate->end = KL_FATE_REPLACE;
        fate->bytes = (kloop_slice){answer, sizeof answer};
    } else if (sim_fault(s, SIM_FAULT_REQUEST_DROPPED)) {
        fate->end = KL_FATE_CLOSE_UNPROCESSED;
    } else if (sim_fault(s, SIM_FAULT_ANSWER_LOST)) {
        fate->end = KL_FATE_CLOSE_PROCESSED;
    } else if (sim_fault(s, SIM_FAULT_ANSWER_SILENT)) {
        fate->end = KL_FATE_SILENT;
    } else if (sim_fault(s, SIM_FAULT_ANSWER_CUT)) {
        fate->end = KL_FATE_TRUNCATE;
        fate->keep_bytes = (size_t)sim_below(s, RANDOM, 60);
    } else if (sim_fault(s, SIM_FAULT_GARBAGE)) {
        uint8_t *noise = s->brokers.noise;
        size_t len = 1 + (size_t)sim_below(s, RANDOM, sizeof s->brokers.noise);
        for (size_t i = 0; i < len; i++)
            noise[i] = (uint8_t)sim_below(s, RANDOM, 256);
        if (len > 4 && sim_chance(s, RANDOM, 700000)) {
            /* A length that fits, so that the rest is looked at. */
            noise[0] = noise[1] = noise[2] = 0;
            noise[3] = (uint8_t)(len - 4);
            for (int i = 0; i < 4 && len > 8 && sim_chance(s, RANDOM, 950000); i++)
                noise[4 + i] = (uint8_t)((uint32_t)r->correlation_id >> (24 - 8 * i));
        }
        fate->end = KL_FATE_REPLACE;
        fate->bytes = (kloop_slice){noise, len};
    }
}

/* Some records of the batch are refused, as a topic's rules may do. */
static void name_some_records(sim *s, const kloop_batch_header *batch, kl_produce_fate *fate)
{
    int32_t *bad = s->brokers.bad_records;
    int32_t n = 0;
    fate->error_code = sim_chance(s, RANDOM, 700000) ? 87 : 32;
    uint64_t of = sim_between(s, RANDOM, 1, 4);
    for (int32_t i = 0; batch && i < batch->record_count && n < SIM_BAD_RECORDS_MAX; i++)
        if (sim_below(s, RANDOM, of) == 0)
            bad[n++] = i;
    fate->bad_records = bad;
    fate->bad_record_count = n;
}

/* Places that are none, or are told twice. */
static void name_odd_records(sim *s, kl_produce_fate *fate)
{
    static const int32_t odd[] = {-1, 0, 0, INT32_MAX, INT32_MIN, 1, 100000};
    int32_t *bad = s->brokers.bad_records;
    fate->error_code = 87;
    fate->bad_records = bad;
    fate->bad_record_count = (int32_t)sim_between(s, RANDOM, 1, 6);
    for (int32_t i = 0; i < fate->bad_record_count; i++)
        bad[i] = odd[sim_below(s, RANDOM, sizeof odd / sizeof odd[0])];
}

static void on_produce(void *user, const kl_request_info *r, int32_t topic, int32_t partition,
                       const kloop_batch_header *batch, kl_produce_fate *fate)
{
    static const int16_t retriable[] = {2, 3, 5, 6, 19, 56, 74, 75, 89};
    static const int16_t after[] = {6, 7, 13, 20};
    static const int16_t definite[] = {18, 29, 32, 44, 87};
    static const int16_t odd[] = {-1, 200, 1, 77};
    static const int16_t sequence[] = {45, 59};
    static const int16_t fatal[] = {31, 47, 90};
    sim *s = user;
    if (s->orders.produce_id == r->request_id) {
        *fate = s->orders.produce;
    } else if (!sim_neighbours_may_harm(s, topic, partition)) {
        return;
    } else if (sim_fault(s, SIM_FAULT_ERROR_RETRIABLE)) {
        fate->error_code = ANY_OF(s, retriable);
    } else if (sim_fault(s, SIM_FAULT_ERROR_AFTER_APPEND)) {
        fate->error_code = ANY_OF(s, after);
        fate->append = true;
    } else if (sim_fault(s, SIM_FAULT_ERROR_DEFINITE)) {
        fate->error_code = ANY_OF(s, definite);
    } else if (sim_fault(s, SIM_FAULT_ERROR_RECORDS)) {
        name_some_records(s, batch, fate);
    } else if (sim_fault(s, SIM_FAULT_ERROR_RECORDS_ODD)) {
        name_odd_records(s, fate);
    } else if (sim_fault(s, SIM_FAULT_ERROR_TOO_LARGE)) {
        fate->error_code = 10;
    } else if (sim_fault(s, SIM_FAULT_ERROR_UNKNOWN)) {
        fate->error_code = ANY_OF(s, odd);
        fate->append = sim_chance(s, RANDOM, 500000);
    } else if (sim_fault(s, SIM_FAULT_ERROR_SEQUENCE)) {
        fate->error_code = ANY_OF(s, sequence);
    } else if (sim_fault(s, SIM_FAULT_ERROR_FATAL)) {
        fate->error_code = ANY_OF(s, fatal);
    }
}

/* ---- Answers ---- */

/* The elements of an answer's list lie in memory that may be written; see broker/hooks.h. */
static void *elements(const kloop_array *a)
{
    union {
        const void *seen;
        void *written;
    } both = {.seen = a->data};
    return both.written;
}

static uint64_t pick(sim *s, const kloop_array *a)
{
    return sim_below(s, RANDOM, (uint64_t)a->count);
}

/* One entry more: another partition's, or another word on the same one. */
static void add_entry(sim *s, kloop_produce_topic_response *t, bool twice)
{
    static kloop_produce_partition_response all[SIM_PARTITIONS_MAX + 1];
    int32_t n = t->partition_responses.count;
    if (n <= 0 || n > SIM_PARTITIONS_MAX)
        return;
    memcpy(all, t->partition_responses.data, (size_t)n * sizeof *all);
    all[n] = all[pick(s, &t->partition_responses)];
    if (twice)
        all[n].error_code = all[n].error_code ? 0 : 29;
    else
        all[n].index += 1000;
    t->partition_responses = kloop_array_of(all, n + 1);
}

/* What an answer says of the new leader, where it says so. */
static void change_hints(sim *s, const kl_request_info *request, kloop_produce_response *r,
                         kloop_produce_topic_response *t)
{
    static const kloop_node_endpoint odd[] = {{.node_id = 6, .host = {"", 0}, .port = SIM_PORT},
                                              {.node_id = 7, .host = {"node-7", 6}, .port = -1},
                                              {.node_id = -1, .host = {"node-1", 6}, .port = 1},
                                              {.node_id = 5, .host = {NULL, 0}, .port = 0}};
    kloop_produce_partition_response *all = elements(&t->partition_responses);
    for (int32_t i = 0; i < t->partition_responses.count; i++) {
        kloop_leader_hint *hint = &all[i].current_leader;
        if (hint->leader_id < 0)
            continue;
        if (sim_fault(s, SIM_FAULT_HINT_MISSING)) {
            *hint = (kloop_leader_hint){.leader_id = -1, .leader_epoch = -1};
        } else if (sim_fault(s, SIM_FAULT_HINT_OLD)) {
            hint->leader_id = request->node_id;
            hint->leader_epoch -= 1 + (int32_t)sim_below(s, RANDOM, 3);
        } else if (sim_fault(s, SIM_FAULT_HINT_LIES)) {
            hint->leader_id = (int32_t)sim_below(s, RANDOM, 9) - 1;
            if (sim_chance(s, RANDOM, 300000))
                hint->leader_epoch = -1;
            if (sim_chance(s, RANDOM, 600000))
                r->node_endpoints = kloop_array_of(odd, (int32_t)sim_below(s, RANDOM, 5));
        }
    }
}

static void change_produce(sim *s, const kl_request_info *request, kloop_produce_response *r)
{
    static const int32_t odd_throttles[] = {INT32_MAX, -1, INT32_MIN, 30000, 86400000};
    if (sim_fault(s, SIM_FAULT_THROTTLE_ODD))
        r->throttle_time_ms = odd_throttles[sim_below(s, RANDOM, 5)];
    if (r->responses.count <= 0)
        return;
    kloop_produce_topic_response *topics = elements(&r->responses);
    kloop_produce_topic_response *t = &topics[pick(s, &r->responses)];
    if (t->partition_responses.count <= 0)
        return;
    kloop_produce_partition_response *all = elements(&t->partition_responses);
    kloop_produce_partition_response *p = &all[pick(s, &t->partition_responses)];
    if (sim_fault(s, SIM_FAULT_OFFSET_MISSING) && p->error_code == 0)
        p->base_offset = -1;
    /* Once it is committed, as every success. */
    if (p->error_code == 0 && sim_fault(s, SIM_FAULT_ERROR_DUPLICATE)) {
        p->error_code = 46;
        p->base_offset = -1;
    }
    change_hints(s, request, r, t);
    if (sim_fault(s, SIM_FAULT_PARTITION_OMITTED))
        t->partition_responses.count--;
    else if (sim_fault(s, SIM_FAULT_PARTITION_ANSWERED_TWICE))
        add_entry(s, t, true);
    else if (sim_fault(s, SIM_FAULT_PARTITION_NOT_ASKED))
        add_entry(s, t, false);
    if (sim_fault(s, SIM_FAULT_LYING_ANSWER)) {
        switch (sim_below(s, RANDOM, 6)) {
        case 0:
            p->base_offset = (int64_t)kl_prng_next(&s->world.chance[RANDOM]);
            break;
        case 1:
            p->error_code = (int16_t)kl_prng_next(&s->world.chance[RANDOM]);
            break;
        case 2:
            p->index = (int32_t)kl_prng_next(&s->world.chance[RANDOM]);
            break;
        case 3:
            p->current_leader.leader_id = (int32_t)sim_below(s, RANDOM, 10) - 2;
            p->current_leader.leader_epoch = (int32_t)sim_below(s, RANDOM, 1000);
            break;
        case 4:
            t->partition_responses.count = 0;
            break;
        default:
            r->throttle_time_ms = (int32_t)kl_prng_next(&s->world.chance[RANDOM]);
            if (sim_chance(s, RANDOM, 900000))
                r->throttle_time_ms = r->throttle_time_ms & 0xfff;
            break;
        }
    }
}

static void lie_about_partition(sim *s, kloop_metadata_topic *t, kloop_metadata_partition *p)
{
    switch (sim_below(s, RANDOM, 6)) {
    case 0:
        p->leader_id = (int32_t)sim_below(s, RANDOM, 12) - 3;
        break;
    case 1:
        p->leader_epoch = (int32_t)sim_below(s, RANDOM, 5) - 2;
        break;
    case 2:
        p->partition_index = (int32_t)kl_prng_next(&s->world.chance[RANDOM]);
        break;
    case 3:
        p->error_code = (int16_t)kl_prng_next(&s->world.chance[RANDOM]);
        break;
    case 4:
        t->error_code = (int16_t)kl_prng_next(&s->world.chance[RANDOM]);
        break;
    default:
        t->partitions.count = 0;
        break;
    }
}

/* ---- Metadata ---- */

static int32_t another_node(sim *s, int32_t than)
{
    int32_t node = 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)s->brokers.count);
    return node != than ? node : node % s->brokers.count + 1;
}

static void change_partition(sim *s, kloop_metadata_partition *p)
{
    if (sim_fault(s, SIM_FAULT_METADATA_EPOCH_BACK) && p->leader_epoch > 0) {
        p->leader_epoch -= 1 + (int32_t)sim_below(s, RANDOM, (uint64_t)p->leader_epoch);
        p->leader_id = another_node(s, p->leader_id);
    }
    if (sim_fault(s, SIM_FAULT_METADATA_NO_EPOCH))
        p->leader_epoch = -1;
    if (p->leader_id >= 0 && sim_fault(s, SIM_FAULT_METADATA_OTHER_LEADER))
        p->leader_id = another_node(s, p->leader_id);
    if (p->leader_id >= 0 && sim_fault(s, SIM_FAULT_METADATA_NO_SUCH_LEADER))
        p->leader_id = s->brokers.count + 1 + (int32_t)sim_below(s, RANDOM, 3);
}

/* What no broker would say: an answer with it is of no worth. */
static void spoil_partitions(sim *s, kloop_metadata_topic *t)
{
    static kloop_metadata_partition all[SIM_PARTITIONS_MAX + 1];
    static const int32_t odd[] = {-1, INT32_MAX, INT32_MIN, 1000000, -2};
    int32_t n = t->partitions.count;
    bool twice = sim_fault(s, SIM_FAULT_METADATA_PARTITION_TWICE);
    if (n <= 0 || n > SIM_PARTITIONS_MAX || (!twice && !sim_fault(s, SIM_FAULT_METADATA_BAD_INDEX)))
        return;
    memcpy(all, t->partitions.data, (size_t)n * sizeof *all);
    all[n] = all[pick(s, &t->partitions)];
    if (!twice)
        all[n].partition_index = odd[sim_below(s, RANDOM, 5)];
    else if (sim_chance(s, RANDOM, 500000))
        all[n].leader_id = another_node(s, all[n].leader_id);
    t->partitions = kloop_array_of(all, n + 1);
}

static void change_nodes(sim *s, kloop_metadata_response *r)
{
    static kloop_metadata_broker all[2 * SIM_NODES_MAX + 2];
    int32_t n = r->brokers.count;
    if (n <= 0 || n > SIM_NODES_MAX)
        return;
    memcpy(all, r->brokers.data, (size_t)n * sizeof *all);
    r->brokers = kloop_array_of(all, n);
    if (sim_fault(s, SIM_FAULT_METADATA_BAD_BROKER)) {
        static const int32_t ports[] = {-1, 0, 65536, INT32_MAX, INT32_MIN};
        kloop_metadata_broker *bad = &all[sim_below(s, RANDOM, (uint64_t)n)];
        switch (sim_below(s, RANDOM, 3)) {
        case 0:
            bad->port = ports[sim_below(s, RANDOM, 5)];
            break;
        case 1:
            bad->host = (kloop_string){"", 0};
            break;
        default:
            bad->node_id = -1 - (int32_t)sim_below(s, RANDOM, 3);
            break;
        }
    }
    if (sim_fault(s, SIM_FAULT_METADATA_BROKER_TWICE)) {
        all[n] = all[sim_below(s, RANDOM, (uint64_t)n)];
        if (sim_chance(s, RANDOM, 500000))
            all[n].host = (kloop_string){"node-1-250", 10};
        r->brokers.count++;
    }
    if (n > 1 && sim_fault(s, SIM_FAULT_METADATA_ONE_ADDRESS)) {
        uint64_t i = sim_below(s, RANDOM, (uint64_t)n);
        all[i].host = all[(i + 1) % (uint64_t)n].host;
    }
}

/* More than there can be, in few bytes each. */
static void name_many_brokers(kloop_metadata_response *r)
{
    static kloop_metadata_broker all[3000];
    int32_t n = (int32_t)(sizeof all / sizeof all[0]);
    for (int32_t i = 0; i < n; i++)
        all[i] = (kloop_metadata_broker){.node_id = i, .host = {"x", 1}, .port = SIM_PORT};
    r->brokers = kloop_array_of(all, n);
}

/* As a broker of another cluster would answer, where names lead to it. */
static void be_of_other_cluster(sim *s, kloop_metadata_response *r)
{
    kloop_metadata_broker *brokers = elements(&r->brokers);
    r->cluster_id = (kloop_string){"another-cluster", 15};
    for (int32_t i = 0; i < r->brokers.count && i <= SIM_NODES_MAX; i++)
        brokers[i].host = (kloop_string){"other-1", 7};
    kloop_metadata_topic *topics = elements(&r->topics);
    for (int32_t i = 0; i < r->topics.count; i++) {
        kloop_metadata_partition *partitions = elements(&topics[i].partitions);
        for (size_t k = 0; k < sizeof topics[i].topic_id.bytes; k++)
            topics[i].topic_id.bytes[k] ^= 0x55;
        for (int32_t k = 0; k < topics[i].partitions.count; k++)
            partitions[k].leader_epoch += 100;
    }
    (void)s;
}

static void change_metadata(sim *s, const kl_request_info *request, kloop_metadata_response *r)
{
    if (s->told.cluster_id_len && request->version >= 2 && r->cluster_id.data &&
        sim_fault(s, SIM_FAULT_METADATA_OTHER_CLUSTER)) {
        be_of_other_cluster(s, r);
        return;
    }
    if (sim_fault(s, SIM_FAULT_MANY_BROKERS)) {
        name_many_brokers(r);
        return;
    }
    change_nodes(s, r);
    static const int16_t topic_errors[] = {3, 5, 3, 5, 3, -1};
    if (sim_fault(s, SIM_FAULT_METADATA_EMPTY)) {
        r->topics.count = 0;
        if (sim_chance(s, RANDOM, 500000))
            r->brokers.count = 0;
    }
    if (r->brokers.count > 1 && sim_fault(s, SIM_FAULT_METADATA_LACKS_BROKER))
        r->brokers.count--;
    if (r->topics.count <= 0)
        return;
    kloop_metadata_topic *topics = elements(&r->topics);
    kloop_metadata_topic *t = &topics[pick(s, &r->topics)];
    if (sim_fault(s, SIM_FAULT_METADATA_ERROR)) {
        t->error_code = ANY_OF(s, topic_errors);
        t->partitions.count = 0;
    }
    if (t->partitions.count <= 0)
        return;
    kloop_metadata_partition *all = elements(&t->partitions);
    kloop_metadata_partition *p = &all[pick(s, &t->partitions)];
    if (sim_fault(s, SIM_FAULT_METADATA_LACKS_PARTITION))
        t->partitions.count--;
    change_partition(s, p);
    spoil_partitions(s, t);
    if (sim_fault(s, SIM_FAULT_LYING_ANSWER))
        lie_about_partition(s, t, p);
}

static void on_answer(void *user, const kl_request_info *request, void *response)
{
    static const int16_t init_errors[] = {14, 15, 16, 7, 51};
    sim *s = user;
    switch (request->api_key) {
    case KLOOP_PRODUCE:
        change_produce(s, request, response);
        break;
    case KLOOP_METADATA:
        change_metadata(s, request, response);
        break;
    case KLOOP_INIT_PRODUCER_ID: {
        kloop_init_producer_id_response *r = response;
        if (sim_fault(s, SIM_FAULT_INIT_ERROR)) {
            r->error_code = ANY_OF(s, init_errors);
            r->producer_id = -1;
            r->producer_epoch = -1;
        } else if (sim_fault(s, SIM_FAULT_INIT_ODD)) {
            if (sim_chance(s, RANDOM, 500000))
                r->producer_id = -1 - (int64_t)sim_below(s, RANDOM, 2);
            else
                r->producer_epoch = (int16_t)(-1 - (int16_t)sim_below(s, RANDOM, 2));
        } else if (sim_fault(s, SIM_FAULT_LYING_ANSWER)) {
            r->producer_epoch = (int16_t)kl_prng_next(&s->world.chance[RANDOM]);
        }
        break;
    }
    case KLOOP_API_VERSIONS: {
        kloop_api_versions_response *r = response;
        if (sim_fault(s, SIM_FAULT_VERSIONS_ERROR))
            r->error_code = -1;
        break;
    }
    case KLOOP_SASL_HANDSHAKE:
    case KLOOP_SASL_AUTHENTICATE:
        if (s->login.on)
            sim_login_answer_passes(s, request, response);
        break;
    default:
        break;
    }
    if (s->on_answer)
        s->on_answer(s, request, response);
}

/* ---- The eyes ---- */

static void on_append(void *user, const kl_stored_batch *batch)
{
    sim_ledger_appended(user, batch);
}

static void on_truncate(void *user, int32_t node_id, const kl_stored_batch *batch, bool everywhere)
{
    (void)node_id;
    sim_ledger_truncated(user, batch, everywhere);
}

static void on_complaint(void *user, kl_complaint_kind kind, const char *text)
{
    static const char *const invariants[] = {"I17", "I15", "I15"};
    sim *s = user;
    /* The same records under another codec. */
    if (kind == KL_COMPLAINT_SWALLOWED && s->book.folded_anew)
        return;
    sim_fail(user, invariants[kind], "a broker complains: %s", text);
}

void sim_answers_hooks(sim *s, kl_hooks *hooks)
{
    *hooks = (kl_hooks){.user = s,
                        .on_request = on_request,
                        .on_produce = on_produce,
                        .on_answer = on_answer,
                        .on_append = on_append,
                        .on_truncate = on_truncate,
                        .on_complaint = on_complaint};
}
