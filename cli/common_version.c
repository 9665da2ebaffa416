/* SPDX-License-Identifier: BSD-2-Clause */
/* See common_version.h. */
#include "cli/common_version.h"

#include <kloop/wire.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The number that "Produce=12, ApiVersions=2" has for a name; the list was checked before. */
static int16_t cap_in(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; p && *p; p = strchr(p, ','), p = p ? p + 1 : p) {
        while (isspace((unsigned char)*p))
            p++;
        if (strncmp(p, name, len) != 0)
            continue;
        const char *rest = p + len;
        while (isspace((unsigned char)*rest))
            rest++;
        if (*rest == '=')
            return (int16_t)strtol(rest + 1, NULL, 10);
    }
    return INT16_MAX;
}

int16_t kl_common_version(int16_t api_key, int16_t min, int16_t max, const char *list)
{
    const kloop_api *ours = kloop_api_find(api_key);
    if (!ours)
        return -1;
    int16_t cap = cap_in(list, ours->name);
    if (max > ours->max_version)
        max = ours->max_version;
    if (max > cap)
        max = cap;
    if (min < ours->min_version)
        min = ours->min_version;
    return min <= max ? max : -1;
}
