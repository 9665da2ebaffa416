/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of bytes that no broker would send: whatever they say, the connection ends or they are
 * skipped, memory stays small, and the next connection delivers. */
#include "tests/sim/scenario.h"

#include <string.h>

typedef struct bytes_row {
    const uint8_t bytes[16];
    size_t len;
} bytes_row;

#define BYTES(...)                                                                                 \
    {                                                                                              \
        {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                                      \
    }

static void begin(sim *s)
{
    s->plan.hostile = true;
    sim_topic(s, "t", 1, 1);
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
}

/* The connection has ended, and what was asked for has come in the end. */
static void expect_survived(sim *s, uint64_t disconnects)
{
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == disconnects, "each lie ends a connection");
    sim_expect(s, s->memory.bytes_max < 4000000, "no lie costs memory");
}

static void lie_to_produce(sim *s, const bytes_row *rows, size_t n)
{
    begin(s);
    for (size_t i = 0; i < n; i++) {
        sim_next_body(s, KLOOP_PRODUCE, rows[i].bytes, rows[i].len);
        sim_send(s, 0, 3);
        sim_drain(s, 4 * KL_SECOND);
        sim_no_more(s);
    }
    expect_survived(s, n);
}

/* ---- Frames ---- */

SIM_SCENARIO(odd_frame_sizes)
{
    static const bytes_row rows[] = {
        BYTES(0, 0, 0, 0),         BYTES(0, 0, 0, 1, 0),
        BYTES(0, 0, 0, 3, 0, 0),   BYTES(0xff, 0xff, 0xff, 0xff),
        BYTES(0x80, 0, 0, 0),      BYTES(0x7f, 0xff, 0xff, 0xff),
        BYTES(0x02, 0, 0, 1),      BYTES(0, 0, 0, 4, 0, 0, 0, 99),
        BYTES('H', 'T', 'T', 'P'), BYTES(0x15, 3, 3, 0, 2, 2, 40),
    };
    begin(s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sim_next(s, KLOOP_PRODUCE,
                 (kl_request_fate){.end = KL_FATE_REPLACE, .bytes = {rows[i].bytes, rows[i].len}});
        sim_send(s, 0, 3);
        sim_drain(s, 4 * KL_SECOND);
        sim_no_more(s);
    }
    expect_survived(s, sizeof rows / sizeof rows[0]);
}

/* Three connections are told of 500 kB each while 200 kB are all that may be held beside one. */
SIM_SCENARIO(large_frames_everywhere)
{
    static uint8_t frame[500004] = {0x00, 0x07, 0xa1, 0x20};
    s->plan.hostile = true;
    sim_set(s, "receive.message.max.bytes", "600000");
    sim_set(s, "receive.memory", "800000");
    sim_topic(s, "t", 3, 1);
    sim_start(s);
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 1);
    sim_drain(s, KL_SECOND);
    sim_bandwidth(s, 1000000);
    for (int32_t node = 1; node <= 3; node++)
        sim_answers_order(
            s, &(sim_order){.api_key = KLOOP_PRODUCE,
                            .count = 1,
                            .fate = {.end = KL_FATE_REPLACE, .bytes = {frame, sizeof frame}},
                            .node = node});
    for (int32_t p = 0; p < 3; p++)
        sim_send_to(s, 0, p, 3);
    sim_drain(s, 9 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects == 3, "none of them was an answer");
}

SIM_SCENARIO(unasked_bytes)
{
    static const uint8_t early[] = {0, 0, 0, 12, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0};
    begin(s);
    for (int i = 0; i < 5; i++) {
        sim_conn *c = sim_link_any(s, 1);
        if (c)
            sim_link_inject(s, c, early, 1 + (size_t)i * 3);
        sim_go(s, 10 * KL_MS);
        sim_send(s, 0, 3);
        sim_drain(s, 4 * KL_SECOND);
    }
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, sim_stats(s).disconnects >= 5,
               "an answer that comes before its question ends it");
}

/* ---- Within an answer ---- */

SIM_SCENARIO(counts_that_lie)
{
    static const bytes_row rows[] = {
        BYTES(0xff, 0xff, 0xff, 0xff, 0x0f), /* 2^32-2 topics */
        BYTES(0xff, 0xff, 0xff, 0xff, 0x07), /* 2^31-2 */
        BYTES(0x80, 0x80, 0x80, 0x80, 0x08), /* 2^31-1 */
        BYTES(0xff, 0x7f),                   /* 16,382, and nothing behind */
        BYTES(0),                            /* null */
        BYTES(5),                            /* four, and nothing behind */
    };
    lie_to_produce(s, rows, sizeof rows / sizeof rows[0]);
}

SIM_SCENARIO(varints_that_lie)
{
    static const bytes_row rows[] = {
        BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),       /* without an end */
        BYTES(0x80),                                                 /* cut */
        BYTES(0xff, 0xff, 0xff, 0xff, 0x1f),                         /* 33 bits */
        BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80), /* overlong */
    };
    lie_to_produce(s, rows, sizeof rows / sizeof rows[0]);
}

