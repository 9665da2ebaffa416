/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer with a scripted engine on a loop of its own, a server to connect to, and the system
 * calls in between within the test's reach.
 *
 *     scripted_loop l;
 *     scripted_loop_open(&l);
 *     scripted_connect(l.engine, id, "127.0.0.1", l.port);
 *     SCRIPTED_RUN_UNTIL(&l, scripted_count(l.engine, SCRIPTED_CONNECTED) == 1);
 *     int peer = scripted_loop_accept(&l);
 *     ...
 *     scripted_loop_close(&l);         asserts that nothing is left: no memory, no handle, no fd
 *
 * The programs of tests/driver are linked so that the driver's calls of sendmsg, recv and of the
 * clocks come through here (-Wl,--wrap).
 */
#ifndef KL_TESTS_DRIVER_SCRIPTED_LOOP_H
#define KL_TESTS_DRIVER_SCRIPTED_LOOP_H

#include "tests/driver/scripted_engine.h"
#include "tests/support/fail_alloc.h"

#include <kloop/kloop.h>

#include <sys/types.h>
#include <uv.h>

typedef struct scripted_loop {
    uv_loop_t loop;
    uv_timer_t guard; /* a test that hangs fails instead */
    kl_fail_alloc memory;
    kloop_producer *producer;
    kloop_engine *engine;
    int listener;
    uint16_t port;
    int name_server; /* takes questions and never answers */
    char name_servers[32];
    int fds_before;
    int closed;            /* how often the close callback ran */
    size_t times_at_close; /* how often the time was told until then */
} scripted_loop;

void scripted_loop_open(scripted_loop *l);
/* Closes the producer, if the test has not, runs the loop to its end and looks for what is left. */
void scripted_loop_close(scripted_loop *l);
/* For kloop_close(). */
void scripted_loop_on_closed(kloop_producer *p, void *me);

/* The driver's connection, from the other side. */
int scripted_loop_accept(scripted_loop *l);
/* Closes it with a reset instead of an end of stream. */
void scripted_loop_reset(int peer);

/* One turn that waits for an event, at most until the guard's time is over. */
void scripted_loop_turn(scripted_loop *l, const char *waiting_for);

#define SCRIPTED_RUN_UNTIL(l, condition)                                                           \
    do {                                                                                           \
        while (!(condition))                                                                       \
            scripted_loop_turn((l), #condition);                                                   \
    } while (0)

/* ---- The system as the driver meets it ---- */

typedef struct scripted_system {
    /* 0: as the system says. Else the next calls are answered with this errno ... */
    int write_errno;
    unsigned write_errno_times;
    int read_errno;
    unsigned read_errno_times;
    /* ... or given at most so many bytes; 0: no bound. */
    size_t write_max;
    size_t read_max;
    bool write_swallows; /* all is taken, as by a peer without bounds */
    int random_error;    /* what uv_random answers; 0: as the system says */
    /* counted since the program began */
    size_t writes;
    size_t reads;
    size_t read_bytes;
    size_t clock_reads;
    size_t slices_max; /* the most that one write had */
    int flags_missing; /* writes without MSG_NOSIGNAL */
} scripted_system;

extern scripted_system scripted_sys;

#endif
