/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop manual`: the pages of the manual, for man. */
#ifndef KL_CLI_MANUAL_COMMAND_H
#define KL_CLI_MANUAL_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_manual_command;

#endif
