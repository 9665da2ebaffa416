/* SPDX-License-Identifier: BSD-2-Clause */
/* See meta_ask.h. */
#include "cli/meta_ask.h"

#include "base/now.h"
#include "cli/dialog_metadata.h"
#include "cli/server_list.h"

#include <stdio.h>
#include <string.h>

/* How long an entry has the field to itself. */
#define HEAD_START_NS (250 * KL_MS)
/* The first version that can say that a topic is not to be made. */
#define NOT_CREATING_SINCE 4

/* ---- The entries of bootstrap.servers ---- */

static size_t count_servers(const char *list)
{
    char host[KL_HOST_MAX];
    uint16_t port;
    size_t count = 0;
    while (kl_server_list_next(&list, host, &port))
        count++;
    return count;
}

/* ---- Metadata ---- */

/* The question goes out; the dialog is ASKING, or has FAILED. */
static bool ask_metadata(const kl_meta_question *q, kl_dialog *d, bool *all)
{
    kloop_metadata_request m;
    int16_t version = kl_dialog_version(d, KLOOP_METADATA);
    if (version < 0) {
        kl_dialog_give_up(d, "it has no version of Metadata in common with kloop: it is no Kafka, "
                             "or api.version.max allows too little");
        return true;
    }
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    /* To an old broker every name is an order to make the topic. */
    *all = q->topic_count == 0 || version < NOT_CREATING_SINCE;
    kloop_metadata_request_topic *names =
        kl_mem_zalloc(&kl_mem_libc, q->topic_count + 1, sizeof *names);
    if (!names)
        return false;
    for (size_t i = 0; i < q->topic_count; i++)
        names[i].name = kloop_text(q->topics[i]);
    m.topics = *all ? kloop_array_null() : kloop_array_of(names, (int32_t)q->topic_count);
    if (*all && version == 0)
        m.topics = kloop_array_of(NULL, 0);
    m.allow_auto_topic_creation = version < NOT_CREATING_SINCE;
    kl_dialog_ask(d, KLOOP_METADATA, version, &m);
    kl_mem_release(&kl_mem_libc, names, (q->topic_count + 1) * sizeof *names);
    return true;
}

/* ---- The race ---- */

typedef struct race {
    const kl_meta_question *q;
    kl_meta_answer *a;
    const char *rest; /* of bootstrap.servers */
    uint64_t next_ns; /* when the next one may start */
    uint64_t until_ns;
    bool *asked; /* of each entry: Metadata was asked */
    bool *all;
} race;

static bool start_next(race *r)
{
    char host[KL_HOST_MAX];
    uint16_t port;
    if (!kl_server_list_next(&r->rest, host, &port))
        return true;
    kl_dialog *d = kl_dialog_new(&r->q->dialog, host, port);
    if (!d)
        return false;
    r->a->entries[r->a->entry_count++] = d;
    r->next_ns = kl_time_add(kl_dialogs_now_ns(), HEAD_START_NS);
    return true;
}

/* What became of an entry. false: no memory. */
static bool look_at(race *r, size_t i)
{
    kl_dialog *d = r->a->entries[i];
    if (kl_dialog_state_of(d) != KL_DIALOG_READY)
        return true;
    if (!r->asked[i]) {
        r->asked[i] = true;
        return ask_metadata(r->q, d, &r->all[i]);
    }
    if (kl_dialog_take_metadata(d, &r->a->metadata)) {
        r->a->origin = d;
        r->a->asked_all = r->all[i];
    }
    return true;
}

/* All that are busy, the first ones that are; how many. */
static size_t pick_busy(kl_dialog *const *list, size_t count, kl_dialog **busy)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < KL_DIALOGS_MAX; i++) {
        if (list[i] && kl_dialog_is_busy(list[i]))
            busy[n++] = list[i];
    }
    return n;
}

