/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions as lines of JSON. See trace_file.h. */
#include "cli/trace_file.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kl_trace_file {
    FILE *to;
    bool begun;
    uint64_t from_ns;
};

static const char *const kinds[] = {"none",
#define KIND_NAME(name) #name,
                                    KLOOP_TRACE_MAP(KIND_NAME)
#undef KIND_NAME
};

kl_trace_file *kl_trace_file_open(const char *path, char *why, size_t size)
{
    kl_trace_file *f = calloc(1, sizeof *f);
    if (f)
        f->to = strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
    if (f && f->to)
        return f;
    snprintf(why, size, "%s cannot be written: %s", path, strerror(errno));
    free(f);
    return NULL;
}

/* No character of a topic's name, or of the words, needs an escape. */
static void on_decision(const kloop_trace *t, void *me)
{
    kl_trace_file *f = me;
    char text[400];
    if (!f->begun) {
        f->begun = true;
        f->from_ns = t->mono_ns;
    }
    uint64_t us = (t->mono_ns - f->from_ns) / 1000;
    fprintf(f->to, "{\"ms\":%" PRIu64 ".%03u,\"kind\":\"", us / 1000, (unsigned)(us % 1000));
    const char *kind = t->kind < KLOOP_TRACE_COUNT ? kinds[t->kind] : "none";
    for (const char *at = kind; *at; at++)
        fputc(tolower((unsigned char)*at), f->to);
    fputc('"', f->to);
    if (t->topic)
        fprintf(f->to, ",\"topic\":\"%s\"", kloop_topic_name(t->topic).data);
    if (t->topic && t->partition >= 0)
        fprintf(f->to, ",\"partition\":%" PRId32, t->partition);
    if (t->batch)
        fprintf(f->to, ",\"batch\":%" PRIu32, t->batch);
    if (t->broker != KLOOP_TRACE_NO_BROKER)
        fprintf(f->to, ",\"broker\":%" PRId32, t->broker);
    kloop_trace_text(t, text, sizeof text);
    fprintf(f->to, ",\"why\":%u,\"code\":%d,\"a\":%" PRId64 ",\"b\":%" PRId64 ",\"text\":\"%s\"}\n",
            (unsigned)t->why, (int)t->code, t->a, t->b, text);
}

void kl_trace_file_watch(kl_trace_file *f, kloop_producer *p)
{
    if (f)
        kloop_set_hooks(p, &(kloop_hooks){.on_decision = on_decision, .me = f});
}

bool kl_trace_file_close(kl_trace_file *f)
{
    if (!f)
        return true;
    bool whole = fflush(f->to) == 0 && !ferror(f->to);
    if (f->to != stderr && fclose(f->to) != 0)
        whole = false;
    free(f);
    return whole;
}
