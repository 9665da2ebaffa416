/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop wire`: the protocol as line filters. */
#ifndef KL_CLI_WIRE_COMMAND_H
#define KL_CLI_WIRE_COMMAND_H

/* argv[0] is "wire". Answers the exit code. */
int kl_wire_command(int argc, char **argv);

#endif
