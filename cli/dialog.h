/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain talk with one broker, for commands that ask something and end: one question, one answer.
 * Nothing here sends records, and nothing waits in a call but kl_dialogs_wait().
 *
 *   LOOKING_UP -> CONNECTING --> TLS --> GREETING --> LOGIN --> READY <-> ASKING
 *        |          |  ^  |       |       ^  |  |       |         |          |
 *        |          |  |  '-------+-------'  |  '-------+---->----'          |   without TLS,
 *        |          |  +----------+----------+          |                    |   without a login
 *        v          v   (next)    v          v          v                    v
 *      FAILED <---------------------------------------------------------------
 *
 * next is another address of the name, or the same one in the oldest ApiVersions there is; a login
 * is tried at one address alone, since brokers count those that fail. Before TLS has verified the
 * peer nothing is said, and before the login nothing but ApiVersions and the login itself.
 *
 *     kl_dialog *d = kl_dialog_new(&config, "localhost", 9092);
 *     while (kl_dialog_is_busy(d))
 *         kl_dialogs_wait(&d, 1, KL_NEVER);
 *     if (kl_dialog_state_of(d) == KL_DIALOG_READY)
 *         kl_dialog_ask(d, KLOOP_METADATA, kl_dialog_version(d, KLOOP_METADATA), &request);
 *     while (kl_dialog_is_busy(d)) ...
 *     kl_dialog_answer(d, &answer)
 *
 * Several dialogs at once are a list of them given to kl_dialogs_wait().
 *
 * Owns its socket, the lookup and the bytes of the latest answer, which are good until the next
 * question. The configuration and what it points at must outlive it. Everything that goes wrong
 * with the broker or the network ends in FAILED with a sentence; no call but _new fails for lack of
 * memory in another way.
 */
#ifndef KL_CLI_DIALOG_H
#define KL_CLI_DIALOG_H

#include "cli/dialog_track.h"
#include "cli/security.h"

#include <kloop/wire.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kl_dialog kl_dialog;

typedef enum kl_dialog_state {
    KL_DIALOG_LOOKING_UP,
    KL_DIALOG_CONNECTING,
    KL_DIALOG_TLS,
    KL_DIALOG_GREETING, /* ApiVersions is asked */
    KL_DIALOG_LOGIN,
    KL_DIALOG_READY,
    KL_DIALOG_ASKING,
    KL_DIALOG_FAILED,
} kl_dialog_state;

typedef struct kl_dialog_config {
    kloop_string client_id;
    uint64_t lookup_ns;  /* for the name; 0: as long as the lookup itself allows */
    uint64_t connect_ns; /* for a TCP connection to one address, and then for TLS */
    uint64_t answer_ns;  /* for an answer */
    /* api.version.max: of each API the newest version to speak; "" for as new as there is */
    const char *version_max;
    const kl_security *security; /* NULL: neither TLS nor a login */
} kl_dialog_config;

/* Host without brackets. NULL: no memory. */
kl_dialog *kl_dialog_new(const kl_dialog_config *config, const char *host, uint16_t port);
/* d may be NULL. */
void kl_dialog_del(kl_dialog *d);

kl_dialog_state kl_dialog_state_of(const kl_dialog *d);
/* Neither READY nor FAILED: something is still to come. */
bool kl_dialog_is_busy(const kl_dialog *d);

/* FAILED: what went wrong, with each address that was tried. Before: what is being waited for. */
const char *kl_dialog_why(kl_dialog *d);
/* Of bootstrap.servers, or as Metadata told: "localhost:9092". */
const char *kl_dialog_place(const kl_dialog *d);
/* Where it is connected to, or was last: "127.0.0.1:9092"; "" while the name is looked up. */
void kl_dialog_address(const kl_dialog *d, char text[KL_DIALOG_PLACE_MAX]);

/* What it offers; NULL before it has told. Lives as long as the dialog. */
const kloop_api_versions_response *kl_dialog_versions(const kl_dialog *d);
/* The newest version that both know and version_max allows; -1: there is none. */
int16_t kl_dialog_version(const kl_dialog *d, int16_t api_key);

/* READY becomes ASKING, or FAILED. request is the message's struct, and not needed afterwards. */
void kl_dialog_ask_sized(kl_dialog *d, int16_t api_key, int16_t version, const void *request,
                         size_t request_size);
#define kl_dialog_ask(d, api_key, version, request)                                                \
    kl_dialog_ask_sized((d), (api_key), (version), (request), sizeof *(request))

/*
 * READY after a question: the answer's struct, with views into bytes that stay until the next
 * question. false: it cannot be read, and the dialog has FAILED.
 */
bool kl_dialog_answer_sized(kl_dialog *d, void *response, size_t response_size);
#define kl_dialog_answer(d, response) kl_dialog_answer_sized((d), (response), sizeof *(response))

/* READY and nothing more to ask: the connection ends, all that it has told stays. */
void kl_dialog_part(kl_dialog *d);

/* FAILED with this sentence, for somebody who has found out more. */
void kl_dialog_give_up(kl_dialog *d, const char *why);

/* ---- What became of each step, for those who want to know more than why ---- */

/* Good as long as the dialog; grows while it goes on. */
const kl_dialog_track *kl_dialog_track_of(const kl_dialog *d);
/* Of the connection that was made last; NULL: there was no TLS yet. */
const kloop_tls_channel *kl_dialog_channel(const kl_dialog *d);

/* ---- Waiting ---- */

#define KL_DIALOGS_MAX 32

/*
 * Waits until something happened with one of them, a time limit of one of them is over, or it is
 * until_ns, and does what there is to do. Entries may be NULL.
 */
void kl_dialogs_wait(kl_dialog *const *list, size_t count, uint64_t until_ns);
/* The clock of until_ns. */
uint64_t kl_dialogs_now_ns(void);

#endif
