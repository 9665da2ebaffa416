/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of records of other threads, turn by turn: as one thread sees it, with an engine
 * that answers as the test says. With real threads: tests/threads. */
#define _GNU_SOURCE
#include "tests/driver/scripted_loop.h"

#include "driver/inlet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

typedef struct heard {
    size_t records;
    size_t by_cause[16];
    void *users[64];
    char text[512];
    int rooms;
    int writables;
    int flushed;
    size_t records_at_flush;
    kloop_topic *topic;
    bool in_child;
} heard;

static void on_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    heard *h = me;
    (void)p;
    assert_int_equal(run->outcome, KLOOP_OUTCOME_FAILED);
    assert_int_equal(run->count, 1);
    assert_int_equal(run->record_count, 1);
    assert_int_equal(run->base_offset, -1);
    assert_string_equal(run->topic_name.data, "t");
    if (h->records < 64)
        h->users[h->records] = run->users[0];
    h->records++;
    h->by_cause[run->cause]++;
    snprintf(h->text, sizeof h->text, "%s", run->text);
}

static void on_room(kloop_producer *p, void *me)
{
    (void)p;
    ((heard *)me)->rooms++;
}

static void on_writable(kloop_producer *p, void *me)
{
    heard *h = me;
    (void)p;
    h->writables++;
}

static void on_flushed(kloop_producer *p, void *me)
{
    heard *h = me;
    (void)p;
    h->flushed++;
    h->records_at_flush = scripted_count(scripted_engine(), SCRIPTED_SENT);
}

static void open_inlet(scripted_loop *l, heard *h, size_t bytes_max)
{
    memset(h, 0, sizeof *h);
    scripted_loop_open(l);
    kloop_on_delivery(l->producer, on_delivery, h);
    kloop_on_writable(l->producer, on_writable, h);
    kloop_on_inlet_room(l->producer, on_room, h);
    assert_int_equal(kloop_topic_get(l->producer, "t", &h->topic, NULL), KLOOP_OK);
    assert_int_equal(kloop_allow_threads(l->producer, bytes_max, NULL), KLOOP_OK);
    for (int i = 0; i < 5; i++)
        uv_run(&l->loop, UV_RUN_NOWAIT);
}

static void expect_sentence(const kloop_topic *topic, const kloop_record *record,
                            kloop_status status, const char *part)
{
    char text[512];
    size_t len = kloop_thread_send_error(topic, record, status, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, part));
}

static kloop_status push(heard *h, size_t user)
{
    const kloop_record record = {.value = {(const uint8_t *)"hello", 5}, .user = (void *)user};
    return kloop_send_from_any_thread(h->topic, &record);
}

static void push_some(heard *h, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(push(h, i), KLOOP_OK);
}

static void settle(scripted_loop *l)
{
    for (int i = 0; i < 5; i++)
        uv_run(&l->loop, UV_RUN_NOWAIT);
}

static size_t sent(const scripted_loop *l)
{
    return scripted_count(l->engine, SCRIPTED_SENT);
}

static kloop_stats stats_of(const scripted_loop *l)
{
    kloop_stats stats;
    kloop_get_stats(l->producer, &stats);
    return stats;
}

static void test_woken_and_sent(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    push_some(&h, 100);
    assert_int_equal(stats_of(&l).inlet_records, 100);
    assert_int_equal(stats_of(&l).pending, 100);
    assert_int_equal(stats_of(&l).accepted, 100);
    assert_true(stats_of(&l).inlet_bytes >= 100 * (5 + sizeof(kloop_record)));
    /* The wake alone has to do it. */
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 100);
    assert_int_equal(stats_of(&l).inlet_records, 0);
    assert_int_equal(stats_of(&l).inlet_bytes, 0);
    /* And again, from rest. */
    settle(&l);
    push_some(&h, 1);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 101);
    scripted_loop_close(&l);
}

/* Bounded: a turn does not take all of a great many. */
static void test_in_pieces(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 64 << 20);
    push_some(&h, 20000);
    size_t turns = 0;
    for (; sent(&l) < 20000; turns++)
        scripted_loop_turn(&l, "all to be sent");
    assert_true(turns > 1);
    scripted_loop_close(&l);
}

