/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All commands of kloop, in the order in which the help lists them. Constant; nothing fails.
 */
#ifndef KL_CLI_COMMAND_LIST_H
#define KL_CLI_COMMAND_LIST_H

#include "cli/command.h"

extern const kl_command *const kl_commands[];
extern const size_t kl_command_count;

/* What is told of kloop itself, as kl_command has it of a command. */
extern const char kl_kloop_about[];
extern const char kl_kloop_examples[];

#endif
