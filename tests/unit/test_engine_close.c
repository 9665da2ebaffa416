/* SPDX-License-Identifier: BSD-2-Clause */
/* The end, in whatever state it comes. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_topic *t;

/* How far a producer got before it is closed. */
enum stage {
    NEW,
    RESOLVE_WAITS, /* was not even taken */
    RESOLVING,
    CONNECT_WAITS,
    CONNECTING,
    ASKING_VERSIONS,
    ASKING_METADATA,
    ASKING_ID,
    LINGERING,
    WRITING, /* some bytes are out */
    IN_FLIGHT,
    BACKING_OFF,
    LOST,         /* and to be connected again */
    CLOSING_CONN, /* CLOSE was given, on_closed has not come */
    ACKED,
    REPORTED,
    STAGES
};

static void reach(enum stage stage)
{
    host_new(&h, "linger.ms", stage == LINGERING ? "1000" : "0", NULL);
    t = host_add_topic(&h, "t", 2);
    t->leaders[0] = t->leaders[1] = 1;
    if (stage == NEW)
        return;
    host_send(&h, t, 0, 3);
    if (stage == RESOLVE_WAITS)
        return;
    h.manual_resolve = stage == RESOLVING;
    h.manual_connect = stage == CONNECTING;
    h.hold_versions = stage == ASKING_VERSIONS;
    h.hold_metadata = stage == ASKING_METADATA;
    h.hold_id = stage == ASKING_ID;
    if (stage == CONNECT_WAITS) {
        kloop_action a;
        kloop_address address = {.bytes = {10, 0, 0, 1}, .family = 4};
        assert_true(kloop_engine_next(h.e, &a));
        kloop_engine_on_resolved(h.e, a.id, &address, 1, NULL, h.now);
        return;
    }
    host_run(&h);
    if (stage <= IN_FLIGHT && stage != WRITING)
        return;
    if (stage == WRITING) {
        HOST_ANSWER(&h, 1, 0);
        h.manual_write = true;
        host_send(&h, t, 0, 3);
        host_run(&h);
        kloop_slice slices[4];
        assert_true(kloop_engine_write_vec(h.e, host_at(&h, 1)->id, slices, 4) > 0);
        kloop_engine_on_wrote(h.e, host_at(&h, 1)->id, 20, h.now);
    } else if (stage == BACKING_OFF) {
        HOST_ANSWER(&h, 1, 19);
    } else if (stage == LOST) {
        host_lose_connection(&h, 1, "gone");
    } else if (stage == CLOSING_CONN) {
        h.manual_close = true;
        host_lose_connection(&h, 1, "gone");
    } else if (stage == ACKED) {
        host_answer_only(&h, 1, (const int16_t[]){0}, 1);
    } else {
        HOST_ANSWER(&h, 1, 0);
    }
}

static void let_go(void)
{
    h.manual_resolve = h.manual_connect = h.manual_close = false;
    for (int i = 0; i < h.conn_count; i++)
        if (h.conns[i].state == HOST_CLOSING) {
            h.conns[i].state = HOST_CLOSED;
            kloop_engine_on_closed(h.e, h.conns[i].id, h.now);
        }
    host_run(&h);
}

static void expect_all_reported(void)
{
    for (size_t user = 1; user <= h.user_count; user++)
        host_report_of(&h, user);
    assert_int_equal(host_stats(&h).held_bytes, 0);
}

static void at_once(void **state)
{
    (void)state;
    for (enum stage stage = NEW; stage < STAGES; stage++) {
        reach(stage);
        kloop_engine_close(h.e, 0, h.now);
        assert_true(kloop_engine_busy(h.e));
        host_run(&h);
        /* The reports do not wait for handles. */
        for (size_t user = 1; user <= h.user_count; user++)
            host_report_of(&h, user);
        if (!h.closed)
            let_go();
        assert_true(h.closed);
        expect_all_reported();
        assert_false(kloop_engine_busy(h.e));
        if (kloop_engine_deadline(h.e) != KLOOP_NEVER)
            fail_msg("stage %d: a deadline in %u ms after CLOSED", (int)stage,
                     (unsigned)host_deadline(&h));
        bool unknown =
            stage == WRITING || stage == IN_FLIGHT || stage == LOST || stage == CLOSING_CONN;
        if (h.user_count && stage != ACKED && stage != REPORTED)
            host_expect_fate(&h, h.user_count, h.user_count,
                             unknown ? KLOOP_OUTCOME_UNKNOWN : KLOOP_OUTCOME_FAILED,
                             KLOOP_CAUSE_CLOSED);
        host_end(&h);
    }
}

static void with_time_to_deliver(void **state)
{
    (void)state;
    for (enum stage stage = NEW; stage < STAGES; stage++) {
        reach(stage);
        kloop_engine_close(h.e, 60000, h.now);
        kloop_record r = {.key = {NULL, 0}};
        assert_int_equal(host_send_record(&h, t, &r), KLOOP_CLOSED);
        kloop_topic *other;
        assert_int_equal(kloop_engine_topic(h.e, kloop_text("other"), &other), KLOOP_CLOSED);
        host_run(&h);
        if (stage == RESOLVING) {
            kloop_address address = {.bytes = {10, 0, 0, 1}, .family = 4};
            kloop_engine_on_resolved(h.e, h.resolving[0], &address, 1, NULL, h.now);
            h.resolving_count = 0;
        }
        if (stage == CONNECTING) {
            h.conns[0].state = HOST_UP;
            kloop_engine_on_connected(h.e, h.conns[0].id, h.now);
        }
        h.hold_versions = h.hold_metadata = h.hold_id = false;
        if (stage == WRITING) {
            /* The host writes on where it was. */
            host_conn *c = host_at(&h, 1);
            h.manual_write = false;
            host_lose_connection(&h, 1, "and that was that");
            (void)c;
        }
        let_go();
        for (int i = 0; i < 50 && !h.closed; i++) {
            while (host_produces(&h, 1))
                HOST_ANSWER(&h, 1, 0);
            host_sleep(&h, 100);
        }
        assert_true(h.closed);
        if (h.user_count)
            host_expect_acked(&h, 1, h.user_count);
        expect_all_reported();
        host_end(&h);
    }
}