static void test_waits_while_full(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    push_some(&h, 10);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 1);
    size_t asked = scripted_asked(l.engine);
    push_some(&h, 10);
    settle(&l);
    /* Nobody tries again, nobody spins. */
    assert_int_equal(sent(&l), 1);
    assert_true(scripted_asked(l.engine) - asked <= 2);
    assert_int_equal(stats_of(&l).inlet_records, 20);
    scripted_answer_sends(l.engine, KLOOP_OK);
    scripted_act(l.engine, KLOOP_ACT_WRITABLE, (kloop_id){0, 0});
    kloop_keep_alive(l.producer, true);
    push_some(&h, 1);
    kloop_flush(l.producer, NULL, NULL);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 22);
    /* The user was refused nothing, so there is nothing to tell him. */
    assert_int_equal(h.writables, 0);
    assert_int_equal(h.records, 0);
    scripted_loop_close(&l);
}

static void test_both_wait(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    for (int round = 1; round <= 4; round++) {
        scripted_answer_sends(l.engine, KLOOP_FULL);
        size_t before = sent(&l);
        push_some(&h, 1);
        SCRIPTED_RUN_UNTIL(&l, sent(&l) == before + 1);
        assert_int_equal(kloop_send(h.topic, &(kloop_record){0}), KLOOP_FULL);
        scripted_answer_sends(l.engine, KLOOP_OK);
        scripted_act(l.engine, KLOOP_ACT_WRITABLE, (kloop_id){0, 0});
        SCRIPTED_RUN_UNTIL(&l, h.writables == round && sent(&l) == before + 3);
    }
    scripted_loop_close(&l);
}

/* The bound is the inlet's own, and the end of a refusal is told once. */
static void test_bound_and_room(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 4096);
    size_t taken = 0;
    while (push(&h, taken) == KLOOP_OK)
        taken++;
    assert_in_range(taken, 10, 40);
    assert_int_equal(push(&h, 0), KLOOP_FULL);
    assert_int_equal(stats_of(&l).inlet_full, 2);
    expect_sentence(h.topic, &(kloop_record){0}, KLOOP_FULL,
                    "topic 't': the inlet is full (kloop_allow_threads() was given 4096 bytes, ");
    assert_int_equal(h.rooms, 0);
    SCRIPTED_RUN_UNTIL(&l, h.rooms == 1);
    assert_int_equal(sent(&l), taken);
    assert_int_equal(push(&h, 0), KLOOP_OK);
    settle(&l);
    assert_int_equal(h.rooms, 1);
    uint8_t large[5000] = {0};
    kloop_record record = {.value = {large, sizeof large}};
    assert_int_equal(kloop_send_from_any_thread(h.topic, &record), KLOOP_TOO_LARGE);
    expect_sentence(h.topic, &record, KLOOP_TOO_LARGE,
                    "in the inlet, and kloop_allow_threads() was given 4096 for all");
    record.value.len = SIZE_MAX;
    record.key = record.value;
    assert_int_equal(kloop_send_from_any_thread(h.topic, &record), KLOOP_TOO_LARGE);
    scripted_loop_close(&l);
}

static void test_refused_late(void **state)
{
    (void)state;
    static const struct {
        kloop_status status;
        kloop_cause cause;
    } cases[] = {
        {KLOOP_BAD_PARTITION, KLOOP_CAUSE_PARTITION}, {KLOOP_FATAL, KLOOP_CAUSE_FATAL},
        {KLOOP_CLOSED, KLOOP_CAUSE_CLOSED},           {KLOOP_NO_MEMORY, KLOOP_CAUSE_NO_MEMORY},
        {KLOOP_TOO_LARGE, KLOOP_CAUSE_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scripted_loop l;
        heard h;
        char text[32];
        open_inlet(&l, &h, 1 << 20);
        scripted_answer_sends(l.engine, cases[i].status);
        push_some(&h, 3);
        SCRIPTED_RUN_UNTIL(&l, h.records == 3);
        assert_int_equal(h.by_cause[cases[i].cause], 3);
        for (size_t n = 0; n < 3; n++)
            assert_ptr_equal(h.users[n], (void *)n);
        snprintf(text, sizeof text, "status %d", (int)cases[i].status);
        assert_string_equal(h.text, text);
        kloop_stats stats = stats_of(&l);
        assert_int_equal(stats.failed, 3);
        assert_int_equal(stats.pending, 0);
        scripted_loop_close(&l);
    }
}

/* WRITABLE does not come any more then, and nobody waits for it. */
static void test_fatal_while_full(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    push_some(&h, 20);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 1);
    scripted_answer_sends(l.engine, KLOOP_FATAL);
    scripted_set_fatal(l.engine);
    /* Whatever made it so has woken the loop. */
    kloop_purge(l.producer, NULL, 0);
    SCRIPTED_RUN_UNTIL(&l, h.by_cause[KLOOP_CAUSE_FATAL] == 20);
    scripted_loop_close(&l);
}

