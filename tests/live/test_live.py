#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kloop against a real Kafka 4.3.1: every record that it sends is read back and compared; see README.md beside this file."""

import argparse
import fcntl
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import child  # noqa: E402
from clerk import Clerk, Refused  # noqa: E402
from cluster import Cluster, Failed  # noqa: E402
from faults import Freeze, FreezeBriefly, Kill, Roll, Starve, starve_until_given_up  # noqa: E402
from libraries import Broken, Missing, prepare  # noqa: E402
from transfer import BYTES, KEYS, SEED, Bench, Difference, Mismatch, some_given_up, transfer  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = 77
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
MILLION = 1_000_000
# What a producer must do to lose nothing, repeat nothing and keep the order when a node goes away.
SAFE = ("-X", "acks=all", "-X", "enable.idempotence=true")
# Topics that compare_model makes by asking for them, where there is one node; see scripts_of_questions.c.
MADE_BY_ASKING = ["cmp.made", "cmp.old.way"]
TWO_OF_THREE = {"min__insync__replicas": 2}


# ---- scenarios ---------------------------------------------------------------------------------------------------------------


class Run:
    """What a scenario is given."""

    def __init__(self, options, bench, build):
        self.bench, self.build = bench, build
        self.kloop, self.model, self.smoke = options.kloop, options.model, options.smoke
        self.repeat = 0
        self.cluster = None


# A broker that knows nothing of a producer yet takes any first sequence. In a topic made a moment ago the first batch may find
# no leader while the second one finds it, and from then on the first is out of order for ever: once in some dozens of runs
# Java's producer hung on that. (kloop keeps one batch in flight until the first one is acked.)
ONE_IN_FLIGHT = {"max.in.flight.requests.per.connection": "1"}


def check_the_check(run):
    """Kafka's own producer in kloop's place: first honest, then wrong at one record of each kind. The check must see just
    that."""
    count = 3000
    source, _ = run.bench.input(count, 50)

    def sent(topic, cheats):
        run.cluster.create(topic, 3)
        events = os.path.join(run.bench.folder, f"{topic}.events")
        clerk = run.bench.clerk
        clerk.ask("twin", topic=topic, file=source, events=events, cheats=cheats,
                  config={"linger.ms": "5", "compression.type": "lz4", **ONE_IN_FLIGHT})
        found = clerk.ask("check", topic=topic, partitions=3, count=count, bytes=BYTES, keys=50, seed=SEED, events=events,
                          seconds=60)
        clerk.ask("delete", topic=topic)
        return found

    def keyed(start):
        """A record with a key, from this one on."""
        with open(source, "rb") as file:
            lines = file.read().split(b"\n")
        return next(n for n in range(start, count) if b"\t" in lines[n])

    honest = sent("live.honest", {})
    if honest["differences"] or honest["stored"] != count or honest["acked"] != count:
        raise Mismatch(f"Kafka's own producer is found guilty: {honest}")
    cheats = {"drop": 100, "twice": 300, "late": keyed(500), "change": 700, "misplace": keyed(900), "header": 1100, "lie": 1300,
              "silent": 1500, "again": 1700, "deny": 1900, "swap": 2100}
    wanted = {"corrupt": 1, "duplicated": 1, "failed_but_stored": 1, "false_offset": 1, "headers_wrong": 1, "lost": 2,
              "misplaced": 1, "reordered": 1, "reported_out_of_order": 1, "reported_twice": 1, "unreported": 1}
    found = sent("live.cheating", cheats)
    if found["differences"] != wanted:
        raise Mismatch(f"planted {wanted}\n  found {found['differences']}\n  " + "\n  ".join(found["cases"]))
    return f"{len(cheats)} planted faults of {count:,} records found, none else"


