/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of things. See doctor.h. */
#include "cli/doctor.h"

#include "base/excerpt.h"
#include "cli/server_list.h"

#include <stdio.h>
#include <string.h>

/* Longer than a host can be. */
#define PLACE_MAX (KL_HOST_MAX + 16)

void kl_doctor_init(kl_doctor *d, const kl_doctor_order *order)
{
    *d = (kl_doctor){.order = order, .cluster_id = "", .controller_id = -1};
    kl_doctor_report_init(&d->report);
}

void kl_doctor_deinit(kl_doctor *d)
{
    kl_visits_deinit(d->entries, d->entries ? d->entry_count : 0);
    kl_visits_deinit(d->visits, d->visits ? d->broker_count : 0);
    kl_doctor_report_deinit(&d->report);
    *d = (kl_doctor){0};
}

void *kl_doctor_room(kl_doctor *d, size_t count, size_t size)
{
    void *p = kl_arena_zalloc(&d->report.arena, count + 1, size);
    if (!p)
        d->report.no_memory = true;
    return p;
}

const char *kl_doctor_copy(kl_doctor *d, kloop_string text)
{
    char *p = kl_arena_alloc_bytes(&d->report.arena, text.len + 1);
    if (!p) {
        d->report.no_memory = true;
        return "";
    }
    if (text.len > 0)
        memcpy(p, text.data, text.len);
    p[text.len] = '\0';
    return p;
}

/* ---- The entries of bootstrap.servers ---- */

static bool find_entries(kl_doctor *d)
{
    kl_visit one;
    for (const char *rest = d->order->servers; kl_server_list_next(&rest, one.host, &one.port);)
        d->entry_count++;
    d->entries = kl_doctor_room(d, d->entry_count, sizeof *d->entries);
    if (!d->entries)
        return false;
    kl_visit *v = d->entries;
    for (const char *rest = d->order->servers; kl_server_list_next(&rest, v->host, &v->port); v++)
        v->broker = -1;
    return true;
}

static bool were_dialogs_made(kl_doctor *d, const kl_visit *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!list[i].dialog)
            d->report.no_memory = true;
    }
    return !d->report.no_memory;
}

static bool visit_entries(kl_doctor *d)
{
    const kl_doctor_order *o = d->order;
    kl_visits_run(d->entries, d->entry_count, &o->dialog, true, o->tick, o->tick_me);
    if (!were_dialogs_made(d, d->entries, d->entry_count))
        return false;
    for (size_t i = 0; i < d->entry_count; i++) {
        kl_visit *v = &d->entries[i];
        if (v->told && !d->origin)
            d->origin = v;
        else if (kl_dialog_state_of(v->dialog) == KL_DIALOG_READY)
            kl_dialog_part(v->dialog);
    }
    if (d->origin)
        kl_doctor_take_cluster(d);
    return !d->report.no_memory;
}

static void tell_entries(kl_doctor *d, kl_doctor_group_fn on_group, void *me)
{
    for (size_t i = 0; i < d->entry_count; i++) {
        kl_visit *v = &d->entries[i];
        kl_doctor_group *g =
            kl_doctor_group_add(&d->report, KL_GROUP_ENTRY, kl_dialog_place(v->dialog));
        kl_doctor_path(d, g, v);
        kl_doctor_metadata(d, g, v);
        if (g)
            on_group(me, g);
    }
}

/* ---- Brokers ---- */

/* Was an entry, by the same words, reached already? */
static const kl_visit *reached_as_entry(const kl_doctor *d, const kl_doctor_broker *b)
{
    for (size_t i = 0; i < d->entry_count; i++) {
        const kl_visit *v = &d->entries[i];
        if (v->told && v->port == b->port && strcmp(v->host, b->host) == 0)
            return v;
    }
    return NULL;
}

static void visit_brokers(kl_doctor *d)
{
    const kl_doctor_order *o = d->order;
    size_t count = 0;
    kl_visit *list = kl_doctor_room(d, d->broker_count, sizeof *list);
    if (!list)
        return;
    for (size_t i = 0; i < d->broker_count; i++) {
        const kl_doctor_broker *b = &d->brokers[i];
        if (reached_as_entry(d, b))
            continue;
        kl_visit *v = &list[count++];
        v->broker = b->id;
        v->port = (uint16_t)b->port;
        snprintf(v->host, sizeof v->host, "%s", b->host);
    }
    kl_visits_run(list, count, &o->dialog, false, o->tick, o->tick_me);
    d->visits = list;
    were_dialogs_made(d, list, count);
}

static void tell_broker(kl_doctor *d, kl_doctor_broker *b, kl_visit *v, kl_doctor_group_fn on_group,
                        void *me)
{
    char shown[KL_HOST_MAX], place[PLACE_MAX];
    kl_excerpt(shown, sizeof shown, kloop_text(b->host));
    snprintf(place, sizeof place, strchr(b->host, ':') ? "[%s]:%d" : "%s:%d", shown, b->port);
    kl_doctor_group *g = kl_doctor_group_add(&d->report, KL_GROUP_BROKER, place);
    if (!g)
        return;
    g->broker = b->id;
    kl_doctor_listener(d, g, b, !v);
    if (v) {
        kl_doctor_path(d, g, v);
        kl_doctor_metadata(d, g, v);
    }
    b->fine = !v || v->told;
    on_group(me, g);
}

static void tell_brokers(kl_doctor *d, kl_doctor_group_fn on_group, void *me)
{
    kl_visit *next = d->visits;
    for (size_t i = 0; i < d->broker_count; i++) {
        kl_doctor_broker *b = &d->brokers[i];
        tell_broker(d, b, reached_as_entry(d, b) ? NULL : next++, on_group, me);
    }
}

/* ---- All of it ---- */

void kl_doctor_run(kl_doctor *d, kl_doctor_group_fn on_group, void *me)
{
    if (!find_entries(d) || !visit_entries(d))
        return;
    tell_entries(d, on_group, me);
    if (d->origin) {
        kl_doctor_group *g = kl_doctor_ask_cluster(d);
        if (g)
            on_group(me, g);
        kl_doctor_ask_topics(d);
        visit_brokers(d);
        if (!d->report.no_memory)
            tell_brokers(d, on_group, me);
    }
    if (!d->report.no_memory)
        kl_doctor_topics(d, on_group, me);
}
