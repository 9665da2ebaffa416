/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame reader: however a stream is cut into chunks, the same frames and the same fault come
 * out as a naive splitter finds in the whole, and no more is held than twice what came and a
 * little, nor than four times what no frame has taken yet.
 *
 * Input: largest frame allowed (2 bytes), which allocation fails (7 bits), whether the stream comes
 * many times over (1 bit), cuts, then the stream.
 */
#include "fuzz/counted_memory.h"
#include "fuzz/drawn.h"
#include "fuzz/fuzz.h"
#include "protocol/frame.h"

#include <kloop/wire.h>

#include <stdlib.h>
#include <string.h>

#define CHUNKS_MAX 64
#define STREAM_MAX 16384
#define LONG_BYTES 20000

/* What must come out, one after the other. */
typedef struct splitter {
    kloop_slice stream;
    size_t at;
    size_t frame_max;
    size_t unread_max; /* the most that ever lay in the reader */
    size_t step_max;   /* what comes at once at most */
} splitter;

typedef enum next { NEXT_FRAME, NEXT_MORE, NEXT_FAULT } next;

/* Looks at the first len bytes of the stream. The length's four bytes are read the slow way. */
static next naive_next(splitter *s, size_t len, kloop_slice *frame, int64_t *length)
{
    if (len - s->at < 4)
        return NEXT_MORE;
    *length = 0;
    for (size_t i = 0; i < 4; i++)
        *length = *length * 256 + s->stream.data[s->at + i];
    if (*length >= INT64_C(1) << 31)
        *length -= INT64_C(1) << 32;
    if (*length < 0 || *length > (int64_t)s->frame_max)
        return NEXT_FAULT;
    if (len - s->at - 4 < (size_t)*length)
        return NEXT_MORE;
    *frame = (kloop_slice){s->stream.data + s->at + 4, (size_t)*length};
    s->at += 4 + (size_t)*length;
    return NEXT_FRAME;
}

/* Takes all frames out of the first len bytes. false: a fault ended the stream. */
static bool take_frames(kl_frame_reader *r, splitter *s, size_t len)
{
    for (;;) {
        kloop_slice wanted;
        kloop_slice frame;
        int64_t length;
        kloop_fault fault = {.status = KLOOP_OK};
        size_t at = s->at;
        next what = naive_next(s, len, &wanted, &length);
        kloop_status status = kl_frame_next(r, &frame, &fault);
        if (what == NEXT_FAULT) {
            KL_FUZZ_CHECK(status == (length < 0 ? KLOOP_BAD_LENGTH : KLOOP_FRAME_TOO_LARGE));
            KL_FUZZ_CHECK(fault.at == at && fault.a == length && !frame.data);
            KL_FUZZ_FAULT(&fault, len);
            /* It stays so. */
            KL_FUZZ_CHECK(kl_frame_next(r, &frame, NULL) == status);
            return false;
        }
        KL_FUZZ_CHECK(status == KLOOP_OK);
        KL_FUZZ_CHECK((frame.data != NULL) == (what == NEXT_FRAME));
        if (what == NEXT_MORE)
            return true;
        KL_FUZZ_CHECK(frame.len == wanted.len);
        KL_FUZZ_CHECK(frame.len == 0 || memcmp(frame.data, wanted.data, frame.len) == 0);
    }
}

/* Feeds one chunk, which may take several spaces, taking frames out on the way. */
static bool receive(kl_frame_reader *r, splitter *s, kloop_slice chunk, size_t *received,
                    kl_counted_memory *memory)
{
    while (chunk.len > 0) {
        size_t room = 0;
        size_t refused = memory->refused;
        uint8_t *to = kl_frame_space(r, &room);
        if (!to) {
            /* What came is still there, and a later attempt goes well. */
            KL_FUZZ_CHECK(memory->refused > refused);
            if (!take_frames(r, s, *received))
                return false;
            to = kl_frame_space(r, &room);
        }
        KL_FUZZ_CHECK(to && room > 0);
        size_t step = chunk.len < room ? chunk.len : room;
        if (step > s->step_max)
            step = s->step_max;
        memcpy(to, chunk.data, step);
        kl_frame_received(r, step);
        *received += step;
        chunk.data += step;
        chunk.len -= step;
        size_t unread = r->buf.len - r->start;
        if (unread > s->unread_max)
            s->unread_max = unread;
        KL_FUZZ_CHECK(memory->peak_bytes <= 2 * *received + 4096);
        KL_FUZZ_CHECK(memory->peak_bytes <= 4 * s->unread_max + 8192);
        if (!take_frames(r, s, *received))
            return false;
    }
    return true;
}

