/* SPDX-License-Identifier: BSD-2-Clause */
/* What kloop makes of a configuration: a line filter that answers what ConfigLines.java answers. */
#include "base/buf.h"
#include "cli/properties_file.h"
#include "core/config_strangers.h"

#include <kloop/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 65536
#define PAIRS_MAX      4096

static void fail(const char *what)
{
    fprintf(stderr, "config: %s\n", what);
    exit(1);
}

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at)
        fail("no hex digit");
    return (unsigned)(at - digits);
}

/* Terminated, too. */
static size_t from_hex(const char *hex, char *text)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    text[len] = '\0';
    return len;
}

/* ---- properties HEX ---- */

/* Of one key, which a later line replaces: "HEX=HEX". */
static char *pairs[PAIRS_MAX];
static size_t pair_count;

static char *pair_of(const char *key, const char *value)
{
    size_t key_len = strlen(key), value_len = strlen(value);
    char *pair = malloc(2 * key_len + 2 * value_len + 2);
    char *at = pair;
    if (!pair)
        fail("no memory");
    for (size_t i = 0; i < key_len; i++)
        at += sprintf(at, "%02x", (unsigned)(unsigned char)key[i]);
    at += sprintf(at, "=");
    for (size_t i = 0; i < value_len; i++)
        at += sprintf(at, "%02x", (unsigned)(unsigned char)value[i]);
    *at = '\0';
    return pair;
}

static bool collect(void *ctx, const char *key, const char *value, unsigned line)
{
    (void)ctx;
    (void)line;
    char *pair = pair_of(key, value);
    size_t key_len = strcspn(pair, "=") + 1;
    for (size_t i = 0; i < pair_count; i++)
        if (strncmp(pairs[i], pair, key_len) == 0) {
            free(pairs[i]);
            pairs[i] = pair;
            return true;
        }
    if (pair_count == PAIRS_MAX)
        fail("too many pairs");
    pairs[pair_count++] = pair;
    return true;
}

/* By key, and '=' comes before no digit. */
static int by_key(const void *a, const void *b)
{
    const char *const *one = a;
    const char *const *other = b;
    size_t len = strcspn(*one, "="), other_len = strcspn(*other, "=");
    int order = memcmp(*one, *other, len < other_len ? len : other_len);
    return order ? order : (len > other_len) - (len < other_len);
}

static void answer_properties(const char *hex)
{
    static char file[LINE_MAX_BYTES];
    char why[128];
    size_t len = from_hex(hex, file);
    if (!kl_properties_parse(file, len, collect, NULL, why, sizeof why))
        printf("error: %s\n", why);
    qsort(pairs, pair_count, sizeof *pairs, by_key);
    for (size_t i = 0; i < pair_count; i++) {
        if (!why[0])
            printf("%s%s", i ? " " : "", pairs[i]);
        free(pairs[i]);
    }
    pair_count = 0;
    if (!why[0])
        printf("\n");
}

/* ---- known NAME, preset NAME, set NAME HEX ---- */

static void answer_known(const char *name)
{
    bool key = kloop_config_key_find(name) != NULL;
    bool stranger = kl_config_strangers_find(name, (kloop_string){"some", 4}) != NULL;
    puts(key ? "key" : stranger ? "known" : "unknown");
}

static void answer_set(char *rest)
{
    static char value[LINE_MAX_BYTES];
    char *space = strchr(rest, ' ');
    if (!space)
        fail("a key without a value");
    *space = '\0';
    from_hex(space + 1, value);
    kloop_config *c = kloop_config_new(NULL);
    if (kloop_config_set(c, rest, value))
        printf("error: %s\n", kloop_config_error(c));
    else
        printf("ok\n");
    kloop_config_del(c);
}

static void answer_preset(const char *name)
{
    const kloop_config_key *key = kloop_config_key_find(name);
    puts(!key ? "unknown" : key->preset[0] ? key->preset : "-");
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "properties ", 11) == 0)
            answer_properties(line + 11);
        else if (strncmp(line, "known ", 6) == 0)
            answer_known(line + 6);
        else if (strncmp(line, "preset ", 7) == 0)
            answer_preset(line + 7);
        else if (strncmp(line, "set ", 4) == 0)
            answer_set(line + 4);
        else
            fail("no such question");
    }
    return 0;
}