static bool run(race *r)
{
    kl_dialog *busy[KL_DIALOGS_MAX];
    while (!r->a->origin) {
        size_t n = pick_busy(r->a->entries, r->a->entry_count, busy);
        bool more = *r->rest != '\0' && n < KL_DIALOGS_MAX;
        uint64_t now = kl_dialogs_now_ns();
        if (now >= r->until_ns || (n == 0 && !more))
            return true;
        if (more && (n == 0 || now >= r->next_ns)) {
            if (!start_next(r))
                return false;
        } else {
            kl_dialogs_wait(busy, n, more ? kl_time_min(r->next_ns, r->until_ns) : r->until_ns);
        }
        for (size_t i = 0; i < r->a->entry_count && !r->a->origin; i++) {
            if (!look_at(r, i))
                return false;
        }
    }
    return true;
}

/* ---- Versions ---- */

/* A cluster may have more brokers than a process may have sockets. */
static void part_from_idle(kl_dialog *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (kl_dialog_state_of(list[i]) == KL_DIALOG_READY)
            kl_dialog_part(list[i]);
    }
}

/* Hosts that are no addresses of ours to judge are looked up like any other. */
static kl_dialog *call_broker(const kl_meta_question *q, const kloop_metadata_broker *b)
{
    char host[KL_HOST_MAX];
    size_t len = b->host.len < sizeof host - 1 ? b->host.len : sizeof host - 1;
    if (len > 0)
        memcpy(host, b->host.data, len);
    host[len] = '\0';
    return kl_dialog_new(&q->dialog, host, (uint16_t)b->port);
}

static bool ask_versions(const kl_meta_question *q, kl_meta_answer *a, uint64_t until_ns)
{
    kl_dialog *busy[KL_DIALOGS_MAX];
    kloop_iter next = kloop_iterate(&a->metadata.brokers);
    kloop_metadata_broker broker;
    size_t count = (size_t)a->metadata.brokers.count;
    a->brokers = kl_mem_zalloc(&kl_mem_libc, count + 1, sizeof *a->brokers);
    if (!a->brokers)
        return false;
    a->broker_count = count;
    for (size_t started = 0;;) {
        size_t n = pick_busy(a->brokers, started, busy);
        if (n < KL_DIALOGS_MAX && kloop_next(&next, &broker)) {
            a->brokers[started] = call_broker(q, &broker);
            if (!a->brokers[started++])
                return false;
        } else if (n == 0 || kl_dialogs_now_ns() >= until_ns) {
            return true;
        } else {
            kl_dialogs_wait(busy, n, until_ns);
            part_from_idle(a->brokers, started);
        }
    }
}

/* ---- All of it ---- */

kl_meta_outcome kl_meta_ask(const kl_meta_question *q, kl_meta_answer *a)
{
    *a = (kl_meta_answer){.entry_room = count_servers(q->servers)};
    uint64_t now = kl_dialogs_now_ns();
    race r = {.q = q, .a = a, .rest = q->servers, .until_ns = kl_time_add(now, q->timeout_ns)};
    size_t room = a->entry_room + 1;
    a->entries = kl_mem_zalloc(&kl_mem_libc, room, sizeof *a->entries);
    r.asked = kl_mem_zalloc(&kl_mem_libc, room, sizeof *r.asked);
    r.all = kl_mem_zalloc(&kl_mem_libc, room, sizeof *r.all);
    bool memory = a->entries && r.asked && r.all && run(&r);
    if (memory && a->origin && q->versions)
        memory = ask_versions(q, a, r.until_ns);
    kl_mem_release(&kl_mem_libc, r.asked, room * sizeof *r.asked);
    kl_mem_release(&kl_mem_libc, r.all, room * sizeof *r.all);
    return !memory ? KL_META_NO_MEMORY : a->origin ? KL_META_ANSWERED : KL_META_NOBODY;
}

static void del_all(kl_dialog **list, size_t count, size_t room)
{
    for (size_t i = 0; i < count; i++)
        kl_dialog_del(list[i]);
    kl_mem_release(&kl_mem_libc, list, room * sizeof *list);
}

void kl_meta_answer_deinit(kl_meta_answer *a)
{
    del_all(a->entries, a->entry_count, a->entry_room + 1);
    del_all(a->brokers, a->broker_count, a->broker_count + 1);
    *a = (kl_meta_answer){0};
}
