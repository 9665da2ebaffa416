/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small fuzzer: a producer whose own requests, and the answers to them, are altered
 * on the way. What does the broker make of it, and the producer of the broker?
 *
 *     alter_frames localhost:9092 events 10000 42
 *
 * One frame in ten has some bits flipped in a copy, which then goes on in its place. The seed makes
 * the same choices again. Whatever comes of it, each record is reported once: that is what the
 * program looks at. With --trace as the last argument each decision of the producer is printed.
 */
#define _POSIX_C_SOURCE 200809L /* what uv.h is made of */
#include <kloop/hooks.h>
#include <kloop/kloop.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define ONE_IN    10
#define BITS_MAX  8
#define FRAME_MAX (64 << 10)

typedef struct fuzzer {
    kloop_topic *topic;
    unsigned long long records;
    unsigned long long sent;
    unsigned long long outcomes[3];
    unsigned long long frames;
    unsigned long long altered;
    unsigned long long reported_twice;
    unsigned char *reported; /* how often, by record */
    uint32_t state;
    uint8_t copy[FRAME_MAX];
} fuzzer;

/* xorshift32 */
static uint32_t below(fuzzer *f, uint32_t n)
{
    f->state ^= f->state << 13;
    f->state ^= f->state >> 17;
    f->state ^= f->state << 5;
    return f->state % n;
}

static bool on_frame(const kloop_frame *frame, kloop_slice *instead, void *me)
{
    fuzzer *f = me;
    f->frames++;
    if (below(f, ONE_IN) > 0 || frame->len > sizeof f->copy)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(f->copy + len, frame->slices[i].data, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    for (uint32_t n = 1 + below(f, BITS_MAX); n > 0; n--)
        f->copy[below(f, (uint32_t)len)] ^= (uint8_t)(1u << below(f, 8));
    f->altered++;
    /* The producer copies it before it calls us again. */
    *instead = (kloop_slice){f->copy, len};
    return true;
}

static void on_outcome(const kloop_settled *settled, void *me)
{
    fuzzer *f = me;
    const kloop_report *run = settled->run;
    f->outcomes[run->outcome] += run->count;
    for (size_t i = 0; i < run->count; i++)
        f->reported_twice += f->reported[(uintptr_t)run->users[i]]++ > 0;
}

static void on_decision(const kloop_trace *trace, void *me)
{
    char text[300];
    (void)me;
    kloop_trace_text(trace, text, sizeof text);
    printf("%llu.%06llu %s\n", (unsigned long long)(trace->mono_ns / 1000000000),
           (unsigned long long)(trace->mono_ns / 1000 % 1000000), text);
}

/* At first, and whenever there is room again. */
static void go_on(kloop_producer *p, void *me)
{
    fuzzer *f = me;
    for (; f->sent < f->records; f->sent++) {
        const kloop_record record = {
            .value = {(const uint8_t *)"something to be altered", 23},
            .user = (void *)(uintptr_t)f->sent,
        };
        kloop_status status = kloop_send(f->topic, &record);
        if (status == KLOOP_FULL)
            return; /* the loop calls us again */
        if (status)
            break; /* a broker's altered answer may have been the end of this producer */
    }
    kloop_close(p, 10000, NULL, NULL);
}

int main(int argc, char **argv)
{
    static fuzzer f;
    uv_loop_t loop;
    kloop_producer *p;
    kloop_error error;
    bool traces = argc == 6 && strcmp(argv[5], "--trace") == 0;
    if (argc == 5 || traces) {
        f.records = strtoull(argv[3], NULL, 10);
        f.state = (uint32_t)strtoul(argv[4], NULL, 10) * 2 + 1;
    }
    if (f.records == 0 || f.records > 10000000) {
        fprintf(stderr, "usage: %s HOST:PORT TOPIC RECORDS SEED [--trace]\n", argv[0]);
        return 2;
    }
    f.reported = calloc(f.records, 1);
    kloop_config *config = kloop_config_new(NULL);
    if (uv_loop_init(&loop) || !config || !f.reported) {
        fprintf(stderr, "there is no loop, or no memory\n");
        return 1;
    }
    /* Small batches, so that there are many frames; short times, for answers that never come. */
    static const char *const keys[][2] = {
        {"linger.ms", "0"},
        {"batch.size", "500"},
        {"request.timeout.ms", "500"},
        {"delivery.timeout.ms", "5000"},
        {"max.block.ms", "5000"},
        {"socket.connection.setup.timeout.ms", "500"},
    };
    kloop_config_set(config, "bootstrap.servers", argv[1]);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        kloop_config_set(config, keys[i][0], keys[i][1]);
    kloop_status status = kloop_open(&p, &loop, config, &error);
    kloop_config_del(config);
    if (status == KLOOP_OK) {
        kloop_set_hooks(p, &(kloop_hooks){.on_outcome = on_outcome,
                                          .on_frame = on_frame,
                                          .on_decision = traces ? on_decision : NULL,
                                          .me = &f});
        kloop_on_writable(p, go_on, &f);
        status = kloop_topic_get(p, argv[2], &f.topic, &error);
        if (status == KLOOP_OK)
            go_on(p, &f);
        else
            kloop_close(p, 0, NULL, NULL);
    }
    if (status)
        fprintf(stderr, "%s\n", error.text);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(f.reported);
    unsigned long long reported = f.outcomes[0] + f.outcomes[1] + f.outcomes[2];
    printf(
        "%llu of %llu frames altered; %llu records sent: %llu acked, %llu failed, %llu unknown\n",
        f.altered, f.frames, f.sent, f.outcomes[0], f.outcomes[1], f.outcomes[2]);
    return status || f.reported_twice || reported != f.sent;
}
