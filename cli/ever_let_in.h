/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has any broker ever told a producer of its cluster? One that can be connected to and tells no
 * more than its API versions has let nobody in: it wants a login, or another one.
 *
 * Nothing is owned. Where there is no memory to find out, that a broker was reached has to do.
 */
#ifndef KL_CLI_EVER_LET_IN_H
#define KL_CLI_EVER_LET_IN_H

#include <kloop/kloop.h>

bool kl_ever_let_in(kloop_producer *p);

#endif
