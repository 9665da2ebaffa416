/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop perf`: kafka-producer-perf-test without a JVM. */
#ifndef KL_CLI_PERF_COMMAND_H
#define KL_CLI_PERF_COMMAND_H

#include "cli/command.h"

extern const kl_command kl_perf_command;

#endif
