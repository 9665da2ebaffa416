/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of the newest versions that may be spoken. */
#include "core/api_caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static kloop_string text(const char *s)
{
    return (kloop_string){s, strlen(s)};
}

static void limits_are_read(void **state)
{
    (void)state;
    kl_api_caps caps = kl_api_caps_of(text(" Produce=12,Metadata = 9 ,ApiVersions=2,"
                                           "InitProducerId=3 "));
    assert_int_equal(caps.produce, 12);
    assert_int_equal(caps.metadata, 9);
    assert_int_equal(caps.api_versions, 2);
    assert_int_equal(caps.init_producer_id, 3);
    caps = kl_api_caps_of(text("SaslHandshake=0,SaslAuthenticate=1"));
    assert_int_equal(caps.sasl_handshake, 0);
    assert_int_equal(caps.sasl_authenticate, 1);
    caps = kl_api_caps_of(text("ApiVersions=0"));
    assert_int_equal(caps.api_versions, 0);
    assert_int_equal(caps.produce, INT16_MAX);
    caps = kl_api_caps_of(text("  "));
    assert_int_equal(caps.metadata, INT16_MAX);
    /* Newer than we are is no mistake: it says that nothing is too new. */
    assert_int_equal(kl_api_caps_of(text("Produce=32767")).produce, INT16_MAX);
    assert_int_equal(kl_api_caps_of(text("Produce=99")).produce, 99);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *why;
    } bad[] = {
        {"Produce", "'Produce' is not of the form API=VERSION"},
        {",", "'' is not of the form"},
        {"Produce=12,", "'' is not of the form"},
        {"produce=12", "'produce=12' names no API that a producer asks"},
        {"Fetch=3", "names no API that a producer asks: these are Produce, Metadata, ApiVersions"},
        {"FindCoordinator=1", "names no API that a producer asks"},
        {"=12", "names no API"},
        {"Produce=", "has a version that is no number from 0 to 32767"},
        {"Produce=-1", "has a version that is no number"},
        {"Produce=1x", "has a version that is no number"},
        {"Produce=32768", "has a version that is no number"},
        {"Produce=99999999999999999999", "has a version that is no number"},
        {"Produce=2", "'Produce=2' is too low: kloop needs at least version 3 of Produce"},
        {"Metadata=9,Metadata=8", "'Metadata=8' is the second limit for Metadata"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kloop_error error = {.status = KLOOP_OK};
        assert_int_equal(kl_api_caps_check(text(bad[i].list), "api.version.max", &error),
                         KLOOP_BAD_CONFIG);
        assert_ptr_equal(strstr(error.text, "api.version.max: '"), error.text);
        assert_non_null(strstr(error.text, bad[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
