/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of refused records. See bad_records.h. */
#include "core/bad_records.h"

#include "base/excerpt.h"
#include "core/budget.h"

#define TEXT_BYTES      200
#define TEXTS_BYTES_MAX 65536

/* ---- Life ---- */

static kl_bad_records *new_list(kloop_engine *e, uint32_t count, const char *texts,
                                size_t text_bytes)
{
    size_t list_bytes = sizeof(kl_bad_records) + count * sizeof(kl_bad_record);
    kl_bad_records *bad = kl_mem_alloc(&e->alloc, list_bytes + text_bytes);
    if (!bad)
        return NULL;
    *bad = (kl_bad_records){.memory_bytes = list_bytes + text_bytes,
                            .text_bytes = text_bytes,
                            .texts = (char *)bad + list_bytes};
    memcpy(bad->texts, texts, text_bytes);
    kl_pool_hold(&e->pool, bad->memory_bytes);
    kl_budget_note_peak(e);
    return bad;
}

void kl_bad_records_del(kloop_engine *e, kl_batch *b)
{
    if (!b->bad)
        return;
    kl_pool_unhold(&e->pool, b->bad->memory_bytes);
    kl_mem_release(&e->alloc, b->bad, b->bad->memory_bytes);
    b->bad = NULL;
}

const kl_bad_record *kl_bad_records_at(const kl_batch *b, uint32_t n)
{
    return n < kl_bad_records_count(b) ? &b->bad->list[n] : NULL;
}

const char *kl_bad_records_text(const kl_batch *b, const kl_bad_record *r)
{
    return b->bad->texts + r->text_at;
}

/* ---- What an answer says ---- */

/* Of one answer: for each record of the payload, 0 or 1 more than where its text is. */
typedef struct reading {
    uint32_t *said;
    uint32_t record_count;
    uint32_t listed;
    kl_buf texts;
    size_t last_at; /* of the latest text */
} reading;

/* Where the text is now, 0 when it is not kept. */
static uint32_t keep_text(reading *w, kloop_string text)
{
    char excerpt[TEXT_BYTES];
    if (!text.data || text.len == 0)
        return 0;
    kl_excerpt(excerpt, sizeof excerpt, text);
    if (w->last_at && strcmp((const char *)w->texts.data + w->last_at, excerpt) == 0)
        return (uint32_t)w->last_at;
    size_t bytes = strlen(excerpt) + 1;
    if (w->texts.len + bytes > TEXTS_BYTES_MAX)
        return 0;
    size_t at = w->texts.len;
    if (!kl_buf_append(&w->texts, excerpt, bytes))
        return 0;
    w->last_at = at;
    return (uint32_t)at;
}

static void read_answer(reading *w, const kloop_array *errors)
{
    kloop_record_error error;
    for (kloop_iter i = kloop_iterate(errors); kloop_next(&i, &error);) {
        uint32_t at = (uint32_t)error.batch_index;
        if (at >= w->record_count || w->said[at])
            continue;
        w->said[at] = keep_text(w, error.batch_index_error_message) + 1;
        w->listed++;
    }
}

/* b's list and what was read, in one. */
static void merge(const kl_batch *b, const reading *w, int16_t code, kl_bad_records *to)
{
    uint32_t users = (uint32_t)(kl_chain_len(&b->users) / sizeof(void *));
    uint32_t known = 0;
    uint32_t record = 0;
    for (uint32_t place = 0; place < users; place++) {
        const kl_bad_record *old = kl_bad_records_at(b, known);
        if (old && old->place == place) {
            to->list[to->count++] = *old;
            known++;
            continue;
        }
        if (w->said[record])
            to->list[to->count++] =
                (kl_bad_record){.place = place, .text_at = w->said[record] - 1, .code = code};
        record++;
    }
}

