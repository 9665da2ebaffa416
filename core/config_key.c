/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of keys, made of core/config_map.h, and looking names up in it. */
#include "core/config_key.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "base/nearest.h"
#include "core/error.h"

#include <string.h>

#define RANGE(lowest, highest) .lo = lowest, .hi = highest, .shown.allowed = #lowest " to " #highest
#define ONE_OF(choices)        .shown.allowed = choices
#define SOME_OF(choices)       .shown.allowed = choices "; or several with commas, best first"
#define LEVELS(id, in_words)   .codec = id, .shown.allowed = in_words
#define WORDS(in_words)        .shown.allowed = in_words

static const kl_config_key keys[KL_CONFIG_COUNT] = {
#define ROW(ID, key_name, key_kind, key_preset, key_allowed, key_doc)                              \
    [KL_CONFIG_##ID] = {.shown.name = key_name,                                                    \
                        .shown.preset = key_preset,                                                \
                        .shown.doc = key_doc,                                                      \
                        .kind = KL_CONFIG_KIND_##key_kind,                                         \
                        key_allowed},
    KL_CONFIG_MAP(ROW)
#undef ROW
};

static const struct alias {
    const char *name;
    kl_config_id id;
    int64_t unit;
} aliases[] = {
#define ROW(alias_name, ID, alias_unit) {alias_name, KL_CONFIG_##ID, alias_unit},
    KL_CONFIG_ALIASES(ROW)
#undef ROW
};

#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

const kl_config_key *kl_config_key_of(kl_config_id id)
{
    KL_ASSERT((unsigned)id < KL_CONFIG_COUNT);
    return &keys[id];
}

kl_config_named kl_config_key_find(const char *name)
{
    for (size_t i = 0; i < KL_CONFIG_COUNT; i++)
        if (strcmp(keys[i].shown.name, name) == 0)
            return (kl_config_named){&keys[i], (kl_config_id)i, 1};
    for (size_t i = 0; i < ALIAS_COUNT; i++)
        if (strcmp(aliases[i].name, name) == 0)
            return (kl_config_named){&keys[aliases[i].id], aliases[i].id, aliases[i].unit};
    return (kl_config_named){0};
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

kloop_status kl_config_key_refuse(const char *name, kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    kl_excerpt(shown, sizeof shown, (kloop_string){name, strlen(name)});
    const char *why_not = kl_config_key_why_not(name);
    if (why_not)
        return kl_error_set(error, KLOOP_BAD_CONFIG, "%s %s", shown, why_not);
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
