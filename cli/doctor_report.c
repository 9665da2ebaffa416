/* SPDX-License-Identifier: BSD-2-Clause */
/* See doctor_report.h. */
#include "cli/doctor_report.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (KL_FINDING_TEXT_MAX / 2)

void kl_doctor_report_init(kl_doctor_report *r)
{
    *r = (kl_doctor_report){0};
    kl_arena_init(&r->arena, &kl_mem_libc);
}

void kl_doctor_report_deinit(kl_doctor_report *r)
{
    kl_arena_deinit(&r->arena);
    *r = (kl_doctor_report){0};
}

static void *make(kl_doctor_report *r, size_t size)
{
    void *p = kl_arena_zalloc(&r->arena, 1, size);
    if (!p)
        r->no_memory = true;
    return p;
}

/* "" where there is no memory. */
static const char *copy(kl_doctor_report *r, const char *text)
{
    size_t size = strlen(text) + 1;
    char *p = kl_arena_alloc_bytes(&r->arena, size);
    if (p)
        return memcpy(p, text, size);
    r->no_memory = true;
    return "";
}

/* ---- Groups and findings ---- */

kl_doctor_group *kl_doctor_group_add(kl_doctor_report *r, kl_group_kind kind, const char *name)
{
    kl_doctor_group *g = make(r, sizeof *g), **end = &r->groups;
    if (!g)
        return NULL;
    *g = (kl_doctor_group){.kind = kind, .name = copy(r, name), .broker = -1};
    while (*end)
        end = &(*end)->next;
    *end = g;
    return g;
}

kl_finding *kl_doctor_finding_add(kl_doctor_report *r, kl_doctor_group *g, const char *step,
                                  kl_finding_outcome outcome)
{
    kl_finding *f = g ? make(r, sizeof *f) : NULL;
    if (!f)
        return NULL;
    *f = (kl_finding){.step = step, .outcome = outcome, .us = -1, .says = ""};
    kl_finding **end = &g->findings;
    while (*end)
        end = &(*end)->next;
    *end = f;
    r->counts[outcome]++;
    return f;
}

void kl_doctor_worsen(kl_doctor_report *r, kl_finding *f, kl_finding_outcome outcome)
{
    if (!f || outcome <= f->outcome)
        return;
    r->counts[f->outcome]--;
    r->counts[outcome]++;
    f->outcome = outcome;
}

/* ---- Texts ---- */

/* Cut where it is too long, and not within a letter. */
static const char *joined(kl_doctor_report *r, const char *before, const char *between,
                          const char *more)
{
    char text[KL_FINDING_TEXT_MAX];
    if (!before)
        before = "";
    size_t len = strlen(before);
    snprintf(text, sizeof text, "%s%s%s", before, len > 0 && before[len - 1] != '\n' ? between : "",
             more);
    text[kl_utf8_valid_len(text, strlen(text))] = '\0';
    return copy(r, text);
}

void kl_doctor_says(kl_doctor_report *r, kl_finding *f, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (f)
        f->says = joined(r, f->says, ", ", text);
}

void kl_doctor_says_below(kl_doctor_report *r, kl_finding *f)
{
    if (f && *f->says)
        f->says = joined(r, f->says, "", "\n");
}

void kl_doctor_advises(kl_doctor_report *r, kl_finding *f, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* The same may be right for several reasons. */
    if (f && !(f->advice && strstr(f->advice, text)))
        f->advice = joined(r, f->advice, "\n", text);
}

void kl_doctor_notes(kl_doctor_report *r, kl_doctor_group *g, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (g)
        g->note = joined(r, g->note, ", ", text);
}

/* ---- Facts ---- */

static kl_fact *add_fact(kl_doctor_report *r, kl_finding *f, const char *key)
{
    kl_fact *fact = f ? make(r, sizeof *fact) : NULL;
    if (!fact)
        return NULL;
    fact->key = key;
    kl_fact **end = &f->facts;
    while (*end)
        end = &(*end)->next;
    *end = fact;
    return fact;
}

void kl_doctor_fact_int(kl_doctor_report *r, kl_finding *f, const char *key, int64_t number)
{
    kl_fact *fact = add_fact(r, f, key);
    if (!fact)
        return;
    fact->kind = KL_FACT_INT;
    fact->number = number;
}

void kl_doctor_fact_bool(kl_doctor_report *r, kl_finding *f, const char *key, bool yes)
{
    kl_fact *fact = add_fact(r, f, key);
    if (!fact)
        return;
    fact->kind = KL_FACT_BOOL;
    fact->number = yes;
}

void kl_doctor_fact_text(kl_doctor_report *r, kl_finding *f, const char *key, const char *text)
{
    kl_fact *fact = add_fact(r, f, key);
    if (!fact)
        return;
    fact->kind = KL_FACT_TEXT;
    fact->text = copy(r, text);
}

static kl_fact *find_fact(const kl_finding *f, const char *key)
{
    kl_fact *fact = f ? f->facts : NULL;
    while (fact && strcmp(fact->key, key) != 0)
        fact = fact->next;
    return fact;
}

void kl_doctor_fact_item(kl_doctor_report *r, kl_finding *f, const char *key, const char *text)
{
    kl_fact *list = find_fact(f, key);
    if (!list)
        list = add_fact(r, f, key);
    kl_fact *item = list ? make(r, sizeof *item) : NULL;
    if (!item)
        return;
    list->kind = KL_FACT_LIST;
    item->kind = KL_FACT_TEXT;
    item->text = copy(r, text);
    kl_fact **end = &list->items;
    while (*end)
        end = &(*end)->next;
    *end = item;
}

/* ---- The whole ---- */

kl_finding_outcome kl_doctor_report_outcome(const kl_doctor_report *r)
{
    if (r->counts[KL_FINDING_FAILED])
        return KL_FINDING_FAILED;
    return r->counts[KL_FINDING_WARNING] ? KL_FINDING_WARNING : KL_FINDING_OK;
}

const char *kl_finding_outcome_name(kl_finding_outcome outcome)
{
    static const char *const names[KL_FINDING_OUTCOMES] = {"ok", "warning", "failed", "skipped"};
    return names[outcome];
}
