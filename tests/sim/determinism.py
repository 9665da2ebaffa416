#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same seeds give the same hash: once more, in one process and in several, in one go and in pieces."""

import subprocess
import sys


def closing(program, *arguments):
    """The hash of the closing line, whatever the verdict on the seeds."""
    run = subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    last = run.stdout.strip().splitlines()[-1]
    if not last.startswith("sim: "):
        sys.exit(f"no closing line, but: {last}")
    return last.split(", ")[-1]


def main():
    program = sys.argv[1]
    seeds = ("--seed", "781", "--seeds", "40", "--stop-after", "0")
    first = closing(program, *seeds, "--jobs", "1")
    for jobs in ("1", "2", "3"):
        again = closing(program, *seeds, "--jobs", jobs)
        if again != first:
            sys.exit(f"seeds 781 to 820: {first} with one process, {again} with {jobs}")
    if closing(program, "--seed", "782", "--seeds", "40", "--stop-after", "0") == first:
        sys.exit("other seeds give the same hash")
    print(f"determinism: seeds 781 to 820 give {first} each time")


main()
