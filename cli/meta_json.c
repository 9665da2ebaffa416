/* SPDX-License-Identifier: BSD-2-Clause */
/* See meta_json.h. */
#include "cli/meta_json.h"

#include "base/check.h"
#include "base/excerpt.h"
#include "broker/api_names.h"
#include "cli/common_version.h"
#include "cli/meta_versions.h"
#include "wiretools/json_write.h"

#include <stdio.h>

/* ---- Pairs ---- */

static void put_int(kl_json_writer *w, const char *key, int64_t value)
{
    kl_json_write_key(w, key);
    kl_json_write_int64(w, value);
}

static void put_text(kl_json_writer *w, const char *key, const char *value)
{
    kl_json_write_key(w, key);
    kl_json_write_text(w, value);
}

static void put_string(kl_json_writer *w, const char *key, kloop_string value)
{
    kl_json_write_key(w, key);
    kl_json_write_string(w, value);
}

static void put_true(kl_json_writer *w, const char *key, bool value)
{
    if (!value)
        return;
    kl_json_write_key(w, key);
    kl_json_write_bool(w, true);
}

static void put_error(kl_json_writer *w, int16_t code)
{
    if (!code)
        return;
    put_text(w, "error", kloop_broker_error_name(code));
    put_int(w, "error_code", code);
    put_text(w, "error_text", kloop_broker_error_explain(code));
}

/* ---- Brokers ---- */

static void put_api(kl_json_writer *w, const kloop_api_version *v, const char *version_max)
{
    const char *name = kl_api_name(v->api_key);
    kl_json_write_object_begin(w);
    put_int(w, "key", v->api_key);
    kl_json_write_key(w, "name");
    kl_json_write_string(w, kloop_text(name));
    put_int(w, "min", v->min_version);
    put_int(w, "max", v->max_version);
    kl_json_write_key(w, "kloop");
    int16_t ours = kl_meta_versions_is_ours(v->api_key)
                       ? kl_common_version(v->api_key, v->min_version, v->max_version, version_max)
                       : -1;
    if (ours >= 0)
        kl_json_write_int64(w, ours);
    else
        kl_json_write_null(w);
    kl_json_write_object_end(w);
}

static void put_features(kl_json_writer *w, const kloop_api_versions_response *v)
{
    kloop_finalized_feature f;
    kl_json_write_key(w, "features");
    kl_json_write_array_begin(w);
    for (kloop_iter i = kloop_iterate(&v->finalized_features); kloop_next(&i, &f);) {
        kl_json_write_object_begin(w);
        put_string(w, "name", f.name);
        put_int(w, "level", f.max_version_level);
        kl_json_write_object_end(w);
    }
    kl_json_write_array_end(w);
}

static void put_versions(kl_json_writer *w, kl_dialog *dialog, const char *version_max)
{
    const kloop_api_versions_response *v = kl_dialog_versions(dialog);
    kloop_api_version one;
    if (!v) {
        put_text(w, "error", kl_dialog_why(dialog));
        return;
    }
    const char *release = kl_meta_versions_release(v);
    kl_json_write_key(w, "as_of_kafka");
    kl_json_write_string(w, kloop_text(release));
    kl_json_write_key(w, "apis");
    kl_json_write_array_begin(w);
    for (kloop_iter i = kloop_iterate(&v->api_keys); kloop_next(&i, &one);)
        put_api(w, &one, version_max);
    kl_json_write_array_end(w);
    put_features(w, v);
}

static void put_broker(kl_json_writer *w, const kl_meta_broker *b, const char *version_max)
{
    char host[256], name[sizeof host + 16];
    /* A host that is cut in the middle of a letter would be no JSON. */
    snprintf(name, sizeof name, "%s:%d", kl_excerpt(host, sizeof host, b->it.host), b->it.port);
    kl_json_write_object_begin(w);
    put_int(w, "id", b->it.node_id);
    put_text(w, "name", name);
    put_string(w, "host", b->it.host);
    put_int(w, "port", b->it.port);
    put_string(w, "rack", b->it.rack);
    if (b->dialog)
        put_versions(w, b->dialog, version_max);
    kl_json_write_object_end(w);
}

/* ---- Topics ---- */

