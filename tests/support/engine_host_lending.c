/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks and borrowed bytes. See engine_host.h. */
#include "tests/support/engine_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Loans ---- */

uint64_t host_hash(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211U;
    return hash;
}

void host_lend(host *h, kloop_record *r, size_t len)
{
    if (h->loan_count == h->loan_cap) {
        h->loan_cap = h->loan_cap ? 2 * h->loan_cap : 64;
        h->loans = realloc(h->loans, h->loan_cap * sizeof *h->loans);
    }
    uint8_t *bytes = malloc(len + 1);
    if (!h->loans || !bytes)
        abort(); /* the machine itself is out of memory */
    /* The user it will have, so that the host can read it on the wire. */
    int used = snprintf((char *)bytes, len + 1, "v%zu ", h->user_count + 1);
    uint32_t x = (uint32_t)h->loan_count * 2654435761U + 1;
    for (size_t i = (size_t)used; i < len; i++) {
        if (len % 2 || i % 16 == 0)
            x = x * 1664525U + 1013904223U;
        bytes[i] = (uint8_t)(x >> 24);
    }
    h->loans[h->loan_count++] = (host_loan){bytes, len, host_hash(bytes, len)};
    r->value = (kloop_slice){bytes, len};
    r->set |= KLOOP_SET_BORROWED;
    r->lender = (void *)(uintptr_t)h->loan_count;
}

void host_unlend(host *h, kloop_record *r)
{
    kloop_loan loan = {.value = r->value, .lender = r->lender};
    host_take_back(h, &loan);
    h->loans_back--;
    h->loan_count--;
    assert_int_equal((size_t)(uintptr_t)r->lender, h->loan_count + 1);
}

void host_take_back(host *h, const kloop_loan *loan)
{
    size_t number = (size_t)(uintptr_t)loan->lender;
    assert_in_range(number, 1, h->loan_count);
    host_loan *l = &h->loans[number - 1];
    if (!l->bytes)
        fail_msg("loan %zu is given back twice", number);
    assert_ptr_equal(loan->value.data, l->bytes);
    assert_int_equal(loan->value.len, l->len);
    assert_int_equal(host_hash(l->bytes, l->len), l->hash);
    memset(l->bytes, 0xa5, l->len);
    free(l->bytes);
    l->bytes = NULL;
    h->loans_back++;
}

void host_expect_lent(const host *h, size_t count)
{
    if (h->loan_count - h->loans_back != count)
        fail_msg("%zu loans are out, not %zu", h->loan_count - h->loans_back, count);
}

void host_forget_loans(host *h)
{
    size_t out = h->loan_count - h->loans_back;
    for (size_t i = 0; i < h->loan_count; i++)
        free(h->loans[i].bytes);
    free(h->loans);
    if (h->closed)
        assert_int_equal(out, 0);
}

/* ---- Chunks ---- */

kloop_chunk *host_begin_chunk(host *h, size_t user)
{
    kloop_chunk *chunk;
    if (kloop_engine_chunk(h->e, (void *)(uintptr_t)user, &chunk))
        return NULL;
    assert_ptr_equal(kloop_chunk_engine(chunk), h->e);
    return chunk;
}

void host_take_chunk(host *h, const kloop_chunk_report *c)
{
    assert_true(h->chunk_count < sizeof h->chunks / sizeof *h->chunks);
    size_t user = (size_t)(uintptr_t)c->user;
    for (size_t i = 0; i < h->chunk_count; i++)
        if (h->chunks[i].user == user)
            fail_msg("chunk %zu is told of twice", user);
    assert_int_equal(c->outcome, c->unknown  ? KLOOP_OUTCOME_UNKNOWN
                                 : c->failed ? KLOOP_OUTCOME_FAILED
                                             : KLOOP_OUTCOME_ACKED);
    bool clean = c->outcome == KLOOP_OUTCOME_ACKED;
    assert_int_equal(clean, c->topic == NULL);
    assert_int_equal(clean, c->text[0] == '\0');
    assert_int_equal(clean, c->cause == KLOOP_CAUSE_NONE);
    host_chunk *kept = &h->chunks[h->chunk_count++];
    *kept = (host_chunk){.user = user,
                         .outcome = c->outcome,
                         .acked = (size_t)c->acked,
                         .failed = (size_t)c->failed,
                         .unknown = (size_t)c->unknown,
                         .partition = c->partition,
                         .cause = c->cause,
                         .broker_error = c->broker_error};
    snprintf(kept->text, sizeof kept->text, "%s", c->text);
}

const host_chunk *host_chunk_of(const host *h, size_t user)
{
    for (size_t i = 0; i < h->chunk_count; i++)
        if (h->chunks[i].user == user)
            return &h->chunks[i];
    fail_msg("nothing was told of chunk %zu:\n%.4000s", user, h->transcript);
    return NULL;
}

void host_expect_chunk(const host *h, size_t user, size_t acked, size_t failed, size_t unknown)
{
    const host_chunk *c = host_chunk_of(h, user);
    if (c->acked != acked || c->failed != failed || c->unknown != unknown)
        fail_msg("chunk %zu: %zu acked, %zu failed, %zu unknown: %s", user, c->acked, c->failed,
                 c->unknown, c->text);
}
