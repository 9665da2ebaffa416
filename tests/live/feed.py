#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Gives the lines of a file to stdout, so many a second: a program of its own, for whoever breaks a cluster meanwhile has
no time for it. What a slow reader does not take in time comes when it takes it.

    feed.py FILE COUNT RATE [--tail]      COUNT: how many lines the file has

With --tail the last tenth comes at a tenth of the rate, so that there is something to send until all that was to be done is
done. After SIGUSR1 the rest comes at once. Its last words, on stderr, are the longest time by which it slept too long: how
badly the machine was overloaded.
"""

import json
import mmap
import signal
import sys
import time

_NAP = 0.005
_PIECE = 1 << 20


def feed(data, out, count, rate, tail):
    """Answers the longest delay, in seconds."""
    hurry = []
    signal.signal(signal.SIGUSR1, lambda *_: hurry.append(True))
    slow_from = count - count // 10 if tail else count
    lines = start = end = 0
    owed = worst = 0.0
    last = time.monotonic()
    while lines < count and not hurry:
        before = time.monotonic()
        time.sleep(_NAP)
        now = time.monotonic()
        worst = max(worst, now - before - _NAP)
        owed += (now - last) * (rate if lines < slow_from else rate / 10)
        last = now
        while owed >= 1 and lines < count:
            end = data.find(b"\n", end) + 1
            lines += 1
            owed -= 1
        start = write(data, out, start, end)
    write(data, out, start, len(data))
    return worst


def write(data, out, start, end):
    while start < end:
        start += out.write(data[start:min(end, start + _PIECE)])
    return start


def main():
    path, count, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, \
            open(1, "wb", buffering=0) as out:
        worst = feed(data, out, count, rate, "--tail" in sys.argv)
    json.dump({"worst_nap_ms": round(1000 * worst)}, sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        pass
