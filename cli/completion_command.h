/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop completion`: what a shell needs to complete kloop's words. */
#ifndef KL_CLI_COMPLETION_COMMAND_H
#define KL_CLI_COMPLETION_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_completion_command;

#endif
