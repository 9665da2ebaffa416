/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the next record is due, at so many records or bytes a second: an open schedule, which does
 * not wait for answers. A sender that was held up, because the producer was full, finds several
 * records due and catches up. Input that came late is another matter: a pipe that was silent for an
 * hour does not bring an hour's worth of records at once. Whoever waited for input says so, and the
 * schedule goes on from there.
 *
 *     if (now_ns < kl_pace_due_ns(p)) ... set an alarm for it
 *     kl_pace_took(p, now_ns, bytes);
 *
 * A plain value; nothing is owned, nothing fails.
 */
#ifndef KL_CLI_PACE_H
#define KL_CLI_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After a wait for input the schedule is behind by so much at most. */
#define KL_PACE_BEHIND_MAX_NS UINT64_C(100000000)

typedef struct kl_pace {
    double record_ns; /* from one record to the next; 0: no limit */
    double byte_ns;
    uint64_t start_ns;     /* 0: nothing was taken yet */
    double next_record_ns; /* since then */
    double next_byte_ns;
} kl_pace;

/* A rate of 0 is none. */
void kl_pace_init(kl_pace *p, double records_per_s, double bytes_per_s);

static inline bool kl_pace_any(const kl_pace *p)
{
    return p->record_ns > 0 || p->byte_ns > 0;
}

/* When the next record may go; 0: now, for it is the first one. */
uint64_t kl_pace_due_ns(const kl_pace *p);
void kl_pace_took(kl_pace *p, uint64_t now_ns, size_t bytes);
/* There was no input until now. */
void kl_pace_waited(kl_pace *p, uint64_t now_ns);

/*
 * A rate as people write it: 500, 500/s, 2.5k/s, 30/min, 5/h; bytes also with B and with units of
 * 1024: 10MB/s, 1MiB/s. false: it is none, or not above 0.
 */
bool kl_pace_parse(const char *text, bool of_bytes, double *per_s);

#endif
