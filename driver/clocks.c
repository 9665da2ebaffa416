/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the clocks. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "driver/clocks.h"

#include <time.h>
#include <uv.h>

uint64_t kl_clocks_mono_ns(void)
{
    return uv_hrtime();
}

int64_t kl_clocks_wall_ms(void)
{
    struct timespec now;
    /* Cannot fail for this clock; a host where it does gets the beginning of time. */
    if (clock_gettime(CLOCK_REALTIME, &now))
        return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
