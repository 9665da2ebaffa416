/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of brokers as people write it: "one:9092, two:9092, [::1]:9092".
 *
 * Stricter than Kafka's own reader, which takes PROTOCOL://host:port and drops the protocol, and
 * takes ::1:9092 for the address ::1.
 *
 * Nothing is owned; what is found are views into the text that was given.
 */
#ifndef KL_CORE_BOOTSTRAP_H
#define KL_CORE_BOOTSTRAP_H

#include <kloop/record.h>
#include <kloop/types.h>

#include <stdbool.h>

/* More in one list is a mistake: a program that found its list elsewhere than it thought. */
#define KL_SERVERS_MAX 1000

typedef struct kl_server {
    kloop_string host; /* without brackets */
    uint16_t port;
} kl_server;

/* KLOOP_OK or KLOOP_BAD_CONFIG with a sentence that starts with name. */
kloop_status kl_servers_check(kloop_string list, const char *name, kloop_error *error);

/*
 * One after the other of a list that was checked; false at its end. *rest is the list at first, and
 * what is left of it afterwards.
 */
bool kl_servers_next(kloop_string *rest, kl_server *server);

/* The same port of the same host; the case of letters is no difference. */
bool kl_server_equal(const kl_server *a, const kl_server *b);

#endif
