#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long it takes until the first byte is on its way: `kloop produce` from the start of its process, on loopback, to the moment
at which the other end has read something; and until a record has been delivered to a `kloop sink` and the process is gone.

    start.py [--build DIR] [--json] [--quick] [--rounds N] [--only "first byte"|"delivered"]

Each round is many starts, of which the median counts."""

import os
import socket
import statistics
import subprocess
import sys
import time

from sheet import Sheet, arguments, progress

FIRST_BYTE_MS = 5
STARTS = 51


def spawn(kloop, port, stdin):
    words = [kloop, "produce", "-b", f"127.0.0.1:{port}", "-t", "start", "--quiet"]
    null = os.open("/dev/null", os.O_WRONLY)
    pid = os.posix_spawn(kloop, words, {**os.environ, "KLOOP_CONFIG": ""},
                         file_actions=[(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, null, 1),
                                       (os.POSIX_SPAWN_DUP2, null, 2)])
    os.close(null)
    return pid


def line():
    """A pipe with one line in it, and its end."""
    read, write = os.pipe()
    os.write(write, b"hello\n")
    os.close(write)
    return read


def first_byte(kloop):
    with socket.create_server(("127.0.0.1", 0)) as server:
        stdin = line()
        start = time.perf_counter()
        pid = spawn(kloop, server.getsockname()[1], stdin)
        connection, _ = server.accept()
        with connection:
            connection.recv(1)
            seen = time.perf_counter() - start
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        os.close(stdin)
    return 1e3 * seen


def delivered(kloop, port):
    stdin = line()
    start = time.perf_counter()
    _, status = os.waitpid(spawn(kloop, port, stdin), 0)
    seen = time.perf_counter() - start
    os.close(stdin)
    if status:
        raise SystemExit(f"kloop produce ended with {os.waitstatus_to_exitcode(status)}")
    return 1e3 * seen


def main():
    options = arguments(__doc__)
    sheet = Sheet("start", options.json)
    kloop = os.path.join(options.build, "bin", "kloop")
    starts = STARTS // 5 if options.quick else STARTS
    first, whole = [], []
    with subprocess.Popen([kloop, "sink", "--listen", "127.0.0.1:0", "--topic", "start:1", "--discard"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sink:
        port = int(sink.stdout.readline().rpartition(":")[2])
        for number in range(options.rounds):
            if options.only in "first byte":
                first.append(statistics.median(first_byte(kloop) for _ in range(starts)))
            if options.only in "delivered":
                whole.append(statistics.median(delivered(kloop, port) for _ in range(starts)))
            progress(f"start: round {number + 1} of {options.rounds}")
        sink.terminate()
    if first:
        sheet.figure("kloop produce: start to first byte at the other end", first, "ms", at_most=FIRST_BYTE_MS)
    if whole:
        sheet.figure("kloop produce: start to a record delivered, and gone", whole, "ms")
    return sheet.end()


sys.exit(main())
