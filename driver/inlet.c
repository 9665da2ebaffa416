/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of the inlet. See the header for who touches what. */
#include "driver/inlet.h"

#include "base/check.h"

#include <string.h>

/*
 * The word of the room:
 *
 *     63 ... 26   25 ... 2   1         0
 *     bytes       records    refused   shut
 */
#define SHUT          UINT64_C(1)
#define REFUSED       UINT64_C(2)
#define RECORD        UINT64_C(4)
#define BYTE          (UINT64_C(1) << 26)
#define BYTES(room)   ((room) >> 26)
#define RECORDS(room) ((room) >> 2 & KL_INLET_RECORDS_MAX)

/* Turned around in one call: each may be a miss of the cache. */
#define TURN_MAX 4096

void kl_inlet_init(kl_inlet *in, const kloop_allocator *alloc, size_t bytes_max)
{
    memset(in, 0, sizeof *in);
    in->alloc = *alloc;
    in->bytes_max = bytes_max;
    atomic_init(&in->room, 0);
    atomic_init(&in->refusals, 0);
    atomic_init(&in->incoming, NULL);
}

/* ---- The room ---- */

static kloop_status reserve(kl_inlet *in, uint64_t bytes)
{
    uint64_t seen = atomic_load_explicit(&in->room, memory_order_relaxed);
    for (;;) {
        if (seen & SHUT)
            return KLOOP_CLOSED;
        bool fits = bytes <= in->bytes_max - BYTES(seen) && RECORDS(seen) < KL_INLET_RECORDS_MAX;
        uint64_t wanted = fits ? seen + bytes * BYTE + RECORD : seen | REFUSED;
        /* A refusal that another one has left its sign for needs none of its own. */
        if (wanted == seen ||
            atomic_compare_exchange_weak_explicit(&in->room, &seen, wanted, memory_order_relaxed,
                                                  memory_order_relaxed))
            return fits ? KLOOP_OK : KLOOP_FULL;
    }
}

/* What is left. */
static uint64_t give_back(kl_inlet *in, uint64_t bytes, uint64_t records)
{
    uint64_t less = bytes * BYTE + records * RECORD;
    return atomic_fetch_sub_explicit(&in->room, less, memory_order_relaxed) - less;
}

void kl_inlet_settle(kl_inlet *in)
{
    if (in->owed_records == 0)
        return;
    give_back(in, in->owed_bytes, in->owed_records);
    in->owed_bytes = in->owed_records = 0;
}

bool kl_inlet_take_room(kl_inlet *in)
{
    uint64_t room = atomic_load_explicit(&in->room, memory_order_relaxed);
    if (!(room & REFUSED) || BYTES(room) > in->bytes_max / 2 ||
        RECORDS(room) > KL_INLET_RECORDS_MAX / 2)
        return false;
    /* Whoever is refused until here finds the sign set, and is told by what follows. */
    atomic_fetch_and_explicit(&in->room, ~REFUSED, memory_order_relaxed);
    return true;
}

void kl_inlet_shut(kl_inlet *in)
{
    atomic_fetch_or_explicit(&in->room, SHUT, memory_order_relaxed);
}

kl_inlet_load kl_inlet_load_of(const kl_inlet *in)
{
    uint64_t room = atomic_load_explicit(&in->room, memory_order_relaxed);
    return (kl_inlet_load){
        .bytes = BYTES(room),
        .records = RECORDS(room),
        .refusals = atomic_load_explicit(&in->refusals, memory_order_relaxed),
    };
}

/* ---- Items ---- */

size_t kl_inlet_bytes_of(const kloop_record *r)
{
    size_t bytes = sizeof(kl_inlet_item) + r->header_count * sizeof *r->headers;
    bool fits = kl_mem_add(bytes, r->key.len, &bytes) && kl_mem_add(bytes, r->value.len, &bytes);
    for (uint32_t i = 0; fits && i < r->header_count; i++)
        fits = kl_mem_add(bytes, r->headers[i].key.len, &bytes) &&
               kl_mem_add(bytes, r->headers[i].value.len, &bytes);
    return fits ? bytes : 0;
}

/* Null stays null, and empty stays empty. */
static const void *copy(uint8_t **at, const void *data, size_t len)
{
    if (!data)
        return NULL;
    uint8_t *to = *at;
    if (len)
        memcpy(to, data, len);
    *at += len;
    return to;
}

static kl_inlet_item *make_item(const kloop_allocator *alloc, size_t bytes, kloop_topic *topic,
                                const kloop_record *r, uint64_t now_ns)
{
    kl_inlet_item *item = kl_mem_alloc(alloc, bytes);
    if (!item)
        return NULL;
    *item = (kl_inlet_item){.topic = topic, .created_ns = now_ns, .bytes = bytes, .record = *r};
    kloop_record_header *headers = (kloop_record_header *)(item + 1);
    uint8_t *at = (uint8_t *)(headers + r->header_count);
    item->record.key.data = copy(&at, r->key.data, r->key.len);
    item->record.value.data = copy(&at, r->value.data, r->value.len);
    item->record.headers = r->header_count ? headers : NULL;
    for (uint32_t i = 0; i < r->header_count; i++) {
        headers[i] = r->headers[i];
        headers[i].key.data = copy(&at, r->headers[i].key.data, r->headers[i].key.len);
        headers[i].value.data = copy(&at, r->headers[i].value.data, r->headers[i].value.len);
    }
    return item;
}

