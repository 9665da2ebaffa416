/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log file that others write: its bytes in order, while it grows, is renamed or cut. For
 * log_shipper.c; it knows nothing of Kafka.
 *
 *     log_file_go_to --> log_file_read --> LOG_BYTES      there is more in the buffer
 *                           ^    |         LOG_NOTHING    look again later
 *                           |    |         LOG_CUT        it became shorter, and is begun anew
 *                           |    '-------> LOG_RENAMED    that was the end of it
 *                           '--- log_file_next <--------------'
 *
 * A file that was renamed (FILE.1, FILE-20260101) is read to its end before the next one is begun,
 * also those that were renamed while nobody looked. Its writer has five seconds from then on, or
 * from its last line there, to turn to the new one. One that was packed or deleted is not found any
 * more, but for the one that is open. A file that became shorter is begun anew, and what was in it
 * before and did not arrive is lost: who can choose should rename. A file is known by its inode;
 * whoever deletes one and makes another of the same inode while nobody looks deceives us.
 *
 * What cannot be read is told on stderr once for each reason, and tried again by the next call.
 *
 * The caller owns the struct and what path points to; the file is closed by log_file_close().
 */
#ifndef KLOOP_EXAMPLES_LOG_FILE_H
#define KLOOP_EXAMPLES_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_BUFFER_BYTES (256 << 10)

typedef struct log_place {
    uint64_t inode; /* 0: nowhere yet */
    uint64_t offset;
    int64_t changed_ns; /* since 1970: when that file was written to; those after it are later */
} log_place;

typedef struct log_file {
    const char *path;
    int fd; /* -1: not open */
    uint64_t inode;
    int64_t changed_ns;
    int told;        /* errno of what was complained of last */
    uint64_t offset; /* of the buffer's first byte */
    size_t len;      /* bytes in the buffer; of these */
    size_t used;     /* so many the caller needs no more */
    char buffer[LOG_BUFFER_BYTES];
} log_file;

typedef enum log_found { LOG_NOTHING, LOG_BYTES, LOG_CUT, LOG_RENAMED } log_found;

/* Goes on at this place; nowhere: at the beginning of the file. If that file is gone, with the
 * first that was written to later. false: it is not there, or not to be had now, and all is as it
 * was. */
bool log_file_go_to(log_file *f, log_place place);
/* Makes room and reads on, without waiting. */
log_found log_file_read(log_file *f);
/* After LOG_RENAMED, when the buffer was used up. false: the next one is not there yet, and this
 * one stays open. */
bool log_file_next(log_file *f);
/* Of the first byte that was not used. */
log_place log_file_place(const log_file *f);
void log_file_close(log_file *f);

#endif
