/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that are read one after the other; "-" is standard input.
 *
 * All of them are looked at before anything is sent, so that a misspelt name does not end a run in
 * its middle. Pipes are opened then, for opening one may take as long as its writer likes; regular
 * files when it is their turn, for there may be more of them than descriptors.
 *
 * It owns the descriptors that it opened and the list, not the names. What fails is an errno.
 */
#ifndef KL_CLI_INPUT_FILES_H
#define KL_CLI_INPUT_FILES_H

#include "base/buf.h"

typedef struct kl_input_files {
    kl_buf list;    /* of one entry a file */
    size_t at;      /* the one behind the present one */
    int fd;         /* that is being read, -1: none */
    uint64_t bytes; /* of all of them; 0: not known */
} kl_input_files;

void kl_input_files_init(kl_input_files *f);
void kl_input_files_deinit(kl_input_files *f);

/* false: no memory. */
bool kl_input_files_add(kl_input_files *f, const char *path);
bool kl_input_files_any(const kl_input_files *f);

/* 0, or an errno and the name that it belongs to; EISDIR for a folder. Behind it bytes is known, if
 * all of them are regular files. */
int kl_input_files_check(kl_input_files *f, const char **path);

/* Is one of them this very file, regular and not another name for a device? */
bool kl_input_files_has(const kl_input_files *f, int fd);

/* Closes the present one and opens the next. false: there is none; else *error is 0 or an errno. */
bool kl_input_files_next(kl_input_files *f, int *error);

/* The present one, or the last; as people call it. */
const char *kl_input_files_name(const kl_input_files *f);
bool kl_input_files_is_stdin(const kl_input_files *f);

#endif
