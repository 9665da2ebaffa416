/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the command's settings: of a secret that goes through it, from a file or the command
 * line into a configuration, no copy is in what is freed on the way and in the end. */
#define _GNU_SOURCE
#include "cli/wiped_memory.h"
#include "cli/config_flags.h"

#include <dlfcn.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* The address sanitizer has a heap of its own, and ends what asks it for too much. */
#if defined __SANITIZE_ADDRESS__
#define HEAP_IS_OURS 0
#elif defined __has_feature
#define HEAP_IS_OURS !__has_feature(address_sanitizer)
#else
#define HEAP_IS_OURS 1
#endif

static void blocks(void **state)
{
    (void)state;
    const kloop_allocator *a = &kl_wiped_memory;
    char *p = kl_mem_resize(a, NULL, 0, 4);
    memcpy(p, "abcd", 4);
    p = kl_mem_resize(a, p, 4, 8);
    assert_memory_equal(p, "abcd", 4);
    memcpy(p + 4, "efgh", 4);
    p = kl_mem_resize(a, p, 8, 2);
    assert_memory_equal(p, "ab", 2);
    kl_mem_release(a, p, 2);
    kl_mem_release(a, NULL, 0);
    if (!HEAP_IS_OURS)
        return;
    assert_null(kl_mem_alloc(a, SIZE_MAX / 2));
    p = kl_mem_alloc(a, 2);
    memcpy(p, "ab", 2);
    assert_null(kl_mem_resize(a, p, 2, SIZE_MAX / 2));
    assert_memory_equal(p, "ab", 2);
    kl_mem_release(a, p, 2);
}

#define WORD "correct-horse-battery-staple"

#if HEAP_IS_OURS
static size_t freed_with_it; /* blocks */

static void look(const char *block)
{
    size_t size = malloc_usable_size((void *)(uintptr_t)block);
    for (size_t i = 0; i + sizeof WORD - 1 <= size; i++)
        if (memcmp(block + i, WORD, sizeof WORD - 1) == 0) {
            freed_with_it++;
            return;
        }
}

/* In place of the C library's, also for what it frees itself. */
void free(void *p)
{
    static void (*real)(void *);
    static bool asking;
    if (!real && !asking) {
        asking = true;
        *(void **)(void *)&real = dlsym(RTLD_NEXT, "free");
    }
    if (p && real) {
        look(p);
        real(p);
    }
}

static size_t traces(void)
{
    size_t n = freed_with_it;
    freed_with_it = 0;
    return n;
}
#else
static size_t traces(void)
{
    return 0;
}
#endif

static void no_trace_is_left(void **state)
{
    (void)state;
    if (!HEAP_IS_OURS)
        skip();
    /* What looks can see. */
    char *block = kl_mem_alloc(&kl_mem_libc, sizeof WORD);
    memcpy(block, WORD, sizeof WORD);
    kl_mem_release(&kl_mem_libc, block, sizeof WORD);
    assert_int_equal(traces(), 1);
    setenv("KLOOP_CONFIG", "", 1);
    /* Continued lines, as Java people have them, so that buffers grow with the word inside. */
    static const char file[] =
        "acks=all\nsasl.password=" WORD "\nssl.key.password=\\\n  " WORD
        "\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n"
        "  username=\"ada\" \\\n  password=\"" WORD "\" \\\n"
        "  serviceName=\"of no use to anybody, and long enough for another buffer\" \\\n"
        "  debug=\"true, whatever that may be good for, as it is in half of all files\";\n";
    int fd = memfd_create("properties", MFD_CLOEXEC);
    assert_int_equal(write(fd, file, sizeof file - 1), sizeof file - 1);
    char path[64], pair[128];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    snprintf(pair, sizeof pair, "ssl.keystore.password@%s", path);
    kl_config_flags flags;
    kl_config_flags_init(&flags, "test");
    flags.quiet = true;
    assert_true(kl_config_flags_set(&flags, KL_CONFIG_FLAG, "bootstrap.servers", "a:1", "-b"));
    assert_true(kl_config_flags_load(&flags, path, "-F"));
    assert_int_equal(kl_config_flags_take(&flags, pair, "-X"), -1);
    assert_int_equal(kl_config_flags_take(&flags, "ssl.truststore.password=" WORD, "-X"), -1);
    kloop_config *config = kl_config_flags_make(&flags);
    assert_non_null(config);
    assert_string_equal(kloop_config_get(config, "sasl.password"), WORD);
    kl_config_flags_deinit(&flags);
    kloop_config_del(config);
    assert_int_equal(traces(), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks),
        cmocka_unit_test(no_trace_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
