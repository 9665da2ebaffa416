#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kloop, librdkafka and franz-go send the same records to the same sink, in turn; a table of what each needed.

    compare_peers.py [--build DIR] [--rounds N] [--quick] [--case TEXT] [--clients NAME,...] [--go GO] [--unpinned]
                     [--json]

What is compared, and what is not, is in README.md beside this file. Wants a tree that is built (./dev bench peers
builds it first); the programs for the peers are built here, below DIR/bench/peers. A peer whose library or compiler is
not here is left out with a sentence. Writes DIR/bench/peers.json and peers.txt. Ends with 1 when a run went wrong:
when a record was not acknowledged, or the sink did not count what was sent."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
# pylint: disable=wrong-import-position
from report import first_line, processor, table  # noqa: E402

# The same for all, whatever a client would do by itself; kloop's own presets.
SETTINGS = ("acks=all", "enable.idempotence=true", "batch.size=1000000", "buffer.memory=67108864",
            "compression.type=none", "max.in.flight.requests.per.connection=5", "delivery.timeout.ms=120000")

Case = namedtuple("Case", "name size records partitions rate linger delay spread", defaults=(0, 5, 0, False))
CASES = (
    Case("100 B, 12 partitions", 100, 10_000_000, 12),
    Case("1 KB, 12 partitions", 1024, 2_000_000, 12),
    # Each partition in turn: clients that stick to one for a while would do different work.
    Case("100 B, 1,000 partitions in turn, 50,000/s", 100, 250_000, 1000, rate=50_000, spread=True),
    Case("1 KB, 1 partition, answers after 10 ms", 1024, 300_000, 1, delay=10),
    Case("1 KB, 6 partitions, answers after 10 ms", 1024, 600_000, 6, delay=10),
    Case("1 KB, 1 partition, answers after 50 ms", 1024, 100_000, 1, delay=50),
    Case("1 KB, 6 partitions, answers after 50 ms", 1024, 300_000, 6, delay=50),
    Case("100 B, 12 partitions, 1,000/s, no linger", 100, 5_000, 12, rate=1_000, linger=0),
)
CHECKED = Case("100 B, looked at by the sink", 100, 50_000, 12)

TOPIC = "bench"
TIMEOUT_S = 600
# Of a record in a batch, beside its value: seven fields, each of one to three bytes. Of a batch.
RECORD_BYTES = (7, 20)
BATCH_BYTES = 61

WARNINGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wstrict-prototypes",
            "-Wmissing-prototypes", "-Werror")
SHARED = ("bench/peers/peer_job.c", "bench/peers/peer_tally.c", "cli/histogram.c", "cli/perf_payload.c",
          "cli/perf_report.c", "base/buf.c", "base/check.c", "base/mem.c", "base/prng.c")
# Go's version from which on it builds what the file asks for, the newest first.
GO_MODULES = (((1, 26), "go.newest.mod"), ((1, 19), "go.mod"))


class LeftOut(Exception):
    """Why a peer is not compared."""


def output(command, **how):
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
    if done.returncode:
        raise LeftOut(f"{command[0]} failed:\n{done.stdout[-2000:]}")
    return done.stdout.strip()


# ---- Programs --------------------------------------------------------------------------------------------------------

def compile_c(program, sources, flags):
    output([os.environ.get("CC", "cc"), *WARNINGS, "-I.", "-Iinclude", *sources, *SHARED, *flags, "-pthread",
            "-o", program], cwd=ROOT)
    return program


def build_kloop(build, _):
    folder = os.path.join(build, "lib")
    flags = output(["pkg-config", "--cflags", "--libs", "libuv"]).split()
    program = compile_c(os.path.join(build, "bench", "peers", "kloop_perf"),
                        ["bench/peers/kloop_perf.c", "cli/alarm_clock.c"],
                        [f"-L{folder}", f"-Wl,-rpath,{folder}", "-lkloop", *flags])
    return lambda case: [program]


def build_command(build, _):
    """`kloop perf` itself, which cannot say where a record goes."""
    command = [os.path.join(build, "bin", "kloop"), "perf", "--quiet", "--json"]
    return lambda case: None if case.spread else command


def build_librdkafka(build, _):
    try:
        flags = output(["pkg-config", "--cflags", "--libs", "rdkafka"]).split()
    except (LeftOut, OSError):
        raise LeftOut("pkg-config finds no rdkafka; Debian has it in the package librdkafka-dev") from None
    program = compile_c(os.path.join(build, "bench", "peers", "librdkafka_perf"), ["bench/peers/librdkafka_perf.c"],
                        flags)
    return lambda case: [program]


