/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a configuration says, for those who load it: each key by its id; where it was not set, the
 * preset or what that follows. Nothing fails; the configuration owns what is shown.
 */
#ifndef KL_CORE_CONFIG_READ_H
#define KL_CORE_CONFIG_READ_H

#include "core/config_notes.h"
#include "core/topic_keys.h"

/* The first refusal that was remembered, NULL when all went well. */
const kloop_error *kl_config_refusal(const kloop_config *c);

const kl_config_notes *kl_config_notes_of(const kloop_config *c);

/* The name that the key was set by last, and another that it was set by before; NULL: none. */
const char *kl_config_said(const kloop_config *c, kl_config_id id);
const char *kl_config_said_before(const kloop_config *c, kl_config_id id);

bool kl_config_has(const kloop_config *c, kl_config_id id);
/* For the kinds that have a number, see kl_config_kind. */
int64_t kl_config_number(const kloop_config *c, kl_config_id id);
/* For the others. Terminated. */
kloop_string kl_config_text(const kloop_config *c, kl_config_id id);

/* What was set for single topics, in the order in which they were named first. */
size_t kl_config_topic_count(const kloop_config *c);
const kl_topic_named_keys *kl_config_topic_at(const kloop_config *c, size_t index);

#endif
