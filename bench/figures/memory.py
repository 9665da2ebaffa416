#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What records and partitions cost in memory, and whether it comes back.

    memory.py [--build DIR] [--json] [--quick] [--only engine|outage]

engine: against canned answers, in virtual time (engine_memory.c). Counted is what the engine asks its allocator for, and beside it
what the system says, the C library's part included; where both are figures of records, the larger one is judged. outage: a producer
on real sockets, whose broker is stopped until 64 MB of records wait and then goes on; the process's memory a minute after all were
delivered against that before (outage.c)."""

import json
import subprocess
import sys

import world
from sheet import Sheet, arguments
from world import peers

RECORDS = 1_000_000
OUTAGE_BYTES, REST_S = 64 << 20, 60
MB = 1 << 20
TURN = {"queued": "a record in full batches", "parked": "a record whose topic is not known yet",
        "never used": "a partition never used", "once used": "a partition once used, at rest",
        "one each": "10,000 partitions with a record each, in all", "one more each": "a record alone in its partition"}


def engine(options, sheet):
    done = subprocess.run([f"{options.build}/bin/figure_engine_memory", str(RECORDS)], stdout=subprocess.PIPE, text=True,
                          check=True)
    said = {line["what"]: line for line in map(json.loads, done.stdout.splitlines())}
    line = said["queued"]
    words = TURN["queued"]
    sheet.figure(f"{words}: bytes asked for beside the payload", line["bytes_each"], "B", at_most=24)
    sheet.figure(f"{words}: resident beside the payload", line["rss_each"], "B", at_most=24)
    sheet.figure(f"{TURN['parked']}: bytes beside the payload", said["parked"]["bytes_each"], "B")
    sheet.figure(f"{TURN['never used']}", said["never used"]["bytes_each"], "B", at_most=32)
    sheet.figure(f"{TURN['once used']}", said["once used"]["bytes_each"], "B", at_most=256)
    sheet.figure(f"{TURN['one each']}: asked for", said["one each"]["bytes"] / MB, "MB", at_most=16)
    sheet.figure(f"{TURN['one each']}: resident", said["one each"]["rss"] / MB, "MB", at_most=16)
    sheet.figure(f"{TURN['one more each']}: bytes, payload and all", said["one more each"]["bytes_each"], "B")


def outage(options, sheet):
    rest = 15 if options.quick else REST_S
    with world.sink(options, "--discard", "--topic", f"{world.TOPIC}:12") as one:
        client = subprocess.run(
            [f"{options.build}/bin/figure_outage", one.address, world.TOPIC, str(one.process.pid), str(OUTAGE_BYTES), str(rest)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, preexec_fn=peers.on(world.CORES[0]))
    line = json.loads(client.stdout.splitlines()[-1]) if client.stdout else None
    if client.returncode or not line or line["ok"] != one.stored["records"]:
        raise world.Wrong(f"figure_outage ended with {client.returncode}: {client.stdout}{client.stderr}")
    sheet.figure("outage of 64 MB: resident before, idle", line["rss_idle"] / MB, "MB")
    sheet.figure("outage of 64 MB: resident with all that waits", line["rss_full"] / MB, "MB")
    sheet.figure(f"outage of 64 MB: resident {rest} s after", line["rss_after"] / MB, "MB")
    sheet.figure(f"outage of 64 MB: resident {rest} s after, of idle", line["rss_after"] / line["rss_idle"], "x", at_most=1.1)


def main():
    options = arguments(__doc__)
    sheet = Sheet("memory", options.json)
    if options.only in "engine":
        engine(options, sheet)
    if options.only in "outage":
        outage(options, sheet)
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
