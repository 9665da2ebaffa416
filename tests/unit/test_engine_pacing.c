/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often brokers are bothered that refuse, hang up, are silent, or lie. Whatever they answer: at
 * most 20 requests to one of them and 20 connections in each second but the first two, although the
 * user sends again whenever something has failed. Answers come at once, as from the fastest broker
 * there is.
 */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECONDS       7
#define STEADY_SINCE  2
#define IN_SECOND_MAX 20
#define NODES         10
/* Before: enough for all partitions and brokers to have been tried a few times. */
#define AT_FIRST_MAX 250

/* Codes that Kafka has, and some that it has not. */
#define CODE_MIN (-3)
#define CODE_MAX 140

/* What is asked, as an index. */
enum { VERSIONS, METADATA, PRODUCER_ID, PRODUCE, QUESTIONS };

typedef enum reaction {
    ANSWERS,
    HANGS_UP,     /* instead of answering */
    ANSWERS_LAST, /* and then hangs up */
    SAYS_NOTHING, /* for ever */
    CUTS_SHORT,   /* an answer that ends in the middle */
    REACTIONS,
} reaction;

typedef struct manner {
    char name[120];
    reaction to[QUESTIONS];
    int16_t code[QUESTIONS]; /* Metadata: of the whole answer */
    int16_t topic_code;
    /* Before each answer to Metadata, and to Produce. */
    void (*before_metadata)(void);
    void (*before_produce)(int node);
    int brokers; /* 0: one */
    int32_t partitions;
    int64_t id; /* of the producer; 0: as usual */
    int16_t epoch;
    bool plain; /* without idempotence */
} manner;

static host h;
static host_topic *t;
static manner m;
static uint64_t requests_before[NODES], connects_before[NODES];
static int lies;                         /* told so far */
static size_t last[HOST_PARTITIONS_MAX]; /* users, by partition */

/* ---- The broker ---- */

static int question_of(int16_t api)
{
    switch (api) {
    case KLOOP_API_VERSIONS:
        return VERSIONS;
    case KLOOP_METADATA:
        return METADATA;
    case KLOOP_INIT_PRODUCER_ID:
        return PRODUCER_ID;
    default:
        return PRODUCE;
    }
}

static void answer_versions(host_conn *c)
{
    if (m.code[VERSIONS] == 0) {
        host_answer_versions(&h, c);
        return;
    }
    kloop_api_versions_response answer;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &answer);
    answer.error_code = m.code[VERSIONS];
    host_request *r = &c->requests[c->request_first];
    /* Each time a little less. */
    kloop_api_version less = {KLOOP_API_VERSIONS, 0, (int16_t)(r->version - 1)};
    answer.api_keys = kloop_array_of(&less, r->version > 0);
    if (m.code[VERSIONS] == KLOOP_BROKER_UNSUPPORTED_VERSION)
        r->version = 0;
    host_respond(&h, c, &answer, sizeof answer);
}

static void answer_at(host_conn *c, int question)
{
    switch (question) {
    case VERSIONS:
        answer_versions(c);
        return;
    case METADATA:
        if (m.before_metadata)
            m.before_metadata();
        lies++;
        host_answer_metadata(&h, c);
        return;
    case PRODUCER_ID:
        host_answer_id(&h, c);
        return;
    default:
        if (m.before_produce)
            m.before_produce(c->node);
        host_answer_all(&h, c, m.code[PRODUCE]);
        return;
    }
}

static void cut_short(host_conn *c)
{
    uint8_t bytes[10] = {0, 0, 0, 6};
    int32_t correlation = host_first(&h, c)->correlation;
    bytes[6] = (uint8_t)(correlation >> 8);
    bytes[7] = (uint8_t)correlation;
    host_drop(c);
    host_receive(&h, c, bytes, sizeof bytes);
}

static void hang_up(host_conn *c)
{
    if (c->state == HOST_UP)
        kloop_engine_on_disconnected(h.e, c->id, "the broker has hung up", h.now);
}

