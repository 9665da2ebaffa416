/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer on a libuv loop, seen from inside: the engine, and what connects it with the loop.
 *
 *     uv_producer.c    the functions of <kloop/kloop.h>
 *     uv_pump.c        turns of the loop: time, actions, callbacks, sleeping
 *     uv_connection.c  one socket for each connection of the engine
 *     uv_filtered.c    the same through a filter of bytes, as TLS is one
 *     uv_secure.c      TLS, SASL and tokens
 *     uv_inlet.c       records of other threads
 *     uv_process.c     fork and exit
 *     name_resolver.c  names
 *
 *     nothing --kloop_open--> OPEN --kloop_close: the engine finishes, then gives CLOSED-->
 *     CLOSING --the last handle is closed: fn runs--> nothing
 *
 * Who owns what: the producer owns the engine, its handles, its connections, and the flushes
 * that were not reported yet. Its memory goes after the last handle's close callback.
 */
#ifndef KL_DRIVER_UV_PRODUCER_H
#define KL_DRIVER_UV_PRODUCER_H

#include "base/list.h"
#include "driver/byte_filter.h"
#include "driver/inlet.h"
#include "driver/living.h"
#include "driver/name_resolver.h"
#include "driver/tcp_socket.h"

#include <kloop/kloop.h>
#include <kloop/tls.h>
#include <uv.h>

struct kl_uv_connection;
struct kl_uv_inlet;

typedef enum kl_uv_state {
    KL_UV_OPEN = 0,
    KL_UV_CLOSING, /* the engine is done; handles are being closed */
} kl_uv_state;

/* Who waits for a flush; the engine has its address. */
typedef struct kl_uv_flush {
    kl_link link;
    kl_inlet_item mark; /* in the inlet, behind what was accepted before */
    kloop_event_fn fn;
    void *me;
} kl_uv_flush;

/* Who waits for a warm-up; likewise. */
typedef struct kl_uv_warm_up {
    kl_link link;
    kloop_warm_fn fn;
    void *me;
} kl_uv_warm_up;

struct kloop_producer {
    kloop_allocator alloc;
    uv_loop_t *loop;
    kloop_engine *engine;
    kl_uv_state state;

    /* What kloop_send() looks at. */
    uint64_t turn_ms;  /* uv_now() when the engine was last told the time; never that: barred */
    size_t sent_bytes; /* since a send last looked for something to write */
    bool dirty;        /* the pump has work, and idle runs */
    bool pumping;      /* actions are being taken: their views must stay good */
    bool refused;      /* a send was answered with KLOOP_FULL, and the user was not told of room */
    bool closing;      /* kloop_close() was called */
    kloop_status barred; /* what calls are answered with, if not KLOOP_OK */

    /* Time */
    kloop_now now;        /* as the engine knows it */
    bool settled;         /* now is the time of this turn: from before its poll, or from after */
    bool polls_at_once;   /* and it is from before: what came until then was read in this turn */
    uint64_t deadline_ms; /* in uv_now(), rounded up; UINT64_MAX: none */
    uint64_t timer_ms;    /* for when the timer is set, UINT64_MAX: it is not */
    uint64_t held_ns;     /* by this turn, so far */
    uint64_t hold_max_ns;

    /* Handles, all unref'd but check while somebody waits for us, and idle */
    uv_idle_t idle;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    bool keep_alive;
    bool alive;          /* check is ref'd */
    size_t handle_count; /* open and closing ones, without the resolver's */

    struct kl_uv_connection **connections; /* by slot; NULL where there is none */
    uint32_t connection_slots;
    kl_list stirred;              /* connections with something inside their filter */
    kl_byte_filter_maker filters; /* make NULL: bytes go straight */
    kl_tcp_options tcp;
    kl_name_resolver resolver;
    kl_list flushes;
    kl_list warm_ups;

    struct {
        kloop_tls *tls;   /* NULL: security.protocol asks for none */
        kloop_sasl *sasl; /* likewise */
        kloop_event_fn on_token;
        void *token_me;
        kloop_log_level log_level_max;
        bool noted; /* TLS may have something to tell */
    } secure;

    uint64_t timeout_ms;       /* delivery.timeout.ms */
    struct kl_uv_inlet *inlet; /* NULL: no other thread may send */
    kl_living living;
    struct {
        bool warns;
        char client_id[64];
        char trouble[320];
        uint64_t trouble_ns;
        _Atomic uint64_t pending; /* records, at the end of the last turn */
        _Atomic uintptr_t thread; /* whose turn that was */
    } last_word;

    kloop_delivery_fn on_delivery;
    kloop_event_fn on_writable;
    kloop_chunk_fn on_chunk;
    kloop_release_fn on_release;
    kloop_log_fn on_log;
    kloop_event_fn on_inlet_room;
    kloop_event_fn on_closed;
    void *delivery_me;
    void *writable_me;
    void *chunk_me;
    void *release_me;
    void *log_me;
    void *inlet_room_me;
    void *closed_me;
};

/* From now on calls are answered with this. Sets flags, nothing else. */
void kl_uv_producer_bar(kloop_producer *p, kloop_status status);

/* A handle is closed: the last one takes the producer with it. */
void kl_uv_producer_handle_gone(kloop_producer *p);

#endif
