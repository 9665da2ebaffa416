/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the user's functions. See hook_calls.h. */
#include "core/hook_calls.h"

#include "core/accumulator.h"

/* ---- Setting them ---- */

void kloop_engine_set_hooks(kloop_engine *e, const kloop_hooks *hooks)
{
    kl_hook_guard(e);
    e->hooks = hooks ? *hooks : (kloop_hooks){.me = NULL};
    kl_hook_leave(e);
    /* No record may go past the hook, straight into a batch. */
    for (kl_link *at = kl_list_first(&e->topic_list); at; at = kl_list_next(&e->topic_list, at))
        kl_topics_judge(e, KL_CONTAINER_OF(at, kloop_topic, in_topics));
}

const kloop_hooks *kloop_engine_hooks(const kloop_engine *e)
{
    return &e->hooks;
}

/* ---- Records ---- */

/* Behind each other. */
static kloop_status join(kloop_engine *e, const kloop_record *r, const kloop_append *a,
                         kl_hooked_record *h)
{
    if (!a->headers || a->header_count > KLOOP_HEADERS_MAX - r->header_count)
        return KLOOP_BAD_HEADERS;
    size_t count = (size_t)r->header_count + a->header_count;
    kloop_record_header *headers = h->headers;
    if (count > KL_HOOK_HEADERS_ROOM) {
        h->taken_bytes = count * sizeof *headers;
        headers = kl_mem_alloc(&e->alloc, h->taken_bytes);
        if (!headers)
            return KLOOP_NO_MEMORY;
    }
    if (r->header_count)
        memcpy(headers, r->headers, r->header_count * sizeof *headers);
    memcpy(headers + r->header_count, a->headers, a->header_count * sizeof *headers);
    h->record.headers = headers;
    h->record.header_count = (uint32_t)count;
    kloop_status status = kl_accumulator_check(&h->record);
    if (status)
        kl_hook_end_append(e, h);
    return status;
}

kloop_status kl_hook_append(kloop_engine *e, const kloop_topic *t, const kloop_record *r,
                            int32_t partition, kl_hooked_record *h)
{
    kloop_append a = {
        .topic = t,
        .record = r,
        .partition = partition,
        .headers = h->added,
        .bytes = h->bytes,
    };
    h->record = *r;
    h->taken_bytes = 0;
    kl_hook_enter(e);
    bool go = e->hooks.before_append(&a, e->hooks.me);
    kl_hook_leave(e);
    KL_ASSERT(a.headers != h->added || a.header_count <= KLOOP_APPEND_HEADERS);
    if (!go)
        return KLOOP_BAD_HEADERS;
    return a.header_count > 0 ? join(e, r, &a, h) : KLOOP_OK;
}

void kl_hook_end_append(kloop_engine *e, kl_hooked_record *h)
{
    if (h->taken_bytes)
        kl_mem_release(&e->alloc, (void *)(uintptr_t)h->record.headers, h->taken_bytes);
}

/* ---- Frames ---- */

/* What is to go on instead, without its first bytes, copied; data NULL: nothing. false: no memory.
 */
static bool show(kloop_engine *e, const kl_conn *c, const kl_request *r, kloop_frame *frame,
                 size_t left_out, kloop_slice *copy)
{
    const kl_broker *b = c->broker;
    frame->broker_id = b->id;
    frame->host = (kloop_string){b->host, b->host_len};
    frame->port = b->port;
    frame->address = c->address;
    frame->conn = c->id;
    frame->api_key = r->api;
    frame->api_version = r->version;
    frame->correlation_id = r->correlation;
    frame->now = e->now;
    kloop_slice instead = {NULL, 0};
    *copy = instead;
    kl_hook_enter(e);
    bool altered = e->hooks.on_frame(frame, &instead, e->hooks.me);
    kl_hook_leave(e);
    if (!altered)
        return true;
    size_t len = instead.len > left_out ? instead.len - left_out : 0;
    /* One that is empty has memory as well, so that it can be told from none. */
    uint8_t *bytes = kl_mem_alloc(&e->alloc, len + 1);
    if (!bytes)
        return false;
    if (len > 0)
        memcpy(bytes, instead.data + left_out, len);
    *copy = (kloop_slice){bytes, len};
    return true;
}

bool kl_hook_written(kloop_engine *e, const kl_conn *c, kl_request *r)
{
    kloop_frame frame = {
        .way = KLOOP_FRAME_WRITTEN,
        .len = r->total,
        .slices = r->slices,
        .slice_count = r->slice_count,
    };
    kloop_slice copy;
    if (!show(e, c, r, &frame, 0, &copy))
        return false;
    if (copy.data) {
        r->altered = copy;
        r->slices = &r->altered;
        r->slice_count = copy.len > 0;
        r->total = copy.len;
    }
    return true;
}

bool kl_hook_read(kloop_engine *e, const kl_conn *c, const kl_request *r, kloop_slice frame,
                  kloop_slice *copy)
{
    kloop_slice whole = {frame.data - KL_FRAME_LENGTH_BYTES, frame.len + KL_FRAME_LENGTH_BYTES};
    kloop_frame shown = {
        .way = KLOOP_FRAME_READ, .len = whole.len, .slices = &whole, .slice_count = 1};
    return show(e, c, r, &shown, KL_FRAME_LENGTH_BYTES, copy);
}

/* ---- Outcomes ---- */

void kl_hook_outcome(kloop_engine *e, const kl_batch *b, const kloop_report *run, bool in_chunk)
{
    uint64_t age_ns = e->now.mono_ns - b->created_ns;
    const kloop_settled settled = {
        .run = run,
        .in_chunk = in_chunk,
        .attempts = b->launches,
        .age_ns = age_ns,
        .queued_ns = b->launches ? b->left_ns - b->created_ns : age_ns,
    };
    kl_hook_enter(e);
    e->hooks.on_outcome(&settled, e->hooks.me);
    kl_hook_leave(e);
}
