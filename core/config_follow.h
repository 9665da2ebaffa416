/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Presets that follow other keys: of two keys of which one bounds the other, what a person set is
 * kept, and a preset gives way where that costs nothing but time. Nothing is owned, nothing fails.
 */
#ifndef KL_CORE_CONFIG_FOLLOW_H
#define KL_CORE_CONFIG_FOLLOW_H

#include "core/config_key.h"

/* What a key that was not set has; preset: what it has when it follows nothing. */
int64_t kl_config_follow(const kloop_config *c, kl_config_id id, int64_t preset);

#endif