/* A record without a time gets that of its handing over, not that of its sending. */
static void test_own_time(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    push_some(&h, 1);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 1);
    kloop_now full = scripted_last(l.engine, SCRIPTED_SENT)->now;
    uint64_t later = uv_hrtime() + 20 * MS;
    scripted_set_deadline(l.engine, later);
    kloop_flush(l.producer, NULL, NULL);
    while (uv_hrtime() < later)
        scripted_loop_turn(&l, "twenty milliseconds");
    scripted_answer_sends(l.engine, KLOOP_OK);
    scripted_act(l.engine, KLOOP_ACT_WRITABLE, (kloop_id){0, 0});
    kloop_purge(l.producer, NULL, 0);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 2);
    const kloop_record *r = scripted_last_record(l.engine);
    assert_true(r->set & KLOOP_SET_TIMESTAMP);
    assert_in_range(r->timestamp_ms, full.wall_ms - 10000, full.wall_ms + 5);
    scripted_loop_close(&l);
}

/* ---- Flush, purge, close ---- */

static void test_flush_comes_behind(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 64 << 20);
    push_some(&h, 5000);
    assert_int_equal(kloop_flush(l.producer, on_flushed, &h), KLOOP_OK);
    push_some(&h, 10);
    SCRIPTED_RUN_UNTIL(&l, h.flushed);
    assert_true(h.records_at_flush >= 5000);
    /* Memory for it is found later. */
    push_some(&h, 1);
    scripted_answer_flushes(l.engine, KLOOP_NO_MEMORY);
    assert_int_equal(kloop_flush(l.producer, on_flushed, &h), KLOOP_OK);
    settle(&l);
    assert_int_equal(h.flushed, 1);
    scripted_answer_flushes(l.engine, KLOOP_OK);
    SCRIPTED_RUN_UNTIL(&l, h.flushed == 2);
    scripted_loop_close(&l);
}

static void on_slow_delivery(kloop_producer *p, const kloop_report *run, void *me)
{
    heard *h = me;
    on_delivery(p, run, me);
    kloop_stats stats;
    kloop_get_stats(p, &stats);
    /* One that was refused counts for the scripted engine, too. */
    assert_int_equal(stats.accepted, 32 + 1);
    assert_int_equal(stats.pending, 32 - (int)h->records);
    for (uint64_t until = uv_hrtime() + MS / 16; uv_hrtime() < until;)
        ;
}

/* The turn was over when the last record before the flush was given up, and the flush was left
 * lying until there was room again, which it does not need. Nor did the figures add up meanwhile:
 * a record that was being reported was counted twice. */
static void test_flush_needs_no_room(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    kloop_on_delivery(l.producer, on_slow_delivery, &h);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    push_some(&h, 32);
    assert_int_equal(kloop_flush(l.producer, on_flushed, &h), KLOOP_OK);
    SCRIPTED_RUN_UNTIL(&l, h.records == 32);
    for (int i = 0; i < 20 && !h.flushed; i++)
        uv_run(&l.loop, UV_RUN_NOWAIT);
    assert_int_equal(h.flushed, 1);
    scripted_loop_close(&l);
}

