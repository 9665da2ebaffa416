/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real nodes as a side of a talk: blocking sockets on this machine. Who started the nodes kills and
 * starts them on demand: a line "@kill NODE" or "@start NODE" on standard output asks for it, and a
 * line on standard input says that it is done.
 *
 * Owns: the one connection that is open. Fails: a connection that cannot be made is answered false,
 * one that breaks is heard as closed, one that says nothing for 10 s as silent.
 */
#ifndef KL_TESTS_LIVE_KAFKA_SIDE_H
#define KL_TESTS_LIVE_KAFKA_SIDE_H

#include "tests/live/talk.h"

#define KL_KAFKA_NODES_MAX 9

typedef struct kl_kafka_side {
    uint16_t ports[KL_KAFKA_NODES_MAX]; /* of nodes 1, 2, ... at 127.0.0.1 */
    int32_t node_count;
    int fd; /* -1: none */
    uint8_t *bytes;
    size_t capacity;
    kl_side side;
} kl_kafka_side;

/* addresses: "127.0.0.1:PORT,...", in the order of the node ids. false: they are not of this form.
 */
bool kl_kafka_side_init(kl_kafka_side *k, const char *addresses);
void kl_kafka_side_deinit(kl_kafka_side *k);

#endif
