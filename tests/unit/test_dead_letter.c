/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead letters: their form letter for letter, that reading them gives the same record again
 * whatever its bytes are, and what is in the file when writing fails.
 */
#define _GNU_SOURCE
#include "base/prng.h"
#include "cli/dead_letter.h"
#include "cli/json_input.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];
static uv_loop_t loop;
static kl_dead_letters letters;

static void on_room(void *me)
{
    (void)me;
}

static void begin(void)
{
    assert_int_equal(kl_dead_letters_open(&letters, path), 0);
    assert_true(letters.regular);
    uv_loop_init(&loop);
    kl_dead_letters_start(&letters, &loop, on_room, NULL);
}

static int finish(void)
{
    kl_paced_output_finish(&letters.out);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return kl_dead_letters_close(&letters);
}

static void add(const kloop_record *record)
{
    kl_dead_letters_add(
        &letters, &(kl_dead_letter){
                      .topic = {"t", 1}, .record = record, .error = "E", .message = "it's \"so\""});
}

static char *contents(size_t *len)
{
    static char text[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    if (len)
        *len = (size_t)n;
    return text;
}

static void put_contents(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static kloop_slice bytes_of(const char *text, size_t len)
{
    return (kloop_slice){(const uint8_t *)text, len};
}

static void the_form(void **state)
{
    (void)state;
    kloop_record_header headers[] = {{{"h", 1}, bytes_of("v", 1)}, {{"\xff", 1}, {NULL, 0}}};
    kloop_record record = {.key = bytes_of("k", 1),
                           .value = bytes_of("\x80", 1),
                           .headers = headers,
                           .header_count = 2,
                           .set = KLOOP_SET_TIMESTAMP | KLOOP_SET_PARTITION,
                           .partition = 3,
                           .timestamp_ms = 17};
    begin();
    add(&record);
    kl_dead_letters_add(&letters, &(kl_dead_letter){.topic = {"u", 1},
                                                    .record = &(kloop_record){.set = 0},
                                                    .unknown = true,
                                                    .error = "X"});
    assert_int_equal(finish(), 0);
    assert_int_equal(letters.count, 2);
    assert_int_equal(kl_dead_letters_lost(&letters), 0);
    assert_string_equal(
        contents(NULL),
        "{\"topic\":\"t\",\"partition\":3,\"timestamp\":17,\"key\":\"k\",\"value64\":\"gA==\","
        "\"headers\":[{\"key\":\"h\",\"value\":\"v\"},{\"key64\":\"/w==\",\"value\":null}],"
        "\"outcome\":\"failed\",\"error\":\"E\",\"message\":\"it's \\\"so\\\"\"}\n"
        "{\"topic\":\"u\",\"key\":null,\"value\":null,\"headers\":[],\"outcome\":\"unknown\","
        "\"error\":\"X\",\"message\":\"\"}\n");
}

/* ---- There and back ---- */

static uint8_t pool[64 * 1024];

/* Null, empty, text or any bytes. */
static kloop_slice some_bytes(kl_prng *prng, size_t *used)
{
    size_t len = (size_t)kl_prng_below(prng, 40);
    uint8_t *at = pool + *used;
    uint64_t kind = kl_prng_below(prng, 4);
    if (kind == 0)
        return (kloop_slice){NULL, 0};
    if (kind == 1)
        len = 0;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)kl_prng_below(prng, kind == 2 ? 128 : 256);
    *used += len;
    return (kloop_slice){at, len};
}

static void some_record(kl_prng *prng, kloop_record *r, kloop_record_header *headers)
{
    size_t used = 0;
    *r = (kloop_record){.key = some_bytes(prng, &used), .value = some_bytes(prng, &used)};
    r->header_count = (uint32_t)kl_prng_below(prng, 5);
    r->headers = headers;
    for (uint32_t i = 0; i < r->header_count; i++) {
        kloop_slice name = some_bytes(prng, &used);
        headers[i].key = (kloop_string){name.data ? (const char *)name.data : "", name.len};
        headers[i].value = some_bytes(prng, &used);
    }
    r->set = (uint32_t)kl_prng_below(prng, 4);
    r->partition = r->set & KLOOP_SET_PARTITION ? (int32_t)kl_prng_below(prng, INT32_MAX) : 0;
    r->timestamp_ms = r->set & KLOOP_SET_TIMESTAMP ? (int64_t)(kl_prng_next(prng) >> 1) : 0;
}

static void assert_same(kloop_slice a, kloop_slice b)
{
    assert_int_equal(a.data == NULL, b.data == NULL);
    assert_int_equal(a.len, b.len);
    if (a.len)
        assert_memory_equal(a.data, b.data, a.len);
}

static void assert_same_record(const kloop_record *a, const kloop_record *b)
{
    assert_same(a->key, b->key);
    assert_same(a->value, b->value);
    assert_int_equal(a->set, b->set);
    assert_int_equal(a->partition, b->partition);
    assert_int_equal(a->timestamp_ms, b->timestamp_ms);
    assert_int_equal(a->header_count, b->header_count);
    for (uint32_t i = 0; i < a->header_count; i++) {
        const kloop_record_header *x = &a->headers[i], *y = &b->headers[i];
        assert_same(bytes_of(x->key.data, x->key.len), bytes_of(y->key.data, y->key.len));
        assert_same(x->value, y->value);
    }
}

static void read_back_they_are_the_same(void **state)
{
    (void)state;
    kl_json_input in;
    kl_prng prng;
    kl_prng_init(&prng, 7);
    kl_json_input_init(&in, &kl_mem_libc);
    for (int i = 0; i < 2000; i++) {
        kloop_record record;
        kloop_record_header headers[5];
        kl_input_record back;
        kl_input_fault fault;
        some_record(&prng, &record, headers);
        assert_int_equal(truncate(path, 0), 0);
        begin();
        add(&record);
        assert_int_equal(finish(), 0);
        size_t len;
        char *line = contents(&len);
        assert_true(kl_json_input_read(&in, (kloop_string){line, len}, &back, &fault));
        assert_string_equal(back.topic.data, "t");
        assert_true(back.has_key && back.has_headers);
        assert_same_record(&record, &back.record);
    }
    kl_json_input_deinit(&in);
}

/* ---- The file ---- */

static void what_is_there_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *before, *kept;
    } cases[] = {{"", ""}, {"old\n", "old\n"}, {"old\ntorn", "old\ntorn\n"}, {"t", "t\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_contents(cases[i].before);
        begin();
        add(&(kloop_record){.set = 0});
        assert_int_equal(finish(), 0);
        size_t kept = strlen(cases[i].kept);
        assert_memory_equal(contents(NULL), cases[i].kept, kept);
        assert_memory_equal(contents(NULL) + kept, "{\"topic\":\"t\",", 13);
    }
}

