/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration under construction: what was set, checked key by key. Only text takes memory,
 * and only where it is set; the presets are in the table of keys.
 */
#include "core/config_read.h"
#include "base/check.h"
#include "base/mem.h"
#include "core/config_value.h"
#include "core/error.h"

#include <string.h>

typedef struct value {
    bool set;
    int64_t number;
    char *text; /* terminated; NULL: the preset */
    size_t text_len;
} value;

struct kloop_config {
    kloop_allocator alloc;
    kloop_error latest;
    kloop_error first; /* the first refusal */
    char shown[KL_CONFIG_NUMBER_TEXT];
    value values[KL_CONFIG_COUNT];
    kl_topic_named_keys *topics;
    size_t topic_count;
};

static bool has_text(kl_config_id id)
{
    kl_config_kind kind = kl_config_key_of(id)->kind;
    return kind == KL_CONFIG_KIND_TEXT || kind == KL_CONFIG_KIND_SERVERS ||
           kind == KL_CONFIG_KIND_VERSIONS;
}

static kloop_string text_of(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

kloop_config *kloop_config_new(const kloop_allocator *alloc)
{
    if (!alloc)
        alloc = &kl_mem_libc;
    kloop_config *c = kl_mem_zalloc(alloc, 1, sizeof *c);
    if (!c)
        return NULL;
    c->alloc = *alloc;
    for (kl_config_id id = 0; id < KL_CONFIG_COUNT; id++) {
        const kl_config_key *key = kl_config_key_of(id);
        if (has_text(id))
            continue;
        kloop_status status =
            kl_config_value_parse((kl_config_named){key, id, 1}, key->shown.name,
                                  text_of(key->shown.preset), &c->values[id].number, NULL);
        KL_ASSERT(!status);
    }
    return c;
}

static void release_text(kloop_config *c, value *v)
{
    kl_mem_release(&c->alloc, v->text, v->text_len + 1);
}

void kloop_config_del(kloop_config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < KL_CONFIG_COUNT; i++)
        release_text(c, &c->values[i]);
    for (size_t i = 0; i < c->topic_count; i++)
        kl_mem_release(&c->alloc, (void *)c->topics[i].name.data, c->topics[i].name.len + 1);
    kl_mem_release(&c->alloc, c->topics, c->topic_count * sizeof *c->topics);
    kloop_allocator alloc = c->alloc;
    kl_mem_release(&alloc, c, sizeof *c);
}

static kloop_status keep_text(kloop_config *c, value *v, kloop_string text, const char *name)
{
    char *copy = kl_mem_alloc(&c->alloc, text.len + 1);
    if (!copy)
        return kl_error_set(&c->latest, KLOOP_NO_MEMORY, "%s: there is no memory for its value",
                            name);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    release_text(c, v);
    v->text = copy;
    v->text_len = text.len;
    return KLOOP_OK;
}

/* ---- topic.NAME.KEY ---- */

static kl_topic_named_keys *topic_of(const kloop_config *c, kloop_string name)
{
    for (size_t i = 0; i < c->topic_count; i++) {
        kl_topic_named_keys *t = &c->topics[i];
        if (t->name.len == name.len && memcmp(t->name.data, name.data, name.len) == 0)
            return t;
    }
    return NULL;
}

/* NULL: no memory. */
static kl_topic_named_keys *add_topic(kloop_config *c, kloop_string name, const kl_topic_keys *keys)
{
    size_t had = c->topic_count * sizeof *c->topics;
    char *copy = kl_mem_alloc(&c->alloc, name.len + 1);
    kl_topic_named_keys *topics =
        copy ? kl_mem_resize(&c->alloc, c->topics, had, had + sizeof *topics) : NULL;
    if (!topics) {
        kl_mem_release(&c->alloc, copy, name.len + 1);
        return NULL;
    }
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    c->topics = topics;
    topics[c->topic_count] = (kl_topic_named_keys){{copy, name.len}, *keys};
    return &topics[c->topic_count++];
}