def build_franz_go(build, go):
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    try:
        version = output([go, "env", "GOVERSION"], env=environment)
    except (LeftOut, OSError):
        raise LeftOut(f"there is no {go}; Debian has it in the package golang") from None
    found = re.match(r"go(\d+)\.(\d+)", version)
    number = tuple(map(int, found.groups())) if found else (0, 0)
    modules = next((name for least, name in GO_MODULES if number >= least), None)
    if not modules:
        raise LeftOut(f"{go} is {version}, and franz-go wants 1.19 at least; Debian 12 has it in the package golang")
    program = os.path.join(build, "bench", "peers", "franz_go_perf")
    output([go, "build", "-trimpath", f"-modfile={modules}", "-o", program, "."], cwd=os.path.join(HERE, "franz_go"),
           env=environment)
    return lambda case: [program]


CLIENTS = {"kloop": build_kloop, "librdkafka": build_librdkafka, "franz-go": build_franz_go,
           "kloop-command": build_command}
PRESET_CLIENTS = "kloop,librdkafka,franz-go"


def build_all(names, build, go):
    os.makedirs(os.path.join(build, "bench", "peers"), exist_ok=True)
    programs = {}
    for name in names:
        try:
            programs[name] = CLIENTS[name](build, go)
        except LeftOut as why:
            if name.startswith("kloop"):
                sys.exit(f"peers: {name}: {why}")
            print(f"{name} is left out: {why}", file=sys.stderr)
    return programs


# ---- One run ---------------------------------------------------------------------------------------------------------

def choose_cores(unpinned):
    """The last core for the sink, the others for the client; None for both: as the system likes."""
    cores = sorted(os.sched_getaffinity(0))
    return (None, None) if unpinned or len(cores) < 2 else (set(cores[:-1]), {cores[-1]})


def on(cores):
    return (lambda: os.sched_setaffinity(0, cores)) if cores else None


def complaints(case, report, stored):
    """What is not as it has to be for a run to count."""
    for key, value in (("records", case.records), ("ok", case.records), ("failed", 0), ("unknown", 0)):
        if report[key] != value:
            yield f"{key} is {report[key]}, not {value}"
    for key, value in (("records", case.records), ("duplicates", 0), ("refused", 0), ("complaints", 0)):
        if stored[key] != value:
            yield f"the sink's {key} is {stored[key]}, not {value}"
    beside_values = stored["bytes"] - stored["batches"] * BATCH_BYTES - case.records * case.size
    if not RECORD_BYTES[0] <= beside_values / case.records <= RECORD_BYTES[1]:
        yield f"the sink has {stored['bytes']} bytes in {stored['batches']} batches: not the records of this case"
    offsets = stored["topics"][0]["next_offsets"]
    if case.spread and max(offsets) - min(offsets) > 1:
        yield f"partitions got from {min(offsets)} to {max(offsets)} records, not as many each"


