/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visits to brokers, all at once as far as there are sockets: each connects, asks for Metadata
 * without topics, and stops. What became of them is read from their dialogs afterwards.
 *
 *     kl_visit v[2] = {{.host = "a", .port = 9092, .broker = -1}, ...};
 *     kl_visits_run(v, 2, &config, true, on_tick, me);
 *     ... v[0].told: v[0].metadata ...
 *     kl_visits_deinit(v, 2);
 *
 * A visit owns its dialog, and with it what metadata shows, until the next question to it. Fails
 * for lack of memory, when a dialog is NULL; all else is told by dialogs.
 */
#ifndef KL_CLI_DOCTOR_VISIT_H
#define KL_CLI_DOCTOR_VISIT_H

#include "cli/dialog.h"
#include "cli/host_port.h"

typedef struct kl_visit {
    char host[KL_HOST_MAX];
    char shown[KL_HOST_MAX]; /* the same, fit for a line of text; filled in by kl_visits_run */
    uint16_t port;
    int32_t broker; /* -1: an entry of bootstrap.servers */
    kl_dialog *dialog;
    bool asked;
    bool told;
    kloop_metadata_response metadata; /* told */
} kl_visit;

/* How long it may take until somebody is shown that something goes on. */
#define KL_VISITS_TICK_NS UINT64_C(100000000)

/* Called often while there is something to wait for; visits that are busy show in their dialogs. */
typedef void (*kl_visits_tick_fn)(void *me, const kl_visit *list, size_t count);

/* stay: those that were answered stay connected, for more questions. */
void kl_visits_run(kl_visit *list, size_t count, const kl_dialog_config *config, bool stay,
                   kl_visits_tick_fn tick, void *me);
void kl_visits_deinit(kl_visit *list, size_t count);

/* Of one that was asked something: until there is the answer, or it has failed. */
void kl_visit_wait(kl_visit *v, kl_visits_tick_fn tick, void *me);

#endif
