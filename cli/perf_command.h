/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop perf`: kafka-producer-perf-test without a JVM. */
#ifndef KL_CLI_PERF_COMMAND_H
#define KL_CLI_PERF_COMMAND_H

/* argv[0] is "perf". Answers the exit code. */
int kl_perf_command(int argc, char **argv);

#endif
