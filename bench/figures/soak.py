#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A producer that is left alone: 50,000 records of 100 bytes a second to a real Kafka of three nodes, one of which is restarted each
minute, killed (-9) and stopped in good order by turns.

    soak.py [--minutes 30] [--rate 50000] [--build DIR] [--json]

Every few seconds: resident memory, open files, threads of `kloop perf`. At the end: every record was acknowledged, the logs hold as
many as were sent (none lost, none twice), there was one thread at all times, the open files are those of the first minute, and a
line through the memory of the last two thirds does not rise by more than its points lie off it."""

import json
import os
import signal
import subprocess
import sys
import time

import world
from sheet import Sheet, arguments, progress
from world import peers

PARTITIONS = 12
DOWN_S = 10
WATCH_S = 3
MB = 1 << 20


def look(pid):
    """Resident bytes, open files, threads."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        threads, = [int(line.split()[1]) for line in file if line.startswith("Threads:")]
    return resident, len(os.listdir(f"/proc/{pid}/fd")), threads


class Restarts:
    """A node each minute, in turn; down for some seconds."""

    def __init__(self, cluster, start):
        self.cluster, self.start, self.count, self.down = cluster, start, 0, None

    def go_on(self, now):
        cluster = self.cluster
        if self.down:
            node, since, killed = self.down
            if now - since >= DOWN_S and not node.alive:
                node.start()
                self.down = None
            elif now - since >= 45:
                node.kill()  # it did not stop when it was asked
        elif now - self.start >= 60 * (self.count + 1) - 30:
            node = cluster.nodes[self.count % len(cluster.nodes)]
            killed = self.count % 2 == 0
            node.kill() if killed else node.ask_to_stop()
            progress(f"soak: {now - self.start:.0f} s: node {node.number} is {'killed' if killed else 'stopped'}")
            self.count += 1
            self.down = (node, now, killed)

    def end(self):
        if self.down:
            node = self.down[0]
            node.kill()
            node.start()
        self.cluster.wait_full(world.TOPIC, PARTITIONS, len(self.cluster.nodes))


def line_through(points):
    """Slope and the points' standard deviation off the line, by least squares."""
    count = len(points)
    mean_x, mean_y = (sum(point[i] for point in points) / count for i in (0, 1))
    over = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / over if over else 0.0
    off = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope, (off / max(1, count - 2)) ** 0.5


def stored(cluster):
    """The records in the topic's logs, as the leaders know them."""
    import probe  # pylint: disable=import-outside-toplevel
    found = {}
    for node in cluster.nodes:
        found.update(probe.ends(node.port, world.TOPIC, range(PARTITIONS)))
    if len(found) != PARTITIONS:
        raise world.Wrong(f"of {PARTITIONS} partitions {len(found)} tell their end")
    return sum(found.values())


def run(options, cluster):
    """What was seen on the way, the client's line, and how often a node went."""
    cluster.create(world.TOPIC, PARTITIONS, min__insync__replicas=2)
    records = options.rate * 60 * options.minutes
    client = subprocess.Popen(
        [options.kloop, "perf", "--json", "--bootstrap-server", cluster.bootstrap, "--topic", world.TOPIC, "--num-records",
         str(records), "--record-size", "100", "--throughput", str(options.rate), "--reporting-interval", "60000"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    start = time.monotonic()
    restarts, seen = Restarts(cluster, start), []
    try:
        while client.poll() is None:
            now = time.monotonic()
            if now - start > 60 * options.minutes + peers.TIMEOUT_S:
                raise world.Wrong("kloop perf does not end")
            try:
                seen.append((now - start, *look(client.pid)))
            except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
                break
            # Not in the last half minute: what went down has to come back.
            if now - start < 60 * options.minutes - 30 or restarts.down:
                restarts.go_on(now)
            time.sleep(WATCH_S)
    finally:
        if client.poll() is None and sys.exc_info()[0]:
            client.kill()
        out = client.communicate()[0]
    restarts.end()
    try:
        line = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        raise world.Wrong(f"kloop perf ended with {client.returncode} and no line") from None
    return [point for point in seen if point[0] > 5], line, restarts.count


def judge(sheet, options, seen, line, restarts, in_logs):
    records = options.rate * 60 * options.minutes
    first_minute = [point for point in seen if point[0] <= 60]
    last = [(at, resident) for at, resident, _, _ in seen if at >= seen[-1][0] / 3]
    slope, off = line_through(last)
    rise = slope * (last[-1][0] - last[0][0])
    sheet.figure("minutes", options.minutes, "")
    sheet.figure("nodes that went and came back", restarts, "", at_least=options.minutes - 1)
    sheet.figure("records not acknowledged", records - line["ok"], "", at_most=0)
    sheet.figure("records in the logs, less those acknowledged", in_logs - line["ok"], "", at_least=0, at_most=0)
    sheet.figure("threads, most", max(threads for *_, threads in seen), "", at_most=1)
    sheet.figure("open files, most of the first minute", max(files for _, _, files, _ in first_minute), "")
    # Three nodes and no more: a node that comes back has no second connection.
    sheet.figure("open files, at the end less those of the first minute's most",
                 seen[-1][2] - max(files for _, _, files, _ in first_minute), "", at_most=0)
    sheet.figure("resident: least and most of the last two thirds", [resident / MB for _, resident in last], "MB")
    sheet.figure("resident, last two thirds: the line rises by", rise / MB, "MB", at_most=max(off / MB, 0.1))
    sheet.figure("resident, last two thirds: the points lie off it by", off / MB, "MB")
    sheet.figure("resident, last two thirds: slope", slope * 3600 / MB, "MB an hour")
    sheet.figure("CPU of a record", line["cpu_ns_per_record"], "ns")
    sheet.figure("p50", line["p50_ms"], "ms")
    sheet.figure("longest wait of a record", line["max_ms"], "ms")
    sheet.figure("longest turn of the loop", line["loop_hold_max_ms"], "ms")


def more(parser):
    parser.add_argument("--minutes", type=int, default=30, help="how long (30)")
    parser.add_argument("--rate", type=int, default=50_000, help="records a second (50000)")


def main():
    options = arguments(__doc__, more)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.quick:
        options.minutes = min(options.minutes, 3)
    sheet = Sheet("soak", options.json)
    # Half an hour of records would fill a disk: what is old goes, its offsets stay.
    limits = {"log.retention.bytes": str(64 * MB), "log.segment.bytes": str(16 * MB), "log.retention.check.interval.ms": "20000"}
    with world.real_kafka(options, nodes=3, settings=limits) as cluster:
        if not cluster:
            sheet.note("no Java or no Maven here: nothing was measured")
            return 1
        seen, line, restarts = run(options, cluster)
        in_logs = stored(cluster)
    judge(sheet, options, seen, line, restarts, in_logs)
    with open(os.path.join(options.build, "bench", "soak-points.jsonl"), "w", encoding="ascii") as file:
        file.writelines(json.dumps({"s": round(at, 1), "resident": resident, "files": files, "threads": threads}) + "\n"
                        for at, resident, files, threads in seen)
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
