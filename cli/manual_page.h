/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manual pages in man(7), written from what the commands say of themselves and from the table of
 * keys. Owns nothing. What cannot be written shows at the stream, as with fprintf.
 */
#ifndef KL_CLI_MANUAL_PAGE_H
#define KL_CLI_MANUAL_PAGE_H

#include "cli/command.h"

#include <stdio.h>

/* kloop(1) */
void kl_manual_overview(FILE *to);
/* kloop-NAME(1) */
void kl_manual_of(const kl_command *command, FILE *to);
/* kloop.conf(5): the keys of the configuration */
void kl_manual_config(FILE *to);

#endif
