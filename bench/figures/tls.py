#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What TLS costs: records of 1 KB over loopback to the same sink, in plain text and over TLS 1.3 with AES-256-GCM, by kloop
and by librdkafka, beside what `openssl speed` says for so many bytes.

    tls.py [--build DIR] [--json] [--quick] [--rounds N]

CPU time of the client's process for a record, user and system. The sink is a program of its own (figure_tls_sink) on the
other core, with OpenSSL's server where it is TLS; everybody in turn in each round, `openssl speed` in the middle. Without
TLS in the build, or without librdkafka, there is a sentence instead."""

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

import world
from sheet import Sheet, arguments, progress

SIZE = 1024
# Of a record in a batch, beside its value.
SEALED = SIZE + 10
RECORDS = {"kloop": 2_000_000, "librdkafka": 1_000_000}
OVER_OPENSSL = 1.5
OF_LIBRDKAFKA = 0.5


@contextlib.contextmanager
def sink(options, *words):
    """Yields something with .address; .records after the block."""
    class Running:
        address, records = None, None

    one = Running()
    program = os.path.join(options.build, "bin", "figure_tls_sink")
    with subprocess.Popen([program, *words], stdout=subprocess.PIPE, text=True,
                          preexec_fn=world.peers.on(world.CORES[1])) as process:
        try:
            one.address = process.stdout.readline().split()[-1]
            yield one
        finally:
            process.terminate()
            lines = process.stdout.read().splitlines()
        one.records = json.loads(lines[-1])["records"]


def send(options, command, records, ca_file):
    """ns of CPU for a record."""
    security = ("security.protocol=SSL", f"ssl.truststore.location={ca_file}") if ca_file else ()
    settings = [word for setting in (*world.peers.SETTINGS, "linger.ms=5", *security) for word in ("-X", setting)]
    with sink(options, *(("tls", ca_file) if ca_file else ("plain",))) as other:
        client = subprocess.run(
            [*command, "--bootstrap-server", other.address, "--topic", world.TOPIC, "--num-records", str(records),
             "--record-size", str(SIZE), "--throughput", "-1", *settings],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
            preexec_fn=world.peers.on(world.CORES[0]), timeout=600)
    if client.returncode or other.records != records:
        raise world.Wrong(f"{command[0]} ended with {client.returncode}, sent {records}, stored {other.records}\n"
                          f"{client.stderr[-2000:]}")
    return json.loads(client.stdout.splitlines()[-1])["cpu_ns_per_record"]


def cipher():
    """ns for the bytes of a record, in TLS records of 16 KiB."""
    done = subprocess.run(["openssl", "speed", "-evp", "aes-256-gcm", "-bytes", "16384", "-seconds", "1", "-mr"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
                          preexec_fn=world.peers.on(world.CORES[0]))
    found = re.search(r"^\+F:[^:]*:[^:]*:([0-9.]+)", done.stdout, re.MULTILINE)
    return 1e9 * SEALED / float(found.group(1))


def main():
    options = arguments(__doc__)
    sheet = Sheet("tls", options.json)
    if not os.path.exists(os.path.join(options.build, "bin", "figure_tls_sink")):
        sheet.note("this tree is built without TLS")
        return sheet.end()
    clients = world.programs(options, ["kloop", "librdkafka"])
    part = 8 if options.quick else 1
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        ca_file = os.path.join(folder, "ca.pem")
        runs = [(name, safe) for name in clients for safe in (True, False)]
        for number in range(options.rounds):
            turn = number % len(runs)
            for place, (name, safe) in enumerate(runs[turn:] + runs[:turn]):
                if place == 1:
                    seen.setdefault("openssl", []).append(cipher())
                ns = send(options, clients[name](world.peers.CASES[1]), RECORDS[name] // part, safe and ca_file)
                seen.setdefault((name, safe), []).append(ns)
            progress(f"tls: round {number + 1} of {options.rounds}")
    for name in clients:
        for safe in (False, True):
            sheet.figure(f"{name}: 1 KB {'over TLS 1.3' if safe else 'in plain text'}, CPU a record", seen[name, safe], "ns")
    sheet.figure("openssl speed aes-256-gcm for the same bytes", seen["openssl"], "ns")
    own = statistics.median(seen["kloop", True])
    more = own - statistics.median(seen["kloop", False])
    sheet.figure("what TLS adds to kloop's record, of openssl's", more / statistics.median(seen["openssl"]), "x",
                 at_most=OVER_OPENSSL)
    if "librdkafka" in clients:
        sheet.figure("kloop over TLS, of librdkafka over TLS", own / statistics.median(seen["librdkafka", True]), "x",
                     at_most=OF_LIBRDKAFKA)
    return sheet.end()


sys.exit(world.run(main))
