/* SPDX-License-Identifier: BSD-2-Clause */
/* See scripts.h. What a broker remembers of an idempotent producer, and what it does with it. */
#include "tests/live/scripts.h"
#include "tests/live/trial.h"

#include <kloop/batch.h>

#define TOPIC "cmp.plain"

/* A batch of the producer with this epoch, first sequence and count. */
static void put(kl_talk *t, const char *step, const kl_trial *producer, int16_t epoch,
                int32_t sequence, int32_t count)
{
    kl_trial trial = *producer;
    trial.epoch = epoch;
    trial.sequence = sequence;
    trial.count = count;
    kl_trial_send(t, step, 9, -1, TOPIC, 0, kl_trial_batch(t, &trial));
}

static void in_order(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0, three", &p, 0, 0, 3);
    put(t, "3, one", &p, 0, 3, 1);
    put(t, "4, two", &p, 0, 4, 2);
    p.sequence = 0;
    kl_trial_send(t, "0 in another partition", 9, -1, TOPIC, 1, kl_trial_batch(t, &p));
    put(t, "6, one", &p, 0, 6, 1);
}

static void duplicates(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0, three", &p, 0, 0, 3);
    put(t, "0, three again", &p, 0, 0, 3);
    put(t, "0, two", &p, 0, 0, 2);
    put(t, "0, four", &p, 0, 0, 4);
    put(t, "1, two", &p, 0, 1, 2);
    for (int32_t n = 1; n <= 6; n++)
        put(t, kl_talk_label(t, "%d, three", 3 * n), &p, 0, 3 * n, 3);
    for (int32_t n = 0; n <= 6; n++)
        put(t, kl_talk_label(t, "%d, three again", 3 * n), &p, 0, 3 * n, 3);
    put(t, "6, six over two batches", &p, 0, 6, 6);
    put(t, "21, goes on", &p, 0, 21, 1);
    kl_trial other = p;
    other.epoch = 0;
    other.sequence = 21;
    other.count = 1;
    other.value_bytes = 777;
    kl_trial_send(t, "21 with other bytes", 9, -1, TOPIC, 0, kl_trial_batch(t, &other));
    for (int16_t version = 3; version <= 13; version++)
        kl_trial_send(t, kl_talk_label(t, "21 again, v%d", version), version, 1, TOPIC, 0,
                      kl_trial_batch(t, &other));
}

static void gaps(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0, one", &p, 0, 0, 1);
    put(t, "2, one", &p, 0, 2, 1);
    put(t, "5, one", &p, 0, 5, 1);
    put(t, "1, one", &p, 0, 1, 1);
    put(t, "2, one now", &p, 0, 2, 1);
    put(t, "2^31-1, one", &p, 0, INT32_MAX, 1);
    for (int16_t version = 3; version <= 13; version++) {
        kl_trial gap = p;
        gap.sequence = 50;
        kl_trial_send(t, kl_talk_label(t, "gap, v%d", version), version, -1, TOPIC, 0,
                      kl_trial_batch(t, &gap));
    }
}

static void unknown_producers(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "first is 17", &p, 0, 17, 2);
    put(t, "19", &p, 0, 19, 1);
    put(t, "0", &p, 0, 0, 1);
    kl_trial later = kl_trial_of_new_producer(t);
    put(t, "first is epoch 5, sequence 3", &later, 5, 3, 1);
    put(t, "epoch 5, sequence 4", &later, 5, 4, 1);
    put(t, "epoch 4", &later, 4, 5, 1);
    kl_trial stranger = p;
    stranger.producer_id = 987654321;
    put(t, "an id that nobody gave", &stranger, 0, 0, 1);
    put(t, "the same again", &stranger, 0, 0, 1);
}

static void epochs(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "epoch 0, 0", &p, 0, 0, 2);
    put(t, "epoch 0, 2", &p, 0, 2, 2);
    put(t, "epoch 1, 4", &p, 1, 4, 2);
    put(t, "epoch 1, 1", &p, 1, 1, 2);
    put(t, "epoch 1, 0", &p, 1, 0, 2);
    put(t, "epoch 1, 0 again", &p, 1, 0, 2);
    put(t, "epoch 1, 2", &p, 1, 2, 2);
    put(t, "epoch 0, 4", &p, 0, 4, 2);
    put(t, "epoch 0, 2 again", &p, 0, 2, 2);
    put(t, "epoch 0, 0", &p, 0, 0, 2);
    put(t, "epoch 7, 0", &p, 7, 0, 1);
    put(t, "epoch 32767, 0", &p, INT16_MAX, 0, 1);
    put(t, "epoch 32767, 1", &p, INT16_MAX, 1, 1);
    put(t, "epoch 7, 1", &p, 7, 1, 1);
    for (int16_t version = 3; version <= 13; version++) {
        kl_trial old = p;
        old.epoch = 6;
        kl_trial_send(t, kl_talk_label(t, "old epoch, v%d", version), version, -1, TOPIC, 0,
                      kl_trial_batch(t, &old));
    }
}

