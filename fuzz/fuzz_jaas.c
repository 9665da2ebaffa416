/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sasl.jaas.config: what is read can be written again, with every value in quotes, and is read then
 * as the same; a refusal is one line that names a place inside the text; no allocation that fails
 * changes more than the answer.
 *
 * Input: which allocation fails (1 byte, 0: none), then the text.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "sasl/jaas.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192

/* In quotes; bytes that would end or change it as octal numbers. Answers the end. */
static char *put_quoted(char *to, const kl_secret *text)
{
    *to++ = '"';
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f) {
            *to++ = '\\';
            *to++ = (char)('0' + (c >> 6));
            *to++ = (char)('0' + (c >> 3 & 7));
            *to++ = (char)('0' + (c & 7));
        } else {
            *to++ = (char)c;
        }
    }
    *to++ = '"';
    return to;
}

static size_t write_again(const kl_jaas *j, char *to)
{
    char *at = put_quoted(to, &j->module);
    at = (char *)memcpy(at, " required", 9) + 9;
    for (size_t i = 0; i < j->option_count; i++) {
        *at++ = ' ';
        at = put_quoted(at, &j->options[i].name);
        *at++ = '=';
        at = put_quoted(at, &j->options[i].value);
    }
    *at++ = ';';
    return (size_t)(at - to);
}

static bool same(const kl_secret *a, const kl_secret *b)
{
    return a->data && b->data && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void check_again(const kl_jaas *j)
{
    char *again = malloc(8 * TEXT_MAX + 1024);
    size_t len = write_again(j, again);
    kl_jaas other;
    kloop_error error;
    KL_FUZZ_CHECK(!kl_jaas_parse(&other, &kl_mem_libc, (kloop_string){again, len}, &error));
    KL_FUZZ_CHECK(same(&j->module, &other.module) && j->option_count == other.option_count);
    for (size_t i = 0; i < j->option_count; i++) {
        KL_FUZZ_CHECK(same(&j->options[i].name, &other.options[i].name));
        KL_FUZZ_CHECK(same(&j->options[i].value, &other.options[i].value));
        KL_FUZZ_CHECK(kl_utf8_valid_len(j->options[i].value.data, j->options[i].value.len) ==
                      j->options[i].value.len);
    }
    kl_jaas_deinit(&other, &kl_mem_libc);
    free(again);
}

static void check_refusal(const kloop_error *error, size_t size)
{
    KL_FUZZ_CHECK(error->status == KLOOP_BAD_CONFIG);
    for (const char *at = error->text; *at; at++)
        KL_FUZZ_CHECK(*at >= ' ' && *at <= '~');
    const char *place = strstr(error->text, "byte ");
    KL_FUZZ_CHECK(strncmp(error->text, "sasl.jaas.config: ", 18) == 0);
    KL_FUZZ_CHECK(!place || strtoull(place + 5, NULL, 10) <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    kl_counted_memory memory;
    kl_counted_memory_init(&memory, kl_drawn_u8(&d));
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kloop_slice bytes = kl_drawn_bytes(&d, TEXT_MAX);
    char *text = kl_fuzz_exact_copy(bytes.data, bytes.len);
    kl_jaas j;
    kloop_error error = {0};
    kloop_status status = kl_jaas_parse(&j, &alloc, (kloop_string){text, bytes.len}, &error);
    kl_fuzz_feature((uint32_t)status);
    if (status == KLOOP_OK) {
        kloop_string class = kl_jaas_class(&j);
        KL_FUZZ_CHECK(class.len <= j.module.len);
        check_again(&j);
        kl_jaas_deinit(&j, &alloc);
    } else if (status == KLOOP_NO_MEMORY) {
        KL_FUZZ_CHECK(error.status == KLOOP_NO_MEMORY);
    } else {
        check_refusal(&error, bytes.len);
    }
    KL_FUZZ_CHECK((status == KLOOP_NO_MEMORY) == (memory.refused > 0));
    kl_counted_memory_end(&memory);
    free(text);
    return 0;
}
