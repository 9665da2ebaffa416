/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must not be done with a batch in the making: each mistake meets an assertion, and none of
 * them makes bytes that only look like a batch. A header asked for in the middle of sealing once
 * had a wrong CRC, and nothing noticed.
 */
#include "base/mem.h"
#include "protocol/record_batch.h"
#include "tests/support/asserted.h"
#include "tests/support/fail_alloc.h"
#include "tests/support/some_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static kl_pool pool;
static const uint8_t *content;

static int up(void **unused)
{
    (void)unused;
    kl_pool_init(&pool, &kl_mem_libc, SIZE_MAX);
    content = kl_some_content();
    return 0;
}

static int down(void **unused)
{
    (void)unused;
    kl_pool_deinit(&pool);
    return 0;
}

static kloop_slice text(const char *s)
{
    return (kloop_slice){(const uint8_t *)s, strlen(s)};
}

static void add(kl_batch_builder *b, const kl_record *r, int64_t timestamp)
{
    assert_int_equal(kl_batch_builder_append(b, r, timestamp, SIZE_MAX), KL_RECORD_APPENDED);
}

/* A batch at work, a second one, and one compressor for both. */
typedef struct workbench {
    kl_batch_builder b;
    kl_batch_builder other;
    kl_batch_sealer sealer;
    kl_batch_sealer other_sealer;
    kl_compressor *c;
    kloop_batch_header header;
    uint8_t out[KLOOP_BATCH_HEADER_BYTES];
} workbench;

static void begin(workbench *x)
{
    assert_int_equal(kl_batch_seal_begin(&x->sealer, &x->b, x->c), KL_CODEC_OK);
}

static bool step(workbench *x)
{
    bool done;
    assert_int_equal(kl_batch_seal_step(&x->sealer, 3000, &done), KL_CODEC_OK);
    return done;
}

static void finish(workbench *x)
{
    begin(x);
    while (!step(x))
        continue;
}

static void add_one(workbench *x)
{
    kl_batch_builder_append(&x->b, &(kl_record){.value = text("x")}, 5, SIZE_MAX);
}

static void header_of_an_open_batch(workbench *x)
{
    kl_batch_builder_header(&x->b, &x->header);
}

static void header_put_of_an_open_batch(workbench *x)
{
    kl_batch_builder_header_put(&x->b, &x->header, x->out);
}

static void header_while_sealing(workbench *x)
{
    begin(x);
    step(x);
    kl_batch_builder_header(&x->b, &x->header);
}

static void header_put_while_sealing(workbench *x)
{
    begin(x);
    step(x);
    kl_batch_builder_header_put(&x->b, &x->header, x->out);
}

static void header_put_with_another_codec(workbench *x)
{
    finish(x);
    x->header.attributes = x->b.codec == KL_CODEC_LZ4 ? KL_CODEC_ZSTD : KL_CODEC_LZ4;
    kl_batch_builder_header_put(&x->b, &x->header, x->out);
}

static void header_put_beyond_31_bits(workbench *x)
{
    kl_batch_header_put(&x->header, KL_BATCH_PAYLOAD_MAX + 1, 0, x->out);
}

static void append_while_sealing(workbench *x)
{
    begin(x);
    add_one(x);
}

static void append_when_sealed(workbench *x)
{
    finish(x);
    add_one(x);
}

static void begin_while_sealing(workbench *x)
{
    begin(x);
    kl_batch_seal_begin(&x->other_sealer, &x->b, NULL);
}

static void begin_when_sealed(workbench *x)
{
    finish(x);
    begin(x);
}

static void step_when_done(workbench *x)
{
    finish(x);
    step(x);
}

static void cancel_when_done(workbench *x)
{
    finish(x);
    kl_batch_seal_cancel(&x->sealer);
}

static void step_when_given_up(workbench *x)
{
    begin(x);
    kl_batch_seal_cancel(&x->sealer);
    step(x);
}

static void cancel_twice(workbench *x)
{
    begin(x);
    step(x);
    kl_batch_seal_cancel(&x->sealer);
    kl_batch_seal_cancel(&x->sealer);
}

/* The compressor is at work for the other batch by then. */
static void cancel_twice_and_another_stream(workbench *x)
{
    begin(x);
    kl_batch_seal_cancel(&x->sealer);
    assert_int_equal(kl_batch_seal_begin(&x->other_sealer, &x->other, x->c), KL_CODEC_OK);
    kl_batch_seal_cancel(&x->sealer);
}

/* The batch is being sealed again, but not by this one. */
static void an_old_sealer(workbench *x)
{
    begin(x);
    kl_batch_seal_cancel(&x->sealer);
    assert_int_equal(kl_batch_seal_begin(&x->other_sealer, &x->b, NULL), KL_CODEC_OK);
    step(x);
}

static void clear_while_sealing(workbench *x)
{
    begin(x);
    step(x);
    kl_batch_builder_clear(&x->b);
}

static void open_bench(workbench *x, kl_codec_id id)
{
    kl_some_records(&x->b, &pool, 300);
    kl_some_records(&x->other, &pool, 300);
    x->sealer = (kl_batch_sealer){.batch = NULL};
    x->other_sealer = (kl_batch_sealer){.batch = NULL};
    x->c = id ? kl_some_compressor(id, &kl_mem_libc) : NULL;
    kloop_batch_header_init(&x->header);
}

