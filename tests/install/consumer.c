/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that uses the installed library as a stranger would, with public headers and public
 * functions only: makes a Produce request by hand, its payload left where it is, and reads it back
 * as a broker would. Prints the version.
 */
#include <kloop/wire.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 9

static int complain(const char *what, const kloop_fault *fault)
{
    char text[256];
    kloop_fault_text(fault, text, sizeof text);
    fprintf(stderr, "%s: %s\n", what, text);
    return 1;
}

static int complain_plainly(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return 1;
}

static int read_batches(kloop_slice records)
{
    kloop_fault fault;
    const kloop_batch_header *batch;
    const kloop_batch_record *record;
    kloop_batch_reader *reader = kloop_batch_reader_new(NULL, 1 << 20);
    if (!reader)
        return complain_plainly("no memory for a reader");
    kloop_batch_reader_start(reader, records.data, records.len);
    int seen = 0;
    while (!kloop_batch_reader_next(reader, &batch, &fault) && batch) {
        while (!kloop_batch_reader_record(reader, &record, &fault) && record) {
            if (record->value.len != 5 || memcmp(record->value.data, "hello", 5) != 0)
                fault.status = KLOOP_BAD_RECORD;
            seen++;
        }
    }
    kloop_batch_reader_del(reader);
    return fault.status ? complain("batch", &fault)
           : seen == 2  ? 0
                        : complain_plainly("two records were sent");
}

/* What a broker does with the bytes. */
static int read_request(const uint8_t *bytes, size_t len)
{
    kloop_fault fault;
    kloop_slice frame;
    kloop_request_header header;
    kloop_produce_request request;
    size_t used;
    if (kloop_frame_next(bytes, len, 1 << 20, &frame, &used, &fault) || used != len)
        return complain("frame", &fault);
    int16_t header_version = kloop_request_header_version(KLOOP_PRODUCE, VERSION);
    if (kloop_decode_prefix(KLOOP_REQUEST_HEADER, KLOOP_REQUEST, header_version, frame.data,
                            frame.len, &used, &header, &fault))
        return complain("header", &fault);
    if (header.api_key != KLOOP_PRODUCE || header.correlation_id != 7)
        return complain_plainly("another header than was sent");
    if (kloop_decode(KLOOP_PRODUCE, KLOOP_REQUEST, header.api_version, frame.data + used,
                     frame.len - used, &request, &fault))
        return complain("request", &fault);
    kloop_produce_topic topic;
    for (kloop_iter t = kloop_iterate(&request.topic_data); kloop_next(&t, &topic);) {
        kloop_produce_partition partition;
        for (kloop_iter p = kloop_iterate(&topic.partition_data); kloop_next(&p, &partition);) {
            if (read_batches(partition.records.head))
                return 1;
        }
    }
    return 0;
}

static int make_batch(kloop_batch_writer *writer, kloop_slice *batch)
{
    kloop_fault fault;
    kloop_batch_header header;
    kloop_batch_record records[2];
    memset(records, 0, sizeof records);
    for (int i = 0; i < 2; i++) {
        records[i].offset = i;
        records[i].timestamp = 1700000000000 + i;
        records[i].value.data = (const uint8_t *)"hello";
        records[i].value.len = 5;
    }
    kloop_batch_header_fit(&header, records, 2);
    header.attributes = 4; /* zstd */
    kloop_batch_writer_start(writer, &header);
    for (int i = 0; i < 2; i++) {
        if (kloop_batch_writer_add(writer, &records[i], &fault))
            return complain("record", &fault);
    }
    return kloop_batch_writer_end(writer, batch, &fault) ? complain("batch", &fault) : 0;
}

static int send_request(kloop_slice batch)
{
    kloop_fault fault;
    kloop_produce_partition partition;
    memset(&partition, 0, sizeof partition);
    partition.index = 3;
    partition.records.body = &batch;
    partition.records.body_count = 1;
    kloop_produce_topic topic;
    memset(&topic, 0, sizeof topic);
    topic.name = kloop_text("events");
    topic.partition_data = kloop_array_of(&partition, 1);
    kloop_produce_request request;
    kloop_message_init(KLOOP_PRODUCE, KLOOP_REQUEST, &request);
    request.acks = -1;
    request.timeout_ms = 30000;
    request.topic_data = kloop_array_of(&topic, 1);

    kloop_size size;
    uint8_t own[256], wire[1024];
    kloop_slice slices[3];
    if (kloop_measure_request(KLOOP_PRODUCE, VERSION, kloop_text("consumer"), &request, &size,
                              &fault))
        return complain("measure", &fault);
    if (size.own > sizeof own || size.slices > 3 || size.total > sizeof wire)
        return complain_plainly("larger than thought");
    if (kloop_encode_request_slices(KLOOP_PRODUCE, VERSION, 7, kloop_text("consumer"), &request,
                                    own, sizeof own, slices, 3, &fault))
        return complain("encode", &fault);
    size_t at = 0;
    for (size_t i = 0; i < size.slices; i++) {
        memcpy(wire + at, slices[i].data, slices[i].len);
        at += slices[i].len;
    }
    return read_request(wire, at);
}

int main(void)
{
    kloop_slice batch;
    kloop_batch_writer *writer = kloop_batch_writer_new(NULL);
    if (!writer)
        return complain_plainly("no memory for a writer");
    int failed = make_batch(writer, &batch) || send_request(batch);
    kloop_batch_writer_del(writer);
    if (failed)
        return 1;
    /* The headers and the library come from the same build. */
    if (strcmp(kloop_version(), KLOOP_VERSION) != 0)
        return complain_plainly("the library is of another version than the headers");
    printf("%s\n", kloop_version());
    return 0;
}
