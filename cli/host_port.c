/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the host ends. See host_port.h. */
#include "cli/host_port.h"

#include <string.h>

static bool parse_port(kloop_string text, uint16_t *port)
{
    uint32_t n = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(text.data[i] - '0');
        if (n > UINT16_MAX)
            return false;
    }
    *port = (uint16_t)n;
    return true;
}

bool kl_host_port_parse(kloop_string text, char host[KL_HOST_MAX], uint16_t *port)
{
    size_t len = text.len;
    while (len > 0 && text.data[len - 1] != ':')
        len--;
    if (len == 0)
        return false;
    kloop_string behind = {text.data + len, text.len - len};
    const char *at = text.data;
    len--;
    if (len > 2 && at[0] == '[' && at[len - 1] == ']') {
        at++;
        len -= 2;
    } else if (memchr(at, ':', len) || memchr(at, '[', len)) {
        return false;
    }
    if (len == 0 || len >= KL_HOST_MAX)
        return false;
    memcpy(host, at, len);
    host[len] = '\0';
    return parse_port(behind, port);
}
