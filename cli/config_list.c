/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of keys for people. See config_list.h. */
#include "cli/config_list.h"

#include <kloop/config_keys.h>

#include <string.h>

#define COLUMNS 80
#define INDENT  "    "

typedef struct meaning {
    const char *name;
    const char *text;
} meaning;

static const meaning meanings[] = {
#define ROW(ID, name, kind, preset, allowed, unit, text) {name, text},
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
};

static const char *const aliases[] = {
#define ROW(name, ID, unit, remark) name,
    KLOOP_CONFIG_ALIASES(ROW)
#undef ROW
};

/* Words in lines, indented. */
static void print_wrapped(const char *text, FILE *to)
{
    size_t column = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (column && column + 1 + len > COLUMNS) {
            fputs("\n", to);
            column = 0;
        }
        fprintf(to, "%s%.*s", column ? " " : INDENT, (int)len, text);
        column = column ? column + 1 + len : sizeof INDENT - 1 + len;
        text += len;
        text += *text == ' ';
    }
    fputs("\n", to);
}

static void print_names(const kloop_config_key *key, FILE *to)
{
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (kloop_config_key_find(aliases[i]) == key)
            fprintf(to, INDENT "also called %s\n", aliases[i]);
}

void kl_config_list_print(FILE *to)
{
    /* Asking it for a key of a topic tells whether there is such a key. */
    kloop_config *probe = kloop_config_new(NULL);
    for (size_t i = 0; i < kloop_config_key_count(); i++) {
        const kloop_config_key *key = kloop_config_key_at(i);
        char text[512];
        fprintf(to, "%s%s=%s\n", i ? "\n" : "", key->name, key->preset);
        print_wrapped(meanings[i].text, to);
        snprintf(text, sizeof text, "allowed: %s%s%s", key->allowed, key->unit[0] ? " " : "",
                 key->unit);
        print_wrapped(text, to);
        if (key->secret)
            fprintf(to, INDENT "secret: it is never printed\n");
        print_names(key, to);
        snprintf(text, sizeof text, "topic.NAME.%s", key->name);
        if (kloop_config_get(probe, text))
            fprintf(to, INDENT "for one topic: %s\n", text);
    }
    kloop_config_del(probe);
}
