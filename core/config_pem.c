/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of PEM, which has five dashes at both ends of BEGIN and END, and none elsewhere. Empty
 * lines are not made: between the lines of a certificate they are one fault more. */
#include "core/config_pem.h"

#include <stdbool.h>

#define DASHES 5

static bool is_escape(kloop_string s, size_t i, char letter)
{
    return s.data[i] == '\\' && i + 1 < s.len && s.data[i + 1] == letter;
}

static bool has_lines(kloop_string s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\n' || is_escape(s, i, 'n'))
            return true;
    return false;
}

static size_t undo_escapes(kloop_string from, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < from.len; i++) {
        bool newline = is_escape(from, i, 'n');
        if (newline || is_escape(from, i, 'r'))
            i++;
        else
            to[n++] = from.data[i];
        if (newline)
            to[n++] = '\n';
    }
    return n;
}

static size_t cut_into_lines(kloop_string from, char *to)
{
    size_t n = 0;
    bool within = false; /* BEGIN or END, where a blank is a blank */
    bool edge = false;   /* a line ends before what comes next */
    unsigned dashes = 0;
    for (size_t i = 0; i < from.len; i++) {
        char c = from.data[i];
        dashes = c == '-' ? dashes + 1 : 0;
        if (dashes % DASHES == 1) {
            within = !within;
            edge = within && i > 0;
        }
        if ((c == ' ' || c == '\t') && !within) {
            edge = true;
            continue;
        }
        if (edge)
            to[n++] = '\n';
        to[n++] = c;
        edge = dashes > 0 && dashes % DASHES == 0 && !within;
    }
    return n;
}

size_t kl_config_pem_lines(kloop_string from, char *to)
{
    size_t len = has_lines(from) ? undo_escapes(from, to) : cut_into_lines(from, to);
    to[len] = '\0';
    return len;
}
