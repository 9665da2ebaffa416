/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the doctor thinks of the places that brokers advertise, which depends on where the cluster
 * was reached; and what he says while he waits. The rest is in tests/cli/test_doctor_cli.py.
 */
#include "cli/doctor.h"
#include "cli/doctor_live.h"

#include "base/now.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A dialog that goes on for as long as the test; the addresses are for documentation alone. */
static kl_dialog *dialog_to(const char *host)
{
    static const kl_dialog_config config = {.client_id = {"me", 2},
                                            .connect_ns = 60 * KL_SECOND,
                                            .answer_ns = 60 * KL_SECOND,
                                            .version_max = ""};
    kl_dialog *d = kl_dialog_new(&config, host, 9);
    assert_non_null(d);
    return d;
}

static void advertised_places(void **state)
{
    static const struct {
        const char *origin;
        const char *host;
        int32_t port;
        kl_finding_outcome outcome;
    } rows[] = {
        {"192.0.2.1", "192.0.2.2", 9092, KL_FINDING_OK},
        {"192.0.2.1", "kafka.example", 9092, KL_FINDING_OK},
        {"192.0.2.1", "localhost", 9092, KL_FINDING_FAILED},
        {"192.0.2.1", "LOCALHOST", 9092, KL_FINDING_FAILED},
        {"192.0.2.1", "127.0.1.1", 9092, KL_FINDING_FAILED},
        {"192.0.2.1", "::1", 9092, KL_FINDING_FAILED},
        {"127.0.0.1", "localhost", 9092, KL_FINDING_OK},
        {"localhost", "127.0.0.1", 9092, KL_FINDING_OK},
        {"127.0.0.1", "192.0.2.2", 9092, KL_FINDING_OK},
        {"127.0.0.1", "0.0.0.0", 9092, KL_FINDING_FAILED},
        {"127.0.0.1", "::", 9092, KL_FINDING_FAILED},
        {"127.0.0.1", "", 9092, KL_FINDING_FAILED},
        {"127.0.0.1", "kafka.example", 0, KL_FINDING_FAILED},
        {"127.0.0.1", "kafka.example", -1, KL_FINDING_FAILED},
        {"127.0.0.1", "kafka.example", 65536, KL_FINDING_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kl_doctor_order order = {.servers = "", .protocol = "PLAINTEXT", .mechanism = ""};
        kl_doctor d;
        kl_visit origin = {.dialog = dialog_to(rows[i].origin)};
        kl_doctor_broker b = {.id = 7, .host = rows[i].host, .port = rows[i].port};
        kl_doctor_init(&d, &order);
        d.origin = &origin;
        kl_doctor_group *g = kl_doctor_group_add(&d.report, KL_GROUP_BROKER, "");
        kl_doctor_listener(&d, g, &b, false);
        assert_int_equal(g->findings->outcome, rows[i].outcome);
        if (rows[i].outcome == KL_FINDING_FAILED)
            assert_non_null(strstr(g->findings->advice, "advertised.listeners of broker 7"));
        else
            assert_null(g->findings->advice);
        kl_doctor_deinit(&d);
        kl_dialog_del(origin.dialog);
    }
}

static void protocols(void **state)
{
    kl_doctor_order order = {.servers = "", .mechanism = ""};
    kl_doctor d;
    (void)state;
    for (int i = 0; i < 4; i++) {
        order.protocol = kl_doctor_protocol(i & 1, i & 2);
        kl_doctor_init(&d, &order);
        assert_int_equal(kl_doctor_wants_tls(&d), i & 1);
        assert_int_equal(kl_doctor_wants_sasl(&d), i >> 1);
        kl_doctor_deinit(&d);
    }
    order.protocol = "sasl_ssl";
    kl_doctor_init(&d, &order);
    assert_true(kl_doctor_wants_tls(&d) && kl_doctor_wants_sasl(&d));
    kl_doctor_deinit(&d);
}

/* Nobody, when all is over; on a terminal it shows in tests/cli/test_doctor_cli.py. */
static void who_is_waited_for(void **state)
{
    kl_visit list[3] = {{.host = ""}};
    char words[256];
    (void)state;
    kl_doctor_live_words(list, 3, 1, words, sizeof words);
    assert_string_equal(words, "");
    list[1].dialog = dialog_to("192.0.2.1");
    kl_dialog_give_up(list[1].dialog, "enough");
    kl_doctor_live_words(list, 3, 1, words, sizeof words);
    assert_string_equal(words, "");
    kl_dialog_del(list[1].dialog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advertised_places),
        cmocka_unit_test(protocols),
        cmocka_unit_test(who_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
