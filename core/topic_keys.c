/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of one topic. See topic_keys.h. */
#include "core/topic_keys.h"

#include "base/check.h"
#include "base/excerpt.h"
#include "core/config_value.h"
#include "core/error.h"

#include <stdio.h>
#include <string.h>

#define NAME_LEN_MAX 249
#define PREFIX       KL_TOPIC_PREFIX

static const kl_config_id ids[KL_TOPIC_KEY_COUNT] = {
#define ROW(ID) [KL_TOPIC_KEY_##ID] = KL_CONFIG_##ID,
    KL_TOPIC_KEYS(ROW)
#undef ROW
};

kl_config_id kl_topic_keys_config_id(kl_topic_key key)
{
    KL_ASSERT((unsigned)key < KL_TOPIC_KEY_COUNT);
    return ids[key];
}

kl_topic_key kl_topic_keys_of(kl_config_id id)
{
    for (unsigned i = 0; i < KL_TOPIC_KEY_COUNT; i++)
        if (ids[i] == id)
            return (kl_topic_key)i;
    return KL_TOPIC_KEY_COUNT;
}

/* "batch.size, buffer.memory, ..." */
static const char *all_names(char *text, size_t size)
{
    size_t len = 0;
    for (unsigned i = 0; i < KL_TOPIC_KEY_COUNT; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "",
                                kl_config_key_of(ids[i])->shown.name);
    KL_ASSERT(len < size);
    return text;
}

#define ALL_NAMES_TEXT 400

kloop_status kl_topic_keys_set(kl_topic_keys *keys, const char *key, const char *said,
                               const char *value, kloop_error *error)
{
    if (!key)
        return kl_error_set(error, KLOOP_BAD_CONFIG, "a key is missing: it is NULL");
    kl_config_named named = kl_config_key_find(key);
    if (!named.key)
        return kl_config_key_refuse(key, value, error);
    char names[ALL_NAMES_TEXT];
    kl_topic_key at = kl_topic_keys_of(named.id);
    if (at == KL_TOPIC_KEY_COUNT)
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "%s is for the whole producer; what can be set for one topic: %s", said,
                            all_names(names, sizeof names));
    if (!value)
        return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: its value is missing: it is NULL", said);
    kloop_string text = kl_config_trim((kloop_string){value, strlen(value)});
    int64_t number;
    kloop_status status = kl_config_value_parse(named, said, text, &number, error);
    if (!status)
        kl_topic_keys_put(keys, at, number);
    return status;
}

/* ---- topic.NAME.KEY ---- */

bool kl_topic_path_is(const char *text)
{
    return strncmp(text, PREFIX, sizeof PREFIX - 1) == 0;
}

kl_topic_path kl_topic_path_of(const char *text)
{
    const char *name = text + sizeof PREFIX - 1;
    /* From the left, so that the longest key is found first. */
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        kl_config_named named = kl_config_key_find(dot + 1);
        if (named.key)
            return (kl_topic_path){{name, (size_t)(dot - name)}, dot + 1};
    }
    return (kl_topic_path){{name, strlen(name)}, NULL};
}

kloop_status kl_topic_path_refuse(const char *text, kloop_error *error)
{
    char names[ALL_NAMES_TEXT];
    char shown[KL_EXCERPT_SIZE];
    kl_topic_path path = kl_topic_path_of(text);
    if (path.key)
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "%s%s.%s: no topic can have that name; allowed: 1 to %d of a to z, A "
                            "to Z, 0 to 9, '.', '_' and '-'",
                            PREFIX, kl_excerpt(shown, sizeof shown, path.name), path.key,
                            NAME_LEN_MAX);
    kl_excerpt(shown, sizeof shown, (kloop_string){text, strlen(text)});
    return kl_error_set(error, KLOOP_BAD_CONFIG,
                        "'%s' does not end with a key of a topic, as topic.NAME.linger.ms does; "
                        "what can be set for one topic: %s",
                        shown, all_names(names, sizeof names));
}

bool kl_topic_name_is_legal(kloop_string name)
{
    if (!name.data || name.len == 0 || name.len > NAME_LEN_MAX)
        return false;
    bool only_dots = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && c != '_' && c != '-')
            return false;
        only_dots = only_dots && c == '.';
    }
    return !(only_dots && name.len <= 2);
}
