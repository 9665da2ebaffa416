/* SPDX-License-Identifier: BSD-2-Clause */
/* Short answers. See answer_others.h. */
#include "broker/answer_others.h"

#include "broker/login_parts.h"

#include <kloop/broker_error.h>
#include <kloop/wire.h>

/* ---- ApiVersions ---- */

static bool is_alphanumeric(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

/* Letters and digits, with dots and dashes between them. */
static bool is_software_word(kloop_string s)
{
    if (s.len == 0 || !is_alphanumeric(s.data[0]) || !is_alphanumeric(s.data[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alphanumeric(s.data[i]) && s.data[i] != '.' && s.data[i] != '-')
            return false;
    }
    return true;
}

static void answer_versions(kl_request *r, int16_t error_code, const kloop_api_version *list,
                            int32_t count)
{
    kloop_api_versions_response response;
    kloop_message_init(KLOOP_API_VERSIONS, KLOOP_RESPONSE, &response);
    response.error_code = error_code;
    response.api_keys = kloop_array_of(list, count);
    kl_request_answer(r, &response);
}

void kl_answer_api_versions(kl_request *r, const kloop_api_versions_request *q)
{
    kloop_api_version list[KL_VERSIONS_COUNT];
    int32_t count = 0;
    if (r->info.version >= 3 && (!is_software_word(q->client_software_name) ||
                                 !is_software_word(q->client_software_version))) {
        answer_versions(r, KLOOP_BROKER_INVALID_REQUEST, NULL, 0);
        return;
    }
    for (size_t i = 0; i < KL_VERSIONS_COUNT; i++) {
        const kl_version_range *range =
            kl_versions_find(&r->peer->node->versions, r->peer->node->versions.ranges[i].api_key);
        if (range)
            list[count++] =
                (kloop_api_version){range->api_key, range->min_version, range->max_version};
    }
    kl_login_versions_told(r->peer->login);
    answer_versions(r, 0, list, count);
}

void kl_answer_unknown_api_versions(kl_request *r)
{
    const kl_version_range *range = kl_versions_find(&r->peer->node->versions, KLOOP_API_VERSIONS);
    kloop_api_version own = {KLOOP_API_VERSIONS, 0, 0};
    if (range)
        own = (kloop_api_version){range->api_key, range->min_version, range->max_version};
    answer_versions(r, KLOOP_BROKER_UNSUPPORTED_VERSION, &own, 1);
}

/* ---- InitProducerId ---- */

void kl_answer_init_producer_id(kl_request *r, const kloop_init_producer_id_request *q)
{
    kloop_init_producer_id_response response;
    kloop_message_init(KLOOP_INIT_PRODUCER_ID, KLOOP_RESPONSE, &response);
    response.producer_epoch = -1;
    if ((q->producer_id == -1) != (q->producer_epoch == -1) ||
        (q->transactional_id.data && q->transactional_id.len == 0)) {
        response.error_code = KLOOP_BROKER_INVALID_REQUEST;
    } else if (q->transactional_id.data) {
        response.error_code = KLOOP_BROKER_NOT_COORDINATOR;
    } else {
        /* Without a transactional id every question gets a new one, whatever the client had. */
        response.producer_id = r->cluster->next_producer_id++;
        response.producer_epoch = r->cluster->config.first_producer_epoch;
    }
    kl_request_answer(r, &response);
}

/* ---- What comes to nothing ---- */

void kl_answer_find_coordinator(kl_request *r, const kloop_find_coordinator_request *q)
{
    kloop_find_coordinator_response response;
    kloop_message_init(KLOOP_FIND_COORDINATOR, KLOOP_RESPONSE, &response);
    if (r->info.version < 4) {
        response.error_code = KLOOP_BROKER_COORDINATOR_NOT_AVAILABLE;
        response.node_id = -1;
        response.host = kloop_text("");
        response.port = -1;
        kl_request_answer(r, &response);
        return;
    }
    size_t count = (size_t)q->coordinator_keys.count;
    kloop_coordinator *list = kl_scratch_take(&r->scratch, count, sizeof *list);
    if (!list) {
        kl_request_no_memory(r);
        return;
    }
    int32_t n = 0;
    kloop_string key;
    for (kloop_iter i = kloop_iterate(&q->coordinator_keys); kloop_next(&i, &key);)
        list[n++] = (kloop_coordinator){.key = key,
                                        .node_id = -1,
                                        .host = kloop_text(""),
                                        .port = -1,
                                        .error_code = KLOOP_BROKER_COORDINATOR_NOT_AVAILABLE};
    response.coordinators = kloop_array_of(list, n);
    kl_request_answer(r, &response);
}
