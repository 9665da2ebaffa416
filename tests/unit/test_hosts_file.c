/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in a file of hosts. */
#define _GNU_SOURCE
#include "cli/hosts_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void names(void **state)
{
    static const char text[] = "127.0.0.1 localhost\n"
                               "# 10.0.0.1 commented\n"
                               "\n"
                               "  10.0.0.2\tkafka.example Kafka # behind\r\n"
                               "10.0.0.3";
    char path[] = "/tmp/kloop-hosts-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_true(kl_hosts_file_has(path, "localhost"));
    assert_true(kl_hosts_file_has(path, "KAFKA.example"));
    assert_true(kl_hosts_file_has(path, "kafka"));
    assert_false(kl_hosts_file_has(path, "commented"));
    assert_false(kl_hosts_file_has(path, "behind"));
    assert_false(kl_hosts_file_has(path, "kafka.exam"));
    /* An address is no name. */
    assert_false(kl_hosts_file_has(path, "10.0.0.2"));
    assert_false(kl_hosts_file_has(path, "10.0.0.3"));
    unlink(path);
    assert_false(kl_hosts_file_has(path, "localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
