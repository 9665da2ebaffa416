/* SPDX-License-Identifier: BSD-2-Clause */
/* See doctor_json.h. */
#include "cli/doctor_json.h"

#include "base/check.h"
#include "base/utf8.h"
#include "wiretools/json_write.h"

static void put_int(kl_json_writer *w, const char *key, int64_t value)
{
    kl_json_write_key(w, key);
    kl_json_write_int64(w, value);
}

static void put_text(kl_json_writer *w, const char *key, const char *value)
{
    kl_json_write_key(w, key);
    if (value)
        kl_json_write_text(w, value);
    else
        kl_json_write_null(w);
}

static void put_fact(kl_json_writer *w, const kl_fact *fact)
{
    kl_json_write_key(w, fact->key);
    switch (fact->kind) {
    case KL_FACT_INT:
        kl_json_write_int64(w, fact->number);
        break;
    case KL_FACT_BOOL:
        kl_json_write_bool(w, fact->number != 0);
        break;
    case KL_FACT_TEXT:
        kl_json_write_text(w, fact->text);
        break;
    case KL_FACT_LIST:
        kl_json_write_array_begin(w);
        for (const kl_fact *item = fact->items; item; item = item->next)
            kl_json_write_text(w, item->text);
        kl_json_write_array_end(w);
        break;
    }
}

/* Lines as parts of one. NULL: null. */
static void put_lines(kl_json_writer *w, const char *key, const char *lines)
{
    char text[KL_FINDING_TEXT_MAX];
    size_t len = 0;
    if (!lines) {
        put_text(w, key, NULL);
        return;
    }
    for (; *lines && len < sizeof text - 2; lines++) {
        text[len++] = *lines == '\n' ? ';' : *lines;
        if (*lines == '\n')
            text[len++] = ' ';
    }
    text[kl_utf8_valid_len(text, len)] = '\0';
    put_text(w, key, text);
}

static const char *target_of(kl_group_kind kind)
{
    switch (kind) {
    case KL_GROUP_ENTRY:
        return "bootstrap";
    case KL_GROUP_BROKER:
        return "broker";
    case KL_GROUP_CLUSTER:
        return "cluster";
    default:
        return "topic";
    }
}

static void put_finding(kl_json_writer *w, const kl_doctor_group *g, const kl_finding *f)
{
    kl_json_write_object_begin(w);
    put_text(w, "step", f->step);
    put_text(w, "target", target_of(g->kind));
    put_text(w, "name", g->name);
    kl_json_write_key(w, "broker");
    if (g->kind == KL_GROUP_BROKER)
        kl_json_write_int64(w, g->broker);
    else
        kl_json_write_null(w);
    put_text(w, "outcome", kl_finding_outcome_name(f->outcome));
    kl_json_write_key(w, "us");
    if (f->us >= 0)
        kl_json_write_int64(w, f->us);
    else
        kl_json_write_null(w);
    put_lines(w, "says", f->says);
    put_lines(w, "advice", f->advice);
    kl_json_write_key(w, "facts");
    kl_json_write_object_begin(w);
    for (const kl_fact *fact = f->facts; fact; fact = fact->next)
        put_fact(w, fact);
    kl_json_write_object_end(w);
    kl_json_write_object_end(w);
}

void kl_doctor_json_append(const kl_doctor *d, int exit_code, kl_buf *out)
{
    kl_json_writer json;
    kl_json_writer *w = &json;
    const kl_doctor_report *r = &d->report;
    kl_json_write_init(w, out);
    kl_json_write_object_begin(w);
    put_text(w, "outcome", kl_finding_outcome_name(kl_doctor_report_outcome(r)));
    put_int(w, "exit_code", exit_code);
    put_text(w, "bootstrap_servers", d->order->servers);
    put_text(w, "security_protocol", d->order->protocol);
    put_text(w, "sasl_mechanism", *d->order->mechanism ? d->order->mechanism : NULL);
    put_text(w, "cluster_id", *d->cluster_id ? d->cluster_id : NULL);
    kl_json_write_key(w, "counts");
    kl_json_write_object_begin(w);
    for (int i = 0; i < KL_FINDING_OUTCOMES; i++)
        put_int(w, kl_finding_outcome_name((kl_finding_outcome)i), (int64_t)r->counts[i]);
    kl_json_write_object_end(w);
    kl_json_write_key(w, "steps");
    kl_json_write_array_begin(w);
    for (const kl_doctor_group *g = r->groups; g; g = g->next) {
        for (const kl_finding *f = g->findings; f; f = f->next)
            put_finding(w, g, f);
    }
    kl_json_write_array_end(w);
    kl_json_write_object_end(w);
    bool whole = kl_json_write_end(w);
    KL_ASSERT(whole || out->failed);
    kl_buf_append_byte(out, '\n');
}
