/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of the simulator: engine, host, network, brokers and user in one world, from one seed.
 *
 *     sim_user --send--> kloop_engine <--> sim_host <--> sim_link <--> sim_brokers (broker/)
 *        ^                                    |             |              |
 *        +---------- reports -----------------+         sim_watch       sim_answers
 *                        |                                  |              |
 *                     sim_ledger <--------------------- sim_book <---------+
 *
 * Everything hangs on struct sim, and each part knows its own member and the functions of the
 * others. A broken invariant ends the run at once: sim_fail does not come back.
 */
#ifndef KL_SIM_SIM_H
#define KL_SIM_SIM_H

#include "base/check.h"
#include "tests/sim/sim_answers.h"
#include "tests/sim/sim_book.h"
#include "tests/sim/sim_brokers.h"
#include "tests/sim/sim_checks.h"
#include "tests/sim/sim_effort.h"
#include "tests/sim/sim_fault.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_inside.h"
#include "tests/sim/sim_ledger.h"
#include "tests/sim/sim_lending.h"
#include "tests/sim/sim_link.h"
#include "tests/sim/sim_login.h"
#include "tests/sim/sim_memory.h"
#include "tests/sim/sim_names.h"
#include "tests/sim/sim_neighbours.h"
#include "tests/sim/sim_pace.h"
#include "tests/sim/sim_patience.h"
#include "tests/sim/sim_payload.h"
#include "tests/sim/sim_plan.h"
#include "tests/sim/sim_told.h"
#include "tests/sim/sim_trace.h"
#include "tests/sim/sim_user.h"
#include "tests/sim/sim_watch.h"
#include "tests/sim/sim_world.h"

#include <setjmp.h>

struct sim {
    uint64_t seed;
    sim_world world;
    sim_trace trace;
    sim_memory memory;
    sim_plan plan;
    sim_faults faults;
    sim_links links;
    sim_host host;
    sim_brokers brokers;
    sim_login login;
    sim_orders orders;
    sim_user user;
    sim_payload payload;
    sim_ledger ledger;
    sim_lending lending;
    sim_book book;
    sim_told told;
    sim_pace pace;
    sim_effort effort;
    sim_checks checks;
    sim_inside inside;
    sim_neighbours neighbours;
    /* A scenario's own change to answers; NULL mostly. */
    void (*on_answer)(sim *s, const kl_request_info *request, void *response);
    /* A scenario's ear for what is logged; NULL mostly. */
    void (*on_log)(sim *s, const char *text);
    /* A scenario's own answer to a name, node being who bears it, or KL_NO_NODE; NULL mostly. */
    void (*on_name)(sim *s, sim_resolution *r, int32_t node);

    bool failed;
    char invariant[16];
    char failure[512];
    jmp_buf out;
};

/* The invariant is broken. */
_Noreturn void sim_fail(sim *s, const char *invariant, const char *form, ...)
    __attribute__((format(printf, 3, 4)));

#endif
