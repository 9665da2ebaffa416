/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP addresses as text, as the engine's kloop_address and as the system's sockaddr.
 *
 * Pure functions: nothing is owned, no name is looked up. The parsers answer false for what is no
 * address, which is no error: it is a name then.
 */
#ifndef KL_DRIVER_IP_ADDRESS_H
#define KL_DRIVER_IP_ADDRESS_H

#include <kloop/engine.h>

#include <stdbool.h>
#include <sys/socket.h>

/* The longest text with its terminator: a port, brackets and a scope included. */
#define KL_IP_ADDRESS_TEXT_MAX 80

/* "127.0.0.1", "::1", "fe80::1%eth0", "fe80::1%2"; no brackets, no port, no shortened IPv4. */
bool kl_ip_address_parse(const char *text, kloop_address *address);

/* The port comes along. false: neither IPv4 nor IPv6. */
bool kl_ip_address_from_system(const struct sockaddr *from, kloop_address *address);
/* The length of what was filled in; 0: address has no family that the system knows. */
socklen_t kl_ip_address_to_system(const kloop_address *address, struct sockaddr_storage *to);

/* "127.0.0.1" or "fe80::1%2". */
void kl_ip_address_print(const kloop_address *address, char text[KL_IP_ADDRESS_TEXT_MAX]);

/* Same host, whatever the port. */
bool kl_ip_address_same_host(const kloop_address *a, const kloop_address *b);

#endif
