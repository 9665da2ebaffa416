#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is this tree slower than an earlier commit? Builds that commit beside it and runs both in turn.

    compare.py COMMIT [--build DIR] [--rounds N] [--more-instructions P] [--more-time P]

Instructions: what callgrind counts for a record inside the engine (bench_engine, from send to report), as the
difference of a long and a short run, so that start and end cost nothing. Time: CPU time of the client for a record
over loopback (`kloop perf` against `kloop sink --discard`, one core each), the median of so many rounds, the two
builds in turn, the order changing from round to round. Fails when either is more than so many per cent up."""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from loopback import one_round

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CASES = ("100 B, batches of 1 MB", "1 KB, batches of 1 MB")
COUNTS = (200_000, 600_000)
RECORD_BYTES = 100
RECORDS = 10_000_000


def run(command, **how):
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
    if done.returncode:
        sys.exit(f"compare: {' '.join(command)}\n{done.stdout[-2000:]}")
    return done.stdout


def build(source, folder):
    if not os.path.exists(os.path.join(folder, "CMakeCache.txt")):
        run(["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
             "-DKLOOP_BUILD_TESTS=OFF"])
    run(["cmake", "--build", folder])
    return os.path.join(folder, "bin")


def checkout(commit, folder):
    """The commit's files, in a clone of their own."""
    if not os.path.isdir(folder):
        run(["git", "clone", "--quiet", "--no-checkout", ROOT, folder])
    run(["git", "-C", folder, "fetch", "--quiet", "origin"])
    run(["git", "-C", folder, "checkout", "--quiet", "--detach", commit])
    return folder


def instructions(binaries, case):
    """For one record, between the short and the long run."""
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        for count in COUNTS:
            out = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                       os.path.join(binaries, "bench_engine"), "--count", case, str(count)])
            seen.append(int(re.search(r"Collected : (\d+)", out).group(1)))
    return (seen[1] - seen[0]) / (COUNTS[1] - COUNTS[0])


def compare(name, before, now, unit, more):
    change = 100 * (now / before - 1)
    verdict = "ok" if change <= more else "MISSED"
    print(f"{name:38} {before:9.2f} -> {now:9.2f} {unit}, {change:+.1f} % (at most {more:+.0f} %): {verdict}", flush=True)
    return verdict == "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="where this tree is built")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--more-instructions", type=float, default=3, metavar="P")
    parser.add_argument("--more-time", type=float, default=5, metavar="P")
    args = parser.parse_args()

    name = run(["git", "-C", ROOT, "rev-parse", "--short", args.commit]).strip()
    other = os.path.join(args.build, "compare", name)
    before = build(checkout(name, other), os.path.join(other, "build"))
    now = build(ROOT, args.build)
    good = True
    if shutil.which("valgrind"):
        for case in CASES:
            good &= compare(f"{case}, a record", instructions(before, case), instructions(now, case), "instructions",
                            args.more_instructions)
    else:
        print("valgrind is not here: instructions are not counted")
        good = False
    times = {before: [], now: []}
    for n in range(args.rounds):
        for binaries in (before, now) if n % 2 else (now, before):
            times[binaries].append(one_round(os.path.join(binaries, "kloop"), RECORD_BYTES, RECORDS, ())[0])
    good &= compare(f"{RECORD_BYTES} B over loopback, CPU a record", statistics.median(times[before]),
                    statistics.median(times[now]), "ns", args.more_time)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
