#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a record costs the whole client, sockets and kernel included: `kloop perf` against `kloop sink --discard` over
loopback, one core for each where there are two.

    loopback.py KLOOP [--json] [--quick]

Prints what the other benchmarks print: CPU time of the client per record, user and system, median of the rounds, the
cases in turn. Both processes are started anew for each round, so start-up is in the figures."""

import argparse
import json
import os
import statistics
import subprocess
import sys

CASES = (
    # name, record bytes, records, properties, CPU ns a record at most
    ("100 B over loopback", 100, 10_000_000, (), 60),
    ("1 KB over loopback", 1024, 2_000_000, (), None),
)
PARTITIONS = 12


def pinned(core):
    cores = sorted(os.sched_getaffinity(0))
    return (lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})) if len(cores) > 1 else None


def one_round(kloop, size, records, properties):
    with subprocess.Popen([kloop, "sink", "--listen", "127.0.0.1:0", "--topic", f"bench:{PARTITIONS}", "--discard"],
                          stdout=subprocess.PIPE, text=True, preexec_fn=pinned(1)) as sink:
        try:
            address = sink.stdout.readline().split()[-1]
            perf = subprocess.run(
                [kloop, "perf", "--bootstrap-server", address, "--topic", "bench", "--num-records", str(records),
                 "--record-size", str(size), "--throughput", "-1", "--json", *properties],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=pinned(0), check=True)
        finally:
            sink.terminate()
        stored = json.loads(sink.stdout.read().splitlines()[-1])
    report = json.loads(perf.stdout.splitlines()[-1])
    if report["ok"] != records or stored["records"] != records or report["threads"] != 1:
        sys.exit(f"loopback: sent {records}, acked {report['ok']}, stored {stored['records']}, threads {report['threads']}")
    return report["cpu_ns_per_record"], report["mb_per_s"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kloop")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    rounds = 3 if args.quick else 9
    seen = {case[0]: [] for case in CASES}
    for _ in range(rounds):
        for name, size, records, properties, _ in CASES:
            seen[name].append(one_round(args.kloop, size, records // (4 if args.quick else 1), properties))
    missed = False
    for name, _, records, _, at_most in CASES:
        cpu = sorted(c for c, _ in seen[name])
        quarters = statistics.quantiles(cpu, n=4, method="inclusive")
        line = {"suite": "loopback", "case": name, "ns_per_op": quarters[1], "ns_quarter": quarters[0],
                "ns_three_quarters": quarters[2], "ns_min": cpu[0],
                "mb_per_s": statistics.median(mb for _, mb in seen[name]), "iterations": records, "rounds": rounds}
        print(json.dumps(line) if args.json else
              f"{name:24} {line['ns_per_op']:8.2f} ns of client CPU a record, {line['mb_per_s']:.0f} MB/s")
        if not at_most:
            continue
        verdict = "ok" if line["ns_per_op"] <= at_most else "MISSED"
        missed |= verdict == "MISSED"
        ratio = {"suite": "loopback", "ratio": f"{name}, CPU a record", "value": line["ns_per_op"], "unit": "ns",
                 "at_least": 0, "at_most": at_most, "verdict": verdict}
        print(json.dumps(ratio) if args.json else f"{'':24} at most {at_most} ns: {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
