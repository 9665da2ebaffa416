/* SPDX-License-Identifier: BSD-2-Clause */
/* See meta_text.h. */
#include "cli/meta_text.h"

#include "base/excerpt.h"

#include <string.h>

/* Longer than any name that Kafka allows. */
#define NAME_MAX_BYTES 300

static void print_brokers(const kl_meta_picture *p, FILE *to)
{
    fprintf(to, " %zu brokers:\n", p->broker_count);
    for (size_t i = 0; i < p->broker_count; i++) {
        char text[NAME_MAX_BYTES];
        const kloop_metadata_broker *b = &p->brokers[i].it;
        fprintf(to, "  broker %d at %s:%d%s", b->node_id, kl_excerpt(text, sizeof text, b->host),
                b->port, b->node_id == p->controller_id ? " (controller)" : "");
        if (b->rack.data)
            fprintf(to, ", rack %s", kl_excerpt(text, sizeof text, b->rack));
        fputc('\n', to);
    }
}

static void print_nodes(const char *what, const kloop_array *nodes, FILE *to)
{
    int32_t id;
    const char *comma = "";
    fprintf(to, ", %s: ", what);
    for (kloop_iter i = kloop_iterate(nodes); kloop_next(&i, &id); comma = ",")
        fprintf(to, "%s%d", comma, id);
}

static void print_partition(const kl_meta_partition *p, FILE *to)
{
    fprintf(to, "    partition %d, leader %d", p->it.partition_index, p->it.leader_id);
    print_nodes("replicas", &p->it.replica_nodes, to);
    print_nodes("isrs", &p->it.isr_nodes, to);
    if (p->offline)
        print_nodes("offline", &p->it.offline_replicas, to);
    if (p->it.error_code)
        fprintf(to, ", %s", kloop_broker_error_name(p->it.error_code));
    if (p->leaderless)
        fputs(" ! no leader", to);
    if (p->under_replicated)
        fprintf(to, "%s under-replicated", p->leaderless ? "," : " !");
    fputc('\n', to);
}

/* The first sentence of the explanation; the others advise a producer. */
static void print_error(int16_t code, FILE *to)
{
    const char *text = kloop_broker_error_explain(code);
    const char *end = strpbrk(text, ".;");
    int len = end ? (int)(end - text) : (int)strlen(text);
    fprintf(to, " ! %s: %.*s", kloop_broker_error_name(code), len, text);
}

static void print_topic(const kl_meta_topic *t, FILE *to)
{
    char name[NAME_MAX_BYTES];
    fprintf(to, "  topic \"%s\" with %zu partitions:", kl_excerpt(name, sizeof name, t->it.name),
            t->partition_count);
    if (t->it.is_internal)
        fputs(" internal", to);
    if (t->it.error_code)
        print_error(t->it.error_code, to);
    fputc('\n', to);
    for (size_t i = 0; i < t->partition_count; i++)
        print_partition(&t->partitions[i], to);
}

void kl_meta_text_print(const kl_meta_picture *p, FILE *to)
{
    char text[NAME_MAX_BYTES];
    fprintf(to, "Metadata for %s (from broker %d: %s):\n",
            p->asked ? kl_excerpt(text, sizeof text, kloop_text(p->asked)) : "all topics",
            p->origin_id, p->origin);
    if (p->cluster_id.data)
        fprintf(to, " cluster %s\n", kl_excerpt(text, sizeof text, p->cluster_id));
    print_brokers(p, to);
    fprintf(to, " %zu topics:\n", p->topic_count);
    for (size_t i = 0; i < p->topic_count; i++)
        print_topic(&p->topics[i], to);
}

void kl_meta_text_print_troubles(const kl_meta_picture *p, FILE *to)
{
    const char *comma = "";
    if (!p->leaderless_count && !p->under_replicated_count && !p->offline_count)
        return;
    fprintf(to, "kloop meta: of %zu partition%s, ", p->partition_count,
            p->partition_count == 1 ? "" : "s");
    if (p->leaderless_count) {
        fprintf(to, "%zu without a leader", p->leaderless_count);
        comma = ", ";
    }
    if (p->under_replicated_count) {
        fprintf(to, "%s%zu under-replicated", comma, p->under_replicated_count);
        comma = ", ";
    }
    if (p->offline_count)
        fprintf(to, "%s%zu with offline replicas", comma, p->offline_count);
    fputc('\n', to);
}
