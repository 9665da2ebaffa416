/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast something that is counted grows: now, and in each second of the last minute. Whoever
 * counts tells the counts about ten times a second, or as often as it likes.
 *
 *     one slot of history is one second, the newest last; looks are kept for the last second
 *
 * A plain value, all zero at first; nothing is owned, nothing fails. Only for the eyes of people:
 * rates are doubles.
 */
#ifndef KL_CLI_RECENT_RATE_H
#define KL_CLI_RECENT_RATE_H

#include <stddef.h>
#include <stdint.h>

#define KL_RECENT_SECONDS 60
#define KL_RECENT_LOOKS   16

typedef struct kl_recent_look {
    uint64_t at_ns;
    uint64_t count;
    uint64_t bytes;
    uint64_t part;
} kl_recent_look;

typedef struct kl_recent_rate {
    kl_recent_look looks[KL_RECENT_LOOKS]; /* a ring */
    size_t look_count;                     /* ever */
    kl_recent_look first;
    kl_recent_look second;             /* where the present second began */
    double history[KL_RECENT_SECONDS]; /* counts a second; a ring */
    double part_history[KL_RECENT_SECONDS];
    size_t second_count; /* ever */
} kl_recent_rate;

void kl_recent_rate_look(kl_recent_rate *r, const kl_recent_look *look);

/* Over about the last second, up to the last look. */
double kl_recent_rate_counts(const kl_recent_rate *r);
double kl_recent_rate_bytes(const kl_recent_rate *r);

/* Over the whole time so far. */
double kl_recent_rate_mean(const kl_recent_rate *r);
double kl_recent_rate_mean_bytes(const kl_recent_rate *r);

/* Seconds until part is whole, at the speed of the last seconds; below 0: cannot be told. */
double kl_recent_rate_left_s(const kl_recent_rate *r, uint64_t part, uint64_t whole);

/* The last max seconds that are over, oldest first; answers how many there are. */
size_t kl_recent_rate_history(const kl_recent_rate *r, double *counts, size_t max);

#endif
