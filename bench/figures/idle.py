#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What producers cost that are connected and have nothing to do (idle_producers.c): how often the process wakes up, and its CPU time.

    idle.py [--build DIR] [--json] [--quick] [--rounds N]"""

import json
import subprocess
import sys

import world
from sheet import Sheet, arguments
from world import peers


def watch(options, producers, seconds):
    with world.sink(options, "--discard", "--topic", f"{world.TOPIC}:12") as one:
        done = subprocess.run([f"{options.build}/bin/figure_idle_producers", one.address, world.TOPIC, str(producers), str(seconds)],
                              stdout=subprocess.PIPE, text=True, check=True, preexec_fn=peers.on(world.CORES[0]))
    if one.stored["records"] != producers:
        raise world.Wrong(f"{producers} producers, and the sink has {one.stored['records']} records")
    return json.loads(done.stdout)


def main():
    options = arguments(__doc__)
    sheet = Sheet("idle", options.json)
    seconds = 5 if options.quick else 20
    for producers, wakes_at_most, cpu_at_most in ((1, 1, None), (100, None, 0.5)):
        seen = [watch(options, producers, seconds) for _ in range(options.rounds)]
        who = "one idle producer" if producers == 1 else f"{producers} idle producers on one loop"
        sheet.figure(f"{who}: times woken up in a second", [line["wakes"] / seconds for line in seen], "", at_most=wakes_at_most)
        sheet.figure(f"{who}: of a core", [line["cpu_us"] / seconds / 1e4 for line in seen], "%", at_most=cpu_at_most)
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
