/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command's exit codes mean. Scripts rely on them. */
#ifndef KL_CLI_EXIT_CODE_H
#define KL_CLI_EXIT_CODE_H

enum {
    KL_EXIT_OK = 0,
    KL_EXIT_UNDELIVERED = 1, /* some records were not delivered, or may not have been */
    KL_EXIT_IO = 1,          /* input could not be read, output not be written */
    KL_EXIT_USAGE = 2,       /* the command line, or a configuration */
    KL_EXIT_NO_BROKER = 3,   /* no broker was ever reached, or none let us in */
    KL_EXIT_BAD_DATA = 4,    /* input lines were refused */
    KL_EXIT_FATAL = 5,       /* the producer could not go on */
    KL_EXIT_SIGNAL = 128,    /* and the number of the signal that ended it */
};

#endif
