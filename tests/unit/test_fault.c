/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults in words: one text for each status, paths, and buffers of every size. */
#include <kloop/fault.h>
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_text(const kloop_fault *fault, const char *wanted)
{
    char text[400];
    size_t len = kloop_fault_text(fault, text, sizeof text);
    assert_string_equal(text, wanted);
    assert_int_equal(len, strlen(wanted));
}

static void every_status_has_a_text_of_its_own(void **state)
{
    (void)state;
    static char texts[KLOOP_STATUS_COUNT][200];
    for (int s = 0; s < KLOOP_STATUS_COUNT; s++) {
        kloop_fault fault = {.status = (kloop_status)s, .at = 1, .a = 5, .b = 3};
        size_t len = kloop_fault_reason(&fault, texts[s], sizeof texts[s]);
        assert_true(len > 0 && len < sizeof texts[s]);
        assert_int_equal(len, strlen(texts[s]));
        assert_null(strstr(texts[s], "unknown fault"));
        for (int other = 0; other < s; other++)
            assert_string_not_equal(texts[s], texts[other]);
    }
}

static void numbers_and_place_are_told(void **state)
{
    (void)state;
    static const struct {
        kloop_fault fault;
        const char *text;
    } cases[] = {
        {{.status = KLOOP_OK}, "no fault"},
        {{.status = KLOOP_TRUNCATED, .at = 17, .a = 12, .b = 5},
         "12 bytes are needed, 5 left at byte 17"},
        {{.status = KLOOP_TRUNCATED, .at = 0, .a = 1, .b = 0},
         "1 byte is needed, 0 left at byte 0"},
        {{.status = KLOOP_TRAILING, .at = 3, .a = 1},
         "1 byte is left over after the end at byte 3"},
        {{.status = KLOOP_TRAILING, .at = 3, .a = 2},
         "2 bytes are left over after the end at byte 3"},
        {{.status = KLOOP_BAD_LENGTH, .a = INT64_MIN},
         "-9223372036854775808 is no length at byte 0"},
        {{.status = KLOOP_BAD_COUNT, .at = 4, .a = INT32_MAX, .b = 7},
         "a count of 2147483647 with 7 bytes left at byte 4"},
        {{.status = KLOOP_BAD_COUNT, .at = 4, .a = 1, .b = 1},
         "a count of 1 with 1 byte left at byte 4"},
        {{.status = KLOOP_TOO_LARGE, .a = 1},
         "more than the allowed 1 byte once decompressed at byte 0"},
        {{.status = KLOOP_BAD_TAG, .a = 3},
         "tag 3 is a field that this version does not have at byte 0"},
        {{.status = KLOOP_BAD_TAG_SIZE, .a = 8, .b = 9},
         "a tagged field of 8 bytes where 9 were announced at byte 0"},
        {{.status = KLOOP_NOT_CARRIED, .a = 3},
         "version 3 has no such field, and the value is not its default at byte 0"},
        {{.status = KLOOP_TOO_LONG, .a = 32768, .b = 32767},
         "32768 bytes, 32767 are allowed at byte 0"},
        {{.status = KLOOP_BAD_CRC, .a = 0x1a, .b = 0xffffffff},
         "CRC 0000001a computed, ffffffff in the batch at byte 0"},
        {{.status = KLOOP_STATUS_COUNT}, NULL},
        {{.status = (kloop_status)4711}, "unknown fault 4711 at byte 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[100];
        if (cases[i].text) {
            expect_text(&cases[i].fault, cases[i].text);
        } else {
            kloop_fault_text(&cases[i].fault, text, sizeof text);
            assert_non_null(strstr(text, "unknown fault"));
        }
    }
}

static void paths_go_from_the_outside_in(void **state)
{
    (void)state;
    kloop_fault fault = {.status = KLOOP_BAD_VARINT, .at = 9, .depth = 1};
    fault.path[0].name = "name";
    fault.path[0].index = -1;
    expect_text(&fault, "name: a varint that does not fit its type at byte 9");
    fault.depth = 2;
    fault.path[1].name = "topics";
    fault.path[1].index = 0;
    expect_text(&fault, "topics[0].name: a varint that does not fit its type at byte 9");
    fault.path[0].index = INT32_MAX;
    expect_text(&fault,
                "topics[0].name[2147483647]: a varint that does not fit its type at byte 9");
    static const char *const names[] = {"f", "e", "d", "c", "b", "a"};
    fault.depth = KLOOP_FAULT_DEPTH_MAX;
    for (int i = 0; i < KLOOP_FAULT_DEPTH_MAX; i++) {
        fault.path[i].name = names[i];
        fault.path[i].index = i % 2 ? i : -1;
    }
    expect_text(&fault, "a[5].b.c[3].d.e[1].f: a varint that does not fit its type at byte 9");
    /* A name without letters is odd, and harmless. */
    fault.depth = 1;
    fault.path[0].name = "";
    expect_text(&fault, ": a varint that does not fit its type at byte 9");
    fault.depth = KLOOP_FAULT_DEPTH_MAX;
    fault.path[0].name = "f";
    /* The reason alone has the path, and not the place. */
    char text[100];
    size_t len = kloop_fault_reason(&fault, text, sizeof text);
    assert_string_equal(text, "a[5].b.c[3].d.e[1].f: a varint that does not fit its type");
    assert_int_equal(len, strlen(text));
}

static void buffers_of_every_size(void **state)
{
    (void)state;
    static const char whole[] = "topics[3].name: 12 bytes are needed, 5 left at byte 17";
    kloop_fault fault = {.status = KLOOP_TRUNCATED, .at = 17, .a = 12, .b = 5, .depth = 2};
    fault.path[0].name = "name";
    fault.path[0].index = -1;
    fault.path[1].name = "topics";
    fault.path[1].index = 3;
    kl_guard guard;
    kl_guard_init(&guard, 100);
    for (size_t size = 0; size <= sizeof whole + 1; size++) {
        char *text = (char *)kl_guard_at_end(&guard, size);
        memset(text, 'X', size);
        /* As snprintf: the length that it would have, and always a terminator. */
        assert_int_equal(kloop_fault_text(&fault, text, size), sizeof whole - 1);
        if (size > 0) {
            size_t len = size <= sizeof whole - 1 ? size - 1 : sizeof whole - 1;
            assert_int_equal(strlen(text), len);
            assert_memory_equal(text, whole, len);
        }
    }
    assert_int_equal(kloop_fault_text(&fault, NULL, 0), sizeof whole - 1);
    kl_guard_deinit(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_text_of_its_own),
        cmocka_unit_test(numbers_and_place_are_told),
        cmocka_unit_test(paths_go_from_the_outside_in),
        cmocka_unit_test(buffers_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