static void put_nodes(kl_json_writer *w, const char *key, const kloop_array *nodes)
{
    int32_t id;
    kl_json_write_key(w, key);
    kl_json_write_array_begin(w);
    for (kloop_iter i = kloop_iterate(nodes); kloop_next(&i, &id);) {
        kl_json_write_object_begin(w);
        put_int(w, "id", id);
        kl_json_write_object_end(w);
    }
    kl_json_write_array_end(w);
}

static void put_partition(kl_json_writer *w, const kl_meta_partition *p)
{
    kl_json_write_object_begin(w);
    put_int(w, "partition", p->it.partition_index);
    put_error(w, p->it.error_code);
    put_int(w, "leader", p->it.leader_id);
    put_int(w, "leader_epoch", p->it.leader_epoch);
    put_nodes(w, "replicas", &p->it.replica_nodes);
    put_nodes(w, "isrs", &p->it.isr_nodes);
    put_nodes(w, "offline", &p->it.offline_replicas);
    put_true(w, "leaderless", p->leaderless);
    put_true(w, "under_replicated", p->under_replicated);
    kl_json_write_object_end(w);
}

static void put_topic(kl_json_writer *w, const kl_meta_topic *t)
{
    kl_json_write_object_begin(w);
    put_string(w, "topic", t->it.name);
    put_error(w, t->it.error_code);
    kl_json_write_key(w, "topic_id");
    kl_json_write_uuid(w, &t->it.topic_id);
    put_true(w, "internal", t->it.is_internal);
    kl_json_write_key(w, "partitions");
    kl_json_write_array_begin(w);
    for (size_t i = 0; i < t->partition_count; i++)
        put_partition(w, &t->partitions[i]);
    kl_json_write_array_end(w);
    kl_json_write_object_end(w);
}

/* ---- The whole ---- */

static void put_question(kl_json_writer *w, const kl_meta_picture *p, const kl_meta_question *q)
{
    kl_json_write_key(w, "originating_broker");
    kl_json_write_object_begin(w);
    put_int(w, "id", p->origin_id);
    put_text(w, "name", p->origin);
    kl_json_write_object_end(w);
    kl_json_write_key(w, "query");
    kl_json_write_object_begin(w);
    put_text(w, "topic", p->asked ? p->asked : "*");
    if (q->topic_count > 1) {
        kl_json_write_key(w, "topics");
        kl_json_write_array_begin(w);
        for (size_t i = 0; i < q->topic_count; i++)
            kl_json_write_text(w, q->topics[i]);
        kl_json_write_array_end(w);
    }
    kl_json_write_object_end(w);
}

static void put_summary(kl_json_writer *w, const kl_meta_picture *p)
{
    kl_json_write_key(w, "summary");
    kl_json_write_object_begin(w);
    put_int(w, "brokers", (int64_t)p->broker_count);
    put_int(w, "topics", (int64_t)p->topic_count);
    put_int(w, "partitions", (int64_t)p->partition_count);
    put_int(w, "leaderless", (int64_t)p->leaderless_count);
    put_int(w, "under_replicated", (int64_t)p->under_replicated_count);
    put_int(w, "with_offline_replicas", (int64_t)p->offline_count);
    kl_json_write_object_end(w);
}

void kl_meta_json_append(const kl_meta_picture *p, const kl_meta_question *q,
                         const char *version_max, kl_buf *out)
{
    kl_json_writer json;
    kl_json_writer *w = &json;
    kl_json_write_init(w, out);
    kl_json_write_object_begin(w);
    put_question(w, p, q);
    put_int(w, "controllerid", p->controller_id);
    put_string(w, "clusterid", p->cluster_id);
    kl_json_write_key(w, "brokers");
    kl_json_write_array_begin(w);
    for (size_t i = 0; i < p->broker_count; i++)
        put_broker(w, &p->brokers[i], version_max);
    kl_json_write_array_end(w);
    kl_json_write_key(w, "topics");
    kl_json_write_array_begin(w);
    for (size_t i = 0; i < p->topic_count; i++)
        put_topic(w, &p->topics[i]);
    kl_json_write_array_end(w);
    put_summary(w, p);
    kl_json_write_object_end(w);
    bool whole = kl_json_write_end(w);
    KL_ASSERT(whole || out->failed);
    kl_buf_append_byte(out, '\n');
}
