#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The longest turn of the loop, of what kloop does in it, callbacks included, sends not: `kloop perf --json --cpu-hold` at full
speed, with each codec, with many partitions, with late answers, after a login that costs a million iterations.

    hold.py [--build DIR] [--json] [--quick] [--rounds N] [--only zstd]

Judged is CPU time (cli/turn_clock.h): the wall's clock, which loop_hold_max_ms is told by, also sees whatever else the machine does
in the middle of a turn. Both are told; where nothing else runs they are the same."""

import json
import os
import random
import subprocess
import sys

import world
from sheet import Sheet, arguments, progress
from world import peers

HOLD_MS = 2
LOGIN_S = 4  # for both sides to derive their keys
WORDS, LINES = 1000, 20_000
# name, properties, partitions, delay ms, more words of `kloop perf`
FULL = ("--throughput", "-1")
CASES = [("100 B, no codec", (), 12, 0, ("--record-size", "100", *FULL)),
         ("1 KB, no codec", (), 12, 0, ("--record-size", "1024", *FULL)),
         ("1 KB, answers after 10 ms", (), 6, 10, ("--record-size", "1024", *FULL))]
CASES += [(f"words, zstd {level}", ("compression.type=zstd", f"compression.zstd.level={level}"), 12, 0, FULL)
          for level in range(1, 10)]
CASES += [("words, lz4", ("compression.type=lz4",), 12, 0, FULL),
          ("words, gzip 6", ("compression.type=gzip", "compression.gzip.level=6"), 12, 0, FULL),
          ("words, snappy", ("compression.type=snappy",), 12, 0, FULL),
          ("letters, zstd 9", ("compression.type=zstd", "compression.zstd.level=9"), 12, 0, ("--record-size", "100", *FULL))]
CASES += [(f"100 B, {count:,} partitions in turn, 50,000/s", ("partitioner.class=RoundRobinPartitioner",), count, 0,
           ("--record-size", "100", "--throughput", "50000")) for count in (1000, 10_000)]
CASES += [(f"100 B, {count:,} partitions in turn", ("partitioner.class=RoundRobinPartitioner",), count, 0,
           ("--record-size", "100", *FULL)) for count in (1000, 10_000)]
# Two million digests before the first record leaves: up to a second of them, in turns; few records, so that it is the login that shows.
LOGINS = [(f"a login by {mechanism} of 1,000,000 iterations",
           ("security.protocol=SASL_PLAINTEXT", f"sasl.mechanism={mechanism}", "sasl.username=alice", "sasl.password=secret",
            "sasl.scram.iterations.max=1000000", "socket.connection.setup.timeout.ms=30000"), 12, 0,
           ("--record-size", "100", "--throughput", "200"))
          for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
CASES += LOGINS
MILLION = ("--user", "alice:secret", "--scram-iterations", "1000000")


def words_file(options):
    """Lines of about 100 bytes out of a thousand words: what a codec meets, and not the worst for it."""
    path = os.path.join(options.build, "bench", "words.txt")
    dice = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(dice.choices(letters, weights=range(26, 0, -1), k=dice.randrange(2, 11))) for _ in range(WORDS)]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        for _ in range(LINES):
            file.write(" ".join(dice.choices(words, k=15))[:100] + "\n")
    return path


def run(options, words, case, seconds):
    _, properties, partitions, delay, more = case
    payload = () if "--record-size" in more else ("--payload-file", words)
    login = MILLION if case in LOGINS else ()
    seconds += LOGIN_S if login else 0
    with world.sink(options, "--discard", "--topic", f"{world.TOPIC}:{partitions}", "--delay-ms", str(delay), *login) as one:
        client = subprocess.Popen(
            [options.kloop, "perf", "--quiet", "--json", "--cpu-hold", "--bootstrap-server", one.address, "--topic", world.TOPIC,
             "--num-records", "1000000000000", *payload, *more, *(word for p in properties for word in ("-X", p))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=peers.on(world.CORES[0]))
        try:
            client.wait(seconds)
        except subprocess.TimeoutExpired:
            client.terminate()  # what was sent is delivered and reported, then it ends
        out, errors = client.communicate(timeout=peers.TIMEOUT_S)
    try:
        line = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        raise world.Wrong(f"kloop perf ended with {client.returncode}: {errors}") from None
    # On a busy machine some of the last are given up: five seconds after the signal it ends.
    if line["ok"] == 0 or line["ok"] > one.stored["records"]:
        raise world.Wrong(f"{line} and {one.stored['records']} records at the sink")
    return line


def main():
    options = arguments(__doc__)
    sheet = Sheet("hold", options.json)
    words = words_file(options)
    seconds = 1 if options.quick else 2
    cases = [case for case in CASES if options.only in case[0]]
    seen = {case[0]: [] for case in cases}
    for number in range(options.rounds):
        for case in cases:
            seen[case[0]].append(run(options, words, case, seconds))
        progress(f"hold: round {number + 1} of {options.rounds}")
    for name, lines in seen.items():
        sheet.figure(f"{name}: longest turn, CPU time", [line["cpu_hold_max_ms"] for line in lines], "ms", at_most=HOLD_MS)
    for name, lines in seen.items():
        sheet.figure(f"{name}: longest turn by the wall's clock, least", [line["loop_hold_max_ms"] for line in lines], "ms",
                     judge=min)
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
