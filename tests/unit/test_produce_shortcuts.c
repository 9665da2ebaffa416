/* SPDX-License-Identifier: BSD-2-Clause */
/* The short ways of Produce, for plain answers and for payload that is copied into its request:
 * byte for byte and member for member what the description says. */
#include "protocol/api.h"
#include "protocol/request_slices.h"
#include "protocol/walk.h"

#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 7, COPY_MAX = 1024, BYTES = 5000 };

static uint8_t content[BYTES];

/* ---- Requests ---- */

typedef struct request {
    kloop_produce_request message;
    kloop_produce_topic topic;
    kloop_produce_partition partitions[PARTITIONS];
    kloop_slice bodies[PARTITIONS][3];
} request;

static void make_request(request *r, kl_prng *prng)
{
    static const size_t lengths[] = {0, 1, 2, 66, 67, 341, 342, 500, 1022, 1023, 1024, 1025, 4000};
    enum { LENGTHS = sizeof lengths / sizeof *lengths };
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &r->message);
    memset(r->partitions, 0, sizeof r->partitions);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        kloop_produce_partition *p = &r->partitions[i];
        p->index = (int32_t)kl_prng_next(prng);
        p->records.head = (kloop_slice){content, kl_prng_below(prng, 3) ? 61 : 0};
        p->records.body = r->bodies[i];
        p->records.body_count = (size_t)kl_prng_below(prng, 4);
        for (size_t k = 0; k < p->records.body_count; k++)
            r->bodies[i][k] = (kloop_slice){content + kl_prng_below(prng, 900),
                                            lengths[kl_prng_below(prng, LENGTHS)]};
    }
    r->topic =
        (kloop_produce_topic){.name = kloop_text("t"),
                              .partition_data = kloop_array_of(
                                  r->partitions, (int32_t)kl_prng_below(prng, PARTITIONS + 1))};
    r->message.transactional_id = (kloop_string){NULL, 0};
    r->message.acks = -1;
    r->message.topic_data = kloop_array_of(&r->topic, 1);
}

static size_t body_len(const kloop_produce_partition *p)
{
    size_t len = 0;
    for (size_t i = 0; i < p->records.body_count; i++)
        len += p->records.body[i].len;
    return len;
}

static bool is_content(const uint8_t *p)
{
    return p >= content && p < content + sizeof content;
}

static void check_request(const request *r, int16_t version)
{
    kloop_string me = kloop_text("me");
    kloop_size flat, spare;
    kloop_fault fault;
    assert_int_equal(kloop_measure_request(KLOOP_PRODUCE, version, me, &r->message, &flat, &fault),
                     KLOOP_OK);
    uint8_t *whole = malloc(flat.total), *own = malloc(flat.total), *sum = malloc(flat.total);
    assert_true(whole && own && sum);
    assert_int_equal(
        kloop_encode_request(KLOOP_PRODUCE, version, 5, me, &r->message, whole, flat.total, &fault),
        KLOOP_OK);
    assert_int_equal(kl_request_slices_measure(KLOOP_PRODUCE, version, me, &r->message,
                                               sizeof r->message, COPY_MAX, &spare, &fault),
                     KLOOP_OK);
    assert_int_equal(spare.total, flat.total);
    assert_true(spare.slices <= flat.slices && spare.own >= flat.own);
    kloop_slice slices[8 * PARTITIONS];
    assert_true(spare.slices <= sizeof slices / sizeof *slices);
    assert_int_equal(kl_request_slices_encode(KLOOP_PRODUCE, version, 5, me, &r->message,
                                              sizeof r->message, COPY_MAX, own, spare.own, slices,
                                              spare.slices, &fault),
                     KLOOP_OK);
    size_t len = 0, shown = 0, large = 0;
    for (size_t i = 0; i < spare.slices; i++) {
        assert_true(slices[i].len > 0 && len + slices[i].len <= flat.total);
        memcpy(sum + len, slices[i].data, slices[i].len);
        len += slices[i].len;
        if (is_content(slices[i].data))
            shown += slices[i].len;
    }
    assert_int_equal(len, flat.total);
    assert_memory_equal(sum, whole, len);
    for (int32_t i = 0; i < r->topic.partition_data.count; i++)
        if (body_len(&r->partitions[i]) > COPY_MAX)
            large += body_len(&r->partitions[i]);
    assert_int_equal(shown, large);
    /* A buffer that is too short by any number of bytes is a fault, as without the short way. */
    for (size_t less = 1; less <= spare.own; less += 1 + spare.own / 40)
        assert_int_equal(kl_request_slices_encode(KLOOP_PRODUCE, version, 5, me, &r->message,
                                                  sizeof r->message, COPY_MAX, own,
                                                  spare.own - less, slices, spare.slices, &fault),
                         KLOOP_NO_SPACE);
    free(whole);
    free(own);
    free(sum);
}

static void copied_payload_is_the_same_request(void **state)
{
    (void)state;
    kl_prng prng;
    kl_prng_init(&prng, 11);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)kl_prng_next(&prng);
    for (int round = 0; round < 400; round++) {
        static request r;
        make_request(&r, &prng);
        for (int16_t version = 3; version <= 13; version++) {
            r.topic.topic_id = (kloop_uuid){{version >= 13}};
            bool nothing = false;
            for (int32_t i = 0; i < r.topic.partition_data.count; i++)
                nothing |= r.partitions[i].records.head.len == 0 &&
                           r.partitions[i].records.body_count == 0;
            if (!nothing)
                check_request(&r, version);
        }
    }
}