static void close_bench(workbench *x)
{
    if (x->sealer.batch)
        kl_batch_seal_cancel(&x->sealer);
    if (x->other_sealer.batch)
        kl_batch_seal_cancel(&x->other_sealer);
    kl_batch_builder_clear(&x->b);
    kl_batch_builder_clear(&x->other);
    kl_compressor_del(x->c);
}

typedef struct attempt {
    void (*mistake)(workbench *x);
    workbench *x;
} attempt;

static void make_mistake(void *ctx)
{
    attempt *a = ctx;
    a->mistake(a->x);
}

static void expect_asserted(workbench *x, void (*mistake)(workbench *x), size_t index)
{
    attempt a = {mistake, x};
    if (!kl_asserted(make_mistake, &a))
        fail_msg("mistake %zu was not noticed", index);
}

static void misuse_is_asserted(void **unused)
{
    (void)unused;
    static void (*const mistakes[])(workbench *) = {
        header_of_an_open_batch,
        header_put_of_an_open_batch,
        header_while_sealing,
        header_put_while_sealing,
        header_put_with_another_codec,
        header_put_beyond_31_bits,
        append_while_sealing,
        append_when_sealed,
        begin_while_sealing,
        begin_when_sealed,
        step_when_done,
        cancel_when_done,
        step_when_given_up,
        cancel_twice,
        cancel_twice_and_another_stream,
        an_old_sealer,
        clear_while_sealing,
    };
    static workbench x;
    for (kl_codec_id id = KL_CODEC_NONE; id < KL_CODEC_COUNT; id++) {
        for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
            open_bench(&x, id);
            expect_asserted(&x, mistakes[i], i);
            close_bench(&x);
        }
    }
}

static void two_sealers_at_one_compressor(workbench *x)
{
    begin(x);
    step(x);
    kl_batch_seal_begin(&x->other_sealer, &x->other, x->c);
}

static void stream_of_its_own(workbench *x)
{
    kl_chain_clear(&x->other.payload);
    assert_int_equal(kl_compress_begin(x->c, 10, &x->other.payload), KL_CODEC_OK);
    begin(x);
}

/* Also: the batch that was at it first is none the worse for it. */
static void a_compressor_has_one_stream(void **unused)
{
    (void)unused;
    static workbench x;
    for (kl_codec_id id = KL_CODEC_GZIP; id < KL_CODEC_COUNT; id++) {
        open_bench(&x, id);
        expect_asserted(&x, two_sealers_at_one_compressor, 0);
        assert_int_equal(x.other.state, KL_BATCH_OPEN);
        assert_true(kl_compressor_busy(x.c));
        while (!step(&x))
            continue;
        assert_false(kl_compressor_busy(x.c));
        assert_int_equal(x.b.codec, id);
        kl_batch_builder_header(&x.b, &x.header);
        uint8_t *bytes = kl_some_flat(&x.b, &x.header);
        kl_some_expect(bytes, kl_batch_builder_len(&x.b), 300);
        free(bytes);
        close_bench(&x);
        open_bench(&x, id);
        expect_asserted(&x, stream_of_its_own, 1);
        assert_int_equal(x.b.state, KL_BATCH_OPEN);
        kl_compress_abort(x.c);
        close_bench(&x);
    }
}

static kl_fail_alloc refusing;

static void step_after_a_fault(workbench *x)
{
    bool done;
    kl_batch_seal_step(&x->sealer, 3000, &done);
}

static void cancel_after_a_fault(workbench *x)
{
    kl_batch_seal_cancel(&x->sealer);
}

/* A step that fails has given up: whatever the compressor does next is not the sealer's to end. */
static void after_a_fault_a_sealer_is_done_with(void **unused)
{
    (void)unused;
    static workbench x;
    static void (*const mistakes[])(workbench *) = {step_after_a_fault, cancel_after_a_fault};
    for (size_t i = 0; i < 2; i++) {
        kl_fail_alloc_init(&refusing, 0);
        kloop_allocator alloc = kl_fail_alloc_table(&refusing);
        kl_pool own;
        kl_pool_init(&own, &alloc, 0);
        open_bench(&x, KL_CODEC_LZ4);
        kl_batch_builder_clear(&x.b);
        kl_batch_builder_init(&x.b, &own);
        add(&x.b, &(kl_record){.value = {content, KL_SOME_CONTENT_BYTES}}, 5);
        begin(&x);
        refusing.nth = refusing.calls + 1;
        bool done;
        assert_int_equal(kl_batch_seal_step(&x.sealer, SIZE_MAX, &done), KL_CODEC_NO_MEMORY);
        assert_false(done);
        assert_int_equal(x.b.state, KL_BATCH_OPEN);
        assert_int_equal(kl_batch_seal_begin(&x.other_sealer, &x.other, x.c), KL_CODEC_OK);
        expect_asserted(&x, mistakes[i], i);
        /* The other one's stream goes on. */
        for (done = false; !done;)
            assert_int_equal(kl_batch_seal_step(&x.other_sealer, 3000, &done), KL_CODEC_OK);
        assert_int_equal(x.other.codec, KL_CODEC_LZ4);
        kl_batch_builder_header(&x.other, &x.header);
        uint8_t *bytes = kl_some_flat(&x.other, &x.header);
        kl_some_expect(bytes, kl_batch_builder_len(&x.other), 300);
        free(bytes);
        close_bench(&x);
        kl_pool_deinit(&own);
        kl_fail_alloc_check(&refusing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse_is_asserted),
        cmocka_unit_test(a_compressor_has_one_stream),
        cmocka_unit_test(after_a_fault_a_sealer_is_done_with),
    };
    return cmocka_run_group_tests(tests, up, down);
}
