/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration under construction: what was set, checked key by key. Only text and notes take
 * memory, and only where they are set; the presets are in the table of keys.
 */
#include "core/config_follow.h"
#include "core/config_read.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "base/wipe.h"
#include "core/config_pem.h"
#include "core/config_value.h"
#include "core/error.h"

#include <string.h>

typedef struct value {
    const char *said;        /* the name it was set by; NULL: it was not */
    const char *said_before; /* another name, by which it was set earlier */
    int64_t number;
    char shown[KL_CONFIG_NUMBER_TEXT]; /* the number */
    char *text;                        /* terminated; NULL: the preset */
    size_t text_len;
    size_t text_size; /* of its memory */
} value;

typedef struct topic {
    kl_topic_named_keys named;
    char shown[KL_TOPIC_KEY_COUNT][KL_CONFIG_NUMBER_TEXT];
} topic;

struct kloop_config {
    kloop_allocator alloc;
    kloop_error latest;
    kloop_error first; /* the first refusal */
    value values[KL_CONFIG_COUNT];
    topic *topics;
    size_t topic_count;
    kl_config_notes notes;
};

static bool has_text(kl_config_id id)
{
    return kl_config_key_of(id)->kind > KL_CONFIG_KIND_PARTITIONER;
}

static kloop_string text_of(const char *text)
{
    return (kloop_string){text, strlen(text)};
}

/* What was not set, anew: it may follow what was. */
static void put_presets(kloop_config *c)
{
    for (kl_config_id id = 0; id < KL_CONFIG_COUNT; id++) {
        const kl_config_key *key = kl_config_key_of(id);
        value *v = &c->values[id];
        if (v->said || has_text(id))
            continue;
        int64_t preset = -1; /* of a CHOICE that has none */
        if (key->shown.preset[0]) {
            kloop_status status =
                kl_config_value_parse((kl_config_named){key, id, 1}, key->shown.name,
                                      text_of(key->shown.preset), &preset, NULL);
            KL_ASSERT(!status);
        }
        v->number = kl_config_follow(c, id, preset);
        kl_config_value_print(key, v->number, v->shown, sizeof v->shown);
    }
}

kloop_config *kloop_config_new(const kloop_allocator *alloc)
{
    if (!alloc)
        alloc = &kl_mem_libc;
    kloop_config *c = kl_mem_zalloc(alloc, 1, sizeof *c);
    if (!c)
        return NULL;
    c->alloc = *alloc;
    put_presets(c);
    /* Once more, since the first time those further down had nothing to be followed in. */
    put_presets(c);
    return c;
}

static void release_text(kloop_config *c, value *v)
{
    kl_wipe_release(&c->alloc, v->text, v->text_size);
}

void kloop_config_del(kloop_config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < KL_CONFIG_COUNT; i++)
        release_text(c, &c->values[i]);
    for (size_t i = 0; i < c->topic_count; i++)
        kl_mem_release(&c->alloc, (void *)c->topics[i].named.name.data,
                       c->topics[i].named.name.len + 1);
    kl_mem_release(&c->alloc, c->topics, c->topic_count * sizeof *c->topics);
    kl_config_notes_deinit(&c->notes, &c->alloc);
    kloop_allocator alloc = c->alloc;
    kl_mem_release(&alloc, c, sizeof *c);
}