static void what_cannot_be_opened(void **state)
{
    (void)state;
    kl_dead_letters d;
    assert_int_equal(kl_dead_letters_open(&d, "/nowhere/at/all"), ENOENT);
    assert_int_equal(kl_dead_letters_open(&d, "/"), EISDIR);
}

static void opened_and_never_used(void **state)
{
    (void)state;
    put_contents("");
    assert_int_equal(kl_dead_letters_open(&letters, path), 0);
    assert_int_equal(kl_dead_letters_close(&letters), 0);
}

/* At any size at which a file may stop to grow, whole letters are in it and the rest is counted. */
static void a_file_that_stops_growing(void **state)
{
    (void)state;
    struct rlimit old, small;
    uint8_t value[700];
    memset(value, 'v', sizeof value);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t size = 1; size < 6000; size += 97) {
        small = (struct rlimit){size, old.rlim_max};
        put_contents("old\n");
        begin();
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        for (int i = 0; i < 10; i++)
            add(&(kloop_record){.value = {value, sizeof value}});
        finish();
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(letters.out.error, EFBIG);
        const char *text = contents(NULL);
        uint64_t lines = 0;
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        assert_memory_equal(text, "old\n", 4);
        assert_int_equal(text[strlen(text) - 1], '\n');
        assert_int_equal(lines - 1 + kl_dead_letters_lost(&letters), 10);
        assert_int_equal(letters.count, 10);
    }
}

static void a_device_that_is_full(void **state)
{
    (void)state;
    assert_int_equal(kl_dead_letters_open(&letters, "/dev/full"), 0);
    assert_false(letters.regular);
    uv_loop_init(&loop);
    kl_dead_letters_start(&letters, &loop, on_room, NULL);
    for (int i = 0; i < 1000; i++)
        add(&(kloop_record){.set = 0});
    finish();
    assert_int_equal(letters.out.error, ENOSPC);
    assert_int_equal(kl_dead_letters_lost(&letters), 1000);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kloop-dead-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form),
        cmocka_unit_test(read_back_they_are_the_same),
        cmocka_unit_test(what_is_there_is_kept),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(opened_and_never_used),
        cmocka_unit_test(a_file_that_stops_growing),
        cmocka_unit_test(a_device_that_is_full),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
