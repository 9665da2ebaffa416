/* SPDX-License-Identifier: BSD-2-Clause */
/* Every entry is read by one function, which also knows why it cannot be read. */
#include "core/bootstrap.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/excerpt.h"
#include "core/config_value.h"
#include "core/error.h"

#include <string.h>

#define HOST_MAX 255

static bool is_hex(char c)
{
    return kl_ascii_is_digit(c) || (kl_ascii_lower(c) >= 'a' && kl_ascii_lower(c) <= 'f');
}

static bool is_name_char(char c)
{
    return kl_ascii_is_digit(c) || (kl_ascii_lower(c) >= 'a' && kl_ascii_lower(c) <= 'z') ||
           c == '-' || c == '.' || c == '_';
}

static bool has(kloop_string text, char c)
{
    return text.len > 0 && memchr(text.data, c, text.len) != NULL;
}

/* NULL, or what is wrong, as the end of a sentence that starts with the entry. */
static const char *read_port(kloop_string text, uint16_t *port)
{
    uint32_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!kl_ascii_is_digit(text.data[i]))
            return "has a port that is no number";
        if (v <= UINT16_MAX)
            v = v * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (v == 0 || v > UINT16_MAX)
        return "has a port that is out of range; allowed: 1 to 65535";
    *port = (uint16_t)v;
    return NULL;
}

static const char *check_name(kloop_string host)
{
    bool colon = false;
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] == ':')
            colon = true;
        else if (!is_name_char(host.data[i]))
            return "has a character that no host name has (one with other letters than a to z is "
                   "written xn--...)";
    }
    if (colon)
        return "has too many colons; an IPv6 address stands in brackets: [::1]:9092";
    return NULL;
}

/* Is it like an IPv6 address, with or without a zone? The system's own reader will know for sure.
 */
static const char *check_address(kloop_string host)
{
    const char *percent = host.len > 0 ? memchr(host.data, '%', host.len) : NULL;
    size_t len = percent ? (size_t)(percent - host.data) : host.len;
    for (size_t i = 0; i < len; i++)
        if (!is_hex(host.data[i]) && host.data[i] != ':' && host.data[i] != '.')
            return "has something else than an IPv6 address in its brackets";
    if (!has((kloop_string){host.data, len}, ':'))
        return "has something else than an IPv6 address in its brackets";
    for (size_t i = len + 1; i < host.len; i++)
        if (!is_name_char(host.data[i]))
            return "has something else than an IPv6 address in its brackets";
    return percent && len + 1 == host.len ? "has no zone after the %" : NULL;
}

static const char *read_server(kloop_string entry, kl_server *server)
{
    static const char no_port[] = "has no port; HOST:PORT is needed, such as localhost:9092";
    if (has(entry, '/'))
        return "looks like a URL; HOST:PORT is needed, without anything in front";
    bool brackets = entry.data[0] == '[';
    size_t host_end = 0; /* where the host ends, or its bracket is */
    for (size_t i = 0; i < entry.len; i++)
        if (entry.data[i] == (brackets ? ']' : ':'))
            host_end = i;
    if (brackets && host_end == 0)
        return "has a bracket that is not closed";
    size_t colon = host_end + brackets;
    if (colon >= entry.len || entry.data[colon] != ':' || colon + 1 == entry.len)
        return no_port;
    kloop_string host = {entry.data + brackets, host_end - brackets};
    kloop_string port = {entry.data + colon + 1, entry.len - colon - 1};
    if (host.len == 0)
        return "has no host before its port";
    if (host.len > HOST_MAX)
        return "has a host name of more than 255 bytes";
    const char *why = brackets ? check_address(host) : check_name(host);
    server->host = host;
    return why ? why : read_port(port, &server->port);
}

kloop_status kl_servers_check(kloop_string list, const char *name, kloop_error *error)
{
    if (list.len == 0)
        return kl_error_set(error, KLOOP_BAD_CONFIG,
                            "%s: the list is empty; HOST:PORT is needed, such as localhost:9092",
                            name);
    kloop_string rest = list;
    bool more = true;
    char shown[KL_EXCERPT_SIZE];
    for (size_t count = 1; more; count++) {
        kloop_string entry;
        more = kl_config_take_entry(&rest, &entry);
        if (entry.len == 0)
            return kl_error_set(error, KLOOP_BAD_CONFIG,
                                "%s: entry %zu of the list is empty; one comma stands between two "
                                "of HOST:PORT",
                                name, count);
        if (count > KL_SERVERS_MAX)
            return kl_error_set(error, KLOOP_BAD_CONFIG,
                                "%s: more than %d entries; a few suffice, for any of them knows "
                                "the others",
                                name, KL_SERVERS_MAX);
        kl_server server;
        const char *why = read_server(entry, &server);
        if (why)
            return kl_error_set(error, KLOOP_BAD_CONFIG, "%s: '%s' %s", name,
                                kl_excerpt(shown, sizeof shown, entry), why);
    }
    return KLOOP_OK;
}

bool kl_servers_next(kloop_string *rest, kl_server *server)
{
    if (rest->len == 0)
        return false;
    kloop_string entry;
    kl_config_take_entry(rest, &entry);
    const char *why = read_server(entry, server);
    KL_ASSERT(!why);
    return true;
}

bool kl_server_equal(const kl_server *a, const kl_server *b)
{
    if (a->port != b->port || a->host.len != b->host.len)
        return false;
    for (size_t i = 0; i < a->host.len; i++)
        if (kl_ascii_lower(a->host.data[i]) != kl_ascii_lower(b->host.data[i]))
            return false;
    return true;
}
