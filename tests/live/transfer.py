# SPDX-License-Identifier: BSD-2-Clause
"""One run of `kloop produce --events` against a cluster, watched while it runs and compared with the log afterwards."""

import os
import selectors
import subprocess
import time

import child

BYTES, SEED = 100, 1
# Keys enough for every partition, few enough that each has many records whose order shows.
KEYS = 5000
_TICK = 0.05
_SUCCESS = b'"producer_send_success"'
_ERROR = b'"producer_send_error"'


class Difference(Exception):
    """What was sent, what was said and what is stored do not agree. The nodes' logs may tell why."""


class Mismatch(Difference):
    """The tools of the test do not agree among themselves; the nodes' logs have nothing to say about it."""


class Watch:
    """What happens while records are under way. tick() is called again and again with how many were acked and given up."""

    def tick(self, acked, given_up):
        pass

    def done(self, acked):
        """The producer has ended. What must still happen before the log is read; words for the line of figures."""
        return ""


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


class _Tap:
    """Gives the lines of a file to a pipe, so many a second."""

    def __init__(self, path, pipe, rate):
        with open(path, "rb") as file:
            self.data = file.read()
        self.pipe, self.rate = pipe, rate
        self.lines = self.due_end = self.sent = 0
        self.started = time.monotonic()
        os.set_blocking(pipe.fileno(), False)

    def run(self):
        """Gives what is due by now and fits into the pipe; closes it behind the last line."""
        if self.pipe.closed:
            return
        due = int(self.rate * (time.monotonic() - self.started))
        while self.lines < due and self.due_end < len(self.data):
            self.due_end = self.data.index(b"\n", self.due_end) + 1
            self.lines += 1
        try:
            while self.sent < self.due_end:
                self.sent += os.write(self.pipe.fileno(), self.data[self.sent:min(self.due_end, self.sent + (1 << 16))])
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.sent = len(self.data)
        if self.sent == len(self.data):
            self.pipe.close()


class _Counter:
    """Counts a word in a text that comes in pieces."""

    def __init__(self, word):
        self.word, self.rest, self.count = word, b"", 0

    def see(self, data):
        both = self.rest + data
        self.count += both.count(self.word)
        self.rest = both[-len(self.word) + 1:]


def _run(bench, command, source, name, watch, rate, code, seconds):
    """Runs the producer; the events go to a file. Answers the file, how many were acked, how long it took, and what is wrong
    with the way it ended, if anything is."""
    events, errors = (os.path.join(bench.folder, f"{name}.{end}") for end in ("events", "stderr"))
    started = time.monotonic()
    acked, given_up = _Counter(_SUCCESS), _Counter(_ERROR)
    with open(source, "rb") as lines, open(errors, "wb") as stderr, open(events, "wb") as out:
        producer = child.start(command, stdin=subprocess.PIPE if rate else lines, stdout=subprocess.PIPE, stderr=stderr)
        try:
            tap = _Tap(source, producer.stdin, rate) if rate else None
            with selectors.DefaultSelector() as ready:
                ready.register(producer.stdout, selectors.EVENT_READ)
                while True:
                    if ready.select(_TICK):
                        data = os.read(producer.stdout.fileno(), 1 << 20)
                        if not data:
                            break
                        out.write(data)
                        acked.see(data)
                        given_up.see(data)
                    if tap:
                        tap.run()
                    watch.tick(acked.count, given_up.count)
                    if time.monotonic() - started > seconds:
                        raise Difference(f"not done after {seconds} s with {acked.count} records acked; {_end_of(errors)}")
            ended = producer.wait(30)
        finally:
            child.end(producer)
    fault = f"kloop ended with {ended}, not {code}; {_end_of(errors)}" if ended != code else ""
    return events, acked.count, time.monotonic() - started, fault


def _end_of(path):
    with open(path, "rb") as file:
        return f"stderr in {path}: " + file.read()[-1500:].decode(errors="replace").strip()


def all_stored(found, count):
    """What should become of the records where nothing prevents it; answers words for the line of figures."""
    if found["acked"] != count:
        raise Difference(f"{count - found['acked']} of {count} records are not acked")
    return f"{count:,} records stored once, in order, byte for byte"


def some_given_up(found, _):
    """Where a producer must give up: what it says of each record is true."""
    if not found["failed"] + found["unknown"]:
        raise Difference("every record was acked: no test of anything")
    return (f"{found['acked']:,} records stored once, in order, byte for byte, {found['failed']:,} truly not, "
            f"{found['stored'] - found['acked']:,} of {found['unknown']:,} unknown")


def transfer(bench, cluster, name, count, codec="none", keys=KEYS, partitions=12, options=(), configs=None, header=None,
             watch=None, rate=None, judge=all_stored, code=0, seconds=240):
    """Sends count records into a topic of its own, as fast as it goes or so many a second, and holds every one against the log.
    kloop is to end with the code, the judge looks at what became of the records. Answers the words for the line of figures."""
    topic = "live." + name
    replication = len(cluster.nodes)
    cluster.create(topic, partitions, replication, **(configs or {}))
    source, size = bench.input(count, keys)
    command = [bench.kloop, "produce", "--quiet", "-b", cluster.bootstrap, "-t", topic, "-z", codec, "--events", *options]
    if keys:
        command += ["-K", "\t"]
    if header:
        command += ["-H", f"{header[0]}={header[1]}"]
    watch = watch or Watch()
    events, acked, took, fault = _run(bench, command, source, name, watch, rate, code, seconds)
    words = watch.done(acked)
    found = bench.clerk.ask("check", topic=topic, partitions=partitions, count=count, bytes=BYTES, keys=keys, seed=SEED,
                            events=events, header=list(header) if header else None, seconds=120, wait_seconds=180)
    try:
        if found["differences"] or fault:
            raise Difference(f"{found['differences']}\n  " + "\n  ".join([*found["cases"], fault]))
        verdict = judge(found, count)
    except Difference as why:
        errors = "".join(f"\n  {many} {error}" for error, many in found["errors"].items())
        figures = f"{found['acked']} acked, {found['stored']} stored of {count}"
        raise Difference(f"{figures}: {why}{errors}\n  events: {events}") from None
    packed = bench.clerk.ask("batches", topic=topic, folders=[node.data for node in cluster.nodes])
    records = sum(packed["records"].values())
    # A batch that would not shrink may go out as it is; that is a rare one with little in it.
    if packed["records"].get(codec, 0) < 0.9 * records:
        raise Difference(f"asked for {codec}, the log holds so many records of each: {packed['records']}")
    os.remove(events)
    cluster.clerk.ask("delete", topic=topic)
    share = packed["bytes"] / found["stored_bytes"] / replication
    return (f"{verdict}; {took:.1f} s, {count / took:,.0f}/s, {size / took / 2**20:.0f} MiB/s; "
            f"{records / packed['batches']:,.0f} records a batch, {share:.0%} of the size{words}")
