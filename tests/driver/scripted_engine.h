/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine for tests of the driver: everything that <kloop/engine.h> declares, with no mind of its
 * own. The test puts in the actions that the driver is to take, and reads the events that came. It
 * is linked instead of core.
 *
 * Where the contract leaves no choice it does what an engine does: a lost connection is answered
 * with CLOSE, close() with CLOSE for what is open and then CLOSED. Breaches of the contract by the
 * driver (time that goes back, an event for a connection that is gone, an ending event twice) fail
 * the running test at once.
 *
 * kloop_engine_new leaves the engine in scripted_engine(); the producer owns it.
 */
#ifndef KL_TESTS_DRIVER_SCRIPTED_ENGINE_H
#define KL_TESTS_DRIVER_SCRIPTED_ENGINE_H

#include <kloop/engine.h>

#include <stdbool.h>
#include <stddef.h>

typedef enum scripted_kind {
    SCRIPTED_RESOLVED = 1,
    SCRIPTED_CONNECTED,
    SCRIPTED_RECEIVED,
    SCRIPTED_WROTE,
    SCRIPTED_DISCONNECTED,
    SCRIPTED_UNTRUSTED,
    SCRIPTED_CLOSED,
    SCRIPTED_TIME,
    SCRIPTED_CLOCK,
    SCRIPTED_SENT,
    SCRIPTED_TOKEN,    /* its text is the token */
    SCRIPTED_NO_TOKEN, /* its text says why */
    SCRIPTED_KIND_COUNT,
} scripted_kind;

typedef struct scripted_event {
    scripted_kind kind;
    kloop_id id;
    size_t n; /* bytes, or addresses */
    kloop_now now;
    kloop_address first; /* of RESOLVED */
    char text[512];
} scripted_event;

#define SCRIPTED_CONNECTIONS 8

typedef struct scripted_connection {
    uint32_t gen; /* 0: none */
    bool connected;
    bool ended; /* on_disconnected or on_untrusted came */
    bool paused;
    const uint8_t *out; /* the test's bytes to write */
    size_t out_len;
    size_t out_at;
    size_t slice_len; /* how out is cut */
    uint8_t *in;      /* the test's memory for what comes */
    size_t in_len;
    size_t in_at;
    size_t room_max; /* of one read_space */
    size_t pause_at; /* with so many bytes in there is no room, and PAUSE follows; 0: never */
} scripted_connection;

kloop_engine *scripted_engine(void);

/* "key", "value", ..., NULL: what any configuration says, before all else; NULL: nothing more. */
void scripted_set_config(const char *const *pairs);

/* What the driver sees. */
void scripted_set_deadline(kloop_engine *e, uint64_t mono_ns); /* stays until set anew */
void scripted_set_busy(kloop_engine *e, bool busy);
void scripted_set_has_io(kloop_engine *e, bool has_io); /* else by the actions that wait */
/* From now on it cannot go on, and says so to whoever asks. */
void scripted_set_fatal(kloop_engine *e);
void scripted_answer_sends(kloop_engine *e, kloop_status status);
void scripted_answer_flushes(kloop_engine *e, kloop_status status);
/* on_time at or after the deadline takes the deadline away; what a hook may do is the test's. */
void scripted_on_time_hook(kloop_engine *e, void (*hook)(kloop_engine *e, kloop_now now, void *me),
                           void *me);

/* Actions, in this order, behind those that wait. */
void scripted_push(kloop_engine *e, const kloop_action *a);
void scripted_resolve(kloop_engine *e, kloop_id id, const char *host);
void scripted_connect(kloop_engine *e, kloop_id id, const char *address, uint16_t port);
void scripted_deliver(kloop_engine *e, size_t count);
void scripted_act(kloop_engine *e, kloop_action_kind kind, kloop_id id);
size_t scripted_waiting(const kloop_engine *e);

/* The bytes of a connection. They are the test's. */
scripted_connection *scripted_conn(kloop_engine *e, kloop_id id);

/* What came so far. */
size_t scripted_count(const kloop_engine *e, scripted_kind kind);
/* The nth event of this kind, from 0; NULL when there are fewer. */
const scripted_event *scripted_event_at(const kloop_engine *e, scripted_kind kind, size_t nth);
const scripted_event *scripted_last(const kloop_engine *e, scripted_kind kind);

/* The record of the last send; its views are no good any more. */
const kloop_record *scripted_last_record(const kloop_engine *e);
/* How often was next() asked? */
size_t scripted_asked(const kloop_engine *e);

#endif
