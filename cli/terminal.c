/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the environment. See terminal.h. */
#define _DEFAULT_SOURCE
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_UNKNOWN 80
#define WIDTH_MAX     10000

bool kl_progress_parse(const char *word, kl_progress *progress)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) == 0) {
            *progress = (kl_progress)i;
            return true;
        }
    }
    return false;
}

/* An empty variable counts as none. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* By name, since the locale itself need not be installed where its name is used. */
static bool locale_is_utf8(void)
{
    const char *locale = variable("LC_ALL");
    if (!locale)
        locale = variable("LC_CTYPE");
    if (!locale)
        locale = variable("LANG");
    const char *charset = locale ? strchr(locale, '.') : NULL;
    return charset &&
           (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
}

void kl_terminal_look(kl_terminal *t, int fd)
{
    const char *term = variable("TERM");
    *t = (kl_terminal){.fd = fd, .is_terminal = isatty(fd) == 1};
    t->escapes = term && strcmp(term, "dumb") != 0;
    t->drawable = t->is_terminal && t->escapes;
    t->colour = t->escapes && !variable("NO_COLOR");
    t->utf8 = locale_is_utf8();
    kl_terminal_measure(t);
}

void kl_terminal_measure(kl_terminal *t)
{
    struct winsize size;
    const char *columns = variable("COLUMNS");
    long told = columns ? strtol(columns, NULL, 10) : 0;
    if (ioctl(t->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        t->width = size.ws_col;
    else
        t->width = told > 0 && told < WIDTH_MAX ? (unsigned)told : WIDTH_UNKNOWN;
}
