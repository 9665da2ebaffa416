/* SPDX-License-Identifier: BSD-2-Clause */
/* See server_list.h. */
#include "cli/server_list.h"

#include "base/check.h"

#include <ctype.h>
#include <string.h>

bool kl_server_list_next(const char **rest, char host[KL_HOST_MAX], uint16_t *port)
{
    const char *p = *rest;
    while (isspace((unsigned char)*p))
        p++;
    if (*p == '\0')
        return false;
    size_t len = strcspn(p, ",");
    *rest = p[len] ? p + len + 1 : p + len;
    while (len > 0 && isspace((unsigned char)p[len - 1]))
        len--;
    bool known = kl_host_port_parse((kloop_string){p, len}, host, port);
    KL_ASSERT(known);
    return true;
}