static kloop_status keep_text(kloop_config *c, kl_config_id id, kloop_string text, const char *name)
{
    value *v = &c->values[id];
    kl_config_kind kind = kl_config_key_of(id)->kind;
    bool pem = kind == KL_CONFIG_KIND_PEM || kind == KL_CONFIG_KIND_SECRET_PEM;
    size_t size = pem ? KL_CONFIG_PEM_SIZE(text.len) : text.len + 1;
    char *copy = kl_mem_alloc(&c->alloc, size);
    if (!copy)
        return kl_error_set(&c->latest, KLOOP_NO_MEMORY, "%s: there is no memory for its value",
                            name);
    release_text(c, v);
    v->text = copy;
    v->text_len = text.len;
    v->text_size = size;
    if (pem) {
        v->text_len = kl_config_pem_lines(text, copy);
        return KLOOP_OK;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return KLOOP_OK;
}

/* A key for all topics. topic.KEY without a name is how kcat calls what it sets on topics. */
static kl_config_named find_key(const char *name)
{
    kl_config_named named = kl_config_key_find(name);
    if (!named.key && kl_topic_path_is(name))
        named = kl_config_key_find(name + KL_TOPIC_PREFIX_LEN);
    return named;
}

/* ---- topic.NAME.KEY ---- */

static topic *topic_of(const kloop_config *c, kloop_string name)
{
    for (size_t i = 0; i < c->topic_count; i++) {
        kloop_string known = c->topics[i].named.name;
        if (known.len == name.len && memcmp(known.data, name.data, name.len) == 0)
            return &c->topics[i];
    }
    return NULL;
}

/* NULL: no memory. */
static topic *add_topic(kloop_config *c, kloop_string name)
{
    size_t had = c->topic_count * sizeof *c->topics;
    char *copy = kl_mem_alloc(&c->alloc, name.len + 1);
    topic *topics = copy ? kl_mem_resize(&c->alloc, c->topics, had, had + sizeof *topics) : NULL;
    if (!topics) {
        kl_mem_release(&c->alloc, copy, name.len + 1);
        return NULL;
    }
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    c->topics = topics;
    topics[c->topic_count] = (topic){.named.name = {copy, name.len}};
    return &topics[c->topic_count++];
}

static kloop_status set_of_topic(kloop_config *c, const char *path, const char *text)
{
    kl_topic_path at = kl_topic_path_of(path);
    if (!at.key || !kl_topic_name_is_legal(at.name))
        return kl_topic_path_refuse(path, &c->latest);
    topic *t = topic_of(c, at.name);
    kl_topic_keys keys = t ? t->named.keys : (kl_topic_keys){0};
    kloop_status status = kl_topic_keys_set(&keys, at.key, path, text, &c->latest);
    if (status)
        return status;
    if (!t && !(t = add_topic(c, at.name)))
        return kl_error_set(&c->latest, KLOOP_NO_MEMORY, "%s: there is no memory for it", path);
    t->named.keys = keys;
    kl_config_id id = kl_config_key_find(at.key).id;
    kl_topic_key key = kl_topic_keys_of(id);
    kl_config_value_print(kl_config_key_of(id), keys.numbers[key], t->shown[key],
                          sizeof t->shown[key]);
    return KLOOP_OK;
}

/* What a key of either sort has. */
typedef struct place {
    const char *value; /* NULL: there is none of this name */
    bool set;
} place;

static place look_up_all(const kloop_config *c, kl_config_id id)
{
    const value *v = &c->values[id];
    const char *text = has_text(id) ? kl_config_text(c, id).data : v->shown;
    return (place){text, v->said != NULL};
}

static place look_up(const kloop_config *c, const char *name)
{
    kl_config_named named = find_key(name);
    if (named.key)
        return look_up_all(c, named.id);
    kl_topic_path path = kl_topic_path_is(name) ? kl_topic_path_of(name) : (kl_topic_path){0};
    if (!path.key || !kl_topic_name_is_legal(path.name))
        return (place){0};
    named = kl_config_key_find(path.key);
    kl_topic_key key = kl_topic_keys_of(named.id);
    if (key == KL_TOPIC_KEY_COUNT)
        return (place){0};
    const topic *t = topic_of(c, path.name);
    if (t && kl_topic_keys_has(&t->named.keys, key))
        return (place){t->shown[key], true};
    /* What was not set for the topic is as for all. */
    return (place){look_up_all(c, named.id).value, false};
}

size_t kl_config_topic_count(const kloop_config *c)
{
    return c->topic_count;
}

const kl_topic_named_keys *kl_config_topic_at(const kloop_config *c, size_t index)
{
    return &c->topics[index].named;
}

/* ---- Setting and getting ---- */

static kloop_status keep_note(kloop_config *c, const char *name, const kl_config_strangers *row)
{
    if (kl_config_notes_add(&c->notes, &c->alloc, name, row))
        return KLOOP_OK;
    char shown[KL_EXCERPT_SIZE];
    return kl_error_set(&c->latest, KLOOP_NO_MEMORY, "%s: there is no memory for a note of it",
                        kl_excerpt(shown, sizeof shown, text_of(name)));
}

/* A name that is no key. */
static kloop_status set_stranger(kloop_config *c, const char *name, const char *text)
{
    const kl_config_strangers *row =
        kl_config_strangers_find(name, kl_config_trim(text_of(text ? text : "")));
    if (row && row->ruling == KL_STRANGER_ALIKE)
        return KLOOP_OK;
    if (row && row->ruling == KL_STRANGER_NOTED)
        return keep_note(c, name, row);
    /* A slip in one of these could weaken what is trusted. */
    bool security = strncmp(name, "ssl.", 4) == 0 || strncmp(name, "sasl.", 5) == 0;
    if (!row && !security && c->values[KL_CONFIG_IGNORE_UNKNOWN].number)
        return keep_note(c, name, NULL);
    return !row && kl_topic_path_is(name) ? kl_topic_path_refuse(name, &c->latest)
                                          : kl_config_key_refuse(name, text, &c->latest);
}

static kloop_status set(kloop_config *c, const char *name, const char *text)
{
    if (!name)
        return kl_error_set(&c->latest, KLOOP_BAD_CONFIG, "a key is missing: it is NULL");
    kl_config_named named = find_key(name);
    if (!named.key && kl_topic_path_is(name) && kl_topic_path_of(name).key)
        return set_of_topic(c, name, text);
    if (!named.key)
        return set_stranger(c, name, text);
    if (!text)
        return kl_error_set(&c->latest, KLOOP_BAD_CONFIG, "%s: its value is missing: it is NULL",
                            name);
    kloop_string trimmed = kl_config_trim(text_of(text));
    value *v = &c->values[named.id];
    kloop_status status = kl_config_value_parse(named, name, trimmed, &v->number, &c->latest);
    if (!status && has_text(named.id))
        status = keep_text(c, named.id, trimmed, name);
    else if (!status)
        kl_config_value_print(named.key, v->number, v->shown, sizeof v->shown);
    if (status)
        return status;
    const char *said = kl_config_key_spelling(name);
    if (!said)
        said = kl_config_key_spelling(name + KL_TOPIC_PREFIX_LEN);
    if (v->said && v->said != said)
        v->said_before = v->said;
    v->said = said;
    put_presets(c);
    return KLOOP_OK;
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

const char *kloop_config_get(const kloop_config *c, const char *key)
{
    return c && key ? look_up(c, key).value : NULL;
}

bool kloop_config_is_set(const kloop_config *c, const char *key)
{
    return c && key && look_up(c, key).set;
}

const kloop_error *kl_config_refusal(const kloop_config *c)
{
    return c->first.status ? &c->first : NULL;
}

const kl_config_notes *kl_config_notes_of(const kloop_config *c)
{
    return &c->notes;
}

const char *kl_config_said(const kloop_config *c, kl_config_id id)
{
    return c->values[id].said;
}

const char *kl_config_said_before(const kloop_config *c, kl_config_id id)
{
    return c->values[id].said_before;
}

bool kl_config_has(const kloop_config *c, kl_config_id id)
{
    return c->values[id].said != NULL;
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
