/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One host name to all of its addresses, as the producer does it: IP addresses and localhost at
 * once, everything else by c-ares, from /etc/hosts and DNS. No thread, nothing waits in a call:
 * whoever has descriptors of his own to poll takes those of the lookup along.
 *
 *     kl_name_lookup *l = kl_name_lookup_new("kafka.example", 9092);
 *     while (!kl_name_lookup_is_over(l)) {
 *         struct pollfd fds[KL_NAME_LOOKUP_FDS_MAX];
 *         int timeout_ms = 1000;
 *         size_t count = kl_name_lookup_watch(l, fds, &timeout_ms);
 *         poll(fds, count, timeout_ms);
 *         kl_name_lookup_step(l, fds, count);
 *     }
 *     kl_name_lookup_at(l, 0), ... or kl_name_lookup_why(l)
 *     kl_name_lookup_del(l);
 *
 * Owns its channel to the DNS servers, the addresses and the sentence. Can end without addresses,
 * and why says then what happened. After six seconds without an answer c-ares gives up by itself.
 */
#ifndef KL_CLI_NAME_LOOKUP_H
#define KL_CLI_NAME_LOOKUP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define KL_NAME_LOOKUP_FDS_MAX       16
#define KL_NAME_LOOKUP_ADDRESSES_MAX 64

typedef struct kl_name_lookup kl_name_lookup;

/* host is copied. The lookup may be over at once. NULL: no memory. */
kl_name_lookup *kl_name_lookup_new(const char *host, uint16_t port);
/* Also before it is over; l may be NULL. */
void kl_name_lookup_del(kl_name_lookup *l);

bool kl_name_lookup_is_over(const kl_name_lookup *l);

/* What to poll for, at most KL_NAME_LOOKUP_FDS_MAX; timeout_ms is made smaller when it has to be.
 */
size_t kl_name_lookup_watch(kl_name_lookup *l, struct pollfd *fds, int *timeout_ms);
/* After the poll, which may have ended for any reason. */
void kl_name_lookup_step(kl_name_lookup *l, const struct pollfd *fds, size_t count);

/* When it is over: how many addresses there are, and each with its port. */
size_t kl_name_lookup_count(const kl_name_lookup *l);
const struct sockaddr *kl_name_lookup_at(const kl_name_lookup *l, size_t index, socklen_t *len);
/* Without addresses: what went wrong. "" otherwise. */
const char *kl_name_lookup_why(const kl_name_lookup *l);

/* "127.0.0.1:9092" or "[::1]:9092". */
#define KL_ADDRESS_TEXT_MAX 96
void kl_address_text(const struct sockaddr *address, char text[KL_ADDRESS_TEXT_MAX]);

#endif
