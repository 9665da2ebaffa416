/* SPDX-License-Identifier: BSD-2-Clause */
/* What may surprise in a configuration, as sentences. See config_notes.h. */
#include "core/config_notes.h"

#include "base/excerpt.h"
#include "base/mem.h"
#include "core/config_security.h"
#include "core/error.h"
#include "core/settings.h"

#include <stdio.h>
#include <string.h>

/* ---- Names ---- */

bool kl_config_notes_add(kl_config_notes *notes, const kloop_allocator *alloc, const char *name,
                         const kl_config_strangers *row)
{
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->list[i].name, name) == 0) {
            notes->list[i].row = row;
            return true;
        }
    size_t len = strlen(name);
    char *copy = kl_mem_alloc(alloc, len + 1);
    size_t had = notes->count * sizeof *notes->list;
    kl_config_noted *list =
        copy ? kl_mem_resize(alloc, notes->list, had, had + sizeof *list) : NULL;
    if (!list) {
        kl_mem_release(alloc, copy, len + 1);
        return false;
    }
    memcpy(copy, name, len + 1);
    notes->list = list;
    list[notes->count++] = (kl_config_noted){copy, len, row};
    return true;
}

void kl_config_notes_deinit(kl_config_notes *notes, const kloop_allocator *alloc)
{
    for (size_t i = 0; i < notes->count; i++)
        kl_mem_release(alloc, notes->list[i].name, notes->list[i].len + 1);
    kl_mem_release(alloc, notes->list, notes->count * sizeof *notes->list);
    *notes = (kl_config_notes){0};
}

/* ---- Sentences ---- */

/* The one that is wanted is so many sentences further on. */
typedef struct looking {
    const kloop_config *c;
    size_t index;
    kloop_error *note;
} looking;

static bool is_wanted(looking *l)
{
    return l->index-- == 0;
}

/* Room for the reason behind the names, in what a line of log holds. */
#define NAMES_TEXT 200

/* "a, b, c", or "a, b and 7 more". */
typedef struct names {
    size_t len, left_out;
    char text[NAMES_TEXT];
} names;

static void add_name(names *n, const char *name)
{
    char shown[KL_EXCERPT_SIZE];
    kl_excerpt(shown, sizeof shown, (kloop_string){name, strlen(name)});
    size_t room = sizeof n->text - n->len;
    if (n->left_out || strlen(shown) + sizeof ", and 18446744073709551615 more" > room)
        snprintf(n->text + n->len, room, " and %zu more", ++n->left_out);
    else
        n->len += (size_t)snprintf(n->text + n->len, room, "%s%s", n->len ? ", " : "", shown);
}

/* Were there any? */
static bool list_names(const kl_config_notes *notes, const kl_config_strangers *row, names *n)
{
    *n = (names){0};
    for (size_t i = 0; i < notes->count; i++)
        if (notes->list[i].row == row)
            add_name(n, notes->list[i].name);
    return n->len > 0;
}

static bool without_effect(looking *l)
{
    names n;
    const kl_config_notes *notes = kl_config_notes_of(l->c);
    for (size_t i = 0; notes->count && i < kl_config_strangers_count(); i++) {
        const kl_config_strangers *row = kl_config_strangers_at(i);
        if (list_names(notes, row, &n) && is_wanted(l)) {
            kl_error_set(l->note, KLOOP_OK, "no effect here: %s (%s)", n.text,
                         kl_config_strangers_why(row));
            return true;
        }
    }
    if (list_names(notes, NULL, &n) && is_wanted(l)) {
        kl_error_set(l->note, KLOOP_OK,
                     "passed over: %s (there is no such key, and ignore.unknown.config=true)",
                     n.text);
        return true;
    }
    return false;
}

