/* SPDX-License-Identifier: BSD-2-Clause */
/* A timerfd under uv_poll. See alarm_clock.h. */
#define _GNU_SOURCE
#include "cli/alarm_clock.h"

#include "base/check.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events)
{
    kl_alarm *alarm = poll->data;
    uint64_t times;
    (void)status;
    (void)events;
    /* It may have been replaced after the loop was told. */
    if (alarm->set_ns == KL_ALARM_NEVER || uv_hrtime() < alarm->set_ns)
        return;
    alarm->set_ns = KL_ALARM_NEVER;
    alarm->fn(alarm->me);
    /* One that was set anew in there has nothing to read: a call of the system less. */
    if (alarm->set_ns == KL_ALARM_NEVER && read(alarm->fd, &times, sizeof times) < 0)
        KL_ASSERT(errno == EAGAIN);
}

int kl_alarm_init(kl_alarm *alarm, uv_loop_t *loop, kl_alarm_fn fn, void *me)
{
    *alarm = (kl_alarm){.set_ns = KL_ALARM_NEVER, .fn = fn, .me = me};
    /* uv_hrtime() reads the same clock. */
    alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (alarm->fd < 0)
        return errno;
    int rc = uv_poll_init(loop, &alarm->poll, alarm->fd);
    if (rc) {
        close(alarm->fd);
        return -rc;
    }
    alarm->poll.data = alarm;
    uv_poll_start(&alarm->poll, UV_READABLE, on_readable);
    return 0;
}

void kl_alarm_set(kl_alarm *alarm, uint64_t at_ns)
{
    if (at_ns == alarm->set_ns)
        return;
    alarm->set_ns = at_ns;
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (at_ns != KL_ALARM_NEVER) {
        /* All zero would switch it off. */
        uint64_t ns = at_ns ? at_ns : 1;
        when.it_value.tv_sec = (time_t)(ns / UINT64_C(1000000000));
        when.it_value.tv_nsec = (long)(ns % UINT64_C(1000000000));
    }
    KL_ASSERT(timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static void on_closed(uv_handle_t *handle)
{
    kl_alarm *alarm = handle->data;
    close(alarm->fd);
    alarm->fd = -1;
    if (alarm->fn)
        alarm->fn(alarm->me);
}

void kl_alarm_close(kl_alarm *alarm, kl_alarm_fn closed)
{
    alarm->fn = closed;
    uv_close((uv_handle_t *)&alarm->poll, on_closed);
}
