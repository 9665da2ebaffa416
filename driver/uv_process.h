/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer and its process: what is left of it in a forked child, and its last word when the
 * program ends with records in it.
 *
 *     fork   parent   goes on, as if nothing had happened
 *            child    sockets are dead ones, calls answer KLOOP_FORKED, turns do nothing but let
 *                     go of the loop; kloop_close() gives handles and memory back, no peer notices
 *     exit   one line on stderr, if records were neither reported nor given up
 *
 * What can fail: entering, see driver/living.h.
 */
#ifndef KL_DRIVER_UV_PROCESS_H
#define KL_DRIVER_UV_PROCESS_H

#include "driver/uv_producer.h"

/* p is complete but for its handles. false: no memory. */
bool kl_uv_process_enter(kloop_producer *p, const char *client_id, bool warns);
/* Before any of its memory goes. */
void kl_uv_process_leave(kloop_producer *p);

/* At the end of a turn: what there is to tell if the program ends now, on another thread. */
void kl_uv_process_note(kloop_producer *p);
/* Something stands in the way. */
void kl_uv_process_note_trouble(kloop_producer *p, const char *text);

#endif
