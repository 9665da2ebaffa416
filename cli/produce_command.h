/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop produce`: lines to records, with kcat's letters. */
#ifndef KL_CLI_PRODUCE_COMMAND_H
#define KL_CLI_PRODUCE_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_produce_command;

#endif
