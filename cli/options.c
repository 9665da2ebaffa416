/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking a command line apart. See options.h. */
#include "cli/options.h"

#include "base/nearest.h"
#include "cli/exit_code.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int kl_usage_error(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "kloop %s: ", command);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nkloop %s --help lists what there is.\n", command);
    va_end(args);
    return KL_EXIT_USAGE;
}

void kl_options_init(kl_options *o, const char *command, const kl_option *table, size_t count,
                     int argc, char **argv)
{
    *o = (kl_options){.command = command,
                      .table = table,
                      .count = count,
                      .argc = argc,
                      .argv = argv,
                      .at = 1,
                      .value = ""};
}

/* ---- Which flag ---- */

static const kl_option *find_name(const kl_options *o, const char *name, size_t len)
{
    for (size_t i = 0; i < o->count; i++) {
        const char *known = o->table[i].name;
        if (known && strncmp(known, name, len) == 0 && known[len] == '\0')
            return &o->table[i];
    }
    return NULL;
}

static const kl_option *find_letter(const kl_options *o, char letter)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->table[i].letter == letter)
            return &o->table[i];
    }
    return NULL;
}

static int unknown(const kl_options *o, const char *flag, size_t len)
{
    kloop_string typed = {flag, len};
    char best_flag[64] = "";
    const char *best = NULL;
    for (size_t i = 0; i <= o->count; i++) {
        const char *name = i < o->count ? o->table[i].name : "help";
        char candidate[64];
        if (!name)
            continue;
        snprintf(candidate, sizeof candidate, "--%s", name);
        if (kl_nearest_of(best, candidate, typed) == candidate) {
            memcpy(best_flag, candidate, sizeof candidate);
            best = best_flag;
        }
    }
    if (best)
        kl_usage_error(o->command, "there is no option '%.*s', did you mean '%s'?", (int)len, flag,
                       best);
    else
        kl_usage_error(o->command, "there is no option '%.*s'", (int)len, flag);
    return KL_OPTIONS_BAD;
}

/* A word that the flag before it cannot have meant as its value. Numbers below zero and a lone dash
 * are values. */
static bool is_flag(const kl_options *o, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return false;
    if (word[1] != '-')
        return find_letter(o, word[1]) != NULL;
    return word[2] == '\0' || find_name(o, word + 2, strcspn(word + 2, "=")) != NULL;
}

/* ---- Its value ---- */

static int missing_value(const kl_options *o, const kl_option *option)
{
    kl_usage_error(o->command, "%s needs a value: %s %s", o->flag, o->flag, option->value);
    return KL_OPTIONS_BAD;
}

static int take_value(kl_options *o, const kl_option *option)
{
    if (o->at >= o->argc || is_flag(o, o->argv[o->at]))
        return missing_value(o, option);
    o->value = o->argv[o->at++];
    if (option->kind == KL_OPTION_WORDS)
        o->taker = option;
    return option->id;
}

static int take_name(kl_options *o, const char *word)
{
    size_t len = strcspn(word + 2, "=");
    if (len == 4 && memcmp(word + 2, "help", 4) == 0)
        return KL_OPTIONS_HELP;
    const kl_option *option = find_name(o, word + 2, len);
    if (!option)
        return unknown(o, word, len + 2);
    snprintf(o->flag, sizeof o->flag, "--%s", option->name);
    bool glued = word[2 + len] == '=';
    if (option->kind != KL_OPTION_SWITCH && !glued)
        return take_value(o, option);
    if (option->kind == KL_OPTION_SWITCH && glued) {
        kl_usage_error(o->command, "%s takes no value", o->flag);
        return KL_OPTIONS_BAD;
    }
    if (glued)
        o->value = word + 2 + len + 1;
    if (option->kind == KL_OPTION_WORDS)
        o->taker = option;
    return option->id;
}

static int take_letter(kl_options *o)
{
    char letter = *o->letters++;
    const char *rest = o->letters;
    if (*rest == '\0')
        o->letters = NULL;
    const kl_option *option = find_letter(o, letter);
    if (!option && letter == 'h')
        return KL_OPTIONS_HELP;
    snprintf(o->flag, sizeof o->flag, "-%c", letter);
    if (!option)
        return unknown(o, o->flag, 2);
    if (option->kind == KL_OPTION_SWITCH)
        return option->id;
    o->letters = NULL;
    if (*rest == '\0')
        return take_value(o, option);
    o->value = rest;
    if (option->kind == KL_OPTION_WORDS)
        o->taker = option;
    return option->id;
}

int kl_options_next(kl_options *o)
{
    if (o->letters)
        return take_letter(o);
    if (o->at >= o->argc)
        return KL_OPTIONS_END;
    const char *word = o->argv[o->at++];
    if (o->plain || word[0] != '-' || word[1] == '\0') {
        o->value = word;
        return o->taker ? o->taker->id : KL_OPTIONS_WORD;
    }
    o->taker = NULL;
    if (word[1] != '-') {
        o->letters = word + 1;
        return take_letter(o);
    }
    if (word[2] != '\0')
        return take_name(o, word);
    o->plain = true;
    return kl_options_next(o);
}

/* ---- Values ---- */

int kl_options_refuse(const kl_options *o, const char *why)
{
    return kl_usage_error(o->command, "%s '%s': %s", o->flag, o->value, why);
}

bool kl_options_number(const kl_options *o, int64_t min, int64_t max, int64_t *number)
{
    char why[96];
    char *end;
    errno = 0;
    long long n = strtoll(o->value, &end, 10);
    bool digits = (o->value[0] >= '0' && o->value[0] <= '9') || o->value[0] == '-';
    if (digits && end != o->value && *end == '\0' && errno == 0 && n >= min && n <= max) {
        *number = n;
        return true;
    }
    if (max == INT64_MAX)
        snprintf(why, sizeof why, "a number from %lld on is wanted", (long long)min);
    else
        snprintf(why, sizeof why, "a number from %lld to %lld is wanted", (long long)min,
                 (long long)max);
    kl_options_refuse(o, why);
    return false;
}

bool kl_options_decimal(const kl_options *o, double min, double max, double *number)
{
    char why[96];
    char *end;
    double n = strtod(o->value, &end);
    if (end != o->value && *end == '\0' && isfinite(n) && n >= min && n <= max) {
        *number = n;
        return true;
    }
    snprintf(why, sizeof why, "a number from %g to %g is wanted", min, max);
    kl_options_refuse(o, why);
    return false;
}

/* ---- The help ---- */

#define LIST_COLUMN 40

static void list_one(const kl_option *option, FILE *to)
{
    int used = fprintf(to, "  ");
    if (option->letter)
        used += fprintf(to, "-%c%s", option->letter, option->name ? ", " : "");
    if (option->name)
        used += fprintf(to, "--%s", option->name);
    if (option->value)
        used += fprintf(to, " %s%s", option->value, option->kind == KL_OPTION_WORDS ? "..." : "");
    fprintf(to, "%*s%s\n", used < LIST_COLUMN ? LIST_COLUMN - used : 2, "", option->doc);
}

void kl_options_list(const kl_option *table, size_t count, FILE *to)
{
    static const kl_option help = {.name = "help", .doc = "this text"};
    for (size_t i = 0; i < count; i++) {
        if (table[i].doc)
            list_one(&table[i], to);
    }
    list_one(&help, to);
}
