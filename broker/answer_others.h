/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests whose answers are short: ApiVersions, InitProducerId, and those that a producer may
 * send and that come to nothing here (FindCoordinator: there is none). SASL is in
 * login_states.c.
 *
 * For files of broker/ only. Fails: as requests do, see request.h.
 */
#ifndef KL_BROKER_ANSWER_OTHERS_H
#define KL_BROKER_ANSWER_OTHERS_H

#include "broker/request.h"

void kl_answer_api_versions(kl_request *r, const kloop_api_versions_request *q);
/* A version of ApiVersions that the broker does not know: the answer has version 0. */
void kl_answer_unknown_api_versions(kl_request *r);
void kl_answer_init_producer_id(kl_request *r, const kloop_init_producer_id_request *q);
void kl_answer_find_coordinator(kl_request *r, const kloop_find_coordinator_request *q);

#endif
