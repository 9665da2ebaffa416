/* SPDX-License-Identifier: BSD-2-Clause */
/* See meta_versions.h. */
#include "cli/meta_versions.h"

#include "base/excerpt.h"
#include "broker/api_names.h"
#include "cli/common_version.h"

#include <string.h>

#define NAME_WIDTH 28

bool kl_meta_versions_is_ours(int16_t api_key)
{
    switch (api_key) {
    case KLOOP_PRODUCE:
    case KLOOP_METADATA:
    case KLOOP_API_VERSIONS:
    case KLOOP_INIT_PRODUCER_ID:
        return true;
    default:
        return false;
    }
}

/* ---- Which Kafka ---- */

/* The newest first: with which release this version of the API came. */
static const struct {
    int16_t api_key;
    int16_t max_version;
    const char *release;
} marks[] = {
    {KLOOP_API_VERSIONS, 5, "4.4"}, {KLOOP_PRODUCE, 13, "4.1"},
    {KLOOP_PRODUCE, 12, "4.0"},     {KLOOP_FIND_COORDINATOR, 6, "3.9"},
    {KLOOP_PRODUCE, 11, "3.8"},     {KLOOP_PRODUCE, 10, "3.7"},
    {KLOOP_METADATA, 12, "3.3"},    {KLOOP_FIND_COORDINATOR, 4, "3.0"},
    {KLOOP_PRODUCE, 9, "2.8"},      {KLOOP_PRODUCE, 8, "2.4"},
    {KLOOP_PRODUCE, 7, "2.1"},      {KLOOP_PRODUCE, 6, "2.0"},
    {KLOOP_PRODUCE, 5, "1.0"},      {KLOOP_PRODUCE, 3, "0.11"},
};

static int16_t max_version_of(const kloop_api_versions_response *v, int16_t api_key)
{
    kloop_api_version one;
    for (kloop_iter i = kloop_iterate(&v->api_keys); kloop_next(&i, &one);) {
        if (one.api_key == api_key)
            return one.max_version;
    }
    return -1;
}

const char *kl_meta_versions_release(const kloop_api_versions_response *v)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (max_version_of(v, marks[i].api_key) >= marks[i].max_version)
            return marks[i].release;
    }
    return NULL;
}

/* ---- The table ---- */

static bool is_same_list(const kloop_array *a, const kloop_array *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_same(const kloop_api_versions_response *a, const kloop_api_versions_response *b)
{
    return a->api_keys.version == b->api_keys.version && is_same_list(&a->api_keys, &b->api_keys) &&
           is_same_list(&a->supported_features, &b->supported_features) &&
           is_same_list(&a->finalized_features, &b->finalized_features);
}

static const kloop_api_versions_response *versions_of(const kl_meta_broker *b)
{
    return b->dialog ? kl_dialog_versions(b->dialog) : NULL;
}

/* Stands an earlier broker over the same table? */
static bool is_told(const kl_meta_picture *p, size_t index)
{
    const kloop_api_versions_response *v = versions_of(&p->brokers[index]);
    for (size_t i = 0; i < index; i++) {
        const kloop_api_versions_response *other = versions_of(&p->brokers[i]);
        if (other && is_same(v, other))
            return true;
    }
    return false;
}

static void print_heading(const kl_meta_picture *p, size_t index, FILE *to)
{
    const kloop_api_versions_response *v = versions_of(&p->brokers[index]);
    const char *release = kl_meta_versions_release(v);
    size_t count = 0;
    for (size_t i = index; i < p->broker_count; i++) {
        const kloop_api_versions_response *other = versions_of(&p->brokers[i]);
        count += other && is_same(v, other);
    }
    const char *before = count > 1 ? " API versions of brokers " : " API versions of broker ";
    for (size_t i = index; i < p->broker_count; i++) {
        const kloop_api_versions_response *other = versions_of(&p->brokers[i]);
        if (!other || !is_same(v, other))
            continue;
        fprintf(to, "%s%d", before, p->brokers[i].it.node_id);
        before = ", ";
    }
    if (release)
        fprintf(to, ", as of Kafka %s or newer", release);
    fputs(":\n", to);
}

static void print_api(const kloop_api_version *v, const char *version_max, FILE *to)
{
    char range[24];
    const char *name = kl_api_name(v->api_key);
    snprintf(range, sizeof range, "%d-%d", v->min_version, v->max_version);
    fprintf(to, "  %4d  %-*s  ", v->api_key, NAME_WIDTH, name ? name : "(newer than kloop)");
    if (!kl_meta_versions_is_ours(v->api_key)) {
        fprintf(to, "%s\n", range);
        return;
    }
    int16_t ours = kl_common_version(v->api_key, v->min_version, v->max_version, version_max);
    if (ours >= 0)
        fprintf(to, "%-8s  %d\n", range, ours);
    else
        fprintf(to, "%-8s  ! none in common\n", range);
}

/* The APIs that the producer speaks and the broker does not offer. */
static void print_missing(const kloop_api_versions_response *v, FILE *to)
{
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        if (kl_meta_versions_is_ours(api->key) && max_version_of(v, api->key) < 0)
            fprintf(to, "  %4d  %-*s  %-8s  ! not offered\n", api->key, NAME_WIDTH, api->name, "-");
    }
}

static void print_features(const kloop_api_versions_response *v, FILE *to)
{
    kloop_finalized_feature f;
    const char *before = "  features: ";
    for (kloop_iter i = kloop_iterate(&v->finalized_features); kloop_next(&i, &f);) {
        char name[KL_EXCERPT_SIZE];
        fprintf(to, "%s%s %d", before, kl_excerpt(name, sizeof name, f.name), f.max_version_level);
        before = ", ";
    }
    if (v->finalized_features.count > 0)
        fputc('\n', to);
}

static void print_table(const kloop_api_versions_response *v, const char *version_max, FILE *to)
{
    kloop_api_version one;
    fprintf(to, "   key  %-*s  %-8s  %s\n", NAME_WIDTH, "API", "offered", "kloop speaks");
    for (kloop_iter i = kloop_iterate(&v->api_keys); kloop_next(&i, &one);)
        print_api(&one, version_max, to);
    print_missing(v, to);
    print_features(v, to);
}

void kl_meta_versions_print(const kl_meta_picture *p, const char *version_max, FILE *to)
{
    for (size_t i = 0; i < p->broker_count; i++) {
        const kl_meta_broker *b = &p->brokers[i];
        const kloop_api_versions_response *v = versions_of(b);
        if (!v) {
            fprintf(to, " API versions of broker %d at %s: ! %s\n", b->it.node_id,
                    kl_dialog_place(b->dialog), kl_dialog_why(b->dialog));
        } else if (!is_told(p, i)) {
            print_heading(p, i, to);
            print_table(v, version_max, to);
        }
    }
}
