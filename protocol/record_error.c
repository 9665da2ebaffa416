/* SPDX-License-Identifier: BSD-2-Clause */
/* BatchIndexAndErrorMessage. See record_error.h. */
#include "protocol/record_error.h"

#include "protocol/walk.h"

static void walk_record_error(kl_walk *w, void *element)
{
    kloop_record_error *m = element;
    INT32(batch_index, "batchIndex");
    STRING(batch_index_error_message, "batchIndexErrorMessage", NULLABLE(8), .null_default = true);
    NO_TAGS();
}

KL_MESSAGE_TYPE(kl_record_error_type, kloop_record_error, 0, walk_record_error);
