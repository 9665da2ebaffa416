/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of APIs: how a row is found, what it says, and which header goes with which body. */
#include <kloop/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void apis_are_found_by_key_name_and_place(void **state)
{
    (void)state;
    static const struct {
        int16_t key;
        const char *name;
        int16_t min, max, flexible;
        bool request, response;
    } wanted[] = {
        {0, "Produce", 3, 13, 9, true, true},
        {3, "Metadata", 0, 13, 9, true, true},
        {10, "FindCoordinator", 0, 6, 3, true, true},
        {17, "SaslHandshake", 0, 1, INT16_MAX, true, true},
        {18, "ApiVersions", 0, 4, 3, true, true},
        {22, "InitProducerId", 0, 6, 2, true, true},
        {36, "SaslAuthenticate", 0, 2, 2, true, true},
        {KLOOP_REQUEST_HEADER, "RequestHeader", 1, 2, 2, true, false},
        {KLOOP_RESPONSE_HEADER, "ResponseHeader", 0, 1, 1, false, true},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const kloop_api *api = kloop_api_find(wanted[i].key);
        assert_non_null(api);
        assert_ptr_equal(kloop_api_find_name(wanted[i].name, strlen(wanted[i].name)), api);
        assert_int_equal(api->key, wanted[i].key);
        assert_string_equal(api->name, wanted[i].name);
        assert_int_equal(api->min_version, wanted[i].min);
        assert_int_equal(api->max_version, wanted[i].max);
        assert_int_equal(api->flexible_since, wanted[i].flexible);
        assert_int_equal(api->has_request, wanted[i].request);
        assert_int_equal(api->has_response, wanted[i].response);
    }
    assert_null(kloop_api_find(1));
    assert_null(kloop_api_find(-3));
    assert_null(kloop_api_find(INT16_MAX));
    assert_null(kloop_api_find_name("metadata", 8));
    assert_null(kloop_api_find_name("Metadat", 7));
    assert_null(kloop_api_find_name("Metadata ", 9));
    assert_null(kloop_api_find_name("", 0));
    /* A name need not be terminated. */
    assert_int_equal(kloop_api_find_name("MetadataX", 8)->key, KLOOP_METADATA);

    size_t count = kloop_api_count();
    assert_true(count >= sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < count; i++) {
        const kloop_api *api = kloop_api_at(i);
        assert_ptr_equal(kloop_api_find(api->key), api);
        assert_true(api->min_version <= api->max_version);
    }
    assert_int_equal(kloop_api_at(count - 1)->key, KLOOP_RESPONSE_HEADER);
    assert_null(kloop_api_at(count));
    assert_null(kloop_api_at(SIZE_MAX));
}

static void header_versions_follow_the_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < kloop_api_count(); i++) {
        const kloop_api *api = kloop_api_at(i);
        if (api->key < 0)
            continue;
        for (int16_t v = api->min_version; v <= api->max_version; v++) {
            bool flexible = v >= api->flexible_since;
            assert_int_equal(kloop_request_header_version(api->key, v), flexible ? 2 : 1);
            assert_int_equal(kloop_response_header_version(api->key, v),
                             flexible && api->key != KLOOP_API_VERSIONS ? 1 : 0);
        }
    }
    assert_int_equal(kloop_response_header_version(KLOOP_API_VERSIONS, 4), 0);
    assert_int_equal(kloop_request_header_version(KLOOP_API_VERSIONS, 4), 2);
    /* Not spoken: what every broker reads. */
    assert_int_equal(kloop_request_header_version(9999, 5), 1);
    assert_int_equal(kloop_response_header_version(9999, 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apis_are_found_by_key_name_and_place),
        cmocka_unit_test(header_versions_follow_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