static void time_is_over(void **state)
{
    (void)state;
    for (enum stage stage = RESOLVE_WAITS; stage <= CLOSING_CONN; stage++) {
        reach(stage);
        kloop_engine_close(h.e, 700, h.now);
        host_run(&h);
        /* Nobody answers. */
        host_sleep(&h, 699);
        if (stage != WRITING)
            host_expect_pending(&h, 1, h.user_count);
        assert_false(h.closed);
        host_sleep(&h, 1);
        for (size_t user = 1; user <= h.user_count; user++)
            host_report_of(&h, user);
        if (!h.closed)
            let_go();
        assert_true(h.closed);
        expect_all_reported();
        host_end(&h);
    }
}

static void second_close_only_shortens(void **state)
{
    (void)state;
    reach(IN_FLIGHT);
    kloop_engine_close(h.e, 1000, h.now);
    kloop_engine_close(h.e, 50000, h.now);
    host_sleep(&h, 1000);
    assert_true(h.closed);
    host_end(&h);

    reach(IN_FLIGHT);
    kloop_engine_close(h.e, 1000, h.now);
    host_run(&h);
    host_sleep(&h, 400);
    kloop_engine_close(h.e, 200, h.now);
    host_sleep(&h, 199);
    host_expect_pending(&h, 1, 3);
    host_sleep(&h, 1);
    host_expect_fate(&h, 1, 3, KLOOP_OUTCOME_UNKNOWN, KLOOP_CAUSE_CLOSED);
    assert_true(h.closed);
    kloop_engine_close(h.e, 0, h.now);
    host_run(&h);
    host_end(&h);

    reach(IN_FLIGHT);
    kloop_engine_close(h.e, UINT64_MAX, h.now);
    host_sleep(&h, 20000);
    host_expect_pending(&h, 1, 3);
    kloop_engine_close(h.e, 0, h.now);
    kloop_engine_close(h.e, 0, h.now);
    host_run(&h);
    assert_true(h.closed);
    assert_int_equal(host_count_lines(&h, "CLOSED"), 1);
    host_end(&h);
}

/* Every handle is given back before CLOSED, and nothing is named after its end. */
static void closed_is_last(void **state)
{
    (void)state;
    reach(IN_FLIGHT);
    h.manual_close = true;
    kloop_engine_close(h.e, 0, h.now);
    host_run(&h);
    assert_false(h.closed);
    assert_true(kloop_engine_busy(h.e));
    host_sleep(&h, 100000);
    assert_false(h.closed);
    let_go();
    assert_true(h.closed);
    const char *last = h.transcript + h.transcript_len - strlen("CLOSED\n");
    assert_string_equal(last, "CLOSED\n");
    host_end(&h);
}

/* close() waits for a name that never comes no longer than it takes to cancel it. */
static void resolver_that_never_answers(void **state)
{
    (void)state;
    reach(RESOLVING);
    h.deaf_resolver = true;
    kloop_engine_close(h.e, 0, h.now);
    host_run(&h);
    assert_int_equal(host_count_lines(&h, "CANCEL"), 1);
    assert_false(h.closed);
    kloop_engine_on_resolved(h.e, h.resolving[0], NULL, 0, "canceled", h.now);
    host_run(&h);
    assert_true(h.closed);
    host_end(&h);
}

static void flush_and_close(void **state)
{
    (void)state;
    reach(IN_FLIGHT);
    kloop_engine_flush(h.e, (void *)1, h.now);
    kloop_engine_close(h.e, 10000, h.now);
    assert_int_equal(kloop_engine_flush(h.e, (void *)2, h.now), KLOOP_OK);
    host_run(&h);
    HOST_ANSWER(&h, 1, 0);
    assert_true(h.closed);
    assert_int_equal(h.flushed_count, 2);
    host_end(&h);

    /* Given up is reported, too. */
    reach(IN_FLIGHT);
    kloop_engine_flush(h.e, (void *)1, h.now);
    host_close(&h, 0, 0);
    assert_int_equal(h.flushed_count, 1);
    host_end(&h);
}

/* In the middle of everything, without a word: all memory comes back. */
static void deleted_in_every_state(void **state)
{
    (void)state;
    for (enum stage stage = NEW; stage < STAGES; stage++)
        for (int closing = 0; closing < 2; closing++) {
            reach(stage);
            if (closing) {
                kloop_engine_flush(h.e, NULL, h.now);
                kloop_engine_close(h.e, 1000, h.now);
                host_pump(&h);
            }
            host_end(&h);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once),         cmocka_unit_test(with_time_to_deliver),
        cmocka_unit_test(time_is_over),    cmocka_unit_test(second_close_only_shortens),
        cmocka_unit_test(closed_is_last),  cmocka_unit_test(resolver_that_never_answers),
        cmocka_unit_test(flush_and_close), cmocka_unit_test(deleted_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