/* true: something has happened. */
static bool react(host_conn *c)
{
    if (c->state != HOST_UP || host_waiting(c) == 0)
        return false;
    int question = question_of(host_first(&h, c)->api);
    switch (m.to[question]) {
    case SAYS_NOTHING:
        return false;
    case HANGS_UP:
        hang_up(c);
        return true;
    case CUTS_SHORT:
        cut_short(c);
        return true;
    case ANSWERS_LAST:
        answer_at(c, question);
        hang_up(c);
        return true;
    case ANSWERS:
    case REACTIONS:
        break;
    }
    answer_at(c, question);
    return true;
}

/* ---- The user ---- */

/* Something waits in each partition, always. */
static bool send_where_nothing_waits(void)
{
    bool any = false;
    for (int32_t i = 0; i < m.partitions; i++) {
        if (last[i] && !host_fate_of(&h, last[i])->reported)
            continue;
        kloop_record r = {.set = KLOOP_SET_PARTITION, .partition = i, .value = {(void *)"v", 1}};
        if (host_send_record(&h, t, &r))
            continue;
        last[i] = h.user_count;
        any = true;
    }
    return any;
}

/* ---- Counting ---- */

static void ask_counts(uint64_t *requests, uint64_t *connects)
{
    memset(requests, 0, NODES * sizeof *requests);
    memset(connects, 0, NODES * sizeof *connects);
    for (int i = 0; i < h.conn_count; i++) {
        requests[h.conns[i].node] += h.conns[i].request_count;
        connects[h.conns[i].node]++;
    }
}

static void count(int second)
{
    uint64_t requests[NODES], connects[NODES];
    uint64_t max = second < STEADY_SINCE ? AT_FIRST_MAX : IN_SECOND_MAX;
    ask_counts(requests, connects);
    for (int node = 0; node < NODES; node++) {
        requests[node] -= requests_before[node];
        connects[node] -= connects_before[node];
        if (requests[node] > max || connects[node] > max)
            fail_msg("%s: %u requests and %u connects to b%d in second %d:\n%.6000s", m.name,
                     (unsigned)requests[node], (unsigned)connects[node], node, second,
                     h.transcript);
    }
}

static void next_second(void)
{
    ask_counts(requests_before, connects_before);
    host_forget_lines(&h);
}

/* All that happens at this moment. */
static void settle(int second)
{
    bool more = true;
    while (more) {
        host_run(&h);
        count(second);
        more = send_where_nothing_waits();
        for (int i = 0; i < h.conn_count; i++)
            more |= react(&h.conns[i]);
    }
}

/* impatient: with pauses of a millisecond, where that is wished for. */
static void watch(bool impatient)
{
    const char *retry = impatient ? "1" : "100";
    const char *reconnect = impatient ? "1" : "50";
    const char *longest = impatient ? "1" : "1000";
    host_new(&h, "linger.ms", "0", "request.timeout.ms", "1500", "delivery.timeout.ms", "30000",
             "retry.backoff.ms", retry, "retry.backoff.max.ms", longest, "reconnect.backoff.ms",
             reconnect, "reconnect.backoff.max.ms", longest, "enable.idempotence",
             m.plain ? "false" : "true", NULL);
    h.hold_versions = h.hold_metadata = h.hold_id = true;
    h.broker_count = m.brokers ? m.brokers : 1;
    if (m.partitions == 0)
        m.partitions = 1;
    t = host_add_topic(&h, "t", m.partitions);
    t->error = m.topic_code;
    h.metadata_error = m.code[METADATA];
    h.id_error = m.code[PRODUCER_ID];
    if (m.id)
        h.producer_id = m.id;
    h.producer_epoch = m.epoch;
    memset(requests_before, 0, sizeof requests_before);
    memset(connects_before, 0, sizeof connects_before);
    lies = 0;
    memset(last, 0, sizeof last);
    for (int second = 0; second < SECONDS; second++) {
        for (uint64_t ms = 0; ms < 1000;) {
            settle(second);
            uint64_t step = host_deadline(&h);
            if (step == 0)
                step = 1;
            if (step > 1000 - ms)
                step = 1000 - ms;
            host_sleep(&h, step);
            ms += step;
        }
        count(second);
        next_second();
    }
    host_end(&h);
}

