/* SPDX-License-Identifier: BSD-2-Clause */
/* InitProducerId: a producer id and an epoch, for idempotence and for transactions. */
#define KL_WALK_RARE
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request(kl_walk *w, void *message)
{
    kloop_init_producer_id_request *m = message;
    STRING(transactional_id, "transactionalId", NULLABLE(0));
    INT32(transaction_timeout_ms, "transactionTimeoutMs");
    INT64(producer_id, "producerId", .since = 3, .fallback = -1);
    INT16(producer_epoch, "producerEpoch", .since = 3, .fallback = -1);
    BOOL(enable_2pc, "enable2Pc", .since = 6);
    BOOL(keep_prepared_txn, "keepPreparedTxn", .since = 6);
    NO_TAGS();
}

static void walk_response(kl_walk *w, void *message)
{
    kloop_init_producer_id_response *m = message;
    INT32(throttle_time_ms, "throttleTimeMs", .ignorable = true);
    INT16(error_code, "errorCode");
    INT64(producer_id, "producerId", .fallback = -1);
    INT16(producer_epoch, "producerEpoch");
    INT64(ongoing_txn_producer_id, "ongoingTxnProducerId", .since = 6, .fallback = -1);
    INT16(ongoing_txn_producer_epoch, "ongoingTxnProducerEpoch", .since = 6, .fallback = -1);
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_init_producer_id_request_type, kloop_init_producer_id_request,
                KL_FLEXIBLE_INIT_PRODUCER_ID, walk_request);
KL_MESSAGE_TYPE(kl_init_producer_id_response_type, kloop_init_producer_id_response,
                KL_FLEXIBLE_INIT_PRODUCER_ID, walk_response);
