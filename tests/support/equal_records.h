/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that are all equally long, for tests that cut batches up: half of the records are half of
 * the bytes. Some have a key, some headers, and their times go up and down.
 *
 *     host_topic *t = equal_begin(&h, 1, NULL, NULL, NULL, NULL);
 *     equal_send(&h, t, 8, 1000);             users 2 to 9
 *     equal_let_go(&h);
 *     equal_expect(&h, 0, 2, 9, 0, 1);        in one batch, epoch 0, sequence 1
 *
 * Nothing is owned. What goes wrong fails the running test.
 */
#ifndef KL_TESTS_EQUAL_RECORDS_H
#define KL_TESTS_EQUAL_RECORDS_H

#include "tests/support/engine_host.h"

/* A host with a topic of two partitions, led by b1 and the broker with this number, and two
 * settings more. linger.ms is 5. User 1 was acked in partition 0: sequence 0, offset 100. */
host_topic *equal_begin(host *h, int32_t leader_of_1, const char *key, const char *value,
                        const char *key2, const char *value2);
void equal_end(host *h);

/* To partition 0, with values of about len bytes: "v", then the user behind zeros. */
void equal_send(host *h, host_topic *t, size_t count, size_t len);
/* linger.ms is over. */
void equal_let_go(host *h);
/* Until broker 1 has a Produce, 2 seconds at most. */
void equal_await(host *h);

/* The only batch of the nth Produce at b1 has the records of just these users, as they were sent.
 */
void equal_expect_users(host *h, size_t nth, const size_t *users, size_t count);
/* Those from first to last, and these numbers. */
void equal_expect(host *h, size_t nth, size_t first, size_t last, int16_t epoch, int32_t sequence);

#endif
