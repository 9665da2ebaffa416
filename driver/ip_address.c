/* SPDX-License-Identifier: BSD-2-Clause */
/* Between text, kloop_address and sockaddr. */
#define _GNU_SOURCE /* if_nametoindex */
#include "driver/ip_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number, or the name of an interface of this machine; libuv knows the latter only. */
static bool parse_scope(const char *text, uint32_t *scope)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && number > 0 && number <= UINT32_MAX)
        *scope = (uint32_t)number;
    else
        *scope = if_nametoindex(text);
    return *scope != 0;
}

static bool parse_v6(const char *text, kloop_address *address)
{
    char bare[INET6_ADDRSTRLEN];
    const char *percent = strchr(text, '%');
    size_t len = percent ? (size_t)(percent - text) : strlen(text);
    if (len >= sizeof bare)
        return false;
    memcpy(bare, text, len);
    bare[len] = '\0';
    address->family = 6;
    return inet_pton(AF_INET6, bare, address->bytes) == 1 &&
           (!percent || parse_scope(percent + 1, &address->scope));
}

bool kl_ip_address_parse(const char *text, kloop_address *address)
{
    memset(address, 0, sizeof *address);
    address->family = 4;
    return inet_pton(AF_INET, text, address->bytes) == 1 || parse_v6(text, address);
}

bool kl_ip_address_from_system(const struct sockaddr *from, kloop_address *address)
{
    memset(address, 0, sizeof *address);
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof v4);
        memcpy(address->bytes, &v4.sin_addr, 4);
        address->port = ntohs(v4.sin_port);
        address->family = 4;
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof v6);
        memcpy(address->bytes, &v6.sin6_addr, 16);
        address->scope = v6.sin6_scope_id;
        address->port = ntohs(v6.sin6_port);
        address->family = 6;
        return true;
    }
    return false;
}

socklen_t kl_ip_address_to_system(const kloop_address *address, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    if (address->family == 4) {
        struct sockaddr_in v4;
        memset(&v4, 0, sizeof v4);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address->port);
        memcpy(&v4.sin_addr, address->bytes, 4);
        memcpy(to, &v4, sizeof v4);
        return sizeof v4;
    }
    if (address->family == 6) {
        struct sockaddr_in6 v6;
        memset(&v6, 0, sizeof v6);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address->port);
        v6.sin6_scope_id = address->scope;
        memcpy(&v6.sin6_addr, address->bytes, 16);
        memcpy(to, &v6, sizeof v6);
        return sizeof v6;
    }
    return 0;
}

void kl_ip_address_print(const kloop_address *address, char text[KL_IP_ADDRESS_TEXT_MAX])
{
    char bare[INET6_ADDRSTRLEN] = "?";
    if (address->family == 4)
        inet_ntop(AF_INET, address->bytes, bare, sizeof bare);
    else if (address->family == 6)
        inet_ntop(AF_INET6, address->bytes, bare, sizeof bare);
    if (address->family == 6 && address->scope)
        snprintf(text, KL_IP_ADDRESS_TEXT_MAX, "%s%%%u", bare, (unsigned)address->scope);
    else
        snprintf(text, KL_IP_ADDRESS_TEXT_MAX, "%s", bare);
}

bool kl_ip_address_same_host(const kloop_address *a, const kloop_address *b)
{
    size_t len = a->family == 4 ? 4 : 16;
    return a->family == b->family && a->scope == b->scope && memcmp(a->bytes, b->bytes, len) == 0;
}