static void run(const kloop_slice *chunks, size_t count, splitter s, size_t nth)
{
    kl_counted_memory memory;
    kl_counted_memory_init(&memory, nth);
    kloop_allocator alloc = kl_counted_memory_table(&memory);
    kl_frame_reader r;
    kl_frame_reader_init(&r, s.frame_max, &alloc);
    size_t received = 0;
    for (size_t i = 0; i < count; i++) {
        if (!receive(&r, &s, chunks[i], &received, &memory))
            break;
    }
    kl_frame_reader_deinit(&r);
    kl_counted_memory_end(&memory);
}

/* The public splitter, which keeps nothing: at each place it must tell how many bytes the frame
 * takes. */
static void run_public(kloop_slice stream, size_t frame_max)
{
    splitter s = {stream, 0, frame_max, 0, 0};
    for (;;) {
        kloop_slice wanted;
        kloop_slice frame;
        int64_t length = 0;
        size_t used = 0;
        size_t at = s.at;
        kloop_fault fault;
        next what = naive_next(&s, stream.len, &wanted, &length);
        kloop_status status =
            kloop_frame_next(stream.data + at, stream.len - at, frame_max, &frame, &used, &fault);
        KL_FUZZ_CHECK((status != KLOOP_OK) == (what == NEXT_FAULT));
        if (what == NEXT_FAULT) {
            KL_FUZZ_FAULT(&fault, stream.len - at);
            return;
        }
        if (what == NEXT_MORE) {
            KL_FUZZ_CHECK(!frame.data && used > stream.len - at);
            KL_FUZZ_CHECK(used == (stream.len - at < 4 ? 4 : 4 + (size_t)length));
            return;
        }
        KL_FUZZ_CHECK(frame.data == wanted.data && frame.len == wanted.len && used == s.at - at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kl_drawn d = kl_drawn_from(data, size);
    kloop_slice chunks[CHUNKS_MAX];
    size_t frame_max = kl_drawn_u16(&d);
    /* Also limits that only a length field of its own can reach. */
    if (frame_max >= 0xff00)
        frame_max = (size_t)INT32_MAX - (frame_max & 0xff);
    uint8_t how = kl_drawn_u8(&d);
    kl_drawn cuts = kl_drawn_from(d.pos, kl_drawn_left(&d) < CHUNKS_MAX + 1 ? kl_drawn_left(&d)
                                                                            : CHUNKS_MAX + 1);
    uint8_t wanted = kl_drawn_left(&cuts) ? *cuts.pos : 0;
    kl_drawn_bytes(&d, 1 + wanted % CHUNKS_MAX);
    kloop_slice once = kl_drawn_bytes(&d, STREAM_MAX);
    size_t times = how & 0x80 && once.len > 0 && once.len < 1000 ? LONG_BYTES / once.len : 1;
    uint8_t *bytes = kl_fuzz_exact_room(times * once.len);
    for (size_t i = 0; i < times && once.len > 0; i++)
        memcpy(bytes + i * once.len, once.data, once.len);
    kloop_slice stream = {bytes, times * once.len};
    size_t count = kl_drawn_cuts(&cuts, stream, chunks, CHUNKS_MAX);

    /* In a long stream memory shows only if little comes at once. */
    splitter s = {stream, 0, frame_max, 0, times == 1 ? STREAM_MAX : 200};
    if (times == 1)
        run(&stream, 1, s, 0);
    run(chunks, count, s, how & 0x7f);
    run_public(stream, frame_max);
    free(bytes);
    return 0;
}