static void wrap(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "2^31-3, two", &p, 0, INT32_MAX - 2, 2);
    put(t, "2^31-1, one", &p, 0, INT32_MAX, 1);
    put(t, "0, one", &p, 0, 0, 1);
    put(t, "2^31-1, one again", &p, 0, INT32_MAX, 1);
    put(t, "1, one", &p, 0, 1, 1);
    kl_trial q = kl_trial_of_new_producer(t);
    put(t, "2^31-4, two", &q, 0, INT32_MAX - 3, 2);
    put(t, "2^31-2, five over the edge", &q, 0, INT32_MAX - 1, 5);
    put(t, "2^31-2, five over the edge again", &q, 0, INT32_MAX - 1, 5);
    put(t, "3, one", &q, 0, 3, 1);
    put(t, "2, one", &q, 0, 2, 1);
    put(t, "4, one", &q, 0, 4, 1);
    kl_trial r = kl_trial_of_new_producer(t);
    put(t, "first is 2^31-2, two", &r, 0, INT32_MAX - 1, 2);
    put(t, "then 1", &r, 0, 1, 1);
    put(t, "then 0", &r, 0, 0, 1);
    kl_trial s = kl_trial_of_new_producer(t);
    put(t, "first goes over the edge", &s, 0, INT32_MAX, 3);
    put(t, "then 2", &s, 0, 2, 1);
}

static void half_set(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "sequence -1", &p, 0, -1, 1);
    put(t, "sequence -2", &p, 0, -2, 1);
    put(t, "epoch -1", &p, -1, 0, 1);
    put(t, "epoch -2", &p, -2, 0, 1);
    kl_trial none = p;
    none.producer_id = -1;
    put(t, "no id, sequence 5", &none, -1, 5, 1);
    put(t, "no id, epoch 3", &none, 3, -1, 1);
    put(t, "no id, both", &none, 3, 5, 1);
    put(t, "no id, both again", &none, 3, 5, 1);
    none.producer_id = -2;
    put(t, "id -2", &none, 0, 0, 1);
    put(t, "sound", &p, 0, 0, 1);
}

/* A batch that is refused for what it is leaves no trace in the state. */
static void refused_between(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0", &p, 0, 0, 1);
    p.sequence = 1;
    p.count = 1;
    kl_trial_bytes good = kl_trial_batch(t, &p);
    kl_trial_send(t, "1, damaged", 9, -1, TOPIC, 0, kl_trial_set32(t, good, KL_AT_COUNT, 9));
    kl_trial_send(t, "1, control", 9, -1, TOPIC, 0,
                  kl_trial_set16(t, good, KL_AT_ATTRIBUTES, KLOOP_BATCH_CONTROL));
    put(t, "2", &p, 0, 2, 1);
    put(t, "1", &p, 0, 1, 1);
    put(t, "2 now", &p, 0, 2, 1);
}

/* Damage is found before the state is looked at, or after: which error wins tells. */
static void wrong_twice(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    put(t, "0", &p, 0, 0, 1);
    p.sequence = 7;
    p.count = 2;
    kl_trial_bytes gap = kl_trial_batch(t, &p);
    kl_trial_send(t, "gap and bad count", 9, -1, TOPIC, 0, kl_trial_set32(t, gap, KL_AT_COUNT, 9));
    kl_trial_send(t, "gap and a far time", 9, -1, TOPIC, 0,
                  kl_trial_set64(t, gap, KL_AT_BASE_TIMESTAMP, (uint64_t)t->wall_ms + 360000000));
    p.sequence = 0;
    p.count = 1;
    kl_trial_bytes again = kl_trial_batch(t, &p);
    kl_trial_send(t, "duplicate with bad count", 9, -1, TOPIC, 0,
                  kl_trial_set32(t, again, KL_AT_COUNT, 9));
    kl_trial_send(t, "duplicate with a far time", 9, -1, TOPIC, 0,
                  kl_trial_set64(t, again, KL_AT_BASE_TIMESTAMP, (uint64_t)t->wall_ms + 360000000));
    kl_trial_send(t, "duplicate with wrong base offset", 9, -1, TOPIC, 0,
                  kl_trial_set64(t, again, KL_AT_BASE_OFFSET, 9));
    kl_trial_entry entries[] = {{TOPIC, 0, again}, {TOPIC, 1, again}};
    kl_trial_ask(
        t, "duplicate here, first there",
        &(kl_trial_request){
            .version = 9, .acks = -1, .timeout_ms = 5000, .entries = entries, .entry_count = 2});
}

static void without_acks(kl_talk *t)
{
    kl_trial p = kl_trial_of_new_producer(t);
    kl_trial_send(t, "0", 9, 0, TOPIC, 0, kl_trial_batch(t, &p));
    kl_trial_send(t, "0 again", 9, 0, TOPIC, 0, kl_trial_batch(t, &p));
    p.sequence = 10;
    kl_trial_send(t, "a gap", 9, 0, TOPIC, 0, kl_trial_batch(t, &p));
    put(t, "goes on", &p, 0, 2, 1);
    p.sequence = 3;
    kl_trial_send(t, "acks 1", 9, 1, TOPIC, 0, kl_trial_batch(t, &p));
}

const kl_script kl_scripts_of_sequences[] = {
    {"sequences in order", 1, 1, in_order, KL_SCRIPT_ORDINARY},
    {"duplicates", 1, 0, duplicates, KL_SCRIPT_ORDINARY},
    {"sequence gaps", 1, 0, gaps, KL_SCRIPT_ORDINARY},
    {"unknown producers", 1, 0, unknown_producers, KL_SCRIPT_ORDINARY},
    {"epochs", 1, 0, epochs, KL_SCRIPT_ORDINARY},
    {"sequence wrap", 1, 0, wrap, KL_SCRIPT_ORDINARY},
    {"ids half set", 1, 0, half_set, KL_SCRIPT_ORDINARY},
    {"refused between", 1, 0, refused_between, KL_SCRIPT_ORDINARY},
    {"wrong twice", 1, 1, wrong_twice, KL_SCRIPT_ORDINARY},
    {"idempotent without acks", 1, 0, without_acks, KL_SCRIPT_ORDINARY},
    {NULL, 0, 0, NULL, KL_SCRIPT_ORDINARY},
};
