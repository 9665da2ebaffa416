/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The value of one key: from text to a number and back, and the sentence for text that is not
 * allowed.
 *
 * Nothing is owned, nothing is allocated.
 */
#ifndef KL_CORE_CONFIG_VALUE_H
#define KL_CORE_CONFIG_VALUE_H

#include "codecs/codec.h"
#include "core/config_key.h"

/* Without the spaces around it: everything up to U+0020, as for Java's String.trim(). */
kloop_string kl_config_trim(kloop_string text);
/* The part before the next comma, trimmed. Was there one, so that another entry has to follow? */
bool kl_config_take_entry(kloop_string *rest, kloop_string *entry);

/*
 * text is trimmed already. *number is set for the kinds that have one. KLOOP_OK or KLOOP_BAD_CONFIG
 * with a sentence, which calls the key by the name that was used.
 */
kloop_status kl_config_value_parse(kl_config_named named, const char *name, kloop_string text,
                                   int64_t *number, kloop_error *error);

/* The range of a NUMBER or a FRACTION. */
void kl_config_range(const kl_config_key *key, int64_t *lo, int64_t *hi);

/* The place of the nth of CHOICES, from 0; -1: there are no more. */
int kl_config_choices_at(int64_t number, unsigned n);

/* The text of a number, for the kinds that have one; size at least KL_CONFIG_NUMBER_TEXT. */
#define KL_CONFIG_NUMBER_TEXT 40
void kl_config_value_print(const kl_config_key *key, int64_t number, char *text, size_t size);

#endif
