/* SPDX-License-Identifier: BSD-2-Clause */
/* See doctor_visit.h. */
#include "cli/doctor_visit.h"

#include "base/excerpt.h"
#include "base/now.h"
#include "cli/dialog_metadata.h"

/* Nobody's topics: the brokers alone. The oldest version takes an empty list for all topics. */
static void ask_metadata(kl_visit *v)
{
    kloop_metadata_request m;
    int16_t version = kl_dialog_version(v->dialog, KLOOP_METADATA);
    v->asked = true;
    if (version < 0)
        return;
    kloop_message_init(KLOOP_METADATA, KLOOP_REQUEST, &m);
    m.topics = kloop_array_of(NULL, 0);
    kl_dialog_ask(v->dialog, KLOOP_METADATA, version, &m);
}

static void look_at(kl_visit *v, bool stay)
{
    if (!v->dialog || kl_dialog_state_of(v->dialog) != KL_DIALOG_READY || v->told)
        return;
    if (!v->asked)
        ask_metadata(v);
    else if (kl_dialog_version(v->dialog, KLOOP_METADATA) >= 0)
        v->told = kl_dialog_take_metadata(v->dialog, &v->metadata);
    if (!stay && kl_dialog_state_of(v->dialog) == KL_DIALOG_READY)
        kl_dialog_part(v->dialog);
}

static size_t pick_busy(const kl_visit *list, size_t count, kl_dialog **busy)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < KL_DIALOGS_MAX; i++) {
        if (list[i].dialog && kl_dialog_is_busy(list[i].dialog))
            busy[n++] = list[i].dialog;
    }
    return n;
}

static void wait_a_tick(kl_dialog *const *busy, size_t n)
{
    kl_dialogs_wait(busy, n, kl_time_add(kl_dialogs_now_ns(), KL_VISITS_TICK_NS));
}

void kl_visits_run(kl_visit *list, size_t count, const kl_dialog_config *config, bool stay,
                   kl_visits_tick_fn tick, void *me)
{
    kl_dialog *busy[KL_DIALOGS_MAX];
    for (size_t started = 0;;) {
        size_t n = pick_busy(list, started, busy);
        if (n < KL_DIALOGS_MAX && started < count) {
            kl_visit *v = &list[started++];
            kl_excerpt(v->shown, sizeof v->shown, kloop_text(v->host));
            v->dialog = kl_dialog_new(config, v->host, v->port);
            look_at(v, stay);
            continue;
        }
        if (n == 0)
            return;
        wait_a_tick(busy, n);
        for (size_t i = 0; i < started; i++)
            look_at(&list[i], stay);
        tick(me, list, started);
    }
}

void kl_visit_wait(kl_visit *v, kl_visits_tick_fn tick, void *me)
{
    while (kl_dialog_is_busy(v->dialog)) {
        wait_a_tick(&v->dialog, 1);
        tick(me, v, 1);
    }
}

void kl_visits_deinit(kl_visit *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kl_dialog_del(list[i].dialog);
        list[i].dialog = NULL;
    }
}
