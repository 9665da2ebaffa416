/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the APIs of Kafka 4.3.1 are called, those that nobody here speaks as well: for complaints
 * about requests, and for lists of what a broker offers.
 *
 * A constant table; nothing is owned, nothing fails.
 */
#ifndef KL_BROKER_API_NAMES_H
#define KL_BROKER_API_NAMES_H

#include <stdint.h>

/* NULL: 4.3.1 has no API of this key. */
const char *kl_api_name(int16_t api_key);

#endif
