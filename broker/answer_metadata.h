/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metadata: the cluster in the eyes of one broker. Topics that nobody has made may be made by
 * asking for them; they are never in the answer to that question.
 *
 * For files of broker/ only. Fails: as requests do, see request.h.
 */
#ifndef KL_BROKER_ANSWER_METADATA_H
#define KL_BROKER_ANSWER_METADATA_H

#include "broker/request.h"

void kl_answer_metadata(kl_request *r, const kloop_metadata_request *q);

#endif
