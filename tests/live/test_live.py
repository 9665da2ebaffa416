#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kloop against a real Kafka: every record that it sends is read back and compared; see README.md beside this file."""

import argparse
import fcntl
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import child  # noqa: E402
import security  # noqa: E402
from certificates import Certificates  # noqa: E402
from clerk import Clerk, Refused  # noqa: E402
from cluster import Cluster, Failed  # noqa: E402
from judges import Difference, Mismatch  # noqa: E402
from libraries import OLDER, VERSION, Broken, Missing, prepare  # noqa: E402
from scenarios import FULL, NEWEST, OLD, PART, SMOKE, Run, table  # noqa: E402
from transfer import Bench  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = 77
NAME_WIDTH = 32


def choose(options):
    rows = table(os.environ.get("KLOOP_TEST_SHORT") == "1")
    old = options.kafka != VERSION
    if options.only:
        rows = [row for row in rows if row.name == options.only or row.name.startswith(options.only + ".")]
        if not rows:
            names = "\n  ".join(f"{row.name:{NAME_WIDTH}}{row.words}" for row in table(False))
            print(f"live: there is no scenario {options.only}; there are\n  {names}", file=sys.stderr)
            sys.exit(2)
        if old and any(NEWEST in row.when for row in rows):
            print(f"live: {options.only} needs Kafka {VERSION}", file=sys.stderr)
            sys.exit(2)
        if options.smoke:
            rows = [row for row in rows if {SMOKE, PART} & set(row.when)]
    else:
        when = SMOKE if options.smoke else OLD if old else FULL
        rows = [row for row in rows if when in row.when and not (old and NEWEST in row.when)]
    return sorted(rows, key=_kind)


def _kind(row):
    """Scenarios of one kind share a cluster."""
    return row.nodes, row.locked


def perform(options, rows, build, class_path, kafka):
    clerk = Clerk(class_path, build)
    run = Run(options, Bench(options.kloop, clerk, os.path.join(build, "run")), build)
    bad = 0
    for kind in sorted({_kind(row) for row in rows}):
        for repeat in range(options.repeat):
            run.repeat = repeat
            todo = [row for row in rows if _kind(row) == kind]
            while todo:
                # A scenario that fails may leave a cluster that nobody would want to go on with.
                with _cluster(run, *kind, kafka, clerk) as run.cluster:
                    if kind[1]:
                        security.admit(run.cluster)
                    while todo:
                        if not one(run, todo.pop(0)):
                            bad += 1
                            break
    clerk.close()
    return bad


def _cluster(run, count, locked, kafka, clerk):
    # One node makes topics that are asked for, as Kafka's default is; three do not.
    settings = {"auto.create.topics.enable": "true"} if count == 1 else {}
    if not locked:
        return Cluster(kafka, clerk, os.path.join(run.build, f"cluster{count}"), count, settings)
    if not run.certificates:
        run.certificates = Certificates(os.path.join(run.build, "certificates"))
        run.certificates.keytool()
    return Cluster(kafka, clerk, os.path.join(run.build, f"locked{count}"), count,
                   {**settings, **security.settings(run.certificates)}, listeners=security.listeners(run.certificates, count > 1))


def one(run, row):
    name = row.name
    started = time.monotonic()
    try:
        words = row.run(run)
    except (Difference, Failed, Refused, subprocess.TimeoutExpired) as fault:
        print(f"FAIL  {name:{NAME_WIDTH}}{fault}", flush=True)
        if not isinstance(fault, (Failed, Mismatch)):
            print(run.cluster.tails(), flush=True)
        return False
    print(f"ok    {name:{NAME_WIDTH}}{words} [{time.monotonic() - started:.1f} s]", flush=True)
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
    parser.add_argument("--only", metavar="NAME", default="", help="this scenario, or all that begin with NAME and a dot")
    parser.add_argument("--kafka", default=VERSION, choices=(VERSION, *OLDER), help=f"what the nodes are ({VERSION})")
    parser.add_argument("--minutes", type=float, default=10, help="chaos: how long (10)")
    parser.add_argument("--records", type=int, default=5_000_000, help="chaos: how many (5000000)")
    parser.add_argument("--seed", type=int, default=1, help="chaos: what happens when (1)")
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
            bad = perform(options, rows, build, *prepare(build, options.kafka))
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
