/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mechanisms that a broker offers, as people read them: "PLAIN, SCRAM-SHA-256". Fit for a line,
 * whatever the broker says. Nothing is owned, nothing fails.
 */
#ifndef KL_CLI_MECHANISM_LIST_H
#define KL_CLI_MECHANISM_LIST_H

#include <kloop/wire.h>

/* Of strings. As many as have room, none of them cut; "": there is none. */
void kl_mechanism_list(char *to, size_t size, const kloop_array *mechanisms);

#endif
