/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of keys, made of kloop/config_keys.h, and looking names up in it. */
#include "core/config_key.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "base/nearest.h"
#include "core/config_strangers.h"
#include "core/error.h"

#include <string.h>

/*
 * The words of each key one behind the other, each terminated, in the order of kloop_config_key:
 * in a library, pointers to them would take more room than they do. So the table is filled when
 * the program is loaded, before anything else of it runs.
 */
static const struct words {
#define ROW(ID, name, kind, preset, allowed, unit, meaning)                                        \
    char ID[sizeof name "\0" preset "\0" allowed "\0" unit];
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
} words = {
#define ROW(ID, name, kind, preset, allowed, unit, meaning) name "\0" preset "\0" allowed "\0" unit,
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
};

static const uint8_t kinds[KL_CONFIG_COUNT] = {
#define ROW(ID, name, kind, preset, allowed, unit, meaning) KL_CONFIG_KIND_##kind,
    KLOOP_CONFIG_KEYS(ROW)
#undef ROW
};

static const uint8_t types[] = {
    [KL_CONFIG_KIND_BOOL] = KLOOP_CONFIG_BOOL,
    [KL_CONFIG_KIND_CHOICE] = KLOOP_CONFIG_CHOICE,
    [KL_CONFIG_KIND_CHOICES] = KLOOP_CONFIG_LIST,
    [KL_CONFIG_KIND_FRACTION] = KLOOP_CONFIG_FRACTION,
    [KL_CONFIG_KIND_LEVEL] = KLOOP_CONFIG_NUMBER,
    [KL_CONFIG_KIND_NUMBER] = KLOOP_CONFIG_NUMBER,
    [KL_CONFIG_KIND_PARTITIONER] = KLOOP_CONFIG_CHOICE,
    [KL_CONFIG_KIND_PEM] = KLOOP_CONFIG_TEXT,
    [KL_CONFIG_KIND_SERVERS] = KLOOP_CONFIG_LIST,
    [KL_CONFIG_KIND_TEXT] = KLOOP_CONFIG_TEXT,
    [KL_CONFIG_KIND_VERSIONS] = KLOOP_CONFIG_LIST,
    [KL_CONFIG_KIND_SECRET] = KLOOP_CONFIG_TEXT,
    [KL_CONFIG_KIND_SECRET_PEM] = KLOOP_CONFIG_TEXT,
};

static kl_config_key keys[KL_CONFIG_COUNT];

static const char *next_word(const char **at)
{
    const char *word = *at;
    *at += strlen(word) + 1;
    return word;
}

/* Before a program's own constructors, which may make a configuration. */
__attribute__((constructor(101))) static void fill_keys(void)
{
    const char *at = (const char *)&words;
    for (kl_config_id id = 0; id < KL_CONFIG_COUNT; id++) {
        kl_config_key *key = &keys[id];
        key->shown.name = next_word(&at);
        key->shown.preset = next_word(&at);
        key->shown.allowed = next_word(&at);
        key->shown.unit = next_word(&at);
        key->kind = kinds[id];
        key->shown.type = types[key->kind];
        key->shown.secret = key->kind >= KL_CONFIG_KIND_SECRET;
    }
}

static const struct alias {
    const char *name;
    kl_config_id id;
    int16_t unit;
} aliases[] = {
#define ROW(alias_name, ID, alias_unit, remark) {alias_name, KL_CONFIG_##ID, alias_unit},
    KLOOP_CONFIG_ALIASES(ROW)
#undef ROW
};

#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

const kl_config_key *kl_config_key_of(kl_config_id id)
{
    KL_ASSERT((unsigned)id < KL_CONFIG_COUNT);
    return &keys[id];
}

static const struct alias *find_alias(const char *name)
{
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        if (strcmp(aliases[i].name, name) == 0)
            return &aliases[i];
    return NULL;
}

kl_config_named kl_config_key_find(const char *name)
{
    for (size_t i = 0; i < KL_CONFIG_COUNT; i++)
        if (strcmp(keys[i].shown.name, name) == 0)
            return (kl_config_named){&keys[i], (kl_config_id)i, 1};
    const struct alias *a = find_alias(name);
    return a ? (kl_config_named){&keys[a->id], a->id, a->unit} : (kl_config_named){0};
}

const char *kl_config_key_spelling(const char *name)
{
    const struct alias *a = find_alias(name);
    kl_config_named named = kl_config_key_find(name);
    return a ? a->name : named.key ? named.key->shown.name : NULL;
}

const char *kl_config_key_nearest(const char *name)
{
    kloop_string word = {name, strlen(name)};
    const char *best = NULL;
    for (size_t i = 0; i < KL_CONFIG_COUNT; i++)
        best = kl_nearest_of(best, keys[i].shown.name, word);
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        best = kl_nearest_of(best, aliases[i].name, word);
    return best;
}

kloop_status kl_config_key_refuse(const char *name, const char *value, kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    /* Who writes key=value in one word may have written a secret. */
    const char *equals = strchr(name, '=');
    kl_excerpt(shown, sizeof shown,
               (kloop_string){name, equals ? (size_t)(equals - name) : strlen(name)});
    const kl_config_strangers *row =
        kl_config_strangers_find(name, (kloop_string){value, value ? strlen(value) : 0});
    if (row)
        return kl_error_set(error, KLOOP_BAD_CONFIG, "%s is not taken: %s", shown,
                            kl_config_strangers_why(row));
    const char *near = kl_config_key_nearest(name);
    return kl_error_set(error, KLOOP_BAD_CONFIG, "there is no key '%s'%s%s%s", shown,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

size_t kloop_config_key_count(void)
{
    return KL_CONFIG_COUNT;
}

const kloop_config_key *kloop_config_key_at(size_t index)
{
    return index < KL_CONFIG_COUNT ? &keys[index].shown : NULL;
}

const kloop_config_key *kloop_config_key_find(const char *name)
{
    const kl_config_key *key = name ? kl_config_key_find(name).key : NULL;
    return key ? &key->shown : NULL;
}
