/* SPDX-License-Identifier: BSD-2-Clause */
/* `-X list`: every key with its preset, what it means, what is allowed and its other names. Owns
 * nothing; a failure to write stays in the stream. */
#ifndef KL_CLI_CONFIG_LIST_H
#define KL_CLI_CONFIG_LIST_H

#include <stdio.h>

void kl_config_list_print(FILE *to);

#endif
