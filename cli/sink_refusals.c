/* SPDX-License-Identifier: BSD-2-Clause */
/* See sink_refusals.h. */
#include "cli/sink_refusals.h"

#include "base/mem.h"
#include "base/prng.h"

#include <kloop/broker_error.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_MAX 16
#define GAPS_MAX   4096
#define SEED       1

typedef struct refusal {
    int16_t code;
    uint32_t per_million;
} refusal;

/* A batch that was refused and has not come again. */
typedef struct gap {
    int32_t topic;
    int32_t partition;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t sequence;
} gap;

struct kl_sink_refusals {
    refusal errors[ERRORS_MAX];
    size_t error_count;
    kl_prng prng;
    gap gaps[GAPS_MAX];
    size_t gap_count;
    size_t oldest; /* which one is given up next, when all are used */
};

kl_sink_refusals *kl_sink_refusals_new(void)
{
    kl_sink_refusals *r = kl_mem_zalloc(&kl_mem_libc, 1, sizeof *r);
    if (r)
        kl_prng_init(&r->prng, SEED);
    return r;
}

void kl_sink_refusals_del(kl_sink_refusals *r)
{
    kl_mem_release(&kl_mem_libc, r, sizeof *r);
}

/* ---- Words ---- */

static const kloop_broker_error *find_error(const char *words, size_t len)
{
    char *end;
    const kloop_broker_error *error = kloop_broker_error_find_name(words, len);
    if (error)
        return error;
    long code = strtol(words, &end, 10);
    bool number = end == words + len && len > 0 && code >= INT16_MIN && code <= INT16_MAX;
    return number ? kloop_broker_error_find((int16_t)code) : NULL;
}

const char *kl_sink_refusals_add(kl_sink_refusals *r, const char *words)
{
    char *end;
    const char *at = strchr(words, '@');
    if (r->error_count == ERRORS_MAX)
        return "too many of them";
    if (!at)
        return "CODE@RATE is wanted, as in NOT_LEADER_OR_FOLLOWER@0.01";
    const kloop_broker_error *error = find_error(words, (size_t)(at - words));
    if (!error || error->code == 0)
        return "Kafka has no error of this name or number";
    double rate = strtod(at + 1, &end);
    if (end != at + 1 && *end == '%') {
        rate /= 100;
        end++;
    }
    if (end == at + 1 || *end != '\0' || !(rate >= 0 && rate <= 1))
        return "the rate is wanted as 0 to 1, or as a percentage";
    r->errors[r->error_count++] = (refusal){error->code, (uint32_t)(rate * 1e6 + 0.5)};
    return NULL;
}

/* ---- Batches ---- */

static int16_t throw_dice(kl_sink_refusals *r)
{
    for (size_t i = 0; i < r->error_count; i++) {
        if (kl_prng_chance(&r->prng, r->errors[i].per_million))
            return r->errors[i].code;
    }
    return 0;
}

/* Of this producer in this partition; NULL: none. */
static gap *find_gap(kl_sink_refusals *r, int32_t topic, int32_t partition, int64_t producer_id)
{
    for (size_t i = 0; i < r->gap_count; i++) {
        gap *g = &r->gaps[i];
        if (g->topic == topic && g->partition == partition && g->producer_id == producer_id)
            return g;
    }
    return NULL;
}

static gap *new_gap(kl_sink_refusals *r)
{
    if (r->gap_count < GAPS_MAX)
        return &r->gaps[r->gap_count++];
    gap *g = &r->gaps[r->oldest];
    r->oldest = (r->oldest + 1) % GAPS_MAX;
    return g;
}

/* Sequences go on with 0 behind 2^31 - 1. */
static bool is_behind(int32_t sequence, int32_t gap_at)
{
    uint32_t distance = ((uint32_t)sequence - (uint32_t)gap_at) & INT32_MAX;
    return distance > 0 && distance < (uint32_t)1 << 30;
}

int16_t kl_sink_refusals_judge(kl_sink_refusals *r, int32_t topic, int32_t partition,
                               const kloop_batch_header *header)
{
    if (!header || header->producer_id < 0)
        return throw_dice(r);
    gap *g = find_gap(r, topic, partition, header->producer_id);
    bool same = g && g->producer_epoch == header->producer_epoch;
    if (same && is_behind(header->base_sequence, g->sequence))
        return KLOOP_BROKER_OUT_OF_ORDER_SEQUENCE_NUMBER;
    int16_t code = throw_dice(r);
    if (!code) {
        /* What comes again, or a new epoch, fills it; what came before it does not. */
        if (g && (!same || header->base_sequence == g->sequence))
            *g = r->gaps[--r->gap_count];
        return 0;
    }
    if (!g)
        g = new_gap(r);
    *g =
        (gap){topic, partition, header->producer_id, header->producer_epoch, header->base_sequence};
    return code;
}