static void test_purge(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    push_some(&h, 5);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 1);
    push_some(&h, 5);
    /* The scripted engine answers what it was asked for, and 100 for a topic. */
    assert_int_equal(kloop_purge(l.producer, h.topic, KLOOP_PURGE_IN_FLIGHT), 100 + 2);
    assert_int_equal(kloop_purge(l.producer, h.topic, KLOOP_PURGE_QUEUED), 100 + 1 + 10);
    assert_int_equal(kloop_purge(l.producer, NULL, KLOOP_PURGE_QUEUED), 1);
    assert_int_equal(h.records, 0);
    SCRIPTED_RUN_UNTIL(&l, h.records == 10);
    assert_int_equal(h.by_cause[KLOOP_CAUSE_PURGED], 10);
    assert_string_equal(h.text, "topic 't': a record of another thread was given up by "
                                "kloop_purge()");
    scripted_loop_close(&l);
}

/* Without room in buffer.memory for delivery.timeout.ms: 1000 in the scripted configuration. */
static void test_out_of_time(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    uint64_t begin = uv_hrtime();
    push_some(&h, 5);
    SCRIPTED_RUN_UNTIL(&l, h.records == 5);
    assert_true(uv_hrtime() - begin >= 1000 * MS);
    assert_int_equal(h.by_cause[KLOOP_CAUSE_TIMEOUT], 5);
    assert_string_equal(h.text, "topic 't': a record of another thread found no room in "
                                "buffer.memory for delivery.timeout.ms=1000");
    assert_int_equal(sent(&l), 1);
    scripted_loop_close(&l);
}

static void test_close_delivers(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    kloop_topic *topic;
    open_inlet(&l, &h, 64 << 20);
    push_some(&h, 5000);
    kloop_close(l.producer, 60000, scripted_loop_on_closed, &l);
    assert_int_equal(push(&h, 0), KLOOP_CLOSED);
    assert_int_equal(kloop_send(h.topic, &(kloop_record){0}), KLOOP_CLOSED);
    assert_int_equal(kloop_topic_get(l.producer, "t", &topic, NULL), KLOOP_CLOSED);
    /* It waits for the inlet as well. */
    assert_int_equal(kloop_flush(l.producer, on_flushed, &h), KLOOP_OK);
    assert_int_equal(kloop_allow_threads(l.producer, 1, NULL), KLOOP_CLOSED);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    assert_int_equal(h.flushed, 1);
    assert_int_equal(h.records_at_flush, 5000);
    scripted_loop_close(&l);
}

static void test_close_gives_up(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    scripted_answer_sends(l.engine, KLOOP_FULL);
    push_some(&h, 50);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 1);
    kloop_close(l.producer, 3600000, scripted_loop_on_closed, &l);
    settle(&l);
    assert_int_equal(l.closed, 0);
    /* Less time, as ever. */
    kloop_close(l.producer, 0, scripted_loop_on_closed, &l);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    assert_int_equal(h.by_cause[KLOOP_CAUSE_CLOSED], 50);
    scripted_loop_close(&l);
}

static void close_in_report(kloop_producer *p, const kloop_report *run, void *me)
{
    scripted_loop *l = me;
    (void)run;
    kloop_close(p, 0, scripted_loop_on_closed, l);
}

/* What is reported lets the user do anything, and close is the worst of it. */
static void test_close_in_a_report(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    kloop_on_delivery(l.producer, close_in_report, &l);
    scripted_answer_sends(l.engine, KLOOP_FATAL);
    push_some(&h, 100);
    SCRIPTED_RUN_UNTIL(&l, l.closed);
    scripted_loop_close(&l);
}

/* ---- Refusals ---- */