static bool security(looking *l)
{
    names n = {0};
    for (kl_config_id id = 0; id < KL_CONFIG_COUNT; id++)
        if (kl_config_security_is_idle(l->c, id))
            add_name(&n, kl_config_said(l->c, id));
    if (n.len > 0 && is_wanted(l)) {
        kl_error_set(l->note, KLOOP_OK, "no effect here: %s (security.protocol=%s)", n.text,
                     kloop_config_get(l->c, "security.protocol"));
        return true;
    }
    if (!kl_config_has_tls(l->c) || kl_config_number(l->c, KL_CONFIG_HOST_CHECK) == 0 ||
        !is_wanted(l))
        return false;
    kl_error_set(l->note, KLOOP_OK,
                 "ssl.endpoint.identification.algorithm=none: whoever has any certificate of the "
                 "CA can pass for a broker");
    return true;
}

static bool two_names(looking *l)
{
    for (kl_config_id id = 0; id < KL_CONFIG_COUNT; id++) {
        const char *name = kl_config_key_of(id)->shown.name;
        const char *before = kl_config_said_before(l->c, id);
        /* What is long or secret is not quoted. */
        bool shown = kl_config_key_of(id)->kind <= KL_CONFIG_KIND_PARTITIONER;
        if (before && is_wanted(l)) {
            kl_error_set(l->note, KLOOP_OK, "%s and %s are one key%s%s%s%s: the last word counts",
                         before, kl_config_said(l->c, id), shown ? ", which is now " : "",
                         shown ? name : "", shown ? "=" : "",
                         shown ? kloop_config_get(l->c, name) : "");
            return true;
        }
    }
    return false;
}

/* Does somebody speak librdkafka's language? */
static bool is_from_librdkafka(const kloop_config *c)
{
    const kl_config_notes *notes = kl_config_notes_of(c);
    for (size_t i = 0; i < notes->count; i++)
        if (notes->list[i].row && notes->list[i].row->origin == KL_STRANGER_OF_LIBRDKAFKA)
            return true;
    for (kl_config_id id = 0; id < KL_CONFIG_COUNT; id++) {
        const char *said = kl_config_said(c, id);
        if (said && strcmp(said, kl_config_key_of(id)->shown.name) != 0)
            return true;
    }
    return false;
}

static bool java_s_meaning(looking *l)
{
    static const struct {
        kl_config_id id;
        const char *text;
    } rows[] = {
        {KL_CONFIG_IDLE, "connections.max.idle.ms=0 has Java's meaning, no time at all; what "
                         "librdkafka means by 0, never, is -1"},
        {KL_CONFIG_METADATA_MAX_AGE,
         "metadata.max.age.ms has Java's meaning, how often metadata is asked for; librdkafka's of "
         "this name is when it is forgotten"},
        {KL_CONFIG_REQUEST_TIMEOUT,
         "request.timeout.ms has Java's meaning, how long any answer is waited for; librdkafka's "
         "of this name is the time for replicas alone"},
    };
    if (!is_from_librdkafka(l->c))
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kl_config_id id = rows[i].id;
        const char *said = kl_config_said(l->c, id);
        bool meant = said && strcmp(said, kl_config_key_of(id)->shown.name) == 0 &&
                     (id != KL_CONFIG_IDLE || kl_config_number(l->c, id) == 0);
        if (meant && is_wanted(l)) {
            kl_error_set(l->note, KLOOP_OK, "%s", rows[i].text);
            return true;
        }
    }
    return false;
}

static bool turned_off(looking *l)
{
    if (!kl_settings_turn_off_idempotence(l->c) || !is_wanted(l))
        return false;
    kl_error_set(l->note, KLOOP_OK,
                 "enable.idempotence is off, because acks or retries rule it out: a retry may "
                 "store a record twice");
    return true;
}

bool kloop_config_note(const kloop_config *c, size_t index, kloop_error *note)
{
    looking l = {c, index, note};
    return c && (without_effect(&l) || security(&l) || two_names(&l) || java_s_meaning(&l) ||
                 turned_off(&l));
}