def compare_with_model(run, *flags):
    """The same requests to real nodes and to the model cluster; the answers must agree field by field."""
    if not os.access(run.model, os.X_OK):
        raise Mismatch(f"there is no {run.model}; ./dev build makes it")
    topics = {}
    for line in subprocess.run([run.model, "--topics"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        name, partitions, *configs = line.split()
        topics[name] = int(partitions)
        run.cluster.create(name, topics[name], **{key.replace(".", "__"): value for key, value in
                                                  (config.split("=") for config in configs)})
    program = child.start([run.model, *flags, run.cluster.bootstrap], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, bufsize=1)
    said = []
    try:
        for line in program.stdout:
            if line.startswith("@"):
                obey(run.cluster, topics, *line[1:].split())
                program.stdin.write("done\n")
            else:
                said.append(line)
        program.wait(30)
    finally:
        child.end(program)
    for name in [*topics, *(MADE_BY_ASKING if len(run.cluster.nodes) == 1 else [])]:
        run.bench.clerk.ask("delete", topic=name)
    if program.returncode != 0:
        raise Mismatch(f"{run.model} ended with {program.returncode}\n{''.join(said)}")
    return said[-1].strip()


def obey(cluster, topics, verb, number):
    """What compare_model wants done to a node. Done means that all nodes know it."""
    node = cluster.node(int(number))
    if verb == "start":
        node.start()
        cluster.wait_ready()
        for topic, partitions in topics.items():
            cluster.wait_full(topic, partitions, len(cluster.nodes))
        return
    node.kill()
    for other in cluster.nodes:
        if other is not node:
            cluster.wait_until(f"sight of node {number}'s death at node {other.number}", lambda o=other: all(
                one.leader > 0 and node.number not in one.isr for topic in topics for one in cluster.partitions(topic, o)))
    for topic, partitions in topics.items():
        cluster.clerk.ask("served", topic=topic, partitions=partitions)


def records(codec, count, keys=KEYS, header=None):
    def scenario(run):
        name = f"{len(run.cluster.nodes)}.{codec}.{run.repeat}"
        return transfer(run.bench, run.cluster, name, count, codec, keys, header=header)
    return scenario


def too_large(run):
    """Batches that the broker finds too large, though no record in them is. kloop does not split them: they are given up, and
    what it says of each record has to be true."""
    return transfer(run.bench, run.cluster, f"too_large.{run.repeat}", 20_000, "lz4", configs={"max__message__bytes": 70_000},
                    judge=some_given_up, code=1)


def keyless(run):
    """A broker that refuses single records of a batch, for they have no key. kloop gives up the whole batch, as Java does."""
    return transfer(run.bench, run.cluster, f"keyless.{run.repeat}", 20_000, "zstd", configs={"cleanup__policy": "compact"},
                    judge=some_given_up, code=1)


def faulty(make, *options, rate=None, **more):
    """A million records, a cluster of three in which something happens. Each repetition takes another node. Without a rate
    kloop sends as fast as it can: its memory is full of records when the node goes away."""
    def scenario(run):
        name = f"fault.{run.repeat}"
        topic, partitions = "live." + name, 12
        watch = make(run.cluster, topic, partitions, MILLION, 1 + run.repeat % 3)
        return transfer(run.bench, run.cluster, name, MILLION, "lz4", options=[*SAFE, *options], configs=TWO_OF_THREE,
                        watch=watch, rate=rate, **more)
    return scenario


def roll(cluster, topic, partitions, count, _):
    return Roll(cluster, topic, partitions, count)


# name, nodes, what it does, whether it is part of the smoke, the scenario
def table(small):
    rows = [
        ("check", 1, "Kafka's own producer, honest and cheating: does the comparison see it?", True, check_the_check),
        ("model", 1, "the model cluster against a node, request by request", True,
         lambda run: compare_with_model(run, *(["--quick"] if run.smoke else []))),
        ("model.three", 3, "the same with three nodes", False, compare_with_model),
        ("model.killing", 3, "the same while nodes die and come back", False, lambda run: compare_with_model(run, "--killing")),
        ("smoke.none", 1, "100,000 records", True,
         records("none", 20_000 if small else 100_000, header=("origin", "kl\u00f6\u00f6p"))),
        *((f"smoke.{codec}", 1, "20,000 records", True, records(codec, 5_000 if small else 20_000, 0 if codec == "zstd" else KEYS))
          for codec in CODECS[1:]),
        ("too_large", 1, "batches that are too large for the broker", False, too_large),
        ("keyless", 1, "a broker that refuses every fourth record", False, keyless),
        *((f"one.{codec}", 1, "a million records on one node", False, records(codec, MILLION)) for codec in CODECS),
        *((f"three.{codec}", 3, "a million records on three nodes", False, records(codec, MILLION)) for codec in CODECS),
        ("kill", 3, "a leader is killed, and comes back", False, faulty(Kill)),
        ("kill.paced", 3, "the same with small batches, thousands under way", False, faulty(Kill, rate=100_000)),
        ("freeze", 3, "a leader is frozen until the others have taken over and gone on without it", False,
         faulty(Freeze, "-X", "request.timeout.ms=3000")),
        ("freeze.briefly", 3, "a leader is frozen until the others have taken over", False, faulty(FreezeBriefly)),
        ("roll", 3, "all nodes are restarted in turn", False, faulty(roll, rate=30_000)),
        ("starve", 3, "two of three nodes die and come back", False, faulty(Starve)),
        ("expire", 3, "two of three nodes die and come back when records have expired", False,
         faulty(starve_until_given_up, "-X", "request.timeout.ms=2000", "-X", "delivery.timeout.ms=5000", judge=some_given_up,
                code=1)),
    ]
    return rows


# ---- the run -----------------------------------------------------------------------------------------------------------------


def choose(options):
    rows = table(os.environ.get("KLOOP_TEST_SHORT") == "1")
    if options.only:
        rows = [row for row in rows if row[0] == options.only or row[0].startswith(options.only + ".")]
        if not rows:
            names = "\n  ".join(f"{name:16}{words}" for name, _, words, _, _ in table(False))
            print(f"live: there is no scenario {options.only}; there are\n  {names}", file=sys.stderr)
            sys.exit(2)
    elif options.smoke:
        rows = [row for row in rows if row[3]]
    else:
        rows = [row for row in rows if not row[0].startswith("smoke.")]
    return sorted(rows, key=lambda row: row[1])


def perform(options, rows, build, class_path):
    clerk = Clerk(class_path, build)
    run = Run(options, Bench(options.kloop, clerk, os.path.join(build, "run")), build)
    bad = 0
    for count in sorted({row[1] for row in rows}):
        for repeat in range(options.repeat):
            run.repeat = repeat
            todo = [row for row in rows if row[1] == count]
            while todo:
                # A scenario that fails may leave a cluster that nobody would want to go on with.
                # One node makes topics that are asked for, as Kafka's default is; three do not.
                settings = {"auto.create.topics.enable": "true"} if count == 1 else {}
                with Cluster(class_path, clerk, os.path.join(build, f"cluster{count}"), count, settings) as run.cluster:
                    while todo:
                        if not one(run, todo.pop(0)):
                            bad += 1
                            break
    clerk.close()
    return bad


def one(run, row):
    name, _, _, _, scenario = row
    started = time.monotonic()
    try:
        words = scenario(run)
    except (Difference, Failed, Refused, subprocess.TimeoutExpired) as fault:
        print(f"FAIL  {name:16}{fault}", flush=True)
        if not isinstance(fault, (Failed, Mismatch)):
            print(run.cluster.tails(), flush=True)
        return False
    print(f"ok    {name:16}{words} [{time.monotonic() - started:.1f} s]", flush=True)
    return True


def skip(why):
    print(f"live: {'not skipped under CI, but ' if os.environ.get('CI') == 'true' else 'skipped: '}{why}")
    return 1 if os.environ.get("CI") == "true" else SKIPPED


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kloop", default=os.path.join(ROOT, "build", "bin", "kloop"), help="the command (build/bin/kloop)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="output goes to BUILD/live (build)")
    parser.add_argument("--model", default="", help="the program that compares the model (BUILD/tests/compare_model)")
    parser.add_argument("--smoke", action="store_true", help="the short one: one node, fewer records")
    parser.add_argument("--full", action="store_true", help="all but the smoke's own (without --smoke and --only)")
    parser.add_argument("--only", metavar="NAME", default="", help="this scenario, or all that begin with NAME and a dot")
    parser.add_argument("--repeat", type=int, default=1, help="how often; each time other nodes are hit (1)")
    options = parser.parse_args()
    child.die_politely()
    options.kloop = os.path.abspath(options.kloop)
    options.model = os.path.abspath(options.model or os.path.join(options.build, "tests", "compare_model"))
    rows = choose(options)
    if not os.access(options.kloop, os.X_OK):
        print(f"live: there is no {options.kloop}; ./dev build makes it", file=sys.stderr)
        return 1
    build = os.path.abspath(os.path.join(options.build, "live"))
    os.makedirs(build, exist_ok=True)
    with open(os.path.join(build, "lock"), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"live: another run uses {build}", file=sys.stderr)
            return 1
        started = time.monotonic()
        try:
            bad = perform(options, rows, build, prepare(build))
        except Missing as why:
            return skip(str(why))
        except (Broken, Failed, Refused) as fault:
            print(f"live: {fault}")
            return 1
    print(f"live: {'all well' if not bad else f'{bad} failed'} in {time.monotonic() - started:.0f} s; files are in {build}")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
