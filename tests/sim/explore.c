/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every sequence of fates. See explore.h.
 *
 *     seed - 1, in digits:   how it begins | what the user does | fate of request 1 | of 2 | ...
 */
#include "tests/sim/explore.h"

typedef enum fate {
    ANSWERED,
    REFUSED,
    STORED_THEN_REFUSED,
    LOST_BEFORE,
    LOST_AFTER,
    NEVER_ANSWERED,
    DONE_LATE,
    GIVEN_UP,
    TOO_LARGE,
    BAD_RECORD,
    MOVED,
    STORED_THEN_MOVED,
    ODD_CODE,
    STORED_THEN_ODD_CODE,
    COUNTED_OTHERWISE,
    FATE_COUNT,
} fate;

/* Does the leader know the producer when the fates begin? Does it work at several requests of a
 * connection at once? And producers without an id, whose order holds with one request at a time. */
typedef enum beginning {
    KNOWN,
    STRANGER,
    KNOWN_PIPELINED,
    STRANGER_PIPELINED,
    PLAIN,
    PLAIN_ONE_BY_ONE,
    BEGINNING_COUNT,
} beginning;

/* What the user does when all is sent. */
typedef enum deed {
    WAITS,
    FLUSHES,
    PURGES_QUEUED,
    PURGES_ALL,
    CLOSES,
    DEED_COUNT,
} deed;

#define REQUEST_TIMEOUT_NS (400 * KL_MS)

static unsigned depth;

uint64_t sim_explore_count(unsigned fates)
{
    uint64_t n = (uint64_t)BEGINNING_COUNT * DEED_COUNT;
    while (fates--)
        n *= FATE_COUNT;
    return n;
}

static sim_order order_of(fate f)
{
    static const int32_t first[] = {0};
    sim_order o = {.api_key = KLOOP_PRODUCE, .count = 1, .node = KL_NO_NODE};
    switch (f) {
    case ANSWERED:
    case FATE_COUNT:
        break;
    case REFUSED:
        o.produce.error_code = 19;
        break;
    case STORED_THEN_REFUSED:
        o.produce.error_code = 20;
        o.produce.append = true;
        break;
    case LOST_BEFORE:
        o.fate.end = KL_FATE_CLOSE_UNPROCESSED;
        break;
    case LOST_AFTER:
        o.fate.end = KL_FATE_CLOSE_PROCESSED;
        break;
    case NEVER_ANSWERED:
        o.fate.end = KL_FATE_SILENT;
        break;
    case DONE_LATE:
        o.fate.process_delay_ns = (int64_t)REQUEST_TIMEOUT_NS * 3 / 2;
        break;
    case GIVEN_UP:
        o.produce.error_code = 29;
        break;
    case TOO_LARGE:
        o.produce.error_code = 10;
        break;
    case BAD_RECORD:
        o.produce =
            (kl_produce_fate){.error_code = 87, .bad_records = first, .bad_record_count = 1};
        break;
    case MOVED:
        o.produce.error_code = 6;
        break;
    case STORED_THEN_MOVED:
        o.produce.error_code = 6;
        o.produce.append = true;
        break;
    case ODD_CODE:
        o.produce.error_code = 200;
        break;
    case STORED_THEN_ODD_CODE:
        o.produce.error_code = 200;
        o.produce.append = true;
        break;
    case COUNTED_OTHERWISE:
        o.produce.error_code = 45;
        break;
    }
    return o;
}

/* Those whose request has come to a broker that says it leads no more: then it is so. */
static void move_leader(sim *s, const fate *fates, bool *moved)
{
    unsigned moves = 0;
    bool again = false;
    for (unsigned i = 0; i < depth; i++) {
        if ((fates[i] != MOVED && fates[i] != STORED_THEN_MOVED) || s->orders.list[i].count)
            continue;
        moves++;
        again = again || !moved[i];
        moved[i] = true;
    }
    if (again)
        sim_brokers_move_leader(s, 0, 0, 1 + (int32_t)(moves & 1));
}

static void act(sim *s, deed d)
{
    switch (d) {
    case WAITS:
    case DEED_COUNT:
        return;
    case FLUSHES:
        sim_flush(s);
        return;
    case PURGES_QUEUED:
        sim_user_purge(s, 0, KLOOP_PURGE_QUEUED);
        break;
    case PURGES_ALL:
        sim_user_purge(s, -1, KLOOP_PURGE_QUEUED | KLOOP_PURGE_IN_FLIGHT);
        break;
    case CLOSES:
        sim_close(s, 100);
        return;
    }
    sim_host_wake(s);
}

static void run(sim *s)
{
    uint64_t digits = s->seed - 1;
    beginning begin = (beginning)(digits % BEGINNING_COUNT);
    digits /= BEGINNING_COUNT;
    deed d = (deed)(digits % DEED_COUNT);
    digits /= DEED_COUNT;
    fate fates[SIM_EXPLORE_DEPTH_MAX];
    bool moved[SIM_EXPLORE_DEPTH_MAX] = {false};

    sim_cluster(s, 2);
    sim_topic(s, "t", 1, 2);
    sim_set(s, "linger.ms", "0");
    sim_set(s, "batch.size", "400");
    sim_set(s, "request.timeout.ms", "400");
    sim_set(s, "delivery.timeout.ms", "1500");
    sim_set(s, "retry.backoff.ms", "20");
    sim_set(s, "retry.backoff.max.ms", "80");
    s->plan.pipelined = begin == KNOWN_PIPELINED || begin == STRANGER_PIPELINED;
    if (begin == PLAIN || begin == PLAIN_ONE_BY_ONE) {
        sim_set(s, "enable.idempotence", "false");
        sim_set(s, "max.in.flight.requests.per.connection", begin == PLAIN ? "5" : "1");
    }
    sim_start(s);
    if (begin != STRANGER && begin != STRANGER_PIPELINED) {
        sim_send(s, 0, 1);
        sim_drain(s, KL_SECOND);
    }
    for (unsigned i = 0; i < depth; i++) {
        fates[i] = (fate)(digits % FATE_COUNT);
        digits /= FATE_COUNT;
        sim_order o = order_of(fates[i]);
        sim_answers_order(s, &o);
    }
    for (int i = 0; i < 6; i++) {
        sim_send(s, 0, 2);
        sim_go(s, KL_MS);
        move_leader(s, fates, moved);
    }
    act(s, d);
    for (int i = 0; i < 4000 && sim_ledger_pending(&s->ledger); i++) {
        sim_go(s, 2 * KL_MS);
        move_leader(s, fates, moved);
    }
    sim_drain(s, KL_SECOND);
    if (d == CLOSES)
        return;
    /* Whatever came before: it goes on. */
    sim_no_more(s);
    uint32_t acked = s->ledger.acked;
    sim_send(s, 0, 2);
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, s->ledger.acked == acked + 2, "what is sent at the end is delivered");
}

const sim_scenario *sim_explore_scenario(unsigned fates)
{
    static const sim_scenario scenario = {
        .name = "explore", .about = "every sequence of fates", .faults = "", .run = run};
    depth = fates;
    return &scenario;
}
