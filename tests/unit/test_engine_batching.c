/* SPDX-License-Identifier: BSD-2-Clause */
/* When a batch is sent, with whom, and in which order. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static host h;
static host_seen seen;

static void first_record_goes_all_the_way(void **state)
{
    (void)state;
    host_new(&h, "linger.ms", "0", NULL);
    host_topic *t = host_add_topic(&h, "events", 1);
    host_send(&h, t, 0, 3);
    host_run(&h);
    host_expect_produce(&h, 1, &seen);
    assert_int_equal(seen.batch_count, 1);
    assert_int_equal(seen.acks, -1);
    assert_int_equal(seen.batches[0].count, 3);
    assert_int_equal(seen.batches[0].producer_id, 4000);
    assert_int_equal(seen.batches[0].sequence, 0);
    HOST_ANSWER(&h, 1, 0);
    host_expect_acked(&h, 1, 3);
    host_expect_offset(&h, 2, 101);
    host_close(&h, 0, 0);
    host_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_record_goes_all_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
