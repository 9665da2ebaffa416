/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/some_snapshot.h"

#include <string.h>

static kloop_string text(const char *s)
{
    return (kloop_string){s, strlen(s)};
}

void kl_some_snapshot_make(kl_some_snapshot *s)
{
    memset(s, 0, sizeof *s);
    for (uint64_t v = 1; v <= 100; v++) {
        kloop_histogram_add(&s->age_us, v * 1000, 10);
        kloop_histogram_add(&s->batch_bytes, v * 100, 1);
        kloop_histogram_add(&s->batch_records, v, 1);
        kloop_histogram_add(&s->rtt_us, v * 100, 1);
        kloop_histogram_add(&s->wait_us, v * 50, 1);
        kloop_histogram_add(&s->write_us, v, 1);
    }
    kloop_histogram_add(&s->throttle_us, 250000, 2);
    s->brokers[0] = (kloop_broker_stats){.id = -1,
                                         .port = 9092,
                                         .host = text("boot.example"),
                                         .trouble = text(""),
                                         .connects = 1,
                                         .requests = 2,
                                         .answers = 2};
    s->brokers[1] = (kloop_broker_stats){.id = 1,
                                         .port = 9093,
                                         .state = KLOOP_BROKER_READY,
                                         .host = text("b1.example"),
                                         .trouble = text("said \"no\"\n\tand \\ \xff went"),
                                         .state_ns = 5000000000,
                                         .in_flight = 2,
                                         .unwritten = 1,
                                         .requests = 104,
                                         .answers = 102,
                                         .bytes_out = 70000,
                                         .bytes_in = 3000,
                                         .connects = 2,
                                         .failures = 1,
                                         .disconnects = 1,
                                         .timeouts = 1,
                                         .batches = 110,
                                         .retries = 7,
                                         .throttles = 2,
                                         .rtt_us = &s->rtt_us,
                                         .write_us = &s->write_us,
                                         .wait_us = &s->wait_us,
                                         .throttle_us = &s->throttle_us};
    s->brokers[2] = (kloop_broker_stats){.id = 2,
                                         .port = 9094,
                                         .state = KLOOP_BROKER_BACKOFF,
                                         .host = text("::1"),
                                         .trouble = text("away"),
                                         .retry_ns = 1000000};
    s->topics[0] = (kloop_topic_stats){.name = text("events"),
                                       .partition_count = 3,
                                       .led = 2,
                                       .acked = 900,
                                       .failed = 20,
                                       .unknown = 3,
                                       .acked_bytes = 50000,
                                       .sent = 950,
                                       .sent_batches = 95,
                                       .sent_bytes = 60000,
                                       .batches_waiting = 2,
                                       .first_row = 0,
                                       .row_count = 3};
    s->topics[1] =
        (kloop_topic_stats){.name = text("unknown"), .parked = 40, .first_row = 3, .error = 3};
    s->topics[2] = (kloop_topic_stats){.name = text("logs"),
                                       .partition_count = 2,
                                       .led = 2,
                                       .acked = 100,
                                       .sent = 100,
                                       .sent_batches = 5,
                                       .sent_bytes = 6000,
                                       .first_row = 3,
                                       .row_count = 2};
    for (int32_t i = 0; i < 5; i++)
        s->partitions[i] = (kloop_partition_stats){.index = i < 3 ? i : i - 3,
                                                   .leader = i == 2 ? -1 : 1,
                                                   .leader_epoch = 4,
                                                   .producer_id = 4000,
                                                   .acked = i == 4 ? 0 : 300,
                                                   .acked_bytes = i == 4 ? 0 : 9000};
    s->partitions[2].waiting = KLOOP_WAITING_LEADER;
    s->partitions[2].queued = 12;
    s->partitions[2].queued_bytes = 1200;
    s->partitions[0].in_flight = 5;
    s->is = (kloop_snapshot){.whole = true,
                             .parts = KLOOP_SNAPSHOT_ALL,
                             .taken_ms = 1700000000123,
                             .taken_ns = 99000001000,
                             .age_ns = 60000000000,
                             .client_id = text("a \"b\"\\\n\xc3\xa4"),
                             .cluster_id = text("cluster"),
                             .fatal = text(""),
                             .memory_bytes = 67108864,
                             .metadata_age_ns = 1500000000,
                             .idempotent = true,
                             .producer_id = 4000,
                             .epoch = 2,
                             .answers = 104,
                             .produce_requests = 100,
                             .sent = 1050,
                             .sent_batches = 100,
                             .sent_bytes = 66000,
                             .sent_plain_bytes = 132000,
                             .age_us = &s->age_us,
                             .batch_bytes = &s->batch_bytes,
                             .batch_records = &s->batch_records,
                             .brokers = s->brokers,
                             .broker_count = 3,
                             .topics = s->topics,
                             .topic_count = 3,
                             .partitions = s->partitions,
                             .partition_count = 5};
    s->is.totals = (kloop_stats){.accepted = 1100,
                                 .acked = 1000,
                                 .failed = 20,
                                 .unknown = 3,
                                 .pending = 77,
                                 .refused_full = 4,
                                 .batches = 101,
                                 .requests = 106,
                                 .retries = 7,
                                 .bytes_out = 70100,
                                 .bytes_in = 3100,
                                 .connects = 3,
                                 .disconnects = 1,
                                 .epoch_bumps = 2,
                                 .held_bytes = 8192,
                                 .receive_bytes = 2048,
                                 .ever_ready = true};
}