static kloop_status set_of_topic(kloop_config *c, const char *path, const char *text)
{
    kl_topic_path at = kl_topic_path_of(path);
    if (!at.key || !kl_topic_name_is_legal(at.name))
        return kl_topic_path_refuse(path, &c->latest);
    kl_topic_named_keys *t = topic_of(c, at.name);
    kl_topic_keys keys = t ? t->keys : (kl_topic_keys){0};
    kloop_status status = kl_topic_keys_set(&keys, at.key, path, text, &c->latest);
    if (status)
        return status;
    if (!t && !(t = add_topic(c, at.name, &keys)))
        return kl_error_set(&c->latest, KLOOP_NO_MEMORY, "%s: there is no memory for it", path);
    t->keys = keys;
    return KLOOP_OK;
}

/* What a key of either sort has. */
typedef struct place {
    kl_config_named named; /* without a key: there is none of this name */
    bool set;
    int64_t number; /* unless the key has text */
} place;

static place look_up(const kloop_config *c, const char *name)
{
    place at = {.named = kl_config_key_find(name)};
    if (at.named.key) {
        at.set = c->values[at.named.id].set;
        at.number = c->values[at.named.id].number;
        return at;
    }
    kl_topic_path path = kl_topic_path_is(name) ? kl_topic_path_of(name) : (kl_topic_path){0};
    if (!path.key || !kl_topic_name_is_legal(path.name))
        return at;
    kl_config_named named = kl_config_key_find(path.key);
    kl_topic_key key = kl_topic_keys_of(named.id);
    if (key == KL_TOPIC_KEY_COUNT)
        return at;
    /* What was not set for the topic is as for all. */
    const kl_topic_named_keys *t = topic_of(c, path.name);
    at.named = named;
    at.set = t && kl_topic_keys_has(&t->keys, key);
    at.number = at.set ? t->keys.numbers[key] : c->values[named.id].number;
    return at;
}

size_t kl_config_topic_count(const kloop_config *c)
{
    return c->topic_count;
}

const kl_topic_named_keys *kl_config_topic_at(const kloop_config *c, size_t index)
{
    return &c->topics[index];
}

/* ---- Setting and getting ---- */

static kloop_status set(kloop_config *c, const char *name, const char *text)
{
    if (!name)
        return kl_error_set(&c->latest, KLOOP_BAD_CONFIG, "a key is missing: it is NULL");
    kl_config_named named = kl_config_key_find(name);
    if (!named.key && kl_topic_path_is(name))
        return set_of_topic(c, name, text);
    if (!named.key)
        return kl_config_key_refuse(name, &c->latest);
    if (!text)
        return kl_error_set(&c->latest, KLOOP_BAD_CONFIG, "%s: its value is missing: it is NULL",
                            name);
    kloop_string trimmed = kl_config_trim(text_of(text));
    value *v = &c->values[named.id];
    kloop_status status = kl_config_value_parse(named, name, trimmed, &v->number, &c->latest);
    if (!status && has_text(named.id))
        status = keep_text(c, v, trimmed, name);
    if (!status)
        v->set = true;
    return status;
}

kloop_status kloop_config_set(kloop_config *c, const char *key, const char *text)
{
    if (!c)
        return KLOOP_NO_MEMORY;
    kl_error_clear(&c->latest);
    kloop_status status = set(c, key, text);
    if (status && !c->first.status)
        c->first = c->latest;
    return status;
}

const char *kloop_config_error(const kloop_config *c)
{
    return c ? c->latest.text : "there was no memory for a configuration";
}

const char *kloop_config_get(kloop_config *c, const char *key)
{
    place at = c && key ? look_up(c, key) : (place){0};
    if (!at.named.key)
        return NULL;
    if (has_text(at.named.id))
        return kl_config_text(c, at.named.id).data;
    kl_config_value_print(at.named.key, at.number, c->shown, sizeof c->shown);
    return c->shown;
}

bool kloop_config_is_set(const kloop_config *c, const char *key)
{
    return c && key && look_up(c, key).set;
}

const kloop_error *kl_config_refusal(const kloop_config *c)
{
    return c->first.status ? &c->first : NULL;
}

bool kl_config_has(const kloop_config *c, kl_config_id id)
{
    return c->values[id].set;
}

int64_t kl_config_number(const kloop_config *c, kl_config_id id)
{
    KL_ASSERT(!has_text(id));
    return c->values[id].number;
}

kloop_string kl_config_text(const kloop_config *c, kl_config_id id)
{
    KL_ASSERT(has_text(id));
    const value *v = &c->values[id];
    return v->text ? (kloop_string){v->text, v->text_len}
                   : text_of(kl_config_key_of(id)->shown.preset);
}
