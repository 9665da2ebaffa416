#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Other people's producers against `kloop sink --check`: Kafka's own tools, librdkafka's (kcat), franz-go's. What they say they
sent is what the sink has stored, each record once.

    foreign_producers.py --client java|kcat|franz-go [--kloop KLOOP] [--build DIR] [--only TEXT]

Java's are those of Kafka 4.3.1, which Maven fetches into BUILD/live as for test_live.py; kcat is Debian's; franz-go's is
the program of bench/peers, which is built in BUILD/live/foreign and needs Go. Exit code 77: what is needed is not there (1 when
CI=true)."""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
from libraries import Broken, Missing, fetch_jars  # noqa: E402

SKIPPED = 77
SECONDS = 120
PARTITIONS = 6
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
# A broker of the year 2018, whose clients find no topic ids, no flexible versions and no zstd.
OLD = ("--max-version", "Produce=6", "Metadata=5", "ApiVersions=2", "InitProducerId=1", "FindCoordinator=2")
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto",
       f"-Dlog4j2.configurationFile={os.path.join(HERE, 'log4j2.properties')}")


class Wrong(Exception):
    """What came out is not what went in."""


def expect(what, seen, wanted):
    if seen != wanted:
        raise Wrong(f"{what}: {seen!r}, not {wanted!r}")


class Sink:
    """A sink that looks at everything."""

    def __init__(self, kloop, *flags):
        self.process = subprocess.Popen([kloop, "sink", "--listen", "127.0.0.1:0", "--check", *flags], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        line = self.process.stdout.readline().decode().split()
        if line[:2] != ["listening", "on"]:
            raise Wrong(f"the sink did not start: {self.process.communicate()}")
        self.place = line[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def end(self):
        """What it stored. It has nothing to complain of."""
        self.process.send_signal(signal.SIGTERM)
        out, said = self.process.communicate(timeout=SECONDS)
        stored = json.loads(out)
        expect("what the sink says", said.decode(), "")
        expect("complaints", stored["complaints"], 0)
        expect("the sink's exit code", self.process.returncode, 0)
        return stored


def run(command, text=None, code=0):
    done = subprocess.run(command, input=text.encode() if text is not None else None, capture_output=True, timeout=SECONDS,
                          stdin=subprocess.DEVNULL if text is None else None)
    out = done.stdout.decode(errors="replace")
    if code is not None and done.returncode != code:
        raise Wrong(f"exit code {done.returncode}\n{out[-2000:]}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return out


def check(stored, count, refused=None, topic="events"):
    """Each of so many records is there once. refused: batches were, or were not."""
    expect("records", stored["records"], count)
    offsets = {t["topic"]: t["next_offsets"] for t in stored["topics"]}
    expect("offsets", sum(offsets.get(topic, ())), count)
    if refused is not None:
        expect("refused", stored["refused"] > 0, refused)
    return f"{count} records, {stored['batches']} batches, {stored['requests']} requests"


# ---- Java --------------------------------------------------------------------------------------------------------------------


class Java:
    """kafka-producer-perf-test, kafka-console-producer and kafka-verifiable-producer as their shell scripts run them."""

    def __init__(self, options):
        self.kloop = options.kloop
        build = os.path.join(options.build, "live")
        os.makedirs(build, exist_ok=True)
        self.path = os.path.join(fetch_jars(build), "*")

    def tool(self, name, *words, **how):
        return run(["java", *JVM, "-cp", self.path, f"org.apache.kafka.tools.{name}", *words], **how)

    def perf(self, *flags, count=5000, refused=False, properties=(), **how):
        def scenario():
            with Sink(self.kloop, "--topic", f"events:{PARTITIONS}", *flags) as sink:
                more = ["--command-property", *properties] if properties else []
                out = self.tool("ProducerPerformance", "--topic", "events", "--num-records", str(count), "--record-size", "100",
                                "--throughput", "-1", "--bootstrap-server", sink.place, *more, **how)
                told = re.findall(r"^(\d+) records sent, .* 99\.9th\.$", out, re.MULTILINE)
                expect("what the tool counts", told, [str(count)])
                return check(sink.end(), count, refused)
        return scenario

    def failing_perf(self):
        """An error that passes by itself is retried; this one is not."""
        with Sink(self.kloop, "--topic", f"events:{PARTITIONS}", "--error", "TOPIC_AUTHORIZATION_FAILED@1") as sink:
            out = self.tool("ProducerPerformance", "--topic", "events", "--num-records", "1", "--record-size", "100",
                            "--throughput", "-1", "--bootstrap-server", sink.place)
            expect("records", re.findall(r"^(\d+) records sent", out, re.MULTILINE), ["0"])
            return check(sink.end(), 0, True)

    def console(self, *words, lines, flags=("--topic", "events:6"), topic="events", **how):
        def scenario():
            with Sink(self.kloop, *flags) as sink:
                text = "".join(f"h:v,g:w\tkey{n}\tvalue {n}\n" for n in range(lines))
                self.tool("ConsoleProducer", "--topic", topic, "--bootstrap-server", sink.place, "--reader-property",
                          "parse.key=true", "--reader-property", "parse.headers=true", *words, text=text, **how)
                return check(sink.end(), lines, topic=topic)
        return scenario

    def verifiable(self):
        with Sink(self.kloop, "--topic", "events:6", "--error", "NOT_ENOUGH_REPLICAS@5%") as sink:
            out = self.tool("VerifiableProducer", "--topic", "events", "--max-messages", "2000", "--bootstrap-server", sink.place)
            lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
            places = {(line["partition"], line["offset"]) for line in lines if line["name"] == "producer_send_success"}
            expect("different places", len(places), 2000)
            expect("tool_data", (lines[-1]["name"], lines[-1]["sent"], lines[-1]["acked"]), ("tool_data", 2000, 2000))
            return check(sink.end(), 2000)

    def table(self, short):
        yield "perf.default", self.perf()
        yield "console.auto_create", self.console(lines=300, flags=("--auto-create", "3"), topic="fresh")
        if short:
            return
        # A JVM takes a second to start: two things in one go.
        yield "perf.acks_0.gzip", self.perf(properties=["acks=0", "enable.idempotence=false", "compression.type=gzip"])
        yield "perf.acks_1.snappy", self.perf(properties=["acks=1", "enable.idempotence=false", "compression.type=snappy"])
        yield "perf.delay.lz4", self.perf("--delay-ms", "20", properties=["compression.type=lz4"])
        yield "perf.discard.zstd", self.perf("--discard", properties=["compression.type=zstd"])
        yield "perf.error", self.perf("--error", "NOT_LEADER_OR_FOLLOWER@20%", properties=["batch.size=4000"], count=2000, refused=True)
        yield "perf.refused", self.failing_perf
        yield "perf.old_broker", self.perf(*OLD)
        yield "console.zstd", self.console("--compression-codec", "zstd", "--request-required-acks", "1", lines=300)
        yield "verifiable", self.verifiable


# ---- librdkafka --------------------------------------------------------------------------------------------------------------


class Kcat:
    def __init__(self, options):
        self.kloop = options.kloop
        self.kcat = shutil.which("kcat")
        if not self.kcat:
            raise Missing("there is no kcat here (./dev setup installs it)")

    def produce(self, *words, flags=("--topic", f"events:{PARTITIONS}"), more=(), count=2000, topic="events", refused=False, code=0,
                stored=None):
        def scenario():
            with Sink(self.kloop, *flags, *more) as sink:
                text = "".join(f"key{n}:value {n}\n" for n in range(count))
                run([self.kcat, "-P", "-b", sink.place, "-t", topic, "-K:", "-H", "a=b", *words], text=text, code=code)
                return check(sink.end(), count if stored is None else stored, refused, topic)
        return scenario

    def lists(self):
        """kcat -L says the same as kloop meta, and understands it."""
        with Sink(self.kloop, "--topic", "a:3", "b") as sink:
            for topic in ([], ["-t", "b"]):
                ours = run([self.kloop, "meta", "-b", sink.place, *topic]).splitlines()
                theirs = run([self.kcat, "-L", "-b", sink.place, *topic]).splitlines()
                expect("without our own line", [line for line in ours if not line.startswith(" cluster ")], theirs)
                ours = json.loads(run([self.kloop, "meta", "-b", sink.place, "-J", *topic]))
                theirs = json.loads(run([self.kcat, "-L", "-J", "-b", sink.place, *topic]))
                expect("in JSON", cut_to(theirs, ours), theirs)
            stored = sink.end()
            expect("topics", [t["topic"] for t in stored["topics"]], ["a", "b"])
        return "the same lines, the same JSON"

    def table(self, short):
        yield "list", self.lists
        yield "default", self.produce()
        if short:
            return
        for codec in CODECS[1:]:
            yield codec, self.produce("-z", codec)
        for acks in ("0", "1", "all"):
            yield f"acks_{acks}", self.produce("-X", f"acks={acks}")
        idempotent = ("-X", "enable.idempotence=true", "-X", "batch.num.messages=50")
        yield "idempotent", self.produce(*idempotent)
        yield "idempotent.error", self.produce(*idempotent, more=("--error", "NOT_LEADER_OR_FOLLOWER@20%"), refused=True)
        yield "idempotent.delay", self.produce(*idempotent, more=("--delay-ms", "5"))
        yield "auto_create", self.produce(flags=("--auto-create", "4"), topic="fresh")
        yield "one_partition", self.produce("-p", "4", "-Z")
        yield "old_broker", self.produce(more=OLD)
        yield "discard", self.produce(more=("--discard",))
        yield "refused", self.produce(count=10, more=("--error", "TOPIC_AUTHORIZATION_FAILED@1"), refused=True, code=1, stored=0)


def cut_to(shape, value):
    """Of value only what shape has, too."""
    if isinstance(shape, dict):
        return {key: cut_to(inner, value[key]) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [cut_to(a, b) for a, b in zip(shape, value)] + value[len(shape):]
    return value


# ---- franz-go ----------------------------------------------------------------------------------------------------------------


class FranzGo:
    def __init__(self, options):
        self.kloop = options.kloop
        sys.path.insert(0, os.path.join(ROOT, "bench", "peers"))
        import compare_peers  # pylint: disable=import-outside-toplevel
        go = shutil.which("go")
        if not go:
            raise Missing("there is no go here (Debian has it in the package golang)")
        build = os.path.join(options.build, "live", "foreign")
        os.makedirs(os.path.join(build, "bench", "peers"), exist_ok=True)
        try:
            self.command = compare_peers.build_franz_go(build, go)(None)
        except compare_peers.LeftOut as why:
            raise Missing(str(why)) from None

    def send(self, *flags, properties=(), count=5000, refused=False):
        def scenario():
            with Sink(self.kloop, "--topic", f"events:{PARTITIONS}", *flags) as sink:
                out = run([*self.command, "--bootstrap-server", sink.place, "--topic", "events", "--num-records", str(count),
                           "--record-size", "100", "--throughput", "-1",
                           *(word for pair in properties for word in ("-X", pair))])
                report = json.loads(out.splitlines()[-1])
                expect("its report", (report["ok"], report["failed"], report["unknown"]), (count, 0, 0))
                return check(sink.end(), count, refused)
        return scenario

    def table(self, short):
        yield "default", self.send()
        if short:
            return
        for codec in CODECS[1:]:
            yield codec, self.send(properties=[f"compression.type={codec}"])
        for acks in ("0", "1"):
            yield f"acks_{acks}", self.send(properties=[f"acks={acks}", "enable.idempotence=false"])
        # Each time that it has to ask for metadata it waits for seconds.
        yield "error", self.send("--error", "NOT_ENOUGH_REPLICAS@20%", refused=True)
        yield "delay", self.send("--delay-ms", "20")
        yield "old_broker", self.send(*OLD)


# ---- All of it ---------------------------------------------------------------------------------------------------------------

CLIENTS = {"java": Java, "kcat": Kcat, "franz-go": FranzGo}


def one(name, scenario):
    started = time.monotonic()
    try:
        words, fine = scenario(), True
    except (Wrong, subprocess.TimeoutExpired) as fault:
        words, fine = str(fault), False
    print(f"{'ok  ' if fine else 'FAIL'}  {name:24}{words} [{time.monotonic() - started:.1f} s]", flush=True)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", choices=CLIENTS, required=True)
    parser.add_argument("--kloop", default=os.path.join(ROOT, "build", "bin", "kloop"), help="the command (build/bin/kloop)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="where jars are, or are put (build)")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios with this in their names")
    options = parser.parse_args()
    options.kloop, options.build = os.path.abspath(options.kloop), os.path.abspath(options.build)
    try:
        client = CLIENTS[options.client](options)
    except Missing as why:
        strict = os.environ.get("CI") == "true"
        print(f"{options.client}: {'not skipped under CI, but ' if strict else 'skipped: '}{why}")
        return 1 if strict else SKIPPED
    except Broken as why:
        print(f"{options.client}: {why}")
        return 1
    rows = [row for row in client.table(os.environ.get("KLOOP_TEST_SHORT") == "1") if options.only in row[0]]
    # They wait more than they work.
    with concurrent.futures.ThreadPoolExecutor(max(2, len(os.sched_getaffinity(0)))) as pool:
        fine = list(pool.map(lambda row: one(*row), rows))
    return 0 if fine and all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
