/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of requests and of their answers: the hooks of the model cluster, with the run's
 * dice in them, and the eyes of the ledger.
 */
#ifndef KL_SIM_ANSWERS_H
#define KL_SIM_ANSWERS_H

#include "broker/hooks.h"

typedef struct sim sim;

void sim_answers_hooks(sim *s, kl_hooks *hooks);

/* A scenario's word on what happens to the next requests; each is used once per count. */
typedef struct sim_order {
    int16_t api_key;
    uint32_t skip;  /* so many are let pass first */
    uint32_t count; /* then so many are struck; 0: the order is over */
    kl_request_fate fate;
    kl_produce_fate produce; /* for each partition of a Produce request */
    int32_t node;            /* KL_NO_NODE: any */
    kloop_slice
        body; /* if there is one, it is the answer's, behind the header that belongs there */
} sim_order;

#define SIM_ORDERS_MAX 8

typedef struct sim_orders {
    sim_order list[SIM_ORDERS_MAX];
    int count;
    uint64_t produce_id; /* the request whose partitions are struck now */
    kl_produce_fate produce;
    uint8_t frame[256];
    bool names_records; /* that are bad */
} sim_orders;

void sim_answers_order(sim *s, const sim_order *order);

#endif
