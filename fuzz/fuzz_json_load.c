/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From JSON to bytes, as `kloop wire encode` and `batch-encode` go: messages and record batches.
 * What is loaded, printed and loaded again gives the same bytes; what is refused leaves the output
 * as it was and names a place in the text; and so it is when any one allocation fails.
 *
 * Input: which allocation fails (1 byte, 0: none), which message (see selection.h; 0x7f as its
 * first byte means a batch), then the text.
 */
#include "base/utf8.h"
#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "fuzz/message_trial.h"
#include "wiretools/batch_load.h"
#include "wiretools/batch_print.h"
#include "wiretools/json_read.h"
#include "wiretools/message_load.h"
#include "wiretools/message_print.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 0x7f

/* What the tools keep from line to line. */
typedef struct tools {
    kloop_allocator alloc;
    kl_json_doc doc;
    kl_arena arena;
    kl_batch_loader loader;
    kl_batch_printer printer;
    kl_buf out;
    bool batch;
    kl_selection s;
} tools;

static const char mark[] = "before";

static void tools_init(tools *t, kl_counted_memory *memory, size_t nth)
{
    kl_counted_memory_init(memory, nth);
    t->alloc = kl_counted_memory_table(memory);
    kl_json_doc_init(&t->doc, &t->alloc);
    kl_arena_init(&t->arena, &t->alloc);
    kl_batch_loader_init(&t->loader, &t->alloc);
    kl_batch_printer_init(&t->printer, &t->alloc);
    kl_buf_init(&t->out, &t->alloc);
}

static void tools_deinit(tools *t, const kl_counted_memory *memory)
{
    kl_buf_deinit(&t->out);
    kl_batch_printer_deinit(&t->printer);
    kl_batch_loader_deinit(&t->loader);
    kl_arena_deinit(&t->arena);
    kl_json_doc_deinit(&t->doc);
    kl_counted_memory_end(memory);
}

/* Reasons quote what was sent; they become a line of output, and must not break it. */
static void check_one_line(const char *reason)
{
    size_t len = strlen(reason);
    KL_FUZZ_CHECK(kl_utf8_valid_len(reason, len) == len);
    for (size_t i = 0; i < len; i++)
        KL_FUZZ_CHECK((uint8_t)reason[i] >= 0x20 && reason[i] != 0x7f);
}

/* text to bytes behind the mark in t->out. */
static bool load(tools *t, const char *text, size_t len)
{
    kl_load_error error = {"", SIZE_MAX};
    kl_arena_reset(&t->arena);
    kl_buf_reset(&t->out);
    if (!kl_buf_append(&t->out, mark, sizeof mark))
        return false;
    kl_json *root = kl_json_read(&t->doc, text, len);
    if (!root)
        return false;
    bool loaded = t->batch ? kl_batch_load(&t->loader, root, &t->arena, &t->out, &error)
                           : kl_message_load(&t->out, t->s.api->key, t->s.half, t->s.version, root,
                                             &t->arena, &error);
    KL_FUZZ_CHECK(t->out.len >= sizeof mark && memcmp(t->out.data, mark, sizeof mark) == 0);
    if (loaded)
        return true;
    KL_FUZZ_CHECK(error.reason[0] && memchr(error.reason, 0, sizeof error.reason));
    check_one_line(error.reason);
    KL_FUZZ_CHECK(error.offset <= len);
    /* Of several batches the ones before the bad one may be there. */
    KL_FUZZ_CHECK(t->batch || t->out.len == sizeof mark);
    return false;
}

static kloop_status print(tools *t, kloop_slice bytes, kl_buf *text, kloop_fault *fault)
{
    if (t->batch)
        return kl_batch_print(&t->printer, bytes, text, fault);
    kl_json_writer writer;
    kl_json_write_init(&writer, text);
    return kl_message_print(&writer, t->s.api->key, t->s.half, t->s.version, bytes, fault);
}

/* Prints bytes and loads what was printed: is it the same again? */
static bool comes_back(tools *t, const uint8_t *bytes, size_t len)
{
    kl_buf text;
    kloop_fault fault;
    kl_buf_init(&text, &t->alloc);
    KL_FUZZ_FINE(print(t, (kloop_slice){bytes, len}, &text, &fault), &fault);
    KL_FUZZ_CHECK(!text.failed);
    KL_FUZZ_CHECK(load(t, (const char *)text.data, text.len));
    kl_buf_deinit(&text);
    return t->out.len - sizeof mark == len &&
           (len == 0 || memcmp(t->out.data + sizeof mark, bytes, len) == 0);
}

static void check_message(tools *t, const uint8_t *bytes, size_t len)
{
    kl_message message;
    size_t again_len;
    KL_FUZZ_CHECK(kl_message_trial_decode(&t->s, bytes, len, &message) == KLOOP_OK);
    uint8_t *again = kl_message_trial_encode(&t->s, &message, &again_len);
    KL_FUZZ_CHECK(again_len == len && (len == 0 || memcmp(again, bytes, len) == 0));
    free(again);
    KL_FUZZ_CHECK(comes_back(t, bytes, len));
}

static bool some_append_time(const uint8_t *bytes, size_t len)
{
    const kloop_batch_header *header;
    bool some = false;
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 0);
    KL_FUZZ_CHECK(reader);
    kloop_batch_reader_start(reader, bytes, len);
    while (kloop_batch_reader_next(reader, &header, NULL) == KLOOP_OK && header)
        some |= (header->attributes & KLOOP_BATCH_APPEND_TIME) != 0;
    kloop_batch_reader_del(reader);
    return some;
}

static void check_batches(tools *t, const uint8_t *bytes, size_t len)
{
    /* No batch at all is nothing to print. */
    if (len == 0 || comes_back(t, bytes, len))
        return;
    /* Under append time records were given times that nobody can see; the second time they are all
     * the batch's. */
    KL_FUZZ_CHECK(some_append_time(bytes, len));
    size_t second_len = t->out.len - sizeof mark;
    uint8_t *second = kl_fuzz_exact_copy(t->out.data + sizeof mark, second_len);
    KL_FUZZ_CHECK(comes_back(t, second, second_len));
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    kl_counted_memory memory;
    tools t;
    size_t nth = kl_drawn_u8(&d);
    uint8_t first = kl_drawn_u8(&d);
    uint8_t second = kl_drawn_u8(&d);
    t.batch = first == BATCH;
    t.s = kl_selection_of(first, second);
    kloop_slice text = kl_drawn_rest(&d);

    tools_init(&t, &memory, nth);
    bool loaded = load(&t, (const char *)text.data, text.len);
    if (memory.refused > 0) {
        KL_FUZZ_CHECK(!loaded);
        /* Memory is there again, and nothing was spoilt. */
        loaded = load(&t, (const char *)text.data, text.len);
    }
    kl_fuzz_feature((t.batch ? BATCH : kl_selection_number(&t.s)) << 1 | loaded);
    memory.nth = 0;
    if (loaded) {
        size_t len = t.out.len - sizeof mark;
        uint8_t *bytes = kl_fuzz_exact_copy(t.out.data + sizeof mark, len);
        if (t.batch)
            check_batches(&t, bytes, len);
        else
            check_message(&t, bytes, len);
        free(bytes);
    }
    tools_deinit(&t, &memory);
    return 0;
}
