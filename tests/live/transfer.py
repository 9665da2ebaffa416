# SPDX-License-Identifier: BSD-2-Clause
"""One run of `kloop produce --events` against a cluster, watched while it runs and compared with the log afterwards."""

import json
import os
import signal
import subprocess
import sys
import time

import child
from judges import Difference, all_stored
from libraries import HERE

BYTES, SEED = 100, 1
# Keys enough for every partition, few enough that each has many records whose order shows.
KEYS = 5000
_TICK = 0.05
_SUCCESS = b'"producer_send_success"'
_ERROR = b'"producer_send_error"'


class Watch:
    """What happens while records are under way. tick() is called again and again with how many were acked and given up."""

    # Of a paced run: the last tenth of the records is not hurried along before over is true.
    tail = False
    over = False

    def tick(self, acked, given_up):
        pass

    def done(self, acked):
        """The producer has ended. What must still happen before the log is read; words for the line of figures."""
        return ""

    def terms(self):
        """Asked after done(): what is special about the comparison, as Ledger.Terms and Clerk's check know it."""
        return {}


class Bench:
    """What all runs share: the command, the clerk, a folder for files."""

    def __init__(self, kloop, clerk, folder):
        self.kloop, self.clerk, self.folder = kloop, clerk, folder
        self._inputs = {}
        os.makedirs(folder, exist_ok=True)

    def input(self, count, keys):
        """A file of records; made once."""
        if (count, keys) not in self._inputs:
            file = os.path.join(self.folder, f"input-{count}-{keys}")
            size = self.clerk.ask("write", file=file, count=count, bytes=BYTES, keys=keys, seed=SEED)
            self._inputs[count, keys] = file, size
        return self._inputs[count, keys]


class _Tally:
    """Counts two words in a file that grows."""

    def __init__(self, path):
        self.file = open(path, "rb")  # pylint: disable=consider-using-with
        self.rest = b""
        self.acked = self.given_up = 0

    def see(self):
        while True:
            data = self.file.read(1 << 22)
            if not data:
                return
            both = self.rest + data
            # Nothing is counted before its line is whole.
            end = both.rfind(b"\n") + 1
            self.acked += both.count(_SUCCESS, 0, end)
            self.given_up += both.count(_ERROR, 0, end)
            self.rest = both[end:]


def _feeder(source, count, rate, tail):
    """Answers the program and the end of its pipe."""
    out, into = os.pipe()
    try:
        command = [sys.executable, "-B", os.path.join(HERE, "feed.py"), source, str(count), str(rate)]
        if tail:
            command.append("--tail")
        return child.start(command, stdin=subprocess.DEVNULL, stdout=into, stderr=subprocess.PIPE), out
    finally:
        os.close(into)


class _Outcome:
    """How a run of the producer ended."""

    def __init__(self, events, acked, took, fault, worst_nap_ms):
        self.events, self.acked, self.took, self.fault, self.worst_nap_ms = events, acked, took, fault, worst_nap_ms


def _run(bench, command, source, count, name, watch, rate, code, seconds):
    """Runs the producer. It writes its events into a file and reads from a file or a feeder, so that nothing that happens here
    holds it up."""
    events, errors = (os.path.join(bench.folder, f"{name}.{end}") for end in ("events", "stderr"))
    feeder, hurried = None, False
    with open(events, "wb") as out, open(errors, "wb") as stderr:
        if rate:
            feeder, lines = _feeder(source, count, rate, watch.tail)
        else:
            lines = os.open(source, os.O_RDONLY)
        started = time.monotonic()
        producer = child.start(command, stdin=lines, stdout=out, stderr=stderr)
        os.close(lines)
    tally = _Tally(events)
    try:
        while producer.poll() is None:
            time.sleep(_TICK)
            tally.see()
            watch.tick(tally.acked, tally.given_up)
            if feeder and watch.over and not hurried:
                child.tell(feeder, signal.SIGUSR1)
                hurried = True
            if time.monotonic() - started > seconds:
                raise Difference(f"not done after {seconds} s with {tally.acked} records acked; {_end_of(errors)}")
        took = time.monotonic() - started
        tally.see()
        nap = _nap(feeder)
    finally:
        tally.file.close()
        child.end(producer)
        if feeder:
            child.end(feeder)
    wanted = int(tally.given_up > 0) if code is None else code
    fault = f"kloop ended with {producer.returncode}, not {wanted}; {_end_of(errors)}" if producer.returncode != wanted else ""
    return _Outcome(events, tally.acked, took, fault, nap)


