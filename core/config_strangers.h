/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that people bring along from Kafka's and librdkafka's producers, and that are no keys here.
 * "Unknown key" would send them looking for a slip of the finger; so each is taken where nothing
 * changes by it, taken with a note where it has no effect, or refused with the reason and what
 * there is instead.
 *
 * Everything here is constant; nothing is owned, nothing fails.
 */
#ifndef KL_CORE_CONFIG_STRANGERS_H
#define KL_CORE_CONFIG_STRANGERS_H

#include <kloop/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum kl_stranger_ruling {
    KL_STRANGER_ALIKE, /* this value is what happens anyway */
    KL_STRANGER_NOTED, /* it is without effect */
    KL_STRANGER_REFUSED,
} kl_stranger_ruling;

typedef enum kl_stranger_origin {
    KL_STRANGER_OF_JAVA,
    KL_STRANGER_OF_LIBRDKAFKA,
    KL_STRANGER_OF_CONSUMERS,
} kl_stranger_origin;

typedef struct kl_config_strangers {
    uint8_t ruling; /* kl_stranger_ruling */
    uint8_t origin; /* kl_stranger_origin */
    /* With spaces between. "name=value": only with this value, which has no space; "name." stands
     * for all that begin so. */
    const char *names;
} kl_config_strangers;

/* A clause, without a full stop. */
static inline const char *kl_config_strangers_why(const kl_config_strangers *row)
{
    /* Behind the names, since it takes less room there than a pointer to it. */
    return row->names + strlen(row->names) + 1;
}

/* The row that rules over this name with this value, trimmed; the first that fits. NULL: nobody
 * knows the name. */
const kl_config_strangers *kl_config_strangers_find(const char *name, kloop_string value);

size_t kl_config_strangers_count(void);
const kl_config_strangers *kl_config_strangers_at(size_t index);

#endif
