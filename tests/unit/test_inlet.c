/* SPDX-License-Identifier: BSD-2-Clause */
/* The inlet's queue as one thread sees it: order, room, marks, and what is left at the end. */
#include "driver/inlet.h"
#include "tests/support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Never looked at by the queue. */
static char anything[2];
static kloop_topic *const one = (kloop_topic *)(void *)&anything[0];
static kloop_topic *const other = (kloop_topic *)(void *)&anything[1];

static kl_fail_alloc memory;

static void open_inlet(kl_inlet *in, size_t bytes_max)
{
    kl_fail_alloc_init(&memory, 0);
    kloop_allocator alloc = kl_fail_alloc_table(&memory);
    kl_inlet_init(in, &alloc, bytes_max);
}

static void close_inlet(kl_inlet *in)
{
    kl_inlet_deinit(in);
    assert_int_equal(kl_inlet_load_of(in).records, 0);
    assert_int_equal(kl_inlet_load_of(in).bytes, 0);
    kl_fail_alloc_check(&memory);
}

static kloop_status push(kl_inlet *in, kloop_topic *topic, size_t user, bool *wake)
{
    const kloop_record record = {.value = {(const uint8_t *)"hello", 5}, .user = (void *)user};
    return kl_inlet_push(in, topic, &record, user, wake);
}

static size_t take(kl_inlet *in)
{
    kl_inlet_item *item = kl_inlet_pop(in);
    size_t user = (size_t)item->record.user;
    kl_inlet_release(in, item);
    return user;
}

/* Only the first one into an empty row has to wake anybody. */
static void test_order_and_wakes(void **state)
{
    (void)state;
    kl_inlet in;
    bool wake;
    open_inlet(&in, 1 << 20);
    assert_true(kl_inlet_is_empty(&in));
    assert_null(kl_inlet_first(&in));
    size_t next = 0;
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(push(&in, one, i, &wake), KLOOP_OK);
        assert_int_equal(wake, i % 10 == 0);
        /* Half of what is there, while more comes in between. */
        if (i % 10 == 9) {
            for (int n = 0; n < 5; n++) {
                assert_non_null(kl_inlet_first(&in));
                assert_int_equal(take(&in), next++);
            }
            while (next < i + 1 && kl_inlet_first(&in))
                assert_int_equal(take(&in), next++);
        }
    }
    assert_int_equal(next, 100);
    assert_null(kl_inlet_first(&in));
    assert_false(kl_inlet_is_empty(&in));
    kl_inlet_settle(&in);
    assert_true(kl_inlet_is_empty(&in));
    close_inlet(&in);
}

