/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of messages, and how to find a row of it. */
#include "protocol/api.h"

#include <string.h>

typedef struct api_row {
    kloop_api api;
    const kloop_message_type *types[2]; /* by kloop_half */
} api_row;

static const api_row rows[] = {
#define KL_API_ROW(NAME, key, name, min, max, flexible, struct_name)                               \
    {{key, name, min, max, flexible, true, true},                                                  \
     {&kl_##struct_name##_request_type, &kl_##struct_name##_response_type}},
    KLOOP_API_MAP(KL_API_ROW)
#undef KL_API_ROW
        {{KLOOP_REQUEST_HEADER, "RequestHeader", 1, 2, 2, true, false},
         {&kl_request_header_type, NULL}},
    {{KLOOP_RESPONSE_HEADER, "ResponseHeader", 0, 1, 1, false, true},
     {NULL, &kl_response_header_type}},
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const api_row *find_row(int16_t key)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].api.key == key)
            return &rows[i];
    }
    return NULL;
}

const kloop_api *kloop_api_find(int16_t key)
{
    const api_row *row = find_row(key);
    return row ? &row->api : NULL;
}

const kloop_api *kloop_api_find_name(const char *name, size_t len)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strlen(rows[i].api.name) == len && memcmp(rows[i].api.name, name, len) == 0)
            return &rows[i].api;
    }
    return NULL;
}

size_t kloop_api_count(void)
{
    return ROW_COUNT;
}

const kloop_api *kloop_api_at(size_t index)
{
    return index < ROW_COUNT ? &rows[index].api : NULL;
}

int16_t kloop_request_header_version(int16_t api_key, int16_t version)
{
    const api_row *row = find_row(api_key);
    return row && version >= row->api.flexible_since ? 2 : 1;
}

int16_t kloop_response_header_version(int16_t api_key, int16_t version)
{
    /* A client must be able to read the answer of a broker that does not know the version it asked
     * in (KIP-511). */
    if (api_key == KLOOP_API_VERSIONS)
        return 0;
    const api_row *row = find_row(api_key);
    return row && version >= row->api.flexible_since ? 1 : 0;
}

static const kloop_message_type *refuse(kloop_fault *fault, kloop_status status, int64_t a)
{
    if (fault)
        *fault = (kloop_fault){.status = status, .a = a};
    return NULL;
}

const kloop_message_type *kl_api_type(int16_t api_key, kloop_half half, int16_t version,
                                      kloop_fault *fault)
{
    const api_row *row = find_row(api_key);
    if (!row || (half != KLOOP_REQUEST && half != KLOOP_RESPONSE) || !row->types[half])
        return refuse(fault, KLOOP_UNKNOWN_API, api_key);
    if (version < row->api.min_version || version > row->api.max_version)
        return refuse(fault, KLOOP_BAD_VERSION, version);
    return row->types[half];
}
