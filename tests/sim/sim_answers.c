/* SPDX-License-Identifier: BSD-2-Clause */
/* Dice for requests and answers. */
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
    if (ordered(s, r, fate))
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
    if (sim_fault(s, SIM_FAULT_REQUEST_DROPPED)) {
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
    (void)topic;
    (void)partition;
    (void)batch;
    if (s->orders.produce_id == r->request_id) {
        *fate = s->orders.produce;
    } else if (sim_fault(s, SIM_FAULT_ERROR_RETRIABLE)) {
        fate->error_code = ANY_OF(s, retriable);
    } else if (sim_fault(s, SIM_FAULT_ERROR_AFTER_APPEND)) {
        fate->error_code = ANY_OF(s, after);
        fate->append = true;
    } else if (sim_fault(s, SIM_FAULT_ERROR_DEFINITE)) {
        fate->error_code = ANY_OF(s, definite);
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

static void change_produce(sim *s, kloop_produce_response *r)
{
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
    if (sim_fault(s, SIM_FAULT_PARTITION_OMITTED))
        t->partition_responses.count--;
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

static void change_metadata(sim *s, kloop_metadata_response *r)
{
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
    if (sim_fault(s, SIM_FAULT_LYING_ANSWER))
        lie_about_partition(s, t, p);
}

static void on_answer(void *user, const kl_request_info *request, void *response)
{
    static const int16_t init_errors[] = {14, 15, 16, 7, 51};
    sim *s = user;
    switch (request->api_key) {
    case KLOOP_PRODUCE:
        change_produce(s, response);
        break;
    case KLOOP_METADATA:
        change_metadata(s, response);
        break;
    case KLOOP_INIT_PRODUCER_ID: {
        kloop_init_producer_id_response *r = response;
        if (sim_fault(s, SIM_FAULT_INIT_ERROR)) {
            r->error_code = ANY_OF(s, init_errors);
            r->producer_id = -1;
            r->producer_epoch = -1;
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
