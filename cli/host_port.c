/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the host ends. See host_port.h. */
#include "cli/host_port.h"

#include <string.h>

static bool parse_port(const char *text, uint16_t *port)
{
    uint32_t n = 0;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        n = n * 10 + (uint32_t)(*text - '0');
        if (n > UINT16_MAX)
            return false;
    }
    *port = (uint16_t)n;
    return true;
}

bool kl_host_port_parse(const char *text, char host[KL_HOST_MAX], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    if (!colon)
        return false;
    size_t len = (size_t)(colon - text);
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) || memchr(text, '[', len)) {
        return false;
    }
    if (len == 0 || len >= KL_HOST_MAX)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    return parse_port(colon + 1, port);
}
