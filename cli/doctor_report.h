/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the doctor has found: groups (an entry of bootstrap.servers, a broker, a topic, the cluster)
 * of findings, each of which is a step with what came of it, how long it took and what to do.
 *
 *     kl_doctor_group *g = kl_doctor_group_add(&r, KL_GROUP_ENTRY, "localhost:9092");
 *     kl_finding *f = kl_doctor_finding_add(&r, g, "tcp", KL_FINDING_FAILED);
 *     kl_doctor_says(&r, f, "%s", "Connection refused");
 *     kl_doctor_advises(&r, f, "is the broker up?");
 *     kl_doctor_fact_text(&r, f, "address", "127.0.0.1:9092");
 *
 * The report owns all of it, copies of texts included, until it is given back. Lack of memory is
 * remembered in no_memory, and what was to be added is missing then; so nobody looks before the
 * end, and functions take and answer findings that lead nowhere.
 */
#ifndef KL_CLI_DOCTOR_REPORT_H
#define KL_CLI_DOCTOR_REPORT_H

#include "wiretools/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum kl_finding_outcome {
    KL_FINDING_OK,
    KL_FINDING_WARNING,
    KL_FINDING_FAILED,
    KL_FINDING_SKIPPED, /* something before it has failed */
} kl_finding_outcome;

#define KL_FINDING_OUTCOMES 4

/* Longer texts are cut. */
#define KL_FINDING_TEXT_MAX 4096

/* One thing more for machines. */
typedef struct kl_fact {
    struct kl_fact *next;
    const char *key;
    enum { KL_FACT_INT, KL_FACT_BOOL, KL_FACT_TEXT, KL_FACT_LIST } kind;
    int64_t number;
    const char *text;
    struct kl_fact *items; /* of a list, each with its text */
} kl_fact;

typedef struct kl_finding {
    struct kl_finding *next;
    const char *step; /* "tls": a word that machines rely on */
    kl_finding_outcome outcome;
    int64_t us;         /* how long it took; -1: nothing was waited for */
    const char *says;   /* perhaps in several lines */
    const char *advice; /* NULL: there is nothing to do */
    kl_fact *facts;
} kl_finding;

typedef enum kl_group_kind {
    KL_GROUP_ENTRY, /* of bootstrap.servers */
    KL_GROUP_BROKER,
    KL_GROUP_CLUSTER,
    KL_GROUP_TOPIC,
} kl_group_kind;

typedef struct kl_doctor_group {
    struct kl_doctor_group *next;
    kl_group_kind kind;
    const char *name; /* "localhost:9092", "events"; "" of the cluster */
    int32_t broker;   /* -1: not known */
    const char *note; /* behind the name, for people; NULL: nothing */
    kl_finding *findings;
} kl_doctor_group;

typedef struct kl_doctor_report {
    kl_arena arena;
    kl_doctor_group *groups;
    size_t counts[KL_FINDING_OUTCOMES];
    bool no_memory;
} kl_doctor_report;

void kl_doctor_report_init(kl_doctor_report *r);
void kl_doctor_report_deinit(kl_doctor_report *r);

/* name is copied. NULL: no memory, and no_memory is set; all others do nothing then. */
kl_doctor_group *kl_doctor_group_add(kl_doctor_report *r, kl_group_kind kind, const char *name);
kl_finding *kl_doctor_finding_add(kl_doctor_report *r, kl_doctor_group *g, const char *step,
                                  kl_finding_outcome outcome);
/* A second thought: the worse of two stays. */
void kl_doctor_worsen(kl_doctor_report *r, kl_finding *f, kl_finding_outcome outcome);

/* What was said before stays, with a comma. */
void kl_doctor_says(kl_doctor_report *r, kl_finding *f, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What is said next begins a line. */
void kl_doctor_says_below(kl_doctor_report *r, kl_finding *f);
/* What was advised before stays, in a line of its own; the same is not advised twice. */
void kl_doctor_advises(kl_doctor_report *r, kl_finding *f, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void kl_doctor_notes(kl_doctor_report *r, kl_doctor_group *g, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void kl_doctor_fact_int(kl_doctor_report *r, kl_finding *f, const char *key, int64_t number);
void kl_doctor_fact_bool(kl_doctor_report *r, kl_finding *f, const char *key, bool yes);
void kl_doctor_fact_text(kl_doctor_report *r, kl_finding *f, const char *key, const char *text);
/* One more of a list of texts; the list is there from the first one on. */
void kl_doctor_fact_item(kl_doctor_report *r, kl_finding *f, const char *key, const char *text);

/* The worst there is. */
kl_finding_outcome kl_doctor_report_outcome(const kl_doctor_report *r);
/* "ok", "warning", "failed", "skipped": machines rely on them. */
const char *kl_finding_outcome_name(kl_finding_outcome outcome);

#endif
