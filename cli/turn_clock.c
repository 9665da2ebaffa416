/* SPDX-License-Identifier: BSD-2-Clause */
/* Two looks at this thread's CPU time in each turn. See turn_clock.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/turn_clock.h"

#include "base/check.h"

#include <time.h>

static uint64_t cpu_ns(void)
{
    struct timespec now;
    KL_ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void on_prepare(uv_prepare_t *prepare)
{
    kl_turn_clock *clock = prepare->data;
    clock->begin_ns = cpu_ns();
}

static void on_check(uv_check_t *check)
{
    kl_turn_clock *clock = check->data;
    uint64_t took_ns = cpu_ns() - clock->begin_ns;
    if (took_ns > clock->max_ns)
        clock->max_ns = took_ns;
}

void kl_turn_clock_start(kl_turn_clock *clock, uv_loop_t *loop)
{
    uv_prepare_init(loop, &clock->prepare);
    uv_check_init(loop, &clock->check);
    clock->prepare.data = clock->check.data = clock;
    /* A turn that has begun already is measured from here. */
    clock->begin_ns = cpu_ns();
    clock->max_ns = 0;
    uv_prepare_start(&clock->prepare, on_prepare);
    uv_check_start(&clock->check, on_check);
    uv_unref((uv_handle_t *)&clock->prepare);
    uv_unref((uv_handle_t *)&clock->check);
}

void kl_turn_clock_close(kl_turn_clock *clock)
{
    uv_close((uv_handle_t *)&clock->prepare, NULL);
    uv_close((uv_handle_t *)&clock->check, NULL);
}