/* Answers whether it is the first one there. */
static bool put_in(kl_inlet *in, kl_inlet_item *item)
{
    kl_inlet_item *head = atomic_load_explicit(&in->incoming, memory_order_relaxed);
    do {
        item->next = head;
        /* Released: who takes the row sees the item whole, and those before it. That head may have
         * been taken, freed and put in anew meanwhile does no harm: what counts is that it is the
         * head. */
    } while (!atomic_compare_exchange_weak_explicit(&in->incoming, &head, item,
                                                    memory_order_release, memory_order_relaxed));
    return head == NULL;
}

kloop_status kl_inlet_push(kl_inlet *in, kloop_topic *topic, const kloop_record *record,
                           uint64_t now_ns, bool *wake)
{
    *wake = false;
    size_t bytes = kl_inlet_bytes_of(record);
    if (bytes == 0 || bytes > in->bytes_max)
        return KLOOP_TOO_LARGE;
    kloop_status status = reserve(in, bytes);
    if (status == KLOOP_FULL)
        atomic_fetch_add_explicit(&in->refusals, 1, memory_order_relaxed);
    if (status)
        return status;
    kl_inlet_item *item = make_item(&in->alloc, bytes, topic, record, now_ns);
    if (!item) {
        /* Somebody may have been refused because of us, or the end of a close wait for us. */
        *wake = (give_back(in, bytes, 1) & (REFUSED | SHUT)) != 0;
        return KLOOP_NO_MEMORY;
    }
    *wake = put_in(in, item);
    return KLOOP_OK;
}

void kl_inlet_push_mark(kl_inlet *in, kl_inlet_item *mark)
{
    *mark = (kl_inlet_item){0};
    put_in(in, mark);
}

/* ---- The other end ---- */

/* false: there is more to be turned around. */
static bool turn_around(kl_inlet *in)
{
    if (!in->turning && !in->turned)
        in->turning = atomic_exchange_explicit(&in->incoming, NULL, memory_order_acquire);
    for (int n = 0; in->turning && n < TURN_MAX; n++) {
        kl_inlet_item *item = in->turning;
        in->turning = item->next;
        item->next = in->turned;
        if (!in->turned)
            in->turned_last = item;
        in->turned = item;
    }
    if (in->turning)
        return false;
    if (in->turned) {
        if (in->lined)
            in->lined_last->next = in->turned;
        else
            in->lined = in->turned;
        in->lined_last = in->turned_last;
        in->turned = NULL;
    }
    return true;
}

kl_inlet_item *kl_inlet_first(kl_inlet *in)
{
    if (!in->lined)
        turn_around(in);
    return in->lined;
}

kl_inlet_item *kl_inlet_pop(kl_inlet *in)
{
    kl_inlet_item *item = in->lined;
    KL_ASSERT(item);
    in->lined = item->next;
    item->next = NULL;
    return item;
}

void kl_inlet_release(kl_inlet *in, kl_inlet_item *item)
{
    in->owed_bytes += item->bytes;
    in->owed_records++;
    kl_mem_release(&in->alloc, item, item->bytes);
}

bool kl_inlet_has_items(const kl_inlet *in)
{
    return in->lined || in->turned || in->turning ||
           atomic_load_explicit(&in->incoming, memory_order_relaxed);
}

bool kl_inlet_is_empty(const kl_inlet *in)
{
    /* In this order: whoever has his room puts the item in after it, and settling comes last. */
    return RECORDS(atomic_load_explicit(&in->room, memory_order_relaxed)) == 0 &&
           !kl_inlet_has_items(in);
}

uint64_t kl_inlet_purge(kl_inlet *in, const kloop_topic *topic)
{
    uint64_t records = 0;
    /* Twice: what was being turned around, and what has come since that was taken. */
    for (int i = 0; i < 2; i++) {
        while (!turn_around(in))
            ;
    }
    for (kl_inlet_item *item = in->lined; item; item = item->next) {
        if (item->topic && !item->purged && (!topic || item->topic == topic)) {
            item->purged = true;
            records++;
        }
    }
    return records;
}

void kl_inlet_deinit(kl_inlet *in)
{
    while (kl_inlet_first(in) || in->turning) {
        if (!in->lined)
            continue;
        kl_inlet_item *item = kl_inlet_pop(in);
        if (item->topic)
            kl_inlet_release(in, item);
    }
    kl_inlet_settle(in);
}
