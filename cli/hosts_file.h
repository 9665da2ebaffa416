/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does /etc/hosts have this name? Names from there surprise people who look at DNS. Nothing is
 * owned; a file that cannot be read has none.
 */
#ifndef KL_CLI_HOSTS_FILE_H
#define KL_CLI_HOSTS_FILE_H

#include <stdbool.h>

/* In any case of letters. path is that of the file. */
bool kl_hosts_file_has(const char *path, const char *host);

#endif
