/* SPDX-License-Identifier: BSD-2-Clause */
/* Failing loudly, counting, exact copies. See fuzz.h. */
#include "fuzz/fuzz.h"

#include "base/check.h"
#include "base/crc32c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failing ---- */

static void print_check(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
    fflush(stderr);
}

void kl_fuzz_failed(const char *file, int line, const char *what)
{
    print_check(file, line, what);
    abort();
}

void kl_fuzz_fine_at(kloop_status status, const kloop_fault *fault, const char *file, int line)
{
    if (status == KLOOP_OK)
        return;
    char text[256];
    kloop_fault_text(fault, text, sizeof text);
    kl_fuzz_failed(file, line, text);
}

void kl_fuzz_fault_at(const kloop_fault *fault, size_t len, const char *file, int line)
{
    char text[256];
    if (fault->status == KLOOP_OK || fault->status >= KLOOP_STATUS_COUNT)
        kl_fuzz_failed(file, line, "a fault without a reason");
    if (fault->at > len)
        kl_fuzz_failed(file, line, "a fault beyond the end of the input");
    if (fault->depth > KLOOP_FAULT_DEPTH_MAX)
        kl_fuzz_failed(file, line, "a path deeper than can be");
    size_t needed = kloop_fault_text(fault, text, sizeof text);
    if (needed == 0 || strlen(text) != (needed < sizeof text ? needed : sizeof text - 1))
        kl_fuzz_failed(file, line, "a fault whose text and length differ");
}

/* ---- Choosing ---- */

uint32_t kl_fuzz_hash(const uint8_t *data, size_t size)
{
    uint32_t h = kl_crc32c((uint32_t)size, data, size);
    return h ^ h >> 15;
}

/* ---- Counting malloc ---- */

static size_t malloc_calls;

size_t kl_fuzz_malloc_calls(void)
{
    return malloc_calls;
}

static void on_malloc(const volatile void *p, size_t size)
{
    (void)p;
    (void)size;
    malloc_calls++;
}

static void on_free(const volatile void *p)
{
    (void)p;
}

/* From <sanitizer/allocator_interface.h>; not there without a sanitizer. */
extern int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *,
                                                                         size_t),
                                                     void (*free_hook)(const volatile void *))
    __attribute__((weak));

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    kl_check_hook = print_check;
    if (__sanitizer_install_malloc_and_free_hooks)
        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    return 0;
}

/* ---- Settings ---- */

/*
 * The address sanitizer keeps 256 MiB of freed memory from being used again, and touching ever new
 * pages takes longer than the work on a small input. A use after free is seen within an input or
 * not at all. ASAN_OPTIONS goes over this.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16:malloc_context_size=12";
}

/* ---- Exact blocks ---- */

void *kl_fuzz_exact_room(size_t size)
{
    void *p = malloc(size);
    if (!p && size > 0)
        kl_fuzz_failed(__FILE__, __LINE__, "no memory for a buffer of the target");
    return p;
}

void *kl_fuzz_exact_copy(const void *data, size_t size)
{
    void *p = kl_fuzz_exact_room(size);
    if (size > 0)
        memcpy(p, data, size);
    return p;
}
