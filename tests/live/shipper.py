# SPDX-License-Identifier: BSD-2-Clause
"""examples/log_shipper.c on a real cluster: its files are renamed, a node is killed and restarted, and one of two shippers is killed
and started again meanwhile."""

import collections
import os
import shutil
import signal
import time

import child
from judges import Difference, Mismatch

PARTITIONS = 12
LINES = 60_000  # of each file
# Of each file: when it is renamed, and, of the killed shipper, when it is killed; counted in lines that were written.
RENAMED = (15_000, 31_000, 32_000, 47_000)
KILLED = (10_000, 31_500, 52_000)
DOWN = 2_500   # so many lines are written while it is away
NODE_KILLED, NODE_BACK = 20_000, 40_000
BURST = 500
PAUSE = 0.05
SECONDS = 120


class Log:
    """A file that grows, and is renamed as logrotate does."""

    def __init__(self, folder, name):
        self.name, self.path = name, os.path.join(folder, name + ".log")
        self.file = open(self.path, "w", encoding="utf-8")  # pylint: disable=consider-using-with
        self.rows = 0

    def line(self, n):
        return f"{self.name} {n:08} {'=' * (n * 7919 % 200)}"

    def grow(self, count):
        for n in range(self.rows, self.rows + count):
            self.file.write(self.line(n) + "\n")
            if n + 1 in RENAMED:
                self.rename()
        self.file.flush()
        self.rows += count

    def rename(self):
        for n in range(len(RENAMED), 0, -1):
            if os.path.exists(f"{self.path}.{n}"):
                os.rename(f"{self.path}.{n}", f"{self.path}.{n + 1}")
        os.rename(self.path, self.path + ".1")
        # The last words of the writer go to the renamed file.
        self.file.close()
        self.file = open(self.path, "w", encoding="utf-8")  # pylint: disable=consider-using-with


class Shipper:
    """The program with two files."""

    def __init__(self, run, folder, topic, name):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        self.logs = [Log(self.folder, name + letter) for letter in "ab"]
        self.errors = os.path.join(self.folder, "stderr")
        program = os.path.join(os.path.abspath(run.options.build), "examples", "log_shipper")
        if not os.access(program, os.X_OK):
            raise Mismatch(f"there is no {program}: the build has no examples")
        self.command = [program, "-X", "acks=all", "-X", "delivery.timeout.ms=60000", run.cluster.bootstrap, topic,
                        os.path.join(self.folder, "checkpoint"), *(log.path for log in self.logs)]
        self.starts = 0
        self.start()

    def start(self):
        with open(self.errors, "ab") as errors:
            self.process = child.start(self.command, stderr=errors)
        self.starts += 1

    def kill(self):
        child.end(self.process)

    def end(self):
        child.tell(self.process, signal.SIGTERM)
        code = self.process.wait(SECONDS)
        if code != 0:
            raise Difference(f"the shipper ended with {code}; {self.said()}")

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as f:
            return f"stderr in {self.errors}: {f.read()[-1500:]}"

    def has_all(self):
        """Whether its checkpoint is at the end of its files."""
        wanted = {log.path: (os.stat(log.path).st_ino, os.path.getsize(log.path)) for log in self.logs}
        try:
            with open(os.path.join(self.folder, "checkpoint"), encoding="utf-8") as f:
                rows = [line.rstrip("\n").split(" ", 3) for line in f]
        except FileNotFoundError:
            return False
        return {path: (int(inode), int(offset)) for inode, offset, _, path in rows} == wanted


def ship(run):
    topic = f"live.shipper.{run.repeat}"
    folder = os.path.join(run.bench.folder, f"shipper.{run.repeat}")
    shutil.rmtree(folder, ignore_errors=True)
    run.cluster.create(topic, PARTITIONS, len(run.cluster.nodes), min__insync__replicas=2)
    steady, killed = (Shipper(run, folder, topic, name) for name in ("steady", "killed"))
    node = run.cluster.node(1 + run.repeat % len(run.cluster.nodes))
    logs = steady.logs + killed.logs
    try:
        for rows in range(BURST, LINES + 1, BURST):
            for log in logs:
                log.grow(BURST)
            if rows in KILLED:
                killed.kill()
            elif rows - DOWN in KILLED:
                killed.start()
            if rows == NODE_KILLED:
                node.kill()
            elif rows == NODE_BACK:
                node.start()
            # A writer, not a test of speed: what happens at what line is all the same.
            time.sleep(PAUSE)
        for one in (steady, killed):
            run.cluster.wait_until(f"end of what {one.folder} has to ship", one.has_all, SECONDS)
            one.end()
    finally:
        for one in (steady, killed):
            one.kill()
    run.cluster.wait_ready()
    return judge(run, topic, folder, steady, killed)


def judge(run, topic, folder, steady, killed):
    file = os.path.join(folder, "stored")
    run.bench.clerk.ask("values", topic=topic, partitions=PARTITIONS, file=file, seconds=SECONDS, wait_seconds=2 * SECONDS)
    order = collections.defaultdict(list)
    with open(file, encoding="utf-8") as f:
        for line in f:
            order[line.split(" ", 1)[0]].append(line.rstrip("\n"))
    twice = 0
    for one in (steady, killed):
        for log in one.logs:
            wanted, found = [log.line(n) for n in range(LINES)], order.pop(log.name, [])
            missing = set(wanted) - set(found)
            if missing or set(found) - set(wanted):
                raise Difference(f"{log.name}: {len(missing)} lines are lost, such as {sorted(missing)[:1]}; {one.said()}")
            if one is steady and found != wanted:
                raise Difference(f"{log.name} was never killed, and its lines are not there once and in order; {one.said()}")
            twice += len(found) - len(wanted)
    if order:
        raise Difference(f"lines of nobody: {list(order)[:3]}")
    run.cluster.clerk.ask("delete", topic=topic)
    return (f"{2 * LINES:,} lines once and in order, {2 * LINES:,} of a shipper that was killed {killed.starts - 1} times at least "
            f"once ({twice:,} twice), {len(RENAMED)} times renamed; a node was away")
