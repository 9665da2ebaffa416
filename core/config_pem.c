/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of PEM, which has a '-' at both ends of BEGIN and END and nowhere else. */
#include "core/config_pem.h"

#include "base/wipe.h"

#include <stdbool.h>
#include <string.h>

/* \n and \r written as two characters each. */
static size_t undo_escapes(char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\\' && (text[i + 1] == 'n' || text[i + 1] == 'r')) {
            i++;
            c = '\n';
        }
        text[n++] = c;
    }
    kl_wipe(text + n, len - n);
    return n;
}

size_t kl_config_pem_lines(char *text, size_t len)
{
    len = undo_escapes(text, len);
    if (memchr(text, '\n', len))
        return len;
    bool within = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-' && (i == 0 || text[i - 1] != '-'))
            within = !within;
        if ((text[i] == ' ' || text[i] == '\t') && !within)
            text[i] = '\n';
    }
    return len;
}
