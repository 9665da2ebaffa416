/* SPDX-License-Identifier: BSD-2-Clause */
/* See expect_fault.h. */
#include "tests/support/expect_fault.h"

#include "base/check.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX_BYTES_MAX 70000

static uint8_t byte_at(const char *pair)
{
    static const char digits[] = "0123456789abcdef";
    const char *high = strchr(digits, pair[0]);
    const char *low = strchr(digits, pair[1]);
    KL_ASSERT(high && low && pair[0] && pair[1]);
    return (uint8_t)((high - digits) << 4 | (low - digits));
}

size_t kl_hex_bytes(const char *hex, uint8_t *to, size_t room)
{
    size_t n = 0;
    for (const char *at = hex; *at;) {
        if (*at == ' ') {
            at++;
            continue;
        }
        KL_ASSERT(n < room);
        to[n++] = byte_at(at);
        at += 2;
    }
    return n;
}

kloop_slice kl_hex_guarded(kl_guard *guard, const char *hex)
{
    static uint8_t bytes[HEX_BYTES_MAX];
    size_t len = kl_hex_bytes(hex, bytes, sizeof bytes);
    return (kloop_slice){kl_guard_copy_at_end(guard, bytes, len), len};
}

const char *kl_fault_path(const kloop_fault *fault, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (int i = fault->depth; i-- > 0 && len < size;) {
        char index[16] = "";
        if (fault->path[i].index >= 0)
            snprintf(index, sizeof index, "[%" PRId32 "]", fault->path[i].index);
        int more =
            snprintf(text + len, size - len, "%s%s%s", len ? "." : "", fault->path[i].name, index);
        len += (size_t)more;
    }
    return text;
}

void kl_expect_fault_at(const kloop_fault *fault, kloop_status status, size_t at, int64_t a,
                        int64_t b, const char *path, const char *file, int line)
{
    char found[256];
    kl_fault_path(fault, found, sizeof found);
    for (int i = 0; i < fault->depth; i++)
        assert_true(fault->path[i].index >= -1);
    if (fault->status == status && fault->at == at && fault->a == a && fault->b == b &&
        strcmp(found, path) == 0)
        return;
    char text[512];
    kloop_fault_text(fault, text, sizeof text);
    print_error("status %d at %zu, a %" PRId64 ", b %" PRId64 ", path '%s': %s\n"
                "expected: status %d at %zu, a %" PRId64 ", b %" PRId64 ", path '%s'\n",
                (int)fault->status, fault->at, fault->a, fault->b, found, text, (int)status, at, a,
                b, path);
    _fail(file, line);
}

void kl_expect_bytes_at(const void *bytes, size_t len, const char *hex, const char *file, int line)
{
    static uint8_t wanted[HEX_BYTES_MAX];
    size_t n = kl_hex_bytes(hex, wanted, sizeof wanted);
    if (n == len && (n == 0 || memcmp(bytes, wanted, n) == 0))
        return;
    print_error("%zu bytes:", len);
    for (size_t i = 0; i < len && i < 200; i++)
        print_error(" %02x", ((const uint8_t *)bytes)[i]);
    print_error("\nexpected %zu: %s\n", n, hex);
    _fail(file, line);
}

void kl_expect_text_at(kloop_string string, const char *text, const char *file, int line)
{
    if (string.data && string.len == strlen(text) && memcmp(string.data, text, string.len) == 0)
        return;
    if (string.data)
        print_error("'%.*s' where '%s' is expected\n", (int)string.len, string.data, text);
    else
        print_error("null where '%s' is expected\n", text);
    _fail(file, line);
}