static void test_refusals(void **state)
{
    (void)state;
    scripted_loop l;
    kloop_topic *topic;
    kloop_error error;
    kloop_record record = {0};
    scripted_loop_open(&l);
    assert_int_equal(kloop_topic_get(l.producer, "t", &topic, NULL), KLOOP_OK);
    assert_int_equal(kloop_send_from_any_thread(topic, &record), KLOOP_BAD_ARGUMENT);
    expect_sentence(topic, &record, KLOOP_BAD_ARGUMENT, "call kloop_allow_threads() on the loop's");
    assert_int_equal(kloop_allow_threads(l.producer, 0, &error), KLOOP_BAD_ARGUMENT);
    assert_non_null(strstr(error.text, "bytes_max is 0"));
    assert_int_equal(kloop_allow_threads(l.producer, SIZE_MAX, &error), KLOOP_BAD_ARGUMENT);
    l.memory.nth = l.memory.calls + 1;
    assert_int_equal(kloop_allow_threads(l.producer, 1000, &error), KLOOP_NO_MEMORY);
    assert_int_equal(kloop_allow_threads(l.producer, 1000, &error), KLOOP_OK);
    assert_int_equal(kloop_allow_threads(l.producer, 1000, &error), KLOOP_BAD_ARGUMENT);
    assert_non_null(strstr(error.text, "already"));
    record.set = KLOOP_SET_BORROWED;
    assert_int_equal(kloop_send_from_any_thread(topic, &record), KLOOP_BAD_ARGUMENT);
    expect_sentence(topic, &record, KLOOP_BAD_ARGUMENT, "may set KLOOP_SET_PARTITION and");
    record.set = KLOOP_SET_CHUNK;
    assert_int_equal(kloop_send_from_any_thread(topic, &record), KLOOP_BAD_ARGUMENT);
    record.set = 0;
    assert_int_equal(kloop_send_from_any_thread(NULL, &record), KLOOP_BAD_ARGUMENT);
    assert_int_equal(kloop_send_from_any_thread(topic, NULL), KLOOP_BAD_ARGUMENT);
    /* What is not the inlet's is told as ever. */
    expect_sentence(NULL, &record, KLOOP_BAD_ARGUMENT, "status ");
    expect_sentence(topic, NULL, KLOOP_BAD_ARGUMENT, "status ");
    expect_sentence(topic, &record, KLOOP_CLOSED, "status ");
    l.memory.nth = l.memory.calls + 1;
    assert_int_equal(kloop_send_from_any_thread(topic, &record), KLOOP_NO_MEMORY);
    assert_int_equal(stats_of(&l).inlet_records, 0);
    assert_int_equal(kloop_send_from_any_thread(topic, &record), KLOOP_OK);
    SCRIPTED_RUN_UNTIL(&l, sent(&l) == 1);
    scripted_loop_close(&l);
}

/* ---- Fork ---- */

static void fork_in_report(kloop_producer *p, const kloop_report *run, void *me)
{
    heard *h = me;
    (void)p;
    (void)run;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        h->in_child = true;
        return;
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    h->records++;
}

/* From the report it goes back into the driver, which told the user of the child that there was
 * room. */
static void test_fork_in_a_report(void **state)
{
    (void)state;
    scripted_loop l;
    heard h;
    open_inlet(&l, &h, 1 << 20);
    /* The second time the inlet comes before the user. */
    for (int round = 1; round <= 2; round++) {
        scripted_answer_sends(l.engine, KLOOP_FULL);
        size_t before = sent(&l);
        push_some(&h, 1);
        SCRIPTED_RUN_UNTIL(&l, sent(&l) == before + 1);
        assert_int_equal(kloop_send(h.topic, &(kloop_record){0}), KLOOP_FULL);
        scripted_answer_sends(l.engine, round == 1 ? KLOOP_OK : KLOOP_BAD_PARTITION);
        kloop_on_delivery(l.producer, fork_in_report, &h);
        scripted_act(l.engine, KLOOP_ACT_WRITABLE, (kloop_id){0, 0});
        SCRIPTED_RUN_UNTIL(&l, h.in_child || (h.writables == round && sent(&l) == before + 3));
        if (h.in_child)
            _exit(h.writables == 1 ? 0 : 1);
    }
    assert_int_equal(h.records, 1);
    scripted_loop_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_woken_and_sent),
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_waits_while_full),
        cmocka_unit_test(test_both_wait),
        cmocka_unit_test(test_bound_and_room),
        cmocka_unit_test(test_refused_late),
        cmocka_unit_test(test_fatal_while_full),
        cmocka_unit_test(test_own_time),
        cmocka_unit_test(test_flush_comes_behind),
        cmocka_unit_test(test_flush_needs_no_room),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_out_of_time),
        cmocka_unit_test(test_close_delivers),
        cmocka_unit_test(test_close_gives_up),
        cmocka_unit_test(test_close_in_a_report),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_fork_in_a_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
