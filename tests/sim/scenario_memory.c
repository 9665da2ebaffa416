/* SPDX-License-Identifier: BSD-2-Clause */
/* Stories of memory that is scarce: of buffer.memory, of receive.memory, and of the machine. */
#include "tests/sim/scenario.h"
#include "tests/sim/sim_rest.h"

/* ---- Full ---- */

/* Who does not wait for WRITABLE is refused, again and again, and that is all that happens. */
SIM_SCENARIO(never_waits_for_writable)
{
    sim_topic(s, "t", 4, 1);
    sim_set(s, "max.request.size", "20000");
    sim_set(s, "buffer.memory", "131072");
    s->plan.answer_delay_ns = 3 * KL_MS;
    sim_start(s);
    sim_send(s, 0, 10);
    sim_drain(s, KL_SECOND);
    for (int i = 0; i < 300; i++) {
        sim_send_sized(s, 0, 40, 3000);
        sim_go(s, i % 3 ? 100 * KL_US : 2 * KL_MS);
    }
    sim_expect(s, s->ledger.refused_full > 1000, "the buffer is full most of the time");
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, !s->host.writable_owed, "and WRITABLE has come");
}

/* Two of them do not fit side by side. */
SIM_SCENARIO(huge_records_small_buffer)
{
    sim_topic(s, "t", 3, 1);
    sim_set(s, "max.request.size", "300000");
    sim_set(s, "buffer.memory", "400000");
    s->plan.record_bytes_max = 250000;
    sim_start(s);
    uint32_t sent = 0;
    for (int i = 0; i < 400 && sent < 30; i++) {
        if (!s->host.writable_owed) {
            sim_send_sized(s, 0, 1, 250000);
            sent++;
        }
        sim_go(s, 5 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect(s, sent == 30, "there is room again and again");
    sim_expect(s, s->ledger.accepted >= 10, "one after the other gets in");
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* A record each is more than there is room for: they take turns. */
SIM_SCENARIO(small_buffer_many_partitions)
{
    sim_topic(s, "t", 1000, 1);
    sim_set(s, "max.request.size", "10000");
    sim_set(s, "buffer.memory", "65536");
    sim_set(s, "linger.ms", "100");
    sim_start(s);
    sim_send(s, 0, 1);
    sim_drain(s, KL_SECOND);
    int32_t p = 0;
    for (int i = 0; i < 3000 && p < 1000; i++) {
        uint32_t accepted = s->ledger.accepted;
        if (!s->host.writable_owed)
            sim_send_to(s, 0, p, 1);
        if (s->ledger.accepted > accepted)
            p++;
        else
            sim_go(s, 2 * KL_MS);
    }
    sim_drain(s, 2 * KL_SECOND);
    sim_expect(s, p == 1000, "each has had its turn");
    sim_expect(s, s->ledger.refused_full > 0, "the buffer was full");
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* Answers of 60 kB on five connections, and room for one of them. */
SIM_SCENARIO(small_receive_memory)
{
    sim_cluster(s, 5);
    sim_topic(s, "t", 1000, 1);
    sim_set(s, "receive.message.max.bytes", "100000");
    sim_set(s, "receive.memory", "100000");
    sim_set(s, "metadata.max.age.ms", "100");
    s->host.read_max = 700;
    sim_start(s);
    for (int i = 0; i < 50; i++) {
        for (int32_t p = 0; p < 1000; p += 25)
            sim_send_to(s, 0, (p + i) % 1000, 1);
        sim_go(s, 50 * KL_MS);
    }
    sim_drain(s, 5 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
    sim_expect(s, s->book.metadata_requests > 3, "it was asked for again and again");
}

/* ---- And given back ---- */

static void burst_in_an_outage(sim *s, uint32_t n, size_t bytes)
{
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_kill(s, node);
    for (uint32_t i = 0; i < n && !s->host.writable_owed; i++)
        sim_send_sized(s, 0, 1, bytes);
    sim_go(s, 2 * KL_SECOND);
    for (int32_t node = 1; node <= 3; node++)
        sim_brokers_revive(s, node);
    sim_drain(s, 20 * KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* After an outage that has filled it all, the engine is as small as it was. */
SIM_SCENARIO(burst_is_forgotten)
{
    sim_topic(s, "t", 12, 1);
    sim_set(s, "buffer.memory", "67108864");
    sim_set(s, "batch.size", "1000000");
    sim_set(s, "delivery.timeout.ms", "60000");
    s->plan.record_bytes_max = 200000;
    sim_start(s);
    for (int32_t p = 0; p < 12; p++)
        sim_send_to(s, 0, p, 10);
    sim_drain(s, KL_SECOND);
    sim_rest_for(s, 20 * KL_SECOND, 40);
    uint64_t idle = s->memory.bytes;
    burst_in_an_outage(s, 10000, 200000);
    sim_expect(s, s->memory.bytes_max > 60000000, "it was full");
    sim_rest_for(s, 60 * KL_SECOND, 100);
    sim_expect(s, s->memory.bytes <= idle + SIM_REST_KEEP_BYTES + 65536,
               "a minute later it has what it had, and one spare megabyte at most");
}

/* A little all the time does not keep what a burst has left behind. */
SIM_SCENARIO(burst_is_forgotten_under_load)
{
    sim_topic(s, "t", 12, 1);
    sim_set(s, "buffer.memory", "67108864");
    sim_set(s, "batch.size", "1000000");
    sim_set(s, "delivery.timeout.ms", "60000");
    s->plan.record_bytes_max = 200000;
    sim_start(s);
    for (int32_t p = 0; p < 12; p++)
        sim_send_to(s, 0, p, 10);
    sim_drain(s, KL_SECOND);
    burst_in_an_outage(s, 10000, 200000);
    for (int i = 0; i < 600; i++) {
        sim_send(s, 0, 5);
        sim_go(s, 100 * KL_MS);
    }
    sim_expect(s, s->memory.bytes < 4 * SIM_REST_KEEP_BYTES, "a minute later that is forgotten");
    sim_drain(s, KL_SECOND);
    sim_expect_all(s, SIM_RECORD_ACKED);
}

/* ---- No memory ---- */

static void starve(sim *s, uint32_t per_million, int rounds)
{
    s->faults.rate[SIM_FAULT_NO_MEMORY] = per_million;
    s->faults.on = true;
    for (int i = 0; i < rounds; i++) {
        sim_send(s, 0, 30);
        sim_go(s, 20 * KL_MS);
    }
    sim_faults_end(s);
    sim_drain(s, 11 * KL_SECOND);
    sim_send(s, 0, 10);
    sim_drain(s, 3 * KL_SECOND);
    sim_expect(s, sim_ledger_record(s, s->ledger.count)->state == SIM_RECORD_ACKED,
               "it works when there is memory again");
}

static void starve_codec(sim *s, const char *codec)
{
    s->plan.starved = true;
    sim_topic(s, "t", 4, 1);
    sim_set(s, "compression.type", codec);
    sim_start(s);
    starve(s, 60000, 60);
}

/* The codec's state is the largest piece that is ever asked for. */
SIM_SCENARIO(no_memory_for_gzip)
{
    starve_codec(s, "gzip");
}

SIM_SCENARIO(no_memory_for_lz4)
{
    starve_codec(s, "lz4");
}

SIM_SCENARIO(no_memory_for_zstd)
{
    starve_codec(s, "zstd");
}

/* What grows with the number of partitions: tables, trees, lists. */
SIM_SCENARIO(no_memory_for_partitions)
{
    s->plan.starved = true;
    sim_topic(s, "t", 10, 1);
    sim_start(s);
    sim_send(s, 0, 5);
    sim_drain(s, 11 * KL_SECOND);
    for (int32_t n = 50; n <= 800; n *= 2) {
        sim_brokers_grow(s, 0, n);
        starve(s, 100000, 20);
    }
}
