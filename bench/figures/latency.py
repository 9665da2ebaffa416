#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What one record waits and costs by itself: 1,000 records of 100 bytes a second, linger.ms=0, twelve partitions, `kloop sink`.

    latency.py [--build DIR] [--json] [--quick] [--rounds N] [--go GO]

All clients in turn. Beside them a program that does nothing but wake up a thousand times a second: what its wake-ups cost is in
everybody's CPU time, and no client can do anything about it."""

import statistics
import subprocess
import sys

import world
from sheet import Sheet, arguments, progress
from world import peers

RATE = 1000


def waking(options, records):
    """CPU time of a wake-up, in ns."""
    client = subprocess.run([f"{options.build}/bin/figure_waking", str(RATE), str(records)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, check=False, preexec_fn=peers.on(world.CORES[0]))
    return world.line_of(client, records)["cpu_ns_per_record"]


def main():
    options = arguments(__doc__)
    sheet = Sheet("latency", options.json)
    clients = world.programs(options, ["kloop", "librdkafka", "franz-go"])
    case = peers.Case("1,000/s", 100, RATE * (2 if options.quick else 8), 12, rate=RATE, linger=0)
    runs, woken = {name: [] for name in clients}, []
    for number in range(options.rounds):
        woken.append(waking(options, case.records))
        for name in world.in_turn(list(clients), number):
            runs[name].append(world.to_sink(options, clients[name](case), case))
        progress(f"latency: round {number + 1} of {options.rounds}")
    for name, lines in runs.items():
        for key, words, unit in (("p50_ms", "p50", "ms"), ("p99_ms", "p99", "ms"), ("cpu_ns_per_record", "CPU of a record", "ns")):
            sheet.figure(f"{name}: {words}", [line[key] for line in lines], unit)
    sheet.figure("waking up and nothing else: CPU of one time", woken, "ns")
    if "librdkafka" not in runs:
        sheet.note("librdkafka-dev is not here: nothing to compare with")
        return sheet.end()
    pairs = list(zip(runs["kloop"], runs["librdkafka"]))
    sheet.figure("p50, times that of librdkafka", [mine["p50_ms"] / theirs["p50_ms"] for mine, theirs in pairs], "x", at_most=1)
    sheet.figure("CPU of a record, times that of librdkafka",
                 [mine["cpu_ns_per_record"] / theirs["cpu_ns_per_record"] for mine, theirs in pairs], "x", at_most=0.5)
    nothing = statistics.median(woken)
    sheet.figure("the same without the waking up, which both have",
                 [(mine["cpu_ns_per_record"] - nothing) / (theirs["cpu_ns_per_record"] - nothing) for mine, theirs in pairs],
                 "x")
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
