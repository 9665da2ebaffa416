/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the doctor waits for, on one line at the bottom of a terminal, so that a time limit of some
 * seconds does not look like a hang; elsewhere nothing. It comes only after a while, since most
 * visits are over before anybody could read.
 *
 * A plain value; it owns nothing and nothing fails. hide before anything else is written.
 */
#ifndef KL_CLI_DOCTOR_LIVE_H
#define KL_CLI_DOCTOR_LIVE_H

#include "cli/doctor_visit.h"
#include "cli/terminal.h"

typedef struct kl_doctor_live {
    kl_terminal terminal;
    bool drawn; /* may it be? */
    bool shown;
    uint64_t since_ns; /* when the present waiting began; 0: it did not */
} kl_doctor_live;

/* on stderr; wanted: neither --quiet nor the like. */
void kl_doctor_live_init(kl_doctor_live *l, bool wanted);
/* A kl_visits_tick_fn. */
void kl_doctor_live_tick(void *me, const kl_visit *list, size_t count);
void kl_doctor_live_hide(kl_doctor_live *l);

/* The line's words, without anything about terminals: who is waited for, and how long. */
void kl_doctor_live_words(const kl_visit *list, size_t count, double seconds, char *to,
                          size_t size);

#endif
