/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions in a file: each line is JSON, and says what it is to say. */
#define _POSIX_C_SOURCE 200809L
#include "cli/trace_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

static void a_producer_writes_its_decisions(void **state)
{
    (void)state;
    char path[] = "/tmp/kloop_trace_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    char why[300];
    kl_trace_file *f = kl_trace_file_open(path, why, sizeof why);
    assert_non_null(f);
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    kloop_config *config = kloop_config_new(NULL);
    /* Nobody is there. */
    kloop_config_set(config, "bootstrap.servers", "127.0.0.1:1");
    kloop_producer *p;
    kloop_error error;
    assert_int_equal(kloop_open(&p, &loop, config, &error), KLOOP_OK);
    kloop_config_del(config);
    kl_trace_file_watch(f, p);
    kloop_topic *t;
    assert_int_equal(kloop_topic_get(p, "events", &t, &error), KLOOP_OK);
    assert_int_equal(kloop_send(t, &(kloop_record){.set = 0}), KLOOP_OK);
    kloop_close(p, 0, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_true(kl_trace_file_close(f));

    char text[8192] = "";
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    unlink(path);
    assert_int_equal(strncmp(text, "{\"ms\":0.000,\"kind\":\"", 20), 0);
    assert_non_null(strstr(text, "\"kind\":\"parked\",\"topic\":\"events\",\"batch\":1,\"why\":0,"
                                 "\"code\":0,\"a\":0,\"b\":0,\"text\":\"topic 'events' batch 1 is "
                                 "begun, parked until the partitions are known\"}\n"));
    assert_non_null(strstr(text, "\"kind\":\"closing\",\"why\":0,"));
    assert_non_null(strstr(text, "\"kind\":\"reported\",\"topic\":\"events\",\"batch\":1,"));
}

static void a_file_that_cannot_be_written(void **state)
{
    (void)state;
    char why[300];
    assert_null(kl_trace_file_open("/nowhere/trace", why, sizeof why));
    assert_string_equal(why, "/nowhere/trace cannot be written: No such file or directory");
    assert_true(kl_trace_file_close(NULL));
    kl_trace_file_watch(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_producer_writes_its_decisions),
        cmocka_unit_test(a_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
