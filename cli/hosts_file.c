/* SPDX-License-Identifier: BSD-2-Clause */
/* See hosts_file.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli/hosts_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 4096
#define BLANKS         " \t\r\n"

/* A line is an address, names, and perhaps a comment. */
static bool line_has(char *line, const char *host)
{
    char *rest = NULL;
    line[strcspn(line, "#")] = '\0';
    char *word = strtok_r(line, BLANKS, &rest);
    while (word && (word = strtok_r(NULL, BLANKS, &rest))) {
        if (strcasecmp(word, host) == 0)
            return true;
    }
    return false;
}

bool kl_hosts_file_has(const char *path, const char *host)
{
    char line[LINE_MAX_BYTES];
    FILE *file = fopen(path, "re");
    bool found = false;
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = line_has(line, host);
    fclose(file);
    return found;
}