static void expect_peace(void)
{
    const manner as_told = m;
    watch(false);
    m = as_told;
    strcat(m.name, ", impatient");
    watch(true);
    m = as_told;
}

/* ---- Codes ---- */

static void each_code_to(int question)
{
    for (int code = CODE_MIN; code <= CODE_MAX; code++) {
        if (code == 0)
            continue;
        m = (manner){0};
        snprintf(m.name, sizeof m.name, "question %d is answered with %d", question, code);
        m.code[question] = (int16_t)code;
        expect_peace();
    }
}

static void codes_of_versions(void **state)
{
    (void)state;
    each_code_to(VERSIONS);
}

static void codes_of_metadata(void **state)
{
    (void)state;
    each_code_to(METADATA);
    for (int code = CODE_MIN; code <= CODE_MAX; code++) {
        if (code == 0)
            continue;
        m = (manner){.topic_code = (int16_t)code};
        snprintf(m.name, sizeof m.name, "the topic has %d", code);
        expect_peace();
    }
}

static void codes_of_producer_id(void **state)
{
    (void)state;
    each_code_to(PRODUCER_ID);
}

static void codes_of_produce(void **state)
{
    (void)state;
    for (int code = CODE_MIN; code <= CODE_MAX; code++) {
        for (int plain = 0; plain < 2; plain++) {
            for (int32_t partitions = 1; partitions <= 16; partitions += 15) {
                if (kloop_broker_error_classes((int16_t)code) & KLOOP_CLASS_SUCCESS)
                    continue;
                m = (manner){.plain = plain, .partitions = partitions};
                snprintf(m.name, sizeof m.name, "%d partitions are answered with %d%s",
                         (int)partitions, code, plain ? ", plain" : "");
                m.code[PRODUCE] = (int16_t)code;
                expect_peace();
            }
        }
    }
}

/* ---- Manners ---- */

static void every_reaction_to_every_question(void **state)
{
    (void)state;
    for (int question = 0; question < QUESTIONS; question++)
        for (int to = HANGS_UP; to < REACTIONS; to++)
            for (int brokers = 1; brokers <= 3; brokers += 2) {
                if (question == PRODUCE && to == ANSWERS_LAST)
                    continue;
                m = (manner){.brokers = brokers, .partitions = 3};
                snprintf(m.name, sizeof m.name, "reaction %d to question %d, %d brokers", to,
                         question, brokers);
                m.to[question] = (reaction)to;
                m.code[PRODUCE] = KLOOP_BROKER_NOT_ENOUGH_REPLICAS;
                expect_peace();
            }
}

/* Hangs up after each answer that refuses. */
static void refuses_and_hangs_up(void **state)
{
    (void)state;
    static const int16_t codes[] = {3, 6, 7, 10, 19, 29, 45, 47, 59, 87, 100, -1, 999};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        m = (manner){.partitions = 3};
        snprintf(m.name, sizeof m.name, "hangs up after %d", codes[i]);
        m.code[PRODUCE] = codes[i];
        m.to[PRODUCE] = ANSWERS_LAST;
        expect_peace();
        m.to[METADATA] = ANSWERS_LAST;
        expect_peace();
    }
}

/* ---- Lies in Metadata ---- */

static void leader_flips(void)
{
    t->leaders[0] = 1 + lies % 2;
}

static void leader_flips_with_epochs(void)
{
    t->leaders[0] = 1 + lies % 2;
    t->epochs[0] = lies + 1;
}

static void leader_comes_and_goes(void)
{
    t->leaders[0] = lies % 2 ? 1 : -1;
    t->epochs[0] = lies + 1;
}

static void broker_moves(void)
{
    h.moved[1] = lies % 2 ? 7 : 0;
}

static void topic_is_made_anew(void)
{
    t->incarnation = lies % 200;
}

static void topic_grows(void)
{
    t->partition_count = 1 + lies % HOST_PARTITIONS_MAX;
}

static void topic_has_no_partitions(void)
{
    t->partition_count = 0;
}

