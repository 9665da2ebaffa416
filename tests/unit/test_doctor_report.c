/* SPDX-License-Identifier: BSD-2-Clause */
/* What the doctor has found: kept, and shown to people and machines. */
#define _POSIX_C_SOURCE 200809L
#include "base/utf8.h"
#include "cli/doctor_json.h"
#include "cli/doctor_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *printed(const kl_doctor_group *g, const kl_terminal *terminal, bool quiet)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    kl_doctor_text_group(g, terminal, quiet, to);
    fclose(to);
    return text;
}

static void texts_are_joined(void **state)
{
    kl_doctor_report r;
    (void)state;
    kl_doctor_report_init(&r);
    kl_doctor_group *g = kl_doctor_group_add(&r, KL_GROUP_ENTRY, "a:1");
    kl_finding *f = kl_doctor_finding_add(&r, g, "tls", KL_FINDING_OK);
    kl_doctor_says(&r, f, "one");
    kl_doctor_says(&r, f, "%s", "two");
    kl_doctor_says_below(&r, f);
    kl_doctor_says(&r, f, "three");
    assert_string_equal(f->says, "one, two\nthree");
    kl_doctor_advises(&r, f, "do this");
    kl_doctor_advises(&r, f, "do that");
    kl_doctor_advises(&r, f, "do %s", "this");
    assert_string_equal(f->advice, "do this\ndo that");
    kl_doctor_report_deinit(&r);
}

static void the_worse_of_two_stays(void **state)
{
    kl_doctor_report r;
    (void)state;
    kl_doctor_report_init(&r);
    kl_doctor_group *g = kl_doctor_group_add(&r, KL_GROUP_CLUSTER, "");
    kl_finding *f = kl_doctor_finding_add(&r, g, "cluster", KL_FINDING_OK);
    kl_doctor_finding_add(&r, g, "producer_id", KL_FINDING_OK);
    assert_int_equal(kl_doctor_report_outcome(&r), KL_FINDING_OK);
    kl_doctor_worsen(&r, f, KL_FINDING_WARNING);
    assert_int_equal(kl_doctor_report_outcome(&r), KL_FINDING_WARNING);
    kl_doctor_worsen(&r, f, KL_FINDING_FAILED);
    kl_doctor_worsen(&r, f, KL_FINDING_WARNING);
    assert_int_equal(f->outcome, KL_FINDING_FAILED);
    assert_int_equal(r.counts[KL_FINDING_OK], 1);
    assert_int_equal(r.counts[KL_FINDING_WARNING], 0);
    assert_int_equal(r.counts[KL_FINDING_FAILED], 1);
    assert_int_equal(kl_doctor_report_outcome(&r), KL_FINDING_FAILED);
    /* What led nowhere is no more trouble. */
    kl_doctor_worsen(&r, NULL, KL_FINDING_FAILED);
    kl_doctor_says(&r, NULL, "x");
    kl_doctor_advises(&r, NULL, "x");
    kl_doctor_fact_int(&r, NULL, "x", 1);
    kl_doctor_fact_item(&r, NULL, "x", "y");
    kl_doctor_report_deinit(&r);
}

/* A broker may say so much that not all of it has room: cut, and no letter is cut in two. */
static void long_texts_are_cut(void **state)
{
    kl_doctor_report r;
    char much[3 * KL_FINDING_TEXT_MAX];
    (void)state;
    kl_doctor_report_init(&r);
    kl_doctor_group *g = kl_doctor_group_add(&r, KL_GROUP_ENTRY, "a:1");
    for (size_t shift = 0; shift < 2; shift++) {
        kl_finding *f = kl_doctor_finding_add(&r, g, "tls", KL_FINDING_OK);
        for (size_t i = 0; i + 2 < sizeof much; i += 2)
            memcpy(much + i, "\u00e9", 2);
        much[sizeof much - 2] = '\0';
        for (int i = 0; i < 5; i++)
            kl_doctor_says(&r, f, "%s%s", shift ? "a" : "", much);
        size_t len = strlen(f->says);
        assert_true(len < KL_FINDING_TEXT_MAX && len > KL_FINDING_TEXT_MAX / 4);
        assert_int_equal(kl_utf8_valid_len(f->says, len), len);
    }
    kl_doctor_report_deinit(&r);
}

