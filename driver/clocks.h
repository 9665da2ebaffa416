/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two clocks, read here and nowhere else in kloop: once in a turn of the loop that has work,
 * never for a record.
 */
#ifndef KL_DRIVER_CLOCKS_H
#define KL_DRIVER_CLOCKS_H

#include <stdint.h>

/* The clock that libuv's loop time is made of; its zero is the same. */
uint64_t kl_clocks_mono_ns(void);
/* Since 1970. It may jump. */
int64_t kl_clocks_wall_ms(void);

#endif
