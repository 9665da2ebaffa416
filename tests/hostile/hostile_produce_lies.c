/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong values in InitProducerId and Produce. See hostile_lies.h. */
#include "tests/hostile/hostile_lies.h"

#include <string.h>

#define NOT_LEADER     6
#define INVALID_RECORD 87

static bool answers(const hostile_reply *r, int16_t api)
{
    return r->api == api;
}

/* ---- InitProducerId ---- */

HOSTILE_LIE(hostile_init_error)
{
    (void)w;
    (void)c;
    r->init.error_code = (int16_t)n;
    r->init.producer_id = -1;
}

HOSTILE_LIE(hostile_init_id)
{
    (void)w;
    (void)c;
    r->init.producer_id = n;
}

HOSTILE_LIE(hostile_init_epoch)
{
    (void)w;
    (void)c;
    r->init.producer_epoch = (int16_t)n;
}

/* ---- Produce ---- */

HOSTILE_LIE(hostile_produce_error)
{
    (void)w;
    (void)c;
    for (int32_t i = 0; i < r->ack_count; i++) {
        r->acks[i].error_code = (int16_t)n;
        r->acks[i].base_offset = -1;
    }
}

/* A producer with an id ends at these; they have rows of their own. */
static bool is_fatal(int32_t code)
{
    return code == 31 || code == 35 || code == 49 || code == 53 || code == 90;
}

/* Nothing is ever acked: what is asked again has to be as rare as of a broker that refuses all. */
static bool is_success(int32_t code)
{
    return code == 0 || code == 46;
}

HOSTILE_LIE(hostile_produce_codes)
{
    (void)w;
    (void)c;
    for (int32_t i = 0; i < r->ack_count; i++) {
        int32_t code = r->acks[i].index - 2;
        if (is_success(code) || (n && is_fatal(code)))
            code = NOT_LEADER;
        r->acks[i].error_code = (int16_t)code;
    }
}

HOSTILE_LIE(hostile_produce_nothing)
{
    (void)w;
    (void)c;
    (void)n;
    r->acked_topic_count = 0;
}

HOSTILE_LIE(hostile_produce_omits)
{
    (void)w;
    (void)c;
    (void)n;
    r->ack_count = 0;
}

HOSTILE_LIE(hostile_produce_unasked)
{
    (void)c;
    (void)n;
    if (!answers(r, KLOOP_PRODUCE) || r->ack_count == 0)
        return;
    r->acks[r->ack_count] = r->acks[0];
    r->acks[r->ack_count++].index = 77;
    r->acks[r->ack_count] = r->acks[0];
    r->acks[r->ack_count++].index = -1;
    kloop_produce_topic_response *more = &r->acked_topics[r->acked_topic_count++];
    kloop_produce_partition_response *ack = hostile_take(w, 1, sizeof *ack);
    *ack = r->acks[0];
    *more = (kloop_produce_topic_response){.name = kloop_text("others"),
                                           .topic_id = {{9, 9, 9}},
                                           .partition_responses = kloop_array_of(ack, 1)};
}

HOSTILE_LIE(hostile_produce_twice)
{
    (void)c;
    (void)n;
    if (!answers(r, KLOOP_PRODUCE))
        return;
    int32_t count = r->ack_count;
    kloop_produce_partition_response *both = hostile_take(w, (size_t)count * 2 + 1, sizeof *both);
    memcpy(both, r->acks, (size_t)count * sizeof *both);
    memcpy(both + count, r->acks, (size_t)count * sizeof *both);
    for (int32_t i = 0; i < count; i++)
        both[count + i].error_code = NOT_LEADER;
    r->acks = both;
    r->ack_count = count * 2;
}

HOSTILE_LIE(hostile_produce_offset)
{
    (void)w;
    (void)c;
    for (int32_t i = 0; i < r->ack_count; i++)
        r->acks[i].base_offset = n;
}

HOSTILE_LIE(hostile_produce_falling)
{
    (void)c;
    (void)n;
    for (int32_t i = 0; i < r->ack_count; i++)
        r->acks[i].base_offset = 1000000 - 1000 * w->turn++;
}

