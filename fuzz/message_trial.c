/* SPDX-License-Identifier: BSD-2-Clause */
/* See message_trial.h. */
#include "fuzz/message_trial.h"

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "wiretools/json_read.h"
#include "wiretools/message_load.h"
#include "wiretools/message_print.h"

#include <stdlib.h>
#include <string.h>

static kloop_status decode(const kl_selection *s, const uint8_t *bytes, size_t len,
                           kl_message *message, kloop_fault *fault)
{
    return kloop_decode_sized(s->api->key, s->half, s->version, bytes, len, message, s->type->size,
                              fault);
}

kloop_status kl_message_trial_decode(const kl_selection *s, const uint8_t *bytes, size_t len,
                                     kl_message *message)
{
    kloop_fault fault = {.status = KLOOP_OK};
    size_t calls = kl_fuzz_malloc_calls();
    kloop_status status = decode(s, bytes, len, message, &fault);
    KL_FUZZ_CHECK(kl_fuzz_malloc_calls() == calls);
    KL_FUZZ_CHECK(status == fault.status);
    kl_fuzz_feature(kl_selection_number(s) << 8 | (uint32_t)status);
    if (status == KLOOP_OK)
        return status;
    KL_FUZZ_FAULT(&fault, len);
    if (fault.depth > 0)
        kl_fuzz_feature((kl_selection_number(s) << 8 | (uint32_t)status) * 31 + fault.depth +
                        (uint32_t)strlen(fault.path[0].name) * 7);
    /* No field was left half filled: all of it can be looked at. */
    kloop_size size;
    kloop_measure_sized(s->api->key, s->half, s->version, message, s->type->size, &size, NULL);
    return status;
}

uint8_t *kl_message_trial_encode(const kl_selection *s, const kl_message *message, size_t *len)
{
    kloop_fault fault;
    kloop_size size = {0, 0, 0};
    KL_FUZZ_FINE(kloop_measure_sized(s->api->key, s->half, s->version, message, s->type->size,
                                     &size, &fault),
                 &fault);
    uint8_t *bytes = kl_fuzz_exact_room(size.total);
    size_t used = SIZE_MAX;
    KL_FUZZ_FINE(kloop_encode_sized(s->api->key, s->half, s->version, message, s->type->size, bytes,
                                    size.total, &used, &fault),
                 &fault);
    KL_FUZZ_CHECK(used == size.total);
    *len = used;
    return bytes;
}

uint8_t *kl_message_trial_fixpoint(const kl_selection *s, const kl_message *message, size_t *len)
{
    uint8_t *first = kl_message_trial_encode(s, message, len);
    kl_message again;
    kloop_fault fault;
    KL_FUZZ_FINE(decode(s, first, *len, &again, &fault), &fault);
    size_t second_len;
    uint8_t *second = kl_message_trial_encode(s, &again, &second_len);
    KL_FUZZ_CHECK(second_len == *len);
    KL_FUZZ_CHECK(*len == 0 || memcmp(first, second, *len) == 0);
    free(second);
    return first;
}

/* ---- Cuts ---- */

static void check_cut(const kl_selection *s, const uint8_t *bytes, size_t len)
{
    kl_message message;
    uint8_t *cut = kl_fuzz_exact_copy(bytes, len);
    KL_FUZZ_CHECK(kl_message_trial_decode(s, cut, len, &message) != KLOOP_OK);
    free(cut);
}

static void check_longer(const kl_selection *s, const uint8_t *bytes, size_t len, uint8_t more)
{
    kl_message message;
    kloop_fault fault;
    size_t used = SIZE_MAX;
    uint8_t *longer = kl_fuzz_exact_room(len + 1);
    if (len > 0)
        memcpy(longer, bytes, len);
    longer[len] = more;
    KL_FUZZ_CHECK(decode(s, longer, len + 1, &message, &fault) == KLOOP_TRAILING);
    KL_FUZZ_CHECK(fault.at == len && fault.a == 1);
    KL_FUZZ_FINE(kloop_decode_prefix_sized(s->api->key, s->half, s->version, longer, len + 1, &used,
                                           &message, s->type->size, &fault),
                 &fault);
    KL_FUZZ_CHECK(used == len);
    free(longer);
}

void kl_message_trial_cuts(const kl_selection *s, const uint8_t *bytes, size_t len, uint32_t hash)
{
    /* All of a short one, eight places of a long one. */
    size_t step = len <= 32 ? 1 : len / 8;
    for (size_t cut = len <= 32 ? 0 : hash % step; cut < len; cut += step)
        check_cut(s, bytes, cut);
    if (len > 0)
        check_cut(s, bytes, len - 1);
    check_longer(s, bytes, len, (uint8_t)hash);
}

/* ---- Another version ---- */

void kl_message_trial_other_version(const kl_selection *s, const kl_message *message, uint32_t hash)
{
    kl_selection other = *s;
    uint32_t versions = (uint32_t)(s->api->max_version - s->api->min_version + 1);
    other.version = (int16_t)(s->api->min_version + (int)(hash % versions));
    kloop_fault fault;
    kloop_size size;
    kloop_status status = kloop_measure_sized(s->api->key, s->half, other.version, message,
                                              s->type->size, &size, &fault);
    if (status == KLOOP_OK) {
        size_t len;
        uint8_t *bytes = kl_message_trial_fixpoint(&other, message, &len);
        KL_FUZZ_CHECK(len == size.total);
        free(bytes);
        return;
    }
    KL_FUZZ_FAULT(&fault, SIZE_MAX);
    uint8_t room[512];
    size_t used;
    kloop_fault written;
    status = kloop_encode_sized(s->api->key, s->half, other.version, message, s->type->size, room,
                                sizeof room, &used, &written);
    KL_FUZZ_CHECK(status == fault.status || status == KLOOP_NO_SPACE);
}

/* ---- JSON ---- */

void kl_message_trial_json(const kl_selection *s, const uint8_t *bytes, size_t len,
                           const uint8_t *canonical, size_t canonical_len)
{
    kl_buf text;
    kl_buf loaded;
    kl_json_doc doc;
    kl_arena arena;
    kl_json_writer writer;
    kloop_fault fault;
    kl_load_error error;
    kl_buf_init(&text, &kl_mem_libc);
    kl_buf_init(&loaded, &kl_mem_libc);
    kl_json_doc_init(&doc, &kl_mem_libc);
    kl_arena_init(&arena, &kl_mem_libc);

    kl_json_write_init(&writer, &text);
    KL_FUZZ_FINE(kl_message_print(&writer, s->api->key, s->half, s->version,
                                  (kloop_slice){bytes, len}, &fault),
                 &fault);
    KL_FUZZ_CHECK(kl_json_write_end(&writer));
    kl_json *root = kl_json_read(&doc, (const char *)text.data, text.len);
    if (!root)
        kl_fuzz_failed(__FILE__, __LINE__, doc.error.reason);
    if (!kl_message_load(&loaded, s->api->key, s->half, s->version, root, &arena, &error))
        kl_fuzz_failed(__FILE__, __LINE__, error.reason);
    KL_FUZZ_CHECK(loaded.len == canonical_len);
    KL_FUZZ_CHECK(canonical_len == 0 || memcmp(loaded.data, canonical, canonical_len) == 0);

    kl_arena_deinit(&arena);
    kl_json_doc_deinit(&doc);
    kl_buf_deinit(&loaded);
    kl_buf_deinit(&text);
}
