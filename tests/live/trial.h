/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Produce requests for scripts: good ones with few words, bad ones by changing bytes of a good one.
 *
 *     kl_trial good = kl_trial_init(t);
 *     kl_trial_send(t, "a plain batch", 9, -1, "cmp.plain", 0, kl_trial_batch(t, &good));
 *
 *     kl_trial_bytes bad = kl_trial_batch(t, &good);
 *     bad.data[KL_AT_MAGIC] = 1;
 *     kl_trial_send(t, "magic 1", 9, -1, "cmp.plain", 0, kl_trial_seal(bad));
 *
 * Owns: all bytes live as long as the talk. Fails: no memory ends the program.
 */
#ifndef KL_TESTS_LIVE_TRIAL_H
#define KL_TESTS_LIVE_TRIAL_H

#include "tests/live/talk.h"

/* Where things are in a batch. */
#define KL_AT_BASE_OFFSET    0
#define KL_AT_LENGTH         8
#define KL_AT_LEADER_EPOCH   12
#define KL_AT_MAGIC          16
#define KL_AT_CRC            17
#define KL_AT_ATTRIBUTES     21
#define KL_AT_LAST_DELTA     23
#define KL_AT_BASE_TIMESTAMP 27
#define KL_AT_MAX_TIMESTAMP  35
#define KL_AT_PRODUCER_ID    43
#define KL_AT_EPOCH          51
#define KL_AT_SEQUENCE       53
#define KL_AT_COUNT          57
#define KL_AT_RECORDS        61

typedef struct kl_trial {
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int32_t count;
    int codec;
    size_t value_bytes;
    bool without_key;
    int64_t timestamp; /* of the first; the others follow by the millisecond */
} kl_trial;

/* Two small records with keys, from now, of no producer in particular. */
kl_trial kl_trial_init(const kl_talk *t);
/* Those of a producer that the side has just made known: sequence 0, epoch 0. */
kl_trial kl_trial_of_new_producer(kl_talk *t);

/* A node that was just started has no ids yet and says so (COORDINATOR_LOAD_IN_PROGRESS): asks all
 * nodes until they have. */
void kl_trial_wait_for_ids(kl_talk *t);

/* data NULL: null records. */
typedef struct kl_trial_bytes {
    uint8_t *data;
    size_t len;
} kl_trial_bytes;

/* What the struct says, as a batch. */
kl_trial_bytes kl_trial_batch(kl_talk *t, const kl_trial *trial);
/* These records, with whatever is strange about them. */
kl_trial_bytes kl_trial_records(kl_talk *t, const kl_trial *trial,
                                const kloop_batch_record *records, size_t count);
/* The header of the trial, with this as its records field, and this as its count. */
kl_trial_bytes kl_trial_packed(kl_talk *t, const kl_trial *trial, const void *payload, size_t len);
/* These bytes through gzip: a payload for the above. */
kl_trial_bytes kl_trial_gzip(kl_talk *t, const void *bytes, size_t len);
/* Both, one behind the other. */
kl_trial_bytes kl_trial_join(kl_talk *t, kl_trial_bytes first, kl_trial_bytes second);
/* A copy to be changed. */
kl_trial_bytes kl_trial_copy(kl_talk *t, kl_trial_bytes bytes);
/* Makes length and CRC right again. */
kl_trial_bytes kl_trial_seal(kl_trial_bytes bytes);

/* A change and a seal in one. */
kl_trial_bytes kl_trial_set8(kl_talk *t, kl_trial_bytes bytes, size_t at, uint8_t value);
kl_trial_bytes kl_trial_set16(kl_talk *t, kl_trial_bytes bytes, size_t at, uint16_t value);
kl_trial_bytes kl_trial_set32(kl_talk *t, kl_trial_bytes bytes, size_t at, uint32_t value);
kl_trial_bytes kl_trial_set64(kl_talk *t, kl_trial_bytes bytes, size_t at, uint64_t value);

/* ---- Sending ---- */

typedef struct kl_trial_entry {
    const char *topic; /* from version 13 on by its id; a topic that is not known has one that
                          nobody has; KL_TRIAL_NO_TOPIC: none at all */
    int32_t partition;
    kl_trial_bytes bytes;
} kl_trial_entry;

#define KL_TRIAL_NO_TOPIC ""

typedef struct kl_trial_request {
    int16_t version;
    int16_t acks;
    const char *transactional_id;
    int32_t timeout_ms;
    const kl_trial_entry *entries; /* those of one topic in a row stand below one name */
    size_t entry_count;
} kl_trial_request;

/* To the leader of the first entry's partition. With acks 0 no answer is expected. */
void kl_trial_ask(kl_talk *t, const char *step, const kl_trial_request *request);
/* The same to the node to which the talk is connected. */
void kl_trial_ask_here(kl_talk *t, const char *step, const kl_trial_request *request);

/* One batch. */
void kl_trial_send(kl_talk *t, const char *step, int16_t version, int16_t acks, const char *topic,
                   int32_t partition, kl_trial_bytes bytes);

#endif