/* No topics, no throttle time, then tags. */
SIM_SCENARIO(tags_that_lie)
{
    static const bytes_row rows[] = {
        BYTES(1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f),       /* 2^32-1 tags */
        BYTES(1, 0, 0, 0, 0, 1, 9, 0xff, 0xff, 0xff, 0xff, 0x0f), /* one of 4 GB */
        BYTES(1, 0, 0, 0, 0, 2, 9, 1, 0, 9, 1, 0),                /* one number twice */
        BYTES(1, 0, 0, 0, 0, 2, 9, 1, 0, 8, 1, 0),                /* out of order */
        BYTES(1, 0, 0, 0, 0, 1, 9, 5, 0),                         /* past the end */
        BYTES(1, 0, 0, 0, 0, 0, 7),                               /* more behind it */
    };
    lie_to_produce(s, rows, sizeof rows / sizeof rows[0]);
}

/* Each byte of an answer that was cut is a fault; so is one too many. */
SIM_SCENARIO(init_answer_cut)
{
    static const uint8_t whole[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0, 9};
    s->plan.hostile = true;
    sim_topic(s, "t", 1, 1);
    sim_set(s, "reconnect.backoff.ms", "10");
    sim_set(s, "reconnect.backoff.max.ms", "20");
    sim_set(s, "retry.backoff.ms", "10");
    sim_set(s, "retry.backoff.max.ms", "20");
    sim_start(s);
    sim_send(s, 0, 3);
    for (size_t n = 0; n < sizeof whole; n++) {
        if (n == sizeof whole - 1)
            continue; /* that would be a whole one */
        uint64_t before = s->book.init_requests;
        sim_no_more(s);
        sim_next_body(s, KLOOP_INIT_PRODUCER_ID, whole, n);
        for (int i = 0; i < 200 && s->book.init_requests == before; i++)
            sim_go(s, 5 * KL_MS);
        sim_expect(s, s->book.init_requests > before, "it is asked again");
        sim_go(s, KL_MS);
        sim_expect(s, s->book.produce_requests == 0, "nothing was understood");
    }
    sim_drain(s, 4 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Tags that nobody knows: of any number and size, they are skipped and the rest counts. */
SIM_SCENARIO(unknown_tags)
{
    static const uint8_t body[] = {0, 0, 0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0x12, 0x34, 0, 5, 3,
                                   7, 2, 1, 2, 9, 0xff, 0x7f, 0, 0, 0, 0, 0, 0,    0,    0, 0};
    /* throttle 0, error 0, id 0x1234, epoch 5, three tags: 7 of two bytes, 9 of 16,383, 127 of
     * none.
     */
    static uint8_t whole[16 + 1 + 4 + 3 + 16383 + 2];
    static uint8_t frame[9 + sizeof whole];
    memcpy(whole, body, 21);
    memcpy(whole + 21, body + 21, 3);
    whole[sizeof whole - 2] = 127;
    whole[sizeof whole - 1] = 0;
    size_t len = 5 + sizeof whole;
    memcpy(frame,
           (const uint8_t[]){0, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, 2,
                             0},
           9);
    memcpy(frame + 9, whole, sizeof whole);
    sim_cluster(s, 1);
    sim_topic(s, "t", 1, 1);
    sim_next(s, KLOOP_INIT_PRODUCER_ID,
             (kl_request_fate){.end = KL_FATE_REPLACE, .bytes = {frame, sizeof frame}});
    sim_start(s);
    sim_send(s, 0, 3);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->ledger.parts[0][0].producer_id == 0x1234, "the id in front of them is taken");
    sim_expect(s, s->ledger.parts[0][0].producer_epoch == 5, "with its epoch");
}

/* ---- Strings and numbers in Metadata ---- */

static void odd_brokers(sim *s, const kl_request_info *request, void *response)
{
    static char longest[300];
    static kloop_metadata_broker list[9];
    kloop_metadata_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_METADATA || r->brokers.count < 1)
        return;
    memset(longest, 'a', sizeof longest);
    const kloop_metadata_broker *true_ones = r->brokers.data;
    for (int i = 0; i < 9; i++) {
        list[i] = true_ones[0];
        list[i].node_id = 100 + i;
    }
    list[0].host = (kloop_string){"", 0};
    list[1].host = (kloop_string){longest, 255};
    list[2].host = (kloop_string){longest, 300};
    list[3].host = (kloop_string){"a\0b", 3};
    list[4].port = 0;
    list[5].port = 65536;
    list[6].port = -1;
    list[7].node_id = -7;
    list[8] = true_ones[0];
    r->brokers = kloop_array_of(list, 9);
}

SIM_SCENARIO(odd_brokers_listed)
{
    s->plan.hostile = true;
    sim_cluster(s, 1);
    sim_answers_pass(s, odd_brokers);
    sim_topic(s, "t", 1, 1);
    sim_set(s, "metadata.max.age.ms", "200");
    sim_start(s);
    for (int i = 0; i < 10; i++) {
        sim_send(s, 0, 3);
        sim_go(s, 200 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

static void long_words(sim *s, const kl_request_info *request, void *response)
{
    static char text[32000];
    kloop_produce_response *r = response;
    (void)s;
    if (request->api_key != KLOOP_PRODUCE || r->responses.count != 1)
        return;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 7 ? (char)('!' + i % 90) : '\0';
    kloop_produce_topic_response *t = sim_elements(&r->responses);
    kloop_produce_partition_response *p = sim_elements(&t->partition_responses);
    if (p->error_code)
        p->error_message = (kloop_string){text, sizeof text};
}

SIM_SCENARIO(long_error_message)
{
    begin(s);
    sim_answers_pass(s, long_words);
    sim_next_error(s, 87, false, 1);
    sim_send(s, 0, 3);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.failed == 3, "however much is said about it");
}
