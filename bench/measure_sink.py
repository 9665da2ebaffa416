#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How good a measuring tool `kloop sink` is: how fast it eats records, how exactly it holds answers back.

    measure_sink.py KLOOP [--delays 1,10,50] [--seconds 5]

Prints one line of JSON for each measurement. The records are one Produce request of about 1 MB with records of 100
bytes, made once and sent again and again, five in flight; the delays are those of small requests that are sent at
odd moments over one connection while their forerunners still wait.
"""
import argparse
import json
import os
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "cli"))
# pylint: disable=wrong-import-position
from sink_process import Client, Sink  # noqa: E402


SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_records(kloop, seconds, *flags):
    records = 9000
    in_flight = 5
    with Sink(kloop, "--topic", "t:1", *flags) as sink, Client(kloop, sink.address) as client:
        frame = client.frame("Produce", 8, client.produce_body("t", {0: client.batch(records, 99)}), 1)
        room = threading.Semaphore(in_flight)
        answered = 0

        def read_answers():
            nonlocal answered
            while True:
                try:
                    length, = struct.unpack(">i", client.read(4))
                    client.read(length)
                except (EOFError, OSError):
                    return
                answered += 1
                room.release()

        reader = threading.Thread(target=read_answers)
        reader.start()
        cpu = cpu_seconds(sink.process.pid)
        start = time.monotonic()
        sent = 0
        while time.monotonic() - start < seconds:
            room.acquire()
            client.socket.sendall(frame)
            sent += 1
        for _ in range(in_flight):
            room.acquire()
        wall = time.monotonic() - start
        cpu = cpu_seconds(sink.process.pid) - cpu
        client.socket.shutdown(2)
        reader.join()
        sink.end()
        assert sink.stored["records"] == sent * records == answered * records, sink.stored
    return {"what": "records", "flags": " ".join(flags), "request_bytes": len(frame),
            "million_records_per_s": round(sent * records / wall / 1e6, 2),
            "sink_cpu_ns_per_record": round(cpu * 1e9 / sent / records, 2),
            "million_records_per_cpu_s": round(sent * records / cpu / 1e6, 2)}


def measure_delay(kloop, delay_ms, count=2000):
    """The kernel stamps what arrives, so that it does not matter when this program gets to read it."""
    with Sink(kloop, "--delay-ms", str(delay_ms), "--discard") as sink, Client(kloop, sink.address) as client:
        frame = client.frame("ApiVersions", 0, {}, 0)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        client.socket.sendall(frame)
        length, = struct.unpack(">i", client.read(4))
        client.read(length)
        sent = []
        late = []

        def read_answer():
            data, more, _, _ = client.socket.recvmsg(4 + length, 64)
            assert len(data) == 4 + length
            n, = struct.unpack(">i", data[4:8])
            assert n == len(late)
            stamp, = [value for _, kind, value in more if kind == SO_TIMESTAMPNS]
            seconds, ns = struct.unpack("qq", stamp)
            late.append((seconds * 10**9 + ns - sent[n]) / 1e6 - delay_ms)

        due = time.monotonic()
        while len(late) < count:
            if len(sent) < count and time.monotonic() >= due:
                # Odd moments: neither a multiple of a millisecond nor of each other.
                due = time.monotonic() + (len(sent) % 7 + 1) * 0.000137
                sent.append(time.time_ns())
                client.socket.sendall(frame[:8] + struct.pack(">i", len(sent) - 1) + frame[12:])
            wait = max(0, due - time.monotonic()) if len(sent) < count else 10
            if select.select([client.socket], [], [], wait)[0]:
                read_answer()
    late.sort()
    return {"what": "delay", "delay_ms": delay_ms, "answers": count,
            **{name: round(late[min(count - 1, int(part * count))], 4)
               for name, part in (("min_error_ms", 0), ("p50_error_ms", 0.5), ("p99_error_ms", 0.99),
                                  ("p999_error_ms", 0.999), ("max_error_ms", 1))}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kloop")
    parser.add_argument("--delays", default="0.5,1,10,50")
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    for flags in (("--discard",), ("--discard", "--check")):
        print(json.dumps(measure_records(arguments.kloop, arguments.seconds, *flags)), flush=True)
    for delay in arguments.delays.split(","):
        print(json.dumps(measure_delay(arguments.kloop, float(delay))), flush=True)


main()
