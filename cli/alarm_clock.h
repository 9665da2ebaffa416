/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An alarm on a libuv loop that rings when it should: within some ten microseconds, where a
 * uv_timer_t counts whole milliseconds. It stands on a timerfd.
 *
 * The alarm owns a file descriptor and a handle on the loop. kl_alarm_init answers 0 or an errno;
 * after it, the memory is the alarm's until what kl_alarm_close promises has run.
 */
#ifndef KL_CLI_ALARM_CLOCK_H
#define KL_CLI_ALARM_CLOCK_H

#include <stdint.h>
#include <uv.h>

#define KL_ALARM_NEVER UINT64_MAX

typedef struct kl_alarm kl_alarm;
typedef void (*kl_alarm_fn)(void *me);

struct kl_alarm {
    uv_poll_t poll;
    int fd;
    uint64_t set_ns; /* what the kernel was told; KL_ALARM_NEVER: nothing */
    kl_alarm_fn fn;
    void *me;
};

int kl_alarm_init(kl_alarm *alarm, uv_loop_t *loop, kl_alarm_fn fn, void *me);

/*
 * fn runs once, from the loop, when uv_hrtime() has reached at_ns; a time that is past is as soon
 * as possible. KL_ALARM_NEVER: not at all. A later call replaces an earlier one. Setting what is
 * set costs no system call.
 */
void kl_alarm_set(kl_alarm *alarm, uint64_t at_ns);

/* closed, which may be NULL, runs when the loop is done with the alarm. */
void kl_alarm_close(kl_alarm *alarm, kl_alarm_fn closed);

#endif
