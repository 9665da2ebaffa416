/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host: what libuv and the driver are in real life. It tells the engine what happened, turn by
 * turn, and does what the engine asks for.
 *
 *     wake --> turn: clock, names, connections (connected, wrote, read, lost, closed), time if due,
 *                    actions until there is none --> sleep until the deadline or the next wake
 *
 * Hosts differ: one runs a turn for every event, another one only each few ms; one waits for
 * readiness, another one for completion, holding a span to read into; some show few slices, read
 * few bytes at once, tell the time in every turn, or are slow to close. Each run has its own.
 *
 * In every turn the border's contract is checked: a deadline at which nothing changes, a time that
 * changes something before its deadline, an engine that never comes to rest, counters that do not
 * add up, a closed engine that goes on.
 */
#ifndef KL_SIM_HOST_H
#define KL_SIM_HOST_H

#include "tests/sim/sim_link.h"

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_ADDRESSES_MAX 40

typedef struct sim_resolution {
    kloop_id id;
    bool told;
    bool answered; /* the addresses are there */
    bool never;    /* they never will be */
    kloop_address addresses[SIM_ADDRESSES_MAX];
    size_t count;
    char host[64];
    uint64_t asked_ns;
} sim_resolution;

typedef struct sim_host {
    kloop_engine *engine;
    /* what kind of host this is */
    bool completion;
    bool time_each_turn;
    bool early_pump; /* next_io in the middle of the user's code */
    bool echoes;     /* now and then tells of connections that are gone */
    uint64_t tick_ns;
    size_t vec_max;
    size_t read_max;     /* bytes at once */
    size_t reads_a_turn; /* of one connection */
    uint64_t write_delay_ns;
    uint64_t close_delay_ns;
    /* what it knows and has not told */
    sim_conn **list;
    size_t list_count;
    size_t list_cap;
    sim_resolution *names; /* all there ever were */
    size_t name_count;
    size_t name_cap;
    size_t names_open;
    /* turns */
    bool turn_set;
    uint64_t turn_at_ns;
    uint64_t turn_number;
    uint64_t turn_before_ns; /* when the last one was that left no work behind */
    uint64_t deadline_ns;    /* as the engine has said after the last turn */
    uint64_t stalled_until_ns;
    uint64_t asks_from_ns; /* it asks for nothing before */
    uint64_t
        held_from_ns; /* the present hold, or the last one: of either sort, or several in a row */
    uint64_t held_until_ns;
    uint64_t whole_ns; /* the last whole turn */
    uint64_t late_ns;  /* the most by which its timer has been late */
    uint64_t slack_ns; /* how much later than due a turn may come */
    bool closed;       /* CLOSED was taken */
    bool gone;         /* the engine is deleted */
    uint64_t closed_ns;
    uint32_t pieces;      /* turns in a row that left work behind */
    uint32_t empty_turns; /* turns by deadline alone without any action, in this second */
    uint64_t second;
    uint64_t wakes; /* turns because of the deadline, and those of them in which nothing was done */
    uint64_t wakes_in_vain;
    uint64_t actions;
    uint32_t io_actions; /* of this turn */
    uint64_t turns;
    bool writable_owed; /* send said FULL */
    uint32_t writables;
    uint32_t warm_ups_open;
    uint64_t warm_due_ns; /* the last of them is over then */
    kloop_warmth warmth;  /* of the last WARM, its text beside it */
    char warm_text[512];
} sim_host;

void sim_host_deinit(sim *s);

/* There is something to tell about this connection. */
void sim_host_list(sim *s, sim_conn *c);
/* A turn as soon as this host makes one. */
void sim_host_wake(sim *s);
/* No turn before then. */
void sim_host_stall(sim *s, uint64_t until_ns);
/* It tells the engine what happens, and neither the time nor asks for actions until then. */
void sim_host_ask_nothing(sim *s, uint64_t until_ns);
/* The user's code runs now: tells the engine the time. false: it cannot, the loop is held. */
bool sim_host_enter_user(sim *s);
/* In the middle of the user's code: bytes may go out. */
void sim_host_early_pump(sim *s);
/* No more turns; the engine is about to be deleted. */
void sim_host_abandon(sim *s);
#endif
