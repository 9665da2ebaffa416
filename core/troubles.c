/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentence. See troubles.h. */
#include "core/troubles.h"

#include <stdio.h>

/* Room for "; and 4096 others". */
#define MORE_BYTES 24

static bool is_meant(const kl_broker *b, const uint64_t *round)
{
    if (b->conn && b->conn->state == KL_CONN_READY && !b->stranger)
        return false;
    return round ? b->warm_round == *round : b->known && b->trouble[0];
}

static void say(const kl_broker *b, char *text, size_t size)
{
    char place[300];
    snprintf(place, sizeof place, "%s:%u", b->host, (unsigned)b->port);
    const char *trouble = b->trouble[0] ? b->trouble : "is being connected";
    /* Most sentences about a broker begin with its place. */
    if (strncmp(trouble, place, strlen(place)) == 0)
        snprintf(text, size, "%s", trouble);
    else
        snprintf(text, size, "%s: %s", place, trouble);
}

const char *kl_troubles(const kloop_engine *e, const uint64_t *round, char *text, size_t size)
{
    size_t len = 0;
    size_t left_out = 0;
    text[0] = '\0';
    for (kl_link *at = kl_list_first(&e->broker_list); at; at = kl_list_next(&e->broker_list, at)) {
        const kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_brokers);
        if (!is_meant(b, round))
            continue;
        char one[KL_TROUBLE_BYTES + 300];
        say(b, one, sizeof one);
        size_t need = strlen(one) + 2;
        if (left_out > 0 || len + need + MORE_BYTES > size) {
            left_out++;
            continue;
        }
        len += (size_t)snprintf(text + len, size - len, "%s%s", len ? "; " : "", one);
    }
    if (left_out > 0)
        snprintf(text + len, size - len, "%sand %zu others", len ? "; " : "", left_out);
    return text;
}