def one_run(sink_command, client_command, case, cores):
    sink_command = [*sink_command, "--topic", f"{TOPIC}:{case.partitions}", "--delay-ms", str(case.delay)]
    settings = [word for setting in (*SETTINGS, f"linger.ms={case.linger}") for word in ("-X", setting)]
    with subprocess.Popen(sink_command, stdout=subprocess.PIPE, text=True, preexec_fn=on(cores[1])) as sink:
        try:
            address = sink.stdout.readline().split()[-1]
            client = subprocess.run(
                [*client_command, "--bootstrap-server", address, "--topic", TOPIC, "--num-records", str(case.records),
                 "--record-size", str(case.size), "--throughput", str(case.rate or -1), *settings,
                 *(("--round-robin", str(case.partitions)) if case.spread else ())],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=on(cores[0]), check=False,
                timeout=TIMEOUT_S)
        finally:
            sink.terminate()
        stored = json.loads(sink.stdout.read().splitlines()[-1])
    try:
        report = json.loads(client.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        sys.exit(f"peers: {client_command[0]} ended with {client.returncode} and no line\n{client.stderr[-2000:]}")
    wrong = list(complaints(case, report, stored))
    if wrong or client.returncode:
        sys.exit(f"peers: {case.name}, {client_command[0]}, exit code {client.returncode}: {'; '.join(wrong)}\n"
                 f"{client.stderr[-2000:]}")
    return {**report, "stored_bytes": stored["bytes"], "batches": stored["batches"], "requests": stored["requests"]}


def shortened(case, quick):
    return case._replace(records=case.records // 4) if quick else case


def run_all(kloop, programs, cases, rounds, cores):
    sink = [kloop, "sink", "--quiet", "--listen", "127.0.0.1:0", "--discard"]
    versions = {}
    # What is counted below is whole and sound: the sink looks at each batch first.
    for name, command in programs.items():
        report = one_run([*sink, "--check"], command(CHECKED), CHECKED, cores)
        versions[name] = report.get("version") or first_line(kloop, "--version").split()[-1]
    runs = {case.name: {name: [] for name in programs} for case in cases}
    names = list(programs)
    for n in range(rounds):
        for case in cases:
            # Each is the first one as often as the others.
            turn = n % len(names)
            for name in names[turn:] + names[:turn]:
                command = programs[name](case)
                if command:
                    runs[case.name][name].append(one_run(sink, command, case, cores))
        print(f"round {n + 1} of {rounds}", file=sys.stderr)
    return versions, runs


# ---- The report ------------------------------------------------------------------------------------------------------

def median(lines):
    return {key: statistics.median(line[key] for line in lines) for key in lines[0]
            if all(isinstance(line.get(key), (int, float)) for line in lines)}


def times(value, base):
    return f"x{value / base:.2f}" if base else ""


def rows(medians, runs):
    yield ["", "CPU ns/rec", "", "(min-max)", "rec/s", "", "MB/s", "p50 ms", "", "p99 ms", "", "p99.9 ms", "threads",
           "RSS MB", "switches", "rec/batch", "batch/req"]
    base = medians.get("kloop")
    for name, m in medians.items():
        def beside(key):
            return times(m[key], base[key]) if base and m is not base else ""
        cpu = [line["cpu_ns_per_record"] for line in runs[name]]
        yield [name, f"{m['cpu_ns_per_record']:.0f}", beside("cpu_ns_per_record"), f"({min(cpu):.0f}-{max(cpu):.0f})",
               f"{m['rec_per_s']:,.0f}", beside("rec_per_s"), f"{m['mb_per_s']:.1f}",
               f"{m['p50_ms']:.3f}", beside("p50_ms"), f"{m['p99_ms']:.3f}", beside("p99_ms"), f"{m['p999_ms']:.3f}",
               f"{m['threads']:.0f}", f"{m['max_rss_kb'] / 1024:.0f}", f"{m['vcsw'] + m['ivcsw']:.0f}",
               f"{m['records'] / m['batches']:.1f}", f"{m['batches'] / m['requests']:.2f}"]


def text(result):
    yield from (f"{key}: {value}" for key, value in result["machine"].items())
    yield "clients: " + ", ".join(f"{name} {version}" for name, version in result["clients"].items())
    yield f"settings: {' '.join(result['settings'])}"
    yield f"cores: client {result['client_cores'] or 'any'}, sink {result['sink_cores'] or 'any'}"
    yield f"rounds: {result['rounds']}, in turn; medians; x: times what kloop has"
    for case in result["cases"]:
        yield ""
        yield f"{case['name']}: {case['records']:,} records, linger.ms={case['linger']}"
        yield from table(list(rows(case["medians"], case["runs"])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), metavar="DIR", help="where the tree is built")
    parser.add_argument("--rounds", type=int, metavar="N", help="5, or 3 with --quick")
    parser.add_argument("--quick", action="store_true", help="a quarter of the records")
    parser.add_argument("--case", default="", metavar="TEXT", help="only cases with this in their names")
    parser.add_argument("--clients", default=PRESET_CLIENTS, metavar="NAME,...",
                        help=f"out of {', '.join(CLIENTS)} ({PRESET_CLIENTS})")
    parser.add_argument("--go", default="go", help="which Go builds franz-go's program")
    parser.add_argument("--unpinned", action="store_true", help="leave the cores to the system")
    parser.add_argument("--json", action="store_true", help="print the JSON instead of the table")
    args = parser.parse_args()

    names = args.clients.split(",")
    cases = [shortened(case, args.quick) for case in CASES if args.case in case.name]
    rounds = args.rounds or (3 if args.quick else 5)
    if set(names) - set(CLIENTS) or not cases or rounds < 1:
        parser.error(f"the clients are {', '.join(CLIENTS)}; the cases:\n" + "\n".join(case.name for case in CASES))
    build = os.path.abspath(args.build)
    kloop = os.path.join(build, "bin", "kloop")
    if not os.path.exists(kloop):
        parser.error(f"there is no {kloop}: ./dev build")
    cores = choose_cores(args.unpinned)
    programs = build_all(names, build, args.go)
    versions, runs = run_all(kloop, programs, cases, rounds, cores)
    result = {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": " ".join(os.uname()[0:3:2]),
                    "commit": first_line("git", "-C", ROOT, "describe", "--always", "--dirty")},
        "clients": versions, "settings": SETTINGS, "rounds": rounds,
        "client_cores": sorted(cores[0] or ()), "sink_cores": sorted(cores[1] or ()),
        "cases": [{**case._asdict(), "medians": {name: median(lines) for name, lines in runs[case.name].items()
                                                if lines},
                   "runs": runs[case.name]} for case in cases],
    }
    lines = list(text(result))
    with open(os.path.join(build, "bench", "peers.json"), "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    with open(os.path.join(build, "bench", "peers.txt"), "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in lines)
    print(json.dumps(result, indent=1) if args.json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