static void people_see_columns(void **state)
{
    kl_doctor_report r;
    kl_terminal none = {.width = 80}, narrow = {.is_terminal = true, .width = 64, .utf8 = true};
    (void)state;
    kl_doctor_report_init(&r);
    kl_doctor_group *g = kl_doctor_group_add(&r, KL_GROUP_BROKER, "b\x1b:2");
    g->broker = 7;
    kl_doctor_notes(&r, g, "controller");
    kl_finding *f = kl_doctor_finding_add(&r, g, "name", KL_FINDING_OK);
    f->us = 20;
    kl_doctor_says(&r, f, "10.0.0.1");
    f = kl_doctor_finding_add(&r, g, "tcp", KL_FINDING_FAILED);
    f->us = 2500000;
    kl_doctor_says(&r, f, "nobody at home, or nobody who opens");
    kl_doctor_advises(&r, f, "knock");
    kl_doctor_advises(&r, f, "ring");
    char *text = printed(g, &none, false);
    assert_string_equal(text,
                        "broker 7, at b?:2, controller\n"
                        "  ok       name           0.02 ms  10.0.0.1\n"
                        "  failed   tcp             2.50 s  nobody at home, or nobody who opens\n"
                        "                                -> knock\n"
                        "                                -> ring\n");
    free(text);
    text = printed(g, &none, true);
    assert_null(strstr(text, "10.0.0.1"));
    assert_non_null(strstr(text, "-> ring"));
    free(text);
    text = printed(g, &narrow, true);
    assert_string_equal(text, "broker 7, at b?:2, controller\n"
                              "  \u2717 failed  tcp             2.50 s  nobody at home, or nobody\n"
                              "                                   who opens\n"
                              "                                -> knock\n"
                              "                                -> ring\n");
    free(text);
    kl_doctor_report_deinit(&r);
}

static void quiet_is_quiet(void **state)
{
    kl_doctor_report r;
    kl_terminal none = {.width = 80};
    (void)state;
    kl_doctor_report_init(&r);
    kl_doctor_group *g = kl_doctor_group_add(&r, KL_GROUP_TOPIC, "t");
    kl_doctor_finding_add(&r, g, "topic", KL_FINDING_OK);
    char *text = printed(g, &none, true);
    assert_string_equal(text, "");
    free(text);
    kl_doctor_report_deinit(&r);
}

static void machines_see_names(void **state)
{
    kl_doctor_order order = {.servers = "a:1", .protocol = "SSL", .mechanism = ""};
    kl_doctor d;
    kl_buf out;
    (void)state;
    kl_doctor_init(&d, &order);
    kl_doctor_group *g = kl_doctor_group_add(&d.report, KL_GROUP_BROKER, "b:2");
    g->broker = 7;
    kl_finding *f = kl_doctor_finding_add(&d.report, g, "tls", KL_FINDING_WARNING);
    f->us = 20;
    kl_doctor_says(&d.report, f, "a");
    kl_doctor_says_below(&d.report, f);
    kl_doctor_says(&d.report, f, "b");
    kl_doctor_advises(&d.report, f, "c");
    kl_doctor_advises(&d.report, f, "d");
    kl_doctor_fact_int(&d.report, f, "number", -3);
    kl_doctor_fact_bool(&d.report, f, "yes", true);
    kl_doctor_fact_text(&d.report, f, "text", "\"x\"");
    kl_doctor_fact_item(&d.report, f, "list", "1");
    kl_doctor_fact_item(&d.report, f, "list", "2");
    kl_buf_init(&out, &kl_mem_libc);
    kl_doctor_json_append(&d, 0, &out);
    kl_buf_append_byte(&out, 0);
    assert_string_equal(
        (const char *)out.data,
        "{\"outcome\":\"warning\",\"exit_code\":0,\"bootstrap_servers\":\"a:1\","
        "\"security_protocol\":\"SSL\",\"sasl_mechanism\":null,\"cluster_id\":null,"
        "\"counts\":{\"ok\":0,\"warning\":1,\"failed\":0,\"skipped\":0},\"steps\":["
        "{\"step\":\"tls\",\"target\":\"broker\",\"name\":\"b:2\",\"broker\":7,"
        "\"outcome\":\"warning\",\"us\":20,\"says\":\"a; b\",\"advice\":\"c; d\","
        "\"facts\":{\"number\":-3,\"yes\":true,\"text\":\"\\\"x\\\"\",\"list\":[\"1\",\"2\"]}}]}"
        "\n");
    kl_buf_deinit(&out);
    kl_doctor_deinit(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_joined),   cmocka_unit_test(the_worse_of_two_stays),
        cmocka_unit_test(long_texts_are_cut), cmocka_unit_test(people_see_columns),
        cmocka_unit_test(quiet_is_quiet),     cmocka_unit_test(machines_see_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
