/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the user's hooks (<kloop/hooks.h>) are called from. Nobody comes here unless one is set:
 * who calls tests its pointer first.
 *
 * The engine owns the struct; frames that a hook has altered belong to their request, or to the
 * call that reads them. A hook that calls the engine is a mistake of the program: kl_hook_guard().
 */
#ifndef KL_CORE_HOOK_CALLS_H
#define KL_CORE_HOOK_CALLS_H

#include "base/check.h"
#include "core/engine_state.h"

/* Headers of a record and those that a hook adds, together, for which nothing is allocated. */
#define KL_HOOK_HEADERS_ROOM 16

/* A record and what the hook has added; good while both are. */
typedef struct kl_hooked_record {
    kloop_record record;
    kloop_record_header headers[KL_HOOK_HEADERS_ROOM];
    kloop_record_header added[KLOOP_APPEND_HEADERS];
    uint8_t bytes[KLOOP_APPEND_BYTES];
    size_t taken_bytes; /* of an array for headers, when there are too many; 0: none */
} kl_hooked_record;

/* Asks before_append. KLOOP_OK: h->record goes in r's place, then kl_hook_end_append().
 * KLOOP_BAD_HEADERS, KLOOP_NO_MEMORY: there is nothing to be ended. */
kloop_status kl_hook_append(kloop_engine *e, const kloop_topic *t, const kloop_record *r,
                            int32_t partition, kl_hooked_record *h);
void kl_hook_end_append(kloop_engine *e, kl_hooked_record *h);

/* Shows a request that is about to be shown to the host. false: altered, and no memory for that. */
bool kl_hook_written(kloop_engine *e, const kl_conn *c, kl_request *r);
/* Shows an answer, without its length. *copy is what is to be read instead, to be released with its
 * len, or its data is NULL. false: no memory. */
bool kl_hook_read(kloop_engine *e, const kl_conn *c, const kl_request *r, kloop_slice frame,
                  kloop_slice *copy);

/* Shows a run that is about to be reported. */
void kl_hook_outcome(kloop_engine *e, const kl_batch *b, const kloop_report *run, bool in_chunk);

/* Around the call of a hook: nothing of the engine may run in it. */
static inline void kl_hook_enter(kloop_engine *e)
{
    e->in_hook = true;
    e->plain = false;
}

static inline void kl_hook_leave(kloop_engine *e)
{
    e->in_hook = false;
    e->plain = e->taking && !e->hooks.before_append;
}

/* In what no hook may call. */
static inline void kl_hook_guard(const kloop_engine *e)
{
    KL_ASSERT(!e->in_hook);
}

#endif