/* ---- Responses ---- */

/* The element as its description alone reads it. */
static void read_slowly(const kloop_array *array, size_t at,
                        kloop_produce_partition_response *element, size_t *used)
{
    kl_walk w;
    kl_walk_decode(&w, (const uint8_t *)array->data + at, array->len - at);
    w.fast = false;
    w.flexible = array->flexible;
    w.version = array->version;
    array->type->walk(&w, element);
    assert_int_equal(w.fault.status, KLOOP_OK);
    *used = kl_walk_at(&w);
}

static void expect_same(const kloop_produce_partition_response *a,
                        const kloop_produce_partition_response *b)
{
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->error_code, b->error_code);
    assert_true(a->base_offset == b->base_offset);
    assert_true(a->log_append_time_ms == b->log_append_time_ms);
    assert_true(a->log_start_offset == b->log_start_offset);
    assert_int_equal(a->record_errors.count, b->record_errors.count);
    assert_ptr_equal(a->record_errors.data, b->record_errors.data);
    assert_ptr_equal(a->error_message.data, b->error_message.data);
    assert_int_equal(a->error_message.len, b->error_message.len);
    assert_int_equal(a->current_leader.leader_id, b->current_leader.leader_id);
    assert_int_equal(a->current_leader.leader_epoch, b->current_leader.leader_epoch);
}

static void check_response(const kloop_produce_response *message, int16_t version)
{
    kloop_size size;
    kloop_fault fault;
    assert_int_equal(kloop_measure(KLOOP_PRODUCE, KLOOP_RESPONSE, version, message, &size, &fault),
                     KLOOP_OK);
    uint8_t *bytes = malloc(size.total);
    assert_non_null(bytes);
    size_t len;
    assert_int_equal(kloop_encode(KLOOP_PRODUCE, KLOOP_RESPONSE, version, message, bytes,
                                  size.total, &len, &fault),
                     KLOOP_OK);
    kloop_produce_response m;
    assert_int_equal(kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, version, bytes, len, &m, &fault),
                     KLOOP_OK);
    kloop_produce_topic_response topic;
    kloop_iter i = kloop_iterate(&m.responses);
    assert_true(kloop_next(&i, &topic));
    kloop_produce_partition_response quick, slow;
    size_t at = 0, used;
    int32_t count = 0;
    for (kloop_iter j = kloop_iterate(&topic.partition_responses); kloop_next(&j, &quick);) {
        read_slowly(&topic.partition_responses, at, &slow, &used);
        expect_same(&quick, &slow);
        at += used;
        assert_int_equal(j.at, at);
        count++;
    }
    assert_int_equal(count, topic.partition_responses.count);
    /* Cut short anywhere it is a fault at the same place. */
    for (size_t cut = 0; cut < len; cut += 1 + len / 60) {
        kloop_fault quick_fault;
        assert_int_not_equal(
            kloop_decode(KLOOP_PRODUCE, KLOOP_RESPONSE, version, bytes, cut, &m, &quick_fault),
            KLOOP_OK);
        kl_walk w;
        kl_walk_decode(&w, bytes, cut);
        w.fast = false;
        kl_walk_message(&w, kl_api_type(KLOOP_PRODUCE, KLOOP_RESPONSE, version, &fault), version,
                        &m);
        assert_int_equal(quick_fault.status, w.fault.status);
        assert_int_equal(quick_fault.at, w.fault.at);
        assert_int_equal(quick_fault.depth, w.fault.depth);
    }
    free(bytes);
}

static void plain_answers_are_read_as_any(void **state)
{
    (void)state;
    kl_prng prng;
    kl_prng_init(&prng, 12);
    for (int round = 0; round < 300; round++) {
        static const kloop_record_error error = {3, {"bad", 3}};
        kloop_produce_partition_response p[PARTITIONS];
        memset(p, 0, sizeof p);
        for (int32_t i = 0; i < PARTITIONS; i++) {
            p[i].index = (int32_t)kl_prng_next(&prng);
            p[i].error_code = (int16_t)kl_prng_next(&prng);
            p[i].base_offset = (int64_t)kl_prng_next(&prng);
            p[i].log_append_time_ms = (int64_t)kl_prng_next(&prng);
            p[i].log_start_offset = (int64_t)kl_prng_next(&prng);
            p[i].record_errors = kloop_array_of(&error, kl_prng_below(&prng, 6) == 0);
            if (kl_prng_below(&prng, 6) == 0)
                p[i].error_message = kl_prng_below(&prng, 2) ? kloop_text("") : kloop_text("why");
            p[i].current_leader = (kloop_leader_hint){-1, -1};
            if (kl_prng_below(&prng, 6) == 0)
                p[i].current_leader = (kloop_leader_hint){(int32_t)kl_prng_below(&prng, 9), 4};
        }
        kloop_produce_topic_response topic = {
            .name = kloop_text("t"),
            .partition_responses =
                kloop_array_of(p, (int32_t)kl_prng_below(&prng, PARTITIONS + 1))};
        kloop_produce_response m;
        kloop_message_init(KLOOP_PRODUCE, KLOOP_RESPONSE, &m);
        m.responses = kloop_array_of(&topic, 1);
        for (int16_t version = 10; version <= 13; version++) {
            topic.topic_id = (kloop_uuid){{version >= 13}};
            check_response(&m, version);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copied_payload_is_the_same_request),
        cmocka_unit_test(plain_answers_are_read_as_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
