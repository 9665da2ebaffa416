/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop wire`: the protocol as line filters. */
#ifndef KL_CLI_WIRE_COMMAND_H
#define KL_CLI_WIRE_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_wire_command;

#endif
