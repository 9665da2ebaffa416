/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The version of an API that kloop speaks with a broker. A pure function.
 */
#ifndef KL_CLI_COMMON_VERSION_H
#define KL_CLI_COMMON_VERSION_H

#include <stdint.h>

/*
 * The newest that both know, with a broker that offers min to max; -1: there is none. list is the
 * value of api.version.max, "Produce=12, ApiVersions=2", which the configuration has checked; it
 * may be "" or NULL.
 */
int16_t kl_common_version(int16_t api_key, int16_t min, int16_t max, const char *list);

#endif
