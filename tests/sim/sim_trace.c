/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes: into the hash, into the ring, to the reader. */
#include "tests/sim/sim.h"

#include "base/le.h"
#include "driver/trace_text.h"

#include <inttypes.h>
#include <string.h>

static const char *const forms[] = {
#define SIM_NOTE_FORM(name, form) form,
    SIM_NOTE_MAP(SIM_NOTE_FORM)
#undef SIM_NOTE_FORM
};

void sim_trace_init(sim *s)
{
    s->trace.hash = UINT64_C(0x6b6c6f6f70);
    s->trace.notes = 0;
}

uint64_t sim_hash(uint64_t h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    h = sim_mix(h, len);
    for (; len >= 8; p += 8, len -= 8)
        h = sim_mix(h, kl_le_load(p, 8));
    return sim_mix(h, kl_le_load(p, len));
}

/* A form has %s at most once, and numbers in the order a, b, c, d around it. */
static int note_text(const sim_kept_note *n, char *out, size_t size)
{
    char form[3 * SIM_NOTE_TEXT];
    const char *at = strstr(forms[n->kind], "%s");
    if (!at) {
        snprintf(form, sizeof form, "%s", forms[n->kind]);
    } else {
        char text[2 * SIM_NOTE_TEXT];
        size_t len = 0;
        for (const char *p = n->text; *p; p++) {
            if (*p == '%')
                text[len++] = '%';
            text[len++] = *p;
        }
        text[len] = 0;
        snprintf(form, sizeof form, "%.*s%s%s", (int)(at - forms[n->kind]), forms[n->kind], text,
                 at + 2);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    /* The forms are those of SIM_NOTE_MAP, with a text that has its own % doubled. */
    return snprintf(out, size, form, n->numbers[0], n->numbers[1], n->numbers[2], n->numbers[3]);
#pragma GCC diagnostic pop
}

static size_t decision_text(const sim_kept_note *n, char *out, size_t size)
{
    int head = snprintf(out, size, "decided: ");
    size_t at = (size_t)head < size ? (size_t)head : size;
    return (size_t)head + kl_trace_text(&n->decision, (kloop_string){n->text, strlen(n->text)},
                                        out + at, size - at);
}

static size_t line(const sim_kept_note *n, char *out, size_t size)
{
    uint64_t us = (n->now_ns - SIM_START_NS) / KL_US;
    int head = snprintf(out, size, "  %3" PRIu64 ".%06" PRIu64 "  ", us / 1000000, us % 1000000);
    size_t at = (size_t)head < size ? (size_t)head : size;
    if (n->kind == SIM_NOTE_COUNT)
        return (size_t)head + decision_text(n, out + at, size - at);
    return (size_t)head + (size_t)note_text(n, out + at, size - at);
}

/* Room for one more, at this time. */
static sim_kept_note *keep(sim *s, sim_note_kind kind)
{
    sim_trace *t = &s->trace;
    sim_kept_note *n = &t->kept[t->notes++ & (SIM_NOTES_KEPT - 1)];
    n->now_ns = s->world.now_ns;
    n->kind = kind;
    n->text[0] = 0;
    return n;
}

static void print(const sim_trace *t, const sim_kept_note *n)
{
    if (!t->print)
        return;
    char out[512];
    line(n, out, sizeof out);
    fprintf(t->print, "%s\n", out);
}

void sim_note(sim *s, sim_note_kind kind, const char *text, int64_t a, int64_t b, int64_t c,
              int64_t d)
{
    sim_trace *t = &s->trace;
    uint64_t h = sim_mix(t->hash, (uint64_t)kind ^ s->world.now_ns << 6);
    h = sim_mix(h, (uint64_t)a);
    h = sim_mix(h, (uint64_t)b);
    h = sim_mix(h, (uint64_t)c);
    h = sim_mix(h, (uint64_t)d);
    sim_kept_note *n = keep(s, kind);
    n->numbers[0] = a;
    n->numbers[1] = b;
    n->numbers[2] = c;
    n->numbers[3] = d;
    if (text) {
        sim_login_look_at_text(s, text);
        size_t len = strlen(text);
        h = sim_hash(h, text, len);
        if (len >= sizeof n->text)
            len = sizeof n->text - 1;
        memcpy(n->text, text, len);
        n->text[len] = 0;
    }
    t->hash = h;
    print(t, n);
}

static void on_decision(const kloop_trace *trace, void *me)
{
    sim *s = me;
    sim_kept_note *n = keep(s, SIM_NOTE_COUNT);
    n->decision = *trace;
    if (trace->topic) {
        kloop_string name = kloop_topic_name(trace->topic);
        size_t len = name.len < sizeof n->text ? name.len : sizeof n->text - 1;
        memcpy(n->text, name.data, len);
        n->text[len] = 0;
    }
    print(&s->trace, n);
}

void sim_trace_decisions(sim *s, kloop_engine *e)
{
    kloop_engine_set_hooks(e, &(kloop_hooks){.on_decision = on_decision, .me = s});
}

size_t sim_trace_last(const sim *s, size_t count, char *text, size_t size)
{
    const sim_trace *t = &s->trace;
    if (count > SIM_NOTES_KEPT)
        count = SIM_NOTES_KEPT;
    uint64_t from = t->notes > count ? t->notes - count : 0;
    size_t len = 0;
    if (size)
        text[0] = 0;
    for (uint64_t i = from; i < t->notes; i++) {
        char out[512];
        line(&t->kept[i & (SIM_NOTES_KEPT - 1)], out, sizeof out);
        int n = snprintf(len < size ? text + len : NULL, len < size ? size - len : 0, "%s\n", out);
        len += (size_t)n;
    }
    return len;
}
