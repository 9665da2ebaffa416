/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of every kind, and the files that make none. */
#define _GNU_SOURCE
#include "cli/perf_payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A path to a file with this text, until the next call. */
static const char *path_of(const char *text, size_t len)
{
    static char path[64];
    static int fd = -1;
    if (fd >= 0)
        close(fd);
    fd = memfd_create("payload", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, len), len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

#define PATH_OF(text) path_of(text, sizeof(text) - 1)

static void letters(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 100, 1000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        kl_perf_payload p;
        uint64_t seen[26] = {0};
        const uint8_t *first = NULL;
        size_t checked = 0;
        assert_null(kl_perf_payload_letters(&p, sizes[i], 0));
        /* More than once round the ring. */
        for (size_t n = 0; n < 10 || (checked < 5000000 && n < 100000); n++) {
            kloop_slice value = kl_perf_payload_next(&p);
            assert_int_equal(value.len, sizes[i]);
            assert_non_null(value.data);
            if (n == 0)
                first = value.data;
            else if (sizes[i] > 0)
                assert_ptr_not_equal(value.data, first);
            for (size_t k = 0; k < value.len; k++) {
                assert_in_range(value.data[k], 'A', 'Z');
                seen[value.data[k] - 'A']++;
            }
            checked += value.len;
        }
        for (int c = 0; c < 26 && checked > 1000000; c++)
            assert_in_range(seen[c], checked / 40, checked / 18);
        kl_perf_payload_deinit(&p);
    }
}

/* --random-seed: the same seed gives the same bytes, another one others. */
static void a_seed_makes_the_letters(void **state)
{
    (void)state;
    kl_perf_payload a, b, c;
    assert_null(kl_perf_payload_letters(&a, 100, 7));
    assert_null(kl_perf_payload_letters(&b, 100, 7));
    assert_null(kl_perf_payload_letters(&c, 100, 8));
    kloop_slice x = kl_perf_payload_next(&a), y = kl_perf_payload_next(&b);
    assert_memory_equal(x.data, y.data, 100);
    assert_memory_not_equal(x.data, kl_perf_payload_next(&c).data, 100);
    kl_perf_payload_deinit(&a);
    kl_perf_payload_deinit(&b);
    kl_perf_payload_deinit(&c);
}

static void monotonic(void **state)
{
    (void)state;
    kl_perf_payload p;
    assert_null(kl_perf_payload_monotonic(&p));
    for (int n = 0; n < 1234; n++) {
        char digits[16];
        snprintf(digits, sizeof digits, "%d", n);
        kloop_slice value = kl_perf_payload_next(&p);
        assert_int_equal(value.len, strlen(digits));
        assert_memory_equal(value.data, digits, value.len);
    }
    kl_perf_payload_deinit(&p);
}

static void pieces_at_random(void **state)
{
    (void)state;
    static const char text[] = "one--two----four--";
    kl_perf_payload p;
    uint64_t seen[4] = {0};
    assert_null(
        kl_perf_payload_file(&p, PATH_OF("one--two----four--"), (kloop_string){"--", 2}, 0, 0));
    assert_int_equal(p.piece_count, 4);
    for (int n = 0; n < 4000; n++) {
        kloop_slice value = kl_perf_payload_next(&p);
        if (value.len == 0)
            seen[2]++;
        else if (memcmp(value.data, "one", 3) == 0)
            seen[0]++;
        else if (memcmp(value.data, "two", 3) == 0)
            seen[1]++;
        else if (value.len == 4 && memcmp(value.data, "four", 4) == 0)
            seen[3]++;
        else
            fail_msg("a piece that is not in '%s'", text);
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(seen[i], 850, 1150);
    kl_perf_payload_deinit(&p);
}

static void pieces_of_a_size_in_turn(void **state)
{
    (void)state;
    kl_perf_payload p;
    assert_null(kl_perf_payload_file(&p, PATH_OF("aabbccd"), (kloop_string){"", 0}, 2, 0));
    static const char *const turns[] = {"aa", "bb", "cc", "aa", "bb", "cc", "aa"};
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        kloop_slice value = kl_perf_payload_next(&p);
        assert_int_equal(value.len, 2);
        assert_memory_equal(value.data, turns[i], 2);
    }
    kl_perf_payload_deinit(&p);
}

static void files_that_make_none(void **state)
{
    (void)state;
    kl_perf_payload p;
    const kloop_string line = {"\n", 1}, none = {"", 0};
    assert_string_equal(kl_perf_payload_file(&p, PATH_OF(""), line, 0, 0), "the file is empty");
    assert_string_equal(kl_perf_payload_file(&p, PATH_OF("abc"), none, 4, 0),
                        "the file is shorter than one record");
    assert_string_equal(kl_perf_payload_file(&p, "/nowhere/at/all", line, 0, 0),
                        "No such file or directory");
    assert_string_equal(kl_perf_payload_file(&p, "/", line, 0, 0), "Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters),
        cmocka_unit_test(a_seed_makes_the_letters),
        cmocka_unit_test(monotonic),
        cmocka_unit_test(pieces_at_random),
        cmocka_unit_test(pieces_of_a_size_in_turn),
        cmocka_unit_test(files_that_make_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