def _nap(feeder):
    """How long the feeder slept too long; 0 if nobody can tell."""
    if not feeder:
        return 0
    said = feeder.communicate(timeout=10)[1]
    if feeder.returncode != 0:
        raise Difference(f"the feeder ended with {feeder.returncode}: {said.decode(errors='replace')}")
    # It has nothing to say when the producer ended before it.
    return json.loads(said or "{}").get("worst_nap_ms", 0)


def _end_of(path):
    with open(path, "rb") as file:
        return f"stderr in {path}: " + file.read()[-1500:].decode(errors="replace").strip()


def transfer(bench, cluster, name, count, codec="none", keys=KEYS, partitions=12, options=(), configs=None, header=None,
             watch=None, rate=None, judge=all_stored, code=0, seconds=240, bootstrap=None, late_ms=0,
             served=False, quiet=True):
    """Sends count records into a topic of its own, as fast as it goes or so many a second, and holds every one against the log.
    kloop is to end with the code (None: with what its reports are worth), the judge looks at what became of the records.
    late_ms: no report may be about an older record; 0: nobody looks. served: begins only when every leader knows that it leads;
    before that it answers NOT_LEADER_OR_FOLLOWER, after which nothing can be proved of a batch. Answers words for the line of
    figures."""
    topic = "live." + name
    replication = len(cluster.nodes)
    cluster.create(topic, partitions, replication, **(configs or {}))
    if served:
        bench.clerk.ask("served", topic=topic, partitions=partitions)
    source, size = bench.input(count, keys)
    command = [bench.kloop, "produce", *(["--quiet"] if quiet else []), "-b", bootstrap or cluster.bootstrap, "-t", topic, "-z", codec, "--events",
               *options]
    if keys:
        command += ["-K", "\t"]
    if header:
        command += ["-H", f"{header[0]}={header[1]}"]
    watch = watch or Watch()
    run = _run(bench, command, source, count, name, watch, rate, code, seconds)
    words = watch.done(run.acked)
    terms = {"partitions": partitions, "late_ms": late_ms, **watch.terms()}
    reading = 120 + count // 10_000
    found = bench.clerk.ask("check", topic=topic, count=count, bytes=BYTES, keys=keys, seed=SEED, events=run.events,
                            header=list(header) if header else None, seconds=reading, wait_seconds=2 * reading, **terms)
    try:
        if found["differences"] or run.fault:
            raise Difference(f"{found['differences']}\n  " + "\n  ".join([*found["cases"], run.fault]))
        verdict = judge(found, count)
    except Difference as why:
        errors = "".join(f"\n  {many} {error}" for error, many in found["errors"].items())
        figures = f"{found['acked']} acked, {found['stored']} stored of {count}, oldest in ms: {found['oldest_ms']}"
        raise Difference(f"{figures}: {why}{words}{errors}\n  events: {run.events}{_napped(run)}") from None
    if terms.get("there", True):
        words = f"; {_packing(bench, cluster, topic, codec, found)}{words}"
        cluster.clerk.ask("delete", topic=topic)
    os.remove(run.events)
    return f"{verdict}; {run.took:.1f} s, {count / run.took:,.0f}/s, {size / run.took / 2**20:.0f} MiB/s{words}{_napped(run)}"


def _napped(run):
    """A machine that has no time for a process that sleeps has none for a producer either."""
    return f"; the machine let a process wait for {run.worst_nap_ms} ms" if run.worst_nap_ms >= 100 else ""


def _packing(bench, cluster, topic, codec, found):
    """How the records lie in the log; words for the line of figures."""
    packed = bench.clerk.ask("batches", topic=topic, folders=[node.data for node in cluster.nodes])
    judged = sum(packed["records"].values())
    # A batch that would not shrink goes out as it is. That a slow feed makes many of those, and that all of them have few records,
    # was seen where a network passed one byte at a time; of the others there are next to none.
    if not judged or packed["records"].get(codec, 0) < 0.99 * judged:
        raise Difference(f"asked for {codec}, the log holds so many records of each: {packed['records']}")
    records = judged + packed["few"]
    share = packed["bytes"] / found["stored_bytes"] / len(cluster.nodes)
    return f"{records / packed['batches']:,.0f} records a batch, {share:.0%} of the size"