/* Turning a long row around takes several calls, and what comes meanwhile stays behind. */
static void test_long_rows_in_pieces(void **state)
{
    (void)state;
    kl_inlet in;
    bool wake;
    open_inlet(&in, (size_t)64 << 20);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(push(&in, one, i, &wake), KLOOP_OK);
    assert_null(kl_inlet_first(&in));
    assert_true(kl_inlet_has_items(&in));
    assert_int_equal(push(&in, one, 10000, &wake), KLOOP_OK);
    assert_true(wake);
    assert_null(kl_inlet_first(&in));
    for (size_t i = 0; i <= 10000; i++) {
        assert_non_null(kl_inlet_first(&in));
        assert_int_equal(take(&in), i);
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(push(&in, one, i, &wake), KLOOP_OK);
    /* Purging does not stop half way. */
    assert_null(kl_inlet_first(&in));
    assert_int_equal(push(&in, other, 0, &wake), KLOOP_OK);
    assert_int_equal(kl_inlet_purge(&in, other), 1);
    assert_int_equal(kl_inlet_purge(&in, NULL), 10000);
    assert_int_equal(kl_inlet_purge(&in, NULL), 0);
    assert_true(kl_inlet_first(&in)->purged);
    close_inlet(&in);
}

static void test_copies_all(void **state)
{
    (void)state;
    kl_inlet in;
    bool wake;
    char key[] = "key", value[] = "value", name[] = "name", content[] = "content";
    kloop_record_header headers[3] = {{.key = {name, 4}, .value = {(uint8_t *)content, 7}},
                                      {.key = {"", 0}, .value = {NULL, 0}},
                                      {.key = {name, 2}, .value = {(uint8_t *)content, 0}}};
    kloop_record record = {.key = {(uint8_t *)key, 3},
                           .value = {(uint8_t *)value, 5},
                           .headers = headers,
                           .header_count = 3,
                           .set = KLOOP_SET_PARTITION,
                           .partition = 7};
    open_inlet(&in, 1 << 20);
    assert_int_equal(kl_inlet_push(&in, one, &record, 5, &wake), KLOOP_OK);
    memset(key, 'x', 3);
    memset(value, 'x', 5);
    memset(name, 'x', 4);
    memset(content, 'x', 7);
    memset(headers, 0, sizeof headers);
    const kl_inlet_item *item = kl_inlet_first(&in);
    const kloop_record *r = &item->record;
    assert_ptr_equal(item->topic, one);
    assert_int_equal(item->created_ns, 5);
    assert_memory_equal(r->key.data, "key", 3);
    assert_memory_equal(r->value.data, "value", 5);
    assert_int_equal(r->header_count, 3);
    assert_memory_equal(r->headers[0].key.data, "name", 4);
    assert_memory_equal(r->headers[0].value.data, "content", 7);
    assert_non_null(r->headers[1].key.data);
    assert_null(r->headers[1].value.data);
    assert_non_null(r->headers[2].value.data);
    assert_int_equal(r->headers[2].value.len, 0);
    assert_int_equal(r->partition, 7);
    take(&in);
    /* Null and empty are not the same. */
    assert_int_equal(kl_inlet_push(&in, one, &(kloop_record){.key = {(uint8_t *)key, 0}}, 0, &wake),
                     KLOOP_OK);
    r = &kl_inlet_first(&in)->record;
    assert_non_null(r->key.data);
    assert_null(r->value.data);
    assert_null(r->headers);
    close_inlet(&in);
}

/* Room that was given back is seen when it is settled; the end of refusals is told once. */
static void test_room(void **state)
{
    (void)state;
    kl_inlet in;
    bool wake;
    size_t bytes = sizeof(kl_inlet_item) + 5;
    open_inlet(&in, 4 * bytes);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(push(&in, one, i, &wake), KLOOP_OK);
    assert_false(kl_inlet_take_room(&in));
    assert_int_equal(push(&in, one, 4, &wake), KLOOP_FULL);
    assert_int_equal(push(&in, one, 4, &wake), KLOOP_FULL);
    assert_int_equal(kl_inlet_load_of(&in).refusals, 2);
    assert_int_equal(kl_inlet_load_of(&in).bytes, 4 * bytes);
    kl_inlet_first(&in);
    take(&in);
    assert_int_equal(push(&in, one, 4, &wake), KLOOP_FULL);
    kl_inlet_settle(&in);
    assert_false(kl_inlet_take_room(&in));
    take(&in);
    kl_inlet_settle(&in);
    assert_true(kl_inlet_take_room(&in));
    assert_false(kl_inlet_take_room(&in));
    assert_int_equal(push(&in, one, 4, &wake), KLOOP_OK);
    assert_int_equal(push(&in, one, 5, &wake), KLOOP_OK);
    assert_int_equal(push(&in, one, 6, &wake), KLOOP_FULL);
    close_inlet(&in);
}

/* A push without memory has to wake whoever waits for what it had taken. */
static void test_no_memory(void **state)
{
    (void)state;
    kl_inlet in;
    bool wake;
    open_inlet(&in, 1 << 20);
    memory.nth = memory.calls + 1;
    assert_int_equal(push(&in, one, 0, &wake), KLOOP_NO_MEMORY);
    assert_false(wake);
    assert_true(kl_inlet_is_empty(&in));
    assert_int_equal(push(&in, one, 0, &wake), KLOOP_OK);
    close_inlet(&in);
}

static void test_marks_and_the_end(void **state)
{
    (void)state;
    kl_inlet in;
    kl_inlet_item mark;
    bool wake;
    open_inlet(&in, 1 << 20);
    assert_int_equal(push(&in, one, 1, &wake), KLOOP_OK);
    kl_inlet_push_mark(&in, &mark);
    assert_int_equal(push(&in, one, 2, &wake), KLOOP_OK);
    kl_inlet_shut(&in);
    assert_int_equal(push(&in, one, 3, &wake), KLOOP_CLOSED);
    assert_int_equal(kl_inlet_load_of(&in).records, 2);
    kl_inlet_first(&in);
    assert_int_equal(take(&in), 1);
    kl_inlet_settle(&in);
    assert_ptr_equal(kl_inlet_first(&in), &mark);
    assert_null(mark.topic);
    kl_inlet_pop(&in);
    assert_int_equal(kl_inlet_purge(&in, NULL), 1);
    assert_false(kl_inlet_is_empty(&in));
    assert_int_equal(take(&in), 2);
    kl_inlet_settle(&in);
    /* A mark alone is something that waits. */
    kl_inlet_push_mark(&in, &mark);
    assert_false(kl_inlet_is_empty(&in));
    close_inlet(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_wakes), cmocka_unit_test(test_long_rows_in_pieces),
        cmocka_unit_test(test_copies_all),      cmocka_unit_test(test_room),
        cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_marks_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
