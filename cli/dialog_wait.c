/* SPDX-License-Identifier: BSD-2-Clause */
/* One poll for all of them, and their time limits. See dialog.h and dialog_inside.h. */
#define _GNU_SOURCE
#include "base/check.h"
#include "base/now.h"
#include "cli/dialog_inside.h"

#include <time.h>

#define WAIT_MS_MAX 3600000

uint64_t kl_dialogs_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * KL_SECOND + (uint64_t)now.tv_nsec;
}

typedef struct watching {
    struct pollfd fds[KL_DIALOGS_MAX * KL_NAME_LOOKUP_FDS_MAX];
    size_t count;
    size_t first[KL_DIALOGS_MAX + 1]; /* those of dialog i are from here on, to those of i + 1 */
} watching;

static int ms_until(uint64_t when_ns)
{
    uint64_t now = kl_dialogs_now_ns();
    if (when_ns <= now)
        return 0;
    uint64_t ms = (when_ns - now) / KL_MS + 1;
    return ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)ms;
}

static short events_of(const kl_dialog *d)
{
    if (d->state == KL_DIALOG_CONNECTING)
        return POLLOUT;
    return kl_dialog_has_output(d) ? POLLIN | POLLOUT : POLLIN;
}

static void watch(watching *w, kl_dialog *d, int *timeout_ms)
{
    if (d->state == KL_DIALOG_LOOKING_UP)
        w->count += kl_name_lookup_watch(d->lookup, &w->fds[w->count], timeout_ms);
    else if (d->login.working)
        *timeout_ms = 0;
    else if (d->fd >= 0 && d->state != KL_DIALOG_READY)
        w->fds[w->count++] = (struct pollfd){.fd = d->fd, .events = events_of(d)};
    else
        return;
    int ms = ms_until(d->deadline_ns);
    if (ms < *timeout_ms)
        *timeout_ms = ms;
}

static void on_deadline(kl_dialog *d)
{
    double connect_s = (double)d->config.connect_ns / 1e9;
    double answer_s = (double)d->config.answer_ns / 1e9;
    switch (d->state) {
    case KL_DIALOG_LOOKING_UP:
        d->track.name.ended_ns = kl_dialogs_now_ns();
        kl_dialog_note(d, KL_TROUBLE_NO_NAME, "the name was not resolved within %g s",
                       (double)d->config.lookup_ns / 1e9);
        kl_dialog_fail(d);
        return;
    case KL_DIALOG_CONNECTING:
        kl_dialog_note(d, KL_TROUBLE_SILENT, "no connection within %g s", connect_s);
        break;
    case KL_DIALOG_TLS:
        kl_dialog_note(d, KL_TROUBLE_SILENT, "TLS was not agreed upon within %g s", connect_s);
        break;
    default:
        if (d->login.working)
            kl_dialog_note(d, KL_TROUBLE_HERE,
                           "what %s has to compute was not done within %g s: the broker asks for "
                           "many iterations",
                           d->config.security->mechanism->name, answer_s);
        else
            kl_dialog_note(d, KL_TROUBLE_SILENT, "no answer to %s within %g s",
                           kloop_api_find(d->asked_api)->name, answer_s);
        break;
    }
    kl_dialog_lose(d);
}

static void step(kl_dialog *d, const struct pollfd *fds, size_t count)
{
    if (d->state == KL_DIALOG_LOOKING_UP) {
        kl_name_lookup_step(d->lookup, fds, count);
        kl_dialog_take_addresses(d);
    } else if (d->login.working) {
        kl_dialog_login_work(d);
    } else if (count > 0 && fds[0].revents) {
        kl_dialog_on_socket(d);
    }
    /* Also for one who sends a byte now and then. */
    if (kl_dialog_is_busy(d) && kl_dialogs_now_ns() >= d->deadline_ns)
        on_deadline(d);
}

void kl_dialogs_wait(kl_dialog *const *list, size_t count, uint64_t until_ns)
{
    watching w;
    w.count = 0;
    int timeout_ms = ms_until(until_ns);
    KL_ASSERT(count <= KL_DIALOGS_MAX);
    for (size_t i = 0; i < count; i++) {
        w.first[i] = w.count;
        if (list[i])
            watch(&w, list[i], &timeout_ms);
    }
    w.first[count] = w.count;
    if (poll(w.fds, w.count, timeout_ms) <= 0) {
        for (size_t i = 0; i < w.count; i++)
            w.fds[i].revents = 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i])
            step(list[i], &w.fds[w.first[i]], w.first[i + 1] - w.first[i]);
    }
}
