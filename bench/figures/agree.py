#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do `kloop perf` and kafka-producer-perf-test tell the same of the same work? Both send so many records at a fixed rate to a
`kloop sink` that answers after 200 ms, with the same flags and a warm-up; what each prints as its steady state is
compared: how many records, at what rate, how old on average.

    agree.py [--build DIR] [--json] [--quick] [--rounds N] [--only "10/s"] [--go GO]

Kafka's tool is that of 4.3.1, through Maven; where there is no Java or Maven, nothing is compared and that is said. Each pair of runs
is a round, who begins alternates, each run has a sink of its own; --quick is one round, since shorter runs are mostly beginning and end.
On a machine that has other work to do a JVM with its threads waits for a core before others do, and its records are older."""

import os
import re
import subprocess
import sys

import world
from sheet import Sheet, arguments, progress

STEADY = re.compile(r"(\d+) steady state records sent, ([\d.]+) records/sec \([\d.]+ MB/sec\), ([\d.]+) ms avg latency, "
                    r"[\d.]+ ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.")
DELAY_MS = 200
# Name, records a second, partitions, settings, and whether the ages must agree. They must where nothing but the tools
# decides: two or three requests are on the way in a round trip, and each batch has room for all that waits. In the last case both
# producers wait for one of their five requests all the time. How far apart these five leave, and so what a record waits, then hangs on
# whether 16,384 bytes were together before (batch.size of Java) and on each pause of the machine: it goes from 235 to 285 ms from
# one run to the next, for either producer.
ROOM = ("linger.ms=100", "batch.size=262144")
CASES = (("10/s, 1 partition", 10, 1, (), True), ("1000/s, 1 partition, linger 100 ms", 1000, 1, ROOM, True),
         ("2000/s, 6 partitions, linger 100 ms", 2000, 6, ROOM, True), ("1000/s, 6 partitions", 1000, 6, (), False))
RECORD_BYTES = 100
SECONDS, WARMUP_SECONDS = 20, 5


def kafka_classes(options):
    """The class path, or None with the reason said."""
    from libraries import Broken, Missing, fetch_jars  # pylint: disable=import-outside-toplevel
    live = os.path.join(options.build, "live")
    os.makedirs(live, exist_ok=True)
    try:
        return os.path.join(fetch_jars(live), "*")
    except (Missing, Broken) as why:
        progress(f"agree: kafka-producer-perf-test is left out: {why}")
        return None


def steady_state(options, command, case):
    """What one tool printed: records, rate, average age in ms."""
    _, rate, partitions, settings, _ = case
    with world.sink(options, "--topic", f"t:{partitions}", "--delay-ms", str(DELAY_MS)) as sink:
        done = subprocess.run(
            [*command, "--bootstrap-server", sink.address, "--topic", "t", "--record-size", str(RECORD_BYTES), "--throughput", str(rate),
             "--num-records", str(rate * (SECONDS + WARMUP_SECONDS)), "--warmup-records", str(rate * WARMUP_SECONDS),
             *(("--command-property", *settings) if settings else ())],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300)
    found = [match for match in map(STEADY.fullmatch, done.stdout.splitlines()) if match]
    if done.returncode or len(found) != 1 or sink.stored["records"] != rate * (SECONDS + WARMUP_SECONDS):
        raise world.Wrong(f"{command[0]} ended with {done.returncode}; the sink stored {sink.stored['records']}:\n"
                          f"{done.stdout[-2000:]}")
    return int(found[0][1]), float(found[0][2]), float(found[0][3])


def main():
    options = arguments(__doc__)
    sheet = Sheet("agree", options.json)
    classes = kafka_classes(options)
    if not classes:
        sheet.note("kafka-producer-perf-test is not here: nothing was compared")
        return 1 if os.environ.get("CI") == "true" else 0
    tools = {"kloop": [options.kloop, "perf"],
             "kafka": ["java", "-cp", classes, "org.apache.kafka.tools.ProducerPerformance"]}
    for case in CASES:
        name, judged = case[0], case[-1]
        if options.only not in name:
            continue
        seen = {tool: [] for tool in tools}
        for number in range(options.rounds):
            for tool in world.in_turn(list(tools), number):
                seen[tool].append(steady_state(options, tools[tool], case))
            progress(f"agree: {name}: round {number + 1} of {options.rounds}")
        for tool, runs in seen.items():
            sheet.figure(f"{name}, {tool}: records a second", [run[1] for run in runs], "")
            sheet.figure(f"{name}, {tool}: average age", [run[2] for run in runs], "ms")
        for index, what, limit in ((0, "records", 0.01), (1, "records a second", 0.01), (2, "average age", 0.03)):
            targets = {} if index == 2 and not judged else {"at_least": 1 - limit, "at_most": 1 + limit}
            sheet.figure(f"{name}: {what}, of Kafka's tool's",
                         [mine[index] / theirs[index] for mine, theirs in zip(seen["kloop"], seen["kafka"])], "x", **targets)
    sheet.note("where the window is full all the time, what a record waits is the producer's doing, not the tool's: no target")
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
