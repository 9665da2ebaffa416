/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be true of bytes and a message, whoever made them. Shared by the targets about
 * messages.
 */
#ifndef KL_FUZZ_MESSAGE_TRIAL_H
#define KL_FUZZ_MESSAGE_TRIAL_H

#include "base/buf.h"
#include "fuzz/selection.h"
#include "protocol/api.h"

/*
 * Decodes all of bytes. Whatever comes out, nothing was allocated; a fault lies within the bytes
 * and has words, and the message is at defaults that can be encoded or refused, but not crash.
 */
kloop_status kl_message_trial_decode(const kl_selection *s, const uint8_t *bytes, size_t len,
                                     kl_message *message);

/*
 * A message that can be encoded: measured and written sizes agree, a buffer one byte short is
 * refused. Answers the bytes, for free().
 */
uint8_t *kl_message_trial_encode(const kl_selection *s, const kl_message *message, size_t *len);

/*
 * What was decoded, encoded, is bytes that decode and encode to themselves. Answers these canonical
 * bytes, for free().
 */
uint8_t *kl_message_trial_fixpoint(const kl_selection *s, const kl_message *message, size_t *len);

/* Every beginning of an accepted message is refused at a byte that is there; one byte more is told
 * as trailing. */
void kl_message_trial_cuts(const kl_selection *s, const uint8_t *bytes, size_t len, uint32_t hash);

/*
 * What was decoded in one version is encoded in another one, which may refuse it; what it takes is
 * a message of that version, and measuring and writing agree.
 */
void kl_message_trial_other_version(const kl_selection *s, const kl_message *message,
                                    uint32_t hash);

/* Printed as JSON and loaded again, accepted bytes become the canonical ones. */
void kl_message_trial_json(const kl_selection *s, const uint8_t *bytes, size_t len,
                           const uint8_t *canonical, size_t canonical_len);

#endif
