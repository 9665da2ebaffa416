/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The turns of a producer on its loop.
 *
 *     timers    our timer only wakes the loop
 *     idle      runs while there is work, so that poll does not sleep
 *     prepare   if there is work or a deadline has passed: reads the clocks
 *     poll      sockets are read and written, names answered: events for the engine
 *     check     on_time, if poll came after the clock was read; then actions and callbacks, up to a
 *               bound; then either sleep until the deadline, or idle goes on
 *
 * So a request never times out while its answer waits in the kernel: the time that is told to
 * on_time is older than the poll.
 *
 * Nothing here fails.
 */
#ifndef KL_DRIVER_UV_PUMP_H
#define KL_DRIVER_UV_PUMP_H

#include "driver/uv_producer.h"

/* Makes the handles, and has a first turn. */
void kl_uv_pump_start(kloop_producer *p);
/* Begins to close the handles. */
void kl_uv_pump_stop(kloop_producer *p);

/* There is work for the pump. */
void kl_uv_pump_wake(kloop_producer *p);
/* Reads the clocks and tells the engine. */
void kl_uv_pump_read_clocks(kloop_producer *p);
/* The time of an event of this turn's poll phase; reads the clocks at the first one. */
kloop_now kl_uv_pump_event_time(kloop_producer *p);
/* The turn of the loop has another time than the engine: tells it, by the loop's own time. */
void kl_uv_pump_new_turn(kloop_producer *p, uint64_t turn_ms);

/* Takes a few actions of I/O in the middle of the user's code; no callback runs. */
void kl_uv_pump_io(kloop_producer *p);

/* Whether the loop has to wait for us, told anew. */
void kl_uv_pump_update_alive(kloop_producer *p);

#endif
