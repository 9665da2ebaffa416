/* SPDX-License-Identifier: BSD-2-Clause */
/* See doctor_text.h. */
#include "cli/doctor_text.h"

#include "base/excerpt.h"

#include <string.h>

#define OUTCOME_WIDTH 7
#define STEP_WIDTH    11
#define TIME_WIDTH    9
#define TEXT_COLUMN   (2 + OUTCOME_WIDTH + 2 + STEP_WIDTH + 2 + TIME_WIDTH + 2)
/* A narrower place than this is not broken into: words would stand alone. */
#define TEXT_WIDTH_MIN 24
#define NAME_MAX_BYTES 300

/* ---- Lines that are broken between words ---- */

static unsigned columns_of(const char *text, size_t len)
{
    unsigned n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static void print_words(const char *text, unsigned indent, const kl_terminal *terminal, FILE *to)
{
    unsigned width = terminal->is_terminal ? terminal->width : 0;
    unsigned at = indent;
    bool breaks = width > indent + TEXT_WIDTH_MIN;
    while (*text) {
        size_t len = strcspn(text, " \n");
        unsigned columns = columns_of(text, len);
        if (breaks && at > indent && at + 1 + columns >= width) {
            fprintf(to, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', to);
            at++;
        }
        fprintf(to, "%.*s", (int)len, text);
        at += columns;
        text += len;
        if (*text == '\n') {
            fprintf(to, "\n%*s", (int)indent, "");
            at = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', to);
}

/* ---- Signs ---- */

static const char *colour_of(kl_finding_outcome outcome)
{
    static const char *const colours[KL_FINDING_OUTCOMES] = {"\033[32m", "\033[33m", "\033[31m",
                                                             "\033[2m"};
    return colours[outcome];
}

static const char *sign_of(kl_finding_outcome outcome)
{
    static const char *const signs[KL_FINDING_OUTCOMES] = {"\u2713", "!", "\u2717", "-"};
    return signs[outcome];
}

static void print_outcome(kl_finding_outcome outcome, const kl_terminal *terminal, FILE *to)
{
    bool colour = terminal->is_terminal && terminal->colour;
    char text[32];
    if (terminal->is_terminal && terminal->utf8)
        snprintf(text, sizeof text, "%s %s", sign_of(outcome),
                 outcome == KL_FINDING_WARNING ? "warn" : kl_finding_outcome_name(outcome));
    else
        snprintf(text, sizeof text, "%s", kl_finding_outcome_name(outcome));
    unsigned columns = columns_of(text, strlen(text));
    fprintf(to, "%s%s%s", colour ? colour_of(outcome) : "", text, colour ? "\033[0m" : "");
    fprintf(to, "%*s", columns < OUTCOME_WIDTH ? (int)(OUTCOME_WIDTH - columns) : 0, "");
}

static void print_time(int64_t us, FILE *to)
{
    char text[32];
    if (us < 0)
        snprintf(text, sizeof text, "%s", "");
    else if (us < 10000)
        snprintf(text, sizeof text, "%.2f ms", (double)us / 1000);
    else if (us < 1000000)
        snprintf(text, sizeof text, "%.0f ms", (double)us / 1000);
    else
        snprintf(text, sizeof text, "%.2f s", (double)us / 1e6);
    fprintf(to, "%*s", TIME_WIDTH, text);
}

/* ---- Findings ---- */

static void print_finding(const kl_finding *f, const kl_terminal *terminal, FILE *to)
{
    fputs("  ", to);
    print_outcome(f->outcome, terminal, to);
    fprintf(to, "  %-*s  ", STEP_WIDTH, f->step);
    print_time(f->us, to);
    fputs("  ", to);
    print_words(f->says, TEXT_COLUMN, terminal, to);
    for (const char *line = f->advice; line && *line;) {
        char one[KL_FINDING_TEXT_MAX];
        size_t len = strcspn(line, "\n");
        snprintf(one, sizeof one, "%.*s", (int)len, line);
        fprintf(to, "%*s-> ", TEXT_COLUMN - 3, "");
        print_words(one, TEXT_COLUMN, terminal, to);
        line += len + (line[len] == '\n');
    }
}

static bool is_all_fine(const kl_doctor_group *g)
{
    for (const kl_finding *f = g->findings; f; f = f->next) {
        if (f->outcome != KL_FINDING_OK)
            return false;
    }
    return true;
}

static void print_heading(const kl_doctor_group *g, const kl_terminal *terminal, FILE *to)
{
    char name[NAME_MAX_BYTES];
    bool bold = terminal->is_terminal && terminal->colour;
    kl_excerpt(name, sizeof name, (kloop_string){g->name, strlen(g->name)});
    fputs(bold ? "\033[1m" : "", to);
    switch (g->kind) {
    case KL_GROUP_ENTRY:
        fprintf(to, "%s, of bootstrap.servers", name);
        break;
    case KL_GROUP_BROKER:
        fprintf(to, "broker %d, at %s", g->broker, name);
        break;
    case KL_GROUP_CLUSTER:
        fprintf(to, "cluster%s%s", *name ? " " : "", name);
        break;
    default:
        fprintf(to, "topic %s", name);
        break;
    }
    if (g->note)
        fprintf(to, ", %s", g->note);
    fputs(bold ? "\033[0m\n" : "\n", to);
}

void kl_doctor_text_group(const kl_doctor_group *g, const kl_terminal *terminal, bool quiet,
                          FILE *to)
{
    if (quiet && is_all_fine(g))
        return;
    print_heading(g, terminal, to);
    for (const kl_finding *f = g->findings; f; f = f->next) {
        if (!quiet || f->outcome != KL_FINDING_OK)
            print_finding(f, terminal, to);
    }
}

/* ---- The sum ---- */

void kl_doctor_text_sum(const kl_doctor_report *r, FILE *to)
{
    size_t all = 0;
    for (int i = 0; i < KL_FINDING_OUTCOMES; i++)
        all += r->counts[i];
    size_t failed = r->counts[KL_FINDING_FAILED], warnings = r->counts[KL_FINDING_WARNING];
    if (failed + warnings + r->counts[KL_FINDING_SKIPPED] == 0) {
        fprintf(to, "all %zu steps are ok\n", all);
        return;
    }
    fprintf(to, "of %zu step%s %zu failed", all, all == 1 ? "" : "s", failed);
    if (warnings)
        fprintf(to, ", %zu with a warning", warnings);
    if (r->counts[KL_FINDING_SKIPPED])
        fprintf(to, ", %zu could not be taken", r->counts[KL_FINDING_SKIPPED]);
    fputc('\n', to);
}
