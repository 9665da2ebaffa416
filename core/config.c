/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration under construction: what was set, checked key by key. Only text takes memory,
 * and only where it is set; the presets are in the table of keys.
 */
#include "core/config_read.h"
#include "base/check.h"
#include "base/excerpt.h"
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
};

static bool has_text(kl_config_id id)
{
    kl_config_kind kind = kl_config_key_of(id)->kind;
    return kind == KL_CONFIG_KIND_TEXT || kind == KL_CONFIG_KIND_SERVERS;
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

static kloop_status refuse_name(const char *name, kloop_error *error)
{
    char shown[KL_EXCERPT_SIZE];
    kl_excerpt(shown, sizeof shown, text_of(name));
    const char *why_not = kl_config_key_why_not(name);
    if (why_not)
        return kl_error_set(error, KLOOP_BAD_CONFIG, "%s %s", shown, why_not);
    const char *near = kl_config_key_nearest(name);
    return kl_error_set(error, KLOOP_BAD_CONFIG, "there is no key '%s'%s%s%s", shown,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static kloop_status set(kloop_config *c, const char *name, const char *text)
{
    if (!name)
        return kl_error_set(&c->latest, KLOOP_BAD_CONFIG, "a key is missing: it is NULL");
    kl_config_named named = kl_config_key_find(name);
    if (!named.key)
        return refuse_name(name, &c->latest);
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
    kl_config_named named = c && key ? kl_config_key_find(key) : (kl_config_named){0};
    if (!named.key)
        return NULL;
    if (has_text(named.id))
        return kl_config_text(c, named.id).data;
    kl_config_value_print(named.key, c->values[named.id].number, c->shown, sizeof c->shown);
    return c->shown;
}

bool kloop_config_is_set(const kloop_config *c, const char *key)
{
    kl_config_named named = c && key ? kl_config_key_find(key) : (kl_config_named){0};
    return named.key && c->values[named.id].set;
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
