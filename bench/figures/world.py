# SPDX-License-Identifier: BSD-2-Clause
"""Where records go in the programs of this folder, and who sends them: a sink on a core of its own, a real Kafka, the clients of
bench/peers and `kloop perf`. What is told about a run counts only if every record was acknowledged."""

import contextlib
import json
import os
import shutil
import subprocess
import sys

from sheet import ROOT, progress

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "bench", "peers"))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
# pylint: disable=wrong-import-position
import compare_peers as peers  # noqa: E402

CORES = peers.choose_cores(False)  # of clients, of brokers; None: any
TOPIC = peers.TOPIC


class Wrong(Exception):
    """A run that does not count, and why."""


def run(main):
    """The exit code of a whole program."""
    try:
        return main()
    except Wrong as why:
        progress(f"this does not count: {why}")
    except KeyboardInterrupt:
        return 130
    return 1


def find_go(options):
    # The last is where Go's own archive is unpacked to, which nobody's PATH knows by itself.
    return options.go or shutil.which("go") or "/usr/local/go/bin/go"


def programs(options, names):
    """By name, what starts each client; those whose library or compiler is not here are left out, with a sentence."""
    return peers.build_all(names, options.build, find_go(options))


@contextlib.contextmanager
def sink(options, *words):
    """`kloop sink` on the brokers' core: yields something with .address, and after the block .stored."""
    class Running:
        address, stored = None, None

    one = Running()
    command = [options.kloop, "sink", "--quiet", "--listen", "127.0.0.1:0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=peers.on(CORES[1])) as one.process:
        try:
            one.address = one.process.stdout.readline().split()[-1]
            yield one
        finally:
            one.process.terminate()
            lines = one.process.stdout.read().splitlines()
        one.stored = json.loads(lines[-1])


@contextlib.contextmanager
def real_kafka(options, nodes=1, settings=None, jvm=()):
    """A cluster of Kafka 4.3.1 (tests/live/cluster.py), ready, on all cores. None when this machine has no Java or no Maven.
    jvm: its flags, if those of the tests will not do."""
    from clerk import Clerk, Refused  # pylint: disable=import-outside-toplevel
    from cluster import Cluster, Failed  # pylint: disable=import-outside-toplevel
    from libraries import Missing, prepare  # pylint: disable=import-outside-toplevel
    live = os.path.join(options.build, "live")
    try:
        class_path, kafka = prepare(live)
    except Missing as why:
        progress(f"a real Kafka is left out: {why}")
        yield None
        return
    clerk = Clerk(class_path, live)
    more = {"jvm": jvm} if jvm else {}
    try:
        with Cluster(kafka, clerk, os.path.join(options.build, "bench", "kafka"), nodes, settings or {}, **more) as cluster:
            yield cluster
    except (Failed, Refused) as why:
        raise Wrong(str(why)) from None
    finally:
        clerk.close()


def cpu_seconds(pid):
    """Of a process that runs, so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(command, address, case, more=()):
    """Runs a client of bench/peers with the settings that all share; answers its line."""
    settings = [word for setting in (*peers.SETTINGS, f"linger.ms={case.linger}", *more) for word in ("-X", setting)]
    client = subprocess.run(
        [*command, "--bootstrap-server", address, "--topic", TOPIC, "--num-records", str(case.records),
         "--record-size", str(case.size), "--throughput", str(case.rate or -1), *settings,
         *(("--round-robin", str(case.partitions)) if case.spread else ())],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=peers.on(CORES[0]), check=False,
        timeout=peers.TIMEOUT_S)
    return line_of(client, case.records)


def line_of(client, records):
    """The line of figures that it ended with."""
    try:
        report = json.loads(client.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise Wrong(f"{client.args[0]} ended with {client.returncode} and no line\n{client.stderr[-2000:]}") from None
    if client.returncode or report["ok"] != records or report["records"] != records:
        raise Wrong(f"{client.args[0]} ended with {client.returncode}: {report['ok']} of {records} records\n"
                    f"{client.stderr[-2000:]}")
    return report


def to_sink(options, command, case, more=()):
    """A whole run against a sink of its own; answers the client's line, with batches and requests as the sink saw them."""
    with sink(options, "--discard", "--topic", f"{TOPIC}:{case.partitions}", "--delay-ms", str(case.delay)) as one:
        report = send(command, one.address, case, more)
    wrong = list(peers.complaints(case, report, one.stored))
    if wrong:
        raise Wrong(f"{case.name}, {command[0]}: {'; '.join(wrong)}")
    return {**report, **{key: one.stored[key] for key in ("batches", "requests")}}


def in_turn(names, number):
    """Each is the first one as often as the others."""
    turn = number % len(names)
    return names[turn:] + names[:turn]
