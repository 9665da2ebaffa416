#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What many partitions cost: 50,000 records of 100 bytes a second, each to the next partition, linger.ms=5.

    partitions.py [--build DIR] [--json] [--quick] [--rounds N] [--only kafka|sink] [--go GO]

kafka: 1,000 partitions on a real Kafka of one node, whose topic is there and has been written to before. sink: 1,000 and 10,000
partitions on `kloop sink`. Peers beside it where their libraries are here; all clients in turn, CPU time of the whole process."""

import statistics
import sys

import world
from sheet import Sheet, arguments, progress
from world import peers

RATE = 50_000
CPU_NS_KAFKA, P50_MS, CPU_NS_SINK = 800, 7, 1500
WARM_RUNS_MAX = 6
# The broker as people run it: the tests' compiles less, to start soon.
JVM = ("-Xmx1g", "-XX:+UseG1GC", "-XX:-UsePerfData")
KEEPS_UP = 0.98


def a_case(partitions, seconds):
    return peers.Case(f"{partitions:,} partitions", 100, RATE * seconds, partitions, rate=RATE, linger=5, spread=True)


def tell(sheet, where, runs, cpu_at_most, p50_at_most):
    for name, lines in runs.items():
        ours = name == "kloop"
        sheet.figure(f"{where}, {name}: CPU of a record", [line["cpu_ns_per_record"] for line in lines], "ns",
                     at_most=cpu_at_most if ours else None)
        sheet.figure(f"{where}, {name}: p50", [line["p50_ms"] for line in lines], "ms",
                     at_most=p50_at_most if ours else None)
        sheet.figure(f"{where}, {name}: p99", [line["p99_ms"] for line in lines], "ms")
    for name, lines in runs.items():
        behind = [line["rec_per_s"] for line in lines]
        if statistics.median(behind) < KEEPS_UP * RATE:
            sheet.note(f"{where}: {name} did not keep up: {statistics.median(behind):,.0f} records a second")


def on_kafka(options, sheet, clients):
    case = a_case(1000, 2 if options.quick else 5)
    with world.real_kafka(options, jvm=JVM) as cluster:
        if not cluster:
            sheet.note("no Java or no Maven here: a real Kafka was not measured")
            return
        cluster.create(world.TOPIC, case.partitions)
        runs = {name: [] for name in clients}
        # The first records make a thousand files, and the broker's code is cold: until it keeps up.
        for _ in range(WARM_RUNS_MAX):
            line = world.send(clients["kloop"](case), cluster.bootstrap, case)
            if line["rec_per_s"] >= KEEPS_UP * RATE and line["p50_ms"] <= P50_MS:
                break
        else:
            sheet.note("the broker was still slow after all warming up")
        broker = cluster.nodes[0].process.pid
        for number in range(options.rounds):
            for name in world.in_turn(list(clients), number):
                before = world.cpu_seconds(broker)
                line = world.send(clients[name](case), cluster.bootstrap, case)
                busy = world.cpu_seconds(broker) - before
                runs[name].append({**line, "broker_ns": busy * 1e9 / case.records})
            progress(f"partitions, kafka: round {number + 1} of {options.rounds}")
    where = "1,000 partitions, Kafka 4.3.1"
    tell(sheet, where, runs, CPU_NS_KAFKA, P50_MS)
    for name, lines in runs.items():
        sheet.figure(f"{where}: the broker's CPU of a record of {name}", [line["broker_ns"] for line in lines], "ns")


def on_sink(options, sheet, clients, partitions, cpu_at_most):
    case = a_case(partitions, 2 if options.quick else 4)
    runs = {name: [] for name in clients}
    for number in range(options.rounds):
        for name in world.in_turn(list(clients), number):
            # Of the peers one run tells enough: they are far away.
            if name == "kloop" or number == 0:
                runs[name].append(world.to_sink(options, clients[name](case), case))
        progress(f"partitions, sink, {partitions:,}: round {number + 1} of {options.rounds}")
    tell(sheet, f"{partitions:,} partitions, sink", runs, cpu_at_most, None)


def main():
    options = arguments(__doc__)
    sheet = Sheet("partitions", options.json)
    clients = world.programs(options, ["kloop", "librdkafka", "franz-go"])
    if options.only in "kafka":
        on_kafka(options, sheet, clients)
    if options.only in "sink":
        on_sink(options, sheet, clients, 1000, None)
        on_sink(options, sheet, clients, 10_000, CPU_NS_SINK)
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