static void no_brokers(void)
{
    h.gone[1] = true;
}

static void brokers_come_and_go(void)
{
    h.gone[1 + lies % 2] = true;
    h.gone[2 - lies % 2] = false;
}

static void other_cluster(void)
{
    h.cluster_id = lies % 2 ? "a" : "b";
}

static void lies_about_the_cluster(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*tell)(void);
        int brokers;
    } all[] = {
        {"leader flips", leader_flips, 2},
        {"leader flips, with epochs", leader_flips_with_epochs, 2},
        {"leader comes and goes", leader_comes_and_goes, 1},
        {"broker moves", broker_moves, 1},
        {"topic is made anew", topic_is_made_anew, 1},
        {"topic grows", topic_grows, 1},
        {"topic has no partitions", topic_has_no_partitions, 1},
        {"no brokers", no_brokers, 1},
        {"brokers come and go", brokers_come_and_go, 2},
        {"other cluster", other_cluster, 1},
    };
    static const int16_t codes[] = {0, 3, 6, 100};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t j = 0; j < 4; j++)
            for (int after = 0; after < 2; after++) {
                /* Who takes everything may be sent everything. */
                if (codes[j] == 0 && !after)
                    continue;
                m = (manner){.brokers = all[i].brokers, .before_metadata = all[i].tell};
                snprintf(m.name, sizeof m.name, "%s, and %d%s", all[i].name, codes[j],
                         after ? ", and hangs up" : "");
                m.code[PRODUCE] = codes[j];
                m.to[PRODUCE] = codes[j] == 0 ? HANGS_UP : after ? ANSWERS_LAST : ANSWERS;
                expect_peace();
            }
}

/* ---- Lies in Produce ---- */

static void name_the_other(int node)
{
    static int32_t epoch;
    h.hint = (kloop_leader_hint){3 - node, ++epoch + 10};
}

static void name_somebody_new(int node)
{
    static kloop_node_endpoint at;
    static int32_t epoch;
    static char place[8];
    (void)node;
    at.node_id = ++epoch + 100;
    snprintf(place, sizeof place, "b%d", (int)(epoch % 9 + 1));
    at.host = kloop_text(place);
    at.port = 9000 + epoch % 9 + 1;
    h.hint = (kloop_leader_hint){at.node_id, epoch + 10};
    h.endpoints = kloop_array_of(&at, 1);
}

static void hints_without_end(void **state)
{
    (void)state;
    for (int many = 0; many < 2; many++) {
        m = (manner){.name = "they name each other",
                     .brokers = 2,
                     .before_produce = name_the_other,
                     .partitions = many ? 16 : 1};
        m.code[PRODUCE] = KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER;
        expect_peace();
        snprintf(m.name, sizeof m.name, "it names somebody new each time");
        m.brokers = 1;
        m.before_produce = name_somebody_new;
        expect_peace();
    }
}

/* ---- InitProducerId ---- */

/* Each id is used up at once: every batch that fails takes another one. */
static void ids_that_are_worth_nothing(void **state)
{
    (void)state;
    static const struct {
        int64_t id;
        int16_t epoch;
    } all[] = {{-1, 0}, {4000, -1}, {INT64_MIN, 0}, {4000, INT16_MAX}};
    static const int16_t codes[] = {10, 45, 87, 999};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t j = 0; j < 4; j++) {
            m = (manner){.partitions = 8};
            snprintf(m.name, sizeof m.name, "id %zu, and %d", i, codes[j]);
            m.code[PRODUCE] = codes[j];
            m.id = all[i].id;
            m.epoch = all[i].epoch;
            expect_peace();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_versions),
        cmocka_unit_test(codes_of_metadata),
        cmocka_unit_test(codes_of_producer_id),
        cmocka_unit_test(codes_of_produce),
        cmocka_unit_test(every_reaction_to_every_question),
        cmocka_unit_test(refuses_and_hangs_up),
        cmocka_unit_test(lies_about_the_cluster),
        cmocka_unit_test(hints_without_end),
        cmocka_unit_test(ids_that_are_worth_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
