/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of a producer: what the engine calls a connection is one descriptor and one uv_poll_t
 * here, and with TLS a filter of bytes (byte_filter.h).
 *
 *              CONNECT               writable                 the filter is up           CLOSE
 *     nothing ---------> CONNECTING ----------> UP, or: SHAKING ----------> UP ---+------------>
 * nothing |          |                             |                |     | | error    | error |
 * error          | error, end of stream v          v                             v                v
 *              on_disconnected, or on_untrusted; the descriptor is closed: LOST
 *
 * Reading is bounded for each turn of the loop, so that one broker cannot hold it: poll is level
 * triggered and brings us back. Nothing is flattened and nothing is queued here: slices go from the
 * engine to the kernel, bytes from the kernel into the engine's buffer. Through a filter both take
 * a detour (uv_filtered.c).
 *
 * Who owns what: a connection belongs to its producer's table until CLOSE, then to libuv until its
 * close callback. What fails is told to the engine as on_disconnected, with a sentence.
 */
#ifndef KL_DRIVER_UV_CONNECTION_H
#define KL_DRIVER_UV_CONNECTION_H

#include "driver/uv_producer.h"

/* CONNECT. host is for sentences. */
void kl_uv_connection_open(kloop_producer *p, kloop_id id, const kloop_address *address,
                           kloop_string host, uint16_t port);
/* WRITE */
void kl_uv_connection_write(kloop_producer *p, kloop_id id);
/* PAUSE and RESUME */
void kl_uv_connection_set_paused(kloop_producer *p, kloop_id id, bool paused);
/* CLOSE; on_closed is told in here. */
void kl_uv_connection_close(kloop_producer *p, kloop_id id);

/* Those with something inside their filter, see uv_filtered.c: each gets on. */
void kl_uv_connection_go_on(kloop_producer *p);

/* In a forked child: stops looking at any of them. */
void kl_uv_connection_let_go_all(kloop_producer *p);
/* Closes what is left, and gives the table back; the engine is told nothing. */
void kl_uv_connection_close_all(kloop_producer *p);

#endif
