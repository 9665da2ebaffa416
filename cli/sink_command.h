/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop sink`: a broker in memory, for demos, tests and benchmarks. */
#ifndef KL_CLI_SINK_COMMAND_H
#define KL_CLI_SINK_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_sink_command;

#endif
