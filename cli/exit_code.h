/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command's exit codes mean. Scripts rely on them. */
#ifndef KL_CLI_EXIT_CODE_H
#define KL_CLI_EXIT_CODE_H

enum {
    KL_EXIT_OK = 0,
    KL_EXIT_IO = 1,       /* input could not be read, output not be written */
    KL_EXIT_USAGE = 2,    /* the command line, or a configuration */
    KL_EXIT_BAD_DATA = 4, /* input lines were refused */
};

#endif