HOSTILE_LIE(hostile_produce_records)
{
    (void)c;
    if (!answers(r, KLOOP_PRODUCE))
        return;
    kloop_record_error *errors = hostile_take(w, (size_t)n, sizeof *errors);
    for (int64_t i = 0; i < n; i++)
        errors[i].batch_index =
            i % 3 == 0 ? (int32_t)((i + 1) * -7) : INT32_MAX - (int32_t)(i * i % 99991);
    for (int32_t i = 0; i < r->ack_count; i++) {
        r->acks[i].error_code = INVALID_RECORD;
        r->acks[i].base_offset = -1;
        if (r->version >= 8)
            r->acks[i].record_errors = kloop_array_of(errors, (int32_t)n);
    }
}

HOSTILE_LIE(hostile_produce_first_record)
{
    (void)c;
    (void)n;
    if (!answers(r, KLOOP_PRODUCE))
        return;
    hostile_produce_error(w, c, r, INVALID_RECORD);
    kloop_record_error *first = hostile_take(w, 1, sizeof *first);
    first->batch_index_error_message = kloop_text("the first is never right");
    for (int32_t i = 0; i < r->ack_count && r->version >= 8; i++)
        r->acks[i].record_errors = kloop_array_of(first, 1);
}

/* Answers for another topic than that which was sent to. */
HOSTILE_LIE(hostile_produce_other_topic)
{
    (void)w;
    (void)c;
    (void)n;
    if (!answers(r, KLOOP_PRODUCE) || r->acked_topic_count == 0)
        return;
    r->acked_topics[0].name = kloop_text("eventz");
    r->acked_topics[0].topic_id.bytes[15] ^= 1;
}

static void hint(hostile_world *w, hostile_reply *r, int32_t leader, int32_t epoch, uint16_t port)
{
    hostile_produce_error(w, NULL, r, NOT_LEADER);
    if (!answers(r, KLOOP_PRODUCE) || r->version < 10)
        return;
    for (int32_t i = 0; i < r->ack_count; i++)
        r->acks[i].current_leader = (kloop_leader_hint){leader, epoch};
    r->endpoints = hostile_take(w, 1, sizeof *r->endpoints);
    r->endpoints[0] =
        (kloop_node_endpoint){.node_id = leader, .host = kloop_text("127.0.0.1"), .port = port};
    r->endpoint_count = 1;
}

HOSTILE_LIE(hostile_produce_hint)
{
    (void)c;
    /* Port 1 on loopback: nobody listens there. */
    hint(w, r, (int32_t)n, 6, 1);
}

HOSTILE_LIE(hostile_produce_hint_self)
{
    (void)n;
    hint(w, r, c->node + 1, 6, w->ports->ports[c->node]);
}

HOSTILE_LIE(hostile_produce_hint_epochs)
{
    (void)n;
    int next = (c->node + 1) % w->ports->nodes;
    hint(w, r, next + 1, 6 + (int32_t)w->turn++, w->ports->ports[next]);
}

HOSTILE_LIE(hostile_produce_hint_new_ids)
{
    (void)n;
    hint(w, r, 100 + (int32_t)w->turn, 6 + (int32_t)w->turn, w->ports->ports[c->node]);
    w->turn++;
}

HOSTILE_LIE(hostile_produce_hint_endpoints)
{
    hint(w, r, c->node + 1, 6, w->ports->ports[c->node]);
    if (r->endpoint_count == 0)
        return;
    kloop_node_endpoint own = r->endpoints[0];
    r->endpoints = hostile_take(w, (size_t)n, sizeof *r->endpoints);
    r->endpoint_count = (int32_t)n;
    for (int32_t i = 0; i < r->endpoint_count; i++) {
        r->endpoints[i] = own;
        r->endpoints[i].node_id = 100 + i;
    }
}

HOSTILE_LIE(hostile_produce_answered)
{
    (void)w;
    (void)c;
    (void)n;
    r->none = false;
}

/* ---- All of them ---- */

HOSTILE_LIE(hostile_throttle)
{
    (void)w;
    (void)c;
    r->versions.throttle_time_ms = (int32_t)n;
    r->metadata.throttle_time_ms = (int32_t)n;
    r->init.throttle_time_ms = (int32_t)n;
    r->produce.throttle_time_ms = (int32_t)n;
}