static kl_bad_found add_read(kloop_engine *e, kl_batch *b, reading *w, int16_t code)
{
    if (w->listed == 0)
        return KL_BAD_NONE;
    uint32_t count = w->listed + kl_bad_records_count(b);
    if (w->texts.failed)
        return KL_BAD_NO_MEMORY;
    kl_bad_records *bad = new_list(e, count, (const char *)w->texts.data, w->texts.len);
    if (!bad)
        return KL_BAD_NO_MEMORY;
    merge(b, w, code, bad);
    KL_ASSERT(bad->count == count);
    kl_bad_records_del(e, b);
    b->bad = bad;
    return w->listed == w->record_count ? KL_BAD_ALL : KL_BAD_SOME;
}

kl_bad_found kl_bad_records_take(kloop_engine *e, kl_batch *b,
                                 const kloop_produce_partition_response *answer)
{
    if (answer->record_errors.count <= 0)
        return KL_BAD_NONE;
    reading w = {.record_count = (uint32_t)b->builder.count};
    w.said = kl_mem_zalloc(&e->alloc, w.record_count, sizeof *w.said);
    if (!w.said)
        return KL_BAD_NO_MEMORY;
    kl_buf_init(&w.texts, &e->alloc);
    if (b->bad)
        kl_buf_append(&w.texts, b->bad->texts, b->bad->text_bytes);
    else
        kl_buf_append(&w.texts, "", 1);
    read_answer(&w, &answer->record_errors);
    kl_bad_found found = add_read(e, b, &w, answer->error_code);
    kl_buf_deinit(&w.texts);
    kl_mem_release(&e->alloc, w.said, w.record_count * sizeof *w.said);
    return found;
}

/* ---- When the batch is put together anew ---- */

bool kl_bad_records_any_present(const kl_batch *b)
{
    for (uint32_t i = 0; i < kl_bad_records_count(b); i++)
        if (!b->bad->list[i].left_out)
            return true;
    return false;
}

/* Part of a list, on its way to a child. */
typedef struct share {
    const kl_bad_record *list;
    uint32_t count;
    uint32_t *moved_to; /* for each place of a text: 0, or where it goes */
    kl_buf texts;
} share;

/* What it points at, each text once: were all texts copied, a batch that is split again and again
 * would hold as many times 64 KiB as it has pieces. */
static bool gather_texts(share *s, const char *texts)
{
    kl_buf_append(&s->texts, "", 1);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t at = s->list[i].text_at;
        if (at == 0 || s->moved_to[at] > 0)
            continue;
        s->moved_to[at] = (uint32_t)s->texts.len;
        kl_buf_append(&s->texts, texts + at, strlen(texts + at) + 1);
    }
    return !s->texts.failed;
}

static bool hand_over(kloop_engine *e, const kl_batch *b, share *s, uint32_t from, kl_batch *child)
{
    if (!gather_texts(s, b->bad->texts))
        return false;
    kl_bad_records *bad = new_list(e, s->count, (const char *)s->texts.data, s->texts.len);
    if (!bad)
        return false;
    for (; bad->count < s->count; bad->count++) {
        kl_bad_record r = s->list[bad->count];
        r.place -= from;
        r.text_at = s->moved_to[r.text_at];
        r.left_out = true;
        bad->list[bad->count] = r;
    }
    child->bad = bad;
    return true;
}

bool kl_bad_records_hand_down(kloop_engine *e, const kl_batch *b, uint32_t from, uint32_t to,
                              kl_batch *child)
{
    uint32_t first = 0;
    while (kl_bad_records_at(b, first) && b->bad->list[first].place < from)
        first++;
    uint32_t count = 0;
    while (kl_bad_records_at(b, first + count) && b->bad->list[first + count].place < to)
        count++;
    if (count == 0)
        return true;
    share s = {.list = &b->bad->list[first], .count = count};
    s.moved_to = kl_mem_zalloc(&e->alloc, b->bad->text_bytes, sizeof *s.moved_to);
    if (!s.moved_to)
        return false;
    kl_buf_init(&s.texts, &e->alloc);
    bool done = hand_over(e, b, &s, from, child);
    kl_buf_deinit(&s.texts);
    kl_mem_release(&e->alloc, s.moved_to, b->bad->text_bytes * sizeof *s.moved_to);
    return done;
}
