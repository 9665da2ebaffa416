/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking a cluster what it looks like: whichever entry of bootstrap.servers answers first is asked
 * for Metadata, and then, if that is wanted, every broker for its API versions.
 *
 *   entry 1 ---------------- no connection
 *   entry 2     (250 ms) ---------- READY -- Metadata --> answered: the others are left alone
 *   entry 3             (250 ms) ----- ...
 *                                                         then brokers 1 ... n, all at once
 *
 * Owns the dialogs, and with them the bytes that the answer shows, until kl_meta_answer_deinit.
 * Fails when no entry answers; each of them tells then what became of it. A broker that cannot be
 * asked for its versions is no failure of the whole: its dialog tells.
 */
#ifndef KL_CLI_META_ASK_H
#define KL_CLI_META_ASK_H

#include "base/buf.h"
#include "cli/dialog.h"

typedef struct kl_meta_question {
    kl_dialog_config dialog;
    const char *servers;       /* bootstrap.servers, which the configuration has checked */
    const char *const *topics; /* names */
    size_t topic_count;        /* 0: all topics there are */
    bool versions;             /* of every broker */
    uint64_t timeout_ns;       /* for everything together */
} kl_meta_question;

typedef struct kl_meta_answer {
    kl_dialog **entries; /* one for each of bootstrap.servers that was tried */
    size_t entry_count;
    size_t entry_room;
    kl_dialog *origin; /* the entry that answered */
    bool asked_all;    /* it was asked for all topics, which those wanted are some of */
    kloop_metadata_response metadata;
    kl_dialog **brokers; /* in the order of metadata.brokers, with question.versions */
    size_t broker_count;
} kl_meta_answer;

typedef enum kl_meta_outcome {
    KL_META_ANSWERED,
    KL_META_NOBODY, /* the entries tell why */
    KL_META_NO_MEMORY,
} kl_meta_outcome;

/* a has to be given back after every outcome. */
kl_meta_outcome kl_meta_ask(const kl_meta_question *q, kl_meta_answer *a);
void kl_meta_answer_deinit(kl_meta_answer *a);

#endif
