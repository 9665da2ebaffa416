/* SPDX-License-Identifier: BSD-2-Clause */
/* See doctor_live.h. */
#include "cli/doctor_live.h"

#include "base/now.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_NS       (300 * KL_MS)
#define LINE_MAX_BYTES 512

void kl_doctor_live_init(kl_doctor_live *l, bool wanted)
{
    *l = (kl_doctor_live){0};
    kl_terminal_look(&l->terminal, STDERR_FILENO);
    l->drawn = wanted && l->terminal.drawable;
}

void kl_doctor_live_words(const kl_visit *list, size_t count, double seconds, char *to, size_t size)
{
    size_t busy = 0;
    const kl_visit *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].dialog || !kl_dialog_is_busy(list[i].dialog))
            continue;
        if (busy++ == 0)
            first = &list[i];
    }
    if (!first) {
        snprintf(to, size, "%s", "");
        return;
    }
    int len = snprintf(to, size, "%.0f s: %s: %s", seconds, kl_dialog_place(first->dialog),
                       kl_dialog_why(first->dialog));
    if (busy > 1 && len > 0 && (size_t)len < size)
        snprintf(to + len, size - (size_t)len, "; and %zu more", busy - 1);
}

void kl_doctor_live_tick(void *me, const kl_visit *list, size_t count)
{
    kl_doctor_live *l = me;
    char words[LINE_MAX_BYTES];
    uint64_t now = kl_dialogs_now_ns();
    if (!l->drawn)
        return;
    if (!l->since_ns)
        l->since_ns = now;
    if (now - l->since_ns < FIRST_NS)
        return;
    kl_doctor_live_words(list, count, (double)(now - l->since_ns) / 1e9, words, sizeof words);
    kl_terminal_measure(&l->terminal);
    /* The last column stays free: some terminals go to the next line behind it. */
    unsigned room = l->terminal.width > 1 ? l->terminal.width - 1 : 1;
    if (room < strlen(words))
        words[kl_utf8_valid_len(words, room)] = '\0';
    fprintf(stderr, "\r%s\033[K", words);
    fflush(stderr);
    l->shown = true;
}

void kl_doctor_live_hide(kl_doctor_live *l)
{
    l->since_ns = 0;
    if (!l->shown)
        return;
    l->shown = false;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}
