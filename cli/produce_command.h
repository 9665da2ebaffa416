/* SPDX-License-Identifier: BSD-2-Clause */
/* `kloop produce`: lines to records, with kcat's letters. */
#ifndef KL_CLI_PRODUCE_COMMAND_H
#define KL_CLI_PRODUCE_COMMAND_H

/* argv[0] is "produce". Answers the exit code. */
int kl_produce_command(int argc, char **argv);

#endif
