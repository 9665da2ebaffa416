/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop doctor`: what stands between this machine and records in a cluster. */
#ifndef KL_CLI_DOCTOR_COMMAND_H
#define KL_CLI_DOCTOR_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_doctor_command;

#endif
