/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop sink`: a broker in memory, for demos, tests and benchmarks. */
#ifndef KL_CLI_SINK_COMMAND_H
#define KL_CLI_SINK_COMMAND_H

/* argv[0] is "sink". Answers the exit code. */
int kl_sink_command(int argc, char **argv);

#endif
