/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop meta`: what a cluster looks like, as `kcat -L` shows it. */
#ifndef KL_CLI_META_COMMAND_H
#define KL_CLI_META_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_meta_command;

#endif
